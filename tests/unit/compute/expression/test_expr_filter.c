/* test_expr_filter.c — conjuncts in any order: the same rows, no new errors, no needless decoding.
 */
#include "tests/unit/compute/expression/expr_fixture.h"

#define ROWS 1024

/* A lazy column: counts the rows it was asked for. */
typedef struct CountingLoader {
    VectorLoader loader;
    Vector loaded;
    uint32_t rows_asked;
    bool was_called;
} CountingLoader;

static Status counting_load(VectorLoader *self, Vector *vector, uint32_t row_count,
                            const uint16_t *selection, uint32_t selected_count)
{
    CountingLoader *counting = (CountingLoader *)self;
    counting->was_called = true;
    counting->rows_asked = selection == NULL ? row_count : selected_count;
    *vector = counting->loaded;
    return STATUS_OK;
}

static Value *series(Arena *arena, Type type, int64_t modulus)
{
    Value *values = ARENA_ARRAY(arena, Value, ROWS);
    for (uint32_t i = 0; i < ROWS; i++) {
        values[i] = value_int64(type, (int64_t)i % modulus);
    }
    return values;
}

static Expr *compare(Arena *arena, FunctionId op, uint32_t column, int64_t bound)
{
    Type type = type_of(TYPE_INTEGER);
    return expr_call2(arena, op, type_of(TYPE_BOOLEAN), expr_column(arena, column, type),
                      expr_int64(arena, TYPE_INTEGER, bound));
}

/* 10 / column > 1 */
static Expr *divide(Arena *arena, uint32_t column)
{
    Type type = type_of(TYPE_INTEGER);
    Expr *quotient = expr_call2(arena, FUNCTION_DIVIDE, type, expr_int64(arena, TYPE_INTEGER, 10),
                                expr_column(arena, column, type));
    return expr_call2(arena, FUNCTION_GREATER, type_of(TYPE_BOOLEAN), quotient,
                      expr_int64(arena, TYPE_INTEGER, 1));
}

START_TEST(later_columns_are_decoded_for_the_rows_left)
{
    Arena *arena = arena_create(NULL, "test");
    Type type = type_of(TYPE_INTEGER), types[2] = {type, type};
    CountingLoader loaders[2];
    Vector columns[2];
    for (uint32_t i = 0; i < 2; i++) {
        loaders[i] = (CountingLoader){
            .loader = {counting_load},
            .loaded = fixture_vector(arena, type, series(arena, type, 1000), ROWS, FORM_NARROW),
        };
        columns[i] = (Vector){.type = type, .form = VECTOR_LAZY, .loader = &loaders[i].loader};
    }
    Expr *terms[2] = {compare(arena, FUNCTION_LESS, 0, 10), compare(arena, FUNCTION_GREATER, 1, 4)};
    ExprProgram *program;
    ck_assert(expr_compile(arena, terms, 2, types, 2, &program) == STATUS_OK);
    ExprState *state = expr_state_create(program, arena);
    Batch batch = fixture_batch(columns, 2, ROWS);
    ck_assert(expr_filter(state, &batch) == STATUS_OK);
    ck_assert_int_eq(loaders[0].rows_asked, ROWS);
    ck_assert_int_eq(loaders[1].rows_asked, 20); // 0..9 and 1000..1009
    ck_assert_int_eq(batch.selected_count, 10);
    ck_assert_int_eq(batch.selection[0], 5);
    ck_assert_int_eq(batch.selection[9], 1009);
    arena_destroy(arena);
}
END_TEST

START_TEST(no_row_left_means_no_further_work)
{
    Arena *arena = arena_create(NULL, "test");
    Type type = type_of(TYPE_INTEGER), types[2] = {type, type};
    CountingLoader loader = {.loader = {counting_load}};
    Vector columns[2] = {
        fixture_vector(arena, type, series(arena, type, 1000), ROWS, FORM_NARROW),
        {.type = type, .form = VECTOR_LAZY, .loader = &loader.loader},
    };
    Expr *terms[2] = {compare(arena, FUNCTION_LESS, 0, 0), divide(arena, 1)};
    ExprProgram *program;
    ck_assert(expr_compile(arena, terms, 2, types, 2, &program) == STATUS_OK);
    ExprState *state = expr_state_create(program, arena);
    Batch batch = fixture_batch(columns, 2, ROWS);
    ck_assert(expr_filter(state, &batch) == STATUS_OK);
    ck_assert_int_eq(batch.selected_count, 0);
    ck_assert(!loader.was_called);
    arena_destroy(arena);
}
END_TEST

START_TEST(order_adapts_but_protection_stays)
{
    Arena *arena = arena_create(NULL, "test");
    Type type = type_of(TYPE_INTEGER), text = type_varchar(40), types[3] = {type, type, text};
    Value *texts = ARENA_ARRAY(arena, Value, ROWS);
    for (uint32_t i = 0; i < ROWS; i++) {
        texts[i] = fixture_value(arena, text,
                                 i % 2 == 0 ? "a text that is not very short"
                                            : "another one of no interest");
    }
    Vector columns[3] = {
        fixture_vector(arena, type, series(arena, type, 7), ROWS, FORM_NARROW),
        fixture_vector(arena, type, series(arena, type, 50), ROWS, FORM_NARROW),
        fixture_vector(arena, text, texts, ROWS, FORM_NARROW),
    };
    Value pattern = fixture_value(arena, type_varchar(0), "%t%e%r%");
    // useless and dear first; then the guard of the division, which may fail; a sharp one last
    Expr *terms[4] = {
        expr_call2(arena, FUNCTION_LIKE, type_of(TYPE_BOOLEAN), expr_column(arena, 2, text),
                   expr_constant(arena, &pattern)),
        compare(arena, FUNCTION_NOT_EQUAL, 0, 0),
        divide(arena, 0),
        compare(arena, FUNCTION_EQUAL, 1, 3),
    };
    ExprProgram *program;
    ck_assert(expr_compile(arena, terms, 4, types, 3, &program) == STATUS_OK);
    ExprState *state = expr_state_create(program, arena);
    uint32_t wanted = 0;
    for (uint32_t i = 0; i < ROWS; i++) {
        wanted += i % 7 != 0 && 10 / (i % 7) > 1 && i % 50 == 3;
    }
    for (int round = 0; round < 500; round++) {
        Batch batch = fixture_batch(columns, 3, ROWS);
        Status status = expr_filter(state, &batch);
        ck_assert_msg(status == STATUS_OK, "round %d", round);
        ck_assert_int_eq(batch.selected_count, wanted);
    }
    arena_destroy(arena);
}
END_TEST

START_TEST(an_incoming_selection_is_narrowed)
{
    Arena *arena = arena_create(NULL, "test");
    Type type = type_of(TYPE_INTEGER);
    Vector column = fixture_vector(arena, type, series(arena, type, ROWS), ROWS, FORM_NARROW);
    Expr *terms[2] = {compare(arena, FUNCTION_LESS, 0, 100),
                      compare(arena, FUNCTION_GREATER, 0, 50)};
    ExprProgram *program;
    ck_assert(expr_compile(arena, terms, 2, &type, 1, &program) == STATUS_OK);
    ExprState *state = expr_state_create(program, arena);
    uint16_t selection[4] = {10, 60, 99, 1000};
    Batch batch = fixture_batch(&column, 1, ROWS);
    batch.selection = selection;
    batch.selected_count = 4;
    ck_assert(expr_filter(state, &batch) == STATUS_OK);
    ck_assert_int_eq(batch.selected_count, 2);
    ck_assert_int_eq(batch.selection[0], 60);
    ck_assert_int_eq(batch.selection[1], 99);
    batch.selection = selection;
    batch.selected_count = 0;
    ck_assert(expr_filter(state, &batch) == STATUS_OK);
    ck_assert_int_eq(batch.selected_count, 0);
    arena_destroy(arena);
}
END_TEST

int main(void)
{
    TCase *filters = tcase_create("filters");
    tcase_add_test(filters, later_columns_are_decoded_for_the_rows_left);
    tcase_add_test(filters, no_row_left_means_no_further_work);
    tcase_add_test(filters, order_adapts_but_protection_stays);
    tcase_add_test(filters, an_incoming_selection_is_narrowed);
    return fixture_run_suite("expr_filter", &filters, 1);
}
