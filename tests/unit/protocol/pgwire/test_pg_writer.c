/* test_pg_writer.c — the bytes of every server message. */
#include "protocol/pgwire/pg_decode.h"
#include "protocol/pgwire/pg_writer.h"
#include "tests/support/check_status.h"

static ByteBuffer out;

static void setup(void)
{
    byte_buffer_init(&out, 1 << 20);
}

static void teardown(void)
{
    byte_buffer_deinit(&out);
}

static void check_bytes(const char *expected, size_t bytes)
{
    ck_assert_ok(byte_buffer_status(&out));
    ck_assert_uint_eq(out.bytes, bytes);
    ck_assert_mem_eq(out.data, expected, bytes);
    byte_buffer_clear(&out);
}
#define CHECK_BYTES(literal) check_bytes(literal, sizeof(literal) - 1)

START_TEST(login)
{
    pg_writer_authentication_ok(&out);
    CHECK_BYTES("R\0\0\0\10\0\0\0\0");
    pg_writer_authentication_sasl(&out);
    CHECK_BYTES("R\0\0\0\27\0\0\0\12SCRAM-SHA-256\0\0");
    pg_writer_authentication_sasl_continue(&out, "r=x", 3);
    CHECK_BYTES("R\0\0\0\13\0\0\0\13r=x");
    pg_writer_authentication_sasl_final(&out, "v=y", 3);
    CHECK_BYTES("R\0\0\0\13\0\0\0\14v=y");
    pg_writer_parameter_status(&out, "server_version", "8.0.2");
    CHECK_BYTES("S\0\0\0\31server_version\0008.0.2\0");
    pg_writer_backend_key_data(&out, 7, (const uint8_t *)"abcd", 4);
    CHECK_BYTES("K\0\0\0\14\0\0\0\7abcd");
    pg_writer_ready_for_query(&out, PG_TXN_FAILED);
    CHECK_BYTES("Z\0\0\0\5E");
    const char *names[] = {"_pq_.x"};
    pg_writer_negotiate_protocol_version(&out, 2, names, 1);
    CHECK_BYTES("v\0\0\0\23\0\3\0\2\0\0\0\1_pq_.x\0");
}
END_TEST

START_TEST(results)
{
    PgColumn columns[] = {
        {.name = "n", .type = type_decimal(12, 2), .table_oid = 5, .column_number = 1},
        {.name = "s", .type = type_varchar(25), .format = PG_FORMAT_BINARY},
    };
    pg_writer_row_description(&out, columns, 2);
    CHECK_BYTES("T\0\0\0\56\0\2"
                "n\0\0\0\0\5\0\1\0\0\6\xa4\xff\xff\0\x0c\0\6\0\0"
                "s\0\0\0\0\0\0\0\0\0\4\x13\xff\xff\0\0\0\x1d\0\1");
    pg_writer_command_complete(&out, "SELECT 5");
    CHECK_BYTES("C\0\0\0\15SELECT 5\0");
    pg_writer_empty_query_response(&out);
    pg_writer_parse_complete(&out);
    pg_writer_bind_complete(&out);
    pg_writer_close_complete(&out);
    pg_writer_no_data(&out);
    pg_writer_portal_suspended(&out);
    CHECK_BYTES("I\0\0\0\0041\0\0\0\0042\0\0\0\0043\0\0\0\4n\0\0\0\4s\0\0\0\4");
    Type types[] = {type_of(TYPE_INTEGER), type_of(TYPE_DATE)};
    pg_writer_parameter_description(&out, types, 2);
    CHECK_BYTES("t\0\0\0\16\0\2\0\0\0\x17\0\0\4\x3a");
}
END_TEST

START_TEST(copy)
{
    pg_writer_copy_in_response(&out, PG_FORMAT_TEXT, 2);
    CHECK_BYTES("G\0\0\0\13\0\0\2\0\0\0\0");
    pg_writer_copy_out_response(&out, PG_FORMAT_BINARY, 1);
    CHECK_BYTES("H\0\0\0\11\1\0\1\0\1");
    pg_writer_copy_data(&out, "a|b\n", 4);
    pg_writer_copy_done(&out);
    CHECK_BYTES("d\0\0\0\10a|b\nc\0\0\0\4");
}
END_TEST

/* The value of a field of an error or notice; null when it is not there. */
static const char *field(char code)
{
    const char *at = (const char *)out.data + 5;
    while (*at != '\0') {
        if (*at == code) {
            return at + 1;
        }
        at += strlen(at) + 1;
    }
    return NULL;
}

START_TEST(errors)
{
    static const char statement[] = "select 'h\xc3\xa9llo', x";
    Status status = status_at(18, SQLSTATE_UNDEFINED_COLUMN, "column \"%s\" does not exist", "x");
    status = status_with_detail(status, "a detail");
    status = status_with_hint(status, "a hint");
    status = status_with_context(status, "a place");
    pg_writer_status(&out, PG_SEVERITY_ERROR, status, statement);
    ck_assert_int_eq(out.data[0], 'E');
    ck_assert_str_eq(field('S'), "ERROR");
    ck_assert_str_eq(field('V'), "ERROR");
    ck_assert_str_eq(field('C'), "42703");
    ck_assert_str_eq(field('M'), "column \"x\" does not exist");
    ck_assert_str_eq(field('D'), "a detail");
    ck_assert_str_eq(field('H'), "a hint");
    ck_assert_str_eq(field('P'), "18"); // byte 18 is the 18th character: é takes two bytes
    ck_assert_str_eq(field('W'), "a place");
    ck_assert_uint_eq(out.bytes - 1, (size_t)out.data[3] << 8 | out.data[4]);
    byte_buffer_clear(&out);
    pg_writer_status(&out, PG_SEVERITY_FATAL, status, NULL);
    ck_assert_str_eq(field('S'), "FATAL");
    ck_assert_ptr_null(field('P'));
    byte_buffer_clear(&out);
    pg_writer_status(&out, PG_SEVERITY_ERROR, status, "short");
    ck_assert_ptr_null(field('P'));
    status_free(status);
}
END_TEST

START_TEST(notices)
{
    Status status = status_error(SQLSTATE_WARNING, "there is no transaction in progress");
    pg_writer_status(&out, PG_SEVERITY_WARNING, status, NULL);
    ck_assert_int_eq(out.data[0], 'N');
    ck_assert_str_eq(field('S'), "WARNING");
    ck_assert_ptr_null(field('D'));
    status_free(status);
}
END_TEST

START_TEST(full_buffer_is_reported_once)
{
    byte_buffer_deinit(&out);
    byte_buffer_init(&out, 8);
    pg_writer_command_complete(&out, "SELECT 1234567");
    pg_writer_ready_for_query(&out, PG_TXN_IDLE);
    assert_fails(byte_buffer_status(&out), "54000", "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pg_writer");
    TCase *tcase = tcase_create("messages");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, login);
    tcase_add_test(tcase, results);
    tcase_add_test(tcase, copy);
    tcase_add_test(tcase, errors);
    tcase_add_test(tcase, notices);
    tcase_add_test(tcase, full_buffer_is_reported_once);
    suite_add_tcase(suite, tcase);
    return suite_main(suite);
}
