/* join_table.c — keeping build rows, choosing the index, inserting. */
#include "compute/operators/hash_join/join_table.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/vector/distribution_hash.h"
#include "compute/kernels/lanes.h"
#include "compute/operators/hash_join/join_hash.h"

enum {
    ALWAYS_DENSE_RANGE = 1 << 16,
    DENSE_RANGE_PER_ROW = 8,
    LARGE_PROBE_DENSE_RANGE = 1 << 20, /* worth it when very many rows probe */
    BITMAP_BITS_PER_ROW = 64,
    ALWAYS_BITMAP_BITS = 1 << 23,
    LARGE_PROBE_BITMAP_BITS = 1 << 26,
    LARGE_PROBE_ROWS = 1000000,
};

void join_table_init(JoinTable *table, const JoinShape *shape, Arena *arena)
{
    *table = (JoinTable){.shape = shape};
    row_store_init(&table->rows, &shape->layout, shape->query->budget, arena);
    table->bounds = ARENA_ARRAY(arena, JoinKeyBounds, shape->key_count);
    for (uint32_t k = 0; k < shape->key_count; k++) {
        table->bounds[k] = (JoinKeyBounds){.min = INT64_MAX, .max = INT64_MIN};
    }
}

static void free_index(JoinTable *table)
{
    MemoryBudget *budget = table->shape->query->budget;
    void *memory = table->bitmap != NULL  ? (void *)table->bitmap
                   : table->heads != NULL ? (void *)table->heads
                                          : (void *)table->slots;
    if (memory != NULL) {
        memory_free(budget, memory, table->index_bytes);
    }
    table->bitmap = NULL;
    table->heads = NULL;
    table->slots = NULL;
    table->index = JOIN_INDEX_NONE;
}

void join_table_deinit(JoinTable *table)
{
    if (table->shape != NULL) {
        free_index(table);
        row_store_deinit(&table->rows);
        table->shape = NULL;
    }
}

// Lists the rows to be kept and notes which of their keys are NULL and match nothing.
static uint32_t select_rows(JoinTable *table, const JoinInput *input, JoinAppendSpace *space)
{
    const JoinShape *shape = table->shape;
    uint32_t count = input->batch->selected_count;
    uint8_t nulls[VECTOR_ROWS];
    bool has_nulls = false;
    for (uint32_t k = 0; k < shape->key_count; k++) {
        if (shape->is_null_equal[k] ||
            !lanes_read_nulls(input->keys[k], input->batch->selection, count, nulls)) {
            continue;
        }
        if (!has_nulls) {
            memset(space->null_masks, 0, count * sizeof *space->null_masks);
            has_nulls = true;
        }
        for (uint32_t i = 0; i < count; i++) {
            space->null_masks[i] |= (uint64_t)nulls[i] << k;
        }
    }
    table->seen_rows += count;
    if (!has_nulls) {
        memset(space->null_masks, 0, count * sizeof *space->null_masks);
        for (uint32_t i = 0; i < count; i++) {
            space->rows[i] = (uint16_t)batch_row(input->batch, i);
        }
        return count;
    }
    table->has_null_key = true;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        space->rows[kept] = (uint16_t)batch_row(input->batch, i);
        space->null_masks[kept] = space->null_masks[i];
        kept += shape->keeps_null_keys || space->null_masks[i] == 0;
    }
    return kept;
}

static void write_words(JoinTable *table, const JoinInput *input, JoinAppendSpace *space,
                        uint32_t row_count)
{
    for (uint32_t k = 0; k < table->shape->key_count; k++) {
        JoinKeyBounds *bounds = &table->bounds[k];
        lanes_read_int64(input->keys[k], space->rows, row_count, space->words);
        int64_t min = bounds->min;
        int64_t max = bounds->max;
        for (uint32_t i = 0; i < row_count; i++) {
            int64_t word = space->words[i];
            memcpy(space->row_pointers[i] + k * sizeof word, &word, sizeof word);
        }
        for (uint32_t i = 0; i < row_count; i++) {
            if (space->null_masks[i] == 0) {
                int64_t word = space->words[i];
                min = word < min ? word : min;
                max = word > max ? word : max;
            }
        }
        bounds->min = min;
        bounds->max = max;
    }
}

static void write_hashes(JoinTable *table, const JoinInput *input, JoinAppendSpace *space,
                         uint32_t row_count)
{
    Batch kept = *input->batch;
    kept.selection = space->rows;
    kept.selected_count = row_count;
    for (uint32_t k = 0; k < table->shape->key_count; k++) {
        row_hash_column(input->keys[k], &kept, k > 0, space->hashes);
    }
    for (uint32_t i = 0; i < row_count; i++) {
        memcpy(space->row_pointers[i], &space->hashes[i], sizeof space->hashes[i]);
    }
}

Status join_table_append(JoinTable *table, const JoinInput *input, JoinAppendSpace *space)
{
    const JoinShape *shape = table->shape;
    uint32_t row_count = select_rows(table, input, space);
    if (row_count == 0) {
        return STATUS_OK;
    }
    uint32_t field = 0;
    for (uint32_t k = 0; k < shape->first_payload; k++) {
        space->vectors[field++] = input->keys[k];
    }
    for (uint32_t c = 0; c < shape->payload_count; c++) {
        space->vectors[field++] = input->payload[c];
    }
    Status status = row_store_append(&table->rows, space->vectors, space->rows, row_count,
                                     space->row_pointers);
    if (status != STATUS_OK) {
        table->seen_rows -= input->batch->selected_count; // they come again
        return status;
    }
    if (shape->has_integer_keys) {
        write_words(table, input, space, row_count);
    } else {
        write_hashes(table, input, space, row_count);
    }
    if (shape->link_offset != JOIN_NO_LINK) {
        for (uint32_t i = 0; i < row_count; i++) {
            uint64_t mask = space->null_masks[i];
            *join_row_link(shape, space->row_pointers[i]) =
                mask == 0 ? 0 : JOIN_LINK_NULL_KEY | mask << JOIN_LINK_NULL_SHIFT;
        }
    }
    return STATUS_OK;
}

Status join_table_merge(JoinTable *target, JoinTable *source)
{
    TRY(row_store_join(&target->rows, &source->rows));
    for (uint32_t k = 0; k < target->shape->key_count; k++) {
        JoinKeyBounds *bounds = &target->bounds[k];
        const JoinKeyBounds *added = &source->bounds[k];
        bounds->min = added->min < bounds->min ? added->min : bounds->min;
        bounds->max = added->max > bounds->max ? added->max : bounds->max;
    }
    target->has_null_key |= source->has_null_key;
    target->seen_rows += source->seen_rows;
    return STATUS_OK;
}

// The positions of all keys together; false when there are too many to count.
static bool find_range(JoinTable *table)
{
    uint64_t total = 1;
    for (uint32_t k = 0; k < table->shape->key_count; k++) {
        JoinKeyBounds *bounds = &table->bounds[k];
        if (bounds->min > bounds->max) {
            bounds->min = bounds->max = 0; // no key at all: every probe misses
        }
        uint64_t span = (uint64_t)bounds->max - (uint64_t)bounds->min;
        bounds->range = span + 1;
        bounds->stride = total;
        if (span >= INT64_MAX || __builtin_mul_overflow(total, bounds->range, &total)) {
            return false;
        }
    }
    table->range = total;
    return true;
}

static JoinIndex choose_index(JoinTable *table)
{
    const JoinShape *shape = table->shape;
    uint64_t rows = table->rows.row_count;
    if (!shape->has_integer_keys || !find_range(table)) {
        return JOIN_INDEX_HASH;
    }
    bool is_large_probe = shape->probe_rows >= LARGE_PROBE_ROWS;
    if (shape->is_existence) {
        uint64_t bits_max = rows * BITMAP_BITS_PER_ROW;
        uint64_t bits_min = is_large_probe ? LARGE_PROBE_BITMAP_BITS : ALWAYS_BITMAP_BITS;
        bits_max = bits_max > bits_min ? bits_max : bits_min;
        return table->range <= bits_max ? JOIN_INDEX_BITMAP : JOIN_INDEX_HASH;
    }
    uint64_t range_max = rows * DENSE_RANGE_PER_ROW;
    uint64_t range_min = is_large_probe ? LARGE_PROBE_DENSE_RANGE : ALWAYS_DENSE_RANGE;
    range_max = range_max > range_min ? range_max : range_min;
    uint64_t numbers = (uint64_t)table->rows.page_count << table->rows.page_shift;
    bool has_small_numbers = numbers < UINT32_MAX;
    return table->range <= range_max && has_small_numbers ? JOIN_INDEX_DENSE : JOIN_INDEX_HASH;
}

Status join_table_choose(JoinTable *table)
{
    MemoryBudget *budget = table->shape->query->budget;
    table->index = choose_index(table);
    void *memory;
    if (table->index == JOIN_INDEX_BITMAP) {
        table->index_bytes = (table->range / 64 + 1) * sizeof *table->bitmap;
        memory = table->bitmap = memory_alloc_zeroed(budget, table->index_bytes);
    } else if (table->index == JOIN_INDEX_DENSE) {
        table->index_bytes = (table->range + 1) * sizeof *table->heads;
        memory = table->heads = memory_alloc_zeroed(budget, table->index_bytes);
    } else {
        uint64_t slots = 64;
        while (slots < 2 * table->rows.row_count) {
            slots *= 2;
        }
        table->slot_mask = slots - 1;
        table->index_bytes = slots * sizeof *table->slots;
        memory = table->slots = memory_alloc_zeroed(budget, table->index_bytes);
    }
    if (memory == NULL) {
        table->index = JOIN_INDEX_NONE;
        return memory_refused(budget, table->index_bytes, "a join's table");
    }
    return STATUS_OK;
}

// The position of a row's keys in BITMAP and DENSE.
static uint64_t row_position(const JoinTable *table, const uint8_t *row)
{
    uint64_t position = 0;
    for (uint32_t k = 0; k < table->shape->key_count; k++) {
        int64_t word;
        memcpy(&word, row + k * sizeof word, sizeof word);
        const JoinKeyBounds *bounds = &table->bounds[k];
        position += ((uint64_t)word - (uint64_t)bounds->min) * bounds->stride;
    }
    return position;
}

static bool is_indexed(const JoinShape *shape, const uint8_t *row)
{
    return shape->link_offset == JOIN_NO_LINK ||
           (*join_row_link(shape, row) & JOIN_LINK_NULL_KEY) == 0;
}

static void insert_bits(JoinTable *table, const RowPage *page, bool is_shared)
{
    size_t row_bytes = table->rows.layout->row_bytes;
    const uint8_t *row = page->rows;
    for (uint32_t i = 0; i < page->row_count; i++, row += row_bytes) {
        if (!is_indexed(table->shape, row)) {
            continue;
        }
        uint64_t position = row_position(table, row);
        uint64_t bit = UINT64_C(1) << (position & 63);
        uint64_t *word = &table->bitmap[position >> 6];
        if (!is_shared) {
            *word |= bit;
        } else if ((__atomic_load_n(word, __ATOMIC_RELAXED) & bit) == 0) {
            __atomic_fetch_or(word, bit, __ATOMIC_RELAXED); // read only after all have inserted
        }
    }
}

// Unique keys: the last writer of a position would win, and join_table_settle finds out.
static void insert_unique_heads(JoinTable *table, uint32_t page_index)
{
    const RowPage *page = &table->rows.pages[page_index];
    size_t row_bytes = table->rows.layout->row_bytes;
    uint32_t number = (page_index << table->rows.page_shift) + 1;
    const uint8_t *row = page->rows;
    for (uint32_t i = 0; i < page->row_count; i++, row += row_bytes) {
        if (is_indexed(table->shape, row)) {
            __atomic_store_n(&table->heads[row_position(table, row)], number + i,
                             __ATOMIC_RELAXED);
        }
    }
}

static void insert_heads(JoinTable *table, uint32_t page_index, bool is_shared)
{
    const JoinShape *shape = table->shape;
    const RowPage *page = &table->rows.pages[page_index];
    size_t row_bytes = table->rows.layout->row_bytes;
    uint32_t number = (page_index << table->rows.page_shift) + 1;
    bool has_duplicates = false;
    uint8_t *row = page->rows;
    for (uint32_t i = 0; i < page->row_count; i++, row += row_bytes) {
        if (!is_indexed(shape, row)) {
            continue;
        }
        uint32_t *head = &table->heads[row_position(table, row)];
        uint32_t former;
        if (is_shared) { // relaxed: chains are walked only after all have inserted
            former = __atomic_exchange_n(head, number + i, __ATOMIC_RELAXED);
        } else {
            former = *head;
            *head = number + i;
        }
        if (former != 0) {
            has_duplicates = true;
            *join_row_link(shape, row) = (uintptr_t)row_store_row(&table->rows, former - 1);
        }
    }
    if (has_duplicates) {
        __atomic_store_n(&table->has_duplicates, true, __ATOMIC_RELAXED);
    }
}

void join_table_insert_page(JoinTable *table, uint32_t page, bool is_shared)
{
    switch (table->index) {
    case JOIN_INDEX_BITMAP:
        insert_bits(table, &table->rows.pages[page], is_shared);
        break;
    case JOIN_INDEX_DENSE:
        if (table->shape->is_unique) {
            insert_unique_heads(table, page);
        } else {
            insert_heads(table, page, is_shared);
        }
        break;
    case JOIN_INDEX_HASH:
        join_hash_insert_page(table, page, is_shared);
        break;
    case JOIN_INDEX_NONE:
        break;
    }
}

void join_table_settle(JoinTable *table)
{
    if (table->index != JOIN_INDEX_DENSE || !table->shape->is_unique) {
        return;
    }
    uint64_t used = 0;
    for (uint64_t i = 0; i < table->range; i++) {
        used += table->heads[i] != 0;
    }
    uint64_t indexed = table->rows.row_count;
    if (table->shape->keeps_null_keys && table->has_null_key) {
        indexed = 0;
        for (uint32_t p = 0; p < table->rows.page_count; p++) {
            const RowPage *page = &table->rows.pages[p];
            for (uint32_t i = 0; i < page->row_count; i++) {
                indexed += is_indexed(table->shape,
                                      page->rows + (size_t)i * table->rows.layout->row_bytes);
            }
        }
    }
    if (used == indexed) {
        return;
    }
    memset(table->heads, 0, table->index_bytes); // keys were not unique after all
    for (uint32_t p = 0; p < table->rows.page_count; p++) {
        insert_heads(table, p, false);
    }
}

void join_table_describe(const JoinTable *table, char *target, size_t bytes)
{
    static const char *const names[] = {"none", "bitmap", "dense", "hash"};
    snprintf(target, bytes, "%s%s", names[table->index], table->has_duplicates ? " chained" : "");
}
