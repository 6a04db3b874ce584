/*
 * table_write.c — the door to storage's TableWriter: a writer per worker, sealed together.
 *
 * Rows of a failed statement leave nothing behind: the writer is destroyed unfinished.
 */
#include "compute/operators/table_write.h"

#include "compute/operators/row_count.h"

typedef struct TableWrite {
    Sink sink;
    const PlanTableWrite *plan;
    QueryContext *query;
    TableWriter *writer;
    uint64_t row_count;
    ByteBuffer statistics;
} TableWrite;

typedef struct TableWriteLocal {
    TableWriterLocal *writer;
} TableWriteLocal;

static const SinkOps table_write_ops;

static void free_statistics(void *object)
{
    byte_buffer_deinit(&((TableWrite *)object)->statistics);
}

Status table_write_create(QueryContext *query, const PlanTableWrite *plan, Sink **sink,
                          Source **source)
{
    if (query->store == NULL) {
        return status_error(SQLSTATE_INTERNAL_ERROR, "table \"%s\" cannot be written here",
                            plan->table->name);
    }
    TableWrite *write = ARENA_NEW(query->arena, TableWrite);
    sink_init(&write->sink, &table_write_ops, &plan->node);
    write->plan = plan;
    write->query = query;
    byte_buffer_init(&write->statistics, 0);
    arena_on_reset(query->arena, free_statistics, write);
    *sink = &write->sink;
    *source = row_count_create(query, &plan->node, table_write_ops.name, &write->row_count);
    return STATUS_OK;
}

static Status table_write_open(Sink *self, QueryContext *query)
{
    TableWrite *write = (TableWrite *)self;
    TableWriteOptions options = {
        .store = query->store,
        .table = write->plan->table,
        .txn_id = query->snapshot.txn_id,
        .statement = query->snapshot.statement,
        .row_group_rows = query->row_group_rows,
        .budget = query->write_budget,
        .is_canceled = &query->is_canceled,
    };
    return table_writer_create(&options, &write->writer);
}

static Status table_write_local_open(Sink *self, void *local, Arena *worker_arena)
{
    (void)worker_arena;
    return table_writer_local_create(((TableWrite *)self)->writer,
                                     &((TableWriteLocal *)local)->writer);
}

static Status table_write_consume(Sink *self, void *local, Batch *in, Flow *flow)
{
    (void)self;
    *flow = FLOW_MORE;
    TRY(batch_load_all(in));
    return table_writer_append(((TableWriteLocal *)local)->writer, in);
}

static Status table_write_merge(Sink *self, void *local, Flow *flow)
{
    (void)self;
    TableWriterLocal *writer = ((TableWriteLocal *)local)->writer;
    ((TableWriteLocal *)local)->writer = NULL;
    *flow = FLOW_MORE;
    return table_writer_local_finish(writer);
}

static Status table_write_finish(Sink *self, Flow *flow)
{
    TableWrite *write = (TableWrite *)self;
    *flow = FLOW_DONE;
    TRY(table_writer_finish(write->writer));
    write->row_count = table_writer_row_count(write->writer);
    table_writer_statistics(write->writer, &write->statistics);
    return byte_buffer_status(&write->statistics);
}

static void table_write_add_write(const Sink *self, ByteBuffer *target)
{
    const TableWrite *write = (const TableWrite *)self;
    byte_buffer_add_u64(target, write->plan->table->table_id);
    byte_buffer_add_u64(target, 0); // none deleted
    byte_buffer_add_blob(target, write->statistics.data, write->statistics.bytes);
}

static void table_write_local_close(Sink *self, void *local)
{
    (void)self;
    TableWriteLocal *state = local;
    if (state->writer != NULL) {
        table_writer_local_abandon(state->writer); // the query has failed
    }
}

static void table_write_close(Sink *self)
{
    TableWrite *write = (TableWrite *)self;
    if (write->writer != NULL) {
        table_writer_destroy(write->writer);
        write->writer = NULL;
    }
}

static const SinkOps table_write_ops = {
    .name = "Insert",
    .local_bytes = sizeof(TableWriteLocal),
    .open = table_write_open,
    .local_open = table_write_local_open,
    .consume = table_write_consume,
    .merge = table_write_merge,
    .finish = table_write_finish,
    .add_write = table_write_add_write,
    .local_close = table_write_local_close,
    .close = table_write_close,
};
