/* group.tmpl.h — needs T (the lane's C type) and NAME(stem). */

typedef T NAME(Run) __attribute__((vector_size(16 * sizeof(T))));

/* The lanes of selected rows; most selections are runs: where 16 rows follow each other the loop
 * reads lanes that do. */
static void NAME(pick)(const T *restrict lanes, const uint16_t *restrict rows, uint32_t count,
                       uint32_t *restrict picked)
{
    uint32_t i = 0;
    for (; i + 16 <= count; i += 16) {
        if (rows[i + 15] - rows[i] == 15) {
            NAME(Run) run;
            memcpy(&run, lanes + rows[i], sizeof run);
            const RunWords words = __builtin_convertvector(run, RunWords);
            memcpy(picked + i, &words, sizeof words);
        } else {
            for (uint32_t j = 0; j < 16; j++) {
                picked[i + j] = (uint32_t)lanes[rows[i + j]];
            }
        }
    }
    for (; i < count; i++) {
        picked[i] = (uint32_t)lanes[rows[i]];
    }
}

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
        NAME(pick)(lanes, rows, count, positions);
        for (uint32_t i = 0; i < count; i++) {
            positions[i] = ((positions[i] + offset) >> shift) * stride;
        }
    } else {
        for (uint32_t i = 0; i < count; i++) {
            positions[i] += (((uint32_t)lanes[rows[i]] + offset) >> shift) * stride;
        }
    }
}
