/*
 * batch_decode.c — bytes to batches; the layout stands in batch_wire.h.
 *
 * Nothing of the input is believed: counts are bounded before they are used, and the bounds of
 * integers are those of the values found, since kernels leave out overflow checks because of them.
 */
#include "base/vector/batch_codec.h"

#include <string.h>

#include "base/types/decimal.h"
#include "base/vector/batch_memory.h"
#include "base/vector/batch_wire.h"
#include "base/vector/strip_kernels.h"
#include "base/vector/vector_internal.h"
#include "base/vector/vector_kernels.h"

#define SMALL_BLOCK_BYTES ((size_t)1 << 10)
#define LARGE_BLOCK_BYTES ((size_t)32 << 10)

typedef struct Decoder {
    ByteReader *reader;
    BatchMemory memory;
    size_t block_bytes;
    uint32_t row_count;
} Decoder;

/* Integers as read: values are base + lane, and not above base + span. */
typedef struct Integers {
    Lane lane;
    int64_t base, lo, hi;
    void *lanes;
} Integers;

static Status decode_columns(Decoder *decoder, const Type *types, uint32_t column_count,
                             Vector **out) CHECKED;
static Status decode_column(Decoder *decoder, Type type, Vector *vector) CHECKED;
static Status decode_validity(Decoder *decoder, uint32_t count, Vector *vector) CHECKED;
static Status decode_values(Decoder *decoder, uint32_t count, Vector *vector) CHECKED;
static Status decode_dictionary(Decoder *decoder, uint8_t flags, Vector *vector) CHECKED;
static Status decode_integers(Decoder *decoder, uint32_t count, Integers *out) CHECKED;

static Status malformed(const char *what)
{
    return status_error(SQLSTATE_DATA_CORRUPTED, "malformed batch: %s", what);
}

static Status alloc_piece(Decoder *decoder, size_t bytes, void **out)
{
    *out = batch_memory_alloc(&decoder->memory, bytes, decoder->block_bytes);
    return *out != NULL ? STATUS_OK
                        : memory_refused(decoder->memory.budget, bytes, "a received batch");
}

Status batch_decode(ByteReader *reader, const Type *types, uint32_t column_count,
                    MemoryBudget *budget, SharedBatch **out)
{
    Decoder decoder = {.reader = reader};
    uint8_t version = byte_reader_u8(reader);
    uint64_t row_count = byte_reader_varint(reader);
    uint64_t wire_column_count = byte_reader_varint(reader);
    if (!byte_reader_is_ok(reader) || version != WIRE_VERSION) {
        return malformed("version");
    }
    if (row_count > VECTOR_ROWS || wire_column_count != column_count) {
        return malformed("row or column count");
    }
    decoder.row_count = (uint32_t)row_count;
    size_t expected_bytes = row_count * 16 * column_count;
    decoder.block_bytes = expected_bytes < SMALL_BLOCK_BYTES   ? SMALL_BLOCK_BYTES
                          : expected_bytes > LARGE_BLOCK_BYTES ? LARGE_BLOCK_BYTES
                                                               : expected_bytes;
    batch_memory_init(&decoder.memory, budget);
    Vector *columns = NULL;
    Status status = decode_columns(&decoder, types, column_count, &columns);
    if (status != STATUS_OK) {
        batch_memory_free(&decoder.memory);
        return status;
    }
    SharedBatch *shared = shared_batch_create(&decoder.memory, column_count, decoder.row_count);
    if (shared == NULL) {
        return memory_refused(budget, column_count * sizeof(Vector), "a received batch");
    }
    memcpy(shared->batch.columns, columns, column_count * sizeof(Vector));
    *out = shared;
    return STATUS_OK;
}

static Status decode_columns(Decoder *decoder, const Type *types, uint32_t column_count,
                             Vector **out)
{
    void *piece;
    TRY(alloc_piece(decoder, column_count * sizeof(Vector), &piece));
    *out = piece;
    for (uint32_t i = 0; i < column_count; i++) {
        TRY(decode_column(decoder, types[i], &(*out)[i]));
    }
    return STATUS_OK;
}

static Status decode_column(Decoder *decoder, Type type, Vector *vector)
{
    ByteReader *reader = decoder->reader;
    Type wire_type = {.id = byte_reader_u8(reader)};
    wire_type.precision = byte_reader_u8(reader);
    wire_type.scale = byte_reader_u8(reader);
    uint64_t length = byte_reader_varint(reader);
    uint8_t form = byte_reader_u8(reader), flags = byte_reader_u8(reader);
    wire_type.length = length <= INT32_MAX ? (int32_t)length : -1;
    if (!byte_reader_is_ok(reader) || !type_equal(type, wire_type)) {
        return malformed("type");
    }
    if ((flags & ~WIRE_FLAGS_ALL) != 0 || form > WIRE_DICTIONARY) {
        return malformed("form");
    }
    *vector = (Vector){
        .type = type,
        .lane = (uint8_t)type_widest_lane(type),
        .has_trailing_blanks = (flags & WIRE_HAS_TRAILING_BLANKS) != 0,
        .is_ascending = (flags & (WIRE_IS_ASCENDING | WIRE_HAS_NULLS)) == WIRE_IS_ASCENDING,
    };
    bool has_nulls = (flags & WIRE_HAS_NULLS) != 0;
    if (decoder->row_count == 0) {
        return decode_values(decoder, 0, vector);
    }
    if (form == WIRE_CONSTANT) {
        if (has_nulls) {
            Value value = value_null(type);
            void *storage;
            TRY(alloc_piece(decoder, 16, &storage));
            vector_set_constant(vector, &value, storage);
            return STATUS_OK;
        }
        TRY(decode_values(decoder, 1, vector));
        vector->form = VECTOR_CONSTANT;
        return STATUS_OK;
    }
    if (has_nulls) {
        TRY(decode_validity(decoder, decoder->row_count, vector));
    }
    return form == WIRE_DICTIONARY ? decode_dictionary(decoder, flags, vector)
                                   : decode_values(decoder, decoder->row_count, vector);
}

static Status decode_validity(Decoder *decoder, uint32_t count, Vector *vector)
{
    size_t bytes = (count + 7) / 8;
    const uint8_t *source = byte_reader_view(decoder->reader, bytes);
    void *piece;
    if (source == NULL) {
        return malformed("validity");
    }
    TRY(alloc_piece(decoder, VALIDITY_WORDS * sizeof(uint64_t), &piece));
    uint64_t *validity = piece;
    memset(validity, 0, VALIDITY_WORDS * sizeof(uint64_t));
    memcpy(validity, source, bytes);
    if (count % 8 != 0) {
        validity[count / 64] &= (UINT64_C(1) << (count % 64)) - 1;
    }
    vector->validity = validity;
    return STATUS_OK;
}

/* --- integers --- */

static Lane lane_for_span(uint64_t span)
{
    return span <= UINT8_MAX    ? LANE_U8
           : span <= UINT16_MAX ? LANE_U16
           : span <= UINT32_MAX ? LANE_U32
                                : LANE_I64;
}

/* Offsets from the base of up to 32 bits; `offsets` has room for the next multiple of 16. */
static void read_narrow(const uint8_t *source, uint32_t count, uint32_t width, uint32_t *offsets)
{
    if (count >= WIRE_STRIP_ROWS) {
        KERNELS(strip_kernels)->unpack32(source, count, width, offsets);
        return;
    }
    size_t value_bytes = (width + 7) / 8;
    for (uint32_t i = 0; i < count; i++) {
        offsets[i] = 0;
        memcpy(&offsets[i], source + i * value_bytes, value_bytes);
    }
}

/* The same above 32 bits, in multiples of 8. */
static void read_wide(const uint8_t *source, uint32_t count, uint32_t width, uint64_t *offsets)
{
    if (count >= WIRE_STRIP_ROWS) {
        KERNELS(strip_kernels)->unpack64(source, count, width, offsets);
        return;
    }
    size_t value_bytes = (width + 7) / 8;
    for (uint32_t i = 0; i < count; i++) {
        offsets[i] = 0;
        memcpy(&offsets[i], source + i * value_bytes, value_bytes);
    }
}

static uint64_t largest(const uint64_t *values, uint32_t count)
{
    uint64_t largest = 0;
    for (uint32_t i = 0; i < count; i++) {
        largest = values[i] > largest ? values[i] : largest;
    }
    return largest;
}

static Status decode_integers(Decoder *decoder, uint32_t count, Integers *out)
{
    const VectorKernels *kernels = KERNELS(vector_kernels);
    uint64_t offsets[VECTOR_ROWS + 16];
    int64_t base = (int64_t)byte_reader_u64(decoder->reader), span_lo, span_hi = 0;
    uint32_t width = byte_reader_u8(decoder->reader);
    size_t bytes = count < WIRE_STRIP_ROWS ? count * ((width + 7) / 8) : strip_bytes(count, width);
    const uint8_t *source = byte_reader_view(decoder->reader, width == 0 ? 0 : bytes);
    if (!byte_reader_is_ok(decoder->reader) || width > 64) {
        return malformed("integers");
    }
    Lane lane = width <= 32 ? LANE_U32 : LANE_I64; // of the offsets
    uint64_t span;
    if (width == 0) {
        memset(offsets, 0, count * sizeof(uint32_t));
        span = 0;
    } else if (width <= 32) {
        read_narrow(source, count, width, (uint32_t *)offsets);
        kernels->min_max[LANE_U32](offsets, count, &span_lo, &span_hi);
        span = (uint64_t)span_hi;
    } else {
        read_wide(source, count, width, offsets);
        span = largest(offsets, count);
    }
    if (span > (uint64_t)INT64_MAX - (uint64_t)base) {
        return malformed("integers out of range");
    }
    *out = (Integers){
        .lane = lane_for_span(span),
        .lo = base,
        .hi = (int64_t)((uint64_t)base + span),
    };
    bool has_base = out->lane != LANE_I64;
    out->base = has_base ? base : 0;
    TRY(alloc_piece(decoder, count * lane_bytes(out->lane), &out->lanes));
    kernels->convert[lane][out->lane](offsets, count, has_base ? 0 : (uint64_t)base, out->lanes);
    return STATUS_OK;
}

/* A scaled integer column: within what the type allows, booleans without a base. */
static Status decode_scaled(Decoder *decoder, uint32_t count, Vector *vector)
{
    Integers integers;
    TRY(decode_integers(decoder, count, &integers));
    if (integers.lo < type_int64_min(vector->type) || integers.hi > type_int64_max(vector->type)) {
        return malformed("value out of the type's range");
    }
    vector->lane = (uint8_t)integers.lane;
    vector->base = integers.base;
    vector->lo = integers.lo;
    vector->hi = integers.hi;
    vector->data = integers.lanes;
    if (vector->type.id == TYPE_BOOLEAN) {
        uint8_t *lanes = integers.lanes;
        for (uint32_t i = 0; i < count; i++) {
            lanes[i] = (uint8_t)(lanes[i] + integers.base);
        }
        vector->base = 0;
    }
    return STATUS_OK;
}

/* --- other values --- */

static Status decode_raw(Decoder *decoder, size_t bytes, Vector *vector)
{
    const uint8_t *source = byte_reader_view(decoder->reader, bytes);
    void *lanes;
    if (source == NULL) {
        return malformed("values");
    }
    TRY(alloc_piece(decoder, bytes, &lanes));
    memcpy(lanes, source, bytes);
    vector->data = lanes;
    return STATUS_OK;
}

static Status check_wides(const Vector *vector, uint32_t count)
{
    const Int128 *values = vector->data;
    const Int128 limit = decimal_power_of_ten(vector->type.precision);
    for (uint32_t i = 0; i < count; i++) {
        bool is_present = validity_get(vector->validity, i);
        if (is_present && (values[i] >= limit || values[i] <= -limit)) {
            return malformed("value out of the type's range");
        }
    }
    return STATUS_OK;
}

static Status decode_wides(Decoder *decoder, uint32_t count, Vector *vector)
{
    bool is_narrow = vector->type.id == TYPE_DECIMAL && byte_reader_u8(decoder->reader) != 0;
    if (!is_narrow) {
        TRY(decode_raw(decoder, count * sizeof(Int128), vector));
        return vector->type.id == TYPE_DECIMAL ? check_wides(vector, count) : STATUS_OK;
    }
    Integers integers;
    TRY(decode_integers(decoder, count, &integers));
    vector->lane = (uint8_t)integers.lane;
    vector->base = integers.base;
    vector->data = integers.lanes;
    return STATUS_OK;
}

static Status decode_texts(Decoder *decoder, uint32_t count, Vector *vector)
{
    Integers lengths;
    TRY(decode_integers(decoder, count, &lengths));
    if (lengths.lo < 0 || lengths.hi > INT32_MAX) {
        return malformed("text lengths");
    }
    Vector plain = {.lane = (uint8_t)lengths.lane, .base = lengths.base, .data = lengths.lanes};
    int64_t bytes[VECTOR_ROWS];
    vector_read_int64(&plain, NULL, count, bytes);
    size_t total_bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        total_bytes += (size_t)bytes[i];
    }
    const uint8_t *source = byte_reader_view(decoder->reader, total_bytes);
    if (source == NULL) {
        return malformed("texts");
    }
    void *lanes, *copy;
    TRY(alloc_piece(decoder, count * sizeof(TextView), &lanes));
    TRY(alloc_piece(decoder, total_bytes, &copy));
    memcpy(copy, source, total_bytes);
    TextView *views = lanes;
    const char *text = copy;
    for (uint32_t i = 0; i < count; i++) {
        views[i] = text_view_make(text, (size_t)bytes[i]);
        text += bytes[i];
    }
    vector->data = views;
    return STATUS_OK;
}

/* Reads `count` values as flat lanes; null rows are values too. */
static Status decode_values(Decoder *decoder, uint32_t count, Vector *vector)
{
    if (count == 0) {
        return decode_raw(decoder, 0, vector);
    }
    if (type_is_scaled_integer(vector->type)) {
        return decode_scaled(decoder, count, vector);
    }
    if (type_is_text(vector->type)) {
        return decode_texts(decoder, count, vector);
    }
    if (type_is_float(vector->type)) {
        return decode_raw(decoder, count * lane_bytes((Lane)vector->lane), vector);
    }
    return decode_wides(decoder, count, vector);
}

static Status decode_dictionary(Decoder *decoder, uint8_t flags, Vector *vector)
{
    uint64_t entry_count = byte_reader_varint(decoder->reader);
    if (!byte_reader_is_ok(decoder->reader) || entry_count == 0 || entry_count > VECTOR_ROWS ||
        !(type_is_text(vector->type) || type_is_scaled_integer(vector->type))) {
        return malformed("dictionary");
    }
    Vector entries = *vector;
    TRY(decode_values(decoder, (uint32_t)entry_count, &entries));
    if (type_is_scaled_integer(vector->type)) { // entries are int64
        void *wide;
        TRY(alloc_piece(decoder, entry_count * sizeof(int64_t), &wide));
        vector_read_int64(&entries, NULL, (uint32_t)entry_count, wide);
        entries.data = wide;
        entries.lane = LANE_I64;
    }
    Integers codes;
    TRY(decode_integers(decoder, decoder->row_count, &codes));
    if (codes.lo != 0 || codes.hi >= (int64_t)entry_count) {
        return malformed("dictionary codes");
    }
    void *piece;
    TRY(alloc_piece(decoder, sizeof(Dictionary), &piece));
    Dictionary *dictionary = piece;
    *dictionary = (Dictionary){
        .lane = (Lane)entries.lane,
        .entry_count = (uint32_t)entry_count,
        .entries = entries.data,
        .is_sorted = (flags & WIRE_IS_SORTED) != 0,
        .is_unique = (flags & WIRE_IS_UNIQUE) != 0,
    };
    vector->form = VECTOR_DICTIONARY;
    vector->lane = (uint8_t)codes.lane;
    vector->lo = entries.lo;
    vector->hi = entries.hi;
    vector->data = codes.lanes;
    vector->dictionary = dictionary;
    return STATUS_OK;
}
