/* batch_encode.c — batches to bytes; the layout stands in batch_wire.h. */
#include "base/vector/batch_codec.h"

#include <string.h>

#include "base/vector/batch_wire.h"
#include "base/vector/strip_kernels.h"
#include "base/vector/vector_internal.h"
#include "base/vector/vector_kernels.h"

KERNEL_TABLE_DEFINE(StripKernels, strip_kernels);

/* One column on its way out. */
typedef struct Encoder {
    ByteBuffer *target;
    const Vector *vector;
    const uint16_t *rows; /* null: the first `count` */
    uint32_t count;
    RowMask present; /* of the rows to write */
    bool has_nulls;
    size_t form_offset; /* where form and flags stand in the target */
} Encoder;

static void encode_column(const Vector *vector, const uint16_t *rows, uint32_t count,
                          ByteBuffer *target);
static void encode_values(Encoder *encoder);
static bool encode_dictionary(Encoder *encoder);
static void encode_flat(Encoder *encoder);

void batch_encode(const Batch *batch, ByteBuffer *target)
{
    byte_buffer_add_u8(target, WIRE_VERSION);
    byte_buffer_add_varint(target, batch->selected_count);
    byte_buffer_add_varint(target, batch->column_count);
    for (uint32_t i = 0; i < batch->column_count; i++) {
        encode_column(&batch->columns[i], batch->selection, batch->selected_count, target);
    }
}

static void set_form(Encoder *encoder, uint8_t form, uint8_t flags)
{
    if (!encoder->target->is_failed) {
        encoder->target->data[encoder->form_offset] = form;
        encoder->target->data[encoder->form_offset + 1] = flags;
    }
}

static uint8_t common_flags(const Encoder *encoder)
{
    const Vector *vector = encoder->vector;
    return (uint8_t)((encoder->has_nulls ? WIRE_HAS_NULLS : 0) |
                     (vector->has_trailing_blanks ? WIRE_HAS_TRAILING_BLANKS : 0) |
                     (vector->is_ascending ? WIRE_IS_ASCENDING : 0));
}

static void find_nulls(Encoder *encoder)
{
    const uint64_t *validity = encoder->vector->validity;
    row_mask_set_first(&encoder->present, encoder->count);
    if (validity == NULL) {
        return;
    }
    if (encoder->rows != NULL) {
        KERNELS(vector_kernels)
            ->gather_bits(validity, encoder->rows, encoder->count, encoder->present.words);
    } else {
        for (uint32_t i = 0; i * 64 < encoder->count; i++) {
            encoder->present.words[i] &= validity[i];
        }
    }
    encoder->has_nulls = row_mask_count(&encoder->present) < encoder->count;
}

static void encode_column(const Vector *vector, const uint16_t *rows, uint32_t count,
                          ByteBuffer *target)
{
    DEBUG_ASSERT(vector->form != VECTOR_LAZY);
    byte_buffer_add_u8(target, vector->type.id);
    byte_buffer_add_u8(target, vector->type.precision);
    byte_buffer_add_u8(target, vector->type.scale);
    byte_buffer_add_varint(target, (uint32_t)vector->type.length);
    Encoder encoder = {.target = target,
                       .vector = vector,
                       .rows = rows,
                       .count = count,
                       .form_offset = target->bytes};
    byte_buffer_add_u16(target, 0); // form and flags, known later
    if (count == 0) {
        return;
    }
    if (vector->form == VECTOR_CONSTANT) {
        encoder.has_nulls = vector_is_null(vector, 0);
        encoder.count = 1;
        encoder.rows = NULL;
        set_form(&encoder, WIRE_CONSTANT, common_flags(&encoder));
        if (!encoder.has_nulls) {
            row_mask_set_first(&encoder.present, 1);
            encode_values(&encoder);
        }
        return;
    }
    find_nulls(&encoder);
    bool can_be_dictionary = vector->form == VECTOR_DICTIONARY &&
                             (type_is_text(vector->type) || type_is_scaled_integer(vector->type));
    if (!can_be_dictionary || !encode_dictionary(&encoder)) {
        encode_flat(&encoder);
    }
}

static void encode_validity(Encoder *encoder)
{
    if (encoder->has_nulls) {
        byte_buffer_add(encoder->target, encoder->present.words, (encoder->count + 7) / 8);
    }
}

/* --- integers --- */

/* Null rows take the value of the first row that has one. */
static void patch_nulls(const Encoder *encoder, int64_t *values)
{
    if (!encoder->has_nulls) {
        return;
    }
    int64_t patch = 0;
    for (uint32_t i = 0; i < VALIDITY_WORDS; i++) {
        if (encoder->present.words[i] != 0) {
            patch = values[i * 64 + (uint32_t)__builtin_ctzll(encoder->present.words[i])];
            break;
        }
    }
    for (uint32_t i = 0; i < encoder->count; i++) {
        values[i] = validity_get(encoder->present.words, i) ? values[i] : patch;
    }
}

static void write_integers(ByteBuffer *target, const int64_t *values, uint32_t count, int64_t lo,
                           int64_t hi)
{
    const VectorKernels *kernels = KERNELS(vector_kernels);
    uint64_t span = (uint64_t)hi - (uint64_t)lo;
    uint32_t width = span == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(span);
    byte_buffer_add_u64(target, (uint64_t)lo);
    byte_buffer_add_u8(target, (uint8_t)width);
    if (width == 0) {
        return;
    }
    bool is_strip = count >= WIRE_STRIP_ROWS;
    size_t value_bytes = (width + 7) / 8;
    size_t bytes = is_strip ? strip_bytes(count, width) : count * value_bytes;
    uint8_t *room = byte_buffer_reserve(target, bytes);
    if (room == NULL) {
        return;
    }
    if (!is_strip) {
        for (uint32_t i = 0; i < count; i++) {
            uint64_t offset = (uint64_t)values[i] - (uint64_t)lo;
            memcpy(room + i * value_bytes, &offset, value_bytes);
        }
    } else if (width <= 32) {
        uint32_t offsets[VECTOR_ROWS + 16] = {0};
        kernels->convert[LANE_I64][LANE_U32](values, count, -(uint64_t)lo, offsets);
        KERNELS(strip_kernels)->pack32(offsets, count, width, room);
    } else {
        uint64_t offsets[VECTOR_ROWS + 16] = {0};
        kernels->convert[LANE_I64][LANE_I64](values, count, -(uint64_t)lo, offsets);
        KERNELS(strip_kernels)->pack64(offsets, count, width, room);
    }
    byte_buffer_commit(target, bytes);
}

static void encode_int64s(ByteBuffer *target, const int64_t *values, uint32_t count)
{
    int64_t lo, hi;
    KERNELS(vector_kernels)->min_max[LANE_I64](values, count, &lo, &hi);
    write_integers(target, values, count, lo, hi);
}

/* --- values --- */

static void encode_texts(Encoder *encoder)
{
    TextView storage[VECTOR_ROWS];
    int64_t lengths[VECTOR_ROWS];
    const TextView *views =
        vector_read_text(encoder->vector, encoder->rows, encoder->count, storage);
    size_t total_bytes = 0;
    for (uint32_t i = 0; i < encoder->count; i++) {
        bool is_present = validity_get(encoder->present.words, i);
        lengths[i] = is_present ? views[i].length : 0;
        total_bytes += (size_t)lengths[i];
    }
    encode_int64s(encoder->target, lengths, encoder->count);
    char *room = (char *)byte_buffer_reserve(encoder->target, total_bytes);
    if (room == NULL) {
        return;
    }
    for (uint32_t i = 0; i < encoder->count; i++) {
        memcpy(room, text_view_data(&views[i]), (size_t)lengths[i]);
        room += lengths[i];
    }
    byte_buffer_commit(encoder->target, total_bytes);
}

static void encode_wides(Encoder *encoder)
{
    Int128 values[VECTOR_ROWS];
    vector_read_int128(encoder->vector, encoder->rows, encoder->count, values);
    if (encoder->vector->type.id == TYPE_INTERVAL) {
        byte_buffer_add(encoder->target, values, encoder->count * sizeof(Int128));
        return;
    }
    int64_t narrow[VECTOR_ROWS];
    bool is_narrow = true;
    for (uint32_t i = 0; i < encoder->count; i++) {
        narrow[i] = (int64_t)values[i];
        is_narrow &= narrow[i] == values[i] || !validity_get(encoder->present.words, i);
    }
    byte_buffer_add_u8(encoder->target, is_narrow);
    if (is_narrow) {
        patch_nulls(encoder, narrow);
        encode_int64s(encoder->target, narrow, encoder->count);
    } else {
        byte_buffer_add(encoder->target, values, encoder->count * sizeof(Int128));
    }
}

static void encode_floats(Encoder *encoder)
{
    double values[VECTOR_ROWS];
    vector_read_double(encoder->vector, encoder->rows, encoder->count, values);
    if (encoder->vector->type.id == TYPE_DOUBLE) {
        byte_buffer_add(encoder->target, values, encoder->count * sizeof(double));
        return;
    }
    float narrow[VECTOR_ROWS];
    for (uint32_t i = 0; i < encoder->count; i++) {
        narrow[i] = (float)values[i];
    }
    byte_buffer_add(encoder->target, narrow, encoder->count * sizeof(float));
}

static void encode_values(Encoder *encoder)
{
    const Vector *vector = encoder->vector;
    if (type_is_text(vector->type)) {
        encode_texts(encoder);
    } else if (type_is_float(vector->type)) {
        encode_floats(encoder);
    } else if (!type_is_scaled_integer(vector->type)) {
        encode_wides(encoder);
    } else {
        int64_t values[VECTOR_ROWS];
        vector_read_int64(vector, encoder->rows, encoder->count, values);
        patch_nulls(encoder, values);
        encode_int64s(encoder->target, values, encoder->count);
    }
}

/* Rows as they are; integers that are all alike become a constant. */
static void encode_flat(Encoder *encoder)
{
    const Vector *vector = encoder->vector;
    if (!type_is_scaled_integer(vector->type)) {
        set_form(encoder, WIRE_FLAT, common_flags(encoder));
        encode_validity(encoder);
        encode_values(encoder);
        return;
    }
    int64_t values[VECTOR_ROWS], lo, hi;
    vector_read_int64(vector, encoder->rows, encoder->count, values);
    patch_nulls(encoder, values);
    KERNELS(vector_kernels)->min_max[LANE_I64](values, encoder->count, &lo, &hi);
    bool is_constant = lo == hi && !encoder->has_nulls;
    set_form(encoder, is_constant ? WIRE_CONSTANT : WIRE_FLAT, common_flags(encoder));
    encode_validity(encoder);
    write_integers(encoder->target, values, is_constant ? 1 : encoder->count, lo, hi);
}

/* --- dictionaries --- */

#define CODE_SPAN_MAX 16384u /* codes looked at for those in use */

/* The entries in use, in order, as a dictionary of their own; false when a flat column is as good.
 */
static bool encode_dictionary(Encoder *encoder)
{
    const Vector *vector = encoder->vector;
    const Dictionary *dictionary = vector->dictionary;
    uint64_t used[CODE_SPAN_MAX / 64] = {0};
    uint16_t rank[CODE_SPAN_MAX / 64];
    int64_t codes[VECTOR_ROWS], lo, hi;
    if (encoder->count < WIRE_STRIP_ROWS || row_mask_count(&encoder->present) == 0) {
        return false;
    }
    Vector plain = *vector; // the codes themselves as numbers
    plain.form = VECTOR_FLAT;
    plain.base = 0;
    vector_read_int64(&plain, encoder->rows, encoder->count, codes);
    patch_nulls(encoder, codes);
    KERNELS(vector_kernels)->min_max[LANE_I64](codes, encoder->count, &lo, &hi);
    if (hi - lo >= CODE_SPAN_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < encoder->count; i++) {
        uint64_t bit = (uint64_t)(codes[i] - lo);
        used[bit / 64] |= UINT64_C(1) << (bit % 64);
    }
    uint32_t entry_count = 0;
    uint32_t entries[VECTOR_ROWS];
    for (uint32_t i = 0; i <= (uint64_t)(hi - lo) / 64; i++) {
        rank[i] = (uint16_t)entry_count;
        for (uint64_t left = used[i]; left != 0; left &= left - 1) {
            entries[entry_count++] = (uint32_t)(lo + i * 64 + __builtin_ctzll(left));
        }
    }
    if (entry_count > encoder->count / 2) {
        return false;
    }
    for (uint32_t i = 0; i < encoder->count; i++) {
        uint64_t bit = (uint64_t)(codes[i] - lo), word = used[bit / 64];
        uint64_t below = word & ((UINT64_C(1) << (bit % 64)) - 1);
        codes[i] = rank[bit / 64] + __builtin_popcountll(below);
    }
    uint8_t flags = (uint8_t)(common_flags(encoder) | (dictionary->is_sorted ? WIRE_IS_SORTED : 0) |
                              (dictionary->is_unique ? WIRE_IS_UNIQUE : 0));
    set_form(encoder, WIRE_DICTIONARY, flags);
    encode_validity(encoder);
    byte_buffer_add_varint(encoder->target, entry_count);
    // the entries are the values of a dictionary vector whose codes are those in use
    Vector chosen = *vector;
    chosen.lane = LANE_U32;
    chosen.data = entries;
    Encoder entry_encoder = {.target = encoder->target, .vector = &chosen, .count = entry_count};
    row_mask_set_first(&entry_encoder.present, entry_count);
    encode_values(&entry_encoder);
    write_integers(encoder->target, codes, encoder->count, 0, entry_count - 1);
    return true;
}
