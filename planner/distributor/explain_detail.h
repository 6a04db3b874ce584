/*
 * explain_detail.h — the texts a plan carries for EXPLAIN: names of columns, conditions, labels.
 *
 * Made while planning, because nodes and the leader know columns by index only.
 */
#pragma once
#include "planner/distributor/step.h"

typedef struct ColumnNames {
    Arena *arena;
    uint32_t count;
    const char **names; /* by column number; qualified where another table has the name */
} ColumnNames;

ColumnNames *column_names_create(Arena *arena, const LogicalNode *root);
void column_names_add(ColumnNames *names, const LogicalColumn *columns, uint32_t count);
const char *column_names_get(const ColumnNames *names, ColumnNumber number);

const char *explain_expr(const ColumnNames *names, const Expr *expr);
/* "Filter: (a AND b)", or "". */
const char *explain_filters(const ColumnNames *names, Expr *const *filters, uint32_t count);
const char *explain_join(const ColumnNames *names, const StepJoin *join);
/* The DS_* word for how a join's inputs come together. */
const char *explain_join_label(const Step *join);
const char *explain_aggregate(const ColumnNames *names, const Step *aggregate);
const char *explain_sort_keys(const ColumnNames *names, const char *title, uint32_t count,
                              const StepSortKey *keys);
const char *explain_window(const ColumnNames *names, const Step *window);
