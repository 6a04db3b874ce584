/* fill.tmpl.h — needs U (an unsigned lane type) and NAME(stem). */
static void NAME(fill)(uint64_t value, uint32_t row_count, const uint8_t *flags, void *target)
{
    U *restrict out = target;
    const uint8_t *restrict flag = flags;
    const U filled = (U)value;
    for (uint32_t i = 0; i < row_count; i++) {
        out[i] = flag[i] ? filled : out[i];
    }
}
