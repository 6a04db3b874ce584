/*
 * log.c — log lines as JSON objects.
 *
 * Fields are told apart in the format, which is ours, never in the values, which may be anybody's:
 *
 *   "table=%u name=\"%s\""  ->  fields {table, %u} {name, %s}  ->  one vsnprintf of "%u\x1f%s\x1f"
 *
 * The pieces of the result are then the values. A value that itself carries the separator makes
 * their number wrong; such a line keeps its text as the one field "text". So no value can forge a
 * field, and JSON escaping keeps it on its line.
 */
#include "base/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"

enum {
    LOG_LINE_BYTES_MAX = 16 << 10,
    LOG_VALUES_BYTES_MAX = 12 << 10,
    LOG_FORMAT_BYTES_MAX = 1024,
    LOG_FIELDS_MAX = 24,
    LOG_END_BYTES = 64, /* room kept for closing a cut field and its line */
    SEPARATOR = 0x1F
};

typedef struct Line {
    char bytes[LOG_LINE_BYTES_MAX];
    size_t used;
    bool is_cut;
} Line;

typedef struct Field {
    const char *key;
    size_t key_bytes;
    bool is_number;
} Field;

typedef struct Fields {
    Field items[LOG_FIELDS_MAX];
    uint32_t count;
    char format[LOG_FORMAT_BYTES_MAX]; /* the values' conversions, a separator after each */
} Fields;

static _Atomic int log_fd = STDERR_FILENO;
static _Atomic int log_level = LOG_INFO;

static bool fields_parse(Fields *fields, const char *format);
static void line_open(Line *line, LogLevel level, const char *event);
static void line_add_values(Line *line, const Fields *fields, const char *values, size_t bytes);
static void line_add_text_field(Line *line, const char *key, size_t key_bytes, const char *text,
                                size_t bytes);
static void line_add_number_field(Line *line, const Field *field, const char *text, size_t bytes);
static void line_add_escaped(Line *line, const char *text, size_t bytes);
static void line_add(Line *line, const char *format, ...) PRINTF_LIKE(2, 3);
static void line_write(Line *line);
static bool is_json_number(const char *text, size_t bytes);
static size_t utf8_character_bytes(const char *text, size_t bytes);

void log_open(int fd, LogLevel level)
{
    atomic_store_explicit(&log_fd, fd, memory_order_relaxed);
    log_set_level(level);
}

void log_set_level(LogLevel level)
{
    atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
}

static bool is_logged(LogLevel level)
{
    return (int)level <= atomic_load_explicit(&log_level, memory_order_relaxed);
}

void log_write(LogLevel level, const char *event, const char *format, ...)
{
    if (!is_logged(level)) {
        return;
    }
    int saved_errno = errno; // logging must not disturb what it reports on
    Line line;
    Fields fields;
    char values[LOG_VALUES_BYTES_MAX];
    bool has_fields = fields_parse(&fields, format);

    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(values, sizeof values, has_fields ? fields.format : format, arguments);
    va_end(arguments);
    bool is_cut = length >= (int)sizeof values;
    size_t bytes = length < 0 ? 0 : (is_cut ? sizeof values - 1 : (size_t)length);

    uint32_t separators = 0;
    for (size_t i = 0; i < bytes; i++) {
        separators += values[i] == SEPARATOR;
    }
    line_open(&line, level, event);
    line.is_cut = is_cut;
    if (has_fields && (separators == fields.count || (is_cut && separators < fields.count))) {
        line_add_values(&line, &fields, values, bytes);
    } else if (bytes > 0) {
        line_add_text_field(&line, "text", 4, values, bytes);
    }
    line_write(&line);
    errno = saved_errno;
}

void log_status(LogLevel level, const char *event, Status status)
{
    if (status == STATUS_OK || !is_logged(level)) {
        return;
    }
    Line line;
    line_open(&line, level, event);
    line_add(&line, ",\"sqlstate\":\"%s\"", status_sqlstate_code(status));
    if (status_position(status) != POSITION_NONE) {
        line_add(&line, ",\"position\":%d", status_position(status));
    }
    if (status_node(status) != 0) {
        line_add(&line, ",\"origin_node\":%u", status_node(status));
    }
    const struct {
        const char *key, *text;
    } texts[] = {
        {"message", status_message(status)},
        {"detail", status_detail(status)},
        {"hint", status_hint(status)},
        {"context", status_context(status)},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i].text[0] != '\0') {
            line_add_text_field(&line, texts[i].key, strlen(texts[i].key), texts[i].text,
                                strlen(texts[i].text));
        }
    }
    line_write(&line);
}

static bool is_key_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_';
}

// Splits "key=value key=\"value\" …" of a format into keys and one format of the values. False when
// the format is not of that shape; its text is then logged whole.
static bool fields_parse(Fields *fields, const char *format)
{
    size_t used = 0;
    fields->count = 0;
    while (*format == ' ') {
        format++;
    }
    while (*format != '\0') {
        const char *key = format;
        while (is_key_byte(*format)) {
            format++;
        }
        size_t key_bytes = (size_t)(format - key);
        if (key_bytes == 0 || *format != '=' || fields->count == LOG_FIELDS_MAX) {
            return false;
        }
        format++;
        bool is_quoted = *format == '"';
        format += is_quoted;
        char end = is_quoted ? '"' : ' ';
        bool has_text = false;
        while (*format != '\0' && *format != end) {
            if (used + 2 >= sizeof fields->format) {
                return false;
            }
            has_text = has_text || strchr("scpxX", *format) != NULL;
            fields->format[used++] = *format++;
        }
        format += is_quoted && *format == '"';
        while (*format == ' ') {
            format++;
        }
        fields->format[used++] = SEPARATOR;
        fields->items[fields->count++] =
            (Field){.key = key, .key_bytes = key_bytes, .is_number = !is_quoted && !has_text};
    }
    fields->format[used] = '\0';
    return true;
}

static void line_open(Line *line, LogLevel level, const char *event)
{
    static const char *const level_names[] = {"error", "warn", "info", "debug"};
    line->used = 0;
    line->is_cut = false;
    int64_t wall_us = clock_wall_us();
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    line_add(line, "{\"ts\":\"%04d-%02d-%02dT%02d:%02d:%02d.%06dZ\",\"level\":\"%s\",\"event\":\"",
             utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
             (int)(wall_us % 1000000), level_names[level]);
    line_add_escaped(line, event, strlen(event));
    line_add(line, "\"");
    if (thread_node_id() != 0) {
        line_add(line, ",\"node\":%u", thread_node_id());
    }
    if (thread_query_id() != 0) {
        line_add(line, ",\"query\":%lu", thread_query_id());
    }
}

static void line_add_values(Line *line, const Fields *fields, const char *values, size_t bytes)
{
    const char *end = values + bytes;
    for (uint32_t i = 0; i < fields->count && values < end; i++) {
        const Field *field = &fields->items[i];
        const char *stop = memchr(values, SEPARATOR, (size_t)(end - values));
        size_t value_bytes = (size_t)((stop != NULL ? stop : end) - values);
        if (field->is_number && is_json_number(values, value_bytes)) {
            line_add_number_field(line, field, values, value_bytes);
        } else {
            line_add_text_field(line, field->key, field->key_bytes, values, value_bytes);
        }
        values += value_bytes + 1;
    }
}

// A field is opened only when it can be closed; what follows a refused one is left out too.
static bool has_room(Line *line, size_t bytes)
{
    if (line->is_cut || line->used + bytes > sizeof line->bytes - LOG_END_BYTES) {
        line->is_cut = true;
        return false;
    }
    return true;
}

static void line_add_text_field(Line *line, const char *key, size_t key_bytes, const char *text,
                                size_t bytes)
{
    if (has_room(line, key_bytes + 5)) {
        line_add(line, ",\"%.*s\":\"", (int)key_bytes, key);
        line_add_escaped(line, text, bytes);
        line_add(line, "\"");
    }
}

static void line_add_number_field(Line *line, const Field *field, const char *text, size_t bytes)
{
    if (has_room(line, field->key_bytes + bytes + 4)) {
        line_add(line, ",\"%.*s\":%.*s", (int)field->key_bytes, field->key, (int)bytes, text);
    }
}

// JSON string escapes; bytes that are not UTF-8 become U+FFFD. Text that no longer fits is cut
// between characters.
static void line_add_escaped(Line *line, const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes;) {
        char escaped[8];
        const char *piece = escaped;
        size_t taken = 1;
        size_t piece_bytes;
        unsigned char byte = (unsigned char)text[i];
        if (byte == '"' || byte == '\\') {
            piece_bytes = (size_t)snprintf(escaped, sizeof escaped, "\\%c", byte);
        } else if (byte == '\n' || byte == '\t' || byte == '\r') {
            char letter = byte == '\n' ? 'n' : byte == '\t' ? 't' : 'r';
            piece_bytes = (size_t)snprintf(escaped, sizeof escaped, "\\%c", letter);
        } else if (byte < 0x20 || byte == 0x7F) {
            piece_bytes = (size_t)snprintf(escaped, sizeof escaped, "\\u%04x", byte);
        } else {
            piece = text + i;
            piece_bytes = taken = utf8_character_bytes(text + i, bytes - i);
            if (taken == 0) {
                piece = "\\ufffd";
                piece_bytes = 6;
                taken = 1;
            }
        }
        if (line->used + piece_bytes > sizeof line->bytes - LOG_END_BYTES) {
            line->is_cut = true;
            return;
        }
        memcpy(line->bytes + line->used, piece, piece_bytes);
        line->used += piece_bytes;
        i += taken;
    }
}

// For parts that are known to fit: beside them stand only field keys and numbers, which are
// checked.
static void line_add(Line *line, const char *format, ...)
{
    size_t room = sizeof line->bytes - line->used;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line->bytes + line->used, room, format, arguments);
    va_end(arguments);
    ASSERT(length >= 0 && (size_t)length < room);
    line->used += (size_t)length;
}

// One write(2) per line, so that lines of several threads and processes stay whole.
static void line_write(Line *line)
{
    const char *end = line->is_cut ? ",\"is_cut\":true}\n" : "}\n";
    size_t end_bytes = strlen(end);
    ASSERT(line->used + end_bytes <= sizeof line->bytes);
    memcpy(line->bytes + line->used, end, end_bytes);
    line->used += end_bytes;
    int fd = atomic_load_explicit(&log_fd, memory_order_relaxed);
    size_t written = 0;
    while (written < line->used) {
        ssize_t count = write(fd, line->bytes + written, line->used - written);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return; // nobody to tell: the log itself is gone
        }
        written += (size_t)count;
    }
}

static size_t count_digits(const char *text, size_t bytes)
{
    size_t count = 0;
    while (count < bytes && text[count] >= '0' && text[count] <= '9') {
        count++;
    }
    return count;
}

// The grammar of RFC 8259, chapter 6.
static bool is_json_number(const char *text, size_t bytes)
{
    size_t i = bytes > 0 && text[0] == '-' ? 1 : 0;
    size_t digits = count_digits(text + i, bytes - i);
    if (digits == 0 || (digits > 1 && text[i] == '0')) {
        return false;
    }
    i += digits;
    if (i < bytes && text[i] == '.') {
        digits = count_digits(text + i + 1, bytes - i - 1);
        if (digits == 0) {
            return false;
        }
        i += digits + 1;
    }
    if (i < bytes && (text[i] == 'e' || text[i] == 'E')) {
        i++;
        i += i < bytes && (text[i] == '+' || text[i] == '-');
        digits = count_digits(text + i, bytes - i);
        if (digits == 0) {
            return false;
        }
        i += digits;
    }
    return i == bytes;
}

// Length of the UTF-8 character at `text`, 0 when there is none (Unicode 15, table 3-7).
static size_t utf8_character_bytes(const char *text, size_t bytes)
{
    const unsigned char *byte = (const unsigned char *)text;
    if (byte[0] < 0x80) {
        return 1;
    }
    size_t count = byte[0] >= 0xF0 ? 4 : byte[0] >= 0xE0 ? 3 : 2;
    if (byte[0] < 0xC2 || byte[0] > 0xF4 || bytes < count) {
        return 0;
    }
    for (size_t i = 1; i < count; i++) {
        if ((byte[i] & 0xC0u) != 0x80u) {
            return 0;
        }
    }
    bool is_overlong = (byte[0] == 0xE0 && byte[1] < 0xA0) || (byte[0] == 0xF0 && byte[1] < 0x90);
    bool is_surrogate = byte[0] == 0xED && byte[1] > 0x9F;
    bool is_beyond = byte[0] == 0xF4 && byte[1] > 0x8F;
    return is_overlong || is_surrogate || is_beyond ? 0 : count;
}
