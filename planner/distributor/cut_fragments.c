/*
 * cut_fragments.c — cuts a tree of steps at its exchanges.
 *
 * A fragment's site follows from where the rows are that it sends: spread rows come from all
 * nodes, replicated ones from any single node (else they would arrive several times), so that
 * fragment, with all that is replicated below, runs on one node alone.
 */
#include "planner/distributor/cut_fragments.h"

#include "planner/distributor/build_plan_node.h"
#include "planner/distributor/runtime_filters.h"
#include "planner/plan/plan_check.h"

#define STEP_CHILDREN_MAX 2

static PlanNode *build(PlanBuilder *builder, const Step *step);

static PlanSite site_of(const PlanBuilder *builder, const Distribution *distribution)
{
    switch (distribution->kind) {
    case DISTRIBUTION_LEADER:
        return PLAN_SITE_LEADER;
    case DISTRIBUTION_SINGLE:
    case DISTRIBUTION_REPLICATED:
        return builder->placer->cost.node_count > 1 ? PLAN_SITE_ONE_NODE : PLAN_SITE_NODES;
    default:
        return PLAN_SITE_NODES;
    }
}

uint32_t plan_builder_add_exchange(PlanBuilder *builder, ExchangeKind kind, PlanSite source,
                                   PlanSite target, uint32_t column_count, Type *types)
{
    PlanExchange *exchange = ARENA_NEW(builder->arena, PlanExchange);
    *exchange = (PlanExchange){.id = builder->exchanges.count + 1,
                               .kind = kind,
                               .source_site = source,
                               .target_site = target,
                               .column_count = column_count,
                               .types = types};
    pointer_list_add(builder->arena, &builder->exchanges, exchange);
    return exchange->id;
}

static void add_fragment(PlanBuilder *builder, PlanSite site, PlanNode *root)
{
    PlanFragment *fragment = ARENA_NEW(builder->arena, PlanFragment);
    *fragment = (PlanFragment){.id = builder->fragments.count + 1, .site = site, .root = root};
    pointer_list_add(builder->arena, &builder->fragments, fragment);
}

/* Builds what is below the exchange as a fragment of its own; gives the receiving end. */
static PlanNode *build_exchange(PlanBuilder *builder, const Step *step)
{
    const Step *input = step->inputs[0];
    PlanSite target = builder->site;
    PlanSite source = site_of(builder, &input->distribution);
    // What is sent to every node goes to one only when the receiving fragment runs on one.
    ExchangeKind kind = step->exchange.kind == EXCHANGE_BROADCAST && target != PLAN_SITE_NODES
                            ? EXCHANGE_GATHER
                            : step->exchange.kind;
    builder->site = source;
    PlanNode *child = build(builder, input);
    builder->site = target;

    PlanSend *send = plan_builder_node(builder, PLAN_SEND, sizeof(*send), step);
    send->child = child;
    send->exchange = kind;
    bool has_keys = kind == EXCHANGE_HASH || kind == EXCHANGE_NODE;
    send->key_count = has_keys ? step->exchange.key_count : 0;
    send->keys = ARENA_ARRAY(builder->arena, uint32_t, send->key_count);
    for (uint32_t i = 0; i < send->key_count; i++) {
        send->keys[i] = step_column_index(input, step->exchange.keys[i]);
    }
    send->exchange_id = plan_builder_add_exchange(builder, kind, source, target, step->column_count,
                                                  send->node.output_types);
    add_fragment(builder, source, &send->node);

    PlanReceive *receive = plan_builder_node(builder, PLAN_RECEIVE, sizeof(*receive), step);
    receive->exchange_id = send->exchange_id;
    receive->merge_key_count = step->exchange.merge_key_count;
    receive->merge_keys =
        build_sort_keys(builder, step, step->exchange.merge_key_count, step->exchange.merge_keys);
    if (receive->merge_key_count > 0) {
        receive->node.detail = explain_sort_keys(
            builder->names, "Merge Key", step->exchange.merge_key_count, step->exchange.merge_keys);
    }
    return &receive->node;
}

static PlanNode *build(PlanBuilder *builder, const Step *step)
{
    if (step->kind == STEP_EXCHANGE) {
        return build_exchange(builder, step);
    }
    ASSERT(step->input_count <= STEP_CHILDREN_MAX);
    PlanNode *children[STEP_CHILDREN_MAX];
    for (uint32_t i = 0; i < step->input_count; i++) {
        children[i] = build(builder, step->inputs[i]);
    }
    return build_plan_node(builder, step, children);
}

/* A shared CTE is kept where its rows are; replicated ones on every node. */
static void build_store(PlanBuilder *builder, const SharedCte *cte, uint32_t store_id)
{
    const Step *definition = cte->definition;
    builder->site = definition->distribution.kind == DISTRIBUTION_REPLICATED
                        ? PLAN_SITE_NODES
                        : site_of(builder, &definition->distribution);
    PlanNode *child = build(builder, definition);
    PlanStore *store = plan_builder_node(builder, PLAN_STORE, sizeof(*store), definition);
    store->child = child;
    store->store_id = store_id;
    store->node.label = cte->name == NULL ? "subquery" : cte->name;
    add_fragment(builder, builder->site, &store->node);
}

/* Nodes that were folded away left gaps: ids are given at the end, fragment by fragment. */
static void number_nodes(PlanNode *node, uint32_t *count)
{
    node->id = ++*count;
    uint32_t child_count = plan_node_child_count(node);
    for (uint32_t i = 0; i < child_count; i++) {
        number_nodes(plan_node_child(node, i), count);
    }
}

static Plan *assemble(PlanBuilder *builder, const PlanResultColumn *results, uint32_t result_count)
{
    Plan *plan = ARENA_NEW(builder->arena, Plan);
    plan->fragment_count = builder->fragments.count;
    plan->fragments = ARENA_ARRAY(builder->arena, PlanFragment, plan->fragment_count);
    for (uint32_t i = 0; i < plan->fragment_count; i++) {
        plan->fragments[i] = *(const PlanFragment *)builder->fragments.items[i];
    }
    plan->exchange_count = builder->exchanges.count;
    plan->exchanges = ARENA_ARRAY(builder->arena, PlanExchange, plan->exchange_count);
    for (uint32_t i = 0; i < plan->exchange_count; i++) {
        plan->exchanges[i] = *(const PlanExchange *)builder->exchanges.items[i];
    }
    plan->results = (PlanResultColumn *)results;
    plan->result_count = result_count;
    for (uint32_t i = 0; i < plan->fragment_count; i++) {
        number_nodes(plan->fragments[i].root, &plan->node_count);
    }
    return plan;
}

Status cut_fragments(Placer *placer, const Step *root, ColumnNames *names,
                     const PlanResultColumn *results, uint32_t result_count, Plan **out)
{
    PlanBuilder builder = {.placer = placer, .arena = placer->arena, .names = names};
    for (uint32_t i = 0; i < placer->ctes.count; i++) {
        build_store(&builder, placer->ctes.items[i], i + 1);
    }
    builder.site = PLAN_SITE_LEADER;
    PlanNode *child = build(&builder, root);
    PlanResult *result = plan_builder_node(&builder, PLAN_RESULT, sizeof(*result), root);
    result->child = child;
    add_fragment(&builder, PLAN_SITE_LEADER, &result->node);
    Plan *plan = assemble(&builder, results, result_count);
    assign_runtime_filters(plan, placer->arena);
    if (plan_is_too_deep(plan)) {
        return status_error(SQLSTATE_STATEMENT_TOO_COMPLEX, "statement is nested too deeply");
    }
#ifndef NDEBUG
    TRY(plan_check(plan));
#endif
    *out = plan;
    return STATUS_OK;
}
