/* join_graph.c — flattening joins, sorting conditions by the inputs they use. */
#include "planner/optimizer/join_graph.h"

#include <string.h>

#include "planner/logical/logical_tree.h"
#include "planner/optimizer/distribution.h"

static bool is_attaching(JoinKind join)
{
    return join == JOIN_LEFT || join == JOIN_SEMI || join == JOIN_ANTI || join == JOIN_ANTI_NULL ||
           join == JOIN_MARK || join == JOIN_SINGLE;
}

bool join_graph_can_flatten(const LogicalNode *node)
{
    if (node->kind == LOGICAL_FILTER) {
        const LogicalFilter *filter = (const LogicalFilter *)node;
        return !expr_is_volatile(filter->condition) && join_graph_can_flatten(filter->child);
    }
    if (node->kind != LOGICAL_JOIN) {
        return false;
    }
    JoinKind join = ((const LogicalJoin *)node)->join;
    return join == JOIN_INNER || is_attaching(join);
}

static InputMask inputs_of(const JoinGraph *graph, const Expr *expr)
{
    ColumnSet used = {0};
    column_set_add_expr(&used, expr, graph->arena);
    InputMask mask = 0;
    for (uint32_t i = 0; i < graph->input_count; i++) {
        if (column_set_intersects(&graph->inputs[i].columns, &used)) {
            mask |= UINT64_C(1) << i;
        }
    }
    return mask;
}

static JoinGraphInput *add_input(JoinGraph *graph, LogicalNode *node)
{
    JoinGraphInput *input = &graph->inputs[graph->input_count++];
    input->node = node;
    input->columns = column_set_of_node(node, graph->arena);
    return input;
}

static void attach(JoinGraph *graph, const LogicalJoin *join)
{
    InputMask own = UINT64_C(1) << graph->input_count;
    JoinGraphInput *input = add_input(graph, join->right);
    input->is_attached = true;
    input->join = join->join;
    graph->attached |= own;
    conjuncts_add(graph->arena, &input->conjuncts, join->condition);
    for (uint32_t i = 0; i < input->conjuncts.count; i++) {
        input->required |= inputs_of(graph, input->conjuncts.items[i]) & ~own;
    }
    if (join->join != JOIN_LEFT && join->join != JOIN_SINGLE) {
        input->columns = (ColumnSet){0};
    }
    if (join->join == JOIN_MARK) {
        input->mark = join->node.columns[join->node.column_count - 1].number;
        column_set_add(&input->columns, input->mark, graph->arena);
    }
}

/* Leaves room for the inputs of `rest` other nests: too many, and a nest stays one input. */
static void flatten(JoinGraph *graph, LogicalNode *node, PointerList *conjuncts, uint32_t rest)
{
    if (!join_graph_can_flatten(node) || graph->input_count + rest + 2 > JOIN_INPUTS_MAX) {
        add_input(graph, node);
        return;
    }
    if (node->kind == LOGICAL_FILTER) {
        conjuncts_add(graph->arena, conjuncts, ((LogicalFilter *)node)->condition);
        flatten(graph, ((LogicalFilter *)node)->child, conjuncts, rest);
        return;
    }
    LogicalJoin *join = (LogicalJoin *)node;
    flatten(graph, join->left, conjuncts, rest + 1);
    if (join->join == JOIN_INNER) {
        conjuncts_add(graph->arena, conjuncts, join->condition);
        flatten(graph, join->right, conjuncts, rest);
    } else {
        attach(graph, join);
    }
}

static bool is_column_pair(const JoinGraph *graph, const Expr *expr, InputMask inputs)
{
    return expr->kind == EXPR_CALL && expr->function == FUNCTION_EQUAL &&
           (inputs & graph->attached) == 0 && expr->args[0]->kind == EXPR_COLUMN &&
           expr->args[1]->kind == EXPR_COLUMN &&
           type_equal(expr->args[0]->type, expr->args[1]->type);
}

static uint32_t input_of_column(const JoinGraph *graph, ColumnNumber column)
{
    uint32_t i = 0;
    while (!column_set_has(&graph->inputs[i].columns, column)) {
        i++;
    }
    return i;
}

static void filter_input(JoinGraph *graph, uint32_t input, Expr *condition)
{
    graph->inputs[input].node = logical_filter(graph->arena, graph->inputs[input].node, condition);
}

/* Puts a column into a class; a second one of the same input is compared there, at once. */
static void class_add(JoinGraph *graph, JoinClass *class, ColumnNumber column)
{
    uint32_t input = input_of_column(graph, column);
    if (class->columns[input] == 0) {
        class->columns[input] = column;
        class->inputs |= UINT64_C(1) << input;
    } else if (class->columns[input] != column) {
        Expr *left = expr_column(graph->arena, class->columns[input], class->type);
        Expr *right = expr_column(graph->arena, column, class->type);
        filter_input(graph, input,
                     expr_call2(graph->arena, FUNCTION_EQUAL, type_of(TYPE_BOOLEAN), left, right));
    }
}

static JoinClass *class_of(const JoinGraph *graph, ColumnNumber column)
{
    uint32_t input = input_of_column(graph, column);
    for (uint32_t i = 0; i < graph->classes.count; i++) {
        JoinClass *class = graph->classes.items[i];
        if (class->columns[input] == column) {
            return class;
        }
    }
    return NULL;
}

static void merge_classes(JoinGraph *graph, JoinClass *into, JoinClass *from)
{
    for (uint32_t i = 0; i < graph->input_count; i++) {
        if (from->columns[i] != 0) {
            class_add(graph, into, from->columns[i]);
        }
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < graph->classes.count; i++) {
        if (graph->classes.items[i] != from) {
            graph->classes.items[kept++] = graph->classes.items[i];
        }
    }
    graph->classes.count = kept;
}

static void add_equality(JoinGraph *graph, const Expr *expr)
{
    JoinClass *left = class_of(graph, expr->args[0]->column);
    JoinClass *right = class_of(graph, expr->args[1]->column);
    if (left != NULL && right != NULL) {
        if (left != right) {
            merge_classes(graph, left, right);
        }
        return;
    }
    JoinClass *class = left != NULL ? left : right;
    if (class == NULL) {
        class = ARENA_NEW(graph->arena, JoinClass);
        class->type = expr->args[0]->type;
        pointer_list_add(graph->arena, &graph->classes, class);
    }
    class_add(graph, class, expr->args[0]->column);
    class_add(graph, class, expr->args[1]->column);
}

JoinGraph *join_graph_create(Arena *arena, LogicalNode *root)
{
    JoinGraph *graph = ARENA_NEW(arena, JoinGraph);
    graph->arena = arena;
    PointerList conjuncts = {0};
    flatten(graph, root, &conjuncts, 0);
    for (uint32_t i = 0; i < conjuncts.count; i++) {
        Expr *conjunct = conjuncts.items[i];
        InputMask inputs = inputs_of(graph, conjunct);
        if (is_column_pair(graph, conjunct, inputs)) {
            add_equality(graph, conjunct);
        } else if ((inputs & (inputs - 1)) == 0 && (inputs & graph->attached) == 0) {
            // Of one input, or of none: not between them at all.
            filter_input(graph, inputs == 0 ? 0 : (uint32_t)__builtin_ctzll(inputs), conjunct);
        } else {
            JoinPredicate *predicate = ARENA_NEW(arena, JoinPredicate);
            *predicate = (JoinPredicate){conjunct, inputs};
            pointer_list_add(arena, &graph->predicates, predicate);
        }
    }
    return graph;
}

/* Everything reachable from the set over conditions, attached inputs left aside. */
static InputMask component_of(const JoinGraph *graph, InputMask set)
{
    InputMask before;
    do {
        before = set;
        for (uint32_t i = 0; i < graph->classes.count; i++) {
            const JoinClass *class = graph->classes.items[i];
            set |= (class->inputs & set) != 0 ? class->inputs : 0;
        }
        for (uint32_t i = 0; i < graph->predicates.count; i++) {
            const JoinPredicate *predicate = graph->predicates.items[i];
            InputMask inputs = predicate->inputs & ~graph->attached;
            set |= (inputs & set) != 0 ? inputs : 0;
        }
    } while (set != before);
    return set;
}

static uint32_t smallest_input(const JoinGraph *graph, InputMask set)
{
    uint32_t smallest = (uint32_t)__builtin_ctzll(set);
    for (uint32_t i = 0; i < graph->input_count; i++) {
        if (((set >> i) & 1) != 0 &&
            graph->inputs[i].node->rows < graph->inputs[smallest].node->rows) {
            smallest = i;
        }
    }
    return smallest;
}

void join_graph_add_bridges(JoinGraph *graph)
{
    InputMask all = (UINT64_C(1) << graph->input_count) - 1;
    InputMask left = all & ~graph->attached, done = 0;
    uint32_t previous = 0;
    while (left != 0) {
        InputMask component = component_of(graph, left & (~left + 1)) & ~graph->attached;
        uint32_t smallest = smallest_input(graph, component);
        if (done != 0) {
            graph->bridges[previous] |= UINT64_C(1) << smallest;
            graph->bridges[smallest] |= UINT64_C(1) << previous;
        }
        // One row costs nothing wherever it is joined in.
        for (uint32_t i = 0; i < graph->input_count; i++) {
            if (graph->inputs[smallest].node->rows <= 1 && component == UINT64_C(1) << smallest &&
                i != smallest && ((all & ~graph->attached) >> i & 1) != 0) {
                graph->bridges[smallest] |= UINT64_C(1) << i;
                graph->bridges[i] |= UINT64_C(1) << smallest;
            }
        }
        previous = smallest;
        done |= component;
        left &= ~component;
    }
}

bool join_graph_is_connected(const JoinGraph *graph, InputMask left, InputMask right)
{
    for (uint32_t i = 0; i < graph->classes.count; i++) {
        const JoinClass *class = graph->classes.items[i];
        if ((class->inputs & left) != 0 && (class->inputs & right) != 0) {
            return true;
        }
    }
    for (uint32_t i = 0; i < graph->predicates.count; i++) {
        const JoinPredicate *predicate = graph->predicates.items[i];
        if ((predicate->inputs & left) != 0 && (predicate->inputs & right) != 0 &&
            (predicate->inputs & ~(left | right)) == 0) {
            return true;
        }
    }
    for (InputMask rest = left; rest != 0; rest &= rest - 1) {
        if ((graph->bridges[__builtin_ctzll(rest)] & right) != 0) {
            return true;
        }
    }
    return false;
}

static void add_predicates(const JoinGraph *graph, InputMask left, InputMask right,
                           PointerList *conjuncts)
{
    for (uint32_t i = 0; i < graph->predicates.count; i++) {
        const JoinPredicate *predicate = graph->predicates.items[i];
        bool is_inside = (predicate->inputs & ~(left | right)) == 0;
        if (is_inside && (predicate->inputs & ~left) != 0 && (predicate->inputs & ~right) != 0) {
            pointer_list_add(graph->arena, conjuncts, predicate->expr);
        }
    }
}

/* How many of the classes between the two sets an input has a column of. */
static uint32_t class_count(const JoinGraph *graph, InputMask left, InputMask right, uint32_t input)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < graph->classes.count; i++) {
        const JoinClass *class = graph->classes.items[i];
        count += (class->inputs & left) != 0 && (class->inputs & right) != 0 &&
                 class->columns[input] != 0;
    }
    return count;
}

/* Of the class's columns in `side` that of the input which has most of the compared columns: keys
 * of several columns then come from one table. */
static ColumnNumber class_column(const JoinGraph *graph, const JoinClass *class, InputMask side,
                                 InputMask other)
{
    InputMask candidates = class->inputs & side;
    uint32_t best = (uint32_t)__builtin_ctzll(candidates), best_count = 0;
    bool is_only = (candidates & (candidates - 1)) == 0;
    for (InputMask rest = candidates; rest != 0 && !is_only; rest &= rest - 1) {
        uint32_t input = (uint32_t)__builtin_ctzll(rest);
        uint32_t count = class_count(graph, side, other, input);
        if (count > best_count) {
            best = input;
            best_count = count;
        }
    }
    return class->columns[best];
}

void join_graph_conditions(const JoinGraph *graph, InputMask left, InputMask right,
                           PointerList *conjuncts)
{
    for (uint32_t i = 0; i < graph->classes.count; i++) {
        const JoinClass *class = graph->classes.items[i];
        if ((class->inputs & left) == 0 || (class->inputs & right) == 0) {
            continue;
        }
        ColumnNumber from = class_column(graph, class, left, right);
        ColumnNumber to = class_column(graph, class, right, left);
        pointer_list_add(graph->arena, conjuncts,
                         expr_call2(graph->arena, FUNCTION_EQUAL, type_of(TYPE_BOOLEAN),
                                    expr_column(graph->arena, from, class->type),
                                    expr_column(graph->arena, to, class->type)));
    }
    add_predicates(graph, left, right, conjuncts);
}

void join_graph_conditions_above(const JoinGraph *graph, InputMask left, uint32_t attached,
                                 PointerList *conjuncts)
{
    InputMask own = UINT64_C(1) << attached;
    for (uint32_t i = 0; i < graph->predicates.count; i++) {
        const JoinPredicate *predicate = graph->predicates.items[i];
        if ((predicate->inputs & own) != 0 && (predicate->inputs & ~(left | own)) == 0) {
            pointer_list_add(graph->arena, conjuncts, predicate->expr);
        }
    }
}
