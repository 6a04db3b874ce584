/* cast.tmpl.h — needs U (an unsigned lane type) and NAME(stem). */
static void NAME(to_f64)(const void *lanes, uint32_t row_count, int64_t base, double divisor,
                         double *target)
{
    const U *restrict in = lanes;
    double *restrict out = target;
    const uint64_t add = (uint64_t)base;
    if (divisor == 1.0) {
        for (uint32_t i = 0; i < row_count; i++) {
            out[i] = (double)(int64_t)(in[i] + add);
        }
    } else {
        for (uint32_t i = 0; i < row_count; i++) {
            out[i] = (double)(int64_t)(in[i] + add) / divisor;
        }
    }
}
