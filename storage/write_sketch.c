/* write_sketch.c — a column's sketch from what encoding found out anyway: counts and bounds from
 * the profile, distinct values from the dictionary where there is one. */
#include "storage/encoding/dictionary_builder.h"
#include "storage/table_writer_internal.h"

/* A column of few possible values shows them all in a part of its rows. */
#define NARROW_SPAN 1024
#define NARROW_ROWS (8u * VECTOR_ROWS)

static void add_bounds(ColumnSketch *sketch, const ColumnChunk *chunk, const ColumnProfile *profile)
{
    Value min = {.type = chunk->type}, max = {.type = chunk->type};
    switch (chunk->lane) {
    case LANE_I64:
        min.i64 = (int64_t)profile->min;
        max.i64 = (int64_t)profile->max;
        break;
    case LANE_I128:
        min.i128 = profile->min;
        max.i128 = profile->max;
        break;
    case LANE_F32:
    case LANE_F64:
        min.f64 = profile->float_min;
        max.f64 = profile->float_max;
        break;
    default:
        min.text = profile->text_min;
        max.text = profile->text_max;
        break;
    }
    if (chunk->type.id != TYPE_INTERVAL) {
        column_sketch_add_bounds(sketch, &min, &max);
    }
}

static Value chunk_value(const ColumnChunk *chunk, uint32_t row)
{
    Value value = {.type = chunk->type};
    switch (chunk->lane) {
    case LANE_F32:
        value.f64 = (double)((const float *)chunk->values)[row];
        break;
    case LANE_F64:
        value.f64 = ((const double *)chunk->values)[row];
        break;
    default:
        value.i128 = ((const Int128 *)chunk->values)[row];
        break;
    }
    return value;
}

/* Null rows repeat present values, so they add nothing. */
static void add_values(ColumnSketch *sketch, const ColumnChunk *chunk, const ColumnProfile *profile)
{
    if (chunk->lane == LANE_I64) {
        const bool is_narrow = profile->max - profile->min < NARROW_SPAN;
        column_sketch_add_int64(sketch, chunk->values,
                                is_narrow && chunk->row_count > NARROW_ROWS ? NARROW_ROWS
                                                                            : chunk->row_count);
    } else if (chunk->lane == LANE_TEXT) {
        column_sketch_add_texts(sketch, chunk->values, chunk->row_count);
    } else {
        for (uint32_t i = 0; i < chunk->row_count; i++) {
            const Value value = chunk_value(chunk, i);
            column_sketch_add_value(sketch, &value);
        }
    }
}

void write_sketch_add(ColumnSketch *sketch, const ColumnChunk *chunk, const EncodedBlock *block,
                      const EncodeContext *context)
{
    sketch->row_count += chunk->row_count;
    sketch->null_count += chunk->null_count;
    sketch->text_bytes += block->profile.text_bytes;
    if (chunk->null_count == chunk->row_count) {
        return;
    }
    add_bounds(sketch, chunk, &block->profile);
    if (block->encoding == ENCODING_CONSTANT) {
        ColumnChunk one = *chunk;
        one.row_count = 1;
        add_values(sketch, &one, &block->profile);
    } else if (block->encoding == ENCODING_DICTIONARY && chunk->lane == LANE_TEXT) {
        column_sketch_add_texts(sketch, context->dictionary->texts,
                                context->dictionary->entry_count);
    } else if (block->encoding == ENCODING_DICTIONARY) {
        column_sketch_add_int64(sketch, context->dictionary->integers,
                                context->dictionary->entry_count);
    } else {
        add_values(sketch, chunk, &block->profile);
    }
}
