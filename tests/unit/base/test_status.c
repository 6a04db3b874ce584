/* Suite of base/status.c. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "tests/support/check_status.h"
#include "tests/support/failing_heap.h"

START_TEST(carries_what_it_was_given)
{
    Status status = status_at(7, SQLSTATE_UNDEFINED_TABLE, "table \"%s\" does not exist", "t");
    status = status_with_detail(status, "there are %d tables", 3);
    status = status_with_hint(status, "create it");
    status = status_with_context(status, "inner");
    status = status_with_context(status, "outer");
    status = status_with_position(status, 9); // the older one stays
    status = status_with_node(status, 4);
    status = status_with_node(status, 5);
    ck_assert_str_eq(status_sqlstate_code(status), "42P01");
    ck_assert_str_eq(status_message(status), "table \"t\" does not exist");
    ck_assert_str_eq(status_detail(status), "there are 3 tables");
    ck_assert_str_eq(status_hint(status), "create it");
    ck_assert_str_eq(status_context(status), "inner\nouter");
    ck_assert_int_eq(status_position(status), 7);
    ck_assert_uint_eq(status_node(status), 4);
    Status copy = status_copy(status);
    status_free(status);
    ck_assert_str_eq(status_message(copy), "table \"t\" does not exist");
    ck_assert_str_eq(status_context(copy), "inner\nouter");
    ck_assert_int_eq(status_position(copy), 7);
    ck_assert_uint_eq(status_node(copy), 4);
    status_free(copy);
}
END_TEST

START_TEST(absent_texts_are_empty)
{
    Status status = status_error(SQLSTATE_INTERNAL_ERROR, "x");
    ck_assert_str_eq(status_detail(status), "");
    ck_assert_str_eq(status_hint(status), "");
    ck_assert_str_eq(status_context(status), "");
    ck_assert_int_eq(status_position(status), POSITION_NONE);
    status_free(status);
    ck_assert_str_eq(status_message(STATUS_OK), "");
    ck_assert_str_eq(status_sqlstate_code(STATUS_OK), "00000");
    status_free(STATUS_OK);
    ck_assert_ptr_null(status_copy(STATUS_OK));
    ck_assert_ptr_null(status_with_detail(STATUS_OK, "nothing to add to"));
}
END_TEST

START_TEST(maps_system_errors)
{
    static const struct {
        int error;
        SqlState state;
    } cases[] = {
        {ENOSPC, SQLSTATE_DISK_FULL},
        {EDQUOT, SQLSTATE_DISK_FULL},
        {EMFILE, SQLSTATE_INSUFFICIENT_RESOURCES},
        {ENFILE, SQLSTATE_INSUFFICIENT_RESOURCES},
        {ENOMEM, SQLSTATE_OUT_OF_MEMORY},
        {ENOENT, SQLSTATE_UNDEFINED_FILE},
        {EIO, SQLSTATE_IO_ERROR},
        {EACCES, SQLSTATE_IO_ERROR},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_state(status_from_errno(cases[i].error, "x"), cases[i].state);
    }
    Status status = status_from_errno(EIO, "could not read \"%s\"", "f");
    ck_assert_str_eq(status_message(status), "could not read \"f\": Input/output error");
    status_free(status);
}
END_TEST

START_TEST(codes_lead_back_to_their_states)
{
    for (int i = 0; i < SQLSTATE_COUNT; i++) {
        const char *code = sqlstate_code((SqlState)i);
        ck_assert_uint_eq(strlen(code), 5);
        ck_assert_int_eq(sqlstate_from_code(code), i);
    }
    ck_assert_int_eq(sqlstate_from_code("ZZZZZ"), SQLSTATE_INTERNAL_ERROR);
}
END_TEST

START_TEST(first_keeps_the_first)
{
    Status status =
        status_first(status_error(SQLSTATE_DISK_FULL, "a"), status_error(SQLSTATE_IO_ERROR, "b"));
    ck_assert_state(status, SQLSTATE_DISK_FULL);
    ck_assert_state(status_first(STATUS_OK, status_error(SQLSTATE_IO_ERROR, "b")),
                    SQLSTATE_IO_ERROR);
    ck_assert_ptr_null(status_first(STATUS_OK, STATUS_OK));
}
END_TEST

// Every number of allocations short: an error comes out, at worst the one about memory.
START_TEST(lives_without_memory)
{
    bool was_reached = true;
    for (uint64_t n = 1; was_reached; n++) {
        failing_heap_start(n, _i == 1);
        Status status = status_error(SQLSTATE_DISK_FULL, "a %d", 1);
        status = status_with_detail(status, "b");
        status = status_with_context(status, "c");
        status = status_with_context(status, "d");
        Status copy = status_copy(status);
        was_reached = failing_heap_stop();
        ck_assert_ptr_nonnull(status);
        ck_assert_ptr_nonnull(copy);
        ck_assert(status_sqlstate(status) == SQLSTATE_DISK_FULL ||
                  status_sqlstate(status) == SQLSTATE_OUT_OF_MEMORY);
        ck_assert_str_ne(status_message(copy), "");
        status_free(status);
        status_free(copy);
    }
}
END_TEST

START_TEST(cuts_long_texts_between_characters)
{
    char text[20001];
    for (size_t i = 0; i < 10000; i++) {
        memcpy(text + 2 * i, "ü", 2);
    }
    for (size_t shift = 0; shift < 2; shift++) {
        text[20000] = '\0';
        Status status = status_error(SQLSTATE_INTERNAL_ERROR, "%.*s%s", (int)shift, "a", text);
        size_t bytes = strlen(status_message(status));
        ck_assert_uint_le(bytes, 8192);
        ck_assert_uint_ge(bytes, 8188);
        ck_assert_uint_eq((bytes - shift) % 2, 0);
        status_free(status);
    }
}
END_TEST

START_TEST(a_broken_invariant_stops_the_process)
{
    ASSERT(1 + 1 == 3);
}
END_TEST

static Status try_twice(Status first, Status second)
{
    TRY(first);
    TRY(second);
    return STATUS_OK;
}

START_TEST(try_returns_the_first_error)
{
    ck_assert_ok(try_twice(STATUS_OK, STATUS_OK));
    ck_assert_state(try_twice(STATUS_OK, status_error(SQLSTATE_IO_ERROR, "x")), SQLSTATE_IO_ERROR);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base.status");
    suite_add_case(suite, "contents", carries_what_it_was_given);
    suite_add_case(suite, "absent", absent_texts_are_empty);
    suite_add_case(suite, "errno", maps_system_errors);
    suite_add_case(suite, "codes", codes_lead_back_to_their_states);
    suite_add_case(suite, "first", first_keeps_the_first);
    TCase *memory = tcase_create("memory");
    tcase_add_loop_test(memory, lives_without_memory, 0, 2);
    suite_add_tcase(suite, memory);
    suite_add_case(suite, "length", cuts_long_texts_between_characters);
    TCase *invariants = tcase_create("invariants");
    tcase_add_test_raise_signal(invariants, a_broken_invariant_stops_the_process, SIGABRT);
    suite_add_tcase(suite, invariants);
    suite_add_case(suite, "try", try_returns_the_first_error);
    return suite_main(suite);
}
