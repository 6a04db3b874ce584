/*
 * block_cache.h — encoded blocks in memory, checked once, shared by all scans of a node.
 *
 * A miss reads up to 1 MiB of the column's following blocks with it. Eviction is a clock: a block
 * enters cold, each later use warms it up to three rounds, so one large scan cannot push out what
 * is used again and again. Pinned blocks stay. Invariants: (1) a block is checked when it enters
 * and never again; (2) a pinned block does not move or change; (3) no lock is held over I/O.
 */
#pragma once
#include "storage/rowset_reader.h"

typedef struct BlockCache BlockCache;

typedef struct CacheEntry {
    Block block;
    struct BlockCache *cache;
    Rowset *rowset;
    uint32_t slot;  /* index into the rowset's slots */
    uint8_t *bytes; /* pool memory */
    size_t byte_count;
    size_t held_bytes;  /* with what the block derived from them */
    uint32_t pin_count; /* guarded by the cache's mutex, like all below */
    uint8_t state, warmth;
    struct CacheEntry *next, *previous; /* the clock's circle */
} CacheEntry;

/* `limit_bytes` of encoded blocks; what is pinned may exceed it. */
Status block_cache_create(MemoryBudget *budget, size_t limit_bytes, BlockCache **out) CHECKED;
void block_cache_destroy(BlockCache *cache); /* nothing is pinned any more */

/* The block of a column of a row group. `*bytes_read` grows by what came from disk. XX001, 53200,
 * 58030. The footer of the rowset was loaded before. */
Status block_cache_pin(BlockCache *cache, Rowset *rowset, uint32_t column, uint32_t row_group,
                       uint64_t *bytes_read, CacheEntry **out) CHECKED;
void block_cache_unpin(CacheEntry *entry); /* null is allowed */
/* Drops all blocks of a rowset that nobody pins; before the rowset is destroyed. */
void block_cache_forget(BlockCache *cache, Rowset *rowset);
size_t block_cache_bytes(const BlockCache *cache);
