/* rowset_lease.c — see rowset_lease.h. */
#include "storage/rowset_lease.h"

#include <string.h>
#include "base/heap.h"
#include "storage/format.h"

#define MARK_STEP 1024u /* ids lost at most when the process stops */
#define ROWSET_ID_MAX ((UINT64_C(1) << FORMAT_ROWSET_ID_BITS) - 1)

static Status add_range(RowsetLease *lease, const LeaseRange *range)
{
    if (lease->range_count == lease->range_capacity) {
        const uint32_t capacity = lease->range_capacity == 0 ? 4 : 2 * lease->range_capacity;
        LeaseRange *larger = heap_realloc(lease->ranges, capacity * sizeof *larger);
        if (larger == NULL) {
            return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for rowset ids");
        }
        lease->ranges = larger;
        lease->range_capacity = capacity;
    }
    if (lease->range_count == 0) {
        lease->marked_id = range->next_id;
    }
    lease->ranges[lease->range_count++] = *range;
    return STATUS_OK;
}

Status rowset_lease_open(RowsetLease *lease, ManifestStore *store)
{
    LeaseRange *ranges = NULL;
    uint32_t count = 0;
    *lease = (RowsetLease){.store = store};
    mutex_init(&lease->mutex, MUTEX_RANK_TABLE);
    Arena *arena = arena_create(NULL, "lease_arena");
    Status status = manifest_store_load_leases(store, arena, &ranges, &count);
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
        if (ranges[i].next_id < ranges[i].end_id) {
            status = add_range(lease, &ranges[i]);
        }
    }
    arena_destroy(arena);
    if (status != STATUS_OK) {
        rowset_lease_close(lease);
    }
    return status;
}

void rowset_lease_close(RowsetLease *lease)
{
    if (lease->store != NULL) {
        mutex_deinit(&lease->mutex);
        heap_free(lease->ranges);
        *lease = (RowsetLease){0};
    }
}

Status rowset_lease_add(RowsetLease *lease, uint64_t first_id, uint64_t id_count)
{
    const LeaseRange range = {
        .first_id = first_id, .next_id = first_id, .end_id = first_id + id_count};
    if (first_id == 0 || id_count == 0 || range.end_id <= first_id ||
        range.end_id - 1 > ROWSET_ID_MAX) {
        return status_error(SQLSTATE_INVALID_PARAMETER_VALUE, "impossible range of rowset ids");
    }
    mutex_lock(&lease->mutex);
    Status status = STATUS_OK;
    bool is_known = false;
    for (uint32_t i = 0; i < lease->range_count; i++) {
        is_known |= lease->ranges[i].first_id == first_id; // a repeated message
    }
    if (!is_known) {
        status = manifest_store_set_lease(lease->store, &range);
        if (status == STATUS_OK) {
            status = add_range(lease, &range);
        }
    }
    mutex_unlock(&lease->mutex);
    return status;
}

/* Marks the next ids of the first range as used. */
static Status mark_ids(RowsetLease *lease)
{
    LeaseRange range = lease->ranges[0];
    const uint64_t left = range.end_id - range.next_id;
    range.next_id += left < MARK_STEP ? left : MARK_STEP;
    TRY(manifest_store_set_lease(lease->store, &range));
    lease->marked_id = range.next_id;
    return STATUS_OK;
}

Status rowset_lease_take(RowsetLease *lease, uint64_t *rowset_id)
{
    mutex_lock(&lease->mutex);
    Status status = STATUS_OK;
    if (lease->range_count == 0) {
        status = status_error(SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                              "no rowset ids are leased to this node");
    } else if (lease->ranges[0].next_id == lease->marked_id) {
        status = mark_ids(lease);
    }
    if (status == STATUS_OK) {
        LeaseRange *first = &lease->ranges[0];
        *rowset_id = first->next_id++;
        if (first->next_id == first->end_id) {
            lease->range_count--;
            memmove(lease->ranges, lease->ranges + 1, lease->range_count * sizeof *first);
            lease->marked_id = lease->range_count > 0 ? lease->ranges[0].next_id : 0;
        }
    }
    mutex_unlock(&lease->mutex);
    return status;
}

uint64_t rowset_lease_left(RowsetLease *lease)
{
    uint64_t left = 0;
    mutex_lock(&lease->mutex);
    for (uint32_t i = 0; i < lease->range_count; i++) {
        left += lease->ranges[i].end_id - lease->ranges[i].next_id;
    }
    mutex_unlock(&lease->mutex);
    return left;
}
