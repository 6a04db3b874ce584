/* lane_take.tmpl.h — needs T (the type of codes) and NAME(stem). */
static void NAME(take8)(const void *entries, const void *codes, uint32_t row_count, void *target)
{
    const uint64_t *restrict in = entries;
    const T *restrict code = codes;
    uint64_t *restrict out = target;
    for (uint32_t i = 0; i < row_count; i++) {
        out[i] = in[code[i]];
    }
}

static void NAME(take16)(const void *entries, const void *codes, uint32_t row_count, void *target)
{
    const Pair *restrict in = entries;
    const T *restrict code = codes;
    Pair *restrict out = target;
    for (uint32_t i = 0; i < row_count; i++) {
        out[i] = in[code[i]];
    }
}
