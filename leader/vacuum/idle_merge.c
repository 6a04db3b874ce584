/* idle_merge.c — see idle_merge.h. */
#include "leader/vacuum/idle_merge.h"

#include "base/log.h"
#include "leader/session.h"
#include "leader/vacuum/table_merge.h"
#include "leader/vacuum/table_sort.h"

#define NAP_US 50000
#define LONG_STATEMENT_US 100000 /* shorter ones do not notice */
#define OUTCOME_TIMEOUT_US INT64_C(2000000)
#define WORTH_SORTING 16 /* row groups: zone maps of fewer skip little */
#define SORT_REST_MAX_US INT64_C(600000000)

struct IdleMerge {
    Leader *leader;
    Thread thread;
    bool is_stopping; /* atomic */
    int64_t interval_us;
    uint64_t quiet_position; /* nothing was left to do there */
    uint64_t told_horizon;
    int64_t sort_rest_us;  /* after what was in vain: longer each time */
    int64_t sort_after_us; /* no table is sorted before */
};

static bool is_stopping(const IdleMerge *self)
{
    return __atomic_load_n(&self->is_stopping, __ATOMIC_ACQUIRE);
}

/* Whom a merge would disturb. */
typedef struct Crowd {
    int64_t now_us;
    bool is_busy;
} Crowd;

static void look_at(void *object, Session *session)
{
    Crowd *crowd = object;
    SessionInfo info;
    session_info(session, &info);
    const bool is_long = info.is_running && crowd->now_us - info.start_us > LONG_STATEMENT_US;
    crowd->is_busy = crowd->is_busy || is_long || info.is_in_transaction;
}

static bool is_disturbing(const IdleMerge *self)
{
    Crowd crowd = {.now_us = clock_wall_us()};
    server_visit_sessions(self->leader->server, look_at, &crowd);
    return crowd.is_busy;
}

static Status check(void *object, DistributedQuery *query)
{
    IdleMerge *self = object;
    (void)query;
    return is_stopping(self) || merge_gate_is_wanted(&self->leader->merge_gate) ||
                   is_disturbing(self)
               ? status_error(SQLSTATE_QUERY_CANCELED, "the merge makes way")
               : STATUS_OK;
}

static void nap(const IdleMerge *self, int64_t us)
{
    const int64_t end = clock_monotonic_us() + us;
    while (!is_stopping(self) && clock_monotonic_us() < end) {
        clock_sleep_us(NAP_US);
    }
}

static TableMerge work_on(IdleMerge *self, uint64_t table_id)
{
    return (TableMerge){.leader = self->leader,
                        .settings = self->leader->host->settings,
                        .table_id = table_id,
                        .mode = VACUUM_IDLE,
                        .percent = 100,
                        .check = check,
                        .object = self};
}

/* A sort is not done in pieces: one that is given up was for nothing, and is tried ever more
 * seldom. */
static void rest_from_sorting(IdleMerge *self, int64_t took_us, bool is_done)
{
    const int64_t longer =
        2 * self->sort_rest_us > 4 * took_us ? 2 * self->sort_rest_us : 4 * took_us;
    self->sort_rest_us = is_done ? 0 : longer < SORT_REST_MAX_US ? longer : SORT_REST_MAX_US;
    self->sort_after_us = clock_monotonic_us() + (is_done ? took_us : self->sort_rest_us);
}

/* A table with SORTKEY AUTO gets the order that its statements ask for. */
static void sort_table(IdleMerge *self, const CatalogTable *table)
{
    Leader *leader = self->leader;
    const int64_t least =
        WORTH_SORTING * setting_integer(leader->host->settings, SETTING_ROW_GROUP_ROWS);
    const int32_t column = sort_advice_choose(leader->sort_advice, table);
    if (column < 0 || table->row_count < (double)least || is_disturbing(self) ||
        !merge_gate_try_enter(&leader->merge_gate, true)) {
        return;
    }
    const TableMerge merge = work_on(self, table->table_id);
    const int64_t start_us = clock_monotonic_us();
    uint64_t rows = 0;
    Status status = table_sort_run(&merge, (uint32_t)column, &rows);
    merge_gate_leave(&leader->merge_gate);
    rest_from_sorting(self, clock_monotonic_us() - start_us, status == STATUS_OK);
    if (status != STATUS_OK) {
        log_status(LOG_DEBUG, "auto_sort_gives_up", status);
        status_free(status);
    } else if (rows > 0) {
        log_info("table_sorted", "table=%s.%s by=%s rows=%lu ms=%ld", table->schema_name,
                 table->name, table->columns[column].name, (unsigned long)rows,
                 (long)((clock_monotonic_us() - start_us) / 1000));
    }
}

/* One table, piece by piece; false when it has to make way. */
static bool tidy_table(IdleMerge *self, uint64_t table_id, bool *has_worked)
{
    Leader *leader = self->leader;
    const TableMerge merge = work_on(self, table_id);
    uint64_t rows = 1;
    while (rows > 0) {
        const int64_t start_us = clock_monotonic_us();
        if (is_disturbing(self) || !merge_gate_try_enter(&leader->merge_gate, true)) {
            return false;
        }
        Status status = table_merge_run(&merge, &rows);
        merge_gate_leave(&leader->merge_gate);
        if (status != STATUS_OK) {
            log_status(LOG_DEBUG, "idle_merge_gives_up", status);
            status_free(status);
            return false;
        }
        if (rows > 0) {
            const int64_t took_us = clock_monotonic_us() - start_us;
            *has_worked = true;
            log_info("table_tidied", "table=%lu rows=%lu ms=%ld", (unsigned long)table_id,
                     (unsigned long)rows, (long)(took_us / 1000));
            nap(self, took_us);
        }
    }
    return !is_stopping(self);
}

/* Files of dropped rows go although no statement tells the nodes that nobody reads them. */
static void tell_horizon(IdleMerge *self)
{
    CommitLog *log = self->leader->log;
    const uint64_t horizon = commit_log_horizon(log);
    if (horizon == self->told_horizon) {
        return;
    }
    Arena *arena = arena_create(NULL, "horizon");
    Request request = {.kind = MESSAGE_OUTCOME};
    NodeSet set = {.count = commit_log_node_count(log)};
    uint32_t *nodes = ARENA_ARRAY(arena, uint32_t, set.count);
    for (uint32_t i = 0; i < set.count; i++) {
        nodes[i] = i + 1;
    }
    set.nodes = nodes;
    Status status =
        nodes_call_all(self->leader->nodes, &set, &request, OUTCOME_TIMEOUT_US, arena, NULL);
    self->told_horizon = status == STATUS_OK ? horizon : self->told_horizon;
    status_ignore(status, "the horizon comes again with every request");
    arena_destroy(arena);
}

static void tidy_all(IdleMerge *self)
{
    uint64_t position = 0;
    bool has_worked = false, is_complete = true;
    CatalogVersion *catalog = commit_log_snapshot(self->leader->log, &position);
    for (uint32_t i = 0; i < catalog_version_table_count(catalog) && is_complete &&
                         position != self->quiet_position;
         i++) {
        const TableEntry *entry = catalog_version_table_at(catalog, i);
        if (entry->table.kind == CATALOG_TABLE) { // one without rows may have deleted ones
            is_complete = tidy_table(self, entry->table.table_id, &has_worked);
        }
    }
    catalog_version_unpin(catalog);
    if (is_complete && !has_worked) {
        self->quiet_position = position;
    }
}

static void sort_all(IdleMerge *self)
{
    uint64_t position = 0;
    CatalogVersion *catalog = commit_log_snapshot(self->leader->log, &position);
    for (uint32_t i = 0; i < catalog_version_table_count(catalog) && !is_stopping(self); i++) {
        const TableEntry *entry = catalog_version_table_at(catalog, i);
        if (entry->table.is_auto_sorted && clock_monotonic_us() >= self->sort_after_us) {
            sort_table(self, &entry->table);
        }
    }
    catalog_version_unpin(catalog);
}

static void idle_main(void *object)
{
    IdleMerge *self = object;
    while (!is_stopping(self)) {
        nap(self, self->interval_us);
        if (!is_stopping(self) && nodes_are_ready(self->leader->nodes)) {
            sort_all(self);
            tidy_all(self);
            tell_horizon(self);
        }
    }
}

Status idle_merge_start(Leader *leader)
{
    const SettingSet *settings = leader->host->settings;
    if (!setting_bool(settings, SETTING_AUTO_MERGE)) {
        return STATUS_OK;
    }
    IdleMerge *self = ARENA_NEW(leader->arena, IdleMerge);
    self->leader = leader;
    self->interval_us = setting_integer(settings, SETTING_AUTO_MERGE_INTERVAL) * 1000;
    leader->idle_merge = self;
    return thread_start(&self->thread, "merge", -1, idle_main, self);
}

void idle_merge_stop(Leader *leader)
{
    if (leader->idle_merge != NULL) {
        __atomic_store_n(&leader->idle_merge->is_stopping, true, __ATOMIC_RELEASE);
        thread_join(&leader->idle_merge->thread);
    }
}
