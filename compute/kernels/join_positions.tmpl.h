/* join_positions.tmpl.h — needs T (the lane's C type) and NAME(stem). */
static void NAME(positions)(const void *data, uint64_t delta, uint64_t range, uint32_t shift,
                            const uint16_t *rows, uint32_t count, uint32_t *positions)
{
    const T *lanes = data;
    if (rows == NULL) {
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

static void NAME(add_positions)(const void *data, uint64_t delta, uint64_t range,
                                uint32_t shift, uint32_t stride, const uint16_t *rows,
                                uint32_t count, uint32_t *positions)
{
    const T *lanes = data;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t offset = (uint64_t)lanes[rows == NULL ? i : rows[i]] + delta;
        bool is_inside = offset < range && positions[i] != 0;
        positions[i] = is_inside ? positions[i] + (uint32_t)(offset >> shift) * stride : 0;
    }
}
