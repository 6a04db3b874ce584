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
    const LEFT *restrict a = left;
    const RIGHT *restrict b = right;
    const UNSIGNED_SUM left_add = (UNSIGNED_SUM)terms->left_add;
    const UNSIGNED_SUM right_add = (UNSIGNED_SUM)terms->right_add;
    const uint64_t flip = terms->is_inverted ? UINT64_MAX : 0;
    uint8_t flags[64] = {0};
    for (uint32_t row = 0; row < row_count; row += 64, words++) {
        if (*words == 0) {
            continue;
        }
        // lanes are readable for 64 bytes behind the last: of a last group of few rows that is not
        // all, so it is counted out
        uint32_t count = row_count - row < 64 ? row_count - row : 64;
        for (uint32_t i = 0; i < count; i++) {
            flags[i] = (SUM)(a[row + i] + left_add) < (SUM)(b[row + i] + right_add);
        }
        *words &= pack_flags(flags) ^ flip;
    }
}

static void COMPARE_NAME(equal)(const void *left, const void *right, uint32_t row_count,
                                const CompareTerms *terms, uint64_t *words)
{
    const LEFT *restrict a = left;
    const RIGHT *restrict b = right;
    const UNSIGNED_SUM left_add = (UNSIGNED_SUM)terms->left_add;
    const UNSIGNED_SUM right_add = (UNSIGNED_SUM)terms->right_add;
    const uint64_t flip = terms->is_inverted ? UINT64_MAX : 0;
    uint8_t flags[64] = {0};
    for (uint32_t row = 0; row < row_count; row += 64, words++) {
        if (*words == 0) {
            continue;
        }
        uint32_t count = row_count - row < 64 ? row_count - row : 64;
        for (uint32_t i = 0; i < count; i++) {
            flags[i] = (UNSIGNED_SUM)(a[row + i] + left_add) ==
                       (UNSIGNED_SUM)(b[row + i] + right_add);
        }
        *words &= pack_flags(flags) ^ flip;
    }
}
#undef SUM
#undef UNSIGNED_SUM
