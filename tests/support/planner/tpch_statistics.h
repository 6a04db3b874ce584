/* tpch_statistics.h — TPC-H's tables as the planner sees them: rows and columns of a scale factor.
 */
#pragma once
#include "tests/support/planner/fake_catalog.h"

/* Adds the eight tables to `catalog` with statistics of `scale` (1: six million lineitems). */
Status tpch_statistics_add(FakeCatalog *catalog, double scale) CHECKED;
/* Parses and binds one statement; `context` gets a fresh numbering for `node_count` nodes. */
Status sql_bind(FakeCatalog *catalog, const char *text, uint32_t node_count, Arena *query_arena,
                PlannerContext *context, BoundStatement **out) CHECKED;
