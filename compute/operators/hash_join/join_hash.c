/*
 * join_hash.c — open addressing over salted row pointers.
 *
 * A slot is 16 bits of the hash and 48 bits of pointer, so most misses and all first looks stay in
 * the slot array. Both directions work on many rows at once: all hashes, then all slots prefetched,
 * then all candidate rows prefetched, then keys compared; the few whose salt lied go on alone.
 */
#include "compute/operators/hash_join/join_index.h"

#include <string.h>

#include "base/hash.h"
#include "base/vector/distribution_hash.h"
#include "compute/kernels/lanes.h"

#define SALT_MASK UINT64_C(0xFFFF000000000000)
#define POINTER_MASK UINT64_C(0x0000FFFFFFFFFFFF)

enum {
    INSERT_CHUNK_ROWS = 256,
    PREFETCH_AHEAD = 16, /* slots on their way: of more at once the last would wait or be lost */
};

static inline uint8_t *slot_row(uint64_t slot)
{
    return (uint8_t *)(uintptr_t)(slot & POINTER_MASK);
}

static uint64_t row_hash(const JoinShape *shape, const uint8_t *row)
{
    uint64_t word;
    memcpy(&word, row, sizeof word);
    if (!shape->has_integer_keys) {
        return word;
    }
    uint64_t hash = hash_mix(word);
    for (uint32_t k = 1; k < shape->key_count; k++) {
        memcpy(&word, row + k * sizeof word, sizeof word);
        hash = hash_combine(hash, hash_mix(word));
    }
    return hash;
}

static bool keys_are_equal(const JoinShape *shape, const uint8_t *left, const uint8_t *right)
{
    if (shape->has_integer_keys) {
        return memcmp(left, right, shape->key_count * sizeof(int64_t)) == 0;
    }
    return row_equals_row(&shape->layout, shape->key_count, left, right);
}

// True when a row with equal keys was there.
static bool insert_row(JoinTable *table, uint8_t *row, uint64_t hash)
{
    const JoinShape *shape = table->shape;
    uint64_t entry = (hash & SALT_MASK) | (uintptr_t)row;
    for (uint64_t s = hash & table->slot_mask;; s = (s + 1) & table->slot_mask) {
        uint64_t slot = table->slots[s];
        if (slot == 0) {
            table->slots[s] = entry;
            return false;
        }
        if (((slot ^ hash) & SALT_MASK) == 0 && keys_are_equal(shape, slot_row(slot), row)) {
            if (shape->link_offset != JOIN_NO_LINK) {
                *join_row_link(shape, row) = (uintptr_t)slot_row(slot);
                table->slots[s] = entry;
            }
            return true;
        }
    }
}

// The same among other workers. A slot's key never changes once it is taken, only the head of its
// chain; release and acquire hand over the row's header and fields.
static bool insert_row_shared(JoinTable *table, uint8_t *row, uint64_t hash)
{
    const JoinShape *shape = table->shape;
    uint64_t entry = (hash & SALT_MASK) | (uintptr_t)row;
    for (uint64_t s = hash & table->slot_mask;; s = (s + 1) & table->slot_mask) {
        uint64_t slot = __atomic_load_n(&table->slots[s], __ATOMIC_ACQUIRE);
        if (slot == 0 && __atomic_compare_exchange_n(&table->slots[s], &slot, entry, false,
                                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            return false;
        }
        if (((slot ^ hash) & SALT_MASK) != 0 || !keys_are_equal(shape, slot_row(slot), row)) {
            continue;
        }
        if (shape->link_offset == JOIN_NO_LINK) {
            return true;
        }
        do {
            *join_row_link(shape, row) = (uintptr_t)slot_row(slot);
        } while (!__atomic_compare_exchange_n(&table->slots[s], &slot, entry, false,
                                              __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
        return true;
    }
}

void join_hash_insert_page(JoinTable *table, uint32_t page_index, bool is_shared)
{
    const JoinShape *shape = table->shape;
    const RowPage *page = &table->rows.pages[page_index];
    size_t row_bytes = table->rows.layout->row_bytes;
    bool has_duplicates = false;
    for (uint32_t first = 0; first < page->row_count; first += INSERT_CHUNK_ROWS) {
        uint64_t hashes[INSERT_CHUNK_ROWS];
        uint32_t count = page->row_count - first;
        count = count < INSERT_CHUNK_ROWS ? count : INSERT_CHUNK_ROWS;
        uint8_t *rows = page->rows + first * row_bytes;
        for (uint32_t i = 0; i < count; i++) {
            hashes[i] = row_hash(shape, rows + i * row_bytes);
        }
        for (uint32_t i = 0; i < count && i < PREFETCH_AHEAD; i++) {
            __builtin_prefetch(&table->slots[hashes[i] & table->slot_mask], 1);
        }
        for (uint32_t i = 0; i < count; i++) {
            uint8_t *row = rows + i * row_bytes;
            if (i + PREFETCH_AHEAD < count) {
                __builtin_prefetch(&table->slots[hashes[i + PREFETCH_AHEAD] & table->slot_mask], 1);
            }
            if (join_row_is_indexed(shape, row)) {
                has_duplicates |= is_shared ? insert_row_shared(table, row, hashes[i])
                                            : insert_row(table, row, hashes[i]);
            }
        }
    }
    if (has_duplicates) {
        __atomic_store_n(&table->has_duplicates, true, __ATOMIC_RELAXED);
    }
}

static void hash_probe(const JoinTable *table, const JoinProbe *probe)
{
    if (!table->shape->has_integer_keys) {
        Batch candidates = *probe->batch;
        candidates.selection = probe->rows;
        candidates.mask = NULL;
        candidates.selected_count = probe->row_count;
        for (uint32_t k = 0; k < table->shape->key_count; k++) {
            row_hash_column(probe->keys[k], &candidates, k > 0, probe->hashes);
        }
        return;
    }
    for (uint32_t k = 0; k < table->shape->key_count; k++) {
        int64_t *words = probe->words[k];
        lanes_read_int64(probe->keys[k], probe->rows, probe->row_count, words);
        for (uint32_t i = 0; i < probe->row_count; i++) {
            uint64_t hash = hash_mix((uint64_t)words[i]);
            probe->hashes[i] = k == 0 ? hash : hash_combine(probe->hashes[i], hash);
        }
    }
}

// From place `*place` on, the next slot whose salt fits; null at an empty slot.
static inline JoinRow next_candidate(const JoinTable *table, uint64_t hash, uint64_t *place)
{
    for (uint64_t s = *place;; s = (s + 1) & table->slot_mask) {
        uint64_t slot = table->slots[s];
        if (slot == 0) {
            return NULL;
        }
        if (((slot ^ hash) & SALT_MASK) == 0) {
            *place = (s + 1) & table->slot_mask;
            return slot_row(slot);
        }
    }
}

static inline bool words_match(const JoinProbe *probe, uint32_t key_count, uint32_t i, JoinRow row)
{
    for (uint32_t k = 0; k < key_count; k++) {
        int64_t word;
        memcpy(&word, row + k * sizeof word, sizeof word);
        if (word != probe->words[k][i]) {
            return false;
        }
    }
    return true;
}

static void compare_words(const JoinTable *table, const JoinProbe *probe,
                          const uint16_t *candidates, uint32_t count)
{
    uint32_t key_count = table->shape->key_count;
    for (uint32_t c = 0; c < count; c++) {
        uint16_t i = candidates[c];
        JoinRow row = probe->candidates[i];
        if (c + PREFETCH_AHEAD < count) {
            __builtin_prefetch(probe->candidates[candidates[c + PREFETCH_AHEAD]]);
        }
        while (row != NULL && !words_match(probe, key_count, i, row)) {
            row = next_candidate(table, probe->hashes[i], &probe->places[i]);
        }
        probe->candidates[i] = row;
    }
}

// Compares field by field; the rejected look for their next candidate, round by round.
static void compare_fields(const JoinTable *table, const JoinProbe *probe, uint16_t *candidates,
                           uint32_t count)
{
    const JoinShape *shape = table->shape;
    uint16_t *rejected = probe->scratch + VECTOR_ROWS;
    while (count > 0) {
        uint32_t rejected_count = 0;
        uint32_t kept = count;
        for (uint32_t k = 0; k < shape->key_count; k++) {
            kept =
                row_match_field(&shape->layout, k, probe->keys[k], probe->rows, probe->candidates,
                                candidates, kept, candidates, rejected, &rejected_count);
        }
        count = 0;
        for (uint32_t r = 0; r < rejected_count; r++) {
            uint16_t i = rejected[r];
            probe->candidates[i] = next_candidate(table, probe->hashes[i], &probe->places[i]);
            candidates[count] = i;
            count += probe->candidates[i] != NULL;
        }
    }
}

uint32_t join_hash_lookup(const JoinTable *table, const JoinProbe *probe)
{
    const uint32_t row_count = probe->row_count;
    hash_probe(table, probe);
    for (uint32_t i = 0; i < row_count; i++) {
        probe->places[i] = probe->hashes[i] & table->slot_mask;
    }
    for (uint32_t i = 0; i < row_count && i < PREFETCH_AHEAD; i++) {
        __builtin_prefetch(&table->slots[probe->places[i]]);
    }
    uint16_t *candidates = probe->scratch;
    uint32_t count = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        if (i + PREFETCH_AHEAD < row_count) {
            __builtin_prefetch(&table->slots[probe->places[i + PREFETCH_AHEAD]]);
        }
        JoinRow row = next_candidate(table, probe->hashes[i], &probe->places[i]);
        __builtin_prefetch(row);
        probe->candidates[i] = row;
        candidates[count] = (uint16_t)i;
        count += row != NULL;
    }
    if (table->shape->has_integer_keys) {
        compare_words(table, probe, candidates, count);
    } else {
        compare_fields(table, probe, candidates, count);
    }
    uint32_t hits = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        probe->hits[hits] = (uint16_t)i;
        probe->found[hits] = probe->candidates[i];
        hits += probe->candidates[i] != NULL;
    }
    return hits;
}
