/* session.c — from the first byte of a client to its last: login, messages, errors. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/thread.h"
#include "leader/session_internal.h"
#include "leader/setting_check.h"
#include "protocol/pgwire/startup.h"

#define SERVER_VERSION "8.0.2" /* what Redshift reports: drivers choose their ways by it */

ByteBuffer *session_output(Session *session)
{
    return pg_connection_output(session->connection);
}

Status session_flush(Session *session)
{
    return pg_connection_flush(session->connection, clock_monotonic_us() + CLIENT_WRITE_TIMEOUT_US);
}

/* A cancel ends a statement. One that arrives when none runs (it came late, as cancels may) must
 * not end the wait for the client: both waits go on where they were. */
static bool is_late_cancel(Session *session, Status status)
{
    if (status == STATUS_OK || status_sqlstate(status) != SQLSTATE_QUERY_CANCELED) {
        return false;
    }
    pg_connection_clear_interrupts(session->connection, PG_INTERRUPT_CANCEL | PG_INTERRUPT_TIMEOUT);
    return true;
}

/* Sends the end of an answer. */
static Status flush_answer(Session *session)
{
    Status status = session_flush(session);
    while (is_late_cancel(session, status)) {
        status_ignore(status, "the statement has ended already");
        status = session_flush(session);
    }
    return status;
}

static Status next_message(Session *session, PgMessage *message, bool *is_closed)
{
    int64_t deadline = clock_monotonic_us() + CLIENT_MESSAGE_TIMEOUT_US;
    pg_connection_clear_interrupts(session->connection, PG_INTERRUPT_CANCEL | PG_INTERRUPT_TIMEOUT);
    Status status = pg_reader_next(&session->reader, deadline, message, is_closed);
    while (is_late_cancel(session, status)) {
        status_ignore(status, "no statement has begun yet");
        status = pg_reader_next(&session->reader, deadline, message, is_closed);
    }
    return status;
}

Session **session_link(Session *session)
{
    return &session->next;
}

int session_fd(const Session *session)
{
    return pg_connection_fd(session->connection);
}

int64_t *session_parked_until(Session *session)
{
    return &session->parked_until_us;
}

int64_t session_idle_limit_us(const Session *session)
{
    return session->is_logged_in && session->txn.state != TXN_IDLE && session->txn.is_explicit
               ? setting_integer(session->settings, SETTING_IDLE_IN_TRANSACTION_TIMEOUT) * 1000
               : 0;
}

void session_note_idle_too_long(Session *session)
{
    session->is_idle_too_long = true;
}

Status session_create(struct Leader *leader, int owned_fd, uint32_t process_id, bool is_full,
                      Session **out)
{
    PgConnection *connection = NULL;
    TRY(pg_connection_open(owned_fd, &connection));
    Session *session = calloc(1, sizeof(*session));
    if (session == NULL) {
        pg_connection_close(connection);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a session");
    }
    session->leader = leader;
    session->connection = connection;
    session->process_id = process_id;
    session->is_full = is_full;
    session->arena = arena_create(NULL, "session");
    session->statement_deadline_us = INT64_MAX;
    snprintf(session->temporary_schema, sizeof(session->temporary_schema), "pg_temp_%lu_%u",
             (unsigned long)commit_log_epoch(leader->log), process_id);
    pg_reader_init(&session->reader, connection);
    mutex_init(&session->mutex, MUTEX_RANK_SESSION);
    txn_init(&session->txn, leader->log, leader->nodes);
    session->txn.gate = &leader->change_gate;
    session->txn.locks = leader->table_locks;
    session->txn.lock_owner.process_id = process_id;
    Status status = crypto_random(session->cancel_key, sizeof(session->cancel_key));
    if (status != STATUS_OK) {
        session_destroy(session);
        return status;
    }
    *out = session;
    return STATUS_OK;
}

void session_destroy(Session *session)
{
    portal_drop_all(session);
    prepared_drop(session, NULL);
    if (session->is_logged_in) {
        ddl_end_temporary(session);
    }
    txn_deinit(&session->txn);
    setting_set_destroy(session->settings);
    setting_set_destroy(session->defaults);
    pg_connection_close(session->connection);
    mutex_deinit(&session->mutex);
    arena_destroy(session->arena);
    free(session);
}

void session_report(Session *session, Status owned_status, const char *text)
{
    pg_writer_status(session_output(session), PG_SEVERITY_ERROR, owned_status, text);
    status_free(owned_status);
}

static bool wants_notice(const Session *session, PgSeverity severity)
{
    const char *least = setting_text(session->settings, SETTING_CLIENT_MIN_MESSAGES);
    bool is_warning = severity == PG_SEVERITY_WARNING;
    return strcmp(least, "error") != 0 && (is_warning || strcmp(least, "warning") != 0);
}

void session_notice(Session *session, PgSeverity severity, const char *format, ...)
{
    if (!wants_notice(session, severity)) {
        return;
    }
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    Status notice = status_error(severity == PG_SEVERITY_WARNING ? SQLSTATE_WARNING
                                                                 : SQLSTATE_SUCCESSFUL_COMPLETION,
                                 "%s", text);
    pg_writer_status(session_output(session), severity, notice, NULL);
    status_free(notice);
}

/* ---- login ---- */

static void report_fatal(Session *session, Status owned_status)
{
    pg_writer_status(session_output(session), PG_SEVERITY_FATAL, owned_status, NULL);
    status_free(owned_status);
    status_ignore(session_flush(session), "the client may be gone already");
}

/* Settings clients are told at login and when they change. */
static const SettingId reported[] = {
    SETTING_CLIENT_ENCODING, SETTING_DATESTYLE,        SETTING_TIMEZONE,
    SETTING_INTERVALSTYLE,   SETTING_APPLICATION_NAME, SETTING_STANDARD_CONFORMING_STRINGS,
};
static const char *const reported_names[] = {
    "client_encoding", "DateStyle",        "TimeZone",
    "IntervalStyle",   "application_name", "standard_conforming_strings",
};

void session_send_parameter(Session *session, SettingId id)
{
    for (size_t i = 0; i < sizeof(reported) / sizeof(*reported); i++) {
        if (reported[i] == id) {
            pg_writer_parameter_status(session_output(session), reported_names[i],
                                       setting_text(session->settings, id));
        }
    }
}

static Status apply_startup_settings(Session *session, const StartupRequest *request)
{
    session->settings = setting_set_create(session->leader->host->settings);
    if (session->settings == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for the session's settings");
    }
    for (uint32_t i = 0; i < request->setting_count; i++) {
        const StartupSetting *setting = &request->settings[i];
        Status status = setting_set_checked(session->settings, setting->name, setting->value);
        SqlState reason =
            status == STATUS_OK ? SQLSTATE_SUCCESSFUL_COMPLETION : status_sqlstate(status);
        bool is_not_ours = reason == SQLSTATE_UNDEFINED_OBJECT ||
                           reason == SQLSTATE_FEATURE_NOT_SUPPORTED; // such as the client's zone
        if (is_not_ours && !setting->is_from_options) {
            status_ignore(status, "drivers send what only other servers have; they are told ours");
        } else if (status != STATUS_OK) {
            return status;
        }
    }
    session->defaults = setting_set_create(session->settings);
    return session->defaults != NULL
               ? STATUS_OK
               : status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for the session's settings");
}

static Status authenticate(Session *session, const StartupRequest *request, int64_t deadline_us)
{
    ScramVerifier verifier;
    uint64_t position = 0;
    CatalogVersion *catalog = commit_log_snapshot(session->leader->log, &position);
    const UserEntry *user = catalog_version_user(catalog, request->user);
    if (user == NULL || !scram_verifier_parse(user->verifier, &verifier)) {
        scram_verifier_fake(&verifier, commit_log_secret(session->leader->log), 32, request->user);
    }
    session->is_superuser = user != NULL && user->is_superuser;
    catalog_version_unpin(catalog);
    TRY(startup_authenticate(&session->reader, &verifier, request->user, session->arena,
                             deadline_us));
    // Clients that name no database ask for one named like the user.
    bool is_default = strcmp(request->database, request->user) == 0;
    if (strcmp(request->database, session->leader->database) != 0 && !is_default) {
        return status_error(SQLSTATE_INVALID_CATALOG_NAME, "database \"%s\" does not exist",
                            request->database);
    }
    return STATUS_OK;
}

static void welcome(Session *session, const StartupRequest *request)
{
    ByteBuffer *out = session_output(session);
    const char *user = arena_strdup(session->arena, request->user);
    mutex_lock(&session->mutex);
    session->user = user;
    mutex_unlock(&session->mutex);
    session->database = session->leader->database;
    pg_writer_parameter_status(out, "server_version", SERVER_VERSION);
    pg_writer_parameter_status(out, "server_encoding", "UTF8");
    pg_writer_parameter_status(out, "integer_datetimes", "on");
    pg_writer_parameter_status(out, "is_superuser", session->is_superuser ? "on" : "off");
    pg_writer_parameter_status(out, "session_authorization", session->user);
    for (size_t i = 0; i < sizeof(reported) / sizeof(*reported); i++) {
        session_send_parameter(session, reported[i]);
    }
    pg_writer_backend_key_data(out, session->process_id, session->cancel_key,
                               sizeof(session->cancel_key));
    pg_writer_ready_for_query(out, PG_TXN_IDLE);
    session->is_logged_in = true;
}

/* False when the connection is to be closed. */
static bool log_in(Session *session)
{
    int64_t deadline = clock_monotonic_us() + LOGIN_TIMEOUT_US;
    StartupRequest request;
    Status status = startup_receive(&session->reader, NULL, session->arena, deadline, &request);
    if (status == STATUS_OK && request.kind == STARTUP_CANCEL) {
        server_cancel(session->leader->server, request.process_id, request.cancel_key,
                      request.cancel_key_bytes);
        return false;
    }
    if (status == STATUS_OK && request.kind == STARTUP_CLOSED) {
        return false;
    }
    if (status == STATUS_OK && session->is_full) {
        status = status_error(SQLSTATE_TOO_MANY_CONNECTIONS, "too many connections");
    }
    if (status == STATUS_OK) {
        status = authenticate(session, &request, deadline);
    }
    if (status == STATUS_OK) {
        status = apply_startup_settings(session, &request);
    }
    if (status == STATUS_OK) {
        welcome(session, &request);
        status = session_flush(session);
    }
    if (status != STATUS_OK) {
        report_fatal(session, status);
        return false;
    }
    return true;
}

/* ---- messages ---- */

static PgTxnState wire_state(const Session *session)
{
    if (session->txn.state == TXN_FAILED) {
        return PG_TXN_FAILED;
    }
    return session->txn.state == TXN_OPEN && session->txn.is_explicit ? PG_TXN_OPEN : PG_TXN_IDLE;
}

/* Sync: ends an implicit transaction and the skipping after an error. */
static void sync(Session *session)
{
    if (session->txn.state == TXN_OPEN && !session->txn.is_explicit) {
        portal_drop_all(session);
        Status status = session->is_skipping ? STATUS_OK : txn_commit(&session->txn);
        if (session->is_skipping) {
            txn_rollback(&session->txn);
        }
        if (status != STATUS_OK) {
            session_report(session, status, NULL);
        }
    }
    session->is_skipping = false;
    mutex_lock(&session->mutex);
    session->is_in_transaction = session->txn.state != TXN_IDLE;
    mutex_unlock(&session->mutex);
}

static Status extended_message(Session *session, const PgMessage *message)
{
    switch (message->type) {
    case PG_FRONTEND_PARSE:
        return session_parse(session, message);
    case PG_FRONTEND_BIND:
        return session_bind(session, message);
    case PG_FRONTEND_DESCRIBE:
        return session_describe(session, message);
    case PG_FRONTEND_EXECUTE:
        return session_execute(session, message);
    case PG_FRONTEND_CLOSE:
        return session_close(session, message);
    default:
        return status_error(SQLSTATE_PROTOCOL_VIOLATION, "unexpected message %s",
                            pg_frontend_title(message->type));
    }
}

/* True while the session goes on. Errors that leave the protocol in step were reported already. */
static bool handle_message(Session *session, const PgMessage *message)
{
    PgQuery query;
    Status status = STATUS_OK;
    switch (message->type) {
    case PG_FRONTEND_TERMINATE:
        return false;
    case PG_FRONTEND_SYNC:
        sync(session);
        pg_writer_ready_for_query(session_output(session), wire_state(session));
        break;
    case PG_FRONTEND_FLUSH:
        break;
    case PG_FRONTEND_QUERY:
        session->is_skipping = false;
        status = pg_decode_query(message->body, message->bytes, &query);
        if (status == STATUS_OK) {
            session_simple_query(session, query.text, query.text_bytes);
        } else {
            txn_fail(&session->txn);
            session_report(session, status, NULL);
        }
        pg_writer_ready_for_query(session_output(session), wire_state(session));
        break;
    case PG_FRONTEND_FUNCTION_CALL:
        status = pg_decode_function_call(message->body, message->bytes);
        txn_fail(&session->txn);
        session_report(session, status, NULL);
        pg_writer_ready_for_query(session_output(session), wire_state(session));
        break;
    default:
        if (session->is_skipping) {
            return true;
        }
        status = extended_message(session, message);
        if (status != STATUS_OK) {
            session->is_skipping = true;
            txn_fail(&session->txn);
            session_report(session, status, NULL);
        }
        return true; // answers wait for Flush or Sync, or a full buffer
    }
    status = flush_answer(session);
    if (status != STATUS_OK) {
        status_ignore(status, "the client is gone");
        return false;
    }
    return true;
}

bool session_serve(Session *session)
{
    if (!session->is_logged_in && !log_in(session)) {
        return false;
    }
    if (session->is_idle_too_long) {
        report_fatal(session, status_error(SQLSTATE_IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
                                           "terminating connection due to idle-in-transaction "
                                           "timeout"));
        return false;
    }
    thread_set_context(0, 0);
    for (;;) {
        if (pg_connection_interrupts(session->connection) & PG_INTERRUPT_SHUTDOWN) {
            report_fatal(session,
                         status_error(SQLSTATE_ADMIN_SHUTDOWN,
                                      "terminating connection due to administrator command"));
            return false;
        }
        PgMessage message;
        bool is_closed = false;
        pg_reader_release(&session->reader); // what was handled is no input any more
        if (!pg_reader_has_message(&session->reader) &&
            !pg_connection_has_input(session->connection)) {
            // One look at the socket without waiting: nothing there parks the session.
            Status probe =
                pg_connection_fill(session->connection, 1, clock_monotonic_us(), &is_closed);
            if (is_closed) {
                status_ignore(probe, "the client has closed");
                return false;
            }
            if (probe != STATUS_OK) {
                status_ignore(probe, "no input yet: back to epoll");
                pg_connection_trim(session->connection);
                return !pg_connection_has_hung_up(session->connection);
            }
        }
        Status status = next_message(session, &message, &is_closed);
        if (status != STATUS_OK) {
            report_fatal(session, status);
            return false;
        }
        if (is_closed || !handle_message(session, &message)) {
            return false;
        }
    }
}

/* ---- from other threads ---- */

bool session_has_key(const Session *session, uint32_t process_id, const uint8_t *key,
                     size_t key_bytes)
{
    return session->process_id == process_id && key_bytes == sizeof(session->cancel_key) &&
           crypto_equal(key, session->cancel_key, key_bytes);
}

static void cancel_running(Session *session, Status owned_reason)
{
    mutex_lock(&session->mutex);
    if (session->running != NULL) {
        distributed_query_cancel(session->running, status_copy(owned_reason));
    }
    mutex_unlock(&session->mutex);
    status_free(owned_reason);
}

void session_cancel(Session *session)
{
    pg_connection_interrupt(session->connection, PG_INTERRUPT_CANCEL);
    cancel_running(
        session, status_error(SQLSTATE_QUERY_CANCELED, "canceling statement due to user request"));
}

void session_shut_down(Session *session)
{
    pg_connection_interrupt(session->connection, PG_INTERRUPT_SHUTDOWN);
    cancel_running(session, status_error(SQLSTATE_ADMIN_SHUTDOWN,
                                         "terminating connection due to administrator command"));
}

void session_info(Session *session, SessionInfo *out)
{
    mutex_lock(&session->mutex);
    out->process_id = session->process_id;
    snprintf(out->user, sizeof(out->user), "%s", session->user == NULL ? "" : session->user);
    snprintf(out->query, sizeof(out->query), "%s", session->query_text);
    out->is_running = session->is_running;
    out->is_in_transaction = session->is_in_transaction;
    out->start_us = session->statement_start_us;
    mutex_unlock(&session->mutex);
}
