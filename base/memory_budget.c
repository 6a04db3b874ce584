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

enum { LITTLE_BYTES = 32 << 10 }; /* a request of what every beginning takes */

struct MemoryBudget {
    PagePool *pool;
    MemoryBudget *parent;
    char *name;
    /* relaxed, all of them: numbers, they publish nothing */
    atomic_size_t limit_bytes, used_bytes, peak_bytes;
    atomic_size_t aside_bytes; /* part of used_bytes that nobody has taken yet */
    size_t aside_max_bytes;
    const MemoryBudget *left_to; /* an ancestor that keeps `left_bytes`; null: none */
    size_t left_bytes, free_bytes;
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
    size_t outer_bytes =
        parent != NULL ? memory_budget_limit_bytes(parent) : page_pool_limit_bytes(pool);
    budget->pool = pool != NULL ? pool : parent->pool;
    budget->parent = parent;
    budget->name = name_copy;
    atomic_init(&budget->limit_bytes,
                limit_bytes > 0 && limit_bytes < outer_bytes ? limit_bytes : outer_bytes);
    return budget;
}

void memory_budget_set_limit(MemoryBudget *budget, size_t limit_bytes)
{
    atomic_store_explicit(&budget->limit_bytes, limit_bytes, memory_order_relaxed);
}

void memory_budget_raise_limit(MemoryBudget *budget, size_t by_bytes)
{
    atomic_fetch_add_explicit(&budget->limit_bytes, by_bytes, memory_order_relaxed);
}

static void release_up_to(MemoryBudget *budget, const MemoryBudget *end, size_t bytes)
{
    for (; budget != end; budget = budget->parent) {
        size_t used = atomic_fetch_sub_explicit(&budget->used_bytes, bytes, memory_order_relaxed);
        ASSERT(used >= bytes);
    }
}

void memory_budget_destroy(MemoryBudget *budget)
{
    if (budget == NULL) {
        return;
    }
    size_t left_bytes = memory_budget_used_bytes(budget);
    release_up_to(budget, NULL,
                  atomic_exchange_explicit(&budget->aside_bytes, 0, memory_order_relaxed));
    budget->aside_max_bytes = 0;
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
    return atomic_load_explicit(&budget->limit_bytes, memory_order_relaxed);
}

static bool reserve_here(MemoryBudget *budget, size_t bytes)
{
    size_t used = atomic_load_explicit(&budget->used_bytes, memory_order_relaxed);
    do {
        const size_t limit = memory_budget_limit_bytes(budget);
        if (bytes > limit || used > limit - bytes) {
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

void memory_budget_leave(MemoryBudget *budget, const MemoryBudget *ancestor, size_t bytes,
                         size_t free_bytes)
{
    budget->left_to = ancestor;
    budget->left_bytes = bytes;
    budget->free_bytes = free_bytes;
}

// Others may take of it at the same moment: it need not be exact.
static bool leaves_enough(const MemoryBudget *budget, size_t bytes)
{
    if (budget->left_to == NULL || bytes <= LITTLE_BYTES ||
        memory_budget_used_bytes(budget) + bytes <= budget->free_bytes) {
        return true;
    }
    const size_t available = memory_budget_available_bytes(budget->left_to);
    return available > bytes && available - bytes >= budget->left_bytes;
}

static bool reserve_up_to_root(MemoryBudget *budget, size_t bytes)
{
    if (!leaves_enough(budget, bytes)) {
        return false;
    }
    for (MemoryBudget *level = budget; level != NULL; level = level->parent) {
        if (!reserve_here(level, bytes)) {
            release_up_to(budget, level, bytes);
            return false;
        }
    }
    return true;
}

// What is set aside is counted as used already: it only changes hands.
static bool take_aside(MemoryBudget *budget, size_t bytes)
{
    size_t aside = atomic_load_explicit(&budget->aside_bytes, memory_order_relaxed);
    do {
        if (aside < bytes) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&budget->aside_bytes, &aside, aside - bytes,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

static size_t fill_aside(MemoryBudget *budget, size_t bytes)
{
    size_t aside = atomic_load_explicit(&budget->aside_bytes, memory_order_relaxed), kept;
    do {
        const size_t room = budget->aside_max_bytes > aside ? budget->aside_max_bytes - aside : 0;
        kept = bytes < room ? bytes : room;
    } while (kept > 0 &&
             !atomic_compare_exchange_weak_explicit(&budget->aside_bytes, &aside, aside + kept,
                                                    memory_order_relaxed, memory_order_relaxed));
    return kept;
}

bool memory_budget_set_aside(MemoryBudget *budget, size_t bytes)
{
    if (!reserve_up_to_root(budget, bytes)) {
        return false;
    }
    budget->aside_max_bytes = bytes;
    atomic_store_explicit(&budget->aside_bytes, bytes, memory_order_relaxed);
    return true;
}

bool memory_budget_reserve(MemoryBudget *budget, size_t bytes)
{
    return reserve_up_to_root(budget, bytes) || take_aside(budget, bytes);
}

void memory_budget_release(MemoryBudget *budget, size_t bytes)
{
    const size_t kept = budget->aside_max_bytes > 0 ? fill_aside(budget, bytes) : 0;
    release_up_to(budget, NULL, bytes - kept);
}

bool memory_budget_reserve_heap(MemoryBudget *budget, size_t bytes)
{
    if (!memory_budget_reserve(budget, bytes)) {
        return false;
    }
    page_pool_add_outside(budget->pool, bytes);
    return true;
}

void memory_budget_release_heap(MemoryBudget *budget, size_t bytes)
{
    page_pool_drop_outside(budget->pool, bytes);
    memory_budget_release(budget, bytes);
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

size_t memory_charged_bytes(size_t bytes)
{
    return taken_bytes(bytes);
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
    const size_t used = atomic_load_explicit(&budget->used_bytes, memory_order_relaxed);
    const size_t aside = atomic_load_explicit(&budget->aside_bytes, memory_order_relaxed);
    return used > aside ? used - aside : 0;
}

// What a budget that leaves something to others may still have of it.
static size_t left_by_others(const MemoryBudget *budget)
{
    const size_t others = memory_budget_available_bytes(budget->left_to);
    const size_t used = memory_budget_used_bytes(budget);
    const size_t own = others > budget->left_bytes ? others - budget->left_bytes : 0;
    const size_t little = budget->free_bytes > used ? budget->free_bytes - used : 0;
    return own > little ? own : little;
}

size_t memory_budget_available_bytes(const MemoryBudget *budget)
{
    const size_t aside = atomic_load_explicit(&budget->aside_bytes, memory_order_relaxed);
    size_t available = SIZE_MAX;
    for (; budget != NULL; budget = budget->parent) {
        const size_t limit = memory_budget_limit_bytes(budget);
        const size_t used = atomic_load_explicit(&budget->used_bytes, memory_order_relaxed);
        const size_t here = used < limit ? limit - used : 0;
        available = here < available ? here : available;
        if (budget->left_to != NULL) {
            const size_t most = left_by_others(budget);
            available = most < available ? most : available;
        }
    }
    return available < SIZE_MAX - aside ? available + aside : SIZE_MAX;
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
                              memory_budget_used_bytes(budget), memory_budget_limit_bytes(budget));
}
