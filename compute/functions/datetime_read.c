/*
 * datetime_read.c — reads texts by a date template: TO_DATE('05 Dec 2000', 'DD Mon YYYY').
 *
 * Blanks between fields may differ from the template's; a literal of the template skips one
 * character of the text that is neither letter nor digit. A number takes as many digits as its
 * field has when another field follows at once, and all that are there otherwise.
 */
#include <string.h>
#include <strings.h>

#include "compute/functions/datetime_format.h"

#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_HOUR (60 * US_PER_MINUTE)
#define JULIAN_EPOCH 2440588

typedef struct ReadState {
    const char *text, *end; /* where reading goes on */
    const char *whole;
    size_t whole_bytes;
    int64_t year, month, day, day_of_year, julian;
    int64_t hour, minute, second, us;
    bool has_julian, has_day_of_year, is_bc, is_pm, is_am, is_hour_12;
} ReadState;

static bool is_digit(char letter)
{
    return letter >= '0' && letter <= '9';
}

static bool is_alphanumeric(char letter)
{
    return is_digit(letter) || ((letter | 0x20) >= 'a' && (letter | 0x20) <= 'z') ||
           (unsigned char)letter >= 0x80;
}

static Status invalid_text(const ReadState *state, const char *what)
{
    return status_error(SQLSTATE_INVALID_DATETIME_FORMAT, "invalid value \"%.*s\" for \"%s\"",
                        (int)(state->end - state->text), state->text, what);
}

static Status out_of_range(const ReadState *state)
{
    return status_error(SQLSTATE_DATETIME_FIELD_OVERFLOW,
                        "date/time field value out of range: \"%.*s\"", (int)state->whole_bytes,
                        state->whole);
}

static void skip_blanks(ReadState *state)
{
    while (state->text < state->end && *state->text == ' ') {
        state->text++;
    }
}

static Status read_number(ReadState *state, uint32_t digits_max, const char *what, int64_t *out,
                          uint32_t *digits)
{
    int64_t value = 0;
    uint32_t count = 0;
    skip_blanks(state);
    while (state->text < state->end && is_digit(*state->text) && count < digits_max) {
        value = value * 10 + (*state->text - '0');
        state->text++;
        count++;
    }
    if (count == 0) {
        return invalid_text(state, what);
    }
    *out = value;
    *digits = count;
    return STATUS_OK;
}

static Status read_month_name(ReadState *state, bool is_short)
{
    skip_blanks(state);
    size_t left = (size_t)(state->end - state->text);
    for (int i = 0; i < 12; i++) {
        size_t length = is_short ? 3 : strlen(month_names[i]);
        if (left >= length && strncasecmp(state->text, month_names[i], length) == 0) {
            state->month = i + 1;
            state->text += length;
            return STATUS_OK;
        }
    }
    return invalid_text(state, is_short ? "MON" : "MONTH");
}

/* "am", "a.m.", "bc"…: the first letter, `first` or `second`, and what belongs to it. */
static Status read_mark(ReadState *state, const FormatToken *token, char first, char second,
                        bool *is_first, bool *is_second)
{
    size_t length = token->has_dots ? 4 : 2;
    skip_blanks(state);
    if ((size_t)(state->end - state->text) < length) {
        return invalid_text(state, token->field == FORMAT_ERA ? "BC" : "AM");
    }
    char letter = (char)(state->text[0] | 0x20);
    if (letter != first && letter != second) {
        return invalid_text(state, token->field == FORMAT_ERA ? "BC" : "AM");
    }
    *is_first = letter == first;
    *is_second = letter == second;
    state->text += length;
    return STATUS_OK;
}

/* Years of fewer than four digits are those nearest to 2020. */
static int64_t complete_year(int64_t year, uint32_t digits)
{
    if (digits >= 4) {
        return year;
    }
    return year < 70    ? year + 2000
           : year < 100 ? year + 1900
           : year < 520 ? year + 2000
                        : year + 1000;
}

static Status read_year(ReadState *state, const FormatToken *token, uint32_t digits_max)
{
    uint32_t digits;
    TRY(read_number(state, digits_max, "YYYY", &state->year, &digits));
    if (token->field == FORMAT_YEAR_COMMA && state->text < state->end && *state->text == ',') {
        int64_t rest;
        state->text++;
        TRY(read_number(state, 3, "Y,YYY", &rest, &digits));
        state->year = state->year * 1000 + rest;
        return STATUS_OK;
    }
    if (token->width < 4) {
        state->year = complete_year(state->year, digits);
    }
    return STATUS_OK;
}

/* Digits behind a second's point: 5 is 500 ms. */
static Status read_fraction(ReadState *state, uint32_t width, const char *what)
{
    uint32_t digits;
    int64_t value;
    TRY(read_number(state, width, what, &value, &digits));
    for (; digits < 6; digits++) {
        value *= 10;
    }
    state->us = value;
    return STATUS_OK;
}

static Status read_token(ReadState *state, const FormatToken *token, uint32_t digits_max)
{
    uint32_t digits;
    int64_t ignored;
    bool is_other;
    switch ((FormatField)token->field) {
    case FORMAT_YEAR:
    case FORMAT_YEAR_COMMA:
        return read_year(state, token, digits_max);
    case FORMAT_ERA:
        return read_mark(state, token, 'b', 'a', &state->is_bc, &is_other);
    case FORMAT_MERIDIEM:
        return read_mark(state, token, 'a', 'p', &state->is_am, &state->is_pm);
    case FORMAT_MONTH_NAME:
        return read_month_name(state, false);
    case FORMAT_MONTH_SHORT:
        return read_month_name(state, true);
    case FORMAT_MONTH:
        return read_number(state, digits_max, "MM", &state->month, &digits);
    case FORMAT_DAY:
        return read_number(state, digits_max, "DD", &state->day, &digits);
    case FORMAT_DAY_OF_YEAR:
        state->has_day_of_year = true;
        return read_number(state, digits_max, "DDD", &state->day_of_year, &digits);
    case FORMAT_JULIAN:
        state->has_julian = true;
        return read_number(state, digits_max, "J", &state->julian, &digits);
    case FORMAT_HOUR_12:
        state->is_hour_12 = true;
        return read_number(state, digits_max, "HH", &state->hour, &digits);
    case FORMAT_HOUR_24:
        return read_number(state, digits_max, "HH24", &state->hour, &digits);
    case FORMAT_MINUTE:
        return read_number(state, digits_max, "MI", &state->minute, &digits);
    case FORMAT_SECOND:
        return read_number(state, digits_max, "SS", &state->second, &digits);
    case FORMAT_MILLISECOND:
        return read_fraction(state, 3, "MS");
    case FORMAT_MICROSECOND:
        return read_fraction(state, 6, "US");
    case FORMAT_DAY_OF_WEEK:
    case FORMAT_ISO_DAY_OF_WEEK:
    case FORMAT_QUARTER:
        return read_number(state, digits_max, "D", &ignored, &digits); // decides nothing
    case FORMAT_DAY_NAME:
    case FORMAT_DAY_SHORT:
        while (state->text < state->end && is_alphanumeric(*state->text)) {
            state->text++;
        }
        return STATUS_OK;
    default:
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                            "this field of a date format cannot be read");
    }
}

static void skip_literal(ReadState *state, const FormatToken *token)
{
    for (uint32_t i = 0; i < token->bytes && state->text < state->end; i++) {
        if (token->text[i] == ' ') {
            skip_blanks(state);
        } else if (!is_alphanumeric(*state->text) || *state->text == token->text[i]) {
            state->text++;
        }
    }
}

static Status finish(ReadState *state, int64_t *us)
{
    int64_t days, hour = state->hour;
    if (state->is_hour_12 || state->is_am || state->is_pm) {
        if (hour < 1 || hour > 12) {
            Status status =
                status_error(SQLSTATE_INVALID_DATETIME_FORMAT,
                             "hour \"%lld\" is invalid for the 12-hour clock", (long long)hour);
            return status_with_hint(status,
                                    "use the 24-hour clock, or give an hour between 1 and 12");
        }
        hour = hour % 12 + (state->is_pm ? 12 : 0);
    }
    if (hour > 23 || state->minute > 59 || state->second > 59) {
        return out_of_range(state);
    }
    if (state->has_julian) {
        days = state->julian - JULIAN_EPOCH;
    } else {
        int64_t year = state->is_bc ? 1 - state->year : state->year;
        bool is_leap = days_in_month((int32_t)year, 2) == 29;
        if (state->has_day_of_year) {
            if (state->day_of_year < 1 || state->day_of_year > 365 + is_leap) {
                return out_of_range(state);
            }
            days = days_from_civil((int32_t)year, 1, 1) + state->day_of_year - 1;
        } else {
            if (state->month < 1 || state->month > 12 || state->day < 1 ||
                state->day > days_in_month((int32_t)year, (int32_t)state->month)) {
                return out_of_range(state);
            }
            days = days_from_civil((int32_t)year, (int32_t)state->month, (int32_t)state->day);
        }
    }
    TRY(timestamp_from_date(days, us));
    *us += hour * US_PER_HOUR + state->minute * US_PER_MINUTE + state->second * US_PER_SECOND +
           state->us;
    return STATUS_OK;
}

Status date_format_read(const DateFormat *format, const char *text, size_t bytes, int64_t *us)
{
    ReadState state = {
        .text = text,
        .end = text + bytes,
        .whole = text,
        .whole_bytes = bytes,
        .year = 1,
        .month = 1,
        .day = 1,
    };
    for (uint32_t i = 0; i < format->token_count; i++) {
        const FormatToken *token = &format->tokens[i];
        if (state.text == state.end) {
            break; // what is missing keeps its default
        }
        if (token->field == FORMAT_LITERAL) {
            skip_literal(&state, token);
            continue;
        }
        bool is_followed = i + 1 < format->token_count &&
                           format->tokens[i + 1].field != FORMAT_LITERAL &&
                           format->tokens[i + 1].width > 0;
        uint32_t digits_max = is_followed ? token->width : 7;
        if (token->field != FORMAT_YEAR && token->field != FORMAT_YEAR_COMMA &&
            token->field != FORMAT_JULIAN && digits_max > token->width) {
            digits_max = token->width;
        }
        TRY(read_token(&state, token, digits_max));
        if (token->ordinal != 0 && state.end - state.text >= 2) {
            state.text += 2;
        }
    }
    return finish(&state, us);
}
