/* arithmetic_scale.tmpl.h — needs LEFT, OUT (unsigned lane types, OUT the wider) and
 * SCALE_NAME(stem). */
static void SCALE_NAME(scale)(const void *lanes, uint32_t row_count, const LaneTerms *terms,
                              void *target)
{
    const LEFT *restrict in = lanes;
    OUT *restrict out = target;
    const OUT factor = (OUT)terms->right_add;
    // (lane + base) * factor + add, the base's share of the product being the same for all rows
    const OUT add = (OUT)(terms->left_add * terms->right_add + terms->add);
    for (uint32_t i = 0; i < row_count; i++) {
        out[i] = (OUT)((OUT)(1u * (OUT)in[i] * factor) + add);
    }
}
