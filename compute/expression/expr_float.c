/*
 * expr_float.c — arithmetic of REAL and DOUBLE.
 *
 * Results run over all rows at once; only when some result is infinite, NaN or (for products and
 * quotients) zero are the active rows looked at again: an infinity that no operand had is 22003,
 * and so is a zero that is an underflow. Remainders go row by row.
 */
#include <math.h>

#include "compute/expression/expr_internal.h"
#include "compute/kernels/arithmetic_kernels.h"

static double float_at(const Vector *vector, uint32_t row)
{
    return vector->lane == LANE_F32 ? (double)((const float *)vector->data)[row]
                                    : ((const double *)vector->data)[row];
}

static Status check_rows(ExprState *state, FunctionId op, const Vector *left, const Vector *right,
                         const Vector *result)
{
    uint32_t count;
    const uint16_t *rows = expr_active_rows(state, result->validity, &count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = rows[i];
        double value = float_at(result, row), a = float_at(left, row), b = float_at(right, row);
        if (isinf(value) && !isinf(a) && !isinf(b)) {
            return status_error(SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE,
                                "value out of range: overflow");
        }
        bool is_scaling = op == FUNCTION_MULTIPLY || op == FUNCTION_DIVIDE;
        bool is_zero_wanted = a == 0 || (op == FUNCTION_DIVIDE ? isinf(b) : b == 0);
        if (value == 0 && is_scaling && !is_zero_wanted) {
            return status_error(SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE,
                                "value out of range: underflow");
        }
    }
    return STATUS_OK;
}

/* No active row may divide by zero. */
static Status check_divisors(ExprState *state, const Vector *right, const uint64_t *validity)
{
    uint32_t count;
    const uint16_t *rows = expr_active_rows(state, validity, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (float_at(right, rows[i]) == 0) {
            return status_error(SQLSTATE_DIVISION_BY_ZERO, "division by zero");
        }
    }
    return STATUS_OK;
}

static void negate(ExprState *state, const Vector *arg, Vector *result)
{
    for (uint32_t i = 0; i < expr_row_count(state); i++) {
        if (arg->lane == LANE_F32) {
            ((float *)(uintptr_t)result->data)[i] = -((const float *)arg->data)[i];
        } else {
            ((double *)(uintptr_t)result->data)[i] = -((const double *)arg->data)[i];
        }
    }
}

static void remainders(ExprState *state, const Vector *left, const Vector *right, Vector *result)
{
    uint32_t count;
    const uint16_t *rows = expr_active_rows(state, result->validity, &count);
    for (uint32_t i = 0; i < count; i++) {
        double value = fmod(float_at(left, rows[i]), float_at(right, rows[i]));
        if (result->lane == LANE_F32) {
            ((float *)(uintptr_t)result->data)[rows[i]] = (float)value;
        } else {
            ((double *)(uintptr_t)result->data)[rows[i]] = value;
        }
    }
}

Status op_float(ExprState *state, const ExprNode *node, Register *out)
{
    FunctionId op = node->expr->function;
    bool is_real = node->type.id == TYPE_REAL;
    VectorBuffer *buffer = expr_take_buffer(state);
    Vector left, right = {0};
    Vector result = {
        .type = node->type,
        .lane = is_real ? LANE_F32 : LANE_F64,
        .form = VECTOR_FLAT,
        .validity = expr_node_validity(state, node),
        .data = buffer->lanes,
    };
    expr_flatten(state, expr_arg(state, node, 0), &left);
    if (op == FUNCTION_NEGATE) {
        negate(state, &left, &result);
        expr_set_vector(out, &result);
        return STATUS_OK;
    }
    expr_flatten(state, expr_arg(state, node, 1), &right);
    if (op == FUNCTION_DIVIDE || op == FUNCTION_MODULO) {
        TRY(check_divisors(state, &right, result.validity));
    }
    if (op == FUNCTION_MODULO) {
        remainders(state, &left, &right, &result);
    } else {
        ArithmeticOp kernel = op == FUNCTION_ADD        ? ARITHMETIC_ADD
                              : op == FUNCTION_SUBTRACT ? ARITHMETIC_SUBTRACT
                              : op == FUNCTION_MULTIPLY ? ARITHMETIC_MULTIPLY
                                                        : ARITHMETIC_DIVIDE;
        const ArithmeticKernels *kernels = KERNELS(arithmetic_kernels);
        uint32_t doubts = (is_real ? kernels->f32 : kernels->f64)[kernel](
            left.data, right.data, expr_row_count(state), buffer->lanes);
        if (doubts != 0) {
            TRY(check_rows(state, op, &left, &right, &result));
        }
    }
    expr_set_vector(out, &result);
    return STATUS_OK;
}
