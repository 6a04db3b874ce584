/*
 * frame.c — frames, and aggregates over them.
 *
 * Frames' ends only move forward, so a frame that starts with the partition grows by additions.
 * Exact sums and counts of any frame are differences of two running totals; minima, maxima and sums
 * of floats over moving frames come from a segment tree: n log n.
 *
 * Example, ROWS 1 PRECEDING over 3 1 4 1: frames [3] [3 1] [1 4] [4 1]; running totals 0 3 4 8 9;
 * sums 3-0, 4-0, 8-3, 9-4.
 */
#include <string.h>

#include "base/heap.h"
#include "base/types/decimal.h"
#include "compute/operators/window/window_internal.h"

void window_frame(const WindowPartition *partition, const WindowCall *call, uint32_t row,
                  uint32_t *first, uint32_t *end)
{
    int64_t count = partition->row_count;
    int64_t from = 0;
    int64_t to = count;
    switch (call->start) {
    case FRAME_PRECEDING:
        from = call->start_rows > row ? 0 : row - call->start_rows;
        break;
    case FRAME_CURRENT_ROW:
        from = call->is_rows ? row : partition->first_peer[row];
        break;
    case FRAME_FOLLOWING:
        from = call->start_rows > count ? count : row + call->start_rows;
        break;
    default:
        break;
    }
    switch (call->end) {
    case FRAME_PRECEDING:
        to = call->end_rows > row ? 0 : row - call->end_rows + 1;
        break;
    case FRAME_CURRENT_ROW:
        to = call->is_rows ? (int64_t)row + 1 : partition->peers_end[row];
        break;
    case FRAME_FOLLOWING:
        to = call->end_rows > count ? count : row + call->end_rows + 1;
        break;
    default:
        break;
    }
    from = from < count ? from : count;
    to = to < count ? to : count;
    *first = (uint32_t)from;
    *end = (uint32_t)(to < from ? from : to);
}

/* What an aggregate works on. */
typedef struct FrameInput {
    const WindowPartition *partition;
    const WindowColumn *column;
    Type type;
    bool is_exact;            /* integers and decimals: sums in 128 bits */
} FrameInput;

// The argument of a row; wide decimals as they are, other exact numbers widened when summed.
static WindowValue read_argument(const FrameInput *input, uint32_t row, bool *is_null)
{
    *is_null = false;
    if (input->column->field == WINDOW_NO_FIELD) {
        return (WindowValue){0}; // COUNT(*)
    }
    const uint8_t *packed = input->partition->rows[row];
    WindowValue value =
        window_read(input->partition->window, packed, input->column->field, is_null);
    if (input->column->op == WINDOW_OP_SUM && type_is_scaled_integer(input->type)) {
        value.i128 = value.i64;
    }
    return value;
}

static int compare_values(const FrameInput *input, const WindowValue *left,
                          const WindowValue *right)
{
    Value left_value = {.type = input->type, .i128 = left->i128};
    Value right_value = {.type = input->type, .i128 = right->i128};
    return value_compare(&left_value, &right_value);
}

// left becomes the combination of both.
static void combine(const FrameInput *input, WindowValue *left, const WindowValue *right)
{
    switch (input->column->op) {
    case WINDOW_OP_COUNT:
        left->i64 += right->i64;
        break;
    case WINDOW_OP_SUM:
        if (input->is_exact) {
            left->i128 += right->i128;
        } else {
            left->f64 += right->f64;
        }
        break;
    case WINDOW_OP_MIN:
        *left = compare_values(input, right, left) < 0 ? *right : *left;
        break;
    case WINDOW_OP_MAX:
        *left = compare_values(input, right, left) > 0 ? *right : *left;
        break;
    }
}

static Status set_result(const FrameInput *input, WindowResult *result, uint32_t row,
                         const WindowValue *value, uint64_t present)
{
    const WindowColumn *column = input->column;
    if (column->op == WINDOW_OP_COUNT) {
        result->values[row].i64 = (int64_t)present;
        result->nulls[row] = 0;
        return STATUS_OK;
    }
    result->nulls[row] = present == 0;
    result->values[row] = *value;
    if (present == 0 || column->op != WINDOW_OP_SUM || !input->is_exact) {
        return STATUS_OK;
    }
    Type type = column->type;
    bool is_decimal = type.id == TYPE_DECIMAL;
    Int128 max = is_decimal ? decimal_power_of_ten(type.precision) - 1 : type_int64_max(type);
    Int128 min = is_decimal ? -max : type_int64_min(type);
    if (value->i128 > max || value->i128 < min) {
        char text[TYPE_TEXT_BYTES];
        return status_error(SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE, "sum is out of range for type %s",
                            type_print(type, text));
    }
    if (type_is_scaled_integer(type)) {
        result->values[row].i64 = (int64_t)value->i128;
    }
    return STATUS_OK;
}

// Frames that all start with the partition: one pass.
static Status aggregate_growing(const FrameInput *input, WindowResult *result)
{
    const WindowPartition *partition = input->partition;
    WindowValue value = {0};
    uint64_t present = 0;
    uint32_t done = 0;
    for (uint32_t i = 0; i < partition->row_count; i++) {
        uint32_t first;
        uint32_t end;
        window_frame(partition, input->column->call, i, &first, &end);
        for (; done < end; done++) {
            bool is_null;
            WindowValue added = read_argument(input, done, &is_null);
            if (is_null) {
                continue;
            }
            if (present++ == 0) {
                value = added;
            } else {
                combine(input, &value, &added);
            }
        }
        TRY(set_result(input, result, i, &value, present));
    }
    return STATUS_OK;
}

// Exact sums and counts over moving frames, by running totals.
static Status aggregate_differences(const FrameInput *input, WindowResult *result)
{
    const WindowPartition *partition = input->partition;
    uint32_t count = partition->row_count;
    Int128 *totals = heap_alloc(((size_t)count + 1) * (sizeof(Int128) + sizeof(uint32_t)));
    if (totals == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a window");
    }
    uint32_t *present = (uint32_t *)(totals + count + 1);
    totals[0] = 0;
    present[0] = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool is_null;
        WindowValue value = read_argument(input, i, &is_null);
        totals[i + 1] = totals[i] + (is_null ? 0 : value.i128);
        present[i + 1] = present[i] + !is_null;
    }
    Status status = STATUS_OK;
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
        uint32_t first;
        uint32_t end;
        window_frame(partition, input->column->call, i, &first, &end);
        WindowValue value = {.i128 = totals[end] - totals[first]};
        status = set_result(input, result, i, &value, present[end] - present[first]);
    }
    heap_free(totals);
    return status;
}

typedef struct TreeNode {
    WindowValue value;
    uint32_t present;
} TreeNode;

static void combine_nodes(const FrameInput *input, TreeNode *left, const TreeNode *right)
{
    if (right->present == 0) {
        return;
    }
    if (left->present == 0) {
        *left = *right;
        return;
    }
    combine(input, &left->value, &right->value);
    left->present += right->present;
}

// Leaves at [size, size + count), parents at half the index.
static Status aggregate_tree(const FrameInput *input, WindowResult *result)
{
    const WindowPartition *partition = input->partition;
    uint32_t count = partition->row_count;
    size_t size = 1;
    while (size < count) {
        size *= 2;
    }
    TreeNode *tree = heap_alloc_zeroed(2 * size * sizeof *tree);
    if (tree == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a window");
    }
    for (uint32_t i = 0; i < count; i++) {
        bool is_null;
        tree[size + i].value = read_argument(input, i, &is_null);
        tree[size + i].present = !is_null;
    }
    for (size_t n = size - 1; n > 0; n--) {
        tree[n] = tree[2 * n];
        combine_nodes(input, &tree[n], &tree[2 * n + 1]);
    }
    Status status = STATUS_OK;
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
        uint32_t first;
        uint32_t end;
        window_frame(partition, input->column->call, i, &first, &end);
        TreeNode total = {0};
        for (size_t low = first + size, high = end + size; low < high; low /= 2, high /= 2) {
            if (low & 1) {
                combine_nodes(input, &total, &tree[low++]);
            }
            if (high & 1) {
                combine_nodes(input, &total, &tree[--high]);
            }
        }
        status = set_result(input, result, i, &total.value, total.present);
    }
    heap_free(tree);
    return status;
}

Status window_aggregate(WindowPartition *partition, uint32_t index)
{
    const WindowColumn *column = &partition->window->columns[index];
    WindowResult *result = &partition->results[index];
    FrameInput input = {.partition = partition, .column = column};
    if (column->field != WINDOW_NO_FIELD) {
        input.type = partition->window->field_types[column->field];
        input.is_exact = type_is_numeric(input.type) && !type_is_float(input.type);
    }
    if (column->call->start == FRAME_UNBOUNDED_PRECEDING) {
        return aggregate_growing(&input, result);
    }
    bool is_difference = column->op == WINDOW_OP_COUNT ||
                         (column->op == WINDOW_OP_SUM && input.is_exact);
    return is_difference ? aggregate_differences(&input, result) : aggregate_tree(&input, result);
}
