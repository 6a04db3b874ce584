/* characters.h — characters of valid UTF-8: reading, writing, upper and lower case. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at `text` (at least one byte is there); never beyond `bytes`. */
static inline size_t character_bytes(const char *text, size_t bytes)
{
    size_t length = 1;
    while (length < bytes && ((unsigned char)text[length] & 0xC0) == 0x80) {
        length++;
    }
    return length;
}
/* Bytes of the last character of a text that is not empty. */
static inline size_t last_character_bytes(const char *text, size_t bytes)
{
    size_t length = 1;
    while (length < bytes && ((unsigned char)text[bytes - length] & 0xC0) == 0x80) {
        length++;
    }
    return length;
}
/* The code point at `text`, which has `length` bytes. */
uint32_t character_read(const char *text, size_t length);
#define CHARACTER_BYTES_MAX 4
size_t character_write(uint32_t code, char target[CHARACTER_BYTES_MAX]);

/* One to one case mapping of the Latin, Greek, Cyrillic, Armenian and full-width letters (Unicode
 * 15, UnicodeData.txt); other characters stay. */
uint32_t character_upper(uint32_t code);
uint32_t character_lower(uint32_t code);
bool character_is_alphanumeric(uint32_t code);
/* The text in lower case into `target` (room for `bytes`: no mapping here lengthens); the bytes
 * written. */
size_t text_lower(const char *text, size_t bytes, char *target);
size_t text_upper(const char *text, size_t bytes, char *target);
