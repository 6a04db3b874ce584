/*
 * date_pattern.h — dates and timestamps by a pattern, as DATEFORMAT and TIMEFORMAT give it.
 *
 * Parts: YYYY YY MM MON MONTH DD DDD HH HH12 HH24 MI SS US MS AM PM OF, and T before HH; other
 * letters are refused, everything else stands for itself, a blank for any number of blanks. Numbers
 * may be shorter than their part where a separator follows. YY: 70 to 99 are 19YY, the others 20YY.
 * Example: 'DD.MM.YYYY HH24:MI' reads "7.5.1996 03:04".
 */
#pragma once
#include "base/status.h"

#define DATE_PATTERN_PARTS_MAX 32

typedef struct DatePatternPart {
    uint8_t kind;
    char literal;
} DatePatternPart;

typedef struct DatePattern {
    uint32_t part_count;
    DatePatternPart parts[DATE_PATTERN_PARTS_MAX];
} DatePattern;

/* 22023 names the part that is not known. */
Status date_pattern_compile(const char *text, DatePattern *out) CHECKED;

/* Microseconds since 1970-01-01. 22007 when the text does not follow the pattern, 22008 for a
 * field out of range. Text after the last part is ignored when `allows_rest`. */
Status date_pattern_parse(const DatePattern *pattern, const char *text, size_t bytes,
                          bool allows_rest, int64_t *us) CHECKED;
