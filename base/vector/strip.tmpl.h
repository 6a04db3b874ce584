/* strip.tmpl.h — needs WORD (uint32_t or uint64_t), WORD_BITS, STRIP_LANES (64 bytes of words) and
 * NAME(stem). */
static void NAME(pack)(const WORD *restrict values, uint32_t count, uint32_t width,
                       uint8_t *restrict target)
{
    WORD words[STRIP_LANES] = {0};
    uint32_t filled = 0; /* bits of the words in use */
    for (uint32_t first = 0; first < count; first += STRIP_LANES) {
        const WORD *row = values + first;
        for (uint32_t lane = 0; lane < STRIP_LANES; lane++) {
            words[lane] |= row[lane] << filled;
        }
        filled += width;
        if (filled < WORD_BITS) {
            continue;
        }
        memcpy(target, words, sizeof words);
        target += sizeof words;
        filled -= WORD_BITS;
        const uint32_t taken = width - filled; // bits of this row that are out already
        for (uint32_t lane = 0; lane < STRIP_LANES; lane++) {
            words[lane] = filled == 0 ? 0 : row[lane] >> (taken % WORD_BITS);
        }
    }
    if (filled > 0) {
        memcpy(target, words, sizeof words);
    }
}

static void NAME(unpack)(const uint8_t *restrict source, uint32_t count, uint32_t width,
                         WORD *restrict values)
{
    const WORD wanted = (WORD) ~(WORD)0 >> (WORD_BITS - width);
    WORD words[STRIP_LANES];
    uint32_t used = WORD_BITS; /* bits of the words given out; at first there are no words */
    for (uint32_t first = 0; first < count; first += STRIP_LANES) {
        WORD *row = values + first;
        if (used == WORD_BITS) {
            memcpy(words, source, sizeof words);
            source += sizeof words;
            used = 0;
        }
        for (uint32_t lane = 0; lane < STRIP_LANES; lane++) {
            row[lane] = words[lane] >> used;
        }
        used += width;
        if (used > WORD_BITS) {
            memcpy(words, source, sizeof words);
            source += sizeof words;
            used -= WORD_BITS;
            const uint32_t shift = width - used; // bits that came from the words before
            for (uint32_t lane = 0; lane < STRIP_LANES; lane++) {
                row[lane] |= words[lane] << shift;
            }
        }
        for (uint32_t lane = 0; lane < STRIP_LANES; lane++) {
            row[lane] &= wanted;
        }
    }
}
