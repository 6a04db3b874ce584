/* compress_vbmi2.h — the mask-to-selection loop for processors that compress 16-bit lanes. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

bool compress_vbmi2_is_supported(void);
/* As mask_to_selection of vector_kernels.h; writes up to the next multiple of 32 rows. */
uint32_t compress_vbmi2_mask_to_selection(const uint64_t *words, uint32_t row_count,
                                          uint16_t *selection);
