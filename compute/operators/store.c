/*
 * store.c — a shared subquery's rows: a sink that keeps them, sources that give them out.
 *
 * The batches are immutable once the store is full; any number of readers claims them by number.
 */
#include "compute/operators/store.h"

#include <string.h>

#include "compute/operators/batch_collector.h"

struct StoredRows {
    struct PipelineEvent *event;
    uint32_t column_count;
    const Type *types;
    Mutex mutex;      /* guards list while the store is filled */
    BatchList list;
};

typedef struct StoreSink {
    Sink sink;
    StoredRows *rows;
    QueryContext *query;
} StoreSink;

typedef struct StoreSinkLocal {
    BatchCollector collector;
} StoreSinkLocal;

typedef struct Stored {
    Source source;
    const StoredRows *rows;
    uint32_t next_batch; /* atomic */
} Stored;

static const SinkOps store_sink_ops;
static const SourceOps stored_ops;

static StoredRows *find_rows(const QueryContext *query, uint32_t store_id)
{
    return store_id < query->stored_rows_count ? query->stored_rows[store_id] : NULL;
}

static void add_rows(QueryContext *query, uint32_t store_id, StoredRows *rows)
{
    if (store_id >= query->stored_rows_count) {
        uint32_t count = store_id + 1;
        StoredRows **list = ARENA_ARRAY(query->arena, StoredRows *, count);
        if (query->stored_rows_count > 0) {
            memcpy(list, query->stored_rows, query->stored_rows_count * sizeof *list);
        }
        query->stored_rows = list;
        query->stored_rows_count = count;
    }
    query->stored_rows[store_id] = rows;
}

Status store_sink_create(QueryContext *query, const PlanStore *plan, Sink **out)
{
    if (plan->store_id > VECTOR_ROWS || find_rows(query, plan->store_id) != NULL) {
        return status_error(SQLSTATE_INTERNAL_ERROR, "store %u cannot be made", plan->store_id);
    }
    StoredRows *rows = ARENA_NEW(query->arena, StoredRows);
    rows->column_count = plan->child->output_count;
    rows->types = plan->child->output_types;
    add_rows(query, plan->store_id, rows);

    StoreSink *store = ARENA_NEW(query->arena, StoreSink);
    sink_init(&store->sink, &store_sink_ops, &plan->node);
    store->rows = rows;
    store->query = query;
    mutex_init(&rows->mutex, MUTEX_RANK_OPERATOR);
    *out = &store->sink;
    return STATUS_OK;
}

void stored_rows_set_event(QueryContext *query, uint32_t store_id, struct PipelineEvent *event)
{
    find_rows(query, store_id)->event = event;
}

struct PipelineEvent *stored_rows_event(const QueryContext *query, uint32_t store_id)
{
    const StoredRows *rows = find_rows(query, store_id);
    return rows == NULL ? NULL : rows->event;
}

static Status store_sink_local_open(Sink *self, void *local, Arena *worker_arena)
{
    StoreSink *store = (StoreSink *)self;
    (void)worker_arena;
    return batch_collector_init(&((StoreSinkLocal *)local)->collector, store->query->budget,
                                store->rows->types, store->rows->column_count,
                                store->query->batch_rows);
}

static Status store_sink_consume(Sink *self, void *local, Batch *in, Flow *flow)
{
    (void)self;
    *flow = FLOW_MORE;
    return batch_collector_add(&((StoreSinkLocal *)local)->collector, in);
}

static Status store_sink_merge(Sink *self, void *local, Flow *flow)
{
    StoredRows *rows = ((StoreSink *)self)->rows;
    BatchCollector *collector = &((StoreSinkLocal *)local)->collector;
    *flow = FLOW_MORE;
    TRY(batch_collector_flush(collector));
    mutex_lock(&rows->mutex);
    Status status = batch_list_append(&rows->list, &collector->list);
    mutex_unlock(&rows->mutex);
    return status;
}

static void store_sink_local_close(Sink *self, void *local)
{
    (void)self;
    batch_collector_deinit(&((StoreSinkLocal *)local)->collector);
}

static void store_sink_close(Sink *self)
{
    StoredRows *rows = ((StoreSink *)self)->rows;
    self->statistics.bytes = rows->list.bytes;
    batch_list_clear(&rows->list);
    mutex_deinit(&rows->mutex);
}

static const SinkOps store_sink_ops = {
    .name = "Materialize",
    .local_bytes = sizeof(StoreSinkLocal),
    .local_open = store_sink_local_open,
    .consume = store_sink_consume,
    .merge = store_sink_merge,
    .local_close = store_sink_local_close,
    .close = store_sink_close,
};

Status stored_create(QueryContext *query, const PlanStored *plan, Source **out)
{
    const StoredRows *rows = find_rows(query, plan->store_id);
    if (rows == NULL || rows->column_count != plan->node.output_count) {
        return status_error(SQLSTATE_INTERNAL_ERROR, "the plan reads store %u before it is made",
                            plan->store_id);
    }
    Stored *stored = ARENA_NEW(query->arena, Stored);
    source_init(&stored->source, &stored_ops, &plan->node);
    stored->rows = rows;
    *out = &stored->source;
    return STATUS_OK;
}

static Status stored_produce(Source *self, void *local, Batch *out, Flow *flow)
{
    Stored *stored = (Stored *)self;
    (void)local;
    // Relaxed: the list is complete and does not change any more.
    uint32_t index = __atomic_fetch_add(&stored->next_batch, 1, __ATOMIC_RELAXED);
    if (index >= stored->rows->list.count) {
        *flow = FLOW_DONE;
        return STATUS_OK;
    }
    batch_set_view(out, &stored->rows->list.items[index]->batch);
    *flow = FLOW_MORE;
    return STATUS_OK;
}

static uint32_t stored_parallelism(Source *self)
{
    enum { BATCHES_PER_WORKER = 16 };
    return ((Stored *)self)->rows->list.count / BATCHES_PER_WORKER + 1;
}

static const SourceOps stored_ops = {
    .name = "Subquery Scan",
    .produce = stored_produce,
    .parallelism = stored_parallelism,
};
