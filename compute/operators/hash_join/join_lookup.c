/* join_lookup.c — finding the first build row of many keys at once. */
#include "compute/operators/hash_join/join_hash.h"
#include "compute/operators/hash_join/join_table.h"

// Positions of integer keys; keys outside the build side's range get the empty one at the end.
static void find_positions(const JoinTable *table, const JoinProbe *probe)
{
    uint64_t empty = table->range;
    uint64_t *positions = probe->positions;
    const JoinKeyBounds *bounds = &table->bounds[0];
    const int64_t *words = probe->words[0];
    for (uint32_t i = 0; i < probe->row_count; i++) {
        uint64_t offset = (uint64_t)words[i] - (uint64_t)bounds->min;
        positions[i] = offset < bounds->range ? offset : empty;
    }
    for (uint32_t k = 1; k < table->shape->key_count; k++) {
        bounds = &table->bounds[k];
        words = probe->words[k];
        for (uint32_t i = 0; i < probe->row_count; i++) {
            uint64_t offset = (uint64_t)words[i] - (uint64_t)bounds->min;
            bool is_inside = offset < bounds->range && positions[i] != empty;
            positions[i] = is_inside ? positions[i] + offset * bounds->stride : empty;
        }
    }
}

static uint32_t lookup_bits(const JoinTable *table, const JoinProbe *probe)
{
    const uint64_t *bitmap = table->bitmap;
    uint32_t hits = 0;
    for (uint32_t i = 0; i < probe->row_count; i++) {
        uint64_t position = probe->positions[i];
        probe->hits[hits] = (uint16_t)i;
        hits += (uint32_t)(bitmap[position >> 6] >> (position & 63)) & 1;
    }
    return hits;
}

static uint32_t lookup_heads(const JoinTable *table, const JoinProbe *probe)
{
    const uint32_t *heads = table->heads;
    uint64_t *numbers = probe->hashes;
    uint32_t hits = 0;
    for (uint32_t i = 0; i < probe->row_count; i++) {
        uint32_t head = heads[probe->positions[i]];
        numbers[hits] = head - 1;
        probe->hits[hits] = (uint16_t)i;
        hits += head != 0;
    }
    for (uint32_t h = 0; h < hits; h++) {
        probe->found[probe->hits[h]] = row_store_row(&table->rows, numbers[h]);
    }
    return hits;
}

uint32_t join_table_lookup(const JoinTable *table, const JoinProbe *probe)
{
    switch (table->index) {
    case JOIN_INDEX_BITMAP:
        find_positions(table, probe);
        return lookup_bits(table, probe);
    case JOIN_INDEX_DENSE:
        find_positions(table, probe);
        return lookup_heads(table, probe);
    case JOIN_INDEX_HASH:
        return join_hash_lookup(table, probe);
    case JOIN_INDEX_NONE:
        break;
    }
    return 0;
}
