/*
 * status.h — the one error type: a null pointer is success, anything else is one owned error.
 *
 * A Status carries what a client is told (SQLSTATE, message, detail, hint, position) and where it
 * arose (node). It moves: returning it hands it over, whoever reports or ignores it frees it.
 */
#pragma once
#include <assert.h> /* static_assert */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHECKED __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_index, first_index)                                                     \
    __attribute__((format(printf, format_index, first_index)))

/* One enumerator per line of sqlstate.def. */
typedef enum SqlState {
#define SQLSTATE(name, code, condition) SQLSTATE_##name,
#include "base/sqlstate.def"
#undef SQLSTATE
    SQLSTATE_COUNT
} SqlState;

typedef struct StatusData StatusData;
typedef StatusData *Status;

#define STATUS_OK ((Status)0)

/* Text position of an error: byte offset into the statement, counted from 0; -1 means none. */
#define POSITION_NONE (-1)

/* Builds an error, never STATUS_OK: compilers know then that what TRY has passed is set. The
 * message follows printf; lower case, no full stop, names the object. */
#define NEVER_OK __attribute__((returns_nonnull))
Status status_error(SqlState state, const char *format, ...) PRINTF_LIKE(2, 3) CHECKED NEVER_OK;
Status status_at(int32_t position, SqlState state, const char *format, ...)
    PRINTF_LIKE(3, 4) CHECKED NEVER_OK;
/* An error from a failed system call: "<what>: <strerror(error)>"; ENOSPC and EDQUOT become 53100,
 * EMFILE and ENFILE 53000, ENOMEM 53200, ENOENT 58P01, everything else 58030. */
Status status_from_errno(int error, const char *format, ...) PRINTF_LIKE(2, 3) CHECKED NEVER_OK;

/* Adds to an error and returns it; each takes and gives back the same object. */
Status status_with_detail(Status owned_status, const char *format, ...) PRINTF_LIKE(2, 3) CHECKED;
Status status_with_hint(Status owned_status, const char *format, ...) PRINTF_LIKE(2, 3) CHECKED;
Status status_with_context(Status owned_status, const char *format, ...) PRINTF_LIKE(2, 3) CHECKED;
Status status_with_position(Status owned_status, int32_t position) CHECKED; /* keeps an older one */
/* The error's text is part of another, which begins `offset` bytes before it. */
Status status_with_offset(Status owned_status, int32_t offset) CHECKED;
Status status_without_position(Status owned_status) CHECKED; /* of a text the client did not send */
Status status_with_node(Status owned_status, uint32_t node_id) CHECKED;     /* keeps an older one */

/* Reading; strings are borrowed until the status is freed and never null ("" when absent). */
SqlState status_sqlstate(Status status);
const char *status_sqlstate_code(Status status); /* five characters */
const char *status_message(Status status);
const char *status_detail(Status status);
const char *status_hint(Status status);
const char *status_context(Status status);
int32_t status_position(Status status);
uint32_t status_node(Status status); /* 0: this process's leader, or unknown */

/* The code of a state ("42P01") and back; an unknown code gives SQLSTATE_INTERNAL_ERROR. */
const char *sqlstate_code(SqlState state);
SqlState sqlstate_from_code(const char code[5]);

/* A copy with its own life, for an error that several waiters must hear. */
Status status_copy(Status status) CHECKED;
void status_free(Status owned_status); /* STATUS_OK is allowed */
/* Drops an error on purpose; `reason` is for the reader and for the debug log. */
void status_ignore(Status owned_status, const char *reason);
/* Keeps the first of two errors and frees the other. */
Status status_first(Status owned_first, Status owned_second) CHECKED;

#define TRY(call)                                                                                  \
    do {                                                                                           \
        Status try_status_ = (call);                                                               \
        if (try_status_ != STATUS_OK) {                                                            \
            return try_status_;                                                                    \
        }                                                                                          \
    } while (0)

/* Needs a local `Status status`; jumps to the function's one clean-up label on failure. */
#define TRY_OR(label, call)                                                                        \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != STATUS_OK) {                                                                 \
            goto label;                                                                            \
        }                                                                                          \
    } while (0)

/* A broken invariant of our own: prints where and stops the process. Never reachable by input. */
_Noreturn void assert_failed(const char *file, int line, const char *text);
#define ASSERT(condition) ((condition) ? (void)0 : assert_failed(__FILE__, __LINE__, #condition))
#ifdef NDEBUG
#define DEBUG_ASSERT(condition) ((void)0)
#else
#define DEBUG_ASSERT(condition) ASSERT(condition)
#endif
