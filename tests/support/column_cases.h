/*
 * column_cases.h — columns of every type, lane, form, null pattern and telling length, with their
 * values beside them.
 *
 * Arrays are heap blocks of exactly the lanes plus 64 bytes, so that AddressSanitizer sees a kernel
 * that reads further.
 */
#pragma once
#include "base/vector/batch.h"

typedef struct ColumnCase {
    Vector vector;
    uint32_t row_count;
    Value values[VECTOR_ROWS]; /* what each row must read as */
    char name[160];            /* for messages */
} ColumnCase;

uint32_t column_case_count(void);
/* Case `index`, its values drawn by `seed`; everything lives in `arena`. */
void column_case_make(uint32_t index, uint64_t seed, Arena *arena, ColumnCase *out);
/* One of `row_count` rows of any sort, for batches of several columns. */
void column_case_make_rows(uint32_t index, uint32_t row_count, uint64_t seed, Arena *arena,
                           ColumnCase *out);

uint64_t test_random(uint64_t *state);

/* The kernel levels this machine can run, one by one: returns false behind the last. */
bool kernel_levels_next(uint32_t *index);

/* A pool and a budget for big memory. */
typedef struct TestMemory {
    PagePool *pool;
    MemoryBudget *budget;
} TestMemory;
TestMemory test_memory_create(size_t limit_bytes);
void test_memory_destroy(TestMemory *memory); /* asserts that nothing is held */

/* `actual` must hold values[rows[i]] (rows null: values[i]) at row i. */
void assert_column(const Vector *actual, const ColumnCase *expected, const uint16_t *rows,
                   uint32_t count);
