/* delete_history.c — see delete_history.h. */
#include "storage/delete_history.h"

#include <stdatomic.h>
#include "base/heap.h"

static DeleteHistory *history_create(uint32_t capacity)
{
    DeleteHistory *history =
        heap_alloc_zeroed(sizeof *history + capacity * sizeof *history->versions);
    if (history != NULL) {
        atomic_init(&history->reference_count, 1);
    }
    return history;
}

DeleteHistory *delete_history_pin(DeleteHistory *history)
{
    if (history != NULL) {
        atomic_fetch_add_explicit(&history->reference_count, 1, memory_order_relaxed);
    }
    return history;
}

void delete_history_unpin(DeleteHistory *history)
{
    if (history == NULL ||
        atomic_fetch_sub_explicit(&history->reference_count, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (uint32_t i = 0; i < history->version_count; i++) {
        delete_mask_unpin(history->versions[i].mask);
    }
    heap_free(history);
}

DeleteMask *delete_history_at(const DeleteHistory *history, uint64_t position)
{
    uint32_t i = history == NULL ? 0 : history->version_count;
    while (i > 0 && history->versions[i - 1].position > position) {
        i--;
    }
    return i == 0 ? NULL : history->versions[i - 1].mask;
}

/* Appends the union of `mask`, which may be null, and `delta`. */
static Status add_union(DeleteHistory *history, uint64_t position, DeleteMask *mask,
                        DeleteMask *delta, MemoryBudget *budget)
{
    DeleteVersion *version = &history->versions[history->version_count];
    TRY(delete_mask_union(mask, delta, budget, &version->mask));
    version->position = position;
    history->version_count++;
    return STATUS_OK;
}

/* Outcomes come in the order of positions but for the rare case: a version after `position` has the
 * delta's rows too. */
Status delete_history_with(const DeleteHistory *history, uint64_t position, DeleteMask *delta,
                           MemoryBudget *budget, DeleteHistory **out)
{
    const uint32_t count = history == NULL ? 0 : history->version_count;
    DeleteHistory *next = history_create(count + 1);
    Status status = STATUS_OK;
    uint32_t i = 0;
    if (next == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for deleted rows");
    }
    for (; i < count && history->versions[i].position < position; i++) {
        next->versions[next->version_count] = history->versions[i];
        delete_mask_pin(next->versions[next->version_count++].mask);
    }
    if (i == count || history->versions[i].position > position) {
        status =
            add_union(next, position, i == 0 ? NULL : history->versions[i - 1].mask, delta, budget);
        next->versions[i].blob_count = 1;
    }
    for (; i < count && status == STATUS_OK; i++) {
        const DeleteVersion *version = &history->versions[i];
        const uint32_t blobs = version->blob_count + (version->position == position);
        next->versions[next->version_count].blob_count = blobs;
        status = add_union(next, version->position, version->mask, delta, budget);
    }
    if (status != STATUS_OK) {
        delete_history_unpin(next);
        return status;
    }
    *out = next;
    return STATUS_OK;
}

uint32_t delete_history_superseded(const DeleteHistory *history, uint64_t horizon)
{
    uint32_t superseded = 0;
    while (history != NULL && superseded + 1 < history->version_count &&
           history->versions[superseded + 1].position <= horizon) {
        superseded++;
    }
    return superseded;
}

DeleteHistory *delete_history_since(const DeleteHistory *history, uint32_t superseded)
{
    DeleteHistory *next = history_create(history->version_count - superseded);
    if (next == NULL) {
        return NULL;
    }
    for (uint32_t i = superseded; i < history->version_count; i++) {
        next->versions[next->version_count] = history->versions[i];
        delete_mask_pin(next->versions[next->version_count++].mask);
    }
    for (uint32_t i = 0; i < superseded; i++) {
        next->versions[0].blob_count += history->versions[i].blob_count;
    }
    return next;
}
