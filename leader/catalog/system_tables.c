/* system_tables.c — the list of system tables as catalog tables, and the scan of one. */
#include "leader/catalog/system_rows.h"

#include <stdio.h>
#include <string.h>

#include "base/vector/value_batch.h"

#define SYSTEM_COLUMNS_MAX 32

typedef struct SystemTable {
    const char *schema, *name;
    void (*rows)(SystemRows *rows);
    uint32_t column_count;
    struct {
        const char *name;
        TypeId type;
    } columns[SYSTEM_COLUMNS_MAX];
} SystemTable;

#define SYSTEM_TABLE(function, schema_name, table_name)                                            \
    {                                                                                              \
        .schema = (schema_name), .name = (table_name), .rows = system_rows_##function, .columns = {
#define SYSTEM_COLUMN(column, type_id) {(column), TYPE_##type_id},
#define SYSTEM_END                                                                                 \
    }                                                                                              \
    }                                                                                              \
    ,
static const SystemTable tables[] = {
#include "leader/catalog/system_tables.def"
};
#undef SYSTEM_TABLE
#undef SYSTEM_COLUMN
#undef SYSTEM_END

#define TABLE_COUNT (sizeof(tables) / sizeof(*tables))
#define SYSTEM_ID_FIRST 10000u

static CatalogTable catalog_tables[TABLE_COUNT];
static CatalogColumn catalog_columns[TABLE_COUNT][SYSTEM_COLUMNS_MAX];
static ColumnStatistics no_statistics[SYSTEM_COLUMNS_MAX];
static pthread_once_t is_built = PTHREAD_ONCE_INIT;

static void build(void)
{
    for (uint32_t i = 0; i < TABLE_COUNT; i++) {
        uint32_t count = 0;
        while (count < SYSTEM_COLUMNS_MAX && tables[i].columns[count].name != NULL) {
            TypeId id = tables[i].columns[count].type;
            catalog_columns[i][count] = (CatalogColumn){
                .column_id = count + 1,
                .name = tables[i].columns[count].name,
                .type = id == TYPE_VARCHAR ? type_varchar(0) : type_of(id),
                .attribute_number = count + 1,
            };
            count++;
        }
        catalog_tables[i] = (CatalogTable){
            .table_id = SYSTEM_ID_FIRST + i,
            .schema_name = tables[i].schema,
            .name = tables[i].name,
            .kind = CATALOG_VIRTUAL,
            .column_count = count,
            .columns = catalog_columns[i],
            .distribution_column = -1,
            .row_count = 100,
            .statistics = no_statistics,
        };
    }
}

uint32_t system_table_count(void)
{
    return TABLE_COUNT;
}

const CatalogTable *system_table_at(uint32_t index)
{
    pthread_once(&is_built, build);
    return &catalog_tables[index];
}

const CatalogTable *system_table_find(const char *schema, const char *name)
{
    pthread_once(&is_built, build);
    for (uint32_t i = 0; i < TABLE_COUNT; i++) {
        if (strcmp(tables[i].name, name) == 0 && strcmp(tables[i].schema, schema) == 0) {
            return &catalog_tables[i];
        }
    }
    return NULL;
}

bool system_schema_exists(const char *schema)
{
    return strcmp(schema, "pg_catalog") == 0 || strcmp(schema, "information_schema") == 0;
}

Status system_table_scan(Session *session, const CatalogVersion *version, const char *table_name,
                         const uint32_t *columns, uint32_t column_count, Arena *arena,
                         Batch **batches, uint32_t *batch_count)
{
    pthread_once(&is_built, build);
    const SystemTable *found = NULL;
    const CatalogTable *table = NULL;
    for (uint32_t i = 0; i < TABLE_COUNT; i++) {
        char full[256];
        snprintf(full, sizeof(full), "%s.%s", tables[i].schema, tables[i].name);
        if (strcmp(full, table_name) == 0) {
            found = &tables[i];
            table = &catalog_tables[i];
        }
    }
    if (found == NULL) {
        return status_error(SQLSTATE_UNDEFINED_TABLE, "there is no system table \"%s\"",
                            table_name);
    }
    SystemRows rows = {.session = session,
                       .version = version,
                       .arena = arena,
                       .column_count = table->column_count,
                       .columns = table->columns};
    found->rows(&rows);
    Type *types = ARENA_ARRAY(arena, Type, column_count + 1);
    Value *cells = ARENA_ARRAY(arena, Value, (size_t)rows.row_count * column_count + 1);
    for (uint32_t c = 0; c < column_count; c++) {
        types[c] = table->columns[columns[c]].type;
        for (uint32_t r = 0; r < rows.row_count; r++) {
            cells[(size_t)r * column_count + c] =
                rows.cells[(size_t)r * table->column_count + columns[c]];
        }
    }
    value_batches(arena, types, column_count, cells, rows.row_count, batches, batch_count);
    return STATUS_OK;
}
