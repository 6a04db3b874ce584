/* pack_lanes.tmpl.h — packs and unpacks 1,024 residuals of one lane type; needs T (an unsigned C
 * type), T_BITS and LANE_NAME(stem). See pack_kernels.h for the layout.
 *
 * Row r of the vector holds values r*L .. r*L+L-1, one per lane; its `width` bits start at bit
 * r*width of every lane. All inner loops run over lanes and have no dependences, so that any
 * compiler turns them into full vectors. */

#define LANES (1024 / T_BITS)

static inline __attribute__((always_inline)) void
LANE_NAME(unpack_row)(const T *restrict packed, uint32_t width, uint32_t row, T *restrict target)
{
    const uint32_t first_bit = row * width;
    const uint32_t shift = first_bit % T_BITS;
    const T *low = packed + (size_t)(first_bit / T_BITS) * LANES;
    const T mask = (T)(width == T_BITS ? (T) ~(T)0 : (T)(((T)1 << (width % T_BITS)) - 1));
    T *out = target + (size_t)row * LANES;
    if (shift + width <= T_BITS) {
        for (size_t i = 0; i < LANES; i++) {
            out[i] = (T)((T)(low[i] >> shift) & mask);
        }
    } else {
        const T *high = low + LANES;
        for (size_t i = 0; i < LANES; i++) {
            out[i] = (T)((T)((T)(low[i] >> shift) | (T)(high[i] << (T_BITS - shift))) & mask);
        }
    }
}

/* `width` is a constant in every caller of the unrolled form, so each row becomes straight code. */
static inline __attribute__((always_inline)) void
LANE_NAME(unpack_width)(const T *restrict packed, uint32_t width, T *restrict target)
{
#pragma GCC unroll 64
    for (uint32_t row = 0; row < T_BITS; row++) {
        LANE_NAME(unpack_row)(packed, width, row, target);
    }
}

static inline void LANE_NAME(unpack_any)(const T *restrict packed, uint32_t width,
                                         T *restrict target)
{
#pragma GCC unroll 1
    for (uint32_t row = 0; row < T_BITS; row++) {
        LANE_NAME(unpack_row)(packed, width, row, target);
    }
}

static void LANE_NAME(pack)(const T *restrict lanes, uint32_t width, T *restrict packed)
{
#pragma GCC unroll 1
    for (uint32_t row = 0; row < T_BITS; row++) {
        const uint32_t first_bit = row * width;
        const uint32_t shift = first_bit % T_BITS;
        T *low = packed + (size_t)(first_bit / T_BITS) * LANES;
        const T *in = lanes + (size_t)row * LANES;
        if (shift == 0) {
            for (size_t i = 0; i < LANES; i++) {
                low[i] = in[i];
            }
        } else {
            for (size_t i = 0; i < LANES; i++) {
                low[i] = (T)(low[i] | (T)(in[i] << shift));
            }
        }
        if (shift + width > T_BITS) {
            T *high = low + LANES;
            for (size_t i = 0; i < LANES; i++) {
                high[i] = (T)(in[i] >> (T_BITS - shift));
            }
        }
    }
}

/* Offsets of int64 values from `base`, cut to the lane; what is cut off is the caller's (patches).
 */
static void LANE_NAME(narrow)(const int64_t *restrict values, int64_t base, T *restrict lanes)
{
    for (size_t i = 0; i < 1024; i++) {
        lanes[i] = (T)((uint64_t)values[i] - (uint64_t)base);
    }
}

#undef LANES
#undef T
#undef T_BITS
#undef LANE_NAME
