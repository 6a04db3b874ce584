/*
 * csv_reader.c — fields of CSV: quotes may wrap a field or parts of it, and double inside.
 *
 *   raw            text        NULL?
 *   a b            a b         when it equals the NULL text
 *   "a ""b"", c"   a "b", c    never: it was quoted
 *   x"y,z"w        xy,zw       never
 */
#include "protocol/copy/field_value.h"

#include <string.h>

static Status unquote(const CopyFormat *format, FieldText *text, Arena *arena);
static void trim_around_quotes(const CopyFormat *format, FieldText *text);

static Status clean_csv(const CopyFormat *format, const char *raw, size_t bytes, Arena *batch_arena,
                        FieldText *out)
{
    *out = (FieldText){.data = raw, .bytes = bytes};
    if (memchr(raw, format->quote, bytes) == NULL) {
        out->is_null = bytes == format->null_bytes && memcmp(raw, format->null_as, bytes) == 0;
        return STATUS_OK;
    }
    out->was_quoted = true;
    trim_around_quotes(format, out);
    const char *inner = out->data + 1;
    size_t inner_bytes = out->bytes - 2;
    bool is_plain = out->bytes >= 2 && out->data[0] == format->quote &&
                    inner[inner_bytes] == format->quote &&
                    memchr(inner, format->quote, inner_bytes) == NULL &&
                    memchr(inner, format->quote_escape, inner_bytes) == NULL;
    if (is_plain) {
        out->data = inner;
        out->bytes = inner_bytes;
        return STATUS_OK;
    }
    return unquote(format, out, batch_arena);
}

const FieldStyleOps csv_style_ops = {.clean = clean_csv};

/* Redshift passes over blanks between a delimiter and a quote, unless blanks delimit. */
static void trim_around_quotes(const CopyFormat *format, FieldText *text)
{
    bool is_blank_delimiter = format->delimiter[0] == ' ' || format->delimiter[0] == '\t';
    if (format->dialect != COPY_DIALECT_REDSHIFT || is_blank_delimiter) {
        return;
    }
    const char *first = text->data, *last = text->data + text->bytes;
    while (*first == ' ') { // a quote is there, so this ends
        first++;
    }
    while (last[-1] == ' ') {
        last--;
    }
    if (*first == format->quote) {
        text->bytes -= (size_t)(first - text->data);
        text->data = first;
    }
    if (last[-1] == format->quote) {
        text->bytes = (size_t)(last - text->data);
    }
}

static Status unquote(const CopyFormat *format, FieldText *text, Arena *arena)
{
    char *copy = arena_alloc(arena, text->bytes);
    const char *end = text->data + text->bytes;
    size_t bytes = 0;
    bool is_inside = false;
    for (const char *at = text->data; at < end; at++) {
        bool can_escape = is_inside && *at == format->quote_escape && at + 1 < end &&
                          (at[1] == format->quote || at[1] == format->quote_escape);
        if (can_escape) {
            copy[bytes++] = *++at;
        } else if (*at == format->quote) {
            is_inside = !is_inside;
        } else {
            copy[bytes++] = *at;
        }
    }
    if (is_inside) {
        return status_error(SQLSTATE_BAD_COPY_FILE_FORMAT, "unterminated CSV quoted field");
    }
    text->data = copy;
    text->bytes = bytes;
    return STATUS_OK;
}
