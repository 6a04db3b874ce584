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
#include "base/heap.h"
#include "base/thread.h"

enum { LINE_BYTES_MAX = 1024, POLL_MS = 100, CLIENT_WAIT_S = 5 };

/* Of the process, as the points are. */
static struct {
    Thread thread;
    int listener;
    bool is_open;
    atomic_bool is_stopping;
} control;

/* ---- a heap that refuses ---- */

static _Atomic uint64_t heap_calls, heap_refusals;
static _Atomic uint64_t heap_refused_first, heap_refused_last; /* 0: none */

static bool is_refused(void)
{
    // relaxed: a counter; which thread meets the refusal is chance anyway.
    uint64_t call = atomic_fetch_add_explicit(&heap_calls, 1, memory_order_relaxed) + 1;
    uint64_t first = atomic_load_explicit(&heap_refused_first, memory_order_relaxed);
    if (first == 0 || call < first ||
        call > atomic_load_explicit(&heap_refused_last, memory_order_relaxed)) {
        return false;
    }
    atomic_fetch_add_explicit(&heap_refusals, 1, memory_order_relaxed);
    return true;
}

static void *refusing_alloc(size_t bytes)
{
    return is_refused() ? NULL : malloc(bytes);
}

static void *refusing_alloc_zeroed(size_t bytes)
{
    return is_refused() ? NULL : calloc(1, bytes);
}

static void *refusing_alloc_aligned(size_t alignment, size_t bytes)
{
    void *memory = NULL;
    return !is_refused() && posix_memalign(&memory, alignment, bytes) == 0 ? memory : NULL;
}

static void *refusing_realloc(void *memory, size_t bytes)
{
    return is_refused() ? NULL : realloc(memory, bytes);
}

static const HeapOps refusing_heap = {
    .alloc = refusing_alloc,
    .alloc_zeroed = refusing_alloc_zeroed,
    .alloc_aligned = refusing_alloc_aligned,
    .realloc = refusing_realloc,
    .free = free,
};

static void refuse(uint64_t first, uint64_t last)
{
    atomic_store(&heap_refused_first, 0); // nothing is refused while the rest changes
    atomic_store(&heap_calls, 0);
    atomic_store(&heap_refusals, 0);
    atomic_store(&heap_refused_last, last);
    atomic_store(&heap_refused_first, first);
}

/* ---- commands ---- */

static void print_hits(void *object, const FaultPoint *point)
{
    fprintf(object, "%s %lu\n", point->name,
            (unsigned long)__atomic_load_n(&point->hits, __ATOMIC_RELAXED));
}

static void answer_heap(FILE *answer, const char *arguments)
{
    unsigned long call = 0;
    char word[8] = "";
    if (arguments[0] == '\0') {
        fprintf(answer, "%lu %lu\n", (unsigned long)atomic_load(&heap_calls),
                (unsigned long)atomic_load(&heap_refusals));
    } else if (sscanf(arguments, "%lu %7s", &call, word) == 2 &&
               (strcmp(word, "once") == 0 || strcmp(word, "on") == 0)) {
        refuse(call, word[1] == 'n' && word[2] == '\0' ? UINT64_MAX : call);
        fputs("ok\n", answer);
    } else {
        fputs("heap CALL once|on\n", answer);
    }
}

static void answer_line(FILE *answer, const char *line)
{
    if (strncmp(line, "arm ", 4) == 0) {
        Status status = fault_arm(line + 4);
        fprintf(answer, "%s\n", status == STATUS_OK ? "ok" : status_message(status));
        status_free(status);
    } else if (strcmp(line, "disarm") == 0) {
        fault_disarm_all();
        refuse(0, 0);
        fputs("ok\n", answer);
    } else if (strcmp(line, "hits") == 0) {
        fault_visit(print_hits, answer);
    } else if (strncmp(line, "heap", 4) == 0 && (line[4] == '\0' || line[4] == ' ')) {
        answer_heap(answer, line[4] == '\0' ? "" : line + 5);
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
    heap_set_ops(&refusing_heap);
    TRY(thread_start(&control.thread, "fault control", -1, control_main, NULL));
    control.is_open = true;
    return STATUS_OK;
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

void fault_control_close(void)
{
}

bool fault_control_print_points(void)
{
    return false;
}

#endif
