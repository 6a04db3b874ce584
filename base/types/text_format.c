/*
 * text_format.c — values to text and back, number by number; PostgreSQL's input and output forms.
 */
#include "base/types/text_format.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/types/datetime.h"
#include "base/types/decimal.h"
#include "base/types/digits_internal.h"
#include "base/types/number_text.h"

const char digit_pairs[201] = "0001020304050607080910111213141516171819"
                              "2021222324252627282930313233343536373839"
                              "4041424344454647484950515253545556575859"
                              "6061626364656667686970717273747576777879"
                              "8081828384858687888990919293949596979899";

#define MESSAGE_TEXT_MAX 256 /* bytes of user text that a message quotes */

static int quoted_bytes(size_t bytes)
{
    return (int)(bytes > MESSAGE_TEXT_MAX ? MESSAGE_TEXT_MAX : bytes);
}

static Status invalid_text(const char *text, size_t bytes, Type type)
{
    return status_error(SQLSTATE_INVALID_TEXT_REPRESENTATION,
                        "invalid input syntax for type %s: \"%.*s\"", type_name(type),
                        quoted_bytes(bytes), text);
}

/* --- booleans and integers --- */

/* Unique prefixes of the words, as PostgreSQL: "t", "tr", ... but not "o". */
static bool is_prefix(const char *text, size_t bytes, const char *word, size_t bytes_min)
{
    size_t word_bytes = strlen(word);
    if (bytes < bytes_min || bytes > word_bytes) {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        if (to_lower(text[i]) != word[i]) {
            return false;
        }
    }
    return true;
}

bool boolean_parse(const char *text, size_t bytes, bool *out)
{
    trim_blanks(&text, &bytes);
    if (is_prefix(text, bytes, "true", 1) || is_prefix(text, bytes, "yes", 1) ||
        is_prefix(text, bytes, "on", 2) || is_prefix(text, bytes, "1", 1)) {
        *out = true;
        return true;
    }
    if (is_prefix(text, bytes, "false", 1) || is_prefix(text, bytes, "no", 1) ||
        is_prefix(text, bytes, "off", 2) || is_prefix(text, bytes, "0", 1)) {
        *out = false;
        return true;
    }
    return false;
}

/* Up to 18 digits with a sign or without, nothing else: what COPY and literals bring. */
static bool parse_plain_integer(const char *text, size_t bytes, int64_t *out)
{
    size_t i = bytes > 0 && (*text == '-' || *text == '+');
    if (bytes == i || bytes - i > 18) {
        return false;
    }
    int64_t value = 0;
    for (; i < bytes; i++) {
        uint32_t digit = (unsigned char)(text[i] - '0');
        if (digit > 9) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out = *text == '-' ? -value : value;
    return true;
}

Status integer_parse(const char *text, size_t bytes, Type type, int64_t *out)
{
    int64_t plain;
    if (parse_plain_integer(text, bytes, &plain) && plain >= type_int64_min(type) &&
        plain <= type_int64_max(type)) {
        *out = plain;
        return STATUS_OK;
    }
    const char *cursor = text;
    size_t left = bytes;
    trim_blanks(&cursor, &left);
    bool is_negative = left > 0 && *cursor == '-';
    if (left > 0 && (*cursor == '-' || *cursor == '+')) {
        cursor++;
        left--;
    }
    if (left == 0) {
        return invalid_text(text, bytes, type);
    }
    uint64_t value = 0;
    bool is_too_large = false;
    for (size_t i = 0; i < left; i++) {
        uint32_t digit = (unsigned char)(cursor[i] - '0');
        if (digit > 9) {
            return invalid_text(text, bytes, type);
        }
        is_too_large |= value > (UINT64_MAX - 9) / 10;
        value = value * 10 + digit;
    }
    uint64_t limit = is_negative ? -(uint64_t)type_int64_min(type) : (uint64_t)type_int64_max(type);
    if (is_too_large || value > limit) {
        return status_error(SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE,
                            "value \"%.*s\" is out of range for type %s", quoted_bytes(bytes), text,
                            type_name(type));
    }
    *out = is_negative ? (int64_t)-value : (int64_t)value;
    return STATUS_OK;
}

size_t integer_print(int64_t value, char *target)
{
    if (value < 0) {
        *target = '-';
        return 1 + write_digits(-(uint64_t)value, target + 1);
    }
    return write_digits((uint64_t)value, target);
}

/* --- floats --- */

static bool parse_float_word(const char *text, size_t bytes, double *out)
{
    bool is_negative = bytes > 0 && *text == '-';
    bool has_sign = bytes > 0 && (*text == '-' || *text == '+');
    const char *word = text + has_sign;
    size_t word_bytes = bytes - has_sign;
    if (word_equals(word, word_bytes, "infinity") || word_equals(word, word_bytes, "inf")) {
        *out = is_negative ? -INFINITY : INFINITY;
        return true;
    }
    if (word_equals(word, word_bytes, "nan")) {
        *out = NAN;
        return true;
    }
    return false;
}

static NumberTextResult parse_finite(const char *text, size_t bytes, Type type, double *out)
{
    bool is_negative = bytes > 0 && *text == '-';
    bool has_sign = bytes > 0 && (*text == '-' || *text == '+');
    text += has_sign;
    bytes -= has_sign;
    bool is_hex = bytes > 2 && text[0] == '0' && to_lower(text[1]) == 'x';
    if (is_hex) {
        text += 2;
        bytes -= 2;
    }
    bool is_first_valid =
        bytes > 0 && (is_digit(*text) || *text == '.' ||
                      (is_hex && to_lower(*text) >= 'a' && to_lower(*text) <= 'f'));
    if (!is_first_valid) { // from_chars would take a second sign, and words
        return NUMBER_TEXT_INVALID;
    }
    NumberTextResult result;
    if (type.id == TYPE_REAL) {
        float narrow;
        result = number_text_read_float(text, bytes, is_hex, &narrow);
        *out = result == NUMBER_TEXT_OK ? (double)narrow : 0;
    } else {
        result = number_text_read_double(text, bytes, is_hex, out);
    }
    if (result == NUMBER_TEXT_OK && is_negative) {
        *out = -*out;
    }
    return result;
}

Status double_parse(const char *text, size_t bytes, Type type, double *out)
{
    const char *cursor = text;
    size_t left = bytes;
    double value;
    trim_blanks(&cursor, &left);
    switch (parse_finite(cursor, left, type, &value)) {
    case NUMBER_TEXT_OK:
        *out = value;
        return STATUS_OK;
    case NUMBER_TEXT_OUT_OF_RANGE:
        return status_error(SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE,
                            "\"%.*s\" is out of range for type %s", quoted_bytes(left), cursor,
                            type_name(type));
    default:
        if (parse_float_word(cursor, left, &value)) {
            *out = value;
            return STATUS_OK;
        }
        return invalid_text(text, bytes, type);
    }
}

/* Digits and exponent to text: 12.5, 0.00012, 1.5e+20. Plain up to `plain_exponent_max` digits
 * before the point, as PostgreSQL's %g. */
static size_t print_shortest(const char *digits, size_t count, int exponent, int plain_exponent_max,
                             char *target)
{
    char *cursor = target;
    if (exponent > plain_exponent_max || exponent < -3) {
        *cursor++ = digits[0];
        if (count > 1) {
            *cursor++ = '.';
            memcpy(cursor, digits + 1, count - 1);
            cursor += count - 1;
        }
        *cursor++ = 'e';
        *cursor++ = exponent > 0 ? '+' : '-';
        uint64_t power = (uint64_t)(exponent > 0 ? exponent - 1 : 1 - exponent);
        size_t power_digits = power >= 100 ? 3 : 2;
        write_digits_padded(power, power_digits, cursor);
        return (size_t)(cursor - target) + power_digits;
    }
    if (exponent <= 0) { // 0.000digits
        memcpy(cursor, "0.000", 5);
        cursor += 2 - exponent;
        memcpy(cursor, digits, count);
        return (size_t)(cursor - target) + count;
    }
    size_t whole = (size_t)exponent;
    if (count <= whole) {
        memcpy(cursor, digits, count);
        memset(cursor + count, '0', whole - count);
        return (size_t)(cursor - target) + whole;
    }
    memcpy(cursor, digits, whole);
    cursor[whole] = '.';
    memcpy(cursor + whole + 1, digits + whole, count - whole);
    return (size_t)(cursor - target) + count + 1;
}

/* NaN, infinities, zero and the sign; 0 bytes when digits are still to be written. */
static size_t print_special(double value, char *target)
{
    if (isnan(value)) {
        memcpy(target, "NaN", 3);
        return 3;
    }
    char *cursor = target;
    if (signbit(value)) {
        *cursor++ = '-';
    }
    if (isinf(value)) {
        memcpy(cursor, "Infinity", 8);
        return (size_t)(cursor - target) + 8;
    }
    if (value == 0) {
        *cursor++ = '0';
        return (size_t)(cursor - target);
    }
    return 0;
}

size_t double_print(double value, char *target)
{
    size_t special_bytes = print_special(value, target);
    if (special_bytes > 0) {
        return special_bytes;
    }
    char digits[NUMBER_TEXT_DIGITS_MAX];
    int exponent;
    size_t count = number_text_shortest_double(fabs(value), digits, &exponent);
    size_t sign_bytes = value < 0;
    return sign_bytes + print_shortest(digits, count, exponent, DBL_DIG, target + sign_bytes);
}

size_t real_print(float value, char *target)
{
    size_t special_bytes = print_special((double)value, target);
    if (special_bytes > 0) {
        return special_bytes;
    }
    char digits[NUMBER_TEXT_DIGITS_MAX];
    int exponent;
    size_t count = number_text_shortest_float(fabsf(value), digits, &exponent);
    size_t sign_bytes = value < 0;
    return sign_bytes + print_shortest(digits, count, exponent, FLT_DIG, target + sign_bytes);
}

/* --- values --- */

Status text_fit(const char *text, size_t bytes, Type type, bool is_explicit, size_t *kept_bytes)
{
    size_t kept = bytes;
    if (type.id == TYPE_CHAR) {
        while (kept > 0 && text[kept - 1] == ' ') {
            kept--;
        }
    }
    size_t limit = (size_t)type.length;
    if (type.length > 0 && kept > limit) {
        size_t needed = kept;
        while (needed > limit && text[needed - 1] == ' ') {
            needed--;
        }
        if (needed > limit && !is_explicit) {
            char name[TYPE_TEXT_BYTES];
            return status_error(SQLSTATE_STRING_DATA_RIGHT_TRUNCATION, "value too long for type %s",
                                type_print(type, name));
        }
        kept = utf8_clip(text, kept, limit);
        while (type.id == TYPE_CHAR && kept > 0 && text[kept - 1] == ' ') {
            kept--;
        }
    }
    *kept_bytes = kept;
    return STATUS_OK;
}

static TextView copy_text(const char *text, size_t bytes, Arena *arena)
{
    return text_view_make(bytes > TEXT_INLINE_MAX ? arena_memdup(arena, text, bytes) : text, bytes);
}

static Status parse_decimal_value(const char *text, size_t bytes, Value *out)
{
    Int128 value;
    TRY(decimal_parse(text, bytes, out->type, &value));
    if (type_is_scaled_integer(out->type)) {
        out->i64 = (int64_t)value;
    } else {
        out->i128 = value;
    }
    return STATUS_OK;
}

Status value_parse(const char *text, size_t bytes, Type type, Arena *arena, Value *out)
{
    Value value = {.type = type};
    switch ((TypeId)type.id) {
    case TYPE_BOOLEAN: {
        bool truth;
        if (!boolean_parse(text, bytes, &truth)) {
            return invalid_text(text, bytes, type);
        }
        value.i64 = truth;
        break;
    }
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
        TRY(integer_parse(text, bytes, type, &value.i64));
        break;
    case TYPE_DECIMAL:
        TRY(parse_decimal_value(text, bytes, &value));
        break;
    case TYPE_REAL:
    case TYPE_DOUBLE:
        TRY(double_parse(text, bytes, type, &value.f64));
        break;
    case TYPE_DATE: {
        int32_t days;
        TRY(date_parse(text, bytes, &days));
        value.i64 = days;
        break;
    }
    case TYPE_TIMESTAMP:
        TRY(timestamp_parse(text, bytes, &value.i64));
        break;
    case TYPE_INTERVAL:
        TRY(interval_parse(text, bytes, &value.interval));
        break;
    default: {
        size_t kept_bytes;
        TRY(text_fit(text, bytes, type, false, &kept_bytes));
        value.text = copy_text(text, kept_bytes, arena);
        break;
    }
    }
    *out = value;
    return STATUS_OK;
}

size_t value_print_fixed(const Value *value, char *target)
{
    switch ((TypeId)value->type.id) {
    case TYPE_BOOLEAN:
        *target = value->i64 != 0 ? 't' : 'f';
        return 1;
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
        return integer_print(value->i64, target);
    case TYPE_DECIMAL:
        return decimal_print(value_int128(value), value->type.scale, target);
    case TYPE_REAL:
        return real_print((float)value->f64, target);
    case TYPE_DOUBLE:
        return double_print(value->f64, target);
    case TYPE_DATE:
        return date_print(value->i64, target);
    case TYPE_TIMESTAMP:
        return timestamp_print(value->i64, target);
    case TYPE_INTERVAL:
        return interval_print(&value->interval, target);
    default:
        return 0;
    }
}

void value_print(const Value *value, ByteBuffer *target)
{
    if (value->is_null) {
        return;
    }
    if (!type_is_text(value->type)) {
        char text[DATETIME_TEXT_BYTES];
        size_t bytes = value_print_fixed(value, text);
        byte_buffer_add(target, text, bytes);
        return;
    }
    byte_buffer_add(target, text_view_data(&value->text), value->text.length);
    if (value->type.id == TYPE_CHAR && value->text.length < (uint32_t)value->type.length) {
        size_t padding = (uint32_t)value->type.length - value->text.length;
        uint8_t *room = byte_buffer_reserve(target, padding);
        if (room != NULL) {
            memset(room, ' ', padding);
            byte_buffer_commit(target, padding);
        }
    }
}
