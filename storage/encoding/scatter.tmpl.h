/* scatter.tmpl.h — needs LANE_TYPE and SCATTER_NAME: one value in all lanes, others in some. */
static void SCATTER_NAME(LANE_TYPE common, const LANE_TYPE *restrict values,
                         const uint16_t *restrict rows, uint32_t count, LANE_TYPE *restrict out)
{
    for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
        out[i] = common;
    }
    for (uint32_t i = 0; i < count; i++) {
        out[rows[i]] = values[i];
    }
}

#undef LANE_TYPE
#undef SCATTER_NAME
