/*
 * test_random_trees.c — random expressions over random columns against a slow evaluator that knows
 * nothing of vectors: one row, one value at a time, by SQL's rules.
 *
 * The seed is printed on failure; EXPR_SEED=n runs that one alone.
 */
#include "tests/unit/compute/expression/expr_fixture.h"

#include "base/clock.h"
#include "base/types/datetime.h"
#include "base/vector/kernel_level.h"
#include "tests/unit/compute/expression/slow_evaluator.h"

typedef enum Family { INTS, DECIMALS, TEXTS, DATES, DOUBLES, BOOLEANS, FAMILY_COUNT } Family;

#define COLUMN_COUNT 10
static const char *const column_specs[COLUMN_COUNT] = {"i4",  "i8",   "d12.2", "d38.2", "v20",
                                                       "v40", "date", "f8",    "b",     "i2"};

typedef struct World {
    Arena *arena;
    Random random;
    Type types[COLUMN_COUNT];
    Value *values[COLUMN_COUNT];
    uint32_t row_count;
} World;

static uint32_t below(World *world, uint32_t bound)
{
    return (uint32_t)random_below(&world->random, bound);
}

/* --- random values and trees --- */

static Value random_value(World *world, Type type, uint32_t flavour)
{
    static const char *const words[] = {"",
                                        "a",
                                        "abc",
                                        "special",
                                        "special requests",
                                        "packages of special requests",
                                        "zz ",
                                        "AbCdEf",
                                        "b_c",
                                        "a longer text than views hold"};
    Random *random = &world->random;
    int64_t number;
    switch (flavour % 4) {
    case 0:
        number = (int64_t)random_below(random, 20) - 5;
        break;
    case 1:
        number = (int64_t)random_below(random, 30000);
        break;
    case 2:
        number = (int64_t)random_below(random, 2000000) - 1000000;
        break;
    default:
        number = (int64_t)(random_next(random) >> random_below(random, 60));
        number = below(world, 2) == 0 ? -number : number;
        break;
    }
    switch ((TypeId)type.id) {
    case TYPE_BOOLEAN:
        return value_int64(type, number & 1);
    case TYPE_VARCHAR: {
        const char *word = words[below(world, 10)];
        return (Value){.type = type, .text = text_view_make(word, strlen(word))};
    }
    case TYPE_DATE:
        return value_int64(type, 8000 + number % 100000);
    case TYPE_DOUBLE: {
        Value value = {.type = type};
        value.f64 = (double)(number % 1000000) / 8;
        return value;
    }
    default:
        if (!type_is_scaled_integer(type)) {
            Value value = {.type = type};
            value.i128 = flavour % 8 == 7 ? (Int128)number * 1000003 : number;
            return value;
        }
        number %= type_int64_max(type) / 2 + 1;
        return value_int64(type, number);
    }
}

static Family family_of(Type type)
{
    switch ((TypeId)type.id) {
    case TYPE_BOOLEAN:
        return BOOLEANS;
    case TYPE_DECIMAL:
        return DECIMALS;
    case TYPE_VARCHAR:
        return TEXTS;
    case TYPE_DATE:
        return DATES;
    case TYPE_DOUBLE:
        return DOUBLES;
    default:
        return INTS;
    }
}

static Type family_type(Family family)
{
    static const char *const specs[FAMILY_COUNT] = {"i8", "d38.2", "t", "date", "f8", "b"};
    return fixture_type(specs[family]);
}

static Expr *make(World *world, Family family, uint32_t depth);

static Expr *make_leaf(World *world, Family family)
{
    uint32_t first = below(world, COLUMN_COUNT);
    Type type = family_type(family);
    for (uint32_t i = 0; i < COLUMN_COUNT && below(world, 4) > 0; i++) {
        uint32_t column = (first + i) % COLUMN_COUNT;
        if (family_of(world->types[column]) == family) {
            Expr *leaf = expr_column(world->arena, column, world->types[column]);
            return type_equal(leaf->type, type) ? leaf : expr_cast(world->arena, leaf, type, true);
        }
    }
    Value value = random_value(world, type, below(world, 8));
    return expr_constant(world->arena, &value);
}

static Expr **make_args(World *world, Family family, uint32_t count, uint32_t depth)
{
    Expr **args = ARENA_ARRAY(world->arena, Expr *, count);
    for (uint32_t i = 0; i < count; i++) {
        args[i] = make(world, family, depth);
    }
    return args;
}

static Expr *make_case(World *world, Family family, uint32_t depth)
{
    uint32_t count = 3 + 2 * below(world, 2);
    Expr **args = ARENA_ARRAY(world->arena, Expr *, count);
    for (uint32_t i = 0; i < count; i++) {
        args[i] = make(world, i % 2 == 0 && i + 1 < count ? BOOLEANS : family, depth);
    }
    if (below(world, 3) == 0) {
        Value null = value_null(family_type(family));
        args[count - 1] = expr_constant(world->arena, &null);
    }
    Expr *expr = ARENA_NEW(world->arena, Expr);
    *expr =
        (Expr){.kind = EXPR_CASE, .type = family_type(family), .arg_count = count, .args = args};
    return expr;
}

static int compare_values(const void *left, const void *right)
{
    return value_compare(left, right);
}

static Expr *make_in(World *world, uint32_t depth)
{
    Family family = (Family)below(world, DOUBLES);
    Value *values = ARENA_ARRAY(world->arena, Value, 8);
    uint32_t count = 1 + below(world, 7), kept = 1;
    for (uint32_t i = 0; i < count; i++) {
        values[i] = random_value(world, family_type(family), below(world, 3));
    }
    qsort(values, count, sizeof *values, compare_values);
    for (uint32_t i = 1; i < count; i++) {
        if (value_compare(&values[i], &values[kept - 1]) != 0) {
            values[kept++] = values[i];
        }
    }
    Expr *expr = ARENA_NEW(world->arena, Expr);
    *expr = (Expr){.kind = EXPR_IN,
                   .type = family_type(BOOLEANS),
                   .arg_count = 1,
                   .args = make_args(world, family, 1, depth)};
    expr->in.values = values;
    expr->in.value_count = kept;
    expr->in.is_negated = below(world, 2) == 0;
    expr->in.has_null_value = below(world, 4) == 0;
    return expr;
}

static Expr *make_boolean(World *world, uint32_t depth)
{
    static const char *const patterns[] = {"%special%", "a%",  "%s", "%special%requests%",
                                           "_b%",       "abc", "%"};
    Arena *arena = world->arena;
    Type type = family_type(BOOLEANS);
    switch (below(world, 8)) {
    case 0:
        return expr_and(arena, 3, make_args(world, BOOLEANS, 3, depth));
    case 1:
        return expr_or(arena, 2, make_args(world, BOOLEANS, 2, depth));
    case 2:
        return expr_not(arena, make(world, BOOLEANS, depth));
    case 3:
        return make_in(world, depth);
    case 4: {
        Expr *arg = make(world, (Family)below(world, FAMILY_COUNT), depth);
        return below(world, 2) == 0 ? expr_is_null(arena, arg) : expr_is_not_null(arena, arg);
    }
    case 5: {
        Value pattern = fixture_value(arena, family_type(TEXTS), patterns[below(world, 7)]);
        return expr_call2(arena, FUNCTION_LIKE, type, make(world, TEXTS, depth),
                          expr_constant(arena, &pattern));
    }
    default: {
        Family family = (Family)below(world, BOOLEANS);
        FunctionId op = FUNCTION_EQUAL + below(world, 6);
        return expr_call2(arena, op, type, make(world, family, depth),
                          below(world, 2) ? make_leaf(world, family) : make(world, family, depth));
    }
    }
}

static Expr *make_integer(World *world, uint32_t depth)
{
    Arena *arena = world->arena;
    Type type = family_type(INTS);
    Value year = fixture_value(arena, family_type(TEXTS), "year");
    switch (below(world, 9)) {
    case 0:
        return expr_call2(arena, FUNCTION_EXTRACT, type, expr_constant(arena, &year),
                          make(world, DATES, depth));
    case 1:
        return expr_call(arena, FUNCTION_LENGTH, type, 1, make_args(world, TEXTS, 1, depth));
    case 2:
        return expr_cast(arena, make(world, DECIMALS, depth), type, true);
    case 3:
        return expr_call2(arena, FUNCTION_DIVIDE, type, make(world, INTS, depth),
                          make(world, INTS, depth));
    case 4:
        return expr_call2(arena, FUNCTION_MODULO, type, make(world, INTS, depth),
                          make(world, INTS, depth));
    case 5:
        return expr_call(arena, FUNCTION_ABS, type, 1, make_args(world, INTS, 1, depth));
    default:
        return expr_call2(arena, FUNCTION_ADD + below(world, 3), type, make(world, INTS, depth),
                          make(world, INTS, depth));
    }
}

static Expr *make_decimal(World *world, uint32_t depth)
{
    Arena *arena = world->arena;
    Type type = family_type(DECIMALS);
    Expr *left = make(world, DECIMALS, depth);
    switch (below(world, 6)) {
    case 0: {
        Expr *product = expr_call2(arena, FUNCTION_MULTIPLY, type_decimal(38, 4), left,
                                   make(world, DECIMALS, depth));
        return expr_cast(arena, product, type, true);
    }
    case 1:
        return expr_call2(arena, FUNCTION_MULTIPLY, type, left, make(world, DECIMALS, depth));
    case 2:
        return expr_call2(arena, FUNCTION_DIVIDE, type, left, make(world, DECIMALS, depth));
    case 3:
        return expr_cast(arena, make(world, INTS, depth), type, true);
    case 4:
        return expr_cast(arena, expr_cast(arena, left, type_decimal(14, 1), true), type, true);
    default:
        return expr_call2(arena, FUNCTION_ADD + below(world, 2), type, left,
                          make(world, DECIMALS, depth));
    }
}

static Expr *make_text(World *world, uint32_t depth)
{
    Arena *arena = world->arena;
    Type type = family_type(TEXTS);
    switch (below(world, 3)) {
    case 0: {
        Expr **args = ARENA_ARRAY(arena, Expr *, 3);
        args[0] = make(world, TEXTS, depth);
        args[1] = expr_int64(arena, TYPE_INTEGER, 1 + below(world, 5));
        args[2] =
            expr_int64(arena, TYPE_INTEGER, below(world, 20) - (below(world, 9) == 0 ? 9 : 0));
        return expr_call(arena, FUNCTION_SUBSTRING, type, 3, args);
    }
    case 1:
        return expr_call(arena, FUNCTION_UPPER, type, 1, make_args(world, TEXTS, 1, depth));
    default:
        return expr_call2(arena, FUNCTION_CONCAT, type, make(world, TEXTS, depth),
                          make(world, TEXTS, depth));
    }
}

static Expr *make(World *world, Family family, uint32_t depth)
{
    Arena *arena = world->arena;
    if (depth == 0 || below(world, 6) == 0) {
        return make_leaf(world, family);
    }
    depth--;
    if (below(world, 6) == 0) {
        return make_case(world, family, depth);
    }
    if (below(world, 8) == 0) {
        return expr_call(arena, below(world, 2) ? FUNCTION_COALESCE : FUNCTION_GREATEST,
                         family_type(family), 2, make_args(world, family, 2, depth));
    }
    switch (family) {
    case BOOLEANS:
        return make_boolean(world, depth);
    case INTS:
        return make_integer(world, depth);
    case DECIMALS:
        return make_decimal(world, depth);
    case TEXTS:
        return make_text(world, depth);
    case DATES:
        return expr_call2(arena, FUNCTION_DATE_ADD_DAYS, family_type(DATES),
                          make(world, DATES, depth), make(world, INTS, depth));
    default:
        return expr_call2(arena, below(world, 2) ? FUNCTION_ADD : FUNCTION_MULTIPLY,
                          family_type(DOUBLES), make(world, DOUBLES, depth),
                          make(world, DOUBLES, depth));
    }
}

/* --- the test --- */

static void fill_columns(World *world, Vector *columns)
{
    static const uint32_t row_counts[] = {1, 3, 63, 64, 65, 200, 1023, 1024};
    world->row_count = row_counts[below(world, 8)];
    for (uint32_t i = 0; i < COLUMN_COUNT; i++) {
        uint32_t null_share = below(world, 3), flavour = below(world, 8);
        bool is_constant = below(world, 8) == 0;
        for (uint32_t row = 0; row < world->row_count; row++) {
            Value value = random_value(world, world->types[i], flavour);
            bool is_null = !is_constant && null_share > 0 && below(world, 8 / null_share) == 0;
            world->values[i][row] = is_null                  ? value_null(world->types[i])
                                    : is_constant && row > 0 ? world->values[i][0]
                                                             : value;
        }
        if (is_constant) {
            vector_set_constant(&columns[i], &world->values[i][0], arena_alloc(world->arena, 16));
        } else {
            columns[i] = fixture_vector(world->arena, world->types[i], world->values[i],
                                        world->row_count, (FixtureForm)below(world, FORM_COUNT));
        }
    }
}

static void read_row(const World *world, uint32_t row, Value *values)
{
    for (uint32_t i = 0; i < COLUMN_COUNT; i++) {
        values[i] = world->values[i][row];
    }
}

/* Row by row: true when the row has no error. */
static bool *reference(World *world, const Expr *expr, Value *results)
{
    bool *is_ok = ARENA_ARRAY(world->arena, bool, world->row_count);
    for (uint32_t row = 0; row < world->row_count; row++) {
        Value values[COLUMN_COUNT];
        read_row(world, row, values);
        is_ok[row] = ref_eval(world->arena, expr, values, &results[row]);
    }
    return is_ok;
}

static const char *name_column(void *object, uint32_t column)
{
    static char names[COLUMN_COUNT][16];
    (void)object;
    snprintf(names[column], sizeof names[column], "%s_%u", column_specs[column], column);
    return names[column];
}

static void check_result(World *world, uint64_t seed, const Expr *expr, const Vector *vector,
                         const Batch *batch, const Value *wanted)
{
    for (uint32_t i = 0; i < batch->selected_count; i++) {
        uint32_t row = batch_row(batch, i);
        Value got = vector_value(vector, row);
        bool is_equal = got.is_null == wanted[row].is_null;
        if (is_equal && !got.is_null) {
            is_equal = family_of(expr->type) == DECIMALS || family_of(expr->type) == INTS
                           ? value_int128(&got) == value_int128(&wanted[row])
                           : value_compare(&got, &wanted[row]) == 0;
        }
        if (is_equal && !got.is_null && vector->form != VECTOR_DICTIONARY &&
            vector->lane <= LANE_I64) {
            Int128 number = value_int128(&got);
            is_equal = number >= vector->lo && number <= vector->hi;
        }
        ck_assert_msg(is_equal, "seed %llu row %u: %s = %s, wanted %s (lo %lld hi %lld lane %d)",
                      (unsigned long long)seed, row,
                      expr_print(world->arena, expr, name_column, NULL),
                      fixture_print(world->arena, &got), fixture_print(world->arena, &wanted[row]),
                      (long long)vector->lo, (long long)vector->hi, vector->lane);
    }
}

/* A random part of the rows that raise no error. */
static void select_rows(World *world, const bool *is_ok, uint16_t *selection, Batch *batch)
{
    uint32_t share = 1 + below(world, 10);
    batch->selected_count = 0;
    for (uint32_t row = 0; row < world->row_count; row++) {
        if (is_ok[row] && below(world, share) == 0) {
            selection[batch->selected_count++] = (uint16_t)row;
        }
    }
    batch->selection = selection;
}

static void run_batch(World *world, uint64_t seed, ExprState *state, Expr *const *exprs,
                      uint32_t expr_count)
{
    Vector columns[COLUMN_COUNT];
    uint16_t selection[VECTOR_ROWS];
    fill_columns(world, columns);
    bool *is_every_ok = ARENA_ARRAY(world->arena, bool, world->row_count);
    Value *results[8];
    memset(is_every_ok, 1, world->row_count);
    bool has_error = false;
    for (uint32_t i = 0; i < expr_count; i++) {
        results[i] = ARENA_ARRAY(world->arena, Value, world->row_count);
        bool *is_ok = reference(world, exprs[i], results[i]);
        for (uint32_t row = 0; row < world->row_count; row++) {
            is_every_ok[row] &= is_ok[row];
            has_error |= !is_ok[row];
        }
    }
    Batch batch = fixture_batch(columns, COLUMN_COUNT, world->row_count);
    if (has_error || below(world, 2) == 0) {
        select_rows(world, is_every_ok, selection, &batch);
    }
    expr_begin(state, &batch);
    for (uint32_t i = 0; i < expr_count; i++) {
        const Vector *vector;
        Status status = expr_evaluate(state, i, &vector);
        ck_assert_msg(status == STATUS_OK, "seed %llu: %s: %s", (unsigned long long)seed,
                      expr_print(world->arena, exprs[i], name_column, NULL),
                      status == STATUS_OK ? "" : status_message(status));
        check_result(world, seed, exprs[i], vector, &batch, results[i]);
    }
}

static void run_filter(World *world, uint64_t seed, ExprState *state, Expr *const *terms,
                       uint32_t term_count)
{
    Vector columns[COLUMN_COUNT];
    uint16_t selection[VECTOR_ROWS], wanted[VECTOR_ROWS];
    fill_columns(world, columns);
    Batch batch = fixture_batch(columns, COLUMN_COUNT, world->row_count);
    bool *is_ok = ARENA_ARRAY(world->arena, bool, world->row_count);
    bool *is_kept = ARENA_ARRAY(world->arena, bool, world->row_count);
    for (uint32_t row = 0; row < world->row_count; row++) {
        Value values[COLUMN_COUNT], value;
        read_row(world, row, values);
        is_ok[row] = is_kept[row] = true;
        for (uint32_t i = 0; i < term_count; i++) {
            is_ok[row] &= ref_eval(world->arena, terms[i], values, &value);
            is_kept[row] &= is_ok[row] && !value.is_null && value.i64 != 0;
        }
    }
    select_rows(world, is_ok, selection, &batch);
    uint32_t wanted_count = 0;
    for (uint32_t i = 0; i < batch.selected_count; i++) {
        if (is_kept[selection[i]]) {
            wanted[wanted_count++] = selection[i];
        }
    }
    Status status = expr_filter(state, &batch);
    ck_assert_msg(status == STATUS_OK, "seed %llu", (unsigned long long)seed);
    ck_assert_msg(batch.selected_count == wanted_count, "seed %llu: %u rows, wanted %u: %s",
                  (unsigned long long)seed, batch.selected_count, wanted_count,
                  expr_print(world->arena, terms[0], name_column, NULL));
    for (uint32_t i = 0; i < wanted_count; i++) {
        ck_assert_msg(batch_row(&batch, i) == wanted[i], "seed %llu", (unsigned long long)seed);
    }
}

static void run_seed(uint64_t seed)
{
    World world = {.arena = arena_create(NULL, "world")};
    random_seed(&world.random, seed);
    for (uint32_t i = 0; i < COLUMN_COUNT; i++) {
        world.types[i] = fixture_type(column_specs[i]);
        world.values[i] = ARENA_ARRAY(world.arena, Value, VECTOR_ROWS);
    }
    Expr *exprs[4], *terms[3];
    uint32_t expr_count = 1 + below(&world, 4), term_count = 1 + below(&world, 3);
    for (uint32_t i = 0; i < expr_count; i++) {
        exprs[i] = make(&world, (Family)below(&world, FAMILY_COUNT), 1 + below(&world, 5));
    }
    for (uint32_t i = 0; i < term_count; i++) {
        terms[i] = make(&world, BOOLEANS, 1 + below(&world, 3));
    }
    ExprProgram *program, *filter;
    ck_assert(expr_compile(world.arena, exprs, expr_count, world.types, COLUMN_COUNT, &program) ==
              STATUS_OK);
    ck_assert(expr_compile(world.arena, terms, term_count, world.types, COLUMN_COUNT, &filter) ==
              STATUS_OK);
    ExprState *state = expr_state_create(program, world.arena);
    ExprState *filter_state = expr_state_create(filter, world.arena);
    for (uint32_t round = 0; round < 3; round++) {
        run_batch(&world, seed, state, exprs, expr_count);
        run_filter(&world, seed, filter_state, terms, term_count);
    }
    arena_destroy(world.arena);
}

START_TEST(trees_match_the_slow_evaluator)
{
    static const char *const levels[] = {"auto", "portable", "v2", "v3", "v4"};
    const char *only = getenv("EXPR_SEED"), *count = getenv("EXPR_SEEDS");
    if (only != NULL) {
        run_seed(strtoull(only, NULL, 10));
        return;
    }
    uint64_t seeds = count != NULL ? strtoull(count, NULL, 10) : 300;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        if (!kernel_level_select(levels[seed % 5])) {
            continue;
        }
        run_seed(seed);
    }
    ck_assert(kernel_level_select("auto"));
}
END_TEST

int main(void)
{
    TCase *trees = tcase_create("random trees");
    tcase_set_timeout(trees, 600);
    tcase_add_test(trees, trees_match_the_slow_evaluator);
    return fixture_run_suite("random_trees", &trees, 1);
}
