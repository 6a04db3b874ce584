/* compare_float.tmpl.h — needs T (float or double) and NAME(stem). */
static void NAME(less)(const void *left, const void *right, uint32_t row_count, bool is_inverted,
                       uint64_t *words)
{
    const T *restrict a = left, *restrict b = right;
    const uint64_t flip = is_inverted ? UINT64_MAX : 0;
    uint8_t flags[64] = {0};
    for (uint32_t row = 0; row < row_count; row += 64, words++) {
        uint32_t count = row_count - row < 64 ? row_count - row : 64;
        for (uint32_t i = 0; i < count; i++) {
            T x = a[row + i], y = b[row + i];
            flags[i] = (x < y) | ((y != y) & (x == x));
        }
        *words &= pack_flags(flags) ^ flip;
    }
}

static void NAME(equal)(const void *left, const void *right, uint32_t row_count, bool is_inverted,
                        uint64_t *words)
{
    const T *restrict a = left, *restrict b = right;
    const uint64_t flip = is_inverted ? UINT64_MAX : 0;
    uint8_t flags[64] = {0};
    for (uint32_t row = 0; row < row_count; row += 64, words++) {
        uint32_t count = row_count - row < 64 ? row_count - row : 64;
        for (uint32_t i = 0; i < count; i++) {
            T x = a[row + i], y = b[row + i];
            flags[i] = (x == y) | ((x != x) & (y != y));
        }
        *words &= pack_flags(flags) ^ flip;
    }
}
