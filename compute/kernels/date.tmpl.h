/* date.tmpl.h — needs T (signed for I64), U (the unsigned lane type) and NAME(stem). */
static void NAME(fields)(const void *lanes, uint32_t row_count, int64_t base, DateFields fields)
{
    const U *restrict in = lanes;
    const uint32_t shift = (uint32_t)(base - CALENDAR_DAYS_MIN);
    uint16_t *restrict year_out = fields.year;
    uint8_t *restrict month_out = fields.month, *restrict day_out = fields.day;
    if (year_out != NULL) {
        for (uint32_t i = 0; i < row_count; i++) {
            year_out[i] = (uint16_t)civil_date((uint32_t)in[i] + shift).year;
        }
    }
    if (month_out != NULL) {
        for (uint32_t i = 0; i < row_count; i++) {
            month_out[i] = (uint8_t)civil_date((uint32_t)in[i] + shift).month;
        }
    }
    if (day_out != NULL) {
        for (uint32_t i = 0; i < row_count; i++) {
            day_out[i] = (uint8_t)civil_date((uint32_t)in[i] + shift).day;
        }
    }
}

/* A full group: few lanes stay in registers for all bounds. */
static void NAME(count_group)(const T *restrict group, const uint64_t *restrict bounds,
                              uint32_t bound_count, uint8_t *restrict target)
{
    U counts[64] = {0};
    for (uint32_t bound = 0; bound < bound_count; bound++) {
        const T limit = (T)bounds[bound];
        for (uint32_t i = 0; i < 64; i++) {
            counts[i] = (U)(counts[i] + (group[i] >= limit));
        }
    }
    for (uint32_t i = 0; i < 64; i++) {
        target[i] = (uint8_t)counts[i];
    }
}

static void NAME(count_bounds)(const void *lanes, uint32_t row_count, const uint64_t *bounds,
                               uint32_t bound_count, uint8_t *target)
{
    const T *in = lanes;
    uint32_t row = 0;
    for (; row + 64 <= row_count; row += 64) {
        NAME(count_group)(in + row, bounds, bound_count, target + row);
    }
    for (; row < row_count; row++) {
        uint32_t count = 0;
        for (uint32_t bound = 0; bound < bound_count; bound++) {
            count += in[row] >= (T)bounds[bound];
        }
        target[row] = (uint8_t)count;
    }
}
