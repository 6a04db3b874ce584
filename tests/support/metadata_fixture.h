/*
 * metadata_fixture.h — a metadata store of one table on simulated files, for the suites around it.
 */
#pragma once
#include <string.h>

#include "base/log.h"
#include "base/metadata_store.h"
#include "tests/support/check_status.h"
#include "tests/support/simulated_files.h"

#define PATH "dir/meta.db"
#define SCHEMA "CREATE TABLE t(k INTEGER PRIMARY KEY, v BLOB)"

static SimulatedFiles *files;
static MetadataStore *store;

static inline void setup(void)
{
    log_set_level(LOG_ERROR);
    files = simulated_files_create();
    ck_assert_ok(file_make_directory(simulated_files_system(files), "dir"));
}

static inline void teardown(void)
{
    metadata_store_close(store);
    store = NULL;
    simulated_files_destroy(files);
}

static inline Status open_store(void)
{
    return metadata_store_open(simulated_files_system(files), PATH, SCHEMA, 1, &store);
}

static inline void reopen(void)
{
    metadata_store_close(store);
    store = NULL;
    ck_assert_ok(open_store());
}

static inline Status put(int64_t key, size_t bytes)
{
    static uint8_t value[100000];
    memset(value, (int)(key & 0xFF), bytes);
    MetadataQuery *query = NULL;
    TRY(metadata_query_prepare(store, "INSERT OR REPLACE INTO t VALUES(?, ?)", &query));
    metadata_query_bind_i64(query, 1, key);
    metadata_query_bind_blob(query, 2, value, bytes);
    Status status = metadata_query_run(query);
    metadata_query_destroy(query);
    return status;
}

static inline Status count_rows(int64_t *count)
{
    MetadataQuery *query = NULL;
    bool has_row = false;
    TRY(metadata_query_prepare(store, "SELECT count(*), sum(length(v)) FROM t", &query));
    Status status = metadata_query_step(query, &has_row);
    if (status == STATUS_OK) {
        *count = metadata_query_i64(query, 0);
    }
    metadata_query_destroy(query);
    return status;
}

static inline int64_t rows(void)
{
    int64_t count = -1;
    ck_assert_ok(count_rows(&count));
    return count;
}

/* A TCase of which each test has a fresh disk and opens its store itself. */
static inline TCase *add_case(Suite *suite, const char *name)
{
    TCase *behaviour = tcase_create(name);
    tcase_add_checked_fixture(behaviour, setup, teardown);
    tcase_set_timeout(behaviour, 100);
    suite_add_tcase(suite, behaviour);
    return behaviour;
}
