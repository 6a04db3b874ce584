/*
 * expr_compare.c — comparisons: column with constant in the domain of the column's lanes, column
 * with column in the narrowest width that holds both.
 */
#include <math.h>
#include <string.h>

#include "base/types/datetime.h"
#include "base/vector/predicate.h"
#include "base/vector/predicate_kernels.h"
#include "compute/expression/expr_internal.h"
#include "compute/kernels/compare_kernels.h"

/* left op right = right flipped(op) left */
static FunctionId flip(FunctionId op)
{
    switch (op) {
    case FUNCTION_LESS:
        return FUNCTION_GREATER;
    case FUNCTION_LESS_EQUAL:
        return FUNCTION_GREATER_EQUAL;
    case FUNCTION_GREATER:
        return FUNCTION_LESS;
    case FUNCTION_GREATER_EQUAL:
        return FUNCTION_LESS_EQUAL;
    default:
        return op;
    }
}

static bool order_passes(FunctionId op, int order)
{
    switch (op) {
    case FUNCTION_EQUAL:
        return order == 0;
    case FUNCTION_NOT_EQUAL:
        return order != 0;
    case FUNCTION_LESS:
        return order < 0;
    case FUNCTION_LESS_EQUAL:
        return order <= 0;
    case FUNCTION_GREATER:
        return order > 0;
    default:
        return order >= 0;
    }
}

static void clear_all(RowMask *mask)
{
    memset(mask, 0, sizeof *mask);
}

/* --- with a constant --- */

/* The values that pass as a closed range, all others when *is_inverted; false when none pass. */
static bool passing_range(FunctionId op, int64_t bound, int64_t *lo, int64_t *hi, bool *is_inverted)
{
    *lo = INT64_MIN;
    *hi = INT64_MAX;
    *is_inverted = op == FUNCTION_NOT_EQUAL;
    switch (op) {
    case FUNCTION_LESS:
        *hi = bound == INT64_MIN ? bound : bound - 1;
        return bound != INT64_MIN;
    case FUNCTION_LESS_EQUAL:
        *hi = bound;
        return true;
    case FUNCTION_GREATER:
        *lo = bound == INT64_MAX ? bound : bound + 1;
        return bound != INT64_MAX;
    case FUNCTION_GREATER_EQUAL:
        *lo = bound;
        return true;
    default:
        *lo = *hi = bound;
        return true;
    }
}

static void compare_int_constant(ExprState *state, FunctionId op, const IntView *view,
                                 int64_t bound, RowMask *mask)
{
    int64_t lo, hi;
    bool is_inverted;
    if (!passing_range(op, bound, &lo, &hi, &is_inverted)) {
        clear_all(mask);
        return;
    }
    if (lo <= view->lo && hi >= view->hi) { // every row passes, or is equal and must not be
        if (is_inverted) {
            clear_all(mask);
        }
        return;
    }
    if (lo > view->hi || hi < view->lo) {
        if (!is_inverted) {
            clear_all(mask);
        }
        return;
    }
    if (view->lane != LANE_I64) { // the bounds cut to the lanes meet them here
        lo = lo < view->lo ? view->lo : lo;
        hi = hi > view->hi ? view->hi : hi;
    }
    uint64_t first = (uint64_t)lo - (uint64_t)(view->lane == LANE_I64 ? 0 : view->base);
    KERNELS(predicate_kernels)
        ->range[view->lane](view->lanes, expr_row_count(state), first, (uint64_t)hi - (uint64_t)lo,
                            is_inverted, mask->words);
}

/* Texts and floats: the predicates of base/vector know all forms. */
static void compare_by_predicate(ExprState *state, FunctionId op, const Vector *vector,
                                 const Value *bound, RowMask *mask)
{
    Predicate predicate = {
        .kind = op == FUNCTION_NOT_EQUAL ? PREDICATE_NOT_EQUAL : PREDICATE_RANGE,
        .type = bound->type,
        .lo = *bound,
        .hi = *bound,
        .has_lo = op == FUNCTION_EQUAL || op == FUNCTION_GREATER || op == FUNCTION_GREATER_EQUAL,
        .has_hi = op == FUNCTION_EQUAL || op == FUNCTION_LESS || op == FUNCTION_LESS_EQUAL,
        .is_lo_open = op == FUNCTION_GREATER,
        .is_hi_open = op == FUNCTION_LESS,
    };
    Vector present = *vector;
    present.validity = NULL; // nulls are the caller's
    predicate_apply(&predicate, &present, expr_row_count(state), mask);
}

/* --- column with column --- */

static bool sum_fits_int32(int64_t base, Lane lane)
{
    int64_t lane_max = lane == LANE_U8 ? UINT8_MAX : UINT16_MAX;
    return base >= 0 && base <= INT32_MAX - lane_max;
}

static void compare_ints(ExprState *state, FunctionId op, const IntView *left, const IntView *right,
                         RowMask *mask)
{
    if (op == FUNCTION_GREATER || op == FUNCTION_LESS_EQUAL) { // only < and = have kernels
        compare_ints(state, flip(op), right, left, mask);
        return;
    }
    CompareTerms terms = {
        .left_add = left->base,
        .right_add = right->base,
        .is_inverted = op == FUNCTION_NOT_EQUAL || op == FUNCTION_GREATER_EQUAL,
    };
    Lane left_lane = left->lane, right_lane = right->lane;
    const void *left_lanes = left->lanes, *right_lanes = right->lanes;
    if (left_lane <= LANE_U16 && right_lane <= LANE_U16) { // 32 bits: measured from the lower base
        int64_t base = left->base < right->base ? left->base : right->base, left_add, right_add;
        if (!__builtin_sub_overflow(left->base, base, &left_add) &&
            !__builtin_sub_overflow(right->base, base, &right_add) &&
            sum_fits_int32(left_add, left_lane) && sum_fits_int32(right_add, right_lane)) {
            terms.left_add = left_add;
            terms.right_add = right_add;
        } else { // far apart: the bounds decide
            bool is_less = left->base < right->base;
            bool is_kept = (op == FUNCTION_EQUAL || op == FUNCTION_NOT_EQUAL)
                               ? terms.is_inverted
                               : is_less != terms.is_inverted;
            if (!is_kept) {
                clear_all(mask);
            }
            return;
        }
    }
    const CompareKernels *kernels = KERNELS(compare_kernels);
    bool is_equality = op == FUNCTION_EQUAL || op == FUNCTION_NOT_EQUAL;
    (is_equality ? kernels->equal : kernels->less)[left_lane][right_lane](
        left_lanes, right_lanes, expr_row_count(state), &terms, mask->words);
}

static void compare_floats(ExprState *state, FunctionId op, const Vector *left, const Vector *right,
                           RowMask *mask)
{
    Vector a, b;
    bool is_swapped = op == FUNCTION_GREATER || op == FUNCTION_LESS_EQUAL;
    bool is_equality = op == FUNCTION_EQUAL || op == FUNCTION_NOT_EQUAL;
    bool is_inverted =
        op == FUNCTION_NOT_EQUAL || op == FUNCTION_GREATER_EQUAL || op == FUNCTION_LESS_EQUAL;
    expr_flatten(state, is_swapped ? right : left, &a);
    expr_flatten(state, is_swapped ? left : right, &b);
    const CompareKernels *kernels = KERNELS(compare_kernels);
    FloatCompareKernel kernel = a.lane == LANE_F32
                                    ? (is_equality ? kernels->equal_f32 : kernels->less_f32)
                                    : (is_equality ? kernels->equal_f64 : kernels->less_f64);
    kernel(a.data, b.data, expr_row_count(state), is_inverted, mask->words);
}

static bool texts_are_equal(const TextView *left, const TextView *right)
{
    uint64_t left_head, right_head; // length and first bytes
    memcpy(&left_head, left, sizeof left_head);
    memcpy(&right_head, right, sizeof right_head);
    return left_head == right_head &&
           memcmp(text_view_data(left), text_view_data(right), left->length) == 0;
}

static void compare_texts(ExprState *state, FunctionId op, const Vector *left, const Vector *right,
                          RowMask *mask)
{
    Vector a, b;
    expr_flatten(state, left, &a);
    expr_flatten(state, right, &b);
    const TextView *left_views = a.data, *right_views = b.data;
    bool is_plain = !left->has_trailing_blanks && !right->has_trailing_blanks &&
                    (op == FUNCTION_EQUAL || op == FUNCTION_NOT_EQUAL);
    for (uint32_t word = 0; word < expr_word_count(state); word++) {
        uint64_t kept = 0;
        for (uint64_t bits = mask->words[word]; bits != 0; bits &= bits - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzll(bits), row = word * 64 + bit;
            bool is_kept;
            if (is_plain) {
                is_kept =
                    texts_are_equal(&left_views[row], &right_views[row]) == (op == FUNCTION_EQUAL);
            } else {
                is_kept = order_passes(op, text_view_compare(&left_views[row], &right_views[row]));
            }
            kept |= (uint64_t)is_kept << bit;
        }
        mask->words[word] = kept;
    }
}

/* 128-bit decimals and intervals. */
static void compare_wide(ExprState *state, FunctionId op, const Vector *left, const Vector *right,
                         RowMask *mask)
{
    bool is_interval = left->type.id == TYPE_INTERVAL;
    for (uint32_t word = 0; word < expr_word_count(state); word++) {
        uint64_t kept = 0;
        for (uint64_t bits = mask->words[word]; bits != 0; bits &= bits - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzll(bits), row = word * 64 + bit;
            Int128 a = expr_int128_at(left, row), b = expr_int128_at(right, row);
            if (is_interval) {
                Interval left_interval, right_interval;
                memcpy(&left_interval, &a, sizeof a);
                memcpy(&right_interval, &b, sizeof b);
                a = interval_span_us(&left_interval);
                b = interval_span_us(&right_interval);
            }
            kept |= (uint64_t)order_passes(op, (a > b) - (a < b)) << bit;
        }
        mask->words[word] = kept;
    }
}

Status expr_compare_vectors(ExprState *state, FunctionId op, const Vector *left,
                            const Vector *right, RowMask *mask)
{
    bool is_text = type_is_text(left->type), is_float = type_is_float(left->type);
    if (left->form == VECTOR_CONSTANT && right->form != VECTOR_CONSTANT) {
        return expr_compare_vectors(state, flip(op), right, left, mask);
    }
    if (right->form == VECTOR_CONSTANT && (is_text || is_float)) {
        Value bound = vector_value(right, 0);
        compare_by_predicate(state, op, left, &bound, mask);
        return STATUS_OK;
    }
    if (is_text) {
        compare_texts(state, op, left, right, mask);
        return STATUS_OK;
    }
    if (is_float) {
        compare_floats(state, op, left, right, mask);
        return STATUS_OK;
    }
    IntView a, b;
    if (left->type.id == TYPE_INTERVAL || left->form == VECTOR_CONSTANT ||
        !expr_int_view(state, left, &a) || !expr_int_view(state, right, &b)) {
        compare_wide(state, op, left, right, mask);
    } else if (b.is_constant) {
        compare_int_constant(state, op, &a, b.lo, mask);
    } else {
        compare_ints(state, op, &a, &b, mask);
    }
    return STATUS_OK;
}

/* --- nodes --- */

/* Cuts words to the rows that have values: invariant 3. */
static void keep_present(ExprState *state, RowMask *mask, const uint64_t *validity)
{
    for (uint32_t i = 0; validity != NULL && i < expr_word_count(state); i++) {
        mask->words[i] &= validity[i];
    }
}

Status op_compare(ExprState *state, const ExprNode *node, Register *out)
{
    const Vector *left = expr_arg(state, node, 0), *right = expr_arg(state, node, 1);
    const uint64_t *validity = expr_combine_validity(state, (const Vector *[]){left, right}, 2);
    RowMask *mask = expr_take_mask(state);
    *mask = *expr_rows_mask(state->rows);
    keep_present(state, mask, validity);
    TRY(expr_compare_vectors(state, node->expr->function, left, right, mask));
    expr_set_truth(out, mask->words, validity);
    return STATUS_OK;
}

static void present_rows(ExprState *state, const Vector *vector, RowMask *mask)
{
    *mask = *expr_rows_mask(state->rows);
    if (vector->form == VECTOR_CONSTANT) {
        if (vector_is_null(vector, 0)) {
            clear_all(mask);
        }
        return;
    }
    keep_present(state, mask, vector->validity);
}

Status op_is_not_distinct(ExprState *state, const ExprNode *node, Register *out)
{
    const Vector *left, *right;
    RowMask left_present, right_present, *mask = expr_take_mask(state);
    TRY(expr_vector(state, node->args[0], &left));
    TRY(expr_vector(state, node->args[1], &right));
    present_rows(state, left, &left_present);
    present_rows(state, right, &right_present);
    const RowMask *rows = expr_rows_mask(state->rows);
    for (uint32_t i = 0; i < VALIDITY_WORDS; i++) {
        mask->words[i] = left_present.words[i] & right_present.words[i];
    }
    if (row_mask_count(mask) > 0) {
        TRY(expr_compare_vectors(state, FUNCTION_EQUAL, left, right, mask));
    }
    for (uint32_t i = 0; i < VALIDITY_WORDS; i++) {
        mask->words[i] |= rows->words[i] & ~left_present.words[i] & ~right_present.words[i];
    }
    expr_set_truth(out, mask->words, NULL);
    return STATUS_OK;
}

#define SHORT_TEXTS_MAX 16

/* Few texts of at most 12 bytes: every one is 16 bytes to compare with. False when some is longer.
 */
static bool find_short_texts(ExprState *state, const Predicate *predicate, const Vector *vector,
                             RowMask *mask)
{
    if (!type_is_text(vector->type) || vector->has_trailing_blanks ||
        vector->form == VECTOR_CONSTANT || predicate->value_count > SHORT_TEXTS_MAX) {
        return false;
    }
    TextView views[SHORT_TEXTS_MAX];
    for (uint32_t i = 0; i < predicate->value_count; i++) {
        const TextView *text = &predicate->values[i].text;
        uint32_t bytes = text_trimmed_length(text_view_data(text), text->length);
        if (bytes > TEXT_INLINE_MAX) {
            return false;
        }
        views[i] = text_view_make(text_view_data(text), bytes);
    }
    Vector flat;
    RowMask found = {{0}};
    expr_flatten(state, vector, &flat);
    for (uint32_t i = 0; i < predicate->value_count; i++) {
        RowMask equal = *mask;
        uint64_t bound[2];
        memcpy(bound, &views[i], sizeof bound);
        KERNELS(predicate_kernels)
            ->equal16(flat.data, expr_row_count(state), bound, false, equal.words);
        for (uint32_t word = 0; word < VALIDITY_WORDS; word++) {
            found.words[word] |= equal.words[word];
        }
    }
    *mask = found;
    return true;
}

/* What IN needs at run time: the list as a predicate over int64 where it fits, as it is else. */
Status op_in(ExprState *state, const ExprNode *node, Register *out)
{
    const Expr *expr = node->expr;
    const Predicate *predicate = node->prepared;
    const Vector *arg = expr_arg(state, node, 0);
    const uint64_t *validity = arg->form == VECTOR_CONSTANT ? NULL : arg->validity;
    const RowMask *rows = expr_rows_mask(state->rows);
    RowMask *mask = expr_take_mask(state);
    Vector vector = *arg;
    *mask = *rows;
    keep_present(state, mask, validity);
    vector.validity = NULL;
    if (predicate->type.id == TYPE_BIGINT && vector.form != VECTOR_CONSTANT) {
        Vector flat;
        expr_flatten(state, &vector, &flat);
        if (flat.lane <= LANE_I64) { // a decimal of any precision in int64 lanes
            flat.type = type_of(TYPE_BIGINT);
        }
        vector = flat;
    }
    if (vector.type.id != TYPE_BIGINT && predicate->type.id == TYPE_BIGINT) {
        Predicate plain = *predicate; // 128-bit values: compare as they were listed
        plain.type = expr->args[0]->type;
        plain.values = expr->in.values;
        plain.value_count = expr->in.value_count;
        predicate_apply(&plain, &vector, expr_row_count(state), mask);
    } else if (!find_short_texts(state, predicate, &vector, mask)) {
        predicate_apply(predicate, &vector, expr_row_count(state), mask);
    }
    if (expr->in.has_null_value) { // what is not found might equal the NULL
        RowMask *found = expr_take_mask(state);
        *found = *mask;
        if (expr->in.is_negated) {
            clear_all(mask);
        }
        expr_set_truth(out, mask->words, found->words);
        return STATUS_OK;
    }
    if (expr->in.is_negated) {
        for (uint32_t i = 0; i < expr_word_count(state); i++) {
            mask->words[i] = rows->words[i] & ~mask->words[i];
        }
        keep_present(state, mask, validity);
    }
    expr_set_truth(out, mask->words, validity);
    return STATUS_OK;
}
