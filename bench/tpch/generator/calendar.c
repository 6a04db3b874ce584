/*
 * calendar.c — writes the texts of all days once.
 */
#include "bench/tpch/generator/calendar.h"

#include <stdbool.h>

static const uint8_t month_day_counts[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

void calendar_init(Calendar *calendar)
{
    uint32_t year = 1992;
    uint32_t month = 1;
    uint32_t day_of_month = 1;
    for (uint32_t day = 0; day < CALENDAR_DAY_COUNT; day++) {
        char text[DATE_TEXT_BYTES + FORMAT_SLACK_BYTES];
        char *cursor = format_unsigned(text, year);
        *cursor++ = '-';
        cursor = format_zero_padded(cursor, month, 2);
        *cursor++ = '-';
        format_zero_padded(cursor, day_of_month, 2);
        memcpy(calendar->text[day], text, DATE_TEXT_BYTES);

        bool is_leap_february = month == 2 && year % 4 == 0;    // right for 1901 to 2099
        if (++day_of_month > month_day_counts[month - 1] + (is_leap_february ? 1u : 0u)) {
            day_of_month = 1;
            if (++month > 12) {
                month = 1;
                year++;
            }
        }
    }
}
