/* cursor_run.c — statements by name: PREPARE, EXECUTE, DEALLOCATE, DECLARE, FETCH, CLOSE. */
#include <stdio.h>
#include <string.h>

#include "leader/session_internal.h"

static void tag(Session *session, const char *text)
{
    snprintf(session->last_tag, sizeof(session->last_tag), "%s", text);
}

static Status missing_cursor(const char *name)
{
    return status_error(SQLSTATE_INVALID_CURSOR_NAME, "cursor \"%s\" does not exist", name);
}

/* A part of a statement's text that is a statement itself. */
typedef struct TextPart {
    const char *name;    /* that it gets */
    int32_t start, end;  /* bytes of the text */
    uint32_t type_count; /* of declared parameter types */
    const uint32_t *type_oids;
} TextPart;

/* The part alone, parsed again, so that the new statement owns what it needs. */
static Status prepare_part(Session *session, const char *text, const TextPart *part, Prepared **out)
{
    Arena *arena = arena_create(NULL, "named statement");
    AstStatementList list = {0};
    size_t bytes = (size_t)(part->end - part->start);
    char *copy = arena_strndup(arena, text + part->start, bytes);
    Status status = parse_statements(copy, bytes, arena, &list);
    if (status == STATUS_OK && list.count != 1) {
        status = status_error(SQLSTATE_SYNTAX_ERROR, "only one statement can have a name");
    }
    if (status != STATUS_OK) {
        arena_destroy(arena);
        return status;
    }
    status = prepared_create(session, part->name, copy, list.items[0], arena, part->type_oids,
                             part->type_count, false, out);
    return status_with_offset(status, part->start);
}

/* PREPARE p (types) AS statement. */
static Status prepare(Session *session, Portal *portal)
{
    const AstPrepare *ast = portal->bound->ast->prepare;
    tag(session, "PREPARE");
    if (prepared_find(session, ast->name) != NULL) {
        return status_error(SQLSTATE_DUPLICATE_PREPARED_STATEMENT,
                            "prepared statement \"%s\" already exists", ast->name);
    }
    const Type *types = portal->bound->parameter_types;
    uint32_t *oids = ARENA_ARRAY(portal->arena, uint32_t, ast->types.count + 1);
    for (uint32_t i = 0; i < ast->types.count; i++) {
        oids[i] = type_oid(types[i]);
    }
    TextPart part = {.name = ast->name,
                     .start = ast->statement->start,
                     .end = ast->statement->end,
                     .type_count = ast->types.count,
                     .type_oids = oids};
    Prepared *prepared = NULL;
    return prepare_part(session, portal->prepared->text, &part, &prepared);
}

/* DECLARE c CURSOR FOR query: a portal that FETCH reads; its query starts with the first FETCH. */
static Status declare(Session *session, Portal *portal)
{
    const AstDeclareCursor *ast = portal->bound->ast->declare_cursor;
    if (!session->txn.is_explicit && !ast->is_hold) {
        return status_error(SQLSTATE_NO_ACTIVE_SQL_TRANSACTION,
                            "DECLARE CURSOR can only be used in transaction blocks");
    }
    if (ast->is_hold || ast->is_scroll) {
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED, "%s cursors are not built yet",
                            ast->is_hold ? "WITH HOLD" : "SCROLL");
    }
    if (portal_find(session, ast->name) != NULL) {
        return status_error(SQLSTATE_DUPLICATE_CURSOR, "cursor \"%s\" already exists", ast->name);
    }
    Prepared *prepared = NULL;
    Portal *cursor = NULL;
    TextPart part = {.name = "", .start = ast->query_start, .end = ast->query_end};
    TRY(prepare_part(session, portal->prepared->text, &part, &prepared));
    prepared->reference_count++;
    // Out of the list again: only the cursor holds it.
    session->prepared = prepared->next;
    session->prepared_count--;
    prepared_unpin(prepared);
    Status status = portal_create(session, ast->name, prepared, &cursor);
    prepared_unpin(prepared);
    TRY(status);
    cursor->is_cursor = true;
    cursor->statement = session->txn.statement;
    if (ast->is_binary) {
        cursor->format_count = 1;
        cursor->formats = ARENA_ARRAY(cursor->arena, uint16_t, 1);
        cursor->formats[0] = PG_FORMAT_BINARY;
    }
    tag(session, "DECLARE CURSOR");
    return STATUS_OK;
}

static Status fetch(Session *session, Portal *portal)
{
    const AstFetch *ast = portal->bound->ast->fetch;
    Portal *cursor = portal_find(session, ast->name);
    if (cursor == NULL || !cursor->is_cursor) {
        return missing_cursor(ast->name);
    }
    if (ast->is_backward || (!ast->is_all && ast->count < 0)) {
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED, "cursors only move forward");
    }
    uint64_t before = cursor->row_count;
    bool is_suspended = false;
    uint64_t wanted = ast->is_all ? 0 : (uint64_t)ast->count;
    if (ast->is_all || wanted > 0) {
        Status status = statement_execute(session, cursor, wanted, &is_suspended);
        TRY(status_without_position(status)); // it would be one in DECLARE's text
    }
    snprintf(session->last_tag, sizeof(session->last_tag), "FETCH %lu",
             (unsigned long)(cursor->row_count - before));
    return STATUS_OK;
}

static Status close_cursor(Session *session, const char *name)
{
    tag(session, "CLOSE CURSOR");
    if (name != NULL) {
        Portal *cursor = portal_find(session, name);
        if (cursor == NULL || !cursor->is_cursor) {
            return missing_cursor(name);
        }
        portal_drop(session, cursor);
        return STATUS_OK;
    }
    for (Portal *p = session->portals; p != NULL;) {
        Portal *next = p->next;
        if (p->is_cursor) {
            portal_drop(session, p);
        }
        p = next;
    }
    return STATUS_OK;
}

static Status deallocate(Session *session, const char *name)
{
    tag(session, name == NULL ? "DEALLOCATE ALL" : "DEALLOCATE");
    if (name != NULL && prepared_find(session, name) == NULL) {
        return status_error(SQLSTATE_INVALID_SQL_STATEMENT_NAME,
                            "prepared statement \"%s\" does not exist", name);
    }
    prepared_drop(session, name);
    return STATUS_OK;
}

Status cursor_run(Session *session, Portal *portal)
{
    const BoundStatement *bound = portal->bound;
    portal->is_ended = true;
    switch (bound->kind) {
    case BOUND_DECLARE_CURSOR:
        return declare(session, portal);
    case BOUND_FETCH:
        return fetch(session, portal);
    case BOUND_CLOSE:
        return close_cursor(session, bound->ast->name);
    case BOUND_DEALLOCATE:
        return deallocate(session, bound->ast->name);
    case BOUND_PREPARE:
        return prepare(session, portal);
    default:
        return status_error(SQLSTATE_INTERNAL_ERROR, "not a statement by name");
    }
}
