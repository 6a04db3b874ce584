/* date_pattern.c — dates and timestamps by a pattern; see date_pattern.h. */
#include "protocol/copy/date_pattern.h"

#include <string.h>
#include <strings.h>

#include "base/types/datetime.h"

typedef enum PartKind {
    PART_LITERAL,
    PART_BLANKS,
    PART_YEAR,
    PART_YEAR_SHORT,
    PART_MONTH,
    PART_MONTH_NAME,
    PART_DAY,
    PART_DAY_OF_YEAR,
    PART_HOUR,
    PART_HOUR_HALF,
    PART_MINUTE,
    PART_SECOND,
    PART_FRACTION,
    PART_MERIDIAN,
    PART_OFFSET
} PartKind;

typedef struct PartName {
    const char *name;
    PartKind kind;
} PartName;

/* Longer names first: HH24 before HH. */
static const PartName part_names[] = {
    {"YYYY", PART_YEAR},      {"YY", PART_YEAR_SHORT},   {"MONTH", PART_MONTH_NAME},
    {"MON", PART_MONTH_NAME}, {"MM", PART_MONTH},        {"MI", PART_MINUTE},
    {"MS", PART_FRACTION},    {"DDD", PART_DAY_OF_YEAR}, {"DD", PART_DAY},
    {"HH24", PART_HOUR},      {"HH12", PART_HOUR_HALF},  {"HH", PART_HOUR},
    {"SS", PART_SECOND},      {"US", PART_FRACTION},     {"AM", PART_MERIDIAN},
    {"PM", PART_MERIDIAN},    {"OF", PART_OFFSET},
};

typedef struct PatternCursor {
    const char *at, *end;
    CivilTime civil;
    int32_t day_of_year; /* 0: not given */
    int32_t offset_seconds;
    bool is_afternoon, has_meridian, has_half_hour;
} PatternCursor;

static bool read_part(PatternCursor *cursor, const DatePattern *pattern, uint32_t index);
static Status assemble(const PatternCursor *cursor, const char *text, size_t bytes, int64_t *us);

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

Status date_pattern_compile(const char *text, DatePattern *out)
{
    DatePattern pattern = {.part_count = 0};
    for (const char *at = text; *at != '\0';) {
        if (pattern.part_count == DATE_PATTERN_PARTS_MAX) {
            return status_error(SQLSTATE_INVALID_PARAMETER_VALUE, "date format \"%s\" is too long",
                                text);
        }
        DatePatternPart *part = &pattern.parts[pattern.part_count++];
        *part = (DatePatternPart){.kind = *at == ' ' ? PART_BLANKS : PART_LITERAL, .literal = *at};
        const PartName *found = NULL;
        for (size_t i = 0; i < sizeof(part_names) / sizeof(part_names[0]) && found == NULL; i++) {
            if (strncasecmp(at, part_names[i].name, strlen(part_names[i].name)) == 0) {
                found = &part_names[i];
            }
        }
        bool is_iso_t = *at == 'T' && strncasecmp(at + 1, "HH", 2) == 0;
        if (found != NULL) {
            part->kind = (uint8_t)found->kind;
            at += strlen(found->name);
        } else if (is_letter(*at) && !is_iso_t) {
            return status_error(SQLSTATE_INVALID_PARAMETER_VALUE,
                                "unknown part of date format \"%s\" at \"%s\"", text, at);
        } else {
            at++;
        }
    }
    *out = pattern;
    return STATUS_OK;
}

Status date_pattern_parse(const DatePattern *pattern, const char *text, size_t bytes,
                          bool allows_rest, int64_t *us)
{
    PatternCursor cursor = {
        .at = text, .end = text + bytes, .civil = {.year = 1970, .month = 1, .day = 1}};
    bool is_good = true;
    for (uint32_t i = 0; i < pattern->part_count && is_good; i++) {
        is_good = read_part(&cursor, pattern, i);
    }
    bool is_fraction = is_good && pattern->part_count > 0 && cursor.at < cursor.end &&
                       pattern->parts[pattern->part_count - 1].kind == PART_SECOND &&
                       *cursor.at == '.';
    if (is_fraction) { // seconds may carry a fraction that the pattern does not mention
        DatePattern rest = {.part_count = 1, .parts = {{.kind = PART_FRACTION}}};
        cursor.at++;
        is_good = read_part(&cursor, &rest, 0);
    }
    while (cursor.at < cursor.end && *cursor.at == ' ') {
        cursor.at++;
    }
    if (!is_good || (cursor.at < cursor.end && !allows_rest)) {
        return status_error(SQLSTATE_INVALID_DATETIME_FORMAT,
                            "\"%.*s\" does not follow the date format",
                            (int)(bytes < 100 ? bytes : 100), text);
    }
    return assemble(&cursor, text, bytes, us);
}

/* Up to `digits_max` digits; `*digits` of them were there. */
static bool read_number(PatternCursor *cursor, uint32_t digits_max, int32_t *out, uint32_t *digits)
{
    int32_t number = 0;
    *digits = 0;
    while (*digits < digits_max && cursor->at < cursor->end && *cursor->at >= '0' &&
           *cursor->at <= '9') {
        number = number * 10 + (*cursor->at++ - '0');
        (*digits)++;
    }
    *out = number;
    return *digits > 0;
}

static bool read_month_name(PatternCursor *cursor)
{
    static const char *const names[12] = {"january",   "february", "march",    "april",
                                          "may",       "june",     "july",     "august",
                                          "september", "october",  "november", "december"};
    size_t letters = 0;
    while (cursor->at + letters < cursor->end && is_letter(cursor->at[letters])) {
        letters++;
    }
    for (int32_t i = 0; i < 12; i++) {
        if ((letters == 3 || letters == strlen(names[i])) &&
            strncasecmp(cursor->at, names[i], letters) == 0) {
            cursor->civil.month = i + 1;
            cursor->at += letters;
            return true;
        }
    }
    return false;
}

static bool read_meridian(PatternCursor *cursor)
{
    if (cursor->end - cursor->at < 2 || (cursor->at[1] | 0x20) != 'm') {
        return false;
    }
    char letter = (char)(cursor->at[0] | 0x20);
    cursor->has_meridian = true;
    cursor->is_afternoon = letter == 'p';
    cursor->at += 2;
    return letter == 'a' || letter == 'p';
}

/* +HH, +HH:MI, -HHMI, Z. */
static bool read_offset(PatternCursor *cursor)
{
    if (cursor->at < cursor->end && (*cursor->at | 0x20) == 'z') {
        cursor->at++;
        return true;
    }
    if (cursor->at == cursor->end || (*cursor->at != '+' && *cursor->at != '-')) {
        return false;
    }
    int32_t sign = *cursor->at++ == '-' ? -1 : 1;
    int32_t hours, minutes = 0;
    uint32_t digits;
    if (!read_number(cursor, 2, &hours, &digits)) {
        return false;
    }
    if (cursor->at < cursor->end && *cursor->at == ':') {
        cursor->at++;
    }
    (void)read_number(cursor, 2, &minutes, &digits);
    cursor->offset_seconds = sign * (hours * 3600 + minutes * 60);
    return hours <= 15 && minutes <= 59;
}

static bool read_fraction(PatternCursor *cursor)
{
    int32_t number;
    uint32_t digits;
    if (!read_number(cursor, 6, &number, &digits)) {
        return false;
    }
    for (uint32_t i = digits; i < 6; i++) {
        number *= 10;
    }
    cursor->civil.us = number;
    return true;
}

static bool read_part(PatternCursor *cursor, const DatePattern *pattern, uint32_t index)
{
    CivilTime *civil = &cursor->civil;
    uint32_t digits;
    switch ((PartKind)pattern->parts[index].kind) {
    case PART_LITERAL:
        return cursor->at < cursor->end && *cursor->at++ == pattern->parts[index].literal;
    case PART_BLANKS:
        while (cursor->at < cursor->end && *cursor->at == ' ') {
            cursor->at++;
        }
        return true;
    case PART_YEAR:
        return read_number(cursor, 4, &civil->year, &digits);
    case PART_YEAR_SHORT: {
        bool is_good = read_number(cursor, 2, &civil->year, &digits);
        civil->year += civil->year >= 70 ? 1900 : 2000;
        return is_good;
    }
    case PART_MONTH:
        return read_number(cursor, 2, &civil->month, &digits);
    case PART_MONTH_NAME:
        return read_month_name(cursor);
    case PART_DAY:
        return read_number(cursor, 2, &civil->day, &digits);
    case PART_DAY_OF_YEAR:
        return read_number(cursor, 3, &cursor->day_of_year, &digits) && cursor->day_of_year > 0;
    case PART_HOUR_HALF:
        cursor->has_half_hour = true;
        return read_number(cursor, 2, &civil->hour, &digits);
    case PART_HOUR:
        return read_number(cursor, 2, &civil->hour, &digits);
    case PART_MINUTE:
        return read_number(cursor, 2, &civil->minute, &digits);
    case PART_SECOND:
        return read_number(cursor, 2, &civil->second, &digits);
    case PART_FRACTION:
        return read_fraction(cursor);
    case PART_MERIDIAN:
        return read_meridian(cursor);
    case PART_OFFSET:
        return read_offset(cursor);
    }
    return false;
}

static Status assemble(const PatternCursor *cursor, const char *text, size_t bytes, int64_t *us)
{
    const CivilTime *civil = &cursor->civil;
    int32_t hour = civil->hour;
    bool is_half = cursor->has_meridian || cursor->has_half_hour;
    bool is_good = civil->year >= 1 && civil->month >= 1 && civil->month <= 12 && civil->day >= 1 &&
                   civil->minute <= 59 && civil->second <= 59 &&
                   (is_half ? hour >= 1 && hour <= 12 : hour <= 23);
    is_good = is_good && civil->day <= days_in_month(civil->year, civil->month) &&
              cursor->day_of_year <= (days_in_month(civil->year, 2) == 29 ? 366 : 365);
    if (!is_good) {
        return status_error(SQLSTATE_DATETIME_FIELD_OVERFLOW,
                            "date/time field value out of range: \"%.*s\"",
                            (int)(bytes < 100 ? bytes : 100), text);
    }
    if (is_half) {
        hour = hour % 12 + (cursor->is_afternoon ? 12 : 0);
    }
    int64_t days = cursor->day_of_year > 0
                       ? days_from_civil(civil->year, 1, 1) + cursor->day_of_year - 1
                       : days_from_civil(civil->year, civil->month, civil->day);
    int64_t seconds = hour * 3600 + civil->minute * 60 + civil->second - cursor->offset_seconds;
    *us = days * US_PER_DAY + seconds * US_PER_SECOND + civil->us;
    return STATUS_OK;
}
