/*
 * rest.c — what comes after the probe side: build rows that no probe row has met (RIGHT, FULL,
 * RIGHT_ANTI) or that some have (RIGHT_SEMI); and everything, when the sides are on disk.
 */
#include "compute/operators/hash_join/hash_join_internal.h"

typedef struct RestLocal {
    JoinRow *rows;
    VectorBuffer *payload_buffers;
    RestCursor cursor; /* in the page that is given out */
    bool has_page;
    JoinSpillReader *spill;
} RestLocal;

uint32_t join_rest_rows(const HashJoin *join, const JoinTable *table, RestCursor *cursor,
                        JoinRow *rows)
{
    const RowPage *page = &table->rows.pages[cursor->page];
    size_t row_bytes = table->rows.layout->row_bytes;
    uint64_t wanted = join->kind == JOIN_RIGHT_SEMI ? JOIN_LINK_MATCHED : 0;
    uint32_t count = 0;
    while (cursor->slot < page->row_count && count < join->query->batch_rows) {
        JoinRow row = page->rows + cursor->slot++ * row_bytes;
        rows[count] = row;
        count += (*join_row_link(&join->shape, row) & JOIN_LINK_MATCHED) == wanted;
    }
    return count;
}

static Status rest_local_open(Source *self, void *local, Arena *worker_arena)
{
    HashJoin *join = join_of_rest(self);
    RestLocal *state = local;
    if (join_is_spilling(join)) {
        state->spill = join_spill_reader_create(join, worker_arena);
        return STATUS_OK;
    }
    state->rows = ARENA_ARRAY(worker_arena, JoinRow, VECTOR_ROWS);
    state->payload_buffers = ARENA_ARRAY(worker_arena, VectorBuffer, join->shape.payload_count);
    for (uint32_t c = 0; c < join->shape.payload_count; c++) {
        vector_buffer_init(&state->payload_buffers[c], worker_arena);
    }
    return STATUS_OK;
}

static Status rest_produce(Source *self, void *local, Batch *out, Flow *flow)
{
    HashJoin *join = join_of_rest(self);
    RestLocal *state = local;
    if (state->spill != NULL) {
        return join_spill_reader_next(state->spill, out, flow);
    }
    *flow = FLOW_MORE;
    if (!state->has_page) {
        state->cursor.page = __atomic_fetch_add(&join->next_rest_page, 1, __ATOMIC_RELAXED);
        state->cursor.slot = 0;
        state->has_page = true;
    }
    if (state->cursor.page >= join->table.rows.page_count) {
        *flow = FLOW_DONE;
        return STATUS_OK;
    }
    uint32_t count = join_rest_rows(join, &join->table, &state->cursor, state->rows);
    state->has_page = state->cursor.slot < join->table.rows.pages[state->cursor.page].row_count;
    if (count > 0) {
        emit_build_rows(join, &join->table, state->rows, count, state->payload_buffers, out);
    }
    return STATUS_OK;
}

static void rest_local_close(Source *self, void *local)
{
    (void)self;
    RestLocal *state = local;
    if (state->spill != NULL) {
        join_spill_reader_close(state->spill);
    }
}

// The last rows have come: nobody looks at the table again.
static void rest_stop(Source *self)
{
    join_release(join_of_rest(self));
}

static uint32_t rest_parallelism(Source *self)
{
    HashJoin *join = join_of_rest(self);
    uint32_t pages = join->table.rows.page_count;
    return join_is_spilling(join) ? SPILL_PARTITIONS : pages > 0 ? pages : 1;
}

static bool rest_is_done(Source *self)
{
    HashJoin *join = join_of_rest(self);
    return !join_is_spilling(join) && (!join->emits_build_rest || join->table.rows.row_count == 0);
}

const SourceOps hash_join_rest_ops = {
    .name = "Hash Join",
    .local_bytes = sizeof(RestLocal),
    .local_open = rest_local_open,
    .produce = rest_produce,
    .local_close = rest_local_close,
    .stop = rest_stop,
    .parallelism = rest_parallelism,
    .is_done = rest_is_done,
};
