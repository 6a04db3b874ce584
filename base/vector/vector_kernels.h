/*
 * vector_kernels.h — loops that move lanes: convert, gather, take from dictionaries, masks.
 *
 * All counts are rows, at most VECTOR_ROWS; inputs are readable for 64 bytes after the last lane.
 * Outputs of `row_count` lanes may be written up to the next multiple of 16 bytes only where said.
 */
#pragma once
#include "base/vector/kernel_level.h"
#include "base/vector/vector.h"

#define INTEGER_LANE_COUNT 4 /* U8, U16, U32, I64: the first values of Lane */
#define CODE_LANE_COUNT 3

/* target[i] = (out type)source[i] + offset, modulo the width of the target's lane. Source and
 * target are distinct. With `rows`: source[rows[i]] (gather), or both at rows[i] (sparse). */
typedef void (*ConvertKernel)(const void *source, uint32_t row_count, uint64_t offset,
                              void *target);
typedef void (*GatherKernel)(const void *source, const uint16_t *rows, uint32_t row_count,
                             uint64_t offset, void *target);
/* target[i] = entries[codes[i]]. */
typedef void (*TakeKernel)(const void *entries, const void *codes, uint32_t row_count,
                           void *target);
/* Smallest and largest of at least one lane, as the lane's type widened. */
typedef void (*MinMaxKernel)(const void *source, uint32_t row_count, int64_t *lo, int64_t *hi);

typedef struct VectorKernels {
    ConvertKernel convert[INTEGER_LANE_COUNT][INTEGER_LANE_COUNT]; /* [source][target] */
    GatherKernel gather[INTEGER_LANE_COUNT][INTEGER_LANE_COUNT];
    GatherKernel gather_sparse[INTEGER_LANE_COUNT][INTEGER_LANE_COUNT];
    void (*gather16)(const void *source, const uint16_t *rows, uint32_t row_count, void *target);
    TakeKernel take8[CODE_LANE_COUNT];  /* [lane of codes]; entries of 8 bytes */
    TakeKernel take16[CODE_LANE_COUNT]; /* entries of 16 bytes */
    MinMaxKernel min_max[INTEGER_LANE_COUNT];
    /* True when rows[i] = rows[0] + i for all i; at least one row. */
    bool (*rows_are_consecutive)(const uint16_t *rows, uint32_t row_count);
    bool (*rows_are_ascending)(const uint16_t *rows, uint32_t row_count);
    void (*gather_bits)(const uint64_t *bits, const uint16_t *rows, uint32_t row_count,
                        uint64_t *target);
    uint32_t (*count_bits)(const uint64_t *words, uint32_t word_count);
    /* `selection` has room for the next multiple of 32 of row_count. */
    uint32_t (*mask_to_selection)(const uint64_t *words, uint32_t row_count, uint16_t *selection);
} VectorKernels;
KERNEL_TABLE(VectorKernels, vector_kernels);
