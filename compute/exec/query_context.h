/*
 * query_context.h — one query on one endpoint: its memory, its limits, and what it may reach.
 */
#pragma once
#include "base/host.h"
#include "base/mutex.h"
#include "planner/plan/plan_print.h"
#include "protocol/cluster/stream.h"
#include "storage/store.h"

/* Receives the rows of a RESULT fragment (the leader's client, a test). Called by workers, one at
 * a time per query. FLOW-like answers: see ResultAnswer. */
typedef enum ResultAnswer { RESULT_TAKEN, RESULT_BLOCKED, RESULT_ENOUGH } ResultAnswer;
typedef struct ResultReceiver {
    void *self;
    /* RESULT_BLOCKED: nothing was taken; call `resume` (given at open) later. */
    Status (*receive)(void *self, Batch *batch, ResultAnswer *answer);
    void (*open)(void *self, Waker resume);
} ResultReceiver;

/* Virtual tables (system views) computed by the leader. */
typedef struct VirtualTables {
    void *self;
    /* Starts a scan of `table_name`'s columns; rows come as batches in `arena`'s lifetime. */
    Status (*scan)(void *self, const char *table_name, const uint32_t *columns,
                   uint32_t column_count, Arena *arena, Batch **batches, uint32_t *batch_count);
} VirtualTables;

struct RuntimeFilters; /* compute/operators/runtime_filter.h */
struct StoredRows;     /* compute/operators/store.h */

typedef struct QueryContext {
    uint64_t query_id;
    uint32_t endpoint;   /* 0 leader, else the node's number */
    uint32_t node_count; /* compute nodes: endpoints 1..node_count */
    uint32_t one_node;   /* endpoint that runs PLAN_SITE_ONE_NODE; 0: 1 + query_id % node_count */
    bool is_replica_reader; /* this endpoint is that node */
    Host *host;
    Arena *arena;         /* of the query; only the thread that builds uses it */
    MemoryBudget *budget; /* the grant */
    MemoryBudget *tables; /* its part for tables that may spill: memory_share.h; set by init */
    MemoryBudget *write_budget; /* the endpoint's: rows on their way into tables */
    const SettingSet *settings;
    Snapshot snapshot;
    Store *store; /* null on the leader */
    StreamHub *hub;
    const uint32_t *bucket_nodes;        /* BUCKET_COUNT entries: endpoint that owns the bucket */
    uint32_t known_key_bits; /* of bucket_nodes for this endpoint: bucket_map_known_bits */
    const ResultReceiver *result;        /* leader only */
    const VirtualTables *virtual_tables; /* leader only */
    const char *spill_directory;
    const char *copy_roots;

    /* Cancel and failure: the first failure wins; workers look at `is_canceled` once per batch. */
    bool is_canceled; /* atomic */
    Mutex mutex;
    Status failure;
    uint32_t batch_rows, row_group_rows;
    bool force_spill, exchange_encode, has_zone_map_answers;

    struct MemoryShare *shares;
    size_t aside_bytes; /* of `budget`, for what goes to disk */

    /* The run's own, set by query_run_create. */
    void (*cancel)(void *object); /* wakes what is parked; called after is_canceled was set */
    void *cancel_object;
    struct RuntimeFilters *runtime_filters;
    struct StoredRows **stored_rows; /* by store id */
    uint32_t stored_rows_count;
    uint64_t spill_file_count; /* atomic: names of spill files */
} QueryContext;

static inline bool query_context_is_canceled(const QueryContext *query)
{
    return __atomic_load_n(&query->is_canceled, __ATOMIC_RELAXED); // only a hint to stop
}

/* The grant of a statement here: query_memory of its settings, or half of what the process has for
 * queries. Null when memory is refused. */
MemoryBudget *query_grant_create(const Host *host, const SettingSet *settings);
/* Ready for use after the public fields are set; reads the session settings it mirrors. */
void query_context_init(QueryContext *query);
void query_context_deinit(QueryContext *query);
/* Records the first failure (takes the status) and cancels the rest of the query here. */
void query_context_fail(QueryContext *query, Status owned_status);
/* STATUS_OK; once canceled, a copy of the failure or 57014. */
Status query_context_check(const QueryContext *query) CHECKED;
