/*
 * page_pool.c — one process's big memory: a buddy system over reserved address space.
 *
 *   64 B … 32 KiB    slabs: a unit of 64 KiB cut into equal pieces, one list per size class
 *   64 KiB … 64 MiB  runs of units from the buddy system, in eighths of a power of two
 *   above            mappings of their own
 *
 * Address space for twice the limit is reserved without access at the start and opened in regions
 * of 64 MiB as it is needed; the kernel gives memory at the first touch, in huge pages where it can.
 * What has been used stays for the next user. Only when more frames (2 MiB) were touched than the
 * limit allows are free ones given back, so that the process stays within its limit although the
 * free memory lies elsewhere than the new need.
 *
 *   example: 1.1 MiB -> 18 units: a block of 32 units is split off, its last 14 go back as 2 + 4 + 8.
 *
 * Descriptors live in an array beside the memory, one per unit, so free memory is never written and
 * an overrun does not corrupt the lists. Cost: about 0.1 us for an allocation or a release.
 *
 * Under AddressSanitizer each allocation is one of the heap, so that overruns are found.
 */
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "base/heap.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/page_pool_internal.h"
#include "base/sanitizer.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define UNIT_BYTES (64 * KIB)
#define REGION_BYTES (64 * MIB)
#define FRAME_BYTES (2 * MIB)
#define TAIL_BYTES (4 * KIB) /* readable behind the last allocation */
#define PIECE_BYTES_MIN ((size_t)64)
#define PIECE_BYTES_MAX (32 * KIB)
#ifdef SANITIZER_THREAD
#define RESERVED_BYTES_MAX ((size_t)64 << 30) /* its shadow does not span more */
#else
#define RESERVED_BYTES_MAX ((size_t)8 << 40)
#endif
#define NO_UNIT UINT32_MAX
#define NO_PIECE UINT16_MAX

enum {
    REGION_UNITS = REGION_BYTES / UNIT_BYTES,
    FRAME_UNITS = FRAME_BYTES / UNIT_BYTES,
    FRAME_ORDER = 5,
    ORDER_MAX = 10, /* 2^10 units: a region */
    CLASS_COUNT = 10,
    PURGE_SLACK_FRAMES = 16
};
static_assert((1 << ORDER_MAX) == REGION_UNITS, "the largest block is a region");
static_assert((1 << FRAME_ORDER) == FRAME_UNITS, "a block of FRAME_ORDER is a frame");
static_assert(PIECE_BYTES_MIN << (CLASS_COUNT - 1) == PIECE_BYTES_MAX, "classes double");

typedef enum UnitState {
    UNIT_INSIDE, /* not the first of its block */
    UNIT_FREE,   /* first of a free block of 2^order units, in the list of its order */
    UNIT_USED,   /* first of an allocation */
    UNIT_SLAB
} UnitState;

typedef struct Unit {
    uint32_t next, previous; /* in the list of the order, or of slabs with room */
    uint8_t state, order, class_index;
    uint16_t pieces_used;
    uint16_t pieces_fresh; /* never handed out: the tail from here on has not been touched */
    uint16_t free_piece;   /* head of the list through the free pieces themselves */
} Unit;

typedef struct SlabClass {
    Mutex mutex;             /* guards the list and the units in it */
    uint32_t first_with_room;
} SlabClass;

struct PagePool {
    size_t limit_bytes;
    atomic_size_t used_bytes;
    SlabClass classes[CLASS_COUNT];

    Mutex mutex; /* guards everything below */
    char *base;  /* aligned to a region */
    size_t reserved_bytes;
    uint32_t region_count, regions_max;
    uint32_t free_lists[ORDER_MAX + 1];
    uint32_t free_orders; /* bit per order with a non-empty list */
    size_t frames_touched, purge_above_frames;
    Unit *units;           /* one per unit of the reservation */
    uint8_t *frame_is_touched;
};

static size_t round_up(size_t bytes, size_t step)
{
    return (bytes + step - 1) & ~(step - 1);
}

static uint32_t log2_floor(size_t value)
{
    return 63u - (uint32_t)__builtin_clzl(value);
}

static uint32_t log2_ceil(size_t value)
{
    return value <= 1 ? 0 : log2_floor(value - 1) + 1;
}

size_t page_pool_rounded_bytes(size_t bytes)
{
    if (bytes > SIZE_MAX / 4) {
        return 0;
    }
    if (bytes <= PIECE_BYTES_MIN) {
        return PIECE_BYTES_MIN;
    }
    if (bytes <= PIECE_BYTES_MAX) {
        return (size_t)1 << log2_ceil(bytes);
    }
    if (bytes <= REGION_BYTES) {
        size_t eighth = ((size_t)1 << log2_floor(bytes)) / 8;
        return round_up(bytes, eighth > UNIT_BYTES ? eighth : UNIT_BYTES);
    }
    return round_up(bytes, FRAME_BYTES);
}

size_t page_pool_used_bytes(const PagePool *pool)
{
    return atomic_load_explicit(&pool->used_bytes, memory_order_relaxed);
}

size_t page_pool_limit_bytes(const PagePool *pool)
{
    return pool->limit_bytes;
}

// relaxed: the counter is a number, it publishes nothing.
static bool pool_charge(PagePool *pool, size_t bytes)
{
    size_t used = atomic_load_explicit(&pool->used_bytes, memory_order_relaxed);
    do {
        if (used > pool->limit_bytes || bytes > pool->limit_bytes - used) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&pool->used_bytes, &used, used + bytes,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

static void pool_discharge(PagePool *pool, size_t bytes)
{
    size_t used = atomic_fetch_sub_explicit(&pool->used_bytes, bytes, memory_order_relaxed);
    ASSERT(used >= bytes);
}

#ifdef SANITIZER_ADDRESS

Status page_pool_create(PagePool **out, size_t limit_bytes)
{
    PagePool *pool = heap_alloc_zeroed(sizeof *pool);
    if (pool == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for the page pool");
    }
    pool->limit_bytes = limit_bytes;
    *out = pool;
    return STATUS_OK;
}

void page_pool_destroy(PagePool *pool)
{
    heap_free(pool);
}

void *page_pool_alloc(PagePool *pool, size_t rounded_bytes)
{
    if (!pool_charge(pool, rounded_bytes)) {
        return NULL;
    }
    void *memory = heap_alloc_aligned(64, rounded_bytes + MEMORY_READABLE_BYTES);
    if (memory == NULL) {
        pool_discharge(pool, rounded_bytes);
    }
    return memory;
}

void page_pool_free(PagePool *pool, void *memory, size_t rounded_bytes)
{
    heap_free(memory);
    pool_discharge(pool, rounded_bytes);
}

bool page_pool_shrink(PagePool *pool, void *memory, size_t old_bytes, size_t new_bytes)
{
    (void)pool, (void)memory, (void)old_bytes, (void)new_bytes;
    return false;
}

#else

static Status pool_reserve(PagePool *pool);
static void *slab_alloc(PagePool *pool, size_t piece_bytes);
static void slab_free(PagePool *pool, void *memory, size_t piece_bytes);
static uint32_t run_alloc(PagePool *pool, uint32_t unit_count);
static void run_free(PagePool *pool, uint32_t first, uint32_t unit_count);
static void *direct_alloc(PagePool *pool, size_t bytes);
static void direct_free(PagePool *pool, void *memory, size_t bytes);

static uint32_t unit_of(const PagePool *pool, const void *memory)
{
    size_t offset = (size_t)((const char *)memory - pool->base);
    DEBUG_ASSERT(offset < (size_t)pool->regions_max * REGION_BYTES);
    return (uint32_t)(offset / UNIT_BYTES);
}

static char *unit_address(const PagePool *pool, uint32_t unit)
{
    return pool->base + unit * UNIT_BYTES;
}

Status page_pool_create(PagePool **out, size_t limit_bytes)
{
    PagePool *pool = heap_alloc_zeroed(sizeof *pool);
    if (pool == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for the page pool");
    }
    pool->limit_bytes = limit_bytes;
    Status status = pool_reserve(pool);
    if (status != STATUS_OK) {
        heap_free(pool);
        return status;
    }
    mutex_init(&pool->mutex, MUTEX_RANK_MEMORY);
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        mutex_init(&pool->classes[i].mutex, MUTEX_RANK_MEMORY_CLASS);
        pool->classes[i].first_with_room = NO_UNIT;
    }
    for (size_t i = 0; i <= ORDER_MAX; i++) {
        pool->free_lists[i] = NO_UNIT;
    }
    *out = pool;
    return STATUS_OK;
}

void page_pool_destroy(PagePool *pool)
{
    if (pool == NULL) {
        return;
    }
    DEBUG_ASSERT(page_pool_used_bytes(pool) == 0);
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        mutex_deinit(&pool->classes[i].mutex);
    }
    mutex_deinit(&pool->mutex);
    size_t regions = pool->regions_max;
    munmap(pool->units, regions * REGION_UNITS * sizeof(Unit));
    munmap(pool->frame_is_touched, regions * (REGION_UNITS / FRAME_UNITS));
    munmap(pool->base, pool->reserved_bytes);
    heap_free(pool);
}

void *page_pool_alloc(PagePool *pool, size_t rounded_bytes)
{
    if (!pool_charge(pool, rounded_bytes)) {
        return NULL;
    }
    void *memory = NULL;
    if (rounded_bytes <= PIECE_BYTES_MAX) {
        memory = slab_alloc(pool, rounded_bytes);
    } else if (rounded_bytes <= REGION_BYTES) {
        mutex_lock(&pool->mutex);
        uint32_t first = run_alloc(pool, (uint32_t)(rounded_bytes / UNIT_BYTES));
        mutex_unlock(&pool->mutex);
        memory = first != NO_UNIT ? unit_address(pool, first) : NULL;
    } else {
        memory = direct_alloc(pool, rounded_bytes);
    }
    if (memory == NULL) {
        pool_discharge(pool, rounded_bytes);
    }
    return memory;
}

void page_pool_free(PagePool *pool, void *memory, size_t rounded_bytes)
{
    if (rounded_bytes <= PIECE_BYTES_MAX) {
        slab_free(pool, memory, rounded_bytes);
    } else if (rounded_bytes <= REGION_BYTES) {
        mutex_lock(&pool->mutex);
        uint32_t first = unit_of(pool, memory);
        ASSERT(pool->units[first].state == UNIT_USED);
        pool->units[first].state = UNIT_INSIDE;
        run_free(pool, first, (uint32_t)(rounded_bytes / UNIT_BYTES));
        mutex_unlock(&pool->mutex);
    } else {
        direct_free(pool, memory, rounded_bytes);
    }
    pool_discharge(pool, rounded_bytes);
}

bool page_pool_shrink(PagePool *pool, void *memory, size_t old_bytes, size_t new_bytes)
{
    if (old_bytes > REGION_BYTES || new_bytes <= PIECE_BYTES_MAX || new_bytes >= old_bytes) {
        return false;
    }
    mutex_lock(&pool->mutex);
    uint32_t first = unit_of(pool, memory);
    ASSERT(pool->units[first].state == UNIT_USED);
    uint32_t kept = (uint32_t)(new_bytes / UNIT_BYTES);
    run_free(pool, first + kept, (uint32_t)(old_bytes / UNIT_BYTES) - kept);
    mutex_unlock(&pool->mutex);
    pool_discharge(pool, old_bytes - new_bytes);
    return true;
}

static void *map(size_t bytes, int access)
{
    void *memory = mmap(NULL, bytes, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

// Address space aligned to `alignment`: a longer mapping, cut at both ends.
static char *map_aligned(size_t bytes, size_t alignment, int access)
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

static Status pool_reserve(PagePool *pool)
{
    size_t wanted = pool->limit_bytes < RESERVED_BYTES_MAX / 2 ? pool->limit_bytes * 2
                                                               : RESERVED_BYTES_MAX;
    size_t regions = round_up(wanted, REGION_BYTES) / REGION_BYTES + 1;
    pool->regions_max = (uint32_t)regions;
    pool->reserved_bytes = regions * REGION_BYTES + TAIL_BYTES;
    pool->base = map_aligned(pool->reserved_bytes, REGION_BYTES, PROT_NONE);
    pool->units = map(regions * REGION_UNITS * sizeof(Unit), PROT_READ | PROT_WRITE);
    pool->frame_is_touched =
        map(regions * (REGION_UNITS / FRAME_UNITS), PROT_READ | PROT_WRITE);
    if (pool->base == NULL || pool->units == NULL || pool->frame_is_touched == NULL) {
        if (pool->base != NULL) {
            munmap(pool->base, pool->reserved_bytes);
        }
        if (pool->units != NULL) {
            munmap(pool->units, regions * REGION_UNITS * sizeof(Unit));
        }
        return status_error(SQLSTATE_OUT_OF_MEMORY,
                            "could not reserve address space for a page pool of %zu bytes",
                            pool->limit_bytes);
    }
    // Both are wishes: without them the pool is slower, and core dumps hold row data.
    madvise(pool->base, pool->reserved_bytes, MADV_HUGEPAGE);
    madvise(pool->base, pool->reserved_bytes, MADV_DONTDUMP);
    size_t limit_frames = pool->limit_bytes / FRAME_BYTES + 1;
    pool->purge_above_frames = limit_frames + PURGE_SLACK_FRAMES;
    return STATUS_OK;
}

static void list_push(PagePool *pool, uint32_t unit, uint32_t order)
{
    uint32_t head = pool->free_lists[order];
    pool->units[unit].state = UNIT_FREE;
    pool->units[unit].order = (uint8_t)order;
    pool->units[unit].next = head;
    pool->units[unit].previous = NO_UNIT;
    if (head != NO_UNIT) {
        pool->units[head].previous = unit;
    }
    pool->free_lists[order] = unit;
    pool->free_orders |= 1u << order;
}

static void list_remove(PagePool *pool, uint32_t unit)
{
    Unit *entry = &pool->units[unit];
    entry->state = UNIT_INSIDE;
    if (entry->next != NO_UNIT) {
        pool->units[entry->next].previous = entry->previous;
    }
    if (entry->previous != NO_UNIT) {
        pool->units[entry->previous].next = entry->next;
        return;
    }
    pool->free_lists[entry->order] = entry->next;
    if (entry->next == NO_UNIT) {
        pool->free_orders &= ~(1u << entry->order);
    }
}

// Gives touched frames of free blocks back to the kernel; they stay in the pool as addresses.
static void purge(PagePool *pool)
{
    for (uint32_t order = FRAME_ORDER; order <= ORDER_MAX; order++) {
        for (uint32_t unit = pool->free_lists[order]; unit != NO_UNIT;
             unit = pool->units[unit].next) {
            uint32_t first = unit / FRAME_UNITS;
            uint32_t count = 1u << (order - FRAME_ORDER);
            size_t touched = 0;
            for (uint32_t frame = first; frame < first + count; frame++) {
                touched += pool->frame_is_touched[frame];
            }
            if (touched > 0 &&
                madvise(unit_address(pool, unit), count * FRAME_BYTES, MADV_DONTNEED) == 0) {
                memset(pool->frame_is_touched + first, 0, count);
                pool->frames_touched -= touched;
            }
        }
    }
}

// Counts `frames` more as the process's; purges when that goes beyond the limit. The threshold moves
// on, so that a pool whose free memory lies in scraps is not searched at every allocation.
static void add_frames(PagePool *pool, size_t frames)
{
    pool->frames_touched += frames;
    if (pool->frames_touched <= pool->purge_above_frames) {
        return;
    }
    purge(pool);
    size_t limit_frames = pool->limit_bytes / FRAME_BYTES + 1;
    size_t from = pool->frames_touched > limit_frames ? pool->frames_touched : limit_frames;
    pool->purge_above_frames = from + PURGE_SLACK_FRAMES;
}

static void touch(PagePool *pool, uint32_t first, uint32_t unit_count)
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

static bool grow(PagePool *pool)
{
    if (pool->region_count == pool->regions_max) {
        return false;
    }
    uint32_t unit = pool->region_count * REGION_UNITS;
    // The page behind is opened too: it holds the readable bytes after the last block.
    if (mprotect(unit_address(pool, unit), REGION_BYTES + TAIL_BYTES, PROT_READ | PROT_WRITE) !=
        0) {
        return false;
    }
    pool->region_count++;
    list_push(pool, unit, ORDER_MAX);
    return true;
}

static uint32_t run_alloc(PagePool *pool, uint32_t unit_count)
{
    uint32_t order = log2_ceil(unit_count);
    uint32_t candidates = pool->free_orders >> order << order;
    if (candidates == 0) {
        if (!grow(pool)) {
            return NO_UNIT;
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
    pool->units[first].state = UNIT_USED;
    if (unit_count < 1u << order) {
        run_free(pool, first + unit_count, (1u << order) - unit_count);
    }
    touch(pool, first, unit_count);
    return first;
}

static void block_free(PagePool *pool, uint32_t unit, uint32_t order)
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
static void run_free(PagePool *pool, uint32_t first, uint32_t unit_count)
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

static uint32_t class_of(size_t piece_bytes)
{
    return log2_floor(piece_bytes) - log2_floor(PIECE_BYTES_MIN);
}

static void slab_link(PagePool *pool, SlabClass *class, uint32_t unit)
{
    pool->units[unit].previous = NO_UNIT;
    pool->units[unit].next = class->first_with_room;
    if (class->first_with_room != NO_UNIT) {
        pool->units[class->first_with_room].previous = unit;
    }
    class->first_with_room = unit;
}

static void slab_unlink(PagePool *pool, SlabClass *class, uint32_t unit)
{
    Unit *slab = &pool->units[unit];
    if (slab->next != NO_UNIT) {
        pool->units[slab->next].previous = slab->previous;
    }
    if (slab->previous != NO_UNIT) {
        pool->units[slab->previous].next = slab->next;
    } else {
        class->first_with_room = slab->next;
    }
}

static bool slab_add(PagePool *pool, SlabClass *class, uint32_t class_index)
{
    mutex_lock(&pool->mutex);
    uint32_t unit = run_alloc(pool, 1);
    if (unit != NO_UNIT) {
        Unit *slab = &pool->units[unit];
        slab->state = UNIT_SLAB;
        slab->class_index = (uint8_t)class_index;
        slab->pieces_used = slab->pieces_fresh = 0;
        slab->free_piece = NO_PIECE;
    }
    mutex_unlock(&pool->mutex);
    if (unit == NO_UNIT) {
        return false;
    }
    slab_link(pool, class, unit);
    return true;
}

static void *slab_alloc(PagePool *pool, size_t piece_bytes)
{
    uint32_t class_index = class_of(piece_bytes);
    SlabClass *class = &pool->classes[class_index];
    char *piece = NULL;
    mutex_lock(&class->mutex);
    if (class->first_with_room != NO_UNIT || slab_add(pool, class, class_index)) {
        uint32_t unit = class->first_with_room;
        Unit *slab = &pool->units[unit];
        if (slab->free_piece != NO_PIECE) {
            piece = unit_address(pool, unit) + slab->free_piece * piece_bytes;
            memcpy(&slab->free_piece, piece, sizeof slab->free_piece);
        } else {
            piece = unit_address(pool, unit) + slab->pieces_fresh * piece_bytes;
            slab->pieces_fresh++;
        }
        slab->pieces_used++;
        if (slab->pieces_used * piece_bytes == UNIT_BYTES) {
            slab_unlink(pool, class, unit);
        }
    }
    mutex_unlock(&class->mutex);
    return piece;
}

static void slab_free(PagePool *pool, void *memory, size_t piece_bytes)
{
    uint32_t class_index = class_of(piece_bytes);
    SlabClass *class = &pool->classes[class_index];
    uint32_t unit = unit_of(pool, memory);
    Unit *slab = &pool->units[unit];
    mutex_lock(&class->mutex);
    ASSERT(slab->state == UNIT_SLAB && slab->class_index == class_index && slab->pieces_used > 0);
    if (slab->pieces_used * piece_bytes == UNIT_BYTES) {
        slab_link(pool, class, unit);
    }
    size_t offset = (size_t)((char *)memory - unit_address(pool, unit));
    memcpy(memory, &slab->free_piece, sizeof slab->free_piece);
    slab->free_piece = (uint16_t)(offset / piece_bytes);
    slab->pieces_used--;
    bool is_only = class->first_with_room == unit && slab->next == NO_UNIT;
    if (slab->pieces_used == 0 && !is_only) {
        slab_unlink(pool, class, unit);
        mutex_lock(&pool->mutex);
        slab->state = UNIT_INSIDE;
        run_free(pool, unit, 1);
        mutex_unlock(&pool->mutex);
    }
    mutex_unlock(&class->mutex);
}

static void *direct_alloc(PagePool *pool, size_t bytes)
{
    char *memory = map_aligned(bytes + TAIL_BYTES, FRAME_BYTES, PROT_READ | PROT_WRITE);
    if (memory == NULL) {
        return NULL;
    }
    madvise(memory, bytes, MADV_HUGEPAGE);
    madvise(memory, bytes, MADV_DONTDUMP);
    mutex_lock(&pool->mutex);
    add_frames(pool, bytes / FRAME_BYTES);
    mutex_unlock(&pool->mutex);
    return memory;
}

static void direct_free(PagePool *pool, void *memory, size_t bytes)
{
    int result = munmap(memory, bytes + TAIL_BYTES);
    ASSERT(result == 0);
    mutex_lock(&pool->mutex);
    pool->frames_touched -= bytes / FRAME_BYTES;
    mutex_unlock(&pool->mutex);
}

#endif
