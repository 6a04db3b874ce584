/* bloom.h — where a hash sets its bits: one 32-bit word by the upper half, three bits by the lower.
 */
#pragma once
#include <stdint.h>

static inline uint32_t bloom_block(uint64_t hash, uint32_t block_mask)
{
    return (uint32_t)(hash >> 32) & block_mask;
}
static inline uint32_t bloom_bits(uint64_t hash)
{
    return 1u << (hash & 31) | 1u << (hash >> 5 & 31) | 1u << (hash >> 10 & 31);
}
