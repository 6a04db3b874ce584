/* interleave.c — see interleave.h. */
#include "storage/interleave.h"

#include "base/vector/vector.h"

/* Runs have at most 2^22 rows: finer ranks would tell apart what a row group holds together. */
#define RANK_BITS_MAX 16u
#define CODE_BITS 63u /* the sign is left alone */

/* The bits of a rank, the highest first, `count` apart, from the code's bit for `index` on. */
static uint64_t spread(uint32_t rank, uint32_t bits, uint32_t index, uint32_t count)
{
    uint64_t code = 0;
    for (uint32_t bit = 0; bit < bits; bit++) {
        const uint64_t value = (rank >> (bits - 1 - bit)) & 1;
        code |= value << (CODE_BITS - 1 - bit * count - index);
    }
    return code;
}

static bool is_tie(const SortColumn *column, uint32_t left, uint32_t right)
{
    const bool has_left = validity_get(column->validity, left);
    const bool has_right = validity_get(column->validity, right);
    return has_left == has_right && (!has_left || row_sort_is_tie(column, left, right));
}

void interleave_ranks(const SortColumn *column, const uint32_t *order, uint32_t row_count,
                      uint32_t index, uint32_t count, uint64_t *codes)
{
    const uint32_t share = CODE_BITS / count;
    const uint32_t bits = share < RANK_BITS_MAX ? share : RANK_BITS_MAX;
    uint64_t code = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        if (i > 0 && !is_tie(column, order[i - 1], order[i])) { // equal values have one rank
            const uint32_t rank = (uint32_t)(((uint64_t)i << bits) / row_count);
            code = spread(rank, bits, index, count);
        }
        codes[order[i]] |= code;
    }
}
