/* join_table.c — keeping build rows, choosing the index, inserting. */
#include "compute/operators/hash_join/join_table.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/vector/distribution_hash.h"
#include "compute/kernels/lanes.h"
#include "compute/operators/hash_join/join_index.h"

enum {
    ALWAYS_DENSE_RANGE = 1 << 16,
    DENSE_RANGE_PER_ROW = 8,
    LARGE_PROBE_DENSE_RANGE = 1 << 20, /* worth it when very many rows probe */
    BITMAP_BITS_PER_ROW = 64,
    ALWAYS_BITMAP_BITS = 1 << 23,
    LARGE_PROBE_BITMAP_BITS = 1 << 26,
    LARGE_PROBE_ROWS = 1000000,
    POSITIONS_MAX = 1 << 30,
};

void join_table_init(JoinTable *table, const JoinShape *shape, Arena *arena)
{
    *table = (JoinTable){.shape = shape};
    row_store_init(&table->rows, &shape->layout, shape->budget, arena);
    table->bounds = ARENA_ARRAY(arena, JoinKeyBounds, shape->key_count);
    for (uint32_t k = 0; k < shape->key_count; k++) {
        table->bounds[k] = (JoinKeyBounds){.min = INT64_MAX, .max = INT64_MIN};
    }
}

static void free_index(JoinTable *table)
{
    if (table->memory != NULL) {
        memory_free(table->shape->budget, table->memory, table->index_bytes);
    }
    table->memory = NULL;
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

JoinAppendSpace *join_append_space_create(const JoinShape *shape, Arena *worker_arena)
{
    JoinAppendSpace *space = ARENA_NEW(worker_arena, JoinAppendSpace);
    space->vectors = ARENA_ARRAY(worker_arena, const Vector *, shape->layout.field_count);
    space->spill_columns =
        ARENA_ARRAY(worker_arena, Vector, shape->key_count + shape->payload_count);
    return space;
}

uint32_t join_table_select_rows(JoinTable *table, const JoinInput *input, JoinAppendSpace *space)
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
    kept.mask = NULL;
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
    uint32_t row_count = join_table_select_rows(table, input, space);
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
    Status status =
        row_store_append(&table->rows, space->vectors, space->rows, row_count, space->row_pointers);
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

void join_partition_hashes(const JoinShape *shape, const Vector *const *keys, const Batch *batch,
                           const uint16_t *rows, uint32_t row_count, uint64_t *hashes)
{
    Batch selected = *batch;
    selected.selection = rows;
    selected.mask = NULL;
    selected.selected_count = row_count;
    for (uint32_t k = 0; k < shape->key_count; k++) {
        row_hash_column(keys[k], &selected, k > 0, hashes);
    }
    for (uint32_t i = 0; i < row_count; i++) {
        hashes[i] = hash_mix(hashes[i]); // a partition's keys must not crowd its table's slots
    }
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

// Numbers the keys together; false when there are more than a word can count.
static bool find_range(JoinTable *table)
{
    uint64_t total = 1;
    bool fits = true;
    for (uint32_t k = 0; k < table->shape->key_count; k++) {
        JoinKeyBounds *bounds = &table->bounds[k];
        if (bounds->min > bounds->max) {
            bounds->min = bounds->max = 0; // no key at all: every probe misses
        }
        bounds->shift = k + 1 == table->shape->local_key ? table->shape->known_bits : 0;
        bounds->first = bounds->min & ~((INT64_C(1) << bounds->shift) - 1);
        uint64_t span = (uint64_t)bounds->max - (uint64_t)bounds->first;
        bounds->range = span + 1;
        bounds->stride = total;
        fits = fits && span < INT64_MAX &&
               !__builtin_mul_overflow(total, (span >> bounds->shift) + 1, &total) &&
               total < INT64_MAX;
    }
    table->range = total;
    return fits;
}

static JoinIndex choose_index(JoinTable *table, bool may_be_columns)
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
        bits_max = bits_max < POSITIONS_MAX ? bits_max : POSITIONS_MAX;
        return table->range <= bits_max ? JOIN_INDEX_BITMAP : JOIN_INDEX_KEYS;
    }
    uint64_t range_max = rows * DENSE_RANGE_PER_ROW;
    uint64_t range_min = is_large_probe ? LARGE_PROBE_DENSE_RANGE : ALWAYS_DENSE_RANGE;
    range_max = range_max > range_min ? range_max : range_min;
    range_max = range_max < POSITIONS_MAX ? range_max : POSITIONS_MAX;
    uint64_t numbers = (uint64_t)table->rows.page_count << table->rows.page_shift;
    if (table->range > range_max || numbers >= UINT32_MAX) {
        return JOIN_INDEX_KEYS;
    }
    return may_be_columns && rows <= table->range && join_columns_fit(table) ? JOIN_INDEX_COLUMNS
                                                                             : JOIN_INDEX_DENSE;
}

static Status make_index(JoinTable *table, JoinIndex index)
{
    MemoryBudget *budget = table->shape->budget;
    table->index = index;
    if (index == JOIN_INDEX_BITMAP) {
        table->index_bytes = (table->range / 64 + 1) * sizeof *table->bitmap;
    } else if (index == JOIN_INDEX_COLUMNS) {
        table->index_bytes = join_columns_bytes(table);
    } else if (index == JOIN_INDEX_DENSE) {
        table->index_bytes = (table->range + 1) * sizeof *table->heads;
    } else if (index == JOIN_INDEX_KEYS) {
        table->index_bytes = join_keys_bytes(table);
    } else {
        table->slot_mask = 63;
        while (table->slot_mask + 1 < 2 * table->rows.row_count) {
            table->slot_mask = 2 * table->slot_mask + 1;
        }
        table->index_bytes = (table->slot_mask + 1) * sizeof *table->slots;
    }
    table->memory = index == JOIN_INDEX_KEYS || index == JOIN_INDEX_COLUMNS
                        ? memory_alloc(budget, table->index_bytes)
                        : memory_alloc_zeroed(budget, table->index_bytes);
    if (table->memory == NULL) {
        table->index = JOIN_INDEX_NONE;
        return memory_refused(budget, table->index_bytes, "a join's table");
    }
    if (index == JOIN_INDEX_COLUMNS) {
        join_columns_init(table);
    } else if (index == JOIN_INDEX_KEYS) {
        join_keys_init(table);
    }
    table->bitmap = table->memory;
    table->heads = table->memory;
    table->slots = table->memory;
    return STATUS_OK;
}

Status join_table_choose(JoinTable *table)
{
    JoinIndex index = choose_index(table, table->shape->may_be_columns);
    if (index == JOIN_INDEX_KEYS && !join_keys_fit(table)) {
        index = JOIN_INDEX_HASH;
    }
    return make_index(table, index);
}

// Bits of one word are gathered before they are set: build sides often come in key order.
void join_bitmap_insert_page(JoinTable *table, const RowPage *page, bool is_shared)
{
    size_t row_bytes = table->rows.layout->row_bytes;
    const uint8_t *row = page->rows;
    uint64_t word_index = 0;
    uint64_t bits = 0;
    for (uint32_t i = 0; i <= page->row_count; i++, row += row_bytes) {
        bool is_end = i == page->row_count;
        if (!is_end && !join_row_is_indexed(table->shape, row)) {
            continue;
        }
        uint64_t position = is_end ? UINT64_MAX : join_row_number(table, row) + 1;
        if (position >> 6 != word_index && bits != 0) {
            uint64_t *word = &table->bitmap[word_index];
            if (!is_shared) {
                *word |= bits;
            } else if ((__atomic_load_n(word, __ATOMIC_RELAXED) & bits) != bits) {
                __atomic_fetch_or(word, bits, __ATOMIC_RELAXED); // read after all have inserted
            }
            bits = 0;
        }
        word_index = position >> 6;
        bits |= UINT64_C(1) << (position & 63);
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
        if (!join_row_is_indexed(shape, row)) {
            continue;
        }
        uint32_t *head = &table->heads[join_row_number(table, row) + 1];
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
        join_bitmap_insert_page(table, &table->rows.pages[page], is_shared);
        break;
    case JOIN_INDEX_COLUMNS:
        join_bitmap_insert_page(table, &table->rows.pages[page], is_shared);
        join_columns_insert_page(table, &table->rows.pages[page]);
        break;
    case JOIN_INDEX_DENSE:
        insert_heads(table, page, is_shared);
        break;
    case JOIN_INDEX_KEYS:
        join_keys_insert_page(table, page, is_shared);
        break;
    case JOIN_INDEX_HASH:
        join_hash_insert_page(table, page, is_shared);
        break;
    case JOIN_INDEX_NONE:
        break;
    }
}

static uint64_t count_indexed(const JoinTable *table)
{
    if (!table->shape->keeps_null_keys || !table->has_null_key) {
        return table->rows.row_count;
    }
    uint64_t indexed = 0;
    for (uint32_t p = 0; p < table->rows.page_count; p++) {
        const RowPage *page = &table->rows.pages[p];
        for (uint32_t i = 0; i < page->row_count; i++) {
            indexed += join_row_is_indexed(table->shape,
                                           page->rows + (size_t)i * table->rows.layout->row_bytes);
        }
    }
    return indexed;
}

Status join_table_settle(JoinTable *table, bool *is_settled)
{
    *is_settled = true;
    if (table->index != JOIN_INDEX_COLUMNS) {
        return STATUS_OK;
    }
    uint64_t used = 0;
    for (uint64_t w = 0; w <= table->range / 64; w++) {
        used += (uint64_t)__builtin_popcountll(table->bitmap[w]);
    }
    if (used == count_indexed(table)) {
        return STATUS_OK;
    }
    *is_settled = false;
    free_index(table);
    return make_index(table, choose_index(table, false));
}

void join_table_describe(const JoinTable *table, char *target, size_t bytes)
{
    static const char *const names[] = {"none", "bitmap", "dense columns", "dense", "keys", "hash"};
    snprintf(target, bytes, "%s%s", names[table->index], table->has_duplicates ? " chained" : "");
}
