/*
 * join_columns.c — the payload itself in arrays by key position: for unique keys of a small range.
 *
 * A hit costs one look per payload column, at lanes as narrow as the build side's values allow, and
 * a miss none: the bitmap has told. Example: 1.5 M orders, key range 6 M, payload o_orderdate: a
 * bitmap of 0.75 MB and 12 MB of 16-bit days, instead of 24 MB of row numbers and 36 MB of rows.
 */
#include <string.h>

#include "compute/kernels/join_kernels.h"
#include "compute/operators/hash_join/join_index.h"

enum {
    CHUNK_ROWS = 1024,
    ALWAYS_BYTES = 4 << 20, /* of columns */
    BYTES_PER_ROW_BYTE = 4,
    PADDING_BYTES = 64,     /* behind each array, and to align it */
};

// The narrowest lane for a field's values.
static uint8_t narrow_lane(const JoinTable *table, uint32_t field)
{
    const RowField *stored = &table->rows.layout->fields[field];
    const RowFieldBounds *bounds = &table->rows.bounds[field];
    if (!type_is_scaled_integer(stored->type) || stored->type.id == TYPE_BOOLEAN) {
        return stored->lane;
    }
    if (bounds->lo > bounds->hi) {
        return LANE_U8; // no value at all
    }
    uint64_t span = (uint64_t)bounds->hi - (uint64_t)bounds->lo;
    return span <= UINT8_MAX    ? LANE_U8
           : span <= UINT16_MAX ? LANE_U16
           : span <= UINT32_MAX ? LANE_U32
                                : LANE_I64;
}

static size_t padded(size_t bytes)
{
    return (bytes + 2 * PADDING_BYTES - 1) & ~(size_t)(PADDING_BYTES - 1);
}

static size_t bitmap_bytes(const JoinTable *table)
{
    return padded((table->range / 64 + 1) * sizeof(uint64_t));
}

size_t join_columns_bytes(const JoinTable *table)
{
    const JoinShape *shape = table->shape;
    size_t bytes = bitmap_bytes(table) + padded(shape->payload_count * sizeof(JoinColumn));
    for (uint32_t c = 0; c < shape->payload_count; c++) {
        uint32_t field = shape->first_payload + c;
        bytes += padded((table->range + 1) * lane_bytes(narrow_lane(table, field)));
        bytes += table->rows.bounds[field].has_nulls ? bitmap_bytes(table) : 0;
    }
    return bytes;
}

bool join_columns_fit(const JoinTable *table)
{
    size_t bytes = join_columns_bytes(table);
    size_t row_bytes = table->rows.row_count * table->rows.layout->row_bytes;
    return bytes <= ALWAYS_BYTES || bytes <= BYTES_PER_ROW_BYTE * row_bytes;
}

void join_columns_init(JoinTable *table)
{
    const JoinShape *shape = table->shape;
    uint8_t *next = table->memory;
    memset(next, 0, bitmap_bytes(table)); // of the lanes only what has a bit is read
    next += bitmap_bytes(table);
    table->columns = (JoinColumn *)next;
    next += padded(shape->payload_count * sizeof(JoinColumn));
    for (uint32_t c = 0; c < shape->payload_count; c++) {
        uint32_t field = shape->first_payload + c;
        const RowField *stored = &table->rows.layout->fields[field];
        const RowFieldBounds *bounds = &table->rows.bounds[field];
        JoinColumn *column = &table->columns[c];
        bool is_bounded = type_is_scaled_integer(stored->type) && bounds->lo <= bounds->hi;
        *column = (JoinColumn){.lane = narrow_lane(table, field), .lanes = next};
        column->lo = is_bounded ? bounds->lo : 0;
        column->hi = is_bounded ? bounds->hi : 0;
        bool has_base = column->lane <= LANE_U32 && stored->type.id != TYPE_BOOLEAN;
        column->base = has_base ? column->lo : 0;
        memset(next, 0, lane_bytes(column->lane));
        next += padded((table->range + 1) * lane_bytes(column->lane));
        if (bounds->has_nulls) {
            column->nulls = (uint64_t *)next;
            memset(next, 0, bitmap_bytes(table));
            next += bitmap_bytes(table);
        }
    }
}

// Keys that are there twice race for their position: relaxed stores keep that defined, and
// join_table_settle throws the result away.
static void store_lanes(size_t bytes, void *lanes, const uint32_t *positions,
                        const uint64_t *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t position = positions[i];
        if (bytes == 1) {
            __atomic_store_n((uint8_t *)lanes + position, (uint8_t)values[i], __ATOMIC_RELAXED);
        } else if (bytes == 2) {
            __atomic_store_n((uint16_t *)lanes + position, (uint16_t)values[i], __ATOMIC_RELAXED);
        } else if (bytes == 4) {
            __atomic_store_n((uint32_t *)lanes + position, (uint32_t)values[i], __ATOMIC_RELAXED);
        } else {
            __atomic_store_n((uint64_t *)lanes + position, values[i], __ATOMIC_RELAXED);
        }
    }
}

// values[i] = what row i stores in `bytes` bytes (little endian) + delta. A copy of constant size
// is one load.
static void load_lanes(size_t bytes, const uint8_t *const *rows, uint32_t offset, uint64_t delta,
                       uint32_t count, uint64_t *values)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *stored = rows[i] + offset;
        uint32_t narrow = 0;
        if (bytes == 1) {
            values[i] = *stored + delta;
        } else if (bytes == 2) {
            memcpy(&narrow, stored, 2);
            values[i] = narrow + delta;
        } else if (bytes == 4) {
            memcpy(&narrow, stored, 4);
            values[i] = narrow + delta;
        } else {
            memcpy(&values[i], stored, 8);
            values[i] += delta;
        }
    }
}

static void store_wide_lanes(uint64_t *lanes, uint32_t offset, const uint32_t *positions,
                             const uint8_t *const *rows, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t words[2];
        memcpy(words, rows[i] + offset, sizeof words);
        __atomic_store_n(&lanes[2 * (size_t)positions[i]], words[0], __ATOMIC_RELAXED);
        __atomic_store_n(&lanes[2 * (size_t)positions[i] + 1], words[1], __ATOMIC_RELAXED);
    }
}

static void scatter_column(const JoinTable *table, uint32_t c, const uint8_t *const *rows,
                           const uint32_t *positions, uint32_t count)
{
    uint32_t field_index = table->shape->first_payload + c;
    const RowField *field = &table->rows.layout->fields[field_index];
    const JoinColumn *column = &table->columns[c];
    size_t bytes = lane_bytes(field->lane);
    if (bytes == 16) {
        store_wide_lanes(column->lanes, field->offset, positions, rows, count);
    } else {
        uint64_t values[CHUNK_ROWS];
        uint64_t delta = (uint64_t)field->base - (uint64_t)column->base; // 0 for floats
        load_lanes(bytes, rows, field->offset, delta, count, values);
        store_lanes(lane_bytes(column->lane), column->lanes, positions, values, count);
    }
    for (uint32_t i = 0; column->nulls != NULL && i < count; i++) {
        if (row_is_null(table->rows.layout, rows[i], field_index)) {
            // Relaxed: read after all have inserted.
            __atomic_fetch_or(&column->nulls[positions[i] >> 6],
                              UINT64_C(1) << (positions[i] & 63), __ATOMIC_RELAXED);
        }
    }
}

static void scatter_rows(const JoinTable *table, const uint8_t *const *rows,
                         const uint32_t *positions, uint32_t count)
{
    for (uint32_t c = 0; c < table->shape->payload_count; c++) {
        scatter_column(table, c, rows, positions, count);
    }
}

void join_columns_insert_page(JoinTable *table, const RowPage *page)
{
    size_t row_bytes = table->rows.layout->row_bytes;
    const uint8_t *rows[CHUNK_ROWS];
    uint32_t positions[CHUNK_ROWS];
    uint32_t count = 0;
    const uint8_t *row = page->rows;
    for (uint32_t i = 0; i < page->row_count; i++, row += row_bytes) {
        if (join_row_is_indexed(table->shape, row)) {
            rows[count] = row;
            positions[count++] = (uint32_t)join_row_number(table, row) + 1;
        }
        if (count == CHUNK_ROWS) {
            scatter_rows(table, rows, positions, count);
            count = 0;
        }
    }
    scatter_rows(table, rows, positions, count);
}

static void gather_validity(const JoinColumn *column, const uint32_t *positions,
                            const uint16_t *targets, uint32_t row_count, uint64_t *validity)
{
    memset(validity, 0xFF, VALIDITY_WORDS * sizeof *validity);
    for (uint32_t i = 0; i < row_count; i++) {
        uint32_t position = positions[i];
        bool is_null = position == 0 || (column->nulls != NULL &&
                                         (column->nulls[position >> 6] >> (position & 63) & 1));
        if (is_null) {
            validity_clear(validity, targets == NULL ? i : targets[i]);
        }
    }
}

void join_columns_gather(const JoinTable *table, uint32_t column_index, const JoinRow *rows,
                         const uint16_t *targets, uint32_t row_count, bool has_null_rows,
                         VectorBuffer *buffer, Vector *out)
{
    static const uint8_t kernel_of_bytes[17] = {[1] = 0, [2] = 1, [4] = 2, [8] = 3, [16] = 4};
    const JoinColumn *column = &table->columns[column_index];
    const RowField *field =
        &table->rows.layout->fields[table->shape->first_payload + column_index];
    uint32_t positions[VECTOR_ROWS];
    for (uint32_t i = 0; i < row_count; i++) {
        positions[i] = (uint32_t)(uintptr_t)rows[i]; // no row: entry 0
    }
    uint32_t kernel = kernel_of_bytes[lane_bytes(column->lane)];
    KERNELS(join_kernels)->gather[kernel](column->lanes, positions, targets, row_count,
                                          buffer->lanes);
    bool has_nulls = has_null_rows || column->nulls != NULL;
    if (has_nulls) {
        gather_validity(column, positions, targets, row_count, buffer->validity);
    }
    *out = (Vector){
        .type = field->type,
        .lane = column->lane,
        .form = VECTOR_FLAT,
        .has_trailing_blanks =
            table->rows.bounds[table->shape->first_payload + column_index].has_trailing_blanks,
        .base = column->base,
        .lo = column->lo,
        .hi = column->hi,
        .validity = has_nulls ? buffer->validity : NULL,
        .data = buffer->lanes,
    };
}
