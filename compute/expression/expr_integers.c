/*
 * expr_integers.c — scaled integers as operands and results: lanes, bounds, range checks.
 */
#include <string.h>

#include "base/types/decimal.h"
#include "base/vector/vector_kernels.h"
#include "compute/expression/expr_internal.h"

/* What lanes of this width over this base can be at all. */
static void clamp_to_lanes(IntView *view)
{
    if (view->lane == LANE_I64) {
        return;
    }
    int64_t lane_max = (int64_t)((UINT64_C(1) << (8 * lane_bytes(view->lane))) - 1), top;
    if (__builtin_add_overflow(view->base, lane_max, &top)) {
        top = INT64_MAX;
    }
    view->lo = view->lo < view->base ? view->base : view->lo;
    view->hi = view->hi > top ? top : view->hi;
}

bool expr_int_view(ExprState *state, const Vector *vector, IntView *out)
{
    if (vector->form == VECTOR_CONSTANT) {
        Int128 value = expr_int128_at(vector, 0);
        if (value != (int64_t)value) {
            return false;
        }
        *out = (IntView){.is_constant = true,
                         .lane = LANE_U8,
                         .base = (int64_t)value,
                         .lo = (int64_t)value,
                         .hi = (int64_t)value};
        return true;
    }
    Vector flat;
    expr_flatten(state, vector, &flat);
    if (flat.lane > LANE_I64) {
        return false;
    }
    *out = (IntView){.lanes = flat.data,
                     .lane = (Lane)flat.lane,
                     .base = flat.base,
                     .lo = flat.lo,
                     .hi = flat.hi};
    clamp_to_lanes(out);
    if (out->lo > out->hi) { // no row but null ones
        out->lo = out->hi = out->base;
    }
    return true;
}

void expr_tighten(ExprState *state, IntView *view)
{
    if (view->is_constant) {
        return;
    }
    int64_t lo, hi;
    KERNELS(vector_kernels)->min_max[view->lane](view->lanes, expr_row_count(state), &lo, &hi);
    if (view->lane != LANE_I64) {
        lo = (int64_t)((uint64_t)lo + (uint64_t)view->base);
        hi = (int64_t)((uint64_t)hi + (uint64_t)view->base);
        if (lo > hi) { // lanes of null rows have wrapped around
            return;
        }
    }
    view->lo = lo > view->lo ? lo : view->lo;
    view->hi = hi < view->hi ? hi : view->hi;
    if (view->lo > view->hi) {
        view->lo = view->hi = view->base;
    }
}

Lane lane_for_span(uint64_t span)
{
    return span <= UINT8_MAX    ? LANE_U8
           : span <= UINT16_MAX ? LANE_U16
           : span <= UINT32_MAX ? LANE_U32
                                : LANE_I64;
}

Int128 expr_int128_at(const Vector *vector, uint32_t row)
{
    if (vector->form != VECTOR_DICTIONARY && vector->lane == LANE_I128) {
        Int128 value;
        memcpy(&value,
               (const char *)vector->data +
                   (vector->form == VECTOR_CONSTANT ? 0 : row) * sizeof value,
               sizeof value);
        return value;
    }
    return vector_int64(vector, row);
}

/* --- results --- */

Status expr_out_of_range(Type type)
{
    if (type.id == TYPE_DECIMAL) {
        return decimal_overflow(type);
    }
    if (type.id == TYPE_DATE || type.id == TYPE_TIMESTAMP) {
        return status_error(SQLSTATE_DATETIME_FIELD_OVERFLOW, "%s out of range",
                            type.id == TYPE_DATE ? "date" : "timestamp");
    }
    return status_error(SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE, "%s out of range", type_name(type));
}

Status expr_check_range(ExprState *state, Vector *vector, Type type)
{
    if (!type_is_scaled_integer(type)) {
        return STATUS_OK; // a decimal of more digits than 64 bits can exceed
    }
    int64_t type_lo = type_int64_min(type), type_hi = type_int64_max(type);
    if (vector->lo >= type_lo && vector->hi <= type_hi) {
        return STATUS_OK;
    }
    IntView view;
    if (!expr_int_view(state, vector, &view)) {
        return STATUS_OK;
    }
    expr_tighten(state, &view);
    if (view.lo < type_lo || view.hi > type_hi) {
        // rows that nobody wants may be the cause
        uint32_t count;
        const uint16_t *rows = expr_active_rows(
            state, vector->form == VECTOR_CONSTANT ? NULL : vector->validity, &count);
        for (uint32_t i = 0; i < count; i++) {
            int64_t value = vector_int64(vector, rows[i]);
            if (value < type_lo || value > type_hi) {
                return expr_out_of_range(type);
            }
        }
        view.lo = view.lo < type_lo ? type_lo : view.lo;
        view.hi = view.hi > type_hi ? type_hi : view.hi;
    }
    vector->lo = view.lo;
    vector->hi = view.hi;
    return STATUS_OK;
}

void int_writer_init(IntWriter *writer, ExprState *state, Type type)
{
    *writer = (IntWriter){
        .buffer = expr_take_buffer(state),
        .type = type,
        .is_wide = !type_is_scaled_integer(type),
        .lo = INT64_MAX,
        .hi = INT64_MIN,
    };
    if (writer->is_wide) {
        uint32_t digits = type.precision == 0 ? DECIMAL_PRECISION_MAX : type.precision;
        writer->limit_hi = decimal_power_of_ten(digits) - 1;
        writer->limit_lo = -writer->limit_hi;
        memset(writer->buffer->lanes, 0, expr_row_count(state) * sizeof(Int128));
    } else {
        writer->limit_hi = type_int64_max(type);
        writer->limit_lo = type_int64_min(type);
    }
}

void int_writer_finish(const IntWriter *writer, const uint64_t *validity, Register *out)
{
    bool is_empty = writer->lo > writer->hi;
    Vector vector = {
        .type = writer->type,
        .lane = writer->is_wide ? LANE_I128 : LANE_I64,
        .form = VECTOR_FLAT,
        .lo = is_empty ? 0 : writer->lo,
        .hi = is_empty ? 0 : writer->hi,
        .validity = validity,
        .data = writer->buffer->lanes,
    };
    expr_set_vector(out, &vector);
}
