/*
 * text_edit_functions.c — functions that make new texts. Their bytes lie in the frame's arena; no
 * result is longer than a VARCHAR may be.
 */
#include <string.h>

#include "base/types/text_format.h"
#include "compute/functions/characters.h"
#include "compute/functions/function.h"
#include "compute/functions/md5.h"

static Status call_concat(FunctionFrame *frame, const Slot *args, Slot *result)
{
    size_t left = args[0].text.length, right = args[1].text.length;
    char *text;
    TRY(function_text_space(frame, left + right, &text));
    memcpy(text, text_view_data(&args[0].text), left);
    memcpy(text + left, text_view_data(&args[1].text), right);
    function_set_text(result, text, left + right);
    return STATUS_OK;
}

/* --- case --- */

static Status call_upper(FunctionFrame *frame, const Slot *args, Slot *result)
{
    size_t bytes = args[0].text.length;
    char *text;
    TRY(function_text_space(frame, bytes, &text));
    bytes = text_upper(text_view_data(&args[0].text), bytes, text);
    function_set_text(result, text, bytes);
    return STATUS_OK;
}

static Status call_lower(FunctionFrame *frame, const Slot *args, Slot *result)
{
    size_t bytes = args[0].text.length;
    char *text;
    TRY(function_text_space(frame, bytes, &text));
    bytes = text_lower(text_view_data(&args[0].text), bytes, text);
    function_set_text(result, text, bytes);
    return STATUS_OK;
}

static Status call_initcap(FunctionFrame *frame, const Slot *args, Slot *result)
{
    const char *source = text_view_data(&args[0].text);
    size_t bytes = args[0].text.length, written = 0;
    char *text;
    TRY(function_text_space(frame, bytes, &text));
    bool is_in_word = false;
    for (size_t i = 0; i < bytes;) {
        size_t length = character_bytes(source + i, bytes - i);
        uint32_t code = character_read(source + i, length);
        char mapped[CHARACTER_BYTES_MAX];
        size_t mapped_bytes =
            character_write(is_in_word ? character_lower(code) : character_upper(code), mapped);
        bool is_kept = mapped_bytes > length;
        memcpy(text + written, is_kept ? source + i : mapped, is_kept ? length : mapped_bytes);
        written += is_kept ? length : mapped_bytes;
        is_in_word = character_is_alphanumeric(code);
        i += length;
    }
    function_set_text(result, text, written);
    return STATUS_OK;
}

/* --- replacing --- */

static Status call_replace(FunctionFrame *frame, const Slot *args, Slot *result)
{
    const char *source = text_view_data(&args[0].text), *from = text_view_data(&args[1].text);
    size_t bytes = args[0].text.length, from_bytes = args[1].text.length;
    size_t to_bytes = args[2].text.length, hits = 0;
    const char *end = source + bytes;
    if (from_bytes > 0) {
        const char *found = source;
        while ((found = memmem(found, (size_t)(end - found), from, from_bytes)) != NULL) {
            found += from_bytes;
            hits++;
        }
    }
    if (hits == 0) {
        result->text = args[0].text;
        return STATUS_OK;
    }
    char *text, *cursor;
    TRY(function_text_space(frame, bytes - hits * from_bytes + hits * to_bytes, &text));
    cursor = text;
    for (; hits > 0; hits--) {
        const char *found = memmem(source, (size_t)(end - source), from, from_bytes);
        memcpy(cursor, source, (size_t)(found - source));
        cursor += found - source;
        memcpy(cursor, text_view_data(&args[2].text), to_bytes);
        cursor += to_bytes;
        source = found + from_bytes;
    }
    memcpy(cursor, source, (size_t)(end - source));
    cursor += end - source;
    function_set_text(result, text, (size_t)(cursor - text));
    return STATUS_OK;
}

/* The place of a character among those of `set` (its number), or -1. */
static int64_t set_index(const TextView *set, const char *text, size_t length)
{
    const char *characters = text_view_data(set);
    int64_t index = 0;
    for (size_t i = 0; i < set->length; index++) {
        size_t bytes = character_bytes(characters + i, set->length - i);
        if (bytes == length && memcmp(characters + i, text, length) == 0) {
            return index;
        }
        i += bytes;
    }
    return -1;
}

static Status call_translate(FunctionFrame *frame, const Slot *args, Slot *result)
{
    const char *source = text_view_data(&args[0].text), *to = text_view_data(&args[2].text);
    size_t bytes = args[0].text.length, to_bytes = args[2].text.length, written = 0;
    size_t to_characters = utf8_length(to, to_bytes);
    char *text; // every character may grow to four bytes
    TRY(function_text_space(frame, bytes * (to_characters == to_bytes ? 1 : 4), &text));
    for (size_t i = 0; i < bytes;) {
        size_t length = character_bytes(source + i, bytes - i);
        int64_t index = set_index(&args[1].text, source + i, length);
        if (index < 0) {
            memcpy(text + written, source + i, length);
            written += length;
        } else if ((size_t)index < to_characters) { // those without a partner go
            size_t offset = utf8_offset(to, to_bytes, (size_t)index);
            size_t mapped_bytes = character_bytes(to + offset, to_bytes - offset);
            memcpy(text + written, to + offset, mapped_bytes);
            written += mapped_bytes;
        }
        i += length;
    }
    function_set_text(result, text, written);
    return STATUS_OK;
}

static Status call_reverse(FunctionFrame *frame, const Slot *args, Slot *result)
{
    const char *source = text_view_data(&args[0].text);
    size_t bytes = args[0].text.length;
    char *text;
    TRY(function_text_space(frame, bytes, &text));
    for (size_t i = 0; i < bytes;) {
        size_t length = character_bytes(source + i, bytes - i);
        i += length;
        memcpy(text + bytes - i, source + i - length, length);
    }
    function_set_text(result, text, bytes);
    return STATUS_OK;
}

/* --- repeating and padding --- */

/* `count` copies of the source, refused as too long before any size overflows. */
static Status repeat_space(FunctionFrame *frame, size_t bytes, int64_t count, char **out)
{
    size_t total;
    if (__builtin_mul_overflow(bytes, (size_t)count, &total)) {
        total = SIZE_MAX;
    }
    return function_text_space(frame, total, out);
}

static Status call_repeat(FunctionFrame *frame, const Slot *args, Slot *result)
{
    size_t bytes = args[0].text.length;
    int64_t count = bytes == 0 || args[1].i64 < 0 ? 0 : args[1].i64;
    char *text;
    TRY(repeat_space(frame, bytes, count, &text));
    for (int64_t i = 0; i < count; i++) {
        memcpy(text + (size_t)i * bytes, text_view_data(&args[0].text), bytes);
    }
    function_set_text(result, text, bytes * (size_t)count);
    return STATUS_OK;
}

/* Writes `count` characters of the endlessly repeated fill; returns the end. */
static char *write_fill(const char *fill, size_t fill_bytes, size_t count, char *cursor)
{
    for (size_t at = 0; count > 0; count--) {
        size_t length = character_bytes(fill + at, fill_bytes - at);
        memcpy(cursor, fill + at, length);
        cursor += length;
        at = at + length == fill_bytes ? 0 : at + length;
    }
    return cursor;
}

static Status pad(FunctionFrame *frame, const Slot *args, bool is_left, Slot *result)
{
    TextView blank = text_view_make(" ", 1);
    const TextView *fill = frame->arg_count > 2 ? &args[2].text : &blank;
    const char *source = text_view_data(&args[0].text);
    size_t bytes = args[0].text.length, characters = utf8_length(source, bytes);
    uint64_t wanted = args[1].i64 < 0 ? 0 : (uint64_t)args[1].i64;
    if (characters >= wanted || fill->length == 0) {
        function_set_text(result, source, utf8_offset(source, bytes, (size_t)wanted));
        return STATUS_OK;
    }
    uint64_t missing = wanted - characters;
    if (missing > VARCHAR_BYTES_MAX) {
        missing = VARCHAR_BYTES_MAX + 1; // refused in any case
    }
    size_t fill_bytes_max = fill->length == utf8_length(text_view_data(fill), fill->length)
                                ? (size_t)missing
                                : (size_t)missing * CHARACTER_BYTES_MAX;
    char *text;
    if (bytes + missing <= VARCHAR_BYTES_MAX && bytes + fill_bytes_max > VARCHAR_BYTES_MAX) {
        text = arena_alloc(frame->arena, bytes + fill_bytes_max); // measured when it is written
    } else {
        TRY(function_text_space(frame, bytes + fill_bytes_max, &text));
    }
    char *cursor = text;
    if (!is_left) {
        memcpy(cursor, source, bytes);
        cursor += bytes;
    }
    cursor = write_fill(text_view_data(fill), fill->length, (size_t)missing, cursor);
    if (is_left) {
        memcpy(cursor, source, bytes);
        cursor += bytes;
    }
    if ((size_t)(cursor - text) > VARCHAR_BYTES_MAX) {
        return function_text_space(frame, (size_t)(cursor - text), &text);
    }
    function_set_text(result, text, (size_t)(cursor - text));
    return STATUS_OK;
}

static Status call_lpad(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return pad(frame, args, true, result);
}

static Status call_rpad(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return pad(frame, args, false, result);
}

/* --- codes --- */

static Status call_chr(FunctionFrame *frame, const Slot *args, Slot *result)
{
    (void)frame;
    int64_t code = args[0].i64;
    if (code == 0) {
        return status_error(SQLSTATE_PROGRAM_LIMIT_EXCEEDED, "null character not permitted");
    }
    if (code < 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
        return status_error(SQLSTATE_PROGRAM_LIMIT_EXCEEDED,
                            "requested character not valid for encoding: %lld", (long long)code);
    }
    char text[TEXT_INLINE_MAX];
    function_set_text(result, text, character_write((uint32_t)code, text));
    return STATUS_OK;
}

static Status call_md5(FunctionFrame *frame, const Slot *args, Slot *result)
{
    char *text;
    TRY(function_text_space(frame, MD5_HEX_BYTES, &text));
    md5_hex(text_view_data(&args[0].text), args[0].text.length, text);
    function_set_text(result, text, MD5_HEX_BYTES);
    return STATUS_OK;
}

const FunctionEntry text_edit_functions[] = {
    {FUNCTION_CONCAT, call_concat, NULL, true},
    {FUNCTION_UPPER, call_upper, NULL, false},
    {FUNCTION_LOWER, call_lower, NULL, false},
    {FUNCTION_INITCAP, call_initcap, NULL, false},
    {FUNCTION_REPLACE, call_replace, NULL, true},
    {FUNCTION_TRANSLATE, call_translate, NULL, true},
    {FUNCTION_REVERSE, call_reverse, NULL, false},
    {FUNCTION_REPEAT, call_repeat, NULL, true},
    {FUNCTION_LPAD, call_lpad, NULL, true},
    {FUNCTION_RPAD, call_rpad, NULL, true},
    {FUNCTION_CHR, call_chr, NULL, true},
    {FUNCTION_MD5, call_md5, NULL, false},
    {0},
};
