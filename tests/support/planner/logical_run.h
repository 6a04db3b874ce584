/* logical_run.h — runs logical trees by the definition of their nodes: subqueries row by row. */
#pragma once
#include "tests/support/planner/rows.h"

/* Gives the rows of a table by its id. */
typedef struct TableRows {
    void *self;
    const Rows *(*find)(void *self, uint64_t table_id);
} TableRows;

/* `*failure` gets the first run-time error, or null. */
Rows *logical_run(const LogicalNode *root, const TableRows *tables, Arena *arena,
                  const char **failure);
