/*
 * page_pool_internal.h — the pool under the budgets: size classes, allocation, release.
 *
 * Sizes passed here are those of `page_pool_rounded_bytes`; the same size comes back at release.
 */
#pragma once
#include "base/memory_budget.h"

/* What an allocation of `bytes` really takes; at least `bytes`, 0 when that cannot be. */
size_t page_pool_rounded_bytes(size_t bytes);
/* 64-byte aligned, contents undefined, 64 readable bytes behind. Null when the pool's limit or the
 * machine refuses. Thread-safe. */
void *page_pool_alloc(PagePool *pool, size_t rounded_bytes) CHECKED;
void page_pool_free(PagePool *pool, void *memory, size_t rounded_bytes);
/* Memory that is not the pool's counts for what may be resident. */
void page_pool_add_outside(PagePool *pool, size_t bytes);
void page_pool_drop_outside(PagePool *pool, size_t bytes);
/* Cuts an allocation to its first `new_bytes` in place; false when the classes do not allow it. */
bool page_pool_shrink(PagePool *pool, void *memory, size_t old_bytes, size_t new_bytes);
