/* datetime_internal.h — limits and small pieces that the datetime sources share. */
#pragma once
#include "base/types/datetime.h"

#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_HOUR (60 * US_PER_MINUTE)

/* PostgreSQL's: Julian day 0 (4714-11-24 BC) up to 5874897-12-31. Its timestamps count from 2000
 * and end with 294276; ours count from 1970, so the last whole year that fits is 294246. */
#define DATE_MIN_DAYS INT64_C(-2440588)
#define DATE_MAX_DAYS INT64_C(2145042905)
#define TIMESTAMP_MIN_US (DATE_MIN_DAYS * US_PER_DAY)
#define TIMESTAMP_MAX_US (INT64_C(106751982) * US_PER_DAY - 1)
#define TIMESTAMP_YEAR_MIN (-4713)
#define TIMESTAMP_YEAR_MAX 294246

static inline int64_t floor_divide(int64_t value, int64_t divisor)
{
    int64_t quotient = value / divisor;
    return quotient - (value % divisor < 0);
}

bool timestamp_is_in_range(int64_t us);
Status timestamp_out_of_range(void) CHECKED;
/* ".5", ".000001" or nothing; returns the end. */
char *print_second_fraction(uint32_t us, char *cursor);

/* Date and interval text is first cut into fields: "1999-Jan-08 04:05:06 PM" is DATE TIME WORD. */
typedef enum FieldKind {
    FIELD_NUMBER, /* 1999, 20240101, 040506.789 */
    FIELD_DATE,   /* 1999-01-08, 8/jan/1999 */
    FIELD_TIME,   /* 04:05, 04:05:06.789 */
    FIELD_SIGNED, /* +02, -08:00: a zone's offset, or an interval's number */
    FIELD_WORD,   /* january, pm, t */
    FIELD_SPECIAL /* -infinity */
} FieldKind;
typedef struct TextField {
    FieldKind kind;
    size_t bytes;
    const char *text; /* lower case, zero-terminated */
} TextField;
#define TEXT_FIELDS_MAX 25
#define DATETIME_INPUT_MAX 128 /* bytes, without the blanks around */
typedef struct FieldList {
    size_t count;
    TextField items[TEXT_FIELDS_MAX];
    char buffer[DATETIME_INPUT_MAX + TEXT_FIELDS_MAX + 1];
} FieldList;
/* False when the text is no sequence of fields, or too long. */
bool text_fields_split(const char *text, size_t bytes, FieldList *fields);

/* Why a decoder gave up; datetime_error and interval_error word it. */
typedef enum DecodeResult {
    DECODE_OK,
    DECODE_INVALID,           /* 22007 */
    DECODE_OVERFLOW,          /* 22008 */
    DECODE_MONTH_DAY_OVERFLOW /* 22008, perhaps month and day were swapped */
} DecodeResult;

/* A run of digits; DECODE_OVERFLOW above INT32_MAX. `*cursor` moves behind it. */
DecodeResult read_number(const char **cursor, int32_t *value);
/* ".789" up to the end of the text, in millionths rounded to nearest: 1,000,000 is possible. */
DecodeResult read_fraction(const char *text, int32_t *us);
/* hh:mm, hh:mm:ss, hh:mm:ss.f, mm:ss.f; hours are not bounded. */
DecodeResult read_clock(const char *text, CivilTime *time);

typedef enum Special {
    SPECIAL_NONE,
    SPECIAL_EPOCH,
    SPECIAL_INFINITY,
    SPECIAL_MINUS_INFINITY
} Special;
typedef struct DecodedTime {
    Special special; /* when set, `time` means nothing */
    CivilTime time;  /* a valid date; the second may be 60, the hour 24 */
} DecodedTime;
DecodeResult datetime_decode(const FieldList *fields, DecodedTime *out);
