/*
 * build.c — the build side: each worker packs its rows, the tables of all workers become one, and
 * its pages are inserted by as many workers as are worth it.
 */
#include "compute/operators/hash_join/hash_join_internal.h"

enum {
    INLINE_INSERT_ROWS = 32768, /* fewer are inserted by the worker that finishes the build side */
};

typedef struct BuildLocal {
    ExprColumnsLocal keys;
    const Vector **key_vectors, **payload_vectors;
    JoinAppendSpace *space;
    JoinTable table;
    SpillPartitions *spill;
} BuildLocal;

static Status build_local_open(Sink *self, void *local, Arena *worker_arena)
{
    HashJoin *join = join_of_build(self);
    BuildLocal *state = local;
    memory_share_begin(join->query, join->share);
    expr_columns_open(&join->build_keys, &state->keys, worker_arena);
    state->key_vectors = ARENA_ARRAY(worker_arena, const Vector *, join->shape.key_count);
    state->payload_vectors = ARENA_ARRAY(worker_arena, const Vector *, join->shape.payload_count);
    state->space = join_append_space_create(&join->shape, worker_arena);
    join_table_init(&state->table, &join->shape, worker_arena);
    return STATUS_OK;
}

static Status build_consume(Sink *self, void *local, Batch *in, Flow *flow)
{
    HashJoin *join = join_of_build(self);
    BuildLocal *state = local;
    *flow = FLOW_MORE;
    TRY(expr_columns_evaluate(&join->build_keys, &state->keys, in, state->key_vectors));
    for (uint32_t c = 0; c < join->shape.payload_count; c++) {
        TRY(batch_column(in, join->payload[c], &state->payload_vectors[c]));
    }
    JoinInput input = {.keys = state->key_vectors, .payload = state->payload_vectors, .batch = in};
    if (state->spill == NULL &&
        (join_is_spilling(join) || join_spill_is_forced(join, &state->table, 0))) {
        TRY(join_spill_table(join, &state->table, 0, &state->spill));
    }
    if (state->spill != NULL) {
        return join_spill_build(join, &state->table, &input, state->space, &state->spill);
    }
    Status status = join_table_append(&state->table, &input, state->space);
    bool is_refused = status != STATUS_OK && join->spill.is_possible &&
                      status_sqlstate(status) == SQLSTATE_OUT_OF_MEMORY;
    if (!is_refused) {
        return status;
    }
    status_ignore(status, "the build side goes to disk instead");
    TRY(join_spill_table(join, &state->table, 0, &state->spill));
    return join_spill_build(join, &state->table, &input, state->space, &state->spill);
}

static Status build_merge(Sink *self, void *local, Flow *flow)
{
    HashJoin *join = join_of_build(self);
    BuildLocal *state = local;
    *flow = FLOW_MORE;
    if (state->spill != NULL) {
        SpillPartitions *spill = state->spill;
        state->spill = NULL;
        TRY(join_spill_add(join, &join->spill.builds, spill));
    }
    mutex_lock(&join->mutex);
    Status status = join_table_merge(&join->table, &state->table);
    mutex_unlock(&join->mutex);
    return status;
}

// Little is inserted right here, by the only worker; the next pipeline then has nothing to do.
static void insert_at_once(HashJoin *join, uint32_t *next_page)
{
    uint32_t page_count = join->table.rows.page_count;
    if (join->table.rows.row_count <= INLINE_INSERT_ROWS) {
        *next_page = page_count;
        for (uint32_t p = 0; p < page_count; p++) {
            join_table_insert_page(&join->table, p, false);
        }
    }
}

// Rows of workers that had room go to disk too when others had none.
static Status spill_rest(HashJoin *join)
{
    SpillPartitions *spill = NULL;
    if (join->table.rows.row_count == 0 && join_is_spilling(join)) {
        return STATUS_OK;
    }
    Status status = join_spill_table(join, &join->table, 0, &spill);
    if (status != STATUS_OK) {
        spill_partitions_destroy(spill);
        return status;
    }
    return spill == NULL ? STATUS_OK : join_spill_add(join, &join->spill.builds, spill);
}

static Status build_finish(Sink *self, Flow *flow)
{
    HashJoin *join = join_of_build(self);
    *flow = FLOW_DONE;
    if (join_is_spilling(join)) {
        return spill_rest(join);
    }
    Status status = join_table_choose(&join->table);
    if (status != STATUS_OK && join->spill.is_possible &&
        status_sqlstate(status) == SQLSTATE_OUT_OF_MEMORY) {
        status_ignore(status, "the build side goes to disk instead");
        return spill_rest(join);
    }
    TRY(status);
    insert_at_once(join, &join->next_insert_page);
    return STATUS_OK;
}

static void build_local_close(Sink *self, void *local)
{
    (void)self;
    BuildLocal *state = local;
    join_table_deinit(&state->table);
    spill_partitions_destroy(state->spill);
}

void join_release(HashJoin *join)
{
    if (join->table.shape != NULL) {
        join_table_describe(&join->table, join->probe.statistics.variant,
                            sizeof join->probe.statistics.variant);
        join->build.statistics.bytes = join->table.rows.bytes + join->table.index_bytes;
        join->build.statistics.spilled_bytes = join->spill.bytes;
    }
    join_spill_close(join);
    join_table_deinit(&join->table);
}

static void build_close(Sink *self)
{
    HashJoin *join = join_of_build(self);
    join_release(join);
    join_filters_destroy(join);
    mutex_deinit(&join->mutex);
}

const SinkOps hash_join_build_ops = {
    .name = "Hash",
    .local_bytes = sizeof(BuildLocal),
    .local_open = build_local_open,
    .consume = build_consume,
    .merge = build_merge,
    .finish = build_finish,
    .local_close = build_local_close,
    .close = build_close,
};

/* --- insertion: a pipeline without rows; and once more when keys were not unique --- */

static Status insert_next_page(HashJoin *join, uint32_t *next_page, Flow *flow)
{
    // Relaxed: the pages were complete before this pipeline started.
    uint32_t page = __atomic_fetch_add(next_page, 1, __ATOMIC_RELAXED);
    *flow = FLOW_DONE;
    if (page < join->table.rows.page_count) {
        join_table_insert_page(&join->table, page, true);
        *flow = FLOW_MORE;
    }
    return STATUS_OK;
}

static uint32_t pages_left(const HashJoin *join, uint32_t next_page)
{
    uint32_t pages = join->table.rows.page_count;
    return next_page < pages ? pages - next_page : 1;
}

static Status insert_produce(Source *self, void *local, Batch *out, Flow *flow)
{
    (void)local;
    (void)out;
    return insert_next_page(join_of_insert(self), &join_of_insert(self)->next_insert_page, flow);
}

static uint32_t insert_parallelism(Source *self)
{
    return pages_left(join_of_insert(self), join_of_insert(self)->next_insert_page);
}

static bool insert_is_done(Source *self)
{
    HashJoin *join = join_of_insert(self);
    return join->next_insert_page >= join->table.rows.page_count;
}

const SourceOps hash_join_insert_ops = {
    .name = "Hash",
    .produce = insert_produce,
    .parallelism = insert_parallelism,
    .is_done = insert_is_done,
};

static Status reinsert_produce(Source *self, void *local, Batch *out, Flow *flow)
{
    (void)local;
    (void)out;
    return insert_next_page(join_of_reinsert(self), &join_of_reinsert(self)->next_reinsert_page,
                            flow);
}

static uint32_t reinsert_parallelism(Source *self)
{
    return pages_left(join_of_reinsert(self), join_of_reinsert(self)->next_reinsert_page);
}

static bool reinsert_is_done(Source *self)
{
    HashJoin *join = join_of_reinsert(self);
    return !join->needs_reinsert || join->next_reinsert_page >= join->table.rows.page_count;
}

const SourceOps hash_join_reinsert_ops = {
    .name = "Hash",
    .produce = reinsert_produce,
    .parallelism = reinsert_parallelism,
    .is_done = reinsert_is_done,
};

static Status inserted_consume(Sink *self, void *local, Batch *in, Flow *flow)
{
    (void)self;
    (void)local;
    (void)in;
    *flow = FLOW_MORE;
    return STATUS_OK;
}

static Status inserted_finish(Sink *self, Flow *flow)
{
    HashJoin *join = join_of_inserted(self);
    bool is_settled;
    *flow = FLOW_DONE;
    if (join_is_spilling(join)) {
        return STATUS_OK;
    }
    TRY(join_table_settle(&join->table, &is_settled));
    join->needs_reinsert = !is_settled;
    if (!is_settled) {
        insert_at_once(join, &join->next_reinsert_page);
    }
    return STATUS_OK;
}

static Status reinserted_finish(Sink *self, Flow *flow)
{
    TRY(join_filters_publish(join_of_reinserted(self)));
    *flow = FLOW_DONE;
    return STATUS_OK;
}

const SinkOps hash_join_inserted_ops = {
    .name = "Hash",
    .consume = inserted_consume,
    .finish = inserted_finish,
};
const SinkOps hash_join_reinserted_ops = {
    .name = "Hash",
    .consume = inserted_consume,
    .finish = reinserted_finish,
};
