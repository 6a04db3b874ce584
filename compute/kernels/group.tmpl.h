/* group.tmpl.h — needs T (the lane's C type) and NAME(stem). */
static void NAME(positions)(const void *data, uint64_t delta, uint32_t shift, uint32_t stride,
                            const uint16_t *rows, uint32_t count, bool is_added,
                            uint32_t *positions)
{
    const T *lanes = data;
    uint32_t offset = (uint32_t)delta;
    if (rows == NULL && !is_added) {
        for (uint32_t i = 0; i < count; i++) {
            positions[i] = (((uint32_t)lanes[i] + offset) >> shift) * stride;
        }
    } else if (rows == NULL) {
        for (uint32_t i = 0; i < count; i++) {
            positions[i] += (((uint32_t)lanes[i] + offset) >> shift) * stride;
        }
    } else if (!is_added) {
        for (uint32_t i = 0; i < count; i++) {
            positions[i] = (((uint32_t)lanes[rows[i]] + offset) >> shift) * stride;
        }
    } else {
        for (uint32_t i = 0; i < count; i++) {
            positions[i] += (((uint32_t)lanes[rows[i]] + offset) >> shift) * stride;
        }
    }
}
