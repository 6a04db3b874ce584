/* test_pg_decode.c — client messages: what is well formed is read, what is not is 08P01. */
#include "base/byte_buffer.h"
#include "protocol/pgwire/pg_decode.h"
#include "protocol/pgwire/pg_message.h"
#include "tests/support/check_status.h"

static Arena *arena;
static ByteBuffer body;

static void setup(void)
{
    arena = arena_create(NULL, "test");
    byte_buffer_init(&body, 1 << 20);
}

static void teardown(void)
{
    byte_buffer_deinit(&body);
    arena_destroy(arena);
}

static void add_cstring(const char *text)
{
    byte_buffer_add(&body, text, strlen(text) + 1);
}

static void add_bytes(const char *data, size_t bytes)
{
    byte_buffer_add(&body, data, bytes);
}

typedef Status (*Decoder)(const uint8_t *data, size_t bytes);

/* Every shortened body fails, every lengthened one too; never a crash. */
static void check_cuts(Decoder decode)
{
    for (size_t bytes = 0; bytes < body.bytes; bytes++) {
        // A copy of its own, so that a read beyond it is seen by the sanitizer.
        uint8_t *copy = arena_memdup(arena, body.data, bytes + 1);
        Status status = decode(copy, bytes);
        ck_assert_msg(status != STATUS_OK, "%zu of %zu bytes were accepted", bytes, body.bytes);
        ck_assert_str_eq(status_sqlstate_code(status), "08P01");
        status_free(status);
    }
    ck_assert_ok(decode(body.data, body.bytes));
    byte_buffer_add_u8(&body, 0);
    assert_fails(decode(body.data, body.bytes), "08P01", "left over");
}

static Status decode_query(const uint8_t *data, size_t bytes)
{
    PgQuery query;
    return pg_decode_query(data, bytes, &query);
}

START_TEST(query)
{
    add_cstring("select 1; select 2");
    PgQuery out;
    ck_assert_ok(pg_decode_query(body.data, body.bytes, &out));
    ck_assert_str_eq(out.text, "select 1; select 2");
    ck_assert_uint_eq(out.text_bytes, 18);
    check_cuts(decode_query);
}
END_TEST

START_TEST(query_is_utf8)
{
    add_cstring("select '\xff'");
    assert_fails(decode_query(body.data, body.bytes), "22021", "UTF-8");
    byte_buffer_clear(&body);
    add_cstring("select 'a'");
    add_cstring("b"); // a zero inside
    assert_fails(decode_query(body.data, body.bytes), "08P01", "left over");
}
END_TEST

static Status decode_parse(const uint8_t *data, size_t bytes)
{
    PgParse parse;
    return pg_decode_parse(arena, data, bytes, &parse);
}

START_TEST(parse)
{
    add_cstring("s1");
    add_cstring("select $1 + $2");
    byte_buffer_add_be16(&body, 2);
    byte_buffer_add_be32(&body, 23);
    byte_buffer_add_be32(&body, 0);
    PgParse out;
    ck_assert_ok(pg_decode_parse(arena, body.data, body.bytes, &out));
    ck_assert_str_eq(out.name, "s1");
    ck_assert_str_eq(out.text, "select $1 + $2");
    ck_assert_uint_eq(out.parameter_count, 2);
    ck_assert_uint_eq(out.parameter_oids[0], 23);
    ck_assert_uint_eq(out.parameter_oids[1], 0);
    check_cuts(decode_parse);
}
END_TEST

static void add_bind(uint16_t format)
{
    add_cstring("p");
    add_cstring("s1");
    byte_buffer_add_be16(&body, 2); // formats
    byte_buffer_add_be16(&body, 0);
    byte_buffer_add_be16(&body, format);
    byte_buffer_add_be16(&body, 2); // parameters
    byte_buffer_add_be32(&body, UINT32_MAX);
    byte_buffer_add_be32(&body, 3);
    add_bytes("abc", 3);
    byte_buffer_add_be16(&body, 1); // result formats
    byte_buffer_add_be16(&body, 1);
}

static Status decode_bind(const uint8_t *data, size_t bytes)
{
    PgBind bind;
    return pg_decode_bind(arena, data, bytes, &bind);
}

START_TEST(bind)
{
    add_bind(1);
    PgBind out;
    ck_assert_ok(pg_decode_bind(arena, body.data, body.bytes, &out));
    ck_assert_str_eq(out.portal, "p");
    ck_assert_str_eq(out.statement, "s1");
    ck_assert_uint_eq(out.parameter_count, 2);
    ck_assert_ptr_null(out.parameters[0].data);
    ck_assert_uint_eq(out.parameters[1].bytes, 3);
    ck_assert_mem_eq(out.parameters[1].data, "abc", 3);
    ck_assert_uint_eq(pg_format_of(out.formats, out.format_count, 1), PG_FORMAT_BINARY);
    ck_assert_uint_eq(pg_format_of(out.result_formats, out.result_format_count, 7), 1);
    ck_assert_uint_eq(pg_format_of(NULL, 0, 3), PG_FORMAT_TEXT);
    check_cuts(decode_bind);
}
END_TEST

START_TEST(bind_lies)
{
    add_bind(2);
    assert_fails(decode_bind(body.data, body.bytes), "08P01", "format code 2");
    byte_buffer_clear(&body);
    add_bytes("\0\0\0\3\0\0\0\0\0\0\0\1\xff\xff\xff\xff\0\0", 18); // 3 formats, 1 parameter
    assert_fails(decode_bind(body.data, body.bytes), "08P01",
                 "3 parameter formats but 1 parameters");
    byte_buffer_clear(&body);
    add_bytes("\0\0\0\0\xff\xff\0\0\0\0", 10); // 65,535 parameters in four bytes
    assert_fails(decode_bind(body.data, body.bytes), "08P01", "fewer parameters");
    byte_buffer_clear(&body);
    add_bytes("\0\0\0\0\0\1\xff\xff\xff\xfe\0\0", 12); // length -2
    assert_fails(decode_bind(body.data, body.bytes), "08P01", "length of a parameter");
    byte_buffer_clear(&body);
    add_bytes("\0\0\0\0\0\1\x7f\xff\xff\xff\0\0", 12); // 2 GB
    assert_fails(decode_bind(body.data, body.bytes), "08P01", "longer than the message");
}
END_TEST

static Status decode_describe(const uint8_t *data, size_t bytes)
{
    PgNamed named;
    return pg_decode_describe(data, bytes, &named);
}

static Status decode_close(const uint8_t *data, size_t bytes)
{
    PgNamed named;
    return pg_decode_close(data, bytes, &named);
}

START_TEST(describe_and_close)
{
    add_cstring("Sname");
    PgNamed out;
    ck_assert_ok(pg_decode_describe(body.data, body.bytes, &out));
    ck_assert_int_eq(out.target, PG_TARGET_STATEMENT);
    ck_assert_str_eq(out.name, "name");
    check_cuts(decode_describe);
    byte_buffer_clear(&body);
    add_cstring("P");
    ck_assert_ok(pg_decode_close(body.data, body.bytes, &out));
    ck_assert_int_eq(out.target, PG_TARGET_PORTAL);
    ck_assert_str_eq(out.name, "");
    check_cuts(decode_close);
    byte_buffer_clear(&body);
    add_cstring("Xname");
    assert_fails(decode_describe(body.data, body.bytes), "08P01", "subtype 88");
}
END_TEST

static Status decode_execute(const uint8_t *data, size_t bytes)
{
    PgExecute execute;
    return pg_decode_execute(data, bytes, &execute);
}

START_TEST(execute)
{
    add_cstring("p");
    byte_buffer_add_be32(&body, 100);
    PgExecute out;
    ck_assert_ok(pg_decode_execute(body.data, body.bytes, &out));
    ck_assert_str_eq(out.portal, "p");
    ck_assert_uint_eq(out.rows_max, 100);
    check_cuts(decode_execute);
    byte_buffer_clear(&body);
    add_cstring("");
    byte_buffer_add_be32(&body, (uint32_t)-5);
    ck_assert_ok(pg_decode_execute(body.data, body.bytes, &out));
    ck_assert_uint_eq(out.rows_max, 0);
}
END_TEST

static Status decode_sasl_initial(const uint8_t *data, size_t bytes)
{
    PgSaslInitial initial;
    return pg_decode_sasl_initial(data, bytes, &initial);
}

static Status decode_password(const uint8_t *data, size_t bytes)
{
    PgPassword password;
    return pg_decode_password(data, bytes, &password);
}

START_TEST(sasl)
{
    add_cstring("SCRAM-SHA-256");
    byte_buffer_add_be32(&body, 6);
    add_bytes("n,,n=,", 6);
    PgSaslInitial out;
    ck_assert_ok(pg_decode_sasl_initial(body.data, body.bytes, &out));
    ck_assert_str_eq(out.mechanism, "SCRAM-SHA-256");
    ck_assert_uint_eq(out.response_bytes, 6);
    check_cuts(decode_sasl_initial);
    byte_buffer_clear(&body);
    add_cstring("SCRAM-SHA-256");
    byte_buffer_add_be32(&body, UINT32_MAX);
    ck_assert_ok(pg_decode_sasl_initial(body.data, body.bytes, &out));
    ck_assert_ptr_null(out.response);
    byte_buffer_clear(&body);
    add_cstring("SCRAM-SHA-256");
    byte_buffer_add_be32(&body, (uint32_t)-2);
    assert_fails(decode_sasl_initial(body.data, body.bytes), "08P01", "negative");
    byte_buffer_clear(&body);
    add_cstring("secret");
    check_cuts(decode_password);
}
END_TEST

static Status decode_copy_fail(const uint8_t *data, size_t bytes)
{
    PgCopyFail fail;
    return pg_decode_copy_fail(data, bytes, &fail);
}

START_TEST(copy_fail_and_function_call)
{
    add_cstring("client gave up");
    PgCopyFail out;
    ck_assert_ok(pg_decode_copy_fail(body.data, body.bytes, &out));
    ck_assert_str_eq(out.reason, "client gave up");
    check_cuts(decode_copy_fail);
    assert_fails(pg_decode_function_call((const uint8_t *)"\0\0\0\1\0\0\0\0\0\0", 10), "0A000",
                 "FunctionCall");
    assert_fails(pg_decode_function_call((const uint8_t *)"", 0), "08P01", "too short");
}
END_TEST

static Status decode_startup(const uint8_t *data, size_t bytes)
{
    PgStartupPacket packet;
    return pg_decode_startup(arena, data, bytes, &packet);
}

START_TEST(startup)
{
    byte_buffer_add_be32(&body, 3 << 16 | 2);
    add_cstring("user");
    add_cstring("ada");
    add_cstring("database");
    add_cstring("");
    add_cstring("");
    PgStartupPacket out;
    ck_assert_ok(pg_decode_startup(arena, body.data, body.bytes, &out));
    ck_assert_int_eq(out.kind, PG_STARTUP_SESSION);
    ck_assert_uint_eq(out.minor, 2);
    ck_assert_uint_eq(out.parameter_count, 2);
    ck_assert_str_eq(out.parameters[0].value, "ada");
    ck_assert_str_eq(out.parameters[1].name, "database");
    check_cuts(decode_startup);
    byte_buffer_clear(&body);
    byte_buffer_add_be32(&body, 2 << 16);
    assert_fails(decode_startup(body.data, body.bytes), "0A000",
                 "unsupported frontend protocol 2.0");
    byte_buffer_clear(&body);
    byte_buffer_add_be32(&body, 3 << 16);
    add_cstring("user");
    add_cstring("a\xc3");
    add_cstring("");
    assert_fails(decode_startup(body.data, body.bytes), "22021", "UTF-8");
}
END_TEST

START_TEST(startup_requests)
{
    PgStartupPacket out;
    ck_assert_ok(pg_decode_startup(arena, (const uint8_t *)"\x04\xd2\x16\x2f", 4, &out));
    ck_assert_int_eq(out.kind, PG_STARTUP_SSL);
    ck_assert_ok(pg_decode_startup(arena, (const uint8_t *)"\x04\xd2\x16\x30", 4, &out));
    ck_assert_int_eq(out.kind, PG_STARTUP_GSSENC);
    assert_fails(decode_startup((const uint8_t *)"\x04\xd2\x16\x2fx", 5), "08P01", "left over");
    ck_assert_ok(
        pg_decode_startup(arena, (const uint8_t *)"\x04\xd2\x16\x2e\0\0\0\7abcd", 12, &out));
    ck_assert_int_eq(out.kind, PG_STARTUP_CANCEL);
    ck_assert_uint_eq(out.process_id, 7);
    ck_assert_uint_eq(out.cancel_key_bytes, 4);
    for (size_t bytes = 4; bytes < 12; bytes++) {
        assert_fails(decode_startup((const uint8_t *)"\x04\xd2\x16\x2e\0\0\0\7abcd", bytes),
                     "08P01", "length of the key");
    }
}
END_TEST

START_TEST(frames)
{
    PgFrame frame;
    bool is_whole;
    ck_assert_ok(pg_frame_read(PG_PHASE_SESSION, (const uint8_t *)"Q", 1, &frame, &is_whole));
    ck_assert(!is_whole);
    ck_assert_ok(
        pg_frame_read(PG_PHASE_SESSION, (const uint8_t *)"Q\0\0\0\5\0", 6, &frame, &is_whole));
    ck_assert(is_whole);
    ck_assert_int_eq(frame.type, PG_FRONTEND_QUERY);
    ck_assert_uint_eq(frame.body_bytes, 1);
    static const struct {
        PgPhase phase;
        const char *header;
        const char *part;
    } wrong[] = {
        {PG_PHASE_SESSION, "\0\0\0\0\5", "type 0"},
        {PG_PHASE_SESSION, "?\0\0\0\5", "type 63"},
        {PG_PHASE_SESSION, "Q\0\0\0\3", "length 3 of a Query"},
        {PG_PHASE_SESSION, "Q\0\0\0\4", "length 4 of a Query"},
        {PG_PHASE_SESSION, "Q\x10\0\0\5", "length 268435461 of a Query"},
        {PG_PHASE_SESSION, "Q\xff\xff\xff\xff", "length 4294967295 of a Query"},
        {PG_PHASE_SESSION, "S\0\0\0\5", "length 5 of a Sync"},
        {PG_PHASE_SESSION, "D\0\1\0\5", "length 65541 of a Describe"},
        {PG_PHASE_SESSION, "d\x40\0\0\0", "length 1073741824 of a CopyData"},
        {PG_PHASE_SESSION, "p\0\0\0\5", "unexpected password response message after the login"},
        {PG_PHASE_AUTHENTICATION, "Q\0\0\0\5", "unexpected Query message before the login"},
        {PG_PHASE_AUTHENTICATION, "p\0\1\0\5", "length 65541 of a password"},
        {PG_PHASE_STARTUP, "\0\0\0\7", "length 7 of a startup"},
        {PG_PHASE_STARTUP, "\0\0\x27\x11", "length 10001 of a startup"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_fails(
            pg_frame_read(wrong[i].phase, (const uint8_t *)wrong[i].header, 5, &frame, &is_whole),
            "08P01", wrong[i].part);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pg_decode");
    TCase *tcase = tcase_create("messages");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, query);
    tcase_add_test(tcase, query_is_utf8);
    tcase_add_test(tcase, parse);
    tcase_add_test(tcase, bind);
    tcase_add_test(tcase, bind_lies);
    tcase_add_test(tcase, describe_and_close);
    tcase_add_test(tcase, execute);
    tcase_add_test(tcase, sasl);
    tcase_add_test(tcase, copy_fail_and_function_call);
    tcase_add_test(tcase, startup);
    tcase_add_test(tcase, startup_requests);
    tcase_add_test(tcase, frames);
    suite_add_tcase(suite, tcase);
    return suite_main(suite);
}
