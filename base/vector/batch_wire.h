/*
 * batch_wire.h — the bytes of a batch, version 1; little endian, nothing aligned.
 *
 *   batch      u8 version, varint rows, varint columns, then each column
 *   column     u8 type id, u8 precision, u8 scale, varint length, u8 form, u8 flags, then
 *              FLAT        validity when WIRE_HAS_NULLS ((rows + 7) / 8 bytes), values
 *              CONSTANT    nothing when WIRE_HAS_NULLS, else values of one row
 *              DICTIONARY  validity as above, varint entries, values of the entries, codes as
 *                          integers
 *              of no rows: nothing
 *   values     scaled integers          integers
 *              wide decimals            u8 1 and integers, or u8 0 and 16 bytes each
 *              intervals                16 bytes each
 *              REAL, DOUBLE             4 or 8 bytes each
 *              texts                    lengths as integers, then all bytes
 *   integers   u64 base, u8 width (0..64), then value - base in `width` bits: as a strip
 *              (strip_kernels.h) from WIRE_STRIP_ROWS values on, in whole bytes each below that
 *
 * Null rows carry some value within the others' range, texts the empty one.
 */
#pragma once

#define WIRE_VERSION 1
#define WIRE_STRIP_ROWS 32u

enum { WIRE_FLAT = 0, WIRE_CONSTANT = 1, WIRE_DICTIONARY = 2 };
enum {
    WIRE_HAS_NULLS = 1,
    WIRE_HAS_TRAILING_BLANKS = 2,
    WIRE_IS_ASCENDING = 4,
    WIRE_IS_SORTED = 8, /* the dictionary */
    WIRE_IS_UNIQUE = 16,
    WIRE_FLAGS_ALL = 31
};
