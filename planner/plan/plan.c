/* plan.c — what every plan node has in common: its name and its children. */
#include "planner/plan/plan.h"

const char *plan_node_name(PlanNodeKind kind)
{
    static const char *const names[PLAN_NODE_KIND_COUNT] = {
#define PLAN_NODE(id, number, name, Struct) [number] = name,
#include "planner/plan/plan_nodes.def"
#undef PLAN_NODE
    };
    return kind > 0 && kind < PLAN_NODE_KIND_COUNT && names[kind] != NULL ? names[kind] : "";
}

uint32_t plan_runtime_filter_exchange(const Plan *plan, uint32_t filter_id)
{
    bool is_known = filter_id > 0 && filter_id <= plan->runtime_filter_count &&
                    plan->runtime_filter_exchanges != NULL;
    return is_known ? plan->runtime_filter_exchanges[filter_id - 1] : 0;
}

uint32_t plan_node_child_count(const PlanNode *node)
{
    switch (node->kind) {
    case PLAN_SCAN:
    case PLAN_VIRTUAL_SCAN:
    case PLAN_VALUES:
    case PLAN_RECEIVE:
    case PLAN_STORED:
    case PLAN_COPY_READ:
    case PLAN_TABLE_VACUUM:
    case PLAN_NODE_KIND_COUNT:
        return 0;
    case PLAN_HASH_JOIN:
    case PLAN_NESTED_LOOP_JOIN:
        return 2;
    case PLAN_UNION_ALL:
        return ((const PlanUnionAll *)node)->child_count;
    default:
        return 1;
    }
}

PlanNode *plan_node_child(const PlanNode *node, uint32_t index)
{
    switch (node->kind) {
    case PLAN_FILTER:
        return ((const PlanFilter *)node)->child;
    case PLAN_PROJECT:
        return ((const PlanProject *)node)->child;
    case PLAN_HASH_JOIN: {
        const PlanHashJoin *join = (const PlanHashJoin *)node;
        return index == 0 ? join->probe : join->build;
    }
    case PLAN_NESTED_LOOP_JOIN: {
        const PlanNestedLoopJoin *join = (const PlanNestedLoopJoin *)node;
        return index == 0 ? join->probe : join->build;
    }
    case PLAN_AGGREGATE:
        return ((const PlanAggregate *)node)->child;
    case PLAN_SORT:
        return ((const PlanSort *)node)->child;
    case PLAN_LIMIT:
        return ((const PlanLimit *)node)->child;
    case PLAN_UNION_ALL:
        return ((const PlanUnionAll *)node)->children[index];
    case PLAN_WINDOW:
        return ((const PlanWindow *)node)->child;
    case PLAN_SEND:
        return ((const PlanSend *)node)->child;
    case PLAN_STORE:
        return ((const PlanStore *)node)->child;
    case PLAN_TABLE_WRITE:
        return ((const PlanTableWrite *)node)->child;
    case PLAN_TABLE_DELETE:
        return ((const PlanTableDelete *)node)->child;
    case PLAN_RESULT:
        return ((const PlanResult *)node)->child;
    default:
        return NULL;
    }
}

void plan_node_children(const PlanNode *node, void (*visit)(void *object, PlanNode *child),
                        void *object)
{
    uint32_t count = plan_node_child_count(node);
    for (uint32_t i = 0; i < count; i++) {
        visit(object, plan_node_child(node, i));
    }
}
