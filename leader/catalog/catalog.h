/*
 * catalog.h — what exists: schemas, tables, views, users, statistics; immutable versions of it.
 *
 * A CatalogVersion never changes; a commit makes the next one. A transaction reads the newest
 * committed version plus its own changes: `catalog_version_apply` replays a list of changes on a
 * version, for the private view of a transaction and again, on the newest version, at commit.
 *
 * Invariants: (1) versions and entries are counted; (2) ids are never reused; (3) what the newest
 * version says is durable.
 */
#pragma once
#include "base/arena.h"
#include "base/vector/column_sketch.h"
#include "planner/catalog_view.h"

#define SAMPLE_ROWS_MAX 10000u
#define NAME_BYTES_MAX 127u
#define CATALOG_TABLES_MAX 100000u

/* A table or view: counted, immutable. */
typedef struct TableEntry {
    uint32_t reference_count;    /* atomic */
    Arena *arena;                /* holds the entry and everything in it */
    CatalogTable table;          /* with statistics and sample filled in */
    const char *owner;
    uint64_t row_count;
    ColumnSketch *sketches;      /* per column; null for views */
    RowSample *sample;           /* null until rows were loaded */
    /* Its rows were written anew, under another id, by the commit at `replaced_at`: snapshots from
     * before that see `previous`. Null, 0: there are none that anybody uses. */
    struct TableEntry *previous;
    uint64_t replaced_at;
} TableEntry;
/* What a snapshot at `position` sees of it. */
TableEntry *table_entry_at(TableEntry *entry, uint64_t position);
TableEntry *table_entry_pin(TableEntry *entry);
void table_entry_unpin(TableEntry *entry); /* null is allowed */

typedef struct UserEntry {
    const char *name;
    const char *verifier;        /* SCRAM-SHA-256$…; "" : no password, cannot log in */
    bool is_superuser;
} UserEntry;

typedef struct CatalogVersion CatalogVersion;
CatalogVersion *catalog_version_pin(CatalogVersion *version);
void catalog_version_unpin(CatalogVersion *version); /* null is allowed */
/* Borrowed from the version; null when there is none. */
TableEntry *catalog_version_table(const CatalogVersion *version, const char *schema,
                                  const char *name);
TableEntry *catalog_version_table_by_id(const CatalogVersion *version, uint64_t table_id);
bool catalog_version_has_schema(const CatalogVersion *version, const char *schema);
const UserEntry *catalog_version_user(const CatalogVersion *version, const char *name);
uint32_t catalog_version_table_count(const CatalogVersion *version);
TableEntry *catalog_version_table_at(const CatalogVersion *version, uint32_t index); /* by name */
uint32_t catalog_version_schema_count(const CatalogVersion *version);
const char *catalog_version_schema_at(const CatalogVersion *version, uint32_t index);
uint32_t catalog_version_user_count(const CatalogVersion *version);
const UserEntry *catalog_version_user_at(const CatalogVersion *version, uint32_t index);

typedef enum CatalogChangeKind {
    CATALOG_CREATE_TABLE = 1, /* tables and views; `table` */
    CATALOG_DROP_TABLE,       /* `schema`, `name`, `table_id`: this one, not another of its name */
    CATALOG_REPLACE_VIEW,     /* `table`: created, or replaced under the id it has */
    CATALOG_CREATE_SCHEMA,
    CATALOG_DROP_SCHEMA,
    CATALOG_SET_USER,         /* created or changed; `user` */
    CATALOG_DROP_USER,
    CATALOG_ADD_STATISTICS,   /* rows were loaded: `table_id`, sketches and sample of a node */
    CATALOG_CLEAR_STATISTICS, /* truncated: `table_id` */
    CATALOG_REQUIRE_TABLE,    /* nothing changes, but 42P01 when `table_id` is gone */
    CATALOG_ADVANCE_IDENTITY, /* `table_id`: the next number is at least `row_count` */
    CATALOG_RENEW_STATISTICS, /* analyzed: forgets `row_count` rows of `table_id`, all sketches */
    CATALOG_REMOVE_ROWS,      /* deleted: `row_count` of `table_id` */
    CATALOG_ALTER_TABLE,      /* `table`: the next generation of the one with its id */
    CATALOG_REPLACE_TABLE     /* `table`, under a new id, has the rows `table_id` had at
                               * `snapshot`: 40001 when those have changed since */
} CatalogChangeKind;

typedef struct CatalogChange {
    struct CatalogChange *next;
    CatalogChangeKind kind;
    const char *schema, *name;
    CatalogTable *table;
    const char *owner;
    uint64_t table_id;
    uint64_t row_count;
    uint64_t snapshot; /* position */
    uint64_t position; /* of the commit, once that is known; else 0 */
    uint64_t horizon;  /* no snapshot before this position is in use any more */
    bool is_analysis;  /* statistics of the rows that are there: without the table, nothing to do */
    UserEntry user;
    size_t statistics_bytes;      /* as table_writer_statistics wrote them */
    const uint8_t *statistics;
    uint32_t statement;           /* of the transaction, for ROLLBACK TO */
} CatalogChange;

typedef struct CatalogChangeList {
    CatalogChange *first, *last;  /* in the transaction's arena, oldest first */
} CatalogChangeList;
void catalog_change_add(CatalogChangeList *list, CatalogChange *change);
/* The table that is changed; 0: none, or one that is made. */
static inline uint64_t catalog_change_table_id(const CatalogChange *change)
{
    return change->kind == CATALOG_ALTER_TABLE ? change->table->table_id : change->table_id;
}

/* `*out` = version + changes (a new reference). 42P07, 42P06, 42P01, 3F000, 2BP01, 42710, 42704,
 * 40001. */
Status catalog_version_apply(CatalogVersion *version, const CatalogChangeList *changes,
                             CatalogVersion **out) CHECKED;
/* The first version of a new cluster: schema public, no tables. */
CatalogVersion *catalog_version_create_empty(void);

/* Definition and statistics of a table as bytes, for the store. */
void table_entry_encode(const TableEntry *entry, ByteBuffer *target);
Status table_entry_decode(const uint8_t *data, size_t bytes, TableEntry **out) CHECKED;
void table_entry_encode_statistics(const TableEntry *entry, ByteBuffer *target);
Status table_entry_decode_statistics(TableEntry *entry, const uint8_t *data, size_t bytes) CHECKED;
