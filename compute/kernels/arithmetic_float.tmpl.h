/* arithmetic_float.tmpl.h — needs T (float or double) and NAME(stem). */
static uint32_t NAME(add)(const void *left, const void *right, uint32_t row_count, void *target)
{
    const T *restrict a = left, *restrict b = right;
    T *restrict out = target;
    uint32_t is_not_finite = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        out[i] = a[i] + b[i];
        is_not_finite |= (out[i] - out[i]) != 0; // only infinity and NaN differ from themselves
    }
    return is_not_finite ? FLOAT_NOT_FINITE : 0;
}

static uint32_t NAME(subtract)(const void *left, const void *right, uint32_t row_count,
                               void *target)
{
    const T *restrict a = left, *restrict b = right;
    T *restrict out = target;
    uint32_t is_not_finite = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        out[i] = a[i] - b[i];
        is_not_finite |= (out[i] - out[i]) != 0;
    }
    return is_not_finite ? FLOAT_NOT_FINITE : 0;
}

static uint32_t NAME(multiply)(const void *left, const void *right, uint32_t row_count,
                               void *target)
{
    const T *restrict a = left, *restrict b = right;
    T *restrict out = target;
    uint32_t is_not_finite = 0, is_zero = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        out[i] = a[i] * b[i];
        is_not_finite |= (out[i] - out[i]) != 0;
        is_zero |= out[i] == 0;
    }
    return (is_not_finite ? FLOAT_NOT_FINITE : 0) | (is_zero ? FLOAT_ZERO : 0);
}

static uint32_t NAME(divide)(const void *left, const void *right, uint32_t row_count, void *target)
{
    const T *restrict a = left, *restrict b = right;
    T *restrict out = target;
    uint32_t is_not_finite = 0, is_zero = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        out[i] = a[i] / b[i];
        is_not_finite |= (out[i] - out[i]) != 0;
        is_zero |= out[i] == 0;
    }
    return (is_not_finite ? FLOAT_NOT_FINITE : 0) | (is_zero ? FLOAT_ZERO : 0);
}
