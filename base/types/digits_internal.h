/* digits_internal.h — decimal digits in and out, two at a time: shared by the printers here. */
#pragma once
#include <string.h>

#include "base/types/type.h"

static inline bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}
static inline bool is_blank(char c) /* what isspace() says in the C locale */
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}
static inline bool is_letter(char c)
{
    return (unsigned char)((c | 0x20) - 'a') < 26;
}
static inline char to_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* Text without the blanks around it. */
static inline void trim_blanks(const char **text, size_t *bytes)
{
    while (*bytes > 0 && is_blank(**text)) {
        (*text)++;
        (*bytes)--;
    }
    while (*bytes > 0 && is_blank((*text)[*bytes - 1])) {
        (*bytes)--;
    }
}

/* Case-insensitive: `word` is lower case and zero-terminated. */
static inline bool word_equals(const char *text, size_t bytes, const char *word)
{
    for (size_t i = 0; i < bytes; i++) {
        if (word[i] == '\0' || to_lower(text[i]) != word[i]) {
            return false;
        }
    }
    return word[bytes] == '\0';
}

extern const char digit_pairs[201]; /* "00010203…99" */

static inline void write_two_digits(uint32_t value, char *target) /* value < 100 */
{
    memcpy(target, digit_pairs + 2 * value, 2);
}

/* Exactly `digits` digits with leading zeroes. */
static inline void write_digits_padded(uint64_t value, size_t digits, char *target)
{
    while (digits >= 2) {
        digits -= 2;
        write_two_digits((uint32_t)(value % 100), target + digits);
        value /= 100;
    }
    if (digits == 1) {
        target[0] = (char)('0' + value % 10);
    }
}

static inline size_t digit_count(uint64_t value)
{
    size_t count = 1;
    for (; value >= 10000; value /= 10000) {
        count += 4;
    }
    return count + (value >= 10) + (value >= 100) + (value >= 1000);
}

static inline size_t write_digits(uint64_t value, char *target)
{
    size_t digits = digit_count(value);
    write_digits_padded(value, digits, target);
    return digits;
}
