/*
 * delete_history.h — the delete masks of one rowset by commit position: each holds every row
 * deleted at or before its position.
 *
 * Counted and immutable, as the manifest versions that point to it.
 */
#pragma once
#include "storage/delete_mask.h"

typedef struct DeleteVersion {
    uint64_t position;
    DeleteMask *mask;
    uint32_t blob_count; /* deltas in the database at this position and after the version before */
} DeleteVersion;

typedef struct DeleteHistory {
    _Atomic uint32_t reference_count;
    uint32_t version_count;   /* at least one */
    DeleteVersion versions[]; /* ascending positions */
} DeleteHistory;

DeleteHistory *delete_history_pin(DeleteHistory *history); /* null is allowed */
void delete_history_unpin(DeleteHistory *history);         /* null is allowed */
/* What a snapshot at `position` sees deleted; null: nothing. Borrowed from the history. */
DeleteMask *delete_history_at(const DeleteHistory *history, uint64_t position);
static inline const DeleteVersion *delete_history_newest(const DeleteHistory *history)
{
    return history == NULL ? NULL : &history->versions[history->version_count - 1];
}
/* A history with the rows of `delta` deleted from `position` on, in any order of positions;
 * `history` may be null. 53200. */
Status delete_history_with(const DeleteHistory *history, uint64_t position, DeleteMask *delta,
                           MemoryBudget *budget, DeleteHistory **out) CHECKED;
/* Versions that no reader at or after `horizon` needs. */
uint32_t delete_history_superseded(const DeleteHistory *history, uint64_t horizon);
/* A copy without the first `superseded` versions; null when memory is refused. */
DeleteHistory *delete_history_since(const DeleteHistory *history, uint32_t superseded);
