/*
 * unit_pool.c — the buddy system.
 *
 *   example: a run of 18 units: a block of 32 is split off, its last 14 go back as 2 + 4 + 8.
 *
 * Descriptors live in an array beside the memory, one per unit, so free memory is never written and
 * an overrun does not corrupt the lists.
 */
#include "base/unit_pool.h"

#include <string.h>
#include <sys/mman.h>

#include "base/sanitizer.h"

#define TAIL_BYTES ((size_t)4 << 10) /* readable behind the last region opened */
#ifdef SANITIZER_THREAD
#define RESERVED_BYTES_MAX ((size_t)64 << 30) /* its shadow does not span more */
#else
#define RESERVED_BYTES_MAX ((size_t)8 << 40)
#endif

enum {
    REGION_UNITS = UNIT_RUN_BYTES_MAX / UNIT_BYTES,
    FRAME_UNITS = UNIT_FRAME_BYTES / UNIT_BYTES,
    FRAME_ORDER = 5,
    ORDER_MAX = 10, /* 2^10 units: a region */
    PURGE_SLACK_UNITS = 16 * FRAME_UNITS,
    PURGE_SLACK_PARTS = 64 /* … but no more than this part of the limit */
};
static_assert((1 << ORDER_MAX) == REGION_UNITS, "the largest block is a region");
static_assert((1 << FRAME_ORDER) == FRAME_UNITS, "a block of FRAME_ORDER is a frame");
static_assert(FRAME_UNITS == 32, "a bit of a word per unit");

typedef enum UnitState {
    UNIT_INSIDE, /* not the first of a free block */
    UNIT_FREE    /* first of a free block of 2^order units, in the list of its order */
} UnitState;

struct Unit {
    uint32_t next, previous; /* in the list of the order */
    uint8_t state, order;
};

static bool grow(UnitPool *pool);
static uint32_t run_alloc(UnitPool *pool, uint32_t unit_count);
static void run_free(UnitPool *pool, uint32_t first, uint32_t unit_count);
static void add_residents(UnitPool *pool, size_t units);
static void drop_oldest_kept(UnitPool *pool);

static uint32_t log2_floor(size_t value)
{
    return 63u - (uint32_t)__builtin_clzl(value);
}

static void *map(size_t bytes, int access)
{
    void *memory = mmap(NULL, bytes, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

// A longer mapping, cut at both ends.
char *unit_map_aligned(size_t bytes, size_t alignment, int access)
{
    char *start = map(bytes + alignment, access);
    if (start == NULL) {
        return NULL;
    }
    size_t head = (size_t)(-(uintptr_t)start & (alignment - 1));
    if (head > 0) {
        munmap(start, head);
    }
    munmap(start + head + bytes, alignment - head);
    return start + head;
}

static size_t purge_slack(const UnitPool *pool)
{
    const size_t part = pool->limit_units / PURGE_SLACK_PARTS;
    return part < PURGE_SLACK_UNITS ? part : PURGE_SLACK_UNITS;
}

Status unit_pool_init(UnitPool *pool, size_t limit_bytes)
{
    memset(pool, 0, sizeof *pool);
    size_t wanted = limit_bytes < RESERVED_BYTES_MAX / 2 ? limit_bytes * 2 : RESERVED_BYTES_MAX;
    size_t regions = wanted / UNIT_RUN_BYTES_MAX + 2;
    size_t units = regions * REGION_UNITS;
    pool->regions_max = (uint32_t)regions;
    pool->unit_count = (uint32_t)units;
    pool->reserved_bytes = regions * UNIT_RUN_BYTES_MAX + TAIL_BYTES;
    pool->base = unit_map_aligned(pool->reserved_bytes, UNIT_RUN_BYTES_MAX, PROT_NONE);
    pool->units = map(units * sizeof(Unit), PROT_READ | PROT_WRITE);
    pool->frame_residents = map(units / FRAME_UNITS * sizeof(uint32_t), PROT_READ | PROT_WRITE);
    pool->frame_is_split = map(units / FRAME_UNITS, PROT_READ | PROT_WRITE);
    mutex_init(&pool->mutex, MUTEX_RANK_MEMORY);
    if (pool->base == NULL || pool->units == NULL || pool->frame_residents == NULL ||
        pool->frame_is_split == NULL) {
        unit_pool_deinit(pool);
        return status_error(SQLSTATE_OUT_OF_MEMORY,
                            "could not reserve address space for a page pool of %zu bytes",
                            limit_bytes);
    }
    // Both are wishes: without them the pool is slower, and core dumps hold row data.
    madvise(pool->base, pool->reserved_bytes, MADV_HUGEPAGE);
    madvise(pool->base, pool->reserved_bytes, MADV_DONTDUMP);
    pool->limit_units = limit_bytes / UNIT_BYTES + 1;
    pool->purge_above_units = pool->limit_units + purge_slack(pool);
    for (size_t i = 0; i <= ORDER_MAX; i++) {
        pool->free_lists[i] = UNIT_NONE;
    }
    return STATUS_OK;
}

static void unmap(void *memory, size_t bytes)
{
    if (memory != NULL) {
        munmap(memory, bytes);
    }
}

void unit_pool_deinit(UnitPool *pool)
{
    while (pool->kept_count > 0) {
        drop_oldest_kept(pool);
    }
    mutex_deinit(&pool->mutex);
    unmap(pool->base, pool->reserved_bytes);
    unmap(pool->units, pool->unit_count * sizeof(Unit));
    unmap(pool->frame_residents, pool->unit_count / FRAME_UNITS * sizeof(uint32_t));
    unmap(pool->frame_is_split, pool->unit_count / FRAME_UNITS);
}

uint32_t unit_pool_alloc(UnitPool *pool, uint32_t unit_count)
{
    ASSERT(unit_count > 0 && unit_count <= REGION_UNITS);
    mutex_lock(&pool->mutex);
    uint32_t first = run_alloc(pool, unit_count);
    mutex_unlock(&pool->mutex);
    return first;
}

void unit_pool_free(UnitPool *pool, uint32_t first, uint32_t unit_count)
{
    mutex_lock(&pool->mutex);
    ASSERT(unit_count <= pool->region_count * REGION_UNITS &&
           first <= pool->region_count * REGION_UNITS - unit_count &&
           pool->units[first].state != UNIT_FREE);
    run_free(pool, first, unit_count);
    mutex_unlock(&pool->mutex);
}

// Beyond `bytes`, TAIL_BYTES may be read.
static void unmap_one(UnitPool *pool, char *memory, size_t bytes)
{
    int result = munmap(memory, bytes + TAIL_BYTES);
    ASSERT(result == 0);
    pool->resident_units -= bytes / UNIT_BYTES;
}

static char *take_kept(UnitPool *pool, size_t bytes)
{
    for (uint32_t i = pool->kept_count; i-- > 0;) {
        if (pool->kept[i].bytes == bytes) {
            char *memory = pool->kept[i].memory;
            pool->kept_count--;
            memmove(&pool->kept[i], &pool->kept[i + 1],
                    (pool->kept_count - i) * sizeof pool->kept[0]);
            return memory;
        }
    }
    return NULL;
}

static void drop_oldest_kept(UnitPool *pool)
{
    KeptMapping oldest = pool->kept[0];
    pool->kept_count--;
    memmove(&pool->kept[0], &pool->kept[1], pool->kept_count * sizeof pool->kept[0]);
    unmap_one(pool, oldest.memory, oldest.bytes);
}

char *unit_pool_map(UnitPool *pool, size_t bytes)
{
    DEBUG_ASSERT(bytes % UNIT_FRAME_BYTES == 0);
    mutex_lock(&pool->mutex);
    char *memory = take_kept(pool, bytes);
    if (memory == NULL) {
        add_residents(pool, bytes / UNIT_BYTES);
    }
    mutex_unlock(&pool->mutex);
    if (memory != NULL) {
        return memory;
    }
    memory = unit_map_aligned(bytes + TAIL_BYTES, UNIT_FRAME_BYTES, PROT_READ | PROT_WRITE);
    if (memory == NULL) {
        mutex_lock(&pool->mutex);
        pool->resident_units -= bytes / UNIT_BYTES;
        mutex_unlock(&pool->mutex);
        return NULL;
    }
    madvise(memory, bytes, MADV_HUGEPAGE);
    madvise(memory, bytes, MADV_DONTDUMP);
    return memory;
}

void unit_pool_unmap(UnitPool *pool, char *memory, size_t bytes)
{
    mutex_lock(&pool->mutex);
    if (pool->kept_count == UNIT_KEPT_MAX) {
        drop_oldest_kept(pool);
    }
    pool->kept[pool->kept_count++] = (KeptMapping){memory, bytes};
    mutex_unlock(&pool->mutex);
}

void unit_pool_add_outside(UnitPool *pool, size_t units)
{
    mutex_lock(&pool->mutex);
    add_residents(pool, units);
    mutex_unlock(&pool->mutex);
}

void unit_pool_drop_outside(UnitPool *pool, size_t units)
{
    mutex_lock(&pool->mutex);
    pool->resident_units -= units;
    mutex_unlock(&pool->mutex);
}

static void list_push(UnitPool *pool, uint32_t unit, uint32_t order)
{
    uint32_t head = pool->free_lists[order];
    pool->units[unit].state = UNIT_FREE;
    pool->units[unit].order = (uint8_t)order;
    pool->units[unit].next = head;
    pool->units[unit].previous = UNIT_NONE;
    if (head != UNIT_NONE) {
        pool->units[head].previous = unit;
    }
    pool->free_lists[order] = unit;
    pool->free_orders |= 1u << order;
}

static void list_remove(UnitPool *pool, uint32_t unit)
{
    Unit *entry = &pool->units[unit];
    entry->state = UNIT_INSIDE;
    if (entry->next != UNIT_NONE) {
        pool->units[entry->next].previous = entry->previous;
    }
    if (entry->previous != UNIT_NONE) {
        pool->units[entry->previous].next = entry->next;
        return;
    }
    pool->free_lists[entry->order] = entry->next;
    if (entry->next == UNIT_NONE) {
        pool->free_orders &= ~(1u << entry->order);
    }
}

// Frees the memory of `count` units, all inside free blocks.
static void give_back(UnitPool *pool, uint32_t unit, uint32_t count)
{
    if (madvise(unit_pool_address(pool, unit), count * UNIT_BYTES, MADV_DONTNEED) != 0) {
        return; // it stays, and is counted
    }
    for (uint32_t u = unit; u < unit + count; u++) {
        const uint32_t bit = UINT32_C(1) << u % FRAME_UNITS;
        pool->resident_units -= (pool->frame_residents[u / FRAME_UNITS] & bit) != 0;
        pool->frame_residents[u / FRAME_UNITS] &= ~bit;
    }
    for (uint32_t frame = unit / FRAME_UNITS; frame <= (unit + count - 1) / FRAME_UNITS; frame++) {
        pool->frame_is_split[frame] = pool->frame_residents[frame] != 0;
    }
}

static bool has_residents(const UnitPool *pool, uint32_t unit, uint32_t count)
{
    bool has_any = false;
    for (uint32_t u = unit; u < unit + count && !has_any; u++) {
        has_any = (pool->frame_residents[u / FRAME_UNITS] >> u % FRAME_UNITS & 1) != 0;
    }
    return has_any;
}

// Gives memory of free blocks of these orders back to the kernel; they stay in the pool as
// addresses. Stops when no more than the limit is resident.
static void purge(UnitPool *pool, uint32_t first_order, uint32_t end_order)
{
    for (uint32_t order = end_order; order-- > first_order;) {
        for (uint32_t unit = pool->free_lists[order];
             unit != UNIT_NONE && pool->resident_units > pool->limit_units;
             unit = pool->units[unit].next) {
            if (has_residents(pool, unit, 1u << order)) {
                give_back(pool, unit, 1u << order);
            }
        }
    }
}

// Counts `units` more as the process's; purges when that goes beyond the limit. The threshold
// moves on, so that a pool whose free memory lies in scraps is not searched at every allocation.
static void add_residents(UnitPool *pool, size_t units)
{
    pool->resident_units += units;
    while (pool->kept_count > 0 && pool->resident_units > pool->limit_units) {
        drop_oldest_kept(pool);
    }
    if (pool->resident_units <= pool->purge_above_units) {
        return;
    }
    purge(pool, FRAME_ORDER, ORDER_MAX + 1);
    purge(pool, 0, FRAME_ORDER);
    size_t from =
        pool->resident_units > pool->limit_units ? pool->resident_units : pool->limit_units;
    pool->purge_above_units = from + purge_slack(pool);
}

// A frame gets its memory as a whole, a huge page, unless parts of it were given back.
static void touch(UnitPool *pool, uint32_t first, uint32_t unit_count)
{
    size_t added = 0;
    for (uint32_t u = first; u < first + unit_count; u++) {
        const uint32_t frame = u / FRAME_UNITS, residents = pool->frame_residents[frame];
        const uint32_t wanted =
            pool->frame_is_split[frame] ? UINT32_C(1) << u % FRAME_UNITS : UINT32_MAX;
        added += (size_t)__builtin_popcount(wanted & ~residents);
        pool->frame_residents[frame] = residents | wanted;
    }
    if (added > 0) {
        add_residents(pool, added);
    }
}

static bool grow(UnitPool *pool)
{
    if (pool->region_count == pool->regions_max) {
        return false;
    }
    uint32_t unit = pool->region_count * REGION_UNITS;
    // The page behind is opened too: it holds the readable bytes after the last block.
    if (mprotect(unit_pool_address(pool, unit), UNIT_RUN_BYTES_MAX + TAIL_BYTES,
                 PROT_READ | PROT_WRITE) != 0) {
        return false;
    }
    pool->region_count++;
    list_push(pool, unit, ORDER_MAX);
    return true;
}

static uint32_t run_alloc(UnitPool *pool, uint32_t unit_count)
{
    uint32_t order = unit_count == 1 ? 0 : log2_floor(unit_count - 1) + 1;
    uint32_t candidates = pool->free_orders >> order << order;
    if (candidates == 0) {
        if (!grow(pool)) {
            return UNIT_NONE;
        }
        candidates = 1u << ORDER_MAX;
    }
    uint32_t found = (uint32_t)__builtin_ctz(candidates);
    uint32_t first = pool->free_lists[found];
    list_remove(pool, first);
    while (found > order) {
        found--;
        list_push(pool, first + (1u << found), found);
    }
    if (unit_count < 1u << order) {
        run_free(pool, first + unit_count, (1u << order) - unit_count);
    }
    touch(pool, first, unit_count);
    return first;
}

static void block_free(UnitPool *pool, uint32_t unit, uint32_t order)
{
    while (order < ORDER_MAX) {
        uint32_t buddy = unit ^ (1u << order);
        if (pool->units[buddy].state != UNIT_FREE || pool->units[buddy].order != order) {
            break;
        }
        list_remove(pool, buddy);
        unit &= ~(1u << order);
        order++;
    }
    list_push(pool, unit, order);
}

// Any run of units falls into aligned blocks: the largest that starts at `first` and fits, again
// and again.
static void run_free(UnitPool *pool, uint32_t first, uint32_t unit_count)
{
    while (unit_count > 0) {
        uint32_t aligned = first == 0 ? ORDER_MAX : (uint32_t)__builtin_ctz(first);
        uint32_t order = log2_floor(unit_count);
        order = order < aligned ? order : aligned;
        block_free(pool, first, order);
        first += 1u << order;
        unit_count -= 1u << order;
    }
}
