/* heap.c — the C library's allocator behind the table of heap.h. */
#include "base/heap.h"

#include <stdlib.h>
#include <string.h>

static void *system_alloc_zeroed(size_t bytes)
{
    return calloc(1, bytes);
}

static void *system_alloc_aligned(size_t alignment, size_t bytes)
{
    void *memory = NULL;
    return posix_memalign(&memory, alignment, bytes) == 0 ? memory : NULL;
}

static const HeapOps system_ops = {
    .alloc = malloc,
    .alloc_zeroed = system_alloc_zeroed,
    .alloc_aligned = system_alloc_aligned,
    .realloc = realloc,
    .free = free,
};
static const HeapOps *heap_ops = &system_ops;

const HeapOps *heap_set_ops(const HeapOps *ops)
{
    const HeapOps *former = heap_ops;
    heap_ops = ops != NULL ? ops : &system_ops;
    return former;
}

// A zero-sized request still gets an object of its own: null means refused, nothing else.
static size_t at_least_one(size_t bytes)
{
    return bytes > 0 ? bytes : 1;
}

void *heap_alloc(size_t bytes)
{
    return heap_ops->alloc(at_least_one(bytes));
}

void *heap_alloc_zeroed(size_t bytes)
{
    return heap_ops->alloc_zeroed(at_least_one(bytes));
}

void *heap_alloc_aligned(size_t alignment, size_t bytes)
{
    return heap_ops->alloc_aligned(alignment, at_least_one(bytes));
}

void *heap_realloc(void *memory, size_t bytes)
{
    return heap_ops->realloc(memory, at_least_one(bytes));
}

char *heap_strdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = heap_alloc(bytes);
    if (copy != NULL) {
        memcpy(copy, text, bytes);
    }
    return copy;
}

void heap_free(void *memory)
{
    if (memory != NULL) {
        heap_ops->free(memory);
    }
}
