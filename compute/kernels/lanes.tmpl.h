/* lanes.tmpl.h — needs T (the lane's C type), R (what is read), NAME(stem). */
static void NAME(read)(const void *data, R base, const uint16_t *rows, size_t row_count, R *out)
{
    const T *lanes = data;
    if (rows == NULL) {
        for (size_t i = 0; i < row_count; i++) {
            out[i] = (R)lanes[i] + base;
        }
    } else {
        for (size_t i = 0; i < row_count; i++) {
            out[i] = (R)lanes[rows[i]] + base;
        }
    }
}
