/* characters.c — see characters.h. */
#include "compute/functions/characters.h"

#include <string.h>

typedef enum CaseKind {
    CASE_SHIFT,    /* lower = upper + delta */
    CASE_EVEN_ODD, /* upper letters are even, each lower one follows */
    CASE_ODD_EVEN
} CaseKind;

typedef struct CaseRange {
    uint32_t first, last; /* SHIFT: of the upper letters; else both cases */
    CaseKind kind;
    uint32_t delta;
} CaseRange;

static const CaseRange case_ranges[] = {
    {0x41, 0x5A, CASE_SHIFT, 32},       {0xC0, 0xD6, CASE_SHIFT, 32},
    {0xD8, 0xDE, CASE_SHIFT, 32},       {0x100, 0x12F, CASE_EVEN_ODD, 0},
    {0x132, 0x137, CASE_EVEN_ODD, 0},   {0x139, 0x148, CASE_ODD_EVEN, 0},
    {0x14A, 0x177, CASE_EVEN_ODD, 0},   {0x179, 0x17E, CASE_ODD_EVEN, 0},
    {0x1CD, 0x1DC, CASE_ODD_EVEN, 0},   {0x1DE, 0x1EF, CASE_EVEN_ODD, 0},
    {0x1F8, 0x21F, CASE_EVEN_ODD, 0},   {0x222, 0x233, CASE_EVEN_ODD, 0},
    {0x386, 0x386, CASE_SHIFT, 38},     {0x388, 0x38A, CASE_SHIFT, 37},
    {0x38C, 0x38C, CASE_SHIFT, 64},     {0x38E, 0x38F, CASE_SHIFT, 63},
    {0x391, 0x3A1, CASE_SHIFT, 32},     {0x3A3, 0x3AB, CASE_SHIFT, 32},
    {0x400, 0x40F, CASE_SHIFT, 80},     {0x410, 0x42F, CASE_SHIFT, 32},
    {0x460, 0x481, CASE_EVEN_ODD, 0},   {0x48A, 0x4BF, CASE_EVEN_ODD, 0},
    {0x4C1, 0x4CE, CASE_ODD_EVEN, 0},   {0x4D0, 0x52F, CASE_EVEN_ODD, 0},
    {0x531, 0x556, CASE_SHIFT, 48},     {0x1E00, 0x1E95, CASE_EVEN_ODD, 0},
    {0x1EA0, 0x1EFF, CASE_EVEN_ODD, 0}, {0xFF21, 0xFF3A, CASE_SHIFT, 32},
};
#define CASE_RANGE_COUNT (sizeof case_ranges / sizeof *case_ranges)

uint32_t character_read(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    switch (length) {
    case 2:
        return (bytes[0] & 0x1Fu) << 6 | (bytes[1] & 0x3Fu);
    case 3:
        return (bytes[0] & 0x0Fu) << 12 | (bytes[1] & 0x3Fu) << 6 | (bytes[2] & 0x3Fu);
    case 4:
        return (bytes[0] & 0x07u) << 18 | (bytes[1] & 0x3Fu) << 12 | (bytes[2] & 0x3Fu) << 6 |
               (bytes[3] & 0x3Fu);
    default:
        return bytes[0];
    }
}

size_t character_write(uint32_t code, char target[CHARACTER_BYTES_MAX])
{
    if (code < 0x80) {
        target[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        target[0] = (char)(0xC0 | code >> 6);
        target[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        target[0] = (char)(0xE0 | code >> 12);
        target[1] = (char)(0x80 | (code >> 6 & 0x3F));
        target[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    target[0] = (char)(0xF0 | code >> 18);
    target[1] = (char)(0x80 | (code >> 12 & 0x3F));
    target[2] = (char)(0x80 | (code >> 6 & 0x3F));
    target[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

uint32_t character_upper(uint32_t code)
{
    switch (code) { // letters whose way back is another
    case 0xB5:
        return 0x39C; // micro sign
    case 0xFF:
        return 0x178;
    case 0x131:
        return 'I'; // without dot
    case 0x17F:
        return 'S'; // long s
    case 0x3C2:
        return 0x3A3; // final sigma
    default:
        break;
    }
    for (size_t i = 0; i < CASE_RANGE_COUNT; i++) {
        const CaseRange *range = &case_ranges[i];
        if (range->kind == CASE_SHIFT) {
            if (code >= range->first + range->delta && code <= range->last + range->delta) {
                return code - range->delta;
            }
        } else if (code >= range->first && code <= range->last) {
            bool is_upper = (code % 2 == 0) == (range->kind == CASE_EVEN_ODD);
            return is_upper ? code : code - 1;
        }
    }
    return code;
}

uint32_t character_lower(uint32_t code)
{
    if (code == 0x130) {
        return 'i'; // with dot
    }
    if (code == 0x178) {
        return 0xFF;
    }
    for (size_t i = 0; i < CASE_RANGE_COUNT; i++) {
        const CaseRange *range = &case_ranges[i];
        if (code < range->first || code > range->last) {
            continue;
        }
        if (range->kind == CASE_SHIFT) {
            return code + range->delta;
        }
        bool is_upper = (code % 2 == 0) == (range->kind == CASE_EVEN_ODD);
        return is_upper ? code + 1 : code;
    }
    return code;
}

bool character_is_alphanumeric(uint32_t code)
{
    if (code < 0x80) {
        return (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') ||
               (code >= 'a' && code <= 'z');
    }
    // beyond ASCII: the signs of Latin-1 and the general punctuation blocks are no letters
    return code == 0xAA || code == 0xB5 || code == 0xBA ||
           (code >= 0xC0 && code != 0xD7 && code != 0xF7 && !(code >= 0x2000 && code <= 0x206F) &&
            !(code >= 0x3000 && code <= 0x303F));
}

static size_t map_text(const char *text, size_t bytes, uint32_t (*map)(uint32_t), char *target)
{
    size_t written = 0;
    for (size_t i = 0; i < bytes;) {
        size_t length = character_bytes(text + i, bytes - i);
        char mapped[CHARACTER_BYTES_MAX];
        size_t mapped_bytes = character_write(map(character_read(text + i, length)), mapped);
        if (mapped_bytes > length || length > CHARACTER_BYTES_MAX) { // not valid UTF-8: as it is
            mapped_bytes = length;
            memcpy(target + written, text + i, length);
        } else {
            memcpy(target + written, mapped, mapped_bytes);
        }
        written += mapped_bytes;
        i += length;
    }
    return written;
}

#define EACH_BYTE UINT64_C(0x0101010101010101)

/* Turns the case of the ASCII letters first..last, eight bytes at a time; false when the text is
 * not plain ASCII. */
static bool turn_case(const char *text, size_t bytes, char first, char last, char *target)
{
    const uint64_t high_bits = EACH_BYTE * 0x80;
    // adding 0x80 - first carries bytes from `first` on into the top bit; likewise behind `last`
    const uint64_t from_first = EACH_BYTE * (uint64_t)(0x80 - first);
    const uint64_t behind_last = EACH_BYTE * (uint64_t)(0x7F - last);
    if (bytes < 8) {
        uint8_t all = 0;
        for (size_t i = 0; i < bytes; i++) {
            all |= (uint8_t)text[i];
            target[i] = (char)(text[i] ^ (text[i] >= first && text[i] <= last ? 0x20 : 0));
        }
        return all < 0x80;
    }
    uint64_t all = 0;
    for (size_t i = 0; i < bytes; i += 8) {
        i = i + 8 > bytes ? bytes - 8 : i; // the last step looks at some bytes twice
        uint64_t word;
        memcpy(&word, text + i, 8);
        all |= word;
        uint64_t is_letter = ((word + from_first) ^ (word + behind_last)) & high_bits;
        word ^= is_letter >> 2; // 0x80 to 0x20
        memcpy(target + i, &word, 8);
    }
    return (all & high_bits) == 0;
}

size_t text_lower(const char *text, size_t bytes, char *target)
{
    return turn_case(text, bytes, 'A', 'Z', target)
               ? bytes
               : map_text(text, bytes, character_lower, target);
}

size_t text_upper(const char *text, size_t bytes, char *target)
{
    return turn_case(text, bytes, 'a', 'z', target)
               ? bytes
               : map_text(text, bytes, character_upper, target);
}
