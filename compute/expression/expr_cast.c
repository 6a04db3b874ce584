/*
 * expr_cast.c — CAST: the common pairs of types in whole vectors, all others value by value.
 *
 * A cast to a type that holds every value of the vector (decided by bounds, not by declared types)
 * costs nothing: the lanes stay and only the type changes.
 */
#include <math.h>
#include <string.h>

#include "base/types/datetime.h"
#include "base/types/decimal.h"
#include "base/types/text_format.h"
#include "compute/expression/expr_internal.h"
#include "compute/functions/datetime_functions.h"
#include "compute/kernels/arithmetic_kernels.h"
#include "compute/kernels/cast_kernels.h"

static bool is_exact(Type type)
{
    return type_is_integer(type) || type.id == TYPE_DECIMAL;
}

static uint32_t scale_of(Type type)
{
    return type.id == TYPE_DECIMAL ? type.scale : 0;
}

/* --- value by value --- */

static void store(IntWriter *writer, VectorBuffer *buffer, uint32_t row, const Value *value,
                  bool *has_trailing_blanks)
{
    void *lanes = buffer->lanes;
    switch (type_widest_lane(value->type)) {
    case LANE_F32:
        ((float *)lanes)[row] = (float)value->f64;
        return;
    case LANE_F64:
        ((double *)lanes)[row] = value->f64;
        return;
    case LANE_TEXT:
        ((TextView *)lanes)[row] = value->text;
        *has_trailing_blanks |=
            value->text.length > 0 && text_view_data(&value->text)[value->text.length - 1] == ' ';
        return;
    case LANE_I128:
        memcpy((Int128 *)lanes + row, &value->i128, sizeof(Int128));
        return;
    case LANE_U8:
        ((uint8_t *)lanes)[row] = (uint8_t)value->i64;
        break;
    default:
        ((int64_t *)lanes)[row] = value->i64;
        break;
    }
    writer->lo = value->i64 < writer->lo ? value->i64 : writer->lo;
    writer->hi = value->i64 > writer->hi ? value->i64 : writer->hi;
}

static Status cast_values(ExprState *state, const ExprNode *node, const Vector *arg, Register *out)
{
    Type type = node->type;
    bool is_explicit = node->expr->is_explicit, has_trailing_blanks = false;
    const uint64_t *validity = expr_node_validity(state, node);
    uint32_t row_count;
    const uint16_t *rows = expr_active_rows(state, validity, &row_count);
    VectorBuffer *buffer = expr_take_buffer(state);
    Lane lane = type_widest_lane(type);
    IntWriter bounds = {.lo = INT64_MAX, .hi = INT64_MIN};
    memset(buffer->lanes, 0, expr_row_count(state) * lane_bytes(lane));
    for (uint32_t i = 0; i < row_count; i++) {
        Value value = vector_value(arg, rows[i]), result;
        TRY(value_cast(&value, type, is_explicit, expr_text_arena(state), &result));
        store(&bounds, buffer, rows[i], &result, &has_trailing_blanks);
    }
    Vector vector = {
        .type = type,
        .lane = (uint8_t)lane,
        .form = VECTOR_FLAT,
        .has_trailing_blanks = has_trailing_blanks,
        .lo = bounds.lo > bounds.hi ? 0 : bounds.lo,
        .hi = bounds.lo > bounds.hi ? 0 : bounds.hi,
        .validity = validity,
        .data = buffer->lanes,
    };
    expr_set_vector(out, &vector);
    return STATUS_OK;
}

/* --- exact numbers --- */

/* The same lanes under another type, when all values fit it. */
static Status retype(ExprState *state, const ExprNode *node, const Vector *arg, Register *out,
                     bool *is_done)
{
    IntView view;
    if (!expr_int_view(state, arg, &view)) {
        return STATUS_OK; // 128 bits
    }
    Vector vector = *arg;
    vector.type = node->type;
    if (arg->form == VECTOR_CONSTANT) {
        return STATUS_OK; // its lane would change with its type
    }
    if (arg->form == VECTOR_DICTIONARY) {
        expr_flatten(state, arg, &vector);
        vector.type = node->type;
    }
    vector.lo = view.lo;
    vector.hi = view.hi;
    TRY(expr_check_range(state, &vector, node->type));
    expr_set_vector(out, &vector);
    *is_done = true;
    return STATUS_OK;
}

/* To fewer digits behind the point. */
static Status scale_down(ExprState *state, const ExprNode *node, const Vector *arg, uint32_t digits,
                         Register *out, bool *is_done)
{
    IntView view;
    if (digits > DECIMAL_PRECISION_INT64 || !expr_int_view(state, arg, &view) || view.is_constant) {
        return STATUS_OK;
    }
    Vector wide, vector = *arg;
    VectorBuffer *buffer = expr_take_buffer(state);
    vector.type = type_of(TYPE_BIGINT); // int64 lanes, whatever the declared precision
    if (vector.form == VECTOR_DICTIONARY) {
        expr_flatten(state, arg, &vector);
        vector.type = type_of(TYPE_BIGINT);
    }
    expr_widen(state, &vector, &wide);
    int64_t divisor = (int64_t)decimal_power_of_ten(digits);
    KERNELS(arithmetic_kernels)
        ->divide_rounded(wide.data, expr_row_count(state), divisor, buffer->lanes);
    vector = wide;
    vector.type = node->type;
    vector.data = buffer->lanes;
    vector.is_ascending = false;
    vector.lo = view.lo / divisor - 1;
    vector.hi = view.hi / divisor + 1;
    TRY(expr_check_range(state, &vector, node->type));
    expr_set_vector(out, &vector);
    *is_done = true;
    return STATUS_OK;
}

static Status scale_up(ExprState *state, const ExprNode *node, const Vector *arg, uint32_t digits,
                       Register *out)
{
    Value power = {.type = type_decimal(DECIMAL_PRECISION_MAX, 0),
                   .i128 = decimal_power_of_ten(digits)};
    Vector constant;
    vector_set_constant(&constant, &power, expr_take_mask(state));
    return expr_arithmetic(state, FUNCTION_MULTIPLY, node->type, 0, arg, &constant, out);
}

static Status cast_exact(ExprState *state, const ExprNode *node, const Vector *arg, Type source,
                         Register *out, bool *is_done)
{
    uint32_t from = scale_of(source), to = scale_of(node->type);
    if (from == to) {
        return retype(state, node, arg, out, is_done);
    }
    if (from > to) {
        return scale_down(state, node, arg, from - to, out, is_done);
    }
    if (arg->form == VECTOR_CONSTANT) {
        return STATUS_OK;
    }
    *is_done = true;
    return scale_up(state, node, arg, to - from, out);
}

/* --- floats --- */

static Status exact_to_float(ExprState *state, const ExprNode *node, const Vector *arg,
                             uint32_t scale, Register *out, bool *is_done)
{
    const int64_t limit = INT64_C(1) << 53;
    IntView view;
    if (scale > 22 || !expr_int_view(state, arg, &view) || view.is_constant ||
        node->type.id != TYPE_DOUBLE) {
        return STATUS_OK;
    }
    if (view.lo < -limit || view.hi > limit) {
        expr_tighten(state, &view);
        if (view.lo < -limit || view.hi > limit) {
            return STATUS_OK; // more bits than a double has: value by value
        }
    }
    VectorBuffer *buffer = expr_take_buffer(state);
    KERNELS(cast_kernels)
        ->to_f64[view.lane](view.lanes, expr_row_count(state), view.base,
                            (double)decimal_power_of_ten(scale), buffer->lanes);
    Vector vector = {.type = node->type,
                     .lane = LANE_F64,
                     .form = VECTOR_FLAT,
                     .validity = arg->validity,
                     .data = buffer->lanes};
    expr_set_vector(out, &vector);
    *is_done = true;
    return STATUS_OK;
}

static void float_to_double(ExprState *state, const ExprNode *node, const Vector *arg,
                            Register *out)
{
    Vector flat;
    VectorBuffer *buffer = expr_take_buffer(state);
    expr_flatten(state, arg, &flat);
    KERNELS(cast_kernels)->f32_to_f64(flat.data, expr_row_count(state), buffer->lanes);
    flat.type = node->type;
    flat.lane = LANE_F64;
    flat.data = buffer->lanes;
    expr_set_vector(out, &flat);
}

/* --- dates --- */

static Status date_to_timestamp(ExprState *state, const ExprNode *node, const Vector *arg,
                                Register *out, bool *is_done)
{
    const int64_t days_max = INT64_C(106751981); // the last whole day of a timestamp
    IntView view;
    if (!expr_int_view(state, arg, &view) || view.is_constant || view.lo < DATE_DAYS_MIN ||
        view.hi > days_max) {
        return STATUS_OK; // infinity, or an error
    }
    Value day = value_int64(type_of(TYPE_BIGINT), US_PER_DAY);
    Vector constant;
    vector_set_constant(&constant, &day, expr_take_mask(state));
    *is_done = true;
    return expr_arithmetic(state, FUNCTION_MULTIPLY, node->type, 0, arg, &constant, out);
}

/* --- texts --- */

bool expr_text_fits(Type source, Type target)
{
    if (target.id == TYPE_CHAR) {
        return source.id == TYPE_CHAR && source.length > 0 && source.length <= target.length;
    }
    return target.length == 0 || (source.length > 0 && source.length <= target.length);
}

/* CHAR(n) and VARCHAR(n): cut, or refused, where some text is longer. */
static Status fit_texts(ExprState *state, const ExprNode *node, const Vector *arg, Register *out)
{
    Vector flat;
    expr_flatten(state, arg, &flat);
    const TextView *views = flat.data;
    VectorBuffer *buffer = expr_take_buffer(state);
    TextView *target = buffer->lanes;
    uint32_t row_count;
    const uint16_t *rows = expr_active_rows(state, flat.validity, &row_count);
    bool has_trailing_blanks = false;
    memset(target, 0, expr_row_count(state) * sizeof *target);
    for (uint32_t i = 0; i < row_count; i++) {
        const TextView *view = &views[rows[i]];
        const char *text = text_view_data(view);
        size_t bytes = view->length;
        if (node->type.id == TYPE_CHAR || (int64_t)bytes > node->type.length) {
            TRY(text_fit(text, bytes, node->type, node->expr->is_explicit, &bytes));
        }
        target[rows[i]] = bytes == view->length ? *view : text_view_make(text, bytes);
        has_trailing_blanks |= bytes > 0 && text[bytes - 1] == ' ';
    }
    flat.type = node->type;
    flat.data = target;
    flat.is_ascending = false;
    flat.has_trailing_blanks = has_trailing_blanks;
    expr_set_vector(out, &flat);
    return STATUS_OK;
}

Status op_cast(ExprState *state, const ExprNode *node, Register *out)
{
    const Vector *arg = expr_arg(state, node, 0);
    Type source = state->program->nodes[node->args[0]]->type, target = node->type;
    bool is_done = false;
    if (arg->form == VECTOR_CONSTANT) {
        return cast_values(state, node, arg, out);
    }
    if (type_is_text(source) && type_is_text(target)) {
        if (!expr_text_fits(source, target)) {
            return fit_texts(state, node, arg, out);
        }
        Vector vector = *arg;
        vector.type = target;
        expr_set_vector(out, &vector);
        return STATUS_OK;
    }
    if ((is_exact(source) || source.id == TYPE_BOOLEAN) && is_exact(target)) {
        if (source.id != TYPE_BOOLEAN || type_is_integer(target)) {
            TRY(cast_exact(state, node, arg, source, out, &is_done));
        }
    } else if (is_exact(source) && type_is_float(target)) {
        TRY(exact_to_float(state, node, arg, scale_of(source), out, &is_done));
    } else if (source.id == TYPE_REAL && target.id == TYPE_DOUBLE) {
        float_to_double(state, node, arg, out);
        return STATUS_OK;
    } else if (source.id == TYPE_DATE && target.id == TYPE_TIMESTAMP) {
        TRY(date_to_timestamp(state, node, arg, out, &is_done));
    } else if (source.id == target.id) {
        Vector vector = *arg;
        vector.type = target;
        expr_set_vector(out, &vector);
        return STATUS_OK;
    }
    return is_done ? STATUS_OK : cast_values(state, node, arg, out);
}
