/*
 * decimal_text.c — decimals as text and as doubles.
 *
 * The text is split once into digits, point and exponent; digits below the target scale only
 * round. "1.5e2" at scale 1 is 1500; "0.25" at scale 1 is 3.
 */
#include "base/types/decimal.h"

#include <math.h>
#include <string.h>

#include "base/types/digits_internal.h"
#include "base/types/number_text.h"

/* A number's text, taken apart: digits with an optional point among them, and an exponent. */
typedef struct NumberParts {
    const char *digits; /* digits and at most one point */
    size_t bytes;
    size_t point; /* digits before the point */
    int32_t exponent;
    bool is_negative;
} NumberParts;

static bool split_number(const char *text, size_t bytes, NumberParts *parts);
static bool scan_exponent(const char *text, size_t bytes, int32_t *exponent);
static bool scale_parts(const NumberParts *parts, uint32_t scale, UInt128 *out);

/* Longer exponents cannot be undone by digits that fit into a message. */
#define EXPONENT_LIMIT 100000000

static Status decimal_invalid(const char *text, size_t bytes)
{
    return status_error(SQLSTATE_INVALID_TEXT_REPRESENTATION,
                        "invalid input syntax for type numeric: \"%.*s\"",
                        (int)(bytes > 256 ? 256 : bytes), text);
}

/* "123.45" and its like, without blanks or exponent, of at most 18 digits: most of COPY's input. */
static bool parse_plain(const char *text, size_t bytes, Type type, int64_t *out)
{
    size_t i = bytes > 0 && (text[0] == '-' || text[0] == '+');
    size_t digits_first = i;
    uint64_t value = 0;
    if (bytes - i > 19) {
        return false;
    }
    for (; i < bytes && is_digit(text[i]); i++) {
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    size_t digit_total = i - digits_first, fraction = 0;
    if (i < bytes && text[i] == '.') {
        size_t fraction_first = ++i;
        for (; i < bytes && is_digit(text[i]); i++) {
            value = value * 10 + (uint64_t)(text[i] - '0');
        }
        fraction = i - fraction_first;
        digit_total += fraction;
    }
    if (i != bytes || digit_total == 0 || digit_total > 18 || fraction > type.scale ||
        digit_total - fraction + type.scale > 18 || type.precision == 0) {
        return false;
    }
    value *= (uint64_t)decimal_power_of_ten((uint32_t)(type.scale - fraction));
    if (type.precision <= 18 && value >= (uint64_t)decimal_power_of_ten(type.precision)) {
        return false; // the full path words the error
    }
    *out = text[0] == '-' ? -(int64_t)value : (int64_t)value;
    return true;
}

Status decimal_parse(const char *text, size_t bytes, Type type, Int128 *out)
{
    int64_t plain;
    if (parse_plain(text, bytes, type, &plain)) {
        *out = plain;
        return STATUS_OK;
    }
    if (type.precision == 0) {
        type.precision = DECIMAL_PRECISION_MAX;
    }
    NumberParts parts;
    UInt128 magnitude;
    if (!split_number(text, bytes, &parts)) {
        return decimal_invalid(text, bytes);
    }
    if (!scale_parts(&parts, type.scale, &magnitude)) {
        return decimal_overflow(type);
    }
    Int128 value = parts.is_negative ? -(Int128)magnitude : (Int128)magnitude;
    return decimal_rescale(value, type.scale, type, out);
}

static bool split_number(const char *text, size_t bytes, NumberParts *parts)
{
    trim_blanks(&text, &bytes);
    *parts = (NumberParts){0};
    if (bytes > 0 && (*text == '-' || *text == '+')) {
        parts->is_negative = *text == '-';
        text++;
        bytes--;
    }
    parts->digits = text;
    size_t i = 0;
    while (i < bytes && is_digit(text[i])) {
        i++;
    }
    parts->point = i;
    size_t digit_total = i;
    if (i < bytes && text[i] == '.') {
        for (i++; i < bytes && is_digit(text[i]); i++) {
            digit_total++;
        }
    }
    parts->bytes = i;
    return digit_total > 0 && scan_exponent(text + i, bytes - i, &parts->exponent);
}

/* "", "e5", "E-12"; nothing else. */
static bool scan_exponent(const char *text, size_t bytes, int32_t *exponent)
{
    *exponent = 0;
    if (bytes == 0) {
        return true;
    }
    if (*text != 'e' && *text != 'E') {
        return false;
    }
    size_t i = 1;
    bool is_negative = i < bytes && text[i] == '-';
    i += i < bytes && (text[i] == '-' || text[i] == '+');
    if (i == bytes) {
        return false;
    }
    int32_t value = 0;
    for (; i < bytes; i++) {
        if (!is_digit(text[i])) {
            return false;
        }
        value = value < EXPONENT_LIMIT ? value * 10 + (text[i] - '0') : value;
    }
    *exponent = is_negative ? -value : value;
    return true;
}

/* The magnitude in units of 10^-scale, rounded half up; false at 10^38 and above. */
static bool scale_parts(const NumberParts *parts, uint32_t scale, UInt128 *out)
{
    const UInt128 limit = (UInt128)decimal_power_of_ten(DECIMAL_PRECISION_MAX);
    size_t has_point = parts->point < parts->bytes; // the digits after it stand one byte later
    int64_t digit_count = (int64_t)(parts->bytes - has_point);
    int64_t kept_count = (int64_t)parts->point + parts->exponent + scale;
    UInt128 value = 0;
    for (int64_t i = 0; i < kept_count; i++) {
        if (i >= digit_count && value == 0) {
            break; // zero times any power
        }
        if (value >= limit / 10) {
            return false;
        }
        size_t byte = (size_t)i + ((size_t)i >= parts->point ? has_point : 0);
        uint32_t digit = i < digit_count ? (uint32_t)(parts->digits[byte] - '0') : 0;
        value = value * 10 + digit;
    }
    if (kept_count >= 0 && kept_count < digit_count) {
        size_t byte = (size_t)kept_count + ((size_t)kept_count >= parts->point ? has_point : 0);
        value += parts->digits[byte] >= '5';
    }
    *out = value;
    return value < limit;
}

size_t decimal_print(Int128 value, uint32_t scale, char *target)
{
    UInt128 magnitude = value < 0 ? -(UInt128)value : (UInt128)value;
    char digits[DECIMAL_TEXT_BYTES];
    size_t count = 0;
    if ((magnitude >> 64) == 0) {
        count = write_digits((uint64_t)magnitude, digits);
    } else {
        // 39 digits at most: the upper 20 and the lower 19
        UInt128 ten_to_19 = (UInt128)decimal_power_of_ten(19);
        count = write_digits((uint64_t)(magnitude / ten_to_19), digits);
        write_digits_padded((uint64_t)(magnitude % ten_to_19), 19, digits + count);
        count += 19;
    }
    char *cursor = target;
    if (value < 0) {
        *cursor++ = '-';
    }
    if (count <= scale) { // 0.00123
        *cursor++ = '0';
        *cursor++ = '.';
        memset(cursor, '0', scale - count);
        memcpy(cursor + scale - count, digits, count);
        return (size_t)(cursor - target) + scale;
    }
    size_t whole = count - scale;
    memcpy(cursor, digits, whole);
    cursor += whole;
    if (scale > 0) {
        *cursor++ = '.';
        memcpy(cursor, digits + whole, scale);
        cursor += scale;
    }
    return (size_t)(cursor - target);
}

double decimal_to_double(Int128 value, uint32_t scale)
{
    static const double exact_powers[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                            1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                            1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const Int128 exact = (Int128)1 << 53;
    if (value >= -exact && value <= exact && scale < 23) {
        return (double)value / exact_powers[scale]; // both exact: one correct rounding
    }
    char text[DECIMAL_TEXT_BYTES];
    double result = 0;
    size_t bytes = decimal_print(value, scale, text);
    (void)number_text_read_double(text, bytes, false, &result);
    return result;
}

Status decimal_from_float_digits(double value, int precision, Type type, Int128 *out)
{
    if (!isfinite(value)) {
        return status_error(SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE, "cannot convert %s to numeric",
                            isnan(value) ? "NaN" : "infinity");
    }
    char text[NUMBER_SCIENTIFIC_BYTES];
    size_t bytes = number_text_scientific(value, precision, text);
    return decimal_parse(text, bytes, type, out);
}

Status decimal_from_double(double value, Type type, Int128 *out)
{
    return decimal_from_float_digits(value, 15, type, out); // DBL_DIG, as PostgreSQL
}
