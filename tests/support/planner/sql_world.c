/* sql_world.c — random tables for tests that begin with SQL text. */
#include "tests/support/planner/sql_world.h"

#include <string.h>

#include "base/types/datetime.h"
#include "planner/plan/plan_codec.h"

#define ROWS_MAX 9

static const char *const schema =
    "create table r (k bigint, a bigint, b bigint, c bigint not null, t varchar(8), e date)"
    "  distkey (k);"
    "create table s (k bigint, a bigint, b bigint, c bigint not null, t varchar(8), e date)"
    "  distkey (k);"
    "create table u (k bigint, a bigint, b bigint, c bigint not null, t varchar(8), e date)"
    "  diststyle even;"
    "create table d (k bigint, a bigint, b bigint, c bigint not null, t varchar(8), e date)"
    "  diststyle all;";

static const Rows *find_rows(void *self, uint64_t table_id)
{
    SqlWorld *world = self;
    for (uint32_t i = 0; i < SQL_WORLD_TABLES; i++) {
        if (((CatalogTable *)world->catalog.tables.items[i])->table_id == table_id) {
            return world->rows[i];
        }
    }
    return NULL;
}

static Value random_value(Arena *arena, Type type, uint64_t *seed)
{
    static const char *const words[] = {"a", "ab", "b", "abc "};
    uint64_t number = world_random(seed, 4);
    if (type_is_text(type)) {
        Value value = {.type = type};
        value.text = text_view_make(arena_strdup(arena, words[number]), strlen(words[number]));
        return value;
    }
    return value_int64(type, type.id == TYPE_DATE ? days_from_civil(2024, 1, 1) + (int64_t)number
                                                  : (int64_t)number);
}

static void fill_tables(SqlWorld *self, uint64_t seed)
{
    for (uint32_t i = 0; i < SQL_WORLD_TABLES; i++) {
        CatalogTable *table = self->catalog.tables.items[i];
        self->rows[i] = rows_create(self->arena, table->column_count);
        uint64_t count = world_random(&seed, 7) == 0 ? 0 : 1 + world_random(&seed, ROWS_MAX);
        for (uint64_t row = 0; row < count; row++) {
            Value *values = rows_add(self->rows[i]);
            for (uint32_t c = 0; c < table->column_count; c++) {
                bool is_null = !table->columns[c].is_not_null && world_random(&seed, 6) == 0;
                values[c] = is_null ? value_null(table->columns[c].type)
                                    : random_value(self->arena, table->columns[c].type, &seed);
            }
        }
        static const double sizes[] = {5, 1e4, 1e7};
        table->row_count = sizes[world_random(&seed, 3)];
        for (uint32_t c = 0; c < table->column_count; c++) {
            double distinct = world_random(&seed, 2) == 0 ? 4 : table->row_count / 2;
            table->statistics[c] = (ColumnStatistics){
                .is_known = true, .distinct_count = distinct, .null_fraction = 0.1};
        }
    }
}

SqlWorld *sql_world_create(uint64_t seed)
{
    Arena *arena = arena_create(NULL, "world");
    SqlWorld *world = ARENA_NEW(arena, SqlWorld);
    world->arena = arena;
    fake_catalog_init(&world->catalog, arena);
    Status status = fake_catalog_add(&world->catalog, schema);
    ASSERT(status == STATUS_OK);
    fill_tables(world, seed);
    world->tables = (TableRows){world, find_rows};
    return world;
}

void sql_world_destroy(SqlWorld *world)
{
    arena_destroy(world->arena);
}

Status plan_through_codec(Plan **plan, Arena *arena)
{
    ByteBuffer buffer, again;
    byte_buffer_init(&buffer, 1u << 26);
    byte_buffer_init(&again, 1u << 26);
    plan_encode(*plan, &buffer);
    ByteReader reader;
    byte_reader_init(&reader, buffer.data, buffer.bytes);
    Status status;
    TRY_OR(cleanup, plan_decode(&reader, arena, plan));
    plan_encode(*plan, &again);
    if (buffer.bytes != again.bytes || memcmp(buffer.data, again.data, again.bytes) != 0) {
        status = status_error(SQLSTATE_INTERNAL_ERROR, "other bytes for the decoded plan");
    }
cleanup:
    byte_buffer_deinit(&buffer);
    byte_buffer_deinit(&again);
    return status;
}
