/*
 * row_sort.h — the order of rows by sort keys, as a permutation: radix sort on normalised keys.
 */
#pragma once
#include "base/memory_budget.h"
#include "base/types/type.h"

/* One column's values for all rows. */
typedef struct SortColumn {
    Lane lane; /* I64, I128, F32, F64, TEXT */
    const void *values;
    const uint64_t *validity; /* null: no nulls; nulls come last */
} SortColumn;

/* Rows are numbered by 22 bits. */
#define SORT_ROWS_MAX ((uint32_t)1 << 22)

/* order[k] becomes the row that comes k-th by this column among equals of what `order` says now: a
 * stable sort, so that several keys are sorted from the last to the first. Starts from any
 * permutation. 53200. */
Status row_sort_by(const SortColumn *column, uint32_t row_count, MemoryBudget *budget,
                   uint32_t *order) CHECKED;
/* The same by numbers below 2^63. */
Status row_sort_by_codes(const uint64_t *codes, uint32_t row_count, MemoryBudget *budget,
                         uint32_t *order) CHECKED;
/* Whether two rows that are not null stand at the same place of the column's order. */
bool row_sort_is_tie(const SortColumn *column, uint32_t left, uint32_t right);
