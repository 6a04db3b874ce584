/*
 * hash_join.c — what a join's plan asks for: keys, the build columns to be kept, where each output
 * comes from. The rest is in hash_join/.
 */
#include "compute/operators/hash_join.h"

#include "compute/operators/hash_join/hash_join_internal.h"

typedef struct ColumnUse {
    bool *is_used; /* probe columns, then build columns */
    uint32_t count;
    bool is_out_of_range;
} ColumnUse;

static bool note_column(void *object, const Expr *expr)
{
    ColumnUse *use = object;
    if (expr->kind == EXPR_COLUMN) {
        if (expr->column < use->count) {
            use->is_used[expr->column] = true;
        } else {
            use->is_out_of_range = true;
        }
    }
    return true;
}

static Status plan_error(const PlanHashJoin *plan)
{
    return status_error(SQLSTATE_INTERNAL_ERROR, "join %u of the plan does not fit its inputs",
                        plan->node.id);
}

// Which columns outputs and residual read; the build columns among them are the payload.
static Status plan_columns(HashJoin *join, Arena *arena)
{
    const PlanHashJoin *plan = join->plan;
    uint32_t pair_count = join->probe_count + join->build_count;
    ColumnUse residual = {.is_used = ARENA_ARRAY(arena, bool, pair_count), .count = pair_count};
    if (plan->residual != NULL) {
        expr_walk(plan->residual, note_column, &residual);
    }
    bool *is_needed = ARENA_ARRAY(arena, bool, pair_count);
    for (uint32_t o = 0; o < plan->node.output_count; o++) {
        if (plan->outputs[o] > pair_count || residual.is_out_of_range ||
            (plan->outputs[o] == pair_count && plan->join != JOIN_MARK)) {
            return plan_error(plan);
        }
        if (plan->outputs[o] < pair_count) {
            is_needed[plan->outputs[o]] = true;
        }
    }
    uint32_t *payload = ARENA_ARRAY(arena, uint32_t, join->build_count);
    Type *payload_types = ARENA_ARRAY(arena, Type, join->build_count);
    uint32_t *payload_of = ARENA_ARRAY(arena, uint32_t, join->build_count);
    join->residual_payload = ARENA_ARRAY(arena, bool, join->build_count);
    uint32_t payload_count = 0;
    for (uint32_t c = 0; c < join->build_count; c++) {
        bool is_residual = residual.is_used[join->probe_count + c];
        if (is_needed[join->probe_count + c] || is_residual) {
            payload_of[c] = payload_count;
            payload[payload_count] = c;
            payload_types[payload_count] = plan->build->output_types[c];
            join->residual_payload[payload_count++] = is_residual;
        }
    }
    join->payload = payload;
    join->payload_types = payload_types;
    join->shape.payload_count = payload_count;
    join->residual_probe = residual.is_used;
    join->needed_probe = is_needed;
    join->outputs = ARENA_ARRAY(arena, JoinOutput, plan->node.output_count);
    for (uint32_t o = 0; o < plan->node.output_count; o++) {
        uint32_t column = plan->outputs[o];
        if (column < join->probe_count) {
            join->outputs[o] = (JoinOutput){.kind = JOIN_OUTPUT_PROBE, .index = column};
        } else if (column < pair_count) {
            join->outputs[o] = (JoinOutput){.kind = JOIN_OUTPUT_PAYLOAD,
                                            .index = payload_of[column - join->probe_count]};
        } else {
            join->outputs[o] = (JoinOutput){.kind = JOIN_OUTPUT_MARK};
        }
    }
    for (uint32_t c = 0; c < join->probe_count; c++) {
        is_needed[c] = is_needed[c] || residual.is_used[c];
    }
    return STATUS_OK;
}

// The shape of packed build rows.
static void plan_shape(HashJoin *join, Arena *arena)
{
    const PlanHashJoin *plan = join->plan;
    JoinShape *shape = &join->shape;
    JoinKind kind = plan->join;
    Type *types = ARENA_ARRAY(arena, Type, plan->key_count + shape->payload_count);
    bool *is_null_equal = ARENA_ARRAY(arena, bool, plan->key_count);
    shape->query = join->query;
    shape->key_count = plan->key_count;
    shape->has_integer_keys = true;
    for (uint32_t k = 0; k < plan->key_count; k++) {
        types[k] = plan->build_keys[k]->type;
        is_null_equal[k] = plan->is_null_equal != NULL && plan->is_null_equal[k];
        shape->has_integer_keys &= type_is_scaled_integer(types[k]) && !is_null_equal[k];
    }
    shape->key_types = types;
    shape->is_null_equal = is_null_equal;
    bool is_null_aware = kind == JOIN_ANTI_NULL || kind == JOIN_MARK;
    join->is_null_aware = is_null_aware;
    bool asks_existence = kind == JOIN_SEMI || kind == JOIN_ANTI || is_null_aware;
    shape->is_existence =
        asks_existence && plan->residual == NULL && (!is_null_aware || plan->key_count == 1);
    join->emits_build_rest = kind == JOIN_RIGHT || kind == JOIN_FULL || kind == JOIN_RIGHT_SEMI ||
                             kind == JOIN_RIGHT_ANTI;
    join->marks_build_rows = join->emits_build_rest;
    shape->keeps_null_keys = kind == JOIN_RIGHT || kind == JOIN_FULL || kind == JOIN_RIGHT_ANTI ||
                             (is_null_aware && !shape->is_existence);
    shape->may_be_columns = !join->marks_build_rows && !is_null_aware;
    shape->probe_rows = plan->probe->estimated_rows;
    shape->local_key = plan->local_key;
    shape->known_bits = join->query->known_key_bits;

    uint32_t header_words = shape->has_integer_keys ? plan->key_count : 1;
    uint32_t header_bytes = header_words * (uint32_t)sizeof(uint64_t);
    shape->link_offset = JOIN_NO_LINK;
    if (!shape->is_existence) {
        shape->link_offset = header_bytes;
        header_bytes += (uint32_t)sizeof(uint64_t);
    }
    shape->first_payload = shape->has_integer_keys ? 0 : plan->key_count;
    uint32_t field_count = shape->first_payload;
    Type *field_types = ARENA_ARRAY(arena, Type, plan->key_count + shape->payload_count);
    for (uint32_t f = 0; f < field_count; f++) {
        field_types[f] = types[f];
    }
    for (uint32_t c = 0; c < shape->payload_count; c++) {
        field_types[field_count++] = join->payload_types[c];
    }
    row_layout_init(&shape->layout, arena, field_types, field_count, header_bytes);
}

enum { INDEX_BYTES = 16 }; /* of a build row, about */

static Status compile_residual(HashJoin *join, Arena *arena)
{
    const PlanHashJoin *plan = join->plan;
    if (plan->residual == NULL) {
        return STATUS_OK;
    }
    uint32_t pair_count = join->probe_count + join->build_count;
    Type *types = ARENA_ARRAY(arena, Type, pair_count);
    for (uint32_t c = 0; c < pair_count; c++) {
        types[c] = c < join->probe_count ? plan->probe->output_types[c]
                                         : plan->build->output_types[c - join->probe_count];
    }
    Expr **conjuncts = ARENA_NEW(arena, Expr *);
    *conjuncts = plan->residual;
    // Conjuncts may go one by one, but unknown is a property of the whole.
    bool is_and = plan->residual->kind == EXPR_AND && !join->is_null_aware;
    return expr_compile(arena, is_and ? plan->residual->args : conjuncts,
                        is_and ? plan->residual->arg_count : 1, types, pair_count, &join->residual);
}

Status hash_join_create(QueryContext *query, const PlanHashJoin *plan, HashJoinParts *out)
{
    Arena *arena = query->arena;
    if (plan->key_count == 0 || plan->key_count > JOIN_KEYS_MAX) {
        return plan_error(plan);
    }
    HashJoin *join = ARENA_NEW(arena, HashJoin);
    join->query = query;
    join->plan = plan;
    join->kind = plan->join;
    join->probe_count = plan->probe->output_count;
    join->build_count = plan->build->output_count;
    sink_init(&join->build, &hash_join_build_ops, &plan->node);
    sink_init(&join->inserted, &hash_join_inserted_ops, &plan->node);
    sink_init(&join->reinserted, &hash_join_reinserted_ops, &plan->node);
    source_init(&join->insert, &hash_join_insert_ops, &plan->node);
    source_init(&join->reinsert, &hash_join_reinsert_ops, &plan->node);
    join->insert.output_count = join->reinsert.output_count = 0;
    transform_init(&join->probe, &hash_join_probe_ops, &plan->node);
    source_init(&join->rest, &hash_join_rest_ops, &plan->node);
    mutex_init(&join->mutex, MUTEX_RANK_OPERATOR);
    TRY(plan_columns(join, arena));
    plan_shape(join, arena);
    TRY(expr_columns_init(&join->probe_keys, arena, plan->probe_keys, plan->key_count,
                          plan->probe->output_types, join->probe_count));
    TRY(expr_columns_init(&join->build_keys, arena, plan->build_keys, plan->key_count,
                          plan->build->output_types, join->build_count));
    join->shape.budget = query->tables;
    join->part_shape = join->shape;
    join->part_shape.budget = query->budget;
    join->share = memory_share_create(query, plan->build->estimated_rows *
                                                 (join->shape.layout.row_bytes + INDEX_BYTES));
    join_spill_plan(join, arena);
    TRY(compile_residual(join, arena));
    join_table_init(&join->table, &join->shape, arena);
    *out = (HashJoinParts){.build = &join->build,
                           .insert = &join->insert,
                           .inserted = &join->inserted,
                           .reinsert = &join->reinsert,
                           .reinserted = &join->reinserted,
                           .probe = &join->probe,
                           .rest = &join->rest};
    return STATUS_OK;
}
