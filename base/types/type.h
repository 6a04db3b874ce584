/*
 * type.h — SQL types, physical lanes, and single values.
 *
 * A Type is what SQL says; a Lane is how a vector keeps it. Integers, booleans, dates, timestamps
 * and decimals up to 18 digits are one family, "scaled integers": the value is an int64 (decimal
 * 12.34 with scale 2 is 1234; dates are days since 1970-01-01, timestamps microseconds since then),
 * held in the narrowest lane that fits. Decimals of 19 to 38 digits are __int128.
 */
#pragma once
#include <assert.h>
#include "base/status.h"

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;

typedef enum TypeId {
#define SQL_TYPE(id, number, name, oid, wire_bytes) TYPE_##id = number,
#include "base/types/types.def"
#undef SQL_TYPE
    TYPE_COUNT
} TypeId;

#define DECIMAL_PRECISION_MAX 38
#define DECIMAL_PRECISION_INT64 18 /* up to here a decimal is a scaled int64 */
#define CHAR_BYTES_MAX 4096
#define VARCHAR_BYTES_MAX 65535
#define VARCHAR_BYTES_DEFAULT 256

typedef struct Type {
    uint8_t id;        /* TypeId */
    uint8_t precision; /* DECIMAL: 1..38 */
    uint8_t scale;     /* DECIMAL: 0..37, at most precision */
    uint8_t reserved;
    int32_t length;    /* CHAR, VARCHAR: bytes at most; 0 = no limit (text literals) */
} Type;

/* How the values of a vector lie in memory. Unsigned lanes are offsets from the vector's base. */
typedef enum Lane {
    LANE_U8,
    LANE_U16,
    LANE_U32,
    LANE_I64,
    LANE_I128,
    LANE_F32,
    LANE_F64,
    LANE_TEXT, /* TextView */
    LANE_COUNT
} Lane;

/* A string by value: up to 12 bytes inline, longer ones by pointer with a 4-byte prefix. */
typedef struct TextView {
    uint32_t length; /* bytes */
    char prefix[4];
    union {
        char rest[8];     /* length <= 12: bytes 4..11, unused ones zero */
        const char *data; /* length > 12: all the bytes */
    };
} TextView;
#define TEXT_INLINE_MAX 12u

typedef struct Interval {
    int32_t months, days;
    int64_t us;
} Interval; /* as a lane: LANE_I128, this struct's bytes */

typedef struct Value {
    Type type;
    bool is_null;
    union {
        int64_t i64;      /* scaled integers */
        Int128 i128;      /* decimals above 18 digits */
        double f64;       /* REAL and DOUBLE */
        TextView text;    /* borrowed bytes when longer than 12 */
        Interval interval;
    };
} Value;

static inline Type type_of(TypeId id)
{
    return (Type){.id = (uint8_t)id};
}
Type type_decimal(uint32_t precision, uint32_t scale);
Type type_char(int32_t length);
Type type_varchar(int32_t length);
bool type_equal(Type left, Type right);
/* Can there be such a type? Decoders ask: a known id; precision and scale of decimals alone, length
 * of text alone, each within its limits. */
bool type_is_valid(Type type);
/* int64 values: BOOLEAN, the integers, DATE, TIMESTAMP, DECIMAL of at most 18 digits. */
bool type_is_scaled_integer(Type type);
bool type_is_integer(Type type); /* SMALLINT, INTEGER, BIGINT */
bool type_is_numeric(Type type); /* integers, DECIMAL, REAL, DOUBLE */
bool type_is_float(Type type);
bool type_is_text(Type type);    /* CHAR, VARCHAR, UNKNOWN */
Lane type_widest_lane(Type type); /* I64, I128, F32, F64 or TEXT; BOOLEAN: U8 */
size_t lane_bytes(Lane lane);
/* Largest and smallest value of a scaled integer type. */
int64_t type_int64_max(Type type);
int64_t type_int64_min(Type type);
/* "numeric(12,2)", "character varying(25)" into `arena_text` (at least TYPE_TEXT_BYTES). */
#define TYPE_TEXT_BYTES 64
const char *type_print(Type type, char text[TYPE_TEXT_BYTES]);
const char *type_name(Type type); /* without modifiers */
uint32_t type_oid(Type type);
int32_t type_modifier(Type type); /* pg_attribute.atttypmod; -1: none */

static inline const char *text_view_data(const TextView *view)
{
    return view->length <= TEXT_INLINE_MAX ? (const char *)view + 4 : view->data;
}
static inline uint64_t text_load_(const char *data, size_t bytes)
{
    uint64_t word = 0;
    __builtin_memcpy(&word, data, bytes);
    return word;
}
/* Made of two words, so that the view goes to memory in one piece: views built byte by byte stall
 * whoever copies them next. */
static inline TextView text_view_make(const char *data, size_t bytes)
{
    uint64_t head = 0, rest = 0; /* bytes 0..3, then 4..11 or the pointer */
    if (bytes > TEXT_INLINE_MAX) {
        head = text_load_(data, 4);
        rest = (uintptr_t)data;
    } else if (bytes >= 8) {
        head = text_load_(data, 4);
        rest = text_load_(data + 4, 4) |
               text_load_(data + bytes - 4, 4) >> (8 * (12 - bytes)) << 32;
    } else if (bytes >= 4) {
        head = text_load_(data, 4);
        rest = text_load_(data + bytes - 4, 4) >> (8 * (8 - bytes));
    } else if (bytes > 0) {
        size_t middle = bytes / 2, last = bytes - 1;
        head = (uint64_t)(uint8_t)data[0] | (uint64_t)(uint8_t)data[middle] << (8 * middle) |
               (uint64_t)(uint8_t)data[last] << (8 * last);
    }
    uint64_t words[2] = {(uint32_t)bytes | head << 32, rest};
    TextView view;
    __builtin_memcpy(&view, words, sizeof view);
    return view;
}
/* Length without trailing blanks: what comparison, hashing and grouping see (Redshift's rule). */
static inline uint32_t text_trimmed_length(const char *data, uint32_t bytes)
{
    while (bytes > 0 && data[bytes - 1] == ' ') {
        bytes--;
    }
    return bytes;
}
static_assert(sizeof(TextView) == 16, "a text view is two words");

/* Values. Comparing needs equal types (after coercion); NULL is not accepted. Text compares by
 * bytes without trailing blanks; floats: NaN equals NaN and is largest, as PostgreSQL. */
Value value_null(Type type);
Value value_int64(Type type, int64_t value);
int value_compare(const Value *left, const Value *right);
bool value_equal(const Value *left, const Value *right); /* two NULLs are equal */
/* An integer or decimal value, whichever way the type keeps it. */
Int128 value_int128(const Value *value);
/* The orders behind value_compare: -1, 0 or 1. */
int text_compare(const char *left, uint32_t left_bytes, const char *right, uint32_t right_bytes);
int text_view_compare(const TextView *left, const TextView *right);
int double_compare(double left, double right);
/* What intervals compare by: months of 30 days, days of 24 hours. */
Int128 interval_span_us(const Interval *interval);
