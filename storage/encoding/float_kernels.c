/* float_kernels.c — see float_kernels.h. */
#include "storage/encoding/float_kernels.h"

#define T float
#define BITS uint32_t
#define ENCODE_NAME encode_f32
#include "storage/encoding/alp_encode.tmpl.h"
#define T double
#define BITS uint64_t
#define ENCODE_NAME encode_f64
#include "storage/encoding/alp_encode.tmpl.h"

static uint32_t alp_encode(const void *values, Lane lane, uint32_t count, uint32_t exponent,
                           uint32_t factor, int64_t *numbers)
{
    return lane == LANE_F32 ? encode_f32(values, count, alp_powers[exponent], alp_fractions[factor],
                                         alp_powers[factor], alp_fractions[exponent], numbers)
                            : encode_f64(values, count, alp_powers[exponent], alp_fractions[factor],
                                         alp_powers[factor], alp_fractions[exponent], numbers);
}

#define FROM uint8_t
#define TO float
#define DECODE_NAME decode_u8_f32
#include "storage/encoding/alp_decode.tmpl.h"
#define FROM uint16_t
#define TO float
#define DECODE_NAME decode_u16_f32
#include "storage/encoding/alp_decode.tmpl.h"
#define FROM uint32_t
#define TO float
#define DECODE_NAME decode_u32_f32
#include "storage/encoding/alp_decode.tmpl.h"
#define FROM uint64_t
#define TO float
#define DECODE_NAME decode_u64_f32
#include "storage/encoding/alp_decode.tmpl.h"
#define FROM uint8_t
#define TO double
#define DECODE_NAME decode_u8_f64
#include "storage/encoding/alp_decode.tmpl.h"
#define FROM uint16_t
#define TO double
#define DECODE_NAME decode_u16_f64
#include "storage/encoding/alp_decode.tmpl.h"
#define FROM uint32_t
#define TO double
#define DECODE_NAME decode_u32_f64
#include "storage/encoding/alp_decode.tmpl.h"
#define FROM uint64_t
#define TO double
#define DECODE_NAME decode_u64_f64
#include "storage/encoding/alp_decode.tmpl.h"

static void alp_decode(const void *lanes, Lane lane, int64_t base, uint32_t exponent,
                       uint32_t factor, Lane target, void *out)
{
    const double up = alp_powers[factor], down = alp_fractions[exponent];
    if (target == LANE_F32) {
        switch (lane) {
        case LANE_U8:
            decode_u8_f32(lanes, base, up, down, out);
            return;
        case LANE_U16:
            decode_u16_f32(lanes, base, up, down, out);
            return;
        case LANE_U32:
            decode_u32_f32(lanes, base, up, down, out);
            return;
        default:
            decode_u64_f32(lanes, base, up, down, out);
            return;
        }
    }
    switch (lane) {
    case LANE_U8:
        decode_u8_f64(lanes, base, up, down, out);
        return;
    case LANE_U16:
        decode_u16_f64(lanes, base, up, down, out);
        return;
    case LANE_U32:
        decode_u32_f64(lanes, base, up, down, out);
        return;
    default:
        decode_u64_f64(lanes, base, up, down, out);
        return;
    }
}

static void join_u64(const uint64_t *restrict rights, const uint8_t *restrict codes,
                     const uint64_t *restrict entries, uint64_t *restrict out)
{
    for (size_t i = 0; i < 1024; i++) {
        out[i] = rights[i] | entries[codes[i]];
    }
}

static void join_u32(const uint32_t *restrict rights, const uint8_t *restrict codes,
                     const uint32_t *restrict entries, uint32_t *restrict out)
{
    for (size_t i = 0; i < 1024; i++) {
        out[i] = rights[i] | entries[codes[i]];
    }
}

static void join_parts(const void *rights, const uint8_t *codes,
                       const uint64_t entries[ALP_LEFT_ENTRIES], Lane target, void *out)
{
    if (target == LANE_F64) {
        join_u64(rights, codes, entries, out);
        return;
    }
    uint32_t narrow[ALP_LEFT_ENTRIES];
    for (uint32_t i = 0; i < ALP_LEFT_ENTRIES; i++) {
        narrow[i] = (uint32_t)entries[i];
    }
    join_u32(rights, codes, narrow, out);
}

const FloatKernels KERNEL(float_kernels) = {
    .alp_encode = alp_encode,
    .alp_decode = alp_decode,
    .join_parts = join_parts,
};
