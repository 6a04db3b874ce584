/* arithmetic_pair.tmpl.h — needs LEFT, RIGHT, OUT (unsigned lane types, OUT the widest) and
 * PAIR_NAME(stem). */
static void PAIR_NAME(add)(const void *left, const void *right, uint32_t row_count,
                           const LaneTerms *terms, void *target)
{
    const LEFT *restrict a = left;
    const RIGHT *restrict b = right;
    OUT *restrict out = target;
    const OUT add = (OUT)terms->add;
    for (uint32_t i = 0; i < row_count; i++) {
        out[i] = (OUT)((OUT)a[i] + (OUT)b[i] + add);
    }
}

static void PAIR_NAME(subtract)(const void *left, const void *right, uint32_t row_count,
                                const LaneTerms *terms, void *target)
{
    const LEFT *restrict a = left;
    const RIGHT *restrict b = right;
    OUT *restrict out = target;
    const OUT add = (OUT)terms->add;
    for (uint32_t i = 0; i < row_count; i++) {
        out[i] = (OUT)((OUT)a[i] - (OUT)b[i] + add);
    }
}

static void PAIR_NAME(multiply)(const void *left, const void *right, uint32_t row_count,
                                const LaneTerms *terms, void *target)
{
    const LEFT *restrict a = left;
    const RIGHT *restrict b = right;
    OUT *restrict out = target;
    const OUT left_add = (OUT)terms->left_add, right_add = (OUT)terms->right_add;
    const OUT add = (OUT)terms->add;
    for (uint32_t i = 0; i < row_count; i++) {
        OUT x = (OUT)(a[i] + left_add), y = (OUT)(b[i] + right_add);
        out[i] = (OUT)((OUT)(1u * x * y) + add); // 1u: u16 * u16 must not become a signed product
    }
}

#if OUT_LANE == 3 && LEFT_LANE < 3 && RIGHT_LANE < 3
static void PAIR_NAME(multiply_short)(const void *left, const void *right, uint32_t row_count,
                                      const LaneTerms *terms, void *target)
{
    const LEFT *restrict a = left;
    const RIGHT *restrict b = right;
    uint64_t *restrict out = target;
    const uint32_t left_add = (uint32_t)terms->left_add, right_add = (uint32_t)terms->right_add;
    const uint64_t add = terms->add;
    for (uint32_t i = 0; i < row_count; i++) {
        uint32_t x = (uint32_t)a[i] + left_add, y = (uint32_t)b[i] + right_add;
        out[i] = (uint64_t)x * y + add;
    }
}
#endif
