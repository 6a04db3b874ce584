/*
 * key_format.h — the three forms of primary and foreign keys.
 *
 * integer: as the specification has them, dense or nearly so. random64: the same keys spread over
 * 1 .. 2^63 - 1, for engines that live from dense keys. string36: 36 characters like a UUID.
 *
 * Invariants: (1) each form is a bijection per kind of key: joins keep their answers; (2) a foreign
 * key is printed with the kind of the key it refers to.
 */
#pragma once

#include <stdint.h>

#include "bench/tpch/generator/field_format.h"

typedef enum KeyStyle {
    KEY_STYLE_INTEGER,
    KEY_STYLE_RANDOM64,
    KEY_STYLE_STRING36,
} KeyStyle;

typedef enum KeyKind {
    KEY_REGION,
    KEY_NATION,
    KEY_SUPPLIER,
    KEY_PART,
    KEY_CUSTOMER,
    KEY_ORDER,
} KeyKind;

/* The slow forms: KEY_STYLE_RANDOM64 and KEY_STYLE_STRING36. */
char *key_format_mixed(char *cursor, KeyStyle style, KeyKind kind, uint64_t key);

static inline char *key_format(char *cursor, KeyStyle style, KeyKind kind, uint64_t key)
{
    return style == KEY_STYLE_INTEGER ? format_unsigned(cursor, key)
                                      : key_format_mixed(cursor, style, kind, key);
}
