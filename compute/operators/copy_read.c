/*
 * copy_read.c — each worker takes a block of text, parses it into batches, and fills in the columns
 * that the text does not have.
 */
#include "compute/operators/copy_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "compute/operators/copy_files.h"
#include "protocol/copy/copy_reader.h"

enum {
    LINE_BYTES = 8,       /* of a stream's message: the number of its first line */
    CONSTANT_BYTES = 128, /* a default value's lane, and what may be read behind it */
};
#define NO_FIELD UINT32_MAX

typedef struct CopyRead {
    Source source;
    const PlanCopyRead *plan;
    QueryContext *query;
    CopyFormat format;
    CopyColumn *fields;
    uint32_t *field_of_column; /* per table column, or NO_FIELD */
    CopyFiles *files;          /* null: the leader's stream */
    StreamReceiver *receiver;
    uint64_t error_count;      /* atomic: bad rows of all workers */
} CopyRead;

typedef struct CopyReadLocal {
    CopyReader *reader;
    CopyPiece *piece;
    RowBlock block;
    bool has_block;
    Batch batch;               /* of the fields */
    uint8_t *constants;        /* default values */
    Vector *defaults;
} CopyReadLocal;

static const SourceOps copy_read_ops;

Status copy_read_create(QueryContext *query, const PlanCopyRead *plan, Source **out)
{
    Arena *arena = query->arena;
    CopyRead *read = ARENA_NEW(arena, CopyRead);
    source_init(&read->source, &copy_read_ops, &plan->node);
    read->plan = plan;
    read->query = query;
    ByteReader reader;
    byte_reader_init(&reader, plan->format, plan->format_bytes);
    TRY(copy_format_decode(&reader, &read->format));
    const PlanTable *table = plan->table;
    read->fields = ARENA_ARRAY(arena, CopyColumn, plan->column_count);
    read->field_of_column = ARENA_ARRAY(arena, uint32_t, table->column_count);
    for (uint32_t c = 0; c < table->column_count; c++) {
        read->field_of_column[c] = NO_FIELD;
    }
    for (uint32_t f = 0; f < plan->column_count; f++) {
        const struct PlanTableColumn *column = &table->columns[plan->columns[f]];
        read->fields[f] = (CopyColumn){.name = column->name, .type = column->type,
                                       .is_not_null = column->is_not_null};
        read->field_of_column[plan->columns[f]] = f;
    }
    *out = &read->source;
    return STATUS_OK;
}

static Status copy_read_open(Source *self, QueryContext *query)
{
    CopyRead *read = (CopyRead *)self;
    const PlanCopyRead *plan = read->plan;
    if (plan->exchange_id != 0) {
        static const uint32_t leader[1] = {0};
        return stream_receiver_open(query->hub, query->query_id, plan->exchange_id, leader, 1,
                                    NULL, 0, query->budget, source_waker(self), &read->receiver);
    }
    return copy_files_open(query, &read->format, plan->paths, plan->path_count, query->arena,
                           &read->files);
}

static Status copy_read_local_open(Source *self, void *local, Arena *worker_arena)
{
    CopyRead *read = (CopyRead *)self;
    CopyReadLocal *state = local;
    const PlanTable *table = read->plan->table;
    CopyReaderOptions options = {
        .table_name = table->name,
        .batch_rows = read->query->batch_rows,
    };
    batch_init(&state->batch, read->plan->column_count, worker_arena);
    state->defaults = ARENA_ARRAY(worker_arena, Vector, table->column_count);
    state->constants =
        arena_alloc_aligned(worker_arena, (size_t)table->column_count * CONSTANT_BYTES, 64);
    for (uint32_t c = 0; c < table->column_count; c++) {
        vector_set_constant(&state->defaults[c], &table->columns[c].default_value,
                            state->constants + (size_t)c * CONSTANT_BYTES);
    }
    if (read->files != NULL) {
        state->piece = copy_piece_create(read->files, worker_arena);
    }
    return copy_reader_create(&read->format, read->fields, read->plan->column_count, &options,
                              worker_arena, &state->reader);
}

// A message of the stream as a block with room behind it.
static Status receive_block(CopyRead *read, CopyReadLocal *local, Flow *flow)
{
    uint8_t *data;
    size_t bytes;
    ReceiveResult result;
    TRY(stream_receiver_next_bytes(read->receiver, &data, &bytes, &result));
    if (result != RECEIVE_BATCH) {
        *flow = result == RECEIVE_END ? FLOW_DONE : FLOW_BLOCKED;
        return STATUS_OK;
    }
    ByteReader message;
    byte_reader_init(&message, data, bytes);
    uint64_t first_line = byte_reader_u64(&message);
    size_t text_bytes = byte_reader_remaining(&message);
    uint8_t *text = memory_alloc(read->query->budget, text_bytes + 1);
    bool is_ok = byte_reader_is_ok(&message);
    if (is_ok && text != NULL) {
        memcpy(text, data + LINE_BYTES, text_bytes);
        local->block = (RowBlock){.data = text, .bytes = text_bytes, .capacity = text_bytes + 1,
                                  .first_line = first_line};
        local->has_block = true;
    } else if (text != NULL) {
        memory_free(read->query->budget, text, text_bytes + 1);
    }
    free(data);
    if (!is_ok) {
        return status_error(SQLSTATE_DATA_CORRUPTED, "a block of COPY text is too short");
    }
    return text != NULL ? STATUS_OK
                        : memory_refused(read->query->budget, text_bytes, "a block of COPY text");
}

static Status fetch_block(CopyRead *read, CopyReadLocal *local, Flow *flow)
{
    if (read->files == NULL) {
        TRY(receive_block(read, local, flow));
    } else {
        TRY(copy_piece_next(local->piece, &local->block));
        local->has_block = local->block.data != NULL;
        *flow = local->has_block ? FLOW_MORE : FLOW_DONE;
    }
    if (local->has_block) {
        copy_reader_block(local->reader, local->block.data, local->block.bytes,
                          local->block.first_line);
    }
    return STATUS_OK;
}

static void drop_block(CopyRead *read, CopyReadLocal *local)
{
    if (local->has_block) {
        row_block_free(read->query->budget, &local->block);
        local->has_block = false;
    }
}

// Bad rows are allowed up to a number for the statement; each worker's reader counts its own.
static Status count_errors(CopyRead *read, CopyReadLocal *local)
{
    uint32_t count;
    const CopyError *errors = copy_reader_errors(local->reader, &count);
    if (count == 0) {
        return STATUS_OK;
    }
    uint64_t total = __atomic_add_fetch(&read->error_count, count, __ATOMIC_RELAXED);
    log_info("copy_rows_rejected", "table=%s rows=%u", read->plan->table->name, count);
    if (total <= read->format.errors_max) {
        return STATUS_OK;
    }
    const CopyError *last = &errors[count - 1];
    return status_with_detail(status_error(last->sqlstate, "%s", last->reason),
                              "more than %u rows of COPY were bad", read->format.errors_max);
}

static void set_columns(const CopyRead *read, const CopyReadLocal *local, Batch *out)
{
    const Batch *batch = &local->batch;
    uint32_t column_count = read->plan->table->column_count;
    for (uint32_t c = 0; c < column_count; c++) {
        uint32_t field = read->field_of_column[c];
        out->columns[c] = field == NO_FIELD ? local->defaults[c] : batch->columns[field];
    }
    out->column_count = column_count;
    out->row_count = batch->row_count;
    out->selection = batch->selection;
    out->selected_count = batch->selected_count;
}

static Status copy_read_produce(Source *self, void *local, Batch *out, Flow *flow)
{
    CopyRead *read = (CopyRead *)self;
    CopyReadLocal *state = local;
    *flow = FLOW_MORE;
    if (!state->has_block) {
        TRY(fetch_block(read, state, flow));
        if (!state->has_block) {
            return STATUS_OK;
        }
    }
    bool is_done = false;
    Status status = copy_reader_next(state->reader, &state->batch, &is_done);
    if (status != STATUS_OK) {
        return read->files == NULL ? status
                                   : status_with_context(status, "file \"%s\"",
                                                         copy_piece_path(state->piece));
    }
    if (is_done) {
        status = count_errors(read, state);
        drop_block(read, state);
        return status;
    }
    set_columns(read, state, out);
    return STATUS_OK;
}

static void copy_read_local_close(Source *self, void *local)
{
    CopyRead *read = (CopyRead *)self;
    CopyReadLocal *state = local;
    drop_block(read, state);
    if (state->piece != NULL) {
        copy_piece_close(state->piece);
    }
}

static void copy_read_close(Source *self)
{
    CopyRead *read = (CopyRead *)self;
    if (read->receiver != NULL) {
        self->statistics.bytes = stream_receiver_bytes(read->receiver);
        stream_receiver_close(read->receiver);
        read->receiver = NULL;
    }
}

static uint32_t copy_read_parallelism(Source *self)
{
    CopyRead *read = (CopyRead *)self;
    if (read->files == NULL) {
        return 0;
    }
    uint32_t pieces = copy_files_piece_count(read->files);
    return pieces > 0 ? pieces : 1;
}

static const SourceOps copy_read_ops = {
    .name = "Copy",
    .local_bytes = sizeof(CopyReadLocal),
    .open = copy_read_open,
    .local_open = copy_read_local_open,
    .produce = copy_read_produce,
    .local_close = copy_read_local_close,
    .close = copy_read_close,
    .parallelism = copy_read_parallelism,
};
