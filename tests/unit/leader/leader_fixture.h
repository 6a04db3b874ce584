/* leader_fixture.h — tables, changes and a commit log on simulated files, for the leader's suites.
 */
#pragma once
#include <stdio.h>

#include "base/fault.h"
#include "base/log.h"
#include "leader/txn/commit_log.h"
#include "tests/support/check_status.h"
#include "tests/support/simulated_files.h"

#define NODES 2u
#define SLICES 4u

static Arena *arena;
static SimulatedFiles *files;
static CommitLog *commit_log;

/* ---- changes ---- */

static inline CatalogTable *make_table(const char *name, uint64_t table_id, CatalogTableKind kind)
{
    CatalogTable *table = ARENA_NEW(arena, CatalogTable);
    *table = (CatalogTable){.table_id = table_id,
                            .schema_name = "public",
                            .name = name,
                            .kind = kind,
                            .column_count = 2,
                            .columns = ARENA_ARRAY(arena, CatalogColumn, 2),
                            .style = DISTRIBUTION_STYLE_KEY,
                            .distribution_column = 0,
                            .sort_key_count = 1,
                            .sort_keys = ARENA_ARRAY(arena, uint32_t, 1),
                            .view_text = kind == CATALOG_VIEW ? "select 1, 'x'" : NULL};
    table->columns[0] = (CatalogColumn){.column_id = 1,
                                        .name = "id",
                                        .type = type_of(TYPE_INTEGER),
                                        .is_not_null = true,
                                        .attribute_number = 1};
    table->columns[1] = (CatalogColumn){.column_id = 2,
                                        .name = "note",
                                        .type = type_varchar(20),
                                        .default_text = "'none'",
                                        .encoding_text = "lzo",
                                        .attribute_number = 2};
    table->sort_keys[0] = 1;
    return table;
}

static inline CatalogChange *make_change(CatalogChangeKind kind)
{
    CatalogChange *change = ARENA_NEW(arena, CatalogChange);
    change->kind = kind;
    return change;
}

static inline CatalogChange *create_change(const char *name, uint64_t table_id)
{
    CatalogChange *change = make_change(CATALOG_CREATE_TABLE);
    change->table = make_table(name, table_id, CATALOG_TABLE);
    change->owner = "admin";
    return change;
}

static inline CatalogChange *view_change(const char *name, uint64_t table_id, const char *text)
{
    CatalogChange *change = make_change(CATALOG_REPLACE_VIEW);
    change->table = make_table(name, table_id, CATALOG_VIEW);
    change->table->view_text = text;
    change->owner = "admin";
    return change;
}

static inline CatalogChange *drop_change(const char *name, uint64_t table_id)
{
    CatalogChange *change = make_change(CATALOG_DROP_TABLE);
    change->schema = "public";
    change->name = name;
    change->table_id = table_id;
    return change;
}

static inline CatalogChange *schema_change(CatalogChangeKind kind, const char *schema)
{
    CatalogChange *change = make_change(kind);
    change->schema = schema;
    return change;
}

static inline CatalogChange *user_change(const char *name, const char *verifier)
{
    CatalogChange *change = make_change(CATALOG_SET_USER);
    change->user = (UserEntry){.name = name, .verifier = verifier};
    return change;
}

/* ---- the log ---- */

static inline Status open_log_with(uint32_t node_count)
{
    const CommitLogOptions options = {.files = simulated_files_system(files),
                                      .directory = "leader",
                                      .node_count = node_count,
                                      .slice_count = SLICES,
                                      .admin_name = "admin",
                                      .admin_verifier = "verifier"};
    return commit_log_open(&options, &commit_log);
}

static inline void open_log(void)
{
    ck_assert_ok(open_log_with(NODES));
}

static inline void close_log(void)
{
    commit_log_close(commit_log);
    commit_log = NULL;
}

/* The process dies and comes back; what it wrote is there. */
static inline void crash(void)
{
    simulated_files_kill(files);
    close_log();
    open_log();
}

static inline void set_up(void)
{
    log_set_level(LOG_ERROR);
    arena = arena_create(NULL, "test");
    files = simulated_files_create();
}

static inline void tear_down(void)
{
#ifdef BASALT_FAULTS
    fault_disarm_all();
#endif
    close_log();
    simulated_files_destroy(files);
    arena_destroy(arena);
}

static const uint32_t both_nodes[NODES] = {1, 2};

/* Commits one change (null: none) with both nodes; its transaction id goes to `txn_id`. */
static inline Status commit(CatalogChange *change, uint64_t *txn_id, uint64_t *position)
{
    CatalogChangeList list = {0};
    if (change != NULL) {
        catalog_change_add(&list, change);
    }
    *txn_id = commit_log_next_txn(commit_log);
    const CommitRequest request = {.txn_id = *txn_id,
                                   .changes = &list,
                                   .participant_count = NODES,
                                   .participants = both_nodes};
    return commit_log_commit(commit_log, &request, position);
}

static inline uint64_t position_now(void)
{
    uint64_t position = 0;
    catalog_version_unpin(commit_log_snapshot(commit_log, &position));
    return position;
}

static inline uint32_t pending(uint32_t node, Outcome **outcomes)
{
    uint32_t count = 0;
    commit_log_pending(commit_log, node, true, arena, outcomes, &count);
    return count;
}

static inline bool has_table(const char *name)
{
    uint64_t position = 0;
    CatalogVersion *version = commit_log_snapshot(commit_log, &position);
    bool is_there = catalog_version_table(version, "public", name) != NULL;
    catalog_version_unpin(version);
    return is_there;
}
