/* row_fields.tmpl.h — needs T (the stored C type) and NAME(stem): moves fields into and out of
 * packed rows, which begin at row_pointers[i]. */
static void NAME(gather)(const uint8_t *const *row_pointers, uint32_t offset,
                         const uint16_t *positions, size_t row_count, void *lanes)
{
    T *out = lanes;
    if (positions == NULL) {
        for (size_t i = 0; i < row_count; i++) {
            memcpy(&out[i], row_pointers[i] + offset, sizeof(T));
        }
    } else {
        for (size_t i = 0; i < row_count; i++) {
            memcpy(&out[positions[i]], row_pointers[i] + offset, sizeof(T));
        }
    }
}
