/*
 * conflict_graph.h — which SERIALIZABLE transactions read what others changed at the same time.
 *
 * Serializable snapshot isolation (Cahill, Roehm, Fekete: "Serializable Isolation for Snapshot
 * Databases", SIGMOD 2008) on whole tables, as Redshift has it: a transaction that overwrote what a
 * concurrent one had read and read what a concurrent one overwrote may close a cycle; the last of
 * them to commit is refused. Example, write skew: A reads t and changes u, B reads u and changes t;
 * the second one to commit gets 40001 (Redshift's error 1023). Transactions under SNAPSHOT are not
 * in the graph.
 *
 * The control thread's: commits enter in their order.
 */
#pragma once
#include "base/status.h"

enum { TABLE_SET_MAX = 64 };

/* Tables; more than fit are everything. */
typedef struct TableSet {
    uint32_t count;
    bool is_everything;
    uint64_t table_ids[TABLE_SET_MAX];
} TableSet;
void table_set_add(TableSet *set, uint64_t table_id);

/* What a transaction did, when it asks to commit. */
typedef struct SerialTxn {
    uint64_t txn_id;
    uint64_t snapshot; /* position */
    TableSet reads, writes;
} SerialTxn;

typedef struct ConflictGraph ConflictGraph;

ConflictGraph *conflict_graph_create(void);
void conflict_graph_destroy(ConflictGraph *graph);
/* Enters the transaction as committed at `position`. 40001 when that might close a cycle, or when
 * too much is concurrent to it to be remembered; 53200. Nothing is entered then. */
Status conflict_graph_commit(ConflictGraph *graph, const SerialTxn *txn, uint64_t position) CHECKED;
/* How many are in; and back to that many when commits could not be written. */
uint32_t conflict_graph_count(const ConflictGraph *graph);
void conflict_graph_cut(ConflictGraph *graph, uint32_t count);
/* No snapshot before `horizon` is in use any more. */
void conflict_graph_forget(ConflictGraph *graph, uint64_t horizon);
