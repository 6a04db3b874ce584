/*
 * plan.h — the contract between planner and compute: what every node and the leader run.
 *
 * A Plan is a set of fragments. Each fragment runs at one site (all compute nodes, one of them, or
 * the leader) and is a tree of PlanNodes whose root is a sink: SEND, STORE or RESULT. Fragments are
 * joined by exchanges (SEND -> RECEIVE, over the network) and by stores (STORE -> STORED, inside
 * one node). Plans are read-only, self-contained (column ids, types, defaults: nodes hold no
 * catalog) and serialisable (plan_codec.h).
 *
 * Example, two nodes:  SELECT n, count(*) FROM t GROUP BY n
 *   fragment 1 (nodes):  SEND hash(n) <- AGGREGATE partial <- SCAN t
 *   fragment 2 (nodes):  SEND gather  <- AGGREGATE final   <- RECEIVE exchange 1
 *   fragment 3 (leader): RESULT <- RECEIVE exchange 2
 */
#pragma once
#include "base/byte_buffer.h"
#include "base/byte_reader.h"
#include "planner/plan/expr.h"

typedef enum PlanNodeKind {
#define PLAN_NODE(id, number, name, Struct) PLAN_##id = number,
#include "planner/plan/plan_nodes.def"
#undef PLAN_NODE
    PLAN_NODE_KIND_COUNT
} PlanNodeKind;

typedef struct PlanNode {
    PlanNodeKind kind;
    uint32_t id; /* unique in the plan, from 1: EXPLAIN ANALYZE counts by it */
    uint32_t output_count;
    Type *output_types;
    double estimated_rows;    /* per site, all nodes together */
    double estimated_cost;    /* cumulative, planner's units (ns) */
    uint32_t estimated_width; /* bytes per row */
    const char *label;        /* what EXPLAIN shows beside the name ("DS_BCAST_INNER"), or "" */
    const char *detail;       /* conditions as text for EXPLAIN, lines separated by \n, or "" */
} PlanNode;

/* Where the table's rows are. */
typedef enum DistributionStyle {
    DISTRIBUTION_STYLE_EVEN,
    DISTRIBUTION_STYLE_KEY,
    DISTRIBUTION_STYLE_ALL
} DistributionStyle;

#define INTERLEAVED_KEYS_MAX 8u

/* What a node must know of a table to read or write it. */
typedef struct PlanTable {
    uint64_t table_id;
    const char *name; /* schema.table, for messages */
    DistributionStyle style;
    uint32_t column_count; /* all live columns, in the table's order */
    struct PlanTableColumn {
        uint32_t column_id;
        const char *name;
        Type type;
        bool is_not_null;
        uint16_t encode_word;   /* EncodeWord; or ENCODE_WORD_ONE + an encoding */
        Value default_value;    /* read from rowsets written before the column was added */
    } * columns;
    int32_t distribution_column; /* index into columns; -1: none */
    uint32_t sort_key_count;
    uint32_t *sort_keys; /* indexes into columns */
    bool is_interleaved; /* the sort keys: all alike; else compound */
} PlanTable;

typedef struct PlanRuntimeFilterUse {
    uint32_t filter_id;
    uint32_t column; /* index into the scan's columns */
} PlanRuntimeFilterUse;

typedef struct PlanScan {
    PlanNode node;
    PlanTable *table;
    uint32_t column_count;
    uint32_t *columns; /* indexes into table->columns: what is read */
    uint32_t filter_count;
    Expr **filters;    /* conjuncts over the read columns */
    uint32_t *outputs; /* indexes into `columns`, node.output_count of them; with has_row_ids
                        * column_count is the row id (bigint), and column_count + 1 the node that
                        * keeps the row (integer) */
    bool has_row_ids;  /* UPDATE, DELETE, MERGE */
    uint32_t runtime_filter_count;
    PlanRuntimeFilterUse *runtime_filters;
} PlanScan;

/* A virtual table (pg_catalog, information_schema, system views): on the leader only. */
typedef struct PlanVirtualScan {
    PlanNode node;
    const char *table_name; /* schema.table */
    uint32_t *columns;      /* its columns that are output */
} PlanVirtualScan;

typedef struct PlanValues {
    PlanNode node;
    uint32_t row_count;
    Expr **cells; /* row by row; constant expressions */
} PlanValues;

typedef struct PlanFilter {
    PlanNode node;
    PlanNode *child;
    uint32_t filter_count;
    Expr **filters; /* conjuncts */
} PlanFilter;

typedef struct PlanProject {
    PlanNode node;
    PlanNode *child;
    Expr **exprs; /* node.output_count of them */
} PlanProject;

typedef enum JoinKind {
    JOIN_INNER,
    JOIN_LEFT,  /* keeps every probe row */
    JOIN_RIGHT, /* keeps every build row */
    JOIN_FULL,
    JOIN_SEMI,       /* probe rows with a match */
    JOIN_ANTI,       /* probe rows without one */
    JOIN_ANTI_NULL,  /* NOT IN: a NULL on either side makes the answer unknown */
    JOIN_RIGHT_SEMI, /* build rows with a match */
    JOIN_RIGHT_ANTI,
    JOIN_MARK,  /* probe rows plus a boolean: matched, not, or NULL (unknown) */
    JOIN_SINGLE /* LEFT with at most one match: 21000 on the second */
} JoinKind;

typedef struct PlanHashJoin {
    PlanNode node;
    JoinKind join;
    PlanNode *probe, *build;
    uint32_t key_count;              /* at least 1 */
    Expr **probe_keys, **build_keys; /* over the probe's, the build's columns; pairs of one type */
    bool *is_null_equal;             /* per key: NULL matches NULL (IS NOT DISTINCT FROM) */
    Expr *residual;                  /* over probe ++ build columns; null: none */
    uint32_t *outputs;               /* indexes into probe ++ build (++ the mark for MARK) */
    uint32_t *runtime_filter_ids;    /* per key; 0: none */
    bool is_build_unique;            /* the planner knows the build keys are unique */
    uint32_t local_key; /* 1 + the key by whose distribution hash both sides' rows lie on their
                         * node, an integer, date or timestamp; 0: none */
} PlanHashJoin;

/* Whether values of the type hash as themselves, so that a node may know bits of a local key. */
static inline bool plan_type_may_be_local_key(Type type)
{
    return type_is_integer(type) || type.id == TYPE_DATE || type.id == TYPE_TIMESTAMP;
}

/* Any condition: the build side is stored, blocks of it meet each probe batch. */
typedef struct PlanNestedLoopJoin {
    PlanNode node;
    JoinKind join; /* INNER, LEFT, SEMI, ANTI, MARK, SINGLE, RIGHT, FULL */
    PlanNode *probe, *build;
    Expr *condition; /* null: cross join */
    uint32_t *outputs;
} PlanNestedLoopJoin;

typedef struct PlanAggregate {
    PlanNode node; /* outputs: the keys, then the aggregates */
    PlanNode *child;
    uint32_t key_count; /* 0: one row, also for no input (unless is_partial) */
    Expr **keys;
    uint32_t aggregate_count;
    AggregateCall *aggregates;
    bool is_partial; /* may pass groups on early and more than once */
    double estimated_groups;
    bool has_key_bounds; /* the only key is an integer or date, by the statistics in these bounds */
    int64_t key_min, key_max;
    bool is_key_local; /* rows lie on their node by the distribution hash of the only key, an
                        * integer, date or timestamp */
} PlanAggregate;

typedef struct PlanSortKey {
    uint32_t column; /* of the child */
    bool is_descending, is_nulls_first;
} PlanSortKey;

#define PLAN_NO_LIMIT UINT64_MAX
typedef struct PlanSort {
    PlanNode node;
    PlanNode *child;
    uint32_t key_count;
    PlanSortKey *keys;
    uint64_t limit, offset; /* PLAN_NO_LIMIT, 0: all rows; else a top-N */
} PlanSort;

typedef struct PlanLimit {
    PlanNode node;
    PlanNode *child;
    uint64_t limit, offset;
} PlanLimit;

typedef struct PlanUnionAll {
    PlanNode node;
    uint32_t child_count;
    PlanNode **children; /* equal output types */
} PlanUnionAll;

typedef enum WindowFunctionId {
    WINDOW_ROW_NUMBER = 1,
    WINDOW_RANK,
    WINDOW_DENSE_RANK,
    WINDOW_PERCENT_RANK,
    WINDOW_CUME_DIST,
    WINDOW_NTILE,
    WINDOW_LAG,
    WINDOW_LEAD,
    WINDOW_FIRST_VALUE,
    WINDOW_LAST_VALUE,
    WINDOW_NTH_VALUE,
    WINDOW_AGGREGATE
} WindowFunctionId;
typedef enum FrameBound {
    FRAME_UNBOUNDED_PRECEDING,
    FRAME_PRECEDING,
    FRAME_CURRENT_ROW,
    FRAME_FOLLOWING,
    FRAME_UNBOUNDED_FOLLOWING
} FrameBound;
typedef struct LogicalSortKey { /* logical plans only */
    Expr *expr;
    bool is_descending, is_nulls_first;
} LogicalSortKey;
typedef struct WindowCall {
    WindowFunctionId id;
    AggregateId aggregate; /* WINDOW_AGGREGATE */
    uint32_t arg_count;
    Expr **args;
    bool is_rows; /* ROWS; else RANGE */
    bool is_ignore_nulls;
    FrameBound start, end;
    int64_t start_rows, end_rows; /* PRECEDING, FOLLOWING */
    Type type;
    /* Logical plans only: */
    uint32_t partition_count, order_count;
    Expr **partition;
    LogicalSortKey *order;
} WindowCall;
typedef struct PlanWindow { /* outputs: the child's columns, then one per call */
    PlanNode node;
    PlanNode *child;
    uint32_t partition_count;
    uint32_t *partition; /* columns of the child */
    uint32_t order_count;
    PlanSortKey *order;
    uint32_t call_count;
    WindowCall *calls;
} PlanWindow;

/* Rows that arrive over an exchange. With merge keys the senders' orders are merged. */
typedef struct PlanReceive {
    PlanNode node;
    uint32_t exchange_id;
    uint32_t merge_key_count;
    PlanSortKey *merge_keys;
} PlanReceive;

typedef enum ExchangeKind {
    EXCHANGE_GATHER,      /* to the one site that receives */
    EXCHANGE_HASH,        /* by bucket of the distribution hash of `keys` */
    EXCHANGE_BROADCAST,   /* to every compute node */
    EXCHANGE_ROUND_ROBIN, /* batches in turn */
    EXCHANGE_NODE         /* to the node that the one key, an integer column, names */
} ExchangeKind;
typedef struct PlanSend {
    PlanNode node;
    PlanNode *child;
    uint32_t exchange_id;
    ExchangeKind exchange;
    uint32_t key_count;
    uint32_t *keys; /* columns of the child, for HASH and NODE */
} PlanSend;

/* Keeps rows for every STORED of the same id on the same node (shared CTEs). */
typedef struct PlanStore {
    PlanNode node;
    PlanNode *child;
    uint32_t store_id;
} PlanStore;
typedef struct PlanStored {
    PlanNode node;
    uint32_t store_id;
} PlanStored;

/* Writes the child's rows (the table's columns, in order) to this node's slices; outputs one row:
 * bigint rows written. The planner has exchanged rows to the right node before. */
typedef struct PlanTableWrite {
    PlanNode node;
    PlanNode *child;
    PlanTable *table;
    bool is_analysis; /* ANALYZE: nothing is written, what a writer tells of its rows is told */
    uint64_t compression_rows; /* ANALYZE COMPRESSION: likewise, of so many rows; else 0 */
} PlanTableWrite;

/* Deletes rows of the table on this node: the child's one column is their row ids (bigint; the same
 * row may come twice). Outputs one row: bigint rows deleted here; a replicated table's rows are
 * deleted by every node and counted by one (PLAN_SITE_ONE_NODE's). The planner has exchanged the
 * ids to the nodes that keep the rows. */
typedef struct PlanTableDelete {
    PlanNode node;
    PlanNode *child;
    PlanTable *table;
} PlanTableDelete;

/* What VACUUM writes anew: deleted rows go, small rowsets are joined, overlapping ones merged. */
typedef enum VacuumMode {
    VACUUM_FULL,        /* all of it */
    VACUUM_SORT_ONLY,   /* overlapping rowsets */
    VACUUM_DELETE_ONLY, /* rowsets with deleted rows */
    VACUUM_IDLE,        /* what a node does by itself: a bounded part of it all */
    VACUUM_MODE_COUNT
} VacuumMode;

/* Writes rowsets of this node's slices anew, in place of the old ones. Outputs one row: bigint rows
 * read; 0 when nothing was left to do. */
typedef struct PlanTableVacuum {
    PlanNode node;
    PlanTable *table;
    VacuumMode mode;
    uint32_t percent; /* sorted, and deleted rows reclaimed: enough; 1 .. 100 */
} PlanTableVacuum;

/* COPY: text to rows. From files (this node's share of them), or from text blocks that the leader
 * sends over `exchange_id`: each is 8 bytes, the number of its first line (little endian, from 1),
 * then whole rows. Outputs the table's columns in the table's order. */
typedef struct PlanCopyRead {
    PlanNode node;
    PlanTable *table;
    uint32_t exchange_id; /* nonzero: COPY FROM STDIN */
    uint32_t path_count;
    const char **paths;
    uint32_t column_count;
    uint32_t *columns; /* which table column each field goes to */
    size_t format_bytes;
    const void *format; /* encoded CopyFormat (protocol/copy/copy_options.h) */
} PlanCopyRead;

/* The statement's result: rows go to the client. */
typedef struct PlanResult {
    PlanNode node;
    PlanNode *child;
} PlanResult;

typedef enum PlanSite { PLAN_SITE_NODES, PLAN_SITE_ONE_NODE, PLAN_SITE_LEADER } PlanSite;

typedef struct PlanFragment {
    uint32_t id; /* from 1 */
    PlanSite site;
    PlanNode *root; /* SEND, STORE or RESULT */
} PlanFragment;

typedef struct PlanExchange {
    uint32_t id;
    ExchangeKind kind;
    PlanSite source_site, target_site;
    uint32_t column_count;
    Type *types;
} PlanExchange;

typedef struct PlanResultColumn {
    const char *name;
    Type type;
    uint64_t table_id; /* 0: not a plain column */
    uint32_t column_id;
} PlanResultColumn;

typedef struct Plan {
    uint32_t fragment_count;
    PlanFragment *fragments; /* producers before consumers */
    uint32_t exchange_count;
    PlanExchange *exchanges;
    uint32_t result_count;
    PlanResultColumn *results;
    uint32_t node_count; /* plan node ids are 1..node_count */
    uint32_t runtime_filter_count;
    uint32_t *runtime_filter_exchanges; /* by filter id - 1: the exchange over which all nodes tell
                                         * all nodes of it; 0, or null: it stays in its fragment */
} Plan;

/* Calls `visit` for each direct child of `node`. */
void plan_node_children(const PlanNode *node, void (*visit)(void *object, PlanNode *child),
                        void *object);
uint32_t plan_node_child_count(const PlanNode *node);
PlanNode *plan_node_child(const PlanNode *node, uint32_t index); /* joins: probe, then build */
const char *plan_node_name(PlanNodeKind kind);
uint32_t plan_runtime_filter_exchange(const Plan *plan, uint32_t filter_id); /* 0: none */
