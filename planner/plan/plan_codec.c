/*
 * plan_codec.c — plans as bytes: the encoding half; plan_decode.c reads the same order.
 *
 *   plan      version u8, results, exchanges, fragments, node_count, runtime filters' exchanges
 *   fragment  id, site, root node
 *   node      kind u8, id, output types, estimates, label, detail, then by kind; children last
 * Counts and ids are varints, doubles their 8 bytes.
 */
#include "planner/plan/plan_codec.h"

#include <string.h>

static void encode_node(const PlanNode *node, ByteBuffer *target);

static void encode_double(double value, ByteBuffer *target)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    byte_buffer_add_u64(target, bits);
}

static void encode_numbers(const uint32_t *numbers, uint32_t count, ByteBuffer *target)
{
    byte_buffer_add_varint(target, count);
    for (uint32_t i = 0; i < count; i++) {
        byte_buffer_add_varint(target, numbers[i]);
    }
}

static void encode_exprs(Expr *const *exprs, uint32_t count, ByteBuffer *target)
{
    byte_buffer_add_varint(target, count);
    for (uint32_t i = 0; i < count; i++) {
        expr_encode(exprs[i], target);
    }
}

static void encode_optional_expr(const Expr *expr, ByteBuffer *target)
{
    byte_buffer_add_u8(target, expr == NULL ? 0 : 1);
    if (expr != NULL) {
        expr_encode(expr, target);
    }
}

static void encode_types(const Type *types, uint32_t count, ByteBuffer *target)
{
    byte_buffer_add_varint(target, count);
    for (uint32_t i = 0; i < count; i++) {
        type_encode(types[i], target);
    }
}

static void encode_sort_keys(const PlanSortKey *keys, uint32_t count, ByteBuffer *target)
{
    byte_buffer_add_varint(target, count);
    for (uint32_t i = 0; i < count; i++) {
        byte_buffer_add_varint(target, keys[i].column);
        byte_buffer_add_u8(
            target, (uint8_t)((keys[i].is_descending ? 1 : 0) | (keys[i].is_nulls_first ? 2 : 0)));
    }
}

static void encode_table(const PlanTable *table, ByteBuffer *target)
{
    byte_buffer_add_u64(target, table->table_id);
    byte_buffer_add_string(target, table->name);
    byte_buffer_add_u8(target, (uint8_t)table->style);
    byte_buffer_add_varint(target, table->column_count);
    for (uint32_t i = 0; i < table->column_count; i++) {
        byte_buffer_add_varint(target, table->columns[i].column_id);
        byte_buffer_add_string(target, table->columns[i].name);
        type_encode(table->columns[i].type, target);
        byte_buffer_add_u8(target, table->columns[i].is_not_null ? 1 : 0);
        byte_buffer_add_u16(target, table->columns[i].encode_word);
        value_encode(&table->columns[i].default_value, target);
    }
    byte_buffer_add_u32(target, (uint32_t)table->distribution_column);
    encode_numbers(table->sort_keys, table->sort_key_count, target);
    byte_buffer_add_u8(target, table->is_interleaved ? 1 : 0);
}

static void encode_scan(const PlanScan *scan, ByteBuffer *target)
{
    encode_table(scan->table, target);
    encode_numbers(scan->columns, scan->column_count, target);
    encode_exprs(scan->filters, scan->filter_count, target);
    encode_numbers(scan->outputs, scan->node.output_count, target);
    byte_buffer_add_u8(target, scan->has_row_ids ? 1 : 0);
    byte_buffer_add_varint(target, scan->runtime_filter_count);
    for (uint32_t i = 0; i < scan->runtime_filter_count; i++) {
        byte_buffer_add_varint(target, scan->runtime_filters[i].filter_id);
        byte_buffer_add_varint(target, scan->runtime_filters[i].column);
    }
}

static void encode_hash_join(const PlanHashJoin *join, ByteBuffer *target)
{
    byte_buffer_add_u8(target, (uint8_t)join->join);
    byte_buffer_add_u8(target, join->is_build_unique ? 1 : 0);
    byte_buffer_add_varint(target, join->local_key);
    byte_buffer_add_varint(target, join->key_count);
    for (uint32_t i = 0; i < join->key_count; i++) {
        expr_encode(join->probe_keys[i], target);
        expr_encode(join->build_keys[i], target);
        byte_buffer_add_u8(target, join->is_null_equal[i] ? 1 : 0);
        byte_buffer_add_varint(target, join->runtime_filter_ids[i]);
    }
    encode_optional_expr(join->residual, target);
    encode_numbers(join->outputs, join->node.output_count, target);
}

static void encode_aggregate(const PlanAggregate *aggregate, ByteBuffer *target)
{
    encode_exprs(aggregate->keys, aggregate->key_count, target);
    byte_buffer_add_varint(target, aggregate->aggregate_count);
    for (uint32_t i = 0; i < aggregate->aggregate_count; i++) {
        const AggregateCall *call = &aggregate->aggregates[i];
        byte_buffer_add_u8(target, (uint8_t)call->id);
        byte_buffer_add_u8(target, call->is_distinct ? 1 : 0);
        type_encode(call->type, target);
        encode_optional_expr(call->argument, target);
        encode_optional_expr(call->filter, target);
    }
    byte_buffer_add_u8(target, aggregate->is_partial ? 1 : 0);
    encode_double(aggregate->estimated_groups, target);
    byte_buffer_add_u8(target, aggregate->has_key_bounds ? 1 : 0);
    if (aggregate->has_key_bounds) {
        byte_buffer_add_u64(target, (uint64_t)aggregate->key_min);
        byte_buffer_add_u64(target, (uint64_t)aggregate->key_max);
    }
    byte_buffer_add_u8(target, aggregate->is_key_local ? 1 : 0);
}

static void encode_window(const PlanWindow *window, ByteBuffer *target)
{
    encode_numbers(window->partition, window->partition_count, target);
    encode_sort_keys(window->order, window->order_count, target);
    byte_buffer_add_varint(target, window->call_count);
    for (uint32_t i = 0; i < window->call_count; i++) {
        const WindowCall *call = &window->calls[i];
        byte_buffer_add_u8(target, (uint8_t)call->id);
        byte_buffer_add_u8(target, (uint8_t)call->aggregate);
        encode_exprs(call->args, call->arg_count, target);
        byte_buffer_add_u8(target,
                           (uint8_t)((call->is_rows ? 1 : 0) | (call->is_ignore_nulls ? 2 : 0)));
        byte_buffer_add_u8(target, (uint8_t)call->start);
        byte_buffer_add_u8(target, (uint8_t)call->end);
        byte_buffer_add_u64(target, (uint64_t)call->start_rows);
        byte_buffer_add_u64(target, (uint64_t)call->end_rows);
        type_encode(call->type, target);
    }
}

static void encode_copy_read(const PlanCopyRead *copy, ByteBuffer *target)
{
    encode_table(copy->table, target);
    byte_buffer_add_varint(target, copy->exchange_id);
    byte_buffer_add_varint(target, copy->path_count);
    for (uint32_t i = 0; i < copy->path_count; i++) {
        byte_buffer_add_string(target, copy->paths[i]);
    }
    encode_numbers(copy->columns, copy->column_count, target);
    byte_buffer_add_blob(target, copy->format, copy->format_bytes);
}

/* What only this kind of node has; children follow it. */
static void encode_payload(const PlanNode *node, ByteBuffer *target)
{
    switch (node->kind) {
    case PLAN_SCAN:
        encode_scan((const PlanScan *)node, target);
        break;
    case PLAN_VIRTUAL_SCAN:
        byte_buffer_add_string(target, ((const PlanVirtualScan *)node)->table_name);
        encode_numbers(((const PlanVirtualScan *)node)->columns, node->output_count, target);
        break;
    case PLAN_VALUES: {
        const PlanValues *values = (const PlanValues *)node;
        byte_buffer_add_varint(target, values->row_count);
        encode_exprs(values->cells, values->row_count * node->output_count, target);
        break;
    }
    case PLAN_FILTER:
        encode_exprs(((const PlanFilter *)node)->filters, ((const PlanFilter *)node)->filter_count,
                     target);
        break;
    case PLAN_PROJECT:
        encode_exprs(((const PlanProject *)node)->exprs, node->output_count, target);
        break;
    case PLAN_HASH_JOIN:
        encode_hash_join((const PlanHashJoin *)node, target);
        break;
    case PLAN_NESTED_LOOP_JOIN: {
        const PlanNestedLoopJoin *join = (const PlanNestedLoopJoin *)node;
        byte_buffer_add_u8(target, (uint8_t)join->join);
        encode_optional_expr(join->condition, target);
        encode_numbers(join->outputs, node->output_count, target);
        break;
    }
    case PLAN_AGGREGATE:
        encode_aggregate((const PlanAggregate *)node, target);
        break;
    case PLAN_SORT: {
        const PlanSort *sort = (const PlanSort *)node;
        encode_sort_keys(sort->keys, sort->key_count, target);
        byte_buffer_add_u64(target, sort->limit);
        byte_buffer_add_u64(target, sort->offset);
        break;
    }
    case PLAN_LIMIT:
        byte_buffer_add_u64(target, ((const PlanLimit *)node)->limit);
        byte_buffer_add_u64(target, ((const PlanLimit *)node)->offset);
        break;
    case PLAN_UNION_ALL:
        byte_buffer_add_varint(target, ((const PlanUnionAll *)node)->child_count);
        break;
    case PLAN_WINDOW:
        encode_window((const PlanWindow *)node, target);
        break;
    case PLAN_RECEIVE: {
        const PlanReceive *receive = (const PlanReceive *)node;
        byte_buffer_add_varint(target, receive->exchange_id);
        encode_sort_keys(receive->merge_keys, receive->merge_key_count, target);
        break;
    }
    case PLAN_SEND: {
        const PlanSend *send = (const PlanSend *)node;
        byte_buffer_add_varint(target, send->exchange_id);
        byte_buffer_add_u8(target, (uint8_t)send->exchange);
        encode_numbers(send->keys, send->key_count, target);
        break;
    }
    case PLAN_STORE:
        byte_buffer_add_varint(target, ((const PlanStore *)node)->store_id);
        break;
    case PLAN_STORED:
        byte_buffer_add_varint(target, ((const PlanStored *)node)->store_id);
        break;
    case PLAN_TABLE_WRITE:
        encode_table(((const PlanTableWrite *)node)->table, target);
        byte_buffer_add_u8(target, ((const PlanTableWrite *)node)->is_analysis);
        byte_buffer_add_u64(target, ((const PlanTableWrite *)node)->compression_rows);
        break;
    case PLAN_TABLE_DELETE:
        encode_table(((const PlanTableDelete *)node)->table, target);
        break;
    case PLAN_TABLE_VACUUM:
        encode_table(((const PlanTableVacuum *)node)->table, target);
        byte_buffer_add_u8(target, (uint8_t)((const PlanTableVacuum *)node)->mode);
        byte_buffer_add_varint(target, ((const PlanTableVacuum *)node)->percent);
        break;
    case PLAN_COPY_READ:
        encode_copy_read((const PlanCopyRead *)node, target);
        break;
    case PLAN_RESULT:
    case PLAN_NODE_KIND_COUNT:
        break;
    }
}

static void encode_node(const PlanNode *node, ByteBuffer *target)
{
    byte_buffer_add_u8(target, (uint8_t)node->kind);
    byte_buffer_add_varint(target, node->id);
    encode_types(node->output_types, node->output_count, target);
    encode_double(node->estimated_rows, target);
    encode_double(node->estimated_cost, target);
    byte_buffer_add_varint(target, node->estimated_width);
    byte_buffer_add_string(target, node->label == NULL ? "" : node->label);
    byte_buffer_add_string(target, node->detail == NULL ? "" : node->detail);
    encode_payload(node, target);
    uint32_t count = plan_node_child_count(node);
    for (uint32_t i = 0; i < count; i++) {
        encode_node(plan_node_child(node, i), target);
    }
}

void plan_encode(const Plan *plan, ByteBuffer *target)
{
    byte_buffer_add_u8(target, PLAN_CODEC_VERSION);
    byte_buffer_add_varint(target, plan->result_count);
    for (uint32_t i = 0; i < plan->result_count; i++) {
        byte_buffer_add_string(target, plan->results[i].name);
        type_encode(plan->results[i].type, target);
        byte_buffer_add_u64(target, plan->results[i].table_id);
        byte_buffer_add_u32(target, plan->results[i].column_id);
    }
    byte_buffer_add_varint(target, plan->exchange_count);
    for (uint32_t i = 0; i < plan->exchange_count; i++) {
        const PlanExchange *exchange = &plan->exchanges[i];
        byte_buffer_add_varint(target, exchange->id);
        byte_buffer_add_u8(target, (uint8_t)exchange->kind);
        byte_buffer_add_u8(target, (uint8_t)exchange->source_site);
        byte_buffer_add_u8(target, (uint8_t)exchange->target_site);
        encode_types(exchange->types, exchange->column_count, target);
    }
    byte_buffer_add_varint(target, plan->fragment_count);
    for (uint32_t i = 0; i < plan->fragment_count; i++) {
        byte_buffer_add_varint(target, plan->fragments[i].id);
        byte_buffer_add_u8(target, (uint8_t)plan->fragments[i].site);
        encode_node(plan->fragments[i].root, target);
    }
    byte_buffer_add_varint(target, plan->node_count);
    byte_buffer_add_varint(target, plan->runtime_filter_count);
    for (uint32_t i = 0; i < plan->runtime_filter_count; i++) {
        byte_buffer_add_varint(target, plan_runtime_filter_exchange(plan, i + 1));
    }
}
