/*
 * options.h — the command line of tpch_gen.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bench/tpch/generator/key_format.h"
#include "bench/tpch/generator/table.h"

typedef struct Options {
    double scale;
    const char *directory;             /* where the files go */
    const Table *tables[TABLE_COUNT];
    size_t table_count;
    unsigned worker_count;
    uint64_t part_index, part_count;   /* --chunk 3/10 is index 2 of 10; 0 of 1 is everything */
    uint64_t seed;
    KeyStyle key_style;
    bool has_trailing_pipe;
    bool is_stdout;
} Options;

/* Reads the command line. Answers --help itself and stops the program, as it does on a mistake. */
void options_parse(Options *options, int argument_count, char **arguments);
