/*
 * sql_world.h — tables of random rows under SQL names: r and s (distributed by k), u (even), d (on
 * all nodes), each with k, a, b bigint, c bigint not null, t varchar(8), e date.
 */
#pragma once
#include "tests/support/planner/tpch_statistics.h"
#include "tests/support/planner/world.h"

#define SQL_WORLD_TABLES 4
typedef struct SqlWorld {
    Arena *arena;
    FakeCatalog catalog;
    Rows *rows[SQL_WORLD_TABLES];
    TableRows tables;
} SqlWorld;

/* Rows, and what the planner believes of them, drawn from the seed. */
SqlWorld *sql_world_create(uint64_t seed);
void sql_world_destroy(SqlWorld *world);
/* The plan as a node gets it: encoded and decoded, twice the same bytes. */
Status plan_through_codec(Plan **plan, Arena *arena) CHECKED;
