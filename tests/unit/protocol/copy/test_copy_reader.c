/* test_copy_reader.c — blocks into batches: every type with and without nulls, any batch and block
 * size, rows of wrong shape, errors with their line, column and text. */
#include "base/types/text_format.h"
#include "protocol/copy/copy_reader.h"
#include "tests/support/check_status.h"
#include "tests/unit/protocol/copy/random_text.h"

static Arena *arena;
static Random generator;
static uint8_t block[1 << 20];

static void setup(void)
{
    arena = arena_create(NULL, "test");
    seed_random(&generator);
}

static void teardown(void)
{
    arena_destroy(arena);
}

static CopyReader *open_reader(const CopyFormat *format, const CopyColumn *columns, uint32_t count,
                               uint32_t batch_rows)
{
    CopyReader *reader;
    CopyReaderOptions options = {.table_name = "t", .batch_rows = batch_rows};
    ck_assert_ok(copy_reader_create(format, columns, count, &options, arena, &reader));
    return reader;
}

/* All values of a block as text: fields ended by ; and rows by newlines, NULL as ~. */
static Status read_all(CopyReader *reader, const void *data, size_t bytes, ByteBuffer *out)
{
    memcpy(block, data, bytes);
    memset(block + bytes, '|', 64); // what lies behind must not matter
    copy_reader_block(reader, block, bytes, 1);
    for (;;) {
        Batch batch;
        bool is_done;
        TRY(copy_reader_next(reader, &batch, &is_done));
        if (is_done) {
            byte_buffer_add_u8(out, 0);
            return STATUS_OK;
        }
        for (uint32_t row = 0; row < batch.row_count; row++) {
            for (uint32_t c = 0; c < batch.column_count; c++) {
                const Vector *vector = &batch.columns[c];
                Value value = vector_value(vector, row);
                if (value.is_null) {
                    byte_buffer_add_u8(out, '~');
                } else {
                    value_print(&value, out);
                }
                byte_buffer_add_u8(out, ';');
                if (!value.is_null && type_is_scaled_integer(vector->type)) {
                    ck_assert(vector->lo <= value.i64 && value.i64 <= vector->hi);
                }
                if (!value.is_null && type_is_text(vector->type) && value.text.length > 0 &&
                    !vector->has_trailing_blanks) {
                    ck_assert_int_ne(text_view_data(&value.text)[value.text.length - 1], ' ');
                }
            }
            byte_buffer_add_u8(out, '\n');
        }
    }
}

static void check_read(CopyReader *reader, const char *data, const char *expected)
{
    ByteBuffer out;
    byte_buffer_init(&out, 0);
    ck_assert_ok(read_all(reader, data, strlen(data), &out));
    ck_assert_str_eq((const char *)out.data, expected);
    byte_buffer_deinit(&out);
}

static void check_error(CopyReader *reader, const char *data, const char *code, const char *message,
                        const char *context)
{
    ByteBuffer out;
    byte_buffer_init(&out, 0);
    Status status = read_all(reader, data, strlen(data), &out);
    ck_assert_msg(status != STATUS_OK, "no error in %s", data);
    ck_assert_str_eq(status_context(status), context);
    assert_fails(status, code, message);
    byte_buffer_deinit(&out);
}

START_TEST(every_type_and_null)
{
    const CopyColumn columns[] = {
        {.name = "b", .type = type_of(TYPE_BOOLEAN)},
        {.name = "i2", .type = type_of(TYPE_SMALLINT)},
        {.name = "i4", .type = type_of(TYPE_INTEGER)},
        {.name = "i8", .type = type_of(TYPE_BIGINT)},
        {.name = "n", .type = type_decimal(12, 2)},
        {.name = "w", .type = type_decimal(30, 3)},
        {.name = "f4", .type = type_of(TYPE_REAL)},
        {.name = "f8", .type = type_of(TYPE_DOUBLE)},
        {.name = "c", .type = type_char(3)},
        {.name = "v", .type = type_varchar(30)},
        {.name = "d", .type = type_of(TYPE_DATE)},
        {.name = "t", .type = type_of(TYPE_TIMESTAMP)},
        {.name = "iv", .type = type_of(TYPE_INTERVAL)},
    };
    static const char row[] = "t|1|-2|3|4.5|-6.789|1.5|-2.25|ab|a longer text than twelve|"
                              "1996-02-29|2001-02-03 04:05:06|1 day\n";
    static const char row_out[] = "t;1;-2;3;4.50;-6.789;1.5;-2.25;ab ;a longer text than twelve;"
                                  "1996-02-29;2001-02-03 04:05:06;1 day;\n";
    static const char nulls[] = "\\N|\\N|\\N|\\N|\\N|\\N|\\N|\\N|\\N|\\N|\\N|\\N|\\N\n";
    static const char nulls_out[] = "~;~;~;~;~;~;~;~;~;~;~;~;~;\n";
    static const char empty[] = "||||||||||||\n";
    static const char empty_out[] = "~;~;~;~;~;~;~;~;   ;;~;~;~;\n";
    CopyFormat format = copy_format_redshift_text();
    CopyReader *reader = open_reader(&format, columns, 13, _i == 0 ? 3 : 0);
    ByteBuffer in, expected;
    byte_buffer_init(&in, 0);
    byte_buffer_init(&expected, 0);
    for (int i = 0; i < 2000; i++) {
        uint64_t kind = _i == 1 ? 0 : _i == 2 ? 1 : random_below(&generator, 3);
        const char *text = kind == 0 ? row : kind == 1 ? nulls : empty;
        const char *text_out = kind == 0 ? row_out : kind == 1 ? nulls_out : empty_out;
        byte_buffer_add(&in, text, strlen(text));
        byte_buffer_add(&expected, text_out, strlen(text_out));
    }
    byte_buffer_add_u8(&in, 0);
    byte_buffer_add_u8(&expected, 0);
    check_read(reader, (const char *)in.data, (const char *)expected.data);
    byte_buffer_deinit(&in);
    byte_buffer_deinit(&expected);
}
END_TEST

static const CopyColumn two[] = {
    {.name = "id", .type = {.id = TYPE_INTEGER}, .is_not_null = true},
    {.name = "name", .type = {.id = TYPE_VARCHAR, .length = 8}},
};

START_TEST(row_ends)
{
    CopyFormat format = copy_format_redshift_text();
    CopyReader *reader = open_reader(&format, two, 2, 0);
    check_read(reader, "", "");
    check_read(reader, "1|a\n2|b\n", "1;a;\n2;b;\n");
    check_read(reader, "1|a\n2|b", "1;a;\n2;b;\n");
    check_read(reader, "1|a\r\n2|\r\n", "1;a;\n2;;\n");
    check_read(reader, "1|a|\n2|b|\r\n3||\n4|c|", "1;a;\n2;b;\n3;;\n4;c;\n");
    check_read(reader, "1|", "1;;\n");
    format = copy_format_postgres_text();
    reader = open_reader(&format, two, 2, 0);
    check_read(reader, "1\ta\\\nb\n2\t\\N\n\\.\n", "1;a\nb;\n2;~;\n");
    format = copy_format_postgres_csv();
    reader = open_reader(&format, two, 2, 0);
    check_read(reader, "1,\"a\nb\"\r\n2,\"\"\r\n3,\r\n\"4\",\"x\"\"y\"",
               "1;a\nb;\n2;;\n3;~;\n4;x\"y;\n");
}
END_TEST

START_TEST(row_shapes)
{
    CopyFormat format = copy_format_redshift_text();
    CopyReader *reader = open_reader(&format, two, 2, 0);
    check_error(reader, "1|a\n2\n", "22P04", "missing data for column \"name\"",
                "COPY t, line 2, column name: \"\"");
    check_error(reader, "1|a|b\n", "22P04", "extra data after last expected column",
                "COPY t, line 1: \"1|a|b\"");
    check_error(reader, "1|a||\n", "22P04", "extra data", "COPY t, line 1: \"1|a||\"");
    check_error(reader, "1|a\n\n2|b\n", "22P04", "missing data",
                "COPY t, line 2, column name: \"\"");
    format.skips_blank_lines = true;
    format.fills_record = true;
    reader = open_reader(&format, two, 2, 0);
    check_read(reader, "1|a\n\n\r\n2\n3\r\n", "1;a;\n2;;\n3;;\n");
    format = copy_format_postgres_csv();
    reader = open_reader(&format, two, 2, 0);
    check_error(reader, "1,a,\n", "22P04", "extra data", "COPY t, line 1: \"1,a,\"");
    check_error(reader, "1,a\n\"2,b\n", "22P04", "unterminated CSV quoted field",
                "COPY t, line 2: \"\"2,b?\"");
    check_error(reader, "1,\"a\n2,b\n", "22P04", "unterminated CSV quoted field",
                "COPY t, line 1, column name: \"\"a?2,b?\"");
}
END_TEST

START_TEST(errors_name_the_place)
{
    CopyFormat format = copy_format_redshift_text();
    CopyReader *reader = open_reader(&format, two, 2, _i == 0 ? 0 : 3);
    check_error(reader, "1|a\n2|b\nx7|c\ny|d\n", "22P02", "x7",
                "COPY t, line 3, column id: \"x7\"");
    check_error(reader, "1|a\n2|b\n3|123456789\nx|c\n", "22001", "too long",
                "COPY t, line 3, column name: \"123456789\"");
    check_error(reader, "99999999999|a\n", "22003", "",
                "COPY t, line 1, column id: \"99999999999\"");
    check_error(reader, "1|a\n|b\n", "23502", "null value in column \"id\"",
                "COPY t, line 2, column id: \"\"");
    check_error(reader, "1|a\xff\n", "22021", "UTF8", "COPY t, line 1, column name: \"a?\"");
    // An earlier line comes first, even when its column is a later one.
    check_error(reader, "1|123456789\nx|a\n", "22001", "too long",
                "COPY t, line 1, column name: \"123456789\"");
    check_error(reader, "1|123456789\n2\n", "22001", "too long",
                "COPY t, line 1, column name: \"123456789\"");
    char longer[200], context[200];
    memset(longer, 'z', sizeof(longer));
    memcpy(longer + sizeof(longer) - 4, "|a\n", 4);
    snprintf(context, sizeof(context), "COPY t, line 1, column id: \"%.100s\"", longer);
    check_error(reader, longer, "22P02", "", context);
}
END_TEST

START_TEST(bad_rows_are_passed_over)
{
    CopyFormat format = copy_format_redshift_text();
    format.errors_max = 5;
    CopyReader *reader = open_reader(&format, two, 2, 0);
    check_read(reader, "1|a\nx|b\n3|c\n4|123456789\n5\n|f\n7|g\n8|h|i\n9|j\n",
               "1;a;\n3;c;\n7;g;\n9;j;\n");
    uint32_t count;
    const CopyError *errors = copy_reader_errors(reader, &count);
    ck_assert_uint_eq(count, 5);
    static const struct {
        uint64_t line;
        uint32_t column, position;
        SqlState sqlstate;
        uint16_t load_code;
        const char *field, *raw_line;
    } expected[] = {
        {2, 0, 0, SQLSTATE_INVALID_TEXT_REPRESENTATION, 1207, "x", "x|b"},
        {4, 1, 2, SQLSTATE_STRING_DATA_RIGHT_TRUNCATION, 1204, "123456789", "4|123456789"},
        {5, 1, 1, SQLSTATE_BAD_COPY_FILE_FORMAT, 1203, "", "5"},
        {6, 0, 0, SQLSTATE_NOT_NULL_VIOLATION, 1213, "", "|f"},
        {8, 2, 0, SQLSTATE_BAD_COPY_FILE_FORMAT, 1202, "8|h|i", "8|h|i"},
    };
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_uint_eq(errors[i].line, expected[i].line);
        ck_assert_uint_eq(errors[i].column, expected[i].column);
        ck_assert_uint_eq(errors[i].position, expected[i].position);
        ck_assert_int_eq(errors[i].sqlstate, expected[i].sqlstate);
        ck_assert_uint_eq(errors[i].load_code, expected[i].load_code);
        ck_assert_str_eq(errors[i].field, expected[i].field);
        ck_assert_str_eq(errors[i].raw_line, expected[i].raw_line);
    }
    ck_assert_uint_eq(copy_reader_error_count(reader), 5);
    check_error(reader, "1|a\nx|b\n", "22P02", "x", "COPY t, line 2, column id: \"x\"");
}
END_TEST

START_TEST(many_bad_rows)
{
    CopyFormat format = copy_format_redshift_text();
    format.errors_max = UINT32_MAX;
    CopyReader *reader = open_reader(&format, two, 2, _i == 0 ? 0 : 7);
    ByteBuffer in, expected;
    byte_buffer_init(&in, 0);
    byte_buffer_init(&expected, 0);
    uint32_t bad_count = 0;
    for (int i = 0; i < 3000; i++) {
        bool is_bad = random_below(&generator, 3) == 0;
        bool is_null = random_below(&generator, 3) == 0;
        byte_buffer_printf(&in, "%s%d|%s\n", is_bad ? "x" : "", i, is_null ? "\\N" : "text");
        if (!is_bad) {
            byte_buffer_printf(&expected, "%d;%s;\n", i, is_null ? "~" : "text");
        }
        bad_count += is_bad;
    }
    byte_buffer_add_u8(&in, 0);
    byte_buffer_add_u8(&expected, 0);
    check_read(reader, (const char *)in.data, (const char *)expected.data);
    uint32_t count;
    (void)copy_reader_errors(reader, &count);
    ck_assert_uint_eq(count, bad_count);
    byte_buffer_deinit(&in);
    byte_buffer_deinit(&expected);
}
END_TEST

/* Random CSV, written from known fields with random quoting, comes back as those fields. */
START_TEST(random_csv)
{
    CopyFormat format = copy_format_postgres_csv();
    const CopyColumn columns[] = {
        {.name = "a", .type = type_varchar(0)},
        {.name = "b", .type = type_of(TYPE_INTEGER)},
        {.name = "c", .type = type_varchar(0)},
    };
    for (int round = 0; round < 60; round++) {
        CopyReader *reader =
            open_reader(&format, columns, 3, (uint32_t)random_below(&generator, 20));
        ByteBuffer in, expected;
        byte_buffer_init(&in, 0);
        byte_buffer_init(&expected, 0);
        uint64_t rows = random_below(&generator, 1500);
        for (uint64_t row = 0; row < rows; row++) {
            for (int c = 0; c < 3; c++) {
                size_t bytes = random_below(&generator, 20);
                uint8_t *field = random_text(&generator, "abc ,\"\n\xc3\xa9", bytes);
                for (size_t i = 0; i < bytes; i++) { // no halves of characters
                    field[i] = (field[i] & 0x80) != 0 ? 'u' : field[i];
                }
                if (c == 1) {
                    bytes =
                        (size_t)sprintf((char *)field, "%d", (int)random_below(&generator, 1000));
                }
                bool needs_quotes = strpbrk((char *)field, ",\"\n") != NULL || bytes == 0;
                bool is_quoted = needs_quotes || random_below(&generator, 2) == 0;
                byte_buffer_add(&in, "\"", is_quoted ? 1 : 0);
                for (size_t i = 0; i < bytes; i++) {
                    byte_buffer_add(&in, "\"", field[i] == '"' ? 1 : 0);
                    byte_buffer_add_u8(&in, field[i]);
                }
                byte_buffer_add(&in, "\"", is_quoted ? 1 : 0);
                byte_buffer_add(&in, c < 2 ? "," : "\n", 1);
                byte_buffer_add(&expected, field, bytes);
                byte_buffer_add_u8(&expected, ';');
                free(field);
            }
            byte_buffer_add_u8(&expected, '\n');
        }
        byte_buffer_add_u8(&in, 0);
        byte_buffer_add_u8(&expected, 0);
        check_read(reader, (const char *)in.data, (const char *)expected.data);
        byte_buffer_deinit(&in);
        byte_buffer_deinit(&expected);
    }
}
END_TEST

/* Rows longer than a window, and rows of very many fields. */
START_TEST(long_rows)
{
    CopyFormat format = copy_format_redshift_text();
    const CopyColumn columns[] = {{.name = "a", .type = type_varchar(0)},
                                  {.name = "b", .type = type_varchar(0)}};
    CopyReader *reader = open_reader(&format, columns, 2, 0);
    size_t bytes = 300000;
    char *in = malloc(bytes + 10), *expected = malloc(bytes + 10);
    memset(in, 'x', bytes);
    memcpy(in + bytes, "|y\n1|2\n", 8);
    memset(expected, 'x', bytes);
    memcpy(expected + bytes, ";y;\n1;2;\n", 10);
    check_read(reader, in, expected);
    memset(in, '|', bytes);
    Status status;
    ByteBuffer out;
    byte_buffer_init(&out, 0);
    status = read_all(reader, in, strlen(in), &out);
    assert_fails(status, "22P04", "extra data");
    byte_buffer_deinit(&out);
    free(in);
    free(expected);
}
END_TEST

START_TEST(other_delimiters)
{
    CopyFormat format = copy_format_redshift_text();
    memcpy(format.delimiter, "|~|", 3);
    format.delimiter_bytes = 3;
    CopyReader *reader = open_reader(&format, two, 2, 0);
    check_read(reader, "1|~|a|b\r\n2|~|~\n3|~||~|\n", "1;a|b;\n2;~;\n3;;\n");
    format = copy_format_redshift_text();
    format.removes_quotes = true;
    reader = open_reader(&format, two, 2, 0);
    check_read(reader, "1|'a|b'\n\"2\"|\"it's\"\n3|c'd\n", "1;a|b;\n2;it's;\n3;c'd;\n");
    check_error(reader, "1|'ab\n2|b\n", "22P04", "quotation mark",
                "COPY t, line 1, column name: \"'ab\"");
}
END_TEST

/* Any bytes at all: an answer or an error, never more. */
START_TEST(noise)
{
    CopyFormat formats[] = {copy_format_redshift_text(), copy_format_postgres_text(),
                            copy_format_postgres_csv(), copy_format_redshift_text()};
    formats[3].removes_quotes = true;
    formats[3].escape_kind = COPY_ESCAPE_PLAIN;
    for (int round = 0; round < 500; round++) {
        CopyFormat *format = &formats[round % 4];
        format->errors_max = round % 3 == 0 ? 0 : UINT32_MAX;
        format->fills_record = round % 5 == 0;
        CopyReader *reader = open_reader(format, two, 2, (uint32_t)random_below(&generator, 9));
        size_t bytes = random_below(&generator, 2000);
        uint8_t *text = random_text(&generator, "123|,\t'\"\\N\n\n\r\xff", bytes);
        ByteBuffer out;
        byte_buffer_init(&out, 0);
        status_free(read_all(reader, text, bytes, &out));
        byte_buffer_deinit(&out);
        free(text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("copy_reader");
    TCase *tcase = tcase_create("rows");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, every_type_and_null, 0, 4);
    tcase_add_test(tcase, row_ends);
    tcase_add_test(tcase, row_shapes);
    tcase_add_test(tcase, random_csv);
    tcase_add_test(tcase, long_rows);
    tcase_add_test(tcase, other_delimiters);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("errors");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, errors_name_the_place, 0, 2);
    tcase_add_test(tcase, bad_rows_are_passed_over);
    tcase_add_loop_test(tcase, many_bad_rows, 0, 2);
    tcase_add_test(tcase, noise);
    suite_add_tcase(suite, tcase);
    return suite_main(suite);
}
