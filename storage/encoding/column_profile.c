/* column_profile.c — one look at a chunk, from which everything else is decided: sizes of the
 * integer encodings, zone map, flags. */
#include <math.h>
#include <string.h>
#include "storage/encoding/vector_stream.h"
#include "storage/text_order.h"

/* What the null rows of a vector, which repeat values, added to its sum. */
static Int128 sum_of_nulls(const ColumnChunk *chunk, const int64_t *values, uint32_t vector)
{
    const uint64_t *words = chunk->validity + (size_t)vector * VALIDITY_WORDS;
    Int128 sum = 0;
    for (uint32_t i = 0; i < chunk_vector_rows(chunk, vector); i++) {
        if (!validity_get(words, i)) {
            sum += values[i];
        }
    }
    return sum;
}

/* Vectors of `values` (the chunk's, or its offsets from base128). */
static void profile_integers(const ColumnChunk *chunk, const int64_t *values,
                             EncodeContext *context, ColumnProfile *out)
{
    const PackKernels *kernels = context->kernels;
    Int128 sum = 0;
    uint64_t descents = 0, ascents = 0;
    int64_t min = INT64_MAX, max = INT64_MIN;
    for (uint32_t v = 0; v < out->vector_count; v++) {
        VectorProfile *vector = &out->vectors[v];
        const int64_t *source = values + (size_t)v * VECTOR_ROWS;
        const uint32_t rows = chunk_vector_rows(chunk, v);
        kernels->profile(source, rows, vector);
        sum += vector->sum;
        if (chunk->validity != NULL) {
            sum -= sum_of_nulls(chunk, source, v);
        }
        min = vector->min < min ? vector->min : min;
        max = vector->max > max ? vector->max : max;
        out->change_count += vector->change_count;
        descents += vector->descent_count;
        ascents += vector->change_count - vector->descent_count;
        if (v > 0) {
            out->change_count += source[0] != source[-1];
            descents += source[0] < source[-1];
            ascents += source[0] > source[-1];
        }
        out->packs[v] = pack_plan(
            kernels, chunk_vector(values, chunk->row_count, v, context->values), vector, rows);
        out->packed_bytes += pack_plan_bytes(&out->packs[v]);
    }
    out->has_packs = true;
    out->min = min;
    out->max = max;
    out->sum = sum;
    out->has_sum = true;
    out->is_constant = min == max;
    out->is_ascending = chunk->null_count == 0 && descents == 0;
    out->is_descending = chunk->null_count == 0 && ascents == 0;
}

/* Offsets from the smallest value, when they fit 63 bits. */
static void profile_wide(const ColumnChunk *chunk, EncodeContext *context, ColumnProfile *out)
{
    const Int128 *values = chunk->values;
    Int128 min = values[0], max = values[0];
    UInt128 sum = 0;
    for (uint32_t i = 0; i < chunk->row_count; i++) {
        min = values[i] < min ? values[i] : min;
        max = values[i] > max ? values[i] : max;
        if (validity_get(chunk->validity, i)) {
            sum += (UInt128)values[i];
        }
    }
    if ((UInt128)max - (UInt128)min < (UInt128)1 << 62) {
        for (uint32_t i = 0; i < chunk->row_count; i++) {
            context->residuals[i] = (int64_t)(values[i] - min);
        }
        profile_integers(chunk, context->residuals, context, out);
        out->base128 = min;
    }
    // 65,536 values of 38 digits can exceed 128 bits.
    const Int128 safe = ((Int128)1 << 126) / FORMAT_ROW_GROUP_ROWS;
    out->has_sum = min > -safe && max < safe;
    out->sum = (Int128)sum;
    out->min = min;
    out->max = max;
    out->is_constant = min == max;
}

static double float_at(const ColumnChunk *chunk, uint32_t row)
{
    return chunk->lane == LANE_F32 ? (double)((const float *)chunk->values)[row]
                                   : ((const double *)chunk->values)[row];
}

/* NaN is the largest, as in SQL. */
static bool float_less(double left, double right)
{
    return isnan(right) ? !isnan(left) : left < right;
}

static void profile_floats(const ColumnChunk *chunk, ColumnProfile *out)
{
    const size_t lane = lane_bytes(chunk->lane);
    const uint8_t *bytes = chunk->values;
    double min = float_at(chunk, 0), max = min;
    for (uint32_t i = 1; i < chunk->row_count; i++) {
        const double value = float_at(chunk, i);
        min = float_less(value, min) ? value : min;
        max = float_less(max, value) ? value : max;
        out->change_count += memcmp(bytes + i * lane, bytes + (i - 1) * lane, lane) != 0;
    }
    out->float_min = min;
    out->float_max = max;
    out->is_constant = out->change_count == 0;
}

static void profile_bytes(const ColumnChunk *chunk, ColumnProfile *out)
{
    const size_t lane = lane_bytes(chunk->lane);
    const uint8_t *bytes = chunk->values;
    for (uint32_t i = 1; i < chunk->row_count; i++) {
        out->change_count += memcmp(bytes + i * lane, bytes + (i - 1) * lane, lane) != 0;
    }
    out->is_constant = out->change_count == 0;
}

/* Bits 7 of a text's bytes, eight at a time; the last word overlaps the one before. */
static uint64_t high_bits(const TextView *view)
{
    uint64_t words[2], bits = 0;
    if (view->length <= TEXT_INLINE_MAX) { // bytes behind a short text are zero
        memcpy(words, view, sizeof words);
        return words[0] >> 32 | words[1];
    }
    for (uint32_t i = 0; i + 8 <= view->length; i += 8) {
        memcpy(words, view->data + i, 8);
        bits |= words[0];
    }
    memcpy(words, view->data + view->length - 8, 8);
    return bits | words[0];
}

void text_facts_add(TextFacts *facts, const TextView *views, const uint64_t *validity,
                    uint32_t first_row, uint32_t row_count)
{
    for (uint32_t i = 0; i < row_count; i++) {
        const TextView *view = &views[i];
        const uint32_t length = validity_get(validity, first_row + i) ? view->length : 0;
        facts->bytes += length;
        facts->length_min = length < facts->length_min ? length : facts->length_min;
        facts->length_max = length > facts->length_max ? length : facts->length_max;
        if (length > 0) {
            facts->high_bits |= high_bits(view);
            facts->has_trailing_blanks |= text_view_data(view)[length - 1] == ' ';
        }
    }
}

static bool texts_are_equal(const ColumnChunk *chunk)
{
    const TextView *views = chunk->values;
    for (uint32_t i = 1; i < chunk->row_count; i++) {
        if (views[i].length != views[0].length ||
            memcmp(text_view_data(&views[i]), text_view_data(&views[0]), views[0].length) != 0) {
            return false;
        }
    }
    return true;
}

static void profile_texts(const ColumnChunk *chunk, ColumnProfile *out)
{
    TextFacts own = {.length_min = UINT32_MAX};
    if (chunk->facts == NULL) {
        text_facts_add(&own, chunk->values, chunk->validity, 0, chunk->row_count);
    }
    const TextFacts *facts = chunk->facts == NULL ? &own : chunk->facts;
    out->text_bytes = facts->bytes;
    out->length_min = facts->length_min;
    out->length_max = facts->length_max;
    out->is_ascii = (facts->high_bits & UINT64_C(0x8080808080808080)) == 0;
    out->has_trailing_blanks = facts->has_trailing_blanks;
    out->is_constant = texts_are_equal(chunk);
}

/* By the first four bytes where those decide, which is nearly always. */
void column_profile_texts(const ColumnChunk *chunk, ColumnProfile *profile)
{
    const TextView *views = chunk->values;
    uint32_t min = 0, max = 0;
    uint32_t min_key = text_prefix_key(&views[0]), max_key = min_key;
    for (uint32_t i = 1; i < chunk->row_count; i++) {
        const uint32_t key = text_prefix_key(&views[i]);
        if (key <= min_key && text_view_order(&views[i], &views[min]) < 0) {
            min = i;
            min_key = key;
        }
        if (key >= max_key && text_view_order(&views[i], &views[max]) > 0) {
            max = i;
            max_key = key;
        }
    }
    profile->text_min = views[min];
    profile->text_max = views[max];
}

void column_profile(const ColumnChunk *chunk, EncodeContext *context, ColumnProfile *out)
{
    *out = (ColumnProfile){.vector_count = (chunk->row_count + VECTOR_ROWS - 1) / VECTOR_ROWS};
    switch (chunk->lane) {
    case LANE_I64:
        profile_integers(chunk, chunk->values, context, out);
        break;
    case LANE_I128:
        if (chunk->type.id == TYPE_DECIMAL) {
            profile_wide(chunk, context, out);
        } else {
            profile_bytes(chunk, out); // intervals are no numbers
        }
        break;
    case LANE_F32:
    case LANE_F64:
        profile_floats(chunk, out);
        break;
    default:
        profile_texts(chunk, out);
        break;
    }
}
