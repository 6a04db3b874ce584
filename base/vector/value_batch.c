/* value_batch.c — from rows of values to columns. */
#include "base/vector/value_batch.h"

#include <string.h>

#define LANE_TAIL_BYTES 64

static void set_lane(void *lanes, Lane lane, uint32_t row, const Value *value)
{
    if (value->is_null) {
        return; // zeroed: a readable value of every lane
    }
    switch (lane) {
    case LANE_U8:
        ((uint8_t *)lanes)[row] = value->i64 != 0;
        break;
    case LANE_I64:
        ((int64_t *)lanes)[row] = value->i64;
        break;
    case LANE_I128:
        if (value->type.id == TYPE_INTERVAL) {
            memcpy((char *)lanes + row * sizeof(Int128), &value->interval, sizeof(Int128));
        } else {
            ((Int128 *)lanes)[row] = value->i128;
        }
        break;
    case LANE_F32:
        ((float *)lanes)[row] = (float)value->f64;
        break;
    case LANE_F64:
        ((double *)lanes)[row] = value->f64;
        break;
    case LANE_TEXT:
        ((TextView *)lanes)[row] = value->text;
        break;
    case LANE_U16:
    case LANE_U32:
    case LANE_COUNT:
        ASSERT(false);
    }
}

static void fill_column(Arena *arena, Vector *vector, Type type, const Value *cells,
                        uint32_t stride, uint32_t row_count)
{
    Lane lane = type_widest_lane(type);
    void *lanes = arena_alloc_aligned(arena, row_count * lane_bytes(lane) + LANE_TAIL_BYTES, 64);
    uint64_t *validity = NULL;
    *vector = (Vector){.type = type,
                       .lane = (uint8_t)lane,
                       .form = VECTOR_FLAT,
                       .has_trailing_blanks = lane == LANE_TEXT,
                       .lo = INT64_MAX,
                       .hi = INT64_MIN,
                       .data = lanes};
    for (uint32_t row = 0; row < row_count; row++) {
        const Value *value = &cells[(size_t)row * stride];
        if (value->is_null && validity == NULL) {
            validity = ARENA_ARRAY(arena, uint64_t, VALIDITY_WORDS);
            memset(validity, 0xFF, VALIDITY_WORDS * sizeof(*validity));
        }
        if (value->is_null) {
            validity_clear(validity, row);
        } else if (lane == LANE_I64 || lane == LANE_U8) {
            vector->lo = value->i64 < vector->lo ? value->i64 : vector->lo;
            vector->hi = value->i64 > vector->hi ? value->i64 : vector->hi;
        }
        set_lane(lanes, lane, row, value);
    }
    if (vector->lo > vector->hi) { // no value at all, or no scaled integers
        vector->lo = vector->hi = 0;
    }
    vector->validity = validity;
}

void value_batches(Arena *arena, const Type *types, uint32_t column_count, const Value *cells,
                   uint32_t row_count, Batch **out, uint32_t *batch_count)
{
    uint32_t count = (row_count + VECTOR_ROWS - 1) / VECTOR_ROWS;
    Batch *batches = ARENA_ARRAY(arena, Batch, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t first = i * VECTOR_ROWS;
        uint32_t rows = row_count - first < VECTOR_ROWS ? row_count - first : VECTOR_ROWS;
        batch_init(&batches[i], column_count, arena);
        batches[i].row_count = rows;
        batches[i].selected_count = rows;
        for (uint32_t c = 0; c < column_count; c++) {
            fill_column(arena, &batches[i].columns[c], types[c],
                        &cells[(size_t)first * column_count + c], column_count, rows);
        }
    }
    *out = batches;
    *batch_count = count;
}
