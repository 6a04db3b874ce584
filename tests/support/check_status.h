/* check_status.h — Check's assertions for Statuses, and the main function every suite shares. */
#pragma once
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"

/* The call must succeed; prints what it said otherwise. */
#define ck_assert_ok(call)                                                                         \
    do {                                                                                           \
        Status ck_status_ = (call);                                                                \
        ck_assert_msg(ck_status_ == STATUS_OK, "%s: %s (%s)", #call, status_message(ck_status_),   \
                      status_sqlstate_code(ck_status_));                                           \
    } while (0)

/* The call must fail with this SQLSTATE; frees the status. */
#define ck_assert_state(call, wanted)                                                              \
    do {                                                                                           \
        Status ck_status_ = (call);                                                                \
        ck_assert_msg(ck_status_ != STATUS_OK, "%s succeeded", #call);                             \
        ck_assert_msg(status_sqlstate(ck_status_) == (wanted), "%s: %s (%s)", #call,               \
                      status_message(ck_status_), status_sqlstate_code(ck_status_));               \
        status_free(ck_status_);                                                                   \
    } while (0)

/* The call must fail with this SQLSTATE, and its message must contain `part`; frees the status. */
static inline void assert_fails(Status owned_status, const char *code, const char *part)
{
    ck_assert_msg(owned_status != STATUS_OK, "no error; expected %s", code);
    ck_assert_msg(strcmp(status_sqlstate_code(owned_status), code) == 0 &&
                      strstr(status_message(owned_status), part) != NULL,
                  "%s %s; expected %s \"%s\"", status_sqlstate_code(owned_status),
                  status_message(owned_status), code, part);
    status_free(owned_status);
}

static inline int suite_main(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* One TCase of one test: the usual shape. */
static inline void suite_add_case(Suite *suite, const char *name, const TTest *test)
{
    TCase *behaviour = tcase_create(name);
    tcase_add_test(behaviour, test);
    tcase_set_timeout(behaviour, 60);
    suite_add_tcase(suite, behaviour);
}
