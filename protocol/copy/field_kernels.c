/*
 * field_kernels.c — numbers, dates and texts by whole words; see field_kernels.h.
 *
 * A field of up to eight characters is one word, its last character in the top byte, the bytes
 * below its first one filled with '0':   "1234"  ->  '0' '0' '0' '0' '1' '2' '3' '4'
 * Eight digits then become a number with three multiplications (pairs, fours, eights).
 */
#include "protocol/copy/field_kernels.h"

#include <string.h>

#include "base/types/datetime.h"
#include "base/types/text_format.h"

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS (ONES * 0x80)
#define ZERO_DIGITS (ONES * '0')

static const int64_t powers_of_ten[19] = {1,
                                          10,
                                          100,
                                          1000,
                                          10000,
                                          100000,
                                          1000000,
                                          10000000,
                                          100000000,
                                          1000000000,
                                          10000000000,
                                          100000000000,
                                          1000000000000,
                                          10000000000000,
                                          100000000000000,
                                          1000000000000000,
                                          10000000000000000,
                                          100000000000000000,
                                          1000000000000000000};

static inline uint64_t load64(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline void mark_odd(uint64_t *odd, uint32_t row, bool is_odd)
{
    odd[row >> 6] |= (uint64_t)is_odd << (row & 63);
}

/* Nonzero when a byte of `digits` (characters xor '0') is none of 0..9. */
static inline uint64_t not_digits(uint64_t digits)
{
    return (digits | (digits + ONES * 0x76)) & HIGHS;
}

/* Eight digits 0..9, the most significant in the lowest byte. */
static inline uint64_t join_digits(uint64_t digits)
{
    const uint64_t mask = UINT64_C(0x000000FF000000FF);
    digits = digits * 10 + (digits >> 8); // pairs, in the even bytes
    uint64_t high = (digits & mask) * (100 + (UINT64_C(1000000) << 32));
    uint64_t low = ((digits >> 16) & mask) * (1 + (UINT64_C(10000) << 32));
    return (high + low) >> 32;
}

/* 1 to 16 digits at `at`; false when there is anything else. */
static inline bool read_digits(const uint8_t *at, uint32_t length, uint64_t *out)
{
    if (length <= 8) {
        if (length == 0) {
            return false;
        }
        uint32_t shift = 64 - length * 8;
        uint64_t fill = ZERO_DIGITS & ((UINT64_C(1) << shift) - 1);
        uint64_t digits = (load64(at) << shift | fill) ^ ZERO_DIGITS;
        *out = join_digits(digits);
        return not_digits(digits) == 0;
    }
    if (length > 16) {
        return false;
    }
    uint32_t shift = 128 - length * 8;
    uint64_t fill = ZERO_DIGITS & ((UINT64_C(1) << shift) - 1);
    uint64_t high = (load64(at) << shift | fill) ^ ZERO_DIGITS;
    uint64_t low = load64(at + length - 8) ^ ZERO_DIGITS;
    *out = join_digits(high) * 100000000 + join_digits(low);
    return (not_digits(high) | not_digits(low)) == 0;
}

static void read_integers(FieldColumn *column, const FieldSpans *spans, void *lanes,
                          uint64_t odd[FIELD_MASK_WORDS])
{
    int64_t *values = lanes;
    for (uint32_t row = 0; row < spans->row_count; row++) {
        const uint8_t *at = spans->data + spans->first[row];
        uint32_t length = spans->length[row];
        int64_t negative = length > 0 && *at == '-';
        uint64_t magnitude = 0;
        bool is_good = read_digits(at + negative, length - (uint32_t)negative, &magnitude);
        int64_t value = ((int64_t)magnitude ^ -negative) + negative;
        is_good &= value >= column->value_min && value <= column->value_max;
        values[row] = is_good ? value : 0;
        mark_odd(odd, row, !is_good);
    }
}

/* Digits with at most one point: `*out` without the point, `*fraction_digits` behind it. */
static inline bool read_pointed(const uint8_t *at, uint32_t length, uint64_t *out,
                                uint32_t *fraction_digits)
{
    if (length > 8 || length == 0) {
        return false;
    }
    uint32_t shift = 64 - length * 8;
    uint64_t word = load64(at) << shift;
    uint64_t difference = word ^ (ONES * '.');
    uint64_t points = (difference - ONES) & ~difference & HIGHS;
    uint64_t filled_bits = shift;
    *fraction_digits = 0;
    if (points != 0) {
        // Bytes below the point move up by one and close its gap.
        uint32_t index = (uint32_t)__builtin_ctzll(points) >> 3;
        uint64_t below = (UINT64_C(1) << (index * 8)) - 1;
        uint64_t above = index == 7 ? 0 : ~UINT64_C(0) << (index * 8 + 8);
        word = (word & above) | (word & below) << 8;
        *fraction_digits = 7 - index;
        filled_bits = shift + 8;
        if (length == 1) {
            return false;
        }
    }
    uint64_t fill = ZERO_DIGITS & ((UINT64_C(1) << filled_bits) - 1);
    uint64_t digits = (word | fill) ^ ZERO_DIGITS;
    *out = join_digits(digits);
    return not_digits(digits) == 0;
}

/* The same for 9 to 17 characters, of which at most 16 are digits. */
static inline bool read_pointed_long(const uint8_t *at, uint32_t length, uint64_t *out,
                                     uint32_t *fraction_digits)
{
    if (length <= 8 || length > 17) {
        return false;
    }
    const uint8_t *point = memchr(at, '.', length);
    if (point == NULL) {
        *fraction_digits = 0;
        return read_digits(at, length, out);
    }
    uint32_t whole_digits = (uint32_t)(point - at);
    uint32_t fraction = length - whole_digits - 1;
    uint64_t whole = 0, part = 0;
    if ((whole_digits > 0 && !read_digits(at, whole_digits, &whole)) ||
        (fraction > 0 && !read_digits(point + 1, fraction, &part))) {
        return false;
    }
    *out = whole * (uint64_t)powers_of_ten[fraction] + part;
    *fraction_digits = fraction;
    return true;
}

/* Digits with a point, of up to 17 characters. */
static inline bool read_decimal(const uint8_t *at, uint32_t length, uint64_t *out,
                                uint32_t *fraction_digits)
{
    if (length <= 8) {
        return read_pointed(at, length, out, fraction_digits);
    }
    return read_pointed_long(at, length, out, fraction_digits);
}

/* Decimals of up to 18 digits. */
static void read_decimals64(FieldColumn *column, const FieldSpans *spans, void *lanes,
                            uint64_t odd[FIELD_MASK_WORDS])
{
    int64_t *values = lanes;
    uint32_t scale = column->type.scale;
    for (uint32_t row = 0; row < spans->row_count; row++) {
        const uint8_t *at = spans->data + spans->first[row];
        uint32_t length = spans->length[row];
        int64_t negative = length > 0 && *at == '-';
        uint64_t magnitude = 0;
        uint32_t fraction = 0;
        bool is_good =
            read_decimal(at + negative, length - (uint32_t)negative, &magnitude, &fraction);
        is_good = is_good && fraction <= scale;
        int64_t scaled = 0;
        is_good = is_good && !__builtin_mul_overflow((int64_t)magnitude,
                                                     powers_of_ten[scale - fraction], &scaled);
        is_good = is_good && scaled <= column->value_max;
        scaled = (scaled ^ -negative) + negative;
        values[row] = is_good ? scaled : 0;
        mark_odd(odd, row, !is_good);
    }
}

/* Decimals of 19 and more digits, when the text is short enough to be read as above. */
static void read_decimals128(FieldColumn *column, const FieldSpans *spans, void *lanes,
                             uint64_t odd[FIELD_MASK_WORDS])
{
    uint32_t scale = column->type.scale;
    for (uint32_t row = 0; row < spans->row_count; row++) {
        const uint8_t *at = spans->data + spans->first[row];
        uint32_t length = spans->length[row];
        bool is_negative = length > 0 && *at == '-';
        uint64_t magnitude = 0;
        uint32_t fraction = 0;
        bool is_good = read_decimal(at + is_negative, length - is_negative, &magnitude, &fraction);
        // 16 digits and a power of 18 stay below 10^34; precision minus scale bounds the rest.
        is_good = is_good && fraction <= scale && scale - fraction <= 18 &&
                  column->type.precision - scale >= 16;
        Int128 value = 0;
        if (is_good) {
            value = (Int128)magnitude * powers_of_ten[scale - fraction];
            value = is_negative ? -value : value;
        }
        memcpy((uint8_t *)lanes + (size_t)row * sizeof(value), &value, sizeof(value));
        mark_odd(odd, row, !is_good);
    }
}

/* Exact quotients: a mantissa below 2^53 and a power of ten up to 10^22 are doubles themselves, so
 * one division rounds correctly (Clinger, How to Read Floating Point Numbers Accurately). */
static void read_doubles(FieldColumn *column, const FieldSpans *spans, void *lanes,
                         uint64_t odd[FIELD_MASK_WORDS])
{
    (void)column;
    double *values = lanes;
    for (uint32_t row = 0; row < spans->row_count; row++) {
        const uint8_t *at = spans->data + spans->first[row];
        uint32_t length = spans->length[row];
        bool is_negative = length > 0 && *at == '-';
        uint64_t magnitude = 0;
        uint32_t fraction = 0;
        bool is_good = read_decimal(at + is_negative, length - is_negative, &magnitude, &fraction);
        is_good = is_good && magnitude < UINT64_C(1) << 53;
        double value = is_good ? (double)magnitude / (double)powers_of_ten[fraction] : 0;
        values[row] = is_negative ? -value : value;
        mark_odd(odd, row, !is_good);
    }
}

/* The same for floats: below 2^24, powers up to 10^10. */
static void read_reals(FieldColumn *column, const FieldSpans *spans, void *lanes,
                       uint64_t odd[FIELD_MASK_WORDS])
{
    (void)column;
    float *values = lanes;
    for (uint32_t row = 0; row < spans->row_count; row++) {
        const uint8_t *at = spans->data + spans->first[row];
        uint32_t length = spans->length[row];
        bool is_negative = length > 0 && *at == '-';
        uint64_t magnitude = 0;
        uint32_t fraction = 0;
        bool is_good = read_decimal(at + is_negative, length - is_negative, &magnitude, &fraction);
        is_good = is_good && magnitude < UINT64_C(1) << 24 && fraction <= 10;
        float value = is_good ? (float)magnitude / (float)powers_of_ten[fraction] : 0;
        values[row] = is_negative ? -value : value;
        mark_odd(odd, row, !is_good);
    }
}

/* t, f, 1, 0. */
static void read_booleans(FieldColumn *column, const FieldSpans *spans, void *lanes,
                          uint64_t odd[FIELD_MASK_WORDS])
{
    (void)column;
    uint8_t *values = lanes;
    for (uint32_t row = 0; row < spans->row_count; row++) {
        uint8_t byte = spans->data[spans->first[row]];
        bool is_true = byte == 't' || byte == '1';
        bool is_good = spans->length[row] == 1 && (is_true || byte == 'f' || byte == '0');
        values[row] = is_good && is_true;
        mark_odd(odd, row, !is_good);
    }
}

/* Days from 1970-01-01 of the ten characters YYYY-MM-DD; false when they are no such date. */
static inline bool read_iso_date(const uint8_t *at, int64_t *days)
{
    static const uint16_t days_before[16] = {0,   0,   31,  59,  90,  120, 151, 181,
                                             212, 243, 273, 304, 334, 0,   0,   0};
    static const uint8_t month_days[16] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint64_t word = load64(at);
    const uint64_t dash_mask = UINT64_C(0xFF0000FF) << 32;
    const uint64_t dashes = (uint64_t)'-' << 32 | (uint64_t)'-' << 56;
    uint64_t last_two = (uint64_t)at[8] | (uint64_t)at[9] << 8;
    uint64_t digits = (word & 0xFFFFFFFF) | (word >> 40 & 0xFFFF) << 32 | last_two << 48;
    digits ^= ZERO_DIGITS;
    // YY YY MM DD as numbers, in the even bytes.
    uint64_t pairs = digits * 10 + (digits >> 8);
    uint32_t century = pairs & 0xFF, year_in_century = pairs >> 16 & 0xFF;
    uint32_t month = pairs >> 32 & 0xFF, day = pairs >> 48 & 0xFF;
    uint32_t year = century * 100 + year_in_century;
    bool is_leap = ((year_in_century == 0 ? century : year_in_century) & 3) == 0;
    uint32_t day_max = month_days[month & 15] + (uint32_t)(is_leap && month == 2);
    bool is_good = ((word & dash_mask) == dashes) & (not_digits(digits) == 0) & (year > 0) &
                   (month - 1 < 12) & (day - 1 < day_max);
    if (!is_good) {
        return false;
    }
    uint32_t years_before = year - 1;
    uint32_t centuries_before = years_before / 100;
    int32_t before_year = (int32_t)(years_before * 365 + years_before / 4 - centuries_before +
                                    centuries_before / 4); // days since 0001-01-01
    int32_t in_year = (int32_t)(days_before[month] + day - 1 + (is_leap && month > 2));
    *days = before_year + in_year - 719162;
    return true;
}

static void read_dates(FieldColumn *column, const FieldSpans *spans, void *lanes,
                       uint64_t odd[FIELD_MASK_WORDS])
{
    (void)column;
    int64_t *values = lanes;
    for (uint32_t row = 0; row < spans->row_count; row++) {
        int64_t days = 0;
        bool is_good =
            spans->length[row] == 10 && read_iso_date(spans->data + spans->first[row], &days);
        values[row] = is_good ? days : 0;
        mark_odd(odd, row, !is_good);
    }
}

/* Microseconds of HH:MI:SS and up to six digits behind a point. */
static inline bool read_iso_time(const uint8_t *at, uint32_t length, int64_t *us)
{
    uint64_t word = load64(at);
    const uint64_t colon_mask = UINT64_C(0xFF) << 16 | UINT64_C(0xFF) << 40;
    const uint64_t colons = (uint64_t)':' << 16 | (uint64_t)':' << 40;
    uint64_t digits = (word & 0xFFFF) | (word >> 8 & UINT64_C(0xFFFF0000)) |
                      (word >> 16 & UINT64_C(0xFFFF00000000));
    digits = (digits << 16 | (ZERO_DIGITS & 0xFFFF)) ^ ZERO_DIGITS;
    if ((word & colon_mask) != colons || not_digits(digits) != 0) {
        return false;
    }
    uint32_t number = (uint32_t)join_digits(digits); // HHMISS
    uint32_t hour = number / 10000, minute = number / 100 % 100, second = number % 100;
    if (hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    uint64_t fraction = 0;
    if (length > 8) {
        uint32_t fraction_digits = length - 9;
        if (at[8] != '.' || fraction_digits > 6 ||
            !read_digits(at + 9, fraction_digits, &fraction)) {
            return false;
        }
        fraction *= (uint64_t)powers_of_ten[6 - fraction_digits];
    }
    *us = (int64_t)(hour * 3600 + minute * 60 + second) * US_PER_SECOND + (int64_t)fraction;
    return true;
}

static void read_timestamps(FieldColumn *column, const FieldSpans *spans, void *lanes,
                            uint64_t odd[FIELD_MASK_WORDS])
{
    (void)column;
    int64_t *values = lanes;
    for (uint32_t row = 0; row < spans->row_count; row++) {
        const uint8_t *at = spans->data + spans->first[row];
        uint32_t length = spans->length[row];
        int64_t days = 0, us = 0;
        bool is_good = (length == 10 || length >= 19) && read_iso_date(at, &days);
        if (is_good && length != 10) {
            is_good = (at[10] == ' ' || at[10] == 'T') && read_iso_time(at + 11, length - 11, &us);
        }
        values[row] = is_good ? days * US_PER_DAY + us : 0;
        mark_odd(odd, row, !is_good);
    }
}

static bool has_high_byte(const uint8_t *at, uint32_t length)
{
    uint64_t seen = 0;
    for (; length >= 8; at += 8, length -= 8) {
        seen |= load64(at);
    }
    return ((seen | (length == 0 ? 0 : load64(at) << (64 - length * 8))) & HIGHS) != 0;
}

/* The checks that a file without quotes, escapes and the like does not need. */
static bool text_is_odd(const FieldColumn *column, const uint8_t *at, uint32_t length)
{
    uint32_t checks = column->text_checks;
    if (length == 0) {
        return (checks & TEXT_CHECK_EMPTY) != 0;
    }
    return ((checks & TEXT_CHECK_BACKSLASH) != 0 && memchr(at, '\\', length) != NULL) ||
           ((checks & TEXT_CHECK_QUOTE) != 0 && memchr(at, column->quote, length) != NULL) ||
           ((checks & TEXT_CHECK_WRAPPED) != 0 && (at[0] == '"' || at[0] == '\'')) ||
           ((checks & TEXT_CHECK_ZERO) != 0 && memchr(at, '\0', length) != NULL) ||
           ((checks & TEXT_CHECK_FIRST_BLANK) != 0 && at[0] == ' ') ||
           ((checks & TEXT_CHECK_LAST_BLANK) != 0 && at[length - 1] == ' ') ||
           ((checks & TEXT_CHECK_UTF8) != 0 && has_high_byte(at, length) &&
            !utf8_is_valid((const char *)at, length));
}

/* text_view_make without a call per length: reads 12 bytes, keeps the first `length`. */
static inline TextView make_view(const uint8_t *at, uint32_t length)
{
    TextView view;
    uint64_t words[2];
    if (length > TEXT_INLINE_MAX) {
        return text_view_make((const char *)at, length);
    }
    uint64_t low = load64(at);
    uint64_t high = load64(at + 4) >> 32; // bytes 8..11
    uint32_t low_bits = length >= 8 ? 64 : length * 8;
    uint32_t high_bits = length <= 8 ? 0 : (length - 8) * 8;
    low = low_bits == 64 ? low : low & ((UINT64_C(1) << low_bits) - 1);
    high &= (UINT64_C(1) << high_bits) - 1;
    words[0] = length | low << 32;
    words[1] = low >> 32 | high << 32;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return text_view_make((const char *)at, length);
#endif
    memcpy(&view, words, sizeof(view));
    return view;
}

static void read_texts(FieldColumn *column, const FieldSpans *spans, void *lanes,
                       uint64_t odd[FIELD_MASK_WORDS])
{
    TextView *views = lanes;
    uint32_t last_blanks = 0;
    for (uint32_t row = 0; row < spans->row_count; row++) {
        const uint8_t *at = spans->data + spans->first[row];
        uint32_t length = spans->length[row];
        bool is_odd = length > column->text_bytes_max ||
                      (length == column->null_bytes && memcmp(at, column->null_as, length) == 0);
        if (column->text_checks != 0) {
            is_odd = is_odd || text_is_odd(column, at, length);
        }
        length = is_odd ? 0 : length;
        last_blanks |= (uint32_t)(length > 0 && at[length - 1] == ' ');
        views[row] = make_view(at, length);
        mark_odd(odd, row, is_odd);
    }
    column->has_trailing_blanks |= last_blanks != 0;
}

const FieldKernels KERNEL(field_kernels) = {
    .booleans = read_booleans,
    .integers = read_integers,
    .decimals64 = read_decimals64,
    .decimals128 = read_decimals128,
    .reals = read_reals,
    .doubles = read_doubles,
    .dates = read_dates,
    .timestamps = read_timestamps,
    .texts = read_texts,
};
