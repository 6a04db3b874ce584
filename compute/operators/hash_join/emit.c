/* emit.c — output batches: probe columns as views, build columns gathered beside them. */
#include <string.h>

#include "compute/operators/batch_collector.h"
#include "compute/operators/hash_join/hash_join_internal.h"

static void set_rows(const HashJoin *join, Batch *out, uint32_t row_count,
                     const uint16_t *selection, uint32_t selected_count)
{
    out->column_count = join->probe.output_count;
    out->row_count = row_count;
    out->selection = selection;
    out->selected_count = selected_count;
}

void emit_joined(ProbeState *state, const Batch *in, const uint16_t *rows,
                 const JoinRow *pointers, uint32_t row_count, bool has_nulls, Batch *out)
{
    const HashJoin *join = state->join;
    bool is_all = row_count == in->row_count;
    const uint16_t *targets = is_all ? NULL : rows;
    for (uint32_t o = 0; o < join->probe.output_count; o++) {
        const JoinOutput *output = &join->outputs[o];
        if (output->kind == JOIN_OUTPUT_PROBE) {
            out->columns[o] = in->columns[output->index];
        } else {
            join_table_gather(state->table, output->index, pointers, targets, row_count,
                              has_nulls, &state->payload_buffers[output->index],
                              &out->columns[o]);
        }
    }
    set_rows(join, out, in->row_count, targets, row_count);
}

Status emit_pairs(ProbeState *state, Batch *in, uint32_t pair_count, const uint16_t *selection,
                  uint32_t selected_count, Batch *out)
{
    const HashJoin *join = state->join;
    for (uint32_t o = 0; o < join->probe.output_count; o++) {
        const JoinOutput *output = &join->outputs[o];
        if (output->kind != JOIN_OUTPUT_PROBE) {
            join_table_gather(state->table, output->index, state->pair_pointers, NULL, pair_count,
                              false, &state->payload_buffers[output->index], &out->columns[o]);
            continue;
        }
        const Vector *column;
        TRY(batch_column(in, output->index, &column));
        VectorBuffer *buffer = &state->pair_buffers[output->index];
        if (buffer->lanes == NULL) {
            vector_buffer_init(buffer, state->arena);
        }
        vector_gather(column, state->pair_rows, pair_count, buffer, &out->columns[o]);
    }
    set_rows(join, out, pair_count, selection, selected_count);
    return STATUS_OK;
}

// The rows of the batch's selection that are matched, or that are not.
static uint32_t select_by_match(ProbeState *state, const Batch *in, bool is_matched)
{
    const uint16_t *selected = batch_selected_rows(in);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < in->selected_count; i++) {
        state->selection[kept] = selected[i];
        kept += validity_get(state->matched.words, selected[i]) == is_matched;
    }
    return kept;
}

static void emit_probe_rows(ProbeState *state, const Batch *in, uint32_t row_count, Batch *out)
{
    if (row_count == 0) {
        return;
    }
    emit_joined(state, in, state->selection, NULL, row_count, false, out);
}

static void emit_unmatched_outer(ProbeState *state, const Batch *in, Batch *out)
{
    uint32_t count = select_by_match(state, in, false);
    if (count > 0) {
        memset(state->pointers, 0, count * sizeof *state->pointers); // no build row
        emit_joined(state, in, state->selection, state->pointers, count, true, out);
    }
}

// NOT IN: a row passes only when it differs from every build row for certain.
static Status emit_anti_null(ProbeState *state, Batch *in, Batch *out)
{
    RowMask unknown;
    TRY(find_unknown(state, in, &unknown));
    for (uint32_t w = 0; w < VALIDITY_WORDS; w++) {
        state->matched.words[w] |= unknown.words[w];
    }
    emit_probe_rows(state, in, select_by_match(state, in, false), out);
    return STATUS_OK;
}

static Status emit_marks(ProbeState *state, Batch *in, Batch *out)
{
    const HashJoin *join = state->join;
    RowMask unknown;
    TRY(find_unknown(state, in, &unknown));
    uint8_t *lanes = state->mark.lanes;
    bool has_unknown = row_mask_count(&unknown) > 0;
    for (uint32_t i = 0; i < in->row_count; i++) {
        lanes[i] = validity_get(state->matched.words, i);
    }
    for (uint32_t w = 0; w < VALIDITY_WORDS; w++) {
        state->mark.validity[w] = ~unknown.words[w];
    }
    for (uint32_t o = 0; o < join->probe.output_count; o++) {
        const JoinOutput *output = &join->outputs[o];
        if (output->kind == JOIN_OUTPUT_PROBE) {
            out->columns[o] = in->columns[output->index];
        } else {
            out->columns[o] = (Vector){
                .type = type_of(TYPE_BOOLEAN),
                .lane = LANE_U8,
                .form = VECTOR_FLAT,
                .hi = 1,
                .validity = has_unknown ? state->mark.validity : NULL,
                .data = lanes,
            };
        }
    }
    set_rows(join, out, in->row_count, in->selection, in->selected_count);
    return STATUS_OK;
}

Status emit_final(ProbeState *state, Batch *in, Batch *out)
{
    switch (state->join->kind) {
    case JOIN_LEFT:
    case JOIN_FULL:
    case JOIN_SINGLE:
        emit_unmatched_outer(state, in, out);
        return STATUS_OK;
    case JOIN_SEMI:
        emit_probe_rows(state, in, select_by_match(state, in, true), out);
        return STATUS_OK;
    case JOIN_ANTI:
        emit_probe_rows(state, in, select_by_match(state, in, false), out);
        return STATUS_OK;
    case JOIN_ANTI_NULL:
        return emit_anti_null(state, in, out);
    case JOIN_MARK:
        return emit_marks(state, in, out);
    default:
        return STATUS_OK;
    }
}

void emit_build_rows(const HashJoin *join, const JoinTable *table, const JoinRow *pointers,
                     uint32_t row_count, VectorBuffer *payload_buffers, Batch *out)
{
    static const uint64_t none_present[VALIDITY_WORDS];
    static const _Alignas(64) uint8_t null_lane[128]; // one lane and what may be read behind it
    for (uint32_t o = 0; o < join->probe.output_count; o++) {
        const JoinOutput *output = &join->outputs[o];
        if (output->kind == JOIN_OUTPUT_PAYLOAD) {
            join_table_gather(table, output->index, pointers, NULL, row_count, false,
                              &payload_buffers[output->index], &out->columns[o]);
            continue;
        }
        Type type = join->probe.output_types[o];
        out->columns[o] = (Vector){
            .type = type,
            .lane = (uint8_t)type_widest_lane(type),
            .form = VECTOR_CONSTANT,
            .validity = none_present,
            .data = null_lane,
        };
    }
    set_rows(join, out, row_count, NULL, row_count);
}
