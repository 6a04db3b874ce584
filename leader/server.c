/* server.c — the epoll thread, the pool of session threads, the table of sessions. */
#include "leader/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/queue.h"
#include "base/thread.h"
#include "leader/leader_internal.h"
#include "leader/session.h"

#define EVENTS_MAX 64
#define LISTEN_BACKLOG 512
#define THREADS_MAX 4096
#define POLL_WAIT_US 1000000

struct Server {
    struct Leader *leader;
    int listen_fd, epoll_fd, wake_fd;
    uint16_t port;
    uint32_t connections_max, threads_max;
    Queue *ready; /* sessions with input */
    Thread poll_thread;
    bool is_stopping; /* atomic */
    Mutex mutex;      /* guards what follows */
    Condition left;
    Session *sessions;
    uint32_t session_count;
    uint32_t next_process_id;
    uint32_t limited_count; /* sessions parked with a limit */
    struct SessionThread {
        Server *server;
        Thread thread;
        bool has_ended; /* or ends at once */
    } * threads;        /* room for the sessions that wait, too */
    uint32_t thread_count, ended_count, waiting_count;
};

static Status open_listener(Server *server, const ServerOptions *options)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    char port[8];
    snprintf(port, sizeof(port), "%u", options->port);
    int error = getaddrinfo(options->address, port, &hints, &list);
    if (error != 0) {
        return status_error(SQLSTATE_CONFIG_FILE_ERROR, "cannot listen on \"%s\": %s",
                            options->address, gai_strerror(error));
    }
    Status status = STATUS_OK;
    int one = 1;
    server->listen_fd = socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server->listen_fd < 0 ||
        setsockopt(server->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        bind(server->listen_fd, list->ai_addr, list->ai_addrlen) != 0 ||
        listen(server->listen_fd, LISTEN_BACKLOG) != 0) {
        status = status_from_errno(errno, "could not listen on %s port %u", options->address,
                                   options->port);
    }
    freeaddrinfo(list);
    TRY(status);
    struct sockaddr_storage bound;
    socklen_t bytes = sizeof(bound);
    if (getsockname(server->listen_fd, (struct sockaddr *)&bound, &bytes) != 0) {
        return status_from_errno(errno, "could not read the listening address");
    }
    server->port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                                     : ((struct sockaddr_in *)&bound)->sin_port);
    return STATUS_OK;
}

static Status watch(Server *server, int fd, void *object, uint32_t events, int operation)
{
    struct epoll_event event = {.events = events, .data = {.ptr = object}};
    if (epoll_ctl(server->epoll_fd, operation, fd, &event) != 0) {
        return status_from_errno(errno, "could not watch a socket");
    }
    return STATUS_OK;
}

/* The epoll thread looks at what has changed. */
static void wake(Server *server)
{
    uint64_t one = 1;
    if (server->wake_fd >= 0 && write(server->wake_fd, &one, sizeof(one)) < 0) {
        log_warn("wake_failed", "reason=\"%s\"", strerror(errno)); // it looks every second anyway
    }
}

/* ---- sessions ---- */

static void remove_session(Server *server, Session *session)
{
    mutex_lock(&server->mutex);
    Session **slot = &server->sessions;
    while (*slot != session) {
        slot = session_link(*slot);
    }
    *slot = *session_link(session);
    server->session_count--;
    condition_broadcast(&server->left);
    mutex_unlock(&server->mutex);
    session_destroy(session);
}

static void accept_one(Server *server, int fd)
{
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); // fails for other sockets: fine
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    Session *session = NULL;
    mutex_lock(&server->mutex);
    bool is_full = server->session_count >= server->connections_max;
    uint32_t process_id = ++server->next_process_id;
    mutex_unlock(&server->mutex);
    Status status = session_create(server->leader, fd, process_id, is_full, &session);
    if (status != STATUS_OK) {
        log_status(LOG_WARN, "connection_refused", status);
        status_free(status);
        return;
    }
    mutex_lock(&server->mutex);
    *session_link(session) = server->sessions;
    server->sessions = session;
    server->session_count++;
    mutex_unlock(&server->mutex);
    status = watch(server, fd, session, EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, EPOLL_CTL_ADD);
    if (status != STATUS_OK) {
        log_status(LOG_WARN, "connection_refused", status);
        status_free(status);
        remove_session(server, session);
    }
}

static void accept_all(Server *server)
{
    for (;;) {
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE) {
                log_warn("connection_refused", "reason=\"%s\"", strerror(errno));
                usleep(10000);
            }
            return;
        }
        accept_one(server, fd);
    }
}

/* ---- sessions that wait in epoll ---- */

static void make_ready(Server *server, Session *session)
{
    while (!queue_push(server->ready, session, 1000000) && !queue_is_closed(server->ready)) {
    }
}

/* A parked session's input has come, or its limit: it is parked no longer. */
static void unpark(Server *server, Session *session)
{
    mutex_lock(&server->mutex);
    server->limited_count -= *session_parked_until(session) != 0;
    *session_parked_until(session) = 0;
    mutex_unlock(&server->mutex);
    make_ready(server, session);
}

static Status park(Server *server, Session *session)
{
    const int64_t limit_us = session_idle_limit_us(session);
    const uint32_t events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT;
    // No event is handled before this thread has let go of the session, and its limit is known.
    mutex_lock(&server->mutex);
    Status status = watch(server, session_fd(session), session, events, EPOLL_CTL_MOD);
    if (status == STATUS_OK && limit_us > 0) {
        *session_parked_until(session) = clock_monotonic_us() + limit_us;
        server->limited_count++;
    }
    mutex_unlock(&server->mutex);
    if (limit_us > 0) {
        wake(server);
    }
    return status;
}

/* Ends those whose limit has come; how long to wait for the next, in ms. */
static int end_idle(Server *server)
{
    int64_t wait_us = POLL_WAIT_US;
    const int64_t now = clock_monotonic_us();
    mutex_lock(&server->mutex);
    for (Session *s = server->limited_count == 0 ? NULL : server->sessions; s != NULL;
         s = *session_link(s)) {
        int64_t *until = session_parked_until(s);
        if (*until == 0) {
            continue;
        }
        if (*until > now) {
            wait_us = *until - now < wait_us ? *until - now : wait_us;
            continue;
        }
        // Only this thread hears of its events: after this there are none.
        epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, session_fd(s), NULL);
        *until = 0;
        server->limited_count--;
        session_note_idle_too_long(s);
        make_ready(server, s);
    }
    mutex_unlock(&server->mutex);
    return (int)((wait_us + 999) / 1000);
}

static void poll_main(void *object)
{
    Server *server = object;
    struct epoll_event events[EVENTS_MAX];
    while (!__atomic_load_n(&server->is_stopping, __ATOMIC_ACQUIRE)) {
        int count = epoll_wait(server->epoll_fd, events, EVENTS_MAX, end_idle(server));
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == server) {
                accept_all(server);
            } else if (events[i].data.ptr != NULL) {
                unpark(server, events[i].data.ptr);
            } else {
                uint64_t wakes = 0;
                (void)!read(server->wake_fd, &wakes, sizeof(wakes)); // fails when there are none
            }
        }
    }
}

/* ---- session threads ---- */

/* Whether more serve than are to, since somebody's wait has ended. */
static bool is_superfluous(Server *server, struct SessionThread *self)
{
    mutex_lock(&server->mutex);
    const uint32_t serving = server->thread_count - server->ended_count - server->waiting_count;
    self->has_ended = serving > server->threads_max;
    server->ended_count += self->has_ended;
    mutex_unlock(&server->mutex);
    return self->has_ended;
}

static void session_main(void *object)
{
    struct SessionThread *self = object;
    Server *server = self->server;
    while (!is_superfluous(server, self)) {
        Session *session = queue_pop(server->ready, 1000000);
        if (session == NULL) {
            if (queue_is_closed(server->ready)) {
                return;
            }
            continue;
        }
        bool is_open = session_serve(session);
        thread_set_context(0, 0);
        if (is_open && !__atomic_load_n(&server->is_stopping, __ATOMIC_ACQUIRE)) {
            Status status = park(server, session);
            if (status == STATUS_OK) {
                continue;
            }
            status_ignore(status, "a session that cannot be watched is closed");
        }
        remove_session(server, session);
    }
}

/* One more; the mutex is held, or nobody else knows the server yet. */
static Status start_thread(Server *server)
{
    uint32_t slot = 0;
    while (slot < server->thread_count && !server->threads[slot].has_ended) {
        slot++;
    }
    struct SessionThread *thread = &server->threads[slot];
    const bool is_new = slot == server->thread_count;
    thread_join(&thread->thread); // it has ended, or does so now
    *thread = (struct SessionThread){.server = server};
    TRY(thread_start(&thread->thread, "session", -1, session_main, thread));
    server->thread_count += is_new;
    server->ended_count -= !is_new;
    return STATUS_OK;
}

void server_begin_wait(Server *server)
{
    Status status = STATUS_OK;
    mutex_lock(&server->mutex);
    server->waiting_count++;
    const uint32_t serving = server->thread_count - server->ended_count - server->waiting_count;
    // Who stops the server joins the threads there are.
    if (!__atomic_load_n(&server->is_stopping, __ATOMIC_ACQUIRE) && serving < server->threads_max &&
        server->thread_count - server->ended_count <
            server->threads_max + server->connections_max) {
        status = start_thread(server);
    }
    mutex_unlock(&server->mutex);
    if (status != STATUS_OK) { // one thread less serves the others
        log_status(LOG_WARN, "no_session_thread", status);
        status_free(status);
    }
}

void server_end_wait(Server *server)
{
    mutex_lock(&server->mutex);
    server->waiting_count--;
    mutex_unlock(&server->mutex);
}

Status server_create(const ServerOptions *options, Server **out)
{
    Server *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for the server");
    }
    server->leader = options->leader;
    server->connections_max = options->connections_max;
    server->threads_max = options->session_threads;
    server->listen_fd = server->epoll_fd = server->wake_fd = -1;
    mutex_init(&server->mutex, MUTEX_RANK_SERVER);
    condition_init(&server->left);
    server->ready = queue_create("sessions", options->connections_max + 1);
    Status status = open_listener(server, options);
    if (status == STATUS_OK) {
        server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        server->threads = calloc((size_t)options->session_threads + options->connections_max,
                                 sizeof(*server->threads));
        if (server->epoll_fd < 0 || server->wake_fd < 0 || server->threads == NULL) {
            status = status_from_errno(errno, "could not start the server");
        }
    }
    if (status == STATUS_OK) {
        status = watch(server, server->listen_fd, server, EPOLLIN, EPOLL_CTL_ADD);
    }
    if (status == STATUS_OK) {
        status = watch(server, server->wake_fd, NULL, EPOLLIN, EPOLL_CTL_ADD);
    }
    if (status != STATUS_OK) {
        server_destroy(server);
        return status;
    }
    *out = server;
    return STATUS_OK;
}

Status server_start(Server *server)
{
    for (uint32_t i = 0; i < server->threads_max; i++) {
        mutex_lock(&server->mutex);
        Status status = start_thread(server);
        mutex_unlock(&server->mutex);
        TRY(status);
    }
    return thread_start(&server->poll_thread, "listen", -1, poll_main, server);
}

void server_destroy(Server *server)
{
    if (server == NULL) {
        return;
    }
    __atomic_store_n(&server->is_stopping, true, __ATOMIC_RELEASE);
    wake(server);
    thread_join(&server->poll_thread);
    mutex_lock(&server->mutex);
    for (Session *s = server->sessions; s != NULL; s = *session_link(s)) {
        session_shut_down(s);
    }
    mutex_unlock(&server->mutex);
    queue_close(server->ready);
    for (uint32_t i = 0; i < server->thread_count; i++) {
        thread_join(&server->threads[i].thread);
    }
    while (server->sessions != NULL) { // parked ones
        remove_session(server, server->sessions);
    }
    if (server->listen_fd >= 0) {
        close(server->listen_fd);
    }
    if (server->epoll_fd >= 0) {
        close(server->epoll_fd);
    }
    if (server->wake_fd >= 0) {
        close(server->wake_fd);
    }
    free(server->threads);
    queue_destroy(server->ready);
    condition_deinit(&server->left);
    mutex_deinit(&server->mutex);
    free(server);
}

uint16_t server_port(const Server *server)
{
    return server->port;
}

void server_cancel(Server *server, uint32_t process_id, const uint8_t *key, size_t key_bytes)
{
    mutex_lock(&server->mutex);
    for (Session *s = server->sessions; s != NULL; s = *session_link(s)) {
        if (session_has_key(s, process_id, key, key_bytes)) {
            session_cancel(s);
        }
    }
    mutex_unlock(&server->mutex);
}

uint32_t server_session_count(Server *server)
{
    mutex_lock(&server->mutex);
    uint32_t count = server->session_count;
    mutex_unlock(&server->mutex);
    return count;
}

void server_visit_sessions(Server *server, void (*visit)(void *object, Session *session),
                           void *object)
{
    mutex_lock(&server->mutex);
    for (Session *s = server->sessions; s != NULL; s = *session_link(s)) {
        visit(object, s);
    }
    mutex_unlock(&server->mutex);
}
