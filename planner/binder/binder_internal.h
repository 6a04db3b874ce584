/*
 * binder_internal.h — the binder's state and what its files call of each other; this folder only.
 *
 * Expressions come out typed. Two kinds are unfinished in between: constants and parameters of
 * type UNKNOWN ('1998-01-01', NULL, $1), which coerce.c turns into whatever their place wants.
 */
#pragma once
#include "planner/binder/bind.h"
#include "planner/logical/logical_tree.h"

#define BIND_DEPTH_MAX 240         /* nested expressions and queries; with casts between them still
                                    * below PLAN_DEPTH_MAX */
#define BIND_QUERY_DEPTH 8         /* what one level of query counts for */
#define VIEW_DEPTH_MAX 32
#define BIND_REPEATS_MAX 200000    /* expression nodes copied because SQL names them twice */

/* The place an expression stands in: says what is allowed there and words the errors. */
typedef enum Clause {
    CLAUSE_SELECT, CLAUSE_WHERE, CLAUSE_ON, CLAUSE_GROUP_BY, CLAUSE_HAVING, CLAUSE_QUALIFY,
    CLAUSE_ORDER_BY, CLAUSE_LIMIT, CLAUSE_VALUES, CLAUSE_AGGREGATE, CLAUSE_FILTER, CLAUSE_WINDOW,
    CLAUSE_DEFAULT, CLAUSE_ARGUMENTS, CLAUSE_UPDATE, CLAUSE_COUNT
} Clause;

typedef struct ScopeColumn {
    const char *name;
    Expr *expr;                    /* EXPR_COLUMN, or COALESCE of a FULL JOIN's USING column */
} ScopeColumn;

/* A table, view or subquery of FROM by the name it can be called by. */
typedef struct ScopeRelation {
    const char *schema;            /* null for aliases */
    const char *name;              /* null: cannot be called */
    const char *table_name;        /* the table behind an alias, for hints; or null */
    int32_t position;
    uint32_t column_count;
    ScopeColumn *columns;
} ScopeRelation;
typedef struct RelationList {
    ScopeRelation **items;
    uint32_t count, capacity;
} RelationList;

/* What * gives and plain names see, in order; USING columns come first and once. */
typedef struct ScopeItem {
    const char *name;
    Expr *expr;
    const ScopeRelation *relation; /* null: merged by USING */
} ScopeItem;
typedef struct ItemList {
    ScopeItem *items;
    uint32_t count, capacity;
} ItemList;

typedef struct FromItem {
    LogicalNode *node;
    RelationList relations;
    ItemList items;
} FromItem;

/* A column of this scope that a subquery has used. */
typedef struct OuterUse {
    ColumnNumber number;
    int32_t position;
    const char *relation, *name;
} OuterUse;
typedef struct OuterUseList {
    OuterUse *items;
    uint32_t count, capacity;
} OuterUseList;

typedef struct CteBinding {
    const char *name;
    const AstCte *ast;
    LogicalNode *definition;       /* null while it is being bound: a reference is recursion */
    uint32_t cte_id;
    uint32_t use_count;
    struct CteBinding *outer;
} CteBinding;

/* One item of a select list. */
typedef struct SelectItem {
    Expr *expr;
    const char *name;              /* of the output column */
    const char *alias;             /* what lateral references find: written, or the column's name */
    int32_t position;
} SelectItem;
typedef struct SelectItemList {
    SelectItem *items;
    uint32_t count, capacity;
} SelectItemList;

typedef struct Scope {
    struct Scope *outer;           /* enclosing query, for correlated names */
    RelationList relations;
    ItemList items;
    CteBinding *ctes;
    Clause clause;
    const SelectItemList *aliases; /* names that the select list has given so far; or null */
    const AstWindowList *windows;  /* WINDOW clause; or null */
    bool has_aggregates, has_windows;
    OuterUseList outer_uses;       /* only those that grouping must allow */
} Scope;

/* Where a view's text named a table without its schema. */
typedef struct NamePlace {
    int32_t position;
    const char *schema;
} NamePlace;
typedef struct NamePlaceList {
    NamePlace *items;
    uint32_t count, capacity;
} NamePlaceList;

typedef struct Binder {
    PlannerContext *context;
    Arena *arena;
    const CatalogView *catalog;
    BindParameters *parameters;
    uint32_t depth, view_depth;
    uint32_t repeated_count;       /* see BIND_REPEATS_MAX */
    NamePlaceList *name_places;    /* CREATE VIEW collects them; else null */
    uint64_t replaced_view_id;     /* CREATE OR REPLACE VIEW must not name this one; else 0 */
} Binder;

/* bind_expr.c */
Status bind_expr(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out) CHECKED;
/* A condition: BOOLEAN; `what` is "WHERE" or the like. */
Status bind_condition(Binder *binder, Scope *scope, const AstExpr *ast, Clause clause,
                      Expr **out) CHECKED;
Status bind_exprs(Binder *binder, Scope *scope, uint32_t count, AstExpr *const *asts,
                  Expr ***out) CHECKED;
const char *clause_name(Clause clause);
Status binder_enter(Binder *binder, uint32_t levels, int32_t position) CHECKED; /* 54001 */
void binder_leave(Binder *binder, uint32_t levels);
/* The expression once more, for SQL that names it once and needs it twice. Plans of subqueries
 * are copied, so that each has its own column numbers. */
Status bind_repeat(Binder *binder, Expr *expr, Expr **out) CHECKED;
Expr *expr_at(Expr *expr, int32_t position); /* sets the position */

/* scope.c */
void scope_init(Scope *scope, Scope *outer, CteBinding *ctes, const FromItem *from);
Status scope_find_column(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out) CHECKED;
ScopeRelation *scope_relation(Binder *binder, const LogicalNode *node, const char *name);
/* Items of `*` or `t.*`. */
Status scope_expand_star(Binder *binder, Scope *scope, const AstExpr *ast, ItemList *out) CHECKED;

/* type_resolve.c */
Status type_resolve(Binder *binder, const AstTypeName *name, bool is_column, Type *out) CHECKED;

/* literal.c */
Status bind_number(Binder *binder, const AstExpr *ast, Expr **out) CHECKED;
Status bind_typed_literal(Binder *binder, const AstExpr *ast, Expr **out) CHECKED;
Expr *constant_text(Binder *binder, const char *text, Type type);
Expr *constant_null(Binder *binder, Type type);
Expr *constant_value(Binder *binder, const Value *value, int32_t position);
bool is_unknown(const Expr *expr);
bool is_constant(const Expr *expr); /* a finished one */

/* coerce.c */
typedef enum CastLevel { CAST_NONE, CAST_EXPLICIT, CAST_ASSIGNMENT, CAST_IMPLICIT } CastLevel;
CastLevel cast_level(Type source, Type target);
/* To `target`, if casts of `level` or easier allow it; 42846, and 22… from folding constants. */
Status coerce(Binder *binder, Expr *expr, Type target, CastLevel level, Expr **out) CHECKED;
/* A parameter of no type yet, as one that suits a value of type `beside` without limiting it. */
Status coerce_parameter_freely(Binder *binder, Expr *expr, Type beside, Expr **out) CHECKED;
/* UNKNOWN becomes VARCHAR; others stay. */
Status coerce_unknown(Binder *binder, Expr *expr, Expr **out) CHECKED;
/* The type all can take; `what` words 42804: "CASE types x and y cannot be matched". */
Status common_type(Binder *binder, uint32_t count, Expr *const *exprs, const char *what,
                   Type *out) CHECKED;
bool common_type_of_two(Type left, Type right, Type *out);
Status coerce_common(Binder *binder, uint32_t count, Expr **exprs, const char *what,
                     Type *out) CHECKED;
Status coerce_condition(Binder *binder, Expr *expr, const char *what, Expr **out) CHECKED;
/* A constant as `target` when that loses nothing. */
bool constant_narrow(Binder *binder, const Expr *constant, Type target, Expr **out);

/* compare.c */
Status bind_comparison(Binder *binder, FunctionId function, Expr *left, Expr *right,
                       int32_t position, Expr **out) CHECKED;
/* The common type to compare two non-constant sides by; false: cannot be compared. */
bool comparison_type(Type left, Type right, Type *out);
/* An unknown side takes the type of the other; of two, both are text. */
Status comparison_resolve(Binder *binder, Expr **side, const Expr *other) CHECKED;
bool comparison_find(const char *symbol, FunctionId *function);
FunctionId comparison_negate(FunctionId function);
Status operator_missing(const char *symbol, Type left, Type right, int32_t position) CHECKED;

/* arithmetic.c */
Status bind_arithmetic(Binder *binder, FunctionId function, Expr *left, Expr *right,
                       int32_t position, Expr **out) CHECKED;
Status bind_negate(Binder *binder, Expr *operand, int32_t position, Expr **out) CHECKED;
Status bind_operator(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out) CHECKED;
Status bind_concat(Binder *binder, Expr *left, Expr *right, int32_t position, Expr **out) CHECKED;

/* date_arithmetic.c */
/* date, timestamp, interval with + - * /; `*is_known` false: these types do not belong here. */
Status bind_date_arithmetic(Binder *binder, FunctionId function, Expr *left, Expr *right,
                            int32_t position, bool *is_known, Expr **out) CHECKED;
/* DATE against TIMESTAMP: a comparison of dates where that says the same. */
Status compare_date_timestamp(Binder *binder, FunctionId function, Expr *date, Expr *timestamp,
                              bool *is_done, Expr **out) CHECKED;

/* predicate.c */
Status bind_between(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out) CHECKED;
Status bind_in_list(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out) CHECKED;
Status bind_like(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out) CHECKED;
Status bind_is(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out) CHECKED;
Status bind_is_distinct(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out) CHECKED;
Status bind_row_comparison(Binder *binder, Scope *scope, const AstExpr *ast, FunctionId function,
                           Expr **out) CHECKED;

/* subquery.c */
Status bind_subquery(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out) CHECKED;
Expr *subquery_make(Binder *binder, SubqueryKind kind, LogicalNode *plan, Type type,
                    int32_t position);

/* bind_statement.c: the value of an expression without columns; `what` names it in errors. */
Status bind_constant(Binder *binder, const Expr *expr, const char *what, Value *out) CHECKED;

/* identity.c */
int32_t identity_column(const CatalogTable *table); /* its index; -1 */
/* 428C9 when statements must not give it values. */
Status identity_check_assigned(const CatalogColumn *column, int32_t position) CHECKED;
/* The first number of `count`; 0: of as many as there will be. */
Status identity_take(Binder *binder, const CatalogTable *table, uint32_t count,
                     int64_t *first) CHECKED;
Status identity_constant(Binder *binder, const CatalogColumn *column, int64_t number,
                         Expr **out) CHECKED;
/* Puts a number beside each of the rows; `*out` is the identity column's value over them. */
Status identity_of_rows(Binder *binder, const CatalogTable *table, LogicalNode **rows,
                        Expr **out) CHECKED;

/* conditional.c */
Status bind_case(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out) CHECKED;
Status bind_decode(Binder *binder, uint32_t count, Expr **args, int32_t position,
                   Expr **out) CHECKED;
Status bind_nvl2(Binder *binder, Expr **args, int32_t position, Expr **out) CHECKED;
Expr *case_make(Binder *binder, uint32_t count, Expr **parts, Type type, int32_t position);

/* catalog_lookup.c: functions and casts between OIDs and names; `*is_known` false: something
 * else. */
Status bind_catalog_function(Binder *binder, Scope *scope, const AstExpr *ast, bool *is_known,
                             Expr **out) CHECKED;
Status bind_reg_cast(Binder *binder, Scope *scope, const AstExpr *ast, bool *is_known,
                     Expr **out) CHECKED;

/* system_functions.c: current_user, now(), version() …: constants of the session. `*is_known`
 * false: no such function. */
Status bind_system_function(Binder *binder, const AstExpr *ast, uint32_t count, Expr **args,
                            bool *is_known, Expr **out) CHECKED;

/* bind_function.c */
Status bind_call(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out) CHECKED;
Status function_missing(Binder *binder, const char *name, uint32_t count, Expr *const *args,
                        int32_t position) CHECKED;

/* function_signatures.c: coerces the arguments and finds the result type; 42883. */
Status bind_function(Binder *binder, FunctionId function, uint32_t count, Expr **args,
                     int32_t position, Expr **out) CHECKED;
bool function_by_name(const char *name, FunctionId *out);

/* bind_aggregate.c */
bool aggregate_find(const char *name, AggregateId *out);
Status bind_aggregate(Binder *binder, Scope *scope, const AstExpr *ast, AggregateId id,
                      Expr **out) CHECKED;
/* Argument and result type of an aggregate, plain or over a window. */
Status aggregate_signature(Binder *binder, AggregateId id, const char *name, Expr *argument,
                           int32_t position, Expr **coerced, Type *type) CHECKED;

/* bind_window.c */
Status bind_window_call(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out) CHECKED;
bool window_function_find(const char *name, WindowFunctionId *out);
/* Moves the EXPR_WINDOW of `exprs` (null entries are skipped) into LogicalWindow nodes. */
Status lift_windows(Binder *binder, LogicalNode **node, uint32_t count, Expr ***exprs) CHECKED;

/* bind_group.c */
typedef struct Grouping {
    uint32_t key_count;
    Expr **keys;
    uint32_t set_count;            /* GROUPING SETS, ROLLUP, CUBE; 0: one set of all keys */
    const uint64_t *sets;          /* a bit per key */
} Grouping;
#define GROUPING_KEYS_MAX 64
#define GROUPING_SETS_MAX 128

/* GROUPING(x) until it is lifted: an EXPR_AGGREGATE of no kind that leaves the binder. */
#define AGGREGATE_GROUPING ((AggregateId)AGGREGATE_ID_MAX)
Status bind_grouping_call(Binder *binder, Scope *scope, const AstExpr *ast, Expr **out) CHECKED;
/* Puts a LogicalAggregate over *node and rewrites `exprs` to its outputs; 42803 for columns that
 * are neither grouped nor aggregated. */
Status lift_aggregates(Binder *binder, const Scope *scope, const Grouping *grouping,
                       LogicalNode **node, uint32_t count, Expr ***exprs) CHECKED;

/* grouping_sets.c */
/* All sets that a GROUP BY list stands for, each a bit per key; `add_key` gives a key's index. */
typedef struct GroupKeySource {
    void *self;
    Status (*add_key)(void *self, const AstExpr *ast, uint32_t *index);
} GroupKeySource;
Status grouping_sets_expand(Binder *binder, const AstGroupList *list, const GroupKeySource *source,
                            uint32_t *count, uint64_t **out) CHECKED;
/* One aggregate per set over a shared input, joined by UNION ALL, with the columns of `aggregate`
 * and, behind them, one INTEGER column per GROUPING call (`grouping_keys`: its key's index). */
Status grouping_sets_build(Binder *binder, const Grouping *grouping, LogicalAggregate *aggregate,
                           uint32_t grouping_count, const uint32_t *grouping_keys,
                           const LogicalColumn *grouping_columns, LogicalNode **out) CHECKED;

/* bind_from.c */
Status bind_from(Binder *binder, Scope *outer, CteBinding *ctes, const AstTableList *tables,
                 FromItem *out) CHECKED;
Status bind_table_name(Binder *binder, const AstObjectName *name, const CatalogTable **out) CHECKED;
LogicalNode *get_make(Binder *binder, const CatalogTable *table, const char *alias);
/* One relation and its columns. */
void from_item_init(FromItem *out, Binder *binder, LogicalNode *node, ScopeRelation *relation);
/* The names of `other` join those of `item`; its rows do not. 42712 for a name they share. */
Status from_item_add_names(FromItem *item, Binder *binder, const FromItem *other) CHECKED;

/* bind_query.c */
/* `keeps_unknown`: output columns may stay UNKNOWN, the caller coerces them. */
Status bind_query(Binder *binder, Scope *outer, CteBinding *ctes, const AstQuery *query,
                  bool keeps_unknown, LogicalNode **out) CHECKED;
/* The definitions of WITH (null: none) come before those in `*ctes`. */
Status bind_with(Binder *binder, Scope *outer, const AstWith *with, CteBinding **ctes) CHECKED;
/* `node` with the definitions from `cte` up to `outer` in scope, those that are used. */
LogicalNode *wrap_ctes(Binder *binder, const CteBinding *cte, const CteBinding *outer,
                       LogicalNode *node);
/* Output columns coerced to `types`. */
Status query_coerce(Binder *binder, LogicalNode **node, const Type *types, CastLevel level) CHECKED;
/* Keys of a window: plain expressions. */
Status bind_sort(Binder *binder, Scope *scope, const AstSortList *order,
                 LogicalSortKey **out) CHECKED;
LogicalSortKey sort_key_make(const AstSortKey *ast, Expr *expr);
/* `ast` as a position of the output list (1 … column_count) in *index; false: no number. */
Status bind_position(const AstExpr *ast, const char *clause, uint32_t column_count,
                     bool *is_position, uint32_t *index) CHECKED;
LogicalNode *sort_make(Binder *binder, LogicalNode *child, uint32_t count, LogicalSortKey *keys);
Status bind_limit(Binder *binder, const AstQuery *query, const AstExpr *top,
                  LogicalNode **node) CHECKED;
LogicalNode *values_make(Binder *binder, uint32_t row_count, Expr **cells, uint32_t column_count,
                         LogicalColumn *columns);

/* bind_select.c */
Status bind_select(Binder *binder, Scope *outer, CteBinding *ctes, const AstQuery *query,
                   bool keeps_unknown, LogicalNode **out) CHECKED;

/* bind_view.c */
/* Parses and binds a view's text; errors lose their position and gain "view x" as context. */
Status bind_view(Binder *binder, const CatalogTable *view, LogicalNode **out) CHECKED;

/* bind_target.c */
/* The table whose rows a statement deletes or replaces. */
typedef struct ChangeTarget {
    const CatalogTable *table;
    FromItem item; /* its names; its node gives row ids and nodes as well */
    LogicalColumn ids[2]; /* row id and node */
} ChangeTarget;
/* `action` words 42809: "delete from". */
Status bind_change_target(Binder *binder, const AstObjectName *name, const char *alias,
                          const char *action, ChangeTarget *out) CHECKED;
/* What a statement says of the target's rows: other tables beside it, and a condition. */
typedef struct ChangeRows {
    FromItem others; /* node null: none */
    Scope scope;     /* of the target and the others */
    Expr *condition; /* or null */
} ChangeRows;
Status bind_change_rows(Binder *binder, CteBinding *ctes, const ChangeTarget *target,
                        const AstTableList *others, const AstExpr *where, ChangeRows *out) CHECKED;
/* The target's rows for which the condition holds, beside some rows of the others; each once. */
LogicalNode *change_rows_once(Binder *binder, const ChangeTarget *target, const ChangeRows *rows);
/* Rows that are computed once and read by the deletion and by the insertion. */
typedef struct SharedRows {
    uint32_t cte_id;
    const char *name;
    LogicalNode *definition;
} SharedRows;
SharedRows shared_rows_make(Binder *binder, const char *name, LogicalNode *definition);
LogicalNode *shared_rows_reference(Binder *binder, const SharedRows *rows);
/* An expression over the definition's columns as one over the reference's; takes subqueries along.
 */
Expr *shared_rows_expr(Binder *binder, const SharedRows *rows, const LogicalNode *reference,
                       Expr *expr);
/* A deletion of the target's rows that `rows` gives, whose row ids are `ids`: id and node. */
LogicalNode *delete_make(Binder *binder, const CatalogTable *table, LogicalNode *rows,
                         const LogicalColumn ids[2]);
/* An insertion of `exprs` over `rows`, one per column of the table, each of its column's type. */
LogicalNode *insert_make(Binder *binder, const CatalogTable *table, LogicalNode *rows,
                         Expr **exprs);
/* What SET writes by column of the target, in `scope`; null: nothing. 42703, 42701. */
Status bind_set(Binder *binder, const CatalogTable *table, Scope *scope,
                const AstAssignmentList *assignments, Expr ***out) CHECKED;
/* Both, over `shared`. */
LogicalNode *change_make(Binder *binder, const SharedRows *shared, const LogicalChange *change);

/* bind_dml.c, bind_update.c, bind_delete.c, bind_merge.c, bind_copy.c, bind_ddl.c …: one statement
 * each */
Status bind_insert(Binder *binder, const AstStatement *ast, BoundStatement *bound) CHECKED;
Status bind_update(Binder *binder, const AstStatement *ast, BoundStatement *bound) CHECKED;
Status bind_delete(Binder *binder, const AstStatement *ast, BoundStatement *bound) CHECKED;
Status bind_merge(Binder *binder, const AstStatement *ast, BoundStatement *bound) CHECKED;
/* The values of one new row, by column of the table: the listed ones (`names` null: the first),
 * then defaults. */
Status bind_new_row(Binder *binder, const CatalogTable *table, Scope *scope,
                    const AstWordList *names, const AstExprList *values, Expr ***out) CHECKED;
/* What a statement that changes rows gives: how many. */
LogicalColumn *row_count_column(PlannerContext *context);
/* 42703 for a name the table has no column of. */
Status bind_column_name(const CatalogTable *table, const AstWord *name, uint32_t *index) CHECKED;
/* A value as a column takes it; 42804. */
Status bind_assignment(Binder *binder, const CatalogColumn *column, Expr *expr, Expr **out) CHECKED;
Status bind_column_default(Binder *binder, const CatalogColumn *column, Expr **out) CHECKED;
/* A table that rows can be written to; 42809 says what cannot be done to a view. */
Status bind_writable_table(Binder *binder, const AstObjectName *name, const char *action,
                           const CatalogTable **out) CHECKED;
Status bind_copy(Binder *binder, const AstStatement *ast, BoundStatement *bound) CHECKED;
/* copy_format.c: the options as an encoded CopyFormat. */
Status bind_copy_format(Binder *binder, const AstCopy *copy, size_t *bytes, const void **out,
                        bool *is_gzip) CHECKED;
/* What the client sees of bound->root. */
void bind_results(Binder *binder, BoundStatement *bound);
Status bind_create_table(Binder *binder, const AstStatement *ast, BoundStatement *bound) CHECKED;
/* The schema a new table or view goes to; 3F000, 42P16. */
Status bind_new_name(Binder *binder, const AstObjectName *name, bool is_temporary,
                     const char **schema) CHECKED;
Status bind_alter_table(Binder *binder, const AstStatement *ast, BoundStatement *bound) CHECKED;
/* One column as CREATE TABLE and ALTER TABLE ADD write it; without an id. */
Status bind_column(Binder *binder, const AstColumnDefinition *ast, const char *table,
                   CatalogColumn *out) CHECKED;
/* A word of ENCODE for a column of `type`; null is none. 22023 when unknown, 42P16 when it does not
 * fit. */
Status bind_encode_word(const char *name, int32_t position, const char *column, Type type) CHECKED;
Status bind_create_view(Binder *binder, const AstStatement *ast, BoundStatement *bound) CHECKED;
Status bind_create_schema(Binder *binder, const AstStatement *ast, BoundStatement *bound) CHECKED;
/* SHOW TABLE and SHOW VIEW are queries of one row. */
Status bind_show_object(Binder *binder, const AstShow *show, BoundStatement *bound) CHECKED;
Status bind_drop(Binder *binder, const AstStatement *ast, BoundStatement *bound) CHECKED;
Status bind_vacuum(Binder *binder, const AstStatement *ast, BoundStatement *bound) CHECKED;
/* Distribution and sort keys as the attributes say; what they do not name stays. */
Status bind_table_layout(Binder *binder, const AstTableAttributes *attributes,
                         CatalogTable *table) CHECKED;
/* bind_append.c: ALTER TABLE t APPEND FROM s. */
Status bind_append(Binder *binder, const AstStatement *ast, BoundStatement *bound) CHECKED;
Status bind_truncate(Binder *binder, const AstStatement *ast, BoundStatement *bound) CHECKED;
Status bind_lock(Binder *binder, const AstStatement *ast, BoundStatement *bound) CHECKED;
Status bind_default_expr(Binder *binder, const AstExpr *ast, Type type, Expr **out) CHECKED;
