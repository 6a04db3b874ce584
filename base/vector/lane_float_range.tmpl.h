/* lane_float_range.tmpl.h — needs T (float or double) and NAME(stem). */
static void NAME(range)(const void *lanes, uint32_t row_count, const FloatRange *range,
                        uint64_t *words)
{
    const T *restrict values = lanes;
    const double lo = range->lo, hi = range->hi;
    const uint8_t is_nan_passed = range->is_nan_passed;
    const uint64_t flip = range->is_inverted ? UINT64_MAX : 0;
    uint8_t flags[64] = {0};
    for (uint32_t row = 0; row < row_count; row += 64, words++) {
        if (*words == 0) {
            continue;
        }
        const T *group = values + row;
        uint32_t count = row_count - row < 64 ? row_count - row : 64;
        for (uint32_t i = 0; i < count; i++) {
            double value = (double)group[i];
            uint8_t is_inside = (value >= lo) & (value <= hi);
            flags[i] = is_inside | ((uint8_t)(value != value) & is_nan_passed);
        }
        *words &= pack_flags(flags) ^ flip;
    }
}
