/* scan_row_ids.c — the two columns behind the request's own: where each row is kept. Nothing is
 * computed per row: ids are a base per vector and lanes that never change. */
#include "storage/scan_internal.h"

#define LANES_8(first)                                                                             \
    (first), (first) + 1, (first) + 2, (first) + 3, (first) + 4, (first) + 5, (first) + 6,         \
        (first) + 7
#define LANES_64(first)                                                                            \
    LANES_8(first), LANES_8((first) + 8), LANES_8((first) + 16), LANES_8((first) + 24),            \
        LANES_8((first) + 32), LANES_8((first) + 40), LANES_8((first) + 48), LANES_8((first) + 56)
#define LANES_256(first)                                                                           \
    LANES_64(first), LANES_64((first) + 64), LANES_64((first) + 128), LANES_64((first) + 192)

/* 0, 1, 2, …; and 64 bytes behind the last one, as every vector promises. */
static const uint16_t row_lanes[VECTOR_ROWS + 32] = {LANES_256(0), LANES_256(256), LANES_256(512),
                                                     LANES_256(768)};

void scan_row_ids_put(TableScanLocal *local, uint32_t row_count, Vector *row_id, Vector *node)
{
    const Value number = {.type = type_of(TYPE_INTEGER),
                          .i64 = local->scan->request.store->node_id};
    const uint64_t row = (uint64_t)local->first_row + local->window_start;
    const int64_t first = (int64_t)(local->source->rows->rowset_id << FORMAT_ROW_BITS | row);
    *row_id = (Vector){.type = type_of(TYPE_BIGINT),
                       .lane = LANE_U16,
                       .form = VECTOR_FLAT,
                       .is_ascending = true,
                       .base = first,
                       .lo = first,
                       .hi = first + (int64_t)row_count - 1,
                       .data = row_lanes};
    vector_set_constant(node, &number, local->node_lane);
}
