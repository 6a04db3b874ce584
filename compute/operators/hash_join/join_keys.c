/*
 * join_keys.c — open addressing with the key in the slot.
 *
 * A look at one slot tells hit or miss; the row is touched only for its payload. Slots are placed
 * by the high bits of hash * slot count, so their number need not be a power of two.
 */
#include <string.h>

#include "base/hash.h"
#include "compute/kernels/lanes.h"
#include "compute/operators/hash_join/join_index.h"

enum {
    SLOTS_MIN = 64,
    INSERT_CHUNK_ROWS = 256,
    PREFETCH_AHEAD = 16, /* slots on their way: of more at once the last would wait or be lost */
};

// One key is itself, so that probes need no subtraction; several are numbered together.
static inline uint64_t key_of_row(const JoinTable *table, const uint8_t *row)
{
    if (table->shape->key_count > 1) {
        return join_row_number(table, row);
    }
    uint64_t word;
    memcpy(&word, row, sizeof word);
    return word;
}

bool join_keys_fit(const JoinTable *table)
{
    const JoinKeyBounds *bounds = &table->bounds[0];
    return table->shape->key_count > 1 || bounds->max < INT64_MAX || bounds->min > INT64_MIN;
}

size_t join_keys_bytes(JoinTable *table)
{
    uint64_t wanted = 2 * table->rows.row_count;
    table->key_slots = wanted < SLOTS_MIN ? SLOTS_MIN : wanted;
    return table->key_slots * sizeof(JoinSlot);
}

void join_keys_init(JoinTable *table)
{
    const JoinKeyBounds *bounds = &table->bounds[0];
    table->empty_key = table->shape->key_count > 1 ? UINT64_MAX
                       : bounds->max < INT64_MAX   ? (uint64_t)bounds->max + 1
                                                   : (uint64_t)bounds->min - 1;
    table->keys = table->memory;
    for (uint64_t s = 0; s < table->key_slots; s++) {
        table->keys[s] = (JoinSlot){.key = table->empty_key};
    }
}

static inline uint64_t slot_of_key(const JoinTable *table, uint64_t key)
{
    return (uint64_t)(((UInt128)hash_mix(key) * table->key_slots) >> 64);
}

static inline uint64_t next_slot(const JoinTable *table, uint64_t slot)
{
    return slot + 1 == table->key_slots ? 0 : slot + 1;
}

// The row becomes the head of its key's chain; returns the former head, or 0.
static uint64_t insert_row(JoinTable *table, uint64_t key, uint64_t slot, const uint8_t *row)
{
    JoinSlot *keys = table->keys;
    while (keys[slot].key != key && keys[slot].key != table->empty_key) {
        slot = next_slot(table, slot);
    }
    uint64_t former = keys[slot].row;
    keys[slot] = (JoinSlot){.key = key, .row = (uintptr_t)row};
    return former;
}

// The same among other workers: a slot's key is taken once and never changes; relaxed is enough, as
// rows are looked at only after all have inserted.
static uint64_t insert_row_shared(JoinTable *table, uint64_t key, uint64_t slot, const uint8_t *row)
{
    JoinSlot *keys = table->keys;
    for (;; slot = next_slot(table, slot)) {
        uint64_t former_key = __atomic_load_n(&keys[slot].key, __ATOMIC_RELAXED);
        if (former_key == table->empty_key) {
            bool is_taken = __atomic_compare_exchange_n(&keys[slot].key, &former_key, key, false,
                                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED);
            former_key = is_taken ? key : former_key;
        }
        if (former_key == key) {
            return __atomic_exchange_n(&keys[slot].row, (uintptr_t)row, __ATOMIC_RELAXED);
        }
    }
}

void join_keys_insert_page(JoinTable *table, uint32_t page_index, bool is_shared)
{
    const JoinShape *shape = table->shape;
    const RowPage *page = &table->rows.pages[page_index];
    size_t row_bytes = table->rows.layout->row_bytes;
    bool has_duplicates = false;
    for (uint32_t first = 0; first < page->row_count; first += INSERT_CHUNK_ROWS) {
        uint64_t keys[INSERT_CHUNK_ROWS];
        uint64_t slots[INSERT_CHUNK_ROWS];
        uint32_t count = page->row_count - first;
        count = count < INSERT_CHUNK_ROWS ? count : INSERT_CHUNK_ROWS;
        uint8_t *rows = page->rows + first * row_bytes;
        for (uint32_t i = 0; i < count; i++) {
            keys[i] = key_of_row(table, rows + i * row_bytes);
            slots[i] = slot_of_key(table, keys[i]);
        }
        for (uint32_t i = 0; i < count && i < PREFETCH_AHEAD; i++) {
            __builtin_prefetch(&table->keys[slots[i]], 1);
        }
        for (uint32_t i = 0; i < count; i++) {
            uint8_t *row = rows + i * row_bytes;
            if (i + PREFETCH_AHEAD < count) {
                __builtin_prefetch(&table->keys[slots[i + PREFETCH_AHEAD]], 1);
            }
            if (!join_row_is_indexed(shape, row)) {
                continue;
            }
            uint64_t former = is_shared ? insert_row_shared(table, keys[i], slots[i], row)
                                        : insert_row(table, keys[i], slots[i], row);
            if (former != 0 && shape->link_offset != JOIN_NO_LINK) {
                *join_row_link(shape, row) = former;
                has_duplicates = true;
            }
        }
    }
    if (has_duplicates) {
        __atomic_store_n(&table->has_duplicates, true, __ATOMIC_RELAXED);
    }
}

// The probe's keys as numbers; a combination outside of the build side's ranges becomes the empty
// key, which has no row.
static uint64_t *read_keys(const JoinTable *table, const JoinProbe *probe)
{
    uint64_t *keys = (uint64_t *)probe->words[0];
    lanes_read_int64(probe->keys[0], probe->rows, probe->row_count, probe->words[0]);
    if (table->shape->key_count == 1) {
        return keys;
    }
    const JoinKeyBounds *bounds = &table->bounds[0];
    for (uint32_t i = 0; i < probe->row_count; i++) {
        uint64_t offset = keys[i] - (uint64_t)bounds->first;
        keys[i] = offset < bounds->range ? offset >> bounds->shift : table->empty_key;
    }
    for (uint32_t k = 1; k < table->shape->key_count; k++) {
        bounds = &table->bounds[k];
        lanes_read_int64(probe->keys[k], probe->rows, probe->row_count, probe->words[k]);
        const uint64_t *words = (const uint64_t *)probe->words[k];
        for (uint32_t i = 0; i < probe->row_count; i++) {
            uint64_t offset = words[i] - (uint64_t)bounds->first;
            bool is_inside = offset < bounds->range && keys[i] != table->empty_key;
            offset = (offset >> bounds->shift) * bounds->stride;
            keys[i] = is_inside ? keys[i] + offset : table->empty_key;
        }
    }
    return keys;
}

uint32_t join_keys_lookup(const JoinTable *table, const JoinProbe *probe)
{
    const uint64_t *keys = read_keys(table, probe);
    const JoinSlot *slots = table->keys;
    uint64_t *places = probe->places;
    const uint32_t count = probe->row_count;
    for (uint32_t i = 0; i < count; i++) {
        places[i] = slot_of_key(table, keys[i]);
    }
    for (uint32_t i = 0; i < count && i < PREFETCH_AHEAD; i++) {
        __builtin_prefetch(&slots[places[i]]);
    }
    uint32_t hits = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t s = places[i];
        if (i + PREFETCH_AHEAD < count) {
            __builtin_prefetch(&slots[places[i + PREFETCH_AHEAD]]);
        }
        while (slots[s].key != keys[i] && slots[s].key != table->empty_key) {
            s = next_slot(table, s);
        }
        JoinRow row = slots[s].key == keys[i] ? (JoinRow)(uintptr_t)slots[s].row : NULL;
        __builtin_prefetch(row);
        probe->hits[hits] = (uint16_t)i;
        probe->found[hits] = row;
        hits += row != NULL;
    }
    return hits;
}
