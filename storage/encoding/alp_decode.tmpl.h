/* alp_decode.tmpl.h — needs FROM (an unsigned C type), TO (float or double) and DECODE_NAME. The
 * integers are below 2^51: added to the bits of `alp_magic` they are the low bits of a double. */
static void DECODE_NAME(const FROM *restrict lanes, int64_t base, double up, double down,
                        TO *restrict out)
{
    uint64_t magic_bits;
    memcpy(&magic_bits, &alp_magic, sizeof magic_bits);
    const uint64_t first = magic_bits + (uint64_t)base;
    for (size_t i = 0; i < 1024; i++) {
        const uint64_t bits = first + lanes[i];
        double sum;
        memcpy(&sum, &bits, sizeof sum);
        out[i] = (TO)((sum - alp_magic) * up * down);
    }
}

#undef FROM
#undef TO
#undef DECODE_NAME
