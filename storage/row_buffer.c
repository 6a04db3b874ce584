/* row_buffer.c — see row_buffer.h. */
#include "storage/row_buffer.h"

#include <string.h>
#include "base/heap.h"
#include "base/vector/vector_kernels.h"

#define ROWS_FIRST 1024u
#define TEXT_PIECE_FIRST ((size_t)16 << 10)
#define TEXT_PIECE_MAX ((size_t)1 << 20)
#define TEXT_SPARE_BYTES 32 /* encoders read further */

static Lane buffer_lane(Type type)
{
    return type_is_scaled_integer(type) ? LANE_I64 : type_widest_lane(type);
}

static size_t validity_bytes(uint32_t rows)
{
    return rows / 64 * sizeof(uint64_t);
}

Status row_buffer_create(const Type *types, uint32_t column_count, MemoryBudget *budget,
                         RowBuffer **out)
{
    RowBuffer *buffer = heap_alloc_zeroed(sizeof *buffer);
    ColumnBuffer *columns = heap_alloc_zeroed(column_count * sizeof *columns);
    if (buffer == NULL || columns == NULL) {
        heap_free(buffer);
        heap_free(columns);
        return memory_refused(budget, column_count * sizeof *columns, "rows being written");
    }
    buffer->budget = budget;
    buffer->column_count = column_count;
    buffer->columns = columns;
    buffer->arena = arena_create(NULL, "row_buffer_arena");
    vector_buffer_init(&buffer->widened, buffer->arena);
    for (uint32_t i = 0; i < column_count; i++) {
        columns[i].type = types[i];
        columns[i].lane = buffer_lane(types[i]);
        columns[i].facts.length_min = UINT32_MAX;
    }
    *out = buffer;
    return STATUS_OK;
}

static void free_pieces(RowBuffer *buffer, ColumnBuffer *column, const TextPiece *kept)
{
    while (column->text != kept) {
        TextPiece *piece = column->text;
        column->text = piece->next;
        memory_free(buffer->budget, piece, sizeof *piece + piece->capacity);
    }
}

void row_buffer_destroy(RowBuffer *buffer)
{
    if (buffer == NULL) {
        return;
    }
    for (uint32_t i = 0; i < buffer->column_count; i++) {
        ColumnBuffer *column = &buffer->columns[i];
        free_pieces(buffer, column, NULL);
        memory_free(buffer->budget, column->values, column->capacity * lane_bytes(column->lane));
        memory_free(buffer->budget, column->validity, validity_bytes(column->capacity));
    }
    heap_free(buffer->columns);
    arena_destroy(buffer->arena);
    heap_free(buffer);
}

/* One text piece stays: the newest, which is the largest. */
void row_buffer_clear(RowBuffer *buffer)
{
    for (uint32_t i = 0; i < buffer->column_count; i++) {
        ColumnBuffer *column = &buffer->columns[i];
        TextPiece *newest = column->text;
        if (newest != NULL) {
            column->text = newest->next;
            free_pieces(buffer, column, NULL);
            newest->used = 0;
            newest->next = NULL;
            column->text = newest;
        }
        if (column->validity != NULL) {
            memory_free(buffer->budget, column->validity, validity_bytes(column->capacity));
            column->validity = NULL;
        }
        column->null_count = 0;
        column->has_value = false;
        column->facts = (TextFacts){.length_min = UINT32_MAX};
    }
    buffer->row_count = 0;
}

static Status grow_column(RowBuffer *buffer, ColumnBuffer *column, uint32_t capacity)
{
    const size_t lane = lane_bytes(column->lane);
    uint8_t *values = memory_realloc(buffer->budget, column->values, column->capacity * lane,
                                     capacity * lane);
    if (values == NULL) {
        return memory_refused(buffer->budget, capacity * lane, "rows being written");
    }
    column->values = values;
    if (column->validity != NULL) {
        uint64_t *validity = memory_alloc_zeroed(buffer->budget, validity_bytes(capacity));
        if (validity == NULL) {
            return memory_refused(buffer->budget, validity_bytes(capacity), "rows being written");
        }
        memcpy(validity, column->validity, validity_bytes(column->capacity));
        memory_free(buffer->budget, column->validity, validity_bytes(column->capacity));
        column->validity = validity;
    }
    column->capacity = capacity;
    return STATUS_OK;
}

static Status grow(RowBuffer *buffer, uint32_t rows)
{
    uint32_t capacity = buffer->capacity == 0 ? ROWS_FIRST : buffer->capacity;
    while (capacity < rows) {
        capacity *= 4;
    }
    for (uint32_t i = 0; i < buffer->column_count; i++) {
        TRY(grow_column(buffer, &buffer->columns[i], capacity));
    }
    buffer->capacity = capacity;
    return STATUS_OK;
}

/* Room for `bytes` of text that stays where it is. */
static char *reserve_text(RowBuffer *buffer, ColumnBuffer *column, size_t bytes)
{
    TextPiece *piece = column->text;
    if (piece == NULL || piece->capacity - piece->used < bytes + TEXT_SPARE_BYTES) {
        size_t capacity = piece == NULL ? TEXT_PIECE_FIRST : 4 * piece->capacity;
        capacity = capacity < TEXT_PIECE_MAX ? capacity : TEXT_PIECE_MAX;
        capacity = capacity < bytes + TEXT_SPARE_BYTES ? bytes + TEXT_SPARE_BYTES : capacity;
        piece = memory_alloc(buffer->budget, sizeof *piece + capacity);
        if (piece == NULL) {
            return NULL;
        }
        *piece = (TextPiece){.next = column->text, .capacity = capacity};
        column->text = piece;
    }
    return (char *)(piece + 1) + piece->used;
}

/* Lengths of a batch's views; returns the bytes of those that are not inline. */
static size_t measure_views(TextFacts *facts, const TextView *views, uint32_t count)
{
    uint64_t sum = 0, long_bytes = 0;
    uint32_t min = facts->length_min, max = facts->length_max;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t length = views[i].length;
        sum += length;
        long_bytes += length > TEXT_INLINE_MAX ? length : 0;
        min = length < min ? length : min;
        max = length > max ? length : max;
    }
    facts->bytes += sum;
    facts->length_min = min;
    facts->length_max = max;
    return long_bytes;
}

/* Bits 7 of all bytes: of short texts in the views themselves, of long ones where they were copied
 * to, end to end. */
static uint64_t views_high_bits(const TextView *views, uint32_t count)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t words[2];
        memcpy(words, &views[i], sizeof words);
        const uint64_t is_short = views[i].length <= TEXT_INLINE_MAX ? UINT64_MAX : 0;
        bits |= (words[0] >> 32 | words[1]) & is_short;
    }
    return bits;
}

static uint64_t bytes_high_bits(const char *text, size_t bytes)
{
    uint64_t bits = 0, word = 0;
    size_t i = 0;
    for (; i + sizeof word <= bytes; i += sizeof word) {
        memcpy(&word, text + i, sizeof word);
        bits |= word;
    }
    word = 0;
    memcpy(&word, text + i, bytes - i);
    return bits | word;
}

static bool views_have_trailing_blanks(const TextView *views, uint32_t count)
{
    bool has_blanks = false;
    for (uint32_t i = 0; i < count; i++) {
        const char *text = text_view_data(&views[i]);
        has_blanks |= views[i].length > 0 && text[views[i].length - 1] == ' ';
    }
    return has_blanks;
}

/* Copies the bytes that views point to, all of a batch's rows at once. */
static Status keep_text(RowBuffer *buffer, ColumnBuffer *column, TextView *views, uint32_t count)
{
    TextFacts *facts = &column->facts;
    const size_t bytes = measure_views(facts, views, count);
    if (facts->length_max > VARCHAR_BYTES_MAX) {
        return status_error(SQLSTATE_STRING_DATA_RIGHT_TRUNCATION,
                            "value of %u bytes is too long for any column", facts->length_max);
    }
    facts->has_trailing_blanks =
        facts->has_trailing_blanks || views_have_trailing_blanks(views, count);
    facts->high_bits |= views_high_bits(views, count);
    if (bytes == 0) {
        return STATUS_OK;
    }
    char *target = reserve_text(buffer, column, bytes);
    if (target == NULL) {
        return memory_refused(buffer->budget, bytes, "text being written");
    }
    column->text->used += bytes;
    const char *start = target;
    for (uint32_t i = 0; i < count; i++) {
        if (views[i].length > TEXT_INLINE_MAX) {
            memcpy(target, views[i].data, views[i].length);
            views[i].data = target;
            target += views[i].length;
        }
    }
    facts->high_bits |= bytes_high_bits(start, bytes);
    return STATUS_OK;
}

/* Lanes of the rows of a flat vector, as wide as the buffer's. */
static void copy_lanes(const ColumnBuffer *column, const Vector *vector, const uint16_t *rows,
                       uint32_t count, void *target)
{
    const VectorKernels *kernels = KERNELS(vector_kernels);
    Lane source = (Lane)vector->lane, wanted = LANE_I64;
    uint64_t base = (uint64_t)vector->base;
    switch (column->lane) {
    case LANE_I128:
    case LANE_TEXT:
        if (rows != NULL) {
            kernels->gather16(vector->data, rows, count, target);
        } else {
            memcpy(target, vector->data, count * lane_bytes(column->lane));
        }
        return;
    case LANE_F32:
        source = wanted = LANE_U32;
        base = 0;
        break;
    case LANE_F64:
        source = LANE_I64;
        base = 0;
        break;
    default:
        break;
    }
    if (rows != NULL) {
        kernels->gather[source][wanted](vector->data, rows, count, base, target);
    } else {
        kernels->convert[source][wanted](vector->data, count, base, target);
    }
}

/* The first present value takes the place of the nulls before it. */
static void fill_leading_nulls(ColumnBuffer *column, uint32_t row)
{
    const size_t lane = lane_bytes(column->lane);
    uint8_t *values = column->values;
    for (uint32_t i = 0; i < row; i++) {
        memcpy(values + i * lane, values + row * lane, lane);
    }
}

static Status start_validity(RowBuffer *buffer, ColumnBuffer *column)
{
    column->validity = memory_alloc_zeroed(buffer->budget, validity_bytes(column->capacity));
    if (column->validity == NULL) {
        return memory_refused(buffer->budget, validity_bytes(column->capacity),
                              "rows being written");
    }
    for (uint32_t i = 0; i < buffer->row_count; i++) {
        validity_set(column->validity, i);
    }
    return STATUS_OK;
}

/* Bits of the new rows, and values where they are null. */
static Status append_validity(RowBuffer *buffer, ColumnBuffer *column, const Vector *vector,
                              const uint16_t *rows, uint32_t count)
{
    const size_t lane = lane_bytes(column->lane);
    uint8_t *values = column->values;
    if (column->validity == NULL) {
        if (vector->validity == NULL) {
            column->has_value |= count > 0;
            return STATUS_OK;
        }
        TRY(start_validity(buffer, column));
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t row = buffer->row_count + i;
        if (validity_get(vector->validity, rows == NULL ? i : rows[i])) {
            validity_set(column->validity, row);
            if (!column->has_value) {
                fill_leading_nulls(column, row);
                column->has_value = true;
            }
        } else {
            column->null_count++;
            if (row > 0 && column->has_value) {
                memcpy(values + row * lane, values + (row - 1) * lane, lane);
            } else {
                memset(values + row * lane, 0, lane);
            }
        }
    }
    return STATUS_OK;
}

/* Nulls of text must not be copied as text: their views are emptied first. */
static void clear_null_views(const Vector *vector, const uint16_t *rows, uint32_t count,
                             TextView *views)
{
    for (uint32_t i = 0; vector->validity != NULL && i < count; i++) {
        if (!validity_get(vector->validity, rows == NULL ? i : rows[i])) {
            views[i] = (TextView){0};
        }
    }
}

static Status append_column(RowBuffer *buffer, ColumnBuffer *column, const Vector *source,
                            const Batch *batch, const uint16_t *rows, uint32_t count)
{
    Vector vector = *source;
    const bool is_wide = column->lane == LANE_I128 || column->lane == LANE_TEXT;
    uint8_t *target =
        (uint8_t *)column->values + buffer->row_count * lane_bytes(column->lane);
    if (vector.form != VECTOR_FLAT || (is_wide && vector.lane != (uint8_t)column->lane)) {
        vector_widen(source, batch->row_count, rows, count, &buffer->widened, &vector);
    }
    copy_lanes(column, &vector, rows, count, target);
    if (column->lane == LANE_TEXT) {
        clear_null_views(&vector, rows, count, (TextView *)(void *)target);
        TRY(keep_text(buffer, column, (TextView *)(void *)target, count));
    }
    return append_validity(buffer, column, &vector, rows, count);
}

Status row_buffer_append(RowBuffer *buffer, const Batch *batch, const uint16_t *rows,
                         uint32_t row_count)
{
    DEBUG_ASSERT(buffer->row_count + row_count <= ROW_BUFFER_ROWS_MAX);
    if (buffer->row_count + row_count > buffer->capacity) {
        TRY(grow(buffer, buffer->row_count + row_count));
    }
    for (uint32_t i = 0; i < buffer->column_count; i++) {
        TRY(append_column(buffer, &buffer->columns[i], &batch->columns[i], batch, rows,
                          row_count));
    }
    buffer->row_count += row_count;
    return STATUS_OK;
}

void row_buffer_chunk(const RowBuffer *buffer, uint32_t column, ColumnChunk *out)
{
    const ColumnBuffer *source = &buffer->columns[column];
    *out = (ColumnChunk){.type = source->type,
                         .lane = source->lane,
                         .row_count = buffer->row_count,
                         .null_count = source->null_count,
                         .values = source->values,
                         .validity = source->null_count > 0 ? source->validity : NULL,
                         .facts = source->lane == LANE_TEXT ? &source->facts : NULL};
}

static void set_bounds(Vector *vector, uint32_t rows)
{
    if (vector->lane == LANE_I64 && rows > 0) {
        KERNELS(vector_kernels)->min_max[LANE_I64](vector->data, rows, &vector->lo, &vector->hi);
    }
}

uint32_t row_buffer_batch(const RowBuffer *buffer, uint32_t first_row, Vector *vectors, Batch *out)
{
    const uint32_t left = buffer->row_count - first_row;
    const uint32_t rows = left < VECTOR_ROWS ? left : VECTOR_ROWS;
    for (uint32_t i = 0; i < buffer->column_count; i++) {
        const ColumnBuffer *column = &buffer->columns[i];
        vectors[i] = (Vector){
            .type = column->type,
            .lane = (uint8_t)column->lane,
            .form = VECTOR_FLAT,
            .has_trailing_blanks = true, // not looked at yet
            .validity = column->null_count > 0 ? column->validity + first_row / 64 : NULL,
            .data = (const uint8_t *)column->values + first_row * lane_bytes(column->lane)};
        set_bounds(&vectors[i], rows);
    }
    *out = (Batch){.row_count = rows,
                   .selected_count = rows,
                   .column_count = buffer->column_count,
                   .columns = vectors};
    return rows;
}

size_t row_buffer_bytes(const RowBuffer *buffer)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < buffer->column_count; i++) {
        bytes += buffer->row_count * lane_bytes(buffer->columns[i].lane) +
                 buffer->columns[i].facts.bytes;
    }
    return bytes;
}
