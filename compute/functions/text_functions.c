/*
 * text_functions.c — functions that measure, cut and search texts. Positions and lengths count
 * characters, from 1; results that are parts of an argument point into it.
 */
#include <string.h>

#include "base/types/text_format.h"
#include "compute/functions/characters.h"
#include "compute/functions/function.h"

static Status call_length(FunctionFrame *frame, const Slot *args, Slot *result)
{
    (void)frame;
    result->i64 = (int64_t)utf8_length(text_view_data(&args[0].text), args[0].text.length);
    return STATUS_OK;
}

static Status call_octet_length(FunctionFrame *frame, const Slot *args, Slot *result)
{
    (void)frame;
    result->i64 = args[0].text.length;
    return STATUS_OK;
}

/* Characters [first, end) of a text; both may lie outside of it. */
static void set_part(const TextView *view, int64_t first, int64_t end, Slot *result)
{
    const char *text = text_view_data(view);
    first = first < 0 ? 0 : first;
    if (end <= first) {
        function_set_text(result, "", 0);
        return;
    }
    size_t from = utf8_offset(text, view->length, (size_t)first);
    size_t count = (size_t)(end - first);
    size_t bytes = utf8_offset(text + from, view->length - from, count);
    function_set_text(result, text + from, bytes);
}

static Status call_substring(FunctionFrame *frame, const Slot *args, Slot *result)
{
    int64_t start = args[1].i64, end = INT64_MAX;
    if (frame->arg_count > 2) {
        int64_t length = args[2].i64;
        if (length < 0) {
            return status_error(SQLSTATE_SUBSTRING_ERROR, "negative substring length not allowed");
        }
        if (__builtin_add_overflow(start, length, &end)) {
            end = INT64_MAX;
        }
    }
    // `start` counts from 1 and the part may begin before the text
    set_part(&args[0].text, start > INT64_MIN ? start - 1 : start,
             end == INT64_MAX || end == INT64_MIN ? end : end - 1, result);
    return STATUS_OK;
}

static int64_t character_count(const TextView *view)
{
    return (int64_t)utf8_length(text_view_data(view), view->length);
}

static Status call_left(FunctionFrame *frame, const Slot *args, Slot *result)
{
    (void)frame;
    int64_t count = args[1].i64;
    if (count < 0) { // all but the last ones
        int64_t total = character_count(&args[0].text);
        count = count < -total ? 0 : total + count;
    }
    set_part(&args[0].text, 0, count, result);
    return STATUS_OK;
}

static Status call_right(FunctionFrame *frame, const Slot *args, Slot *result)
{
    (void)frame;
    int64_t total = character_count(&args[0].text), count = args[1].i64;
    int64_t first =
        count < 0 ? (count < -total ? total : -count) : (count > total ? 0 : total - count);
    set_part(&args[0].text, first, INT64_MAX, result);
    return STATUS_OK;
}

/* --- trimming --- */

/* Is the character of `length` bytes at `text` one of those in `set`? */
static bool set_contains(const TextView *set, const char *text, size_t length)
{
    const char *characters = text_view_data(set);
    for (size_t i = 0; i < set->length;) {
        size_t bytes = character_bytes(characters + i, set->length - i);
        if (bytes == length && memcmp(characters + i, text, length) == 0) {
            return true;
        }
        i += bytes;
    }
    return false;
}

static Status trim(FunctionFrame *frame, const Slot *args, bool is_left, bool is_right,
                   Slot *result)
{
    TextView blank = text_view_make(" ", 1);
    const TextView *set = frame->arg_count > 1 ? &args[1].text : &blank;
    const char *text = text_view_data(&args[0].text);
    size_t bytes = args[0].text.length;
    while (is_left && bytes > 0) {
        size_t length = character_bytes(text, bytes);
        if (!set_contains(set, text, length)) {
            break;
        }
        text += length;
        bytes -= length;
    }
    while (is_right && bytes > 0) {
        size_t length = last_character_bytes(text, bytes);
        if (!set_contains(set, text + bytes - length, length)) {
            break;
        }
        bytes -= length;
    }
    function_set_text(result, text, bytes);
    return STATUS_OK;
}

static Status call_btrim(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return trim(frame, args, true, true, result);
}

static Status call_ltrim(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return trim(frame, args, true, false, result);
}

static Status call_rtrim(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return trim(frame, args, false, true, result);
}

/* --- searching --- */

static Status call_strpos(FunctionFrame *frame, const Slot *args, Slot *result)
{
    (void)frame;
    const char *text = text_view_data(&args[0].text);
    const char *found =
        memmem(text, args[0].text.length, text_view_data(&args[1].text), args[1].text.length);
    result->i64 = found == NULL ? 0 : (int64_t)utf8_length(text, (size_t)(found - text)) + 1;
    return STATUS_OK;
}

static Status call_split_part(FunctionFrame *frame, const Slot *args, Slot *result)
{
    (void)frame;
    const char *text = text_view_data(&args[0].text), *end = text + args[0].text.length;
    const char *delimiter = text_view_data(&args[1].text);
    size_t delimiter_bytes = args[1].text.length;
    int64_t field = args[2].i64;
    if (field <= 0) {
        return status_error(SQLSTATE_INVALID_PARAMETER_VALUE,
                            "field position must be greater than zero");
    }
    for (; field > 1; field--) {
        const char *found = delimiter_bytes == 0
                                ? NULL
                                : memmem(text, (size_t)(end - text), delimiter, delimiter_bytes);
        if (found == NULL) {
            function_set_text(result, "", 0);
            return STATUS_OK;
        }
        text = found + delimiter_bytes;
    }
    const char *found = delimiter_bytes == 0
                            ? NULL
                            : memmem(text, (size_t)(end - text), delimiter, delimiter_bytes);
    function_set_text(result, text, (size_t)((found == NULL ? end : found) - text));
    return STATUS_OK;
}

static Status call_ascii(FunctionFrame *frame, const Slot *args, Slot *result)
{
    (void)frame;
    const char *text = text_view_data(&args[0].text);
    size_t bytes = args[0].text.length;
    result->i64 = bytes == 0 ? 0 : character_read(text, character_bytes(text, bytes));
    return STATUS_OK;
}

const FunctionEntry text_functions[] = {
    {FUNCTION_LENGTH, call_length, NULL, false},
    {FUNCTION_OCTET_LENGTH, call_octet_length, NULL, false},
    {FUNCTION_SUBSTRING, call_substring, NULL, true},
    {FUNCTION_LEFT, call_left, NULL, false},
    {FUNCTION_RIGHT, call_right, NULL, false},
    {FUNCTION_BTRIM, call_btrim, NULL, false},
    {FUNCTION_LTRIM, call_ltrim, NULL, false},
    {FUNCTION_RTRIM, call_rtrim, NULL, false},
    {FUNCTION_STRPOS, call_strpos, NULL, false},
    {FUNCTION_SPLIT_PART, call_split_part, NULL, true},
    {FUNCTION_ASCII, call_ascii, NULL, false},
    {0},
};
