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
