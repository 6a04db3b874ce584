/* run_expand.tmpl.h — needs LANE_TYPE and EXPAND_NAME: writes each run's value to its rows.
 * Sixteen lanes are written at once where they fit; what is too much the next run overwrites. */
static void EXPAND_NAME(const LANE_TYPE *restrict values, const uint16_t *restrict ends,
                        uint32_t run_count, LANE_TYPE *restrict out)
{
    uint32_t row = 0;
    for (uint32_t run = 0; run < run_count; run++) {
        const LANE_TYPE value = values[run];
        const uint32_t end = ends[run];
        while (row + 16 <= VECTOR_ROWS && row < end) {
            for (uint32_t i = 0; i < 16; i++) {
                out[row + i] = value;
            }
            row += 16;
        }
        while (row < end) {
            out[row++] = value;
        }
        row = end;
    }
}

#undef LANE_TYPE
#undef EXPAND_NAME
