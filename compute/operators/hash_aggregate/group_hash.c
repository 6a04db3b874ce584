/*
 * group_hash.c — open addressing: a slot holds the upper half of the hash and the group's number.
 *
 * Words are compared one row after the other: their groups lie side by side, and equal keys in
 * adjacent rows skip the search. Packed rows go round by round, a field of all candidates at once;
 * rows that find an empty slot take it for their key at once, so that equal keys of one batch meet.
 */
#include <string.h>

#include "base/hash.h"
#include "compute/kernels/group_kernels.h"
#include "compute/operators/hash_aggregate/group_internal.h"

#define TAG_MASK UINT64_C(0xFFFFFFFF00000000)

enum { SLOTS_MIN = 1024, PREFETCH_GROUPS_MIN = 16384 };

static uint64_t group_hash(const GroupTable *table, uint32_t group)
{
    uint64_t hash;
    memcpy(&hash, row_store_row(&table->rows, group), sizeof hash);
    return hash;
}

// The slots' memory is new: puts all groups into it, without looking at their keys.
static void insert_all(GroupTable *table, const uint64_t *hashes, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        bool is_null = table->index != GROUP_INDEX_ROWS && table->shape->key_count == 1 &&
                       table->words[(size_t)(first + i) * 2 + 1] != 0;
        if (is_null) {
            table->null_group = first + i;
            continue;
        }
        uint64_t s = hashes[i] & table->slot_mask;
        while (table->slots[s] != 0) {
            s = (s + 1) & table->slot_mask;
        }
        table->slots[s] = (hashes[i] & TAG_MASK) | (first + i + 1);
    }
}

static void hash_packed(const uint64_t *packed, uint32_t count, uint64_t *hashes)
{
    for (uint32_t i = 0; i < count; i++) {
        hashes[i] = hash_mix(packed[i]);
    }
}

static void hash_words_of(const GroupTable *table, uint32_t first, uint32_t count,
                          GroupSpace *space)
{
    if (table->index == GROUP_INDEX_PACKED) {
        hash_packed(table->words + first, count, space->hashes);
        return;
    }
    uint32_t groups[VECTOR_ROWS];
    for (uint32_t i = 0; i < count; i++) {
        groups[i] = first + i;
    }
    group_copy_words(table, space, groups, count);
    group_hash_words(table->shape, space, count);
}

// Puts all groups into slots that are zeroes.
static void fill_slots(GroupTable *table)
{
    if (table->group_count == 0) {
        return;
    }
    Arena *arena = arena_create(NULL, "groups");
    GroupSpace *space = group_space_create(table->shape, arena);
    for (uint32_t first = 0; first < table->group_count; first += VECTOR_ROWS) {
        uint32_t count = table->group_count - first;
        count = count < VECTOR_ROWS ? count : VECTOR_ROWS;
        if (table->index != GROUP_INDEX_ROWS) {
            hash_words_of(table, first, count, space);
        } else {
            for (uint32_t i = 0; i < count; i++) {
                space->hashes[i] = group_hash(table, first + i);
            }
        }
        insert_all(table, space->hashes, first, count);
    }
    arena_destroy(arena);
}

void group_slots_refill(GroupTable *table)
{
    memset(table->slots, 0, (table->slot_mask + 1) * sizeof *table->slots);
    fill_slots(table);
}

Status group_slots_reserve(GroupTable *table, uint64_t group_count)
{
    uint64_t slots = table->slots == NULL ? SLOTS_MIN : table->slot_mask + 1;
    while (slots < 2 * group_count) {
        slots *= 2;
    }
    if (table->slots != NULL && slots == table->slot_mask + 1) {
        return STATUS_OK;
    }
    MemoryBudget *budget = table->shape->budget;
    uint64_t *memory = memory_alloc_zeroed(budget, slots * sizeof *memory);
    if (memory == NULL) {
        return memory_refused(budget, slots * sizeof *memory, "groups");
    }
    if (table->slots != NULL) {
        memory_free(budget, table->slots, (table->slot_mask + 1) * sizeof *table->slots);
    }
    table->slots = memory;
    table->slot_mask = slots - 1;
    fill_slots(table);
    return STATUS_OK;
}

static inline bool words_equal(const uint64_t *left, const uint64_t *right, uint32_t word_count)
{
    uint64_t difference = 0;
    for (uint32_t w = 0; w < word_count; w++) {
        difference |= left[w] ^ right[w];
    }
    return difference == 0;
}

// Words of all rows side by side, as groups keep them.
static void gather_row_words(const GroupShape *shape, GroupSpace *space, uint32_t row_count)
{
    uint32_t word_count = shape->word_count;
    if (!space->has_nulls) {
        memset(space->words[shape->key_count], 0, row_count * sizeof(uint64_t));
    }
    for (uint32_t w = 0; w < word_count; w++) {
        const uint64_t *words = space->words[w];
        for (uint32_t i = 0; i < row_count; i++) {
            space->row_words[(size_t)i * word_count + w] = words[i];
        }
    }
}

// One key: words are compared as they come, NULL has its group beside the slots.
static uint32_t find_word(GroupTable *table, uint64_t word, uint64_t hash, bool is_closed)
{
    uint64_t s = hash & table->slot_mask;
    for (;; s = (s + 1) & table->slot_mask) {
        uint64_t slot = table->slots[s];
        if (slot == 0) {
            break;
        }
        uint32_t group = (uint32_t)slot - 1;
        if (((slot ^ hash) & TAG_MASK) == 0 && table->words[(size_t)group * 2] == word) {
            return group;
        }
    }
    if (is_closed) {
        return GROUP_NONE;
    }
    uint64_t *words = table->words + (size_t)table->group_count * 2;
    words[0] = word;
    words[1] = 0;
    table->slots[s] = (hash & TAG_MASK) | ++table->group_count;
    return table->group_count - 1;
}

static uint32_t find_null(GroupTable *table, bool is_closed)
{
    if (table->null_group == GROUP_NONE && !is_closed) {
        uint64_t *words = table->words + (size_t)table->group_count * 2;
        words[0] = 0;
        words[1] = 1;
        table->null_group = table->group_count++;
    }
    return table->null_group;
}

static void find_single_words(GroupTable *table, GroupSpace *space, uint32_t row_count,
                              bool is_closed, uint32_t *groups)
{
    const uint64_t *words = space->words[0];
    const uint64_t *null_bits = space->has_nulls ? space->words[1] : NULL;
    uint32_t changes = KERNELS(group_kernels)->count_changes(words, row_count);
    if (null_bits == NULL && changes < row_count / 2) { // clustered: one search per run
        for (uint32_t i = 0; i < row_count; i++) {
            groups[i] = i > 0 && words[i] == words[i - 1]
                            ? groups[i - 1]
                            : find_word(table, words[i], space->hashes[i], is_closed);
        }
        return;
    }
    for (uint32_t i = 0; i < row_count; i++) {
        groups[i] = null_bits != NULL && null_bits[i] != 0
                        ? find_null(table, is_closed)
                        : find_word(table, words[i], space->hashes[i], is_closed);
    }
}

uint32_t group_hash_seek_word(const GroupTable *table, uint64_t packed)
{
    const uint64_t hash = hash_mix(packed);
    for (uint64_t s = hash & table->slot_mask; table->slots[s] != 0;
         s = (s + 1) & table->slot_mask) {
        const uint32_t group = (uint32_t)table->slots[s] - 1;
        if (((table->slots[s] ^ hash) & TAG_MASK) == 0 && table->words[group] == packed) {
            return group;
        }
    }
    return GROUP_NONE;
}

static uint32_t find_packed(GroupTable *table, uint64_t packed, uint64_t hash)
{
    uint64_t s = hash & table->slot_mask;
    for (uint64_t slot; (slot = table->slots[s]) != 0; s = (s + 1) & table->slot_mask) {
        const uint32_t group = (uint32_t)slot - 1;
        if (((slot ^ hash) & TAG_MASK) == 0 && table->words[group] == packed) {
            return group;
        }
    }
    table->words[table->group_count] = packed;
    table->slots[s] = (hash & TAG_MASK) | ++table->group_count;
    return table->group_count - 1;
}

Status group_hash_find_packed(GroupTable *table, const uint64_t *packed, uint64_t *hashes,
                              uint32_t row_count, uint32_t *groups)
{
    TRY(group_words_reserve(table, row_count));
    TRY(group_slots_reserve(table, (uint64_t)table->group_count + row_count));
    hash_packed(packed, row_count, hashes);
    for (uint32_t i = 0; table->group_count >= PREFETCH_GROUPS_MIN && i < row_count; i++) {
        __builtin_prefetch(&table->slots[hashes[i] & table->slot_mask]);
    }
    for (uint32_t i = 0; i < row_count; i++) {
        groups[i] = i > 0 && packed[i] == packed[i - 1] ? groups[i - 1]
                                                        : find_packed(table, packed[i], hashes[i]);
    }
    return STATUS_OK;
}

static uint32_t find_words(GroupTable *table, const uint64_t *words, uint64_t hash, bool is_closed)
{
    uint32_t word_count = table->shape->word_count;
    for (uint64_t s = hash & table->slot_mask;; s = (s + 1) & table->slot_mask) {
        uint64_t slot = table->slots[s];
        if (slot == 0) {
            if (is_closed) {
                return GROUP_NONE;
            }
            memcpy(table->words + (size_t)table->group_count * word_count, words,
                   word_count * sizeof *words);
            table->slots[s] = (hash & TAG_MASK) | ++table->group_count;
            return table->group_count - 1;
        }
        uint32_t group = (uint32_t)slot - 1;
        if (((slot ^ hash) & TAG_MASK) == 0 &&
            words_equal(table->words + (size_t)group * word_count, words, word_count)) {
            return group;
        }
    }
}

Status group_hash_find_words(GroupTable *table, GroupSpace *space, uint32_t row_count,
                             bool is_closed, uint32_t *groups)
{
    const GroupShape *shape = table->shape;
    uint32_t word_count = shape->word_count;
    if (!is_closed) {
        TRY(group_words_reserve(table, row_count));
        TRY(group_slots_reserve(table, (uint64_t)table->group_count + row_count));
    }
    group_hash_words(shape, space, row_count);
    for (uint32_t i = 0; table->group_count >= PREFETCH_GROUPS_MIN && i < row_count; i++) {
        __builtin_prefetch(&table->slots[space->hashes[i] & table->slot_mask]);
    }
    if (shape->key_count == 1) {
        find_single_words(table, space, row_count, is_closed, groups);
        return STATUS_OK;
    }
    gather_row_words(shape, space, row_count);
    const uint64_t *words = space->row_words;
    for (uint32_t i = 0; i < row_count; i++, words += word_count) {
        if (i > 0 && words_equal(words, words - word_count, word_count)) {
            groups[i] = groups[i - 1];
        } else {
            groups[i] = find_words(table, words, space->hashes[i], is_closed);
        }
    }
    return STATUS_OK;
}

// Appends the keys of the rows that took empty slots as new groups. On refusal their slots are
// given back.
static Status add_rows(GroupTable *table, GroupSpace *space, const Vector *const *keys,
                       const uint16_t *rows, uint32_t new_count)
{
    if (new_count == 0) {
        return STATUS_OK;
    }
    uint16_t physical[VECTOR_ROWS];
    for (uint32_t n = 0; n < new_count; n++) {
        uint16_t i = space->new_rows[n];
        physical[n] = rows == NULL ? i : rows[i];
    }
    Status status = row_store_append(&table->rows, keys, physical, new_count, space->row_pointers);
    if (status != STATUS_OK) {
        for (uint32_t n = 0; n < new_count; n++) {
            table->slots[space->positions[space->new_rows[n]]] = 0;
        }
        table->group_count -= new_count;
        return status;
    }
    for (uint32_t n = 0; n < new_count; n++) {
        memcpy(space->row_pointers[n], &space->hashes[space->new_rows[n]], sizeof(uint64_t));
    }
    return STATUS_OK;
}

// One round: every pending row goes to the next slot that is empty or has its tag. Returns how many
// have a candidate group to be compared.
static uint32_t seek_candidates(GroupTable *table, GroupSpace *space, uint32_t pending_count,
                                bool is_closed, uint32_t *groups, uint32_t *new_count)
{
    uint32_t candidate_count = 0;
    *new_count = 0;
    for (uint32_t p = 0; p < pending_count; p++) {
        uint16_t i = space->pending[p];
        uint64_t hash = space->hashes[i];
        uint64_t s = space->positions[i];
        while (table->slots[s] != 0 && ((table->slots[s] ^ hash) & TAG_MASK) != 0) {
            s = (s + 1) & table->slot_mask;
        }
        space->positions[i] = s;
        if (table->slots[s] != 0) {
            groups[i] = (uint32_t)table->slots[s] - 1;
            space->candidates[candidate_count++] = i;
        } else if (is_closed) {
            groups[i] = GROUP_NONE;
        } else {
            table->slots[s] = (hash & TAG_MASK) | ++table->group_count;
            groups[i] = table->group_count - 1;
            space->new_rows[(*new_count)++] = i;
        }
    }
    return candidate_count;
}

Status group_hash_find_rows(GroupTable *table, GroupSpace *space, const Vector *const *keys,
                            const uint16_t *rows, uint32_t row_count, bool is_closed,
                            uint32_t *groups)
{
    const GroupShape *shape = table->shape;
    if (!is_closed) {
        TRY(group_slots_reserve(table, (uint64_t)table->group_count + row_count));
    } else if (table->slots == NULL) {
        memset(groups, 0xFF, row_count * sizeof *groups);
        return STATUS_OK;
    }
    group_hash_rows(shape, space, keys, rows, row_count, space->hashes);
    for (uint32_t i = 0; i < row_count; i++) {
        space->pending[i] = (uint16_t)i;
        space->positions[i] = space->hashes[i] & table->slot_mask;
        __builtin_prefetch(&table->slots[space->positions[i]]);
    }
    uint32_t pending_count = row_count;
    while (pending_count > 0) {
        uint32_t new_count;
        uint32_t count =
            seek_candidates(table, space, pending_count, is_closed, groups, &new_count);
        TRY(add_rows(table, space, keys, rows, new_count));
        for (uint32_t c = 0; c < count; c++) {
            uint16_t i = space->candidates[c];
            space->packed[i] = row_store_row(&table->rows, groups[i]);
        }
        uint32_t rejected_count = 0;
        for (uint32_t k = 0; k < shape->key_count; k++) {
            count =
                row_match_field(&shape->layout, k, keys[k], rows, space->packed, space->candidates,
                                count, space->candidates, space->rejected, &rejected_count);
        }
        for (uint32_t r = 0; r < rejected_count; r++) {
            uint16_t i = space->rejected[r];
            space->positions[i] = (space->positions[i] + 1) & table->slot_mask;
            space->pending[r] = i;
        }
        pending_count = rejected_count;
    }
    return STATUS_OK;
}
