/* test_expr_eval.c — what only whole programs show: laziness, sharing, dictionaries, constants. */
#include "tests/unit/compute/expression/expr_fixture.h"

#include "base/vector/distribution_hash.h"

#define COUNT(cases) (sizeof(cases) / sizeof *(cases))
#define ROWS 100

typedef struct Env {
    Arena *arena;
    Vector columns[4];
    Type types[4];
    uint32_t column_count;
    Batch batch;
    ExprState *state;
} Env;

static void env_init(Env *env)
{
    *env = (Env){.arena = arena_create(NULL, "test")};
}

static void env_deinit(Env *env)
{
    arena_destroy(env->arena);
}

static Expr *env_column(Env *env, const char *spec, const Value *values, FixtureForm form)
{
    uint32_t column = env->column_count++;
    env->types[column] = fixture_type(spec);
    env->columns[column] = fixture_vector(env->arena, env->types[column], values, ROWS, form);
    return expr_column(env->arena, column, env->types[column]);
}

/* Values first, first + step … */
static Value *env_series(Env *env, const char *spec, int64_t first, int64_t step)
{
    Value *values = ARENA_ARRAY(env->arena, Value, ROWS);
    for (uint32_t i = 0; i < ROWS; i++) {
        values[i] = value_int64(fixture_type(spec), first + step * i);
    }
    return values;
}

static Value *env_words(Env *env, const char *const *words, uint32_t word_count)
{
    Value *values = ARENA_ARRAY(env->arena, Value, ROWS);
    for (uint32_t i = 0; i < ROWS; i++) {
        values[i] = fixture_value(env->arena, type_varchar(50), words[i % word_count]);
    }
    return values;
}

static void env_compile(Env *env, Expr *const *exprs, uint32_t count)
{
    ExprProgram *program;
    Status status = expr_compile(env->arena, exprs, count, env->types, env->column_count, &program);
    ck_assert_msg(status == STATUS_OK, "%s", status == STATUS_OK ? "" : status_message(status));
    env->state = expr_state_create(program, env->arena);
    env->batch = fixture_batch(env->columns, env->column_count, ROWS);
}

static const Vector *env_evaluate(Env *env, uint32_t index)
{
    const Vector *vector;
    Status status = expr_evaluate(env->state, index, &vector);
    ck_assert_msg(status == STATUS_OK, "%s", status == STATUS_OK ? "" : status_message(status));
    return vector;
}

static const Vector *env_run(Env *env, Expr *expr)
{
    env_compile(env, &expr, 1);
    expr_begin(env->state, &env->batch);
    return env_evaluate(env, 0);
}

static void env_run_error(Env *env, Expr *expr, SqlState state)
{
    const Vector *vector;
    env_compile(env, &expr, 1);
    expr_begin(env->state, &env->batch);
    Status status = expr_evaluate(env->state, 0, &vector);
    ck_assert(status != STATUS_OK && status_sqlstate(status) == state);
    status_free(status);
}

static Expr *integer(Env *env, int64_t value)
{
    return expr_int64(env->arena, TYPE_INTEGER, value);
}

static Expr *call2(Env *env, FunctionId function, const char *type, Expr *left, Expr *right)
{
    return expr_call2(env->arena, function, fixture_type(type), left, right);
}

static Expr *case_when(Env *env, Expr *when, Expr *then, Expr *otherwise)
{
    Expr **args = ARENA_ARRAY(env->arena, Expr *, 3);
    Expr *expr = ARENA_NEW(env->arena, Expr);
    args[0] = when;
    args[1] = then;
    args[2] = otherwise;
    *expr = (Expr){.kind = EXPR_CASE, .type = then->type, .arg_count = 3, .args = args};
    return expr;
}

/* 100 / x for the rows where `x` is not zero, by whatever protects it. */
static Expr *quotient(Env *env, Expr *x)
{
    return call2(env, FUNCTION_DIVIDE, "i4", integer(env, 100), x);
}

START_TEST(case_protects_its_branches)
{
    Env env;
    env_init(&env);
    Expr *x = env_column(&env, "i4", env_series(&env, "i4", -3, 1), FORM_NARROW);
    Expr *zero = call2(&env, FUNCTION_NOT_EQUAL, "b", x, integer(&env, 0));
    const Vector *vector =
        env_run(&env, case_when(&env, zero, quotient(&env, x), integer(&env, -1)));
    for (uint32_t row = 0; row < ROWS; row++) {
        int64_t value = (int64_t)row - 3;
        ck_assert_int_eq(vector_int64(vector, row), value == 0 ? -1 : 100 / value);
    }
    env_run_error(&env, quotient(&env, x), SQLSTATE_DIVISION_BY_ZERO);
    env_deinit(&env);
}
END_TEST

START_TEST(and_or_protect_their_later_parts)
{
    Env env;
    env_init(&env);
    Expr *x = env_column(&env, "i4", env_series(&env, "i4", -3, 1), FORM_INT64);
    Expr *big = call2(&env, FUNCTION_GREATER, "b", quotient(&env, x), integer(&env, 10));
    Expr *not_zero = call2(&env, FUNCTION_NOT_EQUAL, "b", x, integer(&env, 0));
    Expr *is_zero = call2(&env, FUNCTION_EQUAL, "b", x, integer(&env, 0));
    const Vector *both = env_run(&env, expr_and2(env.arena, not_zero, big));
    ck_assert_int_eq(vector_int64(both, 3), 0);
    ck_assert_int_eq(vector_int64(both, 4), 1);
    ck_assert_int_eq(vector_int64(both, 50), 0);
    Expr *parts[2] = {is_zero, big};
    const Vector *either = env_run(&env, expr_or(env.arena, 2, parts));
    ck_assert_int_eq(vector_int64(either, 3), 1);
    ck_assert_int_eq(vector_int64(either, 2), 0);
    env_run_error(&env, expr_and2(env.arena, big, not_zero), SQLSTATE_DIVISION_BY_ZERO);
    env_deinit(&env);
}
END_TEST

START_TEST(coalesce_asks_only_for_missing_rows)
{
    Env env;
    env_init(&env);
    Value *x = env_series(&env, "i4", 0, 1), *y = env_series(&env, "i4", 0, 0);
    for (uint32_t row = 1; row < ROWS; row += 2) {
        x[row] = value_null(x[row].type);
        y[row].i64 = row;
    }
    Expr *first = env_column(&env, "i4", x, FORM_NARROW);
    Expr *second = quotient(&env, env_column(&env, "i4", y, FORM_NARROW));
    Expr **args = ARENA_ARRAY(env.arena, Expr *, 2);
    args[0] = first;
    args[1] = second;
    const Vector *vector =
        env_run(&env, expr_call(env.arena, FUNCTION_COALESCE, fixture_type("i4"), 2, args));
    for (uint32_t row = 0; row < ROWS; row++) {
        ck_assert_int_eq(vector_int64(vector, row), row % 2 == 0 ? row : 100 / row);
    }
    env_deinit(&env);
}
END_TEST

START_TEST(nullif_greatest_least_and_not_distinct)
{
    Env env;
    env_init(&env);
    Value *x = env_series(&env, "i4", 0, 1), *y = env_series(&env, "i4", 99, -1);
    x[5] = x[6] = y[6] = y[7] = value_null(x[0].type);
    y[10].i64 = 10;
    Expr *left = env_column(&env, "i4", x, FORM_NARROW);
    Expr *right = env_column(&env, "i4", y, FORM_WIDE);
    Expr *exprs[4];
    exprs[0] = call2(&env, FUNCTION_NULLIF, "i4", left, right);
    exprs[1] = call2(&env, FUNCTION_GREATEST, "i4", left, right);
    exprs[2] = call2(&env, FUNCTION_LEAST, "i4", left, right);
    exprs[3] = call2(&env, FUNCTION_IS_NOT_DISTINCT, "b", left, right);
    env_compile(&env, exprs, 4);
    expr_begin(env.state, &env.batch);
    const Vector *nullif = env_evaluate(&env, 0), *greatest = env_evaluate(&env, 1);
    const Vector *least = env_evaluate(&env, 2), *same = env_evaluate(&env, 3);
    ck_assert(vector_is_null(nullif, 10) && vector_is_null(nullif, 5));
    ck_assert_int_eq(vector_int64(nullif, 7), 7);
    ck_assert_int_eq(vector_int64(greatest, 0), 99);
    ck_assert_int_eq(vector_int64(greatest, 90), 90);
    ck_assert_int_eq(vector_int64(greatest, 5), 94);
    ck_assert_int_eq(vector_int64(least, 7), 7);
    ck_assert_int_eq(vector_int64(least, 0), 0);
    ck_assert(vector_is_null(greatest, 6) && vector_is_null(least, 6));
    for (uint32_t row = 0; row < ROWS; row++) {
        ck_assert(!vector_is_null(same, row));
        ck_assert_int_eq(vector_int64(same, row), row == 6 || row == 10);
    }
    env_deinit(&env);
}
END_TEST

START_TEST(in_lists_know_null)
{
    Env env;
    env_init(&env);
    Value *x = env_series(&env, "d38.2", 0, 100);
    x[3] = value_null(x[0].type);
    Value list[2] = {value_int64(x[0].type, 100), value_int64(x[0].type, 500)};
    Expr *arg = env_column(&env, "d38.2", x, FORM_INT64),
         **args = ARENA_ARRAY(env.arena, Expr *, 1);
    args[0] = arg;
    Expr exprs[4], *pointers[4];
    for (uint32_t i = 0; i < 4; i++) {
        exprs[i] = (Expr){.kind = EXPR_IN, .type = fixture_type("b"), .arg_count = 1, .args = args};
        exprs[i].in.values = list;
        exprs[i].in.value_count = 2;
        exprs[i].in.is_negated = i % 2 == 1;
        exprs[i].in.has_null_value = i >= 2;
        pointers[i] = &exprs[i];
    }
    env_compile(&env, pointers, 4);
    expr_begin(env.state, &env.batch);
    for (uint32_t i = 0; i < 4; i++) {
        const Vector *vector = env_evaluate(&env, i);
        ck_assert(vector_is_null(vector, 3));
        ck_assert(!vector_is_null(vector, 1));
        ck_assert_int_eq(vector_int64(vector, 1), i % 2 == 0);
        ck_assert_int_eq(vector_is_null(vector, 2), i >= 2);
        if (i < 2) {
            ck_assert_int_eq(vector_int64(vector, 2), i % 2 == 1);
        }
    }
    env_deinit(&env);
}
END_TEST

START_TEST(equal_expressions_are_computed_once)
{
    Env env;
    env_init(&env);
    Expr *x = env_column(&env, "i4", env_series(&env, "i4", 0, 1), FORM_NARROW);
    Expr *same = expr_column(env.arena, 0, fixture_type("i4"));
    Expr *exprs[2];
    exprs[0] = call2(&env, FUNCTION_MULTIPLY, "i4", x, integer(&env, 3));
    exprs[1] = call2(&env, FUNCTION_MULTIPLY, "i4", same, integer(&env, 3));
    env_compile(&env, exprs, 2);
    expr_begin(env.state, &env.batch);
    ck_assert_ptr_eq(env_evaluate(&env, 0), env_evaluate(&env, 1));
    env_deinit(&env);
}
END_TEST

START_TEST(products_of_prices_stay_narrow)
{
    Env env;
    env_init(&env);
    Expr *price = env_column(&env, "d12.2", env_series(&env, "d12.2", 90000, 104949), FORM_NARROW);
    Expr *discount = env_column(&env, "d12.2", env_series(&env, "d12.2", 0, 0), FORM_NARROW);
    Value one = value_int64(fixture_type("d12.2"), 100);
    Expr *net =
        call2(&env, FUNCTION_MULTIPLY, "d26.4", price,
              call2(&env, FUNCTION_SUBTRACT, "d13.2", expr_constant(env.arena, &one), discount));
    const Vector *vector = env_run(&env, net);
    ck_assert_int_eq(vector->lane, LANE_U32);
    ck_assert_int_eq(vector->lo, 9000000);
    ck_assert_int_eq(vector_int64(vector, 99), (90000 + 99 * 104949) * INT64_C(100));
    // the declared type needs 128 bits, the values do not
    ck_assert_int_eq(vector->type.precision, 26);
    env_deinit(&env);
}
END_TEST

START_TEST(constants_fold_but_keep_their_errors)
{
    Env env;
    env_init(&env);
    Value value;
    Expr *sum = call2(&env, FUNCTION_ADD, "i4", integer(&env, 2), integer(&env, 3));
    ck_assert(expr_evaluate_constant(sum, env.arena, &value) == STATUS_OK);
    ck_assert_int_eq(value.i64, 5);
    Expr *error = quotient(&env, integer(&env, 0));
    Status status = expr_evaluate_constant(error, env.arena, &value);
    ck_assert(status_sqlstate(status) == SQLSTATE_DIVISION_BY_ZERO);
    status_free(status);
    // no row reaches the division
    Expr *x = env_column(&env, "i4", env_series(&env, "i4", 0, 1), FORM_NARROW);
    Expr *negative = call2(&env, FUNCTION_LESS, "b", x, integer(&env, 0));
    const Vector *vector = env_run(&env, case_when(&env, negative, error, x));
    ck_assert_int_eq(vector_int64(vector, 9), 9);
    env.batch.selected_count = 0;
    expr_begin(env.state, &env.batch);
    env_evaluate(&env, 0); // nor is there any row at all
    env_deinit(&env);
}
END_TEST

static const char *const words[] = {"alpha", "beta", "gamma delta epsilon", "", "zeta "};

START_TEST(text_functions_keep_dictionaries)
{
    Env env;
    env_init(&env);
    Value *values = env_words(&env, words, COUNT(words));
    values[7] = value_null(values[0].type);
    Expr *text = env_column(&env, "v50", values, FORM_DICTIONARY);
    Expr *exprs[3];
    exprs[0] = expr_call(env.arena, FUNCTION_UPPER, fixture_type("t"), 1, &text);
    exprs[1] = expr_call(env.arena, FUNCTION_LENGTH, fixture_type("i4"), 1, &text);
    Value pattern = fixture_value(env.arena, type_varchar(0), "%a");
    exprs[2] = call2(&env, FUNCTION_LIKE, "b", text, expr_constant(env.arena, &pattern));
    env_compile(&env, exprs, 3);
    uint64_t identity = 0;
    for (int round = 0; round < 3; round++) {
        expr_begin(env.state, &env.batch);
        const Vector *upper = env_evaluate(&env, 0), *length = env_evaluate(&env, 1);
        const Vector *like = env_evaluate(&env, 2);
        ck_assert_int_eq(upper->form, VECTOR_DICTIONARY);
        ck_assert_ptr_eq(upper->data, env.columns[0].data); // the column's codes
        ck_assert_int_eq(length->form, VECTOR_DICTIONARY);
        ck_assert(upper->dictionary->identity != env.columns[0].dictionary->identity);
        ck_assert(round == 0 || identity == upper->dictionary->identity);
        identity = upper->dictionary->identity;
        ck_assert(identity != length->dictionary->identity);
        TextView third = vector_text(upper, 2);
        ck_assert(memcmp(text_view_data(&third), "GAMMA DELTA EPSILON", 19) == 0);
        for (uint32_t row = 0; row < ROWS; row++) {
            bool is_null = row == 7;
            ck_assert_int_eq(vector_is_null(upper, row), is_null);
            ck_assert_int_eq(vector_is_null(like, row), is_null);
            if (!is_null) {
                ck_assert_int_eq(vector_int64(length, row), (int64_t)strlen(words[row % 5]));
                ck_assert_int_eq(vector_int64(like, row), row % 5 < 2);
            }
        }
    }
    env_deinit(&env);
}
END_TEST

START_TEST(an_entry_that_fails_spoils_nothing)
{
    static const char *const numbers[] = {"1", "22", "333", "not a number"};
    Env env;
    env_init(&env);
    Expr *text = env_column(&env, "v50", env_words(&env, numbers, COUNT(numbers)), FORM_DICTIONARY);
    Expr *cast = expr_cast(env.arena, text, fixture_type("i4"), true);
    env_compile(&env, &cast, 1);
    uint16_t selection[ROWS];
    env.batch.selection = selection;
    env.batch.selected_count = 0;
    for (uint16_t row = 0; row < ROWS; row++) {
        if (row % 4 != 3) {
            selection[env.batch.selected_count++] = row;
        }
    }
    for (int round = 0; round < 3; round++) {
        expr_begin(env.state, &env.batch);
        const Vector *vector = env_evaluate(&env, 0);
        ck_assert_int_eq(vector_int64(vector, 0), 1);
        ck_assert_int_eq(vector_int64(vector, 98), 333);
    }
    env.batch.selection = NULL;
    env.batch.selected_count = ROWS;
    const Vector *vector;
    expr_begin(env.state, &env.batch);
    Status status = expr_evaluate(env.state, 0, &vector);
    ck_assert(status_sqlstate(status) == SQLSTATE_INVALID_TEXT_REPRESENTATION);
    status_free(status);
    env_deinit(&env);
}
END_TEST

START_TEST(buckets_are_those_of_the_distribution_hash)
{
    Env env;
    env_init(&env);
    Value *x = env_series(&env, "i8", 1000, 77), *text = env_words(&env, words, COUNT(words));
    x[4] = value_null(x[0].type);
    Expr *args[2] = {env_column(&env, "i8", x, FORM_NARROW),
                     env_column(&env, "v50", text, FORM_DICTIONARY)};
    const Vector *vector =
        env_run(&env, expr_call(env.arena, FUNCTION_BUCKET, fixture_type("i4"), 2, args));
    for (uint32_t row = 0; row < ROWS; row++) {
        uint64_t hash = distribution_hash_combine(distribution_hash_value(&x[row]),
                                                  distribution_hash_value(&text[row]));
        ck_assert_int_eq(vector_int64(vector, row), bucket_of_hash(hash));
    }
    env_deinit(&env);
}
END_TEST

START_TEST(a_branch_recomputed_leaves_earlier_results_alone)
{
    // y is computed for the rows of one branch, then for those of another
    Env env;
    env_init(&env);
    Expr *x = env_column(&env, "i4", env_series(&env, "i4", 0, 1), FORM_NARROW);
    Expr *y = call2(&env, FUNCTION_MULTIPLY, "i4", x, x);
    Expr *low = call2(&env, FUNCTION_LESS, "b", x, integer(&env, 30));
    Expr *middle = call2(&env, FUNCTION_LESS, "b", x, integer(&env, 60));
    Expr *inner = case_when(&env, middle, call2(&env, FUNCTION_ADD, "i4", y, integer(&env, 1)), y);
    const Vector *vector = env_run(&env, case_when(&env, low, y, inner));
    for (int64_t row = 0; row < ROWS; row++) {
        ck_assert_int_eq(vector_int64(vector, (uint32_t)row), row * row + (row >= 30 && row < 60));
    }
    env_deinit(&env);
}
END_TEST

START_TEST(projection_keeps_rows_and_selection)
{
    Env env;
    env_init(&env);
    uint16_t selection[2] = {3, 50};
    Expr *x = env_column(&env, "i4", env_series(&env, "i4", 0, 2), FORM_NARROW);
    Expr *exprs[2] = {x, call2(&env, FUNCTION_ADD, "i4", x, integer(&env, 1))};
    Batch out;
    env_compile(&env, exprs, 2);
    batch_init(&out, 2, env.arena);
    env.batch.selection = selection;
    env.batch.selected_count = 2;
    ck_assert(expr_project(env.state, &env.batch, &out) == STATUS_OK);
    ck_assert_int_eq(out.row_count, ROWS);
    ck_assert_int_eq(out.selected_count, 2);
    ck_assert_int_eq(vector_int64(&out.columns[1], batch_row(&out, 1)), 101);
    ck_assert_ptr_eq(out.columns[0].data, env.columns[0].data);
    env_deinit(&env);
}
END_TEST

START_TEST(what_has_no_kernel_is_refused_when_compiling)
{
    Env env;
    env_init(&env);
    ExprProgram *program;
    Expr *expr = expr_call(env.arena, (FunctionId)250, fixture_type("i4"), 0, NULL);
    Status status = expr_compile(env.arena, &expr, 1, NULL, 0, &program);
    ck_assert(status_sqlstate(status) == SQLSTATE_FEATURE_NOT_SUPPORTED);
    status_free(status);
    env_deinit(&env);
}
END_TEST

int main(void)
{
    TCase *lazy = tcase_create("laziness"), *sharing = tcase_create("sharing");
    TCase *dictionaries = tcase_create("dictionaries");
    TCase *tcases[] = {lazy, sharing, dictionaries};
    tcase_add_test(lazy, case_protects_its_branches);
    tcase_add_test(lazy, and_or_protect_their_later_parts);
    tcase_add_test(lazy, coalesce_asks_only_for_missing_rows);
    tcase_add_test(lazy, nullif_greatest_least_and_not_distinct);
    tcase_add_test(lazy, in_lists_know_null);
    tcase_add_test(sharing, equal_expressions_are_computed_once);
    tcase_add_test(sharing, products_of_prices_stay_narrow);
    tcase_add_test(sharing, constants_fold_but_keep_their_errors);
    tcase_add_test(sharing, a_branch_recomputed_leaves_earlier_results_alone);
    tcase_add_test(sharing, projection_keeps_rows_and_selection);
    tcase_add_test(sharing, what_has_no_kernel_is_refused_when_compiling);
    tcase_add_test(dictionaries, text_functions_keep_dictionaries);
    tcase_add_test(dictionaries, an_entry_that_fails_spoils_nothing);
    tcase_add_test(dictionaries, buckets_are_those_of_the_distribution_hash);
    return fixture_run_suite("expr_eval", tcases, 3);
}
