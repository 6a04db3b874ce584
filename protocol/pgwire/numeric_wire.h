/*
 * numeric_wire.h — decimals in PostgreSQL's binary form of numeric.
 *
 * Layout (big endian): digit count u16 · weight i16 (of the first digit, in powers of 10,000) ·
 * sign u16 (0x0000 plus, 0x4000 minus, 0xC000 NaN, 0xD000 and 0xF000 the infinities) · display
 * scale u16 · digits u16 each, 0..9999, without zero groups at either end.
 * Example: 12345.678 -> digits 1 2345 6780, weight 1, scale 3.
 */
#pragma once
#include "base/types/type.h"

/* 4 header fields and at most 11 groups: 38 digits may touch 11 groups of four. */
#define NUMERIC_WIRE_BYTES_MAX (8 + 11 * 2)

/* Writes `value` * 10^-scale; returns the bytes written, at most NUMERIC_WIRE_BYTES_MAX. */
size_t numeric_wire_write(Int128 value, uint32_t scale, uint8_t *target);

/* Reads into a decimal of `type`, rounding half away from zero. 22P03 for malformed bytes, 22003
 * for NaN, infinities and values that do not fit. */
Status numeric_wire_read(const uint8_t *data, size_t bytes, Type type, Int128 *out) CHECKED;
/* The same into the smallest decimal type that holds the value exactly. */
Status numeric_wire_read_exact(const uint8_t *data, size_t bytes, Value *out) CHECKED;
