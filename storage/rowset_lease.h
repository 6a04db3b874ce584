/*
 * rowset_lease.h — ids for new rowsets, out of the ranges the leader leased to this node.
 *
 * Invariant: an id is handed out at most once in the node's life, over restarts too: ids are marked
 * as used in the database in steps before the first of a step is handed out.
 */
#pragma once
#include "base/mutex.h"
#include "storage/manifest_store.h"

typedef struct RowsetLease {
    ManifestStore *store;
    Mutex mutex; /* guards the ranges; held over the database's write, which must come first */
    LeaseRange *ranges; /* next_id: the next to hand out */
    uint64_t marked_id; /* of the first range: ids below are marked as used */
    uint32_t range_count, range_capacity;
} RowsetLease;

Status rowset_lease_open(RowsetLease *lease, ManifestStore *store) CHECKED;
void rowset_lease_close(RowsetLease *lease);
Status rowset_lease_add(RowsetLease *lease, uint64_t first_id, uint64_t id_count) CHECKED;
/* 55000 when none is left. */
Status rowset_lease_take(RowsetLease *lease, uint64_t *rowset_id) CHECKED;
uint64_t rowset_lease_left(RowsetLease *lease);
