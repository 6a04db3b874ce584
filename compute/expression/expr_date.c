/*
 * expr_date.c — calendar fields and day arithmetic over whole vectors of dates.
 *
 * EXTRACT(YEAR): the vector's bounds say which years can occur. One: the result is a constant. Few:
 * a day's year is the first year plus the number of new years at or before it, counted in the
 * lanes of the column. Many, or another field: the calendar's arithmetic in 32 bits. Whatever is
 * left (infinities, years before Christ, other fields) goes through the scalar function.
 */
#include <string.h>

#include "base/types/datetime.h"
#include "compute/expression/expr_internal.h"
#include "compute/expression/expr_slots.h"
#include "compute/functions/datetime_functions.h"
#include "compute/kernels/arithmetic_kernels.h"
#include "compute/kernels/date_kernels.h"

#define YEAR_ONE_DAYS (-719162) /* 0001-01-01 */
#define COUNTED_YEARS_MAX 24    /* beyond that the calendar's arithmetic is faster */

static int32_t year_of(int64_t days)
{
    CivilTime civil;
    civil_from_days(days, &civil);
    return civil.year;
}

static void set_lanes(const ExprNode *node, const Vector *days, Lane lane, int64_t base, int64_t lo,
                      int64_t hi, const void *lanes, Register *out)
{
    Vector vector = {
        .type = node->type,
        .lane = (uint8_t)lane,
        .form = VECTOR_FLAT,
        .base = base,
        .lo = lo,
        .hi = hi,
        .validity = days->validity,
        .data = lanes,
    };
    expr_set_vector(out, &vector);
}

static void extract_year(ExprState *state, const ExprNode *node, const Vector *days,
                         const IntView *view, Register *out)
{
    const DateKernels *kernels = KERNELS(date_kernels);
    int32_t first = year_of(view->lo), last = year_of(view->hi);
    VectorBuffer *buffer = expr_take_buffer(state);
    uint32_t row_count = expr_row_count(state);
    if (last - first <= COUNTED_YEARS_MAX) {
        uint64_t bounds[COUNTED_YEARS_MAX];
        uint32_t count = 0;
        for (int32_t year = first + 1; year <= last; year++) {
            bounds[count++] = (uint64_t)(days_from_civil(year, 1, 1) - view->base);
        }
        kernels->count_bounds[view->lane](view->lanes, row_count, bounds, count, buffer->lanes);
        set_lanes(node, days, LANE_U8, first, first, last, buffer->lanes, out);
        return;
    }
    DateFields fields = {.year = buffer->lanes};
    kernels->fields[view->lane](view->lanes, row_count, view->base, fields);
    set_lanes(node, days, LANE_U16, 0, first, last, buffer->lanes, out);
}

/* The days of timestamps from 1970 to 2112, which have 52 bits; false for others. */
static bool timestamp_days(ExprState *state, const Vector *timestamps, IntView *days)
{
    IntView us;
    if (!expr_int_view(state, timestamps, &us) || us.is_constant || us.lane != LANE_I64) {
        return false;
    }
    if (us.lo < 0 || us.hi > DIVIDE_SHORT_MAX) {
        expr_tighten(state, &us);
    }
    if (us.lo < 0 || us.hi > DIVIDE_SHORT_MAX) {
        return false;
    }
    int64_t *lanes = expr_take_buffer(state)->lanes;
    KERNELS(arithmetic_kernels)
        ->divide_short(us.lanes, expr_row_count(state), US_PER_DAY, DIVIDE_CUT, lanes);
    *days = (IntView){
        .lanes = lanes, .lane = LANE_I64, .lo = us.lo / US_PER_DAY, .hi = us.hi / US_PER_DAY};
    return true;
}

/* False when the field or the range has no kernel. */
static bool extract_field(ExprState *state, const ExprNode *node, DateField field,
                          const Vector *days, Register *out)
{
    IntView view;
    bool is_date = days->type.id == TYPE_DATE;
    if ((field != DATE_FIELD_YEAR && field != DATE_FIELD_MONTH && field != DATE_FIELD_DAY) ||
        type_is_float(node->type) ||
        !(is_date ? expr_int_view(state, days, &view) : timestamp_days(state, days, &view)) ||
        view.is_constant || view.lo < YEAR_ONE_DAYS || view.hi > CALENDAR_DAYS_MAX) {
        return false;
    }
    if (field == DATE_FIELD_YEAR) {
        extract_year(state, node, days, &view, out);
        return true;
    }
    VectorBuffer *buffer = expr_take_buffer(state);
    bool is_month = field == DATE_FIELD_MONTH;
    DateFields fields = {.month = is_month ? buffer->lanes : NULL,
                         .day = is_month ? NULL : buffer->lanes};
    KERNELS(date_kernels)->fields[view.lane](view.lanes, expr_row_count(state), view.base, fields);
    set_lanes(node, days, LANE_U8, 0, 1, is_month ? 12 : 31, buffer->lanes, out);
    return true;
}

Status op_extract(ExprState *state, const ExprNode *node, Register *out)
{
    const ScalarCall *call = node->prepared;
    const Vector *days = expr_arg(state, node, 1);
    bool is_day = days->type.id == TYPE_DATE || days->type.id == TYPE_TIMESTAMP;
    if (is_day && call->prepared != NULL &&
        extract_field(state, node, *(const DateField *)call->prepared, days, out)) {
        return STATUS_OK;
    }
    return op_function(state, node, out);
}

/* date + integer, date - integer, date - date: integer arithmetic as long as bounds keep infinity
 * and the end of the calendar away. */
Status op_date_days(ExprState *state, const ExprNode *node, Register *out)
{
    const Vector *left = expr_arg(state, node, 0), *right = expr_arg(state, node, 1);
    bool is_difference = node->expr->function == FUNCTION_DATE_DIFFERENCE;
    bool is_sum = node->expr->function == FUNCTION_DATE_ADD_DAYS;
    IntView a, b;
    bool is_plain = left->type.id == TYPE_DATE &&
                    (is_difference ? type_is_integer(node->type) : node->type.id == TYPE_DATE) &&
                    expr_int_view(state, left, &a) && expr_int_view(state, right, &b) &&
                    a.lo >= DATE_DAYS_MIN && a.hi <= DATE_DAYS_MAX;
    if (is_plain && is_difference) {
        is_plain = b.lo >= DATE_DAYS_MIN && b.hi <= DATE_DAYS_MAX;
    } else if (is_plain) {
        Int128 lo = is_sum ? (Int128)a.lo + b.lo : (Int128)a.lo - b.hi;
        Int128 hi = is_sum ? (Int128)a.hi + b.hi : (Int128)a.hi - b.lo;
        is_plain = lo >= DATE_DAYS_MIN && hi <= DATE_DAYS_MAX;
    }
    if (!is_plain) {
        return op_function(state, node, out);
    }
    return expr_arithmetic(state, is_sum ? FUNCTION_ADD : FUNCTION_SUBTRACT, node->type, 0, left,
                           right, out);
}
