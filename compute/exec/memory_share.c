/* memory_share.c — see memory_share.h. */
#include "compute/exec/memory_share.h"

#include "compute/exec/scheduler.h"

enum {
    ASIDE_PARTS = 4,    /* of the grant */
    ASIDE_QUERIES = 16, /* so many at once have something set aside */
    KEPT_PARTS = 8,     /* of what the process has for queries */
    SHORT_PARTS = 4,
    SHARE_PARTS = 4
};
#define ASIDE_WORKER_BYTES ((size_t)24 << 20) /* two writers of partitions and what they read */
#define LITTLE_BYTES (2 << 20)                /* any table may have so much */
#define SMALL_BYTES ((double)(4 << 20))       /* nobody needs to be told how to divide this */

struct MemoryShare {
    MemoryShare *next;
    double expected_bytes;
    size_t promised_bytes;
    bool has_begun; /* atomic */
};

MemoryShare *memory_share_create(QueryContext *query, double expected_bytes)
{
    MemoryShare *share = ARENA_NEW(query->arena, MemoryShare);
    const double nodes = query->node_count > 1 && query->endpoint != 0 ? query->node_count : 1;
    *share = (MemoryShare){.next = query->shares, .expected_bytes = expected_bytes / nodes};
    query->shares = share;
    return share;
}

// What tables leave to all queries of the process for batches, small tables and streams.
static size_t queries_kept(const QueryContext *query)
{
    return memory_budget_limit_bytes(query->host->queries) / KEPT_PARTS;
}

// Half as much when other queries have nearly everything: less is slower, and with none at all what
// must go to disk may end in 53200.
static size_t set_aside(QueryContext *query)
{
    const size_t grant = memory_budget_limit_bytes(query->budget);
    const size_t most = scheduler_worker_count(query->host->scheduler) * ASIDE_WORKER_BYTES;
    const size_t fair = memory_budget_limit_bytes(query->host->queries) / ASIDE_QUERIES;
    size_t bytes = grant / ASIDE_PARTS < most ? grant / ASIDE_PARTS : most;
    bytes = bytes < fair ? bytes : fair;
    const size_t kept = queries_kept(query);
    while (bytes > 0 && (memory_budget_available_bytes(query->host->queries) < kept + bytes ||
                         !memory_budget_set_aside(query->budget, bytes))) {
        bytes /= 2;
    }
    return bytes;
}

void memory_shares_settle(QueryContext *query)
{
    double expected_bytes = 0;
    uint32_t count = 0;
    for (const MemoryShare *share = query->shares; share != NULL; share = share->next) {
        expected_bytes += share->expected_bytes;
        count++;
    }
    if (query->tables != query->budget) {
        memory_budget_leave(query->tables, query->host->queries, queries_kept(query),
                            (size_t)LITTLE_BYTES);
    }
    if (count == 0 || query->tables == query->budget ||
        (expected_bytes < SMALL_BYTES && !query->force_spill)) {
        return;
    }
    query->aside_bytes = set_aside(query);
    const size_t total = memory_budget_limit_bytes(query->budget) - query->aside_bytes;
    const size_t most = total / count, least = most / SHARE_PARTS;
    size_t promised = 0;
    for (MemoryShare *share = query->shares; share != NULL; share = share->next) {
        const double wanted = share->expected_bytes;
        share->promised_bytes = wanted < (double)least  ? least
                                : wanted > (double)most ? most
                                                        : (size_t)wanted;
        promised += share->promised_bytes;
    }
    memory_budget_set_limit(query->tables, total - promised);
}

void memory_share_begin(QueryContext *query, MemoryShare *share)
{
    if (share->promised_bytes > 0 &&
        !__atomic_exchange_n(&share->has_begun, true, __ATOMIC_RELAXED)) {
        memory_budget_raise_limit(query->tables, share->promised_bytes);
    }
}

bool memory_is_short(const QueryContext *query)
{
    // Half of what is kept for all is nobody's to fill with a table.
    const size_t kept = query->aside_bytes > 0 ? queries_kept(query) / 2 : 0;
    const size_t available = memory_budget_available_bytes(query->budget);
    const size_t others = memory_budget_available_bytes(query->host->queries);
    const size_t spared = others < kept ? others : kept;
    return available < spared + query->aside_bytes / SHORT_PARTS;
}
