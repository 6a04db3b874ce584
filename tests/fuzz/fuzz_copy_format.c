/*
 * fuzz_copy_format.c — any bytes as the format of a COPY: as the leader ships it, as options of the
 * statement, as a pattern of dates.
 *
 * The first byte chooses. A format that is accepted is encoded and decoded again, and a reader and
 * a writer must be able to work with it, whatever it says.
 */
#include <string.h>

#include "protocol/copy/copy_reader.h"
#include "protocol/copy/csv_writer.h"
#include "protocol/copy/date_pattern.h"
#include "tests/fuzz/fuzz.h"

enum { ENCODED_BYTES_MAX = 1 << 16, READABLE_TAIL = 64 };

static Arena *arena;

/* Rows that a reader of the format is given, whatever it makes of them. */
static const char rows[] = "a|1999-05-07|\"b|c\"\n1\t2000-01-01 10:00:00\t\\N\nx,,\"\"\n\n";

static void check_use(const CopyFormat *format)
{
    static const CopyColumn columns[] = {
        {.name = "a", .type = {.id = TYPE_VARCHAR, .length = 3}},
        {.name = "b", .type = {.id = TYPE_TIMESTAMP}},
        {.name = "c", .type = {.id = TYPE_INTEGER}},
    };
    static const Type types[] = {
        {.id = TYPE_VARCHAR, .length = 3}, {.id = TYPE_TIMESTAMP}, {.id = TYPE_INTEGER}};
    static const char *const names[] = {"a", "b\n", "c"};
    CopyReaderOptions options = {.table_name = "t"};
    CopyReader *reader;
    Status status = copy_reader_create(format, columns, 3, &options, arena, &reader);
    if (status != STATUS_OK) {
        require(status_sqlstate(status) == SQLSTATE_INVALID_PARAMETER_VALUE);
        status_free(status);
        return;
    }
    char *data = arena_alloc(arena, sizeof(rows) + READABLE_TAIL);
    memcpy(data, rows, sizeof(rows) - 1);
    copy_reader_block(reader, data, sizeof(rows) - 1, 1);
    CopyWriter *writer = copy_writer_create(format, types, 3, 'd', arena);
    ByteBuffer out;
    byte_buffer_init(&out, ENCODED_BYTES_MAX);
    copy_writer_header(writer, names, &out);
    bool is_done = false;
    while (status == STATUS_OK && !is_done) {
        Batch batch;
        uint32_t next;
        status = copy_reader_next(reader, &batch, &is_done);
        if (status == STATUS_OK && !is_done) {
            require(copy_writer_batch(writer, &batch, 0, SIZE_MAX, &out, &next) == STATUS_OK);
        }
    }
    status_free(status);
    byte_buffer_deinit(&out);
}

static void check_format(const CopyFormat *format)
{
    CopyFormat again;
    ByteBuffer first, second;
    ByteReader reader;
    byte_buffer_init(&first, ENCODED_BYTES_MAX);
    byte_buffer_init(&second, ENCODED_BYTES_MAX);
    copy_format_encode(format, &first);
    byte_reader_init(&reader, first.data, first.bytes);
    require(copy_format_decode(&reader, &again) == STATUS_OK);
    copy_format_encode(&again, &second);
    require(first.bytes == second.bytes && memcmp(first.data, second.data, first.bytes) == 0);
    byte_buffer_deinit(&first);
    byte_buffer_deinit(&second);
    check_use(format);
    plant(format->style == COPY_STYLE_CSV && format->has_header && format->null_bytes > 2);
}

static void check_decode(const uint8_t *data, size_t bytes)
{
    CopyFormat format;
    ByteReader reader;
    byte_reader_init(&reader, data, bytes);
    Status status = copy_format_decode(&reader, &format);
    if (status == STATUS_OK) {
        check_format(&format);
    } else {
        require(status_sqlstate(status) == SQLSTATE_DATA_CORRUPTED);
        status_free(status);
    }
}

/* One line per option: its name, and behind "=" its value. */
static void check_options(CopyDialect dialect, char *text)
{
    CopyFormat format;
    Status status = STATUS_OK;
    copy_format_init(&format, dialect);
    char *rest = text;
    for (char *line = text; line != NULL && status == STATUS_OK; line = rest) {
        rest = strchr(line, '\n');
        if (rest != NULL) {
            *rest++ = '\0';
        }
        char *value = strchr(line, '=');
        if (value != NULL) {
            *value++ = '\0';
        }
        bool is_known;
        status = copy_format_set(&format, line, value, &is_known);
    }
    if (status == STATUS_OK) {
        status = copy_format_finish(&format);
    }
    if (status == STATUS_OK) {
        check_format(&format);
    }
    status_free(status);
}

/* The pattern, and on the next line a text that may follow it. */
static void check_pattern(char *text, bool allows_rest)
{
    DatePattern pattern;
    char *line = strchr(text, '\n');
    if (line == NULL) {
        return;
    }
    *line++ = '\0';
    Status status = date_pattern_compile(text, &pattern);
    if (status == STATUS_OK) {
        int64_t us;
        require(pattern.part_count <= DATE_PATTERN_PARTS_MAX);
        status = date_pattern_parse(&pattern, line, strlen(line), allows_rest, &us);
    }
    status_free(status);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes == 0) {
        return 0;
    }
    if (arena == NULL) {
        arena = arena_create(NULL, "fuzz");
    }
    char *text = arena_strndup(arena, (const char *)data + 1, bytes - 1);
    switch (data[0] % 4) {
    case 0:
        check_decode(data + 1, bytes - 1);
        break;
    case 1:
        check_options(COPY_DIALECT_REDSHIFT, text);
        break;
    case 2:
        check_options(COPY_DIALECT_POSTGRES, text);
        break;
    default:
        check_pattern(text, data[0] / 4 % 2 != 0);
        break;
    }
    arena_reset(arena);
    return 0;
}
