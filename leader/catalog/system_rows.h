/* system_rows.h — filling a system table row by row; inside the catalog only. */
#pragma once
#include <pthread.h>
#include "leader/catalog/system_tables.h"
#include "leader/session_internal.h"

typedef struct SystemRows {
    Session *session;
    const CatalogVersion *version;
    Arena *arena;
    uint32_t column_count;
    const CatalogColumn *columns;
    uint32_t row_count, row_capacity, column; /* `column`: the next cell of the open row */
    Value *cells;
} SystemRows;

/* A row is opened, its cells are added from left to right; cells left out are NULL. */
void system_rows_begin(SystemRows *rows);
void system_rows_text(SystemRows *rows, const char *text); /* null: NULL */
void system_rows_integer(SystemRows *rows, int64_t value);
void system_rows_double(SystemRows *rows, double value);
void system_rows_null(SystemRows *rows);

#define SYSTEM_TABLE(function, schema_name, table_name) \
    void system_rows_##function(SystemRows *rows);
#define SYSTEM_COLUMN(column, type_id)
#define SYSTEM_END
#include "leader/catalog/system_tables.def"
#undef SYSTEM_TABLE
#undef SYSTEM_COLUMN
#undef SYSTEM_END
