/*
 * expr_compile_node.c — which operation a node is, and what is known about it beforehand.
 */
#include "compute/expression/expr_internal.h"
#include "compute/expression/expr_like.h"
#include "compute/expression/expr_slots.h"

#define FUNCTION_ARGS_MAX 8

typedef struct NodeRule {
    NodeOp op;
    bool is_strict, can_fail, is_costly;
} NodeRule;

static void set_rule(ExprNode *node, NodeRule rule)
{
    node->op = rule.op;
    node->is_strict = rule.is_strict;
    node->can_fail = rule.can_fail;
    node->is_costly = rule.is_costly;
}

static bool has_float(const Compiler *compiler, const ExprNode *node)
{
    return type_is_float(node->type) ||
           (node->arg_count > 0 && type_is_float(compiler_arg(compiler, node, 0)->type));
}

static bool has_text(const Compiler *compiler, const ExprNode *node)
{
    for (uint32_t i = 0; i < node->arg_count; i++) {
        if (type_is_text(compiler_arg(compiler, node, i)->type)) {
            return true;
        }
    }
    return type_is_text(node->type);
}

/* Constant arguments as values, null where an argument is not constant. */
static void read_constants(const Compiler *compiler, const ExprNode *node,
                           const Value *constants[FUNCTION_ARGS_MAX])
{
    for (uint32_t i = 0; i < node->arg_count && i < FUNCTION_ARGS_MAX; i++) {
        const ExprNode *arg = compiler_arg(compiler, node, i);
        constants[i] = arg->is_constant ? &arg->constant : NULL;
    }
}

static Status not_supported(const Expr *expr)
{
    return status_at(expr->position, SQLSTATE_FEATURE_NOT_SUPPORTED, "function %s is not supported",
                     function_name(expr->function));
}

/* A function that runs row by row, or the fall-back of one that has kernels. */
static Status prepare_scalar(Compiler *compiler, ExprNode *node, NodeOp op)
{
    const FunctionEntry *entry = function_find(node->expr->function);
    if (entry == NULL || node->arg_count > FUNCTION_ARGS_MAX) {
        return not_supported(node->expr);
    }
    ScalarCall *call = ARENA_NEW(compiler->arena, ScalarCall);
    call->function = entry->call;
    if (entry->prepare != NULL) {
        const Value *constants[FUNCTION_ARGS_MAX] = {NULL};
        read_constants(compiler, node, constants);
        TRY(entry->prepare(node->expr, constants, compiler->arena, &call->prepared));
    }
    node->prepared = call;
    set_rule(node, (NodeRule){op, true, entry->can_fail, true});
    node->is_volatile = function_is_volatile(node->expr->function);
    return STATUS_OK;
}

static Status prepare_like(Compiler *compiler, ExprNode *node)
{
    const Value *constants[FUNCTION_ARGS_MAX] = {NULL};
    read_constants(compiler, node, constants);
    TRY(expr_like_prepare(node->expr, constants, compiler->arena, &node->prepared));
    set_rule(node, (NodeRule){op_like, true, node->prepared == NULL, true});
    return STATUS_OK;
}

static Status compile_call(Compiler *compiler, ExprNode *node)
{
    bool is_float = has_float(compiler, node);
    switch (node->expr->function) {
    case FUNCTION_ADD:
        set_rule(node, (NodeRule){is_float ? op_float : op_add, true, true, false});
        return STATUS_OK;
    case FUNCTION_SUBTRACT:
        set_rule(node, (NodeRule){is_float ? op_float : op_subtract, true, true, false});
        return STATUS_OK;
    case FUNCTION_MULTIPLY:
        set_rule(node, (NodeRule){is_float ? op_float : op_multiply, true, true, false});
        return STATUS_OK;
    case FUNCTION_DIVIDE:
        set_rule(node, (NodeRule){is_float ? op_float : op_divide, true, true, true});
        return STATUS_OK;
    case FUNCTION_MODULO:
    case FUNCTION_MOD:
        set_rule(node, (NodeRule){is_float ? op_float : op_modulo, true, true, true});
        return STATUS_OK;
    case FUNCTION_NEGATE:
        set_rule(node, (NodeRule){is_float ? op_float : op_negate, true, true, false});
        return STATUS_OK;
    case FUNCTION_EQUAL:
    case FUNCTION_NOT_EQUAL:
    case FUNCTION_LESS:
    case FUNCTION_LESS_EQUAL:
    case FUNCTION_GREATER:
    case FUNCTION_GREATER_EQUAL:
        set_rule(node, (NodeRule){op_compare, true, false, has_text(compiler, node)});
        return STATUS_OK;
    case FUNCTION_IS_NOT_DISTINCT:
        set_rule(node, (NodeRule){op_is_not_distinct, false, false, has_text(compiler, node)});
        return STATUS_OK;
    case FUNCTION_LIKE:
    case FUNCTION_ILIKE:
        return prepare_like(compiler, node);
    case FUNCTION_COALESCE:
        set_rule(node, (NodeRule){op_coalesce, false, false, true});
        return STATUS_OK;
    case FUNCTION_GREATEST:
    case FUNCTION_LEAST:
        set_rule(node, (NodeRule){op_extreme, false, false, true});
        return STATUS_OK;
    case FUNCTION_AVG_FINAL:
        set_rule(node, (NodeRule){op_avg_final, true, true, true});
        return STATUS_OK;
    case FUNCTION_BUCKET:
        set_rule(node, (NodeRule){op_bucket, false, false, true});
        return STATUS_OK;
    case FUNCTION_SUBSTRING:
    case FUNCTION_LEFT:
        return prepare_scalar(compiler, node, op_substring);
    case FUNCTION_EXTRACT:
        return prepare_scalar(compiler, node, op_extract);
    case FUNCTION_DATE_ADD_DAYS:
    case FUNCTION_DATE_SUBTRACT_DAYS:
    case FUNCTION_DATE_DIFFERENCE:
        return prepare_scalar(compiler, node, op_date_days);
    default:
        return prepare_scalar(compiler, node, op_function);
    }
}

/* Casts that cannot fail or cost next to nothing are known by their types. */
static Status compile_cast(const Compiler *compiler, ExprNode *node)
{
    Type source = compiler_arg(compiler, node, 0)->type, target = node->type;
    NodeRule rule = {op_cast, true, true, has_text(compiler, node)};
    if (type_is_text(source) && type_is_text(target)) {
        bool is_view = expr_text_fits(source, target);
        rule.can_fail = !is_view && !node->expr->is_explicit;
        rule.is_costly = !is_view;
    } else if (type_is_integer(source) && type_is_integer(target)) {
        rule.can_fail = type_int64_max(source) > type_int64_max(target);
    }
    set_rule(node, rule);
    return STATUS_OK;
}

/* The list as a predicate: integers and decimals as int64, which is how lanes hold them. */
static Status compile_in(Compiler *compiler, ExprNode *node)
{
    const Expr *expr = node->expr;
    Type type = compiler_arg(compiler, node, 0)->type;
    Predicate *predicate = ARENA_NEW(compiler->arena, Predicate);
    Value *values = ARENA_ARRAY(compiler->arena, Value, expr->in.value_count);
    bool is_exact = type.id == TYPE_DECIMAL || type_is_scaled_integer(type);
    uint32_t count = 0;
    for (uint32_t i = 0; i < expr->in.value_count; i++) {
        const Value *value = &expr->in.values[i];
        if (!is_exact) {
            values[count++] = *value;
            continue;
        }
        Int128 number = value_int128(value);
        if (number == (int64_t)number) {
            values[count++] = value_int64(type_of(TYPE_BIGINT), (int64_t)number);
        }
    }
    *predicate = (Predicate){
        .kind = PREDICATE_IN,
        .type = is_exact ? type_of(TYPE_BIGINT) : type,
        .values = values,
        .value_count = count,
    };
    node->prepared = predicate;
    set_rule(node, (NodeRule){op_in, true, false, type_is_text(type)});
    return STATUS_OK;
}

static Status compile_column(const Compiler *compiler, ExprNode *node)
{
    if (node->expr->column >= compiler->input_count) {
        return status_error(SQLSTATE_INTERNAL_ERROR, "expression uses column %u of %u",
                            node->expr->column, compiler->input_count);
    }
    node->op = op_column;
    node->column = node->expr->column;
    node->is_null_for_null = true;
    return STATUS_OK;
}

Status expr_compile_node(Compiler *compiler, ExprNode *node)
{
    const Expr *expr = node->expr;
    switch (expr->kind) {
    case EXPR_COLUMN:
        return compile_column(compiler, node);
    case EXPR_CONSTANT:
        node->op = op_constant;
        node->is_constant = true;
        node->constant = expr->constant;
        return STATUS_OK;
    case EXPR_CALL:
        return compile_call(compiler, node);
    case EXPR_CAST:
        return compile_cast(compiler, node);
    case EXPR_CASE:
        set_rule(node, (NodeRule){op_case, false, false, true});
        return STATUS_OK;
    case EXPR_AND:
        set_rule(node, (NodeRule){op_and, false, false, false});
        return STATUS_OK;
    case EXPR_OR:
        set_rule(node, (NodeRule){op_or, false, false, false});
        return STATUS_OK;
    case EXPR_NOT:
        set_rule(node, (NodeRule){op_not, true, false, false});
        return STATUS_OK;
    case EXPR_IS_NULL:
    case EXPR_IS_NOT_NULL:
        set_rule(node, (NodeRule){op_is_null, false, false, false});
        return STATUS_OK;
    case EXPR_IN:
        return compile_in(compiler, node);
    default:
        return status_at(expr->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "expression of kind %d cannot be computed here", (int)expr->kind);
    }
}
