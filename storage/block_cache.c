/* block_cache.c — see block_cache.h.
 *
 *   (absent) --pin: miss--> LOADING --read, checked--> READY --clock, unpinned--> (absent)
 *                               \--error--> FAILED --last waiter unpins--> (absent)
 *
 * Whoever misses makes the entries of the blocks it reads ahead, too, so that others wait for them
 * instead of reading them again. */
#include "storage/block_cache.h"

#include <string.h>
#include "base/fault.h"
#include "base/heap.h"
#include "base/mutex.h"

#define READ_AHEAD_BYTES ((size_t)1 << 20)
#define READ_AHEAD_BLOCKS 32u
#define WARMTH_MAX 3u
#define WAIT_STEP_US 100000
#define WAIT_STEPS_MAX 600 /* a minute: storage that hangs longer is an error */

enum { ENTRY_LOADING, ENTRY_READY, ENTRY_FAILED };

struct BlockCache {
    MemoryBudget *budget;
    size_t limit_bytes;
    Mutex mutex;
    Condition loaded;
    CacheEntry *hand; /* of the clock; null when empty */
    uint32_t entry_count;
    _Atomic size_t used_bytes;
};

Status block_cache_create(MemoryBudget *budget, size_t limit_bytes, BlockCache **out)
{
    BlockCache *cache = heap_alloc_zeroed(sizeof *cache);
    if (cache == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for the block cache");
    }
    cache->budget = budget;
    cache->limit_bytes = limit_bytes;
    mutex_init(&cache->mutex, MUTEX_RANK_CACHE);
    condition_init(&cache->loaded);
    *out = cache;
    return STATUS_OK;
}

/* Takes an entry out of circle and slot; the mutex is held. */
static void unlink_entry(BlockCache *cache, CacheEntry *entry)
{
    atomic_load(&entry->rowset->slots)[entry->slot] = NULL;
    if (cache->hand == entry) {
        cache->hand = entry->next == entry ? NULL : entry->next;
    }
    entry->next->previous = entry->previous;
    entry->previous->next = entry->next;
    cache->used_bytes -= entry->held_bytes;
    cache->entry_count--;
}

static void free_entry(BlockCache *cache, CacheEntry *entry)
{
    block_close(&entry->block);
    memory_free(cache->budget, entry->bytes, entry->byte_count);
    heap_free(entry);
}

/* Frees a list linked by `next`, outside the mutex. */
static void free_entries(BlockCache *cache, CacheEntry *list)
{
    while (list != NULL) {
        CacheEntry *next = list->next;
        free_entry(cache, list);
        list = next;
    }
}

/* Behind the hand: seen last. */
static void link_entry(BlockCache *cache, CacheEntry *entry)
{
    if (cache->hand == NULL) {
        entry->next = entry->previous = entry;
        cache->hand = entry;
    } else {
        entry->next = cache->hand;
        entry->previous = cache->hand->previous;
        entry->previous->next = entry;
        cache->hand->previous = entry;
    }
    atomic_load(&entry->rowset->slots)[entry->slot] = entry;
    cache->used_bytes += entry->held_bytes;
    cache->entry_count++;
}

/* Unlinks cold, unpinned blocks until at most `bytes` are held or no such block is left; the mutex
 * is held. */
static CacheEntry *evict(BlockCache *cache, size_t bytes)
{
    CacheEntry *victims = NULL;
    uint64_t idle_steps = 0;
    const uint64_t idle_steps_max = (uint64_t)cache->entry_count * (WARMTH_MAX + 1);
    while (cache->hand != NULL && cache->used_bytes > bytes && idle_steps < idle_steps_max) {
        CacheEntry *entry = cache->hand;
        cache->hand = entry->next;
        if (entry->pin_count > 0 || entry->state != ENTRY_READY) {
            idle_steps++;
        } else if (entry->warmth > 0) {
            entry->warmth--;
            idle_steps++;
        } else {
            unlink_entry(cache, entry);
            entry->next = victims;
            victims = entry;
        }
    }
    return victims;
}

void block_cache_destroy(BlockCache *cache)
{
    if (cache == NULL) {
        return;
    }
    while (cache->hand != NULL) {
        CacheEntry *entry = cache->hand;
        ASSERT(entry->pin_count == 0);
        unlink_entry(cache, entry);
        free_entry(cache, entry);
    }
    condition_deinit(&cache->loaded);
    mutex_deinit(&cache->mutex);
    heap_free(cache);
}

void block_cache_forget(BlockCache *cache, Rowset *rowset)
{
    const RowsetFooter *footer = atomic_load(&rowset->footer);
    CacheEntry **slots = atomic_load(&rowset->slots);
    CacheEntry *victims = NULL;
    if (footer == NULL || slots == NULL) {
        return;
    }
    const size_t blocks = (size_t)footer->header->column_count * footer->header->row_group_count;
    mutex_lock(&cache->mutex);
    for (size_t i = 0; i < blocks; i++) {
        CacheEntry *entry = slots[i];
        if (entry != NULL && entry->pin_count == 0) {
            unlink_entry(cache, entry);
            entry->next = victims;
            victims = entry;
        }
    }
    mutex_unlock(&cache->mutex);
    free_entries(cache, victims);
}

size_t block_cache_bytes(const BlockCache *cache)
{
    return cache->used_bytes;
}

/* The blocks one miss reads: entries LOADING, each pinned once by the reader. */
typedef struct Load {
    Rowset *rowset;
    const RowsetFooter *footer;
    uint32_t column, row_group, count;
    CacheEntry *entries[READ_AHEAD_BLOCKS];
} Load;

static CacheEntry *make_entry(BlockCache *cache, const Load *load, uint32_t row_group)
{
    CacheEntry *entry = heap_alloc_zeroed(sizeof *entry);
    if (entry == NULL) {
        return NULL;
    }
    entry->cache = cache;
    entry->rowset = load->rowset;
    entry->slot = (uint32_t)rowset_footer_block(load->footer, load->column, row_group);
    entry->byte_count = load->footer->locations[entry->slot].bytes;
    entry->held_bytes = memory_charged_bytes(entry->byte_count);
    entry->state = ENTRY_LOADING;
    entry->pin_count = 1;
    return entry;
}

/* How far the read goes: absent blocks in a row, up to READ_AHEAD_BYTES; the mutex is held. */
static bool start_load(BlockCache *cache, Load *load)
{
    CacheEntry **slots = atomic_load(&load->rowset->slots);
    const uint32_t row_groups = load->footer->header->row_group_count;
    size_t bytes = 0;
    for (uint32_t row_group = load->row_group;
         row_group < row_groups && load->count < READ_AHEAD_BLOCKS; row_group++) {
        const size_t slot = rowset_footer_block(load->footer, load->column, row_group);
        const size_t block = load->footer->locations[slot].bytes;
        if (slots[slot] != NULL || (load->count > 0 && bytes + block > READ_AHEAD_BYTES)) {
            break;
        }
        CacheEntry *entry = make_entry(cache, load, row_group);
        if (entry == NULL) {
            break;
        }
        link_entry(cache, entry);
        load->entries[load->count++] = entry;
        bytes += block;
    }
    return load->count > 0;
}

/* When the budget refuses, blocks that are cold make room. */
static uint8_t *alloc_bytes(BlockCache *cache, size_t bytes)
{
    uint8_t *memory = memory_alloc(cache->budget, bytes);
    if (memory != NULL) {
        return memory;
    }
    mutex_lock(&cache->mutex);
    const size_t used = cache->used_bytes;
    CacheEntry *victims = evict(cache, used > 4 * bytes ? used - 4 * bytes : 0);
    mutex_unlock(&cache->mutex);
    free_entries(cache, victims);
    return memory_alloc(cache->budget, bytes);
}

static Status open_entry(BlockCache *cache, const Load *load, uint32_t index, const uint8_t *source)
{
    CacheEntry *entry = load->entries[index];
    const BlockIdentity identity =
        rowset_block_identity(load->rowset, load->footer, load->column, load->row_group + index);
    entry->bytes = alloc_bytes(cache, entry->byte_count);
    if (entry->bytes == NULL) {
        return memory_refused(cache->budget, entry->byte_count, "the block cache");
    }
    memcpy(entry->bytes, source, entry->byte_count);
    const BlockHeader *header = (const BlockHeader *)(const void *)entry->bytes;
    if (header->checksum != load->footer->locations[entry->slot].checksum) {
        return status_error(SQLSTATE_DATA_CORRUPTED,
                            "block other than the footer's in table %llu, column %u, rowset %llu, "
                            "row group %u",
                            (unsigned long long)identity.table_id, identity.column_id,
                            (unsigned long long)identity.rowset_id, identity.row_group);
    }
    return block_open(entry->bytes, entry->byte_count, &identity,
                      rowset_footer_type(load->footer, load->column), cache->budget, &entry->block);
}

/* Reads and opens; `*opened` of the blocks are good. The error is that of the first that is not. */
static Status run_load(BlockCache *cache, const Load *load, uint32_t *opened, uint64_t *bytes_read)
{
    FilePiece piece;
    *opened = 0;
    TRY(FAULT("storage.read_blocks"));
    TRY(rowset_read_blocks(load->rowset, load->column, load->row_group, load->count, &piece));
    size_t offset = 0;
    Status status = STATUS_OK;
    for (; *opened < load->count && status == STATUS_OK; *opened += status == STATUS_OK) {
        status = open_entry(cache, load, *opened, piece.data + offset);
        offset += load->entries[*opened]->byte_count;
    }
    *bytes_read += offset;
    file_piece_free(&piece, cache->budget);
    return status;
}

/* Drops a pin; the last one of a failed entry removes it. The mutex is held; returns what to
 * free. */
static CacheEntry *drop_pin(BlockCache *cache, CacheEntry *entry)
{
    entry->pin_count--;
    if (entry->pin_count > 0 || entry->state != ENTRY_FAILED) {
        return NULL;
    }
    unlink_entry(cache, entry);
    entry->next = NULL;
    return entry;
}

/* Entries become READY or FAILED; all but the first are unpinned, the first too when it failed. */
static void finish_load(BlockCache *cache, const Load *load, uint32_t opened)
{
    CacheEntry *garbage = NULL;
    mutex_lock(&cache->mutex);
    for (uint32_t i = 0; i < load->count; i++) {
        CacheEntry *entry = load->entries[i];
        entry->state = i < opened ? ENTRY_READY : ENTRY_FAILED;
        entry->held_bytes += entry->block.derived_bytes;
        cache->used_bytes += entry->block.derived_bytes;
        if (i > 0 || opened == 0) {
            CacheEntry *dead = drop_pin(cache, entry);
            if (dead != NULL) {
                dead->next = garbage;
                garbage = dead;
            }
        }
    }
    condition_broadcast(&cache->loaded);
    mutex_unlock(&cache->mutex);
    free_entries(cache, garbage);
}

/* Waits for another's read; the mutex is held, `entry` is pinned by the caller. */
static bool wait_loaded(BlockCache *cache, CacheEntry *entry)
{
    for (int step = 0; entry->state == ENTRY_LOADING && step < WAIT_STEPS_MAX; step++) {
        condition_wait(&cache->loaded, &cache->mutex, WAIT_STEP_US);
    }
    return entry->state == ENTRY_READY;
}

/* What is there already, or being read by another; null in `*out` when it is absent. */
static Status find_entry(BlockCache *cache, Load *load, CacheEntry **out)
{
    CacheEntry *garbage = NULL;
    const size_t slot = rowset_footer_block(load->footer, load->column, load->row_group);
    Status status = STATUS_OK;
    *out = NULL;
    mutex_lock(&cache->mutex);
    CacheEntry *entry = atomic_load(&load->rowset->slots)[slot];
    if (entry != NULL) {
        entry->pin_count++;
        entry->warmth = entry->warmth < WARMTH_MAX ? (uint8_t)(entry->warmth + 1) : entry->warmth;
        const bool is_slow = entry->state == ENTRY_LOADING;
        if (wait_loaded(cache, entry)) {
            *out = entry;
        } else {
            if (is_slow && entry->state == ENTRY_LOADING) {
                status = status_error(SQLSTATE_IO_ERROR, "reading \"%s\" takes too long",
                                      load->rowset->path);
            }
            garbage = drop_pin(cache, entry);
        }
    }
    mutex_unlock(&cache->mutex);
    free_entries(cache, garbage);
    return status;
}

Status block_cache_pin(BlockCache *cache, Rowset *rowset, uint32_t column, uint32_t row_group,
                       uint64_t *bytes_read, CacheEntry **out)
{
    for (;;) {
        Load load = {.rowset = rowset,
                     .footer = atomic_load(&rowset->footer),
                     .column = column,
                     .row_group = row_group};
        TRY(find_entry(cache, &load, out));
        if (*out != NULL) {
            return STATUS_OK;
        }
        // Absent, or another's read failed: read it ourselves and report our own error.
        mutex_lock(&cache->mutex);
        const size_t slot = rowset_footer_block(load.footer, column, row_group);
        const bool is_absent = atomic_load(&rowset->slots)[slot] == NULL;
        const bool is_started = is_absent && start_load(cache, &load);
        CacheEntry *victims = is_started ? evict(cache, cache->limit_bytes) : NULL;
        mutex_unlock(&cache->mutex);
        free_entries(cache, victims);
        if (!is_absent) {
            continue;
        }
        if (!is_started) {
            return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for the block cache");
        }
        uint32_t opened;
        Status status = run_load(cache, &load, &opened, bytes_read);
        finish_load(cache, &load, opened);
        if (opened > 0) {
            status_ignore(status, "a block read ahead: whoever wants it will be told");
            *out = load.entries[0];
            return STATUS_OK;
        }
        return status;
    }
}

void block_cache_unpin(CacheEntry *entry)
{
    if (entry == NULL) {
        return;
    }
    BlockCache *cache = entry->cache;
    mutex_lock(&cache->mutex);
    CacheEntry *garbage = drop_pin(cache, entry);
    mutex_unlock(&cache->mutex);
    free_entries(cache, garbage);
}
