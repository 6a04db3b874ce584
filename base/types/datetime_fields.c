/*
 * datetime_fields.c — cuts date, time and interval text into fields.
 *
 * The rules follow PostgreSQL's ParseDateTime: what a character run is depends on how it begins and
 * on the first separator in it. "2024-01-08T04:05:06.5+02" becomes
 * DATE 2024-01-08, WORD t, TIME 04:05:06.5, SIGNED +02.
 */
#include <string.h>

#include "base/types/datetime_internal.h"
#include "base/types/digits_internal.h"

typedef bool (*CharacterTest)(char c);

/* Where cutting has come to: input is zero-terminated, output holds the fields found. */
typedef struct Splitter {
    const char *cursor;
    char *output;
} Splitter;

static bool is_word_character(char c)
{
    return is_letter(c) || is_digit(c);
}
static bool is_time_character(char c)
{
    return is_digit(c) || c == ':' || c == '.';
}
static bool is_offset_character(char c)
{
    return is_time_character(c) || c == '-';
}
static bool is_zone_character(char c)
{
    return is_word_character(c) || (c != '\0' && strchr("+-/_.:", c) != NULL);
}
static bool is_punctuation(char c)
{
    return c > ' ' && c < 0x7f && !is_word_character(c);
}

static void take_while(Splitter *splitter, CharacterTest test)
{
    while (test(*splitter->cursor)) {
        *splitter->output++ = to_lower(*splitter->cursor++);
    }
}

static void take_one(Splitter *splitter)
{
    *splitter->output++ = *splitter->cursor++;
}

/* 04:05:06, 1999-01-08, 8-jan-1999, 1999.123, 20240108 */
static FieldKind take_numeric(Splitter *splitter)
{
    take_while(splitter, is_digit);
    char separator = *splitter->cursor;
    if (separator == ':') {
        take_while(splitter, is_time_character);
        return FIELD_TIME;
    }
    if (separator != '-' && separator != '/' && separator != '.') {
        return FIELD_NUMBER;
    }
    take_one(splitter);
    if (!is_digit(*splitter->cursor)) {
        while (is_word_character(*splitter->cursor) || *splitter->cursor == separator) {
            *splitter->output++ = to_lower(*splitter->cursor++);
        }
        return FIELD_DATE;
    }
    take_while(splitter, is_digit);
    if (*splitter->cursor != separator) {
        return separator == '.' ? FIELD_NUMBER : FIELD_DATE;
    }
    while (is_digit(*splitter->cursor) || *splitter->cursor == separator) {
        take_one(splitter);
    }
    return FIELD_DATE;
}

/* Words that end where a digit follows: t040506, j2451187, 1y2mon, jan08. */
static bool is_stand_alone(const char *word, size_t bytes)
{
    static const char *const words[] = {
        "t",   "j",   "jd",  "julian", "y",   "m",   "d",   "h",   "s",   "mm",
        "jan", "feb", "mar", "apr",    "may", "jun", "jul", "aug", "sep", "oct",
        "nov", "dec", "sun", "mon",    "tue", "wed", "thu", "fri", "sat", "am",
        "pm",  "ad",  "bc",  "sept",   "at",  "on",  "dow", "doy",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (word_equals(word, bytes, words[i])) {
            return true;
        }
    }
    return false;
}

/* jan-08-1999, t (of t040506), pm */
static FieldKind take_word(Splitter *splitter)
{
    const char *word = splitter->output;
    take_while(splitter, is_letter);
    char next = *splitter->cursor;
    bool is_date = next == '-' || next == '/' || next == '.';
    if (next == '+' || is_digit(next)) {
        is_date = !is_stand_alone(word, (size_t)(splitter->output - word));
    }
    if (!is_date) {
        return FIELD_WORD;
    }
    take_while(splitter, is_zone_character);
    return FIELD_DATE;
}

static bool take_signed(Splitter *splitter, FieldKind *kind)
{
    take_one(splitter);
    while (is_blank(*splitter->cursor)) {
        splitter->cursor++;
    }
    if (is_digit(*splitter->cursor)) {
        *kind = FIELD_SIGNED;
        take_while(splitter, is_offset_character);
        return true;
    }
    *kind = FIELD_SPECIAL;
    take_while(splitter, is_letter);
    return is_letter(splitter->output[-1]);
}

bool text_fields_split(const char *text, size_t bytes, FieldList *fields)
{
    char input[DATETIME_INPUT_MAX + 1];
    trim_blanks(&text, &bytes);
    if (bytes > DATETIME_INPUT_MAX || memchr(text, '\0', bytes) != NULL) {
        return false;
    }
    memcpy(input, text, bytes);
    input[bytes] = '\0';
    fields->count = 0;
    Splitter splitter = {.cursor = input, .output = fields->buffer};
    while (*splitter.cursor != '\0') {
        char first = *splitter.cursor;
        TextField field = {.kind = FIELD_NUMBER, .text = splitter.output};
        if (is_blank(first)) {
            splitter.cursor++;
            continue;
        }
        if (fields->count == TEXT_FIELDS_MAX) {
            return false;
        }
        if (is_digit(first)) {
            field.kind = take_numeric(&splitter);
        } else if (first == '.') {
            take_one(&splitter);
            take_while(&splitter, is_digit);
        } else if (is_letter(first)) {
            field.kind = take_word(&splitter);
        } else if (first == '+' || first == '-') {
            if (!take_signed(&splitter, &field.kind)) {
                return false;
            }
        } else if (is_punctuation(first)) {
            splitter.cursor++; // a separator, like the comma of "January 8, 1999"
            continue;
        } else {
            return false;
        }
        field.bytes = (size_t)(splitter.output - field.text);
        *splitter.output++ = '\0';
        fields->items[fields->count++] = field;
    }
    return fields->count > 0;
}

DecodeResult read_number(const char **cursor, int32_t *value)
{
    int64_t number = 0;
    if (!is_digit(**cursor)) {
        return DECODE_INVALID;
    }
    for (; is_digit(**cursor); (*cursor)++) {
        number = number * 10 + (**cursor - '0');
        if (number > INT32_MAX) {
            return DECODE_OVERFLOW;
        }
    }
    *value = (int32_t)number;
    return DECODE_OK;
}

DecodeResult read_fraction(const char *text, int32_t *us)
{
    // Seven digits decide: the rest cannot move the nearest millionth but at an exact tie.
    int32_t millionths = 0, digits = 0;
    bool is_above_half = false;
    int32_t seventh = 0;
    for (text++; is_digit(*text); text++, digits++) {
        if (digits < 6) {
            millionths = millionths * 10 + (*text - '0');
        } else if (digits == 6) {
            seventh = *text - '0';
        } else {
            is_above_half |= *text != '0';
        }
    }
    if (*text != '\0') {
        return DECODE_INVALID;
    }
    for (; digits < 6; digits++) {
        millionths *= 10;
    }
    // ties go to the even millionth, as rint() does
    if (seventh > 5 || (seventh == 5 && (is_above_half || (millionths & 1) != 0))) {
        millionths++;
    }
    *us = millionths;
    return DECODE_OK;
}

DecodeResult read_clock(const char *text, CivilTime *time)
{
    DecodeResult result = read_number(&text, &time->hour);
    if (result != DECODE_OK || *text != ':') {
        return result == DECODE_OK ? DECODE_INVALID : result;
    }
    text++;
    result = read_number(&text, &time->minute);
    if (result != DECODE_OK) {
        return result;
    }
    time->second = time->us = 0;
    if (*text == '.') { // mm:ss.f
        result = read_fraction(text, &time->us);
        time->second = time->minute;
        time->minute = time->hour;
        time->hour = 0;
    } else if (*text == ':') {
        text++;
        result = read_number(&text, &time->second);
        if (result == DECODE_OK && *text == '.') {
            result = read_fraction(text, &time->us);
        } else if (result == DECODE_OK && *text != '\0') {
            result = DECODE_INVALID;
        }
    } else if (*text != '\0') {
        result = DECODE_INVALID;
    }
    if (result == DECODE_OK && (time->minute > 59 || time->second > 60)) {
        result = DECODE_OVERFLOW;
    }
    return result;
}
