/* catalog.c — versions of the catalog: look-ups, and applying changes. */
#include "leader/catalog/catalog_version.h"

#include <stdlib.h>
#include <string.h>

CatalogVersion *catalog_version_pin(CatalogVersion *version)
{
    __atomic_add_fetch(&version->reference_count, 1, __ATOMIC_RELAXED);
    return version;
}

void catalog_version_unpin(CatalogVersion *version)
{
    // Release orders this holder's reads before the free, acquire sees those of all others.
    if (version == NULL || __atomic_sub_fetch(&version->reference_count, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    for (uint32_t i = 0; i < version->table_count; i++) {
        table_entry_unpin(version->tables[i]);
    }
    arena_destroy(version->arena); // the version lives in it
}

static CatalogVersion *version_create(uint32_t schemas, uint32_t tables, uint32_t users)
{
    Arena *arena = arena_create(NULL, "catalog version");
    CatalogVersion *version = ARENA_NEW(arena, CatalogVersion);
    version->reference_count = 1;
    version->arena = arena;
    version->schemas = ARENA_ARRAY(arena, const char *, schemas + 1);
    version->tables = ARENA_ARRAY(arena, TableEntry *, tables + 1);
    version->users = ARENA_ARRAY(arena, UserEntry, users + 1);
    return version;
}

CatalogVersion *catalog_version_create_empty(void)
{
    CatalogVersion *version = version_create(1, 0, 0);
    version->schemas[0] = "public";
    version->schema_count = 1;
    return version;
}

static UserEntry user_copy(Arena *arena, const UserEntry *user)
{
    return (UserEntry){.name = arena_strdup(arena, user->name),
                       .verifier = arena_strdup(arena, user->verifier),
                       .is_superuser = user->is_superuser};
}

CatalogVersion *catalog_version_copy(const CatalogVersion *version, uint32_t extra)
{
    CatalogVersion *copy = version_create(
        version->schema_count + extra, version->table_count + extra, version->user_count + extra);
    for (uint32_t i = 0; i < version->schema_count; i++) {
        copy->schemas[i] = arena_strdup(copy->arena, version->schemas[i]);
    }
    for (uint32_t i = 0; i < version->table_count; i++) {
        copy->tables[i] = table_entry_pin(version->tables[i]);
    }
    for (uint32_t i = 0; i < version->user_count; i++) {
        copy->users[i] = user_copy(copy->arena, &version->users[i]);
    }
    copy->schema_count = version->schema_count;
    copy->table_count = version->table_count;
    copy->user_count = version->user_count;
    return copy;
}

uint32_t catalog_version_table_slot(const CatalogVersion *version, const char *schema,
                                    const char *name, bool *is_found)
{
    uint32_t low = 0, high = version->table_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const CatalogTable *table = &version->tables[middle]->table;
        int order = strcmp(table->schema_name, schema);
        order = order != 0 ? order : strcmp(table->name, name);
        if (order == 0) {
            *is_found = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *is_found = false;
    return low;
}

TableEntry *catalog_version_table(const CatalogVersion *version, const char *schema,
                                  const char *name)
{
    bool is_found = false;
    uint32_t slot = catalog_version_table_slot(version, schema, name, &is_found);
    return is_found ? version->tables[slot] : NULL;
}

TableEntry *catalog_version_table_by_id(const CatalogVersion *version, uint64_t table_id)
{
    for (uint32_t i = 0; i < version->table_count; i++) {
        if (version->tables[i]->table.table_id == table_id) {
            return version->tables[i];
        }
    }
    return NULL;
}

bool catalog_version_has_schema(const CatalogVersion *version, const char *schema)
{
    for (uint32_t i = 0; i < version->schema_count; i++) {
        if (strcmp(version->schemas[i], schema) == 0) {
            return true;
        }
    }
    return false;
}

static UserEntry *find_user(const CatalogVersion *version, const char *name)
{
    for (uint32_t i = 0; i < version->user_count; i++) {
        if (strcmp(version->users[i].name, name) == 0) {
            return &version->users[i];
        }
    }
    return NULL;
}

const UserEntry *catalog_version_user(const CatalogVersion *version, const char *name)
{
    return find_user(version, name);
}

uint32_t catalog_version_table_count(const CatalogVersion *version)
{
    return version->table_count;
}

TableEntry *catalog_version_table_at(const CatalogVersion *version, uint32_t index)
{
    return version->tables[index];
}

uint32_t catalog_version_schema_count(const CatalogVersion *version)
{
    return version->schema_count;
}

const char *catalog_version_schema_at(const CatalogVersion *version, uint32_t index)
{
    return version->schemas[index];
}

uint32_t catalog_version_user_count(const CatalogVersion *version)
{
    return version->user_count;
}

const UserEntry *catalog_version_user_at(const CatalogVersion *version, uint32_t index)
{
    return &version->users[index];
}

void catalog_change_add(CatalogChangeList *list, CatalogChange *change)
{
    change->next = NULL;
    if (list->last != NULL) {
        list->last->next = change;
    } else {
        list->first = change;
    }
    list->last = change;
}

/* ---- applying ---- */

static Status create_table(CatalogVersion *version, const CatalogChange *change)
{
    const CatalogTable *table = change->table;
    if (!catalog_version_has_schema(version, table->schema_name)) {
        return status_error(SQLSTATE_INVALID_SCHEMA_NAME, "schema \"%s\" does not exist",
                            table->schema_name);
    }
    if (version->table_count >= CATALOG_TABLES_MAX) {
        return status_error(SQLSTATE_PROGRAM_LIMIT_EXCEEDED, "a cluster holds at most %u tables",
                            CATALOG_TABLES_MAX);
    }
    bool is_found = false;
    uint32_t slot = catalog_version_table_slot(version, table->schema_name, table->name, &is_found);
    if (is_found && change->kind == CATALOG_REPLACE_VIEW) {
        if (version->tables[slot]->table.kind != CATALOG_VIEW) {
            return status_error(SQLSTATE_WRONG_OBJECT_TYPE, "\"%s\" is not a view", table->name);
        }
        CatalogTable replacement = *table; // another text under the id it has
        replacement.table_id = version->tables[slot]->table.table_id;
        table_entry_unpin(version->tables[slot]);
        version->tables[slot] = table_entry_create(&replacement, change->owner);
        return STATUS_OK;
    }
    if (is_found) {
        return status_error(SQLSTATE_DUPLICATE_TABLE, "relation \"%s\" already exists",
                            table->name);
    }
    memmove(&version->tables[slot + 1], &version->tables[slot],
            (version->table_count - slot) * sizeof(*version->tables));
    version->tables[slot] = table_entry_create(table, change->owner);
    version->table_count++;
    return STATUS_OK;
}

static Status drop_table(CatalogVersion *version, const CatalogChange *change)
{
    bool is_found = false;
    uint32_t slot = catalog_version_table_slot(version, change->schema, change->name, &is_found);
    if (!is_found) {
        return status_error(SQLSTATE_UNDEFINED_TABLE, "table \"%s\" does not exist", change->name);
    }
    if (version->tables[slot]->table.table_id != change->table_id) { // not the one that was seen
        return status_error(SQLSTATE_SERIALIZATION_FAILURE,
                            "table \"%s\" was made anew by another transaction", change->name);
    }
    table_entry_unpin(version->tables[slot]);
    memmove(&version->tables[slot], &version->tables[slot + 1],
            (version->table_count - slot - 1) * sizeof(*version->tables));
    version->table_count--;
    return STATUS_OK;
}

/* Entries stay in the order of their names. */
static void move_entry(CatalogVersion *version, uint32_t from, TableEntry *entry)
{
    bool is_found = false;
    memmove(&version->tables[from], &version->tables[from + 1],
            (version->table_count - from - 1) * sizeof(*version->tables));
    version->table_count--;
    uint32_t to = catalog_version_table_slot(version, entry->table.schema_name, entry->table.name,
                                             &is_found);
    memmove(&version->tables[to + 1], &version->tables[to],
            (version->table_count - to) * sizeof(*version->tables));
    version->tables[to] = entry;
    version->table_count++;
}

/* 40001 when the rows of a table are now kept under another id. */
static Status check_replaced(const CatalogVersion *version, uint64_t table_id)
{
    for (uint32_t i = 0; i < version->table_count; i++) {
        for (const TableEntry *entry = version->tables[i]->previous; entry != NULL;
             entry = entry->previous) {
            if (entry->table.table_id == table_id) {
                return status_error(SQLSTATE_SERIALIZATION_FAILURE,
                                    "the rows of table \"%s\" were distributed or sorted anew by "
                                    "another transaction",
                                    entry->table.name);
            }
        }
    }
    return STATUS_OK;
}

static Status alter_table(CatalogVersion *version, const CatalogChange *change)
{
    const CatalogTable *table = change->table;
    uint32_t slot = 0;
    while (slot < version->table_count &&
           version->tables[slot]->table.table_id != table->table_id) {
        slot++;
    }
    if (slot == version->table_count) {
        TRY(check_replaced(version, table->table_id));
        return status_error(SQLSTATE_UNDEFINED_TABLE, "table \"%s\" does not exist", table->name);
    }
    TableEntry *old = version->tables[slot], *entry = NULL;
    if (old->table.generation + 1 != table->generation) { // not the one that was seen
        return status_error(SQLSTATE_SERIALIZATION_FAILURE,
                            "table \"%s\" was altered by another transaction", table->name);
    }
    TableEntry *namesake = catalog_version_table(version, table->schema_name, table->name);
    if (namesake != NULL && namesake != old) {
        return status_error(SQLSTATE_DUPLICATE_TABLE, "relation \"%s\" already exists",
                            table->name);
    }
    TRY(table_entry_altered(old, table, &entry));
    entry->table.identity_next = old->table.identity_next;
    move_entry(version, slot, entry);
    table_entry_unpin(old);
    return STATUS_OK;
}

/* Under a new id, so that who writes into the old one fails, and who reads it is not disturbed. */
static Status replace_table(CatalogVersion *version, const CatalogChange *change)
{
    const CatalogTable *table = change->table;
    uint32_t slot = 0;
    while (slot < version->table_count &&
           version->tables[slot]->table.table_id != change->table_id) {
        slot++;
    }
    if (slot == version->table_count ||
        version->tables[slot]->table.generation + 1 != table->generation) {
        return status_error(SQLSTATE_SERIALIZATION_FAILURE,
                            "table \"%s\" was altered or dropped by another transaction",
                            table->name);
    }
    TableEntry *old = version->tables[slot], *used = NULL;
    if (change->position > 0) {
        TRY(table_entry_from_horizon(old, change->horizon, &used));
    }
    TableEntry *entry = table_entry_create(table, old->owner);
    entry->table.identity_next = old->table.identity_next;
    table_entry_follow(entry, used, change->position);
    version->tables[slot] = entry;
    table_entry_unpin(used);
    table_entry_unpin(old);
    return STATUS_OK;
}

static Status create_schema(CatalogVersion *version, const CatalogChange *change)
{
    if (catalog_version_has_schema(version, change->schema)) {
        return status_error(SQLSTATE_DUPLICATE_SCHEMA, "schema \"%s\" already exists",
                            change->schema);
    }
    uint32_t slot = 0;
    while (slot < version->schema_count && strcmp(version->schemas[slot], change->schema) < 0) {
        slot++;
    }
    memmove(&version->schemas[slot + 1], &version->schemas[slot],
            (version->schema_count - slot) * sizeof(*version->schemas));
    version->schemas[slot] = arena_strdup(version->arena, change->schema);
    version->schema_count++;
    return STATUS_OK;
}

static Status drop_schema(CatalogVersion *version, const CatalogChange *change)
{
    for (uint32_t i = 0; i < version->table_count; i++) {
        if (strcmp(version->tables[i]->table.schema_name, change->schema) == 0) {
            return status_with_hint(
                status_error(SQLSTATE_DEPENDENT_OBJECTS_STILL_EXIST,
                             "cannot drop schema %s because other objects depend on it",
                             change->schema),
                "use DROP ... CASCADE to drop the dependent objects too");
        }
    }
    for (uint32_t i = 0; i < version->schema_count; i++) {
        if (strcmp(version->schemas[i], change->schema) == 0) {
            memmove(&version->schemas[i], &version->schemas[i + 1],
                    (version->schema_count - i - 1) * sizeof(*version->schemas));
            version->schema_count--;
            return STATUS_OK;
        }
    }
    return status_error(SQLSTATE_INVALID_SCHEMA_NAME, "schema \"%s\" does not exist",
                        change->schema);
}

static Status drop_user(CatalogVersion *version, const CatalogChange *change)
{
    UserEntry *user = find_user(version, change->name);
    if (user == NULL) {
        return status_error(SQLSTATE_UNDEFINED_OBJECT, "user \"%s\" does not exist", change->name);
    }
    *user = version->users[--version->user_count];
    return STATUS_OK;
}

static Status advance_identity(TableEntry *old, uint64_t number, TableEntry **out)
{
    TableEntry *entry = NULL;
    TRY(table_entry_with_statistics(old, true, NULL, 0, &entry));
    if (entry->table.identity_next < number) {
        entry->table.identity_next = number;
    }
    *out = entry;
    return STATUS_OK;
}

static Status change_statistics(CatalogVersion *version, const CatalogChange *change)
{
    for (uint32_t i = 0; i < version->table_count; i++) {
        TableEntry *old = version->tables[i];
        if (old->table.table_id != change->table_id) {
            continue;
        }
        TableEntry *entry = NULL;
        bool is_added = change->kind == CATALOG_ADD_STATISTICS;
        bool is_less = change->kind == CATALOG_REMOVE_ROWS;
        TRY(change->kind == CATALOG_ADVANCE_IDENTITY
                ? advance_identity(old, change->row_count, &entry)
            : is_less || change->kind == CATALOG_RENEW_STATISTICS
                ? table_entry_without_rows(old, change->row_count, is_less, &entry)
                : table_entry_with_statistics(old, is_added, is_added ? change->statistics : NULL,
                                              change->statistics_bytes, &entry));
        version->tables[i] = entry;
        table_entry_unpin(old);
        return STATUS_OK;
    }
    if (change->is_analysis) {
        return STATUS_OK;
    }
    TRY(check_replaced(version, change->table_id));
    // The table was dropped by a transaction that committed first: its rows are gone with it.
    return status_error(SQLSTATE_UNDEFINED_TABLE, "the table was dropped by another transaction");
}

static Status require_table(const CatalogVersion *version, const CatalogChange *change)
{
    return catalog_version_table_by_id(version, change->table_id) != NULL
               ? STATUS_OK
               : status_error(SQLSTATE_UNDEFINED_TABLE,
                              "the table was dropped by another transaction");
}

static Status apply_one(CatalogVersion *version, const CatalogChange *change)
{
    switch (change->kind) {
    case CATALOG_CREATE_TABLE:
    case CATALOG_REPLACE_VIEW:
        return create_table(version, change);
    case CATALOG_ALTER_TABLE:
        return alter_table(version, change);
    case CATALOG_REPLACE_TABLE:
        return replace_table(version, change);
    case CATALOG_DROP_TABLE:
        return drop_table(version, change);
    case CATALOG_CREATE_SCHEMA:
        return create_schema(version, change);
    case CATALOG_DROP_SCHEMA:
        return drop_schema(version, change);
    case CATALOG_SET_USER: {
        UserEntry *user = find_user(version, change->user.name);
        user = user != NULL ? user : &version->users[version->user_count++];
        *user = user_copy(version->arena, &change->user);
        return STATUS_OK;
    }
    case CATALOG_DROP_USER:
        return drop_user(version, change);
    case CATALOG_ADD_STATISTICS:
    case CATALOG_CLEAR_STATISTICS:
    case CATALOG_ADVANCE_IDENTITY:
    case CATALOG_RENEW_STATISTICS:
    case CATALOG_REMOVE_ROWS:
        return change_statistics(version, change);
    case CATALOG_REQUIRE_TABLE:
        return require_table(version, change);
    }
    return status_error(SQLSTATE_INTERNAL_ERROR, "unknown catalog change %d", (int)change->kind);
}

Status catalog_version_apply(CatalogVersion *version, const CatalogChangeList *changes,
                             CatalogVersion **out)
{
    if (changes->first == NULL) {
        *out = catalog_version_pin(version);
        return STATUS_OK;
    }
    uint32_t change_count = 0;
    for (const CatalogChange *change = changes->first; change != NULL; change = change->next) {
        change_count++;
    }
    CatalogVersion *copy = catalog_version_copy(version, change_count);
    for (const CatalogChange *change = changes->first; change != NULL; change = change->next) {
        Status status = apply_one(copy, change);
        if (status != STATUS_OK) {
            catalog_version_unpin(copy);
            return status;
        }
    }
    *out = copy;
    return STATUS_OK;
}
