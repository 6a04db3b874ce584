/* join_lookup.c — finding the first build row of many keys at once. */
#include "compute/kernels/join_kernels.h"
#include "compute/kernels/lanes.h"
#include "compute/operators/hash_join/join_index.h"

KERNEL_TABLE_DEFINE(JoinKernels, join_kernels);

// Positions of integer keys, straight from their lanes where they are flat.
static void find_positions(const JoinTable *table, const JoinProbe *probe)
{
    const JoinKernels *kernels = KERNELS(join_kernels);
    for (uint32_t k = 0; k < table->shape->key_count; k++) {
        const JoinKeyBounds *bounds = &table->bounds[k];
        const Vector *key = probe->keys[k];
        const void *lanes = key->data;
        const uint16_t *rows = probe->rows;
        uint32_t lane = key->lane;
        uint64_t delta = (uint64_t)key->base - (uint64_t)bounds->first;
        if (key->form != VECTOR_FLAT) {
            lanes_read_int64(key, rows, probe->row_count, probe->words[k]);
            lanes = probe->words[k];
            rows = NULL;
            lane = LANE_I64;
            delta = 0 - (uint64_t)bounds->first;
        }
        if (k == 0) {
            kernels->positions[lane](lanes, delta, bounds->range, bounds->shift, rows,
                                     probe->row_count, probe->positions);
        } else {
            kernels->add_positions[lane](lanes, delta, bounds->range, bounds->shift,
                                         (uint32_t)bounds->stride, rows, probe->row_count,
                                         probe->positions);
        }
    }
}

static uint32_t lookup_bits(const JoinTable *table, const JoinProbe *probe, uint32_t wanted)
{
    find_positions(table, probe);
    return KERNELS(join_kernels)->find_bits(table->bitmap, probe->positions, probe->row_count,
                                            wanted, probe->hits);
}

static uint32_t lookup_columns(const JoinTable *table, const JoinProbe *probe)
{
    uint32_t hits = lookup_bits(table, probe, 1);
    for (uint32_t h = 0; h < hits; h++) {
        probe->found[h] = (JoinRow)(uintptr_t)probe->positions[probe->hits[h]];
    }
    return hits;
}

static uint32_t lookup_heads(const JoinTable *table, const JoinProbe *probe)
{
    uint32_t *heads = (uint32_t *)probe->hashes;
    find_positions(table, probe);
    uint32_t hits = KERNELS(join_kernels)->find_heads(table->heads, probe->positions,
                                                      probe->row_count, probe->hits, heads);
    for (uint32_t h = 0; h < hits; h++) {
        probe->found[h] = row_store_row(&table->rows, heads[h] - 1);
    }
    return hits;
}

uint32_t join_table_lookup(const JoinTable *table, const JoinProbe *probe)
{
    switch (table->index) {
    case JOIN_INDEX_BITMAP:
        return lookup_bits(table, probe, 1);
    case JOIN_INDEX_COLUMNS:
        return lookup_columns(table, probe);
    case JOIN_INDEX_DENSE:
        return lookup_heads(table, probe);
    case JOIN_INDEX_KEYS:
        return join_keys_lookup(table, probe);
    case JOIN_INDEX_HASH:
        return join_hash_lookup(table, probe);
    case JOIN_INDEX_NONE:
        break;
    }
    return 0;
}

uint32_t join_table_lookup_missing(const JoinTable *table, const JoinProbe *probe)
{
    return lookup_bits(table, probe, 0);
}

void join_table_gather(const JoinTable *table, uint32_t column, const JoinRow *rows,
                       const uint16_t *targets, uint32_t row_count, bool has_null_rows,
                       VectorBuffer *buffer, Vector *out)
{
    if (table->index == JOIN_INDEX_COLUMNS) {
        join_columns_gather(table, column, rows, targets, row_count, has_null_rows, buffer, out);
    } else {
        row_store_gather(&table->rows, table->shape->first_payload + column, rows, targets,
                         row_count, has_null_rows, buffer, out);
    }
}
