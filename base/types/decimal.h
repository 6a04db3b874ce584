/*
 * decimal.h — exact decimals as scaled integers; Redshift's result types and PostgreSQL's text.
 *
 * Source of the rules: Redshift manual, "Computations with numeric values".
 */
#pragma once
#include "base/types/type.h"

Int128 decimal_power_of_ten(uint32_t exponent); /* 0..38 */
/* Result types of + - * / % for two decimals (integers enter as decimal(5|10|19,0)). */
Type decimal_add_type(Type left, Type right);
Type decimal_multiply_type(Type left, Type right);
Type decimal_divide_type(Type left, Type right);
Type decimal_of_integer(Type integer_type);
/* Rescales with rounding half away from zero; 22003 when |result| >= 10^precision. */
Status decimal_rescale(Int128 value, uint32_t from_scale, Type target, Int128 *out) CHECKED;
/* The 22003 of a value that a field of `type` cannot hold. */
Status decimal_overflow(Type type) CHECKED;
/* left * right / 10^drop_digits with a 256-bit intermediate, rounded; false on overflow of 38
 * digits. */
bool decimal_multiply(Int128 left, Int128 right, uint32_t drop_digits, Int128 *out);
/* left * 10^shift / right, rounded half away from zero; right != 0; false on overflow. */
bool decimal_divide(Int128 left, Int128 right, uint32_t shift, Int128 *out);
Status decimal_parse(const char *text, size_t bytes, Type type,
                     Int128 *out) CHECKED; /* 22P02 22003 */
#define DECIMAL_TEXT_BYTES 48
size_t decimal_print(Int128 value, uint32_t scale, char *target); /* no terminator; bytes written */
double decimal_to_double(Int128 value, uint32_t scale);
/* Rounds to the digits a float is good for (15; REAL has 6) first, so that 0.1 + 0.2 is 0.3. 22003
 * for NaN, infinity and what the type cannot hold. */
Status decimal_from_double(double value, Type type, Int128 *out) CHECKED;
Status decimal_from_float_digits(double value, int digits, Type type, Int128 *out) CHECKED;
