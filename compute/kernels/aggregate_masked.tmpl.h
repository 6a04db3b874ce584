/* aggregate_masked.tmpl.h — needs T (the lane's C type, at most 32 bits) and NAME(stem).
 *
 * Masks, not choices: a choice between lanes narrower than the groups becomes no vector code below
 * AVX-512. */
static void NAME(sum_masked)(const void *lanes, const uint32_t *groups, uint32_t count,
                             uint32_t group_count, bool is_small, int64_t *sums)
{
    const T *values = lanes;
    for (uint32_t g = 0; g < group_count; g++) {
        uint32_t low = 0;
        uint32_t high = 0;
        if (is_small) {
            for (uint32_t i = 0; i < count; i++) {
                low += (uint32_t)values[i] & -(uint32_t)(groups[i] == g);
            }
        } else { // halves of 16 bits: their sums fit
            for (uint32_t i = 0; i < count; i++) {
                uint32_t value = (uint32_t)values[i] & -(uint32_t)(groups[i] == g);
                low += value & 0xFFFF;
                high += value >> 16;
            }
        }
        sums[g] += (int64_t)low + ((int64_t)high << 16);
    }
}
