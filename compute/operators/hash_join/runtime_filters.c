/*
 * runtime_filters.c — what the build side knows of its keys, as predicates for the probe's scans.
 *
 * Per key that some scan uses: a range, and an exact bitmap when the range is small, else a bloom
 * filter of 16 bits per row. A DENSE or BITMAP index of one key is a bitmap already, or nearly.
 * Keys of a build side on disk are read once more for a bloom filter: that is little beside the
 * rows of the probe side that need not go to disk then.
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
#define BLOOM_BITS_PER_ROW_MIN 4
#define SPILLED_FILTER_PARTS 4 /* of what the query has set aside, for the filters of one join */

typedef struct KeyFilter {
    Predicate predicates[RUNTIME_FILTER_PREDICATES];
    BloomFilter bloom;
    void *memory; /* of bitmap or bloom filter; null when the table's is used */
    size_t bytes;
    MemoryBudget *budget;
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
        filter->budget = join->query->tables;
        uint64_t *owned = memory_alloc_zeroed(filter->budget, filter->bytes);
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

static bool make_bloom(MemoryBudget *budget, uint64_t row_count, size_t bytes_max,
                       KeyFilter *filter)
{
    filter->budget = budget;
    uint64_t words = 64;
    while (words * 32 < row_count * BLOOM_BITS_PER_ROW && words < UINT32_MAX / 2 &&
           2 * words * sizeof *filter->bloom.blocks <= bytes_max) {
        words *= 2;
    }
    filter->bytes = words * sizeof *filter->bloom.blocks;
    filter->memory = words * 32 < row_count * BLOOM_BITS_PER_ROW_MIN
                         ? NULL
                         : memory_alloc_zeroed(budget, filter->bytes);
    filter->bloom = (BloomFilter){.blocks = filter->memory, .block_mask = (uint32_t)(words - 1)};
    return filter->memory != NULL;
}

static bool add_bloom(HashJoin *join, uint32_t key, KeyFilter *filter, Predicate *predicate)
{
    const JoinTable *table = &join->table;
    const RowStore *rows = &table->rows;
    if (!make_bloom(join->query->tables, rows->row_count, SIZE_MAX, filter)) {
        return false;
    }
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

static Status publish(HashJoin *join, uint32_t filter_id, KeyFilter *filter, uint32_t count)
{
    RuntimeFilters *filters = join->query->runtime_filters;
    uint32_t exchange_id = runtime_filters_exchange(filters, filter_id);
    if (exchange_id != 0) {
        return filter_exchange_tell(join->query, exchange_id, FILTER_KEYS, filter->predicates,
                                    count);
    }
    runtime_filters_publish(filters, filter_id, filter->predicates, count);
    return STATUS_OK;
}

static Predicate range_predicate(Type type, int64_t min, int64_t max)
{
    return (Predicate){
        .kind = PREDICATE_RANGE,
        .type = type,
        .has_lo = true,
        .has_hi = true,
        .lo = integer_value(type, min),
        .hi = integer_value(type, max),
    };
}

static Status publish_key(HashJoin *join, uint32_t key, uint32_t filter_id, KeyFilter *filter)
{
    const JoinTable *table = &join->table;
    uint32_t exchange_id = runtime_filters_exchange(join->query->runtime_filters, filter_id);
    uint32_t count = 0;
    if (join->shape.has_integer_keys) {
        filter->predicates[count++] = range_predicate(
            join->shape.key_types[key], table->bounds[key].min, table->bounds[key].max);
        Predicate *more = &filter->predicates[count];
        bool has_more = add_bitmap(join, key, exchange_id != 0, filter, more) ||
                        add_bloom(join, key, filter, more);
        count += has_more;
    } else if (join->shape.key_count == 1) {
        count += add_bloom(join, key, filter, &filter->predicates[count]);
    }
    return publish(join, filter_id, filter, count);
}

/* Other nodes' scans wait for a word from here. */
static Status tell_nothing_of(HashJoin *join, uint32_t key, FilterKnowledge knowledge)
{
    const uint32_t id = join->plan->runtime_filter_ids[key];
    const uint32_t exchange_id = runtime_filters_exchange(join->query->runtime_filters, id);
    return exchange_id == 0 ? STATUS_OK
                            : filter_exchange_tell(join->query, exchange_id, knowledge, NULL, 0);
}

/* --- a build side on disk --- */

/* What is learned of one key while all rows pass. */
typedef struct SpilledKey {
    KeyFilter *filter; /* null: nobody asks */
    uint32_t key;
    int64_t min, max;
} SpilledKey;

static void add_spilled_rows(const Batch *batch, SpilledKey *keys, uint32_t key_count)
{
    uint64_t hashes[VECTOR_ROWS];
    for (uint32_t k = 0; k < key_count; k++) {
        SpilledKey *key = &keys[k];
        if (key->filter == NULL) {
            continue;
        }
        const Vector *vector = &batch->columns[key->key];
        row_hash_column(vector, batch, false, hashes);
        for (uint32_t i = 0; i < batch->selected_count; i++) {
            bloom_filter_add(&key->filter->bloom, hashes[i]);
        }
        if (type_is_scaled_integer(vector->type) && vector->lo <= vector->hi) {
            key->min = vector->lo < key->min ? vector->lo : key->min;
            key->max = vector->hi > key->max ? vector->hi : key->max;
        }
    }
}

static Status read_spilled_rows(HashJoin *join, SpilledKey *keys)
{
    const JoinSpill *spill = &join->spill;
    for (uint32_t i = 0; i < spill->builds.count; i++) {
        for (uint32_t p = 0; p < SPILL_PARTITIONS; p++) {
            SpillReader reader;
            SharedBatch *shared = NULL;
            Status status;
            spill_reader_init(&reader, spill->builds.items[i]->file, p, spill->build_types,
                              spill->build_count, join->query->budget);
            while ((status = spill_reader_next(&reader, &shared)) == STATUS_OK && shared != NULL) {
                add_spilled_rows(&shared->batch, keys, join->shape.key_count);
                shared_batch_unpin(shared);
            }
            spill_reader_deinit(&reader);
            TRY(status);
            TRY(query_context_check(join->query));
        }
    }
    return STATUS_OK;
}

static uint64_t spilled_row_count(const HashJoin *join)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < join->spill.builds.count; i++) {
        for (uint32_t p = 0; p < SPILL_PARTITIONS; p++) {
            count += spill_file_rows(join->spill.builds.items[i]->file, p);
        }
    }
    return count;
}

static Status publish_spilled(HashJoin *join, JoinFilters *filters)
{
    const uint32_t *ids = join->plan->runtime_filter_ids;
    const uint32_t key_count = join->shape.key_count;
    const uint64_t row_count = spilled_row_count(join);
    SpilledKey keys[JOIN_KEYS_MAX] = {0};
    uint32_t used_count = 0;
    size_t bytes_left = join->query->aside_bytes / SPILLED_FILTER_PARTS;
    for (uint32_t k = 0; k < key_count; k++) {
        const bool is_used = !join->shape.is_null_equal[k] &&
                             runtime_filters_is_used(join->query->runtime_filters, ids[k]);
        keys[k] = (SpilledKey){.key = k, .min = INT64_MAX, .max = INT64_MIN};
        if (is_used && make_bloom(join->query->budget, row_count, bytes_left, &filters->keys[k])) {
            keys[k].filter = &filters->keys[k];
            bytes_left -= filters->keys[k].bytes;
            used_count++;
        }
    }
    if (used_count > 0) {
        TRY(read_spilled_rows(join, keys));
    }
    for (uint32_t k = 0; k < key_count; k++) {
        KeyFilter *filter = keys[k].filter;
        const Type type = join->shape.key_types[k];
        uint32_t count = 0;
        if (filter == NULL) {
            TRY(tell_nothing_of(join, k, FILTER_UNKNOWN));
            continue;
        }
        if (keys[k].min <= keys[k].max) {
            filter->predicates[count++] = range_predicate(type, keys[k].min, keys[k].max);
        }
        filter->predicates[count++] =
            (Predicate){.kind = PREDICATE_BLOOM, .type = type, .bloom = &filter->bloom};
        TRY(publish(join, ids[k], filter, count));
    }
    return STATUS_OK;
}

static Status tell_nothing(HashJoin *join, FilterKnowledge knowledge)
{
    for (uint32_t k = 0; k < join->shape.key_count; k++) {
        TRY(tell_nothing_of(join, k, knowledge));
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
    if (!may_filter(join)) {
        return tell_nothing(join, FILTER_UNKNOWN);
    }
    if (join->table.rows.row_count == 0 && !join_is_spilling(join)) {
        return tell_nothing(join, FILTER_NO_KEYS);
    }
    JoinFilters *filters = heap_alloc_zeroed(sizeof *filters + key_count * sizeof *filters->keys);
    if (filters == NULL) {
        return tell_nothing(join, FILTER_UNKNOWN);
    }
    filters->count = key_count;
    join->filters = filters;
    if (join_is_spilling(join)) {
        return publish_spilled(join, filters);
    }
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
            memory_free(filter->budget, filter->memory, filter->bytes);
        }
    }
    heap_free(join->filters);
    join->filters = NULL;
}
