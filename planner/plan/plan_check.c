/* plan_check.c — walks a plan's fragments and compares what the parts say of each other. */
#include "planner/plan/plan_check.h"

#include "planner/plan/plan_codec.h"

#define CORRUPT(...) status_error(SQLSTATE_DATA_CORRUPTED, __VA_ARGS__)

typedef struct Checker {
    const Plan *plan;
    const PlanFragment *fragment;
    Arena *arena;
    uint64_t *seen_nodes;            /* bit per plan node id */
    uint32_t node_count;             /* seen so far */
    bool *has_sender, *has_receiver; /* per exchange */
    const PlanNode **stores;         /* per store id, what it keeps */
    uint32_t result_count;
} Checker;

static Status check_node(Checker *self, const PlanNode *node, bool is_root);

static Status check_same_types(const Type *left, uint32_t left_count, const Type *right,
                               uint32_t right_count, const PlanNode *node)
{
    if (left_count != right_count) {
        return CORRUPT("plan node %u gives %u columns for %u", node->id, left_count, right_count);
    }
    for (uint32_t i = 0; i < left_count; i++) {
        if (!type_equal(left[i], right[i])) {
            return CORRUPT("plan node %u gives another type in column %u", node->id, i);
        }
    }
    return STATUS_OK;
}

static Status check_passes_on(const PlanNode *node, const PlanNode *child)
{
    return check_same_types(node->output_types, node->output_count, child->output_types,
                            child->output_count, node);
}

/* Outputs picked by index from `columns`. */
static Status check_picks(const PlanNode *node, const uint32_t *picks, const Type *columns,
                          uint32_t column_count)
{
    for (uint32_t i = 0; i < node->output_count; i++) {
        if (picks[i] >= column_count || !type_equal(node->output_types[i], columns[picks[i]])) {
            return CORRUPT("plan node %u outputs column %u, which is not there", node->id,
                           picks[i]);
        }
    }
    return STATUS_OK;
}

static Status check_conditions(Expr *const *filters, uint32_t count, const Type *columns,
                               uint32_t column_count)
{
    for (uint32_t i = 0; i < count; i++) {
        TRY(expr_check(filters[i], columns, column_count));
        if (filters[i]->type.id != TYPE_BOOLEAN) {
            return CORRUPT("plan filters by a value of type %s", type_name(filters[i]->type));
        }
    }
    return STATUS_OK;
}

static Status check_exprs_give(const PlanNode *node, Expr *const *exprs, uint32_t first,
                               uint32_t count, const PlanNode *child)
{
    if (first + count > node->output_count) {
        return CORRUPT("plan node %u has too few outputs", node->id);
    }
    for (uint32_t i = 0; i < count; i++) {
        const Type *columns = child == NULL ? NULL : child->output_types;
        TRY(expr_check(exprs[i], columns, child == NULL ? 0 : child->output_count));
        if (!type_equal(exprs[i]->type, node->output_types[first + i])) {
            return CORRUPT("plan node %u gives another type in column %u", node->id, first + i);
        }
    }
    return STATUS_OK;
}

static Status check_sort_keys(const PlanSortKey *keys, uint32_t count, const PlanNode *child)
{
    for (uint32_t i = 0; i < count; i++) {
        if (keys[i].column >= child->output_count) {
            return CORRUPT("plan sorts by column %u of %u", keys[i].column, child->output_count);
        }
    }
    return STATUS_OK;
}

static Status check_column_numbers(const uint32_t *numbers, uint32_t count, uint32_t limit,
                                   const PlanNode *node)
{
    for (uint32_t i = 0; i < count; i++) {
        if (numbers[i] >= limit) {
            return CORRUPT("plan node %u uses column %u of %u", node->id, numbers[i], limit);
        }
    }
    return STATUS_OK;
}

static Status check_table(const PlanTable *table, const PlanNode *node)
{
    int64_t column_count = table->column_count;
    if (table->distribution_column < -1 || table->distribution_column >= column_count ||
        (table->style == DISTRIBUTION_STYLE_KEY && table->distribution_column < 0)) {
        return CORRUPT("plan node %u has a table with an invalid distribution", node->id);
    }
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (!type_equal(table->columns[i].type, table->columns[i].default_value.type)) {
            return CORRUPT("plan node %u has a table with an invalid default", node->id);
        }
    }
    if (table->is_interleaved &&
        (table->sort_key_count == 0 || table->sort_key_count > INTERLEAVED_KEYS_MAX)) {
        return CORRUPT("plan node %u has a table with an invalid sort key", node->id);
    }
    return check_column_numbers(table->sort_keys, table->sort_key_count, table->column_count, node);
}

static Status check_scan(Checker *self, const PlanScan *scan)
{
    TRY(check_table(scan->table, &scan->node));
    TRY(check_column_numbers(scan->columns, scan->column_count, scan->table->column_count,
                             &scan->node));
    Type *types = ARENA_ARRAY(self->arena, Type, scan->column_count + 2);
    for (uint32_t i = 0; i < scan->column_count; i++) {
        types[i] = scan->table->columns[scan->columns[i]].type;
    }
    types[scan->column_count] = type_of(TYPE_BIGINT); // with has_row_ids: row id and node
    types[scan->column_count + 1] = type_of(TYPE_INTEGER);
    TRY(check_conditions(scan->filters, scan->filter_count, types, scan->column_count));
    for (uint32_t i = 0; i < scan->runtime_filter_count; i++) {
        uint32_t filter_id = scan->runtime_filters[i].filter_id;
        if (scan->runtime_filters[i].column >= scan->column_count || filter_id == 0 ||
            filter_id > self->plan->runtime_filter_count ||
            (plan_runtime_filter_exchange(self->plan, filter_id) != 0 &&
             self->fragment->site != PLAN_SITE_NODES)) {
            return CORRUPT("plan node %u uses an invalid runtime filter", scan->node.id);
        }
    }
    return check_picks(&scan->node, scan->outputs, types,
                       scan->column_count + (scan->has_row_ids ? 2 : 0));
}

/* Probe ++ build (++ mark) columns of a join, in the checker's arena. */
static Type *join_types(Checker *self, JoinKind join, const PlanNode *probe, const PlanNode *build,
                        uint32_t *count)
{
    *count = probe->output_count + build->output_count;
    Type *types = ARENA_ARRAY(self->arena, Type, *count + 1);
    for (uint32_t i = 0; i < *count; i++) {
        types[i] = i < probe->output_count ? probe->output_types[i]
                                           : build->output_types[i - probe->output_count];
    }
    if (join == JOIN_MARK) {
        types[*count] = type_of(TYPE_BOOLEAN);
    }
    return types;
}

static Status check_join_outputs(const PlanNode *node, const uint32_t *outputs, JoinKind join,
                                 const Type *types, uint32_t probe_count, uint32_t count)
{
    bool is_probe_only =
        join == JOIN_SEMI || join == JOIN_ANTI || join == JOIN_ANTI_NULL || join == JOIN_MARK;
    bool is_build_only = join == JOIN_RIGHT_SEMI || join == JOIN_RIGHT_ANTI;
    for (uint32_t i = 0; i < node->output_count; i++) {
        bool is_mark = join == JOIN_MARK && outputs[i] == count;
        if (!is_mark && ((is_probe_only && outputs[i] >= probe_count) ||
                         (is_build_only && outputs[i] < probe_count))) {
            return CORRUPT("plan node %u outputs the wrong side of its join", node->id);
        }
    }
    return check_picks(node, outputs, types, count + (join == JOIN_MARK ? 1 : 0));
}

static Status find_exchange(const Checker *self, uint32_t exchange_id, const PlanExchange **out)
{
    if (exchange_id == 0 || exchange_id > self->plan->exchange_count) {
        return CORRUPT("plan uses unknown exchange %u", exchange_id);
    }
    *out = &self->plan->exchanges[exchange_id - 1];
    return STATUS_OK;
}

/* A filter that travels is told by all nodes to all nodes, by one join: scans wait for it. */
static Status check_filter_made(Checker *self, const PlanHashJoin *join, uint32_t filter_id)
{
    if (filter_id > self->plan->runtime_filter_count) {
        return CORRUPT("plan node %u makes an unknown runtime filter", join->node.id);
    }
    uint32_t exchange_id = plan_runtime_filter_exchange(self->plan, filter_id);
    if (exchange_id == 0) {
        return STATUS_OK;
    }
    const PlanExchange *exchange;
    TRY(find_exchange(self, exchange_id, &exchange));
    if (self->has_sender[exchange->id - 1] || self->has_receiver[exchange->id - 1] ||
        self->fragment->site != PLAN_SITE_NODES || exchange->kind != EXCHANGE_BROADCAST ||
        exchange->source_site != PLAN_SITE_NODES || exchange->target_site != PLAN_SITE_NODES ||
        exchange->column_count != 0) {
        return CORRUPT("plan sends a runtime filter over the wrong exchange %u", exchange->id);
    }
    self->has_sender[exchange->id - 1] = true;
    self->has_receiver[exchange->id - 1] = true;
    return STATUS_OK;
}

static Status check_hash_join(Checker *self, const PlanHashJoin *join)
{
    const PlanNode *probe = join->probe, *build = join->build;
    if (join->key_count == 0) {
        return CORRUPT("plan node %u joins by no key", join->node.id);
    }
    for (uint32_t i = 0; i < join->key_count; i++) {
        const Expr *probe_key = join->probe_keys[i], *build_key = join->build_keys[i];
        TRY(expr_check(probe_key, probe->output_types, probe->output_count));
        TRY(expr_check(build_key, build->output_types, build->output_count));
        bool is_text = type_is_text(probe_key->type) && type_is_text(build_key->type);
        if (!is_text && (probe_key->type.id != build_key->type.id ||
                         probe_key->type.scale != build_key->type.scale)) {
            return CORRUPT("plan node %u joins keys of different types", join->node.id);
        }
        TRY(check_filter_made(self, join, join->runtime_filter_ids[i]));
    }
    if (join->local_key > join->key_count ||
        (join->local_key > 0 &&
         (!plan_type_may_be_local_key(join->build_keys[join->local_key - 1]->type) ||
          join->is_null_equal[join->local_key - 1]))) {
        return CORRUPT("plan node %u has rows placed by no key", join->node.id);
    }
    uint32_t count;
    Type *types = join_types(self, join->join, probe, build, &count);
    if (join->residual != NULL) {
        TRY(check_conditions(&join->residual, 1, types, count));
    }
    return check_join_outputs(&join->node, join->outputs, join->join, types, probe->output_count,
                              count);
}

static Status check_nested_loop(Checker *self, const PlanNestedLoopJoin *join)
{
    if (join->join == JOIN_RIGHT_SEMI || join->join == JOIN_RIGHT_ANTI ||
        join->join == JOIN_ANTI_NULL) {
        return CORRUPT("plan node %u is a nested loop of an invalid kind", join->node.id);
    }
    uint32_t count;
    Type *types = join_types(self, join->join, join->probe, join->build, &count);
    if (join->condition != NULL) {
        TRY(check_conditions(&join->condition, 1, types, count));
    }
    return check_join_outputs(&join->node, join->outputs, join->join, types,
                              join->probe->output_count, count);
}

static Status check_aggregate(const PlanAggregate *aggregate)
{
    const PlanNode *node = &aggregate->node, *child = aggregate->child;
    if ((uint64_t)aggregate->key_count + aggregate->aggregate_count != node->output_count) {
        return CORRUPT("plan node %u has other outputs than keys and aggregates", node->id);
    }
    if (aggregate->has_key_bounds &&
        (aggregate->key_count != 1 || aggregate->key_min > aggregate->key_max)) {
        return CORRUPT("plan node %u has bounds of no key", node->id);
    }
    TRY(check_exprs_give(node, aggregate->keys, 0, aggregate->key_count, child));
    if (aggregate->is_key_local &&
        (aggregate->key_count != 1 || !plan_type_may_be_local_key(aggregate->keys[0]->type))) {
        return CORRUPT("plan node %u has rows placed by no key", node->id);
    }
    for (uint32_t i = 0; i < aggregate->aggregate_count; i++) {
        const AggregateCall *call = &aggregate->aggregates[i];
        if ((call->argument == NULL) != (call->id == AGGREGATE_COUNT_STAR)) {
            return CORRUPT("plan node %u has an aggregate without argument", node->id);
        }
        if (call->argument != NULL) {
            TRY(expr_check(call->argument, child->output_types, child->output_count));
        }
        if (call->filter != NULL) {
            TRY(check_conditions(&call->filter, 1, child->output_types, child->output_count));
        }
        if (!type_equal(call->type, node->output_types[aggregate->key_count + i])) {
            return CORRUPT("plan node %u gives another type for an aggregate", node->id);
        }
    }
    return STATUS_OK;
}

static Status check_window(const PlanWindow *window)
{
    const PlanNode *node = &window->node, *child = window->child;
    if ((uint64_t)child->output_count + window->call_count != node->output_count) {
        return CORRUPT("plan node %u has other outputs than window functions", node->id);
    }
    TRY(check_same_types(node->output_types, child->output_count, child->output_types,
                         child->output_count, node));
    TRY(check_column_numbers(window->partition, window->partition_count, child->output_count,
                             node));
    TRY(check_sort_keys(window->order, window->order_count, child));
    for (uint32_t i = 0; i < window->call_count; i++) {
        const WindowCall *call = &window->calls[i];
        if (call->id < WINDOW_ROW_NUMBER ||
            (call->id == WINDOW_AGGREGATE && !aggregate_is_known(call->aggregate)) ||
            call->start_rows < 0 || call->end_rows < 0) {
            return CORRUPT("plan node %u has an invalid window function", node->id);
        }
        for (uint32_t k = 0; k < call->arg_count; k++) {
            TRY(expr_check(call->args[k], child->output_types, child->output_count));
        }
        if (!type_equal(call->type, node->output_types[child->output_count + i])) {
            return CORRUPT("plan node %u gives another type for a window function", node->id);
        }
    }
    return STATUS_OK;
}

static Status check_receive(Checker *self, const PlanReceive *receive)
{
    const PlanExchange *exchange;
    TRY(find_exchange(self, receive->exchange_id, &exchange));
    if (self->has_receiver[exchange->id - 1] || exchange->target_site != self->fragment->site) {
        return CORRUPT("plan receives exchange %u in the wrong place", exchange->id);
    }
    self->has_receiver[exchange->id - 1] = true;
    TRY(check_sort_keys(receive->merge_keys, receive->merge_key_count, &receive->node));
    return check_same_types(receive->node.output_types, receive->node.output_count, exchange->types,
                            exchange->column_count, &receive->node);
}

static Status check_send(Checker *self, const PlanSend *send)
{
    const PlanExchange *exchange;
    TRY(find_exchange(self, send->exchange_id, &exchange));
    if (self->has_sender[exchange->id - 1] || exchange->source_site != self->fragment->site ||
        exchange->kind != send->exchange ||
        (send->exchange == EXCHANGE_HASH || send->exchange == EXCHANGE_NODE) !=
            (send->key_count > 0)) {
        return CORRUPT("plan sends exchange %u in the wrong place", exchange->id);
    }
    self->has_sender[exchange->id - 1] = true;
    TRY(check_passes_on(&send->node, send->child));
    TRY(check_column_numbers(send->keys, send->key_count, send->child->output_count, &send->node));
    if (send->exchange == EXCHANGE_NODE &&
        (send->key_count != 1 || send->child->output_types[send->keys[0]].id != TYPE_INTEGER)) {
        return CORRUPT("plan sends exchange %u by something else than nodes", exchange->id);
    }
    return check_same_types(send->node.output_types, send->node.output_count, exchange->types,
                            exchange->column_count, &send->node);
}

static Status check_store(Checker *self, const PlanStore *store)
{
    if (store->store_id == 0 || store->store_id > self->plan->fragment_count ||
        self->stores[store->store_id - 1] != NULL) {
        return CORRUPT("plan keeps rows under invalid store %u", store->store_id);
    }
    self->stores[store->store_id - 1] = &store->node;
    return check_passes_on(&store->node, store->child);
}

static Status check_stored(Checker *self, const PlanStored *stored)
{
    if (stored->store_id == 0 || stored->store_id > self->plan->fragment_count ||
        self->stores[stored->store_id - 1] == NULL) {
        return CORRUPT("plan reads unknown store %u", stored->store_id);
    }
    return check_passes_on(&stored->node, self->stores[stored->store_id - 1]);
}

static Status check_gives_table(const PlanNode *node, const Type *types, uint32_t count,
                                const PlanTable *table)
{
    TRY(check_table(table, node));
    if (count != table->column_count) {
        return CORRUPT("plan node %u has %u columns for table %s", node->id, count, table->name);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!type_equal(types[i], table->columns[i].type)) {
            return CORRUPT("plan node %u has another type for column %s", node->id,
                           table->columns[i].name);
        }
    }
    return STATUS_OK;
}

static Status check_copy_read(Checker *self, const PlanCopyRead *copy)
{
    TRY(check_gives_table(&copy->node, copy->node.output_types, copy->node.output_count,
                          copy->table));
    if (copy->exchange_id != 0) {
        const PlanExchange *exchange;
        TRY(find_exchange(self, copy->exchange_id, &exchange));
        self->has_sender[exchange->id - 1] = true; // the leader's COPY itself, outside the plan
        self->has_receiver[exchange->id - 1] = true;
    }
    return check_column_numbers(copy->columns, copy->column_count, copy->table->column_count,
                                &copy->node);
}

static Status check_table_write(const PlanTableWrite *write)
{
    if (write->node.output_count != 1 || write->node.output_types[0].id != TYPE_BIGINT) {
        return CORRUPT("plan node %u does not give its count of rows", write->node.id);
    }
    return check_gives_table(&write->node, write->child->output_types, write->child->output_count,
                             write->table);
}

static Status check_table_delete(const PlanTableDelete *delete_node)
{
    const PlanNode *child = delete_node->child;
    if (delete_node->node.output_count != 1 ||
        delete_node->node.output_types[0].id != TYPE_BIGINT) {
        return CORRUPT("plan node %u does not give its count of rows", delete_node->node.id);
    }
    if (child->output_count != 1 || child->output_types[0].id != TYPE_BIGINT) {
        return CORRUPT("plan node %u deletes by something else than row ids", delete_node->node.id);
    }
    return check_table(delete_node->table, &delete_node->node);
}

static Status check_table_vacuum(const PlanTableVacuum *vacuum)
{
    if (vacuum->node.output_count != 1 || vacuum->node.output_types[0].id != TYPE_BIGINT) {
        return CORRUPT("plan node %u does not give its count of rows", vacuum->node.id);
    }
    if (vacuum->percent > 100) {
        return CORRUPT("plan node %u has a threshold of %u percent", vacuum->node.id,
                       vacuum->percent);
    }
    return check_table(vacuum->table, &vacuum->node);
}

static Status check_union(const PlanUnionAll *append)
{
    for (uint32_t i = 0; i < append->child_count; i++) {
        TRY(check_passes_on(&append->node, append->children[i]));
    }
    return append->child_count > 0 ? STATUS_OK
                                   : CORRUPT("plan node %u has no input", append->node.id);
}

static Status check_own(Checker *self, const PlanNode *node)
{
    const PlanNode *child = plan_node_child_count(node) == 1 ? plan_node_child(node, 0) : NULL;
    switch (node->kind) {
    case PLAN_SCAN:
        return check_scan(self, (const PlanScan *)node);
    case PLAN_VALUES:
        for (uint32_t row = 0;
             row < ((const PlanValues *)node)->row_count && node->output_count > 0; row++) {
            TRY(check_exprs_give(
                node, ((const PlanValues *)node)->cells + (size_t)row * node->output_count, 0,
                node->output_count, NULL));
        }
        return STATUS_OK;
    case PLAN_FILTER:
        TRY(check_conditions(((const PlanFilter *)node)->filters,
                             ((const PlanFilter *)node)->filter_count, child->output_types,
                             child->output_count));
        return check_passes_on(node, child);
    case PLAN_PROJECT:
        return check_exprs_give(node, ((const PlanProject *)node)->exprs, 0, node->output_count,
                                child);
    case PLAN_HASH_JOIN:
        return check_hash_join(self, (const PlanHashJoin *)node);
    case PLAN_NESTED_LOOP_JOIN:
        return check_nested_loop(self, (const PlanNestedLoopJoin *)node);
    case PLAN_AGGREGATE:
        return check_aggregate((const PlanAggregate *)node);
    case PLAN_SORT:
        TRY(check_sort_keys(((const PlanSort *)node)->keys, ((const PlanSort *)node)->key_count,
                            child));
        return check_passes_on(node, child);
    case PLAN_LIMIT:
        return check_passes_on(node, child);
    case PLAN_UNION_ALL:
        return check_union((const PlanUnionAll *)node);
    case PLAN_WINDOW:
        return check_window((const PlanWindow *)node);
    case PLAN_RECEIVE:
        return check_receive(self, (const PlanReceive *)node);
    case PLAN_SEND:
        return check_send(self, (const PlanSend *)node);
    case PLAN_STORE:
        return check_store(self, (const PlanStore *)node);
    case PLAN_STORED:
        return check_stored(self, (const PlanStored *)node);
    case PLAN_TABLE_WRITE:
        return check_table_write((const PlanTableWrite *)node);
    case PLAN_TABLE_DELETE:
        return check_table_delete((const PlanTableDelete *)node);
    case PLAN_TABLE_VACUUM:
        return check_table_vacuum((const PlanTableVacuum *)node);
    case PLAN_COPY_READ:
        return check_copy_read(self, (const PlanCopyRead *)node);
    case PLAN_RESULT:
        self->result_count++;
        return check_passes_on(node, child);
    case PLAN_VIRTUAL_SCAN:
    case PLAN_NODE_KIND_COUNT:
        break;
    }
    return STATUS_OK;
}

static Status check_node(Checker *self, const PlanNode *node, bool is_root)
{
    bool is_sink = node->kind == PLAN_SEND || node->kind == PLAN_STORE || node->kind == PLAN_RESULT;
    if (is_sink != is_root) {
        return CORRUPT("plan node %u is not where it belongs", node->id);
    }
    uint32_t index = node->id - 1;
    if (node->id == 0 || node->id > self->plan->node_count ||
        ((self->seen_nodes[index / 64] >> (index % 64)) & 1) != 0) {
        return CORRUPT("plan node %u has an invalid id", node->id);
    }
    self->seen_nodes[index / 64] |= UINT64_C(1) << (index % 64);
    uint32_t child_count = plan_node_child_count(node);
    for (uint32_t i = 0; i < child_count; i++) {
        TRY(check_node(self, plan_node_child(node, i), false));
    }
    return check_own(self, node);
}

static uint64_t count_nodes(const PlanNode *node)
{
    uint64_t count = 1;
    uint32_t child_count = plan_node_child_count(node);
    for (uint32_t i = 0; i < child_count; i++) {
        count += count_nodes(plan_node_child(node, i));
    }
    return count;
}

static Status check_fragments(Checker *self)
{
    const Plan *plan = self->plan;
    for (uint32_t i = 0; i < plan->exchange_count; i++) {
        if (plan->exchanges[i].id != i + 1) {
            return CORRUPT("plan exchange %u has id %u", i + 1, plan->exchanges[i].id);
        }
    }
    for (uint32_t i = 0; i < plan->fragment_count; i++) {
        self->fragment = &plan->fragments[i];
        if (self->fragment->id != i + 1) {
            return CORRUPT("plan fragment %u has id %u", i + 1, self->fragment->id);
        }
        TRY(check_node(self, self->fragment->root, true));
    }
    for (uint32_t i = 0; i < plan->exchange_count; i++) {
        if (!self->has_sender[i] || !self->has_receiver[i]) {
            return CORRUPT("plan exchange %u has no sender or no receiver", i + 1);
        }
    }
    return STATUS_OK;
}

static Status check_result(Checker *self)
{
    const Plan *plan = self->plan;
    const PlanFragment *last = &plan->fragments[plan->fragment_count - 1];
    if (self->result_count != 1 || last->root->kind != PLAN_RESULT ||
        last->site != PLAN_SITE_LEADER) {
        return CORRUPT("plan does not end in one result at the leader");
    }
    if (last->root->output_count != plan->result_count) {
        return CORRUPT("plan gives %u of %u result columns", last->root->output_count,
                       plan->result_count);
    }
    for (uint32_t i = 0; i < plan->result_count; i++) {
        if (!type_equal(plan->results[i].type, last->root->output_types[i])) {
            return CORRUPT("plan gives another type for result column %u", i + 1);
        }
    }
    return STATUS_OK;
}

Status plan_check(const Plan *plan)
{
    uint64_t node_count = 0;
    for (uint32_t i = 0; i < plan->fragment_count; i++) {
        node_count += count_nodes(plan->fragments[i].root);
    }
    if (plan->fragment_count == 0 || node_count != plan->node_count) {
        return CORRUPT("plan says it has %u nodes", plan->node_count);
    }
    Arena *arena = arena_create(NULL, "plan_check");
    Checker self = {.plan = plan, .arena = arena};
    self.seen_nodes = ARENA_ARRAY(arena, uint64_t, node_count / 64 + 1);
    self.has_sender = ARENA_ARRAY(arena, bool, plan->exchange_count);
    self.has_receiver = ARENA_ARRAY(arena, bool, plan->exchange_count);
    self.stores = ARENA_ARRAY(arena, const PlanNode *, plan->fragment_count);
    Status status;
    TRY_OR(cleanup, check_fragments(&self));
    TRY_OR(cleanup, check_result(&self));
cleanup:
    arena_destroy(arena);
    return status;
}
