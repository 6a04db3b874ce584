/*
 * datetime_format.h — templates of TO_CHAR and TO_DATE for dates: 'YYYY-MM-DD HH24:MI:SS'.
 *
 * A template is a list of tokens: fields, and literal text between them. Source of the fields and
 * their modifiers: PostgreSQL manual, "Data type formatting functions".
 */
#pragma once
#include "base/arena.h"
#include "base/types/datetime.h"

typedef enum FormatField {
    FORMAT_LITERAL,
    FORMAT_YEAR,       /* width digits: YYYY YYY YY Y */
    FORMAT_YEAR_COMMA, /* Y,YYY */
    FORMAT_ISO_YEAR,
    FORMAT_ERA, /* BC AD B.C. A.D. */
    FORMAT_MONTH_NAME,
    FORMAT_MONTH_SHORT,
    FORMAT_MONTH,
    FORMAT_DAY_NAME,
    FORMAT_DAY_SHORT,
    FORMAT_DAY,
    FORMAT_DAY_OF_YEAR,
    FORMAT_DAY_OF_WEEK,     /* Sunday is 1 */
    FORMAT_ISO_DAY_OF_WEEK, /* Monday is 1 */
    FORMAT_WEEK_OF_MONTH,
    FORMAT_WEEK_OF_YEAR,
    FORMAT_ISO_WEEK,
    FORMAT_QUARTER,
    FORMAT_CENTURY,
    FORMAT_JULIAN,
    FORMAT_HOUR_12,
    FORMAT_HOUR_24,
    FORMAT_MINUTE,
    FORMAT_SECOND,
    FORMAT_MILLISECOND,
    FORMAT_MICROSECOND,
    FORMAT_SECOND_OF_DAY,
    FORMAT_MERIDIEM, /* AM PM A.M. P.M. */
    FORMAT_NOT_BUILT
} FormatField;

typedef enum LetterCase { LETTERS_UPPER, LETTERS_CAPITAL, LETTERS_LOWER } LetterCase;

typedef struct FormatToken {
    uint8_t field;       /* FormatField */
    uint8_t width;       /* digits of a number */
    uint8_t letter_case; /* LetterCase */
    bool has_dots;       /* A.M., B.C. */
    bool is_filled;      /* padded with zeroes or blanks; FM in front turns that off */
    uint8_t ordinal;     /* 0: none, 1: TH, 2: th */
    uint32_t bytes;      /* of a literal */
    const char *text;
} FormatToken;

typedef struct DateFormat {
    uint32_t token_count;
    const FormatToken *tokens;
    size_t bytes_max; /* of what it prints */
} DateFormat;

/* 0A000 for fields that are not built, naming them. */
Status date_format_parse(const char *text, size_t bytes, Arena *arena, DateFormat *out) CHECKED;
/* Prints a finite timestamp into `target` (bytes_max bytes); returns the bytes written. */
size_t date_format_print(const DateFormat *format, int64_t us, char *target);
/* Reads what the format describes; 22007 for text that does not fit it, 22008 for fields out of
 * range. */
Status date_format_read(const DateFormat *format, const char *text, size_t bytes,
                        int64_t *us) CHECKED;
extern const char *const month_names[12]; /* "January" … */
