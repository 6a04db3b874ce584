/*
 * group_packed.c — the words of several keys in one word: each key takes as many bits as its range
 * needs, all ones for NULL.
 *
 * Example, GROUP BY l_orderkey, o_orderdate, o_shippriority at scale 10: 26 + 12 + 1 bits, so that
 * a group costs 8 bytes and one comparison instead of 32 and four.
 *
 * Ranges at least double when they grow, and the groups are then packed anew, in place. When the
 * bits do not suffice the table keeps a word per key from then on.
 */
#include <string.h>

#include "base/hash.h"
#include "compute/operators/hash_aggregate/group_internal.h"

enum { KEYS_MAX = 32, WORD_BITS = 64 };
#define SPAN_MAX (UINT64_C(1) << 62)

static uint64_t low_bits(uint32_t count)
{
    return count == WORD_BITS ? UINT64_MAX : (UINT64_C(1) << count) - 1;
}

/* Of offsets 0 .. range, the last for NULL; a key that was NULL until now needs none. */
static uint32_t bits_of(const GroupKeyRange *range)
{
    return range->range == 0 ? 0 : WORD_BITS - (uint32_t)__builtin_clzll(range->range);
}

// The range that holds [min, max] and what it held, with all the room its bits give.
static bool widen(GroupKeyRange *range, int64_t min, int64_t max)
{
    const bool is_first = range->range == 0;
    const int64_t last = (int64_t)((uint64_t)range->min + range->range - 1);
    const bool grows_below = !is_first && min < range->min;
    min = is_first || min < range->min ? min : range->min;
    max = is_first || max > last ? max : last;
    const uint64_t span = (uint64_t)max - (uint64_t)min;
    if (span >= SPAN_MAX) {
        return false;
    }
    const uint64_t count = low_bits(WORD_BITS - (uint32_t)__builtin_clzll(span + 1));
    if (grows_below && (uint64_t)max - (uint64_t)INT64_MIN >= count) {
        min = (int64_t)((uint64_t)max - count + 1);
    }
    if ((uint64_t)INT64_MAX - (uint64_t)min < count - 1) { // the room would pass the end
        min = (int64_t)((uint64_t)INT64_MAX - count + 1);
    }
    range->min = min;
    range->range = count;
    return true;
}

// Where each key's bits lie; false when there are too few.
static bool set_shifts(GroupTable *table)
{
    uint32_t shift = 0;
    for (uint32_t k = 0; k < table->shape->key_count; k++) {
        GroupKeyRange *range = &table->ranges[k];
        const uint32_t bits = bits_of(range);
        if (shift + bits > WORD_BITS) {
            return false;
        }
        range->stride = bits == 0 ? 0 : shift;
        shift += bits;
    }
    return true;
}

static uint64_t pack_words(const GroupKeyRange *ranges, uint32_t key_count, const uint64_t *words,
                           uint64_t null_bits)
{
    uint64_t packed = 0;
    for (uint32_t k = 0; k < key_count; k++) {
        const bool is_null = (null_bits >> k & 1) != 0;
        const uint64_t offset = is_null ? ranges[k].range : words[k] - (uint64_t)ranges[k].min;
        packed |= offset << ranges[k].stride;
    }
    return packed;
}

void group_unpack(const GroupKeyRange *ranges, uint32_t key_count, uint64_t packed, uint64_t *words)
{
    uint64_t null_bits = 0;
    for (uint32_t k = 0; k < key_count; k++) {
        const uint64_t offset = packed >> ranges[k].stride & ranges[k].range;
        const bool is_null = offset == ranges[k].range;
        words[k] = is_null ? 0 : offset + (uint64_t)ranges[k].min;
        null_bits |= (uint64_t)is_null << k;
    }
    words[key_count] = null_bits;
}

bool group_packed_init(GroupTable *table)
{
    const GroupShape *shape = table->shape;
    const uint32_t key_count = shape->key_count;
    if (key_count < 2 || key_count > KEYS_MAX ||
        table->group_capacity >= GROUP_NONE / shape->word_count) {
        return false;
    }
    GroupKeyRange former[KEYS_MAX];
    memcpy(former, table->ranges, key_count * sizeof *former);
    bool fits = true;
    for (uint32_t k = 0; k < key_count && fits; k++) {
        GroupKeyRange *range = &table->ranges[k];
        const int64_t min = range->min;
        const int64_t max = (int64_t)((uint64_t)min + range->range - 1);
        if (range->range > 0) {
            range->range = 0;
            fits = widen(range, min, max);
        }
    }
    if (!fits || !set_shifts(table)) {
        memcpy(table->ranges, former, key_count * sizeof *former);
        return false;
    }
    for (uint32_t g = 0; g < table->group_count; g++) {
        const uint64_t *words = table->words + (size_t)g * shape->word_count;
        table->words[g] = pack_words(table->ranges, key_count, words, words[key_count]);
    }
    table->word_stride = 1;
    table->group_capacity *= shape->word_count; // what they took holds as many more
    return true;
}

Status group_packed_leave(GroupTable *table)
{
    const GroupShape *shape = table->shape;
    MemoryBudget *budget = shape->budget;
    const uint32_t capacity = table->group_count + VECTOR_ROWS;
    const size_t bytes = (size_t)capacity * shape->word_count * sizeof(uint64_t);
    uint64_t *words = memory_alloc(budget, bytes);
    if (words == NULL) {
        return memory_refused(budget, bytes, "groups");
    }
    for (uint32_t g = 0; g < table->group_count; g++) {
        group_unpack(table->ranges, shape->key_count, table->words[g],
                     words + (size_t)g * shape->word_count);
    }
    memory_free(budget, table->words, (size_t)table->group_capacity * sizeof(uint64_t));
    table->words = words;
    table->word_stride = shape->word_count;
    table->group_capacity = capacity;
    return STATUS_OK;
}

// Packs all groups by the present ranges.
static void pack_anew(GroupTable *table, const GroupKeyRange *former)
{
    const uint32_t key_count = table->shape->key_count;
    for (uint32_t g = 0; g < table->group_count; g++) {
        uint64_t words[KEYS_MAX + 1];
        group_unpack(former, key_count, table->words[g], words);
        table->words[g] = pack_words(table->ranges, key_count, words, words[key_count]);
    }
    group_slots_refill(table);
}

// Makes the ranges hold the words of this batch; false, with nothing changed, when the bits do not
// suffice.
static bool fit_ranges(GroupTable *table, const GroupSpace *space, uint32_t row_count)
{
    const uint32_t key_count = table->shape->key_count;
    GroupKeyRange former[KEYS_MAX];
    bool has_grown = false, fits = true;
    memcpy(former, table->ranges, key_count * sizeof *former);
    for (uint32_t k = 0; k < key_count && fits; k++) {
        GroupKeyRange *range = &table->ranges[k];
        int64_t min, max;
        if (!group_word_bounds(space, k, key_count, row_count, &min, &max)) {
            continue;
        }
        if ((uint64_t)min - (uint64_t)range->min >= range->range ||
            (uint64_t)max - (uint64_t)range->min >= range->range) {
            has_grown = true;
            fits = widen(range, min, max);
        }
    }
    if (has_grown && (!fits || !set_shifts(table))) {
        memcpy(table->ranges, former, key_count * sizeof *former);
        return false;
    }
    if (has_grown) {
        pack_anew(table, former);
    }
    return true;
}

static void pack_rows(const GroupTable *table, const GroupSpace *space, uint32_t row_count,
                      uint64_t *packed)
{
    const uint32_t key_count = table->shape->key_count;
    const uint64_t *null_bits = space->words[key_count];
    memset(packed, 0, row_count * sizeof *packed);
    for (uint32_t k = 0; k < key_count; k++) {
        const uint64_t *words = space->words[k];
        const uint64_t min = (uint64_t)table->ranges[k].min, null = table->ranges[k].range;
        const uint64_t shift = table->ranges[k].stride;
        if (!space->has_nulls) {
            for (uint32_t i = 0; i < row_count; i++) {
                packed[i] |= (words[i] - min) << shift;
            }
            continue;
        }
        for (uint32_t i = 0; i < row_count; i++) {
            packed[i] |= ((null_bits[i] >> k & 1) != 0 ? null : words[i] - min) << shift;
        }
    }
}

// Rows with words outside of the ranges have no group.
static void find_closed(const GroupTable *table, const GroupSpace *space, uint32_t row_count,
                        uint32_t *groups)
{
    const uint32_t key_count = table->shape->key_count;
    for (uint32_t i = 0; i < row_count; i++) {
        const uint64_t null_bits = space->has_nulls ? space->words[key_count][i] : 0;
        uint64_t words[KEYS_MAX];
        bool is_inside = true;
        for (uint32_t k = 0; k < key_count; k++) {
            const GroupKeyRange *range = &table->ranges[k];
            words[k] = space->words[k][i];
            is_inside &=
                (null_bits >> k & 1) != 0 || words[k] - (uint64_t)range->min < range->range;
        }
        groups[i] = GROUP_NONE;
        if (is_inside) {
            const uint64_t packed = pack_words(table->ranges, key_count, words, null_bits);
            groups[i] = group_hash_seek_word(table, packed);
        }
    }
}

Status group_packed_find(GroupTable *table, GroupSpace *space, uint32_t row_count, bool is_closed,
                         uint32_t *groups, bool *is_too_wide)
{
    *is_too_wide = false;
    if (row_count == 0) {
        return STATUS_OK;
    }
    if (is_closed) {
        find_closed(table, space, row_count, groups);
        return STATUS_OK;
    }
    if (!fit_ranges(table, space, row_count)) {
        *is_too_wide = true;
        return STATUS_OK;
    }
    pack_rows(table, space, row_count, space->positions);
    return group_hash_find_packed(table, space->positions, space->hashes, row_count, groups);
}
