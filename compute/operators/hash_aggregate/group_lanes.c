/*
 * group_lanes.c — groups of known keys straight from the vectors' lanes.
 *
 * Where a vector's bounds lie inside the dense map's ranges, its lanes are multiplied into
 * positions without being widened; the codes of short texts go through a small table made once per
 * dictionary. NULLs, keys outside of the ranges and new keys take the way over words.
 */
#include <string.h>

#include "base/heap.h"
#include "compute/kernels/group_kernels.h"
#include "compute/operators/hash_aggregate/group_internal.h"

KERNEL_TABLE_DEFINE(GroupKernels, group_kernels);

enum { ENTRIES_MAX = 4096 };

void group_codes_forget(GroupTable *table)
{
    for (uint32_t k = 0; k < table->shape->key_count; k++) {
        table->codes[k].identity = 0;
    }
}

void group_codes_deinit(GroupTable *table)
{
    for (uint32_t k = 0; k < table->shape->key_count; k++) {
        heap_free(table->codes[k].offsets);
        table->codes[k] = (GroupCodes){0};
    }
}

// What each entry adds to the position. False when some entry lies outside of the range.
static bool make_offsets(const GroupTable *table, GroupSpace *space, uint32_t k,
                         const Dictionary *dictionary, uint32_t row_count)
{
    GroupCodes *codes = &table->codes[k];
    const GroupKeyRange *range = &table->ranges[k];
    const uint32_t *text_codes = NULL;
    if (group_key_is_coded(table->shape, k)) {
        text_codes = text_codes_of_dictionary(space->readers[k], dictionary, row_count);
        if (text_codes == NULL) {
            return false;
        }
    }
    uint32_t count = dictionary->entry_count;
    if (codes->capacity < count) {
        uint32_t *offsets = heap_realloc(codes->offsets, count * sizeof *offsets);
        if (offsets == NULL) {
            return false;
        }
        codes->offsets = offsets;
        codes->capacity = count;
    }
    const TextView *entries = dictionary->entries;
    codes->entry_count = count;
    codes->identity = dictionary->identity;
    codes->fits = true;
    for (uint32_t e = 0; e < count; e++) {
        uint64_t word = text_codes != NULL ? text_codes[e] : group_text_word(&entries[e]);
        uint64_t offset = word - (uint64_t)range->min;
        codes->fits &= offset < range->range;
        codes->offsets[e] = (uint32_t)(offset * range->stride);
    }
    return codes->fits;
}

static bool add_codes(GroupTable *table, GroupSpace *space, uint32_t k, const Vector *key,
                      const uint16_t *rows, uint32_t row_count)
{
    const Dictionary *dictionary = key->dictionary;
    GroupCodes *codes = &table->codes[k];
    bool is_kept = dictionary->identity != 0 && codes->identity == dictionary->identity &&
                   codes->entry_count == dictionary->entry_count;
    if (!is_kept) {
        bool is_worth_it = dictionary->entry_count <= ENTRIES_MAX &&
                           (dictionary->identity != 0 || dictionary->entry_count <= row_count);
        if (!is_worth_it || !make_offsets(table, space, k, dictionary, row_count)) {
            return false;
        }
    }
    if (!codes->fits) {
        return false;
    }
    KERNELS(group_kernels)
        ->code_positions[key->lane](key->data, codes->offsets, rows, row_count, k > 0,
                                    space->map_positions);
    return true;
}

static bool add_lanes(GroupTable *table, GroupSpace *space, uint32_t k, const Vector *key,
                      const uint16_t *rows, uint32_t row_count)
{
    const GroupKeyRange *range = &table->ranges[k];
    uint64_t low = (uint64_t)key->lo - (uint64_t)range->min;
    uint64_t high = (uint64_t)key->hi - (uint64_t)range->min;
    if (key->form != VECTOR_FLAT || key->lo > key->hi || low >= range->range ||
        high >= range->range) {
        return false;
    }
    uint64_t delta = (uint64_t)key->base - (uint64_t)range->min;
    KERNELS(group_kernels)
        ->positions[key->lane](key->data, delta, table->shape->key_shift, (uint32_t)range->stride,
                               rows, row_count, k > 0, space->map_positions);
    return true;
}

bool group_lanes_find(GroupTable *table, GroupSpace *space, const Vector *const *keys,
                      const uint16_t *rows, uint32_t row_count, uint32_t *groups)
{
    const GroupShape *shape = table->shape;
    if (table->map == NULL) {
        return false;
    }
    for (uint32_t k = 0; k < shape->key_count; k++) {
        const Vector *key = keys[k];
        if (key->validity != NULL || table->ranges[k].range == 0) {
            return false;
        }
        bool is_done = false;
        if (!type_is_text(shape->key_types[k])) {
            is_done = add_lanes(table, space, k, key, rows, row_count);
        } else if (key->form == VECTOR_DICTIONARY) {
            is_done = add_codes(table, space, k, key, rows, row_count);
        }
        if (!is_done) {
            return false;
        }
    }
    return KERNELS(group_kernels)->map_groups(table->map, space->map_positions, row_count, groups);
}
