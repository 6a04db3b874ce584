/* compress_vbmi2.h — the mask-to-selection loop for processors that compress 16-bit lanes. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

bool compress_vbmi2_is_supported(void); /* by the processor */
bool compress_vbmi2_is_used(void);      /* it is, and the kernel level is v4 */
/* As mask_to_selection of vector_kernels.h; writes up to the next multiple of 32 rows. */
uint32_t compress_vbmi2_mask_to_selection(const uint64_t *words, uint32_t row_count,
                                          uint16_t *selection);
/* The lanes (of 1, 2, 4 or 8 bytes) whose bits are set, moved together. Reads and writes up to 64
 * bytes behind the last of `row_count` lanes. */
void compress_vbmi2_lanes(const void *source, uint32_t lane_bytes, const uint64_t *words,
                          uint32_t row_count, void *target);
