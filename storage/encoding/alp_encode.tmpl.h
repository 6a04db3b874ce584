/* alp_encode.tmpl.h — needs T (float or double), BITS (its unsigned type) and ENCODE_NAME: floats
 * as decimal integers. A sum with `alp_magic` rounds, and its low bits are the integer. */
static uint32_t ENCODE_NAME(const T *restrict values, uint32_t count, double up, double down,
                            double back_up, double back_down, int64_t *restrict numbers)
{
    int64_t inexact = 0;
    for (uint32_t i = 0; i < count; i++) {
        const double rounded = (double)values[i] * up * down + alp_magic;
        int64_t bits, magic_bits;
        memcpy(&bits, &rounded, sizeof bits);
        memcpy(&magic_bits, &alp_magic, sizeof magic_bits);
        const int64_t number = (int64_t)((uint64_t)bits - (uint64_t)magic_bits);
        const T again = (T)((rounded - alp_magic) * back_up * back_down);
        BITS first, second;
        memcpy(&first, &values[i], sizeof first);
        memcpy(&second, &again, sizeof second);
        const bool is_exact = (first == second) & (number < ALP_LIMIT) & (number > -ALP_LIMIT);
        numbers[i] = is_exact ? number : ALP_INEXACT;
        inexact += !is_exact;
    }
    return (uint32_t)inexact;
}

#undef T
#undef BITS
#undef ENCODE_NAME
