/* compare.tmpl.h — needs LEFT, RIGHT (unsigned lane types), their LEFT_LANE and RIGHT_LANE, and
 * COMPARE_NAME(stem). */
#if LEFT_LANE <= 1 && RIGHT_LANE <= 1
#define SUM int32_t
#define UNSIGNED_SUM uint32_t
#else
#define SUM int64_t
#define UNSIGNED_SUM uint64_t
#endif

static void COMPARE_NAME(less)(const void *left, const void *right, uint32_t row_count,
                               const CompareTerms *terms, uint64_t *words)
{
    const LEFT *a = left;
    const RIGHT *b = right;
    const UNSIGNED_SUM left_add = (UNSIGNED_SUM)terms->left_add;
    const UNSIGNED_SUM right_add = (UNSIGNED_SUM)terms->right_add;
    const uint64_t flip = terms->is_inverted ? UINT64_MAX : 0;
    uint8_t flags[64] = {0};
    for (uint32_t row = 0; row < row_count; row += 64, words++, a += 64, b += 64) {
        if (*words == 0) {
            continue;
        }
        if (row_count - row >= 64) {
            for (uint32_t i = 0; i < 64; i++) { // a constant count vectorises
                flags[i] = (SUM)(a[i] + left_add) < (SUM)(b[i] + right_add);
            }
        } else {
            for (uint32_t i = 0; i < row_count - row; i++) {
                flags[i] = (SUM)(a[i] + left_add) < (SUM)(b[i] + right_add);
            }
        }
        *words &= pack_flags(flags) ^ flip;
    }
}

static void COMPARE_NAME(equal)(const void *left, const void *right, uint32_t row_count,
                                const CompareTerms *terms, uint64_t *words)
{
    const LEFT *a = left;
    const RIGHT *b = right;
    const UNSIGNED_SUM left_add = (UNSIGNED_SUM)terms->left_add;
    const UNSIGNED_SUM right_add = (UNSIGNED_SUM)terms->right_add;
    const uint64_t flip = terms->is_inverted ? UINT64_MAX : 0;
    uint8_t flags[64] = {0};
    for (uint32_t row = 0; row < row_count; row += 64, words++, a += 64, b += 64) {
        if (*words == 0) {
            continue;
        }
        if (row_count - row >= 64) {
            for (uint32_t i = 0; i < 64; i++) { // a constant count vectorises
                flags[i] = (UNSIGNED_SUM)(a[i] + left_add) ==
                           (UNSIGNED_SUM)(b[i] + right_add);
            }
        } else {
            for (uint32_t i = 0; i < row_count - row; i++) {
                flags[i] = (UNSIGNED_SUM)(a[i] + left_add) ==
                           (UNSIGNED_SUM)(b[i] + right_add);
            }
        }
        *words &= pack_flags(flags) ^ flip;
    }
}
#undef SUM
#undef UNSIGNED_SUM
