/*
 * fake_catalog.h — a catalog in memory for tests of the planner, filled by SQL text.
 *
 * Schemas: public (first in the search path), pg_catalog, other. The statement's time is
 * 2024-02-29 12:34:56; the user is "tester", the database "dev".
 */
#pragma once
#include "planner/binder/bind.h"

typedef struct FakeCatalog {
    Arena *arena;
    CatalogView view;
    PointerList tables;      /* CatalogTable */
    uint64_t next_table_id;
} FakeCatalog;

void fake_catalog_init(FakeCatalog *catalog, Arena *arena);
/* CREATE TABLE and CREATE VIEW statements, separated by semicolons. */
Status fake_catalog_add(FakeCatalog *catalog, const char *text) CHECKED;
/* The eight tables of TPC-H. */
Status fake_catalog_add_tpch(FakeCatalog *catalog) CHECKED;
/* t (a … k: a column of each type), u (a, x, y), the view v over t, other.w. */
Status fake_catalog_add_samples(FakeCatalog *catalog) CHECKED;
PlannerContext fake_catalog_context(FakeCatalog *catalog, Arena *query_arena);
