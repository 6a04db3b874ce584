/* compare_float.tmpl.h — needs T (float or double) and NAME(stem). */
static void NAME(less)(const void *left, const void *right, uint32_t row_count, bool is_inverted,
                       uint64_t *words)
{
    const T *a = left, *b = right;
    const uint64_t flip = is_inverted ? UINT64_MAX : 0;
    uint8_t flags[64] = {0};
    for (uint32_t row = 0; row < row_count; row += 64, words++, a += 64, b += 64) {
        if (row_count - row >= 64) {
            for (uint32_t i = 0; i < 64; i++) { // a constant count vectorises
                T x = a[i], y = b[i];
                flags[i] = (x < y) | ((y != y) & (x == x));
            }
        } else {
            for (uint32_t i = 0; i < row_count - row; i++) {
                T x = a[i], y = b[i];
                flags[i] = (x < y) | ((y != y) & (x == x));
            }
        }
        *words &= pack_flags(flags) ^ flip;
    }
}

static void NAME(equal)(const void *left, const void *right, uint32_t row_count, bool is_inverted,
                        uint64_t *words)
{
    const T *a = left, *b = right;
    const uint64_t flip = is_inverted ? UINT64_MAX : 0;
    uint8_t flags[64] = {0};
    for (uint32_t row = 0; row < row_count; row += 64, words++, a += 64, b += 64) {
        if (row_count - row >= 64) {
            for (uint32_t i = 0; i < 64; i++) { // a constant count vectorises
                T x = a[i], y = b[i];
                flags[i] = (x == y) | ((x != x) & (y != y));
            }
        } else {
            for (uint32_t i = 0; i < row_count - row; i++) {
                T x = a[i], y = b[i];
                flags[i] = (x == y) | ((x != x) & (y != y));
            }
        }
        *words &= pack_flags(flags) ^ flip;
    }
}
