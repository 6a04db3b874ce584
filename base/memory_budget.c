/* memory_budget.c — promises of big memory, as a tree of counters over the page pool. */
#include "base/memory_budget.h"

#include <stdatomic.h>
#include <string.h>

#include "base/fault.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/page_pool_internal.h"
#include "base/sanitizer.h"

struct MemoryBudget {
    PagePool *pool;
    MemoryBudget *parent;
    char *name;
    size_t limit_bytes;
    atomic_size_t used_bytes, peak_bytes; /* relaxed: numbers, they publish nothing */
};

MemoryBudget *memory_budget_create(PagePool *pool, MemoryBudget *parent, const char *name,
                                   size_t limit_bytes)
{
    MemoryBudget *budget = heap_alloc_zeroed(sizeof *budget);
    char *name_copy = budget != NULL ? heap_strdup(name) : NULL;
    if (name_copy == NULL) {
        heap_free(budget);
        return NULL;
    }
    size_t outer_bytes = parent != NULL ? parent->limit_bytes : page_pool_limit_bytes(pool);
    budget->pool = pool != NULL ? pool : parent->pool;
    budget->parent = parent;
    budget->name = name_copy;
    budget->limit_bytes = limit_bytes > 0 && limit_bytes < outer_bytes ? limit_bytes : outer_bytes;
    return budget;
}

void memory_budget_destroy(MemoryBudget *budget)
{
    if (budget == NULL) {
        return;
    }
    size_t left_bytes = memory_budget_used_bytes(budget);
    DEBUG_ASSERT(left_bytes == 0);
    if (left_bytes > 0) {
        // A leak of one query must not stop the server, nor shrink it for the next one.
        log_error("memory_not_released", "budget=\"%s\" bytes=%zu", budget->name, left_bytes);
        memory_budget_release(budget, left_bytes);
    }
    heap_free(budget->name);
    heap_free(budget);
}

size_t memory_budget_limit_bytes(const MemoryBudget *budget)
{
    return budget->limit_bytes;
}

static bool reserve_here(MemoryBudget *budget, size_t bytes)
{
    size_t used = atomic_load_explicit(&budget->used_bytes, memory_order_relaxed);
    do {
        if (bytes > budget->limit_bytes || used > budget->limit_bytes - bytes) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&budget->used_bytes, &used, used + bytes,
                                                    memory_order_relaxed, memory_order_relaxed));
    size_t peak = atomic_load_explicit(&budget->peak_bytes, memory_order_relaxed);
    while (peak < used + bytes &&
           !atomic_compare_exchange_weak_explicit(&budget->peak_bytes, &peak, used + bytes,
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
    return true;
}

static void release_up_to(MemoryBudget *budget, const MemoryBudget *end, size_t bytes)
{
    for (; budget != end; budget = budget->parent) {
        size_t used = atomic_fetch_sub_explicit(&budget->used_bytes, bytes, memory_order_relaxed);
        ASSERT(used >= bytes);
    }
}

bool memory_budget_reserve(MemoryBudget *budget, size_t bytes)
{
    for (MemoryBudget *level = budget; level != NULL; level = level->parent) {
        if (!reserve_here(level, bytes)) {
            release_up_to(budget, level, bytes);
            return false;
        }
    }
    return true;
}

void memory_budget_release(MemoryBudget *budget, size_t bytes)
{
    release_up_to(budget, NULL, bytes);
}

// What the pool gives for `bytes`, 0 when it cannot be.
static size_t taken_bytes(size_t bytes)
{
#ifdef SANITIZER_THREAD
    // Reads behind the end must not meet a neighbour's writes.
    bytes += bytes < SIZE_MAX / 2 ? MEMORY_READABLE_BYTES : 0;
#endif
    return page_pool_rounded_bytes(bytes);
}

static void charge_anyway(MemoryBudget *budget, size_t bytes)
{
    for (; budget != NULL; budget = budget->parent) {
        atomic_fetch_add_explicit(&budget->used_bytes, bytes, memory_order_relaxed);
    }
}

bool memory_move(MemoryBudget *source, MemoryBudget *target, size_t bytes)
{
    size_t rounded_bytes = taken_bytes(bytes);
    memory_budget_release(source, rounded_bytes);
    if (memory_budget_reserve(target, rounded_bytes)) {
        return true;
    }
    charge_anyway(source, rounded_bytes); // back where it was, whatever the limits say now
    return false;
}

void memory_move_back(MemoryBudget *source, MemoryBudget *target, size_t bytes)
{
    size_t rounded_bytes = taken_bytes(bytes);
    memory_budget_release(source, rounded_bytes);
    charge_anyway(target, rounded_bytes);
}

size_t memory_budget_used_bytes(const MemoryBudget *budget)
{
    return atomic_load_explicit(&budget->used_bytes, memory_order_relaxed);
}

size_t memory_budget_available_bytes(const MemoryBudget *budget)
{
    size_t available = SIZE_MAX;
    for (; budget != NULL; budget = budget->parent) {
        size_t used = memory_budget_used_bytes(budget);
        size_t here = used < budget->limit_bytes ? budget->limit_bytes - used : 0;
        available = here < available ? here : available;
    }
    return available;
}

size_t memory_budget_peak_bytes(const MemoryBudget *budget)
{
    return atomic_load_explicit(&budget->peak_bytes, memory_order_relaxed);
}

// AddressSanitizer finds overruns behind the readable bytes even inside the rounding.
static void poison_rest(void *memory, size_t bytes, size_t rounded_bytes)
{
#ifdef SANITIZER_ADDRESS
    MEMORY_UNPOISON(memory, rounded_bytes + MEMORY_READABLE_BYTES);
    MEMORY_POISON((char *)memory + bytes + MEMORY_READABLE_BYTES, rounded_bytes - bytes);
#else
    (void)memory, (void)bytes, (void)rounded_bytes;
#endif
}

void *memory_alloc(MemoryBudget *budget, size_t bytes)
{
    Status fault = FAULT("memory.alloc");
    if (fault != STATUS_OK) {
        status_ignore(fault, "a refusal is a null");
        return NULL;
    }
    size_t rounded_bytes = taken_bytes(bytes);
    if (rounded_bytes == 0 || !memory_budget_reserve(budget, rounded_bytes)) {
        metric_add(METRIC_MEMORY_REFUSALS, 1);
        return NULL;
    }
    void *memory = page_pool_alloc(budget->pool, rounded_bytes);
    if (memory == NULL) {
        memory_budget_release(budget, rounded_bytes);
        metric_add(METRIC_MEMORY_REFUSALS, 1);
        return NULL;
    }
    poison_rest(memory, bytes, rounded_bytes);
    return memory;
}

void *memory_alloc_zeroed(MemoryBudget *budget, size_t bytes)
{
    void *memory = memory_alloc(budget, bytes);
    return memory != NULL ? memset(memory, 0, bytes) : NULL;
}

void *memory_realloc(MemoryBudget *budget, void *owned, size_t old_bytes, size_t new_bytes)
{
    if (owned == NULL) {
        return memory_alloc(budget, new_bytes);
    }
    size_t old_rounded = taken_bytes(old_bytes);
    size_t new_rounded = taken_bytes(new_bytes);
    if (new_rounded == old_rounded) {
        poison_rest(owned, new_bytes, new_rounded);
        return owned;
    }
    if (new_rounded != 0 && new_rounded < old_rounded &&
        page_pool_shrink(budget->pool, owned, old_rounded, new_rounded)) {
        memory_budget_release(budget, old_rounded - new_rounded);
        return owned;
    }
    void *memory = memory_alloc(budget, new_bytes);
    if (memory != NULL) {
        memcpy(memory, owned, old_bytes < new_bytes ? old_bytes : new_bytes);
        memory_free(budget, owned, old_bytes);
    }
    return memory;
}

void memory_free(MemoryBudget *budget, void *owned, size_t bytes)
{
    if (owned == NULL) {
        return;
    }
    size_t rounded_bytes = taken_bytes(bytes);
    page_pool_free(budget->pool, owned, rounded_bytes);
    memory_budget_release(budget, rounded_bytes);
}

Status memory_refused(const MemoryBudget *budget, size_t bytes, const char *what)
{
    Status status =
        status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for %s: %zu bytes wanted", what, bytes);
    return status_with_detail(status, "budget \"%s\" has used %zu of %zu bytes", budget->name,
                              memory_budget_used_bytes(budget), budget->limit_bytes);
}
