/* test_expr_predicate.c — conjuncts as predicates admit the rows where the conjunct is true. */
#include "tests/unit/compute/expression/expr_fixture.h"

#define COUNT(items) (sizeof(items) / sizeof *(items))

typedef struct Domain {
    const char *spec;
    const char *values[10];
} Domain;

static const Domain domains[] = {
    {"i4", {"-2147483648", "-1", "0", "1", "5", "2147483647"}},
    {"i8", {"-9223372036854775808", "0", "1", "9223372036854775807"}},
    {"i2", {"-32768", "3", "32767"}},
    {"d12.2", {"-1.00", "0.00", "0.01", "99999.99"}},
    {"d38.2", {"-12345678901234567890.00", "0.00", "0.01", "12345678901234567890.00"}},
    {"f8", {"-Infinity", "-1.5", "0", "1e300", "Infinity", "NaN"}},
    {"f4", {"-1.5", "0", "0.5"}},
    {"date", {"1993-12-31", "1994-01-01", "1994-01-02", "infinity", "-infinity"}},
    {"ts", {"1993-12-31 23:59:59", "1994-01-01 00:00:00", "1994-01-01 00:00:01"}},
    {"b", {"t", "f"}},
    {"v20", {"", "a", "ab", "abc", "abc ", "abd", "b", "ab ", "é"}},
};

/* What the conjunct says of one value, as a column of one row. */
static bool is_true_for(Arena *arena, const Expr *expr, Type type, const Value *value)
{
    ExprProgram *program;
    Expr *exprs[1] = {(Expr *)(uintptr_t)expr};
    ck_assert(expr_compile(arena, exprs, 1, &type, 1, &program) == STATUS_OK);
    ExprState *state = expr_state_create(program, arena);
    Vector column = fixture_vector(arena, type, value, 1, FORM_WIDE);
    Batch batch = fixture_batch(&column, 1, 1);
    ck_assert(expr_filter(state, &batch) == STATUS_OK);
    return batch.selected_count == 1;
}

static void check_conjunct(Arena *arena, const Expr *expr, Type type, const Domain *domain,
                           bool must_convert)
{
    Predicate predicate;
    uint32_t column = 99;
    bool is_exact;
    bool is_converted = expr_to_predicate(expr, arena, &column, &predicate, &is_exact);
    ck_assert_msg(is_converted || !must_convert, "%s", expr_print(arena, expr, NULL, NULL));
    if (!is_converted) {
        return;
    }
    ck_assert_int_eq(column, 0);
    ck_assert(type_equal(predicate.type, type));
    for (uint32_t i = 0; i < COUNT(domain->values) && domain->values[i] != NULL; i++) {
        Value value = fixture_value(arena, type, domain->values[i]);
        bool is_wanted = is_true_for(arena, expr, type, &value);
        bool is_admitted = predicate_accepts(&predicate, &value);
        RowMask mask;
        Vector vector = fixture_vector(arena, type, &value, 1, FORM_WIDE);
        row_mask_set_first(&mask, 1);
        predicate_apply(&predicate, &vector, 1, &mask);
        ck_assert_msg(row_mask_count(&mask) == is_admitted, "value %s", domain->values[i]);
        ck_assert_msg(is_exact ? is_admitted == is_wanted : is_admitted || !is_wanted,
                      "%s: value %s is %s", domain->spec, domain->values[i],
                      is_admitted ? "admitted" : "refused");
    }
}

START_TEST(comparisons)
{
    for (size_t d = 0; d < COUNT(domains); d++) {
        const Domain *domain = &domains[d];
        for (uint32_t i = 0; i < COUNT(domain->values) && domain->values[i] != NULL; i++) {
            for (FunctionId op = FUNCTION_EQUAL; op <= FUNCTION_GREATER_EQUAL; op++) {
                Arena *arena = arena_create(NULL, "test");
                Type type = fixture_type(domain->spec), boolean = type_of(TYPE_BOOLEAN);
                Value bound = fixture_value(arena, type, domain->values[i]);
                Expr *value = expr_column(arena, 0, type), *constant = expr_constant(arena, &bound);
                check_conjunct(arena, expr_call2(arena, op, boolean, value, constant), type, domain,
                               true);
                check_conjunct(arena, expr_call2(arena, op, boolean, constant, value), type, domain,
                               true);
                arena_destroy(arena);
            }
        }
    }
}
END_TEST

/* cast(column as wider) op constant */
START_TEST(casts_are_undone)
{
    static const struct {
        size_t domain;
        const char *wider, *bounds[6];
    } casts[] = {
        {0, "i8", {"-2147483649", "-2147483648", "0", "2147483647", "2147483648"}},
        {2, "i4", {"-32769", "3", "32767", "40000"}},
        {3, "d38.2", {"-1.00", "0.01", "99999999999999999999.00"}},
        {7,
         "ts",
         {"1993-12-31 23:59:59", "1994-01-01 00:00:00", "1994-01-01 00:00:01", "infinity"}},
    };
    for (size_t c = 0; c < COUNT(casts); c++) {
        const Domain *domain = &domains[casts[c].domain];
        for (uint32_t i = 0; casts[c].bounds[i] != NULL; i++) {
            for (FunctionId op = FUNCTION_EQUAL; op <= FUNCTION_GREATER_EQUAL; op++) {
                Arena *arena = arena_create(NULL, "test");
                Type type = fixture_type(domain->spec), wider = fixture_type(casts[c].wider);
                Value bound = fixture_value(arena, wider, casts[c].bounds[i]);
                Expr *cast = expr_cast(arena, expr_column(arena, 0, type), wider, false);
                bool is_equality = op <= FUNCTION_NOT_EQUAL;
                bool is_infinite = strcmp(casts[c].bounds[i], "infinity") == 0;
                bool is_far = strcmp(casts[c].bounds[i], "99999999999999999999.00") == 0;
                bool may_fail = casts[c].domain == 0 && strcmp(casts[c].wider, "d12.2") == 0;
                check_conjunct(arena,
                               expr_call2(arena, op, type_of(TYPE_BOOLEAN), cast,
                                          expr_constant(arena, &bound)),
                               type, domain,
                               !is_infinite && !is_far && !is_equality && !may_fail);
                arena_destroy(arena);
            }
        }
    }
}
END_TEST

START_TEST(lists)
{
    for (size_t d = 0; d < COUNT(domains); d++) {
        const Domain *domain = &domains[d];
        Arena *arena = arena_create(NULL, "test");
        Type type = fixture_type(domain->spec);
        Value values[2];
        Expr *column = expr_column(arena, 0, type);
        values[0] = fixture_value(arena, type, domain->values[0]);
        values[1] = fixture_value(arena, type, domain->values[1]);
        if (value_compare(&values[0], &values[1]) > 0) {
            Value swapped = values[0];
            values[0] = values[1];
            values[1] = swapped;
        }
        for (int has_null = 0; has_null < 2; has_null++) {
            for (int is_negated = 0; is_negated < 2; is_negated++) {
                Expr in = {.kind = EXPR_IN,
                           .type = type_of(TYPE_BOOLEAN),
                           .arg_count = 1,
                           .args = &column};
                in.in.values = values;
                in.in.value_count = 2;
                in.in.is_negated = is_negated == 1;
                in.in.has_null_value = has_null == 1;
                check_conjunct(arena, &in, type, domain, is_negated == 0);
            }
        }
        arena_destroy(arena);
    }
}
END_TEST

START_TEST(prefixes)
{
    static const struct {
        const char *pattern;
        bool is_converted, is_exact;
    } patterns[] = {
        {"ab%", true, true},   {"ab%c", true, false},   {"ab", true, false},
        {"%ab", false, false}, {"ab %", true, false},   {"a_c", false, false},
        {"é%", true, true},    {"%", false, false},     {"ab\\%", true, false},
        {"", false, false},    {"\x1f%", false, false},
    };
    for (size_t i = 0; i < COUNT(patterns); i++) {
        Arena *arena = arena_create(NULL, "test");
        Type type = fixture_type("v20");
        Value pattern = fixture_value(arena, type_varchar(0), patterns[i].pattern);
        Expr *like = expr_call2(arena, FUNCTION_LIKE, type_of(TYPE_BOOLEAN),
                                expr_column(arena, 0, type), expr_constant(arena, &pattern));
        Predicate predicate;
        uint32_t column;
        bool is_exact;
        bool is_converted = expr_to_predicate(like, arena, &column, &predicate, &is_exact);
        ck_assert_msg(is_converted == patterns[i].is_converted, "%s", patterns[i].pattern);
        ck_assert_msg(!is_converted || is_exact == patterns[i].is_exact, "%s", patterns[i].pattern);
        check_conjunct(arena, like, type, &domains[COUNT(domains) - 1], is_converted);
        arena_destroy(arena);
    }
}
END_TEST

START_TEST(nulls_and_booleans)
{
    Arena *arena = arena_create(NULL, "test");
    Type type = type_of(TYPE_BOOLEAN);
    Expr *column = expr_column(arena, 0, type);
    Predicate predicate;
    uint32_t index;
    bool is_exact;
    check_conjunct(arena, column, type, &domains[9], true);
    check_conjunct(arena, expr_not(arena, column), type, &domains[9], true);
    ck_assert(expr_to_predicate(expr_is_null(arena, column), arena, &index, &predicate, &is_exact));
    ck_assert_int_eq(predicate.kind, PREDICATE_IS_NULL);
    ck_assert(is_exact);
    ck_assert(
        expr_to_predicate(expr_is_not_null(arena, column), arena, &index, &predicate, &is_exact));
    ck_assert_int_eq(predicate.kind, PREDICATE_IS_NOT_NULL);
    Value null = value_null(type_of(TYPE_INTEGER));
    Expr *compare = expr_call2(arena, FUNCTION_EQUAL, type, expr_column(arena, 0, null.type),
                               expr_constant(arena, &null));
    ck_assert(!expr_to_predicate(compare, arena, &index, &predicate, &is_exact));
    arena_destroy(arena);
}
END_TEST

int main(void)
{
    TCase *predicates = tcase_create("predicates");
    tcase_add_test(predicates, comparisons);
    tcase_add_test(predicates, casts_are_undone);
    tcase_add_test(predicates, lists);
    tcase_add_test(predicates, prefixes);
    tcase_add_test(predicates, nulls_and_booleans);
    return fixture_run_suite("expr_predicate", &predicates, 1);
}
