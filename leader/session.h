/*
 * session.h — one client: its login, its settings, its transaction, its statements.
 *
 * Straight-line code on a session thread: read a message, do it, answer. Other threads only cancel.
 */
#pragma once
#include "base/status.h"

typedef struct Session Session;
struct Leader;

/* Takes the socket. `is_full`: too many connections; the client is told so (53300) and leaves. */
Status session_create(struct Leader *leader, int owned_fd, uint32_t process_id, bool is_full,
                      Session **out) CHECKED;
void session_destroy(Session *session);
Session **session_link(Session *session); /* the server's list */
int session_fd(const Session *session);
/* Serves what has arrived; false when the session has ended. */
bool session_serve(Session *session);
/* How long it may stay parked as it is now, in a transaction; 0: for ever. Its own thread's. */
int64_t session_idle_limit_us(const Session *session);
int64_t *session_parked_until(Session *session); /* the server's; 0: no limit, or not parked */
/* It was parked for too long: the next session_serve ends it with 25P03. */
void session_note_idle_too_long(Session *session);
/* From any thread. */
bool session_has_key(const Session *session, uint32_t process_id, const uint8_t *key,
                     size_t key_bytes);
void session_cancel(Session *session);
void session_shut_down(Session *session);
/* For system tables: what it is and does. */
typedef struct SessionInfo {
    uint32_t process_id;
    char user[128], query[256];
    bool is_running, is_in_transaction;
    int64_t start_us;
} SessionInfo;
void session_info(Session *session, SessionInfo *out);
