/*
 * fake_store.h — a store without disk for the engine's suites: rows given as values, scanned as
 * batches of every form a real scan may give.
 *
 * Batches are made from a seed: lanes of any width that fits, bases, constants, dictionaries, lazy
 * columns, selections with rubbish rows between. Predicates and runtime filters are applied row by
 * row. Implements storage/scan.h and the writers of storage/store.h.
 */
#pragma once
#include "storage/scan.h"
#include "tests/support/planner/plan_run.h"

typedef struct FakeStoreOptions {
    const TableRows *tables;
    uint32_t node, node_count;   /* node from 0: which rows lie here */
    uint64_t seed;
    uint32_t morsel_rows;        /* 0: 100 */
    bool is_plain;               /* full batches, flat columns, no selection: for measuring */
} FakeStoreOptions;

Store *fake_store_create(const FakeStoreOptions *options);
void fake_store_destroy(Store *store);
uint64_t fake_store_filtered_rows(const Store *store); /* by runtime filters */
uint64_t fake_store_written_rows(const Store *store);
/* The shape of one batch of values, for tests that need vectors alone. */
void fake_batch(Arena *arena, const Type *types, uint32_t column_count, Value *const *rows,
                uint32_t row_count, uint64_t *random, bool is_plain, Batch *out);
