/*
 * expression_bench.c — nanoseconds per row of typical expressions, on one batch that stays in
 * cache.
 *
 *   expression_bench [kernel level [part of a name]]
 *
 * The best of several rounds is shown: neighbours on the machine only ever slow a round down.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/micro/bench.h"
#include "base/types/text_format.h"
#include "base/vector/kernel_level.h"
#include "compute/expression/expr_eval.h"

#define ROUNDS 20
#define BATCHES 2000

typedef struct Bench {
    Arena *arena;
    Vector columns[16];
    Type types[16];
    uint32_t column_count;
    const char *wanted; /* part of the names to run */
} Bench;

/* Scaled integers lo..hi in the narrowest lane over lo, or in int64. */
static Expr *add_integers(Bench *bench, Type type, int64_t lo, int64_t hi, bool is_wide)
{
    uint64_t span = (uint64_t)(hi - lo);
    Lane lane = is_wide              ? LANE_I64
                : span <= UINT8_MAX  ? LANE_U8
                : span <= UINT16_MAX ? LANE_U16
                                     : LANE_U32;
    char *lanes = arena_alloc_aligned(bench->arena, VECTOR_ROWS * 8 + 64, 64);
    for (uint32_t row = 0; row < VECTOR_ROWS; row++) {
        uint64_t offset = draw_bits() % (span + 1);
        int64_t wide = lo + (int64_t)offset;
        memcpy(lanes + row * lane_bytes(lane), is_wide ? (void *)&wide : (void *)&offset,
               lane_bytes(lane));
    }
    uint32_t column = bench->column_count++;
    bench->types[column] = type;
    bench->columns[column] = (Vector){.type = type,
                                      .lane = (uint8_t)lane,
                                      .form = VECTOR_FLAT,
                                      .base = is_wide ? 0 : lo,
                                      .lo = lo,
                                      .hi = hi,
                                      .data = lanes};
    return expr_column(bench->arena, column, type);
}

static Expr *add_texts(Bench *bench, const char *const *words, uint32_t word_count,
                       uint32_t words_per_text, bool is_dictionary)
{
    Type type = type_varchar(100);
    uint32_t entry_count = is_dictionary ? word_count : VECTOR_ROWS;
    TextView *views = arena_alloc_aligned(bench->arena, entry_count * sizeof *views + 64, 64);
    for (uint32_t i = 0; i < entry_count; i++) {
        char text[200] = "";
        for (uint32_t j = 0; j < words_per_text; j++) {
            strcat(text, words[is_dictionary ? i : draw(word_count)]);
            strcat(text, j + 1 < words_per_text ? " " : "");
        }
        views[i] = text_view_make(arena_strdup(bench->arena, text), strlen(text));
    }
    uint32_t column = bench->column_count++;
    bench->types[column] = type;
    bench->columns[column] =
        (Vector){.type = type, .lane = LANE_TEXT, .form = VECTOR_FLAT, .data = views};
    if (is_dictionary) {
        uint8_t *codes = arena_alloc_aligned(bench->arena, VECTOR_ROWS + 64, 64);
        for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
            codes[i] = (uint8_t)draw(word_count);
        }
        Dictionary *dictionary = ARENA_NEW(bench->arena, Dictionary);
        *dictionary = (Dictionary){.lane = LANE_TEXT,
                                   .entry_count = entry_count,
                                   .entries = views,
                                   .identity = 77 + column};
        bench->columns[column].form = VECTOR_DICTIONARY;
        bench->columns[column].lane = LANE_U8;
        bench->columns[column].data = codes;
        bench->columns[column].dictionary = dictionary;
    }
    return expr_column(bench->arena, column, type);
}

static void run(Bench *bench, const char *name, Expr *const *exprs, uint32_t expr_count,
                bool is_filter)
{
    ExprProgram *program;
    if (strstr(name, bench->wanted) == NULL) {
        return;
    }
    must(
        expr_compile(bench->arena, exprs, expr_count, bench->types, bench->column_count, &program));
    ExprState *state = expr_state_create(program, bench->arena);
    double best_ns = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu_ns();
        for (int i = 0; i < BATCHES; i++) {
            Batch batch = {.row_count = VECTOR_ROWS,
                           .selected_count = VECTOR_ROWS,
                           .columns = bench->columns,
                           .column_count = bench->column_count};
            if (is_filter) {
                must(expr_filter(state, &batch));
                continue;
            }
            expr_begin(state, &batch);
            for (uint32_t j = 0; j < expr_count; j++) {
                const Vector *vector;
                must(expr_evaluate(state, j, &vector));
            }
        }
        double took_ns = cpu_ns() - start;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    printf("%-52s %8.3f ns/row\n", name, best_ns / ((double)BATCHES * VECTOR_ROWS));
}

static Expr *call2(Bench *bench, FunctionId function, Type type, Expr *left, Expr *right)
{
    return expr_call2(bench->arena, function, type, left, right);
}

static Expr *text(Bench *bench, const char *bytes)
{
    Value value = {.type = type_varchar(0), .text = text_view_make(bytes, strlen(bytes))};
    return expr_constant(bench->arena, &value);
}

static Expr *decimal(Bench *bench, int64_t value, uint32_t precision)
{
    Value constant = value_int64(type_decimal(precision, 2), value);
    return expr_constant(bench->arena, &constant);
}

/* l_extendedprice * (1 - l_discount) * (1 + l_tax), l_extendedprice * (1 - l_discount) */
static void run_prices(Bench *bench, bool is_wide)
{
    Type type = type_decimal(12, 2);
    Expr *price = add_integers(bench, type, 90000, 10494950, is_wide);
    Expr *discount = add_integers(bench, type, 0, 10, is_wide);
    Expr *tax = add_integers(bench, type, 0, 8, is_wide);
    Expr *exprs[2];
    exprs[0] = call2(
        bench, FUNCTION_MULTIPLY, type_decimal(26, 4), price,
        call2(bench, FUNCTION_SUBTRACT, type_decimal(13, 2), decimal(bench, 100, 12), discount));
    exprs[1] = call2(bench, FUNCTION_MULTIPLY, type_decimal(38, 6), exprs[0],
                     call2(bench, FUNCTION_ADD, type_decimal(13, 2), decimal(bench, 100, 12), tax));
    run(bench, is_wide ? "disc_price and charge, int64" : "disc_price and charge, narrow", exprs, 2,
        false);
    Expr *ratio =
        call2(bench, FUNCTION_DIVIDE, type_decimal(30, 6), price, decimal(bench, 700, 12));
    run(bench, is_wide ? "price / 7.00, int64" : "price / 7.00, narrow", &ratio, 1, false);
}

static void run_comparisons(Bench *bench)
{
    Type date = type_of(TYPE_DATE), boolean = type_of(TYPE_BOOLEAN);
    Expr *ship = add_integers(bench, date, 8036, 10561, false);
    Expr *receipt = add_integers(bench, date, 8040, 10591, false);
    Expr *quantity = add_integers(bench, type_decimal(12, 2), 100, 5000, false);
    Value bound = value_int64(date, 9000),
          year = {.type = type_varchar(0), .text = text_view_make("year", 4)};
    Value month = {.type = type_varchar(0), .text = text_view_make("month", 5)};
    Expr *terms[3];
    terms[0] = call2(bench, FUNCTION_LESS, boolean, ship, expr_constant(bench->arena, &bound));
    run(bench, "date < constant, as filter", terms, 1, true);
    terms[1] = call2(bench, FUNCTION_LESS, boolean, quantity, decimal(bench, 2400, 12));
    terms[2] = call2(bench, FUNCTION_LESS, boolean, ship, receipt);
    run(bench, "quantity < 24.00, to lanes", terms + 1, 1, false);
    run(bench, "date < date, as filter", terms + 2, 1, true);
    run(bench, "three conjuncts, as filter", terms, 3, true);
    Expr *field = call2(bench, FUNCTION_EXTRACT, type_of(TYPE_INTEGER),
                        expr_constant(bench->arena, &year), ship);
    run(bench, "extract year, seven years", &field, 1, false);
    Expr *far = add_integers(bench, date, -200000, 300000, false);
    field = call2(bench, FUNCTION_EXTRACT, type_of(TYPE_INTEGER),
                  expr_constant(bench->arena, &year), far);
    run(bench, "extract year, many years", &field, 1, false);
    field = call2(bench, FUNCTION_EXTRACT, type_of(TYPE_INTEGER),
                  expr_constant(bench->arena, &month), ship);
    run(bench, "extract month", &field, 1, false);
    Expr **args = ARENA_ARRAY(bench->arena, Expr *, 3);
    args[0] = terms[0];
    args[1] = quantity;
    args[2] = decimal(bench, 0, 12);
    Expr chosen = {.kind = EXPR_CASE, .type = type_decimal(12, 2), .arg_count = 3, .args = args};
    Expr *branch = &chosen;
    run(bench, "case when date < constant then quantity else 0", &branch, 1, false);
}

static void run_texts(Bench *bench)
{
    static const char *const modes[] = {"AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"};
    static const char *const words[] = {"special", "requests", "packages",    "sleep",
                                        "quickly", "among",    "the",         "furiously",
                                        "ironic",  "deposits", "theodolites", "accounts",
                                        "pending", "even",     "asymptotes"};
    Type boolean = type_of(TYPE_BOOLEAN);
    Expr *mode = add_texts(bench, modes, 7, 1, true);
    Expr *mode_flat = add_texts(bench, modes, 7, 1, false);
    Expr *comment = add_texts(bench, words, 15, 7, false);
    Expr *term = call2(bench, FUNCTION_EQUAL, boolean, mode, text(bench, "MAIL"));
    run(bench, "text = constant, dictionary, as filter", &term, 1, true);
    term = call2(bench, FUNCTION_EQUAL, boolean, mode_flat, text(bench, "MAIL"));
    run(bench, "text = constant, flat, as filter", &term, 1, true);
    term = call2(bench, FUNCTION_LIKE, boolean, comment, text(bench, "%special%requests%"));
    run(bench, "like '%special%requests%', 50 bytes", &term, 1, true);
    term = call2(bench, FUNCTION_LIKE, boolean, comment, text(bench, "%theodolites%"));
    run(bench, "like '%theodolites%', 50 bytes", &term, 1, true);
    term = call2(bench, FUNCTION_LIKE, boolean, mode_flat, text(bench, "REG%"));
    run(bench, "like 'REG%', flat", &term, 1, true);
    Expr **args = ARENA_ARRAY(bench->arena, Expr *, 3);
    args[0] = comment;
    args[1] = expr_int64(bench->arena, TYPE_INTEGER, 1);
    args[2] = expr_int64(bench->arena, TYPE_INTEGER, 2);
    Expr *part = expr_call(bench->arena, FUNCTION_SUBSTRING, type_varchar(0), 3, args);
    run(bench, "substring(text, 1, 2), flat", &part, 1, false);
    part = expr_call(bench->arena, FUNCTION_UPPER, type_varchar(0), 1, args);
    run(bench, "upper(text), 50 bytes", &part, 1, false);
}

int main(int argc, char **argv)
{
    if (argc > 1 && !kernel_level_select(argv[1])) {
        fprintf(stderr, "unknown kernel level %s\n", argv[1]);
        return 1;
    }
    printf("kernel level %s\n", kernel_level_name());
    Bench bench = {.arena = arena_create(NULL, "bench"), .wanted = argc > 2 ? argv[2] : ""};
    run_prices(&bench, false);
    run_prices(&bench, true);
    run_comparisons(&bench);
    run_texts(&bench);
    arena_destroy(bench.arena);
    return 0;
}
