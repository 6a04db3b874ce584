/*
 * world.h — a catalog of make-believe tables, with rows or with statistics only, and short words
 * for building logical trees by hand.
 */
#pragma once
#include "planner/logical/logical_tree.h"
#include "tests/support/planner/plan_run.h"

#define WORLD_TABLES_MAX 64
typedef struct WorldTable {
    CatalogTable catalog;
    Rows *rows;
} WorldTable;

typedef struct World {
    Arena *arena;
    CatalogView view;
    PlannerContext context;
    WorldTable tables[WORLD_TABLES_MAX];
    uint32_t table_count;
    TableRows table_rows;
} World;

World *world_create(uint32_t node_count);
void world_destroy(World *world);
/* `columns`: "name type [not null], …"; `style`: "even", "all" or the distribution column's name.
 */
WorldTable *world_add_table(World *world, const char *name, const char *columns, const char *style);
/* Sets row_count and, per column, exact statistics from the rows. */
void world_gather_statistics(WorldTable *table);
WorldTable *world_table(World *world, const char *name);
/* Statistics without rows: `row_count`; then per column distinct values and bounds. */
void world_set_statistics(WorldTable *table, const char *column, double distinct, int64_t min,
                          int64_t max);
/* Tables r, s (KEY k), u (EVEN), d (ALL): k, a, b bigint, c bigint not null; random small rows. */
void world_add_random_tables(World *world, uint64_t seed, uint32_t rows_max);
uint64_t world_random(uint64_t *state, uint64_t limit); /* 0..limit-1 */

LogicalNode *world_get(World *world, const char *table);
Expr *world_column(World *world, const LogicalNode *node, const char *name);
Expr *world_call(World *world, FunctionId function, Expr *left, Expr *right); /* comparisons */
Expr *world_number(World *world, int64_t value);                              /* bigint */
/* Parses nothing: names the columns "c1", "c2" … after their expressions. */
LogicalNode *world_project(World *world, LogicalNode *child, uint32_t count, Expr **exprs);
LogicalNode *world_aggregate(World *world, LogicalNode *child, uint32_t key_count, Expr **keys,
                             uint32_t call_count, AggregateCall *calls);
LogicalNode *world_sort(World *world, LogicalNode *child, Expr *key, bool is_descending);
LogicalNode *world_distinct(World *world, LogicalNode *child);
LogicalNode *world_set(World *world, SetKind kind, LogicalNode *left, LogicalNode *right);
Expr *world_subquery(World *world, SubqueryKind kind, LogicalNode *plan, Expr *arg,
                     FunctionId comparison, bool is_negated);
AggregateCall world_call_of(AggregateId id, Expr *argument);
/* logical_print as a string in the world's arena. */
const char *world_print(World *world, const LogicalNode *node);
const char *world_explain(World *world, const Plan *plan);
