/* failing_heap.c — a heap table that counts. */
#include "tests/support/failing_heap.h"

#include <stdatomic.h>
#include <stdlib.h>

static _Atomic uint64_t heap_calls;
static uint64_t heap_refused;
static bool heap_refuses_for_good;

static bool is_refused(void)
{
    uint64_t call = atomic_fetch_add(&heap_calls, 1) + 1;
    return call == heap_refused || (heap_refuses_for_good && call > heap_refused);
}

static void *failing_alloc(size_t bytes)
{
    return is_refused() ? NULL : malloc(bytes);
}

static void *failing_alloc_zeroed(size_t bytes)
{
    return is_refused() ? NULL : calloc(1, bytes);
}

static void *failing_alloc_aligned(size_t alignment, size_t bytes)
{
    void *memory = NULL;
    return !is_refused() && posix_memalign(&memory, alignment, bytes) == 0 ? memory : NULL;
}

static void *failing_realloc(void *memory, size_t bytes)
{
    return is_refused() ? NULL : realloc(memory, bytes);
}

void failing_heap_start(uint64_t refused, bool is_for_good)
{
    static const HeapOps ops = {
        .alloc = failing_alloc,
        .alloc_zeroed = failing_alloc_zeroed,
        .alloc_aligned = failing_alloc_aligned,
        .realloc = failing_realloc,
        .free = free,
    };
    atomic_store(&heap_calls, 0);
    heap_refused = refused;
    heap_refuses_for_good = is_for_good;
    heap_set_ops(&ops);
}

bool failing_heap_stop(void)
{
    heap_set_ops(NULL);
    return atomic_load(&heap_calls) >= heap_refused;
}

uint64_t failing_heap_count(void)
{
    return atomic_load(&heap_calls);
}
