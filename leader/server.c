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

#include "base/log.h"
#include "base/mutex.h"
#include "base/queue.h"
#include "base/thread.h"
#include "leader/leader_internal.h"
#include "leader/session.h"

#define EVENTS_MAX 64
#define LISTEN_BACKLOG 512
#define THREADS_MAX 4096
#define STOP_WAIT_US 10000000

struct Server {
    struct Leader *leader;
    int listen_fd, epoll_fd, wake_fd;
    uint16_t port;
    uint32_t connections_max, threads_max, thread_count;
    Queue *ready; /* sessions with input */
    Thread poll_thread;
    Thread *threads;
    bool is_stopping; /* atomic */
    uint64_t parking; /* atomic: a session's state passes from its thread to the next through it */
    Mutex mutex;      /* guards the list */
    Condition left;
    Session *sessions;
    uint32_t session_count;
    uint32_t next_process_id;
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

static void poll_main(void *object)
{
    Server *server = object;
    struct epoll_event events[EVENTS_MAX];
    while (!__atomic_load_n(&server->is_stopping, __ATOMIC_ACQUIRE)) {
        int count = epoll_wait(server->epoll_fd, events, EVENTS_MAX, 1000);
        // Acquire: the kernel orders a session's parking before its event, the language does not.
        (void)__atomic_load_n(&server->parking, __ATOMIC_ACQUIRE);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == server) {
                accept_all(server);
            } else if (events[i].data.ptr != NULL) {
                Session *session = events[i].data.ptr;
                while (!queue_push(server->ready, session, 1000000) &&
                       !queue_is_closed(server->ready)) {
                }
            }
        }
    }
}

static void session_main(void *object)
{
    Server *server = object;
    for (;;) {
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
            __atomic_fetch_add(&server->parking, 1, __ATOMIC_RELEASE); // what was done so far
            Status status = watch(server, session_fd(session), session,
                                  EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, EPOLL_CTL_MOD);
            if (status == STATUS_OK) {
                continue;
            }
            status_ignore(status, "a session that cannot be watched is closed");
        }
        remove_session(server, session);
    }
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
        server->threads = calloc(options->session_threads, sizeof(*server->threads));
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
        TRY(thread_start(&server->threads[i], "session", -1, session_main, server));
        server->thread_count++;
    }
    return thread_start(&server->poll_thread, "listen", -1, poll_main, server);
}

void server_destroy(Server *server)
{
    if (server == NULL) {
        return;
    }
    __atomic_store_n(&server->is_stopping, true, __ATOMIC_RELEASE);
    uint64_t one = 1;
    if (server->wake_fd >= 0 && write(server->wake_fd, &one, sizeof(one)) < 0) {
        log_warn("wake_failed", "reason=\"%s\"", strerror(errno)); // it looks every second anyway
    }
    thread_join(&server->poll_thread);
    mutex_lock(&server->mutex);
    for (Session *s = server->sessions; s != NULL; s = *session_link(s)) {
        session_shut_down(s);
    }
    mutex_unlock(&server->mutex);
    queue_close(server->ready);
    for (uint32_t i = 0; i < server->thread_count; i++) {
        thread_join(&server->threads[i]);
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
