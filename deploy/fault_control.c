/* fault_control.c — the thread that serves the socket of fault_control.h. */
#include "deploy/fault_control.h"

#ifdef BASALT_FAULTS

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/thread.h"
#include "deploy/call_paths.h"
#include "deploy/failing_calls.h"

enum { LINE_BYTES_MAX = 1024, POLL_MS = 100, CLIENT_WAIT_S = 5 };

/* Of the process, as the points are. */
static struct {
    Thread thread;
    int listener;
    bool is_open;
    atomic_bool is_stopping;
} control;

/* ---- commands ---- */

static void print_hits(void *object, const FaultPoint *point)
{
    fprintf(object, "%s %lu\n", point->name,
            (unsigned long)__atomic_load_n(&point->hits, __ATOMIC_RELAXED));
}

static const char *const error_names[FAILING_ERROR_COUNT] = {
    [FAILING_ERROR_REFUSED] = "refused",
    [FAILING_ERROR_EIO] = "eio",
    [FAILING_ERROR_LATE] = "late",
    [FAILING_ERROR_FULL] = "full",
};

/* Such as "write 7 on eio" or "write@3f5a 1 once full", or "none"; false when it is no such line.
 */
static bool parse_plan(const char *text, FailingPlan *plan)
{
    char place[40], name[16], mode[8], error[8];
    int call = 0, error_index = 0;
    *plan = (FailingPlan){.notes_paths = strcmp(text, "none") == 0};
    if (plan->notes_paths) {
        return true;
    }
    if (sscanf(text, "%39s %lu %7s %7s", place, &plan->number, mode, error) != 4 ||
        (strcmp(mode, "once") != 0 && strcmp(mode, "on") != 0) ||
        sscanf(place, "%15[a-z_]@%lx", name, &plan->path) < 1) {
        return false;
    }
    while (call < FAILING_CALL_COUNT && strcmp(name, failing_call_name((FailingCall)call)) != 0) {
        call++;
    }
    while (error_index < FAILING_ERROR_COUNT && strcmp(error, error_names[error_index]) != 0) {
        error_index++;
    }
    if (call == FAILING_CALL_COUNT || error_index == FAILING_ERROR_COUNT) {
        return false;
    }
    plan->call = (FailingCall)call;
    plan->goes_on = strcmp(mode, "on") == 0;
    plan->error = (FailingError)error_index;
    return true;
}

static void answer_fail(FILE *answer, const char *text)
{
    FailingPlan plan;
    if (parse_plan(text, &plan)) {
        failing_calls_set(plan);
        fputs("ok\n", answer);
    } else {
        fputs("fail none, or CALL[@PATH] NUMBER once|on refused|eio|late|full\n", answer);
    }
}

static void print_calls(FILE *answer)
{
    for (int call = 0; call < FAILING_CALL_COUNT; call++) {
        for (int error = 0; error < FAILING_ERROR_COUNT; error++) {
            if (failing_call_can((FailingCall)call, (FailingError)error)) {
                fprintf(answer, "%s %s %lu\n", failing_call_name((FailingCall)call),
                        error_names[error], failing_calls_count((FailingCall)call));
            }
        }
    }
}

static void print_path(void *object, uint32_t call, uint64_t path, uint64_t count)
{
    fprintf(object, "%s@%lx %lu\n", failing_call_name((FailingCall)call), path, count);
}

static void print_failures(FILE *answer)
{
    FailingCall first = FAILING_CALL_ALLOC;
    uint64_t failures = failing_calls_failures(&first);
    fprintf(answer, "%lu %s\n", failures, failures > 0 ? failing_call_name(first) : "none");
}

static void answer_line(FILE *answer, const char *line)
{
    if (strncmp(line, "arm ", 4) == 0) {
        Status status = fault_arm(line + 4);
        fprintf(answer, "%s\n", status == STATUS_OK ? "ok" : status_message(status));
        status_free(status);
    } else if (strcmp(line, "disarm") == 0) {
        fault_disarm_all();
        failing_calls_set((FailingPlan){0});
        fputs("ok\n", answer);
    } else if (strcmp(line, "hits") == 0) {
        fault_visit(print_hits, answer);
    } else if (strncmp(line, "fail ", 5) == 0) {
        answer_fail(answer, line + 5);
    } else if (strcmp(line, "calls") == 0) {
        print_calls(answer);
    } else if (strcmp(line, "paths") == 0) {
        if (!call_paths_visit(print_path, answer)) {
            fputs("more than are kept\n", answer);
        }
    } else if (strcmp(line, "failures") == 0) {
        print_failures(answer);
    } else {
        fputs("unknown command\n", answer);
    }
}

static void serve(int client)
{
    struct timeval wait = {.tv_sec = CLIENT_WAIT_S};
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    FILE *stream = fdopen(client, "r+");
    if (stream == NULL) {
        close(client);
        return;
    }
    char line[LINE_BYTES_MAX];
    if (fgets(line, sizeof(line), stream) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        answer_line(stream, line);
    }
    fclose(stream);
}

static void control_main(void *object)
{
    (void)object;
    while (!atomic_load(&control.is_stopping)) {
        struct pollfd wait = {.fd = control.listener, .events = POLLIN};
        if (poll(&wait, 1, POLL_MS) > 0) {
            int client = accept(control.listener, NULL, NULL);
            if (client >= 0) {
                serve(client);
            }
        }
    }
}

/* Calls of the start itself can fail, too. */
static Status fail_from_start(void)
{
    const char *text = getenv("BASALT_FAULT_CALLS");
    FailingPlan plan;
    if (text != NULL) {
        if (!parse_plan(text, &plan)) {
            return status_error(SQLSTATE_INVALID_PARAMETER_VALUE,
                                "BASALT_FAULT_CALLS names no call that can fail");
        }
        failing_calls_set(plan);
    }
    return STATUS_OK;
}

Status fault_control_open(void)
{
    const char *path = getenv("BASALT_FAULT_CONTROL");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path == NULL) {
        return STATUS_OK;
    }
    if (strlen(path) >= sizeof(address.sun_path)) {
        return status_error(SQLSTATE_NAME_TOO_LONG, "path of BASALT_FAULT_CONTROL is too long");
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    unlink(path); // of a process that was killed
    control.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (control.listener < 0 ||
        bind(control.listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(control.listener, 8) != 0) {
        return status_from_errno(errno, "could not listen on \"%s\"", path);
    }
    heap_set_ops(&failing_heap);
    TRY(fail_from_start());
    TRY(thread_start(&control.thread, "fault control", -1, control_main, NULL));
    control.is_open = true;
    return STATUS_OK;
}

FileSystem *fault_control_files(void)
{
    return control.is_open ? failing_files() : NULL;
}

void fault_control_close(void)
{
    if (control.is_open) {
        atomic_store(&control.is_stopping, true);
        thread_join(&control.thread);
        close(control.listener);
        control.is_open = false;
    }
}

static void print_name(void *object, const FaultPoint *point)
{
    (void)object;
    puts(point->name);
}

bool fault_control_print_points(void)
{
    fault_visit(print_name, NULL);
    return true;
}

#else

Status fault_control_open(void)
{
    return STATUS_OK;
}

FileSystem *fault_control_files(void)
{
    return NULL;
}

void fault_control_close(void)
{
}

bool fault_control_print_points(void)
{
    return false;
}

#endif
