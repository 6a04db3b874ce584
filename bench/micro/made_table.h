/*
 * made_table.h — tables of random rows in memory, in the lanes that a scan would give.
 *
 * A table is described by its columns and made when it is first wanted; its batches are offered to
 * operators again and again.
 */
#pragma once
#include "planner/plan/plan.h"
#include "base/vector/batch.h"

enum { MADE_COLUMNS_MAX = 16, MADE_TEXT_BYTES_MAX = 100 };

typedef struct MadeColumn {
    char letter; /* i integer, b bigint, d date, p decimal(12,2), c char(1), v varchar(100) */
    int64_t parameter;
    int64_t (*value)(uint64_t row, int64_t parameter);
    const char *const
        *words; /* `parameter` texts, which become a dictionary, any of them per row */
    size_t (*text)(uint64_t row, int64_t parameter, char *target); /* or any texts: their bytes */
} MadeColumn;

typedef struct MadeTable {
    uint32_t batch_count, column_count;
    MadeColumn columns[MADE_COLUMNS_MAX];
    /* Once it is made: */
    Type types[MADE_COLUMNS_MAX];
    Batch *batches;
    PlanNode node; /* stands for whatever gives these rows */
} MadeTable;

/* The same table, made if it was not yet, in memory of the process. */
MadeTable *made_table(MadeTable *table);
double made_table_rows(const MadeTable *table);
Type made_type(char letter);

/* Values. */
int64_t made_any_below(uint64_t row, int64_t limit);
int64_t made_row_number(uint64_t row, int64_t step);
int64_t made_any_of(uint64_t row, int64_t limit);      /* four times any number below */
int64_t made_clustered(uint64_t row, int64_t per_key); /* 0, 4, 8, … each for `per_key` rows */
/* Numbers far apart, of 61 bits: each row another; row modulo `limit`; any of `limit`. */
int64_t made_sparse_row(uint64_t row, int64_t unused);
int64_t made_sparse_again(uint64_t row, int64_t limit);
int64_t made_sparse(uint64_t row, int64_t limit);
/* "Customer#" and a number of nine digits: each row another; any of `limit`. */
size_t made_name_row(uint64_t row, int64_t unused, char *target);
size_t made_name(uint64_t row, int64_t limit, char *target);
/* Words as in TPC-H's comments, 49 bytes on average. */
size_t made_comment(uint64_t row, int64_t unused, char *target);
