/* date_kernels.c — see date_kernels.h. */
#include "compute/kernels/date_kernels.h"

#include <string.h>

typedef struct CivilDate {
    uint32_t year, month, day;
} CivilDate;

/* `days` since 0000-03-01, below 2^24. Years begin in March, so that leap days come last. */
static inline CivilDate civil_date(uint32_t days)
{
    uint32_t quarter_days = 4 * days + 3;
    uint32_t century = quarter_days / 146097;
    uint32_t day_of_century = quarter_days % 146097 / 4;
    uint32_t quarters = 4 * day_of_century + 3;
    uint32_t year_of_century = quarters / 1461;
    uint32_t day_of_year = quarters % 1461 / 4;
    uint32_t months = 2141 * day_of_year + 197913;
    uint32_t month = months >> 16, day = (months & 0xffff) / 2141;
    uint32_t is_next_year = day_of_year >= 306; // January and February
    return (CivilDate){
        .year = 100 * century + year_of_century + is_next_year,
        .month = is_next_year ? month - 12 : month,
        .day = day + 1,
    };
}

#define TEMPLATE "compute/kernels/date.tmpl.h"
#include "base/vector/for_each_integer_lane.h"

const DateKernels KERNEL(date_kernels) = {
    .fields = {fields_u8, fields_u16, fields_u32, fields_i64},
    .count_bounds = {count_bounds_u8, count_bounds_u16, count_bounds_u32, count_bounds_i64},
};
