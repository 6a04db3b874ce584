/*
 * runtime_filters.c — what the build side knows of its keys, as predicates for the probe's scans.
 *
 * Per key that some scan uses: a range, and an exact bitmap when the range is small, else a bloom
 * filter of 16 bits per row. A DENSE or BITMAP index of one key is a bitmap already, or nearly.
 */
#include <string.h>

#include "base/hash.h"
#include "base/heap.h"
#include "base/vector/distribution_hash.h"
#include "compute/operators/filter_exchange.h"
#include "compute/operators/hash_join/hash_join_internal.h"
#include "compute/operators/runtime_filter.h"

#define BITMAP_BITS_MAX (UINT64_C(1) << 26)
#define BITMAP_BITS_ALWAYS (UINT64_C(1) << 20)
#define BITMAP_BITS_PER_ROW 512
#define BLOOM_BITS_PER_ROW 16

typedef struct KeyFilter {
    Predicate predicates[RUNTIME_FILTER_PREDICATES];
    BloomFilter bloom;
    void *memory; /* of bitmap or bloom filter; null when the table's is used */
    size_t bytes;
} KeyFilter;

struct JoinFilters {
    uint32_t count;
    KeyFilter keys[];
};

// Only joins that drop probe rows without a match may tell scans to drop them.
static bool may_filter(const HashJoin *join)
{
    switch (join->kind) {
    case JOIN_INNER:
    case JOIN_SEMI:
    case JOIN_RIGHT:
    case JOIN_RIGHT_SEMI:
    case JOIN_RIGHT_ANTI:
        return true;
    default:
        return false;
    }
}

static Value integer_value(Type type, int64_t value)
{
    return (Value){.type = type, .i64 = value};
}

// Bit p of the result stands for position p + 1.
static void set_bits_of_heads(const JoinTable *table, uint64_t *bitmap)
{
    const uint32_t *heads = table->heads + 1;
    for (uint64_t first = 0; first < table->range; first += 64) {
        uint64_t count = table->range - first < 64 ? table->range - first : 64;
        uint64_t word = 0;
        for (uint64_t i = 0; i < count; i++) {
            word |= (uint64_t)(heads[first + i] != 0) << i;
        }
        bitmap[first / 64] = word;
    }
}

static void set_bits_of_rows(const JoinTable *table, uint32_t key, int64_t base, uint32_t shift,
                             uint64_t *bitmap)
{
    const RowStore *rows = &table->rows;
    const uint64_t span = (uint64_t)table->bounds[key].max - (uint64_t)base;
    for (uint32_t p = 0; p < rows->page_count; p++) {
        const uint8_t *row = rows->pages[p].rows;
        for (uint32_t i = 0; i < rows->pages[p].row_count; i++, row += rows->layout->row_bytes) {
            uint64_t word;
            memcpy(&word, row + key * sizeof word, sizeof word);
            uint64_t position = word - (uint64_t)base;
            if (position <= span) { // not a key that is NULL
                position >>= shift;
                bitmap[position >> 6] |= UINT64_C(1) << (position & 63);
            }
        }
    }
}

static bool add_bitmap(HashJoin *join, uint32_t key, bool is_told, KeyFilter *filter,
                       Predicate *predicate)
{
    const JoinTable *table = &join->table;
    const JoinKeyBounds *bounds = &table->bounds[key];
    bool is_only_key = join->shape.key_count == 1;
    const uint64_t *bitmap = NULL;
    bool has_bitmap = table->index == JOIN_INDEX_BITMAP || table->index == JOIN_INDEX_COLUMNS;
    // What other nodes are told has a bit per key: there the low bits are not known.
    bool is_by_position = !is_told || bounds->shift == 0;
    uint32_t shift = is_by_position ? bounds->shift : 0;
    int64_t base = is_by_position ? bounds->first : bounds->min;
    uint64_t span = ((uint64_t)bounds->max - (uint64_t)base) >> shift;
    if (is_only_key && is_by_position && has_bitmap && base > INT64_MIN) {
        bitmap = table->bitmap;
        base -= INT64_C(1) << shift; // position 0 is no key
        span++;
    } else {
        uint64_t rows = table->rows.row_count;
        bool is_dense = is_only_key && is_by_position && table->index == JOIN_INDEX_DENSE;
        if (span >= BITMAP_BITS_MAX ||
            (!is_dense && span > BITMAP_BITS_ALWAYS && span > rows * BITMAP_BITS_PER_ROW)) {
            return false;
        }
        filter->bytes = (span / 64 + 1) * sizeof *bitmap;
        uint64_t *owned = memory_alloc_zeroed(join->query->budget, filter->bytes);
        if (owned == NULL) {
            return false; // a filter is never necessary
        }
        filter->memory = owned;
        if (is_dense) {
            set_bits_of_heads(table, owned);
        } else {
            set_bits_of_rows(table, key, base, shift, owned);
        }
        bitmap = owned;
    }
    *predicate = (Predicate){
        .kind = PREDICATE_BITMAP,
        .type = join->shape.key_types[key],
        .bitmap = bitmap,
        .bitmap_base = base,
        .bitmap_bits = span + 1,
        .bitmap_shift = shift,
    };
    return true;
}

static bool add_bloom(HashJoin *join, uint32_t key, KeyFilter *filter, Predicate *predicate)
{
    const JoinTable *table = &join->table;
    const RowStore *rows = &table->rows;
    uint64_t words = 64;
    while (words * 32 < rows->row_count * BLOOM_BITS_PER_ROW && words < UINT32_MAX / 2) {
        words *= 2;
    }
    filter->bytes = words * sizeof *filter->bloom.blocks;
    filter->memory = memory_alloc_zeroed(join->query->budget, filter->bytes);
    if (filter->memory == NULL) {
        return false;
    }
    filter->bloom = (BloomFilter){.blocks = filter->memory, .block_mask = (uint32_t)(words - 1)};
    for (uint32_t p = 0; p < rows->page_count; p++) {
        const uint8_t *row = rows->pages[p].rows;
        for (uint32_t i = 0; i < rows->pages[p].row_count; i++, row += rows->layout->row_bytes) {
            uint64_t word;
            if (join->shape.has_integer_keys) {
                memcpy(&word, row + key * sizeof word, sizeof word);
                word = hash_mix(word); // what row_hash_column gives for integers
            } else {
                memcpy(&word, row, sizeof word);
            }
            bloom_filter_add(&filter->bloom, word);
        }
    }
    *predicate = (Predicate){
        .kind = PREDICATE_BLOOM,
        .type = join->shape.key_types[key],
        .bloom = &filter->bloom,
    };
    return true;
}

static Status publish_key(HashJoin *join, uint32_t key, uint32_t filter_id, KeyFilter *filter)
{
    const JoinTable *table = &join->table;
    uint32_t exchange_id = runtime_filters_exchange(join->query->runtime_filters, filter_id);
    uint32_t count = 0;
    if (join->shape.has_integer_keys) {
        Type type = join->shape.key_types[key];
        filter->predicates[count++] = (Predicate){
            .kind = PREDICATE_RANGE,
            .type = type,
            .has_lo = true,
            .has_hi = true,
            .lo = integer_value(type, table->bounds[key].min),
            .hi = integer_value(type, table->bounds[key].max),
        };
        Predicate *more = &filter->predicates[count];
        bool has_more = add_bitmap(join, key, exchange_id != 0, filter, more) ||
                        add_bloom(join, key, filter, more);
        count += has_more;
    } else if (join->shape.key_count == 1) {
        count += add_bloom(join, key, filter, &filter->predicates[count]);
    }
    if (exchange_id != 0) {
        return filter_exchange_tell(join->query, exchange_id, FILTER_KEYS, filter->predicates,
                                    count);
    }
    runtime_filters_publish(join->query->runtime_filters, filter_id, filter->predicates, count);
    return STATUS_OK;
}

/* Other nodes' scans wait for a word from here. */
static Status tell_nothing(HashJoin *join, FilterKnowledge knowledge)
{
    const uint32_t *ids = join->plan->runtime_filter_ids;
    for (uint32_t k = 0; k < join->shape.key_count; k++) {
        uint32_t exchange_id = runtime_filters_exchange(join->query->runtime_filters, ids[k]);
        if (exchange_id != 0) {
            TRY(filter_exchange_tell(join->query, exchange_id, knowledge, NULL, 0));
        }
    }
    return STATUS_OK;
}

Status join_filters_publish(HashJoin *join)
{
    const uint32_t *ids = join->plan->runtime_filter_ids;
    uint32_t key_count = join->shape.key_count;
    if (ids == NULL) {
        return STATUS_OK;
    }
    if (!may_filter(join) || join_is_spilling(join)) {
        return tell_nothing(join, FILTER_UNKNOWN);
    }
    if (join->table.rows.row_count == 0) {
        return tell_nothing(join, FILTER_NO_KEYS);
    }
    JoinFilters *filters = heap_alloc_zeroed(sizeof *filters + key_count * sizeof *filters->keys);
    if (filters == NULL) {
        return tell_nothing(join, FILTER_UNKNOWN);
    }
    filters->count = key_count;
    join->filters = filters;
    for (uint32_t k = 0; k < key_count; k++) {
        if (!join->shape.is_null_equal[k] &&
            runtime_filters_is_used(join->query->runtime_filters, ids[k])) {
            TRY(publish_key(join, k, ids[k], &filters->keys[k]));
        }
    }
    return STATUS_OK;
}

void join_filters_destroy(HashJoin *join)
{
    if (join->filters == NULL) {
        return;
    }
    for (uint32_t k = 0; k < join->filters->count; k++) {
        KeyFilter *filter = &join->filters->keys[k];
        if (filter->memory != NULL) {
            memory_free(join->query->budget, filter->memory, filter->bytes);
        }
    }
    heap_free(join->filters);
    join->filters = NULL;
}
