/* engine_run.c — see engine_run.h. */
#include "tests/support/engine/engine_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/types/text_format.h"
#include "base/vector/distribution_hash.h"
#include "compute/exec/query_run.h"
#include "compute/exec/scheduler.h"
#include "protocol/cluster/cluster_port.h"

#define NODES_MAX 8
enum { WAIT_US = 60000000 };

typedef struct Receiver {
    Rows *rows;
    Arena *arena;
    const EngineOptions *options;
    uint32_t batch_count, call_count;
    Waker resume;
    QueryRun *run;
    bool is_cancelled;
} Receiver;

typedef struct Endpoint {
    QueryContext query;
    QueryRun *run;
    Store *store;
    StreamHub *hub;
    struct World_ *world;
    bool is_built;
} Endpoint;

typedef struct World_ {
    Endpoint endpoints[NODES_MAX + 1];
    Host *host;
    MemoryBudget *budget;
    ClusterPort *port;
    uint32_t *bucket_nodes;
    Receiver receiver;
    Mutex mutex;
    Condition done;
    uint32_t open_count;
    const char *spill_directory;
} World_;

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void receiver_open(void *self, Waker resume)
{
    ((Receiver *)self)->resume = resume;
}

static Value keep_value(Arena *arena, Value value)
{
    if (!value.is_null && type_is_text(value.type) && value.text.length > TEXT_INLINE_MAX) {
        value.text.data = arena_memdup(arena, value.text.data, value.text.length);
    }
    return value;
}

static Status receiver_receive(void *self, Batch *batch, ResultAnswer *answer)
{
    Receiver *receiver = self;
    receiver->call_count++;
    if (receiver->options->block_every > 0 &&
        receiver->call_count % receiver->options->block_every == 0) {
        *answer = RESULT_BLOCKED;
        receiver->resume.wake(receiver->resume.object);
        return STATUS_OK;
    }
    *answer = RESULT_TAKEN;
    receiver->batch_count++;
    if (receiver->batch_count == receiver->options->cancel_after_batches) {
        query_run_cancel(receiver->run,
                         status_error(SQLSTATE_QUERY_CANCELED, "canceled by the test"));
    }
    for (uint32_t i = 0; i < batch->selected_count; i++) {
        Value *row = rows_add(receiver->rows);
        for (uint32_t c = 0; c < batch->column_count; c++) {
            row[c] =
                keep_value(receiver->arena, vector_value(&batch->columns[c], batch_row(batch, i)));
        }
    }
    return STATUS_OK;
}

static void run_done_cb(void *object, QueryRun *run)
{
    Endpoint *endpoint = object;
    World_ *world = endpoint->world;
    (void)run;
    mutex_lock(&world->mutex);
    world->open_count--;
    condition_signal(&world->done);
    mutex_unlock(&world->mutex);
}

static SettingSet *make_settings(const EngineOptions *options)
{
    SettingSet *settings = setting_set_create(NULL);
    char text[32];
    snprintf(text, sizeof text, "%u", options->batch_rows == 0 ? VECTOR_ROWS : options->batch_rows);
    status_ignore(setting_set_text(settings, "batch_rows", text, false), "it is in range");
    status_ignore(
        setting_set_text(settings, "force_spill", options->force_spill ? "on" : "off", false),
        "it is a bool");
    status_ignore(setting_set_text(settings, "exchange_encode",
                                   options->exchange_encode ? "on" : "off", false),
                  "it is a bool");
    status_ignore(setting_set_text(settings, "log_level", "error", false), "it is a level");
    return settings;
}

static void open_endpoint(World_ *world, uint32_t index, const EngineOptions *options,
                          const TableRows *tables, Arena *arena)
{
    Endpoint *endpoint = &world->endpoints[index];
    uint32_t node_count = options->node_count == 0 ? 1 : options->node_count;
    endpoint->world = world;
    ASSERT(stream_hub_create(world->port, index, &endpoint->hub) == STATUS_OK);
    if (index > 0) {
        FakeStoreOptions store = {.tables = tables,
                                  .node = index - 1,
                                  .node_count = node_count,
                                  .seed = options->seed + index,
                                  .morsel_rows = options->morsel_rows,
                                  .is_plain = options->is_plain};
        endpoint->store = fake_store_create(&store);
    }
    static ResultReceiver receiver;
    receiver = (ResultReceiver){
        .self = &world->receiver, .receive = receiver_receive, .open = receiver_open};
    endpoint->query = (QueryContext){
        .query_id = 77,
        .endpoint = index,
        .node_count = node_count,
        .one_node = 1,
        .is_replica_reader = index == 1,
        .host = world->host,
        .arena = arena_create(arena, "query"),
        .budget = memory_budget_create(NULL, world->budget, "query", options->query_memory),
        .write_budget = world->budget,
        .settings = world->host->settings,
        .store = endpoint->store,
        .hub = endpoint->hub,
        .bucket_nodes = world->bucket_nodes,
        .known_key_bits = options->known_key_bits > 0
                              ? options->known_key_bits
                              : bucket_map_known_bits(world->bucket_nodes, index),
        .result = index == 0 ? &receiver : NULL,
        .spill_directory = world->spill_directory,
        .copy_roots = options->copy_roots,
    };
    query_context_init(&endpoint->query);
}

static void close_endpoint(World_ *world, uint32_t index, EngineResult *result, Arena *arena)
{
    Endpoint *endpoint = &world->endpoints[index];
    (void)world;
    if (endpoint->store != NULL) {
        result->filtered_rows += fake_store_filtered_rows(endpoint->store);
        result->written_rows += fake_store_written_rows(endpoint->store);
        fake_store_destroy(endpoint->store);
    }
    (void)arena;
    query_context_deinit(&endpoint->query);
    stream_hub_end_query(endpoint->hub, endpoint->query.query_id);
    arena_destroy(endpoint->query.arena);
}

static void note_failure(EngineResult *result, Status status, Arena *arena)
{
    bool is_better = result->failure == NULL || result->sqlstate == SQLSTATE_QUERY_CANCELED;
    if (status != STATUS_OK && is_better) {
        result->failure = arena_strdup(arena, status_message(status));
        result->sqlstate = status_sqlstate(status);
    }
    status_free(status);
}

static void cancel_all(World_ *world, uint32_t endpoint_count, Status reason)
{
    for (uint32_t i = 0; i < endpoint_count; i++) {
        if (world->endpoints[i].is_built) {
            query_run_cancel(world->endpoints[i].run, status_copy(reason));
        }
    }
}

static void add_statistics(EngineResult *result, QueryRun *run, Arena *arena)
{
    PlanNodeStatistics *statistics;
    uint32_t count;
    query_run_statistics(run, &statistics, &count);
    PlanNodeStatistics *all =
        ARENA_ARRAY(arena, PlanNodeStatistics, result->statistic_count + count + 1);
    if (result->statistic_count > 0) {
        memcpy(all, result->statistics, result->statistic_count * sizeof *all);
    }
    for (uint32_t i = 0; i < count; i++) {
        all[result->statistic_count + i] = statistics[i];
        result->spilled_bytes += statistics[i].spilled_bytes;
    }
    result->statistics = all;
    result->statistic_count += count;
}

static void run_all(World_ *world, const Plan *plan, uint32_t endpoint_count, EngineResult *result,
                    Arena *arena)
{
    Status failure = STATUS_OK;
    for (uint32_t i = 0; i < endpoint_count && failure == STATUS_OK; i++) {
        Endpoint *endpoint = &world->endpoints[i];
        failure = query_run_create(&endpoint->query, plan, &endpoint->run);
        endpoint->is_built = failure == STATUS_OK;
    }
    world->receiver.run = world->endpoints[0].run;
    uint64_t start = now_ns();
    if (failure == STATUS_OK) {
        world->open_count = endpoint_count;
        for (uint32_t i = 0; i < endpoint_count; i++) {
            query_run_start(world->endpoints[i].run, run_done_cb, &world->endpoints[i]);
        }
        // A failure at one endpoint reaches the others through their hubs' streams; here the test
        // plays the leader, which would cancel them.
        mutex_lock(&world->mutex);
        uint32_t former = endpoint_count;
        while (world->open_count > 0) {
            ASSERT(condition_wait(&world->done, &world->mutex, WAIT_US) ||
                   world->open_count < former);
            former = world->open_count;
            mutex_unlock(&world->mutex);
            for (uint32_t i = 0; i < endpoint_count; i++) {
                Status status = query_context_check(&world->endpoints[i].query);
                if (status != STATUS_OK) {
                    cancel_all(world, endpoint_count, status);
                }
                status_free(status);
            }
            mutex_lock(&world->mutex);
        }
        mutex_unlock(&world->mutex);
    }
    result->run_ns = now_ns() - start;
    note_failure(result, failure, arena);
    for (uint32_t i = 0; i < endpoint_count; i++) {
        Endpoint *endpoint = &world->endpoints[i];
        if (endpoint->is_built) {
            note_failure(result, query_run_status(endpoint->run), arena);
            add_statistics(result, endpoint->run, arena);
            query_run_destroy(endpoint->run);
        }
    }
}

EngineResult engine_run(const Plan *plan, const TableRows *tables, const EngineOptions *options,
                        Arena *arena)
{
    EngineResult result = {0};
    World_ *world = ARENA_NEW(arena, World_);
    uint32_t node_count = options->node_count == 0 ? 1 : options->node_count;
    ASSERT(node_count <= NODES_MAX);
    mutex_init(&world->mutex, MUTEX_RANK_SERVER);
    condition_init(&world->done);
    ASSERT(host_create(make_settings(options), NULL, NULL, &world->host) == STATUS_OK);
    ASSERT(scheduler_create(options->worker_count == 0 ? 2 : options->worker_count, NULL,
                            &world->host->scheduler) == STATUS_OK);
    world->budget = memory_budget_create(NULL, world->host->budget, "cluster", 0);
    ASSERT(cluster_port_create(transport_nng(), NULL, world->budget, &world->port) == STATUS_OK);
    char *directory = arena_strdup(arena, "/tmp/basalt-engine-XXXXXX");
    ASSERT(mkdtemp(directory) != NULL);
    world->spill_directory = directory;
    world->bucket_nodes = ARENA_ARRAY(arena, uint32_t, BUCKET_COUNT);
    for (uint32_t b = 0; b < BUCKET_COUNT; b++) {
        world->bucket_nodes[b] = 1 + (uint32_t)((uint64_t)b * node_count / BUCKET_COUNT);
    }
    world->receiver = (Receiver){
        .rows = rows_create(arena, plan->result_count), .arena = arena, .options = options};
    for (uint32_t i = 0; i <= node_count; i++) {
        open_endpoint(world, i, options, tables, arena);
    }
    run_all(world, plan, node_count + 1, &result, arena);
    for (uint32_t i = 0; i <= node_count; i++) {
        close_endpoint(world, i, &result, arena);
    }
    for (uint32_t i = 0; i <= node_count; i++) {
        stream_hub_destroy(world->endpoints[i].hub);
    }
    for (uint32_t i = 0; i <= node_count; i++) { // every byte must have come back
        memory_budget_destroy(world->endpoints[i].query.budget);
    }
    cluster_port_destroy(world->port);
    memory_budget_destroy(world->budget);
    ASSERT(rmdir(world->spill_directory) == 0); // no spill file was left behind
    scheduler_destroy(world->host->scheduler);
    host_destroy(world->host);
    condition_deinit(&world->done);
    mutex_deinit(&world->mutex);
    result.rows = world->receiver.rows;
    return result;
}

const char *engine_variant(const EngineResult *result, uint32_t plan_node_id)
{
    for (uint32_t i = 0; i < result->statistic_count; i++) {
        if (result->statistics[i].plan_node_id == plan_node_id &&
            result->statistics[i].variant[0] != '\0') {
            return result->statistics[i].variant;
        }
    }
    return "";
}
