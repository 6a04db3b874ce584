/*
 * expr_filter.c — conjuncts over a batch, the most useful ones first.
 *
 * Each term's cost and pass rate are measured while it runs; every 64 batches the terms are put in
 * the order of cost / (1 - pass rate), lowest first, which minimises the expected total
 * (Hellerstein and Stonebraker, "Predicate migration", 1993, section 3). A term that might fail
 * never moves before one that was written before it: what protected it still does.
 */
#include <string.h>

#include "base/clock.h"
#include "compute/expression/expr_internal.h"

#define REORDER_BATCHES 64

struct FilterTerm {
    uint64_t ticks; /* spent, halved at each reordering */
    uint64_t rows_in, rows_out;
    uint64_t dense_rows; /* rows of the batches it ran over */
};

static uint64_t read_ticks(void)
{
#ifdef __x86_64__
    return __builtin_ia32_rdtsc();
#else
    return (uint64_t)clock_monotonic_us();
#endif
}

static void create_terms(ExprState *state)
{
    uint32_t count = state->program->root_count;
    state->filter_terms = ARENA_ARRAY(state->arena, FilterTerm, count);
    state->filter_order = ARENA_ARRAY(state->arena, uint32_t, count);
    state->filter_rows = ARENA_ARRAY(state->arena, ExprRows, count);
    for (uint32_t i = 0; i < count; i++) {
        state->filter_order[i] = i;
    }
}

static const ExprNode *term_node(const ExprState *state, uint32_t term)
{
    return state->program->nodes[state->program->roots[term]];
}

/* Cost per row over the share of rows it removes; terms never run yet come first. */
static double term_rank(const ExprState *state, uint32_t index)
{
    const FilterTerm *term = &state->filter_terms[index];
    if (term->rows_in == 0) {
        return 0;
    }
    // a kernel runs over all lanes whatever is selected, everything else over selected rows
    bool is_costly = term_node(state, index)->is_costly;
    uint64_t rows = is_costly ? term->rows_in : term->dense_rows;
    double cost = (double)term->ticks / (double)rows;
    double removed = 1 - (double)term->rows_out / (double)term->rows_in;
    return cost / (removed > 1e-6 ? removed : 1e-6);
}

/* May `term` run next, given those that have been placed? */
static bool may_follow(const ExprState *state, uint32_t term, const bool *is_placed)
{
    if (!term_node(state, term)->can_fail) {
        return true;
    }
    for (uint32_t earlier = 0; earlier < term; earlier++) {
        if (!is_placed[earlier]) {
            return false;
        }
    }
    return true;
}

static void reorder(ExprState *state)
{
    uint32_t count = state->program->root_count;
    bool *is_placed = ARENA_ARRAY(expr_text_arena(state), bool, count);
    for (uint32_t place = 0; place < count; place++) {
        uint32_t best = UINT32_MAX;
        double best_rank = 0;
        for (uint32_t term = 0; term < count; term++) {
            if (is_placed[term] || !may_follow(state, term, is_placed)) {
                continue;
            }
            double rank = term_rank(state, term);
            if (best == UINT32_MAX || rank < best_rank) {
                best = term;
                best_rank = rank;
            }
        }
        state->filter_order[place] = best;
        is_placed[best] = true;
    }
    for (uint32_t term = 0; term < count; term++) { // the past counts less and less
        FilterTerm *used = &state->filter_terms[term];
        *used = (FilterTerm){used->ticks / 2, used->rows_in / 2, used->rows_out / 2,
                             used->dense_rows / 2};
    }
}

/* Runs one term; `*mask` are its true rows among the current ones. */
static Status run_term(ExprState *state, uint32_t index, RowMask *mask)
{
    FilterTerm *term = &state->filter_terms[index];
    const Register *reg;
    uint64_t start = read_ticks();
    TRY(expr_truth(state, state->program->roots[index], &reg));
    *mask = *expr_rows_mask(state->rows);
    for (uint32_t i = 0; i < expr_word_count(state); i++) {
        mask->words[i] &= reg->truth[i];
    }
    term->ticks += read_ticks() - start;
    term->rows_in += state->rows->count;
    term->dense_rows += expr_row_count(state);
    term->rows_out += row_mask_count(mask);
    return STATUS_OK;
}

static bool has_lazy_columns(const Batch *batch)
{
    for (uint32_t i = 0; i < batch->column_count; i++) {
        if (batch->columns[i].form == VECTOR_LAZY) {
            return true;
        }
    }
    return false;
}

/* The batch's rows are the current ones from here on. */
static void narrow_batch(ExprState *state, Batch *batch)
{
    batch->selected_count = state->rows->count;
    batch->mask = NULL;
    if (state->rows->count > 0) {
        batch->selection = expr_rows_list(state, state->rows);
    }
}

Status expr_filter(ExprState *state, Batch *batch)
{
    uint32_t count = state->program->root_count;
    expr_begin(state, batch);
    if (batch->selected_count == 0) {
        return STATUS_OK;
    }
    if (state->filter_terms == NULL) {
        create_terms(state);
    } else if (++state->filter_batches % REORDER_BATCHES == 0 && count > 1) {
        reorder(state);
    }
    bool has_lazy = has_lazy_columns(batch);
    for (uint32_t place = 0; place < count && state->rows->count > 0; place++) {
        RowMask mask;
        TRY(run_term(state, state->filter_order[place], &mask));
        if (row_mask_count(&mask) == state->rows->count) {
            continue;
        }
        // stays current until the end: what later terms compute may be used by terms behind them
        expr_rows_push(state, &state->filter_rows[place], &mask);
        if (has_lazy) {
            narrow_batch(state, batch); // columns are decoded for the rows that are left
        }
    }
    if (state->rows != &state->batch_rows) {
        narrow_batch(state, batch);
        state->rows = &state->batch_rows;
    }
    return STATUS_OK;
}
