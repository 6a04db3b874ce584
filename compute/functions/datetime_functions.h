/* datetime_functions.h — pieces of date arithmetic that the kernels' callers share. */
#pragma once
#include "base/status.h"

/* What a finite date may be: 4714-11-24 BC to 5874897-12-31. */
#define DATE_DAYS_MIN INT64_C(-2440588)
#define DATE_DAYS_MAX INT64_C(2145042905)

/* Infinity stays what it is; 22008 beyond the range. */
Status date_add_days(int64_t days, int64_t count, int64_t *out) CHECKED;
