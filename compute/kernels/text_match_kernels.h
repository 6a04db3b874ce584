/*
 * text_match_kernels.h — LIKE over a column of texts, patterns without '_'.
 *
 * A segment is looked for by two of its bytes at once, 32 or 64 positions a step (W. Muła,
 * "SIMD-friendly algorithms for substring searching", with the rarest bytes instead of the ends);
 * only where both agree is the whole segment compared.
 */
#pragma once
#include "base/vector/kernel_level.h"
#include "compute/kernels/text_pattern.h"

typedef struct TextMatchKernels {
    /* Clears the bits of rows whose text does not match (`is_inverted`: of those that do); rows
     * whose bit is not set are not read. */
    void (*match)(const TextView *views, uint32_t row_count, const TextPattern *pattern,
                  bool is_inverted, uint64_t *words);
    /* The first place of `segment` in the text, or null. */
    const char *(*find)(const char *text, size_t bytes, const TextSegment *segment);
} TextMatchKernels;
KERNEL_TABLE(TextMatchKernels, text_match_kernels);
