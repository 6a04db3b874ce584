/*
 * ast.h — what a statement says, before names have a meaning.
 *
 * Everything lives in the arena given to the parser. Positions are byte offsets into the text that
 * was parsed, from 0; POSITION_NONE means none. Names are already folded to lower case unless they
 * were quoted; string literals are unescaped and end in a zero byte that is not counted.
 *
 * Invariants: (1) lists never hold null unless said so; (2) the parser builds trees without
 * recursion, so a tree may be as deep as its text is long: whoever walks it counts depth.
 */
#pragma once
#include "base/arena.h"

typedef struct AstExpr AstExpr;
typedef struct AstQuery AstQuery;
typedef struct AstTable AstTable;
typedef struct AstStatement AstStatement;

typedef struct AstExprList {
    AstExpr **items;
    uint32_t count, capacity;
} AstExprList;

/* A name or word with its place. */
typedef struct AstWord {
    const char *text;
    int32_t position;
} AstWord;
typedef struct AstWordList {
    AstWord *items;
    uint32_t count, capacity;
} AstWordList;

/* [[database.]schema.]name; absent parts are null. */
typedef struct AstObjectName {
    int32_t position;
    const char *database, *schema, *name;
} AstObjectName;
typedef struct AstObjectNameList {
    AstObjectName **items;
    uint32_t count, capacity;
} AstObjectNameList;

/* Fields of INTERVAL … YEAR TO MONTH: one bit per field. */
typedef enum AstIntervalField {
    AST_INTERVAL_YEAR = 1, AST_INTERVAL_MONTH = 2, AST_INTERVAL_DAY = 4, AST_INTERVAL_HOUR = 8,
    AST_INTERVAL_MINUTE = 16, AST_INTERVAL_SECOND = 32
} AstIntervalField;

typedef struct AstTypeName {
    int32_t position;
    const char *schema;          /* null, or as written: pg_catalog.int4 */
    const char *name;            /* lower case, multi-word names joined: "character varying" */
    AstExprList modifiers;       /* (12, 2), (max) */
    uint32_t interval_fields;    /* AstIntervalField bits; 0: none written */
    bool has_time_zone;          /* WITH TIME ZONE */
    bool is_array;
} AstTypeName;
typedef struct AstTypeNameList {
    AstTypeName **items;
    uint32_t count, capacity;
} AstTypeNameList;

typedef enum AstExprKind {
    AST_COLUMN,        /* names */
    AST_STAR,          /* names: the qualifier, possibly empty; excluded */
    AST_NUMBER,        /* text: digits, point, exponent */
    AST_STRING,        /* text, bytes */
    AST_NULL,
    AST_BOOLEAN,       /* is_true */
    AST_DEFAULT,       /* DEFAULT as an INSERT or UPDATE value */
    AST_PARAMETER,     /* parameter */
    AST_TYPED_LITERAL, /* type, text, bytes: date '1998-12-01'; the position is the text's */
    AST_OPERATOR,      /* text: the symbol; one or two args */
    AST_AND,           /* two args or more */
    AST_OR,
    AST_NOT,
    AST_IS,            /* test; is_negated */
    AST_IS_DISTINCT,   /* two args; is_negated: IS NOT DISTINCT FROM */
    AST_BETWEEN,       /* value, low, high; is_negated, is_symmetric */
    AST_IN_LIST,       /* value, then the items; is_negated */
    AST_IN_QUERY,      /* value; query; is_negated */
    AST_LIKE,          /* value, pattern [, escape]; like; is_negated */
    AST_QUANTIFIED,    /* value [, array]; text: the operator; is_all; query or null */
    AST_EXISTS,        /* query */
    AST_SUBQUERY,      /* query */
    AST_CASE,          /* args: [operand,] when, then, …, [else]; has_operand, has_else */
    AST_CAST,          /* one arg; type; is_try */
    AST_CALL,          /* call; args */
    AST_ROW,           /* (a, b) or ROW(a, b) */
    AST_ARRAY,         /* ARRAY[…] */
    AST_ARRAY_QUERY,   /* query */
    AST_SUBSCRIPT,     /* value, index */
    AST_COLLATE        /* one arg; text: the collation */
} AstExprKind;

typedef enum AstIsTest { AST_IS_NULL, AST_IS_TRUE, AST_IS_FALSE, AST_IS_UNKNOWN } AstIsTest;
typedef enum AstLike { AST_LIKE_LIKE, AST_LIKE_ILIKE, AST_LIKE_SIMILAR } AstLike;

typedef enum AstNullsOrder { AST_NULLS_DEFAULT, AST_NULLS_FIRST, AST_NULLS_LAST } AstNullsOrder;
typedef struct AstSortKey {
    AstExpr *expr;
    bool is_descending;
    AstNullsOrder nulls;
    int32_t position;
} AstSortKey;
typedef struct AstSortList {
    AstSortKey *items;
    uint32_t count, capacity;
} AstSortList;

typedef enum AstFrameUnit { AST_FRAME_RANGE, AST_FRAME_ROWS, AST_FRAME_GROUPS } AstFrameUnit;
typedef enum AstFrameBoundKind {
    AST_BOUND_UNBOUNDED_PRECEDING, AST_BOUND_PRECEDING, AST_BOUND_CURRENT_ROW,
    AST_BOUND_FOLLOWING, AST_BOUND_UNBOUNDED_FOLLOWING
} AstFrameBoundKind;
typedef struct AstFrameBound {
    AstFrameBoundKind kind;
    AstExpr *offset;             /* PRECEDING, FOLLOWING */
    int32_t position;
} AstFrameBound;

/* OVER name: only `name`. OVER (base PARTITION BY … ORDER BY … frame). */
typedef struct AstWindow {
    int32_t position;
    const char *name;            /* of the definition in WINDOW, or OVER name; else null */
    const char *base;            /* (base …), or null */
    AstExprList partition;
    AstSortList order;
    bool has_frame;
    AstFrameUnit unit;
    AstFrameBound start, end;
} AstWindow;
typedef struct AstWindowList {
    AstWindow **items;
    uint32_t count, capacity;
} AstWindowList;

typedef struct AstCall {
    const char *schema;          /* or null */
    const char *name;
    bool is_star;                /* count(*) */
    bool is_distinct;
    bool is_approximate;         /* APPROXIMATE count(distinct …) */
    bool has_parentheses;        /* false: current_date, sysdate … */
    bool is_special_form;        /* extract(f from x) and the like: args are in call order */
    bool is_ignore_nulls;
    AstSortList order;           /* ORDER BY inside the parentheses */
    AstSortList within_group;
    AstExpr *filter;
    AstWindow *over;             /* or null */
} AstCall;

struct AstExpr {
    uint8_t kind;                /* AstExprKind */
    bool is_negated;
    bool is_symmetric;
    bool is_parenthesised;
    int32_t position;
    uint32_t arg_count;
    AstExpr **args;
    union {
        struct {
            const char **names;
            uint32_t name_count;
            AstWordList *excluded; /* STAR; or null */
        };
        struct {
            const char *text;
            uint32_t bytes;
            AstTypeName *type;
            bool is_try;
        };
        bool is_true;
        uint32_t parameter;
        AstIsTest test;
        AstLike like;
        struct {
            AstQuery *query;
            const char *comparison;
            bool is_all;
        };
        struct {
            bool has_operand, has_else;
        };
        AstCall *call;
    };
};

/* ---- queries ---- */

typedef struct AstSelectItem {
    AstExpr *expr;
    const char *alias;           /* or null */
} AstSelectItem;
typedef struct AstSelectList {
    AstSelectItem *items;
    uint32_t count, capacity;
} AstSelectList;

typedef enum AstTableKind {
    AST_TABLE_NAME, AST_TABLE_SUBQUERY, AST_TABLE_FUNCTION, AST_TABLE_JOIN
} AstTableKind;
typedef enum AstJoinKind {
    AST_JOIN_INNER, AST_JOIN_LEFT, AST_JOIN_RIGHT, AST_JOIN_FULL, AST_JOIN_CROSS
} AstJoinKind;

struct AstTable {
    AstTableKind kind;
    int32_t position;
    const char *alias;           /* or null */
    AstWordList *column_aliases; /* or null */
    bool is_lateral;
    union {
        AstObjectName *name;
        AstQuery *query;
        AstExpr *function;       /* AST_CALL */
        struct {
            AstJoinKind join;
            bool is_natural;
            AstTable *left, *right;
            AstExpr *condition;  /* ON; or null */
            AstWordList *using_columns;
        };
    };
};
typedef struct AstTableList {
    AstTable **items;
    uint32_t count, capacity;
} AstTableList;

typedef enum AstGroupKind {
    AST_GROUP_EXPR, AST_GROUP_EMPTY, AST_GROUP_ROLLUP, AST_GROUP_CUBE, AST_GROUP_SETS
} AstGroupKind;
typedef struct AstGroupItem {
    AstGroupKind kind;
    int32_t position;
    AstExpr *expr;               /* EXPR; (a, b) is an AST_ROW */
    AstExprList exprs;           /* ROLLUP, CUBE */
    const struct AstGroupItem *items; /* SETS: item_count of them */
    uint32_t item_count;
} AstGroupItem;
typedef struct AstGroupList {
    AstGroupItem *items;
    uint32_t count, capacity;
} AstGroupList;

typedef struct AstCte {
    int32_t position;
    const char *name;
    AstWordList *columns;        /* or null */
    AstQuery *query;
} AstCte;
typedef struct AstCteList {
    AstCte *items;
    uint32_t count, capacity;
} AstCteList;
typedef struct AstWith {
    int32_t position;
    bool is_recursive;
    AstCteList ctes;
} AstWith;

typedef struct AstRowList {
    AstExprList *items;
    uint32_t count, capacity;
} AstRowList;

typedef struct AstInto {         /* SELECT … INTO */
    AstObjectName *table;
    bool is_temporary;
} AstInto;

typedef struct AstSelect {
    bool is_distinct;
    AstExprList distinct_on;     /* DISTINCT ON (…) */
    AstExpr *top;                /* TOP n, or null */
    AstSelectList items;
    AstInto *into;               /* or null */
    AstTableList from;
    AstExpr *where, *having, *qualify;
    bool is_group_all;           /* GROUP BY ALL */
    AstGroupList group;
    AstWindowList windows;
} AstSelect;

typedef enum AstQueryKind { AST_QUERY_SELECT, AST_QUERY_VALUES, AST_QUERY_SET } AstQueryKind;
typedef enum AstSetKind { AST_SET_UNION, AST_SET_INTERSECT, AST_SET_EXCEPT } AstSetKind;

struct AstQuery {
    AstQueryKind kind;
    int32_t position;
    AstWith *with;               /* or null */
    AstSortList order;
    AstExpr *limit, *offset;     /* or null; LIMIT ALL is null */
    int32_t limit_position, offset_position;
    union {
        AstSelect *select;
        AstRowList values;
        struct {
            AstSetKind set;
            bool is_all;
            AstQuery *left, *right;
        };
    };
};

/* ---- statements ---- */

typedef enum AstStatementKind {
    AST_STATEMENT_QUERY, AST_STATEMENT_INSERT, AST_STATEMENT_UPDATE, AST_STATEMENT_DELETE,
    AST_STATEMENT_MERGE,
    AST_STATEMENT_COPY, AST_STATEMENT_CREATE_TABLE, AST_STATEMENT_CREATE_VIEW,
    AST_STATEMENT_CREATE_SCHEMA, AST_STATEMENT_DROP, AST_STATEMENT_TRUNCATE,
    AST_STATEMENT_ALTER_TABLE, AST_STATEMENT_TRANSACTION, AST_STATEMENT_SET, AST_STATEMENT_SHOW,
    AST_STATEMENT_EXPLAIN, AST_STATEMENT_PREPARE, AST_STATEMENT_EXECUTE,
    AST_STATEMENT_DEALLOCATE, AST_STATEMENT_DECLARE_CURSOR, AST_STATEMENT_FETCH,
    AST_STATEMENT_CLOSE, AST_STATEMENT_DISCARD, AST_STATEMENT_ANALYZE, AST_STATEMENT_VACUUM,
    AST_STATEMENT_USER, AST_STATEMENT_GRANT, AST_STATEMENT_COMMENT, AST_STATEMENT_LOCK,
    AST_STATEMENT_ALTER_SCHEMA,
    AST_STATEMENT_EXPRESSION /* parse_expression only */
} AstStatementKind;

typedef struct AstInsert {
    AstObjectName *table;
    AstWordList *columns;        /* or null: all */
    AstQuery *query;             /* null: DEFAULT VALUES */
} AstInsert;

typedef struct AstAssignment {
    AstWord column;
    AstExpr *value;
} AstAssignment;
typedef struct AstAssignmentList {
    AstAssignment *items;
    uint32_t count, capacity;
} AstAssignmentList;
typedef struct AstUpdate {
    AstObjectName *table;
    const char *alias;
    AstAssignmentList assignments;
    AstTableList from;
    AstExpr *where;
    AstWith *with;
} AstUpdate;
typedef struct AstDelete {
    AstObjectName *table;
    const char *alias;
    AstTableList using_tables;
    AstExpr *where;
    AstWith *with;
} AstDelete;

typedef struct AstMerge {
    AstObjectName *table;
    const char *alias;
    AstTable *source;
    AstExpr *condition;
    AstWith *with;
    bool removes_duplicates;     /* REMOVE DUPLICATES: nothing below */
    bool is_deleting;            /* WHEN MATCHED THEN DELETE; else UPDATE SET assignments */
    AstAssignmentList assignments;
    AstWordList *columns;        /* WHEN NOT MATCHED THEN INSERT (columns); or null: all */
    AstExprList values;
} AstMerge;

/* An option of COPY, CREATE USER, EXPLAIN …; `name` is lower case, `value` null when absent. */
typedef struct AstOption {
    const char *name;
    const char *value;           /* words, strings and numbers alike, as text */
    AstWordList *columns;        /* FORCE_NULL (a, b); or null */
    int32_t position;
} AstOption;
typedef struct AstOptionList {
    AstOption *items;
    uint32_t count, capacity;
} AstOptionList;

typedef struct AstCopy {
    AstObjectName *table;        /* or null: COPY (query) TO */
    AstWordList *columns;
    AstQuery *query;
    bool is_from;
    bool is_standard_stream;     /* STDIN, STDOUT */
    const char *path;            /* or null */
    AstOptionList options;       /* Redshift's and PostgreSQL's spellings give the same names */
} AstCopy;

typedef enum AstConstraintKind {
    AST_CONSTRAINT_PRIMARY_KEY, AST_CONSTRAINT_UNIQUE, AST_CONSTRAINT_FOREIGN_KEY,
    AST_CONSTRAINT_CHECK
} AstConstraintKind;
typedef struct AstConstraint {
    AstConstraintKind kind;
    int32_t position;
    const char *name;            /* or null */
    AstWordList columns;
    AstObjectName *referenced_table;
    AstWordList *referenced_columns;
} AstConstraint;
typedef struct AstConstraintList {
    AstConstraint **items;
    uint32_t count, capacity;
} AstConstraintList;

typedef struct AstColumnDefinition {
    int32_t position;
    const char *name;
    AstTypeName *type;           /* null in CREATE TABLE (names) AS */
    bool is_not_null, is_null;
    bool is_distribution_key, is_sort_key;
    bool is_identity, is_identity_by_default;
    int64_t identity_seed, identity_step;
    AstExpr *default_value;      /* or null */
    const char *default_text;    /* its source text */
    const char *encoding;        /* ENCODE word, lower case; or null */
    int32_t encoding_position;
    const char *collation;       /* or null */
    AstConstraintList constraints;
} AstColumnDefinition;
typedef struct AstColumnDefinitionList {
    AstColumnDefinition **items;
    uint32_t count, capacity;
} AstColumnDefinitionList;

typedef struct AstTableLike {
    AstObjectName *table;
    bool is_including_defaults;
    uint32_t column_index;       /* its columns come before this one of `columns` */
} AstTableLike;
typedef struct AstTableLikeList {
    AstTableLike *items;
    uint32_t count, capacity;
} AstTableLikeList;

typedef enum AstSortKeyStyle {
    AST_SORT_KEY_NONE, AST_SORT_KEY_COMPOUND, AST_SORT_KEY_INTERLEAVED, AST_SORT_KEY_AUTO
} AstSortKeyStyle;

typedef struct AstTableAttributes {
    AstWord distribution_style;  /* lower case word; text null: not written */
    AstWord distribution_key;
    AstSortKeyStyle sort_key_style;
    int32_t sort_key_position;
    AstWordList sort_keys;
    bool has_backup, is_backup;
    bool is_encode_auto;
} AstTableAttributes;

typedef struct AstCreateTable {
    AstObjectName *table;
    bool is_temporary, is_if_not_exists;
    AstColumnDefinitionList columns;
    AstTableLikeList likes;
    AstConstraintList constraints;
    AstTableAttributes attributes;
    AstQuery *query;             /* CREATE TABLE AS; else null */
    bool is_without_data;
} AstCreateTable;

typedef struct AstCreateView {
    AstObjectName *view;
    bool is_or_replace, is_late_binding, is_materialized;
    AstWordList *columns;
    AstQuery *query;
    int32_t query_start, query_end; /* its text */
    const char *query_text;
} AstCreateView;

typedef struct AstCreateSchema {
    AstWord name;                /* text null: named after the owner */
    bool is_if_not_exists;
    const char *owner;
} AstCreateSchema;

typedef enum AstObjectKind {
    AST_OBJECT_TABLE, AST_OBJECT_VIEW, AST_OBJECT_SCHEMA, AST_OBJECT_USER, AST_OBJECT_COLUMN,
    AST_OBJECT_DATABASE
} AstObjectKind;
typedef struct AstDrop {
    AstObjectKind kind;
    bool is_if_exists, is_cascade, is_materialized;
    AstObjectNameList names;
} AstDrop;

typedef struct AstTruncate {
    AstObjectNameList tables;
} AstTruncate;
typedef struct AstLock {
    AstObjectNameList tables;
    AstWordList mode;            /* the words of IN … MODE; none: ACCESS EXCLUSIVE */
} AstLock;

typedef enum AstAlterKind {
    AST_ALTER_ADD_COLUMN, AST_ALTER_DROP_COLUMN, AST_ALTER_RENAME_TABLE, AST_ALTER_RENAME_COLUMN,
    AST_ALTER_OWNER, AST_ALTER_SET_SCHEMA, AST_ALTER_COLUMN_TYPE, AST_ALTER_COLUMN_ENCODE,
    AST_ALTER_COLUMN_DEFAULT, AST_ALTER_COLUMN_NOT_NULL, AST_ALTER_DISTRIBUTION,
    AST_ALTER_SORT_KEY, AST_ALTER_ENCODE_AUTO, AST_ALTER_ADD_CONSTRAINT, AST_ALTER_DROP_CONSTRAINT,
    AST_ALTER_APPEND
} AstAlterKind;
typedef struct AstAlterAction {
    AstAlterKind kind;
    int32_t position;
    AstWord column;
    const char *name;            /* new name, owner, schema, constraint, encoding; APPEND: option */
    AstColumnDefinition *definition;
    AstTypeName *type;
    AstExpr *default_value;      /* ALTER_COLUMN_DEFAULT; null: dropped */
    const char *default_text;
    AstObjectName *source;       /* APPEND FROM */
    AstConstraint *constraint;
    AstTableAttributes attributes;
    bool is_cascade, is_if_exists;
    bool is_not_null;            /* COLUMN_NOT_NULL: set, else drop */
} AstAlterAction;
typedef struct AstAlterActionList {
    AstAlterAction **items;
    uint32_t count, capacity;
} AstAlterActionList;
typedef struct AstAlterTable {
    AstObjectKind kind;          /* TABLE or VIEW */
    bool is_if_exists;
    AstObjectName *table;
    AstAlterActionList actions;
} AstAlterTable;
typedef struct AstAlterSchema {
    AstWord name;
    const char *new_name, *new_owner; /* one of them */
} AstAlterSchema;

typedef enum AstTransactionKind {
    AST_TRANSACTION_BEGIN, AST_TRANSACTION_COMMIT, AST_TRANSACTION_ROLLBACK,
    AST_TRANSACTION_SAVEPOINT, AST_TRANSACTION_RELEASE, AST_TRANSACTION_ROLLBACK_TO,
    AST_TRANSACTION_SET,         /* SET TRANSACTION */
    AST_TRANSACTION_SET_SESSION  /* SET SESSION CHARACTERISTICS AS TRANSACTION */
} AstTransactionKind;
typedef enum AstIsolation {
    AST_ISOLATION_DEFAULT, AST_ISOLATION_READ_UNCOMMITTED, AST_ISOLATION_READ_COMMITTED,
    AST_ISOLATION_REPEATABLE_READ, AST_ISOLATION_SNAPSHOT, AST_ISOLATION_SERIALIZABLE
} AstIsolation;
typedef struct AstTransactionModes {
    AstIsolation isolation;
    bool has_access, is_read_only;
} AstTransactionModes;
typedef struct AstTransaction {
    AstTransactionKind kind;
    bool is_start;               /* START TRANSACTION: another command tag than BEGIN */
    AstTransactionModes modes;
    const char *savepoint;
} AstTransaction;

typedef enum AstSetScope { AST_SET_SESSION, AST_SET_LOCAL } AstSetScope;
typedef struct AstSet {
    AstSetScope scope;
    bool is_reset;               /* RESET name, SET name TO DEFAULT */
    const char *name;            /* lower case, dots kept; null: RESET ALL */
    const char *value;           /* list items joined by ", "; null when is_reset */
    int32_t position;
} AstSet;
typedef struct AstShow {
    const char *name;            /* a setting; null: SHOW ALL */
    AstObjectName *table;        /* SHOW TABLE t; else null */
    AstObjectKind table_kind;
} AstShow;

typedef struct AstExplain {
    bool is_analyze, is_verbose;
    AstOptionList options;       /* the (…) form; is_analyze and is_verbose are already set */
    AstStatement *statement;
} AstExplain;

typedef struct AstPrepare {
    const char *name;
    AstTypeNameList types;
    AstStatement *statement;
} AstPrepare;
typedef struct AstExecute {
    const char *name;
    int32_t position;
    AstExprList arguments;
} AstExecute;

typedef struct AstDeclareCursor {
    const char *name;
    bool is_hold, is_binary, is_scroll;
    AstQuery *query;
    int32_t query_start, query_end;
} AstDeclareCursor;
typedef struct AstFetch {
    const char *name;
    bool is_all;
    bool is_backward;
    int64_t count;
} AstFetch;

typedef struct AstMaintenance {  /* ANALYZE, VACUUM */
    AstObjectName *table;        /* or null: all */
    AstWordList *columns;
    AstOptionList options;
} AstMaintenance;

typedef enum AstUserAction { AST_USER_CREATE, AST_USER_ALTER } AstUserAction;
typedef struct AstUser {
    AstUserAction action;
    AstWord name;
    const char *new_name;        /* RENAME TO; or null */
    AstOptionList options;       /* password, password_disable, createdb, superuser, … */
} AstUser;

typedef struct AstGrant {
    bool is_revoke, has_grant_option, is_cascade;
    AstWordList privileges;      /* lower case; "all" */
    AstObjectKind kind;
    bool is_all_in_schema;       /* ON ALL TABLES IN SCHEMA names */
    AstObjectNameList objects;
    AstOptionList grantees;      /* name: user, group or role; value: the name ("public": PUBLIC) */
} AstGrant;

typedef struct AstComment {
    AstObjectKind kind;
    AstObjectName *object;
    const char *column;          /* COLUMN: its name; `object` is the table */
    const char *text;            /* null: IS NULL */
} AstComment;

struct AstStatement {
    AstStatementKind kind;
    int32_t start, end;          /* its text: bytes [start, end), no semicolon */
    uint32_t parameter_count;    /* highest $n of the statement */
    union {
        AstQuery *query;
        AstInsert *insert;
        AstUpdate *update;
        AstDelete *delete_from;
        AstMerge *merge;
        AstCopy *copy;
        AstCreateTable *create_table;
        AstCreateView *create_view;
        AstCreateSchema *create_schema;
        AstDrop *drop;
        AstTruncate *truncate;
        AstLock *lock;
        AstAlterTable *alter_table;
        AstAlterSchema *alter_schema;
        AstTransaction *transaction;
        AstSet *set;
        AstShow *show;
        AstExplain *explain;
        AstPrepare *prepare;
        AstExecute *execute;
        AstDeclareCursor *declare_cursor;
        AstFetch *fetch;
        const char *name;        /* DEALLOCATE, CLOSE: null is ALL; DISCARD: the word */
        AstMaintenance *maintenance;
        AstUser *user;
        AstGrant *grant;
        AstComment *comment;
        AstExpr *expression;
    };
};
typedef struct AstStatementList {
    AstStatement **items;
    uint32_t count, capacity;
} AstStatementList;

/* Appends an item to one of the lists above: amortised constant time, room doubles. */
#define AST_LIST_ADD(arena, list, item)                                                        \
    do {                                                                                       \
        if ((list)->count == (list)->capacity) {                                               \
            (list)->items = ast_list_grow((arena), (list)->items, &(list)->capacity,           \
                                          sizeof(*(list)->items));                             \
        }                                                                                      \
        (list)->items[(list)->count++] = (item);                                               \
    } while (0)
void *ast_list_grow(Arena *arena, void *items, uint32_t *capacity, size_t item_bytes);

AstExpr *ast_expr(Arena *arena, AstExprKind kind, int32_t position);
AstExpr *ast_expr_args(Arena *arena, AstExprKind kind, int32_t position, uint32_t arg_count,
                       AstExpr *const *args);
/* left AND right (or OR): a chain becomes one node with many args, unless it was in parentheses. */
AstExpr *ast_expr_connect(Arena *arena, AstExprKind kind, int32_t position, AstExpr *left,
                          AstExpr *right);
/* A call of a function by name with ready arguments. */
AstExpr *ast_expr_call(Arena *arena, const char *name, int32_t position, uint32_t arg_count,
                       AstExpr *const *args);
