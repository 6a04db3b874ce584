/*
 * dictionary_builder.c — a hash table that starts small, so that the few values of most
 * dictionaries stay in the first-level cache, then a sort of the entries and a renumbering.
 */
#include "storage/encoding/dictionary_builder.h"

#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/heap.h"
#include "storage/text_order.h"

#define ENTRIES_MAX FORMAT_ROW_GROUP_ROWS
#define SLOTS_FIRST 1024u
#define SLOTS_MAX (4 * ENTRIES_MAX)
#define SAMPLE_ROWS 2048u
#define SAMPLE_GROUP 16u

#define SLOT_BYTES (SLOTS_MAX * sizeof(uint32_t))
#define ENTRY_BYTES ((ENTRIES_MAX + 1) * sizeof(TextView))
#define HASH_BYTES ((ENTRIES_MAX + 1) * sizeof(uint32_t))

DictionaryBuilder *dictionary_builder_create(MemoryBudget *budget)
{
    DictionaryBuilder *builder = heap_alloc_zeroed(sizeof *builder);
    if (builder == NULL) {
        return NULL;
    }
    builder->budget = budget;
    builder->slots = memory_alloc(budget, SLOT_BYTES);
    builder->texts = memory_alloc(budget, ENTRY_BYTES);
    builder->hashes = memory_alloc(budget, HASH_BYTES);
    builder->ranks = memory_alloc(budget, HASH_BYTES);
    if (builder->slots == NULL || builder->texts == NULL || builder->hashes == NULL ||
        builder->ranks == NULL) {
        dictionary_builder_destroy(builder);
        return NULL;
    }
    return builder;
}

void dictionary_builder_destroy(DictionaryBuilder *builder)
{
    if (builder == NULL) {
        return;
    }
    memory_free(builder->budget, builder->slots, SLOT_BYTES);
    memory_free(builder->budget, builder->texts, ENTRY_BYTES);
    memory_free(builder->budget, builder->hashes, HASH_BYTES);
    memory_free(builder->budget, builder->ranks, HASH_BYTES);
    heap_free(builder);
}

static inline uint32_t text_hash(const TextView *view)
{
    if (view->length <= TEXT_INLINE_MAX) {
        uint64_t words[2];
        memcpy(words, view, sizeof words);
        return (uint32_t)hash_mix(words[0] ^ words[1] * UINT64_C(0xd6e8feb86659fd93));
    }
    return (uint32_t)hash_bytes(view->data, view->length, 0);
}

/* Byte for byte: SQL's equality would lose blanks. */
static inline bool text_is_same(const TextView *left, const TextView *right)
{
    uint64_t a[2], b[2];
    memcpy(a, left, sizeof a);
    memcpy(b, right, sizeof b);
    if (a[0] != b[0]) {
        return false;
    }
    if (a[1] == b[1]) {
        return true;
    }
    return left->length > TEXT_INLINE_MAX && memcmp(left->data, right->data, left->length) == 0;
}

static void builder_reset(DictionaryBuilder *builder)
{
    builder->slot_mask = SLOTS_FIRST - 1;
    builder->entry_count = 0;
    memset(builder->slots, 0, SLOTS_FIRST * sizeof *builder->slots);
}

static void builder_grow(DictionaryBuilder *builder)
{
    builder->slot_mask = builder->slot_mask * 4 + 3;
    memset(builder->slots, 0, ((size_t)builder->slot_mask + 1) * sizeof *builder->slots);
    for (uint32_t i = 0; i < builder->entry_count; i++) {
        uint32_t slot = builder->hashes[i] & builder->slot_mask;
        while (builder->slots[slot] != 0) {
            slot = (slot + 1) & builder->slot_mask;
        }
        builder->slots[slot] = i + 1;
    }
}

/* Numbers a new value that belongs into `slot`. */
static uint32_t builder_add(DictionaryBuilder *builder, uint32_t slot, uint32_t hash)
{
    const uint32_t code = builder->entry_count++;
    builder->hashes[code] = hash;
    builder->slots[slot] = code + 1;
    if (builder->entry_count * 2 > builder->slot_mask) {
        builder_grow(builder);
    }
    return code;
}

static uint32_t find_text(DictionaryBuilder *builder, const TextView *view)
{
    const uint32_t hash = text_hash(view);
    uint32_t slot = hash & builder->slot_mask;
    for (; builder->slots[slot] != 0; slot = (slot + 1) & builder->slot_mask) {
        const uint32_t entry = builder->slots[slot] - 1;
        if (text_is_same(&builder->texts[entry], view)) { // nearly always: the table is half empty
            return entry;
        }
    }
    builder->texts[builder->entry_count] = *view;
    return builder_add(builder, slot, hash);
}

static uint32_t find_integer(DictionaryBuilder *builder, int64_t value)
{
    const uint32_t hash = (uint32_t)hash_mix((uint64_t)value);
    uint32_t slot = hash & builder->slot_mask;
    for (; builder->slots[slot] != 0; slot = (slot + 1) & builder->slot_mask) {
        const uint32_t entry = builder->slots[slot] - 1;
        if (builder->integers[entry] == value) {
            return entry;
        }
    }
    builder->integers[builder->entry_count] = value;
    return builder_add(builder, slot, hash);
}

static uint32_t find_row(DictionaryBuilder *builder, const ColumnChunk *chunk, uint32_t row)
{
    return chunk->lane == LANE_TEXT ? find_text(builder, (const TextView *)chunk->values + row)
                                    : find_integer(builder, ((const int64_t *)chunk->values)[row]);
}

/* Groups of rows spread over the chunk: when most of them differ, so will the rest. Neighbours,
 * because values may repeat only where they stand together. */
static bool sample_has_repeats(DictionaryBuilder *builder, const ColumnChunk *chunk,
                               uint32_t entries_max)
{
    if (chunk->row_count <= SAMPLE_ROWS) {
        return true;
    }
    const uint32_t step = chunk->row_count / SAMPLE_ROWS;
    for (uint32_t i = 0; i < SAMPLE_ROWS; i++) {
        find_row(builder, chunk, i / SAMPLE_GROUP * SAMPLE_GROUP * step + i % SAMPLE_GROUP);
    }
    const uint32_t distinct = builder->entry_count;
    builder_reset(builder);
    const double share = (double)entries_max / chunk->row_count;
    return distinct < SAMPLE_ROWS * (share < 0.25 ? 0.5 : 0.9);
}

static bool number_rows(DictionaryBuilder *builder, const ColumnChunk *chunk, uint32_t entries_max,
                        int64_t *codes)
{
    if (chunk->lane == LANE_TEXT) {
        const TextView *views = chunk->values;
        for (uint32_t i = 0; i < chunk->row_count; i++) {
            codes[i] = find_text(builder, &views[i]);
            if (builder->entry_count > entries_max) {
                return false;
            }
        }
    } else {
        const int64_t *values = chunk->values;
        for (uint32_t i = 0; i < chunk->row_count; i++) {
            codes[i] = find_integer(builder, values[i]);
            if (builder->entry_count > entries_max) {
                return false;
            }
        }
    }
    return true;
}

static int compare_texts(const void *left, const void *right, void *object)
{
    const TextView *texts = object;
    return text_view_order(&texts[*(const uint32_t *)left], &texts[*(const uint32_t *)right]);
}

static int compare_integers(const void *left, const void *right, void *object)
{
    const int64_t *integers = object;
    const int64_t a = integers[*(const uint32_t *)left], b = integers[*(const uint32_t *)right];
    return a < b ? -1 : a > b;
}

/* order[k] = the entry that comes k-th; then entries move there. Slots and hashes are used up. */
static void sort_entries(DictionaryBuilder *builder, const ColumnChunk *chunk)
{
    const uint32_t count = builder->entry_count;
    uint32_t *order = builder->hashes;
    for (uint32_t i = 0; i < count; i++) {
        order[i] = i;
    }
    const bool is_text = chunk->lane == LANE_TEXT;
    qsort_r(order, count, sizeof *order, is_text ? compare_texts : compare_integers,
            builder->texts);
    for (uint32_t i = 0; i < count; i++) {
        builder->ranks[order[i]] = i;
    }
    // Cycle by cycle: position i takes entry order[i].
    for (uint32_t i = 0; i < count; i++) {
        uint32_t source = order[i];
        while (source < i) {
            source = order[source];
        }
        if (is_text) {
            const TextView view = builder->texts[i];
            builder->texts[i] = builder->texts[source];
            builder->texts[source] = view;
        } else {
            const int64_t value = builder->integers[i];
            builder->integers[i] = builder->integers[source];
            builder->integers[source] = value;
        }
    }
}

static void measure_texts(DictionaryBuilder *builder)
{
    for (uint32_t i = 0; i < builder->entry_count; i++) {
        builder->text_bytes += builder->texts[i].length;
        if (i > 0 && text_view_compare(&builder->texts[i - 1], &builder->texts[i]) == 0) {
            builder->is_unique = false;
        }
    }
}

bool dictionary_builder_run(DictionaryBuilder *builder, const ColumnChunk *chunk,
                            uint32_t entries_max, int64_t *codes)
{
    builder_reset(builder);
    builder->text_bytes = 0;
    builder->is_unique = true;
    if (!sample_has_repeats(builder, chunk, entries_max) ||
        !number_rows(builder, chunk, entries_max, codes)) {
        return false;
    }
    sort_entries(builder, chunk);
    for (uint32_t i = 0; i < chunk->row_count; i++) {
        codes[i] = builder->ranks[codes[i]];
    }
    if (chunk->lane == LANE_TEXT) {
        measure_texts(builder);
    }
    return true;
}
