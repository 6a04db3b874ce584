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

static void NAME(count_bounds)(const void *lanes, uint32_t row_count, const uint64_t *bounds,
                               uint32_t bound_count, uint8_t *target)
{
    const T *restrict in = lanes;
    for (uint32_t row = 0; row < row_count; row += 64) { // few lanes stay in registers
        uint32_t row_end = row_count - row < 64 ? row_count - row : 64;
        uint8_t counts[64] = {0};
        for (uint32_t bound = 0; bound < bound_count; bound++) {
            const T limit = (T)bounds[bound];
            for (uint32_t i = 0; i < row_end; i++) {
                counts[i] = (uint8_t)(counts[i] + (in[row + i] >= limit));
            }
        }
        memcpy(target + row, counts, row_end);
    }
}
