/* catalog_version.h — the insides of a catalog version. */
#pragma once
#include "leader/catalog/catalog.h"

struct CatalogVersion {
    uint32_t reference_count; /* atomic */
    Arena *arena;             /* names of schemas and users, the arrays */
    uint32_t schema_count, table_count, user_count;
    const char **schemas;     /* by name */
    TableEntry **tables;      /* by schema, then name */
    UserEntry *users;         /* by name */
};

/* A copy that can still be changed: entries pinned, room for `extra` more of each. */
CatalogVersion *catalog_version_copy(const CatalogVersion *version, uint32_t extra);
/* Position of (schema, name), or where it would be put; `*is_found` tells. */
uint32_t catalog_version_table_slot(const CatalogVersion *version, const char *schema,
                                    const char *name, bool *is_found);
TableEntry *table_entry_create(const CatalogTable *table, const char *owner);
/* A copy with other statistics: those of `entry` plus what a node reported (null: none). */
Status table_entry_with_statistics(const TableEntry *entry, bool keeps_old,
                                   const uint8_t *statistics, size_t bytes,
                                   TableEntry **out) CHECKED;
/* Fills CatalogTable.statistics, sample and row_count from sketches and sample. */
Status table_entry_derive(TableEntry *entry) CHECKED;
