/* strip_kernels.c — see strip_kernels.h. */
#include "base/vector/strip_kernels.h"

#include <string.h>

#define WORD uint32_t
#define WORD_BITS 32u
#define STRIP_LANES 16u
#define NAME(stem) stem##32
#include "base/vector/strip.tmpl.h"
#undef WORD
#undef WORD_BITS
#undef STRIP_LANES
#undef NAME

#define WORD uint64_t
#define WORD_BITS 64u
#define STRIP_LANES 8u
#define NAME(stem) stem##64
#include "base/vector/strip.tmpl.h"
#undef WORD
#undef WORD_BITS
#undef STRIP_LANES
#undef NAME

const StripKernels KERNEL(strip_kernels) = {
    .pack32 = pack32,
    .pack64 = pack64,
    .unpack32 = unpack32,
    .unpack64 = unpack64,
};
