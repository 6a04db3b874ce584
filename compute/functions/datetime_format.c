/* datetime_format.c — takes date templates apart, and prints timestamps by them. */
#include "compute/functions/datetime_format.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_HOUR (60 * US_PER_MINUTE)
#define JULIAN_EPOCH 2440588 /* the Julian day of 1970-01-01 */
#define NAME_BYTES_MAX 9     /* "September", "Wednesday" */
#define NUMBER_BYTES_MAX 14

const char *const month_names[12] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
static const char *const day_names[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                         "Thursday", "Friday", "Saturday"};

typedef struct FormatWord {
    const char *text;
    FormatField field;
    uint8_t width;
} FormatWord;

/* Longer words before their beginnings. */
static const FormatWord format_words[] = {
    {"A.D.", FORMAT_ERA, 0},
    {"A.M.", FORMAT_MERIDIEM, 0},
    {"AD", FORMAT_ERA, 0},
    {"AM", FORMAT_MERIDIEM, 0},
    {"B.C.", FORMAT_ERA, 0},
    {"BC", FORMAT_ERA, 0},
    {"CC", FORMAT_CENTURY, 2},
    {"DAY", FORMAT_DAY_NAME, 0},
    {"DDD", FORMAT_DAY_OF_YEAR, 3},
    {"DD", FORMAT_DAY, 2},
    {"DY", FORMAT_DAY_SHORT, 0},
    {"D", FORMAT_DAY_OF_WEEK, 1},
    {"FF", FORMAT_NOT_BUILT, 0},
    {"FX", FORMAT_NOT_BUILT, 0},
    {"HH24", FORMAT_HOUR_24, 2},
    {"HH12", FORMAT_HOUR_12, 2},
    {"HH", FORMAT_HOUR_12, 2},
    {"IDDD", FORMAT_NOT_BUILT, 0},
    {"ID", FORMAT_ISO_DAY_OF_WEEK, 1},
    {"IW", FORMAT_ISO_WEEK, 2},
    {"IYYY", FORMAT_ISO_YEAR, 4},
    {"IYY", FORMAT_ISO_YEAR, 3},
    {"IY", FORMAT_ISO_YEAR, 2},
    {"I", FORMAT_ISO_YEAR, 1},
    {"J", FORMAT_JULIAN, 1},
    {"MI", FORMAT_MINUTE, 2},
    {"MM", FORMAT_MONTH, 2},
    {"MONTH", FORMAT_MONTH_NAME, 0},
    {"MON", FORMAT_MONTH_SHORT, 0},
    {"MS", FORMAT_MILLISECOND, 3},
    {"OF", FORMAT_NOT_BUILT, 0},
    {"P.M.", FORMAT_MERIDIEM, 0},
    {"PM", FORMAT_MERIDIEM, 0},
    {"Q", FORMAT_QUARTER, 1},
    {"RM", FORMAT_NOT_BUILT, 0},
    {"SSSSS", FORMAT_SECOND_OF_DAY, 1},
    {"SSSS", FORMAT_SECOND_OF_DAY, 1},
    {"SS", FORMAT_SECOND, 2},
    {"SP", FORMAT_NOT_BUILT, 0},
    {"TM", FORMAT_NOT_BUILT, 0},
    {"TZ", FORMAT_NOT_BUILT, 0},
    {"US", FORMAT_MICROSECOND, 6},
    {"WW", FORMAT_WEEK_OF_YEAR, 2},
    {"W", FORMAT_WEEK_OF_MONTH, 1},
    {"Y,YYY", FORMAT_YEAR_COMMA, 4},
    {"YYYY", FORMAT_YEAR, 4},
    {"YYY", FORMAT_YEAR, 3},
    {"YY", FORMAT_YEAR, 2},
    {"Y", FORMAT_YEAR, 1},
};

/* --- templates --- */

static const FormatWord *find_word(const char *text, size_t bytes)
{
    for (size_t i = 0; i < sizeof format_words / sizeof *format_words; i++) {
        size_t length = strlen(format_words[i].text);
        if (length <= bytes && strncasecmp(text, format_words[i].text, length) == 0) {
            return &format_words[i];
        }
    }
    return NULL;
}

static bool is_lower(char letter)
{
    return letter >= 'a' && letter <= 'z';
}

/* MONTH, Month, month. */
static LetterCase word_case(const char *text)
{
    char second = text[1] == '.' ? text[2] : text[1];
    return is_lower(text[0]) ? LETTERS_LOWER : is_lower(second) ? LETTERS_CAPITAL : LETTERS_UPPER;
}

/* A field and its modifiers; returns the bytes read. */
static size_t read_field(const char *text, size_t bytes, bool is_filled, const FormatWord *word,
                         FormatToken *token)
{
    size_t length = strlen(word->text);
    *token = (FormatToken){
        .field = (uint8_t)word->field,
        .width = word->width,
        .letter_case = (uint8_t)word_case(text),
        .has_dots = strchr(word->text, '.') != NULL,
        .is_filled = is_filled,
    };
    if (word->width > 0 && bytes - length >= 2 && strncasecmp(text + length, "TH", 2) == 0) {
        token->ordinal = is_lower(text[length]) ? 2 : 1;
        length += 2;
    }
    return length;
}

/* "quoted", or one character; returns the bytes read. */
static size_t read_literal(const char *text, size_t bytes, Arena *arena, FormatToken *token)
{
    *token = (FormatToken){.field = FORMAT_LITERAL, .text = text, .bytes = 1};
    if (text[0] != '"') {
        return 1;
    }
    char *copy = arena_alloc(arena, bytes);
    size_t i = 1;
    token->text = copy;
    token->bytes = 0;
    for (; i < bytes && text[i] != '"'; i++) {
        i += text[i] == '\\' && i + 1 < bytes;
        copy[token->bytes++] = text[i];
    }
    return i < bytes ? i + 1 : i;
}

Status date_format_parse(const char *text, size_t bytes, Arena *arena, DateFormat *out)
{
    FormatToken *tokens = ARENA_ARRAY(arena, FormatToken, bytes);
    const char *own = arena_strndup(arena, text, bytes);
    DateFormat format = {.tokens = tokens};
    for (size_t i = 0; i < bytes;) {
        bool has_modifier = bytes - i >= 2 && strncasecmp(own + i, "FM", 2) == 0;
        i += has_modifier ? 2 : 0;
        if (i == bytes) {
            break;
        }
        FormatToken *token = &tokens[format.token_count++];
        const FormatWord *word = find_word(own + i, bytes - i);
        if (word == NULL) {
            i += read_literal(own + i, bytes - i, arena, token);
            format.bytes_max += token->bytes;
            continue;
        }
        if (word->field == FORMAT_NOT_BUILT) {
            return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                                "date format \"%s\" is not supported", word->text);
        }
        i += read_field(own + i, bytes - i, !has_modifier, word, token);
        format.bytes_max += NUMBER_BYTES_MAX;
    }
    *out = format;
    return STATUS_OK;
}

/* --- printing --- */

static size_t print_number(const FormatToken *token, int64_t value, char *target)
{
    char text[32];
    int bytes = snprintf(text, sizeof text, "%0*lld", token->is_filled ? token->width : 1,
                         (long long)value);
    if (token->ordinal != 0) {
        int64_t last = value % 10, tens = value / 10 % 10;
        const char *suffix = tens == 1   ? "th"
                             : last == 1 ? "st"
                             : last == 2 ? "nd"
                             : last == 3 ? "rd"
                                         : "th";
        text[bytes] = (char)(suffix[0] - (token->ordinal == 1 ? 32 : 0));
        text[bytes + 1] = (char)(suffix[1] - (token->ordinal == 1 ? 32 : 0));
        bytes += 2;
    }
    memcpy(target, text, (size_t)bytes);
    return (size_t)bytes;
}

/* The first `letters` of a name, or all of it; padded to the longest name when `letters` is 0. */
static size_t print_name(const FormatToken *token, const char *name, size_t letters, char *target)
{
    size_t bytes = letters > 0 ? letters : strlen(name);
    for (size_t i = 0; i < bytes; i++) {
        bool is_upper = token->letter_case == LETTERS_UPPER ||
                        (token->letter_case == LETTERS_CAPITAL && i == 0);
        char letter = (char)(name[i] | 0x20);
        target[i] = (char)(is_upper ? letter - 32 : letter);
    }
    if (letters == 0 && token->is_filled) {
        memset(target + bytes, ' ', NAME_BYTES_MAX - bytes);
        bytes = NAME_BYTES_MAX;
    }
    return bytes;
}

/* "am", with dots and in upper case as asked. */
static size_t print_mark(const FormatToken *token, const char mark[2], char *target)
{
    size_t bytes = 0;
    for (int i = 0; i < 2; i++) {
        target[bytes++] = (char)(token->letter_case == LETTERS_LOWER ? mark[i] : mark[i] - 32);
        if (token->has_dots) {
            target[bytes++] = '.';
        }
    }
    return bytes;
}

static int64_t last_digits(int64_t year, uint32_t digits)
{
    static const int64_t powers[5] = {1, 10, 100, 1000, 10000};
    return digits >= 4 ? year : year % powers[digits];
}

static size_t print_year(const FormatToken *token, int64_t year, char *target)
{
    year = year > 0 ? year : 1 - year; // years before Christ have no sign
    if (token->field == FORMAT_YEAR_COMMA) {
        return (size_t)snprintf(target, NUMBER_BYTES_MAX, "%lld,%03lld", (long long)(year / 1000),
                                (long long)(year % 1000));
    }
    return print_number(token, last_digits(year, token->width), target);
}

static size_t print_token(const FormatToken *token, int64_t us, const CivilTime *civil,
                          char *target)
{
    int64_t days = date_from_timestamp(us),
            day_of_week = date_extract(days, DATE_FIELD_DAY_OF_WEEK);
    int64_t iso_year, time_us = us - days * US_PER_DAY;
    switch ((FormatField)token->field) {
    case FORMAT_LITERAL:
        memcpy(target, token->text, token->bytes);
        return token->bytes;
    case FORMAT_YEAR:
    case FORMAT_YEAR_COMMA:
        return print_year(token, civil->year, target);
    case FORMAT_ISO_YEAR:
        iso_year = date_extract(days, DATE_FIELD_ISO_YEAR);
        return print_year(token, iso_year > 0 ? iso_year : iso_year + 1, target);
    case FORMAT_ERA:
        return print_mark(token, civil->year > 0 ? "ad" : "bc", target);
    case FORMAT_MONTH_NAME:
        return print_name(token, month_names[civil->month - 1], 0, target);
    case FORMAT_MONTH_SHORT:
        return print_name(token, month_names[civil->month - 1], 3, target);
    case FORMAT_DAY_NAME:
        return print_name(token, day_names[day_of_week], 0, target);
    case FORMAT_DAY_SHORT:
        return print_name(token, day_names[day_of_week], 3, target);
    case FORMAT_MONTH:
        return print_number(token, civil->month, target);
    case FORMAT_DAY:
        return print_number(token, civil->day, target);
    case FORMAT_DAY_OF_YEAR:
        return print_number(token, date_extract(days, DATE_FIELD_DAY_OF_YEAR), target);
    case FORMAT_DAY_OF_WEEK:
        return print_number(token, day_of_week + 1, target);
    case FORMAT_ISO_DAY_OF_WEEK:
        return print_number(token, date_extract(days, DATE_FIELD_ISO_DAY_OF_WEEK), target);
    case FORMAT_WEEK_OF_MONTH:
        return print_number(token, (civil->day - 1) / 7 + 1, target);
    case FORMAT_WEEK_OF_YEAR:
        return print_number(token, (date_extract(days, DATE_FIELD_DAY_OF_YEAR) - 1) / 7 + 1,
                            target);
    case FORMAT_ISO_WEEK:
        return print_number(token, date_extract(days, DATE_FIELD_WEEK), target);
    case FORMAT_QUARTER:
        return print_number(token, (civil->month - 1) / 3 + 1, target);
    case FORMAT_CENTURY:
        return print_number(token, date_extract(days, DATE_FIELD_CENTURY), target);
    case FORMAT_JULIAN:
        return print_number(token, days + JULIAN_EPOCH, target);
    case FORMAT_HOUR_12:
        return print_number(token, civil->hour % 12 == 0 ? 12 : civil->hour % 12, target);
    case FORMAT_HOUR_24:
        return print_number(token, civil->hour, target);
    case FORMAT_MINUTE:
        return print_number(token, civil->minute, target);
    case FORMAT_SECOND:
        return print_number(token, civil->second, target);
    case FORMAT_MILLISECOND:
        return print_number(token, civil->us / 1000, target);
    case FORMAT_MICROSECOND:
        return print_number(token, civil->us, target);
    case FORMAT_SECOND_OF_DAY:
        return print_number(token, time_us / US_PER_SECOND, target);
    default:
        return print_mark(token, civil->hour < 12 ? "am" : "pm", target);
    }
}

size_t date_format_print(const DateFormat *format, int64_t us, char *target)
{
    CivilTime civil;
    size_t bytes = 0;
    civil_from_timestamp(us, &civil);
    for (uint32_t i = 0; i < format->token_count; i++) {
        bytes += print_token(&format->tokens[i], us, &civil, target + bytes);
    }
    return bytes;
}
