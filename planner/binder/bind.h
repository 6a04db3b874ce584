/*
 * bind.h — a parsed statement with every name and type resolved: what the leader then runs.
 *
 * Binding asks the catalog view and nothing else. Queries become logical plans; utility statements
 * become plain structs. The bound statement lives in the context's arena. Statements of the
 * dialect that are not built yet fail here with 0A000, naming themselves.
 */
#pragma once
#include "planner/logical/logical_plan.h"
#include "planner/parser/ast.h"

/* Parameters $1…: types as far as the client told (UNKNOWN: to be inferred), then values. */
typedef struct BindParameters {
    uint32_t count;
    Type *types;             /* in: declared or UNKNOWN; out: inferred (room for `capacity`) */
    uint32_t capacity;
    const Value *values;     /* null: only types are wanted (Describe); else `count` of them */
} BindParameters;

typedef enum BoundKind {
    BOUND_QUERY,             /* rows: SELECT, VALUES, TABLE */
    BOUND_INSERT,            /* root is a LogicalInsert; target */
    BOUND_UPDATE,            /* root counts the rows it replaces; target */
    BOUND_DELETE,            /* root counts the rows it deletes; target */
    BOUND_MERGE,             /* root counts the rows it replaces, deletes and inserts; target */
    BOUND_COPY_FROM,         /* root is a LogicalInsert over `copy` and what fills the rest */
    BOUND_COPY_TO,           /* root is a query; format */
    BOUND_CREATE_TABLE,      /* create; root: a query for CREATE TABLE AS, else null */
    BOUND_CREATE_VIEW,
    BOUND_CREATE_SCHEMA,
    BOUND_ALTER_TABLE,       /* target as it is, create as it will be; null: nothing to do; root:
                              * its rows, when they are to be written anew */
    BOUND_APPEND,            /* root inserts into target what truncate[0] has */
    BOUND_DROP,
    BOUND_TRUNCATE,
    BOUND_TRANSACTION,       /* as parsed */
    BOUND_SET,               /* as parsed */
    BOUND_SHOW,              /* as parsed; SHOW TABLE and SHOW VIEW are BOUND_QUERY */
    BOUND_EXPLAIN,           /* inner, is_analyze, is_verbose */
    BOUND_PREPARE,           /* parameter_types; the statement as parsed */
    BOUND_EXECUTE, BOUND_DEALLOCATE, /* as parsed */
    BOUND_DECLARE_CURSOR, BOUND_FETCH, BOUND_CLOSE, /* as parsed */
    BOUND_DISCARD,
    BOUND_ANALYZE,           /* target; null: every table */
    BOUND_VACUUM,
    BOUND_LOCK,              /* the tables were found: that is all */
    BOUND_USER,              /* CREATE and ALTER USER, as parsed */
    BOUND_NOTHING            /* accepted without effect, with a notice when `notice` is set */
} BoundKind;

typedef struct BoundDrop {
    AstObjectKind kind;
    bool is_cascade;
    uint32_t count;          /* objects that exist; missing ones under IF EXISTS became notices */
    struct BoundDropItem {
        const char *schema, *name; /* schemas and users: name only */
        uint64_t table_id;
    } *items;
    uint32_t notice_count;
    const char **notices;    /* "table \"x\" does not exist, skipping" */
} BoundDrop;

typedef struct BoundVacuum {
    const CatalogTable *table; /* null: all of them */
    VacuumMode mode;
    uint32_t percent;
} BoundVacuum;

/* ANALYZE COMPRESSION; its table is the statement's target. */
#define BOUND_COMPRESSION_COLUMNS 4u /* of the result */
typedef struct BoundCompression {
    uint64_t row_count;    /* COMPROWS; 0: not said */
    uint32_t column_count; /* 0: all of the table */
    uint32_t *columns;     /* indexes into the table's columns */
} BoundCompression;

typedef struct BoundStatement {
    BoundKind kind;
    const AstStatement *ast;
    LogicalNode *root;               /* QUERY, INSERT … MERGE, COPY_…, CREATE TABLE AS */
    const CatalogTable *target;      /* INSERT, UPDATE, DELETE, MERGE: the table that is changed */
    uint32_t result_count;           /* QUERY, COPY_TO: what the client sees */
    PlanResultColumn *results;
    const CatalogTable *create;      /* CREATE_TABLE, CREATE_VIEW: table_id 0, to be given; null:
                                      * it exists, the notice says so */
    bool is_or_replace, is_temporary;
    const char *notice;              /* a notice to send, or null */
    const char *schema_name;         /* CREATE_SCHEMA; null: it exists */
    BoundDrop *drop;
    uint32_t truncate_count;
    const CatalogTable **truncate;
    BoundVacuum *vacuum;
    BoundCompression *compression;   /* ANALYZE: null when it makes statistics */
    size_t format_bytes;             /* COPY_TO: encoded CopyFormat */
    const void *format;
    LogicalCopy *copy;               /* COPY_FROM: the node below root that has its own format */
    const CatalogTable *copy_table;  /* COPY_FROM */
    uint32_t copy_field_count;       /* COPY_FROM STDIN: for CopyInResponse */
    bool is_copy_stdin;
    bool is_copy_gzip;               /* GZIP: of the stream; files are told by their first bytes */
    Type *parameter_types;           /* PREPARE: those it declares */
    struct BoundStatement *inner;    /* EXPLAIN */
    bool is_analyze, is_verbose;
} BoundStatement;

/* Binds one statement. Errors carry SQLSTATE and position. Deep nesting is 54001. */
Status bind_statement(PlannerContext *context, const AstStatement *statement,
                      BindParameters *parameters, BoundStatement **out) CHECKED;
/* INSERT of `child`, which gives the table's columns in order and type: CREATE TABLE AS runs its
 * query so, once the table has its id. */
LogicalNode *logical_insert(PlannerContext *context, const CatalogTable *table,
                            LogicalNode *child);
/* All rows of `from` into `to`, which has the same columns. */
LogicalNode *logical_rewrite(PlannerContext *context, const CatalogTable *from,
                             const CatalogTable *to);
/* ANALYZE: reads the whole table and learns of its rows. */
LogicalNode *logical_analysis(PlannerContext *context, const CatalogTable *table);
/* ANALYZE COMPRESSION: each node encodes up to so many of its rows, and tells their bytes. */
LogicalNode *logical_compression(PlannerContext *context, const CatalogTable *table,
                                 uint64_t row_count);
/* EXECUTE's arguments, each cast to the parameter's type (UNKNOWN: its own) and computed; 42601
 * for another number of them. */
Status bind_arguments(PlannerContext *context, const AstExecute *execute, uint32_t count,
                      const Type *types, Value **out) CHECKED;
/* Binds the text of a column default or a literal without columns, cast to `type`, and folds it
 * when it is constant. */
Status bind_default(PlannerContext *context, const char *text, Type type, Expr **out) CHECKED;
