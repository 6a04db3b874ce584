/*
 * batch_builder.c — gathers rows of many batches into full ones that own their memory.
 *
 * Scaled integers are kept as narrow as the rows seen so far allow: a column starts with the lane
 * of its first rows (or with what the last batch needed) and is rewritten when a value does not
 * fit. Example: prices 900..1000 are bytes over base 900; a 70,000 turns the rows gathered so far
 * into 32-bit lanes. Texts: batch_builder_text.c.
 */
#include <string.h>

#include "base/heap.h"
#include "base/vector/batch_builder_internal.h"
#include "base/vector/vector_internal.h"
#include "base/vector/vector_kernels.h"

static Vector column_vector(const BuilderColumn *column);
static bool append_lanes(BatchBuilder *builder, BuilderColumn *column, const Source *source);
static bool append_integers(BatchBuilder *builder, BuilderColumn *column, const Source *source);
static bool append_fixed(BatchBuilder *builder, BuilderColumn *column, const Source *source);
static bool append_validity(BatchBuilder *builder, BuilderColumn *column, const Source *source);

BatchBuilder *batch_builder_create(MemoryBudget *budget, const Type *types, uint32_t column_count,
                                   uint32_t rows_max)
{
    DEBUG_ASSERT(rows_max > 0 && rows_max <= VECTOR_ROWS);
    size_t bytes = sizeof(BatchBuilder) + column_count * sizeof(BuilderColumn);
    BatchBuilder *builder = heap_alloc_zeroed(bytes);
    if (builder == NULL) {
        return NULL;
    }
    builder->budget = budget;
    builder->column_count = column_count;
    builder->rows_max = rows_max;
    batch_memory_init(&builder->memory, budget);
    for (uint32_t i = 0; i < column_count; i++) {
        builder->columns[i].type = types[i];
    }
    return builder;
}

void batch_builder_destroy(BatchBuilder *builder)
{
    if (builder != NULL) {
        for (uint32_t i = 0; i < builder->column_count; i++) {
            heap_free(builder->columns[i].map);
        }
        batch_memory_free(&builder->memory);
        heap_free(builder);
    }
}

uint32_t batch_builder_row_count(const BatchBuilder *builder)
{
    return builder->row_count;
}

Status batch_builder_append(BatchBuilder *builder, const Batch *batch, const uint16_t *rows,
                            uint32_t row_count, uint32_t *taken)
{
    DEBUG_ASSERT(batch->column_count >= builder->column_count);
    uint32_t room = builder->rows_max - builder->row_count;
    uint32_t count = row_count < room ? row_count : room;
    *taken = 0;
    if (count == 0) {
        return STATUS_OK;
    }
    for (uint32_t i = 0; i < builder->column_count; i++) {
        BuilderColumn *column = &builder->columns[i];
        Source source = {.vector = &batch->columns[i], .rows = rows, .count = count};
        DEBUG_ASSERT(source.vector->form != VECTOR_LAZY);
        bool is_done =
            append_validity(builder, column, &source) && append_lanes(builder, column, &source);
        if (!is_done) { // columns before this one are ahead; the rows do not count yet
            return memory_refused(builder->budget, builder->memory.held_bytes, "rows of a batch");
        }
    }
    builder->row_count += count;
    *taken = count;
    return STATUS_OK;
}

Status batch_builder_take(BatchBuilder *builder, SharedBatch **out)
{
    if (builder->row_count == 0) {
        *out = NULL;
        return STATUS_OK;
    }
    SharedBatch *shared =
        shared_batch_create(&builder->memory, builder->column_count, builder->row_count);
    for (uint32_t i = 0; i < builder->column_count; i++) {
        BuilderColumn *column = &builder->columns[i];
        if (shared != NULL) {
            shared->batch.columns[i] = column_vector(column);
        }
        *column = (BuilderColumn){
            .type = column->type,
            .map = column->map,
            .has_hint = column->has_bounds,
            .hint_lo = column->lo,
            .hint_hi = column->hi,
        };
    }
    builder->row_count = 0;
    builder->text_cursor = NULL;
    builder->text_left_bytes = 0;
    if (shared == NULL) { // the rows are lost with the statement
        return memory_refused(builder->budget, builder->column_count * sizeof(Vector), "a batch");
    }
    *out = shared;
    return STATUS_OK;
}

static Vector column_vector(const BuilderColumn *column)
{
    return (Vector){
        .type = column->type,
        .lane = (uint8_t)column->lane,
        .form = column->dictionary != NULL ? VECTOR_DICTIONARY : VECTOR_FLAT,
        .has_trailing_blanks = column->has_trailing_blanks,
        .base = column->base,
        .lo = column->lo,
        .hi = column->hi,
        .validity = column->has_nulls ? column->validity : NULL,
        .data = column->lanes,
        .dictionary = column->dictionary,
    };
}

static bool append_lanes(BatchBuilder *builder, BuilderColumn *column, const Source *source)
{
    if (type_is_scaled_integer(column->type)) {
        return append_integers(builder, column, source);
    }
    return type_is_text(column->type) ? builder_append_texts(builder, column, source)
                                      : append_fixed(builder, column, source);
}

/* --- nulls --- */

/* Sets `count` bits of `target` from bit `first` on to those of `bits`. */
static void write_bits(uint64_t *target, uint32_t first, const uint64_t *bits, uint32_t count)
{
    for (uint32_t i = 0; i < count; i += 64) {
        uint32_t width = count - i < 64 ? count - i : 64;
        uint64_t wanted = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
        uint64_t word = bits[i / 64] & wanted;
        uint32_t at = (first + i) / 64, shift = (first + i) % 64;
        target[at] = (target[at] & ~(wanted << shift)) | word << shift;
        if (shift != 0 && shift + width > 64) {
            target[at + 1] = (target[at + 1] & ~(wanted >> (64 - shift))) | word >> (64 - shift);
        }
    }
}

static bool append_validity(BatchBuilder *builder, BuilderColumn *column, const Source *source)
{
    const Vector *vector = source->vector;
    if (vector->validity == NULL && !column->has_nulls) {
        return true;
    }
    bool is_null_constant = vector->form == VECTOR_CONSTANT && vector_is_null(vector, 0);
    RowMask present;
    row_mask_set_first(&present, is_null_constant ? 0 : source->count);
    if (vector->validity != NULL && vector->form != VECTOR_CONSTANT) {
        KERNELS(vector_kernels)
            ->gather_bits(vector->validity, source->rows, source->count, present.words);
    }
    bool has_nulls = row_mask_count(&present) < source->count;
    if (!has_nulls && !column->has_nulls) {
        return true;
    }
    if (column->validity == NULL) {
        column->validity =
            batch_memory_alloc(&builder->memory, VALIDITY_WORDS * sizeof(uint64_t), 0);
        if (column->validity == NULL) {
            return false;
        }
    }
    if (!column->has_nulls) {
        RowMask before;
        row_mask_set_first(&before, builder->row_count);
        memcpy(column->validity, before.words, sizeof before.words);
        column->has_nulls = true;
    }
    write_bits(column->validity, builder->row_count, present.words, source->count);
    return true;
}

/* --- scaled integers --- */

static Lane narrowest_lane(Type type, int64_t lo, int64_t hi)
{
    uint64_t span = (uint64_t)hi - (uint64_t)lo;
    if (type.id == TYPE_BOOLEAN || span <= UINT8_MAX) {
        return LANE_U8;
    }
    return span <= UINT16_MAX ? LANE_U16 : span <= UINT32_MAX ? LANE_U32 : LANE_I64;
}

static bool lane_holds(const BuilderColumn *column, int64_t lo, int64_t hi)
{
    if (column->lane == LANE_I64) {
        return true;
    }
    uint64_t lane_max = UINT64_MAX >> (64 - 8 * lane_bytes(column->lane));
    return lo >= column->base && (uint64_t)hi - (uint64_t)column->base <= lane_max;
}

/* Makes room for values of [lo, hi]: the first lanes, or wider ones than before. */
static bool fit_lanes(BatchBuilder *builder, BuilderColumn *column, int64_t lo, int64_t hi)
{
    if (column->lanes != NULL && lane_holds(column, lo, hi)) {
        return true;
    }
    Lane lane = narrowest_lane(column->type, lo, hi);
    if (column->lanes == NULL && column->has_hint) {
        int64_t hinted_lo = lo < column->hint_lo ? lo : column->hint_lo;
        int64_t hinted_hi = hi > column->hint_hi ? hi : column->hint_hi;
        if (narrowest_lane(column->type, hinted_lo, hinted_hi) <= lane) {
            lo = hinted_lo; // no wider, and the rest of the batch will probably fit
        }
    }
    bool has_base = lane != LANE_I64 && column->type.id != TYPE_BOOLEAN;
    int64_t base = has_base ? lo : 0;
    void *lanes = builder_alloc_lanes(builder, lane);
    if (lanes == NULL) {
        return false;
    }
    if (column->lanes != NULL) {
        uint64_t offset = (uint64_t)column->base - (uint64_t)base;
        KERNELS(vector_kernels)
            ->convert[column->lane][lane](column->lanes, builder->row_count, offset, lanes);
    }
    column->lanes = lanes;
    column->lane = lane;
    column->base = base;
    return true;
}

static bool append_integers(BatchBuilder *builder, BuilderColumn *column, const Source *source)
{
    const Vector *vector = source->vector;
    const VectorKernels *kernels = KERNELS(vector_kernels);
    bool is_null_constant = vector->form == VECTOR_CONSTANT && vector_is_null(vector, 0);
    bool has_values = !is_null_constant && vector->lo <= vector->hi;
    int64_t lo = column->lo, hi = column->hi;
    if (has_values) {
        lo = column->has_bounds && lo < vector->lo ? lo : vector->lo;
        hi = column->has_bounds && hi > vector->hi ? hi : vector->hi;
        column->has_bounds = true;
    } else if (!column->has_bounds && column->has_hint) {
        lo = hi = column->hint_lo; // only nulls so far: whatever lane comes after them
    }
    if (!fit_lanes(builder, column, lo, hi)) {
        return false;
    }
    column->lo = lo;
    column->hi = hi;
    void *target = builder_next_lane(builder, column);
    if (vector->form == VECTOR_CONSTANT) {
        int64_t values[VECTOR_ROWS]; // not zeroed: sorted rows come one by one
        int64_t value = has_values ? vector_int64(vector, 0) : column->lo;
        for (uint32_t i = 0; i < source->count; i++) {
            values[i] = value;
        }
        kernels->convert[LANE_I64][column->lane](values, source->count, -(uint64_t)column->base,
                                                 target);
    } else if (vector->form == VECTOR_DICTIONARY) {
        int64_t values[VECTOR_ROWS];
        vector_read_int64(vector, source->rows, source->count, values);
        kernels->convert[LANE_I64][column->lane](values, source->count, -(uint64_t)column->base,
                                                 target);
    } else {
        kernels->gather[vector->lane][column->lane](vector->data, source->rows, source->count,
                                                    (uint64_t)vector->base - (uint64_t)column->base,
                                                    target);
    }
    return true;
}

/* --- floats, wide decimals, intervals --- */

/* Room for the source's values. Wide decimals stay in 64 bits until one comes that is wider. */
static bool fit_fixed(BatchBuilder *builder, BuilderColumn *column, const Vector *vector)
{
    Lane lane = type_widest_lane(column->type);
    if (column->type.id == TYPE_DECIMAL && vector_value_lane(vector) != LANE_I128) {
        lane = LANE_I64;
    }
    if (column->lanes != NULL && lane_bytes(column->lane) >= lane_bytes(lane)) {
        return true;
    }
    void *lanes = builder_alloc_lanes(builder, lane);
    if (lanes == NULL) {
        return false;
    }
    if (column->lanes != NULL) {
        Vector narrow = column_vector(column);
        vector_read_int128(&narrow, NULL, builder->row_count, lanes);
    }
    column->lanes = lanes;
    column->lane = lane;
    return true;
}

static bool append_fixed(BatchBuilder *builder, BuilderColumn *column, const Source *source)
{
    const VectorKernels *kernels = KERNELS(vector_kernels);
    const Vector *vector = source->vector;
    if (!fit_fixed(builder, column, vector)) {
        return false;
    }
    char *target = builder_next_lane(builder, column);
    size_t bytes = lane_bytes(column->lane);
    char storage[16] = {0};
    if (vector->form == VECTOR_CONSTANT) {
        bool is_narrow_decimal = column->type.id == TYPE_DECIMAL && vector->lane != LANE_I128;
        if (is_narrow_decimal) {
            Int128 wide = vector_int64(vector, 0);
            memcpy(storage, &wide, bytes);
        } else {
            memcpy(storage, vector->data, bytes);
        }
        for (uint32_t i = 0; i < source->count; i++) {
            memcpy(target + i * bytes, storage, bytes);
        }
    } else if (column->lane == LANE_I128) {
        vector_read_int128(vector, source->rows, source->count, (Int128 *)target);
    } else if (column->lane == LANE_I64) {
        vector_read_int64(vector, source->rows, source->count, (int64_t *)target);
    } else if (column->lane == LANE_F64) {
        vector_read_double(vector, source->rows, source->count, (double *)target);
    } else {
        kernels->gather[LANE_U32][LANE_U32](vector->data, source->rows, source->count, 0, target);
    }
    return true;
}
