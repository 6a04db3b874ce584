/* numeric_wire.c — decimals in PostgreSQL's binary form; see numeric_wire.h. */
#include "protocol/pgwire/numeric_wire.h"

#include <string.h>

#include "base/byte_reader.h"
#include "base/types/decimal.h"

enum {
    GROUP = 10000,
    GROUP_DIGITS = 4,
    GROUPS_MAX = 11,
    SIGN_PLUS = 0x0000,
    SIGN_MINUS = 0x4000,
    SCALE_MAX = 0x3FFF /* of any numeric of PostgreSQL */
};

typedef struct NumericWire {
    uint32_t group_count;
    int32_t weight;
    bool is_negative;
    uint32_t scale;
    const uint8_t *groups;
} NumericWire;

static Status read_header(const uint8_t *data, size_t bytes, NumericWire *out);
static Status read_digits(const NumericWire *wire, uint32_t scale, Int128 *out);
static Status too_large(void);

static uint32_t group_at(const NumericWire *wire, int64_t index)
{
    if (index < 0 || index >= wire->group_count) {
        return 0;
    }
    return (uint32_t)wire->groups[index * 2] << 8 | wire->groups[index * 2 + 1];
}

static void put_be16(uint8_t *target, uint32_t value)
{
    target[0] = (uint8_t)(value >> 8);
    target[1] = (uint8_t)value;
}

size_t numeric_wire_write(Int128 value, uint32_t scale, uint8_t *target)
{
    UInt128 rest = value < 0 ? -(UInt128)value : (UInt128)value;
    uint16_t groups[GROUPS_MAX]; // from the last group to the first
    uint32_t count = 0;
    uint32_t odd_digits = scale % GROUP_DIGITS;
    int32_t fraction_groups = (int32_t)((scale + GROUP_DIGITS - 1) / GROUP_DIGITS);
    if (odd_digits > 0) {
        // The last group is filled up with zeroes by itself: the whole value times 1,000 may not
        // fit into 128 bits.
        uint32_t unit = (uint32_t)decimal_power_of_ten(odd_digits);
        uint32_t fill = (uint32_t)decimal_power_of_ten(GROUP_DIGITS - odd_digits);
        groups[count++] = (uint16_t)((uint32_t)(rest % unit) * fill);
        rest /= unit;
    }
    while (rest > UINT64_MAX) {
        groups[count++] = (uint16_t)(rest % GROUP);
        rest /= GROUP;
    }
    for (uint64_t low = (uint64_t)rest; low > 0; low /= GROUP) {
        groups[count++] = (uint16_t)(low % GROUP);
    }
    uint32_t skipped = 0; // zero groups at the end
    int32_t weight = (int32_t)count - fraction_groups - 1;
    while (skipped < count && groups[skipped] == 0) {
        skipped++;
    }
    while (count > skipped && groups[count - 1] == 0) {
        count--;
        weight--;
    }
    bool is_zero = count == skipped;
    put_be16(target, count - skipped);
    put_be16(target + 2, is_zero ? 0 : (uint32_t)weight & 0xFFFF);
    put_be16(target + 4, value < 0 ? SIGN_MINUS : SIGN_PLUS);
    put_be16(target + 6, scale);
    uint8_t *at = target + 8;
    for (uint32_t i = count; i > skipped; i--) {
        put_be16(at, groups[i - 1]);
        at += 2;
    }
    return (size_t)(at - target);
}

Status numeric_wire_read(const uint8_t *data, size_t bytes, Type type, Int128 *out)
{
    NumericWire wire;
    TRY(read_header(data, bytes, &wire));
    // One digit more than needed decides the rounding; further ones cannot change it.
    uint32_t scale = wire.scale > type.scale ? type.scale + 1u : wire.scale;
    Int128 value;
    TRY(read_digits(&wire, scale, &value));
    return decimal_rescale(value, scale, type, out);
}

Status numeric_wire_read_exact(const uint8_t *data, size_t bytes, Value *out)
{
    NumericWire wire;
    TRY(read_header(data, bytes, &wire));
    if (wire.scale >= DECIMAL_PRECISION_MAX) {
        return too_large();
    }
    Int128 value;
    TRY(read_digits(&wire, wire.scale, &value));
    uint32_t precision = 1;
    Int128 magnitude = value < 0 ? -value : value;
    while (precision < DECIMAL_PRECISION_MAX && magnitude >= decimal_power_of_ten(precision)) {
        precision++;
    }
    if (precision < wire.scale + 1) {
        precision = wire.scale + 1;
    }
    *out = (Value){.type = type_decimal(precision, wire.scale)};
    if (precision <= DECIMAL_PRECISION_INT64) {
        out->i64 = (int64_t)value;
    } else {
        out->i128 = value;
    }
    return STATUS_OK;
}

static Status read_header(const uint8_t *data, size_t bytes, NumericWire *out)
{
    ByteReader reader;
    byte_reader_init(&reader, data, bytes);
    out->group_count = byte_reader_be16(&reader);
    out->weight = (int16_t)byte_reader_be16(&reader);
    uint32_t sign = byte_reader_be16(&reader);
    out->scale = byte_reader_be16(&reader);
    out->is_negative = sign == SIGN_MINUS;
    out->groups = byte_reader_view(&reader, (size_t)out->group_count * 2);
    if (!byte_reader_is_ok(&reader) || byte_reader_remaining(&reader) != 0) {
        return status_error(SQLSTATE_INVALID_BINARY_REPRESENTATION,
                            "invalid length of a binary numeric");
    }
    if (sign == 0xC000 || sign == 0xD000 || sign == 0xF000) {
        return status_error(SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE,
                            "numeric cannot be NaN or infinite");
    }
    if ((sign != SIGN_PLUS && sign != SIGN_MINUS) || out->scale > SCALE_MAX) {
        return status_error(SQLSTATE_INVALID_BINARY_REPRESENTATION,
                            "invalid sign or scale of a binary numeric");
    }
    for (uint32_t i = 0; i < out->group_count; i++) {
        if (group_at(out, i) >= GROUP) {
            return status_error(SQLSTATE_INVALID_BINARY_REPRESENTATION,
                                "invalid digit of a binary numeric");
        }
    }
    return STATUS_OK;
}

/* The value times 10^scale, further digits cut off. */
static Status read_digits(const NumericWire *wire, uint32_t scale, Int128 *out)
{
    Int128 value = 0;
    // Leading groups of zero are allowed, so magnitude is judged by digits, not by weight.
    int64_t last_whole = wire->weight;          // index of the group with the units
    int64_t full_groups = scale / GROUP_DIGITS; // of the fraction
    uint32_t odd_digits = scale % GROUP_DIGITS;
    int64_t group_end = last_whole + full_groups + 1;
    const Int128 limit = decimal_power_of_ten(DECIMAL_PRECISION_MAX);
    for (int64_t i = 0; i < group_end; i++) {
        if (value >= limit / GROUP) {
            return too_large();
        }
        value = value * GROUP + group_at(wire, i);
    }
    if (odd_digits > 0) {
        uint32_t unit = (uint32_t)decimal_power_of_ten(odd_digits);
        uint32_t cut = (uint32_t)decimal_power_of_ten(GROUP_DIGITS - odd_digits);
        if (value >= limit / unit) {
            return too_large();
        }
        value = value * unit + group_at(wire, group_end) / cut;
    }
    *out = wire->is_negative ? -value : value;
    return STATUS_OK;
}

static Status too_large(void)
{
    return status_error(SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE, "numeric has more than %d digits",
                        DECIMAL_PRECISION_MAX);
}
