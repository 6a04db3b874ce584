/* values.c — constants are evaluated once, into columns of the query's arena, and given in slices.
 */
#include "compute/operators/values.h"

#include <string.h>

#include "compute/expression/expr_eval.h"

typedef struct ValuesColumn {
    Lane lane;
    uint8_t *lanes;
    bool *is_present; /* null: no nulls */
    int64_t lo, hi;
} ValuesColumn;

typedef struct Values {
    Source source;
    const PlanValues *plan;
    uint32_t batch_rows;
    ValuesColumn *columns;
    uint32_t next_row; /* one worker only */
} Values;

typedef struct ValuesLocal {
    uint64_t *validity; /* VALIDITY_WORDS per column */
} ValuesLocal;

enum { READABLE_BYTES = 64 }; /* after the last lane */

static const SourceOps values_ops;

Status values_create(QueryContext *query, const PlanValues *plan, Source **out)
{
    Values *values = ARENA_NEW(query->arena, Values);
    source_init(&values->source, &values_ops, &plan->node);
    values->plan = plan;
    values->batch_rows = query->batch_rows;
    *out = &values->source;
    return STATUS_OK;
}

static void store_value(ValuesColumn *column, uint32_t row, const Value *value)
{
    uint8_t *lane = column->lanes + row * lane_bytes(column->lane);
    switch (column->lane) {
    case LANE_U8:
        *lane = (uint8_t)value->i64;
        break;
    case LANE_I64:
        memcpy(lane, &value->i64, sizeof value->i64);
        break;
    case LANE_F32: {
        float narrow = (float)value->f64;
        memcpy(lane, &narrow, sizeof narrow);
        break;
    }
    case LANE_F64:
        memcpy(lane, &value->f64, sizeof value->f64);
        break;
    default: // the 16 bytes of I128, an interval or a text view
        memcpy(lane, &value->i128, sizeof value->i128);
        break;
    }
    if (type_is_scaled_integer(value->type)) {
        column->lo = value->i64 < column->lo ? value->i64 : column->lo;
        column->hi = value->i64 > column->hi ? value->i64 : column->hi;
    }
}

static Status values_open(Source *self, QueryContext *query)
{
    Values *values = (Values *)self;
    const PlanValues *plan = values->plan;
    uint32_t column_count = plan->node.output_count;
    values->columns = ARENA_ARRAY(query->arena, ValuesColumn, column_count);
    for (uint32_t c = 0; c < column_count; c++) {
        ValuesColumn *column = &values->columns[c];
        column->lane = type_widest_lane(plan->node.output_types[c]);
        size_t bytes = (size_t)plan->row_count * lane_bytes(column->lane) + READABLE_BYTES;
        column->lanes = arena_alloc_aligned(query->arena, bytes, 64);
        column->lo = INT64_MAX;
        column->hi = INT64_MIN;
        for (uint32_t row = 0; row < plan->row_count; row++) {
            Value value;
            TRY(expr_evaluate_constant(plan->cells[(size_t)row * column_count + c], query->arena,
                                       &value));
            if (value.is_null && column->is_present == NULL) {
                column->is_present = ARENA_ARRAY(query->arena, bool, plan->row_count);
                memset(column->is_present, true, plan->row_count);
            }
            if (value.is_null) {
                column->is_present[row] = false;
            } else {
                store_value(column, row, &value);
            }
        }
        if (column->lo > column->hi) {
            column->lo = column->hi = 0; // nulls only
        }
    }
    return STATUS_OK;
}

static Status values_local_open(Source *self, void *local, Arena *worker_arena)
{
    ValuesLocal *state = local;
    state->validity =
        ARENA_ARRAY(worker_arena, uint64_t, (size_t)self->output_count * VALIDITY_WORDS);
    return STATUS_OK;
}

static Status values_produce(Source *self, void *local, Batch *out, Flow *flow)
{
    Values *values = (Values *)self;
    ValuesLocal *state = local;
    uint32_t first = values->next_row;
    uint32_t left = values->plan->row_count - first;
    uint32_t count = left < values->batch_rows ? left : values->batch_rows;
    values->next_row += count;

    for (uint32_t c = 0; c < self->output_count; c++) {
        const ValuesColumn *column = &values->columns[c];
        uint64_t *validity = NULL;
        if (column->is_present != NULL) {
            validity = state->validity + (size_t)c * VALIDITY_WORDS;
            memset(validity, 0, VALIDITY_WORDS * sizeof *validity);
            for (uint32_t i = 0; i < count; i++) {
                validity[i >> 6] |= (uint64_t)column->is_present[first + i] << (i & 63);
            }
        }
        out->columns[c] = (Vector){
            .type = self->output_types[c],
            .lane = (uint8_t)column->lane,
            .form = VECTOR_FLAT,
            .has_trailing_blanks = column->lane == LANE_TEXT,
            .lo = column->lo,
            .hi = column->hi,
            .validity = validity,
            .data = column->lanes + first * lane_bytes(column->lane),
        };
    }
    out->column_count = self->output_count;
    out->row_count = out->selected_count = count;
    out->selection = NULL;
    *flow = values->next_row == values->plan->row_count ? FLOW_DONE : FLOW_MORE;
    return STATUS_OK;
}

static uint32_t values_parallelism(Source *self)
{
    (void)self;
    return 1;
}

static const SourceOps values_ops = {
    .name = "Values",
    .local_bytes = sizeof(ValuesLocal),
    .open = values_open,
    .local_open = values_local_open,
    .produce = values_produce,
    .parallelism = values_parallelism,
};
