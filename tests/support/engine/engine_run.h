/*
 * engine_run.h — runs a plan with the real engine on a leader and some nodes in one process.
 *
 * Every endpoint has its own query context and hub; the streams are the real ones, the stores are
 * fake_store.h's.
 */
#pragma once
#include "planner/plan/plan_print.h"
#include "tests/support/engine/fake_store.h"

typedef struct EngineOptions {
    uint32_t node_count, worker_count; /* 0: 1 and 2 */
    uint32_t batch_rows;               /* 0: 1,024 */
    bool force_spill, exchange_encode, is_plain;
    size_t query_memory;               /* 0: no limit */
    uint64_t seed;
    uint32_t morsel_rows;
    uint32_t cancel_after_batches;     /* nonzero: the receiver cancels then */
    uint32_t block_every;              /* nonzero: the receiver answers BLOCKED that often */
    const char *copy_roots;
    uint32_t known_key_bits;           /* nonzero: in place of what the bucket map says */
} EngineOptions;

typedef struct EngineResult {
    Rows *rows;
    const char *failure;               /* message, or null */
    SqlState sqlstate;
    PlanNodeStatistics *statistics;    /* of all endpoints */
    uint32_t statistic_count;
    uint64_t filtered_rows, written_rows, spilled_bytes;
    uint64_t run_ns;                   /* from start to end */
} EngineResult;

EngineResult engine_run(const Plan *plan, const TableRows *tables, const EngineOptions *options,
                        Arena *arena);
/* The variant a plan node has chosen, at any endpoint; "" when none. */
const char *engine_variant(const EngineResult *result, uint32_t plan_node_id);
