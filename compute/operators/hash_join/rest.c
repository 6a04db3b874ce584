/*
 * rest.c — what comes after the probe side: build rows that no probe row has met (RIGHT, FULL,
 * RIGHT_ANTI) or that some have (RIGHT_SEMI).
 */
#include "compute/operators/hash_join/hash_join_internal.h"

typedef struct RestLocal {
    JoinRow *pointers;
    VectorBuffer *payload_buffers;
    uint32_t page, slot;       /* the page that is given out */
    bool has_page;
} RestLocal;

static Status rest_local_open(Source *self, void *local, Arena *worker_arena)
{
    HashJoin *join = join_of_rest(self);
    RestLocal *state = local;
    state->pointers = ARENA_ARRAY(worker_arena, JoinRow, VECTOR_ROWS);
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
    const RowStore *rows = &join->table.rows;
    *flow = FLOW_MORE;
    if (!state->has_page) {
        state->page = __atomic_fetch_add(&join->next_rest_page, 1, __ATOMIC_RELAXED);
        state->slot = 0;
        state->has_page = true;
    }
    if (!join->emits_build_rest || state->page >= rows->page_count) {
        *flow = FLOW_DONE;
        return STATUS_OK;
    }
    const RowPage *page = &rows->pages[state->page];
    size_t row_bytes = rows->layout->row_bytes;
    uint64_t wanted = join->kind == JOIN_RIGHT_SEMI ? JOIN_LINK_MATCHED : 0;
    uint32_t count = 0;
    while (state->slot < page->row_count && count < join->query->batch_rows) {
        const uint8_t *row = page->rows + state->slot++ * row_bytes;
        state->pointers[count] = row;
        count += (*join_row_link(&join->shape, row) & JOIN_LINK_MATCHED) == wanted;
    }
    state->has_page = state->slot < page->row_count;
    if (count > 0) {
        emit_build_rows(join, &join->table, state->pointers, count, state->payload_buffers, out);
    }
    return STATUS_OK;
}

static uint32_t rest_parallelism(Source *self)
{
    uint32_t pages = join_of_rest(self)->table.rows.page_count;
    return pages > 0 ? pages : 1;
}

static bool rest_is_done(Source *self)
{
    HashJoin *join = join_of_rest(self);
    return join->spill == NULL &&
           (!join->emits_build_rest || join->table.rows.row_count == 0);
}

const SourceOps hash_join_rest_ops = {
    .name = "Hash Join",
    .local_bytes = sizeof(RestLocal),
    .local_open = rest_local_open,
    .produce = rest_produce,
    .parallelism = rest_parallelism,
    .is_done = rest_is_done,
};
