/*
 * probe.c — a probe batch against the table.
 *
 * All keys are looked up at once; every probe row with a match then follows its chain. A level
 * gives one build row to each probe row that still has one, so the output is the probe batch itself
 * with a narrower selection and the build columns written beside it: nothing of the probe side is
 * copied.
 *
 * Example, rows 0..3, chains 0:[a b] 2:[c]:  level 0 gives (0,a) (2,c), level 1 gives (0,b).
 *
 * When only a few rows have long chains, their pairs are gathered into dense batches instead. A
 * residual condition sees each level or dense batch before it is counted as a match.
 */
#include <string.h>

#include "base/vector/distribution_hash.h"
#include "compute/kernels/lanes.h"
#include "compute/operators/batch_collector.h"
#include "compute/operators/hash_join/hash_join_internal.h"

enum { PAIRS_ROWS_MAX = 64 }; /* fewer active rows than this, after level 0, are paired densely */

static bool gives_matches(JoinKind kind)
{
    return kind == JOIN_INNER || kind == JOIN_LEFT || kind == JOIN_RIGHT || kind == JOIN_FULL ||
           kind == JOIN_SINGLE;
}

void probe_state_init(ProbeState *state, HashJoin *join, const JoinTable *table,
                      Arena *worker_arena)
{
    uint32_t key_count = join->shape.key_count;
    uint32_t pair_columns = join->probe_count + join->build_count;
    *state = (ProbeState){.join = join, .table = table, .arena = worker_arena};
    state->keys = ARENA_ARRAY(worker_arena, const Vector *, key_count);
    state->rows = ARENA_ARRAY(worker_arena, uint16_t, VECTOR_ROWS);
    state->scratch = ARENA_ARRAY(worker_arena, uint16_t, 2 * VECTOR_ROWS);
    state->probe = (JoinProbe){
        .keys = state->keys,
        .words = ARENA_ARRAY(worker_arena, int64_t *, key_count),
        .hashes = ARENA_ARRAY(worker_arena, uint64_t, VECTOR_ROWS),
        .places = ARENA_ARRAY(worker_arena, uint64_t, VECTOR_ROWS),
        .positions = ARENA_ARRAY(worker_arena, uint32_t, VECTOR_ROWS),
        .scratch = state->scratch,
        .candidates = ARENA_ARRAY(worker_arena, JoinRow, VECTOR_ROWS),
        .found = ARENA_ARRAY(worker_arena, JoinRow, VECTOR_ROWS),
        .hits = ARENA_ARRAY(worker_arena, uint16_t, VECTOR_ROWS),
    };
    for (uint32_t k = 0; k < key_count; k++) {
        state->probe.words[k] = ARENA_ARRAY(worker_arena, int64_t, VECTOR_ROWS);
    }
    state->active = ARENA_ARRAY(worker_arena, uint16_t, VECTOR_ROWS);
    state->chain = ARENA_ARRAY(worker_arena, JoinRow, VECTOR_ROWS);
    state->selection = ARENA_ARRAY(worker_arena, uint16_t, VECTOR_ROWS);
    state->pointers = ARENA_ARRAY(worker_arena, JoinRow, VECTOR_ROWS);
    state->pair_rows = ARENA_ARRAY(worker_arena, uint16_t, VECTOR_ROWS);
    state->pair_pointers = ARENA_ARRAY(worker_arena, JoinRow, VECTOR_ROWS);
    state->payload_buffers = ARENA_ARRAY(worker_arena, VectorBuffer, join->shape.payload_count);
    for (uint32_t c = 0; c < join->shape.payload_count; c++) {
        vector_buffer_init(&state->payload_buffers[c], worker_arena);
    }
    state->pair_buffers = ARENA_ARRAY(worker_arena, VectorBuffer, join->probe_count);
    if (join->kind == JOIN_MARK) {
        vector_buffer_init(&state->mark, worker_arena);
    }
    if (join->residual != NULL) {
        state->residual = expr_state_create(join->residual, worker_arena);
        batch_init(&state->pair, pair_columns, worker_arena);
    }
}

// Sets up the lookup for the rows without a NULL in a key that NULL does not match.
static void select_candidates(ProbeState *state, const Batch *in)
{
    const JoinShape *shape = &state->join->shape;
    uint32_t count = in->selected_count;
    uint8_t nulls[VECTOR_ROWS];
    uint8_t any[VECTOR_ROWS];
    state->has_null_keys = false;
    state->probe.batch = in;
    for (uint32_t k = 0; k < shape->key_count; k++) {
        if (shape->is_null_equal[k] ||
            !lanes_read_nulls(state->keys[k], in->selection, count, nulls)) {
            continue;
        }
        for (uint32_t i = 0; i < count; i++) {
            any[i] = state->has_null_keys ? any[i] | nulls[i] : nulls[i];
        }
        state->has_null_keys = true;
    }
    if (!state->has_null_keys) {
        state->probe.rows = in->selection;
        state->probe.row_count = count;
        return;
    }
    const uint16_t *selected = batch_selected_rows(in);
    memset(&state->null_keys, 0, sizeof state->null_keys);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        state->rows[kept] = selected[i];
        kept += any[i] == 0;
        if (any[i] != 0) {
            validity_set(state->null_keys.words, selected[i]);
        }
    }
    state->probe.rows = state->rows;
    state->probe.row_count = kept;
}

// The physical rows of the lookup's hits.
static void list_hit_rows(const JoinProbe *probe, uint32_t hits, uint16_t *rows)
{
    if (probe->rows == NULL) {
        memcpy(rows, probe->hits, hits * sizeof *rows);
        return;
    }
    for (uint32_t h = 0; h < hits; h++) {
        rows[h] = probe->rows[probe->hits[h]];
    }
}

// Looks up all keys of the batch: the matching rows become the active ones.
static void look_up(ProbeState *state, Batch *in)
{
    select_candidates(state, in);
    JoinProbe *probe = &state->probe;
    uint32_t hits = join_table_lookup(state->table, probe);
    list_hit_rows(probe, hits, state->active);
    for (uint32_t h = 0; h < hits; h++) {
        state->chain[state->active[h]] = probe->found[h];
    }
    state->active_count = hits;
    state->level = 0;
}

// Joins whose answer is a selection of the probe rows, or at most one build row for each of them.
static bool try_at_once(ProbeState *state, Batch *in, Batch *out)
{
    HashJoin *join = state->join;
    const JoinTable *table = state->table;
    JoinProbe *probe = &state->probe;
    bool is_semi = join->shape.is_existence && join->kind == JOIN_SEMI;
    bool is_unique_inner =
        join->kind == JOIN_INNER && join->residual == NULL && !table->has_duplicates;
    if (!is_semi && !is_unique_inner) {
        return false;
    }
    select_candidates(state, in);
    uint32_t hits = join_table_lookup(table, probe);
    if (hits > 0) {
        list_hit_rows(probe, hits, state->selection);
        emit_joined(state, in, state->selection, probe->found, hits, false, out);
    }
    return true;
}

// The build columns the residual reads, for the given build rows.
static void load_pair_payload(ProbeState *state, const JoinRow *pointers, const uint16_t *targets,
                              uint32_t count)
{
    HashJoin *join = state->join;
    for (uint32_t c = 0; c < join->shape.payload_count; c++) {
        if (join->residual_payload[c]) {
            join_table_gather(state->table, c, pointers, targets, count, false,
                              &state->payload_buffers[c],
                              &state->pair.columns[join->probe_count + join->payload[c]]);
        }
    }
}

// Narrows state->pair to the positions for which the residual is true. `row_of` gives the probe row
// of a position, null when they are the same.
static Status check_residual(ProbeState *state, const uint16_t *row_of)
{
    Batch *pair = &state->pair;
    if (!state->join->is_null_aware) {
        return expr_filter(state->residual, pair);
    }
    const Vector *truth;
    uint16_t *passed = state->scratch; // the lookup is over
    uint32_t kept = 0;
    expr_begin(state->residual, pair);
    TRY(expr_evaluate(state->residual, 0, &truth));
    for (uint32_t i = 0; i < pair->selected_count; i++) {
        uint32_t position = batch_row(pair, i);
        bool is_null = vector_is_null(truth, position);
        if (is_null) {
            validity_set(state->unknown.words, row_of == NULL ? position : row_of[position]);
        }
        passed[kept] = (uint16_t)position;
        kept += !is_null && vector_int64(truth, position) != 0;
    }
    pair->selection = passed;
    pair->selected_count = kept;
    return STATUS_OK;
}

Status filter_pairs(ProbeState *state, Batch *in, uint32_t pair_count, const uint16_t **selection,
                    uint32_t *selected_count)
{
    HashJoin *join = state->join;
    *selection = NULL;
    *selected_count = pair_count;
    if (join->residual == NULL || pair_count == 0) {
        return STATUS_OK;
    }
    for (uint32_t c = 0; c < join->probe_count; c++) {
        if (join->residual_probe[c]) {
            const Vector *column;
            TRY(batch_column(in, c, &column));
            if (state->pair_buffers[c].lanes == NULL) {
                vector_buffer_init(&state->pair_buffers[c], state->arena);
            }
            vector_gather(column, state->pair_rows, pair_count, &state->pair_buffers[c],
                          &state->pair.columns[c]);
        }
    }
    load_pair_payload(state, state->pair_pointers, NULL, pair_count);
    state->pair.row_count = state->pair.selected_count = pair_count;
    state->pair.selection = NULL;
    TRY(check_residual(state, state->pair_rows));
    *selection = state->pair.selection;
    *selected_count = state->pair.selected_count;
    return STATUS_OK;
}

// Narrows the active rows of this level to those that pass the residual: state->selection.
static Status filter_level(ProbeState *state, Batch *in, uint32_t *kept_count)
{
    HashJoin *join = state->join;
    uint32_t count = state->active_count;
    *kept_count = count;
    memcpy(state->selection, state->active, count * sizeof *state->active);
    if (join->residual == NULL || count == 0) {
        return STATUS_OK;
    }
    for (uint32_t c = 0; c < join->probe_count; c++) {
        if (join->residual_probe[c]) {
            const Vector *column;
            TRY(batch_column(in, c, &column));
            state->pair.columns[c] = *column;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        state->pointers[i] = state->chain[state->active[i]];
    }
    load_pair_payload(state, state->pointers, state->active, count);
    state->pair.row_count = in->row_count;
    state->pair.selected_count = count;
    state->pair.selection = state->active;
    TRY(check_residual(state, NULL));
    const uint16_t *kept = batch_selected_rows(&state->pair);
    *kept_count = state->pair.selected_count;
    memcpy(state->selection, kept, *kept_count * sizeof *kept);
    return STATUS_OK;
}

static void mark_build_row(const JoinShape *shape, const uint8_t *row)
{
    uint64_t *link = join_row_link(shape, row);
    if ((__atomic_load_n(link, __ATOMIC_RELAXED) & JOIN_LINK_MATCHED) == 0) {
        __atomic_fetch_or(link, JOIN_LINK_MATCHED, __ATOMIC_RELAXED); // read after the probe side
    }
}

// Notes a match of a probe row; 21000 when it must not have a second one.
static Status note_match(ProbeState *state, uint16_t row, JoinRow build_row)
{
    HashJoin *join = state->join;
    if (join->kind == JOIN_SINGLE && validity_get(state->matched.words, row)) {
        return status_error(SQLSTATE_CARDINALITY_VIOLATION,
                            "more than one row returned by a subquery used as an expression");
    }
    validity_set(state->matched.words, row);
    if (join->marks_build_rows) {
        mark_build_row(&join->shape, build_row);
    }
    return STATUS_OK;
}

// Each active row moves to its next build row; those without one, or satisfied, leave.
static void advance_level(ProbeState *state)
{
    const JoinShape *shape = &state->join->shape;
    JoinKind kind = state->join->kind;
    bool is_satisfied_by_one = !gives_matches(kind) && !state->join->marks_build_rows;
    uint32_t kept = 0;
    if (state->table->has_duplicates) {
        for (uint32_t i = 0; i < state->active_count; i++) {
            uint16_t row = state->active[i];
            JoinRow next = join_row_next(shape, state->chain[row]);
            state->chain[row] = next;
            state->active[kept] = row;
            kept +=
                next != NULL && !(is_satisfied_by_one && validity_get(state->matched.words, row));
        }
    }
    state->active_count = kept;
    state->level++;
}

static Status probe_level(ProbeState *state, Batch *in, Batch *out)
{
    HashJoin *join = state->join;
    uint32_t kept;
    TRY(filter_level(state, in, &kept));
    for (uint32_t i = 0; i < kept; i++) {
        state->pointers[i] = state->chain[state->selection[i]];
    }
    for (uint32_t i = 0; i < kept && join->kind != JOIN_INNER; i++) {
        TRY(note_match(state, state->selection[i], state->pointers[i]));
    }
    if (gives_matches(join->kind) && kept > 0) {
        emit_joined(state, in, state->selection, state->pointers, kept, false, out);
    }
    advance_level(state);
    return STATUS_OK;
}

// Takes the next pairs of the active rows' chains, up to a batch.
static uint32_t take_pairs(ProbeState *state)
{
    const JoinShape *shape = &state->join->shape;
    uint32_t pair_max = state->join->query->batch_rows;
    uint32_t count = 0;
    uint32_t i = 0;
    while (i < state->active_count && count < pair_max) {
        uint16_t row = state->active[i];
        JoinRow build_row = state->chain[row];
        while (build_row != NULL && count < pair_max) {
            state->pair_rows[count] = row;
            state->pair_pointers[count++] = build_row;
            build_row = join_row_next(shape, build_row);
        }
        state->chain[row] = build_row;
        i += build_row == NULL;
    }
    state->active_count -= i;
    memmove(state->active, state->active + i, state->active_count * sizeof *state->active);
    return count;
}

static Status probe_pairs(ProbeState *state, Batch *in, Batch *out)
{
    HashJoin *join = state->join;
    uint32_t pair_count = take_pairs(state);
    const uint16_t *selection;
    uint32_t selected_count;
    TRY(filter_pairs(state, in, pair_count, &selection, &selected_count));
    for (uint32_t i = 0; i < selected_count && join->kind != JOIN_INNER; i++) {
        uint32_t pair = selection == NULL ? i : selection[i];
        TRY(note_match(state, state->pair_rows[pair], state->pair_pointers[pair]));
    }
    if (!gives_matches(join->kind) || selected_count == 0) {
        return STATUS_OK;
    }
    return emit_pairs(state, in, pair_count, selection, selected_count, out);
}

static bool needs_final(const HashJoin *join)
{
    switch (join->kind) {
    case JOIN_INNER:
    case JOIN_RIGHT:
    case JOIN_RIGHT_SEMI:
    case JOIN_RIGHT_ANTI:
        return false;
    default:
        return true;
    }
}

// Without chains, residual or build flags, outer joins give matched and unmatched rows at once.
static bool try_outer_at_once(ProbeState *state, Batch *in, Batch *out)
{
    HashJoin *join = state->join;
    bool is_outer = join->kind == JOIN_LEFT || join->kind == JOIN_SINGLE;
    if (!is_outer || join->residual != NULL || state->table->has_duplicates) {
        return false;
    }
    const uint16_t *selected = batch_selected_rows(in);
    uint32_t active = 0;
    for (uint32_t i = 0; i < in->selected_count; i++) { // both lists ascend
        bool is_hit = active < state->active_count && state->active[active] == selected[i];
        state->pointers[i] = is_hit ? state->chain[selected[i]] : NULL;
        active += is_hit;
    }
    emit_joined(state, in, selected, state->pointers, in->selected_count,
                active < in->selected_count, out);
    return true;
}

static Status probe_start(ProbeState *state, Batch *in, Batch *out, Flow *flow)
{
    HashJoin *join = state->join;
    if (try_at_once(state, in, out)) {
        *flow = FLOW_MORE;
        return STATUS_OK;
    }
    look_up(state, in);
    memset(&state->matched, 0, sizeof state->matched);
    memset(&state->unknown, 0, sizeof state->unknown);
    if (join->shape.is_existence) {
        for (uint32_t i = 0; i < state->active_count; i++) {
            validity_set(state->matched.words, state->active[i]);
        }
        *flow = FLOW_MORE;
        return emit_final(state, in, out);
    }
    if (try_outer_at_once(state, in, out)) {
        *flow = FLOW_MORE;
        return STATUS_OK;
    }
    state->phase = PROBE_LEVELS;
    *flow = FLOW_AGAIN;
    return STATUS_OK;
}

Status probe_apply(ProbeState *state, Batch *in, Batch *out, Flow *flow)
{
    HashJoin *join = state->join;
    if (state->phase == PROBE_START) {
        TRY(probe_start(state, in, out, flow));
        if (*flow == FLOW_MORE) {
            return STATUS_OK;
        }
    }
    *flow = FLOW_AGAIN;
    if (state->phase == PROBE_LEVELS) {
        if (state->level > 0 && state->active_count > 0 && state->active_count < PAIRS_ROWS_MAX) {
            state->phase = PROBE_PAIRS;
        } else if (state->active_count > 0) {
            TRY(probe_level(state, in, out));
        }
    }
    if (state->phase == PROBE_PAIRS && state->active_count > 0) {
        TRY(probe_pairs(state, in, out));
    }
    if (state->active_count > 0 || (out->selected_count > 0 && needs_final(join))) {
        return STATUS_OK; // more of this batch to come
    }
    state->phase = PROBE_START;
    *flow = FLOW_MORE;
    return needs_final(join) ? emit_final(state, in, out) : STATUS_OK;
}

/* --- the transform --- */

typedef struct ProbeLocal {
    ProbeState state;
    ExprColumnsLocal keys;
    SpillPartitions *spill;
    Batch spill_columns;
    uint64_t *spill_hashes;
} ProbeLocal;

static Status probe_local_open(Transform *self, void *local, Arena *worker_arena)
{
    HashJoin *join = join_of_probe(self);
    ProbeLocal *state = local;
    expr_columns_open(&join->probe_keys, &state->keys, worker_arena);
    probe_state_init(&state->state, join, &join->table, worker_arena);
    if (join_is_spilling(join)) {
        batch_init(&state->spill_columns, join->spill.probe_count, worker_arena);
        state->spill_hashes = ARENA_ARRAY(worker_arena, uint64_t, VECTOR_ROWS);
    }
    return STATUS_OK;
}

static Status probe_transform(Transform *self, void *local, Batch *in, Batch *out, Flow *flow)
{
    HashJoin *join = join_of_probe(self);
    ProbeLocal *state = local;
    if (state->state.phase == PROBE_START) {
        TRY(expr_columns_evaluate(&join->probe_keys, &state->keys, in, state->state.keys));
    }
    if (state->spill_hashes != NULL) { // the rest source joins what is on disk
        *flow = FLOW_MORE;
        return join_spill_probe(join, state->state.keys, in, &state->spill, &state->spill_columns,
                                state->spill_hashes);
    }
    return probe_apply(&state->state, in, out, flow);
}

static Status probe_flush(Transform *self, void *local, Batch *out, Flow *flow)
{
    HashJoin *join = join_of_probe(self);
    ProbeLocal *state = local;
    SpillPartitions *spill = state->spill;
    (void)out;
    state->spill = NULL;
    *flow = FLOW_DONE;
    return spill == NULL ? STATUS_OK : join_spill_add(join, &join->spill.probes, spill);
}

static void probe_local_close(Transform *self, void *local)
{
    (void)self;
    spill_partitions_destroy(((ProbeLocal *)local)->spill);
}

static bool probe_is_done(Transform *self)
{
    HashJoin *join = join_of_probe(self);
    if (join_is_spilling(join) || join->table.rows.row_count > 0) {
        return false;
    }
    return join->kind == JOIN_INNER || join->kind == JOIN_SEMI ||
           (join->emits_build_rest && join->kind != JOIN_FULL);
}

const TransformOps hash_join_probe_ops = {
    .name = "Hash Join",
    .local_bytes = sizeof(ProbeLocal),
    .local_open = probe_local_open,
    .apply = probe_transform,
    .flush = probe_flush,
    .local_close = probe_local_close,
    .is_done = probe_is_done,
};
