/*
 * operator_case.h — rows of engine_bench's table, and what drives their operators: no pipeline
 * runs, so that one side of a join can be timed without the other.
 */
#pragma once
#include "bench/micro/bench.h"
#include "bench/micro/made_table.h"
#include "bench/micro/reference.h"
#include "compute/exec/operator.h"

typedef struct OperatorCase {
    const char *name;
    const char *unit; /* what its nanoseconds are per */
    double gate_ns;   /* on AVX2 and AVX-512, where the reference takes its known time; 0: none */
    Reference reference;
    /* A round: makes the operator at the kernel level of now and offers it its rows. Nanoseconds
     * per unit. Tables are made in a round that is not counted. */
    double (*run)(struct OperatorCase *self);
    char note[64]; /* of the last round: how it was done */
    GateFigures figures;
} OperatorCase;

/* Each file of cases hands its own to the table. */
void operator_case_add(OperatorCase *operator_case);
void scan_cases_add(void);
void join_cases_add(void);
void group_cases_add(void);
void sort_cases_add(void);
void exchange_cases_add(void);
void copy_cases_add(void);
/* What they keep from round to round; after the last. */
void scan_cases_close(void);
void exchange_cases_close(void);
void copy_cases_close(void);

/* What all rounds run on. */
typedef struct EngineWorld {
    Host *host;
    MemoryBudget *budget;
    const char *directory; /* absolute; empty at first, removed at the end */
} EngineWorld;
extern EngineWorld engine_world;

/* A query of one worker; what its operators allocate is gone with its end. */
QueryContext *bench_query_begin(void);
void bench_query_end(void);

/* Opens it for the one worker of the query, whose state it gives. */
void *sink_start(Sink *sink);
void *source_start(Source *source);
void *transform_start(Transform *transform);
/* All batches of the table, `times` times. */
void sink_offer(Sink *sink, void *local, const MadeTable *table, uint32_t times);
/* Merges and finishes; closing is apart, as it is never timed. */
void sink_finish(Sink *sink, void *local);
void sink_close(Sink *sink, void *local);
void source_close(Source *source, void *local);
void transform_close(Transform *transform, void *local);
/* Takes all that comes; its rows. */
uint64_t source_drain(Source *source, void *local, uint32_t column_count);
