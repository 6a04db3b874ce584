/*
 * key_format.c — mixes keys without losing one.
 *
 * Xor with a constant, xor with the own upper half and multiplication by an odd number can all be
 * undone, modulo 2^63 as well as modulo 2^64; so two keys never meet. The constants are above any
 * real key, which is why no key becomes 0 (only the constant itself would).
 */
#include "bench/tpch/generator/key_format.h"

#include "bench/tpch/generator/random_row.h"

#define LOW_63_BITS (~UINT64_C(0) >> 1)

static const uint64_t kind_constants[] = {
    [KEY_REGION] = UINT64_C(0x5bd1e995a3c7f10d),   [KEY_NATION] = UINT64_C(0x6c62272e07bb0142),
    [KEY_SUPPLIER] = UINT64_C(0x7a3f8d1b52c6e947), [KEY_PART] = UINT64_C(0x4f1bbcdcbfa53e0b),
    [KEY_CUSTOMER] = UINT64_C(0x69b7c2e4d80f5a31), [KEY_ORDER] = UINT64_C(0x53d4a1f7e96b280c),
};

static uint64_t mix_63_bits(uint64_t x);
static char *format_hex(char *cursor, uint64_t bits, int digit_count);

char *key_format_mixed(char *cursor, KeyStyle style, KeyKind kind, uint64_t key)
{
    uint64_t start = key ^ kind_constants[kind];
    if (style == KEY_STYLE_RANDOM64) {
        return format_unsigned(cursor, mix_63_bits(start));
    }
    uint64_t first = random_mix(start);     // a bijection: alone enough to keep keys apart
    uint64_t second = random_mix(~first);
    cursor = format_hex(cursor, first >> 32, 8);
    *cursor++ = '-';
    cursor = format_hex(cursor, first >> 16, 4);
    *cursor++ = '-';
    cursor = format_hex(cursor, first, 4);
    *cursor++ = '-';
    cursor = format_hex(cursor, second >> 48, 4);
    *cursor++ = '-';
    return format_hex(cursor, second, 12);
}

static uint64_t mix_63_bits(uint64_t x)
{
    x ^= x >> 31;
    x = x * UINT64_C(0xff51afd7ed558ccd) & LOW_63_BITS;
    x ^= x >> 32;
    x = x * UINT64_C(0xc4ceb9fe1a85ec53) & LOW_63_BITS;
    x ^= x >> 31;
    return x;
}

/* The low `digit_count` hexadecimal digits of `bits`. */
static char *format_hex(char *cursor, uint64_t bits, int digit_count)
{
    for (int shift = 4 * (digit_count - 1); shift >= 0; shift -= 4) {
        *cursor++ = "0123456789abcdef"[bits >> shift & 15];
    }
    return cursor;
}
