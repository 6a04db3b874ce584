/* utf8.c — UTF-8: is it valid, how many characters, where does one begin. */
#include <string.h>

#include "base/types/text_format.h"

#define HIGH_BITS UINT64_C(0x8080808080808080)

/* Bytes of the valid character at `text`, 0 when there is none. Overlong forms, surrogates and
 * code points above U+10FFFF are invalid (Unicode 15, table 3-7), and so is a zero byte. */
static size_t character_bytes(const unsigned char *text, size_t bytes)
{
    unsigned char first = text[0];
    if (first < 0x80) {
        return first != 0;
    }
    size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || length > bytes) {
        return 0;
    }
    unsigned char second_min = 0x80, second_max = 0xBF;
    switch (first) {
    case 0xE0:
        second_min = 0xA0;
        break;
    case 0xED:
        second_max = 0x9F;
        break;
    case 0xF0:
        second_min = 0x90;
        break;
    case 0xF4:
        second_max = 0x8F;
        break;
    default:
        break;
    }
    if (text[1] < second_min || text[1] > second_max) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

bool utf8_is_valid(const char *text, size_t bytes)
{
    size_t i = 0;
    while (i < bytes) {
        if (bytes - i >= 8) { // eight ASCII bytes other than zero at once
            uint64_t word;
            memcpy(&word, text + i, 8);
            if (((word | (word - HIGH_BITS / 128)) & HIGH_BITS) == 0) {
                i += 8;
                continue;
            }
        }
        size_t length = character_bytes((const unsigned char *)text + i, bytes - i);
        if (length == 0) {
            return false;
        }
        i += length;
    }
    return true;
}

size_t utf8_length(const char *text, size_t bytes)
{
    size_t count = 0;
    for (size_t i = 0; i < bytes; i++) {
        count += ((unsigned char)text[i] & 0xC0) != 0x80; // every byte that continues nothing
    }
    return count;
}

size_t utf8_offset(const char *text, size_t bytes, size_t index)
{
    if (index >= bytes) {
        return bytes;
    }
    for (size_t i = 0; i < bytes; i++) {
        if (((unsigned char)text[i] & 0xC0) != 0x80 && index-- == 0) {
            return i;
        }
    }
    return bytes;
}

size_t utf8_clip(const char *text, size_t bytes, size_t limit_bytes)
{
    if (bytes <= limit_bytes) {
        return bytes;
    }
    while (limit_bytes > 0 && ((unsigned char)text[limit_bytes] & 0xC0) == 0x80) {
        limit_bytes--;
    }
    return limit_bytes;
}
