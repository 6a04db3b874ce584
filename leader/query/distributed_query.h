/*
 * distributed_query.h — one plan, run on the nodes and on the leader, until it ends everywhere.
 *
 * start sends RUN to every node that has fragments and starts the leader's own; the query has
 * ended when all of them have. The first failure anywhere cancels the rest; a lost node fails it
 * with 08006. Ending releases streams, memory and spill files on every endpoint.
 */
#pragma once
#include "leader/membership/nodes.h"
#include "leader/query/result_queue.h"
#include "leader/txn/txn.h"

typedef struct DistributedQuery DistributedQuery;

/* What the leader lends to queries. */
typedef struct QueryServices {
    Host *host;
    Nodes *nodes;
    CommitLog *log;
    StreamHub *hub;
    MemoryBudget *budget;
    const uint32_t *bucket_nodes;
    const char *spill_directory;
} QueryServices;

typedef struct DistributedQueryOptions {
    const QueryServices *services;
    const Plan *plan;                 /* outlives the query */
    const SettingSet *settings;
    Snapshot snapshot;
    ResultQueue *results;
    const VirtualTables *virtual_tables;
    bool has_statistics;              /* EXPLAIN ANALYZE */
    bool is_writing;                  /* nodes need rowset ids */
    bool is_voting;                   /* the transaction ends with it: nodes vote at its end */
} DistributedQueryOptions;

Status distributed_query_start(const DistributedQueryOptions *options,
                               DistributedQuery **out) CHECKED;
uint64_t distributed_query_id(const DistributedQuery *query);
/* Any thread, any number; takes the reason. The end still comes. */
void distributed_query_cancel(DistributedQuery *query, Status owned_reason);
/* True when it has ended everywhere. */
bool distributed_query_wait(DistributedQuery *query, int64_t timeout_us);
/* After the end: success or the first failure (a copy). */
Status distributed_query_status(DistributedQuery *query) CHECKED;
/* From now on its nodes may hold something of the transaction: they take part in it. 08006. */
Status distributed_query_enlist(const DistributedQuery *query, Txn *txn) CHECKED;
/* After the end of one that voted: what its nodes have said about their writes. */
void distributed_query_note_votes(const DistributedQuery *query, Txn *txn);
/* Sketches of written tables, as each node sent them. */
void distributed_query_visit_writes(DistributedQuery *query,
                                    void (*visit)(void *object, const uint8_t *data, size_t bytes),
                                    void *object);
/* Figures of all endpoints, after the end; in `arena`. */
Status distributed_query_statistics(DistributedQuery *query, Arena *arena,
                                    PlanNodeStatistics **out, uint32_t *count) CHECKED;
uint64_t distributed_query_leader_rows(const DistributedQuery *query); /* came by exchange */
void distributed_query_destroy(DistributedQuery *query); /* cancels and waits when it still runs */

/* Text blocks for COPY FROM STDIN: given to the nodes in turn, waiting for credit. */
typedef struct BlockSender BlockSender;
Status block_sender_open(DistributedQuery *query, uint32_t exchange_id, BlockSender **out) CHECKED;
/* 57014, 08006, or the query's failure. */
Status block_sender_send(BlockSender *sender, const void *data, size_t bytes) CHECKED;
Status block_sender_finish(BlockSender *sender) CHECKED;
void block_sender_close(BlockSender *sender); /* null is allowed */
