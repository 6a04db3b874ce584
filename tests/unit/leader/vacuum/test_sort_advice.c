/* Suite of leader/vacuum/sort_advice.c: which uses count, and when a column is worth sorting by. */
#include "leader/vacuum/sort_advice.h"
#include "tests/unit/leader/leader_fixture.h"

static CatalogVersion *version;
static SortAdvice *advice;

enum { TABLE = 1000, UNSORTED = 2000 };

static CatalogChange *two_integers(const char *name, uint64_t table_id, bool is_auto_sorted)
{
    CatalogChange *change = create_change(name, table_id);
    change->table->columns[1] = change->table->columns[0];
    change->table->columns[1].column_id = 2;
    change->table->columns[1].name = "other";
    change->table->sort_key_count = 0;
    change->table->is_auto_sorted = is_auto_sorted;
    return change;
}

static void start(void)
{
    CatalogChangeList list = {0};
    set_up();
    CatalogVersion *empty = catalog_version_create_empty();
    catalog_change_add(&list, two_integers("a", TABLE, true));
    catalog_change_add(&list, two_integers("b", UNSORTED, false));
    ck_assert_ok(catalog_version_apply(empty, &list, &version));
    catalog_version_unpin(empty);
    advice = sort_advice_create();
}

static void stop(void)
{
    sort_advice_destroy(advice);
    catalog_version_unpin(version);
    tear_down();
}

static const CatalogTable *table_of(uint64_t table_id)
{
    return &catalog_version_table_by_id(version, table_id)->table;
}

static Expr *compare(FunctionId function, uint32_t column, Type type)
{
    const Value five = value_int64(type, 5);
    return expr_call2(arena, function, type_of(TYPE_BOOLEAN), expr_column(arena, column, type),
                      expr_constant(arena, &five));
}

/* One statement that scans the table with a condition for each column of `columns`. */
static void ask(uint64_t table_id, FunctionId function, uint32_t count, const uint32_t *columns,
                double rows)
{
    const CatalogTable *table = table_of(table_id);
    PlanTable named = {.table_id = table_id, .column_count = table->column_count};
    named.columns = ARENA_ARRAY(arena, struct PlanTableColumn, table->column_count);
    PlanScan scan = {.node = {.kind = PLAN_SCAN, .estimated_rows = rows},
                     .table = &named,
                     .column_count = table->column_count};
    scan.columns = ARENA_ARRAY(arena, uint32_t, table->column_count);
    scan.filters = ARENA_ARRAY(arena, Expr *, count + 1);
    for (uint32_t i = 0; i < table->column_count; i++) {
        named.columns[i].column_id = table->columns[i].column_id;
        named.columns[i].type = table->columns[i].type;
        scan.columns[i] = i;
    }
    for (uint32_t i = 0; i < count; i++) {
        scan.filters[i] = compare(function, columns[i], table->columns[columns[i]].type);
    }
    scan.filter_count = count;
    PlanFragment fragment = {.id = 1, .root = &scan.node};
    const Plan plan = {.fragment_count = 1, .fragments = &fragment};
    sort_advice_note(advice, version, &plan);
}

static const uint32_t first[] = {0}, both[] = {0, 1, 0};

START_TEST(ten_uses_are_enough)
{
    for (uint32_t i = 0; i < SORT_ADVICE_USES_MIN; i++) {
        ck_assert_int_eq(sort_advice_choose(advice, table_of(TABLE)), -1);
        ask(TABLE, FUNCTION_LESS, 1, first, 0);
    }
    ck_assert_int_eq(sort_advice_choose(advice, table_of(TABLE)), 0);
}
END_TEST

START_TEST(what_narrows_nothing_does_not_count)
{
    for (uint32_t i = 0; i < 3 * SORT_ADVICE_USES_MIN; i++) {
        ask(TABLE, FUNCTION_NOT_EQUAL, 1, first, 0);
        ask(TABLE, FUNCTION_LESS, 1, first, 1); // all rows of what is thought to be empty
        ask(TABLE, FUNCTION_LESS, 0, first, 0);
        ask(UNSORTED, FUNCTION_LESS, 1, first, 0);
    }
    ck_assert_int_eq(sort_advice_choose(advice, table_of(TABLE)), -1);
    ck_assert_int_eq(sort_advice_choose(advice, table_of(UNSORTED)), -1);
}
END_TEST

/* A statement counts once for each column; a key stays until another one has twice its uses. */
START_TEST(a_key_changes_when_another_is_asked_twice_as_often)
{
    uint32_t keys[] = {0};
    CatalogTable sorted = *table_of(TABLE);
    sorted.sort_keys = keys;
    sorted.sort_key_count = 1;
    for (uint32_t i = 0; i < SORT_ADVICE_USES_MIN; i++) {
        ask(TABLE, FUNCTION_EQUAL, 3, both, 0);
    }
    ck_assert_int_eq(sort_advice_choose(advice, &sorted), -1);
    for (uint32_t i = 0; i < SORT_ADVICE_USES_MIN; i++) {
        ck_assert_int_eq(sort_advice_choose(advice, &sorted), -1);
        ask(TABLE, FUNCTION_EQUAL, 1, both + 1, 0);
    }
    ck_assert_int_eq(sort_advice_choose(advice, &sorted), 1);
    keys[0] = 1;
    ck_assert_int_eq(sort_advice_choose(advice, &sorted), -1);
    sorted.is_auto_sorted = false;
    keys[0] = 0;
    ck_assert_int_eq(sort_advice_choose(advice, &sorted), -1);
}
END_TEST

START_TEST(its_memory_is_bounded)
{
    CatalogTable other = *table_of(TABLE);
    for (uint32_t i = 0; i < 5000; i++) { // of tables that nobody asks again
        CatalogChangeList list = {0};
        CatalogVersion *next;
        char *name = arena_printf(arena, "t%u", i);
        if (i % 500 == 0) {
            ask(TABLE, FUNCTION_EQUAL, 1, first, 0);
        }
        catalog_change_add(&list, two_integers(name, 10000 + i, true));
        ck_assert_ok(catalog_version_apply(version, &list, &next));
        catalog_version_unpin(version);
        version = next;
        ask(10000 + i, FUNCTION_EQUAL, 1, first, 0);
        if (i == 200) { // asked often, it stays
            for (uint32_t k = 0; k < SORT_ADVICE_USES_MIN; k++) {
                ask(TABLE, FUNCTION_EQUAL, 1, first, 0);
            }
        }
    }
    ck_assert_int_eq(sort_advice_choose(advice, &other), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sort_advice");
    TCase *tests = tcase_create("uses");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, start, stop);
    tcase_add_test(tests, ten_uses_are_enough);
    tcase_add_test(tests, what_narrows_nothing_does_not_count);
    tcase_add_test(tests, a_key_changes_when_another_is_asked_twice_as_often);
    tcase_add_test(tests, its_memory_is_bounded);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
