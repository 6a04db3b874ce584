/*
 * test_sql_rows.c — SQL text to rows without an engine: bound trees run by definition against plans
 * run on make-believe clusters of one to three nodes, over random tables.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/types/datetime.h"
#include "planner/distributor/distribute.h"
#include "planner/plan/plan_codec.h"
#include "tests/support/planner/tpch_statistics.h"
#include "tests/support/planner/world.h"

#define SEEDS 6
#define ROWS_MAX 9

static const char *const queries[] = {
#define QUERY(text) text,
#include "tests/unit/planner/distributor/queries.def"
#undef QUERY
};
#define QUERY_COUNT (int)(sizeof(queries) / sizeof(queries[0]))

static const char *const schema =
    "create table r (k bigint, a bigint, b bigint, c bigint not null, t varchar(8), e date)"
    "  distkey (k);"
    "create table s (k bigint, a bigint, b bigint, c bigint not null, t varchar(8), e date)"
    "  distkey (k);"
    "create table u (k bigint, a bigint, b bigint, c bigint not null, t varchar(8), e date)"
    "  diststyle even;"
    "create table d (k bigint, a bigint, b bigint, c bigint not null, t varchar(8), e date)"
    "  diststyle all;";

typedef struct Fixture {
    Arena *arena;
    FakeCatalog catalog;
    Rows *rows[4];
    TableRows tables;
} Fixture;

static const Rows *find_rows(void *self, uint64_t table_id)
{
    Fixture *fixture = self;
    for (uint32_t i = 0; i < 4; i++) {
        if (((CatalogTable *)fixture->catalog.tables.items[i])->table_id == table_id) {
            return fixture->rows[i];
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

static void fill_tables(Fixture *self, uint64_t seed)
{
    for (uint32_t i = 0; i < 4; i++) {
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

static void must(Status status, const char *text)
{
    ck_assert_msg(status == STATUS_OK, "%s\n%s", text,
                  status == STATUS_OK ? "" : status_message(status));
}

static const char *explain(Arena *arena, const Plan *plan)
{
    World world = {.arena = arena};
    return world_explain(&world, plan);
}

/* The plan as a node gets it: encoded and decoded. */
static Plan *through_codec(Arena *arena, const Plan *plan, const char *text)
{
    ByteBuffer buffer, again;
    byte_buffer_init(&buffer, 1u << 26);
    byte_buffer_init(&again, 1u << 26);
    plan_encode(plan, &buffer);
    ByteReader reader;
    byte_reader_init(&reader, buffer.data, buffer.bytes);
    Plan *decoded = NULL;
    must(plan_decode(&reader, arena, &decoded), text);
    plan_encode(decoded, &again);
    ck_assert_uint_eq(buffer.bytes, again.bytes);
    ck_assert_mem_eq(buffer.data, again.data, buffer.bytes);
    byte_buffer_deinit(&buffer);
    byte_buffer_deinit(&again);
    return decoded;
}

static void check_query(const char *text, uint64_t seed, uint32_t node_count)
{
    Fixture self = {.arena = arena_create(NULL, "test")};
    fake_catalog_init(&self.catalog, self.arena);
    must(fake_catalog_add(&self.catalog, schema), schema);
    fill_tables(&self, seed);
    self.tables = (TableRows){&self, find_rows};

    PlannerContext context;
    BoundStatement *bound;
    must(sql_bind(&self.catalog, text, node_count, self.arena, &context, &bound), text);
    const char *failure;
    Rows *expected = logical_run(bound->root, &self.tables, self.arena, &failure);
    ck_assert_msg(failure == NULL, "%s\n%s", text, failure);
    Plan *plan;
    must(plan_query(&context, bound->root, bound->results, bound->result_count, &plan), text);
    plan = through_codec(self.arena, plan, text);
    PlanRunResult result = plan_run(plan, &self.tables, node_count, self.arena);
    ck_assert_msg(result.failure == NULL, "%s\n%s", text, result.failure);
    ck_assert_msg(!result.has_misplaced_write, "%s\n%s", text, explain(self.arena, plan));
    const char *wanted = rows_print(expected, false), *given = rows_print(result.rows, false);
    ck_assert_msg(strcmp(wanted, given) == 0, "%s\nseed %lu, %u nodes\nexpected\n%sgot\n%s%s", text,
                  (unsigned long)seed, node_count, wanted, given, explain(self.arena, plan));
    arena_destroy(self.arena);
}

START_TEST(plans_give_the_rows_of_the_query)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        for (uint32_t node_count = 1; node_count <= 3; node_count++) {
            check_query(queries[_i], seed * 1000 + (uint64_t)_i, node_count);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sql_rows");
    TCase *tcase = tcase_create("rows");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, plans_give_the_rows_of_the_query, 0, QUERY_COUNT);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
