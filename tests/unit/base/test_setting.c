/* Suite of base/setting.c. */
#include <string.h>

#include "base/clock.h"
#include "base/setting.h"
#include "tests/support/check_status.h"
#include "tests/support/failing_heap.h"

START_TEST(starts_with_the_defaults)
{
    SettingSet *set = setting_set_create(NULL);
    ck_assert_int_eq(setting_integer(set, SETTING_PORT), 5439);
    ck_assert_str_eq(setting_text(set, SETTING_SEARCH_PATH), "\"$user\", public");
    ck_assert(setting_bool(set, SETTING_STANDARD_CONFORMING_STRINGS));
    ck_assert_str_eq(setting_text(set, SETTING_STANDARD_CONFORMING_STRINGS), "on");
    ck_assert_str_eq(setting_text(set, SETTING_LOG_LEVEL), "info");
    for (int i = 0; i < SETTING_COUNT; i++) {
        ck_assert_str_ne(setting_help((SettingId)i), "");
        SettingId id;
        ck_assert(setting_find(setting_name((SettingId)i), &id));
        ck_assert_int_eq(id, i);
    }
    setting_set_destroy(set);
    setting_set_destroy(NULL);
}
END_TEST

START_TEST(sets_by_name)
{
    SettingSet *set = setting_set_create(NULL);
    ck_assert_ok(setting_set_text(set, "STATEMENT_TIMEOUT", "1min", true));
    ck_assert_int_eq(setting_integer(set, SETTING_STATEMENT_TIMEOUT), 60000);
    ck_assert_str_eq(setting_text(set, SETTING_STATEMENT_TIMEOUT), "1min");
    ck_assert_ok(setting_set_text(set, "application_name", "a b", true));
    ck_assert_ok(setting_set_text(set, "Port", "1", false));
    ck_assert_int_eq(setting_integer(set, SETTING_PORT), 1);
    ck_assert_state(setting_set_text(set, "port", "2", true), SQLSTATE_CANT_CHANGE_RUNTIME_PARAM);
    ck_assert_state(setting_set_text(set, "nope", "2", true), SQLSTATE_UNDEFINED_OBJECT);
    ck_assert_state(setting_set_text(set, "batch_rows", "0", true),
                    SQLSTATE_INVALID_PARAMETER_VALUE);
    ck_assert_int_eq(setting_integer(set, SETTING_BATCH_ROWS), 1024); // untouched
    static char text[5000];
    memset(text, 'x', sizeof text - 1);
    ck_assert_state(setting_set_text(set, "query_group", text, true),
                    SQLSTATE_INVALID_PARAMETER_VALUE);
    setting_set_destroy(set);
}
END_TEST

START_TEST(knows_one_client_encoding)
{
    SettingSet *set = setting_set_create(NULL);
    ck_assert_ok(setting_set_text(set, "client_encoding", "utf-8", true));
    ck_assert_str_eq(setting_text(set, SETTING_CLIENT_ENCODING), "UTF8");
    ck_assert_ok(setting_set_text(set, "client_encoding", "unicode", true));
    ck_assert_state(setting_set_text(set, "client_encoding", "LATIN1", true),
                    SQLSTATE_INVALID_PARAMETER_VALUE);
    setting_set_destroy(set);
}
END_TEST

START_TEST(copies_are_their_own)
{
    SettingSet *source = setting_set_create(NULL);
    ck_assert_ok(setting_set_text(source, "query_group", "etl", true));
    SettingSet *copy = setting_set_create(source);
    ck_assert_ok(setting_set_text(source, "query_group", "other", true));
    ck_assert_str_eq(setting_text(copy, SETTING_QUERY_GROUP), "etl");
    setting_set_destroy(source);
    ck_assert_str_eq(setting_text(copy, SETTING_QUERY_GROUP), "etl");
    setting_set_destroy(copy);
}
END_TEST

START_TEST(resets_to_the_sets_defaults)
{
    SettingSet *process = setting_set_create(NULL);
    ck_assert_ok(setting_set_text(process, "batch_rows", "3", false));
    ck_assert_ok(setting_set_text(process, "port", "7", false));
    SettingSet *session = setting_set_create(process);
    ck_assert_ok(setting_set_text(session, "batch_rows", "9", true));
    ck_assert_ok(setting_set_text(session, "query_group", "x", true));
    ck_assert_ok(setting_reset(session, process, "batch_rows"));
    ck_assert_int_eq(setting_integer(session, SETTING_BATCH_ROWS), 3);
    ck_assert_str_eq(setting_text(session, SETTING_QUERY_GROUP), "x");
    ck_assert_ok(setting_reset(session, process, NULL));
    ck_assert_str_eq(setting_text(session, SETTING_QUERY_GROUP), "");
    ck_assert_int_eq(setting_integer(session, SETTING_PORT), 7);
    ck_assert_ok(setting_reset(session, NULL, NULL));
    ck_assert_int_eq(setting_integer(session, SETTING_BATCH_ROWS), 1024);
    ck_assert_int_eq(setting_integer(session, SETTING_PORT), 7); // the process's stay
    ck_assert_state(setting_reset(session, process, "port"), SQLSTATE_CANT_CHANGE_RUNTIME_PARAM);
    ck_assert_state(setting_reset(session, process, "nope"), SQLSTATE_UNDEFINED_OBJECT);
    setting_set_destroy(session);
    setting_set_destroy(process);
}
END_TEST

START_TEST(ships_session_values)
{
    SettingSet *leader = setting_set_create(NULL), *node = setting_set_create(NULL);
    ck_assert_ok(setting_set_text(leader, "query_memory", "100MB", true));
    ck_assert_ok(setting_set_text(leader, "timezone", "Europe/Zurich", true));
    ck_assert_ok(setting_set_text(leader, "workers", "5", false));
    ck_assert_ok(setting_set_text(node, "query_group", "stale", true));
    ck_assert_ok(setting_set_text(node, "workers", "2", false));
    ByteBuffer buffer;
    byte_buffer_init(&buffer, 0);
    setting_set_encode(leader, &buffer);
    ByteReader reader;
    byte_reader_init(&reader, buffer.data, buffer.bytes);
    ck_assert_ok(setting_set_decode(node, &reader));
    ck_assert_uint_eq(byte_reader_remaining(&reader), 0);
    ck_assert_int_eq(setting_integer(node, SETTING_QUERY_MEMORY), 100 << 20);
    ck_assert_str_eq(setting_text(node, SETTING_TIMEZONE), "Europe/Zurich");
    ck_assert_str_eq(setting_text(node, SETTING_QUERY_GROUP), "");
    ck_assert_int_eq(setting_integer(node, SETTING_WORKERS), 2);
    // Cut anywhere, damaged anywhere: an error or another value, never more.
    for (size_t bytes = 0; bytes < buffer.bytes; bytes++) {
        byte_reader_init(&reader, buffer.data, bytes);
        ck_assert_state(setting_set_decode(node, &reader), SQLSTATE_PROTOCOL_VIOLATION);
    }
    for (size_t bit = 0; bit < buffer.bytes * 8; bit++) {
        buffer.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        byte_reader_init(&reader, buffer.data, buffer.bytes);
        status_free(setting_set_decode(node, &reader));
        buffer.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    byte_buffer_deinit(&buffer);
    setting_set_destroy(leader);
    setting_set_destroy(node);
}
END_TEST

START_TEST(process_values_are_not_taken_from_peers)
{
    SettingSet *set = setting_set_create(NULL);
    ByteReader reader;
    byte_reader_init(&reader,
                     "\x01\x04port\x01"
                     "1",
                     8);
    ck_assert_state(setting_set_decode(set, &reader), SQLSTATE_CANT_CHANGE_RUNTIME_PARAM);
    ck_assert_int_eq(setting_integer(set, SETTING_PORT), 5439);
    setting_set_destroy(set);
}
END_TEST

START_TEST(lives_without_memory)
{
    SettingSet *source = setting_set_create(NULL);
    ck_assert_ok(setting_set_text(source, "query_group", "x", true));
    bool was_reached = true;
    for (uint64_t n = 1; was_reached; n++) {
        failing_heap_start(n, false);
        SettingSet *set = setting_set_create(source);
        Status status = set != NULL ? setting_set_text(set, "timezone", "y", true) : STATUS_OK;
        was_reached = failing_heap_stop();
        ck_assert(set != NULL || was_reached);
        ck_assert(status == STATUS_OK || status_sqlstate(status) == SQLSTATE_OUT_OF_MEMORY);
        status_free(status);
        setting_set_destroy(set);
    }
    setting_set_destroy(source);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base.setting");
    suite_add_case(suite, "defaults", starts_with_the_defaults);
    suite_add_case(suite, "set", sets_by_name);
    suite_add_case(suite, "encoding", knows_one_client_encoding);
    suite_add_case(suite, "copy", copies_are_their_own);
    suite_add_case(suite, "reset", resets_to_the_sets_defaults);
    suite_add_case(suite, "ship", ships_session_values);
    suite_add_case(suite, "peer", process_values_are_not_taken_from_peers);
    suite_add_case(suite, "memory", lives_without_memory);
    return suite_main(suite);
}
