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
    PURGE_SLACK_FRAMES = 16
};
static_assert((1 << ORDER_MAX) == REGION_UNITS, "the largest block is a region");
static_assert((1 << FRAME_ORDER) == FRAME_UNITS, "a block of FRAME_ORDER is a frame");

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
static void add_frames(UnitPool *pool, size_t frames);
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
    pool->frame_is_touched = map(units / FRAME_UNITS, PROT_READ | PROT_WRITE);
    mutex_init(&pool->mutex, MUTEX_RANK_MEMORY);
    if (pool->base == NULL || pool->units == NULL || pool->frame_is_touched == NULL) {
        unit_pool_deinit(pool);
        return status_error(SQLSTATE_OUT_OF_MEMORY,
                            "could not reserve address space for a page pool of %zu bytes",
                            limit_bytes);
    }
    // Both are wishes: without them the pool is slower, and core dumps hold row data.
    madvise(pool->base, pool->reserved_bytes, MADV_HUGEPAGE);
    madvise(pool->base, pool->reserved_bytes, MADV_DONTDUMP);
    pool->limit_frames = limit_bytes / UNIT_FRAME_BYTES + 1;
    pool->purge_above_frames = pool->limit_frames + PURGE_SLACK_FRAMES;
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
    unmap(pool->frame_is_touched, pool->unit_count / FRAME_UNITS);
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
    pool->frames_touched -= bytes / UNIT_FRAME_BYTES;
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
        add_frames(pool, bytes / UNIT_FRAME_BYTES);
    }
    mutex_unlock(&pool->mutex);
    if (memory != NULL) {
        return memory;
    }
    memory = unit_map_aligned(bytes + TAIL_BYTES, UNIT_FRAME_BYTES, PROT_READ | PROT_WRITE);
    if (memory == NULL) {
        mutex_lock(&pool->mutex);
        pool->frames_touched -= bytes / UNIT_FRAME_BYTES;
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

// Gives touched frames of free blocks back to the kernel; they stay in the pool as addresses.
static void purge(UnitPool *pool)
{
    for (uint32_t order = FRAME_ORDER; order <= ORDER_MAX; order++) {
        for (uint32_t unit = pool->free_lists[order]; unit != UNIT_NONE;
             unit = pool->units[unit].next) {
            uint32_t first = unit / FRAME_UNITS;
            uint32_t count = 1u << (order - FRAME_ORDER);
            size_t touched = 0;
            for (uint32_t frame = first; frame < first + count; frame++) {
                touched += pool->frame_is_touched[frame];
            }
            if (touched > 0 && madvise(unit_pool_address(pool, unit), count * UNIT_FRAME_BYTES,
                                       MADV_DONTNEED) == 0) {
                memset(pool->frame_is_touched + first, 0, count);
                pool->frames_touched -= touched;
            }
        }
    }
}

// Counts `frames` more as the process's; purges when that goes beyond the limit. The threshold
// moves on, so that a pool whose free memory lies in scraps is not searched at every allocation.
static void add_frames(UnitPool *pool, size_t frames)
{
    pool->frames_touched += frames;
    while (pool->kept_count > 0 && pool->frames_touched > pool->limit_frames) {
        drop_oldest_kept(pool);
    }
    if (pool->frames_touched <= pool->purge_above_frames) {
        return;
    }
    purge(pool);
    size_t from =
        pool->frames_touched > pool->limit_frames ? pool->frames_touched : pool->limit_frames;
    pool->purge_above_frames = from + PURGE_SLACK_FRAMES;
}

static void touch(UnitPool *pool, uint32_t first, uint32_t unit_count)
{
    size_t frames = 0;
    for (uint32_t frame = first / FRAME_UNITS; frame <= (first + unit_count - 1) / FRAME_UNITS;
         frame++) {
        frames += !pool->frame_is_touched[frame];
        pool->frame_is_touched[frame] = 1;
    }
    if (frames > 0) {
        add_frames(pool, frames);
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
