/* blend.tmpl.h — needs IN, OUT (unsigned lane types) and NAME(stem). */
static void NAME(blend)(const void *source, uint32_t row_count, uint64_t add, const uint8_t *flags,
                        void *target)
{
    const IN *restrict in = source;
    OUT *restrict out = target;
    const uint8_t *restrict flag = flags;
    const OUT offset = (OUT)add;
    for (uint32_t i = 0; i < row_count; i++) {
        OUT value = (OUT)((OUT)in[i] + offset);
        out[i] = flag[i] ? value : out[i];
    }
}
