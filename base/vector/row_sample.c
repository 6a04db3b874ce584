/*
 * row_sample.c — a uniform sample of rows (column_sketch.h): Vitter's algorithm R with the skips of
 * Li's algorithm L (1994), so that rows that are not taken cost nothing.
 *
 * Cells are Values row by row; long text is copied to the heap and dies with its cell.
 */
#include <math.h>
#include <string.h>
#include "base/clock.h"
#include "base/heap.h"
#include "base/vector/column_sketch.h"
#include "base/vector/value_batch.h"

#define SAMPLE_VERSION 1
#define SAMPLE_ROWS_LIMIT 65536u
#define SAMPLE_BYTES_MAX (2u << 20) /* encoded; it travels in messages and lies in the catalog */

struct RowSample {
    uint32_t column_count, rows_max, row_count, row_capacity;
    uint64_t seen;
    uint64_t next; /* number (from 0) of the next row to take, once the sample is full */
    double weight; /* of algorithm L */
    Random random;
    Type *types;
    Value *cells;
};

RowSample *row_sample_create(const Type *types, uint32_t column_count, uint32_t rows_max,
                             uint64_t seed)
{
    RowSample *sample = heap_alloc_zeroed(sizeof *sample);
    Type *copy = heap_alloc(column_count * sizeof *copy + 1);
    if (sample == NULL || copy == NULL) {
        heap_free(sample);
        heap_free(copy);
        return NULL;
    }
    memcpy(copy, types, column_count * sizeof *copy);
    sample->types = copy;
    sample->column_count = column_count;
    sample->rows_max = rows_max < SAMPLE_ROWS_LIMIT ? rows_max : SAMPLE_ROWS_LIMIT;
    random_seed(&sample->random, seed);
    return sample;
}

static void free_cell(Value *cell)
{
    if (!cell->is_null && type_is_text(cell->type) && cell->text.length > TEXT_INLINE_MAX) {
        heap_free((void *)(uintptr_t)cell->text.data);
    }
    cell->is_null = true;
}

static Value *row_cells(const RowSample *sample, uint32_t row)
{
    return sample->cells + (size_t)row * sample->column_count;
}

static void free_row(RowSample *sample, uint32_t row)
{
    for (uint32_t i = 0; i < sample->column_count; i++) {
        free_cell(&row_cells(sample, row)[i]);
    }
}

void row_sample_destroy(RowSample *sample)
{
    if (sample == NULL) {
        return;
    }
    for (uint32_t row = 0; row < sample->row_count; row++) {
        free_row(sample, row);
    }
    heap_free(sample->cells);
    heap_free(sample->types);
    heap_free(sample);
}

static Status no_memory(void)
{
    return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a sample of rows");
}

static bool reserve_rows(RowSample *sample, uint32_t rows)
{
    if (rows <= sample->row_capacity) {
        return true;
    }
    uint32_t capacity = sample->row_capacity == 0 ? 64 : 2 * sample->row_capacity;
    capacity = capacity < rows ? rows : capacity;
    Value *cells =
        heap_realloc(sample->cells, (size_t)capacity * sample->column_count * sizeof *cells + 1);
    if (cells == NULL) {
        return false;
    }
    sample->cells = cells;
    sample->row_capacity = capacity;
    return true;
}

/* A value with its own text. */
static bool copy_cell(Value *target, const Value *source)
{
    *target = *source;
    if (!source->is_null && type_is_text(source->type) && source->text.length > TEXT_INLINE_MAX) {
        char *text = heap_alloc(source->text.length);
        if (text == NULL) {
            target->is_null = true;
            return false;
        }
        memcpy(text, source->text.data, source->text.length);
        target->text.data = text;
    }
    return true;
}

/* Numbers in (0, 1]. */
static double random_unit(Random *random)
{
    return ((double)(random_next(random) >> 11) + 1) * 0x1p-53;
}

/* Which row is taken next: geometric skips whose mean grows with what was seen. */
static void skip_ahead(RowSample *sample, uint64_t from)
{
    if (sample->weight == 0) {
        sample->weight = exp(log(random_unit(&sample->random)) / sample->rows_max);
    } else {
        sample->weight *= exp(log(random_unit(&sample->random)) / sample->rows_max);
    }
    const double skip = floor(log(random_unit(&sample->random)) / log1p(-sample->weight));
    sample->next = skip < 0x1p62 ? from + (uint64_t)skip : UINT64_MAX;
}

/* A full sample of `seen` rows that was not made row by row: the weight is what it would be on
 * average, the share of rows taken. */
static void restart_skips(RowSample *sample)
{
    sample->weight = (double)sample->rows_max / ((double)sample->seen + 1);
    skip_ahead(sample, sample->seen);
}

static Status put_row(RowSample *sample, uint32_t row, const Batch *batch, uint32_t batch_row_index)
{
    bool is_complete = true;
    for (uint32_t i = 0; i < sample->column_count; i++) {
        const Value value = vector_value(&batch->columns[i], batch_row_index);
        is_complete &= copy_cell(&row_cells(sample, row)[i], &value);
    }
    return is_complete ? STATUS_OK : no_memory();
}

Status row_sample_add(RowSample *sample, Batch *batch)
{
    uint32_t index = 0;
    while (index < batch->selected_count && sample->row_count < sample->rows_max) {
        if (!reserve_rows(sample, sample->row_count + 1)) {
            return no_memory();
        }
        TRY(batch_load_all(batch));
        sample->row_count++;
        TRY(put_row(sample, sample->row_count - 1, batch, batch_row(batch, index)));
        index++;
        if (sample->row_count == sample->rows_max) {
            skip_ahead(sample, sample->seen + index);
        }
    }
    while (sample->row_count == sample->rows_max && sample->rows_max > 0 &&
           sample->next < sample->seen + batch->selected_count) {
        const uint32_t victim = (uint32_t)random_below(&sample->random, sample->rows_max);
        TRY(batch_load_all(batch));
        free_row(sample, victim);
        TRY(put_row(sample, victim, batch,
                    batch_row(batch, (uint32_t)(sample->next - sample->seen))));
        skip_ahead(sample, sample->next + 1);
    }
    sample->seen += batch->selected_count;
    return STATUS_OK;
}

/* Swaps a row to the end of those still to choose from. */
static void swap_rows(RowSample *sample, uint32_t left, uint32_t right)
{
    for (uint32_t i = 0; i < sample->column_count && left != right; i++) {
        const Value cell = row_cells(sample, left)[i];
        row_cells(sample, left)[i] = row_cells(sample, right)[i];
        row_cells(sample, right)[i] = cell;
    }
}

static Status copy_row(RowSample *target, uint32_t row, const Value *cells)
{
    bool is_complete = true;
    for (uint32_t i = 0; i < target->column_count; i++) {
        is_complete &= copy_cell(&row_cells(target, row)[i], &cells[i]);
    }
    return is_complete ? STATUS_OK : no_memory();
}

/* How many of `count` draws come from the target, each side weighted by the rows it stands for. */
static uint32_t draw_share(RowSample *target, const RowSample *source, uint32_t count)
{
    uint64_t left = target->seen, right = source->seen;
    uint32_t share = 0;
    for (uint32_t i = 0; i < count && left + right > 0; i++) {
        if (random_below(&target->random, left + right) < left) {
            share++;
            left--;
        } else {
            right--;
        }
    }
    return share;
}

Status row_sample_merge(RowSample *target, const RowSample *source)
{
    const uint32_t available = target->row_count + source->row_count;
    const uint32_t wanted = available < target->rows_max ? available : target->rows_max;
    uint32_t kept = draw_share(target, source, wanted);
    kept = kept < target->row_count ? kept : target->row_count;
    kept = wanted - kept > source->row_count ? wanted - source->row_count : kept;
    if (!reserve_rows(target, wanted)) {
        return no_memory();
    }
    // Keep `kept` random rows of the target, then append random rows of the source.
    for (uint32_t i = 0; i < kept; i++) {
        swap_rows(target, i, i + (uint32_t)random_below(&target->random, target->row_count - i));
    }
    while (target->row_count > kept) {
        free_row(target, --target->row_count);
    }
    uint32_t needed = wanted - kept;
    for (uint32_t row = 0; row < source->row_count && needed > 0; row++) {
        if (random_below(&target->random, source->row_count - row) < needed) {
            target->row_count++;
            TRY(copy_row(target, target->row_count - 1, row_cells(source, row)));
            needed--;
        }
    }
    target->seen += source->seen;
    if (target->row_count == target->rows_max && target->rows_max > 0) {
        restart_skips(target);
    }
    return STATUS_OK;
}

static bool copy_columns(RowSample *target, const RowSample *source, const int32_t *sources,
                         const Value *missing)
{
    bool is_complete = reserve_rows(target, source->row_count);
    for (uint32_t row = 0; is_complete && row < source->row_count; row++) {
        for (uint32_t i = 0; i < target->column_count; i++) {
            const Value *cell = sources[i] < 0 ? &missing[i] : &row_cells(source, row)[sources[i]];
            is_complete &= copy_cell(&row_cells(target, row)[i], cell);
            row_cells(target, row)[i].type = target->types[i];
        }
        target->row_count++;
    }
    return is_complete;
}

Status row_sample_with_columns(const RowSample *source, const Type *types, uint32_t column_count,
                               const int32_t *sources, const Value *missing, RowSample **out)
{
    RowSample *sample = row_sample_create(types, column_count, source->rows_max, source->seen);
    if (sample == NULL) {
        return no_memory();
    }
    if (!copy_columns(sample, source, sources, missing)) {
        row_sample_destroy(sample);
        return no_memory();
    }
    sample->seen = source->seen;
    sample->next = source->next;
    sample->weight = source->weight;
    *out = sample;
    return STATUS_OK;
}

uint64_t row_sample_seen(const RowSample *sample)
{
    return sample->seen;
}

uint32_t row_sample_count(const RowSample *sample)
{
    return sample->row_count;
}

Status row_sample_batches(const RowSample *sample, Arena *arena, Batch **out, uint32_t *count)
{
    value_batches(arena, sample->types, sample->column_count, sample->cells, sample->row_count, out,
                  count);
    return STATUS_OK;
}

/* Layout: version, rows seen, rows_max, columns, rows, cells row by row: a flag, then the value. */

static void encode_cell(const Value *cell, ByteBuffer *target)
{
    byte_buffer_add_u8(target, cell->is_null ? 0 : 1);
    if (cell->is_null) {
        return;
    }
    if (type_is_text(cell->type)) {
        byte_buffer_add_blob(target, text_view_data(&cell->text), cell->text.length);
    } else if (type_is_scaled_integer(cell->type) || type_is_float(cell->type)) {
        byte_buffer_add_u64(target, (uint64_t)cell->i64);
    } else {
        byte_buffer_add(target, &cell->i128, sizeof cell->i128);
    }
}

/* The rows that are encoded when only `kept` of them are: evenly spread. */
static uint32_t spread_row(const RowSample *sample, uint32_t kept, uint32_t index)
{
    return (uint32_t)((uint64_t)index * sample->row_count / kept);
}

static uint64_t spread_bytes(const RowSample *sample, uint32_t kept)
{
    uint64_t bytes = 0;
    for (uint32_t index = 0; index < kept; index++) {
        const Value *cells = row_cells(sample, spread_row(sample, kept, index));
        for (uint32_t i = 0; i < sample->column_count; i++) {
            bytes += 1 + sizeof cells[i].i128;
            bytes += !cells[i].is_null && type_is_text(cells[i].type) ? cells[i].text.length : 0;
        }
    }
    return bytes;
}

void row_sample_encode(const RowSample *sample, ByteBuffer *target)
{
    uint32_t kept = sample->row_count; // fewer of long rows
    while (kept > 0 && spread_bytes(sample, kept) > SAMPLE_BYTES_MAX) {
        kept = kept / 4 * 3;
    }
    byte_buffer_add_u8(target, SAMPLE_VERSION);
    byte_buffer_add_u64(target, sample->seen);
    byte_buffer_add_u32(target, sample->rows_max);
    byte_buffer_add_varint(target, sample->column_count);
    byte_buffer_add_varint(target, kept);
    for (uint32_t index = 0; index < kept; index++) {
        const Value *cells = row_cells(sample, spread_row(sample, kept, index));
        for (uint32_t i = 0; i < sample->column_count; i++) {
            encode_cell(&cells[i], target);
        }
    }
}

/* The cell borrows text from the reader's bytes. */
static Value decode_cell(ByteReader *reader, Type type)
{
    Value cell = value_null(type);
    const uint8_t flag = byte_reader_u8(reader);
    if (flag > 1) {
        byte_reader_fail(reader);
    }
    if (flag != 1) {
        return cell;
    }
    size_t bytes = sizeof cell.i128;
    if (type_is_text(type)) {
        const uint8_t *text = byte_reader_blob(reader, &bytes);
        if (text != NULL && bytes <= VARCHAR_BYTES_MAX) {
            cell.text = text_view_make((const char *)text, bytes);
            cell.is_null = false;
        } else {
            byte_reader_fail(reader);
        }
    } else if (type_is_scaled_integer(type) || type_is_float(type)) {
        cell.i64 = (int64_t)byte_reader_u64(reader);
        cell.is_null = false;
    } else {
        const uint8_t *data = byte_reader_view(reader, bytes);
        if (data != NULL) {
            memcpy(&cell.i128, data, bytes);
            cell.is_null = false;
        }
    }
    return cell;
}

static Status decode_rows(ByteReader *reader, RowSample *sample, uint32_t row_count)
{
    for (uint32_t row = 0; row < row_count; row++) {
        if (!reserve_rows(sample, row + 1)) {
            return no_memory();
        }
        for (uint32_t i = 0; i < sample->column_count; i++) {
            const Value cell = decode_cell(reader, sample->types[i]);
            if (!copy_cell(&row_cells(sample, row)[i], &cell)) {
                while (i > 0) {
                    free_cell(&row_cells(sample, row)[--i]);
                }
                return no_memory();
            }
        }
        sample->row_count++;
    }
    return byte_reader_is_ok(reader)
               ? STATUS_OK
               : status_error(SQLSTATE_DATA_CORRUPTED, "malformed sample of rows");
}

Status row_sample_decode(ByteReader *reader, const Type *types, uint32_t column_count,
                         RowSample **out)
{
    const uint8_t version = byte_reader_u8(reader);
    const uint64_t seen = byte_reader_u64(reader);
    const uint32_t rows_max = byte_reader_u32(reader);
    const uint64_t columns = byte_reader_varint(reader);
    const uint32_t rows = byte_reader_count(reader, column_count > 0 ? column_count : 1);
    if (!byte_reader_is_ok(reader) || version != SAMPLE_VERSION || columns != column_count ||
        rows > rows_max || rows > seen || rows_max > SAMPLE_ROWS_LIMIT) {
        return status_error(SQLSTATE_DATA_CORRUPTED, "malformed sample of rows");
    }
    RowSample *sample = row_sample_create(types, column_count, rows_max, seen);
    if (sample == NULL) {
        return no_memory();
    }
    sample->seen = seen;
    Status status = decode_rows(reader, sample, rows);
    if (status != STATUS_OK) {
        row_sample_destroy(sample);
        return status;
    }
    if (sample->row_count == sample->rows_max && rows_max > 0) {
        restart_skips(sample);
    }
    *out = sample;
    return STATUS_OK;
}
