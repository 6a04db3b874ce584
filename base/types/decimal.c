/*
 * decimal.c — exact decimals as scaled integers.
 *
 * Products and shifted dividends are held in 256 bits (four 64-bit limbs), so that an operation
 * rounds once, at the end. Rounding is half away from zero: 0.125 at scale 2 is 0.13, -0.125 is
 * -0.13.
 */
#include "base/types/decimal.h"

#define TEN_TO_19 UINT64_C(10000000000000000000)
#define UINT128_HALF ((UInt128)1 << 127) /* beyond 38 digits; one more cannot wrap below it */

static const uint64_t powers_of_ten[20] = {1u,
                                           10u,
                                           100u,
                                           1000u,
                                           10000u,
                                           100000u,
                                           1000000u,
                                           10000000u,
                                           100000000u,
                                           1000000000u,
                                           10000000000u,
                                           100000000000u,
                                           1000000000000u,
                                           10000000000000u,
                                           100000000000000u,
                                           1000000000000000u,
                                           10000000000000000u,
                                           100000000000000000u,
                                           1000000000000000000u,
                                           TEN_TO_19};

/* An unsigned 256-bit number, least significant limb first. */
typedef struct Wide {
    uint64_t limbs[4];
} Wide;

static Wide wide_multiply(UInt128 left, UInt128 right);
static uint64_t wide_divide_small(Wide *number, uint64_t divisor);
static bool wide_multiply_small(Wide *number, uint64_t factor);
static bool wide_divide(const Wide *number, UInt128 divisor, UInt128 *quotient, UInt128 *remainder);
static Type decimal_type_capped(uint32_t precision, uint32_t scale);

static UInt128 magnitude_of(Int128 value)
{
    return value < 0 ? -(UInt128)value : (UInt128)value;
}

/* Signs a magnitude; false when it has more than 38 digits. */
static bool signed_of(UInt128 magnitude, bool is_negative, Int128 *out)
{
    if (magnitude >= (UInt128)decimal_power_of_ten(DECIMAL_PRECISION_MAX)) {
        return false;
    }
    *out = is_negative ? -(Int128)magnitude : (Int128)magnitude;
    return true;
}

Int128 decimal_power_of_ten(uint32_t exponent)
{
    DEBUG_ASSERT(exponent <= DECIMAL_PRECISION_MAX);
    return exponent <= 19 ? (Int128)powers_of_ten[exponent]
                          : (Int128)((UInt128)TEN_TO_19 * powers_of_ten[exponent - 19]);
}

/* --- result types --- */

Type decimal_of_integer(Type integer_type)
{
    switch ((TypeId)integer_type.id) {
    case TYPE_DECIMAL:
        return integer_type;
    case TYPE_SMALLINT:
        return type_decimal(5, 0);
    case TYPE_INTEGER:
        return type_decimal(10, 0);
    default:
        return type_decimal(19, 0);
    }
}

Type decimal_add_type(Type left, Type right)
{
    uint32_t scale = left.scale > right.scale ? left.scale : right.scale;
    uint32_t left_whole = (uint32_t)(left.precision - left.scale);
    uint32_t right_whole = (uint32_t)(right.precision - right.scale);
    return decimal_type_capped((left_whole > right_whole ? left_whole : right_whole) + 1 + scale,
                               scale);
}

Type decimal_multiply_type(Type left, Type right)
{
    return decimal_type_capped((uint32_t)left.precision + right.precision + 1,
                               (uint32_t)left.scale + right.scale);
}

/* Only division gives up fraction digits when the precision passes 38, and never below four. */
Type decimal_divide_type(Type left, Type right)
{
    int32_t scale = left.scale + right.precision - right.scale + 1;
    scale = scale < 4 ? 4 : scale;
    int32_t precision = left.precision - left.scale + right.scale + scale;
    if (precision > DECIMAL_PRECISION_MAX) {
        scale -= precision - DECIMAL_PRECISION_MAX;
        scale = scale < 4 ? 4 : scale;
        precision = DECIMAL_PRECISION_MAX;
    }
    return decimal_type_capped((uint32_t)precision, (uint32_t)scale);
}

/* Sums and products keep their scale and lose room before the point instead. */
static Type decimal_type_capped(uint32_t precision, uint32_t scale)
{
    precision = precision > DECIMAL_PRECISION_MAX ? DECIMAL_PRECISION_MAX : precision;
    scale = scale > DECIMAL_PRECISION_MAX - 1 ? DECIMAL_PRECISION_MAX - 1 : scale;
    return type_decimal(precision, scale);
}

/* --- arithmetic --- */

Status decimal_overflow(Type type)
{
    uint32_t whole = (uint32_t)(type.precision - type.scale);
    Status status = status_error(SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE, "numeric field overflow");
    return status_with_detail(
        status,
        "a field with precision %u, scale %u must round to an absolute value less than %s%u",
        type.precision, type.scale, whole > 0 ? "10^" : "", whole > 0 ? whole : 1);
}

/* Divides by 10^digits, half away from zero; works for any number of digits. */
static UInt128 round_magnitude(UInt128 magnitude, uint32_t digits)
{
    if (digits == 0) {
        return magnitude;
    }
    if (digits > DECIMAL_PRECISION_MAX + 1) {
        return 0;
    }
    // floor(floor(m / 10^(d-1)) + 5) / 10) rounds once and needs no power beyond 10^38
    UInt128 shifted;
    if (magnitude <= UINT64_MAX) {
        shifted = digits > 20 ? 0 : (uint64_t)magnitude / powers_of_ten[digits - 1];
        return (shifted + 5) / 10;
    }
    shifted = magnitude / (UInt128)decimal_power_of_ten(digits - 1);
    return (shifted + 5) / 10;
}

Status decimal_rescale(Int128 value, uint32_t from_scale, Type target, Int128 *out)
{
    UInt128 magnitude = magnitude_of(value);
    if (target.precision == 0) { // no modifier: anything that 38 digits can hold
        target.precision = DECIMAL_PRECISION_MAX;
    }
    UInt128 limit = (UInt128)decimal_power_of_ten(target.precision);
    if (target.scale >= from_scale) {
        uint32_t shift = target.scale - from_scale;
        if (magnitude != 0 && (shift > DECIMAL_PRECISION_MAX ||
                               magnitude > (limit - 1) / (UInt128)decimal_power_of_ten(shift))) {
            return decimal_overflow(target);
        }
        magnitude = magnitude == 0 ? 0 : magnitude * (UInt128)decimal_power_of_ten(shift);
    } else {
        magnitude = round_magnitude(magnitude, from_scale - target.scale);
    }
    if (magnitude >= limit) {
        return decimal_overflow(target);
    }
    *out = value < 0 ? -(Int128)magnitude : (Int128)magnitude;
    return STATUS_OK;
}

bool decimal_multiply(Int128 left, Int128 right, uint32_t drop_digits, Int128 *out)
{
    bool is_negative = (left < 0) != (right < 0);
    UInt128 left_magnitude = magnitude_of(left), right_magnitude = magnitude_of(right);
    if (((left_magnitude | right_magnitude) >> 64) == 0) {
        UInt128 product = left_magnitude * right_magnitude;
        return signed_of(round_magnitude(product, drop_digits), is_negative, out);
    }
    Wide product = wide_multiply(left_magnitude, right_magnitude);
    if (drop_digits > 0) {
        for (uint32_t left_digits = drop_digits - 1; left_digits > 0;) {
            uint32_t step = left_digits > 19 ? 19 : left_digits;
            wide_divide_small(&product, powers_of_ten[step]);
            left_digits -= step;
        }
        // adding 5 cannot overflow: the product is below 2^254
        for (uint32_t i = 0, carry = 5; i < 4 && carry != 0; i++) {
            product.limbs[i] += carry;
            carry = product.limbs[i] < carry;
        }
        wide_divide_small(&product, 10);
    }
    if ((product.limbs[2] | product.limbs[3]) != 0) {
        return false;
    }
    return signed_of((UInt128)product.limbs[1] << 64 | product.limbs[0], is_negative, out);
}

bool decimal_divide(Int128 left, Int128 right, uint32_t shift, Int128 *out)
{
    DEBUG_ASSERT(right != 0);
    bool is_negative = (left < 0) != (right < 0);
    UInt128 divisor = magnitude_of(right), dividend = magnitude_of(left);
    UInt128 quotient, remainder;
    if (shift <= 19 && (dividend >> 64) == 0) {
        UInt128 shifted = dividend * powers_of_ten[shift];
        quotient = shifted / divisor;
        remainder = shifted % divisor;
    } else {
        Wide shifted = {{(uint64_t)dividend, (uint64_t)(dividend >> 64), 0, 0}};
        for (uint32_t digits = shift; digits > 0;) {
            uint32_t step = digits > 19 ? 19 : digits;
            if (!wide_multiply_small(&shifted, powers_of_ten[step])) {
                return false; // above 2^256: the quotient has more than 38 digits
            }
            digits -= step;
        }
        if (!wide_divide(&shifted, divisor, &quotient, &remainder)) {
            return false;
        }
    }
    if (quotient < UINT128_HALF && remainder >= divisor - remainder) {
        quotient++;
    }
    return signed_of(quotient, is_negative, out);
}

/* --- 256 bits --- */

static Wide wide_multiply(UInt128 left, UInt128 right)
{
    uint64_t left_low = (uint64_t)left, left_high = (uint64_t)(left >> 64);
    uint64_t right_low = (uint64_t)right, right_high = (uint64_t)(right >> 64);
    UInt128 low = (UInt128)left_low * right_low;
    UInt128 middle = (UInt128)left_high * right_low + (uint64_t)(low >> 64);
    UInt128 cross = (UInt128)left_low * right_high + (uint64_t)middle;
    UInt128 high =
        (UInt128)left_high * right_high + (uint64_t)(middle >> 64) + (uint64_t)(cross >> 64);
    return (Wide){{(uint64_t)low, (uint64_t)cross, (uint64_t)high, (uint64_t)(high >> 64)}};
}

static bool wide_multiply_small(Wide *number, uint64_t factor)
{
    uint64_t carry = 0;
    for (int i = 0; i < 4; i++) {
        UInt128 product = (UInt128)number->limbs[i] * factor + carry;
        number->limbs[i] = (uint64_t)product;
        carry = (uint64_t)(product >> 64);
    }
    return carry == 0;
}

static uint64_t wide_divide_small(Wide *number, uint64_t divisor)
{
    uint64_t remainder = 0;
    for (int i = 3; i >= 0; i--) {
        UInt128 part = (UInt128)remainder << 64 | number->limbs[i];
        number->limbs[i] = (uint64_t)(part / divisor);
        remainder = (uint64_t)(part % divisor);
    }
    return remainder;
}

/* One step of schoolbook division: `*rest` (below divisor) and the next limb give a quotient limb
 * and the new rest. The divisor has its top bit set (Knuth, TAOCP 2, 4.3.1, algorithm D). */
static uint64_t divide_step(UInt128 *rest, uint64_t next, UInt128 divisor)
{
    uint64_t high = (uint64_t)(divisor >> 64), low = (uint64_t)divisor;
    uint64_t rest_high = (uint64_t)(*rest >> 64);
    UInt128 guess = *rest / high, guess_rest = *rest % high;
    if (rest_high >= high) {
        guess = UINT64_MAX;
        guess_rest = *rest - guess * high;
    }
    while ((guess_rest >> 64) == 0 && guess * low > (guess_rest << 64 | next)) {
        guess--;
        guess_rest += high;
    }
    // rest * 2^64 + next - guess * divisor, modulo 2^128: the true value is below the divisor
    *rest = (*rest << 64 | next) - (UInt128)(uint64_t)guess * divisor;
    return (uint64_t)guess;
}

/* False when the quotient needs more than 128 bits. */
static bool wide_divide(const Wide *number, UInt128 divisor, UInt128 *quotient, UInt128 *remainder)
{
    if ((divisor >> 64) == 0) {
        Wide copy = *number;
        *remainder = wide_divide_small(&copy, (uint64_t)divisor);
        *quotient = (UInt128)copy.limbs[1] << 64 | copy.limbs[0];
        return (copy.limbs[2] | copy.limbs[3]) == 0;
    }
    UInt128 top = (UInt128)number->limbs[3] << 64 | number->limbs[2];
    if (top >= divisor) {
        return false;
    }
    int shift = __builtin_clzll((uint64_t)(divisor >> 64));
    uint64_t first = number->limbs[1], last = number->limbs[0];
    if (shift > 0) {
        top = top << shift | first >> (64 - shift);
        first = first << shift | last >> (64 - shift);
        last <<= shift;
    }
    UInt128 rest = top;
    uint64_t quotient_high = divide_step(&rest, first, divisor << shift);
    uint64_t quotient_low = divide_step(&rest, last, divisor << shift);
    *quotient = (UInt128)quotient_high << 64 | quotient_low;
    *remainder = rest >> shift;
    return true;
}
