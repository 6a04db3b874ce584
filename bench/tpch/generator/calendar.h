/*
 * calendar.h — the days of the data set, 1992-01-01 to 1998-12-31, as numbers and as text.
 */
#pragma once

#include <stdint.h>

#include "bench/tpch/generator/field_format.h"

enum {
    CALENDAR_DAY_COUNT = 2557,         /* 1992 and 1996 have 366 days */
    CALENDAR_CURRENT_DAY = 1263,       /* 1995-06-17: what was received later has no return flag */
    CALENDAR_LAST_ORDER_DAY = 2405,    /* 1998-08-02: the last day less 151 days to be received */
};

/* The texts of all days: "1992-01-01" and so on. */
typedef struct Calendar {
    char text[CALENDAR_DAY_COUNT][DATE_TEXT_BYTES];
} Calendar;

void calendar_init(Calendar *calendar);

/* Prints day number `day`, where day 0 is 1992-01-01. */
static inline char *calendar_format(char *cursor, const Calendar *calendar, uint32_t day)
{
    return format_bytes(cursor, calendar->text[day], DATE_TEXT_BYTES);
}
