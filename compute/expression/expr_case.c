/*
 * expr_case.c — CASE, COALESCE, GREATEST, LEAST: results put together from parts.
 *
 * Every part is computed for the rows that reach it and no others. The result is as narrow as the
 * union of its parts' bounds allows: case when … then l_extendedprice else 0 end stays U32.
 */
#include <string.h>

#include "base/vector/vector_kernels.h"
#include "compute/expression/expr_internal.h"
#include "compute/kernels/blend_kernels.h"

/* --- blending --- */

static bool part_is_null(const BlendPart *part)
{
    return part->vector.form == VECTOR_CONSTANT && vector_is_null(&part->vector, 0);
}

/* Rows that come from some part and are not null there; null when that is all current rows. */
static const uint64_t *blend_validity(ExprState *state, const BlendPart *parts, uint32_t part_count)
{
    RowMask *present = expr_take_mask(state);
    memset(present, 0, sizeof *present);
    for (uint32_t i = 0; i < part_count; i++) {
        const Vector *vector = &parts[i].vector;
        const uint64_t *validity = vector->form == VECTOR_CONSTANT ? NULL : vector->validity;
        for (uint32_t w = 0; w < expr_word_count(state) && !part_is_null(&parts[i]); w++) {
            present->words[w] |=
                parts[i].mask.words[w] & (validity == NULL ? UINT64_MAX : validity[w]);
        }
    }
    const RowMask *rows = expr_rows_mask(state->rows);
    for (uint32_t i = 0; i < VALIDITY_WORDS; i++) {
        if ((rows->words[i] & ~present->words[i]) != 0) {
            return present->words;
        }
    }
    return NULL;
}

/* False when some part has values of 128 bits. */
static bool blend_integers(ExprState *state, const BlendPart *parts, uint32_t part_count,
                           Vector *result, VectorBuffer *buffer)
{
    IntView *views = ARENA_ARRAY(expr_text_arena(state), IntView, part_count);
    bool is_empty = true;
    for (uint32_t i = 0; i < part_count; i++) {
        if (part_is_null(&parts[i])) {
            continue;
        }
        if (!expr_int_view(state, &parts[i].vector, &views[i])) {
            return false;
        }
        result->lo = is_empty || views[i].lo < result->lo ? views[i].lo : result->lo;
        result->hi = is_empty || views[i].hi > result->hi ? views[i].hi : result->hi;
        is_empty = false;
    }
    Lane lane = lane_for_span((uint64_t)result->hi - (uint64_t)result->lo);
    bool has_room = result->lo <= INT64_MAX - (int64_t)UINT32_MAX;
    lane = has_room ? lane : LANE_I64;
    uint64_t base = lane == LANE_I64 ? 0 : (uint64_t)result->lo;
    result->lane = (uint8_t)lane;
    result->base = (int64_t)base;
    uint32_t row_count = expr_row_count(state);
    const BlendKernels *kernels = KERNELS(blend_kernels);
    memset(buffer->lanes, 0, row_count * lane_bytes(lane));
    uint8_t flags[VECTOR_ROWS + 64];
    for (uint32_t i = 0; i < part_count; i++) {
        if (part_is_null(&parts[i])) {
            continue;
        }
        uint64_t add = (uint64_t)views[i].base - base;
        kernels->words_to_lanes(parts[i].mask.words, row_count, flags);
        if (views[i].is_constant) {
            kernels->fill[lane](add, row_count, flags, buffer->lanes);
        } else {
            kernels->blend[views[i].lane][lane](views[i].lanes, row_count, add, flags,
                                                buffer->lanes);
        }
    }
    return true;
}

/* Lanes moved row by row: texts, floats, 128 bits. */
static void blend_lanes(ExprState *state, const BlendPart *parts, uint32_t part_count,
                        Vector *result, VectorBuffer *buffer)
{
    size_t bytes = lane_bytes((Lane)result->lane);
    char *target = buffer->lanes;
    memset(target, 0, expr_row_count(state) * bytes);
    uint16_t *rows = expr_take_buffer(state)->lanes;
    for (uint32_t i = 0; i < part_count; i++) {
        if (part_is_null(&parts[i])) {
            continue;
        }
        const Vector *vector = &parts[i].vector;
        uint32_t count = row_mask_to_selection(&parts[i].mask, expr_row_count(state), rows);
        result->has_trailing_blanks |= vector->has_trailing_blanks;
        if (result->lane == LANE_I128 && result->type.id != TYPE_INTERVAL) {
            for (uint32_t j = 0; j < count; j++) {
                ((Int128 *)buffer->lanes)[rows[j]] = expr_int128_at(vector, rows[j]);
            }
            continue;
        }
        bool is_constant = vector->form == VECTOR_CONSTANT;
        Vector flat = *vector;
        if (!is_constant) {
            expr_flatten(state, vector, &flat);
        }
        const char *source = flat.data;
        for (uint32_t j = 0; j < count; j++) {
            memcpy(target + rows[j] * bytes, source + (is_constant ? 0 : rows[j]) * bytes, bytes);
        }
    }
}

Status expr_blend(ExprState *state, Type type, const BlendPart *parts, uint32_t part_count,
                  Register *out)
{
    Vector result = {
        .type = type,
        .lane = (uint8_t)type_widest_lane(type),
        .form = VECTOR_FLAT,
    };
    VectorBuffer *buffer = expr_take_buffer(state);
    bool is_exact = type_is_scaled_integer(type) || type.id == TYPE_DECIMAL;
    if (!is_exact || !blend_integers(state, parts, part_count, &result, buffer)) {
        result.lane = (uint8_t)type_widest_lane(type);
        result.base = 0;
        blend_lanes(state, parts, part_count, &result, buffer);
    }
    result.data = buffer->lanes;
    result.validity = blend_validity(state, parts, part_count);
    expr_set_vector(out, &result);
    return STATUS_OK;
}

/* --- nodes --- */

/* Parts collected so far; when one part covers all rows it is the result itself. */
typedef struct PartList {
    BlendPart *items;
    uint32_t count;
} PartList;

static void part_list_init(PartList *list, ExprState *state, uint32_t capacity)
{
    *list = (PartList){.items = ARENA_ARRAY(expr_text_arena(state), BlendPart, capacity)};
}

/* Computes node `index` for the rows of `mask` as the next part. */
static Status add_part(ExprState *state, uint32_t index, const RowMask *mask, PartList *list)
{
    if (row_mask_count(mask) == 0) {
        return STATUS_OK;
    }
    ExprRows inner;
    const Vector *vector;
    expr_rows_push(state, &inner, mask);
    Status status = expr_vector(state, index, &vector);
    expr_rows_pop(state);
    TRY(status);
    list->items[list->count].vector = *vector;
    list->items[list->count].mask = *mask;
    list->count++;
    return STATUS_OK;
}

static Status finish_parts(ExprState *state, const ExprNode *node, const PartList *list,
                           Register *out)
{
    if (list->count == 0) {
        expr_set_null(state, node, out);
        return STATUS_OK;
    }
    if (list->count == 1 &&
        memcmp(&list->items[0].mask, expr_rows_mask(state->rows), sizeof(RowMask)) == 0) {
        Vector vector = list->items[0].vector;
        vector.type = node->type;
        expr_set_vector(out, &vector);
        return STATUS_OK;
    }
    return expr_blend(state, node->type, list->items, list->count, out);
}

Status op_case(ExprState *state, const ExprNode *node, Register *out)
{
    RowMask left = *expr_rows_mask(state->rows); // rows that no condition has taken
    PartList parts;
    part_list_init(&parts, state, node->arg_count / 2 + 1);
    uint32_t condition = 0;
    for (; condition + 1 < node->arg_count; condition += 2) {
        const Register *reg;
        ExprRows inner;
        RowMask taken = left;
        uint64_t bits = 0;
        expr_rows_push(state, &inner, &left);
        Status status = expr_truth(state, node->args[condition], &reg);
        expr_rows_pop(state);
        TRY(status);
        for (uint32_t i = 0; i < expr_word_count(state); i++) {
            taken.words[i] &= reg->truth[i];
            left.words[i] &= ~taken.words[i];
            bits |= left.words[i];
        }
        TRY(add_part(state, node->args[condition + 1], &taken, &parts));
        if (bits == 0) {
            return finish_parts(state, node, &parts, out);
        }
    }
    TRY(add_part(state, node->args[condition], &left, &parts));
    return finish_parts(state, node, &parts, out);
}

/* Rows of `mask` where the vector has a value. */
static void keep_present(const Vector *vector, uint32_t word_count, RowMask *mask)
{
    if (vector->form == VECTOR_CONSTANT) {
        if (vector_is_null(vector, 0)) {
            memset(mask, 0, sizeof *mask);
        }
        return;
    }
    for (uint32_t i = 0; vector->validity != NULL && i < word_count; i++) {
        mask->words[i] &= vector->validity[i];
    }
}

Status op_coalesce(ExprState *state, const ExprNode *node, Register *out)
{
    RowMask left = *expr_rows_mask(state->rows);
    PartList parts;
    part_list_init(&parts, state, node->arg_count);
    for (uint32_t i = 0; i < node->arg_count; i++) {
        uint32_t known = parts.count;
        uint64_t bits = 0;
        TRY(add_part(state, node->args[i], &left, &parts));
        if (parts.count == known) {
            break; // no row left
        }
        BlendPart *part = &parts.items[known];
        keep_present(&part->vector, expr_word_count(state), &part->mask);
        for (uint32_t w = 0; w < VALIDITY_WORDS; w++) {
            left.words[w] &= ~part->mask.words[w];
            bits |= left.words[w];
        }
        if (bits == 0) {
            break;
        }
    }
    return finish_parts(state, node, &parts, out);
}

/* GREATEST and LEAST: NULL arguments do not count. */
Status op_extreme(ExprState *state, const ExprNode *node, Register *out)
{
    FunctionId op = node->expr->function == FUNCTION_GREATEST ? FUNCTION_GREATER : FUNCTION_LESS;
    const RowMask rows = *expr_rows_mask(state->rows);
    const uint32_t word_count = expr_word_count(state);
    const Vector *first;
    TRY(expr_vector(state, node->args[0], &first));
    Register best = {.vector = *first, .has_vector = true};
    for (uint32_t i = 1; i < node->arg_count; i++) {
        const Vector *vector;
        TRY(expr_vector(state, node->args[i], &vector));
        BlendPart parts[2] = {{.vector = *vector, .mask = rows}, {.vector = best.vector}};
        RowMask has_best = rows, is_better;
        keep_present(vector, word_count, &parts[0].mask);
        keep_present(&best.vector, word_count, &has_best);
        for (uint32_t w = 0; w < VALIDITY_WORDS; w++) {
            is_better.words[w] = parts[0].mask.words[w] & has_best.words[w];
        }
        if (row_mask_count(&is_better) > 0) {
            TRY(expr_compare_vectors(state, op, vector, &best.vector, &is_better));
        }
        for (uint32_t w = 0; w < VALIDITY_WORDS; w++) {
            parts[0].mask.words[w] &= is_better.words[w] | ~has_best.words[w];
            parts[1].mask.words[w] = rows.words[w] & ~parts[0].mask.words[w];
        }
        TRY(expr_blend(state, node->type, parts, 2, &best));
    }
    best.vector.type = node->type;
    expr_set_vector(out, &best.vector);
    return STATUS_OK;
}
