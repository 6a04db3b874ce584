/*
 * session_query.c — the simple protocol: a text of statements, run one after another.
 *
 * The statements of one message are one transaction unless they say otherwise; the first error
 * ends the message. The last statement commits before it is reported complete.
 */
#include <string.h>

#include "leader/session_internal.h"

static bool ends_transaction(const AstStatement *ast)
{
    return ast->kind == AST_STATEMENT_TRANSACTION;
}

static Status run_one(Session *session, const AstStatement *ast, Arena *owned_arena,
                      const char *text, bool is_last)
{
    Prepared *prepared = NULL;
    Portal *portal = NULL;
    bool is_suspended = false;
    prepared_drop(session, "");
    // The statement's own text starts at ast->start; positions count from the whole message.
    const bool is_query = ast->kind == AST_STATEMENT_QUERY; // bound once, it describes itself then
    TRY(prepared_create(session, "", text, ast, owned_arena, NULL, 0, is_query, &prepared));
    TRY(portal_create(session, "", prepared, &portal));
    if (prepared->has_results) {
        session_describe_rows(session, prepared, portal);
    }
    Status status = statement_execute(session, portal, 0, &is_suspended);
    if (status == STATUS_OK && is_last && session->txn.state == TXN_OPEN &&
        !session->txn.is_explicit && !ends_transaction(ast)) {
        status = txn_commit(&session->txn);
    }
    if (status == STATUS_OK) {
        pg_writer_command_complete(session_output(session), session->last_tag);
    }
    portal = portal_find(session, ""); // a ROLLBACK drops portals
    if (portal != NULL) {
        portal_drop(session, portal);
    }
    prepared_drop(session, "");
    return status;
}

/* Each statement gets an arena of its own: the trees are parsed again into it. */
static Status run_all(Session *session, const char *text, size_t bytes)
{
    Arena *arena = arena_create(NULL, "statements");
    AstStatementList list = {0};
    Status status = parse_statements(text, bytes, arena, &list);
    if (status == STATUS_OK && list.count == 0) {
        pg_writer_empty_query_response(session_output(session));
    }
    if (status == STATUS_OK && list.count == 1) {
        char *copy = arena_strndup(arena, text, bytes);
        session->is_only_statement = true;
        status = run_one(session, list.items[0], arena, copy, true);
        session->is_only_statement = false;
        return status;
    }
    for (uint32_t i = 0; status == STATUS_OK && i < list.count; i++) {
        Arena *own = arena_create(NULL, "statement");
        AstStatementList again = {0};
        char *copy = arena_strndup(own, text, bytes);
        status = parse_statements(copy, bytes, own, &again);
        if (status != STATUS_OK) {
            arena_destroy(own);
            break;
        }
        status = run_one(session, again.items[i], own, copy, i + 1 == list.count);
    }
    arena_destroy(arena);
    return status;
}

void session_simple_query(Session *session, const char *text, size_t bytes)
{
    statement_begin(session, text);
    Status status = run_all(session, text, bytes);
    if (status != STATUS_OK) {
        portal_drop_all(session);
        txn_fail(&session->txn);
        session_report(session, status, text);
    } else if (session->txn.state == TXN_OPEN && !session->txn.is_explicit) {
        status = txn_commit(&session->txn); // SET and the like opened one without need
        if (status != STATUS_OK) {
            session_report(session, status, text);
        }
    }
    statement_end(session);
}
