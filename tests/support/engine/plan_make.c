/* plan_make.c — see plan_make.h. */
#include "tests/support/engine/plan_make.h"

#include <string.h>

static const Rows *find_rows(void *self, uint64_t table_id)
{
    return ((MadeTables *)self)->tables[table_id - 1].rows;
}

MadeTable *made_table_add(MadeTables *tables, Arena *arena, const Type *types,
                          uint32_t column_count)
{
    tables->rows = (TableRows){.self = tables, .find = find_rows};
    MadeTable *table = &tables->tables[tables->count++];
    table->plan = (PlanTable){.table_id = tables->count,
                              .name = arena_printf(arena, "public.t%u", tables->count),
                              .style = DISTRIBUTION_STYLE_EVEN,
                              .column_count = column_count,
                              .distribution_column = -1};
    table->plan.columns = arena_array(arena, column_count, sizeof *table->plan.columns);
    for (uint32_t c = 0; c < column_count; c++) {
        table->plan.columns[c].column_id = c + 1;
        table->plan.columns[c].name = arena_printf(arena, "c%u", c);
        table->plan.columns[c].type = types[c];
        table->plan.columns[c].default_value = value_null(types[c]);
    }
    table->rows = rows_create(arena, column_count);
    return table;
}

static void *new_node(PlanMake *make, size_t bytes, PlanNodeKind kind, uint32_t output_count)
{
    PlanNode *node = arena_alloc(make->arena, bytes);
    node->kind = kind;
    node->id = ++make->node_count;
    node->output_count = output_count;
    node->output_types = ARENA_ARRAY(make->arena, Type, output_count + 1);
    node->label = node->detail = "";
    node->estimated_rows = 1000;
    return node;
}

static void copy_types(PlanNode *node, const PlanNode *child)
{
    memcpy(node->output_types, child->output_types, child->output_count * sizeof(Type));
}

PlanNode *make_scan(PlanMake *make, MadeTable *table)
{
    uint32_t count = table->plan.column_count;
    PlanScan *scan = new_node(make, sizeof *scan, PLAN_SCAN, count);
    scan->table = &table->plan;
    scan->column_count = count;
    scan->columns = ARENA_ARRAY(make->arena, uint32_t, count);
    scan->outputs = ARENA_ARRAY(make->arena, uint32_t, count);
    for (uint32_t c = 0; c < count; c++) {
        scan->columns[c] = scan->outputs[c] = c;
        scan->node.output_types[c] = table->plan.columns[c].type;
    }
    return &scan->node;
}

PlanNode *make_values(PlanMake *make, MadeTable *table)
{
    uint32_t count = table->plan.column_count;
    PlanValues *values = new_node(make, sizeof *values, PLAN_VALUES, count);
    values->row_count = table->rows->count;
    values->cells = ARENA_ARRAY(make->arena, Expr *, (size_t)values->row_count * count + 1);
    for (uint32_t i = 0; i < values->row_count; i++) {
        for (uint32_t c = 0; c < count; c++) {
            values->cells[i * count + c] = expr_constant(make->arena, &table->rows->items[i][c]);
        }
    }
    for (uint32_t c = 0; c < count; c++) {
        values->node.output_types[c] = table->plan.columns[c].type;
    }
    return &values->node;
}

PlanNode *make_filter(PlanMake *make, PlanNode *child, Expr *condition)
{
    PlanFilter *filter = new_node(make, sizeof *filter, PLAN_FILTER, child->output_count);
    copy_types(&filter->node, child);
    filter->child = child;
    filter->filter_count = 1;
    filter->filters = ARENA_NEW(make->arena, Expr *);
    filter->filters[0] = condition;
    return &filter->node;
}

PlanNode *make_project(PlanMake *make, PlanNode *child, Expr **exprs, uint32_t count)
{
    PlanProject *project = new_node(make, sizeof *project, PLAN_PROJECT, count);
    project->child = child;
    project->exprs = arena_memdup(make->arena, exprs, count * sizeof *exprs);
    for (uint32_t c = 0; c < count; c++) {
        project->node.output_types[c] = exprs[c]->type;
    }
    return &project->node;
}

// Which columns a join of this kind gives, as probe ++ build ++ mark.
static uint32_t *join_outputs(PlanMake *make, JoinKind kind, const PlanNode *probe,
                              const PlanNode *build, uint32_t *count)
{
    bool has_probe = kind != JOIN_RIGHT_SEMI && kind != JOIN_RIGHT_ANTI;
    bool has_build = kind != JOIN_SEMI && kind != JOIN_ANTI && kind != JOIN_ANTI_NULL &&
                     kind != JOIN_MARK;
    uint32_t total = probe->output_count + build->output_count;
    uint32_t *outputs = ARENA_ARRAY(make->arena, uint32_t, total + 1);
    *count = 0;
    for (uint32_t c = 0; c < total; c++) {
        if (c < probe->output_count ? has_probe : has_build) {
            outputs[(*count)++] = c;
        }
    }
    if (kind == JOIN_MARK) {
        outputs[(*count)++] = total;
    }
    return outputs;
}

static void set_join_types(PlanNode *node, const PlanNode *probe, const PlanNode *build,
                           const uint32_t *outputs)
{
    for (uint32_t o = 0; o < node->output_count; o++) {
        uint32_t column = outputs[o];
        node->output_types[o] =
            column < probe->output_count ? probe->output_types[column]
            : column < probe->output_count + build->output_count
                ? build->output_types[column - probe->output_count]
                : type_of(TYPE_BOOLEAN);
    }
}

PlanHashJoin *make_hash_join(PlanMake *make, JoinKind kind, PlanNode *probe, PlanNode *build,
                             const uint32_t *probe_keys, const uint32_t *build_keys,
                             uint32_t key_count)
{
    uint32_t count;
    uint32_t *outputs = join_outputs(make, kind, probe, build, &count);
    PlanHashJoin *join = new_node(make, sizeof *join, PLAN_HASH_JOIN, count);
    join->join = kind;
    join->probe = probe;
    join->build = build;
    join->outputs = outputs;
    set_join_types(&join->node, probe, build, outputs);
    join->key_count = key_count;
    join->probe_keys = ARENA_ARRAY(make->arena, Expr *, key_count);
    join->build_keys = ARENA_ARRAY(make->arena, Expr *, key_count);
    join->is_null_equal = ARENA_ARRAY(make->arena, bool, key_count);
    join->runtime_filter_ids = ARENA_ARRAY(make->arena, uint32_t, key_count);
    for (uint32_t k = 0; k < key_count; k++) {
        join->probe_keys[k] = make_column(make, probe, probe_keys[k]);
        join->build_keys[k] = make_column(make, build, build_keys[k]);
    }
    return join;
}

PlanNestedLoopJoin *make_nested_loop(PlanMake *make, JoinKind kind, PlanNode *probe,
                                     PlanNode *build, Expr *condition)
{
    uint32_t count;
    uint32_t *outputs = join_outputs(make, kind, probe, build, &count);
    PlanNestedLoopJoin *join = new_node(make, sizeof *join, PLAN_NESTED_LOOP_JOIN, count);
    join->join = kind;
    join->probe = probe;
    join->build = build;
    join->condition = condition;
    join->outputs = outputs;
    set_join_types(&join->node, probe, build, outputs);
    return join;
}

PlanAggregate *make_aggregate(PlanMake *make, PlanNode *child, const uint32_t *keys,
                              uint32_t key_count, const AggregateCall *calls, uint32_t call_count)
{
    PlanAggregate *aggregate =
        new_node(make, sizeof *aggregate, PLAN_AGGREGATE, key_count + call_count);
    aggregate->child = child;
    aggregate->key_count = key_count;
    aggregate->keys = ARENA_ARRAY(make->arena, Expr *, key_count);
    for (uint32_t k = 0; k < key_count; k++) {
        aggregate->keys[k] = make_column(make, child, keys[k]);
        aggregate->node.output_types[k] = aggregate->keys[k]->type;
    }
    aggregate->aggregate_count = call_count;
    aggregate->aggregates = ARENA_ARRAY(make->arena, AggregateCall, call_count);
    for (uint32_t a = 0; a < call_count; a++) {
        aggregate->aggregates[a] = calls[a];
        aggregate->node.output_types[key_count + a] = calls[a].type;
    }
    return aggregate;
}

PlanSort *make_sort(PlanMake *make, PlanNode *child, const PlanSortKey *keys, uint32_t key_count)
{
    PlanSort *sort = new_node(make, sizeof *sort, PLAN_SORT, child->output_count);
    copy_types(&sort->node, child);
    sort->child = child;
    sort->key_count = key_count;
    sort->keys = arena_memdup(make->arena, keys, key_count * sizeof *keys);
    sort->limit = PLAN_NO_LIMIT;
    return sort;
}

PlanNode *make_limit(PlanMake *make, PlanNode *child, uint64_t limit, uint64_t offset)
{
    PlanLimit *node = new_node(make, sizeof *node, PLAN_LIMIT, child->output_count);
    copy_types(&node->node, child);
    node->child = child;
    node->limit = limit;
    node->offset = offset;
    return &node->node;
}

PlanNode *make_union_all(PlanMake *make, PlanNode **children, uint32_t count)
{
    PlanUnionAll *append =
        new_node(make, sizeof *append, PLAN_UNION_ALL, children[0]->output_count);
    copy_types(&append->node, children[0]);
    append->child_count = count;
    append->children = arena_memdup(make->arena, children, count * sizeof *children);
    return &append->node;
}

Plan *make_plan(PlanMake *make, PlanNode *root, const PlanSortKey *merge_keys,
                uint32_t merge_key_count)
{
    PlanSend *send = new_node(make, sizeof *send, PLAN_SEND, root->output_count);
    copy_types(&send->node, root);
    send->child = root;
    send->exchange_id = 1;
    send->exchange = EXCHANGE_GATHER;
    PlanReceive *receive = new_node(make, sizeof *receive, PLAN_RECEIVE, root->output_count);
    copy_types(&receive->node, root);
    receive->exchange_id = 1;
    receive->merge_key_count = merge_key_count;
    if (merge_key_count > 0) {
        receive->merge_keys =
            arena_memdup(make->arena, merge_keys, merge_key_count * sizeof *merge_keys);
    }
    PlanResult *result = new_node(make, sizeof *result, PLAN_RESULT, root->output_count);
    copy_types(&result->node, root);
    result->child = &receive->node;
    Plan *plan = ARENA_NEW(make->arena, Plan);
    plan->fragment_count = 2;
    plan->fragments = ARENA_ARRAY(make->arena, PlanFragment, 2);
    plan->fragments[0] =
        (PlanFragment){.id = 1, .site = PLAN_SITE_NODES, .root = &send->node};
    plan->fragments[1] =
        (PlanFragment){.id = 2, .site = PLAN_SITE_LEADER, .root = &result->node};
    plan->exchange_count = 1;
    plan->exchanges = ARENA_NEW(make->arena, PlanExchange);
    plan->exchanges[0] = (PlanExchange){.id = 1, .kind = EXCHANGE_GATHER,
                                        .source_site = PLAN_SITE_NODES,
                                        .target_site = PLAN_SITE_LEADER,
                                        .column_count = root->output_count,
                                        .types = root->output_types};
    plan->result_count = root->output_count;
    plan->results = ARENA_ARRAY(make->arena, PlanResultColumn, root->output_count + 1);
    for (uint32_t c = 0; c < root->output_count; c++) {
        plan->results[c] = (PlanResultColumn){.name = "c", .type = root->output_types[c]};
    }
    plan->node_count = make->node_count;
    plan->runtime_filter_count = make->filter_count;
    return plan;
}

Expr *make_column(PlanMake *make, const PlanNode *node, uint32_t column)
{
    return expr_column(make->arena, column, node->output_types[column]);
}

Expr *make_pair_column(PlanMake *make, const PlanNode *probe, const PlanNode *build,
                       uint32_t column)
{
    Type type = column < probe->output_count ? probe->output_types[column]
                                             : build->output_types[column - probe->output_count];
    return expr_column(make->arena, column, type);
}

Expr *make_comparison(PlanMake *make, FunctionId function, Expr *left, Expr *right)
{
    return expr_call2(make->arena, function, type_of(TYPE_BOOLEAN), left, right);
}
