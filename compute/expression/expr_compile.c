/*
 * expr_compile.c — expression trees to programs.
 *
 * A tree is walked bottom up; every node is looked up among those that exist, so that a common
 * subexpression is one register. Nodes whose arguments are constants are computed at once, unless
 * that fails: then they stay, and fail when a row needs them.
 */
#include <stdatomic.h>
#include <string.h>

#include "base/hash.h"
#include "compute/expression/expr_internal.h"
#include "compute/expression/expr_simplify.h"

#define DEPTH_MAX 2000
#define BUCKETS_MIN 64

static Status compile_expr(Compiler *compiler, const Expr *expr, uint32_t depth, uint32_t *index);

const ExprNode *compiler_arg(const Compiler *compiler, const ExprNode *node, uint32_t i)
{
    return compiler->nodes.items[node->args[i]];
}

/* --- finding equal nodes --- */

static Expr without_args(const Expr *expr)
{
    Expr own = *expr;
    own.arg_count = 0;
    return own;
}

static uint64_t node_hash(const Expr *expr, const uint32_t *args)
{
    Expr own = without_args(expr);
    uint64_t hash = expr_hash(&own);
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        hash = hash_combine(hash, args[i]);
    }
    return hash;
}

static bool node_equals(const ExprNode *node, const Expr *expr, const uint32_t *args)
{
    if (node->expr->arg_count != expr->arg_count ||
        memcmp(node->args, args, expr->arg_count * sizeof *args) != 0) {
        return false;
    }
    Expr left = without_args(node->expr), right = without_args(expr);
    return expr_equal(&left, &right) &&
           (expr->kind != EXPR_CAST || node->expr->is_explicit == expr->is_explicit);
}

static void insert_bucket(Compiler *compiler, uint64_t hash, uint32_t index)
{
    uint32_t slot = (uint32_t)hash & (compiler->bucket_count - 1);
    while (compiler->buckets[slot] != 0) {
        slot = (slot + 1) & (compiler->bucket_count - 1);
    }
    compiler->buckets[slot] = index + 1;
}

static void grow_buckets(Compiler *compiler)
{
    compiler->bucket_count = compiler->bucket_count == 0 ? BUCKETS_MIN : compiler->bucket_count * 2;
    compiler->buckets = ARENA_ARRAY(compiler->arena, uint32_t, compiler->bucket_count);
    for (uint32_t i = 0; i < compiler->nodes.count; i++) {
        const ExprNode *node = compiler->nodes.items[i];
        insert_bucket(compiler, node_hash(node->expr, node->args), i);
    }
}

static bool find_node(const Compiler *compiler, const Expr *expr, const uint32_t *args,
                      uint64_t hash, uint32_t *index)
{
    uint32_t mask = compiler->bucket_count - 1;
    for (uint32_t slot = (uint32_t)hash & mask; compiler->buckets[slot] != 0;
         slot = (slot + 1) & mask) {
        uint32_t candidate = compiler->buckets[slot] - 1;
        if (node_equals(compiler->nodes.items[candidate], expr, args)) {
            *index = candidate;
            return true;
        }
    }
    return false;
}

/* --- constants --- */

static bool has_constant_args(const Compiler *compiler, const ExprNode *node)
{
    for (uint32_t i = 0; i < node->arg_count; i++) {
        if (!compiler_arg(compiler, node, i)->is_constant) {
            return false;
        }
    }
    return node->arg_count > 0;
}

/* Computes the node for one row of no columns. */
static Status compute_constant(const ExprProgram *program, uint32_t index, Arena *arena, Value *out)
{
    Arena *scratch = arena_create(arena, "constant");
    ExprState *state = expr_state_create_inner(program, scratch);
    Batch batch = {.row_count = 1, .selected_count = 1};
    const Vector *vector;
    expr_begin(state, &batch);
    Status status = expr_vector(state, index, &vector);
    if (status == STATUS_OK) {
        Value value = vector_value(vector, 0);
        *out = value_copy(arena, &value);
    }
    arena_destroy(scratch);
    return status;
}

static void fold_constant(Compiler *compiler, ExprNode *node)
{
    ExprProgram program = {
        .nodes = (ExprNode **)compiler->nodes.items,
        .node_count = compiler->nodes.count,
    };
    Value value;
    Status status = compute_constant(&program, node->index, compiler->arena, &value);
    if (status != STATUS_OK) {
        status_ignore(status, "raised again when a row needs the value");
        return;
    }
    value.type = node->type;
    node->constant = value;
    node->is_constant = true;
    node->is_strict = node->can_fail = node->is_costly = false;
    node->arg_count = 0;
    node->op = op_constant;
}

/* --- nodes --- */

/* Properties that follow from the arguments'; the node's own are set already. */
static void inherit(const Compiler *compiler, ExprNode *node)
{
    bool is_every_null = node->arg_count > 0, is_some_null = false;
    for (uint32_t i = 0; i < node->arg_count; i++) {
        const ExprNode *arg = compiler_arg(compiler, node, i);
        node->can_fail |= arg->can_fail;
        node->is_costly |= arg->is_costly;
        node->is_volatile |= arg->is_volatile;
        is_every_null &= arg->is_null_for_null;
        is_some_null |= arg->is_null_for_null;
        if (arg->column != COLUMN_NONE) {
            node->column = node->column == COLUMN_NONE || node->column == arg->column ? arg->column
                                                                                      : COLUMN_MANY;
        }
    }
    bool is_connective = node->expr->kind == EXPR_AND || node->expr->kind == EXPR_OR;
    node->is_null_for_null |= node->is_strict ? is_some_null : is_connective && is_every_null;
    bool is_single = node->column != COLUMN_NONE && node->column != COLUMN_MANY;
    if (is_single && node->arg_count > 0 && node->is_null_for_null && !node->is_volatile) {
        bool has_form = type_is_text(node->type) || type_is_scaled_integer(node->type);
        has_form &= node->expr->kind != EXPR_CAST || node->is_costly; // else the codes stay anyway
        node->is_per_entry =
            has_form && (node->is_costly || type_is_text(compiler->input_types[node->column]));
    }
}

static Status add_node(Compiler *compiler, const Expr *expr, const uint32_t *args, uint32_t *index)
{
    if (compiler->nodes.count * 2 >= compiler->bucket_count) {
        grow_buckets(compiler);
    }
    uint64_t hash = node_hash(expr, args);
    if (find_node(compiler, expr, args, hash, index)) {
        return STATUS_OK;
    }
    ExprNode *node = ARENA_NEW(compiler->arena, ExprNode);
    *node = (ExprNode){
        .expr = expr,
        .type = expr->type,
        .index = compiler->nodes.count,
        .arg_count = expr->arg_count,
        .args = args,
        .column = COLUMN_NONE,
    };
    TRY(expr_compile_node(compiler, node));
    inherit(compiler, node);
    pointer_list_add(compiler->arena, &compiler->nodes, node);
    insert_bucket(compiler, hash, node->index);
    if (has_constant_args(compiler, node) && !node->is_volatile) {
        fold_constant(compiler, node);
    }
    *index = node->index;
    return STATUS_OK;
}

/* Functions that are other expressions in disguise. */
static const Expr *rewrite(Compiler *compiler, const Expr *expr)
{
    Arena *arena = compiler->arena;
    if (expr->kind != EXPR_CALL) {
        return expr;
    }
    Comparison simple;
    if (expr_simplify_comparison(expr, &simple) && simple.value != expr->args[0] &&
        simple.value != expr->args[1]) {               // a cast has gone
        Expr *value = (Expr *)(uintptr_t)simple.value; // only read
        return expr_call2(arena, simple.op, expr->type, value, expr_constant(arena, &simple.bound));
    }
    if (expr->function == FUNCTION_NULLIF) { // case when a = b then null else a end
        Value null = value_null(expr->type);
        Expr **args = ARENA_ARRAY(arena, Expr *, 3);
        args[0] =
            expr_call2(arena, FUNCTION_EQUAL, type_of(TYPE_BOOLEAN), expr->args[0], expr->args[1]);
        args[1] = expr_constant(arena, &null);
        args[2] = expr->args[0];
        Expr *chosen = ARENA_NEW(arena, Expr);
        *chosen = (Expr){.kind = EXPR_CASE,
                         .type = expr->type,
                         .position = expr->position,
                         .arg_count = 3,
                         .args = args};
        return chosen;
    }
    if (expr->function == FUNCTION_CONCAT) {
        Expr *texts = NULL;
        for (uint32_t i = 0; i < expr->arg_count; i++) {
            if (type_is_text(expr->args[i]->type)) {
                continue;
            }
            if (texts == NULL) {
                texts = ARENA_NEW(arena, Expr);
                *texts = *expr;
                texts->args = arena_memdup(arena, expr->args, expr->arg_count * sizeof(Expr *));
            }
            texts->args[i] = expr_cast(arena, expr->args[i], type_varchar(0), true);
        }
        return texts != NULL ? texts : expr;
    }
    return expr;
}

static Status compile_expr(Compiler *compiler, const Expr *expr, uint32_t depth, uint32_t *index)
{
    if (depth > DEPTH_MAX) {
        return status_error(SQLSTATE_STATEMENT_TOO_COMPLEX, "expression is nested too deeply");
    }
    const Expr *own = rewrite(compiler, expr);
    uint32_t *args = ARENA_ARRAY(compiler->arena, uint32_t, own->arg_count);
    for (uint32_t i = 0; i < own->arg_count; i++) {
        TRY(compile_expr(compiler, own->args[i], depth + 1, &args[i]));
    }
    return add_node(compiler, own, args, index);
}

Status expr_compile(Arena *arena, Expr *const *exprs, uint32_t expr_count, const Type *input_types,
                    uint32_t input_count, ExprProgram **out)
{
    static atomic_uint_fast64_t last_serial; // only has to differ
    Compiler compiler = {
        .arena = arena,
        .input_types = input_types,
        .input_count = input_count,
    };
    uint32_t *roots = ARENA_ARRAY(arena, uint32_t, expr_count);
    for (uint32_t i = 0; i < expr_count; i++) {
        TRY(compile_expr(&compiler, exprs[i], 0, &roots[i]));
    }
    ExprProgram *program = ARENA_NEW(arena, ExprProgram);
    *program = (ExprProgram){
        .nodes = (ExprNode **)compiler.nodes.items,
        .node_count = compiler.nodes.count,
        .root_count = expr_count,
        .roots = roots,
        .input_count = input_count,
        .input_types = arena_memdup(arena, input_types, input_count * sizeof(Type)),
        .serial = atomic_fetch_add_explicit(&last_serial, 1, memory_order_relaxed),
    };
    *out = program;
    return STATUS_OK;
}

Status expr_evaluate_constant(const Expr *expr, Arena *arena, Value *out)
{
    Arena *scratch = arena_create(arena, "constant expression");
    ExprProgram *program;
    Expr *exprs[1] = {(Expr *)(uintptr_t)expr}; // only read
    Status status = expr_compile(scratch, exprs, 1, NULL, 0, &program);
    Value value;
    if (status == STATUS_OK) {
        status = compute_constant(program, program->roots[0], scratch, &value);
    }
    if (status == STATUS_OK) {
        *out = value_copy(arena, &value);
        out->type = expr->type;
    }
    arena_destroy(scratch);
    return status;
}
