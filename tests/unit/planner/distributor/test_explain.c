/*
 * test_explain.c — EXPLAIN of the TPC-H queries on 1, 2 and 4 nodes at scale 1, against
 * tests/golden/explain. Costs are left out: they may be tuned as long as the plans stay.
 *
 * BASALT_WRITE_GOLDEN=1 writes the files; read the difference before committing it.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "planner/distributor/distribute.h"
#include "planner/plan/plan_print.h"
#include "tests/support/planner/tpch_statistics.h"

#define QUERY_COUNT 22
#define TEXT_BYTES_MAX (1 << 20)

static Arena *arena;

static void setup(void)
{
    arena = arena_create(NULL, "test");
}

static void teardown(void)
{
    arena_destroy(arena);
}

static const char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return "";
    }
    char *text = arena_alloc(arena, TEXT_BYTES_MAX);
    size_t bytes = fread(text, 1, TEXT_BYTES_MAX - 1, file);
    text[bytes] = '\0';
    ck_assert_int_eq(fclose(file), 0);
    return text;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, strlen(text), file), strlen(text));
    ck_assert_int_eq(fclose(file), 0);
}

/* Drops "  (cost=… rows=… width=…)" from the lines of a plan. */
static void add_without_costs(ByteBuffer *target, const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (bytes - i > 8 && memcmp(text + i, "  (cost=", 8) == 0) {
            const char *end = memchr(text + i, '\n', bytes - i);
            i = end == NULL ? bytes : (size_t)(end - text);
            byte_buffer_add_u8(target, '\n');
        } else {
            byte_buffer_add_u8(target, (uint8_t)text[i]);
        }
    }
}

static void must(Status status, const char *text)
{
    ck_assert_msg(status == STATUS_OK, "%s\n%s", text,
                  status == STATUS_OK ? "" : status_message(status));
}

static void add_plan(ByteBuffer *target, const char *query, uint32_t node_count)
{
    FakeCatalog catalog;
    fake_catalog_init(&catalog, arena);
    must(tpch_statistics_add(&catalog, 1), "statistics");
    PlannerContext context;
    BoundStatement *bound;
    must(sql_bind(&catalog, query, node_count, arena, &context, &bound), query);
    Plan *plan;
    must(plan_query(&context, bound->root, bound->results, bound->result_count, &plan), query);
    ByteBuffer text;
    byte_buffer_init(&text, TEXT_BYTES_MAX);
    plan_print(plan, NULL, 0, false, &text);
    byte_buffer_printf(target, "-- %u node%s\n", node_count, node_count == 1 ? "" : "s");
    add_without_costs(target, (const char *)text.data, text.bytes);
    byte_buffer_add_u8(target, '\n');
    byte_buffer_deinit(&text);
}

/* The text against the file of that name; ends the text. */
static void check_golden(ByteBuffer *text, const char *name)
{
    byte_buffer_add_u8(text, '\0');
    const char *path =
        arena_printf(arena, "%s/tests/golden/explain/%s.txt", BASALT_SOURCE_DIR, name);
    if (getenv("BASALT_WRITE_GOLDEN") != NULL) {
        write_file(path, (const char *)text->data);
    }
    const char *golden = read_file(path);
    ck_assert_msg(strcmp(golden, (const char *)text->data) == 0,
                  "%s: the plan is another one; BASALT_WRITE_GOLDEN=1 writes it, git diff shows it",
                  path);
}

START_TEST(plans_are_as_before)
{
    const char *query = read_file(
        arena_printf(arena, "%s/bench/tpch/queries/q%02d.sql", BASALT_SOURCE_DIR, _i + 1));
    ck_assert_str_ne(query, "");
    ByteBuffer text;
    byte_buffer_init(&text, TEXT_BYTES_MAX);
    static const uint32_t node_counts[] = {1, 2, 4};
    for (int i = 0; i < 3; i++) {
        add_plan(&text, query, node_counts[i]);
    }
    check_golden(&text, arena_printf(arena, "tpch_q%02d", _i + 1));
    byte_buffer_deinit(&text);
}
END_TEST

/* Lineitem and orders are distributed by their order key, nation lies on every node. */
static const char *const changes[] = {
    "delete from lineitem where l_shipdate < date '1993-01-01'",
    "delete from lineitem using orders where l_orderkey = o_orderkey and o_orderstatus = 'F'",
    "delete from lineitem using part where l_partkey = p_partkey and p_size = 15",
    "delete from nation where n_nationkey not in (select c_nationkey from customer)",
    "update lineitem set l_tax = l_tax + 0.01 where l_shipdate < date '1993-01-01'",
    "update orders set o_orderkey = o_orderkey + 1 where o_custkey = 5",
    "update orders set o_totalprice = l.price from (select l_orderkey, sum(l_extendedprice) price "
    "from lineitem group by l_orderkey) l where o_orderkey = l_orderkey",
    "update lineitem set l_comment = p_comment from part where l_partkey = p_partkey",
    "update nation set n_comment = 'large' where n_nationkey in (select s_nationkey from supplier)",
    "merge into orders using (select l_orderkey, max(l_shipdate) d from lineitem group by 1) l "
    "on o_orderkey = l_orderkey when matched then update set o_orderdate = d "
    "when not matched then insert (o_orderkey, o_orderdate) values (l_orderkey, d)",
    "merge into nation using (select s_nationkey k, count(*) n from supplier group by 1) s "
    "on n_nationkey = k when matched then delete "
    "when not matched then insert (n_nationkey) values (k)",
};

START_TEST(plans_of_changes_are_as_before)
{
    ByteBuffer text;
    byte_buffer_init(&text, TEXT_BYTES_MAX);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        byte_buffer_printf(&text, "%s;\n", changes[i]);
        add_plan(&text, changes[i], 1);
        add_plan(&text, changes[i], 4);
    }
    check_golden(&text, "changes");
    byte_buffer_deinit(&text);
}
END_TEST

/* One statistic per site shows up below the operator it belongs to. */
START_TEST(analyze_shows_what_was_measured)
{
    FakeCatalog catalog;
    fake_catalog_init(&catalog, arena);
    must(tpch_statistics_add(&catalog, 1), "statistics");
    PlannerContext context;
    BoundStatement *bound;
    const char *query = "select count(*) from orders where o_orderkey = 1";
    must(sql_bind(&catalog, query, 2, arena, &context, &bound), query);
    Plan *plan;
    must(plan_query(&context, bound->root, bound->results, bound->result_count, &plan), query);
    const PlanNode *scan = plan->fragments[0].root;
    while (plan_node_child_count(scan) > 0) {
        scan = plan_node_child(scan, 0);
    }
    PlanNodeStatistics statistics[] = {
        {.site = 1, .plan_node_id = scan->id, .rows = 7, .time_ns = 1500000, .blocks_read = 3},
        {.site = 2,
         .plan_node_id = scan->id,
         .rows = 5,
         .blocks_skipped = 9,
         .blocks_from_disk = 2,
         .row_groups_from_zone_maps = 5,
         .variant = "fast"},
    };
    ByteBuffer text;
    byte_buffer_init(&text, TEXT_BYTES_MAX);
    plan_print(plan, statistics, 2, false, &text);
    byte_buffer_add_u8(&text, '\0');
    const char *printed = (const char *)text.data;
    ck_assert_ptr_nonnull(strstr(printed, "Actual: rows=12 time=1.500ms\n"));
    ck_assert_ptr_nonnull(
        strstr(printed,
               "Node 1: rows=7 time=1.500ms blocks_read=3 blocks_skipped=0 blocks_from_disk=0\n"));
    ck_assert_ptr_nonnull(strstr(
        printed, "Node 2: rows=5 time=0.000ms blocks_read=0 blocks_skipped=9 blocks_from_disk=2 "
                 "row_groups_from_zone_maps=5 variant=fast\n"));
    byte_buffer_deinit(&text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("explain");
    TCase *tcase = tcase_create("golden");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, plans_are_as_before, 0, QUERY_COUNT);
    tcase_add_test(tcase, plans_of_changes_are_as_before);
    tcase_add_test(tcase, analyze_shows_what_was_measured);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
