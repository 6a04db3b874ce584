/* test_copy_options.c — options of both dialects, their defaults, conflicts, and their bytes. */
#include "protocol/copy/copy_options.h"
#include "tests/support/check_status.h"

static void set(CopyFormat *format, const char *name, const char *value)
{
    bool is_known = false;
    ck_assert_ok(copy_format_set(format, name, value, &is_known));
    ck_assert(is_known);
}

START_TEST(defaults)
{
    CopyFormat format = copy_format_redshift_text();
    ck_assert_int_eq(format.delimiter[0], '|');
    ck_assert_mem_eq(format.null_as, "\\N", 2);
    ck_assert_int_eq(format.escape_kind, COPY_ESCAPE_NONE);
    ck_assert(format.is_empty_number_null && format.allows_last_delimiter);
    format = copy_format_postgres_text();
    ck_assert_int_eq(format.delimiter[0], '\t');
    ck_assert_int_eq(format.escape_kind, COPY_ESCAPE_CONTROL);
    ck_assert(!format.is_empty_number_null && format.rounds_decimals);
    format = copy_format_postgres_csv();
    ck_assert_int_eq(format.delimiter[0], ',');
    ck_assert_uint_eq(format.null_bytes, 0);
    ck_assert_int_eq(format.quote, '"');
    ck_assert_int_eq(format.quote_escape, '"');
}
END_TEST

START_TEST(order_does_not_matter)
{
    CopyFormat one, two;
    copy_format_init(&one, COPY_DIALECT_REDSHIFT);
    copy_format_init(&two, COPY_DIALECT_REDSHIFT);
    set(&one, "DELIMITER", ";");
    set(&one, "csv", NULL);
    set(&two, "CSV", NULL);
    set(&two, "delimiter", ";");
    ck_assert_ok(copy_format_finish(&one));
    ck_assert_ok(copy_format_finish(&two));
    ck_assert_mem_eq(&one, &two, sizeof(one));
    ck_assert_int_eq(one.delimiter[0], ';');
    ck_assert(!one.allows_last_delimiter);
}
END_TEST

START_TEST(values)
{
    CopyFormat format;
    copy_format_init(&format, COPY_DIALECT_REDSHIFT);
    set(&format, "DELIMITER", "\\001");
    ck_assert_int_eq(format.delimiter[0], 1);
    set(&format, "DELIMITER", "|~|");
    ck_assert_uint_eq(format.delimiter_bytes, 3);
    set(&format, "DELIMITER", "\\t");
    ck_assert_int_eq(format.delimiter[0], '\t');
    set(&format, "NULL", "\\0");
    ck_assert_uint_eq(format.null_bytes, 1);
    ck_assert_int_eq(format.null_as[0], '\0');
    set(&format, "IGNOREHEADER", "2");
    ck_assert_uint_eq(format.header_rows, 2);
    set(&format, "MAXERROR", "0");
    ck_assert_uint_eq(format.errors_max, 0);
    set(&format, "MAXERROR", "10");
    ck_assert_uint_eq(format.errors_max, 9);
    set(&format, "ACCEPTINVCHARS", NULL);
    ck_assert_int_eq(format.invalid_replacement, '?');
    set(&format, "ACCEPTINVCHARS", "^");
    ck_assert_int_eq(format.invalid_replacement, '^');
    set(&format, "FILLRECORD", NULL);
    set(&format, "BLANKSASNULL", "off");
    ck_assert(format.fills_record && !format.is_blank_null);
    set(&format, "HEADER", "match");
    ck_assert(format.has_header);
    set(&format, "ON_ERROR", "ignore");
    ck_assert_uint_eq(format.errors_max, UINT32_MAX);
    set(&format, "ENCODING", "utf-8");
    bool is_known = true;
    ck_assert_ok(copy_format_set(&format, "COMPUPDATE", "off", &is_known));
    ck_assert(!is_known);
}
END_TEST

START_TEST(bad_values)
{
    static const struct {
        const char *name, *value, *code;
    } wrong[] = {
        {"DELIMITER", "", "22023"},
        {"DELIMITER", NULL, "22023"},
        {"DELIMITER", "123456789", "22023"},
        {"QUOTE", "ab", "22023"},
        {"QUOTE", NULL, "22023"},
        {"NULL", "\\n", "22023"},
        {"IGNOREHEADER", "-1", "22023"},
        {"IGNOREHEADER", "", "22023"},
        {"MAXERROR", "100001", "22023"},
        {"MAXERROR", "x", "22023"},
        {"ACCEPTINVCHARS", "ab", "22023"},
        {"ENCODING", "latin1", "0A000"},
        {"FORMAT", "binary", "0A000"},
        {"FORMAT", "parquet", "22023"},
        {"FORCE_QUOTE", "a", "0A000"},
        {"ON_ERROR", "x", "22023"},
        {"HEADER", "perhaps", "22023"},
        {"FILLRECORD", "maybe", "22023"},
        {"DATEFORMAT", "", "22023"},
        {"ESCAPE", "ab", "22023"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        CopyFormat format;
        bool is_known;
        copy_format_init(&format, COPY_DIALECT_REDSHIFT);
        assert_fails(copy_format_set(&format, wrong[i].name, wrong[i].value, &is_known),
                     wrong[i].code, "");
    }
}
END_TEST

START_TEST(conflicts)
{
    static const struct {
        const char *options[6]; /* pairs */
        const char *code, *part;
    } wrong[] = {
        {{"CSV", NULL, "REMOVEQUOTES", NULL}, "42601", "REMOVEQUOTES"},
        {{"CSV", NULL, "ESCAPE", NULL}, "42601", "ESCAPE"},
        {{"QUOTE", "'"}, "42601", "QUOTE"},
        {{"ESCAPE", "x"}, "42601", "ESCAPE"},
        {{"DELIMITER", "\n"}, "22023", "delimiter"},
        {{"DELIMITER", "\\", "ESCAPE", NULL}, "22023", "escape"},
        {{"CSV", NULL, "DELIMITER", "\""}, "22023", "quote"},
        {{"NULL", "a|b"}, "22023", "NULL"},
        {{"NULL", "a\nb"}, "22023", "line end"},
        {{"CSV", NULL, "NULL", "\""}, "22023", "quote"},
        {{"CSV", NULL, "QUOTE", "\n"}, "22023", "quote"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        CopyFormat format;
        copy_format_init(&format, COPY_DIALECT_REDSHIFT);
        for (size_t o = 0; o < 6 && wrong[i].options[o] != NULL; o += 2) {
            set(&format, wrong[i].options[o], wrong[i].options[o + 1]);
        }
        assert_fails(copy_format_finish(&format), wrong[i].code, wrong[i].part);
    }
}
END_TEST

START_TEST(bytes)
{
    CopyFormat format, back;
    copy_format_init(&format, COPY_DIALECT_REDSHIFT);
    set(&format, "CSV", NULL);
    set(&format, "NULL", "none");
    set(&format, "DATEFORMAT", "DD.MM.YYYY");
    set(&format, "TIMEFORMAT", "epochsecs");
    set(&format, "TRUNCATECOLUMNS", NULL);
    set(&format, "IGNOREHEADER", "3");
    ck_assert_ok(copy_format_finish(&format));
    ByteBuffer buffer;
    byte_buffer_init(&buffer, 0);
    copy_format_encode(&format, &buffer);
    ByteReader reader;
    byte_reader_init(&reader, buffer.data, buffer.bytes);
    ck_assert_ok(copy_format_decode(&reader, &back));
    format.has_delimiter = true; // a decoded format counts as set
    ck_assert_mem_eq(&format, &back, sizeof(back));
    for (size_t count = 0; count < buffer.bytes; count++) {
        byte_reader_init(&reader, buffer.data, count);
        assert_fails(copy_format_decode(&reader, &back), "XX001", "malformed");
    }
    buffer.data[0] = 99; // a version of the future
    byte_reader_init(&reader, buffer.data, buffer.bytes);
    assert_fails(copy_format_decode(&reader, &back), "XX001", "malformed");
    byte_buffer_deinit(&buffer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("copy_options");
    TCase *tcase = tcase_create("options");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, defaults);
    tcase_add_test(tcase, order_does_not_matter);
    tcase_add_test(tcase, values);
    tcase_add_test(tcase, bad_values);
    tcase_add_test(tcase, conflicts);
    tcase_add_test(tcase, bytes);
    suite_add_tcase(suite, tcase);
    return suite_main(suite);
}
