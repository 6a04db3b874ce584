/* strip_kernels.c — see strip_kernels.h. */
#include "base/vector/strip_kernels.h"

#include <string.h>

#if defined(__AVX512F__)
#define PART_BYTES 64u
#elif defined(__AVX2__)
#define PART_BYTES 32u
#else
#define PART_BYTES 16u
#endif

#define WORD uint32_t
#define WORD_BITS 32u
#define STRIP_LANES 16u
#define PART Part32
#define NAME(stem) stem##32
#include "base/vector/strip.tmpl.h"
#undef WORD
#undef WORD_BITS
#undef STRIP_LANES
#undef PART
#undef NAME

#define WORD uint64_t
#define WORD_BITS 64u
#define STRIP_LANES 8u
#define PART Part64
#define NAME(stem) stem##64
#include "base/vector/strip.tmpl.h"
#undef WORD
#undef WORD_BITS
#undef STRIP_LANES
#undef PART
#undef NAME

const StripKernels KERNEL(strip_kernels) = {
    .pack32 = pack32,
    .pack64 = pack64,
    .unpack32 = unpack32,
    .unpack64 = unpack64,
};
