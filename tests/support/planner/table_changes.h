/*
 * table_changes.h — what a plan has written and deleted, node by node, and what the tables then
 * hold.
 *
 * A row id is only good on its node: row i of a table has the id i + n on node n, so an id that
 * reaches another node is another row's, or no row's there. Nodes are counted from 0 here and from
 * 1 in the column of nodes.
 */
#pragma once
#include "tests/support/planner/rows.h"

#define CHANGE_NODES_MAX 8
typedef struct TableChange {
    const PlanTable *table;
    const Rows *before;
    uint32_t node_count;
    Rows *inserted[CHANGE_NODES_MAX];
    bool *is_deleted[CHANGE_NODES_MAX]; /* by row of `before` */
    uint64_t deleted_rows;              /* copies of ALL tables counted on each node */
} TableChange;

typedef struct TableChanges {
    Arena *arena;
    uint32_t node_count, count;
    TableChange items[4];
} TableChanges;

/* The table's entry, made when it is new; `before` are its rows. */
TableChange *table_changes_of(TableChanges *self, const PlanTable *table, const Rows *before);
int64_t table_row_id(uint32_t row, uint32_t node);
/* Deletes by row id on `node`; `*is_new` false: this row was deleted before. False when the node
 * has no such row. */
bool table_change_delete(TableChange *self, int64_t row_id, uint32_t node, bool *is_new);
/* The table after the changes: of an ALL table what `node` holds, else everything. */
Rows *table_change_result(const TableChange *self, uint32_t node, Arena *arena);
