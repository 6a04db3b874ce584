/* setting_run.c — SET, RESET, SHOW, DISCARD. */
#include <stdio.h>
#include <string.h>

#include "leader/session_internal.h"
#include "leader/setting_check.h"

static Status show_all(Session *session, Portal *portal)
{
    static const PlanResultColumn columns[] = {
        {.name = "name", .type = {.id = TYPE_VARCHAR}},
        {.name = "setting", .type = {.id = TYPE_VARCHAR}},
        {.name = "description", .type = {.id = TYPE_VARCHAR}},
    };
    Value *cells = ARENA_ARRAY(portal->arena, Value, SETTING_COUNT * 3);
    for (uint32_t i = 0; i < SETTING_COUNT; i++) {
        const char *texts[] = {setting_name((SettingId)i),
                               setting_text(session->settings, (SettingId)i),
                               setting_help((SettingId)i)};
        for (uint32_t c = 0; c < 3; c++) {
            const char *copy = arena_strdup(portal->arena, texts[c]);
            cells[i * 3 + c] = (Value){.type = columns[c].type};
            cells[i * 3 + c].text = text_view_make(copy, strlen(copy));
        }
    }
    return statement_send_values(session, portal, columns, 3, cells, SETTING_COUNT);
}

/* Names that are no settings but that clients ask for. */
static const char *special_value(const char *name)
{
    static const char *const names[][2] = {
        {"server_version", "8.0.2"},
        {"server_version_num", "80002"},
        {"server_encoding", "UTF8"},
        {"integer_datetimes", "on"},
        {"max_identifier_length", "127"},
        {"lc_collate", "C"},
        {"lc_ctype", "C"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (strcmp(names[i][0], name) == 0) {
            return names[i][1];
        }
    }
    return NULL;
}

static Status show(Session *session, Portal *portal)
{
    const AstShow *ast = portal->bound->ast->show;
    if (ast->table != NULL) {
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED, "SHOW TABLE is not built yet");
    }
    if (ast->name == NULL) {
        return show_all(session, portal);
    }
    const char *name = strcmp(ast->name, "time zone") == 0 ? "timezone" : ast->name;
    const char *text = transaction_show(session, name);
    text = text == NULL ? special_value(name) : text;
    SettingId id = SETTING_PORT;
    if (strcmp(name, "session_authorization") == 0) {
        text = session->user;
    } else if (text == NULL && setting_find(name, &id)) {
        text = setting_text(session->settings, id);
    }
    if (text == NULL) {
        return status_error(SQLSTATE_UNDEFINED_OBJECT,
                            "unrecognized configuration parameter \"%s\"", ast->name);
    }
    PlanResultColumn column = {.name = ast->name, .type = {.id = TYPE_VARCHAR}};
    Value value = {.type = column.type};
    value.text = text_view_make(text, strlen(text));
    return statement_send_values(session, portal, &column, 1, &value, 1);
}

static Status set(Session *session, const AstSet *ast)
{
    SettingId id = SETTING_PORT;
    if (ast->name == NULL) { // RESET ALL
        TRY(setting_reset(session->settings, session->defaults, NULL));
        for (uint32_t i = 0; i < SETTING_COUNT; i++) {
            session_send_parameter(session, (SettingId)i);
        }
        return STATUS_OK;
    }
    const char *name = strcmp(ast->name, "time zone") == 0 ? "timezone" : ast->name;
    if (ast->is_reset) {
        TRY(setting_reset(session->settings, session->defaults, name));
    } else {
        TRY(setting_set_checked(session->settings, name, ast->value));
    }
    if (setting_find(name, &id)) {
        session_send_parameter(session, id);
    }
    return STATUS_OK;
}

static Status discard(Session *session, Portal *portal, const Snapshot *snapshot)
{
    const char *what = portal->bound->ast->name;
    bool is_all = strcmp(what, "all") == 0;
    if (is_all && session->txn.is_explicit) {
        return status_error(SQLSTATE_ACTIVE_SQL_TRANSACTION,
                            "DISCARD ALL cannot run inside a transaction block");
    }
    bool is_temporary = is_all || strcmp(what, "temp") == 0 || strcmp(what, "temporary") == 0;
    snprintf(session->last_tag, sizeof(session->last_tag), "DISCARD%s",
             is_all         ? " ALL"
             : is_temporary ? " TEMP"
                            : " PLANS");
    if (is_temporary) {
        Snapshot writing = *snapshot;
        TRY(txn_begin_write(&session->txn, &writing));
        TRY(ddl_drop_temporary(session, portal->catalog, &writing));
    }
    return is_all ? setting_reset(session->settings, session->defaults, NULL) : STATUS_OK;
}

Status setting_run(Session *session, Portal *portal, const Snapshot *snapshot)
{
    const BoundStatement *bound = portal->bound;
    portal->is_ended = true;
    if (bound->kind == BOUND_SHOW) {
        snprintf(session->last_tag, sizeof(session->last_tag), "SHOW");
        return show(session, portal);
    }
    if (bound->kind == BOUND_DISCARD) {
        return discard(session, portal, snapshot);
    }
    const AstSet *ast = bound->ast->set;
    snprintf(session->last_tag, sizeof(session->last_tag), "%s", ast->is_reset ? "RESET" : "SET");
    Status status = set(session, ast);
    return status == STATUS_OK || ast->position == POSITION_NONE
               ? status
               : status_with_position(status, ast->position);
}
