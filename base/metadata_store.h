/*
 * metadata_store.h — the only door to SQLite: the leader's catalog and log, a node's manifests.
 *
 * One connection, WAL, synchronous=FULL, locking_mode=EXCLUSIVE, on our file table through a VFS
 * of its own (sqlite_vfs.c) that keeps an XXH3 of each page seeded by its number in 8 reserved
 * bytes and checks each read (XX001), and refuses a WAL whose synced frames are missing or
 * damaged (wal_guard.h). Not thread-safe: its owner serialises calls (a writer thread or a mutex).
 */
#pragma once
#include "base/arena.h"
#include "base/io/file.h"

typedef struct MetadataStore MetadataStore;
typedef struct MetadataQuery MetadataQuery;

/* Opens or creates `path`. `schema_sql` runs when the file is new; `schema_version` is kept in
 * user_version and a higher one on disk is refused (XX001 with both numbers). */
Status metadata_store_open(FileSystem *system, const char *path, const char *schema_sql,
                           uint32_t schema_version, MetadataStore **out) CHECKED;
/* Runs the statements and notes the version in one commit when the store has an older one. */
Status metadata_store_upgrade(MetadataStore *store, uint32_t version, const char *sql) CHECKED;
/* Opens an existing store, whatever its schema, to look at it: nothing is written, its log stays.
 * 58P01 when there is none. */
Status metadata_store_open_read(FileSystem *system, const char *path, MetadataStore **out) CHECKED;
void metadata_store_close(MetadataStore *store);
Status metadata_store_exec(MetadataStore *store, const char *sql) CHECKED; /* no results */
Status metadata_store_begin(MetadataStore *store) CHECKED;
Status metadata_store_commit(MetadataStore *store) CHECKED; /* durable on return */
/* A commit failed when it may have become durable already: only opening the store again tells. */
bool metadata_store_is_in_doubt(const MetadataStore *store);
/* In doubt, one of its files refuses everything after a failed write, or a rollback failed: until
 * it is reopened. Outside of transactions. */
bool metadata_store_is_broken(const MetadataStore *store);
/* Closes the files and opens them again; queries stay, bound values and rows half read do not. What
 * the log holds becomes durable in the file, so that nothing is built on a sync that failed. When
 * this fails every call fails, and the store stays broken: try again later. */
Status metadata_store_reopen(MetadataStore *store) CHECKED;
void metadata_store_rollback(MetadataStore *store);
Status metadata_store_checkpoint(MetadataStore *store) CHECKED; /* WAL into the file */
/* The WAL moves into the file with the commit that makes it longer, and is cut to this length.
 * 64 MiB when this is never called. */
Status metadata_store_limit_log(MetadataStore *store, uint64_t bytes) CHECKED;
/* For an owner with nothing to do, again and again: when the last commit is `quiet_us` old, cuts
 * free pages off the file, some at a time, and empties the WAL into it. A failure is logged, and
 * tried again as much later. */
void metadata_store_rest(MetadataStore *store, int64_t quiet_us);
enum { METADATA_QUIET_US = 3000000 };
/* XX001 unless every page matches its checksum, those that hold nothing too, and integrity_check
 * is content. */
Status metadata_store_verify(MetadataStore *store) CHECKED;

/* A prepared statement, kept for the store's life; parameters count from 1, columns from 0. */
Status metadata_query_prepare(MetadataStore *store, const char *sql, MetadataQuery **out) CHECKED;
void metadata_query_destroy(MetadataQuery *query);
void metadata_query_bind_i64(MetadataQuery *query, int index, int64_t value);
void metadata_query_bind_f64(MetadataQuery *query, int index, double value);
void metadata_query_bind_text(MetadataQuery *query, int index, const char *text); /* null: NULL */
void metadata_query_bind_blob(MetadataQuery *query, int index, const void *data, size_t bytes);
void metadata_query_bind_null(MetadataQuery *query, int index);
/* One step; `*has_row` tells. After the last row or an error the query is reset by itself. */
Status metadata_query_step(MetadataQuery *query, bool *has_row) CHECKED;
Status metadata_query_run(MetadataQuery *query) CHECKED; /* all steps, no rows wanted */
void metadata_query_reset(MetadataQuery *query);         /* leave a row loop early */
int64_t metadata_query_i64(MetadataQuery *query, int column);
double metadata_query_f64(MetadataQuery *query, int column);
/* Text and blob are borrowed until the next step or reset; null for NULL. */
const char *metadata_query_text(MetadataQuery *query, int column);
const void *metadata_query_blob(MetadataQuery *query, int column, size_t *bytes);
bool metadata_query_is_null(MetadataQuery *query, int column);
