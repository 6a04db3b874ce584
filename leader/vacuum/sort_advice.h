/*
 * sort_advice.h — which columns statements look for: what SORTKEY AUTO goes by.
 *
 * Every scan of such a table whose conjuncts compare a column with constants, and that keeps at
 * most half of the rows, is one use of the column. A column is worth sorting by once it has
 * SORT_ADVICE_USES_MIN uses, and twice those of the column that the table is sorted by.
 *
 * A bounded memory of the leader, lost with it: a table that is seldom asked may lose its place to
 * others. Thread-safe.
 */
#pragma once
#include "leader/catalog/catalog.h"
#include "planner/plan/plan.h"

#define SORT_ADVICE_USES_MIN 10u

typedef struct SortAdvice SortAdvice;

SortAdvice *sort_advice_create(void); /* null when memory is refused */
void sort_advice_destroy(SortAdvice *advice);
/* The statement of this plan runs; `catalog` is what it sees. */
void sort_advice_note(SortAdvice *advice, const CatalogVersion *catalog, const Plan *plan);
/* The column (its index) that the table should be sorted by instead of what it is; -1: none. */
int32_t sort_advice_choose(SortAdvice *advice, const CatalogTable *table);
