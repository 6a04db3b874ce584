/* prefix_sum.tmpl.h — needs STEP, OUT (unsigned C types) and PREFIX_NAME. */
static void PREFIX_NAME(const STEP *restrict steps, uint64_t first, uint64_t step_base,
                        OUT *restrict out)
{
    uint64_t value = first;
    out[0] = (OUT)value;
    for (size_t i = 1; i < 1024; i++) {
        value += steps[i] + step_base;
        out[i] = (OUT)value;
    }
}

#undef STEP
#undef OUT
#undef PREFIX_NAME
