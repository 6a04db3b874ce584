/* catalog_view.c — answers the planner's questions from a catalog version and the session. */
#include <stdio.h>
#include <string.h>

#include "compute/expression/expr_eval.h"
#include "leader/catalog/system_tables.h"
#include "leader/session_internal.h"

typedef struct SessionView {
    Session *session;
    const CatalogVersion *version;
    Arena *arena;
    CatalogView view;
    VirtualTables virtual_tables;
} SessionView;

/* What the session's snapshot sees of it: rows may have been written anew since. */
static const CatalogTable *seen_by(const Session *session, TableEntry *entry)
{
    const Txn *txn = &session->txn;
    return txn->has_snapshot ? &table_entry_at(entry, txn->position)->table : &entry->table;
}

/* Schemas searched for unqualified names: temporary tables first, pg_catalog, the search path. */
const CatalogTable *session_find_table(const Session *session, const CatalogVersion *version,
                                       const char *name)
{
    TableEntry *temporary = catalog_version_table(version, session->temporary_schema, name);
    const CatalogTable *table =
        temporary != NULL ? seen_by(session, temporary) : system_table_find("pg_catalog", name);
    char path[1024];
    snprintf(path, sizeof(path), "%s", setting_text(session->settings, SETTING_SEARCH_PATH));
    char *rest = NULL;
    for (char *word = strtok_r(path, ", \t", &rest); table == NULL && word != NULL;
         word = strtok_r(NULL, ", \t", &rest)) {
        size_t length = strlen(word);
        if (length >= 2 && word[0] == '"' && word[length - 1] == '"') {
            word[length - 1] = '\0';
            word++;
        }
        const char *schema = strcmp(word, "$user") == 0 ? session->user : word;
        TableEntry *entry = catalog_version_table(version, schema, name);
        table = entry == NULL ? system_table_find(schema, name) : seen_by(session, entry);
    }
    return table;
}

static Status find_table(void *self, const char *schema, const char *name, Arena *arena,
                         const CatalogTable **out)
{
    (void)arena;
    SessionView *view = self;
    if (schema == NULL) {
        *out = session_find_table(view->session, view->version, name);
        return statement_lock_table(view->session, *out);
    }
    const char *own = view->session->temporary_schema;
    if (strcmp(schema, "pg_temp") == 0) {
        schema = own;
    } else if (strncmp(schema, "pg_temp_", 8) == 0 && strcmp(schema, own) != 0) {
        *out = NULL; // another session's
        return STATUS_OK;
    }
    TableEntry *entry = catalog_version_table(view->version, schema, name);
    *out = entry == NULL ? system_table_find(schema, name) : seen_by(view->session, entry);
    return statement_lock_table(view->session, *out);
}

static bool schema_exists(void *self, const char *schema)
{
    SessionView *view = self;
    return catalog_version_has_schema(view->version, schema) || system_schema_exists(schema);
}

static const char *current_schema(void *self)
{
    SessionView *view = self;
    char path[1024];
    snprintf(path, sizeof(path), "%s", setting_text(view->session->settings, SETTING_SEARCH_PATH));
    char *rest = NULL;
    for (char *word = strtok_r(path, ", \t\"", &rest); word != NULL;
         word = strtok_r(NULL, ", \t\"", &rest)) {
        const char *schema = strcmp(word, "$user") == 0 ? view->session->user : word;
        if (catalog_version_has_schema(view->version, schema)) {
            return arena_strdup(view->arena, schema);
        }
    }
    return NULL;
}

static const char *temporary_schema(void *self)
{
    return ((SessionView *)self)->session->temporary_schema;
}

static Status identity_numbers(void *self, const CatalogTable *table, uint32_t count,
                               int64_t *first)
{
    return session_take_identity(((SessionView *)self)->session, table, count, first);
}

static const char *current_user(void *self)
{
    return ((SessionView *)self)->session->user;
}

static const char *current_database(void *self)
{
    return ((SessionView *)self)->session->database;
}

static int64_t statement_time_us(void *self)
{
    return ((SessionView *)self)->session->txn.start_us;
}

static const char *setting(void *self, const char *name)
{
    SessionView *view = self;
    SettingId id = SETTING_PORT;
    if (strcmp(name, "pg_backend_pid") == 0) {
        return arena_printf(view->arena, "%u", view->session->process_id);
    }
    return setting_find(name, &id) ? setting_text(view->session->settings, id) : NULL;
}

/* Runs the filter over the sample; errors of the filter (an overflow, say) mean "unknown". */
static double sample_selectivity(void *self, const CatalogTable *table, const Expr *filter)
{
    SessionView *view = self;
    if (table->sample_batch_count == 0) {
        return -1;
    }
    Arena *arena = arena_create(NULL, "sample");
    Type *types = ARENA_ARRAY(arena, Type, table->column_count + 1);
    for (uint32_t i = 0; i < table->column_count; i++) {
        types[i] = table->columns[i].type;
    }
    ExprProgram *program = NULL;
    Expr *filters[] = {(Expr *)filter};
    Status status = expr_compile(arena, filters, 1, types, table->column_count, &program);
    uint64_t rows = 0, kept = 0;
    if (status == STATUS_OK) {
        ExprState *state = expr_state_create(program, arena);
        for (uint32_t i = 0; status == STATUS_OK && i < table->sample_batch_count; i++) {
            Batch batch;
            batch_init(&batch, table->column_count, arena);
            batch_set_view(&batch, &table->sample[i]);
            rows += batch.selected_count;
            status = expr_filter(state, &batch);
            kept += batch.selected_count;
        }
    }
    double selectivity = status == STATUS_OK && rows > 0 ? (double)kept / (double)rows : -1;
    status_ignore(status, "an estimate only: the query itself will report it");
    arena_destroy(arena);
    (void)view;
    return selectivity;
}

static Status evaluate_constant(void *self, const Expr *expr, Arena *arena, Value *out)
{
    (void)self;
    return expr_evaluate_constant(expr, arena, out);
}

static SessionView *view_create(Session *session, const CatalogVersion *version, Arena *arena)
{
    SessionView *view = ARENA_NEW(arena, SessionView);
    view->session = session;
    view->version = version;
    view->arena = arena;
    return view;
}

const CatalogView *session_catalog_view(Session *session, const CatalogVersion *version,
                                        Arena *arena)
{
    SessionView *view = view_create(session, version, arena);
    view->view = (CatalogView){
        .self = view,
        .find_table = find_table,
        .schema_exists = schema_exists,
        .current_schema = current_schema,
        .temporary_schema = temporary_schema,
        .identity_numbers = identity_numbers,
        .current_user = current_user,
        .current_database = current_database,
        .statement_time_us = statement_time_us,
        .setting = setting,
        .sample_selectivity = sample_selectivity,
        .evaluate_constant = evaluate_constant,
    };
    return &view->view;
}

static Status scan_virtual(void *self, const char *table_name, const uint32_t *columns,
                           uint32_t column_count, Arena *arena, Batch **batches,
                           uint32_t *batch_count)
{
    SessionView *view = self;
    return system_table_scan(view->session, view->version, table_name, columns, column_count, arena,
                             batches, batch_count);
}

const VirtualTables *session_virtual_tables(Session *session, const CatalogVersion *version,
                                            Arena *arena)
{
    SessionView *view = view_create(session, version, arena);
    view->virtual_tables = (VirtualTables){.self = view, .scan = scan_virtual};
    return &view->virtual_tables;
}
