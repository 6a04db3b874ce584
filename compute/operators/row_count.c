/* row_count.c — a source of one bigint. */
#include "compute/operators/row_count.h"

typedef struct RowCount {
    Source source;
    SourceOps ops; /* with the write's name */
    const uint64_t *row_count;
    bool is_given;
} RowCount;

typedef struct RowCountLocal {
    int64_t *lane;
} RowCountLocal;

static Status row_count_local_open(Source *self, void *local, Arena *worker_arena)
{
    (void)self;
    enum { LANE_AND_READABLE_BYTES = 80 };
    ((RowCountLocal *)local)->lane = arena_alloc_aligned(worker_arena, LANE_AND_READABLE_BYTES, 64);
    return STATUS_OK;
}

static Status row_count_produce(Source *self, void *local, Batch *out, Flow *flow)
{
    RowCount *count = (RowCount *)self;
    int64_t *lane = ((RowCountLocal *)local)->lane;
    *flow = FLOW_DONE;
    if (count->is_given) {
        return STATUS_OK;
    }
    count->is_given = true;
    *lane = (int64_t)*count->row_count;
    out->columns[0] = (Vector){.type = self->output_types[0],
                               .lane = LANE_I64,
                               .form = VECTOR_FLAT,
                               .lo = *lane,
                               .hi = *lane,
                               .data = lane};
    out->column_count = 1;
    out->row_count = out->selected_count = 1;
    out->selection = NULL;
    return STATUS_OK;
}

static uint32_t row_count_parallelism(Source *self)
{
    (void)self;
    return 1;
}

Source *row_count_create(QueryContext *query, const PlanNode *node, const char *name,
                         const uint64_t *row_count)
{
    RowCount *count = ARENA_NEW(query->arena, RowCount);
    count->ops = (SourceOps){.name = name,
                             .local_bytes = sizeof(RowCountLocal),
                             .local_open = row_count_local_open,
                             .produce = row_count_produce,
                             .parallelism = row_count_parallelism};
    source_init(&count->source, &count->ops, node);
    count->row_count = row_count;
    return &count->source;
}
