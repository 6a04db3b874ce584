/*
 * table_vacuum.c — the door to storage's TableMerger: one worker, some thousand rows per call, so
 * that other queries get the worker in between.
 */
#include "compute/operators/table_vacuum.h"

typedef struct TableVacuum {
    Source source;
    const PlanTableVacuum *plan;
    TableMerger *merger;
    bool is_given;
} TableVacuum;

typedef struct TableVacuumLocal {
    int64_t *lane;
} TableVacuumLocal;

static Status table_vacuum_open(Source *self, QueryContext *query)
{
    TableVacuum *vacuum = (TableVacuum *)self;
    const SettingSet *settings = query->settings;
    const TableMergeOptions options = {
        .store = query->store,
        .table = vacuum->plan->table,
        .snapshot = query->snapshot,
        .row_group_rows = query->row_group_rows,
        .mode = vacuum->plan->mode,
        .percent = vacuum->plan->percent,
        .idle_rows_max = (uint64_t)setting_integer(settings, SETTING_MERGE_ROWS),
        .ratio = (uint32_t)setting_integer(settings, SETTING_MERGE_RATIO),
        .runs_max = (uint32_t)setting_integer(settings, SETTING_MERGE_RUNS),
        .deleted_percent = (uint32_t)setting_integer(settings, SETTING_MERGE_DELETED_PERCENT),
        .budget = query->write_budget,
        .is_canceled = &query->is_canceled};
    return table_merger_create(&options, &vacuum->merger);
}

static Status table_vacuum_local_open(Source *self, void *local, Arena *worker_arena)
{
    (void)self;
    enum { LANE_AND_READABLE_BYTES = 80 };
    ((TableVacuumLocal *)local)->lane =
        arena_alloc_aligned(worker_arena, LANE_AND_READABLE_BYTES, 64);
    return STATUS_OK;
}

static Status table_vacuum_produce(Source *self, void *local, Batch *out, Flow *flow)
{
    TableVacuum *vacuum = (TableVacuum *)self;
    int64_t *lane = ((TableVacuumLocal *)local)->lane;
    bool is_done = vacuum->is_given;
    *flow = is_done ? FLOW_DONE : FLOW_MORE;
    out->column_count = 1;
    out->row_count = out->selected_count = 0;
    out->selection = NULL;
    if (!vacuum->is_given) {
        TRY(table_merger_step(vacuum->merger, &is_done));
    }
    if (!is_done || vacuum->is_given) {
        return STATUS_OK;
    }
    vacuum->is_given = true;
    *lane = (int64_t)table_merger_row_count(vacuum->merger);
    out->columns[0] = (Vector){.type = self->output_types[0],
                               .lane = LANE_I64,
                               .form = VECTOR_FLAT,
                               .lo = *lane,
                               .hi = *lane,
                               .data = lane};
    out->row_count = out->selected_count = 1;
    return STATUS_OK;
}

static void table_vacuum_close(Source *self)
{
    TableVacuum *vacuum = (TableVacuum *)self;
    table_merger_destroy(vacuum->merger);
    vacuum->merger = NULL;
}

static uint32_t table_vacuum_parallelism(Source *self)
{
    (void)self;
    return 1;
}

static const SourceOps table_vacuum_ops = {
    .name = "Vacuum",
    .local_bytes = sizeof(TableVacuumLocal),
    .open = table_vacuum_open,
    .local_open = table_vacuum_local_open,
    .produce = table_vacuum_produce,
    .close = table_vacuum_close,
    .parallelism = table_vacuum_parallelism,
};

Status table_vacuum_create(QueryContext *query, const PlanTableVacuum *plan, Source **source)
{
    if (query->store == NULL) {
        return status_error(SQLSTATE_INTERNAL_ERROR, "table \"%s\" cannot be written here",
                            plan->table->name);
    }
    TableVacuum *vacuum = ARENA_NEW(query->arena, TableVacuum);
    source_init(&vacuum->source, &table_vacuum_ops, &plan->node);
    vacuum->plan = plan;
    *source = &vacuum->source;
    return STATUS_OK;
}
