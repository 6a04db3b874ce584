/*
 * heap.h — the process heap through a replaceable table, so that a test can refuse any allocation.
 *
 * Small objects with a life of their own (statuses, arenas' chunks, queues) come from here; what
 * belongs to a lifetime comes from an Arena, what is big from the page pool.
 * Invariant: whatever table is set, the memory it hands out may be given to free(3).
 */
#pragma once
#include "base/status.h"

typedef struct HeapOps {
    void *(*alloc)(size_t bytes);
    void *(*alloc_zeroed)(size_t bytes);
    void *(*alloc_aligned)(size_t alignment, size_t bytes);
    void *(*realloc)(void *memory, size_t bytes);
    void (*free)(void *memory);
} HeapOps;

/* Tests only, while no other thread allocates; null: the C library's. Returns the former table. */
const HeapOps *heap_set_ops(const HeapOps *ops);

/* Null when refused; `bytes` may be 0. */
void *heap_alloc(size_t bytes) CHECKED;
void *heap_alloc_zeroed(size_t bytes) CHECKED;
void *heap_alloc_aligned(size_t alignment, size_t bytes) CHECKED; /* a power of two >= 8 */
/* Null when refused; `memory` is then untouched. */
void *heap_realloc(void *memory, size_t bytes) CHECKED;
char *heap_strdup(const char *text) CHECKED;
void heap_free(void *memory); /* null is allowed */
