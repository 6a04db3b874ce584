/*
 * interleave.h — one number per row from its ranks in several columns: the order of an INTERLEAVED
 * sort key.
 *
 * Morton's z-order (G. M. Morton, "A Computer Oriented Geodetic Data Base", 1966) on ranks instead
 * of values: a rank is the share of the run's rows that come before, so that columns of any type,
 * range and distribution weigh alike. Of 64 row groups ordered by two columns each holds an eighth
 * of the values of both: a filter on either skips seven of eight.
 *
 *   two columns, ranks 2 = 10 and 3 = 11 of 4  ->  code 1 1 0 1 (first column's bits first)
 *
 * Ranks are those of one run: codes of different runs do not compare.
 */
#pragma once
#include "storage/row_sort.h"

/* Adds the ranks of key column `index` of `count` (at most INTERLEAVED_KEYS_MAX) to the codes;
 * `order`: the rows by this column, nulls last. */
void interleave_ranks(const SortColumn *column, const uint32_t *order, uint32_t row_count,
                      uint32_t index, uint32_t count, uint64_t *codes);
