/* operator_case.c — a query for one round, and its operators by hand. */
#include "bench/micro/operator_case.h"

EngineWorld engine_world;

static QueryContext query;

QueryContext *bench_query_begin(void)
{
    static uint64_t query_id;
    query = (QueryContext){.query_id = ++query_id,
                           .host = engine_world.host,
                           .arena = arena_create(NULL, "query"),
                           .budget = engine_world.budget,
                           .write_budget = engine_world.budget,
                           .snapshot = {.position = 1000},
                           .copy_roots = engine_world.directory};
    query_context_init(&query);
    return &query;
}

void bench_query_end(void)
{
    query_context_deinit(&query);
    arena_destroy(query.arena);
}

static void *local_memory(size_t bytes)
{
    return bytes == 0 ? NULL : arena_alloc_aligned(query.arena, bytes, 64);
}

void *sink_start(Sink *sink)
{
    void *local = local_memory(sink->ops->local_bytes);
    if (sink->ops->open != NULL) {
        must(sink->ops->open(sink, &query));
    }
    if (sink->ops->local_open != NULL) {
        must(sink->ops->local_open(sink, local, query.arena));
    }
    return local;
}

void *source_start(Source *source)
{
    void *local = local_memory(source->ops->local_bytes);
    if (source->ops->open != NULL) {
        must(source->ops->open(source, &query));
    }
    if (source->ops->local_open != NULL) {
        must(source->ops->local_open(source, local, query.arena));
    }
    return local;
}

void *transform_start(Transform *transform)
{
    void *local = local_memory(transform->ops->local_bytes);
    if (transform->ops->open != NULL) {
        must(transform->ops->open(transform, &query));
    }
    if (transform->ops->local_open != NULL) {
        must(transform->ops->local_open(transform, local, query.arena));
    }
    return local;
}

void sink_offer(Sink *sink, void *local, const MadeTable *table, uint32_t times)
{
    Flow flow;
    for (uint32_t i = 0; i < times; i++) {
        for (uint32_t b = 0; b < table->batch_count; b++) {
            Batch batch = table->batches[b];
            must(sink->ops->consume(sink, local, &batch, &flow));
        }
    }
}

void sink_finish(Sink *sink, void *local)
{
    Flow flow;
    if (sink->ops->merge != NULL) {
        must(sink->ops->merge(sink, local, &flow));
    }
    if (sink->ops->finish != NULL) {
        must(sink->ops->finish(sink, &flow));
    }
}

void sink_close(Sink *sink, void *local)
{
    if (sink->ops->local_close != NULL) {
        sink->ops->local_close(sink, local);
    }
    if (sink->ops->close != NULL) {
        sink->ops->close(sink);
    }
}

void source_close(Source *source, void *local)
{
    if (source->ops->local_close != NULL) {
        source->ops->local_close(source, local);
    }
    if (source->ops->close != NULL) {
        source->ops->close(source);
    }
}

void transform_close(Transform *transform, void *local)
{
    if (transform->ops->local_close != NULL) {
        transform->ops->local_close(transform, local);
    }
    if (transform->ops->close != NULL) {
        transform->ops->close(transform);
    }
}

uint64_t source_drain(Source *source, void *local, uint32_t column_count)
{
    Batch out;
    Flow flow;
    uint64_t rows = 0;
    batch_init(&out, column_count, query.arena);
    do {
        out.row_count = out.selected_count = 0;
        must(source->ops->produce(source, local, &out, &flow));
        rows += out.selected_count;
    } while (flow != FLOW_DONE);
    return rows;
}
