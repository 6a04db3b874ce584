/*
 * limit.c — one counter shared by all workers says which of a batch's rows pass.
 *
 * Example, LIMIT 5 OFFSET 2: batches of 4 rows arrive; the first claims positions 0..3 and keeps
 * its rows 2 and 3, the second claims 4..7 and keeps 4, 5 and 6 and stops the pipeline.
 */
#include "compute/operators/limit.h"

typedef struct Limit {
    Transform transform;
    uint64_t first, end;   /* positions that pass */
    uint64_t arrived_rows; /* atomic */
} Limit;

typedef struct LimitLocal {
    uint16_t *selection;
} LimitLocal;

static const TransformOps limit_ops;

Status limit_create(QueryContext *query, const PlanLimit *plan, Transform **out)
{
    Limit *limit = ARENA_NEW(query->arena, Limit);
    transform_init(&limit->transform, &limit_ops, &plan->node);
    limit->first = plan->offset;
    if (__builtin_add_overflow(plan->offset, plan->limit, &limit->end)) {
        limit->end = UINT64_MAX;
    }
    *out = &limit->transform;
    return STATUS_OK;
}

static Status limit_local_open(Transform *self, void *local, Arena *worker_arena)
{
    (void)self;
    LimitLocal *state = local;
    state->selection = ARENA_ARRAY(worker_arena, uint16_t, VECTOR_ROWS);
    return STATUS_OK;
}

static Status limit_apply(Transform *self, void *local, Batch *in, Batch *out, Flow *flow)
{
    Limit *limit = (Limit *)self;
    LimitLocal *state = local;
    uint64_t count = in->selected_count;
    // Relaxed: only the numbers matter, and each is handed out once.
    uint64_t position = __atomic_fetch_add(&limit->arrived_rows, count, __ATOMIC_RELAXED);
    uint64_t first = position < limit->first ? limit->first - position : 0;
    uint64_t end = position >= limit->end ? 0 : limit->end - position;
    first = first < count ? first : count;
    end = end < count ? end : count;
    *flow = position + count >= limit->end ? FLOW_DONE : FLOW_MORE;
    if (first >= end) {
        return STATUS_OK;
    }
    batch_set_view(out, in);
    if (end - first < count) {
        for (uint64_t i = first; i < end; i++) {
            state->selection[i - first] = (uint16_t)batch_row(in, (uint32_t)i);
        }
        out->selection = state->selection;
        out->mask = NULL;
        out->selected_count = (uint32_t)(end - first);
    }
    return STATUS_OK;
}

static bool limit_is_done(Transform *self)
{
    Limit *limit = (Limit *)self;
    return limit->first >= limit->end ||
           __atomic_load_n(&limit->arrived_rows, __ATOMIC_RELAXED) >= limit->end;
}

static const TransformOps limit_ops = {
    .name = "Limit",
    .local_bytes = sizeof(LimitLocal),
    .local_open = limit_local_open,
    .apply = limit_apply,
    .is_done = limit_is_done,
};
