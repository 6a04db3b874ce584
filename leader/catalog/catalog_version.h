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
/* An entry that nobody shares yet: snapshots from before `position` see `previous` (null: none). */
void table_entry_follow(TableEntry *entry, TableEntry *previous, uint64_t position);
/* The entry, or a copy, with the former ones that snapshots from `horizon` on may see. */
Status table_entry_from_horizon(TableEntry *entry, uint64_t horizon, TableEntry **out) CHECKED;
/* A copy with other statistics: those of `entry` plus what a node reported (null: none). */
Status table_entry_with_statistics(const TableEntry *entry, bool keeps_old,
                                   const uint8_t *statistics, size_t bytes,
                                   TableEntry **out) CHECKED;
/* What is known of rows, by column id; all borrowed. */
typedef struct ColumnParts {
    uint32_t count;
    const uint32_t *column_ids;
    const ColumnSketch *sketches;
    uint64_t row_count;
    const RowSample *sample; /* null: none */
} ColumnParts;

/* Adds rows to an entry that nobody shares yet. */
Status table_entry_merge(TableEntry *entry, const ColumnParts *parts) CHECKED;
/* The table with another definition; what is known of its rows stays known. */
Status table_entry_altered(const TableEntry *old, const CatalogTable *table,
                           TableEntry **out) CHECKED;
/* A copy that tells fewer rows, with or without what is known of them. */
Status table_entry_without_rows(const TableEntry *entry, uint64_t row_count, bool keeps_sketches,
                                TableEntry **out) CHECKED;
/* Fills CatalogTable.statistics, sample and row_count from sketches and sample. */
Status table_entry_derive(TableEntry *entry) CHECKED;
