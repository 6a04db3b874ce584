/*
 * aggregate_values.c — aggregates that look at values one by one: sums of floats, minima, maxima
 * and first values of wide decimals, floats, texts and intervals.
 */
#include <string.h>

#include "compute/kernels/lanes.h"
#include "compute/operators/hash_aggregate/aggregate_state.h"

/* One value of any class. */
typedef union AnyValue {
    int64_t i64;
    Int128 i128;
    double f64;
    TextView text;
    Interval interval;
} AnyValue;

static void read_values(const AggregateSpec *spec, const Vector *argument,
                        const AggregateRows *rows, AnyValue *out)
{
    union {
        int64_t i64[VECTOR_ROWS];
        double f64[VECTOR_ROWS];
    } narrow;
    switch (spec->class) {
    case VALUE_CLASS_INT64:
        lanes_read_int64(argument, rows->rows, rows->count, narrow.i64);
        for (uint32_t i = 0; i < rows->count; i++) {
            out[i].i64 = narrow.i64[i];
        }
        break;
    case VALUE_CLASS_DOUBLE:
        lanes_read_double(argument, rows->rows, rows->count, narrow.f64);
        for (uint32_t i = 0; i < rows->count; i++) {
            out[i].f64 = narrow.f64[i];
        }
        break;
    case VALUE_CLASS_TEXT:
        lanes_read_text(argument, rows->rows, rows->count, &out[0].text);
        break;
    default: // the 16 bytes of wide decimals and intervals
        lanes_read_int128(argument, rows->rows, rows->count, &out[0].i128);
        break;
    }
}

static Value as_value(const AggregateSpec *spec, const AnyValue *any)
{
    Value value = {.type = spec->argument_type};
    switch (spec->class) {
    case VALUE_CLASS_INT64:
        value.i64 = any->i64;
        break;
    case VALUE_CLASS_DOUBLE:
        value.f64 = any->f64;
        break;
    case VALUE_CLASS_TEXT:
        value.text = any->text;
        break;
    default:
        value.i128 = any->i128;
        break;
    }
    return value;
}

static AnyValue from_value(const AggregateSpec *spec, const Value *value)
{
    switch (spec->class) {
    case VALUE_CLASS_INT64:
        return (AnyValue){.i64 = value->i64};
    case VALUE_CLASS_DOUBLE:
        return (AnyValue){.f64 = value->f64};
    case VALUE_CLASS_TEXT:
        return (AnyValue){.text = value->text};
    default: // intervals have no summary
        return (AnyValue){.i128 = value->i128};
    }
}

static bool is_before(const AggregateSpec *spec, const AnyValue *left, const AnyValue *right)
{
    if (spec->class == VALUE_CLASS_INT128) {
        return left->i128 < right->i128;
    }
    Value left_value = as_value(spec, left);
    Value right_value = as_value(spec, right);
    return value_compare(&left_value, &right_value) < 0;
}

static void load_value(const AggregateState *state, uint32_t group, AnyValue *out)
{
    if (aggregate_is_int64(state->spec) || state->spec->class == VALUE_CLASS_DOUBLE) {
        memcpy(out, (const uint64_t *)state->values + group, sizeof(uint64_t));
    } else {
        memcpy(out, (const Int128 *)state->values + group, sizeof(Int128));
    }
}

static Status store_value(AggregateState *state, uint32_t group, const AnyValue *value)
{
    AnyValue owned = *value;
    if (state->spec->class == VALUE_CLASS_TEXT && !text_heap_own(&state->text, &owned.text)) {
        return memory_refused(state->budget, owned.text.length, "aggregates");
    }
    if (aggregate_is_int64(state->spec) || state->spec->class == VALUE_CLASS_DOUBLE) {
        memcpy((uint64_t *)state->values + group, &owned, sizeof(uint64_t));
    } else {
        memcpy((Int128 *)state->values + group, &owned, sizeof(Int128));
    }
    return STATUS_OK;
}

// One more value for a group, or for SINGLE_VALUE one more row (`value` null: a NULL).
static Status add_value(AggregateState *state, uint32_t group, const AnyValue *value)
{
    const AggregateSpec *spec = state->spec;
    bool is_first = state->seen[group] == 0;
    if (spec->is_single && !is_first) {
        return status_error(SQLSTATE_CARDINALITY_VIOLATION, "%s",
                            spec->is_match
                                ? "MERGE found more than one source row for a row of its target"
                                : "more than one row returned by a subquery used as an expression");
    }
    state->seen[group] = value == NULL ? SEEN_NULL : SEEN_VALUE;
    bool is_better = is_first && value != NULL;
    if (!is_first && spec->op != AGGREGATE_OP_FIRST) {
        AnyValue former;
        load_value(state, group, &former);
        is_better = spec->op == AGGREGATE_OP_MIN ? is_before(spec, value, &former)
                                                 : is_before(spec, &former, value);
    }
    return is_better ? store_value(state, group, value) : STATUS_OK;
}

static void sum_doubles(AggregateState *state, const Vector *argument, const AggregateRows *rows)
{
    double values[VECTOR_ROWS];
    double *sums = state->values;
    lanes_read_double(argument, rows->rows, rows->count, values);
    if (rows->groups == NULL) {
        double sum = 0;
        for (uint32_t i = 0; i < rows->count; i++) {
            sum += values[i];
        }
        sums[0] += sum;
    } else {
        for (uint32_t i = 0; i < rows->count; i++) {
            sums[rows->groups[i]] += values[i];
        }
    }
    for (uint32_t i = 0; state->seen != NULL && i < rows->count; i++) {
        state->seen[rows->groups == NULL ? 0 : rows->groups[i]] = SEEN_VALUE;
    }
}

Status aggregate_update_values(AggregateState *state, const Vector *argument,
                               const AggregateRows *rows)
{
    if (state->spec->op == AGGREGATE_OP_SUM) {
        sum_doubles(state, argument, rows);
        return STATUS_OK;
    }
    AnyValue values[VECTOR_ROWS];
    uint8_t nulls[VECTOR_ROWS];
    bool has_nulls = lanes_read_nulls(argument, rows->rows, rows->count, nulls);
    read_values(state->spec, argument, rows, values);
    for (uint32_t i = 0; i < rows->count; i++) {
        bool is_null = has_nulls && nulls[i] != 0;
        TRY(add_value(state, rows->groups == NULL ? 0 : rows->groups[i],
                      is_null ? NULL : &values[i]));
    }
    return STATUS_OK;
}

Status aggregate_state_add_summary(AggregateState *state, uint64_t row_count,
                                   const ScanSummary *column)
{
    const AggregateSpec *spec = state->spec;
    const uint64_t present = column == NULL ? row_count : column->present_rows;
    if (present == 0) {
        return STATUS_OK;
    }
    if (spec->op == AGGREGATE_OP_COUNT) {
        ((int64_t *)state->values)[0] += (int64_t)present;
        state->seen[0] = SEEN_VALUE;
        return STATUS_OK;
    }
    if (spec->op == AGGREGATE_OP_SUM) {
        TRY(aggregate_state_fold(state));
        state->wide[0] += column->sum;
        state->seen[0] = SEEN_VALUE;
        return STATUS_OK;
    }
    const AnyValue value =
        from_value(spec, spec->op == AGGREGATE_OP_MIN ? &column->min : &column->max);
    return add_value(state, 0, &value);
}

static void merge_sums(AggregateState *target, const AggregateState *source,
                       const uint32_t *source_groups, const uint32_t *target_groups, uint32_t count)
{
    const int64_t *from = source->values;
    int64_t *to = target->values;
    for (uint32_t i = 0; i < count; i++) {
        if (target->wide != NULL) {
            Int128 wide = source->wide == NULL ? 0 : source->wide[source_groups[i]];
            target->wide[target_groups[i]] += wide + from[source_groups[i]];
        } else {
            to[target_groups[i]] += from[source_groups[i]];
        }
    }
}

static Status merge_int64(AggregateState *target, const AggregateState *source,
                          const uint32_t *source_groups, const uint32_t *target_groups,
                          uint32_t count)
{
    const int64_t *from = source->values;
    int64_t *to = target->values;
    switch (target->spec->op) {
    case AGGREGATE_OP_COUNT:
        for (uint32_t i = 0; i < count; i++) {
            to[target_groups[i]] += from[source_groups[i]];
        }
        return STATUS_OK;
    case AGGREGATE_OP_SUM: {
        bool is_wide = source->wide != NULL || target->wide != NULL ||
                       source->magnitude + target->magnitude >= (UInt128)1 << 62;
        if (is_wide && target->wide == NULL) {
            TRY(aggregate_state_fold(target));
        }
        target->magnitude += is_wide ? 0 : source->magnitude;
        merge_sums(target, source, source_groups, target_groups, count);
        return STATUS_OK;
    }
    case AGGREGATE_OP_MIN:
        for (uint32_t i = 0; i < count; i++) {
            int64_t value = from[source_groups[i]];
            int64_t *best = &to[target_groups[i]];
            *best = value < *best ? value : *best;
        }
        return STATUS_OK;
    default:
        for (uint32_t i = 0; i < count; i++) {
            int64_t value = from[source_groups[i]];
            int64_t *best = &to[target_groups[i]];
            *best = value > *best ? value : *best;
        }
        return STATUS_OK;
    }
}

static Status merge_values(AggregateState *target, const AggregateState *source,
                           const uint32_t *source_groups, const uint32_t *target_groups,
                           uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint8_t seen = source->seen == NULL ? SEEN_VALUE : source->seen[source_groups[i]];
        if (seen != 0) {
            AnyValue value;
            load_value(source, source_groups[i], &value);
            TRY(add_value(target, target_groups[i], seen == SEEN_NULL ? NULL : &value));
        }
    }
    return STATUS_OK;
}

Status aggregate_state_merge(AggregateState *target, const AggregateState *source,
                             const uint32_t *source_groups, const uint32_t *target_groups,
                             uint32_t count, uint32_t former_group_count)
{
    const AggregateSpec *spec = target->spec;
    if (aggregate_compares(spec)) {
        return merge_values(target, source, source_groups, target_groups, count);
    }
    if (source->seen != NULL) {
        TRY(aggregate_state_track_seen(target, former_group_count));
    }
    for (uint32_t i = 0; target->seen != NULL && i < count; i++) {
        uint8_t seen = source->seen == NULL ? SEEN_VALUE : source->seen[source_groups[i]];
        target->seen[target_groups[i]] |= seen;
    }
    if (!aggregate_is_int64(spec)) {
        const double *from = source->values;
        double *to = target->values;
        for (uint32_t i = 0; i < count; i++) {
            to[target_groups[i]] += from[source_groups[i]];
        }
        return STATUS_OK;
    }
    return merge_int64(target, source, source_groups, target_groups, count);
}
