/*
 * vector_convert.c — whole columns into other forms and lanes: flatten, widen, gather, read.
 *
 * The loops are kernels; here is the choice among them. A selection shorter than an eighth of the
 * rows is converted in place row by row (sparse), everything else densely: the dense loops are
 * vectorised and do not mind converting rows nobody asked for.
 */
#include <string.h>

#include "base/vector/compress_vbmi2.h"
#include "base/vector/vector_internal.h"
#include "base/vector/vector_kernels.h"

KERNEL_TABLE_DEFINE(VectorKernels, vector_kernels);

#define SPARSE_FACTOR 8

Vector dictionary_entries(const Vector *vector)
{
    const Dictionary *dictionary = vector->dictionary;
    return (Vector){
        .type = vector->type,
        .lane = (uint8_t)dictionary->lane,
        .form = VECTOR_FLAT,
        .has_trailing_blanks = vector->has_trailing_blanks,
        .lo = vector->lo,
        .hi = vector->hi,
        .data = dictionary->entries,
    };
}

Lane vector_value_lane(const Vector *vector)
{
    return vector->form == VECTOR_DICTIONARY ? vector->dictionary->lane : (Lane)vector->lane;
}

/* The integer lane whose lanes have the same size and need no base: for moving floats. */
static Lane moving_lane(Lane lane)
{
    return lane == LANE_F32 ? LANE_U32 : lane == LANE_F64 ? LANE_I64 : lane;
}

static void gather_lanes(const void *source, Lane lane, const uint16_t *rows, uint32_t row_count,
                         void *target)
{
    const VectorKernels *kernels = KERNELS(vector_kernels);
    if (lane == LANE_I128 || lane == LANE_TEXT) {
        kernels->gather16(source, rows, row_count, target);
    } else {
        Lane moved = moving_lane(lane);
        kernels->gather[moved][moved](source, rows, row_count, 0, target);
    }
}

void vector_take(const Vector *vector, const void *entries, Lane entry_lane, const uint16_t *rows,
                 uint32_t count, void *target)
{
    const VectorKernels *kernels = KERNELS(vector_kernels);
    const void *codes = vector->data;
    uint32_t gathered[VECTOR_ROWS + 16];
    Lane lane = (Lane)vector->lane;
    if (vector->dictionary->entry_count == 0) { // every row is null
        memset(target, 0, count * lane_bytes(entry_lane));
        return;
    }
    if (rows != NULL) {
        gather_lanes(vector->data, lane, rows, count, gathered);
        codes = gathered;
    }
    const TakeKernel *take = lane_bytes(entry_lane) == 16 ? kernels->take16 : kernels->take8;
    take[lane](entries, codes, count, target);
}

static void take_entries(const Vector *vector, const uint16_t *rows, uint32_t count, void *target)
{
    vector_take(vector, vector->dictionary->entries, vector->dictionary->lane, rows, count, target);
}

/* --- arrays --- */

void vector_read_int64(const Vector *vector, const uint16_t *rows, uint32_t count, int64_t *target)
{
    const VectorKernels *kernels = KERNELS(vector_kernels);
    if (vector->form == VECTOR_DICTIONARY) {
        take_entries(vector, rows, count, target);
        return;
    }
    Lane lane = (Lane)vector->lane;
    if (rows == NULL) {
        kernels->convert[lane][LANE_I64](vector->data, count, (uint64_t)vector->base, target);
    } else {
        kernels->gather[lane][LANE_I64](vector->data, rows, count, (uint64_t)vector->base, target);
    }
}

void vector_read_int128(const Vector *vector, const uint16_t *rows, uint32_t count, Int128 *target)
{
    if (vector_value_lane(vector) != LANE_I128) {
        int64_t narrow[VECTOR_ROWS];
        vector_read_int64(vector, rows, count, narrow);
        for (uint32_t i = 0; i < count; i++) {
            target[i] = narrow[i];
        }
    } else if (vector->form == VECTOR_DICTIONARY) {
        take_entries(vector, rows, count, target);
    } else if (rows == NULL) {
        memcpy(target, vector->data, count * sizeof(Int128));
    } else {
        gather_lanes(vector->data, LANE_I128, rows, count, target);
    }
}

void vector_read_double(const Vector *vector, const uint16_t *rows, uint32_t count, double *target)
{
    if (vector->form == VECTOR_DICTIONARY) {
        take_entries(vector, rows, count, target); // entries of 8 bytes: never F32
    } else if (vector->lane == LANE_F32) {
        const float *lanes = vector->data;
        for (uint32_t i = 0; i < count; i++) {
            target[i] = (double)lanes[rows == NULL ? i : rows[i]];
        }
    } else if (rows == NULL) {
        memcpy(target, vector->data, count * sizeof(double));
    } else {
        gather_lanes(vector->data, LANE_F64, rows, count, target);
    }
}

const TextView *vector_read_text(const Vector *vector, const uint16_t *rows, uint32_t count,
                                 TextView *storage)
{
    if (vector->form == VECTOR_DICTIONARY) {
        take_entries(vector, rows, count, storage);
        return storage;
    }
    if (rows == NULL) {
        return vector->data;
    }
    gather_lanes(vector->data, LANE_TEXT, rows, count, storage);
    return storage;
}

/* --- flatten and widen --- */

static void fill_lanes(const void *lane, size_t bytes, uint32_t count, void *target)
{
    char *cursor = target;
    if (bytes == 1) {
        memset(target, *(const uint8_t *)lane, count);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        memcpy(cursor + i * bytes, lane, bytes);
    }
}

/* A constant's lane for each of `row_count` rows; plain integers become zero bytes over a base. */
static void flatten_constant(const Vector *vector, uint32_t row_count, VectorBuffer *buffer,
                             Vector *out)
{
    bool is_null = vector_is_null(vector, 0);
    Vector flat = *vector;
    flat.form = VECTOR_FLAT;
    flat.data = buffer->lanes;
    flat.validity = NULL;
    flat.is_ascending = !is_null;
    if (is_null) {
        memset(buffer->validity, 0, VALIDITY_WORDS * sizeof(uint64_t));
        memset(buffer->lanes, 0, row_count * lane_bytes((Lane)vector->lane));
        flat.validity = buffer->validity;
    } else if (vector->lane == LANE_I64) {
        flat.base = *(const int64_t *)vector->data;
        flat.lane = LANE_U8;
        memset(buffer->lanes, 0, row_count);
    } else {
        char lane[16];
        memcpy(lane, vector->data, lane_bytes((Lane)vector->lane)); // may lie in the buffer
        fill_lanes(lane, lane_bytes((Lane)vector->lane), row_count, buffer->lanes);
    }
    *out = flat;
}

static void flatten_dictionary(const Vector *vector, uint32_t row_count, const uint16_t *selection,
                               uint32_t selected_count, VectorBuffer *buffer, Vector *out)
{
    Vector flat = dictionary_entries(vector);
    flat.validity = vector->validity;
    flat.is_ascending = vector->is_ascending;
    flat.data = buffer->lanes;
    Vector source = *vector;
    uint32_t codes[VECTOR_ROWS + 16];
    if (vector->data == buffer->lanes) { // gathered into this buffer before
        memcpy(codes, vector->data, row_count * lane_bytes((Lane)vector->lane));
        source.data = codes;
    }
    if (selection != NULL && selected_count < row_count / SPARSE_FACTOR &&
        vector->dictionary->entry_count > 0) {
        size_t bytes = lane_bytes(flat.lane);
        const char *entries = vector->dictionary->entries;
        for (uint32_t i = 0; i < selected_count; i++) {
            uint32_t row = selection[i];
            memcpy((char *)buffer->lanes + row * bytes, entries + vector_code(&source, row) * bytes,
                   bytes);
        }
    } else {
        take_entries(&source, NULL, row_count, buffer->lanes);
    }
    *out = flat;
}

void vector_flatten(const Vector *vector, uint32_t row_count, const uint16_t *selection,
                    uint32_t selected_count, VectorBuffer *buffer, Vector *out)
{
    DEBUG_ASSERT(vector->form != VECTOR_LAZY);
    switch ((VectorForm)vector->form) {
    case VECTOR_CONSTANT:
        flatten_constant(vector, row_count, buffer, out);
        return;
    case VECTOR_DICTIONARY:
        flatten_dictionary(vector, row_count, selection, selected_count, buffer, out);
        return;
    default:
        *out = *vector;
        return;
    }
}

/* Narrow lanes of a decimal above 18 digits as 128 bits. */
static void widen_int128(const Vector *vector, uint32_t row_count, VectorBuffer *buffer,
                         Vector *out)
{
    int64_t narrow[VECTOR_ROWS];
    Int128 *target = buffer->lanes;
    vector_read_int64(vector, NULL, row_count, narrow);
    for (uint32_t i = 0; i < row_count; i++) {
        target[i] = narrow[i];
    }
    Vector wide = *vector;
    wide.lane = LANE_I128;
    wide.base = 0;
    wide.data = target;
    *out = wide;
}

void vector_widen(const Vector *vector, uint32_t row_count, const uint16_t *selection,
                  uint32_t selected_count, VectorBuffer *buffer, Vector *out)
{
    const VectorKernels *kernels = KERNELS(vector_kernels);
    Vector flat;
    vector_flatten(vector, row_count, selection, selected_count, buffer, &flat);
    Lane lane = (Lane)flat.lane;
    bool is_wide_decimal = !type_is_scaled_integer(flat.type) && lane_is_integer(lane);
    if (is_wide_decimal) {
        widen_int128(&flat, row_count, buffer, out);
        return;
    }
    if (!lane_is_integer(lane) || lane == LANE_I64) {
        *out = flat;
        return;
    }
    uint32_t narrow[VECTOR_ROWS + 16];
    const void *source = flat.data;
    if (source == buffer->lanes) { // widening in place would overtake itself
        memcpy(narrow, source, row_count * lane_bytes(lane));
        source = narrow;
    }
    if (selection != NULL && selected_count < row_count / SPARSE_FACTOR) {
        kernels->gather_sparse[lane][LANE_I64](source, selection, selected_count,
                                               (uint64_t)flat.base, buffer->lanes);
    } else {
        kernels->convert[lane][LANE_I64](source, row_count, (uint64_t)flat.base, buffer->lanes);
    }
    flat.lane = LANE_I64;
    flat.base = 0;
    flat.data = buffer->lanes;
    *out = flat;
}

/* --- gather --- */

static const uint64_t *gather_validity(const Vector *vector, const uint16_t *rows,
                                       uint32_t row_count, uint64_t *target)
{
    if (vector->validity == NULL) {
        return NULL;
    }
    uint64_t bits[VALIDITY_WORDS];
    const uint64_t *source = vector->validity;
    if (source == target) {
        memcpy(bits, source, sizeof bits);
        source = bits;
    }
    KERNELS(vector_kernels)->gather_bits(source, rows, row_count, target);
    return target;
}

void vector_gather(const Vector *vector, const uint16_t *rows, uint32_t row_count,
                   VectorBuffer *buffer, Vector *out)
{
    DEBUG_ASSERT(vector->form != VECTOR_LAZY);
    const VectorKernels *kernels = KERNELS(vector_kernels);
    Vector picked = *vector;
    size_t bytes = lane_bytes((Lane)vector->lane);
    picked.data = buffer->lanes;
    if (vector->form == VECTOR_CONSTANT) {
        memmove(buffer->lanes, vector->data, bytes);
        *out = picked;
        return;
    }
    if (row_count == 0) {
        *out = picked;
        return;
    }
    picked.is_ascending = vector->is_ascending && kernels->rows_are_ascending(rows, row_count);
    picked.validity = gather_validity(vector, rows, row_count, buffer->validity);
    if (kernels->rows_are_consecutive(rows, row_count)) {
        memmove(buffer->lanes, (const char *)vector->data + rows[0] * bytes, row_count * bytes);
    } else if (vector->data == buffer->lanes) {
        _Alignas(64) char lanes[VECTOR_ROWS * 16];
        gather_lanes(vector->data, (Lane)vector->lane, rows, row_count, lanes);
        memcpy(buffer->lanes, lanes, row_count * bytes);
    } else {
        gather_lanes(vector->data, (Lane)vector->lane, rows, row_count, buffer->lanes);
    }
    *out = picked;
}

/* Copies in steps of a cache line: up to 63 bytes behind the last are read and written. */
static void copy_run(const char *source, size_t bytes, char *target)
{
    for (size_t i = 0; i < bytes; i += 64) {
        memcpy(target + i, source + i, 64);
    }
}

/* What lies between two gaps is copied whole. */
static void copy_runs(const char *source, size_t lane, const uint64_t *words, uint32_t row_count,
                      char *target)
{
    uint32_t first = 0;
    for (uint32_t base = 0; base < row_count; base += 64) {
        uint64_t gaps = ~words[base / 64];
        gaps &= row_count - base < 64 ? (UINT64_C(1) << (row_count - base)) - 1 : UINT64_MAX;
        for (; gaps != 0; gaps &= gaps - 1) {
            const uint32_t gap = base + (uint32_t)__builtin_ctzll(gaps);
            copy_run(source + first * lane, (gap - first) * lane, target);
            target += (gap - first) * lane;
            first = gap + 1;
        }
    }
    copy_run(source + first * lane, (row_count - first) * lane, target);
}

bool vector_close_gaps(const Vector *vector, const uint64_t *words, uint32_t row_count,
                       VectorBuffer *buffer, Vector *out)
{
    DEBUG_ASSERT(vector->form != VECTOR_LAZY);
    const uint32_t lane = (uint32_t)lane_bytes((Lane)vector->lane);
    if (vector->validity != NULL || lane > sizeof(int64_t)) {
        return false;
    }
    *out = *vector;
    if (vector->form == VECTOR_CONSTANT) {
        return true;
    }
    if (compress_vbmi2_is_used()) {
        compress_vbmi2_lanes(vector->data, lane, words, row_count, buffer->lanes);
    } else {
        copy_runs(vector->data, lane, words, row_count, buffer->lanes);
    }
    out->data = buffer->lanes;
    return true;
}
