/* join_positions.tmpl.h — needs T (the lane's C type) and NAME(stem). */

// Lanes of at most 32 bits: lane + delta lies in 0 .. 2^32 - 1 when the sum of the low halves
// carries as often as `delta` is below 0.
static void NAME(short_positions)(const T *lanes, uint64_t delta, uint32_t range, uint32_t shift,
                                  uint32_t count, uint32_t *positions)
{
    const uint32_t added = (uint32_t)delta, has_carry = delta >> 32 != 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t offset = (uint32_t)lanes[i] + added;
        const uint32_t is_inside = (offset < range) & ((offset < added) == has_carry);
        positions[i] = ((offset >> shift) + 1) & -is_inside;
    }
}

static void NAME(positions)(const void *data, uint64_t delta, uint64_t range, uint32_t shift,
                            const uint16_t *rows, uint32_t count, uint32_t *positions)
{
    const T *lanes = data;
    const uint64_t high = delta >> 32;
    if (rows == NULL && sizeof(T) <= sizeof(uint32_t) && range <= UINT32_MAX &&
        (high == 0 || high == UINT32_MAX)) {
        NAME(short_positions)(lanes, delta, (uint32_t)range, shift, count, positions);
    } else if (rows == NULL) {
        for (uint32_t i = 0; i < count; i++) {
            uint64_t offset = (uint64_t)lanes[i] + delta;
            positions[i] = offset < range ? (uint32_t)(offset >> shift) + 1 : 0;
        }
    } else {
        for (uint32_t i = 0; i < count; i++) {
            uint64_t offset = (uint64_t)lanes[rows[i]] + delta;
            positions[i] = offset < range ? (uint32_t)(offset >> shift) + 1 : 0;
        }
    }
}

static void NAME(add_positions)(const void *data, uint64_t delta, uint64_t range, uint32_t shift,
                                uint32_t stride, const uint16_t *rows, uint32_t count,
                                uint32_t *positions)
{
    const T *lanes = data;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t offset = (uint64_t)lanes[rows == NULL ? i : rows[i]] + delta;
        bool is_inside = offset < range && positions[i] != 0;
        positions[i] = is_inside ? positions[i] + (uint32_t)(offset >> shift) * stride : 0;
    }
}
