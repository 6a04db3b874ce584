/* field_value.c — one field as a value; see field_value.h. */
#include "protocol/copy/field_value.h"

#include <string.h>

#include "base/types/datetime.h"
#include "base/types/text_format.h"

static Status read_text(const FieldRules *rules, FieldText *text, Type type, Arena *arena,
                        Value *out);
static Status check_characters(const FieldRules *rules, FieldText *text, Arena *arena);
static Status fit_length(const CopyFormat *format, FieldText *text, Type type);
static Status read_date(const FieldRules *rules, const FieldText *text, Type type, Arena *arena,
                        Value *out);
static void cut_digits(FieldText *text, uint32_t scale);

Status field_rules_init(FieldRules *rules, const CopyFormat *format)
{
    *rules = (FieldRules){
        .format = format,
        .style = format->style == COPY_STYLE_CSV ? &csv_style_ops : &text_style_ops,
    };
    const char *date = format->date_pattern, *time = format->time_pattern;
    if (date[0] != '\0' && strcmp(date, "auto") != 0) {
        TRY(date_pattern_compile(date, &rules->date_pattern));
        rules->has_date_pattern = true;
    }
    if (strcmp(time, "epochsecs") == 0) {
        rules->epoch_unit_us = US_PER_SECOND;
    } else if (strcmp(time, "epochmillisecs") == 0) {
        rules->epoch_unit_us = US_PER_SECOND / 1000;
    } else if (time[0] != '\0' && strcmp(time, "auto") != 0) {
        TRY(date_pattern_compile(time, &rules->time_pattern));
        rules->has_time_pattern = true;
    }
    return STATUS_OK;
}

Status field_value_read(const FieldRules *rules, const char *raw, size_t bytes, Type type,
                        Arena *batch_arena, Value *out)
{
    FieldText text;
    const CopyFormat *format = rules->format;
    TRY(rules->style->clean(format, raw, bytes, batch_arena, &text));
    if (text.is_null) {
        *out = value_null(type);
        return STATUS_OK;
    }
    if (type_is_text(type)) {
        return read_text(rules, &text, type, batch_arena, out);
    }
    while (text.bytes > 0 && text.data[text.bytes - 1] == ' ') {
        text.bytes--;
    }
    while (text.bytes > 0 && text.data[0] == ' ') {
        text.bytes--;
        text.data++;
    }
    if (text.bytes == 0 && format->is_empty_number_null) {
        *out = value_null(type);
        return STATUS_OK;
    }
    // The parsers' messages quote the text: it must be fit to be sent.
    TRY(check_characters(rules, &text, batch_arena));
    if (type.id == TYPE_DATE || type.id == TYPE_TIMESTAMP) {
        return read_date(rules, &text, type, batch_arena, out);
    }
    if (type.id == TYPE_DECIMAL && !format->rounds_decimals) {
        cut_digits(&text, type.scale);
    }
    return value_parse(text.data, text.bytes, type, batch_arena, out);
}

Value field_value_missing(const FieldRules *rules, Type type)
{
    if (type.id == TYPE_VARCHAR && !rules->format->is_empty_null) {
        return (Value){.type = type, .text = text_view_make("", 0)};
    }
    return value_null(type);
}

static Status read_text(const FieldRules *rules, FieldText *text, Type type, Arena *arena,
                        Value *out)
{
    const CopyFormat *format = rules->format;
    size_t trimmed_bytes = text_trimmed_length(text->data, (uint32_t)text->bytes);
    bool is_empty = text->bytes == 0 && !text->was_quoted;
    bool is_blank = text->bytes > 0 && trimmed_bytes == 0;
    if ((is_empty && format->is_empty_null) || (is_blank && format->is_blank_null)) {
        *out = value_null(type);
        return STATUS_OK;
    }
    TRY(check_characters(rules, text, arena));
    // CHAR is kept without its padding; printing puts it back.
    if (type.id == TYPE_CHAR || format->trims_blanks) {
        text->bytes = text_trimmed_length(text->data, (uint32_t)text->bytes);
    }
    TRY(fit_length(format, text, type));
    *out = (Value){.type = type, .text = text_view_make(text->data, text->bytes)};
    return STATUS_OK;
}

/* Length of the valid UTF-8 character at `at`, 0 when it is not one. */
static size_t character_bytes(const char *at, size_t bytes)
{
    for (size_t length = 1; length <= 4 && length <= bytes; length++) {
        if (utf8_is_valid(at, length)) {
            return length;
        }
    }
    return 0;
}

/* No zero bytes and only valid UTF-8; ACCEPTINVCHARS replaces what is wrong. */
static Status check_characters(const FieldRules *rules, FieldText *text, Arena *arena)
{
    bool has_zero = memchr(text->data, '\0', text->bytes) != NULL;
    if (!has_zero && utf8_is_valid(text->data, text->bytes)) {
        return STATUS_OK;
    }
    char replacement = rules->format->invalid_replacement;
    if (replacement == '\0') {
        return status_error(SQLSTATE_CHARACTER_NOT_IN_REPERTOIRE,
                            "invalid byte sequence for encoding \"UTF8\"%s",
                            has_zero ? ": 0x00" : "");
    }
    char *copy = arena_memdup(arena, text->data, text->bytes);
    for (size_t i = 0; i < text->bytes;) {
        size_t length = copy[i] == '\0' ? 0 : character_bytes(copy + i, text->bytes - i);
        if (length == 0) {
            copy[i] = replacement;
            length = 1;
        }
        i += length;
    }
    text->data = copy;
    return STATUS_OK;
}

/* Blanks beyond the length are cut silently, other characters with TRUNCATECOLUMNS only. */
static Status fit_length(const CopyFormat *format, FieldText *text, Type type)
{
    size_t bytes_max = type.length > 0 ? (size_t)type.length : SIZE_MAX;
    if (text->bytes <= bytes_max) {
        return STATUS_OK;
    }
    if (text_trimmed_length(text->data, (uint32_t)text->bytes) <= bytes_max) {
        text->bytes = bytes_max;
        return STATUS_OK;
    }
    if (!format->cuts_columns) {
        char name[TYPE_TEXT_BYTES];
        return status_error(SQLSTATE_STRING_DATA_RIGHT_TRUNCATION, "value too long for type %s",
                            type_print(type, name));
    }
    size_t bytes = bytes_max;
    while (bytes > 0 && ((uint8_t)text->data[bytes] & 0xC0) == 0x80) {
        bytes--; // not inside a character
    }
    text->bytes = bytes;
    return STATUS_OK;
}

static Status parse_epoch(const FieldText *text, int64_t unit_us, int64_t *us)
{
    int64_t count;
    TRY(integer_parse(text->data, text->bytes, type_of(TYPE_BIGINT), &count));
    if (__builtin_mul_overflow(count, unit_us, us)) {
        return status_error(SQLSTATE_DATETIME_FIELD_OVERFLOW, "timestamp out of range: \"%.*s\"",
                            (int)text->bytes, text->data);
    }
    return STATUS_OK;
}

static Status parse_date(const FieldRules *rules, const FieldText *text, Type type, int64_t *out)
{
    int64_t us;
    if (type.id == TYPE_DATE) {
        if (!rules->has_date_pattern) {
            int32_t days;
            TRY(date_parse(text->data, text->bytes, &days));
            *out = days;
            return STATUS_OK;
        }
        TRY(date_pattern_parse(&rules->date_pattern, text->data, text->bytes, true, &us));
        int64_t days = us / US_PER_DAY;
        *out = days - (us < days * US_PER_DAY);
        return STATUS_OK;
    }
    if (rules->epoch_unit_us != 0) {
        return parse_epoch(text, rules->epoch_unit_us, out);
    }
    if (rules->has_time_pattern) {
        return date_pattern_parse(&rules->time_pattern, text->data, text->bytes, false, out);
    }
    return timestamp_parse(text->data, text->bytes, out);
}

static Status read_date(const FieldRules *rules, const FieldText *text, Type type, Arena *arena,
                        Value *out)
{
    (void)arena;
    int64_t number;
    Status status = parse_date(rules, text, type, &number);
    if (status == STATUS_OK) {
        *out = value_int64(type, number);
        return STATUS_OK;
    }
    if (rules->format->accepts_any_date) {
        status_ignore(status, "ACCEPTANYDATE loads NULL");
        *out = value_null(type);
        return STATUS_OK;
    }
    return status;
}

/* Redshift's COPY cuts decimals that have more digits than their column: "1.239" is 1.23. */
static void cut_digits(FieldText *text, uint32_t scale)
{
    const char *point = memchr(text->data, '.', text->bytes);
    if (point == NULL) {
        return;
    }
    size_t fraction = (size_t)(text->data + text->bytes - point) - 1;
    for (size_t i = 0; i < fraction; i++) {
        if (point[1 + i] < '0' || point[1 + i] > '9') {
            return; // an exponent or an error: value_parse decides
        }
    }
    if (fraction > scale) {
        text->bytes -= fraction - scale;
    }
}
