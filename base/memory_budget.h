/*
 * memory_budget.h — big memory: one page pool per process, promised to queries as budgets.
 *
 * Row data, hash tables, queues and caches live in pool pages; each holder reserves from its
 * budget first. A refusal is an ordinary answer: spill, or SQLSTATE 53200.
 * Budgets form a tree (process -> node -> query); a reservation counts at every level.
 */
#pragma once
#include "base/status.h"

typedef struct PagePool PagePool;
typedef struct MemoryBudget MemoryBudget;

/* A pool that grows on demand up to `limit_bytes` and reuses what it has (huge pages advised). */
Status page_pool_create(PagePool **out, size_t limit_bytes) CHECKED;
void page_pool_destroy(PagePool *pool);
size_t page_pool_used_bytes(const PagePool *pool);
size_t page_pool_limit_bytes(const PagePool *pool);

/* Limit in bytes, 0 = that of the parent. `parent` may be null for the root over
 * `pool`; with a parent `pool` may be null: the parent's. Null when
 * memory is refused. */
MemoryBudget *memory_budget_create(PagePool *pool, MemoryBudget *parent, const char *name,
                                   size_t limit_bytes);
void memory_budget_destroy(MemoryBudget *budget); /* everything must have been released */
/* True when `bytes` more were granted at every level. Thread-safe. */
bool memory_budget_reserve(MemoryBudget *budget, size_t bytes);
void memory_budget_release(MemoryBudget *budget, size_t bytes);
/* The same for bytes that the heap will hold: the pool then keeps so much less of its own. */
bool memory_budget_reserve_heap(MemoryBudget *budget, size_t bytes);
void memory_budget_release_heap(MemoryBudget *budget, size_t bytes);
/* Sets `bytes` aside at this level and above, for requests to this very budget that would be
 * refused otherwise; what they release fills it up again. Budgets below have no part in it. False
 * when there is not so much. At most once. */
bool memory_budget_set_aside(MemoryBudget *budget, size_t bytes);
/* A new limit, below or above what is used; requests above it are refused from now on. */
void memory_budget_set_limit(MemoryBudget *budget, size_t limit_bytes);
void memory_budget_raise_limit(MemoryBudget *budget, size_t by_bytes);
/* From now on requests to this budget are refused that would leave less than `bytes` to an ancestor
 * of it, so that others get the little they cannot do without; its own little is not: up to
 * `free_bytes` in all, and requests of at most 32 KiB. */
void memory_budget_leave(MemoryBudget *budget, const MemoryBudget *ancestor, size_t bytes,
                         size_t free_bytes);
size_t memory_budget_limit_bytes(const MemoryBudget *budget);
size_t memory_budget_used_bytes(const MemoryBudget *budget); /* without what is set aside here */
size_t memory_budget_available_bytes(const MemoryBudget *budget);
size_t memory_budget_peak_bytes(const MemoryBudget *budget);

enum { MEMORY_READABLE_BYTES = 64 }; /* behind each allocation; their contents mean nothing */

/* Reserve + allocate from the pool: 64-byte aligned, NOT zeroed, with 64 readable bytes after it.
 * Null when refused. Sizes are rounded up to a size class inside, and the budget is charged the
 * rounded size; pass the same `bytes` to free. Up to 32 KiB the classes are powers of two, above in
 * steps of an eighth (at least 64 KiB), above 64 MiB of 2 MiB. */
void *memory_alloc(MemoryBudget *budget, size_t bytes);
void *memory_alloc_zeroed(MemoryBudget *budget, size_t bytes);
/* `owned` may be null; on refusal (null) it is untouched. */
void *memory_realloc(MemoryBudget *budget, void *owned, size_t old_bytes, size_t new_bytes);
void memory_free(MemoryBudget *budget, void *owned, size_t bytes);
/* What an allocation of `bytes` is charged as. */
size_t memory_charged_bytes(size_t bytes);
/* Moves the charge of one allocation of `bytes` to another budget of the same pool; false when that
 * one refuses: nothing has changed then. */
bool memory_move(MemoryBudget *source, MemoryBudget *target, size_t bytes);
/* Undoes a move: never refused, the memory was charged there before. */
void memory_move_back(MemoryBudget *source, MemoryBudget *target, size_t bytes);
/* The error for a refusal: 53200 naming what wanted how much. */
Status memory_refused(const MemoryBudget *budget, size_t bytes, const char *what) CHECKED;
