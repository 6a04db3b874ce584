/* session_extended.c — Parse, Bind, Describe, Execute, Close. */
#include <stdio.h>
#include <string.h>

#include "leader/session_internal.h"
#include "protocol/pgwire/pg_parameter.h"

static Status missing_statement(const char *name)
{
    return name[0] == '\0' ? status_error(SQLSTATE_INVALID_SQL_STATEMENT_NAME,
                                          "unnamed prepared statement does not exist")
                           : status_error(SQLSTATE_INVALID_SQL_STATEMENT_NAME,
                                          "prepared statement \"%s\" does not exist", name);
}

/* In a failed transaction only its end is taken. */
static Status check_state(const Session *session, const AstStatement *ast)
{
    if (session->txn.state == TXN_FAILED &&
        (ast == NULL || ast->kind != AST_STATEMENT_TRANSACTION)) {
        return status_error(SQLSTATE_IN_FAILED_SQL_TRANSACTION,
                            "current transaction is aborted, commands ignored until end of "
                            "transaction block");
    }
    return STATUS_OK;
}

static Status parse_into(Session *session, const PgParse *parse, Arena *owned_arena)
{
    AstStatementList list = {0};
    char *text = arena_strndup(owned_arena, parse->text, parse->text_bytes);
    Status status = parse_statements(text, parse->text_bytes, owned_arena, &list);
    if (status == STATUS_OK && list.count > 1) {
        status = status_error(SQLSTATE_SYNTAX_ERROR,
                              "cannot insert multiple commands into a prepared statement");
    }
    if (status != STATUS_OK) {
        arena_destroy(owned_arena);
        return status;
    }
    const AstStatement *ast = list.count == 1 ? list.items[0] : NULL;
    status = check_state(session, ast);
    if (status != STATUS_OK) {
        arena_destroy(owned_arena);
        return status;
    }
    Prepared *prepared = NULL;
    return prepared_create(session, parse->name, text, ast, owned_arena, parse->parameter_oids,
                           parse->parameter_count, false, &prepared);
}

/* Errors of Parse have positions in the statement's text: reported here, where the text is. */
static Status with_text(Session *session, Status owned_status, const char *text)
{
    if (owned_status == STATUS_OK || status_position(owned_status) == POSITION_NONE) {
        return owned_status;
    }
    session->is_skipping = true;
    txn_fail(&session->txn);
    session_report(session, owned_status, text);
    return STATUS_OK;
}

Status session_parse(Session *session, const PgMessage *message)
{
    PgParse parse;
    Arena *arena = arena_create(NULL, "prepared statement");
    Status status = pg_decode_parse(arena, message->body, message->bytes, &parse);
    if (status == STATUS_OK && parse.name[0] != '\0' &&
        prepared_find(session, parse.name) != NULL) {
        status = status_error(SQLSTATE_DUPLICATE_PREPARED_STATEMENT,
                              "prepared statement \"%s\" already exists", parse.name);
    }
    if (status != STATUS_OK) {
        arena_destroy(arena);
        return status;
    }
    if (parse.name[0] == '\0') {
        prepared_drop(session, "");
    }
    status = parse_into(session, &parse, arena);
    if (status == STATUS_OK) {
        pg_writer_parse_complete(session_output(session));
        return STATUS_OK;
    }
    return with_text(session, status, parse.text);
}

static Status read_parameters(Portal *portal, const Prepared *prepared, const PgBind *bind)
{
    if (bind->parameter_count != prepared->parameter_count) {
        return status_error(SQLSTATE_PROTOCOL_VIOLATION,
                            "bind message supplies %u parameters, but prepared statement \"%s\" "
                            "requires %u",
                            bind->parameter_count, prepared->name, prepared->parameter_count);
    }
    if (bind->format_count > 1 && bind->format_count != bind->parameter_count) {
        return status_error(SQLSTATE_PROTOCOL_VIOLATION,
                            "bind message has %u parameter formats but %u parameters",
                            bind->format_count, bind->parameter_count);
    }
    Value *values = ARENA_ARRAY(portal->arena, Value, bind->parameter_count + 1);
    Type *types = ARENA_ARRAY(portal->arena, Type, bind->parameter_count + 1);
    for (uint32_t i = 0; i < bind->parameter_count; i++) {
        PgParameter parameter = {
            .bytes = bind->parameters[i],
            .format = pg_format_of(bind->formats, bind->format_count, i),
            .declared_oid = prepared->parameter_oids[i],
            .number = i + 1,
        };
        types[i] = prepared->parameter_types[i];
        TRY(pg_parameter_read(&parameter, types[i], portal->arena, &values[i]));
    }
    portal->parameters = (BindParameters){.count = bind->parameter_count,
                                          .types = types,
                                          .capacity = bind->parameter_count,
                                          .values = values};
    return STATUS_OK;
}

Status session_bind(Session *session, const PgMessage *message)
{
    Arena *arena = arena_create(NULL, "bind");
    PgBind bind;
    Portal *portal = NULL;
    Prepared *prepared = NULL;
    Status status = pg_decode_bind(arena, message->body, message->bytes, &bind);
    if (status == STATUS_OK && (prepared = prepared_find(session, bind.statement)) == NULL) {
        status = missing_statement(bind.statement);
    }
    if (status == STATUS_OK) {
        status = check_state(session, prepared->ast);
    }
    if (status == STATUS_OK) {
        status = portal_create(session, bind.portal, prepared, &portal);
    }
    if (status == STATUS_OK) {
        portal->format_count = bind.result_format_count;
        portal->formats = arena_memdup(portal->arena, bind.result_formats,
                                       bind.result_format_count * sizeof(uint16_t));
        status = read_parameters(portal, prepared, &bind);
        if (status == STATUS_OK && bind.result_format_count > 1 &&
            bind.result_format_count != prepared->result_count) {
            status = status_error(SQLSTATE_PROTOCOL_VIOLATION,
                                  "bind message has %u result formats but query has %u columns",
                                  bind.result_format_count, prepared->result_count);
        }
        if (status != STATUS_OK) {
            portal_drop(session, portal);
        }
    }
    arena_destroy(arena);
    TRY(status);
    pg_writer_bind_complete(session_output(session));
    return STATUS_OK;
}

void session_describe_rows(Session *session, const Prepared *prepared, const Portal *portal)
{
    Arena *arena = arena_create(NULL, "describe");
    PgColumn *columns = ARENA_ARRAY(arena, PgColumn, prepared->result_count + 1);
    for (uint32_t i = 0; i < prepared->result_count; i++) {
        const PlanResultColumn *result = &prepared->results[i];
        columns[i] = (PgColumn){
            .name = result->name,
            .type = result->type,
            .table_oid = (uint32_t)result->table_id,
            .column_number = (uint16_t)result->column_id,
            .format = portal == NULL ? PG_FORMAT_TEXT
                                     : pg_format_of(portal->formats, portal->format_count, i),
        };
    }
    pg_writer_row_description(session_output(session), columns, prepared->result_count);
    arena_destroy(arena);
}

static void describe_or_no_data(Session *session, const Prepared *prepared, const Portal *portal)
{
    if (prepared->has_results) {
        session_describe_rows(session, prepared, portal);
    } else {
        pg_writer_no_data(session_output(session));
    }
}

Status session_describe(Session *session, const PgMessage *message)
{
    PgNamed named;
    TRY(pg_decode_describe(message->body, message->bytes, &named));
    if (named.target == PG_TARGET_PORTAL) {
        Portal *portal = portal_find(session, named.name);
        if (portal == NULL) {
            return status_error(SQLSTATE_INVALID_CURSOR_NAME, "portal \"%s\" does not exist",
                                named.name);
        }
        describe_or_no_data(session, portal->prepared, portal);
        return STATUS_OK;
    }
    Prepared *prepared = prepared_find(session, named.name);
    if (prepared == NULL) {
        return missing_statement(named.name);
    }
    pg_writer_parameter_description(session_output(session), prepared->parameter_types,
                                    prepared->parameter_count);
    describe_or_no_data(session, prepared, NULL);
    return STATUS_OK;
}

Status session_execute(Session *session, const PgMessage *message)
{
    PgExecute execute;
    TRY(pg_decode_execute(message->body, message->bytes, &execute));
    Portal *portal = portal_find(session, execute.portal);
    if (portal == NULL) {
        return status_error(SQLSTATE_INVALID_CURSOR_NAME, "portal \"%s\" does not exist",
                            execute.portal);
    }
    if (portal->prepared->ast == NULL) {
        pg_writer_empty_query_response(session_output(session));
        return STATUS_OK;
    }
    char text[256];
    snprintf(text, sizeof(text), "%s", portal->prepared->text);
    Prepared *prepared = portal->prepared;
    prepared->reference_count++; // the text must outlive a ROLLBACK that drops the portal
    bool is_suspended = false;
    statement_begin(session, text);
    session->is_only_statement = pg_reader_is_followed_by(&session->reader, PG_FRONTEND_SYNC);
    Status status = statement_execute(session, portal, execute.rows_max, &is_suspended);
    session->is_only_statement = false;
    statement_end(session);
    if (status != STATUS_OK) {
        status = with_text(session, status, prepared->text);
        prepared_unpin(prepared);
        return status;
    }
    prepared_unpin(prepared);
    if (is_suspended) {
        pg_writer_portal_suspended(session_output(session));
        return STATUS_OK;
    }
    pg_writer_command_complete(session_output(session), session->last_tag);
    return STATUS_OK;
}

Status session_close(Session *session, const PgMessage *message)
{
    PgNamed named;
    TRY(pg_decode_close(message->body, message->bytes, &named));
    if (named.target == PG_TARGET_STATEMENT) {
        prepared_drop(session, named.name);
    } else {
        Portal *portal = portal_find(session, named.name);
        if (portal != NULL) {
            portal_drop(session, portal);
        }
    }
    pg_writer_close_complete(session_output(session));
    return STATUS_OK;
}
