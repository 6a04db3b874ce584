/* store_internal.h — what a Store is made of; for the files of this folder only. */
#pragma once
#include "base/mutex.h"
#include "storage/lookup_counts.h"
#include "storage/manifest.h"
#include "storage/rowset_lease.h"
#include "storage/store.h"

#define STORE_SLICES_MAX 4096u

struct Store {
    Host *host;
    FileSystem *system;
    MemoryBudget *budget;
    uint32_t node_id;
    uint64_t cluster; /* folded id */
    uint64_t disk_reserve_bytes;
    char *directory;
    ManifestStore *manifest_store;
    BlockCache *cache;
    Manifest *manifest;
    RowsetLease lease;
    LookupCounts lookups;
    Mutex mutex; /* guards the slices */
    uint64_t map_epoch;
    uint32_t slice_count;
    SliceRange slices[STORE_SLICES_MAX];
};

/* 53100 when the disk has no room for rows. */
Status store_check_room(const Store *store) CHECKED;
/* A copy of the slices in `arena`; 55000 when there are none yet. */
Status store_slices(Store *store, Arena *arena, SliceRange **slices, uint32_t *count) CHECKED;
