/* sum_kept.tmpl.h — needs T (the lane's C type), NAME(stem) and sum_all. */
static int64_t NAME(sum_kept)(const void *lanes, const uint64_t *words, uint32_t count)
{
    const T *values = lanes;
    const uint64_t sum = (uint64_t)NAME(sum_all)(lanes, NULL, count);
    uint64_t left_out[2] = {0};
    for (uint32_t w = 0; w * 64 < count; w++) {
        const uint32_t left = count - w * 64;
        const uint64_t last = UINT64_C(1) << (left < 64 ? left - 1 : 63);
        const T *rows = values + w * 64;
        uint64_t word = ~words[w] & (last | (last - 1));
        // How many there are cannot be guessed: the first two without branches.
        const uint64_t rest = word & (word - 1);
        left_out[0] += (uint64_t)rows[__builtin_ctzll(word | last)] & -(uint64_t)(word != 0);
        left_out[1] += (uint64_t)rows[__builtin_ctzll(rest | last)] & -(uint64_t)(rest != 0);
        for (word = rest & (rest - 1); word != 0; word &= word - 1) {
            left_out[0] += (uint64_t)rows[__builtin_ctzll(word)];
        }
    }
    return (int64_t)(sum - left_out[0] - left_out[1]);
}
