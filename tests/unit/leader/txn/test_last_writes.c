/* test_last_writes.c — a table that was read is replaced only when it has not changed since. */
#include <check.h>

#include "leader/txn/last_writes.h"
#include "tests/support/check_status.h"

static LastWrites *writes;

static void start(void)
{
    writes = last_writes_create();
}

static void stop(void)
{
    last_writes_destroy(writes);
}

static void note(CatalogChangeKind kind, uint64_t table_id, uint64_t position)
{
    CatalogChange change = {.kind = kind, .table_id = table_id};
    const CatalogChangeList changes = {.first = &change, .last = &change};
    last_writes_note(writes, &changes, position);
}

static Status check_replacing(uint64_t table_id, uint64_t snapshot)
{
    CatalogTable table = {.name = "t", .table_id = UINT64_C(1) << 40};
    CatalogChange change = {.kind = CATALOG_REPLACE_TABLE,
                            .table_id = table_id,
                            .table = &table,
                            .snapshot = snapshot};
    const CatalogChangeList changes = {.first = &change, .last = &change};
    return last_writes_check(writes, &changes);
}

START_TEST(rows_that_change_are_noted)
{
    static const CatalogChangeKind kinds[] = {CATALOG_ADD_STATISTICS, CATALOG_REMOVE_ROWS,
                                              CATALOG_CLEAR_STATISTICS};
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_ok(check_replacing(7 + i, 4));
        note(kinds[i], 7 + i, 5);
        ck_assert_state(check_replacing(7 + i, 4), SQLSTATE_SERIALIZATION_FAILURE);
        ck_assert_ok(check_replacing(7 + i, 5));
    }
}
END_TEST

START_TEST(other_changes_are_not)
{
    note(CATALOG_RENEW_STATISTICS, 7, 5);
    note(CATALOG_REQUIRE_TABLE, 7, 6);
    note(CATALOG_ADVANCE_IDENTITY, 7, 7);
    ck_assert_ok(check_replacing(7, 4));
}
END_TEST

START_TEST(many_tables_are_kept_apart)
{
    enum { TABLES = 5000 };
    for (uint64_t table = 1; table <= TABLES; table++) {
        note(CATALOG_ADD_STATISTICS, table, 10 + table);
    }
    for (uint64_t table = 1; table <= TABLES; table++) {
        ck_assert_ok(check_replacing(table, 10 + table));
        ck_assert_state(check_replacing(table, 9 + table), SQLSTATE_SERIALIZATION_FAILURE);
    }
    ck_assert_ok(check_replacing(TABLES + 1, 0));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("last_writes");
    TCase *tests = tcase_create("positions");
    tcase_add_checked_fixture(tests, start, stop);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, rows_that_change_are_noted);
    tcase_add_test(tests, other_changes_are_not);
    tcase_add_test(tests, many_tables_are_kept_apart);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
