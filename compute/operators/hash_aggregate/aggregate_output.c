/* aggregate_output.c — results as vectors, checked against their SQL types. */
#include <string.h>

#include "base/types/decimal.h"
#include "compute/operators/hash_aggregate/aggregate_state.h"

static Status out_of_range(const AggregateSpec *spec)
{
    char text[TYPE_TEXT_BYTES];
    return status_error(SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE, "%s is out of range for type %s",
                        spec->name, type_print(spec->result_type, text));
}

// What an exact sum may be by its SQL type.
static void find_limits(Type type, Int128 *min, Int128 *max)
{
    if (type.id == TYPE_DECIMAL) {
        *max = decimal_power_of_ten(type.precision) - 1;
        *min = -*max;
    } else {
        *max = type_int64_max(type);
        *min = type_int64_min(type);
    }
}

static bool has_value(const AggregateState *state, uint32_t group)
{
    return state->spec->is_zero_without_rows || state->seen == NULL ||
           state->seen[group] == SEEN_VALUE;
}

// Lanes of 64 bits while the results fit, else of 128.
static Status gather_exact(const AggregateState *state, const uint32_t *groups, uint32_t count,
                           void *lanes, Vector *out)
{
    Int128 min;
    Int128 max;
    Int128 lo = 0;
    Int128 hi = 0;
    Int128 results[VECTOR_ROWS];
    bool has_any = false;
    find_limits(state->spec->result_type, &min, &max);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t g = groups[i];
        Int128 result = ((const int64_t *)state->values)[g];
        result += state->wide == NULL ? 0 : state->wide[g];
        if (!has_value(state, g)) {
            results[i] = has_any ? lo : 0;
            continue;
        }
        if (result < min || result > max) {
            return out_of_range(state->spec);
        }
        lo = !has_any || result < lo ? result : lo;
        hi = !has_any || result > hi ? result : hi;
        has_any = true;
        results[i] = result;
    }
    bool is_narrow = lo >= INT64_MIN && hi <= INT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if (is_narrow) {
            ((int64_t *)lanes)[i] = (int64_t)results[i];
        } else {
            ((Int128 *)lanes)[i] = results[i];
        }
    }
    out->lane = is_narrow ? LANE_I64 : LANE_I128;
    out->lo = is_narrow ? (int64_t)lo : 0;
    out->hi = is_narrow ? (int64_t)hi : 0;
    return STATUS_OK;
}

// Minima, maxima and first values of scaled integers.
static void gather_int64(const AggregateState *state, const uint32_t *groups, uint32_t count,
                         void *lanes, Vector *out)
{
    bool is_byte = type_widest_lane(state->spec->result_type) == LANE_U8;
    int64_t lo = INT64_MAX;
    int64_t hi = INT64_MIN;
    for (uint32_t i = 0; i < count; i++) {
        int64_t value =
            has_value(state, groups[i]) ? ((const int64_t *)state->values)[groups[i]] : 0;
        if (is_byte) {
            ((uint8_t *)lanes)[i] = (uint8_t)value;
        } else {
            ((int64_t *)lanes)[i] = value;
        }
        lo = value < lo ? value : lo;
        hi = value > hi ? value : hi;
    }
    out->lane = is_byte ? LANE_U8 : LANE_I64;
    out->lo = lo;
    out->hi = hi;
}

static void gather_double(const AggregateState *state, const uint32_t *groups, uint32_t count,
                          void *lanes, Vector *out)
{
    bool is_real = type_widest_lane(state->spec->result_type) == LANE_F32;
    for (uint32_t i = 0; i < count; i++) {
        double value = ((const double *)state->values)[groups[i]];
        if (is_real) {
            ((float *)lanes)[i] = (float)value;
        } else {
            ((double *)lanes)[i] = value;
        }
    }
    out->lane = is_real ? LANE_F32 : LANE_F64;
}

Status aggregate_state_gather(const AggregateState *state, const uint32_t *groups, uint32_t count,
                              VectorBuffer *buffer, Vector *out)
{
    const AggregateSpec *spec = state->spec;
    *out = (Vector){.type = spec->result_type, .form = VECTOR_FLAT, .data = buffer->lanes};
    bool has_nulls = false;
    memset(buffer->validity, 0xFF, VALIDITY_WORDS * sizeof *buffer->validity);
    for (uint32_t i = 0; i < count; i++) {
        if (!has_value(state, groups[i])) {
            validity_clear(buffer->validity, i);
            has_nulls = true;
        }
    }
    out->validity = has_nulls ? buffer->validity : NULL;
    if (spec->op == AGGREGATE_OP_COUNT || aggregate_is_exact_sum(spec)) {
        return gather_exact(state, groups, count, buffer->lanes, out);
    }
    switch (spec->class) {
    case VALUE_CLASS_INT64:
        gather_int64(state, groups, count, buffer->lanes, out);
        break;
    case VALUE_CLASS_DOUBLE:
        gather_double(state, groups, count, buffer->lanes, out);
        break;
    default:
        for (uint32_t i = 0; i < count; i++) {
            memcpy((Int128 *)buffer->lanes + i, (const Int128 *)state->values + groups[i],
                   sizeof(Int128));
        }
        out->lane = (uint8_t)type_widest_lane(spec->result_type);
        out->has_trailing_blanks = spec->class == VALUE_CLASS_TEXT;
        break;
    }
    return STATUS_OK;
}

size_t aggregate_state_bytes(const AggregateState *state)
{
    size_t value_bytes = aggregate_is_int64(state->spec) ? sizeof(int64_t) : sizeof(Int128);
    return state->capacity * value_bytes + state->text.bytes;
}
