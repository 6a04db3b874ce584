/* group_codes.tmpl.h — needs T (the codes' C type) and NAME(stem). */
static void NAME(code_positions)(const void *data, const uint32_t *offsets, const uint16_t *rows,
                                 uint32_t count, bool is_added, uint32_t *positions)
{
    const T *codes = data;
    if (!is_added) {
        for (uint32_t i = 0; i < count; i++) {
            positions[i] = offsets[codes[rows == NULL ? i : rows[i]]];
        }
    } else {
        for (uint32_t i = 0; i < count; i++) {
            positions[i] += offsets[codes[rows == NULL ? i : rows[i]]];
        }
    }
}
