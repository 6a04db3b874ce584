/*
 * produce.h — makes tables with several workers; the bytes do not depend on their number.
 */
#pragma once

#include "bench/tpch/generator/output_file.h"
#include "bench/tpch/generator/table.h"

/* A range of units of one table and the file they go to. */
typedef struct TableJob {
    const Table *table;
    uint64_t first_unit, end_unit;    /* first_unit <= unit < end_unit */
    OutputFile output;
} TableJob;

/* Makes all jobs, in their order, with `worker_count` threads, and returns when the last byte is
 * written. Stops the program on any error. */
void produce(const DataSet *data_set, TableJob *jobs, size_t job_count, unsigned worker_count);
