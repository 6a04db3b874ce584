/* sample_column.h — columns of every type and shape, for tests of encodings and tables. */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/hash.h"
#include "storage/encoding/encoding.h"

typedef enum Nulls { NULLS_NONE, NULLS_SOME, NULLS_MANY, NULLS_ALL, NULLS_COUNT } Nulls;

typedef enum Shape {
    SHAPE_CONSTANT,
    SHAPE_SMALL,
    SHAPE_SORTED,
    SHAPE_RUNS,
    SHAPE_FEW_WIDE,
    SHAPE_OUTLIERS,
    SHAPE_RANDOM,
    SHAPE_EXTREME,
    SHAPE_DOMINANT,
    SHAPE_COUNT
} Shape;

/* A chunk that owns its memory. */
typedef struct SampleColumn {
    ColumnChunk chunk;
    void *values;
    uint64_t *validity;
    char *text;
} SampleColumn;

static inline int64_t sample_int64(Shape shape, uint32_t row, Random *random)
{
    switch (shape) {
    case SHAPE_CONSTANT:
        return -17;
    case SHAPE_SMALL:
        return (int64_t)random_below(random, 100) - 50;
    case SHAPE_SORTED:
        return 1000000 + (int64_t)row * 4 + (int64_t)random_below(random, 4);
    case SHAPE_RUNS:
        return (int64_t)(row / 37) * 1000003;
    case SHAPE_FEW_WIDE:
        return (int64_t)hash_mix(random_below(random, 20));
    case SHAPE_OUTLIERS:
        return random_below(random, 200) == 0 ? (int64_t)(random_next(random) >> 20)
                                              : (int64_t)random_below(random, 16);
    case SHAPE_RANDOM:
        return (int64_t)random_next(random);
    case SHAPE_DOMINANT: // now and then a vector of nothing else
        return random_below(random, 12) != 0 || row / VECTOR_ROWS % 8 == 5
                   ? 77
                   : (int64_t)random_below(random, 1000000) - 1000;
    default:
        return random_below(random, 2) == 0 ? INT64_MIN : INT64_MAX;
    }
}

/* Brings a value into the range of its type; the extremes become its extremes. */
static inline int64_t sample_fit(Type type, int64_t value)
{
    const int64_t min = type_int64_min(type), max = type_int64_max(type);
    if (value >= min && value <= max) {
        return value;
    }
    return value == INT64_MIN   ? min
           : value == INT64_MAX ? max
                                : (int64_t)((uint64_t)value % ((uint64_t)max + 1));
}

#define SAMPLE_TEXT_MAX 96u
/* Bytes of one text value at `target`; returns their count. */
static inline uint32_t sample_text(Shape shape, uint32_t row, Random *random, char *target)
{
    static const char *const words[] = {"furiously", "regular ",         "deposits", " among",
                                        " the ",     "carefully",        "final",    "requests.",
                                        " ",         "\xc3\xa9t\xc3\xa9"};
    uint32_t bytes = 0;
    switch (shape) {
    case SHAPE_CONSTANT:
        memcpy(target, "always the same", 15);
        return 15;
    case SHAPE_SMALL:
        bytes = (uint32_t)random_below(random, 3);
        memcpy(target, "ab", bytes);
        return bytes;
    case SHAPE_SORTED:
        return (uint32_t)snprintf(target, SAMPLE_TEXT_MAX, "Customer#%09u", row);
    case SHAPE_RUNS:
        return (uint32_t)snprintf(target, SAMPLE_TEXT_MAX, "run %u", row / 37);
    case SHAPE_FEW_WIDE:
        return (uint32_t)snprintf(target, SAMPLE_TEXT_MAX, "a rather long value %u",
                                  (uint32_t)random_below(random, 20));
    case SHAPE_OUTLIERS: // some end in blanks
        bytes =
            (uint32_t)snprintf(target, SAMPLE_TEXT_MAX, "v%u", (uint32_t)random_below(random, 30));
        for (uint64_t blanks = random_below(random, 4); blanks > 2; blanks--) {
            target[bytes++] = ' ';
        }
        return bytes;
    case SHAPE_RANDOM:
        bytes = (uint32_t)random_below(random, 40);
        for (uint32_t i = 0; i < bytes; i++) {
            target[i] = (char)random_next(random);
        }
        return bytes;
    case SHAPE_DOMINANT:
        if (random_below(random, 12) != 0) {
            memcpy(target, "n/a", 3);
            return 3;
        }
        return (uint32_t)snprintf(target, SAMPLE_TEXT_MAX, "a remark about row %u of many", row);
    default:
        for (uint64_t count = random_below(random, 8); count > 0; count--) {
            const char *word = words[random_below(random, 10)];
            memcpy(target + bytes, word, strlen(word));
            bytes += (uint32_t)strlen(word);
        }
        return bytes;
    }
}

static inline bool sample_is_null(Nulls nulls, uint32_t row, Random *random)
{
    switch (nulls) {
    case NULLS_NONE:
        return false;
    case NULLS_SOME: // only in every other vector
        return (row / VECTOR_ROWS) % 2 == 0 && random_below(random, 50) == 0;
    case NULLS_MANY:
        return random_below(random, 3) != 0;
    default:
        return true;
    }
}

static inline void sample_value(SampleColumn *column, Shape shape, uint32_t row, Random *random)
{
    switch (column->chunk.lane) {
    case LANE_I64:
        ((int64_t *)column->values)[row] =
            sample_fit(column->chunk.type, sample_int64(shape, row, random));
        return;
    case LANE_I128:
        ((Int128 *)column->values)[row] =
            sample_int64(shape, row, random) * (shape == SHAPE_RANDOM ? (Int128)1000000007 : 1) +
            ((Int128)1 << 70);
        return;
    case LANE_F32:
        ((float *)column->values)[row] = (float)sample_int64(shape, row, random) / 8;
        return;
    case LANE_F64:
        ((double *)column->values)[row] = (double)sample_int64(shape, row, random) / 8;
        return;
    default: {
        char *text = column->text + (size_t)row * SAMPLE_TEXT_MAX;
        const uint32_t bytes = sample_text(shape, row, random, text);
        ((TextView *)column->values)[row] = text_view_make(text, bytes);
        return;
    }
    }
}

/* Null rows repeat the row before, as chunks demand. */
static inline SampleColumn sample_column(Type type, Shape shape, Nulls nulls, uint32_t rows,
                                         uint64_t seed)
{
    const Lane lane = type_is_scaled_integer(type) ? LANE_I64 : type_widest_lane(type);
    const size_t room = (rows + VECTOR_ROWS - 1) / VECTOR_ROWS * VECTOR_ROWS;
    SampleColumn column = {.chunk = {.type = type, .lane = lane, .row_count = rows}};
    Random random;
    random_seed(&random, seed);
    column.values = calloc(room + 8, lane_bytes(lane));
    column.validity = calloc(room / 64, sizeof(uint64_t));
    column.text = lane == LANE_TEXT ? calloc(rows + 1, SAMPLE_TEXT_MAX) : NULL;
    uint32_t first_present = UINT32_MAX;
    for (uint32_t i = 0; i < rows; i++) {
        if (sample_is_null(nulls, i, &random)) {
            column.chunk.null_count++;
            if (i > 0) {
                memcpy((uint8_t *)column.values + i * lane_bytes(lane),
                       (uint8_t *)column.values + (i - 1) * lane_bytes(lane), lane_bytes(lane));
            }
            continue;
        }
        validity_set(column.validity, i);
        sample_value(&column, shape, i, &random);
        first_present = i < first_present ? i : first_present;
    }
    for (uint32_t i = 0; first_present != UINT32_MAX && i < first_present; i++) {
        memcpy((uint8_t *)column.values + i * lane_bytes(lane),
               (uint8_t *)column.values + first_present * lane_bytes(lane), lane_bytes(lane));
    }
    column.chunk.values = column.values;
    column.chunk.validity = column.chunk.null_count > 0 ? column.validity : NULL;
    return column;
}

static inline void sample_column_free(SampleColumn *column)
{
    free(column->values);
    free(column->validity);
    free(column->text);
}

static inline Value sample_column_value(const SampleColumn *column, uint32_t row)
{
    const ColumnChunk *chunk = &column->chunk;
    Value value = {.type = chunk->type};
    if (!validity_get(chunk->validity, row)) {
        return value_null(chunk->type);
    }
    switch (chunk->lane) {
    case LANE_I64:
        value.i64 = ((const int64_t *)chunk->values)[row];
        break;
    case LANE_I128:
        value.i128 = ((const Int128 *)chunk->values)[row];
        break;
    case LANE_F32:
        value.f64 = (double)((const float *)chunk->values)[row];
        break;
    case LANE_F64:
        value.f64 = ((const double *)chunk->values)[row];
        break;
    default:
        value.text = ((const TextView *)chunk->values)[row];
        break;
    }
    return value;
}
