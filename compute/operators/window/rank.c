/*
 * rank.c — numbers of rows, ranks, and values of other rows.
 *
 * IGNORE NULLS works on the list of rows whose argument is present: the k-th before or after a row
 * is found by its place in that list.
 */
#include <string.h>

#include "base/heap.h"
#include "compute/operators/window/window_internal.h"

static uint64_t bucket_of_row(uint64_t row, uint64_t row_count, uint64_t buckets)
{
    uint64_t small = row_count / buckets; // the first `large` buckets have one row more
    uint64_t large = row_count % buckets;
    if (row < large * (small + 1)) {
        return row / (small + 1) + 1;
    }
    return small == 0 ? row + 1 : large + (row - large * (small + 1)) / small + 1;
}

static Status rank_tiles(WindowPartition *partition, const WindowColumn *column,
                         WindowResult *result)
{
    bool is_null;
    WindowValue buckets =
        window_read(partition->window, partition->rows[0], column->number_field, &is_null);
    if (!is_null && buckets.i64 <= 0) {
        return status_error(SQLSTATE_INVALID_PARAMETER_VALUE,
                            "argument of ntile must be greater than zero");
    }
    for (uint32_t i = 0; i < partition->row_count; i++) {
        result->nulls[i] = is_null;
        result->values[i].i64 =
            is_null ? 0
                    : (int64_t)bucket_of_row(i, partition->row_count, (uint64_t)buckets.i64);
    }
    return STATUS_OK;
}

Status window_rank(WindowPartition *partition, uint32_t index)
{
    const WindowColumn *column = &partition->window->columns[index];
    WindowResult *result = &partition->results[index];
    uint32_t count = partition->row_count;
    int64_t dense = 0;
    memset(result->nulls, 0, count);
    if (column->call->id == WINDOW_NTILE) {
        return rank_tiles(partition, column, result);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t first_peer = partition->first_peer[i];
        dense += first_peer == i;
        WindowValue *value = &result->values[i];
        switch (column->call->id) {
        case WINDOW_ROW_NUMBER:
            value->i64 = (int64_t)i + 1;
            break;
        case WINDOW_RANK:
            value->i64 = (int64_t)first_peer + 1;
            break;
        case WINDOW_DENSE_RANK:
            value->i64 = dense;
            break;
        case WINDOW_PERCENT_RANK:
            value->f64 = count > 1 ? (double)first_peer / (double)(count - 1) : 0;
            break;
        default: // WINDOW_CUME_DIST
            value->f64 = (double)partition->peers_end[i] / (double)count;
            break;
        }
    }
    return STATUS_OK;
}

/* Rows whose argument is present. */
typedef struct PresentRows {
    uint32_t *rows;  /* their numbers, ascending */
    uint32_t *before; /* per row, and one more: how many come before it */
    uint32_t count;
} PresentRows;

static Status list_present(const WindowPartition *partition, const WindowColumn *column,
                           PresentRows *present)
{
    uint32_t count = partition->row_count;
    present->rows = heap_alloc((2 * (size_t)count + 1) * sizeof *present->rows);
    if (present->rows == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a window");
    }
    present->before = present->rows + count;
    present->count = 0;
    const RowLayout *layout = &partition->window->shape.layout;
    for (uint32_t i = 0; i < count; i++) {
        present->before[i] = present->count;
        if (!row_is_null(layout, partition->rows[i], column->field)) {
            present->rows[present->count++] = i;
        }
    }
    present->before[count] = present->count;
    return STATUS_OK;
}

// The row `distance` behind row `row` (before it when negative), or -1.
static int64_t find_neighbour(const WindowPartition *partition, const PresentRows *present,
                              uint32_t row, int64_t distance)
{
    int64_t count = partition->row_count;
    if (distance <= -count || distance >= count) {
        return -1;
    }
    if (present->rows == NULL) {
        int64_t target = row + distance;
        return target < 0 || target >= count ? -1 : target;
    }
    int64_t place;
    if (distance == 0) {
        return row;
    }
    if (distance < 0) {
        place = (int64_t)present->before[row] + distance;
    } else {
        place = (int64_t)present->before[row + 1] + distance - 1;
    }
    return place < 0 || place >= present->count ? -1 : (int64_t)present->rows[place];
}

// The n-th row of a frame (from 1), or the last for 0; -1 when there is none.
static int64_t find_in_frame(const PresentRows *present, uint32_t first, uint32_t end, int64_t n)
{
    if (first >= end) {
        return -1;
    }
    if (present->rows == NULL) {
        int64_t target = n == 0 ? (int64_t)end - 1 : (int64_t)first + n - 1;
        return n > (int64_t)(end - first) ? -1 : target;
    }
    int64_t first_place = present->before[first];
    int64_t end_place = present->before[end];
    int64_t place = n == 0 ? end_place - 1 : first_place + n - 1;
    bool is_outside = n > end_place - first_place || place < first_place;
    return is_outside ? -1 : (int64_t)present->rows[place];
}

// Which row's value row `row` gets, or -1.
static Status find_reference(const WindowPartition *partition, const WindowColumn *column,
                             const PresentRows *present, uint32_t row, int64_t *target)
{
    const WindowCall *call = column->call;
    int64_t number = 1;
    *target = -1;
    if (column->number_field != WINDOW_NO_FIELD) {
        bool is_null;
        number = window_read(partition->window, partition->rows[row], column->number_field,
                             &is_null)
                     .i64;
        if (is_null) {
            return STATUS_OK;
        }
    }
    if (call->id == WINDOW_LAG || call->id == WINDOW_LEAD) {
        bool is_lag = call->id == WINDOW_LAG;
        bool is_huge = number > UINT32_MAX || number < -(int64_t)UINT32_MAX;
        *target = is_huge ? -1
                          : find_neighbour(partition, present, row, is_lag ? -number : number);
        return STATUS_OK;
    }
    if (call->id == WINDOW_NTH_VALUE && number <= 0) {
        return status_error(SQLSTATE_INVALID_PARAMETER_VALUE,
                            "argument of nth_value must be greater than zero");
    }
    uint32_t first;
    uint32_t end;
    window_frame(partition, call, row, &first, &end);
    *target = find_in_frame(present, first, end, call->id == WINDOW_LAST_VALUE ? 0 : number);
    return STATUS_OK;
}

Status window_reference(WindowPartition *partition, uint32_t index)
{
    const WindowColumn *column = &partition->window->columns[index];
    WindowResult *result = &partition->results[index];
    PresentRows present = {0};
    if (column->call->is_ignore_nulls) {
        TRY(list_present(partition, column, &present));
    }
    Status status = STATUS_OK;
    for (uint32_t i = 0; i < partition->row_count && status == STATUS_OK; i++) {
        int64_t target = -1;
        status = find_reference(partition, column, &present, i, &target);
        result->rows[i] = target < 0 ? NULL : partition->rows[target];
    }
    heap_free(present.rows);
    return status;
}
