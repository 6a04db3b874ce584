/*
 * field_format.h — prints one field at a cursor and returns the cursor behind it.
 *
 * The caller guarantees room (see Table.row_bytes_max), and up to FORMAT_SLACK_BYTES may be
 * scribbled behind the returned cursor: fixed-size copies are faster than exact ones. Inline,
 * because a data set of scale 1 has 90 million fields.
 */
#pragma once

#include <stdint.h>
#include <string.h>

enum {
    FORMAT_SLACK_BYTES = 64,
    DATE_TEXT_BYTES = 10,      /* 1992-01-01 */
};

extern const char format_digit_pairs[201];    /* "000102…99" */

static inline char *format_bytes(char *cursor, const char *bytes, size_t length)
{
    memcpy(cursor, bytes, length);
    return cursor + length;
}

/* For words of at most 32 bytes that stand in memory with 32 readable bytes. */
static inline char *format_padded_word(char *cursor, const char *padded, size_t length)
{
    memcpy(cursor, padded, 32);
    return cursor + length;
}

static inline char *format_unsigned(char *cursor, uint64_t value)
{
    char digits[20];
    char *first = digits + sizeof(digits);
    while (value >= 100) {
        first -= 2;
        memcpy(first, &format_digit_pairs[2 * (value % 100)], 2);
        value /= 100;
    }
    if (value >= 10) {
        first -= 2;
        memcpy(first, &format_digit_pairs[2 * value], 2);
    } else {
        *--first = (char)('0' + value);
    }
    return format_bytes(cursor, first, (size_t)(digits + sizeof(digits) - first));
}

/* Exactly `width` digits or more, zeros in front: 000000042. */
static inline char *format_zero_padded(char *cursor, uint64_t value, int width)
{
    uint64_t bound = 10;
    for (int digits = 1; digits < width; digits++, bound *= 10) {
        if (value < bound) {
            *cursor++ = '0';
        }
    }
    return format_unsigned(cursor, value);
}

/* A decimal with two digits after the point, given in hundredths: -1234 -> -12.34 */
static inline char *format_hundredths(char *cursor, int64_t hundredths)
{
    if (hundredths < 0) {
        *cursor++ = '-';
        hundredths = -hundredths;
    }
    cursor = format_unsigned(cursor, (uint64_t)hundredths / 100);
    *cursor++ = '.';
    return format_bytes(cursor, &format_digit_pairs[2 * ((uint64_t)hundredths % 100)], 2);
}
