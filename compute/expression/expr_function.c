/*
 * expr_function.c — scalar functions over vectors: reads arguments row by row, stores results.
 */
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/vector/distribution_hash.h"
#include "compute/expression/expr_internal.h"
#include "compute/expression/expr_slots.h"

#define ARGS_MAX 8

/* --- arguments --- */

void slot_reader_init(SlotReader *reader, ExprState *state, const Vector *vector, Type type)
{
    Vector flat = *vector;
    bool is_constant = vector->form == VECTOR_CONSTANT;
    if (!is_constant) {
        expr_flatten(state, vector, &flat);
    }
    *reader = (SlotReader){
        .lanes = flat.data,
        .base = flat.base,
        .lane = (Lane)flat.lane,
        .is_constant = is_constant,
        .is_decimal = type.id == TYPE_DECIMAL,
    };
}

void slot_read(const SlotReader *reader, uint32_t row, Slot *slot)
{
    const uint32_t i = reader->is_constant ? 0 : row;
    int64_t value;
    switch (reader->lane) {
    case LANE_U8:
        value = reader->base + ((const uint8_t *)reader->lanes)[i];
        break;
    case LANE_U16:
        value = reader->base + ((const uint16_t *)reader->lanes)[i];
        break;
    case LANE_U32:
        value = reader->base + ((const uint32_t *)reader->lanes)[i];
        break;
    case LANE_I64:
        value = ((const int64_t *)reader->lanes)[i];
        break;
    case LANE_F32:
        slot->f64 = (double)((const float *)reader->lanes)[i];
        return;
    case LANE_F64:
        slot->f64 = ((const double *)reader->lanes)[i];
        return;
    default: // texts, 128 bits and intervals: 16 bytes
        memcpy(slot, (const char *)reader->lanes + i * sizeof(Slot), sizeof(Slot));
        return;
    }
    if (reader->is_decimal) {
        slot->i128 = value;
    } else {
        slot->i64 = value;
    }
}

/* --- results --- */

void slot_writer_init(SlotWriter *writer, ExprState *state, Type type)
{
    *writer = (SlotWriter){
        .type = type,
        .lane = type_widest_lane(type),
        .buffer = expr_take_buffer(state),
        .lo = INT64_MAX,
        .hi = INT64_MIN,
    };
    // rows that are not written must hold readable lanes
    memset(writer->buffer->lanes, 0, expr_row_count(state) * lane_bytes(writer->lane));
}

void slot_write(SlotWriter *writer, uint32_t row, const Slot *slot)
{
    void *lanes = writer->buffer->lanes;
    int64_t value;
    switch (writer->lane) {
    case LANE_F32:
        ((float *)lanes)[row] = (float)slot->f64;
        return;
    case LANE_F64:
        ((double *)lanes)[row] = slot->f64;
        return;
    case LANE_TEXT:
    case LANE_I128:
        return; // the function has written into the lane
    default:
        break;
    }
    value = writer->type.id == TYPE_DECIMAL ? (int64_t)slot->i128 : slot->i64;
    if (writer->lane == LANE_U8) {
        ((uint8_t *)lanes)[row] = (uint8_t)value;
    } else {
        ((int64_t *)lanes)[row] = value;
    }
    writer->lo = value < writer->lo ? value : writer->lo;
    writer->hi = value > writer->hi ? value : writer->hi;
}

/* Rows that were not written are empty and end in nothing. */
static bool has_trailing_blanks(const TextView *views, uint32_t row_count)
{
    for (uint32_t i = 0; i < row_count; i++) {
        const TextView *view = &views[i];
        if (view->length > 0 && text_view_data(view)[view->length - 1] == ' ') {
            return true;
        }
    }
    return false;
}

void slot_writer_finish(const SlotWriter *writer, uint32_t row_count, const uint64_t *validity,
                        Register *out)
{
    bool is_empty = writer->lo > writer->hi;
    Vector vector = {
        .type = writer->type,
        .lane = (uint8_t)writer->lane,
        .form = VECTOR_FLAT,
        .has_trailing_blanks =
            writer->lane == LANE_TEXT && has_trailing_blanks(writer->buffer->lanes, row_count),
        .lo = is_empty ? 0 : writer->lo,
        .hi = is_empty ? 0 : writer->hi,
        .validity = validity,
        .data = writer->buffer->lanes,
    };
    expr_set_vector(out, &vector);
}

/* --- calls --- */

static FunctionFrame *frame_of(ExprState *state, const ExprNode *node)
{
    FunctionFrame *frame = &state->frames[node->index];
    if (frame->arg_types == NULL) {
        Type *types = ARENA_ARRAY(state->arena, Type, node->arg_count + 1);
        for (uint32_t i = 0; i < node->arg_count; i++) {
            types[i] = state->program->nodes[node->args[i]]->type;
        }
        const ScalarCall *call = node->prepared;
        *frame = (FunctionFrame){
            .prepared = call->prepared,
            .type = node->type,
            .arg_types = types,
            .arg_count = node->arg_count,
            .worker_arena = state->arena,
        };
        if (node->is_volatile) { // another sequence for every worker, call and run
            uint64_t seed = hash_combine((uint64_t)clock_monotonic_us(), (uintptr_t)state);
            random_seed(&frame->random, hash_combine(seed, node->index));
        }
    }
    frame->arena = expr_text_arena(state);
    return frame;
}

Status op_function(ExprState *state, const ExprNode *node, Register *out)
{
    const ScalarCall *call = node->prepared;
    FunctionFrame *frame = frame_of(state, node);
    SlotReader readers[ARGS_MAX];
    SlotWriter writer;
    Slot args[ARGS_MAX], result;
    RowMask *present = NULL;
    const uint64_t *validity = expr_node_validity(state, node);
    uint32_t row_count;
    const uint16_t *rows = expr_active_rows(state, validity, &row_count);
    for (uint32_t i = 0; i < node->arg_count; i++) {
        slot_reader_init(&readers[i], state, expr_arg(state, node, i), frame->arg_types[i]);
        if (readers[i].is_constant) {
            slot_read(&readers[i], 0, &args[i]);
        }
    }
    slot_writer_init(&writer, state, node->type);
    for (uint32_t i = 0; i < row_count; i++) {
        uint32_t row = rows[i];
        for (uint32_t j = 0; j < node->arg_count; j++) {
            if (!readers[j].is_constant) {
                slot_read(&readers[j], row, &args[j]);
            }
        }
        // texts and 128 bits go straight into their lane: copying what was just written in pieces
        // would wait for the store buffer
        Slot *target = writer.lane == LANE_TEXT || writer.lane == LANE_I128
                           ? (Slot *)writer.buffer->lanes + row
                           : &result;
        TRY(call->function(frame, args, target));
        if (!frame->is_null) {
            slot_write(&writer, row, target);
            continue;
        }
        frame->is_null = false;
        if (present == NULL) {
            present = expr_take_mask(state);
            row_mask_from_selection(present, rows, row_count);
        }
        validity_clear(present->words, row);
    }
    slot_writer_finish(&writer, expr_row_count(state), present != NULL ? present->words : validity,
                       out);
    return STATUS_OK;
}

/* The bucket of the row's distribution hash over all arguments, NULLs included. */
Status op_bucket(ExprState *state, const ExprNode *node, Register *out)
{
    uint64_t hashes[VECTOR_ROWS];
    Batch rows = {
        .row_count = expr_row_count(state),
        .selected_count = state->rows->count,
        .selection = state->rows->is_all ? NULL : expr_rows_list(state, state->rows),
    };
    for (uint32_t i = 0; i < node->arg_count; i++) {
        const Vector *vector;
        TRY(expr_vector(state, node->args[i], &vector));
        distribution_hash_column(vector, &rows, i > 0, hashes);
    }
    VectorBuffer *buffer = expr_take_buffer(state);
    uint16_t *buckets = buffer->lanes;
    for (uint32_t i = 0; i < rows.selected_count; i++) {
        buckets[batch_row(&rows, i)] = (uint16_t)bucket_of_hash(hashes[i]);
    }
    Vector vector = {.type = node->type,
                     .lane = LANE_U16,
                     .form = VECTOR_FLAT,
                     .lo = 0,
                     .hi = BUCKET_COUNT - 1,
                     .data = buckets};
    expr_set_vector(out, &vector);
    return STATUS_OK;
}
