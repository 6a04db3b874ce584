/* test_expr.c — expressions: building, comparing, rewriting, printing. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "planner/plan/expr.h"
#include "planner/plan/plan.h"

static Arena *arena;

static void setup(void)
{
    arena = arena_create(NULL, "test");
}

static void teardown(void)
{
    arena_destroy(arena);
}

static Expr *column(uint32_t number)
{
    return expr_column(arena, number, type_of(TYPE_BIGINT));
}

static Expr *number(int64_t value)
{
    return expr_int64(arena, TYPE_BIGINT, value);
}

static Expr *less(Expr *left, Expr *right)
{
    return expr_call2(arena, FUNCTION_LESS, type_of(TYPE_BOOLEAN), left, right);
}

static Expr *text(const char *data)
{
    Value value = {.type = type_varchar(0)};
    value.text = text_view_make(data, strlen(data));
    return expr_constant(arena, &value);
}

static const char *name_of(void *object, uint32_t number_of_column)
{
    return arena_printf(object, "c%u", number_of_column);
}

static const char *print(const Expr *expr)
{
    return expr_print(arena, expr, name_of, arena);
}

START_TEST(and_flattens_and_knows_its_neutral_element)
{
    Expr *a = less(column(1), number(1)), *b = less(column(2), number(2));
    Expr *c = less(column(3), number(3));
    Expr *inner = expr_and(arena, 2, (Expr *[]){a, b});
    Expr *all = expr_and(arena, 2, (Expr *[]){inner, c});
    ck_assert_uint_eq(all->arg_count, 3);
    ck_assert_ptr_eq(expr_and(arena, 1, &a), a);
    ck_assert_str_eq(print(expr_and(arena, 0, NULL)), "true");
    ck_assert_str_eq(print(expr_or(arena, 0, NULL)), "false");
    ck_assert_ptr_eq(expr_and2(arena, NULL, a), a);
    ck_assert_ptr_null(expr_and2(arena, NULL, NULL));
}
END_TEST

START_TEST(equality_is_by_structure)
{
    Expr *one = less(column(1), number(5)), *same = less(column(1), number(5));
    ck_assert(expr_equal(one, same));
    ck_assert_uint_eq(expr_hash(one), expr_hash(same));
    ck_assert(!expr_equal(one, less(column(1), number(6))));
    ck_assert(!expr_equal(one, less(column(2), number(5))));
    ck_assert(!expr_equal(number(5), expr_int64(arena, TYPE_INTEGER, 5)));
    // SQL finds them equal; expressions made of them are not the same.
    ck_assert(!expr_equal(text("a"), text("a ")));
    ck_assert(expr_equal(text("a text longer than inline"), text("a text longer than inline")));
}
END_TEST

START_TEST(volatile_calls_equal_nothing)
{
    Expr *random = expr_call(arena, FUNCTION_RANDOM, type_of(TYPE_DOUBLE), 0, NULL);
    ck_assert(expr_is_volatile(random));
    ck_assert(!expr_equal(random, random));
    Expr *sum = expr_call2(arena, FUNCTION_ADD, type_of(TYPE_DOUBLE), random, random);
    ck_assert(expr_is_volatile(sum));
    ck_assert(!expr_is_volatile(less(column(1), number(1))));
}
END_TEST

static Expr *plus_ten(void *object, const Expr *expr)
{
    (void)object;
    return expr->column == 1 ? column(11) : NULL;
}

START_TEST(replacing_columns_shares_what_does_not_change)
{
    Expr *kept = less(column(2), number(2));
    Expr *both = expr_and(arena, 2, (Expr *[]){less(column(1), number(1)), kept});
    Expr *replaced = expr_replace_columns(arena, both, plus_ten, NULL);
    ck_assert_str_eq(print(replaced), "((c11 < 1) AND (c2 < 2))");
    ck_assert_str_eq(print(both), "((c1 < 1) AND (c2 < 2))");
    ck_assert_ptr_eq(replaced->args[1], kept);
    ck_assert_ptr_eq(expr_replace_columns(arena, kept, plus_ten, NULL), kept);
}
END_TEST

START_TEST(replacing_goes_into_aggregates)
{
    AggregateCall call = {.id = AGGREGATE_SUM,
                          .argument = column(1),
                          .filter = less(column(1), number(3)),
                          .type = type_of(TYPE_BIGINT)};
    Expr *expr = expr_column(arena, 0, call.type);
    expr->kind = EXPR_AGGREGATE;
    expr->aggregate = &call;
    Expr *replaced = expr_replace_columns(arena, expr, plus_ten, NULL);
    ck_assert_str_eq(print(replaced), "sum(c11) FILTER (WHERE (c11 < 3))");
    ck_assert_str_eq(print(expr), "sum(c1) FILTER (WHERE (c1 < 3))");
}
END_TEST

START_TEST(copies_own_their_text)
{
    Arena *other = arena_create(NULL, "other");
    char data[] = "a text longer than twelve bytes";
    Expr *copy = expr_copy(other, text(data));
    memset(data, 'x', sizeof(data) - 1);
    ck_assert_str_eq(print(copy), "'a text longer than twelve bytes'");
    arena_destroy(other);
}
END_TEST

typedef struct Printed {
    Expr *(*make)(void);
    const char *text;
} Printed;

static Expr *make_date(void)
{
    Value value = value_int64(type_of(TYPE_DATE), 8766);
    return expr_call2(arena, FUNCTION_GREATER_EQUAL, type_of(TYPE_BOOLEAN),
                      expr_column(arena, 1, value.type), expr_constant(arena, &value));
}

static Expr *make_quote(void)
{
    return expr_call2(arena, FUNCTION_LIKE, type_of(TYPE_BOOLEAN), text("it's"), text("%x"));
}

static Expr *make_case(void)
{
    Expr **args = ARENA_ARRAY(arena, Expr *, 3);
    args[0] = expr_is_null(arena, column(1));
    args[1] = number(0);
    args[2] = column(1);
    return expr_case(arena, type_of(TYPE_BIGINT), 3, args);
}

static Expr *make_in(void)
{
    static const Value values[2] = {{.type = {.id = TYPE_BIGINT}, .i64 = 1},
                                    {.type = {.id = TYPE_BIGINT}, .i64 = 2}};
    Expr *in = expr_is_null(arena, column(1));
    in->kind = EXPR_IN;
    in->in.values = values;
    in->in.value_count = 2;
    in->in.is_negated = in->in.has_null_value = true;
    return in;
}

static Expr *make_cast(void)
{
    return expr_not(arena, less(expr_cast(arena, column(1), type_decimal(12, 2), true), number(1)));
}

static Expr *make_days(void)
{
    return expr_call2(arena, FUNCTION_DATE_ADD_DAYS, type_of(TYPE_DATE),
                      expr_column(arena, 1, type_of(TYPE_DATE)),
                      expr_int64(arena, TYPE_INTEGER, 3));
}

static Expr *make_average(void)
{
    return expr_call2(arena, FUNCTION_AVG_FINAL, type_of(TYPE_BIGINT), column(1), column(2));
}

static const Printed printed[] = {
    {make_date, "(c1 >= '1994-01-01'::date)"},
    {make_quote, "('it''s' ~~ '%x')"},
    {make_case, "CASE WHEN (c1 IS NULL) THEN 0 ELSE c1 END"},
    {make_in, "(c1 NOT IN (1, 2, NULL))"},
    {make_cast, "(NOT ((c1)::numeric(12,2) < 1))"},
    {make_days, "(c1 + 3)"},
    {make_average, "avg_final(c1, c2)"},
};

START_TEST(prints_as_sql)
{
    ck_assert_str_eq(print(printed[_i].make()), printed[_i].text);
}
END_TEST

START_TEST(sums_have_redshift_types)
{
    ck_assert_uint_eq(aggregate_sum_type(type_of(TYPE_SMALLINT)).id, TYPE_BIGINT);
    ck_assert_uint_eq(aggregate_sum_type(type_of(TYPE_INTEGER)).id, TYPE_BIGINT);
    ck_assert(type_equal(aggregate_sum_type(type_of(TYPE_BIGINT)), type_decimal(38, 0)));
    ck_assert(type_equal(aggregate_sum_type(type_decimal(15, 2)), type_decimal(38, 2)));
    ck_assert_uint_eq(aggregate_sum_type(type_of(TYPE_REAL)).id, TYPE_DOUBLE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("expr");
    TCase *tcase = tcase_create("expr");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, and_flattens_and_knows_its_neutral_element);
    tcase_add_test(tcase, equality_is_by_structure);
    tcase_add_test(tcase, volatile_calls_equal_nothing);
    tcase_add_test(tcase, replacing_columns_shares_what_does_not_change);
    tcase_add_test(tcase, replacing_goes_into_aggregates);
    tcase_add_test(tcase, copies_own_their_text);
    tcase_add_loop_test(tcase, prints_as_sql, 0, (int)(sizeof(printed) / sizeof(printed[0])));
    tcase_add_test(tcase, sums_have_redshift_types);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
