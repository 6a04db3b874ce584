/*
 * datetime_decode.c — what the fields of a date or timestamp mean together.
 *
 * As PostgreSQL's DecodeDateTime under datestyle MDY: each field claims the parts it sets (year,
 * month, day, time, zone); a part claimed twice or a date left incomplete is no date at all. A zone
 * is read and ignored, since the types here have none.
 */
#include <string.h>

#include "base/types/datetime_internal.h"
#include "base/types/digits_internal.h"

/* Parts of a date that fields claim. */
enum {
    PART_YEAR = 1,
    PART_MONTH = 2,
    PART_DAY = 4,
    PART_DAY_OF_YEAR = 8,
    PART_TIME = 16,
    PART_ZONE = 32,
    PART_MERIDIAN = 64,
    PART_ERA = 128,
    PART_WEEKDAY = 256,
    PARTS_DATE = PART_YEAR | PART_MONTH | PART_DAY
};
typedef enum Meridian { MERIDIAN_NONE, MERIDIAN_AM, MERIDIAN_PM } Meridian;
/* A word that says what the next number is. */
typedef enum Prefix { PREFIX_NONE, PREFIX_ISO_TIME, PREFIX_JULIAN } Prefix;

typedef struct Decoder {
    uint32_t parts; /* claimed so far */
    CivilTime time;
    int32_t day_of_year;
    bool has_month_word, is_two_digit_year, is_julian, is_bc;
    Meridian meridian;
    Prefix prefix;
    Special special;
} Decoder;

#define ZONE_HOURS_MAX 15
#define JULIAN_OF_EPOCH 2440588 /* the Julian day of 1970-01-01 */

static DecodeResult decode_field(Decoder *decoder, const FieldList *fields, size_t index,
                                 uint32_t *claimed);
static DecodeResult decode_date_field(Decoder *decoder, const TextField *field, uint32_t *claimed);
static DecodeResult decode_date(Decoder *decoder, const char *text, uint32_t *claimed);
static DecodeResult decode_numeric_field(Decoder *decoder, const TextField *field,
                                         uint32_t *claimed);
static DecodeResult decode_number(Decoder *decoder, const char *text, uint32_t parts,
                                  uint32_t *claimed);
static DecodeResult decode_run(Decoder *decoder, const char *text, size_t bytes, uint32_t parts,
                               uint32_t *claimed);
static DecodeResult decode_word(Decoder *decoder, const FieldList *fields, size_t index,
                                uint32_t *claimed);
static DecodeResult decode_clock(Decoder *decoder, const char *text, uint32_t *claimed);
static DecodeResult decode_zone(const char *text);
static DecodeResult finish_date(Decoder *decoder);
static DecodeResult finish_time(Decoder *decoder);

DecodeResult datetime_decode(const FieldList *fields, DecodedTime *out)
{
    Decoder decoder = {0};
    for (size_t i = 0; i < fields->count; i++) {
        uint32_t claimed = 0;
        DecodeResult result = decode_field(&decoder, fields, i, &claimed);
        if (result != DECODE_OK) {
            return result;
        }
        if ((claimed & decoder.parts) != 0) {
            return DECODE_INVALID;
        }
        decoder.parts |= claimed;
    }
    DecodeResult result = DECODE_OK;
    if (decoder.special == SPECIAL_NONE) {
        result = finish_date(&decoder);
        if (result == DECODE_OK) {
            result = finish_time(&decoder);
        }
        if (result == DECODE_OK &&
            ((decoder.parts & PARTS_DATE) != PARTS_DATE || decoder.prefix != PREFIX_NONE)) {
            result = DECODE_INVALID;
        }
    }
    *out = (DecodedTime){.special = decoder.special, .time = decoder.time};
    return result;
}

static DecodeResult decode_field(Decoder *decoder, const FieldList *fields, size_t index,
                                 uint32_t *claimed)
{
    const TextField *field = &fields->items[index];
    switch (field->kind) {
    case FIELD_DATE:
        return decode_date_field(decoder, field, claimed);
    case FIELD_TIME:
        if (decoder->prefix == PREFIX_JULIAN) {
            return DECODE_INVALID;
        }
        decoder->prefix = PREFIX_NONE;
        return decode_clock(decoder, field->text, claimed);
    case FIELD_SIGNED:
        *claimed = PART_ZONE;
        return decode_zone(field->text);
    case FIELD_NUMBER:
        return decode_numeric_field(decoder, field, claimed);
    default:
        return decode_word(decoder, fields, index, claimed);
    }
}

/* 1999-01-08; or, after a date or a 't', a time with its zone: 040506-08. */
static DecodeResult decode_date_field(Decoder *decoder, const TextField *field, uint32_t *claimed)
{
    bool has_date = (decoder->parts & (PART_MONTH | PART_DAY)) == (PART_MONTH | PART_DAY);
    if (!has_date && decoder->prefix == PREFIX_NONE) {
        return decode_date(decoder, field->text, claimed);
    }
    const char *zone = strchr(field->text, '-');
    if (!is_digit(*field->text) || zone == NULL || (decoder->parts & PART_TIME) != 0 ||
        decoder->prefix == PREFIX_JULIAN) {
        return DECODE_INVALID; // zones by name are not known here
    }
    decoder->prefix = PREFIX_NONE;
    DecodeResult result = decode_zone(zone);
    if (result == DECODE_OK) {
        result =
            decode_run(decoder, field->text, (size_t)(zone - field->text), decoder->parts, claimed);
        *claimed |= PART_ZONE;
    }
    return result;
}

/* The month a word names, 0 when none: full names and three letters (and "sept"). */
static int32_t month_of_word(const char *text, size_t bytes)
{
    static const char *const months[12] = {"january",   "february", "march",    "april",
                                           "may",       "june",     "july",     "august",
                                           "september", "october",  "november", "december"};
    if (word_equals(text, bytes, "sept")) {
        return 9;
    }
    for (int32_t i = 0; i < 12; i++) {
        if (word_equals(text, bytes, months[i]) ||
            (bytes == 3 && memcmp(text, months[i], 3) == 0)) {
            return i + 1;
        }
    }
    return 0;
}

static bool is_separator(char c)
{
    return !is_digit(c) && !is_letter(c);
}

/* The next run of digits or letters of a date: "1999-jan-08" gives 1999, jan, 08. */
static size_t next_part(const char **cursor, char part[DATETIME_INPUT_MAX + 1])
{
    while (**cursor != '\0' && is_separator(**cursor)) {
        (*cursor)++;
    }
    bool is_word = is_letter(**cursor);
    size_t bytes = 0;
    while (is_word ? is_letter(**cursor) : is_digit(**cursor)) {
        part[bytes++] = *(*cursor)++;
    }
    part[bytes] = '\0';
    return bytes;
}

static DecodeResult decode_date(Decoder *decoder, const char *text, uint32_t *claimed)
{
    char part[DATETIME_INPUT_MAX + 1];
    uint32_t parts = decoder->parts;
    size_t text_bytes = strlen(text);
    if (text_bytes > 1 && is_separator(text[text_bytes - 1]) &&
        is_separator(text[text_bytes - 2])) {
        return DECODE_INVALID; // "1999-01-08-" passes, "1999-01-08--" does not
    }
    for (const char *cursor = text; *cursor != '\0';) { // months in words first: unambiguous
        size_t bytes = next_part(&cursor, part);
        if (is_letter(part[0])) {
            decoder->time.month = month_of_word(part, bytes);
            if (decoder->time.month == 0 || (parts & PART_MONTH) != 0) {
                return DECODE_INVALID;
            }
            decoder->has_month_word = true;
            parts |= PART_MONTH;
        }
    }
    for (const char *cursor = text; *cursor != '\0';) {
        uint32_t part_claimed = 0;
        if (next_part(&cursor, part) == 0 || is_letter(part[0])) {
            continue;
        }
        DecodeResult result = decode_number(decoder, part, parts, &part_claimed);
        if (result != DECODE_OK) {
            return result;
        }
        if ((parts & part_claimed) != 0) {
            return DECODE_INVALID;
        }
        parts |= part_claimed;
    }
    if ((parts & ~(uint32_t)(PART_DAY_OF_YEAR | PART_ZONE)) != PARTS_DATE) {
        return DECODE_INVALID;
    }
    *claimed = parts & ~decoder->parts;
    return DECODE_OK;
}

static DecodeResult decode_julian(Decoder *decoder, const char *text, uint32_t *claimed)
{
    int32_t day, us;
    DecodeResult result = read_number(&text, &day);
    if (result != DECODE_OK) {
        return result;
    }
    civil_from_days((int64_t)day - JULIAN_OF_EPOCH, &decoder->time);
    decoder->is_julian = true;
    decoder->prefix = PREFIX_NONE;
    *claimed = PARTS_DATE;
    if (*text == '.') { // the day's fraction, to a millionth
        result = read_fraction(text, &us);
        int64_t time_us = us * (US_PER_DAY / US_PER_SECOND);
        decoder->time.hour = (int32_t)(time_us / US_PER_HOUR);
        decoder->time.minute = (int32_t)(time_us / US_PER_MINUTE % 60);
        decoder->time.second = (int32_t)(time_us / US_PER_SECOND % 60);
        decoder->time.us = (int32_t)(time_us % US_PER_SECOND);
        *claimed |= PART_TIME;
    }
    return result;
}

static DecodeResult decode_numeric_field(Decoder *decoder, const TextField *field,
                                         uint32_t *claimed)
{
    const char *point = strchr(field->text, '.');
    uint32_t parts = decoder->parts;
    if (decoder->prefix == PREFIX_JULIAN) {
        return decode_julian(decoder, field->text, claimed);
    }
    if (decoder->prefix == PREFIX_ISO_TIME) {
        decoder->prefix = PREFIX_NONE;
        DecodeResult result =
            decode_run(decoder, field->text, field->bytes, parts | PARTS_DATE, claimed);
        return result == DECODE_OK && *claimed != PART_TIME ? DECODE_INVALID : result;
    }
    if (point != NULL && (parts & PARTS_DATE) == 0) {
        return decode_date(decoder, field->text, claimed); // 1999.123
    }
    if (point != NULL && point - field->text > 2) { // 040506.789
        return decode_run(decoder, field->text, field->bytes, parts, claimed);
    }
    if (field->bytes >= 6 && ((parts & PARTS_DATE) == 0 || (parts & PART_TIME) == 0)) {
        return decode_run(decoder, field->text, field->bytes, parts, claimed);
    }
    return decode_number(decoder, field->text, parts, claimed);
}

/* A lone number: year, month or day, by what is known already. */
static DecodeResult decode_number(Decoder *decoder, const char *text, uint32_t parts,
                                  uint32_t *claimed)
{
    int32_t value;
    size_t bytes = strlen(text);
    const char *cursor = text;
    DecodeResult result = read_number(&cursor, &value);
    if (result != DECODE_OK) {
        return result;
    }
    if (*cursor == '.') {
        if (cursor - text > 2) {
            return decode_run(decoder, text, bytes, parts | PARTS_DATE, claimed);
        }
        result = read_fraction(cursor, &decoder->time.us);
    } else if (*cursor != '\0') {
        result = DECODE_INVALID;
    }
    if (result != DECODE_OK) {
        return result;
    }
    uint32_t known = parts & PARTS_DATE;
    if (bytes == 3 && known == PART_YEAR && value >= 1 && value <= 366) {
        *claimed = PART_DAY_OF_YEAR | PART_MONTH | PART_DAY;
        decoder->day_of_year = value;
        return DECODE_OK;
    }
    switch (known) {
    case 0: // YYYY-MM-DD, or month first
        *claimed = bytes >= 3 ? PART_YEAR : PART_MONTH;
        break;
    case PART_YEAR:
        *claimed = PART_MONTH;
        break;
    case PART_MONTH: // after a month in words both 8-jan-1999 and jan-1999-8 occur
        *claimed = decoder->has_month_word && bytes >= 3 ? PART_YEAR : PART_DAY;
        break;
    case PART_YEAR | PART_MONTH:
        *claimed = PART_DAY;
        if (decoder->has_month_word && bytes >= 3 && decoder->is_two_digit_year) {
            decoder->time.day = decoder->time.year; // the first number was the day after all
            decoder->time.year = value;
            decoder->is_two_digit_year = false;
            return DECODE_OK;
        }
        break;
    case PART_DAY:
        *claimed = PART_MONTH;
        break;
    case PART_MONTH | PART_DAY:
        *claimed = PART_YEAR;
        break;
    case PARTS_DATE:
        return decode_run(decoder, text, bytes, parts, claimed);
    default:
        return DECODE_INVALID;
    }
    if (*claimed == PART_YEAR) {
        decoder->time.year = value;
        decoder->is_two_digit_year = bytes <= 2;
    } else if (*claimed == PART_MONTH) {
        decoder->time.month = value;
    } else {
        decoder->time.day = value;
    }
    return DECODE_OK;
}

static int32_t digits_value(const char *text, size_t bytes)
{
    int64_t value = 0;
    for (size_t i = 0; i < bytes; i++) {
        value = value > INT32_MAX ? value : value * 10 + (text[i] - '0');
    }
    return value > INT32_MAX ? INT32_MAX : (int32_t)value;
}

/* Digits run together: 19990108, 990108, and for times 040506, 0405, 040506.789. */
static DecodeResult decode_run(Decoder *decoder, const char *text, size_t bytes, uint32_t parts,
                               uint32_t *claimed)
{
    CivilTime *time = &decoder->time;
    const char *point = memchr(text, '.', bytes);
    if (point != NULL) {
        char fraction[DATETIME_INPUT_MAX + 1];
        size_t fraction_bytes = bytes - (size_t)(point - text);
        memcpy(fraction, point, fraction_bytes);
        fraction[fraction_bytes] = '\0';
        DecodeResult result = read_fraction(fraction, &time->us);
        if (result != DECODE_OK) {
            return result;
        }
        bytes = (size_t)(point - text);
    } else if ((parts & PARTS_DATE) != PARTS_DATE && bytes >= 6) {
        *claimed = PARTS_DATE;
        time->day = digits_value(text + bytes - 2, 2);
        time->month = digits_value(text + bytes - 4, 2);
        time->year = digits_value(text, bytes - 4);
        decoder->is_two_digit_year = bytes == 6;
        return DECODE_OK;
    }
    if ((parts & PART_TIME) != 0 || (bytes != 6 && bytes != 4)) {
        return DECODE_INVALID;
    }
    *claimed = PART_TIME;
    time->hour = digits_value(text, 2);
    time->minute = digits_value(text + 2, 2);
    time->second = bytes == 6 ? digits_value(text + 4, 2) : 0;
    return DECODE_OK;
}

/* Words that only fill or that name what is not kept. */
static bool is_listed(const char *word, const char *list)
{
    size_t bytes = strlen(word);
    for (const char *found = strstr(list, word); found != NULL; found = strstr(found + 1, word)) {
        if (found[-1] == ' ' && found[bytes] == ' ') {
            return true;
        }
    }
    return false;
}

static DecodeResult decode_special(Decoder *decoder, const char *word, uint32_t *claimed)
{
    *claimed = PARTS_DATE | PART_TIME | PART_ZONE;
    if (strcmp(word, "epoch") == 0) {
        decoder->special = SPECIAL_EPOCH;
    } else if (strcmp(word, "infinity") == 0 || strcmp(word, "+infinity") == 0) {
        decoder->special = SPECIAL_INFINITY;
    } else if (strcmp(word, "-infinity") == 0) {
        decoder->special = SPECIAL_MINUS_INFINITY;
    } else if (strcmp(word, "allballs") == 0) { // 00:00:00 UTC
        *claimed = PART_TIME | PART_ZONE;
    } else {
        return DECODE_INVALID;
    }
    return DECODE_OK;
}

static DecodeResult decode_month_word(Decoder *decoder, int32_t month, uint32_t *claimed)
{
    CivilTime *time = &decoder->time;
    *claimed = PART_MONTH;
    // "08 January 1999": what was taken for a month was the day
    if ((decoder->parts & PART_MONTH) != 0 && !decoder->has_month_word &&
        (decoder->parts & PART_DAY) == 0 && time->month >= 1 && time->month <= 31) {
        time->day = time->month;
        *claimed = PART_DAY;
    }
    decoder->has_month_word = true;
    time->month = month;
    return DECODE_OK;
}

static DecodeResult decode_word(Decoder *decoder, const FieldList *fields, size_t index,
                                uint32_t *claimed)
{
    static const char weekdays[] = " sun sunday mon monday tue tues tuesday wed weds wednesday thu "
                                   "thur thurs thursday fri friday sat saturday ";
    static const char zones[] =
        " z zulu utc uct ut gmt wet west bst cet cest met mest eet eest msk ist sgt hkt jst kst "
        "acst acdt aest aedt awst nzst nzdt nst ndt ast adt est edt cst cdt mst mdt pst pdt akst "
        "akdt hst art brt brst clt clst pet cot ";
    const TextField *field = &fields->items[index];
    const char *word = field->text;
    int32_t month = month_of_word(word, field->bytes);
    if (month != 0) {
        return decode_month_word(decoder, month, claimed);
    }
    if (strcmp(word, "at") == 0 || strcmp(word, "on") == 0) {
        return DECODE_OK;
    }
    if (strcmp(word, "am") == 0 || strcmp(word, "pm") == 0) {
        decoder->meridian = *word == 'a' ? MERIDIAN_AM : MERIDIAN_PM;
        *claimed = PART_MERIDIAN;
        return DECODE_OK;
    }
    if (strcmp(word, "ad") == 0 || strcmp(word, "bc") == 0) {
        decoder->is_bc = *word == 'b';
        *claimed = PART_ERA;
        return DECODE_OK;
    }
    if (strcmp(word, "t") == 0) {
        FieldKind next = index + 1 < fields->count ? fields->items[index + 1].kind : FIELD_WORD;
        decoder->prefix = PREFIX_ISO_TIME;
        bool is_time_next = next == FIELD_NUMBER || next == FIELD_TIME || next == FIELD_DATE;
        bool has_date = (decoder->parts & PARTS_DATE) == PARTS_DATE;
        return has_date && is_time_next ? DECODE_OK : DECODE_INVALID;
    }
    if (is_listed(word, " j jd julian ")) {
        decoder->prefix = PREFIX_JULIAN;
        return DECODE_OK;
    }
    if (is_listed(word, weekdays)) {
        *claimed = PART_WEEKDAY;
        return DECODE_OK;
    }
    if (is_listed(word, zones)) {
        *claimed = PART_ZONE;
        return DECODE_OK;
    }
    return decode_special(decoder, word, claimed);
}

static DecodeResult decode_clock(Decoder *decoder, const char *text, uint32_t *claimed)
{
    *claimed = PART_TIME;
    return read_clock(text, &decoder->time);
}

/* +2, +02, -0800, +05:30, +05:30:15; at most 15:59:59. */
static DecodeResult decode_zone(const char *text)
{
    int32_t hours, minutes = 0, seconds = 0;
    const char *cursor = text + 1;
    DecodeResult result = read_number(&cursor, &hours);
    if (result == DECODE_OK && *cursor == ':') {
        cursor++;
        result = read_number(&cursor, &minutes);
        if (result == DECODE_OK && *cursor == ':') {
            cursor++;
            result = read_number(&cursor, &seconds);
        }
    } else if (result == DECODE_OK && *cursor == '\0' && strlen(text) > 3) {
        minutes = hours % 100;
        hours /= 100;
    }
    if (result == DECODE_OK && (hours > ZONE_HOURS_MAX || minutes > 59 || seconds > 59)) {
        result = DECODE_OVERFLOW;
    }
    return result == DECODE_OK && *cursor != '\0' ? DECODE_INVALID : result;
}

static DecodeResult finish_date(Decoder *decoder)
{
    CivilTime *time = &decoder->time;
    if ((decoder->parts & PART_YEAR) != 0 && !decoder->is_julian) {
        if (decoder->is_bc) {
            if (time->year <= 0) {
                return DECODE_OVERFLOW;
            }
            time->year = 1 - time->year;
        } else if (decoder->is_two_digit_year) {
            time->year += time->year < 70 ? 2000 : time->year < 100 ? 1900 : 0;
        } else if (time->year <= 0) {
            return DECODE_OVERFLOW;
        }
    }
    if ((decoder->parts & PART_DAY_OF_YEAR) != 0) {
        CivilTime civil;
        civil_from_days(days_from_civil(time->year, 1, 1) + decoder->day_of_year - 1, &civil);
        time->year = civil.year;
        time->month = civil.month;
        time->day = civil.day;
    }
    if ((decoder->parts & PART_MONTH) != 0 && (time->month < 1 || time->month > 12)) {
        return DECODE_MONTH_DAY_OVERFLOW;
    }
    if ((decoder->parts & PART_DAY) != 0 && (time->day < 1 || time->day > 31)) {
        return DECODE_MONTH_DAY_OVERFLOW;
    }
    if ((decoder->parts & PARTS_DATE) == PARTS_DATE &&
        time->day > days_in_month(time->year, time->month)) {
        return DECODE_OVERFLOW;
    }
    return DECODE_OK;
}

static DecodeResult finish_time(Decoder *decoder)
{
    CivilTime *time = &decoder->time;
    if (decoder->meridian != MERIDIAN_NONE) {
        if (time->hour > 12) {
            return DECODE_OVERFLOW;
        }
        time->hour = time->hour % 12 + (decoder->meridian == MERIDIAN_PM ? 12 : 0);
    }
    int64_t total_us = time->hour * US_PER_HOUR + time->minute * US_PER_MINUTE +
                       time->second * US_PER_SECOND + time->us;
    bool is_valid =
        time->hour <= 24 && time->minute <= 59 && time->second <= 60 && total_us <= US_PER_DAY;
    return is_valid ? DECODE_OK : DECODE_OVERFLOW;
}
