/* lane_convert.tmpl.h — needs IN, OUT (unsigned lane types) and NAME(stem). */
static void NAME(convert)(const void *source, uint32_t row_count, uint64_t offset, void *target)
{
    const IN *restrict in = source;
    OUT *restrict out = target;
    const OUT add = (OUT)offset;
    for (uint32_t i = 0; i < row_count; i++) {
        out[i] = (OUT)((OUT)in[i] + add);
    }
}

static void NAME(gather)(const void *source, const uint16_t *restrict rows, uint32_t row_count,
                         uint64_t offset, void *target)
{
    const IN *restrict in = source;
    OUT *restrict out = target;
    const OUT add = (OUT)offset;
    for (uint32_t i = 0; i < row_count; i++) {
        out[i] = (OUT)((OUT)in[rows[i]] + add);
    }
}

static void NAME(gather_sparse)(const void *source, const uint16_t *restrict rows,
                                uint32_t row_count, uint64_t offset, void *target)
{
    const IN *restrict in = source;
    OUT *restrict out = target;
    const OUT add = (OUT)offset;
    for (uint32_t i = 0; i < row_count; i++) {
        out[rows[i]] = (OUT)((OUT)in[rows[i]] + add);
    }
}
