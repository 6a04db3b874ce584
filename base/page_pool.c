/*
 * page_pool.c — one process's big memory by size classes.
 *
 *   64 B … 32 KiB    pieces of slabs: a slab is a unit of 64 KiB cut into equal pieces
 *   64 KiB … 64 MiB  runs of units (unit_pool.c), in eighths of a power of two
 *   above            mappings of their own, in eighths too; some stay for the next user
 *
 * Slabs are described beside the memory, too; only the list of free pieces runs through the pieces.
 * Cost: less than 0.1 us for an allocation and its release, on any class below a mapping.
 *
 * Under AddressSanitizer each allocation is one of the heap, so that overruns are found.
 */
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "base/heap.h"
#include "base/page_pool_internal.h"
#include "base/sanitizer.h"
#include "base/unit_pool.h"

#define PIECE_BYTES_MIN ((size_t)64)
#define PIECE_BYTES_MAX ((size_t)32 << 10)
#define TAIL_BYTES ((size_t)4 << 10) /* readable behind a mapping */
#define NO_PIECE UINT16_MAX

enum { CLASS_COUNT = 10 };
static_assert(PIECE_BYTES_MIN << (CLASS_COUNT - 1) == PIECE_BYTES_MAX, "classes double");

typedef struct Slab {        /* guarded by the mutex of its class */
    uint32_t next, previous; /* among those with room */
    uint16_t class_index;
    uint16_t pieces_used;
    uint16_t pieces_fresh; /* handed out at least once: the tail behind has not been touched */
    uint16_t free_piece;   /* head of the list through the free pieces themselves */
} Slab;

typedef struct SlabClass {
    Mutex mutex; /* guards the list and the slabs of this class */
    uint32_t first_with_room;
} SlabClass;

struct PagePool {
    size_t limit_bytes;
    atomic_size_t used_bytes;
    UnitPool units;
    SlabClass classes[CLASS_COUNT];
    Slab *slabs; /* one per unit */
};

static size_t round_up(size_t bytes, size_t step)
{
    return (bytes + step - 1) & ~(step - 1);
}

static uint32_t log2_floor(size_t value)
{
    return 63u - (uint32_t)__builtin_clzl(value);
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
        return (size_t)2 << log2_floor(bytes - 1);
    }
    size_t eighth = ((size_t)1 << log2_floor(bytes)) / 8;
    return round_up(bytes, eighth > UNIT_BYTES ? eighth : UNIT_BYTES);
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

void page_pool_add_outside(PagePool *pool, size_t bytes)
{
    (void)pool, (void)bytes;
}

void page_pool_drop_outside(PagePool *pool, size_t bytes)
{
    (void)pool, (void)bytes;
}

bool page_pool_shrink(PagePool *pool, void *memory, size_t old_bytes, size_t new_bytes)
{
    (void)pool, (void)memory, (void)old_bytes, (void)new_bytes;
    return false;
}

#else

static void *slab_alloc(PagePool *pool, size_t piece_bytes);
static void slab_free(PagePool *pool, void *memory, size_t piece_bytes);

Status page_pool_create(PagePool **out, size_t limit_bytes)
{
    PagePool *pool = heap_alloc_zeroed(sizeof *pool);
    if (pool == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for the page pool");
    }
    pool->limit_bytes = limit_bytes;
    Status status = unit_pool_init(&pool->units, limit_bytes);
    if (status != STATUS_OK) {
        heap_free(pool);
        return status;
    }
    size_t slabs_bytes = pool->units.unit_count * sizeof(Slab);
    pool->slabs = (Slab *)unit_map_aligned(slabs_bytes, TAIL_BYTES, PROT_READ | PROT_WRITE);
    if (pool->slabs == NULL) {
        unit_pool_deinit(&pool->units);
        heap_free(pool);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for the page pool");
    }
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        mutex_init(&pool->classes[i].mutex, MUTEX_RANK_MEMORY_CLASS);
        pool->classes[i].first_with_room = UNIT_NONE;
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
    munmap(pool->slabs, pool->units.unit_count * sizeof(Slab));
    unit_pool_deinit(&pool->units);
    heap_free(pool);
}

static void *run_alloc(PagePool *pool, size_t bytes)
{
    uint32_t first = unit_pool_alloc(&pool->units, (uint32_t)(bytes / UNIT_BYTES));
    return first != UNIT_NONE ? unit_pool_address(&pool->units, first) : NULL;
}

static void run_free(PagePool *pool, void *memory, size_t bytes)
{
    uint32_t first = unit_pool_index(&pool->units, memory);
    unit_pool_free(&pool->units, first, (uint32_t)(bytes / UNIT_BYTES));
}

void *page_pool_alloc(PagePool *pool, size_t rounded_bytes)
{
    if (!pool_charge(pool, rounded_bytes)) {
        return NULL;
    }
    void *memory = NULL;
    if (rounded_bytes <= PIECE_BYTES_MAX) {
        memory = slab_alloc(pool, rounded_bytes);
    } else if (rounded_bytes <= UNIT_RUN_BYTES_MAX) {
        memory = run_alloc(pool, rounded_bytes);
    } else {
        memory = unit_pool_map(&pool->units, rounded_bytes);
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
    } else if (rounded_bytes <= UNIT_RUN_BYTES_MAX) {
        run_free(pool, memory, rounded_bytes);
    } else {
        unit_pool_unmap(&pool->units, memory, rounded_bytes);
    }
    pool_discharge(pool, rounded_bytes);
}

void page_pool_add_outside(PagePool *pool, size_t bytes)
{
    unit_pool_add_outside(&pool->units, bytes / UNIT_BYTES);
}

void page_pool_drop_outside(PagePool *pool, size_t bytes)
{
    unit_pool_drop_outside(&pool->units, bytes / UNIT_BYTES);
}

bool page_pool_shrink(PagePool *pool, void *memory, size_t old_bytes, size_t new_bytes)
{
    if (old_bytes > UNIT_RUN_BYTES_MAX || new_bytes <= PIECE_BYTES_MAX || new_bytes >= old_bytes) {
        return false;
    }
    run_free(pool, (char *)memory + new_bytes, old_bytes - new_bytes);
    pool_discharge(pool, old_bytes - new_bytes);
    return true;
}

static uint32_t class_of(size_t piece_bytes)
{
    return log2_floor(piece_bytes) - log2_floor(PIECE_BYTES_MIN);
}

static void slab_link(PagePool *pool, SlabClass *class, uint32_t unit)
{
    pool->slabs[unit].previous = UNIT_NONE;
    pool->slabs[unit].next = class->first_with_room;
    if (class->first_with_room != UNIT_NONE) {
        pool->slabs[class->first_with_room].previous = unit;
    }
    class->first_with_room = unit;
}

static void slab_unlink(PagePool *pool, SlabClass *class, uint32_t unit)
{
    Slab *slab = &pool->slabs[unit];
    if (slab->next != UNIT_NONE) {
        pool->slabs[slab->next].previous = slab->previous;
    }
    if (slab->previous != UNIT_NONE) {
        pool->slabs[slab->previous].next = slab->next;
    } else {
        class->first_with_room = slab->next;
    }
}

static bool slab_add(PagePool *pool, SlabClass *class, uint32_t class_index)
{
    uint32_t unit = unit_pool_alloc(&pool->units, 1);
    if (unit == UNIT_NONE) {
        return false;
    }
    pool->slabs[unit] = (Slab){.class_index = (uint16_t)class_index, .free_piece = NO_PIECE};
    slab_link(pool, class, unit);
    return true;
}

static void *slab_alloc(PagePool *pool, size_t piece_bytes)
{
    uint32_t class_index = class_of(piece_bytes);
    SlabClass *class = &pool->classes[class_index];
    char *piece = NULL;
    mutex_lock(&class->mutex);
    if (class->first_with_room != UNIT_NONE || slab_add(pool, class, class_index)) {
        uint32_t unit = class->first_with_room;
        Slab *slab = &pool->slabs[unit];
        if (slab->free_piece != NO_PIECE) {
            piece = unit_pool_address(&pool->units, unit) + slab->free_piece * piece_bytes;
            memcpy(&slab->free_piece, piece, sizeof slab->free_piece);
        } else {
            piece = unit_pool_address(&pool->units, unit) + slab->pieces_fresh * piece_bytes;
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
    uint32_t unit = unit_pool_index(&pool->units, memory);
    Slab *slab = &pool->slabs[unit];
    mutex_lock(&class->mutex);
    ASSERT(slab->class_index == class_index && slab->pieces_used > 0);
    if (slab->pieces_used * piece_bytes == UNIT_BYTES) {
        slab_link(pool, class, unit);
    }
    size_t offset = (size_t)((char *)memory - unit_pool_address(&pool->units, unit));
    memcpy(memory, &slab->free_piece, sizeof slab->free_piece);
    slab->free_piece = (uint16_t)(offset / piece_bytes);
    slab->pieces_used--;
    bool is_only = class->first_with_room == unit && slab->next == UNIT_NONE;
    if (slab->pieces_used == 0 && !is_only) {
        slab_unlink(pool, class, unit);
        unit_pool_free(&pool->units, unit, 1);
    }
    mutex_unlock(&class->mutex);
}

#endif
