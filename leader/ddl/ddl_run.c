/* ddl_run.c — CREATE, DROP, TRUNCATE, users: changes of the catalog within the transaction. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "leader/ddl/rewrite.h"
#include "protocol/pgwire/auth_scram.h"

static void tag(Session *session, const char *text)
{
    snprintf(session->last_tag, sizeof(session->last_tag), "%s", text);
}

/* ---- CREATE ---- */

static Status create_relation(Session *session, const BoundStatement *bound, CatalogChangeKind kind,
                              const CatalogTable **created)
{
    Txn *txn = &session->txn;
    CatalogChange *change = txn_new_change(txn, kind);
    CatalogTable *table = ddl_copy_table(txn->arena, bound->create);
    table->table_id = commit_log_next_table(session->leader->log);
    change->table = table;
    change->owner = arena_strdup(txn->arena, session->user);
    *created = table;
    return txn_add_change(txn, change);
}

/* CREATE TABLE AS: the new table is filled by an insert of the query's rows. */
static Status fill_table(Session *session, Portal *portal, PlannerContext *planner,
                         const Snapshot *snapshot, const CatalogTable *table)
{
    int64_t rows = 0;
    TRY(ddl_fill(session, portal, planner, snapshot,
                 logical_insert(planner, table, portal->bound->root), &rows));
    snprintf(session->last_tag, sizeof(session->last_tag), "SELECT %ld", (long)rows);
    return STATUS_OK;
}

static Status run_create(Session *session, Portal *portal, PlannerContext *planner,
                         const Snapshot *snapshot)
{
    const BoundStatement *bound = portal->bound;
    const CatalogTable *table = NULL;
    if (bound->create == NULL) { // IF NOT EXISTS, and it does: the notice was sent
        tag(session, bound->kind == BOUND_CREATE_TABLE ? "CREATE TABLE" : "CREATE VIEW");
        return STATUS_OK;
    }
    if (bound->kind == BOUND_CREATE_VIEW) {
        tag(session, "CREATE VIEW");
        return create_relation(session, bound,
                               bound->is_or_replace ? CATALOG_REPLACE_VIEW : CATALOG_CREATE_TABLE,
                               &table);
    }
    if (bound->is_temporary) {
        TRY(ddl_need_temporary(session, portal->catalog));
    }
    TRY(create_relation(session, bound, CATALOG_CREATE_TABLE, &table));
    tag(session, "CREATE TABLE");
    return bound->root == NULL ? STATUS_OK : fill_table(session, portal, planner, snapshot, table);
}

static Status run_create_schema(Session *session, const BoundStatement *bound)
{
    tag(session, "CREATE SCHEMA");
    if (bound->schema_name == NULL) {
        return STATUS_OK; // IF NOT EXISTS
    }
    CatalogChange *change = txn_new_change(&session->txn, CATALOG_CREATE_SCHEMA);
    change->schema = arena_strdup(session->txn.arena, bound->schema_name);
    return txn_add_change(&session->txn, change);
}

/* ---- ALTER ---- */

static Status run_alter(Session *session, Portal *portal, PlannerContext *planner,
                        const Snapshot *snapshot)
{
    const BoundStatement *bound = portal->bound;
    tag(session, "ALTER TABLE");
    if (bound->create == NULL) { // IF EXISTS, and it does not: the notice was sent
        return STATUS_OK;
    }
    if (bound->root != NULL) {
        return rewrite_table(session, portal, planner, snapshot);
    }
    CatalogChange *change = txn_new_change(&session->txn, CATALOG_ALTER_TABLE);
    change->table = ddl_copy_table(session->txn.arena, bound->create);
    change->table->generation++;
    return txn_add_change(&session->txn, change);
}

/* ---- DROP, TRUNCATE ---- */

static Status drop_relation(Session *session, const Snapshot *snapshot, const char *schema,
                            const char *name, uint64_t table_id, bool is_table)
{
    CatalogChange *change = txn_new_change(&session->txn, CATALOG_DROP_TABLE);
    change->schema = arena_strdup(session->txn.arena, schema);
    change->name = arena_strdup(session->txn.arena, name);
    change->table_id = table_id;
    TRY(txn_add_change(&session->txn, change));
    return is_table ? ddl_drop_rows(&session->txn, snapshot, table_id, true) : STATUS_OK;
}

Status ddl_drop_schema(Session *session, const CatalogVersion *catalog, const Snapshot *snapshot,
                       const char *schema, bool is_cascade)
{
    for (uint32_t i = 0; is_cascade && i < catalog_version_table_count(catalog); i++) {
        const CatalogTable *table = &catalog_version_table_at(catalog, i)->table;
        if (strcmp(table->schema_name, schema) == 0) {
            TRY(drop_relation(session, snapshot, table->schema_name, table->name, table->table_id,
                              table->kind == CATALOG_TABLE));
        }
    }
    CatalogChange *change = txn_new_change(&session->txn, CATALOG_DROP_SCHEMA);
    change->schema = arena_strdup(session->txn.arena, schema);
    return txn_add_change(&session->txn, change);
}

static Status run_drop(Session *session, Portal *portal, const Snapshot *snapshot)
{
    static const char *const tags[] = {"DROP TABLE", "DROP VIEW",  "DROP SCHEMA",
                                       "DROP USER",  "DROP TABLE", "DROP DATABASE"};
    const BoundDrop *drop = portal->bound->drop;
    tag(session, tags[drop->kind]);
    for (uint32_t i = 0; i < drop->notice_count; i++) {
        session_notice(session, PG_SEVERITY_NOTICE, "%s", drop->notices[i]);
    }
    for (uint32_t i = 0; i < drop->count; i++) {
        const struct BoundDropItem *item = &drop->items[i];
        if (drop->kind == AST_OBJECT_SCHEMA) {
            TRY(ddl_drop_schema(session, portal->catalog, snapshot, item->name, drop->is_cascade));
        } else if (drop->kind == AST_OBJECT_USER) {
            CatalogChange *change = txn_new_change(&session->txn, CATALOG_DROP_USER);
            change->name = arena_strdup(session->txn.arena, item->name);
            TRY(txn_add_change(&session->txn, change));
        } else {
            TRY(drop_relation(session, snapshot, item->schema, item->name, item->table_id,
                              drop->kind == AST_OBJECT_TABLE));
        }
    }
    return STATUS_OK;
}

static Status run_truncate(Session *session, const BoundStatement *bound, const Snapshot *snapshot)
{
    tag(session, "TRUNCATE TABLE");
    for (uint32_t i = 0; i < bound->truncate_count; i++) {
        CatalogChange *change = txn_new_change(&session->txn, CATALOG_CLEAR_STATISTICS);
        change->table_id = bound->truncate[i]->table_id;
        TRY(txn_add_change(&session->txn, change));
        TRY(ddl_drop_rows(&session->txn, snapshot, bound->truncate[i]->table_id, false));
    }
    return STATUS_OK;
}

/* ---- users ---- */

static Status check_superuser(Session *session, Portal *portal)
{
    const UserEntry *user = catalog_version_user(portal->catalog, session->user);
    if (user == NULL || !user->is_superuser) {
        return status_error(SQLSTATE_INSUFFICIENT_PRIVILEGE, "must be superuser to change users");
    }
    return STATUS_OK;
}

static Status set_password(Session *session, UserEntry *user, const char *password)
{
    ScramVerifier verifier;
    char text[SCRAM_VERIFIER_TEXT_BYTES];
    if (scram_verifier_parse(password, &verifier)) { // a verifier made elsewhere is taken as it is
        user->verifier = arena_strdup(session->txn.arena, password);
        return STATUS_OK;
    }
    TRY(scram_verifier_create(&verifier, password));
    scram_verifier_print(&verifier, text);
    user->verifier = arena_strdup(session->txn.arena, text);
    return STATUS_OK;
}

static Status apply_user_option(Session *session, UserEntry *user, const AstOption *option)
{
    if (strcmp(option->name, "password") == 0 && option->value != NULL) {
        return set_password(session, user, option->value);
    }
    if (strcmp(option->name, "password_disable") == 0 || strcmp(option->name, "password") == 0) {
        user->verifier = "";
        return STATUS_OK;
    }
    if (strcmp(option->name, "superuser") == 0 || strcmp(option->name, "createuser") == 0) {
        user->is_superuser = true;
        return STATUS_OK;
    }
    if (strcmp(option->name, "nosuperuser") == 0 || strcmp(option->name, "nocreateuser") == 0) {
        user->is_superuser = false;
        return STATUS_OK;
    }
    return status_at(option->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                     "user option \"%s\" is not built yet", option->name);
}

static Status run_user(Session *session, Portal *portal)
{
    const AstUser *ast = portal->bound->ast->user;
    TRY(check_superuser(session, portal));
    const UserEntry *old = catalog_version_user(portal->catalog, ast->name.text);
    bool is_create = ast->action == AST_USER_CREATE;
    if (is_create && old != NULL) {
        return status_at(ast->name.position, SQLSTATE_DUPLICATE_OBJECT,
                         "user \"%s\" already exists", ast->name.text);
    }
    if (!is_create && old == NULL) {
        return status_at(ast->name.position, SQLSTATE_UNDEFINED_OBJECT,
                         "user \"%s\" does not exist", ast->name.text);
    }
    if (ast->new_name != NULL) {
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                            "ALTER USER ... RENAME is not built yet");
    }
    CatalogChange *change = txn_new_change(&session->txn, CATALOG_SET_USER);
    change->user =
        (UserEntry){.name = arena_strdup(session->txn.arena, ast->name.text),
                    .verifier = old == NULL ? "" : arena_strdup(session->txn.arena, old->verifier),
                    .is_superuser = old != NULL && old->is_superuser};
    for (uint32_t i = 0; i < ast->options.count; i++) {
        TRY(apply_user_option(session, &change->user, &ast->options.items[i]));
    }
    tag(session, is_create ? "CREATE USER" : "ALTER USER");
    return txn_add_change(&session->txn, change);
}

Status ddl_run(Session *session, Portal *portal, PlannerContext *planner, const Snapshot *snapshot)
{
    const BoundStatement *bound = portal->bound;
    Snapshot writing = *snapshot;
    if (bound->kind != BOUND_APPEND) {
        TRY(txn_begin_write(&session->txn, &writing));
    }
    portal->is_ended = true;
    switch (bound->kind) {
    case BOUND_CREATE_TABLE:
    case BOUND_CREATE_VIEW:
        return run_create(session, portal, planner, &writing);
    case BOUND_CREATE_SCHEMA:
        return run_create_schema(session, bound);
    case BOUND_ALTER_TABLE:
        return run_alter(session, portal, planner, &writing);
    case BOUND_APPEND:
        return rewrite_append(session, portal, planner, snapshot);
    case BOUND_DROP:
        return run_drop(session, portal, &writing);
    case BOUND_TRUNCATE:
        return run_truncate(session, bound, &writing);
    case BOUND_USER:
        return run_user(session, portal);
    default:
        return status_error(SQLSTATE_INTERNAL_ERROR, "not a definition statement");
    }
}
