/*
 * server.h — connections: accepts them, parks idle sessions in epoll, lends busy ones a thread.
 *
 * A session costs a thread only while it has something to do: when its input has been served, it
 * goes back to epoll. The listening socket is served by the same epoll thread, which also ends
 * sessions that are parked in a transaction for longer than they may.
 */
#pragma once
#include "base/status.h"

typedef struct Server Server;
typedef struct Session Session;
struct Leader;

typedef struct ServerOptions {
    struct Leader *leader;
    const char *address;
    uint16_t port;
    uint32_t session_threads, connections_max;
} ServerOptions;

/* Listens; nobody is served yet. */
Status server_create(const ServerOptions *options, Server **out) CHECKED;
/* Starts the threads: from here on sessions find the server through the leader. */
Status server_start(Server *server) CHECKED;
void server_destroy(Server *server);
uint16_t server_port(const Server *server);
/* CancelRequest: finds the session and cancels its statement; a wrong key does nothing. */
void server_cancel(Server *server, uint32_t process_id, const uint8_t *key, size_t key_bytes);
/* A session thread waits for another session, or goes on: as many threads as there are for
 * statements serve others meanwhile, so that those can end what it waits for. */
void server_begin_wait(Server *server);
void server_end_wait(Server *server);
uint32_t server_session_count(Server *server);
/* Calls `visit` for each session, under the server's mutex. */
void server_visit_sessions(Server *server, void (*visit)(void *object, Session *session),
                           void *object);
