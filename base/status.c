/*
 * status.c — the one error type.
 *
 * A status must be reportable even when memory is gone: building one under a refused allocation
 * gives the preallocated out-of-memory status, which every function here recognises and none frees.
 */
#include "base/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/log.h"

enum { STATUS_TEXT_BYTES_MAX = 8192 }; /* of one text; longer ones are cut at a character */

struct StatusData {
    SqlState state;
    int32_t position;
    uint32_t node;
    char *message, *detail, *hint, *context; /* owned; null: absent */
};

static StatusData out_of_memory_status = {
    .state = SQLSTATE_OUT_OF_MEMORY,
    .position = POSITION_NONE,
    .message = (char *)"out of memory",
};

static const char *const sqlstate_codes[SQLSTATE_COUNT] = {
#define SQLSTATE(name, code, condition) [SQLSTATE_##name] = code,
#include "base/sqlstate.def"
#undef SQLSTATE
};

static Status status_build(int32_t position, SqlState state, const char *format, va_list arguments)
    PRINTF_LIKE(3, 0);
static char *text_format(const char *format, va_list arguments) PRINTF_LIKE(1, 0);
static void text_replace(char **text, const char *format, va_list arguments) PRINTF_LIKE(2, 0);

static bool status_is_fixed(Status status)
{
    return status == STATUS_OK || status == &out_of_memory_status;
}

Status status_error(SqlState state, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    Status status = status_build(POSITION_NONE, state, format, arguments);
    va_end(arguments);
    return status;
}

Status status_at(int32_t position, SqlState state, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    Status status = status_build(position, state, format, arguments);
    va_end(arguments);
    return status;
}

static SqlState state_from_errno(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return SQLSTATE_DISK_FULL;
    case EMFILE:
    case ENFILE:
        return SQLSTATE_INSUFFICIENT_RESOURCES;
    case ENOMEM:
        return SQLSTATE_OUT_OF_MEMORY;
    case ENOENT:
        return SQLSTATE_UNDEFINED_FILE;
    default:
        return SQLSTATE_IO_ERROR;
    }
}

Status status_from_errno(int error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *what = text_format(format, arguments);
    va_end(arguments);
    char buffer[128];
    const char *reason = strerror_r(error, buffer, sizeof buffer);
    Status status = status_error(state_from_errno(error), "%s: %s",
                                 what != NULL ? what : "system call failed", reason);
    heap_free(what);
    return status;
}

Status status_with_detail(Status owned_status, const char *format, ...)
{
    if (!status_is_fixed(owned_status)) {
        va_list arguments;
        va_start(arguments, format);
        text_replace(&owned_status->detail, format, arguments);
        va_end(arguments);
    }
    return owned_status;
}

Status status_with_hint(Status owned_status, const char *format, ...)
{
    if (!status_is_fixed(owned_status)) {
        va_list arguments;
        va_start(arguments, format);
        text_replace(&owned_status->hint, format, arguments);
        va_end(arguments);
    }
    return owned_status;
}

// Contexts pile up from the inside out, one per line, as PostgreSQL prints them.
Status status_with_context(Status owned_status, const char *format, ...)
{
    if (status_is_fixed(owned_status)) {
        return owned_status;
    }
    va_list arguments;
    va_start(arguments, format);
    char *inner = owned_status->context;
    owned_status->context = NULL;
    text_replace(&owned_status->context, format, arguments);
    va_end(arguments);
    if (inner == NULL) {
        return owned_status;
    }
    char *outer = owned_status->context;
    size_t inner_bytes = strlen(inner);
    size_t outer_bytes = outer != NULL ? strlen(outer) : 0;
    char *both = outer != NULL && inner_bytes + outer_bytes < STATUS_TEXT_BYTES_MAX
                     ? heap_alloc(inner_bytes + outer_bytes + 2)
                     : NULL;
    if (both == NULL) {
        owned_status->context = inner; // the innermost says most
        heap_free(outer);
        return owned_status;
    }
    memcpy(both, inner, inner_bytes);
    both[inner_bytes] = '\n';
    memcpy(both + inner_bytes + 1, outer, outer_bytes + 1);
    owned_status->context = both;
    heap_free(inner);
    heap_free(outer);
    return owned_status;
}

Status status_with_position(Status owned_status, int32_t position)
{
    if (!status_is_fixed(owned_status) && owned_status->position == POSITION_NONE) {
        owned_status->position = position;
    }
    return owned_status;
}

Status status_with_offset(Status owned_status, int32_t offset)
{
    if (!status_is_fixed(owned_status) && owned_status->position != POSITION_NONE) {
        owned_status->position += offset;
    }
    return owned_status;
}

Status status_without_position(Status owned_status)
{
    if (!status_is_fixed(owned_status)) {
        owned_status->position = POSITION_NONE;
    }
    return owned_status;
}

Status status_with_node(Status owned_status, uint32_t node_id)
{
    if (!status_is_fixed(owned_status) && owned_status->node == 0) {
        owned_status->node = node_id;
    }
    return owned_status;
}

SqlState status_sqlstate(Status status)
{
    return status == STATUS_OK ? SQLSTATE_SUCCESSFUL_COMPLETION : status->state;
}

const char *status_sqlstate_code(Status status)
{
    return sqlstate_code(status_sqlstate(status));
}

static const char *text_or_empty(const char *text)
{
    return text != NULL ? text : "";
}

const char *status_message(Status status)
{
    return status == STATUS_OK ? "" : text_or_empty(status->message);
}

const char *status_detail(Status status)
{
    return status == STATUS_OK ? "" : text_or_empty(status->detail);
}

const char *status_hint(Status status)
{
    return status == STATUS_OK ? "" : text_or_empty(status->hint);
}

const char *status_context(Status status)
{
    return status == STATUS_OK ? "" : text_or_empty(status->context);
}

int32_t status_position(Status status)
{
    return status == STATUS_OK ? POSITION_NONE : status->position;
}

uint32_t status_node(Status status)
{
    return status == STATUS_OK ? 0 : status->node;
}

const char *sqlstate_code(SqlState state)
{
    ASSERT((unsigned)state < SQLSTATE_COUNT);
    return sqlstate_codes[state];
}

SqlState sqlstate_from_code(const char code[5])
{
    for (unsigned i = 0; i < SQLSTATE_COUNT; i++) {
        if (memcmp(sqlstate_codes[i], code, 5) == 0) {
            return (SqlState)i;
        }
    }
    return SQLSTATE_INTERNAL_ERROR;
}

Status status_copy(Status status)
{
    if (status_is_fixed(status)) {
        return status;
    }
    Status copy = heap_alloc_zeroed(sizeof *copy);
    char *message = copy != NULL ? heap_strdup(text_or_empty(status->message)) : NULL;
    if (message == NULL) {
        heap_free(copy);
        return &out_of_memory_status;
    }
    copy->state = status->state;
    copy->position = status->position;
    copy->node = status->node;
    copy->message = message;
    copy->detail = status->detail != NULL ? heap_strdup(status->detail) : NULL;
    copy->hint = status->hint != NULL ? heap_strdup(status->hint) : NULL;
    copy->context = status->context != NULL ? heap_strdup(status->context) : NULL;
    return copy;
}

void status_free(Status owned_status)
{
    if (status_is_fixed(owned_status)) {
        return;
    }
    heap_free(owned_status->message);
    heap_free(owned_status->detail);
    heap_free(owned_status->hint);
    heap_free(owned_status->context);
    heap_free(owned_status);
}

void status_ignore(Status owned_status, const char *reason)
{
    if (owned_status == STATUS_OK) {
        return;
    }
    log_debug("status_ignored", "reason=\"%s\" sqlstate=%s message=\"%s\"", reason,
              status_sqlstate_code(owned_status), status_message(owned_status));
    status_free(owned_status);
}

Status status_first(Status owned_first, Status owned_second)
{
    if (owned_first == STATUS_OK) {
        return owned_second;
    }
    status_free(owned_second);
    return owned_first;
}

void assert_failed(const char *file, int line, const char *text)
{
    char message[512];
    int length = snprintf(message, sizeof message, "basalt: broken invariant at %s:%d: %s\n", file,
                          line, text);
    size_t bytes = length < 0 ? 0 : (size_t)length;
    if (bytes >= sizeof message) {
        bytes = sizeof message - 1;
    }
    // The process is stopping: nobody could act on a failed write.
    ssize_t written = write(STDERR_FILENO, message, bytes);
    (void)written;
    abort();
}

static Status status_build(int32_t position, SqlState state, const char *format, va_list arguments)
{
    ASSERT((unsigned)state < SQLSTATE_COUNT); // 00000 is that of notices
    Status status = heap_alloc_zeroed(sizeof *status);
    char *message = status != NULL ? text_format(format, arguments) : NULL;
    if (message == NULL) {
        heap_free(status);
        return &out_of_memory_status;
    }
    status->state = state;
    status->position = position < 0 ? POSITION_NONE : position;
    status->message = message;
    return status;
}

// Formats into heap memory; null when refused. Over-long text is cut before a UTF-8 lead byte.
static char *text_format(const char *format, va_list arguments)
{
    va_list measured;
    va_copy(measured, arguments);
    int length = vsnprintf(NULL, 0, format, measured);
    va_end(measured);
    size_t bytes = length < 0 ? 0 : (size_t)length;
    bool is_cut = bytes > STATUS_TEXT_BYTES_MAX;
    if (is_cut) {
        bytes = STATUS_TEXT_BYTES_MAX;
    }
    char *text = heap_alloc(bytes + 1);
    if (text == NULL) {
        return NULL;
    }
    text[0] = '\0';
    vsnprintf(text, bytes + 1, format, arguments);
    if (is_cut) {
        // The cut may have split a character: drop its bytes back to and including its lead.
        size_t end = bytes;
        while (end > 0 && bytes - end < 3 && ((unsigned char)text[end - 1] & 0xC0u) == 0x80u) {
            end--;
        }
        if (end > 0 && (unsigned char)text[end - 1] >= 0xC0u) {
            end--;
        }
        text[end] = '\0';
    }
    return text;
}

// Memory refused for an addition costs the addition, never the error itself.
static void text_replace(char **text, const char *format, va_list arguments)
{
    char *replacement = text_format(format, arguments);
    if (replacement != NULL) {
        heap_free(*text);
        *text = replacement;
    }
}
