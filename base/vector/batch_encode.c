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

/* Numbers on their way out: offsets from a base, in lanes of 32 or 64 bits. */
typedef struct Numbers {
    Lane lane; /* U32 or I64 */
    int64_t base;
    uint32_t count;
    _Alignas(64) uint64_t lanes[VECTOR_ROWS + 16];
} Numbers;

/* The row that null rows borrow their value from: the first that has one; false: none has. */
static bool find_present(const Encoder *encoder, uint32_t *row)
{
    for (uint32_t i = 0; i < VALIDITY_WORDS; i++) {
        if (encoder->present.words[i] != 0) {
            *row = i * 64 + (uint32_t)__builtin_ctzll(encoder->present.words[i]);
            return true;
        }
    }
    return false;
}

/* So that nulls widen nothing. */
static void patch_nulls(const Encoder *encoder, Numbers *numbers)
{
    uint32_t donor, *narrow = (uint32_t *)numbers->lanes;
    if (!encoder->has_nulls) {
        return;
    }
    if (!find_present(encoder, &donor)) {
        // lanes below nulls hold anything, even what the type cannot: zeros fit every type
        numbers->base = 0;
        memset(numbers->lanes, 0, numbers->count * lane_bytes(numbers->lane));
        return;
    }
    for (uint32_t i = 0; i < numbers->count; i++) {
        uint32_t from = validity_get(encoder->present.words, i) ? i : donor;
        if (numbers->lane == LANE_U32) {
            narrow[i] = narrow[from];
        } else {
            numbers->lanes[i] = numbers->lanes[from];
        }
    }
}

/* The selected integers of a flat vector or the entries behind codes. */
static void read_numbers(const Encoder *encoder, const Vector *vector, Numbers *numbers)
{
    const VectorKernels *kernels = KERNELS(vector_kernels);
    numbers->count = encoder->count;
    Lane lane = (Lane)vector->lane;
    if (vector->form == VECTOR_DICTIONARY || lane > LANE_U32) {
        numbers->lane = LANE_I64;
        numbers->base = 0;
        vector_read_int64(vector, encoder->rows, encoder->count, (int64_t *)numbers->lanes);
    } else {
        numbers->lane = LANE_U32;
        numbers->base = vector->base;
        if (encoder->rows == NULL) {
            kernels->convert[lane][LANE_U32](vector->data, encoder->count, 0, numbers->lanes);
        } else {
            kernels->gather[lane][LANE_U32](vector->data, encoder->rows, encoder->count, 0,
                                            numbers->lanes);
        }
    }
    patch_nulls(encoder, numbers);
}

/* Writes numbers of which the offsets lo..hi are known; they are used up. */
static void write_range(ByteBuffer *target, Numbers *numbers, int64_t lo, int64_t hi)
{
    const VectorKernels *kernels = KERNELS(vector_kernels);
    uint32_t count = numbers->count;
    uint64_t span = (uint64_t)hi - (uint64_t)lo;
    uint32_t width = span == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(span);
    byte_buffer_add_u64(target, (uint64_t)numbers->base + (uint64_t)lo);
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
    _Alignas(64) uint64_t offsets[VECTOR_ROWS + 16];
    Lane lane = width <= 32 ? LANE_U32 : LANE_I64;
    size_t offset_bytes = lane_bytes(lane);
    kernels->convert[numbers->lane][lane](numbers->lanes, count, -(uint64_t)lo, offsets);
    memset((char *)offsets + count * offset_bytes, 0, 16 * offset_bytes); // packed along
    if (!is_strip) {
        for (uint32_t i = 0; i < count; i++) {
            memcpy(room + i * value_bytes, (char *)offsets + i * offset_bytes, value_bytes);
        }
    } else if (lane == LANE_U32) {
        KERNELS(strip_kernels)->pack32((const uint32_t *)offsets, count, width, room);
    } else {
        KERNELS(strip_kernels)->pack64(offsets, count, width, room);
    }
    byte_buffer_commit(target, bytes);
}

static void write_numbers(ByteBuffer *target, Numbers *numbers)
{
    int64_t lo, hi;
    KERNELS(vector_kernels)->min_max[numbers->lane](numbers->lanes, numbers->count, &lo, &hi);
    write_range(target, numbers, lo, hi);
}

/* --- values --- */

static void encode_texts(Encoder *encoder)
{
    TextView storage[VECTOR_ROWS];
    Numbers lengths = {.lane = LANE_U32, .count = encoder->count};
    uint32_t *bytes = (uint32_t *)lengths.lanes;
    const TextView *views =
        vector_read_text(encoder->vector, encoder->rows, encoder->count, storage);
    size_t total_bytes = 0;
    for (uint32_t i = 0; i < encoder->count; i++) {
        bytes[i] = validity_get(encoder->present.words, i) ? views[i].length : 0;
        total_bytes += bytes[i];
    }
    write_numbers(encoder->target, &lengths);
    char *room = (char *)byte_buffer_reserve(encoder->target, total_bytes);
    if (room == NULL) {
        return;
    }
    for (uint32_t i = 0; i < encoder->count; i++) {
        memcpy(room, text_view_data(&views[i]), bytes[i]);
        room += bytes[i];
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
    Numbers narrow = {.lane = LANE_I64, .count = encoder->count};
    bool is_narrow = true;
    for (uint32_t i = 0; i < encoder->count; i++) {
        narrow.lanes[i] = (uint64_t)values[i];
        is_narrow &= (int64_t)values[i] == values[i] || !validity_get(encoder->present.words, i);
    }
    byte_buffer_add_u8(encoder->target, is_narrow);
    if (is_narrow) {
        patch_nulls(encoder, &narrow);
        write_numbers(encoder->target, &narrow);
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
        Numbers numbers;
        read_numbers(encoder, vector, &numbers);
        write_numbers(encoder->target, &numbers);
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
    Numbers numbers;
    int64_t lo, hi;
    read_numbers(encoder, vector, &numbers);
    KERNELS(vector_kernels)->min_max[numbers.lane](numbers.lanes, numbers.count, &lo, &hi);
    bool is_constant = lo == hi && !encoder->has_nulls;
    set_form(encoder, is_constant ? WIRE_CONSTANT : WIRE_FLAT, common_flags(encoder));
    encode_validity(encoder);
    write_range(encoder->target, &numbers, lo, hi);
}

/* --- dictionaries --- */

#define CODE_SPAN_MAX 4096u /* codes looked at for those in use */

/* Codes in use, ascending, and the rank of each among them. */
typedef struct CodeSet {
    uint16_t rank[CODE_SPAN_MAX]; /* of code lo + i */
    uint32_t entries[CODE_SPAN_MAX + 1];
    uint32_t entry_count;
} CodeSet;

static void collect_codes(const uint32_t *codes, uint32_t count, uint32_t lo, uint32_t span,
                          CodeSet *set)
{
    uint8_t is_used[CODE_SPAN_MAX];
    memset(is_used, 0, span);
    for (uint32_t i = 0; i < count; i++) {
        is_used[codes[i] - lo] = 1;
    }
    set->entry_count = 0;
    for (uint32_t i = 0; i < span; i++) {
        set->rank[i] = (uint16_t)set->entry_count;
        set->entries[set->entry_count] = lo + i; // overwritten when the code is not used
        set->entry_count += is_used[i];
    }
}

/* The entries in use, in order, as a dictionary of their own; false when a flat column is as good.
 */
static bool encode_dictionary(Encoder *encoder)
{
    const Vector *vector = encoder->vector;
    const Dictionary *dictionary = vector->dictionary;
    if (encoder->count < WIRE_STRIP_ROWS || row_mask_count(&encoder->present) == 0) {
        return false;
    }
    Vector plain = *vector; // the codes themselves as numbers
    plain.form = VECTOR_FLAT;
    plain.base = 0;
    Numbers numbers;
    int64_t lo, hi;
    read_numbers(encoder, &plain, &numbers);
    uint32_t *codes = (uint32_t *)numbers.lanes;
    KERNELS(vector_kernels)->min_max[LANE_U32](codes, encoder->count, &lo, &hi);
    if (hi - lo >= CODE_SPAN_MAX) {
        return false;
    }
    CodeSet set;
    collect_codes(codes, encoder->count, (uint32_t)lo, (uint32_t)(hi - lo) + 1, &set);
    if (set.entry_count > encoder->count / 2) {
        return false;
    }
    for (uint32_t i = 0; i < encoder->count; i++) {
        codes[i] = set.rank[codes[i] - (uint32_t)lo];
    }
    uint8_t flags = (uint8_t)(common_flags(encoder) | (dictionary->is_sorted ? WIRE_IS_SORTED : 0) |
                              (dictionary->is_unique ? WIRE_IS_UNIQUE : 0));
    set_form(encoder, WIRE_DICTIONARY, flags);
    encode_validity(encoder);
    byte_buffer_add_varint(encoder->target, set.entry_count);
    // the entries are the values of a dictionary vector whose codes are those in use
    Vector chosen = *vector;
    chosen.lane = LANE_U32;
    chosen.data = set.entries;
    Encoder entry_encoder = {
        .target = encoder->target, .vector = &chosen, .count = set.entry_count};
    row_mask_set_first(&entry_encoder.present, set.entry_count);
    encode_values(&entry_encoder);
    write_range(encoder->target, &numbers, 0, set.entry_count - 1);
    return true;
}
