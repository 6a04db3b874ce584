/*
 * row_hash.c — the hash of join and group keys: fast, not frozen; see distribution_hash.h.
 *
 * A folded multiply per eight bytes. Texts of up to 12 bytes hash the two words of their
 * view, so only long ones touch their bytes.
 */
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/vector/distribution_hash.h"
#include "base/vector/hash_kernels.h"
#include "base/vector/hash_method.h"

#define ROW_NULL_HASH UINT64_C(0x8A5CD789635D2DFF)

static void hash_integers(Type type, uint64_t *values, uint32_t count)
{
    (void)type;
    KERNELS(hash_kernels)->row(values, count, values);
}

static void hash_wides(Type type, const Int128 *values, uint32_t count, uint64_t *hashes)
{
    for (uint32_t i = 0; i < count; i++) {
        Int128 value = values[i];
        if (type.id == TYPE_INTERVAL) {
            Interval interval;
            memcpy(&interval, &values[i], sizeof interval);
            value = interval_span_us(&interval);
        }
        hashes[i] = hash_mix((uint64_t)value);
        if (value > INT64_MAX || value < INT64_MIN) {
            hashes[i] = hash_combine(hashes[i], (uint64_t)((UInt128)value >> 64));
        }
    }
}

static void hash_doubles(const double *values, uint32_t count, uint64_t *hashes)
{
    for (uint32_t i = 0; i < count; i++) {
        double value = values[i] + 0.0; // -0 becomes 0
        value = isnan(value) ? (double)NAN : value;
        memcpy(&hashes[i], &value, sizeof value);
    }
    KERNELS(hash_kernels)->row(hashes, count, hashes);
}

static uint64_t hash_text(const TextView *view)
{
    if (view->length > TEXT_INLINE_MAX) {
        return hash_bytes(view->data, view->length, 0);
    }
    uint64_t words[2];
    memcpy(words, view, sizeof words);
    return hash_combine(hash_mix(words[0]), words[1]);
}

static void hash_texts(const TextView *values, uint32_t count, bool is_trimmed, uint64_t *hashes)
{
    if (is_trimmed) {
        for (uint32_t i = 0; i < count; i++) {
            hashes[i] = hash_text(&values[i]);
        }
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const char *data = text_view_data(&values[i]);
        TextView trimmed = text_view_make(data, text_trimmed_length(data, values[i].length));
        hashes[i] = hash_text(&trimmed);
    }
}

static void combine_hashes(const uint64_t *next, uint32_t count, uint64_t *hashes)
{
    KERNELS(hash_kernels)->row_combine(next, count, hashes);
}

static const HashMethod row_method = {
    .null_hash = ROW_NULL_HASH,
    .integers = hash_integers,
    .wides = hash_wides,
    .doubles = hash_doubles,
    .texts = hash_texts,
    .combine = combine_hashes,
};

void row_hash_column(const Vector *vector, const Batch *batch, bool is_combined, uint64_t *hashes)
{
    hash_column(&row_method, vector, batch, is_combined, hashes);
}

uint64_t row_hash_value(const Value *value)
{
    return hash_single_value(&row_method, value);
}
