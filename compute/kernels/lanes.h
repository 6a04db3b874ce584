/*
 * lanes.h — reads the rows of a vector, whatever its form and lane, into a plain array.
 *
 * `rows`: physical row indexes, null for 0 .. row_count - 1. Rows that are NULL give any value (0
 * for dictionaries). The vector is not lazy.
 */
#pragma once
#include "base/vector/vector.h"

/* Scaled integers. */
void lanes_read_int64(const Vector *vector, const uint16_t *rows, uint32_t row_count, int64_t *out);
/* Decimals of any width (and the bytes of intervals). */
void lanes_read_int128(const Vector *vector, const uint16_t *rows, uint32_t row_count, Int128 *out);
/* REAL and DOUBLE. */
void lanes_read_double(const Vector *vector, const uint16_t *rows, uint32_t row_count, double *out);
/* Text views, borrowed from the vector. */
void lanes_read_text(const Vector *vector, const uint16_t *rows, uint32_t row_count, TextView *out);
/* Which of the rows are NULL, as bytes 0 and 1; false when none is (`out` is then untouched). */
bool lanes_read_nulls(const Vector *vector, const uint16_t *rows, uint32_t row_count, uint8_t *out);
