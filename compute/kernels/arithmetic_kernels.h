/*
 * arithmetic_kernels.h — + - * on lanes of any width, and on floats.
 *
 * Integer kernels work modulo the width of the target's lane: the caller has proven from bounds
 * that the true result fits, so whatever the intermediate steps wrap to, the lane is right.
 * Example: prices (U32 over base 90000) times 100 - discount (U8): both bases enter as `left_add`
 * and `right_add`, the result's negated base as `add`.
 *
 * All kernels run over rows 0..row_count: rows nobody selected cost less than leaving them out.
 */
#pragma once
#include "base/types/type.h"
#include "base/vector/kernel_level.h"

#define INTEGER_LANES 4 /* U8, U16, U32, I64 */

typedef struct LaneTerms {
    uint64_t left_add, right_add; /* multiply only */
    uint64_t add;
} LaneTerms;

/* target[i] = (left[i] + left_add) op (right[i] + right_add) + add; add and subtract have no
 * left_add and right_add. The target's lane is at least as wide as both inputs'. */
typedef void (*LanePairKernel)(const void *left, const void *right, uint32_t row_count,
                               const LaneTerms *terms, void *target);
/* target[i] = (lane[i] + left_add) * right_add + add, the right side being one value. */
typedef void (*LaneScaleKernel)(const void *lanes, uint32_t row_count, const LaneTerms *terms,
                                void *target);
/* The same on int64 with a test: true when some row, wanted or not, has overflowed. */
typedef bool (*CheckedKernel)(const int64_t *left, const int64_t *right, uint32_t row_count,
                              int64_t *target);

/* What float results deserve a second look at: */
#define FLOAT_NOT_FINITE 1u /* some result is infinite or NaN */
#define FLOAT_ZERO 2u       /* some result is zero */
typedef uint32_t (*FloatKernel)(const void *left, const void *right, uint32_t row_count,
                                void *target);

typedef enum ArithmeticOp {
    ARITHMETIC_ADD,
    ARITHMETIC_SUBTRACT,
    ARITHMETIC_MULTIPLY,
    ARITHMETIC_DIVIDE, /* floats only */
    ARITHMETIC_OP_COUNT
} ArithmeticOp;

typedef enum DivideMode {
    DIVIDE_CUT,      /* towards zero */
    DIVIDE_ROUNDED,  /* half away from zero */
    DIVIDE_REMAINDER /* with the sign of the dividend */
} DivideMode;
#define DIVIDE_SHORT_MAX (INT64_C(1) << 52) /* of both sides' absolute values */

typedef struct ArithmeticKernels {
    /* [op][lane of left][lane of right][lane of target] */
    LanePairKernel pair[3][INTEGER_LANES][INTEGER_LANES][INTEGER_LANES];
    /* Products in int64 lanes whose factors, base included, are unsigned 32-bit numbers: half the
     * work of a 64-bit product. [lane of left][lane of right]: U8, U16, U32 */
    LanePairKernel multiply_short[3][3];
    LaneScaleKernel scale[INTEGER_LANES][INTEGER_LANES]; /* [lane][lane of target] */
    CheckedKernel checked[3];
    FloatKernel f32[ARITHMETIC_OP_COUNT], f64[ARITHMETIC_OP_COUNT];
    /* target[i] = source[i] / divisor, rounded half away from zero; divisor > 1. */
    void (*divide_rounded)(const int64_t *source, uint32_t row_count, int64_t divisor,
                           int64_t *target);
    /* The same for short numbers by way of doubles, which have a vector division; divisor <> 0. */
    void (*divide_short)(const int64_t *source, uint32_t row_count, int64_t divisor,
                         DivideMode mode, int64_t *target);
} ArithmeticKernels;
KERNEL_TABLE(ArithmeticKernels, arithmetic_kernels);
