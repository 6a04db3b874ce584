/*
 * logical_plan.h — relational algebra: what the binder makes and the optimizer rewrites.
 *
 * Every column of every node has a query-wide number (`ColumnNumber`, from 1); expressions refer
 * to columns by number, so nodes can move without renumbering. A node lists the columns it gives.
 * Subqueries stand inside expressions (EXPR_SUBQUERY) until rule_subquery_to_join has turned them
 * into joins; a subquery's plan may use columns of the enclosing query: it is then correlated.
 */
#pragma once
#include "planner/catalog_view.h"
#include "planner/plan/plan.h"

typedef uint32_t ColumnNumber;

typedef struct LogicalColumn {
    ColumnNumber number;
    const char *name;
    Type type;
    bool is_nullable;  /* false only when proven */
    uint64_t table_id; /* plain columns: where they come from; else 0 */
    uint32_t column_id;
} LogicalColumn;

typedef enum LogicalKind {
    LOGICAL_GET,    /* a table */
    LOGICAL_VALUES, /* rows of expressions; SELECT without FROM is one row of no columns */
    LOGICAL_FILTER,
    LOGICAL_PROJECT,
    LOGICAL_JOIN,
    LOGICAL_AGGREGATE,
    LOGICAL_SORT,
    LOGICAL_LIMIT,
    LOGICAL_DISTINCT, /* of all columns */
    LOGICAL_SET,      /* UNION [ALL], INTERSECT, EXCEPT */
    LOGICAL_WINDOW,
    LOGICAL_CTE, /* `child` with a common table expression in scope */
    LOGICAL_CTE_REFERENCE,
    LOGICAL_INSERT,
    LOGICAL_DELETE,
    LOGICAL_CHANGE, /* a deletion and an insertion: UPDATE, MERGE */
    LOGICAL_COPY,
    LOGICAL_VACUUM,
    LOGICAL_KIND_COUNT
} LogicalKind;

typedef struct LogicalNode {
    LogicalKind kind;
    int32_t position;
    uint32_t column_count;
    LogicalColumn *columns; /* output; never null */
    double rows;            /* estimate; < 0: not yet known */
} LogicalNode;

/* What tells a row of the table from all others: the columns a GET gives beside the table's own
 * when its rows are to be deleted. A row id is only good on the node that keeps the row. */
#define GET_ROW_ID(table) ((table)->column_count)       /* bigint */
#define GET_ROW_NODE(table) ((table)->column_count + 1) /* integer */
#define COLUMN_ID_ROW_NODE UINT32_MAX /* LogicalColumn.column_id of a row's node */

typedef struct LogicalGet {
    LogicalNode node; /* one column per column that is read (all, before pruning) */
    const CatalogTable *table;
    uint32_t *table_columns; /* per output column: index into table->columns, or GET_ROW_… */
    const char *alias;
    uint32_t filter_count; /* conjuncts pushed down */
    Expr **filters;
} LogicalGet;

typedef struct LogicalValues {
    LogicalNode node;
    uint32_t row_count;
    Expr **cells; /* row by row */
} LogicalValues;

typedef struct LogicalFilter {
    LogicalNode node;
    LogicalNode *child;
    Expr *condition;
} LogicalFilter;

typedef struct LogicalProject {
    LogicalNode node;
    LogicalNode *child;
    Expr **exprs; /* per output column */
} LogicalProject;

typedef struct LogicalJoin {
    LogicalNode node; /* left columns, right ones (SEMI, ANTI: left; MARK: left, mark) */
    JoinKind join;    /* INNER, LEFT, RIGHT, FULL, SEMI, ANTI, ANTI_NULL, MARK, SINGLE */
    LogicalNode *left, *right;
    Expr *condition; /* null: cross join */
    bool is_lateral; /* right uses columns of left (until unnested) */
} LogicalJoin;

typedef struct LogicalAggregate {
    LogicalNode node; /* keys then aggregates */
    LogicalNode *child;
    uint32_t key_count;
    Expr **keys;
    uint32_t aggregate_count;
    AggregateCall *aggregates;
} LogicalAggregate;

typedef struct LogicalSort {
    LogicalNode node;
    LogicalNode *child;
    uint32_t key_count;
    LogicalSortKey *keys;
} LogicalSort;

typedef struct LogicalLimit {
    LogicalNode node;
    LogicalNode *child;
    uint64_t limit, offset; /* PLAN_NO_LIMIT, 0 */
} LogicalLimit;

typedef struct LogicalDistinct {
    LogicalNode node;
    LogicalNode *child;
} LogicalDistinct;

typedef enum SetKind { SET_UNION_ALL, SET_UNION, SET_INTERSECT, SET_EXCEPT } SetKind;
typedef struct LogicalSet {
    LogicalNode node; /* new column numbers */
    SetKind set;
    LogicalNode *left, *right; /* column types equal those of the node */
} LogicalSet;

typedef struct LogicalWindow {
    LogicalNode node; /* child's columns, then one per call */
    LogicalNode *child;
    uint32_t call_count;
    WindowCall *calls;
} LogicalWindow;

typedef struct LogicalCte {
    LogicalNode node;
    uint32_t cte_id;
    const char *name;
    LogicalNode *definition;
    LogicalNode *child;
} LogicalCte;
typedef struct LogicalCteReference {
    LogicalNode node; /* fresh column numbers, in the definition's order */
    uint32_t cte_id;
} LogicalCteReference;

typedef struct LogicalInsert {
    LogicalNode node;   /* one bigint: rows */
    LogicalNode *child; /* gives every column of the table, in order, cast to its type */
    const CatalogTable *table;
    bool is_analysis; /* ANALYZE: the rows are the table's own, and stay */
    uint64_t compression_rows; /* ANALYZE COMPRESSION: rows each node encodes; 0: not that */
} LogicalInsert;

typedef struct LogicalDelete {
    LogicalNode node;   /* one bigint: rows */
    LogicalNode *child; /* gives row ids and their nodes; never NULL */
    const CatalogTable *table;
    bool is_each_once; /* a row that comes twice is an error: 21000 */
} LogicalDelete;

typedef struct LogicalChange {
    LogicalNode node;      /* one bigint: rows */
    LogicalNode *deletion; /* LogicalDelete and LogicalInsert of one table; neither sees what the */
    LogicalNode *insertion;               /* other does */
    bool counts_deleted, counts_inserted; /* what `rows` adds up */
    const char *name;                     /* "Update", "Merge" */
} LogicalChange;

typedef struct LogicalVacuum {
    LogicalNode node; /* one bigint: rows read */
    const CatalogTable *table;
    VacuumMode mode;
    uint32_t percent;
} LogicalVacuum;

typedef struct LogicalCopy { /* COPY FROM; its rows are the table's columns */
    LogicalNode node;
    const CatalogTable *table;
    bool is_stdin;
    uint32_t path_count;
    const char **paths;
    uint32_t field_count;
    uint32_t *fields; /* table column index per field of the input */
    size_t format_bytes;
    const void *format; /* encoded CopyFormat */
} LogicalCopy;

/* State of one statement's planning: arena, catalog, numbering. */
typedef struct PlannerContext {
    Arena *arena; /* of the query; the plan lives in it too */
    const CatalogView *catalog;
    ColumnNumber next_column; /* starts at 1 */
    uint32_t next_cte;
    uint32_t node_count;                   /* compute nodes */
    struct SampledFilter *sampled_filters; /* what samples have said (optimizer/cardinality.c) */
} PlannerContext;

/* A bound query: the tree, and the names the client sees for its output columns (node->columns). */
LogicalNode *logical_get_child(const LogicalNode *node, uint32_t index); /* null beyond the last */
void logical_print(const LogicalNode *node, ByteBuffer *target);         /* indented, for tests */
/* Debug check after each rule: every column an expression uses is given by a child (or, inside a
 * correlated subquery, by the enclosing query), types match. XX000 names the rule. */
Status logical_verify(const LogicalNode *root, const char *rule_name) CHECKED;
