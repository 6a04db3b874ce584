/* lookup_counts.c — sets of LOOKUP_WAYS places; the least used one gives way. */
#include "storage/lookup_counts.h"

#include "base/hash.h"

void lookup_counts_init(LookupCounts *counts)
{
    *counts = (LookupCounts){0};
    mutex_init(&counts->mutex, MUTEX_RANK_TABLE);
}

void lookup_counts_deinit(LookupCounts *counts)
{
    mutex_deinit(&counts->mutex);
}

static LookupCount *set_of(LookupCounts *counts, uint64_t table_id, uint32_t column_id)
{
    return counts->counts[hash_mix(hash_mix(table_id) + column_id) % LOOKUP_SETS];
}

static bool is_of(const LookupCount *count, uint64_t table_id, uint32_t column_id)
{
    return count->scans > 0 && count->table_id == table_id && count->column_id == column_id;
}

void lookup_counts_add(LookupCounts *counts, uint64_t table_id, uint32_t column_id)
{
    LookupCount *set = set_of(counts, table_id, column_id), *place = set;
    mutex_lock(&counts->mutex);
    for (uint32_t i = 0; i < LOOKUP_WAYS && !is_of(place, table_id, column_id); i++) {
        const bool is_better = is_of(&set[i], table_id, column_id) || set[i].scans < place->scans;
        place = is_better ? &set[i] : place;
    }
    if (!is_of(place, table_id, column_id)) {
        *place = (LookupCount){.table_id = table_id, .column_id = column_id};
    }
    place->scans += place->scans < UINT32_MAX;
    mutex_unlock(&counts->mutex);
}

bool lookup_counts_want(LookupCounts *counts, const PlanTable *table, uint32_t column)
{
    const uint32_t column_id = table->columns[column].column_id;
    const LookupCount *set = set_of(counts, table->table_id, column_id);
    const bool is_first_key = table->sort_key_count > 0 && table->sort_keys[0] == column;
    uint32_t scans = 0;
    if (is_first_key && !table->is_interleaved) {
        return false;
    }
    mutex_lock(&counts->mutex);
    for (uint32_t i = 0; i < LOOKUP_WAYS; i++) {
        scans = is_of(&set[i], table->table_id, column_id) ? set[i].scans : scans;
    }
    mutex_unlock(&counts->mutex);
    return scans >= LOOKUPS_MIN;
}
