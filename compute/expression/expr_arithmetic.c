/*
 * expr_arithmetic.c — + - * of integers and decimals in the narrowest lanes that bounds allow.
 *
 * Example: l_extendedprice * (1 - l_discount), all DECIMAL(12,2). 100 - discount: discount is U8
 * over base 0, lo 0, hi 10; the difference lies in 90..100, so it is U8 over base 90. The product
 * of 90,000..10,500,000 and 90..100 lies in 8,100,000..1,050,000,000: U32 over 8,100,000. Nothing
 * was checked and nothing was widened, although the declared types would need 128 bits.
 *
 * Where bounds prove nothing: first the true bounds of the operands are taken, then int64 with a
 * check, then 128 bits row by row.
 */
#include <string.h>

#include "base/types/decimal.h"
#include "compute/expression/expr_internal.h"
#include "compute/kernels/arithmetic_kernels.h"

static ArithmeticOp arithmetic_op(FunctionId op)
{
    return op == FUNCTION_ADD        ? ARITHMETIC_ADD
           : op == FUNCTION_SUBTRACT ? ARITHMETIC_SUBTRACT
                                     : ARITHMETIC_MULTIPLY;
}

typedef struct Bounds {
    Int128 lo, hi;
} Bounds;

static Bounds result_bounds(ArithmeticOp op, const IntView *left, const IntView *right)
{
    if (op == ARITHMETIC_ADD) {
        return (Bounds){(Int128)left->lo + right->lo, (Int128)left->hi + right->hi};
    }
    if (op == ARITHMETIC_SUBTRACT) {
        return (Bounds){(Int128)left->lo - right->hi, (Int128)left->hi - right->lo};
    }
    Int128 corners[4] = {(Int128)left->lo * right->lo, (Int128)left->lo * right->hi,
                         (Int128)left->hi * right->lo, (Int128)left->hi * right->hi};
    Bounds bounds = {corners[0], corners[0]};
    for (int i = 1; i < 4; i++) {
        bounds.lo = corners[i] < bounds.lo ? corners[i] : bounds.lo;
        bounds.hi = corners[i] > bounds.hi ? corners[i] : bounds.hi;
    }
    return bounds;
}

static bool fits_int64(Bounds bounds)
{
    return bounds.lo >= INT64_MIN && bounds.hi <= INT64_MAX;
}

/* An operand that is plain lanes plus a constant: only its base moves. */
static bool shift_base(ArithmeticOp op, const IntView *left, const IntView *right, Vector *out)
{
    if (op == ARITHMETIC_MULTIPLY || !right->is_constant || left->is_constant ||
        left->lane == LANE_I64) {
        return false;
    }
    int64_t lane_max = (int64_t)((UINT64_C(1) << (8 * lane_bytes(left->lane))) - 1), base, top;
    bool is_overflow = op == ARITHMETIC_ADD ? __builtin_add_overflow(left->base, right->lo, &base)
                                            : __builtin_sub_overflow(left->base, right->lo, &base);
    if (is_overflow || __builtin_add_overflow(base, lane_max, &top)) {
        return false;
    }
    out->lane = (uint8_t)left->lane;
    out->base = base;
    out->data = left->lanes;
    return true;
}

/* (lane + left_add) * factor + add computes all three operations when one side is constant. */
static void run_scaled(ExprState *state, ArithmeticOp op, const IntView *left, const IntView *right,
                       Lane lane, int64_t base, void *target)
{
    const IntView *lanes = left->is_constant ? right : left;
    uint64_t constant = (uint64_t)(left->is_constant ? left : right)->lo;
    LaneTerms terms = {.left_add = (uint64_t)lanes->base, .right_add = 1, .add = -(uint64_t)base};
    if (op == ARITHMETIC_MULTIPLY) {
        terms.right_add = constant;
    } else if (op == ARITHMETIC_ADD) {
        terms.add += constant;
    } else if (left->is_constant) { // constant - lane
        terms.right_add = UINT64_MAX;
        terms.add += constant;
    } else {
        terms.add -= constant;
    }
    KERNELS(arithmetic_kernels)
        ->scale[lanes->lane][lane](lanes->lanes, expr_row_count(state), &terms, target);
}

/* Narrow lanes whose values are all in 0..2^32-1. */
static bool is_unsigned32(const IntView *view)
{
    return view->lane < LANE_I64 && view->lo >= 0 && view->hi <= UINT32_MAX;
}

static void run_pair(ExprState *state, ArithmeticOp op, const IntView *left, const IntView *right,
                     Lane lane, int64_t base, void *target)
{
    LaneTerms terms = {.left_add = (uint64_t)left->base,
                       .right_add = (uint64_t)right->base,
                       .add = -(uint64_t)base};
    if (op == ARITHMETIC_ADD) {
        terms.add += (uint64_t)left->base + (uint64_t)right->base;
    } else if (op == ARITHMETIC_SUBTRACT) {
        terms.add += (uint64_t)left->base - (uint64_t)right->base;
    }
    const ArithmeticKernels *kernels = KERNELS(arithmetic_kernels);
    bool is_short = op == ARITHMETIC_MULTIPLY && lane == LANE_I64 && is_unsigned32(left) &&
                    is_unsigned32(right);
    LanePairKernel kernel = is_short ? kernels->multiply_short[left->lane][right->lane]
                                     : kernels->pair[op][left->lane][right->lane][lane];
    kernel(left->lanes, right->lanes, expr_row_count(state), &terms, target);
}

/* Bounds have proven that int64 holds every result. */
static void run_proven(ExprState *state, ArithmeticOp op, const IntView *left, const IntView *right,
                       Bounds bounds, Vector *out)
{
    out->form = VECTOR_FLAT;
    out->lo = (int64_t)bounds.lo;
    out->hi = (int64_t)bounds.hi;
    if (shift_base(op, left, right, out) ||
        (op == ARITHMETIC_ADD && shift_base(op, right, left, out))) {
        return;
    }
    VectorBuffer *buffer = expr_take_buffer(state);
    Lane lane = lane_for_span((uint64_t)(bounds.hi - bounds.lo));
    lane = !left->is_constant && left->lane > lane ? left->lane : lane;
    lane = !right->is_constant && right->lane > lane ? right->lane : lane;
    int64_t base = lane == LANE_I64 ? 0 : out->lo;
    int64_t lane_max =
        lane == LANE_I64 ? 0 : (int64_t)((UINT64_C(1) << (8 * lane_bytes(lane))) - 1);
    if (base > INT64_MAX - lane_max) { // no room above the base
        base = 0;
        lane = LANE_I64;
    }
    out->lane = (uint8_t)lane;
    out->base = base;
    out->data = buffer->lanes;
    if (left->is_constant || right->is_constant) {
        run_scaled(state, op, left, right, lane, base, buffer->lanes);
    } else {
        run_pair(state, op, left, right, lane, base, buffer->lanes);
    }
}

/* Both sides as int64 lanes with base 0. */
static const int64_t *widened_lanes(ExprState *state, const IntView *view)
{
    if (!view->is_constant && view->lane == LANE_I64) {
        return view->lanes;
    }
    int64_t *lanes = expr_take_buffer(state)->lanes;
    if (view->is_constant) {
        for (uint32_t i = 0; i < expr_row_count(state); i++) {
            lanes[i] = view->lo;
        }
        return lanes;
    }
    LaneTerms terms = {.left_add = (uint64_t)view->base, .right_add = 1};
    KERNELS(arithmetic_kernels)
        ->scale[view->lane][LANE_I64](view->lanes, expr_row_count(state), &terms, lanes);
    return lanes;
}

/* False when some row, wanted or not, has overflowed. */
static bool run_checked(ExprState *state, ArithmeticOp op, const IntView *left,
                        const IntView *right, Bounds bounds, Vector *out)
{
    VectorBuffer *buffer = expr_take_buffer(state);
    if (KERNELS(arithmetic_kernels)
            ->checked[op](widened_lanes(state, left), widened_lanes(state, right),
                          expr_row_count(state), buffer->lanes)) {
        return false;
    }
    out->form = VECTOR_FLAT;
    out->lane = LANE_I64;
    out->base = 0;
    out->lo = bounds.lo < INT64_MIN ? INT64_MIN : (int64_t)bounds.lo;
    out->hi = bounds.hi > INT64_MAX ? INT64_MAX : (int64_t)bounds.hi;
    out->data = buffer->lanes;
    return true;
}

/* Row by row in 128 bits (products in 256). */
static Status run_wide(ExprState *state, ArithmeticOp op, uint32_t drop_digits, const Vector *left,
                       const Vector *right, const uint64_t *validity, Type type, Register *out)
{
    IntWriter writer;
    uint32_t count;
    const uint16_t *rows = expr_active_rows(state, validity, &count);
    int_writer_init(&writer, state, type);
    for (uint32_t i = 0; i < count; i++) {
        Int128 a = expr_int128_at(left, rows[i]), b = expr_int128_at(right, rows[i]), value;
        bool is_overflow = op == ARITHMETIC_ADD ? __builtin_add_overflow(a, b, &value)
                           : op == ARITHMETIC_SUBTRACT
                               ? __builtin_sub_overflow(a, b, &value)
                               : !decimal_multiply(a, b, drop_digits, &value);
        if (is_overflow || !int_writer_fits(&writer, value)) {
            return expr_out_of_range(type);
        }
        int_writer_set(&writer, rows[i], value);
    }
    int_writer_finish(&writer, validity, out);
    return STATUS_OK;
}

/* Products whose declared scale was capped lose their last digits. */
static void drop_last_digits(ExprState *state, uint32_t digits, Vector *vector)
{
    IntView view;
    VectorBuffer *buffer = expr_take_buffer(state);
    int64_t divisor = (int64_t)decimal_power_of_ten(digits);
    expr_int_view(state, vector, &view);
    KERNELS(arithmetic_kernels)
        ->divide_rounded(widened_lanes(state, &view), expr_row_count(state), divisor,
                         buffer->lanes);
    vector->lane = LANE_I64;
    vector->base = 0;
    vector->data = buffer->lanes;
    vector->lo = vector->lo / divisor - 1;
    vector->hi = vector->hi / divisor + 1;
}

Status expr_arithmetic(ExprState *state, FunctionId function, Type type, uint32_t drop_digits,
                       const Vector *left, const Vector *right, Register *out)
{
    const ArithmeticOp op = arithmetic_op(function);
    const uint64_t *validity = expr_combine_validity(state, (const Vector *[]){left, right}, 2);
    IntView a, b;
    Vector vector = {.type = type, .validity = validity};
    if (!expr_int_view(state, left, &a) || !expr_int_view(state, right, &b) ||
        (a.is_constant && b.is_constant) || drop_digits > DECIMAL_PRECISION_INT64) {
        return run_wide(state, op, drop_digits, left, right, validity, type, out);
    }
    Bounds bounds = result_bounds(op, &a, &b);
    if (!fits_int64(bounds)) {
        expr_tighten(state, &a);
        expr_tighten(state, &b);
        bounds = result_bounds(op, &a, &b);
    }
    if (fits_int64(bounds)) {
        run_proven(state, op, &a, &b, bounds, &vector);
    } else if (!run_checked(state, op, &a, &b, bounds, &vector)) {
        return run_wide(state, op, drop_digits, left, right, validity, type, out);
    }
    if (drop_digits > 0) {
        drop_last_digits(state, drop_digits, &vector);
    }
    TRY(expr_check_range(state, &vector, type));
    expr_set_vector(out, &vector);
    return STATUS_OK;
}

Status op_add(ExprState *state, const ExprNode *node, Register *out)
{
    return expr_arithmetic(state, FUNCTION_ADD, node->type, 0, expr_arg(state, node, 0),
                           expr_arg(state, node, 1), out);
}

Status op_subtract(ExprState *state, const ExprNode *node, Register *out)
{
    return expr_arithmetic(state, FUNCTION_SUBTRACT, node->type, 0, expr_arg(state, node, 0),
                           expr_arg(state, node, 1), out);
}

Status op_multiply(ExprState *state, const ExprNode *node, Register *out)
{
    uint32_t drop_digits = 0;
    if (node->type.id == TYPE_DECIMAL) {
        uint32_t scale = 0;
        for (uint32_t i = 0; i < 2; i++) {
            scale += state->program->nodes[node->args[i]]->type.scale;
        }
        drop_digits = scale > node->type.scale ? scale - node->type.scale : 0;
    }
    return expr_arithmetic(state, FUNCTION_MULTIPLY, node->type, drop_digits,
                           expr_arg(state, node, 0), expr_arg(state, node, 1), out);
}

Status op_negate(ExprState *state, const ExprNode *node, Register *out)
{
    const Vector *arg = expr_arg(state, node, 0);
    if (node->type.id == TYPE_INTERVAL) {
        Vector flat, result;
        VectorBuffer *buffer = expr_take_buffer(state);
        expr_flatten(state, arg, &flat);
        result = flat;
        result.data = buffer->lanes;
        memset(buffer->lanes, 0, expr_row_count(state) * sizeof(Interval));
        uint32_t count;
        const uint16_t *rows = expr_active_rows(state, flat.validity, &count);
        for (uint32_t i = 0; i < count; i++) {
            Interval value = ((const Interval *)flat.data)[rows[i]];
            if (value.months == INT32_MIN || value.days == INT32_MIN || value.us == INT64_MIN) {
                return status_error(SQLSTATE_DATETIME_FIELD_OVERFLOW, "interval out of range");
            }
            ((Interval *)buffer->lanes)[rows[i]] =
                (Interval){-value.months, -value.days, -value.us};
        }
        expr_set_vector(out, &result);
        return STATUS_OK;
    }
    Value zero = value_int64(node->type, 0);
    Vector constant;
    vector_set_constant(&constant, &zero, expr_take_mask(state));
    return expr_arithmetic(state, FUNCTION_SUBTRACT, node->type, 0, &constant, arg, out);
}
