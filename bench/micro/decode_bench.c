/*
 * decode_bench.c — what decoding costs: each encoding at each kernel level over one block of 65,536
 * rows, beside a reference loop; a gate for each, as a ratio to that loop.
 *
 *   decode_bench [part of a name]
 *
 * Prints a table for bench/results/decode.md; exit status 1 when a gate is missed on the levels
 * that gates hold for. All levels and rows of the table take turns; a figure is the median of its
 * rounds, by CPU time of the thread, so that neighbours and drift weigh on both sides alike.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/vector/kernel_level.h"
#include "bench/micro/bench.h"
#include "bench/micro/reference.h"
#include "storage/block_filter.h"
#include "storage/encoding/encode_block.h"

enum { ROWS = FORMAT_ROW_GROUP_ROWS, VECTORS = FORMAT_ROW_GROUP_VECTORS, ROUNDS = 15 };
enum { BASE_ID = 7 };
#define COLUMN_ID 3u

/* What a case does with a vector. */
typedef enum Action { DECODE, FILTER_MOST, FILTER_TENTH } Action;

typedef struct Case {
    const char *name; /* of the values */
    EncodingId encoding;
    TypeId type;
    Action action;
    double gate_ns; /* on AVX2 and AVX-512, at REFERENCE_NS; 0: none */
    void (*fill)(uint32_t row, void *lane);
} Case;

/* ---- values ---- */

static void bits_3(uint32_t row, void *lane)
{
    (void)row;
    *(int64_t *)lane = (int64_t)draw(7) + 1;
}
static void bits_12(uint32_t row, void *lane)
{
    (void)row;
    *(int64_t *)lane = 8000 + (int64_t)draw(2500);
}
static void bits_24(uint32_t row, void *lane)
{
    (void)row;
    *(int64_t *)lane = 90000 + (int64_t)draw(10000000);
}
static void bits_40(uint32_t row, void *lane)
{
    (void)row;
    *(int64_t *)lane = (int64_t)draw(UINT64_C(1) << 40);
}
static void outliers(uint32_t row, void *lane)
{
    (void)row;
    *(int64_t *)lane = draw(100) == 0 ? (int64_t)draw(UINT64_C(1) << 20) : (int64_t)draw(64);
}
static void keys(uint32_t row, void *lane)
{
    *(int64_t *)lane = (int64_t)row * 4 + (int64_t)draw(4);
}
static void runs(uint32_t row, void *lane)
{
    *(int64_t *)lane = row / 50;
}
static void hundreds(uint32_t row, void *lane)
{
    (void)row;
    *(int64_t *)lane = (int64_t)draw(50) * 100;
}
static void few_wide(uint32_t row, void *lane)
{
    (void)row;
    *(int64_t *)lane = (int64_t)draw(200) * INT64_C(1000000000007);
}
static void mostly_one(uint32_t row, void *lane)
{
    (void)row;
    *(int64_t *)lane = draw(20) == 0 ? (int64_t)draw(60000) : 700;
}
static void price_double(uint32_t row, void *lane)
{
    (void)row;
    *(double *)lane = (double)draw(10000000) / 100;
}
static void price_real(uint32_t row, void *lane)
{
    (void)row;
    *(float *)lane = (float)draw(100000) / 100;
}
static void odd_double(uint32_t row, void *lane)
{
    price_double(row, lane);
    if (draw(100) == 0) {
        *(double *)lane = 1 / 3.0 * (double)row;
    }
}
static void times(uint32_t row, void *lane)
{
    (void)row;
    *(double *)lane = (double)draw(1440) / 60;
}
static void noise_double(uint32_t row, void *lane)
{
    (void)row;
    *(double *)lane = 0.5 + (double)(draw_bits() >> 11) * 0x1p-53;
}
static void noise_real(uint32_t row, void *lane)
{
    (void)row;
    *(float *)lane = 0.5f + (float)(draw_bits() >> 40) * 0x1p-24f;
}
static void put_text(void *lane, const char *text, size_t bytes)
{
    static char room[ROWS * 64 + 64];
    static size_t used;
    used = used + bytes + 32 > sizeof room ? 0 : used;
    memcpy(room + used, text, bytes);
    *(TextView *)lane = text_view_make(room + used, bytes);
    used += bytes;
}
static void modes(uint32_t row, void *lane)
{
    static const char *const words[] = {"AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"};
    const char *word = words[draw(7)];
    (void)row;
    put_text(lane, word, strlen(word));
}
static void comments(uint32_t row, void *lane)
{
    static const char *const words[] = {"carefully ", "final ",   "deposits ", "sleep ",
                                        "slyly ",     "regular ", "ideas ",    "across "};
    char text[64];
    size_t bytes = 0;
    (void)row;
    for (uint64_t count = 2 + draw(4); count > 0; count--) {
        const char *word = words[draw(8)];
        memcpy(text + bytes, word, strlen(word));
        bytes += strlen(word);
    }
    put_text(lane, text, bytes);
}

static const Case cases[] = {
    {"3 bits", ENCODING_BIT_PACKED, TYPE_BIGINT, DECODE, 0.05, bits_3},
    {"12 bits", ENCODING_BIT_PACKED, TYPE_BIGINT, DECODE, 0.06, bits_12},
    {"24 bits", ENCODING_BIT_PACKED, TYPE_BIGINT, DECODE, 0.1, bits_24},
    {"40 bits", ENCODING_BIT_PACKED, TYPE_BIGINT, DECODE, 0.5, bits_40},
    {"6 bits, 1 % of 20", ENCODING_BIT_PACKED, TYPE_BIGINT, DECODE, 0.15, outliers},
    {"95 % one value", ENCODING_BIT_PACKED, TYPE_BIGINT, DECODE, 0.15, mostly_one},
    {"runs of 50", ENCODING_RUN_LENGTH, TYPE_BIGINT, DECODE, 0.15, runs},
    {"keys, 3 apart", ENCODING_DELTA, TYPE_BIGINT, DECODE, 0.75, keys},
    {"5 bits from another", ENCODING_DIFFERENCE, TYPE_BIGINT, DECODE, 0.15, bits_12},
    {"50 hundreds", ENCODING_MULTIPLE, TYPE_BIGINT, DECODE, 0.12, hundreds},
    {"200 wide integers", ENCODING_DICTIONARY, TYPE_BIGINT, DECODE, 0.05, few_wide},
    {"7 short texts", ENCODING_DICTIONARY, TYPE_VARCHAR, DECODE, 0.05, modes},
    {"95 % one value", ENCODING_DOMINANT, TYPE_BIGINT, DECODE, 0.15, mostly_one},
    {"prices, double", ENCODING_ALP, TYPE_DOUBLE, DECODE, 0.35, price_double},
    {"prices, real", ENCODING_ALP, TYPE_REAL, DECODE, 0.4, price_real},
    {"prices, 1 % others", ENCODING_ALP, TYPE_DOUBLE, DECODE, 0.4, odd_double},
    {"1,440 times, double", ENCODING_FLOAT_DICTIONARY, TYPE_DOUBLE, DECODE, 0.9, times},
    {"noise, double", ENCODING_ALP_RD, TYPE_DOUBLE, DECODE, 0.9, noise_double},
    {"noise, real", ENCODING_ALP_RD, TYPE_REAL, DECODE, 0.5, noise_real},
    {"noise, double", ENCODING_RAW, TYPE_DOUBLE, DECODE, 0.02, noise_double},
    {"comments", ENCODING_FSST, TYPE_VARCHAR, DECODE, 8, comments},
    {"comments", ENCODING_PHRASES, TYPE_VARCHAR, DECODE, 7, comments},
    {"comments", ENCODING_LZ4_BYTES, TYPE_VARCHAR, DECODE, 20, comments},
    {"12 bits, half pass", ENCODING_BIT_PACKED, TYPE_BIGINT, FILTER_MOST, 0.15, bits_12},
    {"12 bits, 1 in 10", ENCODING_BIT_PACKED, TYPE_BIGINT, FILTER_TENTH, 0.15, bits_12},
    {"95 % one value, half", ENCODING_DOMINANT, TYPE_BIGINT, FILTER_MOST, 0.15, mostly_one},
    {"7 texts, half pass", ENCODING_DICTIONARY, TYPE_VARCHAR, FILTER_MOST, 0.2, modes},
    {"prices, half pass", ENCODING_ALP, TYPE_DOUBLE, FILTER_MOST, 0.5, price_double},
};
enum { CASES = sizeof cases / sizeof cases[0] };

/* ---- blocks ---- */

/* A base column whose vectors lie decoded in memory: a difference costs what it adds. */
typedef struct BenchBase {
    BaseReader reader;
    const uint16_t *lanes;
    Vector vector;
} BenchBase;

static Status read_base(BaseReader *reader, const Block *block, uint32_t column_id, uint32_t vector,
                        const Vector **out)
{
    BenchBase *self = (BenchBase *)reader;
    (void)column_id;
    self->vector = (Vector){.type = block->type,
                            .lane = LANE_U16,
                            .form = VECTOR_FLAT,
                            .base = 8000,
                            .lo = 8000,
                            .hi = 10500,
                            .data = self->lanes + (size_t)vector * VECTOR_ROWS};
    *out = &self->vector;
    return STATUS_OK;
}

typedef struct Run {
    const Case *test;
    ColumnChunk chunk;
    uint8_t *bytes;
    Block block;
    BenchBase base;
    double bits, value_bytes; /* per value: stored; decoded */
    double encode_ns;         /* per value, with the choice among all encodings */
    Predicate predicate;
    uint64_t bitmap[BLOCK_FILTER_BITMAP_BYTES / 8];
    GateFigures figures;
    bool is_run;
} Run;

static Run runs_of[CASES];
static MemoryBudget *budget;

static void fill_chunk(Run *run)
{
    const Case *test = run->test;
    const Type type = test->type == TYPE_VARCHAR ? type_varchar(100) : type_of(test->type);
    const Lane lane = type_is_scaled_integer(type) ? LANE_I64 : type_widest_lane(type);
    uint8_t *values = calloc(ROWS + 8, lane_bytes(lane));
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < ROWS; i++) {
        test->fill(i, values + i * lane_bytes(lane));
        bytes += lane == LANE_TEXT ? ((TextView *)(void *)values)[i].length : lane_bytes(lane);
    }
    run->chunk = (ColumnChunk){.type = type, .lane = lane, .row_count = ROWS, .values = values};
    run->value_bytes = (double)bytes / ROWS;
}

/* Values 1 to 30 above those of the base. */
static void fill_base(Run *run)
{
    uint16_t *lanes = calloc(ROWS + 64, sizeof *lanes);
    int64_t *values = (int64_t *)run->chunk.values;
    for (uint32_t i = 0; i < ROWS; i++) {
        lanes[i] = (uint16_t)(values[i] - 8000);
        values[i] += 1 + (int64_t)draw(30);
    }
    run->base = (BenchBase){.reader.read = read_base, .lanes = lanes};
}

static void make_block(Run *run, EncodeContext *context)
{
    static EncodedBlock encoded;
    EncodingMemory memory = {0};
    const BlockIdentity identity = {.cluster = 1, .table_id = 1, .column_id = COLUMN_ID};
    fill_chunk(run);
    ColumnChunk base = run->chunk;
    context->base_count = 0;
    if (run->test->encoding == ENCODING_DIFFERENCE) {
        int64_t *values = malloc(ROWS * sizeof *values);
        memcpy(values, run->chunk.values, ROWS * sizeof *values);
        base.values = values;
        fill_base(run);
        encode_context_add_base(context, BASE_ID, &base, ENCODING_BIT_PACKED);
    }
    must(encode_block(context, &run->chunk, &memory, 0, &identity, &encoded)); // finds memory
    const double start = cpu_ns();
    must(encode_block(context, &run->chunk, &memory, 0, &identity, &encoded));
    run->encode_ns = (cpu_ns() - start) / ROWS;
    must(encode_block(context, &run->chunk, &memory, encoding_set(run->test->encoding), &identity,
                      &encoded));
    if (encoded.encoding != run->test->encoding) {
        fprintf(stderr, "%s: encoded as %s\n", run->test->name,
                encoding_ops(encoded.encoding)->name);
        exit(1);
    }
    run->bytes = aligned_alloc(64, encoded.byte_count + 64);
    memcpy(run->bytes, encoded.bytes, encoded.byte_count);
    run->bits = (double)encoded.byte_count * 8 / ROWS;
    must(block_open(run->bytes, encoded.byte_count, &identity, run->chunk.type, budget,
                    &run->block));
    encoding_memory_deinit(&memory);
}

/* value <= the value below which half or a tenth of the rows lie. */
static void make_predicate(Run *run)
{
    const Type type = run->chunk.type;
    const double share = run->test->action == FILTER_TENTH ? 0.1 : 0.5;
    Value bound = {.type = type};
    if (run->chunk.lane == LANE_TEXT) {
        bound.text = text_view_make("MAIL", 4);
    } else if (run->chunk.lane == LANE_F64) {
        bound.f64 = 100000 * share;
    } else {
        bound.i64 = 8000 + (int64_t)(2500 * share);
    }
    run->predicate =
        (Predicate){.kind = PREDICATE_RANGE, .type = type, .has_hi = true, .hi = bound};
}

/* ---- measuring ---- */

static uint64_t sink;

static void run_once(Run *run, DecodeBuffer *buffer)
{
    const Block *block = &run->block;
    Vector vector;
    if (run->test->action == DECODE) {
        for (uint32_t v = 0; v < VECTORS; v++) {
            must(block->encoding->decode(block, v, NULL, 0, buffer, &vector));
        }
        return;
    }
    BlockFilter filter = {.bitmap = run->bitmap};
    block_filter_prepare(block, &run->predicate, &filter);
    for (uint32_t v = 0; v < VECTORS; v++) {
        RowMask mask;
        bool is_decoded = false;
        row_mask_set_first(&mask, VECTOR_ROWS);
        must(block_filter_apply(block, v, &filter, buffer, &vector, &is_decoded, &mask));
        sink += mask.words[3];
    }
}

/* Nanoseconds per value, and as a ratio to the reference loop run right before and after. */
static void measure(Run *run, uint32_t level, uint32_t round)
{
    DecodeBuffer buffer;
    if (!kernel_level_select(gate_level_names[level])) {
        return;
    }
    must(decode_buffer_init(&buffer, budget));
    buffer.bases = &run->base.reader;
    double start = cpu_ns();
    run_once(run, &buffer); // into the cache
    const double once = cpu_ns() - start;
    const uint32_t repeats = once > ROUND_NS ? 1 : (uint32_t)(ROUND_NS / once);
    const double before = reference_time(REFERENCE_LANES);
    start = cpu_ns();
    for (uint32_t i = 0; i < repeats; i++) {
        run_once(run, &buffer);
    }
    const double ns = (cpu_ns() - start) / ((double)repeats * ROWS);
    gate_figures_add(&run->figures, level, round, ns, before, reference_time(REFERENCE_LANES));
    decode_buffer_deinit(&buffer);
}

static const char *const actions[] = {"decode", "filter", "filter"};

static bool print_run(const Run *run)
{
    const Case *test = run->test;
    const bool is_held = gate_is_held(&run->figures, ROUNDS, test->gate_ns / REFERENCE_NS);
    printf("| %s | %s | %s | %.2f | %.1f |", encoding_ops(test->encoding)->name, test->name,
           actions[test->action], run->bits, run->encode_ns);
    for (uint32_t level = 0; level < GATE_LEVELS; level++) {
        const double ns = gate_figures_ns(&run->figures, level, ROUNDS);
        printf(" %.3f | %.1f | %.2f |", ns, run->value_bytes / ns,
               gate_figures_ratio(&run->figures, level, ROUNDS));
    }
    printf(" %.2f | %s |\n", test->gate_ns / REFERENCE_NS, is_held ? "yes" : "**no**");
    return is_held;
}

static void print_head(void)
{
    printf("| encoding | values | what | bits | encode ns |");
    for (uint32_t level = 0; level < GATE_LEVELS; level++) {
        printf(" %s ns | GB/s | ratio |", gate_level_titles[level]);
    }
    printf(" gate | held |\n| --- | --- | --- | ---: | ---: |");
    for (uint32_t level = 0; level < GATE_LEVELS; level++) {
        printf(" ---: | ---: | ---: |");
    }
    printf(" ---: | --- |\n");
}

int main(int argc, char **argv)
{
    const char *wanted = argc > 1 ? argv[1] : "";
    static EncodeContext context;
    PagePool *pool;
    uint32_t missed = 0;
    must(page_pool_create(&pool, (size_t)1 << 30));
    budget = memory_budget_create(pool, NULL, "bench", 0);
    must(encode_context_init(&context, budget));
    for (uint32_t i = 0; i < CASES; i++) {
        Run *run = &runs_of[i];
        run->test = &cases[i];
        run->is_run = strstr(encoding_ops(cases[i].encoding)->name, wanted) != NULL;
        if (run->is_run) {
            make_block(run, &context);
            make_predicate(run);
        }
    }
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < CASES; i++) {
            for (uint32_t level = 0; level < GATE_LEVELS && runs_of[i].is_run; level++) {
                measure(&runs_of[i], level, round);
            }
        }
    }
    print_head();
    for (uint32_t i = 0; i < CASES; i++) {
        missed += runs_of[i].is_run && !print_run(&runs_of[i]);
    }
    printf("\nreference loop: %.4f ns per value; gates missed: %u\n",
           reference_time(REFERENCE_LANES), missed);
    return missed == 0 ? 0 : 1;
}
