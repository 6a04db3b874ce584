/*
 * table_compression.c — ANALYZE COMPRESSION: what rows of the table take, column by column, encoded
 * by each word of ENCODE.
 *
 * Each worker gathers rows as a writer does, a row group at a time, and encodes every column as
 * often as there are words that fit its type; the sums of bytes meet at the end. The scan ends when
 * enough rows have come.
 */
#include "compute/operators/table_compression.h"

#include <stdatomic.h>

#include "base/heap.h"
#include "base/mutex.h"
#include "compute/operators/row_count.h"
#include "planner/plan/encode_word.h"
#include "storage/encoding/encode_block.h"
#include "storage/row_buffer.h"

/* More than any table takes; added where a word could not be obeyed. */
#define COMPRESSION_BYTES_NEVER (UINT64_C(1) << 52)

typedef struct WordBytes {
    uint64_t bytes[ENCODE_WORD_COUNT];
} WordBytes;

typedef struct TableCompression {
    Sink sink;
    const PlanTableWrite *plan;
    MemoryBudget *budget;
    const Type *types;
    uint32_t column_count;
    _Atomic int64_t rows_left; /* relaxed: a count, no other data hangs on it */
    Mutex mutex;               /* guards what follows while workers merge */
    WordBytes *sums;           /* per column */
    uint64_t row_count;
    ByteBuffer measured;
} TableCompression;

typedef struct TableCompressionLocal {
    RowBuffer *rows;
    EncodeContext *context;
    EncodedBlock *block;
    WordBytes *sums; /* per column */
    uint64_t row_count;
} TableCompressionLocal;

static const SinkOps table_compression_ops;

static void free_measured(void *object)
{
    byte_buffer_deinit(&((TableCompression *)object)->measured);
}

Status table_compression_create(QueryContext *query, const PlanTableWrite *plan, Sink **sink,
                                Source **source)
{
    const PlanTable *table = plan->table;
    TableCompression *self = ARENA_NEW(query->arena, TableCompression);
    Type *types = ARENA_ARRAY(query->arena, Type, table->column_count);
    sink_init(&self->sink, &table_compression_ops, &plan->node);
    self->plan = plan;
    self->budget = query->budget;
    self->column_count = table->column_count;
    for (uint32_t i = 0; i < table->column_count; i++) {
        types[i] = table->columns[i].type;
    }
    self->types = types;
    self->sums = ARENA_ARRAY(query->arena, WordBytes, table->column_count);
    atomic_init(&self->rows_left, (int64_t)plan->compression_rows);
    mutex_init(&self->mutex, MUTEX_RANK_OPERATOR);
    byte_buffer_init(&self->measured, 0);
    arena_on_reset(query->arena, free_measured, self);
    *sink = &self->sink;
    *source = row_count_create(query, &plan->node, table_compression_ops.name, &self->row_count);
    return STATUS_OK;
}

static Status table_compression_local_open(Sink *self, void *local, Arena *worker_arena)
{
    const TableCompression *compression = (const TableCompression *)self;
    TableCompressionLocal *state = local;
    state->sums = ARENA_ARRAY(worker_arena, WordBytes, compression->column_count);
    state->block = heap_alloc(sizeof *state->block);
    state->context = heap_alloc_zeroed(sizeof *state->context);
    if (state->block == NULL || state->context == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory to encode rows");
    }
    TRY(row_buffer_create(compression->types, compression->column_count, compression->budget,
                          &state->rows));
    return encode_context_init(state->context, compression->budget);
}

/* Bytes of a chunk by one word; each starts anew, as a load does. */
static Status measure_word(TableCompressionLocal *state, const ColumnChunk *chunk, uint32_t word,
                           uint64_t *bytes)
{
    static const BlockIdentity identity = {0};
    EncodingMemory memory = {0};
    Status status = encode_block(state->context, chunk, &memory,
                                 encodings_of_word(word, chunk->lane), &identity, state->block);
    encoding_memory_deinit(&memory);
    if (status == STATUS_OK) {
        *bytes += state->block->byte_count;
    }
    return status;
}

/* As above, of a word that is not in force: it is no proposal when it does not restrict the choice,
 * or when none of its encodings could take the chunk. */
static Status measure_other(TableCompressionLocal *state, const ColumnChunk *chunk, uint32_t word,
                            uint64_t *bytes)
{
    const uint32_t encodings = encodings_of_word(word, chunk->lane);
    if (!encode_word_fits((EncodeWord)word, chunk->type) ||
        (encodings == 0 && word != ENCODE_WORD_AUTO)) {
        return STATUS_OK;
    }
    TRY(measure_word(state, chunk, word, bytes));
    const EncodingId chosen = state->block->encoding;
    if (encodings != 0 && chosen != ENCODING_CONSTANT && (encodings & encoding_set(chosen)) == 0) {
        *bytes += COMPRESSION_BYTES_NEVER;
    }
    return STATUS_OK;
}

/* The word in force comes last: what it chose decides whether later columns may lean on this one,
 * as when rows are written. */
static Status measure_column(const TableCompression *self, TableCompressionLocal *state,
                             uint32_t column)
{
    const PlanTable *table = self->plan->table;
    const uint32_t current = table->columns[column].encode_word;
    uint64_t *bytes = state->sums[column].bytes;
    ColumnChunk chunk;
    row_buffer_chunk(state->rows, column, &chunk);
    for (uint32_t word = 0; word < ENCODE_WORD_COUNT; word++) {
        if (word != current) {
            TRY(measure_other(state, &chunk, word, &bytes[word]));
        }
    }
    if (current < ENCODE_WORD_COUNT) {
        TRY(measure_word(state, &chunk, current, &bytes[current]));
        if (table->sort_key_count == 0) {
            encode_context_add_base(state->context, table->columns[column].column_id, &chunk,
                                    state->block->encoding);
        }
    }
    return STATUS_OK;
}

static Status measure_rows(const TableCompression *self, TableCompressionLocal *state)
{
    state->context->base_count = 0;
    for (uint32_t i = 0; i < self->column_count && state->rows->row_count > 0; i++) {
        TRY(measure_column(self, state, i));
    }
    state->row_count += state->rows->row_count;
    row_buffer_clear(state->rows);
    return STATUS_OK;
}

static Status table_compression_consume(Sink *self, void *local, Batch *in, Flow *flow)
{
    TableCompression *compression = (TableCompression *)self;
    TableCompressionLocal *state = local;
    const int64_t left = atomic_fetch_sub_explicit(&compression->rows_left, in->selected_count,
                                                   memory_order_relaxed);
    const uint32_t taken = left <= 0                            ? 0
                           : left < (int64_t)in->selected_count ? (uint32_t)left
                                                                : in->selected_count;
    *flow = left <= (int64_t)in->selected_count ? FLOW_DONE : FLOW_MORE;
    if (taken == 0) {
        return STATUS_OK;
    }
    TRY(batch_load_all(in));
    if (state->rows->row_count + taken > ROW_BUFFER_ROWS_MAX) {
        TRY(measure_rows(compression, state));
    }
    return row_buffer_append(state->rows, in, in->selection, taken);
}

static Status table_compression_merge(Sink *self, void *local, Flow *flow)
{
    TableCompression *compression = (TableCompression *)self;
    TableCompressionLocal *state = local;
    *flow = FLOW_MORE;
    TRY(measure_rows(compression, state));
    mutex_lock(&compression->mutex);
    compression->row_count += state->row_count;
    for (uint32_t i = 0; i < compression->column_count; i++) {
        for (uint32_t word = 0; word < ENCODE_WORD_COUNT; word++) {
            compression->sums[i].bytes[word] += state->sums[i].bytes[word];
        }
    }
    mutex_unlock(&compression->mutex);
    return STATUS_OK;
}

static Status table_compression_finish(Sink *self, Flow *flow)
{
    TableCompression *compression = (TableCompression *)self;
    ByteBuffer *target = &compression->measured;
    *flow = FLOW_DONE;
    for (uint32_t i = 0; i < compression->column_count; i++) {
        byte_buffer_add_u32(target, compression->plan->table->columns[i].column_id);
        for (uint32_t word = 0; word < ENCODE_WORD_COUNT; word++) {
            byte_buffer_add_u64(target, compression->sums[i].bytes[word]);
        }
    }
    return byte_buffer_status(target);
}

static void table_compression_add_write(const Sink *self, ByteBuffer *target)
{
    const TableCompression *compression = (const TableCompression *)self;
    byte_buffer_add_u64(target, compression->plan->table->table_id);
    byte_buffer_add_u64(target, compression->row_count);
    byte_buffer_add_blob(target, compression->measured.data, compression->measured.bytes);
}

static void table_compression_local_close(Sink *self, void *local)
{
    TableCompressionLocal *state = local;
    (void)self;
    row_buffer_destroy(state->rows);
    if (state->context != NULL) {
        encode_context_deinit(state->context);
    }
    heap_free(state->context);
    heap_free(state->block);
    *state = (TableCompressionLocal){0};
}

static void table_compression_close(Sink *self)
{
    mutex_deinit(&((TableCompression *)self)->mutex);
}

static const SinkOps table_compression_ops = {
    .name = "Analyze Compression",
    .local_bytes = sizeof(TableCompressionLocal),
    .local_open = table_compression_local_open,
    .consume = table_compression_consume,
    .merge = table_compression_merge,
    .finish = table_compression_finish,
    .add_write = table_compression_add_write,
    .local_close = table_compression_local_close,
    .close = table_compression_close,
};
