/*
 * table_merge.h — one merge of a table's rowsets, on all nodes at once, as a transaction of its
 * own.
 */
#pragma once
#include "leader/leader_internal.h"

typedef struct TableMerge {
    Leader *leader;
    const SettingSet *settings; /* travel to the nodes */
    uint64_t table_id;
    VacuumMode mode;
    uint32_t percent;
    /* Asked every few milliseconds, with the query that runs (or null): an error ends the merge. */
    Status (*check)(void *object, DistributedQuery *query);
    void *object;
} TableMerge;

/* `*rows`: read and written anew; 0 when there was nothing to do, or the table is gone. 40001 when
 * the merge yielded to somebody who changes the same rowsets: it may be tried again. */
Status table_merge_run(const TableMerge *merge, uint64_t *rows) CHECKED;
