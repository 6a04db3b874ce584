/* vector.c — single values of vectors: constants in, values out. For whole columns see
 * vector_convert.c. */
#include "base/vector/vector.h"

#include <string.h>

#include "base/vector/vector_internal.h"

static const uint64_t no_rows[VALIDITY_WORDS]; /* the validity of a null constant */

void vector_set_constant(Vector *vector, const Value *value, void *storage)
{
    Lane lane = type_widest_lane(value->type);
    *vector = (Vector){
        .type = value->type,
        .lane = (uint8_t)lane,
        .form = VECTOR_CONSTANT,
        .data = storage,
    };
    memset(storage, 0, 16);
    if (value->is_null) {
        vector->validity = no_rows;
        return;
    }
    switch (lane) {
    case LANE_U8:
        *(uint8_t *)storage = (uint8_t)value->i64;
        break;
    case LANE_I64:
        *(int64_t *)storage = value->i64;
        break;
    case LANE_F32: {
        float narrow = (float)value->f64;
        memcpy(storage, &narrow, sizeof narrow);
        break;
    }
    case LANE_F64:
        memcpy(storage, &value->f64, sizeof value->f64);
        break;
    case LANE_TEXT:
        memcpy(storage, &value->text, sizeof value->text);
        vector->has_trailing_blanks =
            value->text.length > 0 && text_view_data(&value->text)[value->text.length - 1] == ' ';
        break;
    default:
        memcpy(storage, &value->i128, sizeof value->i128); // an interval's bytes as well
        break;
    }
    if (type_is_scaled_integer(value->type)) {
        vector->lo = vector->hi = value->i64;
    }
}

bool vector_is_null(const Vector *vector, uint32_t row)
{
    return !validity_get(vector->validity, vector->form == VECTOR_CONSTANT ? 0 : row);
}

/* Where the value of `row` lies: an entry of the dictionary, lane 0 of a constant, or its lane. */
static const void *find_lane(const Vector *vector, uint32_t row, Lane *lane)
{
    const char *data = vector->data;
    *lane = (Lane)vector->lane;
    if (vector->form == VECTOR_DICTIONARY) {
        *lane = vector->dictionary->lane;
        data = vector->dictionary->entries;
        return data + vector_code(vector, row) * lane_bytes(*lane);
    }
    return vector->form == VECTOR_CONSTANT ? data : data + row * lane_bytes(*lane);
}

/* A lane of integers with the vector's base; 128 bits are cut to 64. */
static int64_t read_integer(const Vector *vector, const void *data, Lane lane)
{
    uint64_t base = vector->form == VECTOR_DICTIONARY ? 0 : (uint64_t)vector->base;
    switch (lane) {
    case LANE_U8:
        return (int64_t)(base + *(const uint8_t *)data);
    case LANE_U16:
        return (int64_t)(base + *(const uint16_t *)data);
    case LANE_U32:
        return (int64_t)(base + *(const uint32_t *)data);
    default:
        return *(const int64_t *)data;
    }
}

int64_t vector_int64(const Vector *vector, uint32_t row)
{
    Lane lane;
    const void *data = find_lane(vector, row, &lane);
    return read_integer(vector, data, lane);
}

TextView vector_text(const Vector *vector, uint32_t row)
{
    Lane lane;
    return *(const TextView *)find_lane(vector, row, &lane);
}

Value vector_value(const Vector *vector, uint32_t row)
{
    Value value = {.type = vector->type};
    if (vector_is_null(vector, row)) {
        value.is_null = true;
        return value;
    }
    Lane lane;
    const void *data = find_lane(vector, row, &lane);
    switch (lane) {
    case LANE_F32:
        value.f64 = (double)*(const float *)data;
        break;
    case LANE_F64:
        value.f64 = *(const double *)data;
        break;
    case LANE_TEXT:
        value.text = *(const TextView *)data;
        break;
    case LANE_I128:
        memcpy(&value.i128, data, sizeof value.i128);
        break;
    default:
        if (type_is_scaled_integer(vector->type)) {
            value.i64 = read_integer(vector, data, lane);
        } else {
            value.i128 = read_integer(vector, data, lane); // a wide decimal in a narrow lane
        }
        break;
    }
    return value;
}

void vector_buffer_init(VectorBuffer *buffer, Arena *arena)
{
    buffer->lanes = arena_alloc_aligned(arena, VECTOR_ROWS * 16 + 64, 64);
    buffer->validity = arena_alloc_aligned(arena, VALIDITY_WORDS * sizeof(uint64_t) + 64, 64);
}
