/* aggregate_state.c — what each aggregate keeps, and adding rows to it. */
#include "compute/operators/hash_aggregate/aggregate_state.h"

#include <string.h>

#include "compute/kernels/aggregate_kernels.h"
#include "compute/kernels/lanes.h"

KERNEL_TABLE_DEFINE(AggregateKernels, aggregate_kernels);

#define SUM_BOUND ((UInt128)1 << 62) /* 64-bit sums stay below */

static Status unsupported(const AggregateCall *call)
{
    char text[TYPE_TEXT_BYTES];
    Type type = call->argument == NULL ? call->type : call->argument->type;
    return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED, "aggregate %s of %s is not supported",
                        aggregate_name(call->id), type_print(type, text));
}

static ValueClass class_of_type(Type type)
{
    if (type_is_scaled_integer(type)) {
        return VALUE_CLASS_INT64;
    }
    if (type_is_text(type)) {
        return VALUE_CLASS_TEXT;
    }
    if (type_is_float(type)) {
        return VALUE_CLASS_DOUBLE;
    }
    return type.id == TYPE_INTERVAL ? VALUE_CLASS_INTERVAL : VALUE_CLASS_INT128;
}

Status aggregate_spec_init(AggregateSpec *spec, const AggregateCall *call)
{
    *spec = (AggregateSpec){
        .result_type = call->type,
        .has_argument = call->argument != NULL,
        .is_distinct = call->is_distinct,
        .name = aggregate_name(call->id),
    };
    if (call->argument != NULL) {
        spec->argument_type = call->argument->type;
        spec->class = class_of_type(call->argument->type);
    } else if (call->id != AGGREGATE_COUNT_STAR) {
        return unsupported(call);
    }
    switch (call->id) {
    case AGGREGATE_COUNT_STAR:
    case AGGREGATE_COUNT:
        spec->op = AGGREGATE_OP_COUNT;
        spec->is_zero_without_rows = true;
        return STATUS_OK;
    case AGGREGATE_SUM_COUNT:
        spec->is_zero_without_rows = true;
        spec->op = AGGREGATE_OP_SUM;
        return STATUS_OK;
    case AGGREGATE_SUM:
        spec->op = AGGREGATE_OP_SUM;
        return spec->class == VALUE_CLASS_TEXT || spec->class == VALUE_CLASS_INTERVAL
                   ? unsupported(call)
                   : STATUS_OK;
    case AGGREGATE_MIN:
    case AGGREGATE_BOOL_AND:
        spec->op = AGGREGATE_OP_MIN;
        break;
    case AGGREGATE_MAX:
    case AGGREGATE_BOOL_OR:
        spec->op = AGGREGATE_OP_MAX;
        break;
    case AGGREGATE_ANY_VALUE:
    case AGGREGATE_SINGLE_VALUE:
    case AGGREGATE_SINGLE_MATCH:
        spec->op = AGGREGATE_OP_FIRST;
        spec->is_single = call->id != AGGREGATE_ANY_VALUE;
        spec->is_match = call->id == AGGREGATE_SINGLE_MATCH;
        break;
    default:
        return unsupported(call);
    }
    bool is_repeatable = spec->op == AGGREGATE_OP_MIN || spec->op == AGGREGATE_OP_MAX;
    spec->is_distinct = call->is_distinct && !is_repeatable && !spec->is_single;
    return STATUS_OK;
}

static size_t value_bytes(const AggregateSpec *spec)
{
    return aggregate_is_int64(spec) || spec->class == VALUE_CLASS_DOUBLE ? 8 : 16;
}

void aggregate_state_init(AggregateState *state, const AggregateSpec *spec, MemoryBudget *budget)
{
    *state = (AggregateState){.spec = spec, .budget = budget};
    text_heap_init(&state->text, budget);
}

void aggregate_state_deinit(AggregateState *state)
{
    if (state->spec == NULL) {
        return;
    }
    if (state->values != NULL) {
        memory_free(state->budget, state->values, state->capacity * value_bytes(state->spec));
    }
    if (state->wide != NULL) {
        memory_free(state->budget, state->wide, state->capacity * sizeof *state->wide);
    }
    if (state->seen != NULL) {
        memory_free(state->budget, state->seen, state->capacity);
    }
    text_heap_clear(&state->text);
    state->spec = NULL;
}

// Grows one array from the present capacity; new items are zero.
static bool grow_array(AggregateState *state, void **array, size_t item_bytes, uint32_t capacity)
{
    size_t former_bytes = state->capacity * item_bytes;
    size_t bytes = capacity * item_bytes;
    uint8_t *memory = memory_alloc(state->budget, bytes);
    if (memory == NULL) {
        return false;
    }
    if (*array != NULL) {
        memcpy(memory, *array, former_bytes);
        memset(memory + former_bytes, 0, bytes - former_bytes);
    } else {
        memset(memory, 0, bytes);
    }
    *array = memory;
    return true;
}

static void fill_sentinels(AggregateState *state, uint32_t capacity)
{
    if (state->spec->class != VALUE_CLASS_INT64 || state->spec->op == AGGREGATE_OP_COUNT) {
        return;
    }
    bool is_min = state->spec->op == AGGREGATE_OP_MIN;
    if (is_min || state->spec->op == AGGREGATE_OP_MAX) {
        int64_t *values = state->values;
        for (uint32_t g = state->capacity; g < capacity; g++) {
            values[g] = is_min ? INT64_MAX : INT64_MIN;
        }
    }
}

Status aggregate_state_reserve(AggregateState *state, uint32_t capacity)
{
    if (capacity <= state->capacity) {
        return STATUS_OK;
    }
    size_t item_bytes = value_bytes(state->spec);
    void *values = state->values;
    void *wide = state->wide;
    void *seen = state->seen;
    bool needs_seen = seen != NULL || aggregate_compares(state->spec);
    bool is_done = grow_array(state, &values, item_bytes, capacity) &&
                   (wide == NULL || grow_array(state, &wide, sizeof *state->wide, capacity)) &&
                   (!needs_seen || grow_array(state, &seen, 1, capacity));
    void *arrays[][2] = {{values, state->values}, {wide, state->wide}, {seen, state->seen}};
    size_t sizes[] = {item_bytes, sizeof *state->wide, 1};
    for (uint32_t a = 0; a < 3; a++) { // frees the old arrays, or what was newly made
        bool is_new = arrays[a][0] != arrays[a][1];
        void *unwanted = is_done ? arrays[a][1] : arrays[a][0];
        if (is_new && unwanted != NULL) {
            memory_free(state->budget, unwanted, (is_done ? state->capacity : capacity) * sizes[a]);
        }
    }
    if (!is_done) {
        return memory_refused(state->budget, capacity * item_bytes, "aggregates");
    }
    state->values = values;
    state->wide = wide;
    state->seen = seen;
    fill_sentinels(state, capacity);
    state->capacity = capacity;
    return STATUS_OK;
}

Status aggregate_state_track_seen(AggregateState *state, uint32_t former_group_count)
{
    if (state->seen != NULL) {
        return STATUS_OK;
    }
    state->seen = memory_alloc_zeroed(state->budget, state->capacity);
    if (state->seen == NULL) {
        return memory_refused(state->budget, state->capacity, "aggregates");
    }
    memset(state->seen, SEEN_VALUE, former_group_count);
    return STATUS_OK;
}

Status aggregate_state_fold(AggregateState *state)
{
    if (state->wide == NULL) {
        state->wide = memory_alloc_zeroed(state->budget, state->capacity * sizeof *state->wide);
        if (state->wide == NULL) {
            return memory_refused(state->budget, state->capacity * sizeof *state->wide,
                                  "aggregates");
        }
    }
    if (state->magnitude == 0) { // nothing came since the last time
        return STATUS_OK;
    }
    int64_t *values = state->values;
    for (uint32_t g = 0; g < state->capacity; g++) {
        state->wide[g] += values[g];
        values[g] = 0;
    }
    state->magnitude = 0;
    return STATUS_OK;
}

static void mark_seen(AggregateState *state, const AggregateRows *rows)
{
    if (state->seen == NULL) {
        return;
    }
    if (rows->groups == NULL) {
        state->seen[0] = SEEN_VALUE;
        return;
    }
    for (uint32_t i = 0; i < rows->count; i++) {
        state->seen[rows->groups[i]] = SEEN_VALUE;
    }
}

static void update_count(AggregateState *state, const AggregateRows *rows)
{
    int64_t *counts = state->values;
    const AggregateKernels *kernels = KERNELS(aggregate_kernels);
    if (rows->groups == NULL) {
        counts[0] += rows->count;
    } else if (rows->group_rows != NULL) {
        for (uint32_t g = 0; g < rows->group_count; g++) {
            counts[g] += rows->group_rows[g];
        }
    } else if (rows->group_count <= AGGREGATE_FEW_GROUPS) {
        kernels->count_few(rows->groups, rows->count, rows->group_count, counts);
    } else {
        kernels->count_groups(rows->groups, rows->count, counts);
    }
}

// Largest magnitude a value of the vector may have, by its bounds or, for types without, its lane.
static UInt128 largest_value(const Vector *vector, const AggregateRows *rows)
{
    int64_t lo = vector->lo;
    int64_t hi = vector->hi;
    if (!type_is_scaled_integer(vector->type)) {
        if (vector->lane == LANE_I64 && vector->form == VECTOR_FLAT) {
            KERNELS(aggregate_kernels)
                ->min_max_all[LANE_I64](vector->data, rows->rows, rows->count, &lo, &hi);
        } else if (vector->lane <= LANE_U32 && vector->form == VECTOR_FLAT) {
            uint64_t lane_max = UINT64_MAX >> (64 - 8 * lane_bytes(vector->lane));
            lo = vector->base;
            hi = (int64_t)((uint64_t)vector->base + lane_max);
        } else {
            lo = INT64_MIN;
            hi = INT64_MAX;
        }
    }
    UInt128 low = lo < 0 ? (UInt128)(-(Int128)lo) : (UInt128)lo;
    UInt128 high = hi < 0 ? (UInt128)(-(Int128)hi) : (UInt128)hi;
    return low > high ? low : high;
}

// The rows as a list; `space` has room for VECTOR_ROWS.
static const uint16_t *list_rows(const AggregateRows *rows, uint16_t *space)
{
    if (rows->rows != NULL || rows->mask == NULL) {
        return rows->rows;
    }
    row_mask_to_selection(rows->mask, rows->row_end, space);
    return space;
}

// Values so large that a batch of them might not fit 64 bits: one by one.
static Status sum_wide_rows(AggregateState *state, const Vector *vector, const AggregateRows *rows)
{
    Int128 values[VECTOR_ROWS];
    uint16_t listed[VECTOR_ROWS];
    TRY(aggregate_state_fold(state));
    lanes_read_int128(vector, list_rows(rows, listed), rows->count, values);
    for (uint32_t i = 0; i < rows->count; i++) {
        state->wide[rows->groups == NULL ? 0 : rows->groups[i]] += values[i];
    }
    return STATUS_OK;
}

// Adds base * rows to each of few groups.
static void add_base(int64_t *sums, int64_t base, const AggregateRows *rows)
{
    int64_t counted[AGGREGATE_FEW_GROUPS] = {0};
    const int64_t *counts = rows->group_rows;
    if (counts == NULL) {
        KERNELS(aggregate_kernels)
            ->count_few(rows->groups, rows->count, rows->group_count, counted);
        counts = counted;
    }
    for (uint32_t g = 0; g < rows->group_count; g++) {
        sums[g] = (int64_t)((uint64_t)sums[g] + (uint64_t)base * (uint64_t)counts[g]);
    }
}

// `lane_max`: no lane is larger.
static void sum_lanes(AggregateState *state, const Vector *vector, const AggregateRows *rows,
                      uint64_t lane_max)
{
    const AggregateKernels *kernels = KERNELS(aggregate_kernels);
    int64_t *sums = state->values;
    uint32_t lane = vector->lane;
    if (rows->groups == NULL) {
        const uint64_t sum =
            (uint64_t)(rows->mask != NULL
                           ? kernels->sum_kept[lane](vector->data, rows->mask->words, rows->row_end)
                           : kernels->sum_all[lane](vector->data, rows->rows, rows->count));
        sums[0] = (int64_t)((uint64_t)sums[0] + sum + (uint64_t)vector->base * rows->count);
        return;
    }
    if (rows->group_count > AGGREGATE_FEW_GROUPS) {
        kernels->sum_groups[lane](vector->data, vector->base, rows->rows, rows->groups, rows->count,
                                  sums);
        return;
    }
    if (rows->all_groups != NULL && lane <= LANE_U32) {
        bool is_small = lane_max <= UINT32_MAX / VECTOR_ROWS;
        kernels->sum_masked[lane](vector->data, rows->all_groups, rows->all_count,
                                  rows->group_count, is_small, sums);
    } else {
        kernels->sum_few[lane](vector->data, rows->rows, rows->groups, rows->count,
                               rows->group_count, sums);
    }
    if (vector->base != 0) {
        add_base(sums, vector->base, rows);
    }
}

// What no lane of the vector exceeds; for I64 lanes nothing is said.
static uint64_t largest_lane(const Vector *vector)
{
    if (vector->lane == LANE_I64) {
        return UINT64_MAX;
    }
    uint64_t lane_max = UINT64_MAX >> (64 - 8 * lane_bytes(vector->lane));
    uint64_t bound = (uint64_t)vector->hi - (uint64_t)vector->base;
    return type_is_scaled_integer(vector->type) && bound < lane_max ? bound : lane_max;
}

static Status update_sum(AggregateState *state, const Vector *vector, const AggregateRows *rows)
{
    if (vector->form != VECTOR_DICTIONARY && vector->lane == LANE_I128) {
        return sum_wide_rows(state, vector, rows);
    }
    UInt128 added = largest_value(vector, rows) * rows->count;
    if (added >= SUM_BOUND) {
        return sum_wide_rows(state, vector, rows);
    }
    if (state->magnitude + added >= SUM_BOUND) {
        TRY(aggregate_state_fold(state));
    }
    state->magnitude += added;
    if (vector->form == VECTOR_FLAT) {
        sum_lanes(state, vector, rows, largest_lane(vector));
        return STATUS_OK;
    }
    int64_t values[VECTOR_ROWS];
    lanes_read_int64(vector, rows->rows, rows->count, values);
    AggregateRows dense = *rows;
    dense.rows = NULL;
    dense.mask = NULL;
    dense.all_groups = NULL;
    Vector flat = {.type = vector->type, .lane = LANE_I64, .data = values};
    sum_lanes(state, &flat, &dense, UINT64_MAX);
    return STATUS_OK;
}

static void update_min_max(AggregateState *state, const Vector *vector, const AggregateRows *rows)
{
    const AggregateKernels *kernels = KERNELS(aggregate_kernels);
    bool is_min = state->spec->op == AGGREGATE_OP_MIN;
    int64_t *out = state->values;
    AggregateRows used = *rows;
    Vector flat = *vector;
    int64_t values[VECTOR_ROWS];
    if (vector->form != VECTOR_FLAT) {
        lanes_read_int64(vector, rows->rows, rows->count, values);
        flat = (Vector){.type = vector->type, .lane = LANE_I64, .data = values};
        used.rows = NULL;
        used.mask = NULL;
    }
    if (used.groups == NULL) {
        int64_t min;
        int64_t max;
        // Minima and maxima seldom change: with the rows left out they would not, either.
        if (used.mask != NULL) {
            kernels->min_max_all[flat.lane](flat.data, NULL, used.row_end, &min, &max);
            int64_t best;
            if (!__builtin_add_overflow(is_min ? min : max, flat.base, &best) &&
                (is_min ? best >= out[0] : best <= out[0])) {
                return;
            }
        }
        uint16_t listed[VECTOR_ROWS];
        kernels->min_max_all[flat.lane](flat.data, list_rows(&used, listed), used.count, &min,
                                        &max);
        min += flat.base;
        max += flat.base;
        out[0] = is_min ? (min < out[0] ? min : out[0]) : (max > out[0] ? max : out[0]);
    } else if (is_min) {
        kernels->min_groups[flat.lane](flat.data, flat.base, used.rows, used.groups, used.count,
                                       out);
    } else {
        kernels->max_groups[flat.lane](flat.data, flat.base, used.rows, used.groups, used.count,
                                       out);
    }
}

bool aggregate_state_takes_mask(const AggregateState *state, const Vector *argument)
{
    const AggregateSpec *spec = state->spec;
    if (spec->is_single || spec->is_distinct) {
        return false;
    }
    if (argument == NULL) {
        return true;
    }
    return spec->op != AGGREGATE_OP_FIRST && aggregate_is_int64(spec) &&
           type_is_scaled_integer(argument->type) && argument->form == VECTOR_FLAT &&
           argument->validity == NULL && argument->lane <= LANE_I64;
}

Status aggregate_state_update(AggregateState *state, const Vector *argument,
                              const AggregateRows *rows)
{
    const AggregateSpec *spec = state->spec;
    if (spec->is_single) {
        return aggregate_update_values(state, argument, rows);
    }
    uint16_t kept_rows[VECTOR_ROWS];
    uint32_t kept_groups[VECTOR_ROWS];
    uint8_t nulls[VECTOR_ROWS];
    AggregateRows kept = *rows;
    if (argument != NULL && lanes_read_nulls(argument, rows->rows, rows->count, nulls)) {
        kept.count = 0;
        kept.group_rows = NULL;
        kept.all_groups = NULL;
        kept.rows = kept_rows;
        kept.mask = NULL;
        kept.groups = rows->groups == NULL ? NULL : kept_groups;
        for (uint32_t i = 0; i < rows->count; i++) {
            kept_rows[kept.count] = (uint16_t)(rows->rows == NULL ? i : rows->rows[i]);
            kept_groups[kept.count] = rows->groups == NULL ? 0 : rows->groups[i];
            kept.count += nulls[i] == 0;
        }
    }
    bool has_gaps = kept.count < rows->count || rows->has_gaps;
    if (has_gaps && !spec->is_zero_without_rows) {
        TRY(aggregate_state_track_seen(state, rows->former_group_count));
    }
    if (kept.count == 0) {
        return STATUS_OK;
    }
    if (spec->op == AGGREGATE_OP_COUNT) {
        update_count(state, &kept);
        return STATUS_OK;
    }
    if (!aggregate_is_int64(spec) || spec->op == AGGREGATE_OP_FIRST) {
        return aggregate_update_values(state, argument, &kept);
    }
    mark_seen(state, &kept);
    if (spec->op == AGGREGATE_OP_SUM) {
        return update_sum(state, argument, &kept);
    }
    update_min_max(state, argument, &kept);
    return STATUS_OK;
}
