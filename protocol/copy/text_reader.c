/*
 * text_reader.c — fields of delimited text: NULL, quotes around a whole field, backslashes.
 *
 *   raw        ESCAPE (plain)   PostgreSQL (control)   REMOVEQUOTES
 *   a\|b       a|b              a|b                    a\|b
 *   a\nb       anb              a, newline, b          a\nb
 *   "a|b"      "a|b"            "a|b"                  a|b
 */
#include "protocol/copy/field_value.h"

#include <string.h>

static Status unwrap(FieldText *text);
static void unescape(FieldText *text, bool has_controls, Arena *arena);
static size_t unescape_control(const char *at, const char *end, char *out);

static Status clean_text(const CopyFormat *format, const char *raw, size_t bytes,
                         Arena *batch_arena, FieldText *out)
{
    // NULL is recognised before anything is taken off: `\N` must not become `N` first.
    bool is_null = bytes == format->null_bytes && memcmp(raw, format->null_as, bytes) == 0;
    *out = (FieldText){.data = raw, .bytes = bytes, .is_null = is_null};
    if (is_null) {
        return STATUS_OK;
    }
    if (format->removes_quotes && bytes > 0 && (raw[0] == '"' || raw[0] == '\'')) {
        TRY(unwrap(out));
    }
    if (format->escape_kind != COPY_ESCAPE_NONE && memchr(out->data, '\\', out->bytes) != NULL) {
        unescape(out, format->escape_kind == COPY_ESCAPE_CONTROL, batch_arena);
    }
    return STATUS_OK;
}

const FieldStyleOps text_style_ops = {.clean = clean_text};

static Status unwrap(FieldText *text)
{
    if (text->bytes < 2 || text->data[text->bytes - 1] != text->data[0]) {
        return status_error(SQLSTATE_BAD_COPY_FILE_FORMAT,
                            "a field starts with a quotation mark but does not end with one");
    }
    text->data++;
    text->bytes -= 2;
    text->was_quoted = true;
    return STATUS_OK;
}

static void unescape(FieldText *text, bool has_controls, Arena *arena)
{
    char *copy = arena_alloc(arena, text->bytes);
    const char *at = text->data, *end = text->data + text->bytes;
    size_t bytes = 0;
    while (at < end) {
        if (*at != '\\') {
            copy[bytes++] = *at++;
            continue;
        }
        at++;
        if (at == end) {
            break; // a backslash with nothing to protect vanishes, as in PostgreSQL
        }
        if (has_controls) {
            at += unescape_control(at, end, &copy[bytes++]);
        } else {
            copy[bytes++] = *at++;
        }
    }
    text->data = copy;
    text->bytes = bytes;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that the characters behind a backslash stand for; returns how many they are. */
static size_t unescape_control(const char *at, const char *end, char *out)
{
    static const char names[] = "bfnrtv", values[] = "\b\f\n\r\t\v";
    const char *found = memchr(names, *at, sizeof(names) - 1);
    if (found != NULL) {
        *out = values[found - names];
        return 1;
    }
    size_t used = 0;
    unsigned code = 0;
    if (*at >= '0' && *at <= '7') {
        for (; used < 3 && at + used < end && at[used] >= '0' && at[used] <= '7'; used++) {
            code = code * 8 + (unsigned)(at[used] - '0');
        }
        *out = (char)code;
        return used;
    }
    if (*at == 'x' && at + 1 < end && hex_digit(at[1]) >= 0) {
        for (used = 1; used < 3 && at + used < end && hex_digit(at[used]) >= 0; used++) {
            code = code * 16 + (unsigned)hex_digit(at[used]);
        }
        *out = (char)code;
        return used;
    }
    *out = *at;
    return 1;
}
