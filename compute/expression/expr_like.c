/*
 * expr_like.c — LIKE and ILIKE.
 *
 * Patterns are constants in almost every query and taken apart when the expression is compiled;
 * a pattern that comes from a column is taken apart per row. ILIKE folds pattern and text.
 */
#include <string.h>

#include "compute/expression/expr_internal.h"
#include "compute/expression/expr_like.h"
#include "compute/functions/characters.h"
#include "compute/kernels/text_match_kernels.h"

static Status make_pattern(const TextView *text, const TextView *escape, bool is_case_ignored,
                           Arena *arena, TextPattern *out)
{
    static const char default_escape[] = "\\";
    const char *escape_text = escape == NULL ? default_escape : text_view_data(escape);
    size_t escape_bytes = escape == NULL ? 1 : escape->length;
    if (escape_bytes > 0 && character_bytes(escape_text, escape_bytes) != escape_bytes) {
        Status status = status_error(SQLSTATE_INVALID_ESCAPE_SEQUENCE, "invalid escape string");
        return status_with_hint(status, "escape string must be empty or one character");
    }
    const char *bytes = text_view_data(text);
    size_t length = text->length;
    if (is_case_ignored) {
        char *folded = arena_alloc(arena, length);
        length = text_lower(bytes, length, folded);
        bytes = folded;
    }
    if (!text_pattern_compile(bytes, length, escape_text, escape_bytes, arena, out)) {
        return status_error(SQLSTATE_INVALID_ESCAPE_SEQUENCE,
                            "LIKE pattern must not end with escape character");
    }
    out->is_case_ignored = is_case_ignored;
    return STATUS_OK;
}

Status expr_like_prepare(const Expr *call, const Value *const *constants, Arena *arena,
                         const void **prepared)
{
    bool has_escape = call->arg_count > 2;
    if (constants[1] == NULL || constants[1]->is_null ||
        (has_escape && (constants[2] == NULL || constants[2]->is_null))) {
        return STATUS_OK;
    }
    TextPattern *pattern = ARENA_NEW(arena, TextPattern);
    TRY(make_pattern(&constants[1]->text, has_escape ? &constants[2]->text : NULL,
                     call->function == FUNCTION_ILIKE, arena, pattern));
    *prepared = pattern;
    return STATUS_OK;
}

static bool matches(ExprState *state, const TextPattern *pattern, const TextView *view)
{
    const char *text = text_view_data(view);
    size_t bytes = view->length;
    if (!pattern->is_case_ignored) {
        return text_pattern_matches(pattern, text, bytes);
    }
    char small[256], *folded = small;
    if (bytes > sizeof small) {
        folded = arena_alloc(expr_text_arena(state), bytes);
    }
    bytes = text_lower(text, bytes, folded);
    return text_pattern_matches(pattern, folded, bytes);
}

/* The pattern of one row; equal to the last row's in most cases. */
static Status row_pattern(ExprState *state, const ExprNode *node, uint32_t row, TextView *last_text,
                          TextView *last_escape, TextPattern *pattern)
{
    TextView text = vector_text(expr_arg(state, node, 1), row), escape = {0};
    bool has_escape = node->arg_count > 2;
    if (has_escape) {
        escape = vector_text(expr_arg(state, node, 2), row);
    }
    bool is_same = pattern->codes != NULL && memcmp(&text, last_text, sizeof text) == 0 &&
                   memcmp(&escape, last_escape, sizeof escape) == 0;
    if (is_same) {
        return STATUS_OK;
    }
    *last_text = text;
    *last_escape = escape;
    return make_pattern(&text, has_escape ? &escape : NULL, node->expr->function == FUNCTION_ILIKE,
                        expr_text_arena(state), pattern);
}

static Status match_rows(ExprState *state, const ExprNode *node, const Vector *texts, RowMask *mask)
{
    const TextPattern *prepared = node->prepared;
    TextPattern own = {0};
    TextView last_text = {0}, last_escape = {0};
    for (uint32_t word = 0; word < expr_word_count(state); word++) {
        uint64_t kept = 0;
        for (uint64_t bits = mask->words[word]; bits != 0; bits &= bits - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzll(bits), row = word * 64 + bit;
            if (prepared == NULL) {
                TRY(row_pattern(state, node, row, &last_text, &last_escape, &own));
            }
            TextView view = vector_text(texts, row);
            kept |= (uint64_t)matches(state, prepared != NULL ? prepared : &own, &view) << bit;
        }
        mask->words[word] = kept;
    }
    return STATUS_OK;
}

Status op_like(ExprState *state, const ExprNode *node, Register *out)
{
    const Vector *texts = expr_arg(state, node, 0);
    const TextPattern *pattern = node->prepared;
    const uint64_t *validity = expr_node_validity(state, node);
    RowMask *mask = expr_take_mask(state);
    *mask = *expr_rows_mask(state->rows);
    for (uint32_t i = 0; validity != NULL && i < expr_word_count(state); i++) {
        mask->words[i] &= validity[i];
    }
    if (pattern != NULL && !pattern->has_any_character && !pattern->is_case_ignored) {
        Vector flat;
        expr_flatten(state, texts, &flat);
        KERNELS(text_match_kernels)
            ->match(flat.data, expr_row_count(state), pattern, false, mask->words);
    } else {
        TRY(match_rows(state, node, texts, mask));
    }
    expr_set_truth(out, mask->words, validity);
    return STATUS_OK;
}
