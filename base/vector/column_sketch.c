/* column_sketch.c — see column_sketch.h. A register holds the longest run of leading zeroes seen
 * among the hashes of its kind: after some thousand values hardly any hash raises one, so hashes
 * are first compared with what could raise the smallest register. */
#include "base/vector/column_sketch.h"

#include <math.h>
#include <string.h>
#include "base/hash.h"
#include "base/vector/hash_kernels.h"
#include "base/vector/vector_internal.h"

#define INDEX_BITS 10
#define RANK_MAX (64 - INDEX_BITS + 1)
#define LINEAR_COUNT_MAX (2.5 * SKETCH_REGISTERS)
#define SKETCH_VERSION 1
static_assert(1 << INDEX_BITS == SKETCH_REGISTERS, "a hash's first bits choose the register");

void column_sketch_init(ColumnSketch *sketch, Type type)
{
    *sketch = (ColumnSketch){.type = type};
}

static void add_hash(ColumnSketch *sketch, uint64_t hash)
{
    const uint64_t rest = hash << INDEX_BITS;
    const uint8_t rank = rest == 0 ? RANK_MAX : (uint8_t)(__builtin_clzll(rest) + 1);
    uint8_t *target = &sketch->registers[hash >> (64 - INDEX_BITS)];
    *target = rank > *target ? rank : *target;
}

/* The largest rest of a hash that can still raise a register. */
static uint64_t rest_bound(const ColumnSketch *sketch)
{
    uint8_t smallest = RANK_MAX;
    for (size_t i = 0; i < SKETCH_REGISTERS; i++) {
        smallest = sketch->registers[i] < smallest ? sketch->registers[i] : smallest;
    }
    return UINT64_MAX >> smallest;
}

/* `hashes` is used up. */
static void add_hashes(ColumnSketch *sketch, uint64_t *hashes, uint32_t count, uint64_t bound)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t hash = hashes[i];
        hashes[kept] = hash;
        kept += (hash << INDEX_BITS) <= bound;
    }
    for (uint32_t i = 0; i < kept; i++) {
        add_hash(sketch, hashes[i]);
    }
}

void column_sketch_add_int64(ColumnSketch *sketch, const int64_t *values, uint32_t count)
{
    uint64_t hashes[VECTOR_ROWS];
    const uint64_t bound = rest_bound(sketch);
    for (uint32_t start = 0; start < count; start += VECTOR_ROWS) {
        const uint32_t left = count - start, rows = left < VECTOR_ROWS ? left : VECTOR_ROWS;
        KERNELS(hash_kernels)->distribution((const uint64_t *)values + start, rows, hashes);
        add_hashes(sketch, hashes, rows, bound);
    }
}

static uint64_t text_hash(const TextView *text)
{
    const char *data = text_view_data(text);
    return hash_bytes(data, text_trimmed_length(data, text->length), 0);
}

void column_sketch_add_texts(ColumnSketch *sketch, const TextView *texts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        add_hash(sketch, text_hash(&texts[i]));
    }
}

static uint64_t value_hash(const Value *value)
{
    uint64_t hash;
    if (type_is_text(value->type)) {
        return text_hash(&value->text);
    }
    if (type_is_float(value->type)) {
        const double number = isnan(value->f64) ? (double)NAN : value->f64 == 0 ? 0 : value->f64;
        return hash_bytes(&number, sizeof number, 0);
    }
    if (type_is_scaled_integer(value->type)) {
        KERNELS(hash_kernels)->distribution((const uint64_t *)&value->i64, 1, &hash);
        return hash;
    }
    return hash_bytes(&value->i128, sizeof value->i128, 0);
}

void column_sketch_add_value(ColumnSketch *sketch, const Value *value)
{
    add_hash(sketch, value_hash(value));
}

/* Text bounds are cut to what the sketch holds: for estimates a prefix is good enough. */
static Value keep_bound(const Value *value, char text[SKETCH_TEXT_BYTES])
{
    Value kept = *value;
    if (type_is_text(value->type)) {
        const uint32_t bytes =
            value->text.length < SKETCH_TEXT_BYTES ? value->text.length : SKETCH_TEXT_BYTES;
        memmove(text, text_view_data(&value->text), bytes);
        kept.text = text_view_make(text, bytes);
    }
    return kept;
}

void column_sketch_add_bounds(ColumnSketch *sketch, const Value *min, const Value *max)
{
    if (!sketch->has_bounds || value_compare(min, &sketch->min) < 0) {
        sketch->min = keep_bound(min, sketch->min_text);
    }
    if (!sketch->has_bounds || value_compare(max, &sketch->max) > 0) {
        sketch->max = keep_bound(max, sketch->max_text);
    }
    sketch->has_bounds = true;
}

void column_sketch_add(ColumnSketch *sketch, const Vector *vector, const Batch *batch)
{
    for (uint32_t i = 0; i < batch->selected_count; i++) {
        const Value value = vector_value(vector, batch_row(batch, i));
        sketch->row_count++;
        if (value.is_null) {
            sketch->null_count++;
            continue;
        }
        column_sketch_add_bounds(sketch, &value, &value);
        add_hash(sketch, value_hash(&value));
        if (type_is_text(value.type)) {
            sketch->text_bytes += value.text.length;
        }
    }
}

void column_sketch_merge(ColumnSketch *target, const ColumnSketch *source)
{
    target->row_count += source->row_count;
    target->null_count += source->null_count;
    target->text_bytes += source->text_bytes;
    if (source->has_bounds) {
        column_sketch_add_bounds(target, &source->min, &source->max);
    }
    for (size_t i = 0; i < SKETCH_REGISTERS; i++) {
        if (source->registers[i] > target->registers[i]) {
            target->registers[i] = source->registers[i];
        }
    }
}

double column_sketch_distinct(const ColumnSketch *sketch)
{
    const double m = SKETCH_REGISTERS, alpha = 0.7213 / (1 + 1.079 / m);
    double sum = 0;
    uint32_t empty = 0;
    for (size_t i = 0; i < SKETCH_REGISTERS; i++) {
        sum += ldexp(1, -(int)sketch->registers[i]);
        empty += sketch->registers[i] == 0;
    }
    double estimate = alpha * m * m / sum;
    if (estimate <= LINEAR_COUNT_MAX && empty > 0) {
        estimate = m * log(m / empty);
    }
    const double present = (double)(sketch->row_count - sketch->null_count);
    return estimate < present ? estimate : present;
}

/* Layout: version, type, counts, bounds (flag, then two values), registers. */

static void encode_type(Type type, ByteBuffer *target)
{
    byte_buffer_add_u8(target, type.id);
    byte_buffer_add_u8(target, type.precision);
    byte_buffer_add_u8(target, type.scale);
    byte_buffer_add_u32(target, (uint32_t)type.length);
}

static Type decode_type(ByteReader *reader)
{
    Type type = {.id = byte_reader_u8(reader)};
    type.precision = byte_reader_u8(reader);
    type.scale = byte_reader_u8(reader);
    type.length = (int32_t)byte_reader_u32(reader);
    if (type.id >= TYPE_COUNT) {
        byte_reader_fail(reader);
        type.id = TYPE_UNKNOWN;
    }
    return type;
}

static void encode_bound(const Value *value, ByteBuffer *target)
{
    if (type_is_text(value->type)) {
        byte_buffer_add_blob(target, text_view_data(&value->text), value->text.length);
    } else {
        byte_buffer_add(target, &value->i128, sizeof value->i128);
    }
}

static Value decode_bound(ByteReader *reader, Type type, char text[SKETCH_TEXT_BYTES])
{
    Value value = {.type = type};
    size_t bytes = sizeof value.i128;
    const uint8_t *data =
        type_is_text(type) ? byte_reader_blob(reader, &bytes) : byte_reader_view(reader, bytes);
    if (data == NULL || (type_is_text(type) && bytes > SKETCH_TEXT_BYTES)) {
        byte_reader_fail(reader);
        return value;
    }
    if (type_is_text(type)) {
        memcpy(text, data, bytes);
        value.text = text_view_make(text, bytes);
    } else {
        memcpy(&value.i128, data, sizeof value.i128);
    }
    return value;
}

void column_sketch_encode(const ColumnSketch *sketch, ByteBuffer *target)
{
    byte_buffer_add_u8(target, SKETCH_VERSION);
    encode_type(sketch->type, target);
    byte_buffer_add_u64(target, sketch->row_count);
    byte_buffer_add_u64(target, sketch->null_count);
    byte_buffer_add_u64(target, sketch->text_bytes);
    byte_buffer_add_u8(target, sketch->has_bounds);
    if (sketch->has_bounds) {
        encode_bound(&sketch->min, target);
        encode_bound(&sketch->max, target);
    }
    byte_buffer_add(target, sketch->registers, sizeof sketch->registers);
}

Status column_sketch_decode(ByteReader *reader, ColumnSketch *out)
{
    const uint8_t version = byte_reader_u8(reader);
    column_sketch_init(out, decode_type(reader));
    out->row_count = byte_reader_u64(reader);
    out->null_count = byte_reader_u64(reader);
    out->text_bytes = byte_reader_u64(reader);
    out->has_bounds = byte_reader_u8(reader) == 1;
    if (out->has_bounds) {
        out->min = decode_bound(reader, out->type, out->min_text);
        out->max = decode_bound(reader, out->type, out->max_text);
    }
    const uint8_t *registers = byte_reader_view(reader, sizeof out->registers);
    if (registers != NULL) {
        memcpy(out->registers, registers, sizeof out->registers);
    }
    for (size_t i = 0; i < SKETCH_REGISTERS; i++) {
        if (out->registers[i] > RANK_MAX) {
            byte_reader_fail(reader);
        }
    }
    if (!byte_reader_is_ok(reader) || version != SKETCH_VERSION ||
        out->null_count > out->row_count) {
        return status_error(SQLSTATE_DATA_CORRUPTED, "malformed column sketch");
    }
    return STATUS_OK;
}
