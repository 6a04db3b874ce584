/*
 * system_tables.h — pg_catalog, information_schema and the system views as virtual tables.
 *
 * Their columns are a list (system_tables.def), their rows come from functions over a catalog
 * version and the session. They are scanned on the leader like any other table.
 */
#pragma once
#include "leader/catalog/catalog.h"
#include "leader/session.h"

/* Null when there is no such table. */
const CatalogTable *system_table_find(const char *schema, const char *name);
bool system_schema_exists(const char *schema);
/* All rows of `schema.table`, the given columns, in `arena`. */
Status system_table_scan(Session *session, const CatalogVersion *version, const char *table_name,
                         const uint32_t *columns, uint32_t column_count, Arena *arena,
                         Batch **batches, uint32_t *batch_count) CHECKED;
uint32_t system_table_count(void);
const CatalogTable *system_table_at(uint32_t index);
