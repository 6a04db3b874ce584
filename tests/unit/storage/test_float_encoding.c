/* test_float_encoding.c — every bit of a float comes back from alp and alp_rd, whatever it is;
 * filters on encoded vectors agree with the values; kernel levels agree; damage is refused. */
#include <math.h>
#include "block_fixture.h"
#include "sample_column.h"
#include "storage/encoding/float_kernels.h"

#define SEED 754u

/* What columns of floats look like. */
typedef enum FloatShape {
    FLOATS_TIMES,    /* hours and minutes as hours */
    FLOATS_QUARTERS, /* what repeats every few rows */
    FLOATS_PRICES,   /* two digits behind the point */
    FLOATS_MIXED,    /* as many digits as they like, whole vectors apart */
    FLOATS_HARD,     /* prices, and now and then one of `oddities` */
    FLOATS_NOISE,    /* around 1, noise in every digit */
    FLOATS_BITS,     /* any bit pattern */
    FLOATS_WHOLE,    /* large whole numbers */
    FLOATS_ODDITIES, /* nothing else */
    FLOATS_SHAPE_COUNT
} FloatShape;

static double oddity(Random *random)
{
    const uint64_t patterns[] = {UINT64_C(0x8000000000000000),
                                 UINT64_C(0x7ff0000000000000),
                                 UINT64_C(0xfff0000000000000),
                                 UINT64_C(0x7ff8000000000000),
                                 UINT64_C(0xfff8000000000123),
                                 UINT64_C(0x7ff0000000000001),
                                 1,
                                 UINT64_C(0x800fffffffffffff),
                                 UINT64_C(0x7fefffffffffffff),
                                 UINT64_C(0x4330000000000000),
                                 UINT64_C(0xc338000000000000),
                                 UINT64_C(0x4320000000000001)};
    double value;
    memcpy(&value, &patterns[random_below(random, sizeof patterns / sizeof *patterns)],
           sizeof value);
    return value;
}

static double price(Random *random)
{
    return (double)((int64_t)random_below(random, 2000001) - 1000000) / 100;
}

static double float_of(FloatShape shape, uint32_t row, Random *random)
{
    const uint64_t bits = random_next(random);
    double value;
    switch (shape) {
    case FLOATS_TIMES:
        return (double)(bits % 1440) / 60;
    case FLOATS_QUARTERS:
        return row / 4.0;
    case FLOATS_PRICES:
        return price(random);
    case FLOATS_MIXED:
        return (double)(bits >> 40) / pow(10, row / VECTOR_ROWS % 9);
    case FLOATS_HARD:
        return random_below(random, 50) == 0 ? oddity(random) : price(random);
    case FLOATS_NOISE:
        return 0.5 + (double)(bits >> 11) * 0x1p-53;
    case FLOATS_WHOLE:
        return (double)(bits >> 14);
    case FLOATS_ODDITIES:
        return oddity(random);
    default:
        memcpy(&value, &bits, sizeof value);
        return value;
    }
}

/* Signalling NaNs stay what they are only as bits: no float is made of a double here. */
static void put_float(SampleColumn *column, FloatShape shape, uint32_t row, Random *random)
{
    if (column->chunk.lane == LANE_F64) {
        const double value = float_of(shape, row, random);
        memcpy((uint64_t *)column->values + row, &value, sizeof value);
        return;
    }
    uint32_t bits = (uint32_t)random_next(random);
    if (shape == FLOATS_ODDITIES || (shape == FLOATS_HARD && bits % 50 == 0)) {
        static const uint32_t patterns[] = {0x80000000, 0x7f800000, 0xff800000, 0x7fc00000,
                                            0xffc12345, 0x7f800001, 1,          0x807fffff,
                                            0x7f7fffff, 0x4b000000, 0xcb400000, 0};
        bits = patterns[bits / 50 % (sizeof patterns / sizeof *patterns)];
    } else if (shape != FLOATS_BITS) {
        const float value =
            (float)float_of(shape == FLOATS_HARD ? FLOATS_PRICES : shape, row, random);
        memcpy(&bits, &value, sizeof bits);
    }
    memcpy((uint32_t *)column->values + row, &bits, sizeof bits);
}

static SampleColumn float_column(Type type, FloatShape shape, Nulls nulls, uint32_t rows)
{
    SampleColumn column = sample_column(type, SHAPE_SMALL, nulls, rows, 3);
    const size_t lane = lane_bytes(column.chunk.lane);
    uint8_t *values = column.values;
    Random random;
    random_seed(&random, SEED + rows + (uint64_t)shape);
    for (uint32_t i = 0; i < rows; i++) {
        if (validity_get(column.chunk.validity, i)) {
            put_float(&column, shape, i, &random);
        } else if (i > 0) {
            memcpy(values + i * lane, values + (i - 1) * lane, lane);
        }
    }
    return column;
}

typedef struct OpenBlock {
    EncodedBlock *encoded;
    uint8_t *bytes;
    Block block;
    DecodeBuffer buffer;
} OpenBlock;

static void open_column(OpenBlock *open, const SampleColumn *column, EncodingId hint)
{
    EncodingMemory memory = {0};
    *open = (OpenBlock){.encoded = malloc(sizeof *open->encoded)};
    must(encode_block(&context, &column->chunk, &memory, encoding_set(hint), &identity,
                      open->encoded));
    open->bytes = aligned_copy(open->encoded);
    must(block_open(open->bytes, open->encoded->byte_count, &identity, column->chunk.type, budget,
                    &open->block));
    must(decode_buffer_init(&open->buffer, budget));
}

static void close_column(OpenBlock *open, SampleColumn *column)
{
    decode_buffer_deinit(&open->buffer);
    block_close(&open->block);
    free(open->bytes);
    free(open->encoded);
    sample_column_free(column);
}

static void check_bits(OpenBlock *open, const SampleColumn *column)
{
    const size_t lane = lane_bytes(column->chunk.lane);
    for (uint32_t v = open->block.vector_count; v-- > 0;) { // no vector needs the one before
        Vector vector;
        must(open->block.encoding->decode(&open->block, v, NULL, 0, &open->buffer, &vector));
        for (uint32_t i = 0; i < block_vector_rows(&open->block, v); i++) {
            const size_t row = (size_t)v * VECTOR_ROWS + i;
            EXPECT(vector_is_null(&vector, i) ==
                       !validity_get(column->chunk.validity, (uint32_t)row),
                   "null at row %zu", row);
            if (vector_is_null(&vector, i)) {
                continue;
            }
            EXPECT(vector.form == VECTOR_CONSTANT ||
                       memcmp((const uint8_t *)vector.data + i * lane,
                              (const uint8_t *)column->values + row * lane, lane) == 0,
                   "seed %u %s row %zu", SEED, open->block.encoding->name, row);
        }
    }
}

static const uint32_t sizes[] = {1, 63, 64, 65, 1024, 1025, 5000, 65536};
static const EncodingId hints[] = {ENCODING_AUTO, ENCODING_ALP, ENCODING_ALP_RD, ENCODING_RAW,
                                   ENCODING_FLOAT_DICTIONARY};

START_TEST(returns_every_bit)
{
    const Type type = type_of(_i % 2 == 0 ? TYPE_DOUBLE : TYPE_REAL);
    const FloatShape shape = (FloatShape)(_i / 2);
    for (size_t h = 0; h < sizeof hints / sizeof *hints; h++) {
        for (Nulls nulls = NULLS_NONE; nulls < NULLS_COUNT; nulls++) {
            for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
                SampleColumn column = float_column(type, shape, nulls, sizes[s]);
                OpenBlock open;
                open_column(&open, &column, hints[h]);
                check_bits(&open, &column);
                close_column(&open, &column);
            }
        }
    }
}
END_TEST

static void check_filter(OpenBlock *open, const SampleColumn *column, const Predicate *predicate)
{
    uint64_t bitmap[BLOCK_FILTER_BITMAP_BYTES / 8];
    BlockFilter filter = {.bitmap = bitmap};
    block_filter_prepare(&open->block, predicate, &filter);
    for (uint32_t v = 0; v < open->block.vector_count; v++) {
        const uint32_t rows = block_vector_rows(&open->block, v);
        RowMask mask, before;
        Vector vector;
        bool is_decoded = false;
        row_mask_set_first(&mask, rows);
        mask.words[1] &= UINT64_C(0x5555555555555555); // some rows have failed before
        before = mask;
        must(block_filter_apply(&open->block, v, &filter, &open->buffer, &vector, &is_decoded,
                                &mask));
        for (uint32_t i = 0; i < rows; i++) {
            const Value value = sample_column_value(column, v * VECTOR_ROWS + i);
            const bool expected =
                validity_get(before.words, i) && predicate_accepts(predicate, &value);
            EXPECT(validity_get(mask.words, i) == expected, "%s row %u", open->block.encoding->name,
                   v * VECTOR_ROWS + i);
        }
    }
}

START_TEST(filters_like_decoded_values)
{
    const Type type = type_of(_i % 2 == 0 ? TYPE_DOUBLE : TYPE_REAL);
    SampleColumn column =
        float_column(type, _i / 2 == 0 ? FLOATS_HARD : FLOATS_PRICES, NULLS_SOME, 5000);
    Random random;
    OpenBlock open;
    random_seed(&random, SEED);
    open_column(&open, &column, ENCODING_ALP);
    ck_assert_int_eq(open.block.encoding->id, ENCODING_ALP);
    for (int round = 0; round < 400; round++) {
        Value bounds[2];
        for (int i = 0; i < 2; i++) {
            const uint32_t row = (uint32_t)random_below(&random, 5000);
            bounds[i] = sample_column_value(&column, row);
            if (round % 4 == 0 || bounds[i].is_null) { // between two values
                bounds[i] = (Value){.type = type, .f64 = price(&random) + 0.005};
            }
            if (round % 40 == 39) {
                bounds[i].f64 = i == 0 ? (double)NAN : -(double)INFINITY;
            }
        }
        const Predicate predicate = {.kind = PREDICATE_RANGE,
                                     .type = type,
                                     .has_lo = round % 3 != 0,
                                     .has_hi = round % 3 != 1,
                                     .is_lo_open = (round & 8) != 0,
                                     .is_hi_open = (round & 16) != 0,
                                     .lo = bounds[0],
                                     .hi = round % 7 == 0 ? bounds[0] : bounds[1]};
        check_filter(&open, &column, &predicate);
    }
    close_column(&open, &column);
}
END_TEST

static void expect_bits(Type type, FloatShape shape, EncodingId wanted, double bits_max)
{
    SampleColumn column = float_column(type, shape, NULLS_NONE, 65536);
    OpenBlock open;
    open_column(&open, &column, ENCODING_AUTO);
    const double bits = (double)open.encoded->byte_count * 8 / 65536;
    ck_assert_msg(open.block.encoding->id == wanted && bits <= bits_max,
                  "shape %d: %s, %.2f bits per value", (int)shape, open.block.encoding->name, bits);
    close_column(&open, &column);
}

START_TEST(chooses_by_what_the_values_are)
{
    expect_bits(type_of(TYPE_DOUBLE), FLOATS_TIMES, ENCODING_FLOAT_DICTIONARY, 13);
    expect_bits(type_of(TYPE_DOUBLE), FLOATS_QUARTERS, ENCODING_ALP, 16);
    expect_bits(type_of(TYPE_DOUBLE), FLOATS_PRICES, ENCODING_ALP, 21.5);
    expect_bits(type_of(TYPE_REAL), FLOATS_PRICES, ENCODING_ALP, 21.5);
    expect_bits(type_of(TYPE_DOUBLE), FLOATS_MIXED, ENCODING_ALP, 31);
    expect_bits(type_of(TYPE_DOUBLE), FLOATS_HARD, ENCODING_ALP, 24);
    expect_bits(type_of(TYPE_DOUBLE), FLOATS_NOISE, ENCODING_ALP_RD, 55);
    expect_bits(type_of(TYPE_DOUBLE), FLOATS_BITS, ENCODING_RAW, 65);
}
END_TEST

/* Every byte behind the header of a block, changed under a right checksum: refused, or decoded
 * within its memory. */
START_TEST(survives_planted_corruption)
{
    static const FloatShape shapes[] = {FLOATS_HARD, FLOATS_NOISE, FLOATS_TIMES};
    static const EncodingId encodings[] = {ENCODING_ALP, ENCODING_ALP_RD,
                                           ENCODING_FLOAT_DICTIONARY};
    SampleColumn column =
        float_column(type_of(TYPE_DOUBLE), shapes[_i], NULLS_SOME, _i < 2 ? 1500 : 30000);
    OpenBlock open;
    uint32_t refused = 0;
    open_column(&open, &column, encodings[_i]);
    ck_assert_int_eq(open.block.encoding->id, encodings[_i]);
    for (size_t i = sizeof(BlockHeader); i < open.encoded->byte_count; i += 1 + i / 4000) {
        Block block;
        open.bytes[i] ^= 0xa5;
        BlockHeader *header = (BlockHeader *)(void *)open.bytes;
        header->checksum = block_checksum(open.bytes, open.encoded->byte_count, &identity);
        Status status = block_open(open.bytes, open.encoded->byte_count, &identity,
                                   column.chunk.type, budget, &block);
        if (status == STATUS_OK) {
            for (uint32_t v = 0; v < block.vector_count; v++) {
                Vector vector;
                must(block.encoding->decode(&block, v, NULL, 0, &open.buffer, &vector));
            }
            block_close(&block);
        } else {
            ck_assert(status_sqlstate(status) == SQLSTATE_DATA_CORRUPTED);
            status_free(status);
            refused++;
        }
        open.bytes[i] ^= 0xa5;
    }
    ck_assert_uint_gt(refused, 50);
    close_column(&open, &column);
}
END_TEST

#define LEVELS_DO(level)                                                                           \
    for (int level = 0; level < KERNEL_LEVEL_COUNT; level++)                                       \
        if (kernel_level_is_supported((KernelLevel)level))

START_TEST(levels_agree)
{
    const Type type = type_of(_i % 2 == 0 ? TYPE_DOUBLE : TYPE_REAL);
    const SampleColumn column = float_column(type, (FloatShape)(_i / 2), NULLS_NONE, VECTOR_ROWS);
    const Lane lane = column.chunk.lane;
    const uint32_t exponent_max = lane == LANE_F32 ? ALP_EXPONENT_MAX_FLOAT : ALP_EXPONENT_MAX;
    _Alignas(64) static int64_t numbers[VECTOR_ROWS], first_numbers[VECTOR_ROWS];
    _Alignas(64) static uint64_t out[VECTOR_ROWS], first_out[VECTOR_ROWS];
    for (uint32_t e = 0; e <= exponent_max; e++) {
        for (uint32_t f = 0; f <= e; f++) {
            uint32_t first_count = 0;
            LEVELS_DO(level)
            {
                const uint32_t count = float_kernels_by_level[level]->alp_encode(
                    column.values, lane, VECTOR_ROWS, e, f, numbers);
                if (level == 0) {
                    first_count = count;
                    memcpy(first_numbers, numbers, sizeof numbers);
                }
                ck_assert_uint_eq(count, first_count);
                EXPECT(memcmp(numbers, first_numbers, sizeof numbers) == 0, "level %d", level);
                // Any integers will do: those of the first level.
                for (Lane from = LANE_U8; from <= LANE_I64; from++) {
                    float_kernels_by_level[level]->alp_decode(first_numbers, from, -5000, e, f,
                                                              lane, out);
                    float_kernels_by_level[0]->alp_decode(first_numbers, from, -5000, e, f, lane,
                                                          first_out);
                    EXPECT(memcmp(out, first_out, VECTOR_ROWS * lane_bytes(lane)) == 0,
                           "level %d lanes %d e %u f %u", level, (int)from, e, f);
                }
            }
        }
    }
    uint8_t codes[VECTOR_ROWS];
    uint64_t entries[ALP_LEFT_ENTRIES];
    for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
        codes[i] = (uint8_t)(hash_mix(i) % ALP_LEFT_ENTRIES);
        entries[i % ALP_LEFT_ENTRIES] = hash_mix(i);
    }
    LEVELS_DO(level)
    {
        float_kernels_by_level[level]->join_parts(first_numbers, codes, entries, lane, out);
        float_kernels_by_level[0]->join_parts(first_numbers, codes, entries, lane, first_out);
        EXPECT(memcmp(out, first_out, VECTOR_ROWS * lane_bytes(lane)) == 0, "level %d", level);
    }
    SampleColumn owned = column;
    sample_column_free(&owned);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("float_encoding");
    TCase *tests = tcase_create("floats");
    tcase_set_timeout(tests, 240);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, returns_every_bit, 0, 2 * FLOATS_SHAPE_COUNT);
    tcase_add_loop_test(tests, filters_like_decoded_values, 0, 4);
    tcase_add_test(tests, chooses_by_what_the_values_are);
    tcase_add_loop_test(tests, survives_planted_corruption, 0, 3);
    tcase_add_loop_test(tests, levels_agree, 0, 2 * FLOATS_SHAPE_COUNT);
    return run_suite(suite, tests);
}
