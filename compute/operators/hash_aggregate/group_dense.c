/*
 * group_dense.c — an array over all possible key words; of one key whose low bits the others
 * determine, over all possible words of those others.
 *
 * Ranges grow with what is seen, by a half, and the array is then made anew from the groups; once
 * an eighth of the range that the statistics tell has been seen, it is taken whole. When the array
 * would become too large the table turns to hashing for good.
 */
#include <string.h>

#include "compute/kernels/group_kernels.h"
#include "compute/operators/hash_aggregate/group_internal.h"

enum {
    ALWAYS_DENSE_POSITIONS = 1 << 16,
    PRODUCT_POSITIONS = 1 << 20, /* of several keys, whatever the number of groups expected */
    DENSE_POSITIONS_PER_GROUP = 8,
    EXPECTED_PARTS = 8, /* a range of which one part is used is worth an array for all of it */
    KEYS_MAX = 64,
    MAP_MEMORY_PARTS = 4,
};
#define DENSE_POSITIONS_MAX (UINT64_C(1) << 28)

// Whether so much of the range that is expected of the only key is used that the rest is likely.
static bool is_expected(const GroupShape *shape, int64_t min, int64_t max, uint64_t limit)
{
    uint64_t span = (uint64_t)max - (uint64_t)min;
    uint64_t first = (uint64_t)min - (uint64_t)shape->key_min;
    uint64_t last = (uint64_t)max - (uint64_t)shape->key_min;
    return shape->key_range < limit && first < shape->key_range && last < shape->key_range &&
           span >= shape->key_range / EXPECTED_PARTS;
}

// Widens a key's range to hold [min, max], with room to grow on the side that grew. The limit is
// one of words.
static bool widen(const GroupShape *shape, GroupKeyRange *range, int64_t min, int64_t max,
                  uint64_t limit)
{
    if (range->range > 0) {
        int64_t last = (int64_t)((uint64_t)range->min + range->range - 1);
        min = range->min < min ? range->min : min;
        max = last > max ? last : max;
    }
    uint64_t span = (uint64_t)max - (uint64_t)min;
    if (span >= limit) {
        return false;
    }
    const int64_t known = (INT64_C(1) << shape->key_shift) - 1;
    if (is_expected(shape, min, max, limit)) {
        min = shape->key_min;
        max = (int64_t)((uint64_t)min + shape->key_range - 1);
    } else if (range->range > 0) {
        uint64_t room = span < limit / 2 ? span / 2 : (limit - 1 - span) / 2;
        bool grew_below = min < range->min;
        if (grew_below && min > INT64_MIN + (int64_t)room) {
            min -= (int64_t)room;
        } else if (!grew_below && max < INT64_MAX - (int64_t)room) {
            max += (int64_t)room;
        }
    }
    range->min = min & ~known;
    range->range = (uint64_t)(max | known) - (uint64_t)range->min + 1;
    return true;
}

static uint64_t position_limit(const GroupTable *table)
{
    double groups = table->shape->estimated_groups;
    groups = groups > table->group_count ? groups : table->group_count;
    double wanted = groups * DENSE_POSITIONS_PER_GROUP;
    // Ranges of several keys multiply: a few rows may ask for an array that the next rows outgrow.
    double seen = (double)table->group_count * DENSE_POSITIONS_PER_GROUP;
    seen = seen > PRODUCT_POSITIONS ? seen : PRODUCT_POSITIONS;
    wanted = table->shape->key_count > 1 && wanted > seen ? seen : wanted;
    uint64_t limit = wanted > (double)DENSE_POSITIONS_MAX ? DENSE_POSITIONS_MAX : (uint64_t)wanted;
    return limit < ALWAYS_DENSE_POSITIONS ? ALWAYS_DENSE_POSITIONS : limit;
}

static bool set_strides(GroupTable *table, uint64_t limit)
{
    uint64_t positions = 1;
    for (uint32_t k = 0; k < table->shape->key_count; k++) {
        GroupKeyRange *range = &table->ranges[k];
        range->stride = positions;
        if (__builtin_mul_overflow(positions, (range->range >> table->shape->key_shift) + 1,
                                   &positions) ||
            positions > limit) {
            return false;
        }
    }
    table->position_count = positions;
    return true;
}

static void find_positions(const GroupTable *table, const GroupSpace *space, uint32_t row_count,
                           uint64_t *positions)
{
    uint32_t key_count = table->shape->key_count;
    const uint32_t shift = table->shape->key_shift; // of one key: its stride is 1
    const uint64_t *null_bits = space->words[key_count];
    for (uint32_t k = 0; k < key_count; k++) {
        const GroupKeyRange *range = &table->ranges[k];
        const uint64_t *words = space->words[k];
        uint64_t min = (uint64_t)range->min;
        uint64_t stride = range->stride;
        if (k == 0 && !space->has_nulls) {
            for (uint32_t i = 0; i < row_count; i++) {
                positions[i] = (words[i] - min) >> shift;
            }
        } else if (!space->has_nulls) {
            for (uint32_t i = 0; i < row_count; i++) {
                positions[i] += (words[i] - min) * stride;
            }
        } else {
            for (uint32_t i = 0; i < row_count; i++) {
                bool is_null = (null_bits[i] >> (k & 63) & 1) != 0;
                uint64_t offset = ((is_null ? range->range : words[i] - min) >> shift) * stride;
                positions[i] = k == 0 ? offset : positions[i] + offset;
            }
        }
    }
}

// A fresh map of the present ranges with all groups in it.
static Status rebuild_map(GroupTable *table)
{
    MemoryBudget *budget = table->shape->budget;
    size_t bytes = table->position_count * sizeof *table->map;
    uint32_t *map = memory_alloc_zeroed(budget, bytes);
    if (map == NULL) {
        return memory_refused(budget, bytes, "groups");
    }
    if (table->map != NULL) {
        memory_free(budget, table->map, table->map_bytes);
    }
    group_codes_forget(table);
    table->map = map;
    table->map_bytes = bytes;
    uint32_t word_count = table->shape->word_count;
    for (uint32_t g = 0; g < table->group_count; g++) {
        const uint64_t *words = table->words + (size_t)g * word_count;
        uint64_t position = 0;
        for (uint32_t k = 0; k < table->shape->key_count; k++) {
            const GroupKeyRange *range = &table->ranges[k];
            bool is_null = (words[word_count - 1] >> (k & 63) & 1) != 0;
            uint64_t offset = is_null ? range->range : words[k] - (uint64_t)range->min;
            position += (offset >> table->shape->key_shift) * range->stride;
        }
        map[position] = g + 1;
    }
    return STATUS_OK;
}

// Groups need room as well, and hashing them little more than they do themselves.
static bool map_is_affordable(const GroupTable *table)
{
    return table->position_count * sizeof *table->map <
           memory_budget_available_bytes(table->shape->budget) / MAP_MEMORY_PARTS;
}

// Makes the ranges hold the words of this batch. On any failure they are as they were.
static Status fit_ranges(GroupTable *table, GroupSpace *space, uint32_t row_count,
                         bool *is_too_large)
{
    uint32_t key_count = table->shape->key_count;
    uint64_t limit = position_limit(table);
    uint64_t former_positions = table->position_count;
    bool has_grown = table->map == NULL;
    GroupKeyRange former[KEYS_MAX];
    if (key_count > KEYS_MAX) {
        *is_too_large = true;
        return STATUS_OK;
    }
    memcpy(former, table->ranges, key_count * sizeof *former);
    for (uint32_t k = 0; k < key_count && !*is_too_large; k++) {
        GroupKeyRange *range = &table->ranges[k];
        int64_t min;
        int64_t max;
        if (!group_word_bounds(space, k, key_count, row_count, &min, &max)) {
            min = max = range->min;
        }
        uint64_t low = (uint64_t)min - (uint64_t)range->min;
        uint64_t high = (uint64_t)max - (uint64_t)range->min;
        if (low >= range->range || high >= range->range) {
            has_grown = true;
            if (group_key_is_coded(table->shape, k)) { // the others will be used, too
                const int64_t last = (int64_t)text_codes_count(table->shape->codes[k]) - 1;
                min = 0;
                max = max > last ? max : last;
            }
            *is_too_large = !widen(table->shape, range, min, max, limit << table->shape->key_shift);
        }
    }
    Status status = STATUS_OK;
    if (has_grown && !*is_too_large) {
        *is_too_large = !set_strides(table, limit) || !map_is_affordable(table);
        status = *is_too_large ? STATUS_OK : rebuild_map(table);
    }
    if (status != STATUS_OK || *is_too_large) {
        memcpy(table->ranges, former, key_count * sizeof *former);
        table->position_count = former_positions;
    }
    return status;
}

// Words outside of the ranges have no group; the ranges stay as they are.
static void find_closed(const GroupTable *table, const GroupSpace *space, uint32_t row_count,
                        uint32_t *groups)
{
    const uint32_t key_count = table->shape->key_count;
    for (uint32_t i = 0; i < row_count; i++) {
        const uint64_t null_bits = space->has_nulls ? space->words[key_count][i] : 0;
        uint64_t position = 0;
        bool is_inside = table->map != NULL;
        for (uint32_t k = 0; k < key_count && is_inside; k++) {
            const GroupKeyRange *range = &table->ranges[k];
            uint64_t offset = space->words[k][i] - (uint64_t)range->min;
            is_inside = (null_bits >> (k & 63) & 1) != 0 || offset < range->range;
            offset = (null_bits >> (k & 63) & 1) != 0 ? range->range : offset;
            position += (offset >> table->shape->key_shift) * range->stride;
        }
        groups[i] = is_inside ? table->map[position] - 1 : GROUP_NONE;
    }
}

Status group_dense_find(GroupTable *table, GroupSpace *space, uint32_t row_count, bool is_closed,
                        uint32_t *groups, bool *is_too_large)
{
    uint32_t key_count = table->shape->key_count;
    *is_too_large = false;
    if (row_count == 0) {
        return STATUS_OK;
    }
    if (is_closed) {
        find_closed(table, space, row_count, groups);
        return STATUS_OK;
    }
    TRY(fit_ranges(table, space, row_count, is_too_large));
    if (*is_too_large) {
        return STATUS_OK;
    }
    TRY(group_words_reserve(table, row_count));
    uint64_t *positions = space->positions;
    find_positions(table, space, row_count, positions);
    const uint32_t *map = table->map;
    uint32_t has_new = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        groups[i] = map[positions[i]] - 1;
        has_new |= groups[i] == GROUP_NONE;
    }
    for (uint32_t i = 0; has_new && i < row_count; i++) {
        if (groups[i] != GROUP_NONE) {
            continue;
        }
        uint32_t *entry = &table->map[positions[i]];
        if (*entry == 0) {
            uint64_t *words = table->words + (size_t)table->group_count * (key_count + 1);
            for (uint32_t k = 0; k < key_count; k++) {
                words[k] = space->words[k][i];
            }
            words[key_count] = space->has_nulls ? space->words[key_count][i] : 0;
            *entry = ++table->group_count;
        }
        groups[i] = *entry - 1;
    }
    return STATUS_OK;
}

bool group_table_key_range(const GroupTable *table, int64_t *min, uint64_t *range)
{
    bool is_range = table->index == GROUP_INDEX_DENSE && table->shape->key_count == 1;
    *min = is_range ? table->ranges[0].min : 0;
    *range = is_range && table->map != NULL ? table->ranges[0].range : 0;
    return is_range;
}

uint32_t group_table_range_groups(const GroupTable *table, int64_t first, uint64_t range,
                                  bool has_null, uint64_t *cursor, uint32_t *groups)
{
    const GroupKeyRange *key = &table->ranges[0];
    const uint32_t shift = table->shape->key_shift;
    int64_t last = (int64_t)((uint64_t)first + range - 1);
    int64_t key_last = (int64_t)((uint64_t)key->min + key->range - 1);
    uint32_t count = 0;
    if (table->map == NULL || *cursor == UINT64_MAX) {
        return 0;
    }
    if (key->range > 0 && first <= key_last && last >= key->min) {
        uint64_t from = first > key->min ? (uint64_t)first - (uint64_t)key->min : 0;
        uint64_t end = (uint64_t)(last < key_last ? last : key_last) - (uint64_t)key->min + 1;
        from >>= shift;
        end >>= shift;
        uint64_t position = from + *cursor < end ? from + *cursor : end;
        for (; position < end && count < VECTOR_ROWS; position++) {
            groups[count] = table->map[position] - 1;
            count += table->map[position] != 0;
        }
        *cursor = position - from;
        if (position < end) {
            return count;
        }
    }
    // NULL comes last, once: its place is behind the range.
    const uint32_t null_entry = table->map[key->range >> shift];
    if (has_null && count < VECTOR_ROWS && null_entry != 0) {
        groups[count++] = null_entry - 1;
        *cursor = UINT64_MAX;
    }
    return count;
}

void group_table_expect_range(GroupTable *table, int64_t first, uint64_t range)
{
    table->ranges[0] = (GroupKeyRange){.min = first, .range = range};
}
