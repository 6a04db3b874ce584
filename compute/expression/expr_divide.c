/*
 * expr_divide.c — division of integers (cut towards zero) and decimals (rounded half away from zero
 * to the result's scale), remainders, and the division that ends AVG.
 *
 * Divisors that are constant, as in price / 7, divide whole vectors by way of doubles while the
 * dividends have at most 52 bits. All other divisions run row by row over active rows only: a zero
 * divisor is an error (22012), and the processor has no vector division of integers anyway.
 */
#include "base/types/decimal.h"
#include "compute/expression/expr_internal.h"
#include "compute/kernels/arithmetic_kernels.h"

static Status division_by_zero(void)
{
    return status_error(SQLSTATE_DIVISION_BY_ZERO, "division by zero");
}

/* What the row loops need: both sides as 64 or 128 bits. */
typedef struct Operands {
    Vector left, right;
    const int64_t *left_lanes, *right_lanes; /* null: 128 bits, or out of the bounds below */
    const uint64_t *validity;
    const uint16_t *rows;
    uint32_t row_count;
} Operands;

/* The lanes when the values are 64 bits wide and |value| <= limit, else null. */
static const int64_t *int64_lanes(ExprState *state, const Vector *vector, int64_t limit)
{
    IntView view;
    if (!expr_int_view(state, vector, &view) || limit == 0) {
        return NULL;
    }
    if (view.lo < -limit || view.hi > limit) {
        expr_tighten(state, &view);
    }
    if (view.lo < -limit || view.hi > limit) {
        return NULL;
    }
    Vector narrow = {
        .type = type_of(TYPE_BIGINT), // spreads constants of any decimal type as int64
        .form = VECTOR_FLAT,
        .lane = (uint8_t)view.lane,
        .base = view.base,
        .data = view.lanes,
    };
    Value value = value_int64(type_of(TYPE_BIGINT), view.lo);
    if (view.is_constant) {
        vector_set_constant(&narrow, &value, expr_take_mask(state));
    }
    Vector wide;
    expr_widen(state, &narrow, &wide);
    return wide.data;
}

static void load_operands(ExprState *state, const ExprNode *node, int64_t left_limit,
                          Operands *operands)
{
    operands->left = *expr_arg(state, node, 0);
    operands->right = *expr_arg(state, node, 1);
    operands->validity = expr_node_validity(state, node);
    operands->rows = expr_active_rows(state, operands->validity, &operands->row_count);
    operands->left_lanes = int64_lanes(state, &operands->left, left_limit);
    operands->right_lanes = int64_lanes(state, &operands->right, INT64_MAX);
    if (operands->right_lanes == NULL) {
        operands->left_lanes = NULL;
    }
}

/* left * power / right for a short constant right side; *is_done is false when it is not. */
static Status divide_by_constant(ExprState *state, const ExprNode *node, DivideMode mode,
                                 int64_t power, Register *out, bool *is_done)
{
    IntView left, right;
    const Vector *dividend = expr_arg(state, node, 0);
    if (!expr_int_view(state, expr_arg(state, node, 1), &right) || !right.is_constant ||
        right.lo == 0 || right.lo < -DIVIDE_SHORT_MAX || right.lo > DIVIDE_SHORT_MAX ||
        !expr_int_view(state, dividend, &left) || left.is_constant) {
        return STATUS_OK;
    }
    const int64_t limit = DIVIDE_SHORT_MAX / power;
    if (left.lo < -limit || left.hi > limit) {
        expr_tighten(state, &left);
        if (left.lo < -limit || left.hi > limit) {
            return STATUS_OK;
        }
    }
    const ArithmeticKernels *kernels = KERNELS(arithmetic_kernels);
    LaneTerms terms = {.left_add = (uint64_t)left.base, .right_add = (uint64_t)power};
    int64_t *scaled = expr_take_buffer(state)->lanes, *target = expr_take_buffer(state)->lanes;
    kernels->scale[left.lane][LANE_I64](left.lanes, expr_row_count(state), &terms, scaled);
    kernels->divide_short(scaled, expr_row_count(state), right.lo, mode, target);
    int64_t size = (left.hi > -left.lo ? left.hi : -left.lo) * power;
    int64_t divisor = right.lo < 0 ? -right.lo : right.lo;
    int64_t bound = mode == DIVIDE_REMAINDER ? divisor - 1 : size / divisor + 1;
    Vector vector = {
        .type = node->type,
        .lane = LANE_I64,
        .form = VECTOR_FLAT,
        .lo = left.lo >= 0 && (right.lo > 0 || mode == DIVIDE_REMAINDER) ? 0 : -bound,
        .hi = bound,
        .validity = dividend->validity,
        .data = target,
    };
    TRY(expr_check_range(state, &vector, node->type));
    expr_set_vector(out, &vector);
    *is_done = true;
    return STATUS_OK;
}

static Int128 divide_int128(Int128 left, Int128 right)
{
    return left / right;
}

static Int128 remainder_int128(Int128 left, Int128 right)
{
    return left % right;
}

/* Whole-number division or remainder of both sides as they are. */
static Status run_whole(ExprState *state, const ExprNode *node, Int128 (*function)(Int128, Int128),
                        Register *out)
{
    Operands operands;
    IntWriter writer;
    const bool is_remainder = function == remainder_int128;
    bool is_done = false;
    TRY(divide_by_constant(state, node, is_remainder ? DIVIDE_REMAINDER : DIVIDE_CUT, 1, out,
                           &is_done));
    if (is_done) {
        return STATUS_OK;
    }
    load_operands(state, node, INT64_MAX, &operands);
    int_writer_init(&writer, state, node->type);
    for (uint32_t i = 0; i < operands.row_count; i++) {
        uint32_t row = operands.rows[i];
        if (operands.left_lanes != NULL) {
            int64_t left = operands.left_lanes[row], right = operands.right_lanes[row];
            if (right == 0) {
                return division_by_zero();
            }
            int64_t value = is_remainder ? left % right : left / right; // neither is INT64_MIN
            if (!int_writer_fits(&writer, value)) {
                return expr_out_of_range(node->type);
            }
            int_writer_set(&writer, row, value);
            continue;
        }
        Int128 left = expr_int128_at(&operands.left, row);
        Int128 right = expr_int128_at(&operands.right, row);
        if (right == 0) {
            return division_by_zero();
        }
        Int128 value = function(left, right);
        if (!int_writer_fits(&writer, value)) {
            return expr_out_of_range(node->type);
        }
        int_writer_set(&writer, row, value);
    }
    int_writer_finish(&writer, operands.validity, out);
    return STATUS_OK;
}

static int64_t divide_rounded(int64_t left, int64_t right)
{
    int64_t quotient = left / right, rest = left % right;
    uint64_t size = rest < 0 ? -(uint64_t)rest : (uint64_t)rest;
    uint64_t divisor = right < 0 ? -(uint64_t)right : (uint64_t)right;
    if (size >= divisor - size) {
        quotient += (left < 0) == (right < 0) ? 1 : -1;
    }
    return quotient;
}

/* Rows of the current ones that are present, for results that find more nulls as they go. */
static RowMask *take_present(ExprState *state, const uint64_t *validity)
{
    RowMask *present = expr_take_mask(state);
    *present = *expr_rows_mask(state->rows);
    for (uint32_t i = 0; validity != NULL && i < expr_word_count(state); i++) {
        present->words[i] &= validity[i];
    }
    return present;
}

typedef struct Quotient {
    uint32_t shift;    /* digits added to the dividend */
    uint32_t drop;     /* or dropped, by way of the divisor */
    bool is_zero_null; /* a zero divisor gives NULL instead of 22012 */
} Quotient;

/* One quotient in 128 bits; 22003. */
static Status divide_wide(Int128 left, Int128 right, const Quotient *how, Type type, Int128 *out)
{
    if (how->drop > 0 && __builtin_mul_overflow(right, decimal_power_of_ten(how->drop), &right)) {
        return expr_out_of_range(type);
    }
    return decimal_divide(left, right, how->shift, out) ? STATUS_OK : expr_out_of_range(type);
}

static Status run_rounded(ExprState *state, const ExprNode *node, const Quotient *how,
                          Register *out)
{
    Operands operands;
    IntWriter writer;
    RowMask *present = NULL;
    bool is_narrow = how->shift <= DECIMAL_PRECISION_INT64 && how->drop == 0;
    int64_t power = is_narrow ? (int64_t)decimal_power_of_ten(how->shift) : 0;
    if (is_narrow) {
        bool is_done = false;
        TRY(divide_by_constant(state, node, DIVIDE_ROUNDED, power, out, &is_done));
        if (is_done) {
            return STATUS_OK;
        }
    }
    load_operands(state, node, is_narrow ? INT64_MAX / power : 0, &operands);
    int_writer_init(&writer, state, node->type);
    for (uint32_t i = 0; i < operands.row_count; i++) {
        uint32_t row = operands.rows[i];
        Int128 value = 0, right = operands.left_lanes != NULL
                                      ? operands.right_lanes[row]
                                      : expr_int128_at(&operands.right, row);
        if (right == 0 && how->is_zero_null) {
            present = present != NULL ? present : take_present(state, operands.validity);
            validity_clear(present->words, row);
        } else if (right == 0) {
            return division_by_zero();
        } else if (operands.left_lanes != NULL) {
            value = divide_rounded(operands.left_lanes[row] * power, (int64_t)right);
        } else {
            TRY(divide_wide(expr_int128_at(&operands.left, row), right, how, node->type, &value));
        }
        if (!int_writer_fits(&writer, value)) {
            return expr_out_of_range(node->type);
        }
        int_writer_set(&writer, row, value);
    }
    int_writer_finish(&writer, present != NULL ? present->words : operands.validity, out);
    return STATUS_OK;
}

static int32_t arg_scale(const ExprState *state, const ExprNode *node, uint32_t i)
{
    Type type = state->program->nodes[node->args[i]]->type;
    return type.id == TYPE_DECIMAL ? type.scale : 0;
}

static Quotient quotient_of(int32_t shift, bool is_zero_null)
{
    return (Quotient){.shift = shift > 0 ? (uint32_t)shift : 0,
                      .drop = shift < 0 ? (uint32_t)-shift : 0,
                      .is_zero_null = is_zero_null};
}

Status op_divide(ExprState *state, const ExprNode *node, Register *out)
{
    if (type_is_integer(node->type)) {
        return run_whole(state, node, divide_int128, out);
    }
    Quotient how = quotient_of(
        node->type.scale + arg_scale(state, node, 1) - arg_scale(state, node, 0), false);
    return run_rounded(state, node, &how, out);
}

Status op_modulo(ExprState *state, const ExprNode *node, Register *out)
{
    return run_whole(state, node, remainder_int128, out);
}

static Status average_floats(ExprState *state, const ExprNode *node, Register *out)
{
    Vector sum;
    const Vector *counts = expr_arg(state, node, 1);
    const uint64_t *validity = expr_node_validity(state, node);
    VectorBuffer *buffer = expr_take_buffer(state);
    RowMask *present = take_present(state, validity);
    uint32_t row_count;
    const uint16_t *rows = expr_active_rows(state, validity, &row_count);
    bool is_real = node->type.id == TYPE_REAL;
    expr_flatten(state, expr_arg(state, node, 0), &sum);
    for (uint32_t i = 0; i < row_count; i++) {
        uint32_t row = rows[i];
        double count = (double)vector_int64(counts, row);
        double total = sum.lane == LANE_F32 ? (double)((const float *)sum.data)[row]
                                            : ((const double *)sum.data)[row];
        if (count == 0) {
            validity_clear(present->words, row);
        } else if (is_real) {
            ((float *)buffer->lanes)[row] = (float)(total / count);
        } else {
            ((double *)buffer->lanes)[row] = total / count;
        }
    }
    Vector vector = {.type = node->type,
                     .form = VECTOR_FLAT,
                     .lane = is_real ? LANE_F32 : LANE_F64,
                     .validity = present->words,
                     .data = buffer->lanes};
    expr_set_vector(out, &vector);
    return STATUS_OK;
}

/* sum / count in the type of AVG: integers are cut, decimals rounded, floats divided. */
Status op_avg_final(ExprState *state, const ExprNode *node, Register *out)
{
    if (type_is_float(node->type)) {
        return average_floats(state, node, out);
    }
    if (type_is_integer(node->type)) {
        return run_whole(state, node, divide_int128, out);
    }
    Quotient how = quotient_of(node->type.scale - arg_scale(state, node, 0), true);
    return run_rounded(state, node, &how, out);
}
