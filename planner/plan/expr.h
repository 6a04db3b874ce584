/*
 * expr.h — typed expressions, from the binder to the nodes.
 *
 * One tree for both plans: in a logical plan EXPR_COLUMN names a query-wide column number, in a
 * physical one the index of a column of the operator's input (joins: probe columns, then build
 * columns). Immutable once built; lives in an arena.
 *
 * What the binder guarantees about EXPR_CALL (see functions.def):
 *   - integer arithmetic: both sides and the result are one of SMALLINT, INTEGER, BIGINT;
 *   - decimal + - %: both sides were cast to one scale, that of the result; *: the result's scale
 *     is the sum of the two (less when capped: the kernel drops digits, rounding); /: result type
 *     by decimal_divide_type;
 *   - floats: both sides of one type; comparisons: both sides of one type id, decimals of one
 *     scale; text of any length;
 *   - field names of date functions are constant VARCHAR arguments, already checked.
 */
#pragma once
#include "base/arena.h"
#include "base/types/type.h"

typedef enum FunctionId {
#define FUNCTION(id, number, name, signature, is_strict) FUNCTION_##id = number,
#include "planner/plan/functions.def"
#undef FUNCTION
    FUNCTION_ID_MAX = 255
} FunctionId;

typedef enum AggregateId {
#define AGGREGATE(id, number, name, merge) AGGREGATE_##id = number,
#include "planner/plan/aggregates.def"
#undef AGGREGATE
    AGGREGATE_ID_MAX = 63
} AggregateId;

typedef enum ExprKind {
    EXPR_COLUMN,
    EXPR_CONSTANT,
    EXPR_CALL,
    EXPR_CAST, /* args[0] -> type; 22003, 22P02 … at run time */
    EXPR_CASE, /* args: when1, then1, when2, then2, …, else; searched form only */
    EXPR_AND,  /* any number of args, three-valued */
    EXPR_OR,
    EXPR_NOT,
    EXPR_IS_NULL,
    EXPR_IS_NOT_NULL,
    EXPR_IN, /* args[0] among values[]; is_negated; has_null_value: NULL was listed */
    /* Only before planning is done: */
    EXPR_PARAMETER,   /* $number, replaced by a constant when values are bound */
    EXPR_AGGREGATE,   /* in select lists, until the binder has lifted it into LogicalAggregate */
    EXPR_SUBQUERY,
    EXPR_WINDOW
} ExprKind;

typedef enum SubqueryKind {
    SUBQUERY_SCALAR,
    SUBQUERY_EXISTS,
    SUBQUERY_IN, /* args[0..] = ANY (subquery columns); comparison by `function` */
    SUBQUERY_ALL /* args[0] <function> ALL (subquery) */
} SubqueryKind;

struct LogicalNode;
typedef struct Expr Expr;

typedef struct AggregateCall {
    AggregateId id;
    Expr *argument; /* null for COUNT_STAR */
    Expr *filter;   /* FILTER (WHERE …), or null */
    bool is_distinct;
    Type type; /* of the result */
} AggregateCall;

struct Expr {
    ExprKind kind;
    Type type;
    int32_t position; /* byte offset in the statement, for errors; POSITION_NONE */
    uint32_t arg_count;
    Expr **args;
    union {
        uint32_t column;     /* COLUMN */
        Value constant;      /* CONSTANT */
        FunctionId function; /* CALL */
        uint32_t parameter;  /* PARAMETER, from 1 */
        bool is_explicit;    /* CAST written by the user */
        struct {
            const Value *values; /* IN: of args[0]'s type, ascending, no NULL */
            uint32_t value_count;
            bool is_negated, has_null_value;
        } in;
        AggregateCall *aggregate;
        struct {
            SubqueryKind kind;
            struct LogicalNode *plan; /* may use outer columns: correlated */
            bool is_negated;          /* NOT EXISTS, NOT IN */
            FunctionId comparison;    /* IN and ALL */
        } subquery;
        struct WindowCall *window;
    };
};

Expr *expr_column(Arena *arena, uint32_t column, Type type);
Expr *expr_constant(Arena *arena, const Value *value); /* long text is copied */
Value value_copy(Arena *arena, const Value *value);
Expr *expr_int64(Arena *arena, TypeId type, int64_t value);
Expr *expr_boolean(Arena *arena, bool value);
Expr *expr_call(Arena *arena, FunctionId function, Type type, uint32_t arg_count, Expr **args);
Expr *expr_call2(Arena *arena, FunctionId function, Type type, Expr *left, Expr *right);
Expr *expr_cast(Arena *arena, Expr *arg, Type type, bool is_explicit);
/* 0 args: true; 1: the arg itself; nested ones are flattened. */
Expr *expr_and(Arena *arena, uint32_t arg_count, Expr **args);
Expr *expr_or(Arena *arena, uint32_t arg_count, Expr **args);
Expr *expr_and2(Arena *arena, Expr *left, Expr *right); /* either may be null: none */
Expr *expr_not(Arena *arena, Expr *arg);
Expr *expr_is_null(Arena *arena, Expr *arg);
Expr *expr_is_not_null(Arena *arena, Expr *arg);
Expr *expr_case(Arena *arena, Type type, uint32_t arg_count, Expr **args);
Expr *expr_copy(Arena *arena, const Expr *expr);
bool expr_equal(const Expr *left, const Expr *right); /* structurally; volatile calls never equal */
bool aggregate_call_equal(const AggregateCall *left, const AggregateCall *right);
bool window_call_same_order(const struct WindowCall *left, const struct WindowCall *right);
uint64_t expr_hash(const Expr *expr);
bool expr_is_constant(const Expr *expr, const Value **value); /* an EXPR_CONSTANT */
bool expr_is_volatile(const Expr *expr);
/* Visits every node, parents first, arguments of aggregates and windows too but not the plans of
 * subqueries; `visit` returns false to skip a node's args. Null is allowed: nothing is visited. */
void expr_walk(const Expr *expr, bool (*visit)(void *object, const Expr *expr), void *object);
/* A copy in which `map` has replaced nodes, parents first: null keeps a node and goes on with its
 * args. Parts without a change are shared with `expr`; plans of subqueries are kept. */
Expr *expr_rewrite(Arena *arena, const Expr *expr, Expr *(*map)(void *object, const Expr *expr),
                   void *object);
/* The same for columns only: every column number replaced, or kept where `map` gives null. */
Expr *expr_replace_columns(Arena *arena, const Expr *expr,
                           Expr *(*map)(void *object, const Expr *column), void *object);
/* SQL text of an expression for EXPLAIN; `column_name` words the columns. */
const char *expr_print(Arena *arena, const Expr *expr,
                       const char *(*column_name)(void *object, uint32_t column), void *object);
const char *aggregate_call_print(Arena *arena, const AggregateCall *call,
                                 const char *(*column_name)(void *object, uint32_t column),
                                 void *object);
const char *window_call_print(Arena *arena, const struct WindowCall *call,
                              const char *(*column_name)(void *object, uint32_t column),
                              void *object);
const char *function_name(FunctionId function);
bool function_is_strict(FunctionId function);
bool function_is_volatile(FunctionId function); /* a new value at every call: random() */
bool function_is_known(uint32_t number);        /* a line of functions.def */
const char *aggregate_name(AggregateId aggregate);
bool aggregate_is_known(uint32_t number);
/* The aggregate that combines partial states of this one. */
AggregateId aggregate_merged_by(AggregateId aggregate);
/* The type of SUM over `argument`: integers up to INTEGER give BIGINT, BIGINT and decimals
 * DECIMAL(38, scale), floats DOUBLE, intervals themselves. */
Type aggregate_sum_type(Type argument);
