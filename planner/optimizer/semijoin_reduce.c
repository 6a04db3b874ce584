/*
 * semijoin_reduce.c — sends the keys of a selective table into the grouping it will be joined to.
 *
 * Valid because rows of the result have a partner in every inner (or semi-joined) input: a group
 * whose key has none is thrown away later. It pays when few of the groups remain.
 */
#include "planner/optimizer/semijoin_reduce.h"

#include "planner/logical/logical_tree.h"
#include "planner/optimizer/rules.h"

#define REDUCTION_MIN 5.0 /* groups per key that is asked for */
#define REDUCED_ROWS_MIN 10000.0

/* Columns equal to `column` in every result row: over classes, and over attached inputs' own
 * equalities with a single column of theirs. */
static void add_equal_columns(const JoinGraph *graph, ColumnNumber column, ColumnSet *equal)
{
    column_set_add(equal, column, graph->arena);
    for (uint32_t i = 0; i < graph->input_count; i++) {
        const JoinGraphInput *input = &graph->inputs[i];
        for (uint32_t k = 0; k < input->conjuncts.count; k++) {
            const Expr *conjunct = input->conjuncts.items[k];
            bool is_pair = conjunct->kind == EXPR_CALL && conjunct->function == FUNCTION_EQUAL &&
                           conjunct->args[0]->kind == EXPR_COLUMN &&
                           conjunct->args[1]->kind == EXPR_COLUMN &&
                           type_equal(conjunct->args[0]->type, conjunct->args[1]->type);
            if (!is_pair || input->join == JOIN_ANTI || input->join == JOIN_ANTI_NULL ||
                input->join == JOIN_MARK) {
                continue;
            }
            for (int side = 0; side < 2; side++) {
                if (column_set_has(equal, conjunct->args[side]->column)) {
                    column_set_add(equal, conjunct->args[1 - side]->column, graph->arena);
                }
            }
        }
    }
    for (uint32_t i = 0; i < graph->classes.count; i++) {
        const JoinClass *class = graph->classes.items[i];
        bool is_touched = false;
        for (uint32_t k = 0; k < graph->input_count; k++) {
            is_touched |= class->columns[k] != 0 && column_set_has(equal, class->columns[k]);
        }
        for (uint32_t k = 0; is_touched && k < graph->input_count; k++) {
            if (class->columns[k] != 0) {
                column_set_add(equal, class->columns[k], graph->arena);
            }
        }
    }
}

static ColumnSet equal_columns(const JoinGraph *graph, ColumnNumber column)
{
    ColumnSet equal = {0};
    uint32_t before;
    do {
        before = column_set_count(&equal);
        ColumnNumber seed = before == 0 ? column : column_set_next(&equal, 0);
        add_equal_columns(graph, seed, &equal);
    } while (column_set_count(&equal) != before);
    return equal;
}

/* The grouping below filters and projects that pass `*column` on; null when there is none. */
static LogicalAggregate *find_grouping(LogicalNode *node, ColumnNumber *column)
{
    for (;;) {
        if (node->kind == LOGICAL_AGGREGATE) {
            return ((LogicalAggregate *)node)->key_count > 0 ? (LogicalAggregate *)node : NULL;
        }
        if (node->kind == LOGICAL_PROJECT) {
            const LogicalProject *project = (const LogicalProject *)node;
            const Expr *expr = NULL;
            for (uint32_t i = 0; i < node->column_count; i++) {
                expr = node->columns[i].number == *column ? project->exprs[i] : expr;
            }
            if (expr == NULL || expr->kind != EXPR_COLUMN) {
                return NULL;
            }
            *column = expr->column;
        } else if (node->kind != LOGICAL_FILTER) {
            return NULL;
        }
        node = logical_get_child(node, 0);
    }
}

/* A table with conditions whose column is among `equal`, with the fewest rows. */
static const LogicalNode *find_reducer(const JoinGraph *graph, uint32_t reduced,
                                       const ColumnSet *equal, ColumnNumber *key)
{
    const LogicalNode *best = NULL;
    for (uint32_t i = 0; i < graph->input_count; i++) {
        const JoinGraphInput *input = &graph->inputs[i];
        bool is_required = !input->is_attached || input->join == JOIN_SEMI;
        if (i == reduced || !is_required || !is_cheap_to_repeat(input->node) ||
            (best != NULL && input->node->rows >= best->rows)) {
            continue;
        }
        for (uint32_t k = 0; k < input->node->column_count; k++) {
            if (column_set_has(equal, input->node->columns[k].number)) {
                best = input->node;
                *key = input->node->columns[k].number;
            }
        }
    }
    return best;
}

static void reduce(PlannerContext *context, LogicalAggregate *grouping, const Expr *key,
                   const LogicalNode *reducer, ColumnNumber reducer_key)
{
    Arena *arena = context->arena;
    ColumnRenumbering map = {0};
    LogicalNode *copy = logical_copy(context, reducer, &map);
    Expr *other = expr_column(arena, column_renumbering_get(&map, reducer_key), key->type);
    Expr *same = expr_call2(arena, FUNCTION_EQUAL, type_of(TYPE_BOOLEAN), (Expr *)key, other);
    grouping->child = logical_join(arena, JOIN_SEMI, grouping->child, copy, same, 0);
}

typedef struct Reduction { /* two columns with the same values */
    ColumnNumber group_key, reducer_key;
    double keys;
} Reduction;

static bool reduce_input(PlannerContext *context, Estimator *estimator, JoinGraph *graph,
                         uint32_t index, PointerList *reductions)
{
    LogicalNode *node = graph->inputs[index].node;
    for (uint32_t i = 0; i < node->column_count; i++) {
        ColumnNumber column = node->columns[i].number, reducer_key = 0;
        LogicalAggregate *grouping = find_grouping(node, &column);
        if (grouping == NULL) {
            continue;
        }
        uint32_t k = 0;
        while (k < grouping->key_count && grouping->node.columns[k].number != column) {
            k++;
        }
        if (k == grouping->key_count || grouping->keys[k]->kind != EXPR_COLUMN) {
            continue;
        }
        ColumnSet equal = equal_columns(graph, node->columns[i].number);
        const LogicalNode *reducer = find_reducer(graph, index, &equal, &reducer_key);
        double groups = estimate_column(estimator, column)->distinct;
        if (reducer != NULL && grouping->child->rows >= REDUCED_ROWS_MIN &&
            groups > REDUCTION_MIN * reducer->rows &&
            type_equal(grouping->keys[k]->type, logical_find_column(reducer, reducer_key)->type)) {
            reduce(context, grouping, grouping->keys[k], reducer, reducer_key);
            Reduction *reduction = ARENA_NEW(context->arena, Reduction);
            *reduction = (Reduction){node->columns[i].number, reducer_key, reducer->rows};
            pointer_list_add(context->arena, reductions, reduction);
            return true;
        }
    }
    return false;
}

void semijoin_reduce(PlannerContext *context, Estimator *estimator, JoinGraph *graph,
                     PointerList *reductions)
{
    for (uint32_t i = 0; i < graph->input_count; i++) {
        if (reduce_input(context, estimator, graph, i, reductions)) {
            estimate_tree(estimator, graph->inputs[i].node);
        }
    }
}

void semijoin_reduce_estimates(Estimator *estimator, const PointerList *reductions)
{
    for (uint32_t i = 0; i < reductions->count; i++) {
        const Reduction *reduction = reductions->items[i];
        estimate_set_distinct(estimator, reduction->group_key, reduction->keys);
        estimate_set_distinct(estimator, reduction->reducer_key, reduction->keys);
    }
}
