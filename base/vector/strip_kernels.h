/*
 * strip_kernels.h — bit-packing for batches on the wire: any number of values, any width.
 *
 * A strip has 16 lanes of 32-bit words (8 lanes of 64-bit words above 32 bits): value i lies in
 * lane i mod 16, at bit (i / 16) * width of that lane's words; word k of all lanes stand together.
 * So 16 values are packed by one shift and one or, at any vector width. Example: 40 values of 12
 * bits take 3 rows of 16, hence 36 bits a lane, 2 words, 128 bytes.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/vector/kernel_level.h"

/* Bytes of a strip; width 1..64. */
static inline size_t strip_bytes(uint32_t count, uint32_t width)
{
    uint32_t lanes = width <= 32 ? 16 : 8, word_bits = width <= 32 ? 32 : 64;
    size_t rows = (count + lanes - 1) / lanes;
    return (rows * width + word_bits - 1) / word_bits * 64;
}

typedef struct StripKernels {
    /* `values` are below 2^width and readable up to the next multiple of 16 (8), where they are 0.
     * `target` needs no alignment. */
    void (*pack32)(const uint32_t *values, uint32_t count, uint32_t width, uint8_t *target);
    void (*pack64)(const uint64_t *values, uint32_t count, uint32_t width, uint8_t *target);
    /* Writes up to the next multiple of 16 (8) values. */
    void (*unpack32)(const uint8_t *source, uint32_t count, uint32_t width, uint32_t *values);
    void (*unpack64)(const uint8_t *source, uint32_t count, uint32_t width, uint64_t *values);
} StripKernels;
KERNEL_TABLE(StripKernels, strip_kernels);
