// number_text.cc — see number_text.h; the one C++ file, for <charconv>.
#include "base/types/number_text.h"

#include <charconv>
#include <cstdlib>

namespace
{

template <typename T>
NumberTextResult read_number(const char *text, size_t bytes, bool is_hex, T *out)
{
    T value;
    const char *end = text + bytes;
    auto format = is_hex ? std::chars_format::hex : std::chars_format::general;
    std::from_chars_result result = std::from_chars(text, end, value, format);
    if (result.ec == std::errc::invalid_argument || result.ptr != end) {
        return NUMBER_TEXT_INVALID;
    }
    if (result.ec != std::errc()) {
        return NUMBER_TEXT_OUT_OF_RANGE;
    }
    *out = value;
    return NUMBER_TEXT_OK;
}

// "1.2345e+02" -> digits 12345, exponent 3.
template <typename T> size_t shortest_digits(T value, char *digits, int *exponent)
{
    char text[64];
    auto result = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific);
    size_t count = 0;
    const char *cursor = text;
    for (; cursor < result.ptr && *cursor != 'e'; cursor++) {
        if (*cursor != '.') {
            digits[count++] = *cursor;
        }
    }
    bool is_negative = cursor + 1 < result.ptr && cursor[1] == '-';
    int power = 0;
    for (cursor += 2; cursor < result.ptr; cursor++) {
        power = power * 10 + (*cursor - '0');
    }
    *exponent = (is_negative ? -power : power) + 1;
    return count;
}

} // namespace

NumberTextResult number_text_read_double(const char *text, size_t bytes, bool is_hex, double *out)
{
    return read_number(text, bytes, is_hex, out);
}

NumberTextResult number_text_read_float(const char *text, size_t bytes, bool is_hex, float *out)
{
    return read_number(text, bytes, is_hex, out);
}

size_t number_text_shortest_double(double value, char *digits, int *exponent)
{
    return shortest_digits(value, digits, exponent);
}

size_t number_text_shortest_float(float value, char *digits, int *exponent)
{
    return shortest_digits(value, digits, exponent);
}

size_t number_text_scientific(double value, int precision, char *target)
{
    auto result = std::to_chars(target, target + NUMBER_SCIENTIFIC_BYTES, value,
                                std::chars_format::scientific, precision - 1);
    return static_cast<size_t>(result.ptr - target);
}
