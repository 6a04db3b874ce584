/* lane_min_max.tmpl.h — needs T (a lane's type) and NAME(stem). */
static void NAME(min_max)(const void *source, uint32_t row_count, int64_t *lo, int64_t *hi)
{
    const T *restrict in = source;
    T smallest = in[0], largest = in[0];
    for (uint32_t i = 0; i < row_count; i++) {
        smallest = in[i] < smallest ? in[i] : smallest;
        largest = in[i] > largest ? in[i] : largest;
    }
    *lo = (int64_t)smallest;
    *hi = (int64_t)largest;
}
