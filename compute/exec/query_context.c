/* query_context.c — the life of a query on one endpoint: the first failure ends it. */
#include "compute/exec/query_context.h"

MemoryBudget *query_grant_create(const Host *host, const SettingSet *settings)
{
    size_t wanted_bytes = (size_t)setting_integer(settings, SETTING_QUERY_MEMORY);
    size_t half_bytes = memory_budget_limit_bytes(host->queries) / 2;
    return memory_budget_create(NULL, host->queries, "query",
                                wanted_bytes > 0 ? wanted_bytes : half_bytes);
}

void query_context_init(QueryContext *query)
{
    mutex_init(&query->mutex, MUTEX_RANK_QUERY);
    query->is_canceled = false;
    query->failure = STATUS_OK;
    if (query->settings == NULL) {
        query->settings = query->host->settings;
    }
    query->batch_rows = (uint32_t)setting_integer(query->settings, SETTING_BATCH_ROWS);
    query->row_group_rows = (uint32_t)setting_integer(query->settings, SETTING_ROW_GROUP_ROWS);
    query->force_spill = setting_bool(query->settings, SETTING_FORCE_SPILL);
    query->has_zone_map_answers = setting_bool(query->settings, SETTING_ZONE_MAP_ANSWERS);
    query->exchange_encode = setting_bool(query->settings, SETTING_EXCHANGE_ENCODE);
    if (query->one_node == 0) {
        query->one_node =
            query->node_count == 0 ? 1 : 1 + (uint32_t)(query->query_id % query->node_count);
    }
    query->cancel = NULL;
    query->cancel_object = NULL;
    query->runtime_filters = NULL;
    query->stored_rows = NULL;
    query->stored_rows_count = 0;
    query->spill_file_count = 0;
    query->shares = NULL;
    query->aside_bytes = 0;
    query->tables =
        query->budget == NULL ? NULL : memory_budget_create(NULL, query->budget, "tables", 0);
    query->tables = query->tables == NULL ? query->budget : query->tables;
}

void query_context_deinit(QueryContext *query)
{
    status_free(query->failure);
    query->failure = STATUS_OK;
    mutex_deinit(&query->mutex);
    if (query->tables != query->budget) {
        memory_budget_destroy(query->tables);
    }
    query->tables = NULL;
}

void query_context_fail(QueryContext *query, Status owned_status)
{
    mutex_lock(&query->mutex);
    bool is_first = query->failure == STATUS_OK;
    if (is_first) {
        query->failure = owned_status;
        // Release is not needed: who acts on the failure takes the mutex.
        __atomic_store_n(&query->is_canceled, true, __ATOMIC_RELAXED);
    }
    void (*cancel)(void *object) = query->cancel;
    void *object = query->cancel_object;
    mutex_unlock(&query->mutex);
    if (!is_first) {
        status_ignore(owned_status, "the query has failed before");
    } else if (cancel != NULL) {
        cancel(object);
    }
}

Status query_context_check(const QueryContext *query)
{
    if (!query_context_is_canceled(query)) {
        return STATUS_OK;
    }
    Mutex *mutex = (Mutex *)&query->mutex; // reading the failure changes nothing else
    mutex_lock(mutex);
    Status failure = status_copy(query->failure);
    mutex_unlock(mutex);
    if (failure == STATUS_OK) {
        return status_error(SQLSTATE_QUERY_CANCELED, "the query was canceled");
    }
    return failure;
}
