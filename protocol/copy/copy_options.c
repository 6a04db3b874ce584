/* copy_options.c — options of COPY into one struct, and that struct as bytes. */
#include "protocol/copy/copy_options.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { COPY_FORMAT_VERSION = 1 };

typedef Status (*OptionSetter)(CopyFormat *format, const char *value);
typedef struct Option {
    const char *name;
    OptionSetter set; /* null: a flag */
    size_t flag;      /* offset of the bool that a flag sets */
} Option;

static Status set_delimiter(CopyFormat *format, const char *value);
static Status set_csv(CopyFormat *format, const char *value);
static Status set_format(CopyFormat *format, const char *value);
static Status set_quote(CopyFormat *format, const char *value);
static Status set_escape(CopyFormat *format, const char *value);
static Status set_null(CopyFormat *format, const char *value);
static Status set_header(CopyFormat *format, const char *value);
static Status set_header_rows(CopyFormat *format, const char *value);
static Status set_date_pattern(CopyFormat *format, const char *value);
static Status set_time_pattern(CopyFormat *format, const char *value);
static Status set_errors_max(CopyFormat *format, const char *value);
static Status set_all_errors(CopyFormat *format, const char *value);
static Status set_on_error(CopyFormat *format, const char *value);
static Status set_invalid_replacement(CopyFormat *format, const char *value);
static Status set_encoding(CopyFormat *format, const char *value);
static Status set_force_quote(CopyFormat *format, const char *value);
static Status set_nothing(CopyFormat *format, const char *value);
static Status parse_flag(const char *name, const char *value, bool *out);

#define FLAG(name, member)                                                                         \
    {                                                                                              \
        name, NULL, offsetof(CopyFormat, member)                                                   \
    }
static const Option options[] = {
    {"delimiter", set_delimiter, 0},
    {"csv", set_csv, 0},
    {"format", set_format, 0},
    {"quote", set_quote, 0},
    {"escape", set_escape, 0},
    {"null", set_null, 0},
    {"header", set_header, 0},
    {"ignoreheader", set_header_rows, 0},
    {"dateformat", set_date_pattern, 0},
    {"timeformat", set_time_pattern, 0},
    {"maxerror", set_errors_max, 0},
    {"ignoreallerrors", set_all_errors, 0},
    {"on_error", set_on_error, 0},
    {"acceptinvchars", set_invalid_replacement, 0},
    {"encoding", set_encoding, 0},
    {"force_quote", set_force_quote, 0},
    {"freeze", set_nothing, 0},
    FLAG("acceptanydate", accepts_any_date),
    FLAG("blanksasnull", is_blank_null),
    FLAG("emptyasnull", is_empty_null),
    FLAG("explicit_ids", has_explicit_ids),
    FLAG("fillrecord", fills_record),
    FLAG("ignoreblanklines", skips_blank_lines),
    FLAG("removequotes", removes_quotes),
    FLAG("roundec", rounds_decimals),
    FLAG("trimblanks", trims_blanks),
    FLAG("truncatecolumns", cuts_columns),
};

void copy_format_init(CopyFormat *format, CopyDialect dialect)
{
    bool is_redshift = dialect == COPY_DIALECT_REDSHIFT;
    *format = (CopyFormat){
        .dialect = (uint8_t)dialect,
        .is_empty_number_null = is_redshift,
        .rounds_decimals = !is_redshift,
        .allows_last_delimiter = is_redshift,
    };
}

Status copy_format_set(CopyFormat *format, const char *name, const char *value, bool *is_known)
{
    *is_known = false;
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        const Option *option = &options[i];
        if (strcasecmp(option->name, name) != 0) {
            continue;
        }
        *is_known = true;
        if (option->set != NULL) {
            return option->set(format, value);
        }
        return parse_flag(option->name, value, (bool *)((char *)format + option->flag));
    }
    return STATUS_OK;
}

static Status conflict(const char *left, const char *right)
{
    return status_error(SQLSTATE_SYNTAX_ERROR, "COPY options %s and %s do not go together", left,
                        right);
}

/* A byte that cannot be told from the structure of the file. */
static bool is_structural(char byte)
{
    return byte == '\n' || byte == '\r' || byte == '\0';
}

static Status check_delimiter(const CopyFormat *format)
{
    for (uint32_t i = 0; i < format->delimiter_bytes; i++) {
        if (is_structural(format->delimiter[i])) {
            return status_error(SQLSTATE_INVALID_PARAMETER_VALUE,
                                "COPY delimiter cannot be a newline, carriage return or zero");
        }
        bool is_quote = format->style == COPY_STYLE_CSV && format->delimiter[i] == format->quote;
        bool is_escape = format->escape_kind != COPY_ESCAPE_NONE && format->delimiter[i] == '\\';
        if (is_quote || is_escape) {
            return status_error(SQLSTATE_INVALID_PARAMETER_VALUE,
                                "COPY delimiter must differ from the %s character",
                                is_quote ? "quote" : "escape");
        }
    }
    if (format->null_bytes >= format->delimiter_bytes && format->delimiter_bytes > 0 &&
        memmem(format->null_as, format->null_bytes, format->delimiter, format->delimiter_bytes)) {
        return status_error(SQLSTATE_INVALID_PARAMETER_VALUE,
                            "COPY delimiter must not appear in the NULL specification");
    }
    return STATUS_OK;
}

static Status check_csv(const CopyFormat *format)
{
    if (format->removes_quotes) {
        return conflict("CSV", "REMOVEQUOTES");
    }
    if (format->escape_kind != COPY_ESCAPE_NONE) {
        return conflict("CSV", "ESCAPE");
    }
    if (is_structural(format->quote) || is_structural(format->quote_escape)) {
        return status_error(SQLSTATE_INVALID_PARAMETER_VALUE,
                            "COPY quote and escape cannot be a newline, carriage return or zero");
    }
    if (memchr(format->null_as, format->quote, format->null_bytes) != NULL) {
        return status_error(SQLSTATE_INVALID_PARAMETER_VALUE,
                            "CSV quote character must not appear in the NULL specification");
    }
    return STATUS_OK;
}

Status copy_format_finish(CopyFormat *format)
{
    bool is_csv = format->style == COPY_STYLE_CSV;
    bool is_postgres = format->dialect == COPY_DIALECT_POSTGRES;
    if (!format->has_delimiter) {
        format->delimiter[0] = is_csv ? ',' : is_postgres ? '\t' : '|';
        format->delimiter_bytes = 1;
    }
    if (!format->has_null && !(is_csv && is_postgres)) {
        memcpy(format->null_as, "\\N", 2);
        format->null_bytes = 2;
    }
    if (!is_csv && (format->has_quote || format->has_quote_escape)) {
        return conflict(format->has_quote ? "QUOTE" : "ESCAPE 'c'", "a format other than CSV");
    }
    if (is_csv) {
        format->quote = format->has_quote ? format->quote : '"';
        format->quote_escape = format->has_quote_escape ? format->quote_escape : format->quote;
        // RFC 4180 has no trailing delimiter: it would hide an extra empty column.
        format->allows_last_delimiter = false;
        TRY(check_csv(format));
    } else if (is_postgres) {
        format->escape_kind = COPY_ESCAPE_CONTROL;
    }
    if (memchr(format->null_as, '\n', format->null_bytes) != NULL ||
        memchr(format->null_as, '\r', format->null_bytes) != NULL) {
        return status_error(SQLSTATE_INVALID_PARAMETER_VALUE,
                            "COPY NULL representation cannot contain a line end");
    }
    if (format->null_bytes > 1 && memchr(format->null_as, '\0', format->null_bytes) != NULL) {
        return status_error(SQLSTATE_INVALID_PARAMETER_VALUE,
                            "COPY NULL AS '\\0' must be that character alone");
    }
    return check_delimiter(format);
}

static CopyFormat finished(CopyDialect dialect, CopyStyle style)
{
    CopyFormat format;
    copy_format_init(&format, dialect);
    format.style = (uint8_t)style;
    Status status = copy_format_finish(&format);
    ASSERT(status == STATUS_OK);
    return format;
}

CopyFormat copy_format_postgres_text(void)
{
    return finished(COPY_DIALECT_POSTGRES, COPY_STYLE_TEXT);
}

CopyFormat copy_format_postgres_csv(void)
{
    return finished(COPY_DIALECT_POSTGRES, COPY_STYLE_CSV);
}

CopyFormat copy_format_redshift_text(void)
{
    return finished(COPY_DIALECT_REDSHIFT, COPY_STYLE_TEXT);
}

/* ---- the options ---- */

static Status bad_value(const char *name, const char *value)
{
    return status_error(SQLSTATE_INVALID_PARAMETER_VALUE, "invalid value \"%s\" for COPY option %s",
                        value == NULL ? "" : value, name);
}

/* Turns '\ddd' (octal), '\t' and '\\' of an option's text into bytes; -1 when it does not fit. */
static int64_t unescape_option(const char *value, char *target, size_t capacity)
{
    size_t bytes = 0;
    for (const char *at = value; *at != '\0';) {
        char byte = *at++;
        if (byte == '\\' && *at >= '0' && *at <= '7') {
            unsigned code = 0;
            for (int i = 0; i < 3 && *at >= '0' && *at <= '7'; i++) {
                code = code * 8 + (unsigned)(*at++ - '0');
            }
            byte = (char)code;
        } else if (byte == '\\' && *at == 't') {
            byte = '\t';
            at++;
        } else if (byte == '\\' && *at == '\\') {
            at++;
        }
        if (bytes == capacity) {
            return -1;
        }
        target[bytes++] = byte;
    }
    return (int64_t)bytes;
}

static Status set_delimiter(CopyFormat *format, const char *value)
{
    char bytes[COPY_DELIMITER_BYTES_MAX];
    int64_t count = value == NULL ? 0 : unescape_option(value, bytes, sizeof(bytes));
    if (count <= 0) {
        return bad_value("DELIMITER", value);
    }
    memcpy(format->delimiter, bytes, (size_t)count);
    format->delimiter_bytes = (uint8_t)count;
    format->has_delimiter = true;
    return STATUS_OK;
}

static Status set_csv(CopyFormat *format, const char *value)
{
    bool is_csv;
    TRY(parse_flag("csv", value, &is_csv));
    format->style = is_csv ? COPY_STYLE_CSV : COPY_STYLE_TEXT;
    return STATUS_OK;
}

static Status set_format(CopyFormat *format, const char *value)
{
    if (value != NULL && strcasecmp(value, "csv") == 0) {
        format->style = COPY_STYLE_CSV;
    } else if (value != NULL && strcasecmp(value, "text") == 0) {
        format->style = COPY_STYLE_TEXT;
    } else if (value != NULL && strcasecmp(value, "binary") == 0) {
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                            "COPY format \"binary\" is not supported");
    } else {
        return bad_value("FORMAT", value);
    }
    return STATUS_OK;
}

static Status set_one_byte(const char *name, const char *value, char *out)
{
    char bytes[1];
    if (value == NULL || unescape_option(value, bytes, sizeof(bytes)) != 1) {
        return status_error(SQLSTATE_INVALID_PARAMETER_VALUE,
                            "COPY option %s must be a single one-byte character", name);
    }
    *out = bytes[0];
    return STATUS_OK;
}

static Status set_quote(CopyFormat *format, const char *value)
{
    TRY(set_one_byte("QUOTE", value, &format->quote));
    format->has_quote = true;
    return STATUS_OK;
}

/* Bare in Redshift's dialect: backslashes; with a character in PostgreSQL's: inside CSV quotes. */
static Status set_escape(CopyFormat *format, const char *value)
{
    if (value == NULL) {
        format->escape_kind = COPY_ESCAPE_PLAIN;
        return STATUS_OK;
    }
    TRY(set_one_byte("ESCAPE", value, &format->quote_escape));
    format->has_quote_escape = true;
    return STATUS_OK;
}

static Status set_null(CopyFormat *format, const char *value)
{
    if (value == NULL || strlen(value) > COPY_NULL_BYTES_MAX || strcmp(value, "\\n") == 0) {
        return bad_value("NULL AS", value);
    }
    format->has_null = true;
    format->null_bytes = (uint8_t)strlen(value);
    memcpy(format->null_as, value, format->null_bytes);
    if (strcmp(value, "\\0") == 0 || strcmp(value, "\\000") == 0) {
        format->null_as[0] = '\0';
        format->null_bytes = 1;
    }
    return STATUS_OK;
}

static Status set_header(CopyFormat *format, const char *value)
{
    bool has_header = true;
    if (value == NULL || strcasecmp(value, "match") != 0) {
        TRY(parse_flag("HEADER", value, &has_header));
    }
    format->has_header = has_header;
    format->header_rows = has_header ? 1 : 0;
    return STATUS_OK;
}

static Status parse_count(const char *name, const char *value, uint64_t count_max, uint64_t *out)
{
    uint64_t count = 0;
    if (value == NULL || *value == '\0') {
        return bad_value(name, value);
    }
    for (const char *at = value; *at != '\0'; at++) {
        if (*at < '0' || *at > '9' || count > count_max / 10) {
            return bad_value(name, value);
        }
        count = count * 10 + (uint64_t)(*at - '0');
    }
    if (count > count_max) {
        return bad_value(name, value);
    }
    *out = count;
    return STATUS_OK;
}

static Status set_header_rows(CopyFormat *format, const char *value)
{
    return parse_count("IGNOREHEADER", value, INT64_MAX, &format->header_rows);
}

static Status set_pattern(const char *name, const char *value, char *target)
{
    if (value == NULL || value[0] == '\0' || strlen(value) >= COPY_PATTERN_BYTES_MAX) {
        return bad_value(name, value);
    }
    memset(target, 0, COPY_PATTERN_BYTES_MAX);
    memcpy(target, value, strlen(value));
    return STATUS_OK;
}

static Status set_date_pattern(CopyFormat *format, const char *value)
{
    return set_pattern("DATEFORMAT", value, format->date_pattern);
}

static Status set_time_pattern(CopyFormat *format, const char *value)
{
    return set_pattern("TIMEFORMAT", value, format->time_pattern);
}

/* MAXERROR n fails at the n-th error; 0 and 1 both mean the first. */
static Status set_errors_max(CopyFormat *format, const char *value)
{
    uint64_t count;
    TRY(parse_count("MAXERROR", value, COPY_ERRORS_MAX, &count));
    format->errors_max = count == 0 ? 0 : (uint32_t)count - 1;
    return STATUS_OK;
}

static Status set_all_errors(CopyFormat *format, const char *value)
{
    bool ignores_all;
    TRY(parse_flag("IGNOREALLERRORS", value, &ignores_all));
    format->errors_max = ignores_all ? UINT32_MAX : format->errors_max;
    return STATUS_OK;
}

static Status set_on_error(CopyFormat *format, const char *value)
{
    if (value != NULL && strcasecmp(value, "ignore") == 0) {
        format->errors_max = UINT32_MAX;
    } else if (value == NULL || strcasecmp(value, "stop") != 0) {
        return bad_value("ON_ERROR", value);
    }
    return STATUS_OK;
}

static Status set_invalid_replacement(CopyFormat *format, const char *value)
{
    char byte = '?';
    if (value != NULL) {
        TRY(set_one_byte("ACCEPTINVCHARS", value, &byte));
    }
    if (byte == '\0' || (byte & 0x80) != 0) {
        return bad_value("ACCEPTINVCHARS", value);
    }
    format->invalid_replacement = byte;
    return STATUS_OK;
}

static Status set_encoding(CopyFormat *format, const char *value)
{
    (void)format;
    if (value == NULL || (strcasecmp(value, "utf8") != 0 && strcasecmp(value, "utf-8") != 0)) {
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                            "COPY encoding \"%s\" is not supported; convert the data to UTF8",
                            value == NULL ? "" : value);
    }
    return STATUS_OK;
}

static Status set_force_quote(CopyFormat *format, const char *value)
{
    if (value == NULL || strcmp(value, "*") != 0) {
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                            "FORCE_QUOTE for single columns is not supported; use *");
    }
    format->forces_quotes = true;
    return STATUS_OK;
}

static Status set_nothing(CopyFormat *format, const char *value)
{
    (void)format;
    (void)value;
    return STATUS_OK;
}

static Status parse_flag(const char *name, const char *value, bool *out)
{
    static const char *const words[] = {"on", "off", "true", "false", "1", "0", "yes", "no"};
    if (value == NULL) {
        *out = true;
        return STATUS_OK;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(value, words[i]) == 0) {
            *out = i % 2 == 0;
            return STATUS_OK;
        }
    }
    return bad_value(name, value);
}

/* ---- as bytes ---- */

/* The bools that readers and writers look at, in the order of their bits: never reorder. */
static const size_t encoded_flags[] = {
    offsetof(CopyFormat, is_empty_null),    offsetof(CopyFormat, is_empty_number_null),
    offsetof(CopyFormat, is_blank_null),    offsetof(CopyFormat, trims_blanks),
    offsetof(CopyFormat, cuts_columns),     offsetof(CopyFormat, fills_record),
    offsetof(CopyFormat, removes_quotes),   offsetof(CopyFormat, skips_blank_lines),
    offsetof(CopyFormat, accepts_any_date), offsetof(CopyFormat, rounds_decimals),
    offsetof(CopyFormat, has_explicit_ids), offsetof(CopyFormat, has_header),
    offsetof(CopyFormat, forces_quotes),    offsetof(CopyFormat, allows_last_delimiter),
};
enum { ENCODED_FLAG_COUNT = sizeof(encoded_flags) / sizeof(encoded_flags[0]) };

void copy_format_encode(const CopyFormat *format, ByteBuffer *target)
{
    uint32_t flags = 0;
    for (uint32_t i = 0; i < ENCODED_FLAG_COUNT; i++) {
        const bool *flag = (const bool *)((const char *)format + encoded_flags[i]);
        flags |= (uint32_t)*flag << i;
    }
    byte_buffer_add_u8(target, COPY_FORMAT_VERSION);
    byte_buffer_add_u8(target, format->dialect);
    byte_buffer_add_u8(target, format->style);
    byte_buffer_add_u8(target, format->escape_kind);
    byte_buffer_add_u8(target, (uint8_t)format->quote);
    byte_buffer_add_u8(target, (uint8_t)format->quote_escape);
    byte_buffer_add_u8(target, (uint8_t)format->invalid_replacement);
    byte_buffer_add_u32(target, flags);
    byte_buffer_add_u32(target, format->errors_max);
    byte_buffer_add_u64(target, format->header_rows);
    byte_buffer_add_blob(target, format->delimiter, format->delimiter_bytes);
    byte_buffer_add_blob(target, format->null_as, format->null_bytes);
    byte_buffer_add_blob(target, format->date_pattern, strlen(format->date_pattern));
    byte_buffer_add_blob(target, format->time_pattern, strlen(format->time_pattern));
}

static size_t decode_blob(ByteReader *reader, char *target, size_t capacity)
{
    size_t bytes = 0;
    const uint8_t *data = byte_reader_blob(reader, &bytes);
    if (data == NULL || bytes > capacity) {
        byte_reader_fail(reader);
        return 0;
    }
    memcpy(target, data, bytes);
    return bytes;
}

Status copy_format_decode(ByteReader *reader, CopyFormat *out)
{
    CopyFormat format = {.dialect = 0};
    uint8_t version = byte_reader_u8(reader);
    format.dialect = byte_reader_u8(reader);
    format.style = byte_reader_u8(reader);
    format.escape_kind = byte_reader_u8(reader);
    format.quote = (char)byte_reader_u8(reader);
    format.quote_escape = (char)byte_reader_u8(reader);
    format.invalid_replacement = (char)byte_reader_u8(reader);
    uint32_t flags = byte_reader_u32(reader);
    format.errors_max = byte_reader_u32(reader);
    format.header_rows = byte_reader_u64(reader);
    format.delimiter_bytes =
        (uint8_t)decode_blob(reader, format.delimiter, sizeof(format.delimiter));
    format.null_bytes = (uint8_t)decode_blob(reader, format.null_as, sizeof(format.null_as));
    (void)decode_blob(reader, format.date_pattern, sizeof(format.date_pattern) - 1);
    (void)decode_blob(reader, format.time_pattern, sizeof(format.time_pattern) - 1);
    for (uint32_t i = 0; i < ENCODED_FLAG_COUNT; i++) {
        *(bool *)((char *)&format + encoded_flags[i]) = (flags >> i & 1) != 0;
    }
    format.has_delimiter = true;
    format.has_null = true;
    if (!byte_reader_is_ok(reader) || version != COPY_FORMAT_VERSION ||
        format.dialect > COPY_DIALECT_POSTGRES || format.style > COPY_STYLE_CSV ||
        format.escape_kind > COPY_ESCAPE_CONTROL || flags >> ENCODED_FLAG_COUNT != 0 ||
        format.delimiter_bytes == 0) {
        return status_error(SQLSTATE_DATA_CORRUPTED, "malformed COPY format in a plan");
    }
    *out = format;
    return STATUS_OK;
}
