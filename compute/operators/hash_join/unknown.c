/*
 * unknown.c — for NOT IN and marks: a probe row without a match is unknown, not false, when a NULL
 * stands between it and a match.
 *
 * With one key and no residual that is simple: the row's key is NULL and there are build rows, or
 * some build key is NULL. Else a build row makes it unknown when no key differs for certain, the
 * residual is not false, and something of it all is NULL. Where all keys are equal the probe has
 * seen that already; only probe rows with a NULL key need to look at all build rows, the others at
 * those with a NULL key.
 */
#include <string.h>

#include "compute/operators/batch_collector.h"
#include "compute/operators/hash_join/hash_join_internal.h"

static bool build_key_is_null(const HashJoin *join, const uint8_t *row, uint32_t key)
{
    uint64_t link = *join_row_link(&join->shape, row);
    return (link & JOIN_LINK_NULL_KEY) != 0 && (link >> (JOIN_LINK_NULL_SHIFT + key) & 1) != 0;
}

// Whether no key of the pair differs for certain.
static bool may_be_equal(const ProbeState *state, uint16_t row, const uint8_t *build_row)
{
    const HashJoin *join = state->join;
    for (uint32_t k = 0; k < join->shape.key_count; k++) {
        if (join->shape.is_null_equal[k]) { // such keys are fields, never words
            bool is_null = vector_is_null(state->keys[k], row);
            if (is_null != row_is_null(&join->shape.layout, build_row, k)) {
                return false;
            }
            if (is_null) {
                continue;
            }
        } else if (vector_is_null(state->keys[k], row) || build_key_is_null(join, build_row, k)) {
            continue;
        }
        Value left = vector_value(state->keys[k], row);
        Value right;
        if (join->shape.has_integer_keys) {
            right = left;
            memcpy(&right.i64, build_row + k * sizeof right.i64, sizeof right.i64);
        } else {
            right = row_value(&join->shape.layout, build_row, k);
        }
        if (!value_equal(&left, &right)) {
            return false;
        }
    }
    return true;
}

// Fills pairs of `row` with build rows it may equal, from page and slot on; 0 at the end.
static uint32_t next_pairs(ProbeState *state, uint16_t row, bool has_null_key, uint32_t *page,
                           uint32_t *slot)
{
    const RowStore *rows = &state->table->rows;
    size_t row_bytes = rows->layout->row_bytes;
    uint32_t count = 0;
    for (; *page < rows->page_count; (*page)++, *slot = 0) {
        const RowPage *current = &rows->pages[*page];
        for (; *slot < current->row_count; (*slot)++) {
            if (count == VECTOR_ROWS) {
                return count;
            }
            JoinRow build_row = current->rows + *slot * row_bytes;
            uint64_t link = *join_row_link(&state->join->shape, build_row);
            if ((has_null_key || (link & JOIN_LINK_NULL_KEY) != 0) &&
                may_be_equal(state, row, build_row)) {
                state->pair_rows[count] = row;
                state->pair_pointers[count++] = build_row;
            }
        }
    }
    return count;
}

static Status row_is_unknown(ProbeState *state, Batch *in, uint16_t row, bool *is_unknown)
{
    bool has_null_key = state->has_null_keys && validity_get(state->null_keys.words, row);
    uint32_t page = 0;
    uint32_t slot = 0;
    *is_unknown = false;
    if (!has_null_key && !state->table->has_null_key) {
        return STATUS_OK;
    }
    for (;;) {
        uint32_t count = next_pairs(state, row, has_null_key, &page, &slot);
        if (count == 0) {
            return STATUS_OK;
        }
        const uint16_t *selection;
        uint32_t selected_count;
        TRY(filter_pairs(state, in, count, &selection, &selected_count));
        if (selected_count > 0 || validity_get(state->unknown.words, row)) {
            *is_unknown = true;
            return STATUS_OK;
        }
        TRY(query_context_check(state->join->query));
    }
}

Status find_unknown(ProbeState *state, Batch *in, RowMask *unknown)
{
    const HashJoin *join = state->join;
    const uint16_t *selected = batch_selected_rows(in);
    bool has_build_rows = state->table->seen_rows > 0;
    bool is_simple = join->shape.is_existence;
    memset(unknown, 0, sizeof *unknown);
    for (uint32_t i = 0; i < in->selected_count; i++) {
        uint16_t row = selected[i];
        if (validity_get(state->matched.words, row)) {
            continue;
        }
        bool is_unknown = validity_get(state->unknown.words, row);
        if (is_unknown) {
            validity_set(unknown->words, row);
            continue;
        }
        if (is_simple) {
            bool is_null = state->has_null_keys && validity_get(state->null_keys.words, row);
            is_unknown = (is_null && has_build_rows) || state->table->has_null_key;
        } else {
            TRY(row_is_unknown(state, in, row, &is_unknown));
        }
        if (is_unknown) {
            validity_set(unknown->words, row);
        }
    }
    return STATUS_OK;
}
