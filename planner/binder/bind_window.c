/*
 * bind_window.c — window function calls, and their move into LogicalWindow nodes.
 *
 * Calls with the same PARTITION BY and ORDER BY share a node. FILTER becomes a CASE around the
 * argument, since a window knows no filter: sum(x) FILTER (WHERE c) = sum(CASE WHEN c THEN x END).
 */
#include "planner/binder/binder_internal.h"

#include <string.h>

typedef struct WindowFunction {
    const char *name;
    WindowFunctionId id;
    uint32_t count_min, count_max;
    TypeId type;             /* of the result; UNKNOWN: that of the first argument */
} WindowFunction;

static const WindowFunction window_functions[] = {
    {"row_number", WINDOW_ROW_NUMBER, 0, 0, TYPE_BIGINT},
    {"rank", WINDOW_RANK, 0, 0, TYPE_BIGINT},
    {"dense_rank", WINDOW_DENSE_RANK, 0, 0, TYPE_BIGINT},
    {"percent_rank", WINDOW_PERCENT_RANK, 0, 0, TYPE_DOUBLE},
    {"cume_dist", WINDOW_CUME_DIST, 0, 0, TYPE_DOUBLE},
    {"ntile", WINDOW_NTILE, 1, 1, TYPE_BIGINT},
    {"lag", WINDOW_LAG, 1, 3, TYPE_UNKNOWN},
    {"lead", WINDOW_LEAD, 1, 3, TYPE_UNKNOWN},
    {"first_value", WINDOW_FIRST_VALUE, 1, 1, TYPE_UNKNOWN},
    {"last_value", WINDOW_LAST_VALUE, 1, 1, TYPE_UNKNOWN},
    {"nth_value", WINDOW_NTH_VALUE, 2, 2, TYPE_UNKNOWN},
};

static const WindowFunction *find_function(const char *name)
{
    for (size_t i = 0; i < sizeof(window_functions) / sizeof(window_functions[0]); i++) {
        if (strcmp(window_functions[i].name, name) == 0) {
            return &window_functions[i];
        }
    }
    return NULL;
}

bool window_function_find(const char *name, WindowFunctionId *out)
{
    const WindowFunction *function = find_function(name);
    if (function != NULL) {
        *out = function->id;
    }
    return function != NULL;
}

static Status check_place(Scope *scope, const AstExpr *ast)
{
    switch (scope->clause) {
    case CLAUSE_SELECT:
    case CLAUSE_QUALIFY:
    case CLAUSE_ORDER_BY:
        scope->has_windows = true;
        return STATUS_OK;
    case CLAUSE_WINDOW:
        return status_at(ast->position, SQLSTATE_WINDOWING_ERROR,
                         "window function calls cannot be nested");
    case CLAUSE_AGGREGATE:
        return status_at(ast->position, SQLSTATE_GROUPING_ERROR,
                         "aggregate function calls cannot contain window function calls");
    default:
        return status_at(ast->position, SQLSTATE_WINDOWING_ERROR,
                         "window functions are not allowed in %s", clause_name(scope->clause));
    }
}

// ---- the window's definition ----

// A definition among the first `limit` of the WINDOW clause.
static Status find_definition(const Scope *scope, const char *name, uint32_t limit,
                              int32_t position, uint32_t *index)
{
    for (uint32_t i = 0; i < limit; i++) {
        if (strcmp(scope->windows->items[i]->name, name) == 0) {
            *index = i;
            return STATUS_OK;
        }
    }
    return status_at(position, SQLSTATE_UNDEFINED_OBJECT, "window \"%s\" does not exist", name);
}

// OVER (w ORDER BY x): the parts of `w`, then those written here. A definition may build on those
// before it only.
static Status merge_base(const Scope *scope, uint32_t limit, AstWindow *window)
{
    uint32_t index = 0;
    const char *name = window->base;
    if (name == NULL) {
        return STATUS_OK;
    }
    TRY(find_definition(scope, name, limit, window->position, &index));
    AstWindow merged = *scope->windows->items[index];
    TRY(merge_base(scope, index, &merged));
    const char *fault = window->partition.count > 0 ? "PARTITION BY"
                        : window->order.count > 0 && merged.order.count > 0 ? "ORDER BY"
                                                                            : NULL;
    if (fault != NULL) {
        return status_at(window->position, SQLSTATE_WINDOWING_ERROR,
                         "cannot override %s clause of window \"%s\"", fault, name);
    }
    if (merged.has_frame) {
        return status_at(window->position, SQLSTATE_WINDOWING_ERROR,
                         "cannot copy window \"%s\" because it has a frame clause", name);
    }
    window->partition = merged.partition;
    if (window->order.count == 0) {
        window->order = merged.order;
    }
    return STATUS_OK;
}

static Status frame_rows(Binder *binder, Scope *scope, const AstFrameBound *bound, int64_t *rows)
{
    Expr *offset = NULL;
    if (bound->offset == NULL) {
        return STATUS_OK;
    }
    TRY(bind_expr(binder, scope, bound->offset, &offset));
    if (!is_unknown(offset) && !type_is_integer(offset->type)) {
        return status_at(offset->position, SQLSTATE_DATATYPE_MISMATCH,
                         "argument of ROWS must be type bigint, not type %s",
                         type_name(offset->type));
    }
    TRY(coerce(binder, offset, type_of(TYPE_BIGINT), CAST_IMPLICIT, &offset));
    if (offset->kind == EXPR_PARAMETER) {
        return STATUS_OK; // only described; the value comes later
    }
    if (!is_constant(offset)) {
        return status_at(bound->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "frame offsets must be constants");
    }
    if (offset->constant.is_null || offset->constant.i64 < 0) {
        return status_at(bound->position, SQLSTATE_INVALID_PARAMETER_VALUE,
                         "frame offset must not be null or negative");
    }
    *rows = offset->constant.i64;
    return STATUS_OK;
}

static Status bind_frame(Binder *binder, Scope *scope, const AstWindow *window, WindowCall *call)
{
    static const FrameBound bounds[] = {
        [AST_BOUND_UNBOUNDED_PRECEDING] = FRAME_UNBOUNDED_PRECEDING,
        [AST_BOUND_PRECEDING] = FRAME_PRECEDING,
        [AST_BOUND_CURRENT_ROW] = FRAME_CURRENT_ROW,
        [AST_BOUND_FOLLOWING] = FRAME_FOLLOWING,
        [AST_BOUND_UNBOUNDED_FOLLOWING] = FRAME_UNBOUNDED_FOLLOWING,
    };
    call->start = FRAME_UNBOUNDED_PRECEDING;
    // without an order all rows of the partition are peers
    call->end = call->order_count > 0 ? FRAME_CURRENT_ROW : FRAME_UNBOUNDED_FOLLOWING;
    if (!window->has_frame) {
        return STATUS_OK;
    }
    bool has_offset = window->start.offset != NULL || window->end.offset != NULL;
    if (window->unit == AST_FRAME_GROUPS || (window->unit == AST_FRAME_RANGE && has_offset)) {
        return status_at(window->start.position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         window->unit == AST_FRAME_GROUPS
                             ? "GROUPS frames are not supported"
                             : "RANGE with offset PRECEDING/FOLLOWING is not supported");
    }
    call->is_rows = window->unit == AST_FRAME_ROWS;
    call->start = bounds[window->start.kind];
    call->end = bounds[window->end.kind];
    TRY(frame_rows(binder, scope, &window->start, &call->start_rows));
    return frame_rows(binder, scope, &window->end, &call->end_rows);
}

static Status bind_over(Binder *binder, Scope *scope, const AstWindow *over, WindowCall *call)
{
    AstWindow window = *over;
    uint32_t limit = scope->windows == NULL ? 0 : scope->windows->count;
    if (over->name != NULL) {
        TRY(find_definition(scope, over->name, limit, over->position, &limit));
        window = *scope->windows->items[limit];
    }
    TRY(merge_base(scope, limit, &window));
    call->partition_count = window.partition.count;
    TRY(bind_exprs(binder, scope, window.partition.count, window.partition.items,
                   &call->partition));
    for (uint32_t i = 0; i < call->partition_count; i++) {
        TRY(coerce_unknown(binder, call->partition[i], &call->partition[i]));
    }
    call->order_count = window.order.count;
    TRY(bind_sort(binder, scope, &window.order, &call->order));
    return bind_frame(binder, scope, &window, call);
}

// ---- the call ----

// CASE WHEN filter THEN argument END
static Status filter_argument(Binder *binder, Scope *scope, const AstExpr *ast, Expr **argument)
{
    Expr *condition = NULL;
    TRY(bind_condition(binder, scope, ast->call->filter, CLAUSE_FILTER, &condition));
    Expr **parts = ARENA_ARRAY(binder->arena, Expr *, 3);
    parts[0] = condition;
    parts[1] = *argument == NULL ? expr_int64(binder->arena, TYPE_INTEGER, 1) : *argument;
    parts[2] = constant_null(binder, parts[1]->type);
    *argument = case_make(binder, 3, parts, parts[1]->type, ast->position);
    return STATUS_OK;
}

static Status bind_window_aggregate(Binder *binder, Scope *scope, const AstExpr *ast,
                                    AggregateId id, Expr **args, WindowCall *call)
{
    const AstCall *source = ast->call;
    if (source->is_distinct) {
        return status_at(ast->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "DISTINCT is not implemented for window functions");
    }
    if (source->is_star ? id != AGGREGATE_COUNT : ast->arg_count != 1) {
        return function_missing(binder, source->name, ast->arg_count, args, ast->position);
    }
    Expr *argument = NULL;
    call->id = WINDOW_AGGREGATE;
    call->aggregate = source->is_star ? AGGREGATE_COUNT_STAR : id;
    call->type = type_of(TYPE_BIGINT);
    if (!source->is_star) {
        TRY(aggregate_signature(binder, id, source->name, args[0], ast->position, &argument,
                                &call->type));
    }
    if (source->filter != NULL) {
        TRY(filter_argument(binder, scope, ast, &argument));
        call->aggregate = id;
    }
    call->arg_count = argument == NULL ? 0 : 1;
    call->args = ARENA_ARRAY(binder->arena, Expr *, 1);
    call->args[0] = argument;
    return STATUS_OK;
}

static Status bind_window_arguments(Binder *binder, const AstExpr *ast,
                                    const WindowFunction *function, Expr **args, WindowCall *call)
{
    if (ast->arg_count < function->count_min || ast->arg_count > function->count_max ||
        ast->call->is_star) {
        return function_missing(binder, function->name, ast->arg_count, args, ast->position);
    }
    if (ast->call->is_distinct || ast->call->filter != NULL) {
        return status_at(ast->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "%s is not implemented for non-aggregate window functions",
                         ast->call->is_distinct ? "DISTINCT" : "FILTER");
    }
    call->id = function->id;
    call->is_ignore_nulls = ast->call->is_ignore_nulls;
    call->arg_count = ast->arg_count;
    call->args = args;
    call->type = type_of(function->type);
    uint32_t count_index = function->id == WINDOW_NTILE ? 0 : 1; // of the argument that counts
    if (count_index < ast->arg_count) {
        Expr **number = &args[count_index];
        if (!is_unknown(*number) && !type_is_integer((*number)->type)) {
            return function_missing(binder, function->name, ast->arg_count, args, ast->position);
        }
        TRY(coerce(binder, *number, type_of(TYPE_BIGINT), CAST_IMPLICIT, number));
    }
    if (function->type == TYPE_UNKNOWN && ast->arg_count == 3) { // lag(x, 1, default)
        Expr *values[2] = {args[0], args[2]};
        TRY(coerce_common(binder, 2, values, function->name, &call->type));
        args[0] = values[0];
        args[2] = values[1];
    } else if (function->type == TYPE_UNKNOWN) {
        TRY(coerce_unknown(binder, args[0], &args[0]));
        call->type = args[0]->type;
    }
    return STATUS_OK;
}

static Status bind_parts(Binder *binder, Scope *scope, const AstExpr *ast, WindowCall *call)
{
    const WindowFunction *function = find_function(ast->call->name);
    AggregateId aggregate;
    Expr **args = NULL;
    TRY(bind_exprs(binder, scope, ast->arg_count, ast->args, &args));
    TRY(bind_over(binder, scope, ast->call->over, call));
    if (function != NULL) {
        return bind_window_arguments(binder, ast, function, args, call);
    }
    if (aggregate_find(ast->call->name, &aggregate)) {
        return bind_window_aggregate(binder, scope, ast, aggregate, args, call);
    }
    FunctionId plain;
    if (function_by_name(ast->call->name, &plain)) {
        return status_at(ast->position, SQLSTATE_WRONG_OBJECT_TYPE,
                         "OVER specified, but %s is not a window function nor an aggregate "
                         "function",
                         ast->call->name);
    }
    return function_missing(binder, ast->call->name, ast->arg_count, args, ast->position);
}

Status bind_window_call(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out)
{
    WindowCall *call = ARENA_NEW(binder->arena, WindowCall);
    TRY(check_place(scope, ast));
    Clause before = scope->clause;
    scope->clause = CLAUSE_WINDOW;
    Status status = bind_parts(binder, scope, ast, call);
    scope->clause = before;
    TRY(status);
    Expr *expr = ARENA_NEW(binder->arena, Expr);
    *expr = (Expr){.kind = EXPR_WINDOW, .type = call->type, .position = ast->position,
                   .window = call};
    *out = expr;
    return STATUS_OK;
}

// ---- lifting ----

/* Calls that share a node, and the columns they give. */
typedef struct WindowGroup {
    PointerList calls;          /* Expr of kind EXPR_WINDOW */
    PointerList columns;        /* LogicalColumn */
} WindowGroup;

typedef struct WindowLift {
    Binder *binder;
    PointerList groups;
} WindowLift;

static WindowGroup *group_of(WindowLift *lift, const WindowCall *call)
{
    for (uint32_t i = 0; i < lift->groups.count; i++) {
        WindowGroup *group = lift->groups.items[i];
        const Expr *first = group->calls.items[0];
        if (window_call_same_order(first->window, call)) {
            return group;
        }
    }
    WindowGroup *group = ARENA_NEW(lift->binder->arena, WindowGroup);
    pointer_list_add(lift->binder->arena, &lift->groups, group);
    return group;
}

static Expr *lift_window(void *object, const Expr *expr)
{
    WindowLift *lift = object;
    if (expr->kind != EXPR_WINDOW) {
        return NULL;
    }
    WindowGroup *group = group_of(lift, expr->window);
    Arena *arena = lift->binder->arena;
    for (uint32_t i = 0; i < group->calls.count; i++) {
        if (expr_equal(group->calls.items[i], expr)) {
            return logical_column_expr(arena, group->columns.items[i]);
        }
    }
    LogicalColumn *column = ARENA_NEW(arena, LogicalColumn);
    *column = (LogicalColumn){.number = planner_new_column(lift->binder->context),
                              .name = "window",
                              .type = expr->type,
                              .is_nullable = true};
    pointer_list_add(arena, &group->calls, arena_memdup(arena, expr, sizeof(*expr)));
    pointer_list_add(arena, &group->columns, column);
    return logical_column_expr(arena, column);
}

static LogicalNode *window_make(Binder *binder, LogicalNode *child, const WindowGroup *group)
{
    uint32_t count = group->calls.count;
    WindowCall *calls = ARENA_ARRAY(binder->arena, WindowCall, count);
    LogicalColumn *columns = ARENA_ARRAY(binder->arena, LogicalColumn, count);
    for (uint32_t i = 0; i < count; i++) {
        calls[i] = *((const Expr *)group->calls.items[i])->window;
        columns[i] = *(const LogicalColumn *)group->columns.items[i];
    }
    return logical_window(binder->arena, child, count, calls, columns);
}

Status lift_windows(Binder *binder, LogicalNode **node, uint32_t count, Expr ***exprs)
{
    WindowLift lift = {.binder = binder};
    for (uint32_t i = 0; i < count; i++) {
        if (*exprs[i] != NULL) {
            *exprs[i] = expr_rewrite(binder->arena, *exprs[i], lift_window, &lift);
        }
    }
    for (uint32_t i = 0; i < lift.groups.count; i++) {
        *node = window_make(binder, *node, lift.groups.items[i]);
    }
    return STATUS_OK;
}
