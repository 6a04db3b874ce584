/*
 * sort_key.h — rows as byte strings that compare like ORDER BY compares the rows.
 *
 * Per key: one byte that puts NULLs first or last, then the value, most significant byte first,
 * inverted for DESC. Text gives a prefix of at most SORT_KEY_TEXT_BYTES; keys that are equal there
 * are decided by `sort_keys_compare`, which looks at the whole texts.
 *
 * Example: ORDER BY d DESC NULLS FIRST, name:  01 | ~d (4 bytes) | 00 | name's first 16 bytes
 */
#pragma once
#include "base/vector/batch.h"
#include "compute/exec/row_layout.h"
#include "planner/plan/plan.h"

#define SORT_KEY_TEXT_BYTES 16

typedef struct SortKey {
    uint32_t column;        /* of the input */
    Type type;
    uint32_t offset, bytes; /* in the key string; the NULL byte is at offset */
    bool is_descending, is_nulls_first;
    bool is_prefix;         /* text whose rest may decide */
} SortKey;

typedef struct SortKeys {
    uint32_t count;
    SortKey *keys;
    uint32_t bytes;         /* of a key string, rounded up to 8 */
    bool is_complete;       /* equal strings are equal keys */
} SortKeys;

void sort_keys_init(SortKeys *self, Arena *arena, const PlanSortKey *keys, uint32_t key_count,
                    const Type *input_types);
/* Writes the key strings of the selected rows: that of the i-th begins at targets[i]. Loads the key
 * columns. */
Status sort_keys_write(const SortKeys *self, Batch *batch, uint8_t *const *targets) CHECKED;
static inline uint64_t sort_key_prefix(const uint8_t *key)
{
    uint64_t word;
    __builtin_memcpy(&word, key, sizeof word);
    return __builtin_bswap64(word);
}
/* Order of two packed rows whose headers are their key strings and whose fields are the input's
 * columns. */
int sort_keys_compare_rows(const SortKeys *self, const RowLayout *layout, const uint8_t *left,
                           const uint8_t *right);
/* The same by the first `key_count` keys only. */
int sort_keys_compare_first(const SortKeys *self, uint32_t key_count, const RowLayout *layout,
                            const uint8_t *left, const uint8_t *right);
/* Order of two rows of batches whose key strings are given. */
int sort_keys_compare(const SortKeys *self, const uint8_t *left_key, const Batch *left,
                      uint32_t left_row, const uint8_t *right_key, const Batch *right,
                      uint32_t right_row);
