/*
 * number_format.h — templates of TO_CHAR for numbers: '9,999.99', 'FM000', 'S999'.
 *
 * Source: PostgreSQL manual, "Data type formatting functions".
 */
#pragma once
#include "base/arena.h"
#include "base/types/type.h"

typedef enum NumberMark {
    NUMBER_LITERAL,
    NUMBER_NINE, /* a digit, blank when leading */
    NUMBER_ZERO, /* a digit, also when leading */
    NUMBER_POINT,
    NUMBER_COMMA,
    NUMBER_SIGN,      /* S at either end: + or - beside the number */
    NUMBER_SIGN_HERE, /* SG */
    NUMBER_MINUS,     /* MI */
    NUMBER_PLUS,      /* PL */
    NUMBER_CURRENCY   /* L, $ */
} NumberMark;

typedef struct NumberToken {
    uint8_t mark; /* NumberMark */
    char literal;
} NumberToken;

typedef struct NumberFormat {
    uint32_t token_count;
    const NumberToken *tokens;
    uint32_t whole_digits, fraction_digits; /* positions before and behind the point */
    uint32_t first_zero;                    /* whole positions from here on are always digits */
    bool is_filled;                         /* FM turns it off */
    bool is_angled;                         /* PR: <12> instead of -12 */
    bool has_sign;                          /* S, SG, MI or PL: no column for the sign in front */
    bool is_sign_first;                     /* S stands before the digits */
} NumberFormat;

/* 0A000 for V, EEEE, RN and TH; 42601 for a second point and the like. */
Status number_format_parse(const char *text, size_t bytes, Arena *arena, NumberFormat *out) CHECKED;
/* Room for what is printed. */
size_t number_format_bytes_max(const NumberFormat *format);
/* `value` has been rounded to `scale` = format->fraction_digits; `is_overflow`: it has more digits
 * than anything can print. Returns the bytes written. */
size_t number_format_print(const NumberFormat *format, Int128 value, bool is_overflow,
                           char *target);
