/*
 * expr_logic.c — AND, OR, NOT and IS NULL in words of 64 rows; three-valued.
 *
 * AND asks its later parts only about rows that are not false yet, OR about rows that are not true
 * yet: what such a part would raise for other rows never happens. Parts that cannot fail and cost
 * next to nothing are computed for all rows instead, which is cheaper than a narrower set.
 */
#include <string.h>

#include "compute/expression/expr_internal.h"

/* The part's truth for the rows of `mask`, a subset of the current rows. */
static Status part_truth(ExprState *state, uint32_t index, const RowMask *mask,
                         const Register **out)
{
    const ExprNode *node = state->program->nodes[index];
    if ((!node->can_fail && !node->is_costly) ||
        memcmp(mask, expr_rows_mask(state->rows), sizeof *mask) == 0) {
        return expr_truth(state, index, out);
    }
    ExprRows inner;
    expr_rows_push(state, &inner, mask);
    Status status = expr_truth(state, index, out);
    expr_rows_pop(state);
    return status;
}

/* AND of the parts; with `is_or` of their negations, negated again. */
static Status connect(ExprState *state, const ExprNode *node, bool is_or, Register *out)
{
    const RowMask rows = *expr_rows_mask(state->rows);
    RowMask decided_not = rows; // not decided by any part yet: AND: not false; OR: not true
    RowMask neutral = rows;     // every part so far is neutral: AND: true; OR: false
    for (uint32_t part = 0; part < node->arg_count; part++) {
        const Register *reg;
        TRY(part_truth(state, node->args[part], &decided_not, &reg));
        uint64_t left = 0;
        for (uint32_t i = 0; i < expr_word_count(state); i++) {
            uint64_t is_present = reg->validity == NULL ? UINT64_MAX : reg->validity[i];
            uint64_t is_true = reg->truth[i], is_false = is_present & ~is_true;
            neutral.words[i] &= is_or ? is_false : is_true;
            decided_not.words[i] &= ~(is_or ? is_true : is_false);
            left |= decided_not.words[i];
        }
        if (left == 0) {
            break;
        }
    }
    RowMask *truth = expr_take_mask(state), *validity = expr_take_mask(state);
    uint64_t null_bits = 0;
    for (uint32_t i = 0; i < VALIDITY_WORDS; i++) {
        uint64_t decided = rows.words[i] & ~decided_not.words[i];
        uint64_t settled = neutral.words[i] & decided_not.words[i]; // neutral to the last part
        truth->words[i] = is_or ? decided : settled;
        validity->words[i] = decided | settled;
        null_bits |= rows.words[i] & ~validity->words[i];
    }
    expr_set_truth(out, truth->words, null_bits == 0 ? NULL : validity->words);
    return STATUS_OK;
}

Status op_and(ExprState *state, const ExprNode *node, Register *out)
{
    return connect(state, node, false, out);
}

Status op_or(ExprState *state, const ExprNode *node, Register *out)
{
    return connect(state, node, true, out);
}

Status op_not(ExprState *state, const ExprNode *node, Register *out)
{
    const Register *reg;
    TRY(expr_truth(state, node->args[0], &reg));
    RowMask *truth = expr_take_mask(state);
    for (uint32_t i = 0; i < expr_word_count(state); i++) {
        uint64_t is_present = reg->validity == NULL ? UINT64_MAX : reg->validity[i];
        truth->words[i] = is_present & ~reg->truth[i];
    }
    expr_set_truth(out, truth->words, reg->validity);
    return STATUS_OK;
}

/* IS NULL and IS NOT NULL. */
Status op_is_null(ExprState *state, const ExprNode *node, Register *out)
{
    Register *reg;
    TRY(expr_register(state, node->args[0], &reg));
    bool is_null_wanted = node->expr->kind == EXPR_IS_NULL;
    RowMask *truth = expr_take_mask(state);
    *truth = *expr_rows_mask(state->rows);
    const uint64_t *validity = reg->has_vector ? reg->vector.validity : reg->validity;
    if (reg->has_vector && reg->vector.form == VECTOR_CONSTANT) {
        if (vector_is_null(&reg->vector, 0) != is_null_wanted) {
            memset(truth, 0, sizeof *truth);
        }
    } else if (validity == NULL) {
        if (is_null_wanted) {
            memset(truth, 0, sizeof *truth);
        }
    } else {
        for (uint32_t i = 0; i < expr_word_count(state); i++) {
            truth->words[i] &= is_null_wanted ? ~validity[i] : validity[i];
        }
    }
    expr_set_truth(out, truth->words, NULL);
    return STATUS_OK;
}
