/*
 * number_text.h — floats as text, shortest that reads back; independent of any locale.
 *
 * The implementation is the project's one C++ file: libstdc++'s to_chars and from_chars are three
 * to five times faster than printf and strtod and ignore the process's locale.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum NumberTextResult {
    NUMBER_TEXT_OK,
    NUMBER_TEXT_INVALID,
    NUMBER_TEXT_OUT_OF_RANGE
} NumberTextResult;

/* Reads a finite number that fills `text` wholly: no sign "+", no blanks, no words; with
 * `is_hex` hexadecimal digits after a removed "0x". */
NumberTextResult number_text_read_double(const char *text, size_t bytes, bool is_hex, double *out);
NumberTextResult number_text_read_float(const char *text, size_t bytes, bool is_hex, float *out);

/* Shortest digits of a finite, non-negative number: writes them without a point (at most 17),
 * returns their count; the value is 0.DIGITS * 10^exponent. */
#define NUMBER_TEXT_DIGITS_MAX 17
size_t number_text_shortest_double(double value, char *digits, int *exponent);
size_t number_text_shortest_float(float value, char *digits, int *exponent);
/* The value rounded to `precision` significant digits, as "d.ddde+xx". */
#define NUMBER_SCIENTIFIC_BYTES 40
size_t number_text_scientific(double value, int precision, char *target);

#ifdef __cplusplus
}
#endif
