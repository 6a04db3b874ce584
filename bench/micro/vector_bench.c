/*
 * vector_bench.c — times the loops of base/vector and base/types, in nanoseconds of one core a row.
 *
 *     vector_bench [kernel level]
 *
 * Each line is the best of seven runs over batches of 1,024 rows in cache, by thread CPU time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/micro/bench.h"
#include "base/types/datetime.h"
#include "base/types/decimal.h"
#include "base/types/text_format.h"
#include "base/vector/batch_codec.h"
#include "base/vector/distribution_hash.h"
#include "base/vector/kernel_level.h"
#include "base/vector/predicate.h"

enum { ROWS = VECTOR_ROWS, RUNS = 7, REPEATS = 2000 };

/* What the benches work on. */
typedef struct Inputs {
    Vector integers[4]; /* U8, U16, U32, I64 */
    Vector doubles, short_texts, long_texts, text_codes;
    Dictionary dictionary;
    uint16_t rows[ROWS]; /* any order */
    RowMask mask;        /* about half of the rows */
    uint16_t selection[ROWS];
    uint64_t hashes[ROWS];
    uint64_t *bitmap;
    Predicate predicate;
    VectorBuffer buffer;
    MemoryBudget *budget;
    BatchBuilder *builder;
    ByteBuffer bytes;
    Vector columns[4];
    Type types[4];
    char texts[5][ROWS][32]; /* integers, decimals, dates, timestamps, doubles */
} Inputs;

typedef void (*Bench)(Inputs *inputs, size_t argument);

static void run(const char *name, Bench bench, Inputs *inputs, size_t argument)
{
    double best = 1e18;
    for (int i = 0; i < RUNS; i++) {
        double start = cpu_ns();
        for (int k = 0; k < REPEATS; k++) {
            bench(inputs, argument);
            __asm__ volatile("" ::"r"(inputs) : "memory");
        }
        double ns = (cpu_ns() - start) / ((double)REPEATS * ROWS);
        best = ns < best ? ns : best;
    }
    printf("%-40s %8.3f\n", name, best);
}

/* --- the loops --- */

static void apply(Inputs *inputs, const Vector *vector)
{
    row_mask_set_first(&inputs->mask, ROWS);
    predicate_apply(&inputs->predicate, vector, ROWS, &inputs->mask);
}

static void range_of_integers(Inputs *inputs, size_t lane)
{
    const Vector *vector = &inputs->integers[lane];
    int64_t quarter = (vector->hi - vector->lo) / 4;
    inputs->predicate = (Predicate){.kind = PREDICATE_RANGE,
                                    .type = vector->type,
                                    .has_lo = true,
                                    .has_hi = true,
                                    .lo = value_int64(vector->type, vector->lo + quarter),
                                    .hi = value_int64(vector->type, vector->lo + 2 * quarter)};
    apply(inputs, vector);
}

static void text_equals(Inputs *inputs, size_t is_dictionary)
{
    Value bound = vector_value(&inputs->short_texts, 5);
    inputs->predicate = (Predicate){.kind = PREDICATE_RANGE,
                                    .type = bound.type,
                                    .has_lo = true,
                                    .has_hi = true,
                                    .lo = bound,
                                    .hi = bound};
    apply(inputs, is_dictionary ? &inputs->text_codes : &inputs->short_texts);
}

static void bitmap_of_integers(Inputs *inputs, size_t bits)
{
    inputs->predicate = (Predicate){.kind = PREDICATE_BITMAP,
                                    .type = inputs->integers[2].type,
                                    .bitmap = inputs->bitmap,
                                    .bitmap_bits = bits};
    apply(inputs, &inputs->integers[2]);
}

static void mask_to_selection(Inputs *inputs, size_t argument)
{
    (void)argument;
    row_mask_to_selection(&inputs->mask, ROWS, inputs->selection);
}

static void gather(Inputs *inputs, size_t lane)
{
    Vector out;
    const Vector *vector = lane < 4 ? &inputs->integers[lane] : &inputs->short_texts;
    vector_gather(vector, inputs->rows, ROWS, &inputs->buffer, &out);
}

static void widen(Inputs *inputs, size_t lane)
{
    Vector out;
    vector_widen(&inputs->integers[lane], ROWS, NULL, ROWS, &inputs->buffer, &out);
}

static void flatten_dictionary(Inputs *inputs, size_t argument)
{
    (void)argument;
    Vector out;
    vector_flatten(&inputs->text_codes, ROWS, NULL, ROWS, &inputs->buffer, &out);
}

static const Vector *hashed_vector(Inputs *inputs, size_t which)
{
    const Vector *vectors[] = {&inputs->integers[2], &inputs->doubles, &inputs->short_texts,
                               &inputs->long_texts, &inputs->text_codes};
    return vectors[which];
}

static void row_hash(Inputs *inputs, size_t which)
{
    Batch batch = {.row_count = ROWS, .selected_count = ROWS};
    row_hash_column(hashed_vector(inputs, which), &batch, false, inputs->hashes);
}

static void distribution_hash(Inputs *inputs, size_t which)
{
    Batch batch = {.row_count = ROWS, .selected_count = ROWS};
    distribution_hash_column(hashed_vector(inputs, which), &batch, false, inputs->hashes);
}

static Batch four_columns(Inputs *inputs)
{
    return (Batch){
        .row_count = ROWS, .selected_count = ROWS, .column_count = 4, .columns = inputs->columns};
}

static void build(Inputs *inputs, size_t rows_per_call)
{
    Batch batch = four_columns(inputs);
    SharedBatch *shared;
    uint32_t taken;
    for (uint32_t row = 0; row < ROWS; row += (uint32_t)rows_per_call) {
        must(batch_builder_append(inputs->builder, &batch, inputs->rows + row,
                                  (uint32_t)rows_per_call, &taken));
    }
    must(batch_builder_take(inputs->builder, &shared));
    shared_batch_unpin(shared);
}

static void encode(Inputs *inputs, size_t argument)
{
    (void)argument;
    Batch batch = four_columns(inputs);
    byte_buffer_clear(&inputs->bytes);
    batch_encode(&batch, &inputs->bytes);
}

static void decode(Inputs *inputs, size_t argument)
{
    (void)argument;
    ByteReader reader;
    SharedBatch *shared;
    byte_reader_init(&reader, inputs->bytes.data, inputs->bytes.bytes);
    must(batch_decode(&reader, inputs->types, 4, inputs->budget, &shared));
    shared_batch_unpin(shared);
}

static void parse(Inputs *inputs, size_t kind)
{
    const Type types[] = {type_of(TYPE_BIGINT), type_decimal(12, 2), type_of(TYPE_DATE),
                          type_of(TYPE_TIMESTAMP), type_of(TYPE_DOUBLE)};
    Value value;
    for (uint32_t i = 0; i < ROWS; i++) {
        const char *text = inputs->texts[kind][i];
        must(value_parse(text, strlen(text), types[kind], NULL, &value));
    }
}

static void print(Inputs *inputs, size_t kind)
{
    char text[DATETIME_TEXT_BYTES];
    const int64_t *numbers = inputs->integers[3].data;
    for (uint32_t i = 0; i < ROWS; i++) {
        switch (kind) {
        case 0:
            integer_print(numbers[i], text);
            break;
        case 1:
            decimal_print(numbers[i], 2, text);
            break;
        case 2:
            date_print(numbers[i] % 20000, text);
            break;
        case 3:
            timestamp_print(numbers[i] * 1000003, text);
            break;
        default:
            double_print((double)numbers[i] / 1234.5, text);
            break;
        }
        __asm__ volatile("" ::"r"(text) : "memory");
    }
}

/* --- inputs --- */

static void fill_numbers(Inputs *inputs, Arena *arena)
{
    static const int64_t limits[4] = {256, 65536, 1000000, 1000000007};
    uint8_t *u8 = arena_alloc(arena, ROWS + 64);
    uint16_t *u16 = arena_alloc(arena, ROWS * 2 + 64);
    uint32_t *u32 = arena_alloc(arena, ROWS * 4 + 64);
    int64_t *i64 = arena_alloc(arena, ROWS * 8 + 64);
    double *f64 = arena_alloc(arena, ROWS * 8 + 64);
    const void *lanes[4] = {u8, u16, u32, i64};
    for (uint32_t i = 0; i < ROWS; i++) {
        uint64_t number = draw_bits();
        u8[i] = (uint8_t)number;
        u16[i] = (uint16_t)number;
        u32[i] = (uint32_t)(number % 1000000);
        i64[i] = (int64_t)(number % 1000000007);
        f64[i] = (double)u32[i];
        inputs->rows[i] = (uint16_t)(draw_bits() % ROWS);
    }
    for (uint32_t lane = 0; lane < 4; lane++) {
        inputs->integers[lane] = (Vector){.type = type_of(TYPE_BIGINT),
                                          .lane = (uint8_t)lane,
                                          .hi = limits[lane] - 1,
                                          .data = lanes[lane]};
    }
    inputs->doubles = (Vector){.type = type_of(TYPE_DOUBLE), .lane = LANE_F64, .data = f64};
    const uint32_t lanes_of_columns[4] = {0, 1, 2, 1};
    for (uint32_t i = 0; i < 4; i++) {
        inputs->columns[i] = inputs->integers[lanes_of_columns[i]];
        inputs->types[i] = type_of(TYPE_BIGINT);
    }
}

static void fill_texts(Inputs *inputs, Arena *arena)
{
    TextView *short_views = arena_alloc(arena, ROWS * sizeof(TextView) + 64);
    TextView *long_views = arena_alloc(arena, ROWS * sizeof(TextView) + 64);
    uint8_t *codes = arena_alloc(arena, ROWS + 64);
    for (uint32_t i = 0; i < ROWS; i++) {
        uint64_t number = draw_bits();
        uint32_t day = (uint32_t)(number % 28) + 1, month = (uint32_t)(number >> 8) % 12 + 1;
        char *text = arena_printf(arena, "k%06u", (uint32_t)(number % 1000000));
        short_views[i] = text_view_make(text, strlen(text));
        text = arena_printf(arena, "some longer text %012u", (uint32_t)number);
        long_views[i] = text_view_make(text, strlen(text));
        codes[i] = (uint8_t)(number % 200);
        snprintf(inputs->texts[0][i], 32, "%u", (uint32_t)(number % 1000000));
        snprintf(inputs->texts[1][i], 32, "%u.%02u", (uint32_t)(number % 100000), day);
        snprintf(inputs->texts[2][i], 32, "%u-%02u-%02u", 1990 + day, month, day);
        snprintf(inputs->texts[3][i], 32, "%u-%02u-%02u %02u:%02u:05", 1990 + day, month, day,
                 month, day);
        snprintf(inputs->texts[4][i], 32, "%.17g", (double)(number % 1000000007) / 1234.5);
    }
    inputs->short_texts =
        (Vector){.type = type_varchar(20), .lane = LANE_TEXT, .data = short_views};
    inputs->long_texts = (Vector){.type = type_varchar(40), .lane = LANE_TEXT, .data = long_views};
    inputs->dictionary =
        (Dictionary){.lane = LANE_TEXT, .entry_count = 200, .entries = short_views};
    inputs->text_codes = (Vector){.type = type_varchar(20),
                                  .lane = LANE_U8,
                                  .form = VECTOR_DICTIONARY,
                                  .data = codes,
                                  .dictionary = &inputs->dictionary};
}

static void run_all(Inputs *inputs)
{
    static const char *const lanes[] = {"u8", "u16", "u32", "i64", "text"};
    static const char *const hashed[] = {"u32", "f64", "text of 7", "text of 29", "dictionary"};
    static const char *const texts[] = {"integer", "decimal", "date", "timestamp", "double"};
    char name[64];
    for (size_t i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "predicate range %s", lanes[i]);
        run(name, range_of_integers, inputs, i);
    }
    run("predicate text = short", text_equals, inputs, false);
    run("predicate text = by dictionary of 200", text_equals, inputs, true);
    run("predicate bitmap u32, 1 Mbit", bitmap_of_integers, inputs, 1000000);
    run("mask to selection", mask_to_selection, inputs, 0);
    for (size_t i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "gather %s", lanes[i]);
        run(name, gather, inputs, i);
    }
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "widen %s", lanes[i]);
        run(name, widen, inputs, i);
    }
    run("flatten dictionary of text", flatten_dictionary, inputs, 0);
    for (size_t i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "row hash %s", hashed[i]);
        run(name, row_hash, inputs, i);
        snprintf(name, sizeof name, "distribution hash %s", hashed[i]);
        run(name, distribution_hash, inputs, i);
    }
    run("builder, 4 narrow columns, by 1024", build, inputs, ROWS);
    run("builder, 4 narrow columns, by 64", build, inputs, 64);
    run("encode 4 narrow columns", encode, inputs, 0);
    run("decode 4 narrow columns", decode, inputs, 0);
    for (size_t i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "parse %s", texts[i]);
        run(name, parse, inputs, i);
        snprintf(name, sizeof name, "print %s", texts[i]);
        run(name, print, inputs, i);
    }
}

int main(int argc, char **argv)
{
    static Inputs inputs;
    PagePool *pool;
    if (argc > 1 && !kernel_level_select(argv[1])) {
        fprintf(stderr, "vector_bench: no kernel level %s here\n", argv[1]);
        return 1;
    }
    printf("%-40s ns a row, level %s\n", "", kernel_level_name());
    Arena *arena = arena_create(NULL, "bench");
    must(page_pool_create(&pool, (size_t)64 << 20));
    inputs.budget = memory_budget_create(pool, NULL, "bench", 0);
    fill_numbers(&inputs, arena);
    fill_texts(&inputs, arena);
    inputs.bitmap = arena_alloc(arena, 1000000 / 8 + 64);
    for (uint32_t i = 0; i < 1000000 / 64; i++) {
        inputs.bitmap[i] = draw_bits() & draw_bits() & draw_bits();
    }
    vector_buffer_init(&inputs.buffer, arena);
    inputs.builder = batch_builder_create(inputs.budget, inputs.types, 4, ROWS);
    byte_buffer_init(&inputs.bytes, (size_t)1 << 20);
    run_all(&inputs);
    byte_buffer_deinit(&inputs.bytes);
    batch_builder_destroy(inputs.builder);
    memory_budget_destroy(inputs.budget);
    page_pool_destroy(pool);
    arena_destroy(arena);
    return 0;
}
