/*
 * datetime_parse.c — dates and timestamps from text: ISO text on a short road, the rest by
 * datetime_fields.c and datetime_decode.c.
 */
#include "base/types/datetime_internal.h"
#include "base/types/digits_internal.h"

static Status datetime_error(DecodeResult result, const char *text, size_t bytes, const char *type)
{
    int shown = (int)(bytes > 256 ? 256 : bytes);
    if (result == DECODE_INVALID) {
        return status_error(SQLSTATE_INVALID_DATETIME_FORMAT,
                            "invalid input syntax for type %s: \"%.*s\"", type, shown, text);
    }
    Status status = status_error(SQLSTATE_DATETIME_FIELD_OVERFLOW,
                                 "date/time field value out of range: \"%.*s\"", shown, text);
    return result == DECODE_MONTH_DAY_OVERFLOW
               ? status_with_hint(status, "perhaps you need a different \"datestyle\" setting")
               : status;
}

/* --- the short road: YYYY-MM-DD and YYYY-MM-DD HH:MM:SS[.ffffff] --- */

static bool read_two(const char *text, int32_t *value)
{
    *value = (text[0] - '0') * 10 + (text[1] - '0');
    return is_digit(text[0]) && is_digit(text[1]);
}

static bool read_iso_date(const char *text, size_t bytes, int64_t *days)
{
    int32_t century, year, month, day;
    if (bytes < 10 || text[4] != '-' || text[7] != '-' || !read_two(text, &century) ||
        !read_two(text + 2, &year) || !read_two(text + 5, &month) || !read_two(text + 8, &day)) {
        return false;
    }
    year += century * 100;
    if (year == 0 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) {
        return false;
    }
    *days = days_from_civil(year, month, day);
    return true;
}

static bool read_iso_timestamp(const char *text, size_t bytes, int64_t *us)
{
    int64_t days;
    int32_t hour = 0, minute = 0, second = 0;
    if (!read_iso_date(text, bytes, &days)) {
        return false;
    }
    if (bytes > 10) {
        if (bytes < 19 || bytes > 26 || bytes == 20 || (text[10] != ' ' && text[10] != 'T') ||
            text[13] != ':' || text[16] != ':' || !read_two(text + 11, &hour) ||
            !read_two(text + 14, &minute) || !read_two(text + 17, &second) || hour > 23 ||
            minute > 59 || second > 59) {
            return false;
        }
    }
    int64_t fraction = 0, unit = US_PER_SECOND;
    if (bytes > 19 && text[19] != '.') {
        return false;
    }
    for (size_t i = 20; i < bytes; i++) {
        if (!is_digit(text[i])) {
            return false;
        }
        unit /= 10;
        fraction += (text[i] - '0') * unit;
    }
    *us = days * US_PER_DAY + hour * US_PER_HOUR + minute * US_PER_MINUTE + second * US_PER_SECOND +
          fraction;
    return true;
}

/* --- the whole road --- */

Status date_parse(const char *text, size_t bytes, int32_t *days)
{
    int64_t result;
    if (bytes == 10 && read_iso_date(text, bytes, &result)) {
        *days = (int32_t)result;
        return STATUS_OK;
    }
    FieldList fields;
    DecodedTime decoded_time;
    DecodeResult decoded = DECODE_INVALID;
    if (text_fields_split(text, bytes, &fields)) {
        decoded = datetime_decode(&fields, &decoded_time);
    }
    if (decoded != DECODE_OK) {
        return datetime_error(decoded, text, bytes, "date");
    }
    switch (decoded_time.special) {
    case SPECIAL_EPOCH:
        *days = 0;
        return STATUS_OK;
    case SPECIAL_INFINITY:
        *days = DATE_INFINITY;
        return STATUS_OK;
    case SPECIAL_MINUS_INFINITY:
        *days = DATE_MINUS_INFINITY;
        return STATUS_OK;
    default:
        break;
    }
    const CivilTime *time = &decoded_time.time;
    result = days_from_civil(time->year, time->month, time->day);
    if (result < DATE_MIN_DAYS || result > DATE_MAX_DAYS) {
        return status_error(SQLSTATE_DATETIME_FIELD_OVERFLOW, "date out of range: \"%.*s\"",
                            (int)bytes, text);
    }
    *days = (int32_t)result;
    return STATUS_OK;
}

Status timestamp_parse(const char *text, size_t bytes, int64_t *us)
{
    if (read_iso_timestamp(text, bytes, us)) {
        return STATUS_OK;
    }
    FieldList fields;
    DecodedTime decoded_time;
    DecodeResult decoded = DECODE_INVALID;
    if (text_fields_split(text, bytes, &fields)) {
        decoded = datetime_decode(&fields, &decoded_time);
    }
    if (decoded != DECODE_OK) {
        return datetime_error(decoded, text, bytes, "timestamp");
    }
    switch (decoded_time.special) {
    case SPECIAL_EPOCH:
        *us = 0;
        return STATUS_OK;
    case SPECIAL_INFINITY:
        *us = TIMESTAMP_INFINITY;
        return STATUS_OK;
    case SPECIAL_MINUS_INFINITY:
        *us = TIMESTAMP_MINUS_INFINITY;
        return STATUS_OK;
    default:
        break;
    }
    const CivilTime *time = &decoded_time.time;
    int64_t result;
    if (__builtin_mul_overflow(days_from_civil(time->year, time->month, time->day), US_PER_DAY,
                               &result) ||
        __builtin_add_overflow(result,
                               time->hour * US_PER_HOUR + time->minute * US_PER_MINUTE +
                                   time->second * US_PER_SECOND + time->us,
                               &result) ||
        !timestamp_is_in_range(result)) {
        return status_error(SQLSTATE_DATETIME_FIELD_OVERFLOW, "timestamp out of range: \"%.*s\"",
                            (int)bytes, text);
    }
    *us = result;
    return STATUS_OK;
}

bool datetime_word_parse(const char *text, size_t bytes, int64_t now_us, int64_t *us)
{
    static const struct {
        const char *word;
        int64_t day_offset;
    } days[] = {{"today", 0}, {"tomorrow", 1}, {"yesterday", -1}};
    trim_blanks(&text, &bytes);
    if (word_equals(text, bytes, "now")) {
        *us = now_us;
        return true;
    }
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        if (word_equals(text, bytes, days[i].word)) {
            *us = (floor_divide(now_us, US_PER_DAY) + days[i].day_offset) * US_PER_DAY;
            return true;
        }
    }
    return false;
}
