/*
 * sort_rowset.c — a run of encoded row groups becomes one whose rows ascend by the table's sort
 * key.
 *
 * Column by column, as the file is laid out: the sort keys give the order of the rows; then each
 * column is decoded as a whole, put into that order row group by row group, and encoded anew. At
 * most one column is decoded at a time.
 */
#include <string.h>
#include "base/heap.h"
#include "storage/interleave.h"
#include "storage/row_sort.h"
#include "storage/table_writer_internal.h"

/* A decoded column of the run. */
typedef struct WideColumn {
    MemoryBudget *budget;
    Type type;
    Lane lane;
    uint32_t row_count;
    void *values;
    uint64_t *validity; /* null: no nulls */
    uint32_t null_count;
    struct RowBuffer **pieces; /* text: one per row group, which own the bytes */
    uint32_t piece_count;
} WideColumn;

static size_t validity_bytes(uint32_t row_count)
{
    return ((size_t)row_count + VECTOR_ROWS) / 8 + sizeof(uint64_t);
}

static void wide_column_close(WideColumn *column)
{
    memory_free(column->budget, column->values,
                ((size_t)column->row_count + 1) * lane_bytes(column->lane));
    memory_free(column->budget, column->validity, validity_bytes(column->row_count));
    for (uint32_t i = 0; i < column->piece_count; i++) {
        row_buffer_destroy(column->pieces[i]);
    }
    heap_free((void *)column->pieces);
    *column = (WideColumn){0};
}

/* One row group, through a RowBuffer: it knows how to widen every form and keeps text. */
static Status decode_row_group(const Block *block, DecodeBuffer *buffer, RowBuffer *rows)
{
    for (uint32_t v = 0; v < block->vector_count; v++) {
        Vector vector;
        TRY(block->encoding->decode(block, v, NULL, 0, buffer, &vector));
        const uint32_t count = block_vector_rows(block, v);
        const Batch batch = {
            .row_count = count, .selected_count = count, .column_count = 1, .columns = &vector};
        TRY(row_buffer_append(rows, &batch, NULL, count));
    }
    return STATUS_OK;
}

static void copy_row_group(WideColumn *column, const RowBuffer *rows, uint32_t first_row)
{
    ColumnChunk chunk;
    row_buffer_chunk(rows, 0, &chunk);
    const size_t lane = lane_bytes(column->lane);
    memcpy((uint8_t *)column->values + first_row * lane, chunk.values, chunk.row_count * lane);
    column->null_count += chunk.null_count;
    for (uint32_t i = 0; i < chunk.row_count; i++) {
        if (validity_get(chunk.validity, i)) {
            validity_set(column->validity, first_row + i);
        }
    }
}

static Status wide_column_open(WideColumn *column, const RowsetWriter *source, uint32_t index,
                               Type type, MemoryBudget *budget)
{
    const uint32_t row_count = (uint32_t)rowset_writer_row_count(source);
    *column = (WideColumn){.budget = budget,
                           .type = type,
                           .lane = type_is_scaled_integer(type) ? LANE_I64 : type_widest_lane(type),
                           .row_count = row_count};
    column->values = memory_alloc(budget, ((size_t)row_count + 1) * lane_bytes(column->lane));
    column->validity = memory_alloc_zeroed(budget, validity_bytes(row_count));
    column->pieces = heap_alloc_zeroed(FORMAT_ROWSET_ROW_GROUPS * sizeof *column->pieces);
    if (column->values == NULL || column->validity == NULL || column->pieces == NULL) {
        return memory_refused(budget, row_count * lane_bytes(column->lane), "sorting rows");
    }
    DecodeBuffer buffer;
    TRY(decode_buffer_init(&buffer, budget));
    Status status = STATUS_OK;
    uint32_t first_row = 0;
    for (uint32_t group = 0; group < rowset_writer_row_group_count(source) && status == STATUS_OK;
         group++) {
        size_t bytes;
        const uint8_t *data = rowset_writer_block(source, index, group, &bytes);
        const BlockIdentity identity = rowset_writer_identity(source, index, group);
        Block block;
        status = block_open(data, bytes, &identity, type, budget, &block);
        if (status != STATUS_OK) {
            break;
        }
        RowBuffer **piece = &column->pieces[column->lane == LANE_TEXT ? group : 0];
        if (*piece == NULL) {
            status = row_buffer_create(&type, 1, budget, piece);
            column->piece_count += status == STATUS_OK;
        } else {
            row_buffer_clear(*piece);
        }
        if (status == STATUS_OK) {
            status = decode_row_group(&block, &buffer, *piece);
        }
        if (status == STATUS_OK) {
            copy_row_group(column, *piece, first_row);
        }
        first_row += block.row_count;
        block_close(&block);
    }
    decode_buffer_deinit(&buffer);
    return status;
}

/* Rows order[first ..] of a column as a chunk in the memory of `values` and `validity`. */
static void gather_chunk(const WideColumn *column, const uint32_t *order, uint32_t row_count,
                         void *values, uint64_t *validity, ColumnChunk *out)
{
    const size_t lane = lane_bytes(column->lane);
    const uint8_t *source = column->values;
    uint8_t *target = values;
    uint32_t null_count = 0, first_present = UINT32_MAX;
    memset(validity, 0, FORMAT_ROW_GROUP_ROWS / 8);
    for (uint32_t i = 0; i < row_count; i++) {
        if (lane == sizeof(int64_t)) {
            memcpy(target + i * 8, source + (size_t)order[i] * 8, 8);
        } else {
            memcpy(target + i * lane, source + (size_t)order[i] * lane, lane);
        }
    }
    for (uint32_t i = 0; column->null_count > 0 && i < row_count; i++) {
        if (validity_get(column->validity, order[i])) {
            validity_set(validity, i);
            first_present = i < first_present ? i : first_present;
        } else { // what a null repeats must stand before it in the new order
            null_count++;
            if (i > 0) {
                memcpy(target + i * lane, target + (i - 1) * lane, lane);
            }
        }
    }
    for (uint32_t i = 0; first_present != UINT32_MAX && i < first_present; i++) {
        memcpy(target + i * lane, target + first_present * lane, lane);
    }
    *out = (ColumnChunk){.type = column->type,
                         .lane = column->lane,
                         .row_count = row_count,
                         .null_count = null_count,
                         .values = values,
                         .validity = null_count > 0 ? validity : NULL};
}

/* What sorting one run needs besides the columns. */
typedef struct SortRun {
    const RowsetWriter *source;
    TableWriter *writer;
    EncodeContext *context;
    EncodingMemory *memories;
    RowsetWriter *target;
    uint32_t row_count;
    uint32_t *order;
    void *values; /* a row group of the widest lane */
    uint64_t *validity;
    EncodedBlock *block;
} SortRun;

#define RUN_VALUES_BYTES ((size_t)FORMAT_ROW_GROUP_ROWS * sizeof(Int128) + 64)

/* Rows by the bits of their ranks in all key columns: interleave.h. */
static Status find_interleaved_order(SortRun *run)
{
    const PlanTable *table = run->writer->table;
    MemoryBudget *budget = run->writer->budget;
    const size_t bytes = ((size_t)run->row_count + 1) * sizeof(uint64_t);
    uint64_t *codes = memory_alloc_zeroed(budget, bytes);
    Status status = codes != NULL ? STATUS_OK : memory_refused(budget, bytes, "sorting rows");
    for (uint32_t k = 0; k < table->sort_key_count && status == STATUS_OK; k++) {
        const uint32_t index = table->sort_keys[k];
        WideColumn column = {0};
        status = wide_column_open(&column, run->source, index, run->writer->types[index], budget);
        if (status == STATUS_OK) {
            const SortColumn key = {.lane = column.lane,
                                    .values = column.values,
                                    .validity = column.null_count > 0 ? column.validity : NULL};
            status = row_sort_by(&key, run->row_count, budget, run->order);
            if (status == STATUS_OK) {
                interleave_ranks(&key, run->order, run->row_count, k, table->sort_key_count, codes);
            }
        }
        if (column.budget != NULL) {
            wide_column_close(&column);
        }
    }
    if (status == STATUS_OK) {
        status = row_sort_by_codes(codes, run->row_count, budget, run->order);
    }
    memory_free(budget, codes, bytes);
    return status;
}

static Status find_order(SortRun *run)
{
    const PlanTable *table = run->writer->table;
    for (uint32_t i = 0; i < run->row_count; i++) {
        run->order[i] = i;
    }
    if (table->is_interleaved) {
        return find_interleaved_order(run);
    }
    for (uint32_t k = table->sort_key_count; k > 0; k--) { // the last key first
        const uint32_t index = table->sort_keys[k - 1];
        WideColumn column = {0};
        Status status = wide_column_open(&column, run->source, index, run->writer->types[index],
                                         run->writer->budget);
        if (status == STATUS_OK) {
            const SortColumn key = {.lane = column.lane,
                                    .values = column.values,
                                    .validity = column.null_count > 0 ? column.validity : NULL};
            status = row_sort_by(&key, run->row_count, run->writer->budget, run->order);
        }
        if (column.budget != NULL) {
            wide_column_close(&column);
        }
        TRY(status);
    }
    return STATUS_OK;
}

static Status encode_column(SortRun *run, const WideColumn *column, uint32_t index)
{
    const uint32_t step = run->writer->row_group_rows;
    for (uint32_t first = 0; first < run->row_count; first += step) {
        const uint32_t left = run->row_count - first;
        ColumnChunk chunk;
        gather_chunk(column, run->order + first, left < step ? left : step, run->values,
                     run->validity, &chunk);
        chunk.is_looked_up = run->writer->columns[index].is_looked_up;
        const uint32_t group = first / step;
        const BlockIdentity identity = rowset_writer_identity(run->target, index, group);
        TRY(encode_block(
            run->context, &chunk, &run->memories[index],
            encodings_of_word(run->writer->table->columns[index].encode_word, chunk.lane),
            &identity, run->block));
        TRY(rowset_writer_add(run->target, index, group, run->block));
    }
    return STATUS_OK;
}

static Status encode_columns(SortRun *run)
{
    const PlanTable *table = run->writer->table;
    for (uint32_t i = 0; i < table->column_count; i++) {
        WideColumn column = {0};
        Status status =
            wide_column_open(&column, run->source, i, run->writer->types[i], run->writer->budget);
        if (status == STATUS_OK) {
            status = encode_column(run, &column, i);
        }
        if (column.budget != NULL) {
            wide_column_close(&column);
        }
        TRY(status);
    }
    const uint32_t step = run->writer->row_group_rows;
    for (uint32_t first = 0; first < run->row_count; first += step) {
        const uint32_t left = run->row_count - first;
        rowset_writer_end_row_group(run->target, left < step ? left : step);
    }
    // An interleaved order is one of this rowset only: no merge can go on with it.
    rowset_writer_set_sort_keys(run->target, table->sort_keys,
                                table->is_interleaved ? 0 : table->sort_key_count);
    return STATUS_OK;
}

Status row_sort_rowset(const RowsetWriter *source, TableWriter *writer, EncodeContext *context,
                       EncodingMemory *memories, const RowsetPlace *place, RowsetWriter **out)
{
    MemoryBudget *budget = writer->budget;
    SortRun run = {.source = source,
                   .writer = writer,
                   .context = context,
                   .memories = memories,
                   .row_count = (uint32_t)rowset_writer_row_count(source)};
    const size_t order_bytes = ((size_t)run.row_count + 1) * sizeof *run.order;
    run.order = memory_alloc(budget, order_bytes);
    run.values = memory_alloc(budget, RUN_VALUES_BYTES);
    run.validity = memory_alloc(budget, FORMAT_ROW_GROUP_ROWS / 8);
    run.block = heap_alloc(sizeof *run.block);
    Status status = STATUS_OK;
    if (run.order == NULL || run.values == NULL || run.validity == NULL || run.block == NULL) {
        status = memory_refused(budget, order_bytes, "sorting rows");
    }
    if (status == STATUS_OK) {
        status = rowset_writer_create(place, writer->columns, writer->table->column_count, budget,
                                      &run.target);
    }
    if (status == STATUS_OK) {
        status = find_order(&run);
    }
    if (status == STATUS_OK) {
        status = encode_columns(&run);
    }
    memory_free(budget, run.order, order_bytes);
    memory_free(budget, run.values, RUN_VALUES_BYTES);
    memory_free(budget, run.validity, FORMAT_ROW_GROUP_ROWS / 8);
    heap_free(run.block);
    if (status != STATUS_OK) {
        rowset_writer_destroy(run.target);
        return status;
    }
    *out = run.target;
    return STATUS_OK;
}
