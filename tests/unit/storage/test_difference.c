/* test_difference.c — columns stored as what they differ from another one: values come back, with
 * nulls, at every size; the choice; bounds that the base's values break; scans that read the base
 * or do not. */
#include "base_values.h"
#include "block_fixture.h"
#include "sample_column.h"

#define BASE_ID 7u
#define SEED 20240229u

/* A base column and one near it, encoded. */
typedef struct Pair {
    SampleColumn base, column;
    EncodedBlock *encoded;
    uint8_t *bytes;
    Block block;
    BaseValues reader;
    DecodeBuffer buffer;
} Pair;

static void encode_pair(Pair *pair)
{
    EncodingMemory memory = {0};
    pair->encoded = malloc(sizeof *pair->encoded);
    context.base_count = 0;
    encode_context_add_base(&context, BASE_ID, &pair->base.chunk, ENCODING_BIT_PACKED);
    ck_assert_uint_eq(context.base_count, 1);
    must(encode_block(&context, &pair->column.chunk, &memory, ENCODING_AUTO, &identity,
                      pair->encoded));
    context.base_count = 0;
    pair->bytes = aligned_copy(pair->encoded);
    encoding_memory_deinit(&memory);
}

static Status open_pair(Pair *pair)
{
    TRY(block_open(pair->bytes, pair->encoded->byte_count, &identity, pair->column.chunk.type,
                   budget, &pair->block));
    pair->reader = base_values(pair->base.values, BASE_ID);
    must(decode_buffer_init(&pair->buffer, budget));
    pair->buffer.bases = &pair->reader.reader;
    return STATUS_OK;
}

static void free_pair(Pair *pair)
{
    decode_buffer_deinit(&pair->buffer);
    block_close(&pair->block);
    free(pair->bytes);
    free(pair->encoded);
    sample_column_free(&pair->base);
    sample_column_free(&pair->column);
}

/* base: `spread` different values around `center`; column: base + 1 .. base + `step`. */
static void make_pair(Pair *pair, Type type, Nulls nulls, uint32_t rows, int64_t center,
                      uint64_t spread, uint64_t step)
{
    Random random;
    random_seed(&random, SEED + rows);
    *pair = (Pair){.base = sample_column(type, SHAPE_SMALL, NULLS_NONE, rows, 1),
                   .column = sample_column(type, SHAPE_SMALL, nulls, rows, 2)};
    int64_t *base = pair->base.values, *values = pair->column.values;
    uint32_t present = rows;
    for (uint32_t i = 0; i < rows; i++) {
        base[i] = center + (int64_t)random_below(&random, spread);
    }
    for (uint32_t i = 0; i < rows; i++) {
        if (validity_get(pair->column.chunk.validity, i)) {
            values[i] = base[i] + 1 + (int64_t)random_below(&random, step);
            present = present == rows ? i : present;
        } else {
            values[i] = i > 0 ? values[i - 1] : 0;
        }
    }
    for (uint32_t i = 0; present < rows && i < present; i++) {
        values[i] = values[present];
    }
    encode_pair(pair);
}

static void check_pair(Pair *pair)
{
    ck_assert_uint_eq(pair->encoded->encoding, ENCODING_DIFFERENCE);
    must(open_pair(pair));
    for (uint32_t v = 0; v < pair->block.vector_count; v++) {
        Vector vector;
        must(pair->block.encoding->decode(&pair->block, v, NULL, 0, &pair->buffer, &vector));
        for (uint32_t i = 0; i < block_vector_rows(&pair->block, v); i++) {
            const Value expected = sample_column_value(&pair->column, v * VECTOR_ROWS + i);
            const Value found = vector_value(&vector, i);
            if (found.is_null != expected.is_null ||
                (!found.is_null &&
                 (found.i64 != expected.i64 || found.i64 < vector.lo || found.i64 > vector.hi))) {
                ck_abort_msg("seed %u, vector %u row %u", SEED, v, i);
            }
        }
    }
}

static const uint32_t sizes[] = {2, 63, 64, 65, 1023, 1024, 1025, 5000, 65536};

START_TEST(returns_what_it_was_given)
{
    static const struct {
        uint8_t type_id;
        int64_t center;
        uint64_t spread, step;
    } cases[] = {
        {TYPE_DATE, 8000, 2500, 30},                                    // u16 + u8
        {TYPE_DATE, -50, 200, 3},                                       // u8 + u8
        {TYPE_BIGINT, 1000000, 65000, 1000},                            // u16 + u16 above 16 bits
        {TYPE_BIGINT, -(INT64_C(1) << 40), UINT64_C(1) << 30, 100},     // u32 + u8
        {TYPE_TIMESTAMP, INT64_C(1) << 50, UINT64_C(1) << 48, 1000000}, // wide base
        {TYPE_BIGINT, INT64_C(1) << 60, UINT64_C(1) << 59, 1000000000}, // near the limit
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (Nulls nulls = NULLS_NONE; nulls < NULLS_MANY; nulls++) {
            Pair pair;
            make_pair(&pair, type_of((TypeId)cases[_i].type_id), nulls, sizes[i], cases[_i].center,
                      cases[_i].spread, cases[_i].step);
            // Very few rows may be packed as small as their differences.
            if (sizes[i] >= 63) {
                check_pair(&pair);
            } else {
                must(open_pair(&pair));
            }
            free_pair(&pair);
        }
    }
}
END_TEST

START_TEST(filters_like_decoded_values)
{
    Pair pair;
    make_pair(&pair, type_of(TYPE_DATE), NULLS_SOME, 5000, 8000, 2500, 30);
    check_pair(&pair);
    for (int64_t bound = 7990; bound < 10600; bound += 97) {
        const Predicate predicate = {.kind = PREDICATE_RANGE,
                                     .type = pair.block.type,
                                     .has_hi = true,
                                     .hi = value_int64(pair.block.type, bound)};
        uint64_t bitmap[BLOCK_FILTER_BITMAP_BYTES / 8];
        BlockFilter filter = {.bitmap = bitmap};
        block_filter_prepare(&pair.block, &predicate, &filter);
        for (uint32_t v = 0; v < pair.block.vector_count; v++) {
            const uint32_t rows = block_vector_rows(&pair.block, v);
            RowMask mask;
            Vector vector;
            bool is_decoded = false;
            row_mask_set_first(&mask, rows);
            must(block_filter_apply(&pair.block, v, &filter, &pair.buffer, &vector, &is_decoded,
                                    &mask));
            for (uint32_t i = 0; i < rows; i++) {
                const Value value = sample_column_value(&pair.column, v * VECTOR_ROWS + i);
                if (validity_get(mask.words, i) != predicate_accepts(&predicate, &value)) {
                    ck_abort_msg("bound %lld vector %u row %u", (long long)bound, v, i);
                }
            }
        }
    }
    free_pair(&pair);
}
END_TEST

/* What the head rules out needs no base. */
START_TEST(reads_the_base_only_when_needed)
{
    Pair pair;
    make_pair(&pair, type_of(TYPE_DATE), NULLS_NONE, 3000, 8000, 2500, 30);
    must(open_pair(&pair));
    const Predicate predicate = {.kind = PREDICATE_RANGE,
                                 .type = pair.block.type,
                                 .has_hi = true,
                                 .hi = value_int64(pair.block.type, 100)};
    uint64_t bitmap[BLOCK_FILTER_BITMAP_BYTES / 8];
    BlockFilter filter = {.bitmap = bitmap, .predicate = &predicate};
    RowMask mask;
    row_mask_set_first(&mask, VECTOR_ROWS);
    ck_assert(pair.block.encoding->filter(&pair.block, 0, &filter, &pair.buffer, &mask));
    ck_assert_uint_eq(mask.words[0], 0);
    ck_assert_uint_eq(pair.reader.read_count, 0);
    free_pair(&pair);
}
END_TEST

START_TEST(leaves_unlike_columns_alone)
{
    static const struct {
        uint64_t spread, step;
    } cases[] = {{4, 2000}, {2500, 2500}, {16, 16}};
    Pair pair;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_pair(&pair, type_of(TYPE_DATE), NULLS_NONE, 65536, 8000, cases[i].spread,
                  cases[i].step);
        ck_assert_uint_ne(pair.encoded->encoding, ENCODING_DIFFERENCE);
        must(open_pair(&pair));
        free_pair(&pair);
    }
}
END_TEST

/* Another base's values than those it was made from are noticed, not shown. */
START_TEST(notices_values_beyond_the_bounds)
{
    Pair pair;
    Vector vector;
    make_pair(&pair, type_of(TYPE_DATE), NULLS_NONE, 2000, 8000, 2500, 30);
    must(open_pair(&pair));
    ((int64_t *)pair.base.values)[1500] = 20000;
    must(pair.block.encoding->decode(&pair.block, 0, NULL, 0, &pair.buffer, &vector));
    Status status = pair.block.encoding->decode(&pair.block, 1, NULL, 0, &pair.buffer, &vector);
    ck_assert(status_sqlstate(status) == SQLSTATE_DATA_CORRUPTED);
    ck_assert_ptr_nonnull(strstr(status_message(status), "values beyond their bounds"));
    status_free(status);
    pair.buffer.bases = NULL;
    status = pair.block.encoding->decode(&pair.block, 0, NULL, 0, &pair.buffer, &vector);
    ck_assert(status_sqlstate(status) == SQLSTATE_DATA_CORRUPTED);
    status_free(status);
    free_pair(&pair);
}
END_TEST

/* Every byte of the head of a block, changed under a right checksum: refused, or still bounded. */
START_TEST(survives_planted_corruption)
{
    Pair pair;
    make_pair(&pair, type_of(TYPE_DATE), NULLS_SOME, 1500, 8000, 2500, 30);
    uint32_t refused = 0;
    for (size_t i = sizeof(BlockHeader); i < pair.encoded->byte_count; i++) {
        pair.bytes[i] ^= 0x5a;
        BlockHeader *header = (BlockHeader *)(void *)pair.bytes;
        header->checksum = block_checksum(pair.bytes, pair.encoded->byte_count, &identity);
        Status status = open_pair(&pair);
        for (uint32_t v = 0; status == STATUS_OK && v < pair.block.vector_count; v++) {
            Vector vector;
            status = pair.block.encoding->decode(&pair.block, v, NULL, 0, &pair.buffer, &vector);
        }
        if (status != STATUS_OK) {
            ck_assert(status_sqlstate(status) == SQLSTATE_DATA_CORRUPTED);
            status_free(status);
            refused++;
        }
        decode_buffer_deinit(&pair.buffer);
        block_close(&pair.block);
        pair.buffer = (DecodeBuffer){0};
        pair.block = (Block){0};
        pair.bytes[i] ^= 0x5a;
    }
    ck_assert_uint_gt(refused, 100);
    free_pair(&pair);
}
END_TEST

/* All pairs of lanes at all kernel levels agree. */
START_TEST(levels_add_alike)
{
    _Alignas(64) static uint64_t left[VECTOR_ROWS + 8], right[VECTOR_ROWS + 8],
        spare[VECTOR_ROWS + 8], sums[VECTOR_ROWS + 8], first[VECTOR_ROWS + 8];
    Random random;
    random_seed(&random, SEED);
    for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
        left[i] = random_next(&random);
        right[i] = random_next(&random);
    }
    for (Lane a = LANE_U8; a <= LANE_I64; a++) {
        for (Lane b = LANE_U8; b <= LANE_I64; b++) {
            for (Lane sum = a > b ? a : b; sum <= LANE_I64; sum++) {
                bool is_first = true;
                for (int level = 0; level < KERNEL_LEVEL_COUNT; level++) {
                    if (!kernel_level_is_supported((KernelLevel)level)) {
                        continue;
                    }
                    pack_kernels_by_level[level]->add_lanes(left, a, right, b, spare, sum, sums);
                    if (is_first) {
                        memcpy(first, sums, sizeof first);
                    }
                    ck_assert_mem_eq(first, sums, VECTOR_ROWS * lane_bytes(sum));
                    is_first = false;
                }
            }
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("difference");
    TCase *tests = tcase_create("difference");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, returns_what_it_was_given, 0, 6);
    tcase_add_test(tests, filters_like_decoded_values);
    tcase_add_test(tests, reads_the_base_only_when_needed);
    tcase_add_test(tests, leaves_unlike_columns_alone);
    tcase_add_test(tests, notices_values_beyond_the_bounds);
    tcase_add_test(tests, survives_planted_corruption);
    tcase_add_test(tests, levels_add_alike);
    return run_suite(suite, tests);
}
