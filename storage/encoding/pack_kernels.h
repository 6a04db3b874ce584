/*
 * pack_kernels.h — the hot loops of the encodings, built once per kernel level.
 *
 * Layout of a packed vector of width w (fixed by the format): the lane type has T bits, the
 * narrowest of 8, 16, 32, 64 that is at least w; there are L = 1024 / T lanes. Value i lies in lane
 * i mod L as its (i div L)-th value; a lane's values follow each other without gaps, w bits each,
 * lowest bits first, in words of T bits; word k of lane l is at index k * L + l. A vector takes
 * exactly 128 * w bytes.
 *
 * Example, w = 3, so T = 8, L = 128: byte 0 holds values 0, 128 and the low two bits of value 256;
 * byte 1 holds values 1, 129, …; byte 128 the third bit of value 256, then values 384, 512, ….
 */
#pragma once
#include "base/types/type.h"
#include "base/vector/kernel_level.h"

/* What one pass over up to 1,024 int64 values tells. */
typedef struct VectorProfile {
    int64_t min, max;
    int64_t delta_min, delta_max; /* of value[i] - value[i-1], wrapping, from i = 1 */
    uint32_t change_count;        /* i > 0 with value[i] != value[i-1] */
    uint32_t descent_count;       /* i > 0 with value[i] < value[i-1] */
    Int128 sum;
} VectorProfile;

typedef struct PackKernels {
    /* 1,024 lanes of the width's lane type <-> 128 * width bytes. width 0..64; 0 gives zeroes.
     * `packed` is read exactly; both are 16-byte aligned or better. */
    void (*unpack)(const void *packed, uint32_t width, void *lanes);
    void (*pack)(const void *lanes, uint32_t width, void *packed);
    /* Low bits of value - base as lanes U8, U16, U32 or 64-bit (LANE_I64). */
    void (*narrow)(const int64_t *values, int64_t base, Lane lane, void *lanes);
    /* The low 1,024 lanes of one type as a wider one. */
    void (*widen)(const void *lanes, Lane lane, Lane wider, void *out);
    /* value = lane + base for 1,024 64-bit lanes, in place. */
    void (*add_base)(int64_t *lanes, int64_t base);
    /* `values` are row_count <= 1024; the sum excludes nothing (callers subtract null rows). */
    void (*profile)(const int64_t *values, uint32_t row_count, VectorProfile *out);
    /* How many of the 1,024 values exceed base + bound (as unsigned offsets). */
    uint32_t (*count_above)(const int64_t *values, int64_t base, uint64_t bound);
    /* lanes[i] = first + i * step_base + steps[1] + … + steps[i] as U16, U32 or 64-bit lanes: at
     * least as wide as `lane`, which must hold every result; returns which. */
    Lane (*prefix_sum)(const void *steps, Lane step_lane, uint64_t first, uint64_t step_base,
                       Lane lane, void *lanes);
    /* Sums of 1,024 lanes of two types as lanes of a third, no narrower than either; they wrap.
     * `scratch`: 1,024 64-bit lanes. */
    void (*add_lanes)(const void *left, Lane left_lane, const void *right, Lane right_lane,
                      void *scratch, Lane lane, void *out);
    /* 1,024 lanes times `factor`, in place; they wrap. */
    void (*multiply)(void *lanes, Lane lane, uint64_t factor);
} PackKernels;

KERNEL_TABLE(PackKernels, pack_kernels);

static inline Lane pack_lane_of_width(uint32_t width)
{
    return width <= 8 ? LANE_U8 : width <= 16 ? LANE_U16 : width <= 32 ? LANE_U32 : LANE_I64;
}
static inline size_t pack_bytes(uint32_t width)
{
    return (size_t)128 * width;
}
static inline uint32_t pack_width_of(uint64_t residual)
{
    return residual == 0 ? 0 : 64u - (uint32_t)__builtin_clzll(residual);
}
