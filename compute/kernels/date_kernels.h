/*
 * date_kernels.h — calendar fields of dates, from days since 1970-01-01.
 *
 * Source: C. Neri, L. Schneider, "Euclidean affine functions and their application to calendar
 * algorithms", 2022. All in 32-bit lanes, for days from 0000-03-01 on and up to 45,000 years later.
 */
#pragma once
#include "base/types/type.h"
#include "base/vector/kernel_level.h"

#define CALENDAR_DAYS_MIN (-719468) /* 0000-03-01 */
#define CALENDAR_DAYS_MAX ((1 << 24) - 1 - 719468)

typedef struct DateFields { /* where a kernel writes; null: not wanted */
    uint16_t *year;         /* from year 0 */
    uint8_t *month, *day;   /* from 1 */
} DateFields;

typedef struct DateKernels {
    /* Days are lane + base; all of them in the range above, else the results are meaningless. */
    void (*fields[4])(const void *lanes, uint32_t row_count, int64_t base, DateFields fields);
    /* target[i] = how many of the ascending `bounds` are at or below lane i: the year of a column
     * that spans few years, whose bounds are the first days of years. */
    void (*count_bounds[4])(const void *lanes, uint32_t row_count, const uint64_t *bounds,
                            uint32_t bound_count, uint8_t *target);
} DateKernels;
KERNEL_TABLE(DateKernels, date_kernels);
