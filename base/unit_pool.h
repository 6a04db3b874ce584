/*
 * unit_pool.h — runs of 64 KiB units from reserved address space, by a buddy system; and mappings.
 *
 * Address space for twice the limit is reserved without access at the start and opened in regions
 * of 64 MiB as it is needed; the kernel gives memory at the first touch, in huge pages where it
 * can. What has been used stays for the next user, who need not wait for cleared pages. Only when
 * more is resident than the limit allows is free memory given back, so that the process stays
 * within its limit although the free memory lies elsewhere than the new need: whole frames
 * (2 MiB) at first, and where those do not suffice single units, whose frames then consist of
 * small pages until they are free as a whole.
 *
 * Thread-safe. Each run has at least a page of readable bytes behind it.
 */
#pragma once
#include "base/mutex.h"

#define UNIT_BYTES ((size_t)64 << 10)
#define UNIT_RUN_BYTES_MAX ((size_t)64 << 20) /* the longest run: a region */
#define UNIT_FRAME_BYTES ((size_t)2 << 20)
#define UNIT_NONE UINT32_MAX

enum { UNIT_KEPT_MAX = 16 };

typedef struct Unit Unit;

/* A mapping nobody uses, until someone wants just as many bytes. */
typedef struct KeptMapping {
    char *memory;
    size_t bytes;
} KeptMapping;

typedef struct UnitPool {
    char *base;          /* aligned to a region */
    uint32_t unit_count; /* of the reservation */

    Mutex mutex; /* guards everything below */
    size_t reserved_bytes, limit_units;
    uint32_t region_count, regions_max;
    uint32_t free_lists[11]; /* by order: first units of free blocks of 2^order units */
    uint32_t free_orders;    /* bit per order with a non-empty list */
    size_t resident_units, purge_above_units; /* mappings count, too */
    Unit *units;
    uint32_t *frame_residents; /* per frame: a bit per unit that has memory */
    uint8_t *frame_is_split;   /* its units get memory one by one, not together */
    uint32_t kept_count;
    KeptMapping kept[UNIT_KEPT_MAX]; /* oldest first */
} UnitPool;

Status unit_pool_init(UnitPool *pool, size_t limit_bytes) CHECKED; /* 53200 */
void unit_pool_deinit(UnitPool *pool);

/* The first of `unit_count` (1 … a region's) units in a row, or UNIT_NONE. Contents undefined. */
uint32_t unit_pool_alloc(UnitPool *pool, uint32_t unit_count);
/* Any part of a run may go back by itself, as long as all of it does in the end. */
void unit_pool_free(UnitPool *pool, uint32_t first, uint32_t unit_count);
/* A mapping of whole frames that counts for the same limit; contents undefined. Null when the
 * kernel refuses. */
char *unit_pool_map(UnitPool *pool, size_t bytes);
void unit_pool_unmap(UnitPool *pool, char *memory, size_t bytes);
/* Units of memory that is somebody else's count as resident, and cease to. */
void unit_pool_add_outside(UnitPool *pool, size_t units);
void unit_pool_drop_outside(UnitPool *pool, size_t units);

static inline char *unit_pool_address(const UnitPool *pool, uint32_t unit)
{
    return pool->base + unit * UNIT_BYTES;
}

/* The unit that holds `memory`. */
static inline uint32_t unit_pool_index(const UnitPool *pool, const void *memory)
{
    size_t unit = (size_t)((const char *)memory - pool->base) / UNIT_BYTES;
    DEBUG_ASSERT(unit < pool->unit_count);
    return (uint32_t)unit;
}

/* Address space aligned to `alignment`, a power of two of at least a page; null when refused. */
char *unit_map_aligned(size_t bytes, size_t alignment, int access);
