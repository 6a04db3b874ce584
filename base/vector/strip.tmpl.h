/*
 * strip.tmpl.h — needs WORD (uint32_t or uint64_t), WORD_BITS, STRIP_LANES (64 bytes of words),
 * PART (a type name to define) and NAME(stem).
 *
 * A strip is worked on in parts as wide as the processor's vectors, one after the other. The vector
 * type is spelled out because gcc, left to itself, takes arrays of lanes apart into scalars.
 */
typedef WORD PART __attribute__((vector_size(PART_BYTES)));

static void NAME(pack)(const WORD *values, uint32_t count, uint32_t width, uint8_t *target)
{
    for (uint32_t part = 0; part < 64; part += PART_BYTES) {
        const uint8_t *source = (const uint8_t *)values + part;
        uint8_t *out = target + part;
        PART words = {0}, row;
        uint32_t filled = 0; /* bits of the words in use */
        for (uint32_t first = 0; first < count; first += STRIP_LANES, source += 64) {
            memcpy(&row, source, sizeof row);
            words |= row << filled;
            filled += width;
            if (filled < WORD_BITS) {
                continue;
            }
            memcpy(out, &words, sizeof words);
            out += 64;
            filled -= WORD_BITS;
            const uint32_t taken = width - filled; // bits of this row that are out already
            words = filled == 0 ? (PART){0} : row >> (taken % WORD_BITS);
        }
        if (filled > 0) {
            memcpy(out, &words, sizeof words);
        }
    }
}

static void NAME(unpack)(const uint8_t *source, uint32_t count, uint32_t width, WORD *values)
{
    const WORD wanted = (WORD) ~(WORD)0 >> (WORD_BITS - width);
    for (uint32_t part = 0; part < 64; part += PART_BYTES) {
        const uint8_t *in = source + part;
        uint8_t *out = (uint8_t *)values + part;
        PART words = {0};
        uint32_t used = WORD_BITS; /* bits of the words given out; at first there are no words */
        for (uint32_t first = 0; first < count; first += STRIP_LANES, out += 64) {
            if (used == WORD_BITS) {
                memcpy(&words, in, sizeof words);
                in += 64;
                used = 0;
            }
            PART row = words >> used;
            used += width;
            if (used > WORD_BITS) {
                memcpy(&words, in, sizeof words);
                in += 64;
                used -= WORD_BITS;
                row |= words << (width - used); // bits that came from the words before
            }
            row &= wanted;
            memcpy(out, &row, sizeof row);
        }
    }
}
