/* join_gather.tmpl.h — needs T (a type of the lane's bytes) and NAME(stem). */
static void NAME(gather)(const void *column, const uint32_t *positions, const uint16_t *targets,
                         uint32_t count, void *out)
{
    const T *source = column;
    T *target = out;
    if (targets == NULL) {
        for (uint32_t i = 0; i < count; i++) {
            target[i] = source[positions[i]];
        }
    } else {
        for (uint32_t i = 0; i < count; i++) {
            target[targets[i]] = source[positions[i]];
        }
    }
}
