/*
 * person_fields.c — addresses, phones and balances.
 */
#include "bench/tpch/generator/person_fields.h"

enum {
    ADDRESS_BYTES_MIN = 10,
    ADDRESS_BYTES_MAX = 40,
    LETTERS_PER_DRAW = 10,      /* 60 of the 64 bits */
};

char *format_address(char *cursor, RandomRow row, uint32_t column)
{
    static const char alphabet[65] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789, ";
    RandomRow parts = random_parts(row, column);
    char *end = cursor + random_between(parts, 0, ADDRESS_BYTES_MIN, ADDRESS_BYTES_MAX);
    for (uint32_t part = 1; cursor < end; part++) {
        uint64_t bits = random_bits(parts, part);
        for (int i = 0; i < LETTERS_PER_DRAW && cursor < end; i++, bits >>= 6) {
            *cursor++ = alphabet[bits & 63];
        }
    }
    return end;
}

char *format_phone(char *cursor, RandomRow row, uint32_t column, uint64_t nation)
{
    uint64_t fraction = random_bits(row, column);
    cursor = format_unsigned(cursor, 10 + nation);
    *cursor++ = '-';
    cursor = format_unsigned(cursor, 100 + random_digit(&fraction, 900));
    *cursor++ = '-';
    cursor = format_unsigned(cursor, 100 + random_digit(&fraction, 900));
    *cursor++ = '-';
    return format_unsigned(cursor, 1000 + random_digit(&fraction, 9000));
}

char *format_balance(char *cursor, RandomRow row, uint32_t column)
{
    return format_hundredths(cursor, random_between(row, column, -99999, 999999));
}
