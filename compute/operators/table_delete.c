/*
 * table_delete.c — the door to storage's TableDeleter: one for all workers.
 *
 * The rows of a failed statement stay: the deleter is destroyed unfinished.
 */
#include "compute/operators/table_delete.h"

#include "compute/operators/batch_collector.h"
#include "compute/operators/row_count.h"

typedef struct TableDelete {
    Sink sink;
    const PlanTableDelete *plan;
    TableDeleter *deleter;
    uint64_t row_count;
} TableDelete;

static const SinkOps table_delete_ops;

Status table_delete_create(QueryContext *query, const PlanTableDelete *plan, Sink **sink,
                           Source **source)
{
    if (query->store == NULL) {
        return status_error(SQLSTATE_INTERNAL_ERROR, "table \"%s\" cannot be written here",
                            plan->table->name);
    }
    TableDelete *deletion = ARENA_NEW(query->arena, TableDelete);
    sink_init(&deletion->sink, &table_delete_ops, &plan->node);
    deletion->plan = plan;
    *sink = &deletion->sink;
    *source = row_count_create(query, &plan->node, table_delete_ops.name, &deletion->row_count);
    return STATUS_OK;
}

static Status table_delete_open(Sink *self, QueryContext *query)
{
    TableDelete *deletion = (TableDelete *)self;
    TableDeleteOptions options = {.store = query->store,
                                  .table = deletion->plan->table,
                                  .snapshot = query->snapshot,
                                  .budget = query->write_budget};
    return table_deleter_create(&options, &deletion->deleter);
}

static Status table_delete_consume(Sink *self, void *local, Batch *in, Flow *flow)
{
    (void)local;
    const Vector *ids = NULL;
    int64_t row_ids[VECTOR_ROWS];
    *flow = FLOW_MORE;
    TRY(batch_column(in, 0, &ids));
    const uint16_t *rows = batch_selected_rows(in);
    for (uint32_t i = 0; i < in->selected_count; i++) {
        row_ids[i] = vector_int64(ids, rows[i]);
    }
    return table_deleter_add(((TableDelete *)self)->deleter, row_ids, in->selected_count);
}

static Status table_delete_finish(Sink *self, Flow *flow)
{
    TableDelete *deletion = (TableDelete *)self;
    *flow = FLOW_DONE;
    return table_deleter_finish(deletion->deleter, &deletion->row_count);
}

static void table_delete_add_write(const Sink *self, ByteBuffer *target)
{
    const TableDelete *deletion = (const TableDelete *)self;
    byte_buffer_add_u64(target, deletion->plan->table->table_id);
    byte_buffer_add_u64(target, deletion->row_count);
    byte_buffer_add_blob(target, NULL, 0);
}

static void table_delete_close(Sink *self)
{
    TableDelete *deletion = (TableDelete *)self;
    if (deletion->deleter != NULL) {
        table_deleter_destroy(deletion->deleter);
        deletion->deleter = NULL;
    }
}

static const SinkOps table_delete_ops = {
    .name = "Delete",
    .open = table_delete_open,
    .consume = table_delete_consume,
    .finish = table_delete_finish,
    .add_write = table_delete_add_write,
    .close = table_delete_close,
};
