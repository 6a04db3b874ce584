/* lanes.tmpl.h — needs T (the lane's C type) and NAME(stem). */
static void NAME(read)(const void *data, int64_t base, const uint16_t *rows, size_t row_count,
                       int64_t *out)
{
    const T *lanes = data;
    if (rows == NULL) {
        for (size_t i = 0; i < row_count; i++) {
            out[i] = (int64_t)lanes[i] + base;
        }
    } else {
        for (size_t i = 0; i < row_count; i++) {
            out[i] = (int64_t)lanes[rows[i]] + base;
        }
    }
}
