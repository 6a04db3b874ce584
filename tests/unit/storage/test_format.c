/* test_format.c — files of every version of the format stay readable: the golden files are never
 * edited, only added to. BASALT_GOLDEN_WRITE=1 writes those that are missing. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/io/file.h"
#include "base_values.h"
#include "storage/encoding/encode_block.h"
#include "storage/format.h"

#define ROWS 1500u

static PagePool *pool;
static MemoryBudget *budget;

static void must(Status status)
{
    if (status != STATUS_OK) {
        ck_abort_msg("%s %s", status_sqlstate_code(status), status_message(status));
    }
}

static void setup(void)
{
    must(page_pool_create(&pool, (size_t)256 << 20));
    budget = memory_budget_create(pool, NULL, "test", 0);
}

static void teardown(void)
{
    memory_budget_destroy(budget);
    page_pool_destroy(pool);
}

/* What each golden block holds: rows that follow from their number alone, by arithmetic that no
 * change of ours touches. */
typedef struct GoldenCase {
    const char *name;
    EncodingId encoding;
    uint8_t type_id, precision;
    bool has_nulls;
} GoldenCase;

static const GoldenCase cases[] = {
    {"constant_bigint", ENCODING_CONSTANT, TYPE_BIGINT, 0, true},
    {"constant_varchar", ENCODING_CONSTANT, TYPE_VARCHAR, 0, false},
    {"bit_packed_bigint", ENCODING_BIT_PACKED, TYPE_BIGINT, 0, false},
    {"bit_packed_date_nulls", ENCODING_BIT_PACKED, TYPE_DATE, 0, true},
    {"bit_packed_patches", ENCODING_BIT_PACKED, TYPE_BIGINT, 1, false},
    {"bit_packed_decimal38", ENCODING_BIT_PACKED, TYPE_DECIMAL, 38, false},
    {"run_length_integer", ENCODING_RUN_LENGTH, TYPE_INTEGER, 0, false},
    {"dictionary_varchar", ENCODING_DICTIONARY, TYPE_VARCHAR, 1, true},
    {"dictionary_bigint", ENCODING_DICTIONARY, TYPE_BIGINT, 2, false},
    {"lz4_bytes_varchar", ENCODING_LZ4_BYTES, TYPE_VARCHAR, 2, true},
    {"fsst_varchar", ENCODING_FSST, TYPE_VARCHAR, 2, false},
    {"raw_double", ENCODING_RAW, TYPE_DOUBLE, 0, true},
    {"delta_bigint", ENCODING_DELTA, TYPE_BIGINT, 3, false},
    {"phrases_varchar", ENCODING_PHRASES, TYPE_VARCHAR, 2, true},
    {"multiple_bigint", ENCODING_MULTIPLE, TYPE_BIGINT, 4, true},
    {"difference_date", ENCODING_DIFFERENCE, TYPE_DATE, 0, true},
    {"alp_double", ENCODING_ALP, TYPE_DOUBLE, 0, true},
    {"alp_rd_double", ENCODING_ALP_RD, TYPE_DOUBLE, 0, true},
    {"dominant_bigint", ENCODING_DOMINANT, TYPE_BIGINT, 0, true},
    {"float_dictionary_double", ENCODING_FLOAT_DICTIONARY, TYPE_DOUBLE, 5, true},
    {"raw_text_varchar", ENCODING_RAW_TEXT, TYPE_VARCHAR, 2, true},
};
#define CASE_COUNT (sizeof cases / sizeof cases[0])

static const BlockIdentity identity = {
    .cluster = 11, .table_id = 22, .rowset_id = 33, .column_id = 44, .row_group = 5};

static uint32_t scramble(uint32_t row)
{
    uint32_t value = row * 2654435761u + 12345u;
    return value ^ value >> 15;
}

#define BASE_ID 43u
static int64_t base_values_of_rows[2 * VECTOR_ROWS];

/* The column that differences are from. */
static const int64_t *golden_base(void)
{
    for (uint32_t row = 0; row < 2 * VECTOR_ROWS; row++) {
        base_values_of_rows[row] = 8000 + scramble(row) % 2500;
    }
    return base_values_of_rows;
}

static int64_t golden_integer(const GoldenCase *test, uint32_t row)
{
    switch (test->encoding) {
    case ENCODING_CONSTANT:
        return -42;
    case ENCODING_RUN_LENGTH:
        return row / 50 * 7;
    case ENCODING_DICTIONARY:
        return (int64_t)(scramble(row) % 9) * 1000000007 - 5;
    case ENCODING_MULTIPLE:
        return (int64_t)(scramble(row) % 50) * 100 - 1700;
    case ENCODING_DIFFERENCE:
        return golden_base()[row] + 1 + scramble(row + 5) % 30;
    case ENCODING_DOMINANT: // the first vector lists its rows, the second marks them
        return scramble(row) % (row < 1024 ? 20 : 6) != 0 ? 500
                                                          : (int64_t)scramble(row) % 3000 - 70;
    case ENCODING_FLOAT_DICTIONARY:
        return scramble(row) % 60;
    case ENCODING_DELTA:
        return (int64_t)row * 3 + (row / 100) * 5000;
    default:
        break;
    }
    if (test->precision == 1) { // few values far above the rest
        return scramble(row) % 100 == 0 ? 1000000000 + row : scramble(row) % 16;
    }
    return test->type_id == TYPE_DATE ? 8000 + scramble(row) % 2500
                                      : (int64_t)scramble(row) * 1000 - 77;
}

static uint32_t golden_text(const GoldenCase *test, uint32_t row, char *target)
{
    static const char *const words[] = {"carefully ", "final ",   "deposits ", "sleep ",
                                        "slyly ",     "regular ", "ideas ",    "across "};
    uint32_t bytes = 0;
    if (test->encoding == ENCODING_CONSTANT) {
        memcpy(target, "one and the same text", 21);
        return 21;
    }
    const uint32_t random = scramble(row), count = test->precision == 1 ? 1 : 1 + random % 7;
    for (uint32_t i = 0; i < count; i++) {
        const char *word = words[random >> (3 * i + 3) & 7];
        memcpy(target + bytes, word, strlen(word));
        bytes += (uint32_t)strlen(word);
    }
    return bytes;
}

static bool golden_is_null(const GoldenCase *test, uint32_t row)
{
    return test->has_nulls && row % 11 == 3 && row < 1100;
}

static Type golden_type(const GoldenCase *test)
{
    return test->type_id == TYPE_DECIMAL   ? type_decimal(38, 4)
           : test->type_id == TYPE_VARCHAR ? type_varchar(100)
                                           : type_of((TypeId)test->type_id);
}

static Value golden_value(const GoldenCase *test, uint32_t row, char *text)
{
    Value value = {.type = golden_type(test), .is_null = golden_is_null(test, row)};
    if (test->type_id == TYPE_VARCHAR) {
        value.text = text_view_make(text, golden_text(test, row, text));
    } else if (test->type_id == TYPE_DECIMAL) {
        value.i128 = golden_integer(test, row) + ((Int128)1 << 90);
    } else if (test->type_id == TYPE_DOUBLE) {
        value.f64 = (double)golden_integer(test, row) / 8;
    } else {
        value.i64 = golden_integer(test, row);
    }
    return value;
}

/* The chunk that the file was made of. */
static void encode_golden(const GoldenCase *test, const char *path)
{
    const Type type = golden_type(test);
    const Lane lane = type_is_scaled_integer(type) ? LANE_I64 : type_widest_lane(type);
    const size_t bytes = lane_bytes(lane);
    uint8_t *values = calloc(2 * VECTOR_ROWS + 8, bytes);
    uint64_t validity[2 * VALIDITY_WORDS] = {0};
    char *texts = calloc(ROWS + 1, 128);
    ColumnChunk chunk = {.type = type, .lane = lane, .row_count = ROWS, .values = values};
    for (uint32_t row = 0; row < ROWS; row++) {
        const Value value = golden_value(test, row, texts + 128 * row);
        const void *source = lane == LANE_TEXT  ? (const void *)&value.text
                             : lane == LANE_F64 ? (const void *)&value.f64
                                                : (const void *)&value.i128;
        memcpy(values + row * bytes, value.is_null ? values + (row - 1) * bytes : source, bytes);
        chunk.null_count += value.is_null;
        if (!value.is_null) {
            validity_set(validity, row);
        }
    }
    chunk.validity = chunk.null_count > 0 ? validity : NULL;
    EncodeContext context;
    EncodingMemory memory = {0};
    EncodedBlock *block = malloc(sizeof *block);
    must(encode_context_init(&context, budget));
    ColumnChunk base = chunk;
    base.values = golden_base();
    if (test->encoding == ENCODING_DIFFERENCE) {
        encode_context_add_base(&context, BASE_ID, &base, ENCODING_BIT_PACKED);
    }
    must(encode_block(&context, &chunk, &memory, encoding_set(test->encoding), &identity, block));
    ck_assert_int_eq(block->encoding, test->encoding);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(block->bytes, 1, block->byte_count, file), block->byte_count);
    ck_assert_int_eq(fclose(file), 0);
    free(block);
    encoding_memory_deinit(&memory);
    encode_context_deinit(&context);
    free(values);
    free(texts);
}

START_TEST(golden_blocks_stay_readable)
{
    const GoldenCase *test = &cases[_i];
    char path[4096], text[128];
    uint8_t *data;
    size_t bytes;
    bool is_there = false;
    snprintf(path, sizeof path, "%s/block_v1_%s.bin", GOLDEN_DIRECTORY, test->name);
    must(file_exists(file_system_os(), path, &is_there));
    if (!is_there && getenv("BASALT_GOLDEN_WRITE") != NULL) {
        encode_golden(test, path);
    }
    must(file_read_whole(file_system_os(), path, (size_t)1 << 24, &data, &bytes));
    uint8_t *copy = memory_alloc(budget, bytes);
    memcpy(copy, data, bytes);
    Block block;
    must(block_open(copy, bytes, &identity, golden_type(test), budget, &block));
    ck_assert_int_eq(block.encoding->id, test->encoding);
    ck_assert_uint_eq(block.row_count, ROWS);
    DecodeBuffer buffer;
    must(decode_buffer_init(&buffer, budget));
    BaseValues base = base_values(golden_base(), BASE_ID);
    buffer.bases = &base.reader;
    for (uint32_t row = 0; row < ROWS; row++) {
        static Vector vector;
        if (row % VECTOR_ROWS == 0) {
            must(block.encoding->decode(&block, row / VECTOR_ROWS, NULL, 0, &buffer, &vector));
        }
        const Value expected = golden_value(test, row, text);
        const Value found = vector_value(&vector, row % VECTOR_ROWS);
        if (expected.is_null != found.is_null ||
            (!found.is_null && !value_equal(&expected, &found))) {
            ck_abort_msg("%s row %u", test->name, row);
        }
    }
    decode_buffer_deinit(&buffer);
    block_close(&block);
    memory_free(budget, copy, bytes);
    free(data);
}
END_TEST

/* The bytes that bit-packing is documented to make: value i in lane i mod L. */
START_TEST(lanes_are_interleaved)
{
    _Alignas(64) uint8_t lanes[VECTOR_ROWS], packed[4 * 128 + 64] = {0};
    for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
        lanes[i] = (uint8_t)(scramble(i) & 7);
    }
    for (int level = 0; level < KERNEL_LEVEL_COUNT; level++) {
        if (!kernel_level_is_supported((KernelLevel)level)) {
            continue;
        }
        pack_kernels_by_level[level]->pack(lanes, 3, packed);
        for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
            const uint32_t lane = i % 128, bit = i / 128 * 3;
            const uint32_t low = packed[bit / 8 * 128 + lane];
            const uint32_t high = packed[(bit / 8 + 1) * 128 + lane];
            const uint32_t value = (low | high << 8) >> (bit % 8) & 7;
            if (value != lanes[i]) {
                ck_abort_msg("value %u at level %d", i, level);
            }
        }
    }
}
END_TEST

/* All widths at all levels, there and back; the levels agree on every byte. */
START_TEST(levels_pack_alike)
{
    _Alignas(64) static int64_t values[VECTOR_ROWS];
    _Alignas(64) static uint8_t lanes[8192 + 64], back[8192 + 64], packed[8192 + 64], first[8192];
    for (uint32_t width = 0; width <= 64; width++) {
        const Lane lane = pack_lane_of_width(width);
        const uint64_t mask = width == 0 ? 0 : UINT64_MAX >> (64 - width);
        for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
            const uint64_t random = (uint64_t)scramble(i) << 32 | scramble(i + 7777);
            values[i] = (int64_t)((random & mask) + 1000);
        }
        for (int level = 0; level < KERNEL_LEVEL_COUNT; level++) {
            if (!kernel_level_is_supported((KernelLevel)level)) {
                continue;
            }
            const PackKernels *kernels = pack_kernels_by_level[level];
            kernels->narrow(values, 1000, lane, lanes);
            kernels->pack(lanes, width, packed);
            kernels->unpack(packed, width, back);
            ck_assert_mem_eq(lanes, back, VECTOR_ROWS * lane_bytes(lane));
            if (level == 0) {
                memcpy(first, packed, pack_bytes(width));
            }
            ck_assert_mem_eq(first, packed, pack_bytes(width));
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("format");
    TCase *tests = tcase_create("golden");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, golden_blocks_stay_readable, 0, CASE_COUNT);
    tcase_add_test(tests, lanes_are_interleaved);
    tcase_add_test(tests, levels_pack_alike);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
