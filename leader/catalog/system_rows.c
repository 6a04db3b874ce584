/* system_rows.c — the rows of each system table. */
#include "leader/catalog/system_rows.h"

#include <string.h>

/* OIDs of what has no number of its own: stable within a version. */
#define OID_SCHEMA_FIRST 2200
#define OID_PG_CATALOG 11
#define OID_INFORMATION_SCHEMA 13000
#define OID_DATABASE 1
#define OID_OWNER 100

void system_rows_begin(SystemRows *rows)
{
    if (rows->row_count == rows->row_capacity) {
        uint32_t capacity = rows->row_capacity == 0 ? 64 : rows->row_capacity * 2;
        Value *cells = ARENA_ARRAY(rows->arena, Value, (size_t)capacity * rows->column_count);
        if (rows->row_count > 0) {
            memcpy(cells, rows->cells,
                   (size_t)rows->row_count * rows->column_count * sizeof(*cells));
        }
        rows->cells = cells;
        rows->row_capacity = capacity;
    }
    Value *row = &rows->cells[(size_t)rows->row_count * rows->column_count];
    for (uint32_t i = 0; i < rows->column_count; i++) {
        row[i] = value_null(rows->columns[i].type);
    }
    rows->row_count++;
    rows->column = 0;
}

static Value *next_cell(SystemRows *rows)
{
    ASSERT(rows->column < rows->column_count);
    Value *cell = &rows->cells[(size_t)(rows->row_count - 1) * rows->column_count + rows->column++];
    cell->is_null = false;
    return cell;
}

void system_rows_text(SystemRows *rows, const char *text)
{
    if (text == NULL) {
        system_rows_null(rows);
        return;
    }
    const char *copy = arena_strdup(rows->arena, text);
    next_cell(rows)->text = text_view_make(copy, strlen(copy));
}

void system_rows_integer(SystemRows *rows, int64_t value)
{
    next_cell(rows)->i64 = value;
}

void system_rows_double(SystemRows *rows, double value)
{
    next_cell(rows)->f64 = value;
}

void system_rows_null(SystemRows *rows)
{
    rows->column++;
}

static int64_t schema_oid(const SystemRows *rows, const char *schema)
{
    if (strcmp(schema, "pg_catalog") == 0) {
        return OID_PG_CATALOG;
    }
    if (strcmp(schema, "information_schema") == 0) {
        return OID_INFORMATION_SCHEMA;
    }
    for (uint32_t i = 0; i < catalog_version_schema_count(rows->version); i++) {
        if (strcmp(catalog_version_schema_at(rows->version, i), schema) == 0) {
            return strcmp(schema, "public") == 0 ? OID_SCHEMA_FIRST : OID_SCHEMA_FIRST + 1 + i;
        }
    }
    return 0;
}

/* Owners are users; one that is gone has no number. */
static int64_t user_oid(const SystemRows *rows, const char *name)
{
    for (uint32_t i = 0; i < catalog_version_user_count(rows->version); i++) {
        if (strcmp(catalog_version_user_at(rows->version, i)->name, name) == 0) {
            return OID_OWNER + i;
        }
    }
    return 0;
}

/* Every relation: the catalog's, then the system's own. */
static void for_each_relation(SystemRows *rows,
                              void (*visit)(SystemRows *rows, const CatalogTable *table,
                                            const char *owner))
{
    for (uint32_t i = 0; i < catalog_version_table_count(rows->version); i++) {
        const TableEntry *entry = catalog_version_table_at(rows->version, i);
        visit(rows, &entry->table, entry->owner);
    }
    for (uint32_t i = 0; i < system_table_count(); i++) {
        visit(rows, system_table_at(i), "admin");
    }
}

void system_rows_namespaces(SystemRows *rows)
{
    static const char *const own[] = {"pg_catalog", "information_schema"};
    for (uint32_t i = 0; i < 2 + catalog_version_schema_count(rows->version); i++) {
        const char *name = i < 2 ? own[i] : catalog_version_schema_at(rows->version, i - 2);
        system_rows_begin(rows);
        system_rows_integer(rows, schema_oid(rows, name));
        system_rows_text(rows, name);
        system_rows_integer(rows, OID_OWNER);
    }
}

/* What is empty in every relation here: pg_class from relpages to reltoastrelid. */
static void add_class_rest(SystemRows *rows)
{
    const uint32_t count = 11;
    for (uint32_t i = 0; i < count; i++) {
        system_rows_integer(rows, 0);
    }
}

static void add_class(SystemRows *rows, const CatalogTable *table, const char *owner)
{
    system_rows_begin(rows);
    system_rows_integer(rows, (int64_t)table->table_id);
    system_rows_text(rows, table->name);
    system_rows_integer(rows, schema_oid(rows, table->schema_name));
    system_rows_integer(rows, 0);
    system_rows_integer(rows, user_oid(rows, owner));
    system_rows_text(rows, table->kind == CATALOG_VIEW ? "v" : "r");
    system_rows_integer(rows, table->column_count);
    system_rows_double(rows, table->row_count);
    system_rows_integer(rows, 0);
    system_rows_integer(rows, 0);
    system_rows_integer(rows, 0);
    system_rows_text(rows, "p");
    system_rows_integer(rows, table->style == DISTRIBUTION_STYLE_KEY   ? 1
                              : table->style == DISTRIBUTION_STYLE_ALL ? 8
                                                                       : 0);
    const CatalogTable *seen = session_find_table(rows->session, rows->version, table->name);
    system_rows_integer(rows, seen == table);
    add_class_rest(rows);
    system_rows_integer(rows, (int64_t)table->table_id);
    system_rows_text(rows, "d");
}

void system_rows_classes(SystemRows *rows)
{
    for_each_relation(rows, add_class);
}

/* Place of a column in the sort key, from 1; 0: not in it. */
static int64_t sort_place(const CatalogTable *table, uint32_t column)
{
    for (uint32_t i = 0; i < table->sort_key_count; i++) {
        if (table->sort_keys[i] == column) {
            return (int64_t)i + 1;
        }
    }
    return 0;
}

static int64_t wire_bytes(Type type)
{
    switch (type.id) {
#define SQL_TYPE(id, number, name, oid, wire)                                                      \
    case number:                                                                                   \
        return wire;
#include "base/types/types.def"
#undef SQL_TYPE
    default:
        return -1;
    }
}

static void add_attributes(SystemRows *rows, const CatalogTable *table, const char *owner)
{
    (void)owner;
    for (uint32_t i = 0; i < table->column_count; i++) {
        const CatalogColumn *column = &table->columns[i];
        system_rows_begin(rows);
        system_rows_integer(rows, (int64_t)table->table_id);
        system_rows_text(rows, column->name);
        system_rows_integer(rows, type_oid(column->type));
        system_rows_integer(rows, wire_bytes(column->type));
        system_rows_integer(rows, column->attribute_number);
        system_rows_integer(rows, type_modifier(column->type));
        system_rows_integer(rows, column->is_not_null);
        system_rows_integer(rows, column->default_text != NULL);
        system_rows_integer(rows, 0);
        system_rows_integer(rows, table->distribution_column == (int32_t)i);
        system_rows_integer(rows, sort_place(table, i));
        system_rows_text(rows, "");
        system_rows_text(rows, "");
        system_rows_integer(rows, 0);
        system_rows_integer(rows, 0);
        system_rows_integer(rows, 0);
        system_rows_integer(rows, 1);
        system_rows_integer(rows, -1);
        system_rows_text(rows, "p");
        system_rows_text(rows, "");
    }
}

void system_rows_attributes(SystemRows *rows)
{
    for_each_relation(rows, add_attributes);
}

void system_rows_types(SystemRows *rows)
{
    static const struct {
        int64_t oid;
        const char *name;
        int64_t bytes;
        const char *category;
    } wire_types[] = {
        {16, "bool", 1, "B"}, {21, "int2", 2, "N"}, {23, "int4", 4, "N"},
        {20, "int8", 8, "N"}, {1700, "numeric", -1, "N"}, {700, "float4", 4, "N"},
        {701, "float8", 8, "N"}, {1042, "bpchar", -1, "S"}, {1043, "varchar", -1, "S"},
        {1082, "date", 4, "D"}, {1114, "timestamp", 8, "D"}, {1186, "interval", 16, "T"},
        {25, "text", -1, "S"}, {19, "name", 64, "S"}, {26, "oid", 4, "N"},
        {705, "unknown", -2, "X"},
    };
    for (size_t i = 0; i < sizeof(wire_types) / sizeof(*wire_types); i++) {
        system_rows_begin(rows);
        system_rows_integer(rows, wire_types[i].oid);
        system_rows_text(rows, wire_types[i].name);
        system_rows_integer(rows, OID_PG_CATALOG);
        system_rows_integer(rows, wire_types[i].bytes);
        system_rows_text(rows, "b");
        system_rows_integer(rows, 0);
        system_rows_integer(rows, 0);
        system_rows_integer(rows, 0);
        system_rows_integer(rows, -1);
        system_rows_integer(rows, 0);
        system_rows_text(rows, ",");
        system_rows_integer(rows, 0);
        system_rows_integer(rows, 0);
        system_rows_integer(rows, OID_OWNER);
        system_rows_text(rows, wire_types[i].category);
        system_rows_integer(rows, 1);
        system_rows_integer(rows, 0);
        system_rows_integer(rows, 0);
    }
}

void system_rows_databases(SystemRows *rows)
{
    system_rows_begin(rows);
    system_rows_integer(rows, OID_DATABASE);
    system_rows_text(rows, rows->session->leader->database);
    system_rows_integer(rows, OID_OWNER);
    system_rows_integer(rows, 6);
    system_rows_integer(rows, 1);
    system_rows_text(rows, "C"); // there is one collation: bytes
    system_rows_text(rows, "C");
    system_rows_integer(rows, 0);
    system_rows_integer(rows, -1);
    system_rows_integer(rows, 0);
}

void system_rows_users(SystemRows *rows)
{
    for (uint32_t i = 0; i < catalog_version_user_count(rows->version); i++) {
        const UserEntry *user = catalog_version_user_at(rows->version, i);
        system_rows_begin(rows);
        system_rows_text(rows, user->name);
        system_rows_integer(rows, OID_OWNER + i);
        system_rows_integer(rows, user->is_superuser);
        system_rows_integer(rows, user->is_superuser);
    }
}

void system_rows_roles(SystemRows *rows)
{
    for (uint32_t i = 0; i < catalog_version_user_count(rows->version); i++) {
        const UserEntry *user = catalog_version_user_at(rows->version, i);
        system_rows_begin(rows);
        system_rows_integer(rows, OID_OWNER + i);
        system_rows_text(rows, user->name);
        system_rows_integer(rows, user->is_superuser);
        system_rows_integer(rows, 1);
        system_rows_integer(rows, user->is_superuser);
        system_rows_integer(rows, user->is_superuser);
        system_rows_integer(rows, 1);
        system_rows_integer(rows, 0);
        system_rows_integer(rows, user->is_superuser);
        system_rows_integer(rows, -1);
    }
}

static void add_defaults(SystemRows *rows, const CatalogTable *table, const char *owner)
{
    (void)owner;
    for (uint32_t i = 0; i < table->column_count; i++) {
        const CatalogColumn *column = &table->columns[i];
        if (column->default_text != NULL) {
            system_rows_begin(rows);
            system_rows_integer(rows, 0);
            system_rows_integer(rows, (int64_t)table->table_id);
            system_rows_integer(rows, column->attribute_number);
            system_rows_text(rows, column->default_text);
            system_rows_text(rows, column->default_text);
        }
    }
}

void system_rows_defaults(SystemRows *rows)
{
    for_each_relation(rows, add_defaults);
}

static void add_view(SystemRows *rows, const CatalogTable *table, const char *owner)
{
    if (table->kind == CATALOG_VIEW) {
        system_rows_begin(rows);
        system_rows_text(rows, table->schema_name);
        system_rows_text(rows, table->name);
        system_rows_text(rows, owner);
        system_rows_text(rows, table->view_text);
    }
}

void system_rows_views(SystemRows *rows)
{
    for_each_relation(rows, add_view);
}

/* PostgreSQL keeps a view as a rule of this name. */
static void add_rewrite(SystemRows *rows, const CatalogTable *table, const char *owner)
{
    (void)owner;
    if (table->kind == CATALOG_VIEW) {
        system_rows_begin(rows);
        system_rows_integer(rows, (int64_t)table->table_id);
        system_rows_text(rows, "_RETURN");
        system_rows_integer(rows, (int64_t)table->table_id);
        system_rows_text(rows, "1");
        system_rows_text(rows, "O");
        system_rows_integer(rows, 1);
        system_rows_null(rows);
        system_rows_text(rows, table->view_text);
    }
}

void system_rows_rewrites(SystemRows *rows)
{
    for_each_relation(rows, add_rewrite);
}

void system_rows_none(SystemRows *rows)
{
    (void)rows;
}

void system_rows_tables(SystemRows *rows)
{
    for (uint32_t i = 0; i < catalog_version_table_count(rows->version); i++) {
        const TableEntry *entry = catalog_version_table_at(rows->version, i);
        if (entry->table.kind == CATALOG_TABLE) {
            system_rows_begin(rows);
            system_rows_text(rows, entry->table.schema_name);
            system_rows_text(rows, entry->table.name);
            system_rows_text(rows, entry->owner);
        }
    }
}

void system_rows_table_definitions(SystemRows *rows)
{
    for (uint32_t i = 0; i < catalog_version_table_count(rows->version); i++) {
        const CatalogTable *table = &catalog_version_table_at(rows->version, i)->table;
        for (uint32_t c = 0; table->kind == CATALOG_TABLE && c < table->column_count; c++) {
            const CatalogColumn *column = &table->columns[c];
            char text[TYPE_TEXT_BYTES];
            system_rows_begin(rows);
            system_rows_text(rows, table->schema_name);
            system_rows_text(rows, table->name);
            system_rows_text(rows, column->name);
            system_rows_text(rows, type_print(column->type, text));
            system_rows_text(rows, column->encoding_text == NULL ? "auto" : column->encoding_text);
            system_rows_integer(rows, table->distribution_column == (int32_t)c);
            system_rows_integer(rows, sort_place(table, c));
            system_rows_integer(rows, column->is_not_null);
        }
    }
}

void system_rows_settings(SystemRows *rows)
{
    for (uint32_t i = 0; i < SETTING_COUNT; i++) {
        system_rows_begin(rows);
        system_rows_text(rows, setting_name((SettingId)i));
        system_rows_text(rows, setting_text(rows->session->settings, (SettingId)i));
        system_rows_text(rows, setting_help((SettingId)i));
        system_rows_text(rows, setting_scope((SettingId)i) == SETTING_SCOPE_SESSION ? "user"
                                                                                    : "postmaster");
    }
}

static void add_information_table(SystemRows *rows, const CatalogTable *table, const char *owner)
{
    (void)owner;
    system_rows_begin(rows);
    system_rows_text(rows, rows->session->leader->database);
    system_rows_text(rows, table->schema_name);
    system_rows_text(rows, table->name);
    system_rows_text(rows, table->kind == CATALOG_VIEW      ? "VIEW"
                           : table->kind == CATALOG_VIRTUAL ? "SYSTEM VIEW"
                                                            : "BASE TABLE");
}

void system_rows_information_tables(SystemRows *rows)
{
    for_each_relation(rows, add_information_table);
}

static void add_information_columns(SystemRows *rows, const CatalogTable *table, const char *owner)
{
    (void)owner;
    for (uint32_t i = 0; i < table->column_count; i++) {
        const CatalogColumn *column = &table->columns[i];
        system_rows_begin(rows);
        system_rows_text(rows, rows->session->leader->database);
        system_rows_text(rows, table->schema_name);
        system_rows_text(rows, table->name);
        system_rows_text(rows, column->name);
        system_rows_integer(rows, column->attribute_number);
        system_rows_text(rows, column->default_text);
        system_rows_text(rows, column->is_not_null ? "NO" : "YES");
        system_rows_text(rows, type_name(column->type));
        if (type_is_text(column->type) && column->type.length > 0) {
            system_rows_integer(rows, column->type.length);
        } else {
            system_rows_null(rows);
        }
        if (column->type.id == TYPE_DECIMAL) {
            system_rows_integer(rows, column->type.precision);
            system_rows_integer(rows, column->type.scale);
        }
    }
}

void system_rows_information_columns(SystemRows *rows)
{
    for_each_relation(rows, add_information_columns);
}

static void add_session(void *object, Session *session)
{
    SystemRows *rows = object;
    SessionInfo info;
    session_info(session, &info);
    system_rows_begin(rows);
    system_rows_integer(rows, info.process_id);
    system_rows_text(rows, info.user);
    system_rows_text(rows, info.query);
    system_rows_text(rows, info.is_running          ? "active"
                           : info.is_in_transaction ? "idle in transaction"
                                                    : "idle");
    system_rows_integer(rows, info.start_us);
}

void system_rows_activity(SystemRows *rows)
{
    server_visit_sessions(rows->session->leader->server, add_session, rows);
}

/* Who uses a process id, as long as it is there. */
typedef struct UserSearch {
    uint32_t process_id;
    bool is_found;
    SessionInfo info;
} UserSearch;

static void find_process(void *object, Session *session)
{
    UserSearch *search = object;
    SessionInfo info;
    session_info(session, &info);
    if (info.process_id == search->process_id) {
        search->info = info;
        search->is_found = true;
    }
}

static const char *user_of_process(const SystemRows *rows, uint32_t process_id)
{
    UserSearch search = {.process_id = process_id};
    server_visit_sessions(rows->session->leader->server, find_process, &search);
    return search.is_found ? arena_strdup(rows->arena, search.info.user) : NULL;
}

void system_rows_locks(SystemRows *rows)
{
    LockInfo *locks = NULL;
    const uint32_t count =
        table_locks_list(rows->session->leader->table_locks, rows->arena, &locks);
    for (uint32_t i = 0; i < count; i++) {
        system_rows_begin(rows);
        system_rows_integer(rows, (int64_t)locks[i].table_id);
        system_rows_text(rows, user_of_process(rows, locks[i].process_id));
        system_rows_integer(rows, locks[i].process_id);
        system_rows_text(rows, !locks[i].is_granted              ? "Waiting"
                               : locks[i].mode == LOCK_EXCLUSIVE ? "Holding exclusive lock"
                                                                 : "Holding shared lock");
    }
}

void system_rows_transactions(SystemRows *rows)
{
    LockInfo *locks = NULL;
    const uint32_t count =
        table_locks_list(rows->session->leader->table_locks, rows->arena, &locks);
    for (uint32_t i = 0; i < count; i++) {
        system_rows_begin(rows);
        system_rows_text(rows, user_of_process(rows, locks[i].process_id));
        system_rows_text(rows, rows->session->leader->database);
        system_rows_integer(rows, locks[i].process_id);
        system_rows_text(rows, lock_mode_name(locks[i].mode));
        system_rows_text(rows, "relation");
        system_rows_integer(rows, (int64_t)locks[i].table_id);
        system_rows_integer(rows, locks[i].is_granted);
    }
}

void system_rows_cluster_nodes(SystemRows *rows)
{
    NodeInfo *infos = NULL;
    uint32_t count = 0;
    nodes_info(rows->session->leader->nodes, rows->arena, &infos, &count);
    for (uint32_t i = 0; i < count; i++) {
        system_rows_begin(rows);
        system_rows_integer(rows, infos[i].node);
        system_rows_text(rows, infos[i].address);
        system_rows_text(rows, infos[i].state);
        system_rows_integer(rows, (int64_t)infos[i].applied_position);
        system_rows_integer(rows, (int64_t)infos[i].disk_free_bytes);
        system_rows_integer(rows, (int64_t)infos[i].memory_bytes);
    }
}

/* What is being merged, or was the last; merges are too different for an estimate of the rest. */
void system_rows_vacuum_progress(SystemRows *rows)
{
    MergeProgress progress;
    merge_gate_progress(&rows->session->leader->merge_gate, &progress);
    if (progress.table[0] == 0) {
        return;
    }
    system_rows_begin(rows);
    system_rows_text(rows, progress.table);
    system_rows_text(rows, progress.is_running ? "Merge" : "Complete");
    system_rows_null(rows);
    system_rows_integer(rows, progress.merges);
    system_rows_integer(rows, (int64_t)progress.rows);
}

/* As svv_table_info has it; null: none. */
static const char *sort_key_name(const SystemRows *rows, const CatalogTable *table)
{
    const char *first =
        table->sort_key_count > 0 ? table->columns[table->sort_keys[0]].name : NULL;
    if (table->is_auto_sorted) {
        return first == NULL ? "AUTO(SORTKEY)"
                             : arena_printf(rows->arena, "AUTO(SORTKEY(%s))", first);
    }
    return table->is_interleaved ? "INTERLEAVED" : first;
}

void system_rows_table_info(SystemRows *rows)
{
    static const char *const styles[] = {"EVEN", "KEY", "ALL"};
    for (uint32_t i = 0; i < catalog_version_table_count(rows->version); i++) {
        const CatalogTable *table = &catalog_version_table_at(rows->version, i)->table;
        if (table->kind != CATALOG_TABLE) {
            continue;
        }
        const char *style = styles[table->style];
        if (table->style == DISTRIBUTION_STYLE_KEY) {
            style = arena_printf(rows->arena, "KEY(%s)",
                                 table->columns[table->distribution_column].name);
        }
        style = table->is_auto_style ? arena_printf(rows->arena, "AUTO(%s)", style) : style;
        system_rows_begin(rows);
        system_rows_text(rows, table->schema_name);
        system_rows_text(rows, table->name);
        system_rows_integer(rows, (int64_t)table->table_id);
        system_rows_text(rows, style);
        system_rows_text(rows, sort_key_name(rows, table));
        system_rows_integer(rows, (int64_t)table->row_count);
    }
}
