/* lane_predicate.tmpl.h — needs U (the unsigned type of a lane) and NAME(stem); with
 * HAS_GROUP_TESTS whole groups of 64 rows go through test_range and test_bitmap of that lane. */
static void NAME(range)(const void *lanes, uint32_t row_count, uint64_t lo, uint64_t span,
                        bool is_inverted, uint64_t *words)
{
    const U *restrict values = lanes;
    const U first = (U)lo, width = (U)span;
    const uint64_t flip = is_inverted ? UINT64_MAX : 0;
    uint8_t flags[64] = {0};
    for (uint32_t row = 0; row < row_count; row += 64, words++) {
        const U *group = values + row; // values[row + i] would not vectorise: row + i may wrap
        if (*words == 0) {
            continue;
        }
#ifdef HAS_GROUP_TESTS
        if (row_count - row >= 64) {
            *words &= NAME(test_range)((const void *)group, first, width) ^ flip;
            continue;
        }
#endif
        if (row_count - row >= 64) {
            for (uint32_t i = 0; i < 64; i++) { // a constant count leaves no tail
                flags[i] = (U)(group[i] - first) <= width;
            }
        } else {
            for (uint32_t i = 0; i < row_count - row; i++) {
                flags[i] = (U)(group[i] - first) <= width;
            }
        }
        *words &= pack_flags(flags) ^ flip;
    }
}

static void NAME(bitmap)(const void *lanes, uint32_t row_count, uint64_t offset,
                         const uint64_t *bitmap, uint64_t last_value, uint32_t shift,
                         uint64_t *words)
{
    typedef __typeof__(_Generic((U)0, uint64_t : (uint64_t)0, default : (uint32_t)0)) Index;
    const U *restrict values = lanes;
    const uint32_t *restrict bits = (const uint32_t *)bitmap;
    const Index add = (Index)offset, last = (Index)last_value;
    uint8_t flags[64] = {0};
    for (uint32_t row = 0; row < row_count; row += 64, words++) {
        if (*words == 0) {
            continue;
        }
        const U *group = values + row;
#ifdef HAS_GROUP_TESTS
        if (row_count - row >= 64) {
            *words &= NAME(test_bitmap)((const void *)group, add, bits, last, shift);
            continue;
        }
#endif
        uint32_t count = row_count - row < 64 ? row_count - row : 64;
        for (uint32_t i = 0; i < count; i++) {
            Index index = (Index)group[i] + add;
            const Index bit = (index <= last ? index : 0) >> shift;
            flags[i] = (uint8_t)(bits[bit >> 5] >> (bit & 31) & (index <= last));
        }
        *words &= pack_flags(flags);
    }
}
