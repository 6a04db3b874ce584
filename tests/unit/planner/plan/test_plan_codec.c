/*
 * test_plan_codec.c — plans as bytes: what is encoded comes back; what is damaged is refused, and
 * never crashes whoever reads it.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "planner/plan/plan_check.h"
#include "planner/plan/plan_codec.h"

static Arena *arena;

static void setup(void)
{
    arena = arena_create(NULL, "test");
}

static void teardown(void)
{
    arena_destroy(arena);
}

static Type bigint(void)
{
    return type_of(TYPE_BIGINT);
}

static void set_outputs(PlanNode *node, PlanNodeKind kind, uint32_t id, uint32_t count)
{
    node->kind = kind;
    node->id = id;
    node->output_count = count;
    node->output_types = ARENA_ARRAY(arena, Type, count);
    for (uint32_t i = 0; i < count; i++) {
        node->output_types[i] = bigint();
    }
    node->label = "label";
    node->detail = "Filter: x\nmore";
    node->estimated_rows = 1.5;
}

static PlanScan *make_scan(uint32_t id)
{
    PlanTable *table = ARENA_NEW(arena, PlanTable);
    table->table_id = 77;
    table->name = "public.t";
    table->style = DISTRIBUTION_STYLE_KEY;
    table->column_count = 2;
    table->columns = arena_array(arena, 2, sizeof(*table->columns));
    for (uint32_t i = 0; i < 2; i++) {
        table->columns[i].column_id = i + 10;
        table->columns[i].name = i == 0 ? "k" : "a";
        table->columns[i].type = bigint();
        table->columns[i].default_value = value_null(bigint());
    }
    PlanScan *scan = ARENA_NEW(arena, PlanScan);
    set_outputs(&scan->node, PLAN_SCAN, id, 1);
    scan->table = table;
    scan->column_count = 2;
    scan->columns = ARENA_ARRAY(arena, uint32_t, 2);
    scan->columns[1] = 1;
    scan->outputs = ARENA_ARRAY(arena, uint32_t, 1);
    scan->filter_count = 1;
    scan->filters = ARENA_ARRAY(arena, Expr *, 1);
    scan->filters[0] =
        expr_call2(arena, FUNCTION_LESS, type_of(TYPE_BOOLEAN), expr_column(arena, 1, bigint()),
                   expr_int64(arena, TYPE_BIGINT, 9));
    return scan;
}

/* SEND gather <- SCAN; RESULT <- RECEIVE. */
static Plan *make_plan(void)
{
    Plan *plan = ARENA_NEW(arena, Plan);
    PlanSend *send = ARENA_NEW(arena, PlanSend);
    set_outputs(&send->node, PLAN_SEND, 2, 1);
    send->child = &make_scan(1)->node;
    send->exchange_id = 1;
    PlanReceive *receive = ARENA_NEW(arena, PlanReceive);
    set_outputs(&receive->node, PLAN_RECEIVE, 3, 1);
    receive->exchange_id = 1;
    PlanResult *result = ARENA_NEW(arena, PlanResult);
    set_outputs(&result->node, PLAN_RESULT, 4, 1);
    result->child = &receive->node;
    plan->fragment_count = 2;
    plan->fragments = ARENA_ARRAY(arena, PlanFragment, 2);
    plan->fragments[0] = (PlanFragment){1, PLAN_SITE_NODES, &send->node};
    plan->fragments[1] = (PlanFragment){2, PLAN_SITE_LEADER, &result->node};
    plan->exchange_count = 1;
    plan->exchanges = ARENA_NEW(arena, PlanExchange);
    *plan->exchanges = (PlanExchange){.id = 1,
                                      .kind = EXCHANGE_GATHER,
                                      .source_site = PLAN_SITE_NODES,
                                      .target_site = PLAN_SITE_LEADER,
                                      .column_count = 1,
                                      .types = send->node.output_types};
    plan->result_count = 1;
    plan->results = ARENA_NEW(arena, PlanResultColumn);
    *plan->results = (PlanResultColumn){"k", bigint(), 77, 10};
    plan->node_count = 4;
    return plan;
}

static Status decode(const uint8_t *data, size_t bytes, Plan **out)
{
    ByteReader reader;
    byte_reader_init(&reader, data, bytes);
    return plan_decode(&reader, arena, out);
}

static void check_refused(Plan *plan, const char *part_of_message)
{
    Status status = plan_check(plan);
    ck_assert_msg(status != STATUS_OK, "accepted, expected: %s", part_of_message);
    ck_assert_uint_eq(status_sqlstate(status), SQLSTATE_DATA_CORRUPTED);
    ck_assert_msg(strstr(status_message(status), part_of_message) != NULL, "%s",
                  status_message(status));
    status_free(status);
}

START_TEST(plan_comes_back)
{
    ByteBuffer first, second;
    byte_buffer_init(&first, 1 << 20);
    byte_buffer_init(&second, 1 << 20);
    plan_encode(make_plan(), &first);
    Plan *plan = NULL;
    ck_assert_ptr_null(decode(first.data, first.bytes, &plan));
    plan_encode(plan, &second);
    ck_assert_uint_eq(first.bytes, second.bytes);
    ck_assert_mem_eq(first.data, second.data, first.bytes);
    const PlanScan *scan = (const PlanScan *)((PlanSend *)plan->fragments[0].root)->child;
    ck_assert_str_eq(scan->table->name, "public.t");
    ck_assert_str_eq(scan->node.detail, "Filter: x\nmore");
    ck_assert(scan->node.estimated_rows == 1.5);
    byte_buffer_deinit(&first);
    byte_buffer_deinit(&second);
}
END_TEST

static Value text_of(const char *data)
{
    Value value = {.type = type_varchar(100)};
    value.text = text_view_make(data, strlen(data));
    return value;
}

START_TEST(values_of_all_types_come_back)
{
    Value values[] = {
        value_int64(type_of(TYPE_BOOLEAN), 1),
        value_int64(type_of(TYPE_SMALLINT), -32768),
        value_int64(bigint(), INT64_MIN),
        value_int64(type_decimal(12, 2), -1234),
        value_int64(type_of(TYPE_DATE), 8766),
        value_int64(type_of(TYPE_TIMESTAMP), -1),
        value_null(type_of(TYPE_INTERVAL)),
        {.type = type_decimal(38, 4), .i128 = -((Int128)1 << 100)},
        {.type = type_of(TYPE_DOUBLE), .f64 = -0.0},
        {.type = type_of(TYPE_INTERVAL), .interval = {1, -2, 3}},
        text_of("short"),
        text_of("a text longer than twelve bytes"),
        text_of(""),
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        ByteBuffer buffer, again;
        byte_buffer_init(&buffer, 1 << 16);
        byte_buffer_init(&again, 1 << 16);
        value_encode(&values[i], &buffer);
        ByteReader reader;
        byte_reader_init(&reader, buffer.data, buffer.bytes);
        Value out;
        ck_assert_ptr_null(value_decode(&reader, arena, &out));
        ck_assert(type_equal(out.type, values[i].type));
        ck_assert(value_equal(&out, &values[i]));
        value_encode(&out, &again);
        ck_assert_mem_eq(buffer.data, again.data, buffer.bytes);
        byte_buffer_deinit(&buffer);
        byte_buffer_deinit(&again);
    }
}
END_TEST

START_TEST(every_cut_is_refused)
{
    ByteBuffer buffer;
    byte_buffer_init(&buffer, 1 << 20);
    plan_encode(make_plan(), &buffer);
    for (size_t bytes = 0; bytes < buffer.bytes; bytes++) {
        uint8_t *cut = malloc(bytes + 1); // so that a sanitizer sees a read behind it
        memcpy(cut, buffer.data, bytes);
        Plan *plan = NULL;
        Status status = decode(cut, bytes, &plan);
        ck_assert_msg(status != STATUS_OK, "a plan cut to %zu bytes was accepted", bytes);
        ck_assert_uint_eq(status_sqlstate(status), SQLSTATE_DATA_CORRUPTED);
        status_free(status);
        free(cut);
    }
    byte_buffer_deinit(&buffer);
}
END_TEST

START_TEST(any_changed_byte_is_survived)
{
    ByteBuffer buffer;
    byte_buffer_init(&buffer, 1 << 20);
    plan_encode(make_plan(), &buffer);
    for (size_t i = 0; i < buffer.bytes; i++) {
        for (int change = 1; change < 256; change += 37) {
            uint8_t before = buffer.data[i];
            buffer.data[i] = (uint8_t)(before + change);
            Plan *plan = NULL;
            status_free(decode(buffer.data, buffer.bytes, &plan));
            buffer.data[i] = before;
        }
    }
    byte_buffer_deinit(&buffer);
}
END_TEST

START_TEST(columns_must_exist)
{
    Plan *plan = make_plan();
    PlanScan *scan = (PlanScan *)((PlanSend *)plan->fragments[0].root)->child;
    scan->outputs[0] = 2;
    check_refused(plan, "outputs column 2");
    scan->outputs[0] = 0;
    scan->filters[0]->args[0] = expr_column(arena, 5, bigint());
    check_refused(plan, "uses column 5 of 2");
    scan->filters[0]->args[0] = expr_column(arena, 1, type_of(TYPE_DOUBLE));
    check_refused(plan, "uses column 1 with another type");
}
END_TEST

START_TEST(exchanges_must_meet)
{
    Plan *plan = make_plan();
    plan->exchanges[0].target_site = PLAN_SITE_NODES;
    check_refused(plan, "receives exchange 1 in the wrong place");
    plan->exchanges[0].target_site = PLAN_SITE_LEADER;
    ((PlanSend *)plan->fragments[0].root)->exchange_id = 2;
    check_refused(plan, "unknown exchange 2");
}
END_TEST

START_TEST(ids_must_be_unique)
{
    Plan *plan = make_plan();
    plan->fragments[1].root->id = 3;
    check_refused(plan, "invalid id");
}
END_TEST

START_TEST(results_must_fit)
{
    Plan *plan = make_plan();
    plan->results[0].type = type_of(TYPE_DATE);
    check_refused(plan, "another type for result column 1");
    plan->fragments[1].site = PLAN_SITE_NODES;
    check_refused(plan, "");
}
END_TEST

START_TEST(functions_must_get_what_they_take)
{
    Type boolean = type_of(TYPE_BOOLEAN);
    Expr *text = expr_cast(arena, expr_column(arena, 0, bigint()), type_varchar(10), true);
    Expr *bad[] = {
        expr_call2(arena, FUNCTION_ADD, bigint(), text, text),
        expr_call2(arena, FUNCTION_LESS, boolean, text, expr_column(arena, 0, bigint())),
        expr_call2(arena, FUNCTION_LENGTH, type_of(TYPE_INTEGER), text, text),
        expr_call2(arena, (FunctionId)250, boolean, text, text),
        expr_and(arena, 2, (Expr *[]){text, text}),
        expr_not(arena, text),
    };
    Type columns[] = {bigint()};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        Status status = expr_check(bad[i], columns, 1);
        ck_assert_msg(status != STATUS_OK, "expression %zu was accepted", i);
        status_free(status);
    }
    Expr *good = expr_call2(arena, FUNCTION_LIKE, boolean, text, text);
    ck_assert_ptr_null(expr_check(good, columns, 1));
}
END_TEST

START_TEST(depth_is_limited)
{
    ByteBuffer buffer;
    byte_buffer_init(&buffer, 1 << 20);
    Expr *deep = expr_boolean(arena, true);
    for (int i = 0; i < PLAN_DEPTH_MAX + 1; i++) {
        deep = expr_not(arena, deep);
    }
    expr_encode(deep, &buffer);
    ByteReader reader;
    byte_reader_init(&reader, buffer.data, buffer.bytes);
    Expr *out = NULL;
    Status status = expr_decode(&reader, arena, &out);
    ck_assert_ptr_nonnull(status);
    ck_assert_ptr_nonnull(strstr(status_message(status), "deeper"));
    status_free(status);
    byte_buffer_deinit(&buffer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plan_codec");
    TCase *tcase = tcase_create("codec");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, plan_comes_back);
    tcase_add_test(tcase, values_of_all_types_come_back);
    tcase_add_test(tcase, every_cut_is_refused);
    tcase_add_test(tcase, any_changed_byte_is_survived);
    tcase_add_test(tcase, columns_must_exist);
    tcase_add_test(tcase, exchanges_must_meet);
    tcase_add_test(tcase, ids_must_be_unique);
    tcase_add_test(tcase, results_must_fit);
    tcase_add_test(tcase, functions_must_get_what_they_take);
    tcase_add_test(tcase, depth_is_limited);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
