/* conflict_graph.c — see conflict_graph.h. */
#include "leader/txn/conflict_graph.h"

#include <stdlib.h>
#include <string.h>

enum { COMMITTED_MAX = 16384, COMMITTED_MIN = 64 };

/* A committed transaction that others may be concurrent to. */
typedef struct Committed {
    uint64_t txn_id, position;
    bool is_read_from;    /* a concurrent one read what it changed: an edge comes in */
    bool has_read_before; /* it read what a concurrent one changed: an edge goes out */
    TableSet reads, writes;
} Committed;

struct ConflictGraph {
    uint64_t floor; /* who began before this position may have concurrent ones that are forgotten */
    uint32_t count, capacity;
    Committed *committed; /* oldest first */
};

void table_set_add(TableSet *set, uint64_t table_id)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->table_ids[i] == table_id) {
            return;
        }
    }
    if (set->count == TABLE_SET_MAX) {
        set->is_everything = true;
        return;
    }
    set->table_ids[set->count++] = table_id;
}

/* A table of both; 0: none. */
static uint64_t common_table(const TableSet *left, const TableSet *right)
{
    if (left->count == 0 || right->count == 0) {
        return 0;
    }
    if (left->is_everything || right->is_everything) {
        return left->is_everything ? right->table_ids[0] : left->table_ids[0];
    }
    for (uint32_t i = 0; i < left->count; i++) {
        for (uint32_t j = 0; j < right->count; j++) {
            if (left->table_ids[i] == right->table_ids[j]) {
                return left->table_ids[i];
            }
        }
    }
    return 0;
}

ConflictGraph *conflict_graph_create(void)
{
    return calloc(1, sizeof(ConflictGraph));
}

void conflict_graph_destroy(ConflictGraph *graph)
{
    if (graph != NULL) {
        free(graph->committed);
        free(graph);
    }
}

/* Room for one more; the oldest quarter goes when there are too many. */
static bool reserve(ConflictGraph *graph)
{
    if (graph->count < graph->capacity) {
        return true;
    }
    if (graph->capacity < COMMITTED_MAX) {
        uint32_t capacity = graph->capacity == 0 ? COMMITTED_MIN : graph->capacity * 2;
        Committed *grown = realloc(graph->committed, capacity * sizeof(*grown));
        if (grown == NULL) {
            return false;
        }
        graph->committed = grown;
        graph->capacity = capacity;
        return true;
    }
    uint32_t dropped = COMMITTED_MAX / 4;
    graph->floor = graph->committed[dropped - 1].position;
    graph->count -= dropped;
    memmove(graph->committed, graph->committed + dropped, graph->count * sizeof(*graph->committed));
    return true;
}

static Status violation(uint64_t table_id, uint64_t first, uint64_t second)
{
    Status status = status_error(SQLSTATE_SERIALIZATION_FAILURE, "1023");
    status =
        status_with_detail(status,
                           "Serializable isolation violation on table - %lu, transactions "
                           "forming the cycle are: %lu, %lu",
                           (unsigned long)table_id, (unsigned long)first, (unsigned long)second);
    return status_with_hint(status, "run the transaction again, or under ISOLATION LEVEL SNAPSHOT");
}

/* The edges between the transaction and those it was concurrent to. */
typedef struct Edges {
    bool has_in, has_out;
    uint64_t table_id, other; /* of the last one */
} Edges;

static Status find_edges(const ConflictGraph *graph, const SerialTxn *txn, Edges *edges)
{
    for (uint32_t i = graph->count; i-- > 0;) {
        const Committed *other = &graph->committed[i];
        if (other->position <= txn->snapshot) {
            break; // it saw this one and all before
        }
        uint64_t read = common_table(&txn->reads, &other->writes);
        uint64_t overwritten = common_table(&other->reads, &txn->writes);
        edges->has_out = edges->has_out || read != 0;
        edges->has_in = edges->has_in || overwritten != 0;
        if (read != 0 || overwritten != 0) {
            edges->table_id = read != 0 ? read : overwritten;
            edges->other = other->txn_id;
        }
        bool is_pivot =
            (read != 0 && other->has_read_before) || (overwritten != 0 && other->is_read_from);
        if (is_pivot || (edges->has_in && edges->has_out)) {
            return violation(edges->table_id, txn->txn_id, edges->other);
        }
    }
    return STATUS_OK;
}

/* The others' ends of its edges. */
static void mark_others(ConflictGraph *graph, const SerialTxn *txn)
{
    for (uint32_t i = graph->count; i-- > 0;) {
        Committed *other = &graph->committed[i];
        if (other->position <= txn->snapshot) {
            break;
        }
        other->is_read_from = other->is_read_from || common_table(&txn->reads, &other->writes) != 0;
        other->has_read_before =
            other->has_read_before || common_table(&other->reads, &txn->writes) != 0;
    }
}

Status conflict_graph_commit(ConflictGraph *graph, const SerialTxn *txn, uint64_t position)
{
    Edges edges = {0};
    if (txn->snapshot < graph->floor) {
        return violation(0, txn->txn_id, 0);
    }
    TRY(find_edges(graph, txn, &edges));
    if (!reserve(graph)) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for concurrent transactions");
    }
    mark_others(graph, txn);
    graph->committed[graph->count++] = (Committed){.txn_id = txn->txn_id,
                                                   .position = position,
                                                   .is_read_from = edges.has_in,
                                                   .has_read_before = edges.has_out,
                                                   .reads = txn->reads,
                                                   .writes = txn->writes};
    return STATUS_OK;
}

uint32_t conflict_graph_count(const ConflictGraph *graph)
{
    return graph->count;
}

void conflict_graph_cut(ConflictGraph *graph, uint32_t count)
{
    graph->count = count < graph->count ? count : graph->count;
}

void conflict_graph_forget(ConflictGraph *graph, uint64_t horizon)
{
    uint32_t old = 0;
    while (old < graph->count && graph->committed[old].position <= horizon) {
        old++;
    }
    if (old > 0) {
        graph->count -= old;
        memmove(graph->committed, graph->committed + old, graph->count * sizeof(*graph->committed));
    }
}
