/* test_encoding.c — every encoding returns what it was given: types × encodings × shapes × nulls ×
 * sizes; filters on encoded data agree with predicate_accepts on each value; bounds hold. */
#include "block_fixture.h"
#include "planner/plan/encode_word.h"
#include "sample_column.h"

static const uint32_t sizes[] = {1, 63, 64, 65, 1000, 1024, 1025, 5000, 65536};
#define SIZE_COUNT (sizeof sizes / sizeof sizes[0])
static Type types[8];
#define TYPE_SAMPLES 8

static void setup_types(void)
{
    const Type all[TYPE_SAMPLES] = {
        type_of(TYPE_BIGINT), type_of(TYPE_DATE),   type_decimal(12, 2), type_of(TYPE_BOOLEAN),
        type_decimal(38, 4),  type_of(TYPE_DOUBLE), type_of(TYPE_REAL),  type_varchar(96)};
    memcpy(types, all, sizeof types);
    setup();
}

static void check_values(const Block *block, const SampleColumn *column, DecodeBuffer *buffer)
{
    for (uint32_t v = 0; v < block->vector_count; v++) {
        Vector vector;
        must(block->encoding->decode(block, v, NULL, 0, buffer, &vector));
        for (uint32_t i = 0; i < block_vector_rows(block, v); i++) {
            const Value expected = sample_column_value(column, v * VECTOR_ROWS + i);
            const Value found = vector_value(&vector, i);
            EXPECT(found.is_null == expected.is_null, "null at vector %u row %u (%s)", v, i,
                   block->encoding->name);
            if (expected.is_null) {
                continue;
            }
            EXPECT(value_equal(&expected, &found), "vector %u row %u (%s)", v, i,
                   block->encoding->name);
            if (type_is_text(block->type)) { // blanks count here
                EXPECT(expected.text.length == found.text.length, "length at %u", i);
            }
            if (type_is_scaled_integer(block->type)) {
                EXPECT(vector.lo <= expected.i64 && expected.i64 <= vector.hi, "bounds at %u", i);
            }
        }
    }
}

/* Few rows of each vector, as a lazy load asks for them. */
static void check_selected(const Block *block, const SampleColumn *column, DecodeBuffer *buffer)
{
    for (uint32_t v = 0; v < block->vector_count; v += 7) {
        uint16_t selection[VECTOR_ROWS];
        uint32_t count = 0;
        for (uint32_t i = v % 3; i < block_vector_rows(block, v); i += 97) {
            selection[count++] = (uint16_t)i;
        }
        Vector vector;
        must(block->encoding->decode(block, v, selection, count, buffer, &vector));
        for (uint32_t k = 0; k < count; k++) {
            const Value expected = sample_column_value(column, v * VECTOR_ROWS + selection[k]);
            const Value found = vector_value(&vector, selection[k]);
            EXPECT(value_equal(&expected, &found), "selected row %u", selection[k]);
        }
    }
}

static void check_filter(const Block *block, const SampleColumn *column, DecodeBuffer *buffer,
                         const Predicate *predicate, const ZoneRecord *zone)
{
    uint64_t bitmap[BLOCK_FILTER_BITMAP_BYTES / 8];
    BlockFilter filter = {.bitmap = bitmap};
    block_filter_prepare(block, predicate, &filter);
    const PredicateVerdict verdict = zone_record_check(zone, block->type, predicate);
    for (uint32_t v = 0; v < block->vector_count; v++) {
        const uint32_t rows = block_vector_rows(block, v);
        RowMask mask = {0};
        for (uint32_t i = 0; i < rows; i++) {
            validity_set(mask.words, i);
        }
        Vector vector;
        bool is_decoded = false;
        must(block_filter_apply(block, v, &filter, buffer, &vector, &is_decoded, &mask));
        for (uint32_t i = 0; i < rows; i++) {
            const Value value = sample_column_value(column, v * VECTOR_ROWS + i);
            const bool expected = predicate_accepts(predicate, &value);
            EXPECT(validity_get(mask.words, i) == expected,
                   "%s predicate %d vector %u row %u of %u: expected %d", block->encoding->name,
                   (int)predicate->kind, v, i, rows, expected);
            EXPECT(verdict != PREDICATE_NONE || !expected, "zone map excludes row %u", i);
            EXPECT(verdict != PREDICATE_ALL || expected, "zone map includes row %u", i);
        }
        for (uint32_t i = rows; i < VECTOR_ROWS; i++) {
            EXPECT(!validity_get(mask.words, i), "row %u beyond the last", i);
        }
    }
}

/* Ranges, inequality and lists around values that occur. */
static void check_filters(const Block *block, const SampleColumn *column, DecodeBuffer *buffer,
                          const ZoneRecord *zone)
{
    const uint32_t rows = column->chunk.row_count;
    Value low = sample_column_value(column, rows / 3), high = sample_column_value(column, rows / 2);
    Predicate predicate = {.kind = PREDICATE_IS_NULL, .type = block->type};
    check_filter(block, column, buffer, &predicate, zone);
    predicate.kind = PREDICATE_IS_NOT_NULL;
    check_filter(block, column, buffer, &predicate, zone);
    if (low.is_null || high.is_null) {
        return;
    }
    if (value_compare(&low, &high) > 0) {
        const Value other = low;
        low = high;
        high = other;
    }
    predicate = (Predicate){.kind = PREDICATE_RANGE, .type = block->type, .lo = low, .hi = high};
    for (int sides = 1; sides < 4; sides++) {
        predicate.has_lo = (sides & 1) != 0;
        predicate.has_hi = (sides & 2) != 0;
        check_filter(block, column, buffer, &predicate, zone);
    }
    if (!type_is_scaled_integer(block->type)) {
        predicate.is_lo_open = predicate.is_hi_open = true;
        check_filter(block, column, buffer, &predicate, zone);
    }
    predicate = (Predicate){.kind = PREDICATE_RANGE,
                            .type = block->type,
                            .lo = low,
                            .hi = low,
                            .has_lo = true,
                            .has_hi = true};
    check_filter(block, column, buffer, &predicate, zone);
    predicate.kind = PREDICATE_NOT_EQUAL;
    check_filter(block, column, buffer, &predicate, zone);
    const Value values[2] = {low, high};
    predicate = (Predicate){.kind = PREDICATE_IN,
                            .type = block->type,
                            .values = values,
                            .value_count = value_compare(&low, &high) == 0 ? 1 : 2};
    check_filter(block, column, buffer, &predicate, zone);
}

static bool shape_fits(Type type, Shape shape)
{
    if (type.id == TYPE_BOOLEAN) {
        return shape == SHAPE_CONSTANT;
    }
    if (type.id == TYPE_DATE) {
        return shape == SHAPE_SMALL || shape == SHAPE_SORTED || shape == SHAPE_RUNS ||
               shape == SHAPE_DOMINANT;
    }
    return type.id != TYPE_DECIMAL || type.precision > 18 || shape != SHAPE_EXTREME;
}

static void round_trip(Type type, EncodingId hint, Shape shape, Nulls nulls, uint32_t rows)
{
    SampleColumn column = sample_column(type, shape, nulls, rows, rows * 31 + (uint64_t)shape);
    EncodingMemory memory = {0};
    EncodedBlock *encoded = malloc(sizeof *encoded);
    must(encode_block(&context, &column.chunk, &memory, encoding_set(hint), &identity, encoded));
    uint8_t *bytes = aligned_copy(encoded);
    Block block;
    must(block_open(bytes, encoded->byte_count, &identity, type, budget, &block));
    ck_assert_uint_eq(block.row_count, rows);
    ck_assert_uint_eq(block.encoding->id, encoded->encoding);
    DecodeBuffer buffer;
    must(decode_buffer_init(&buffer, budget));
    check_values(&block, &column, &buffer);
    check_selected(&block, &column, &buffer);
    if (rows < 10000) {
        check_filters(&block, &column, &buffer, &encoded->zone);
    }
    decode_buffer_deinit(&buffer);
    block_close(&block);
    free(bytes);
    free(encoded);
    encoding_memory_deinit(&memory);
    sample_column_free(&column);
}

/* One loop iteration per type, hint and kind of nulls. */
START_TEST(returns_what_it_was_given)
{
    const Type type = types[_i % TYPE_SAMPLES];
    const EncodingId hint = (EncodingId)(_i / TYPE_SAMPLES % ENCODING_ID_COUNT);
    const Nulls nulls = (Nulls)(_i / TYPE_SAMPLES / ENCODING_ID_COUNT);
    for (Shape shape = 0; shape < SHAPE_COUNT; shape++) {
        for (size_t i = 0; shape_fits(type, shape) && i < SIZE_COUNT; i++) {
            round_trip(type, hint, shape, nulls, sizes[i]);
        }
    }
}
END_TEST

START_TEST(detects_every_flipped_bit)
{
    SampleColumn column = sample_column(types[7], SHAPE_OUTLIERS, NULLS_SOME, 200, 1);
    EncodingMemory memory = {0};
    EncodedBlock *encoded = malloc(sizeof *encoded);
    must(encode_block(&context, &column.chunk, &memory, ENCODING_AUTO, &identity, encoded));
    uint8_t *bytes = aligned_copy(encoded);
    for (size_t bit = 0; bit < encoded->byte_count * 8; bit++) {
        Block block;
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        Status status = block_open(bytes, encoded->byte_count, &identity, types[7], budget, &block);
        EXPECT(status != STATUS_OK, "bit %zu", bit);
        EXPECT(status_sqlstate(status) == SQLSTATE_DATA_CORRUPTED, "bit %zu", bit);
        EXPECT(strstr(status_message(status), "table 5, column 3, rowset 123456") != NULL, "%s",
               status_message(status));
        status_free(status);
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    free(bytes);
    free(encoded);
    sample_column_free(&column);
}
END_TEST

START_TEST(refuses_a_block_from_another_place)
{
    SampleColumn column = sample_column(types[0], SHAPE_SMALL, NULLS_NONE, 100, 1);
    EncodingMemory memory = {0};
    EncodedBlock *encoded = malloc(sizeof *encoded);
    must(encode_block(&context, &column.chunk, &memory, ENCODING_AUTO, &identity, encoded));
    uint8_t *bytes = aligned_copy(encoded);
    for (int field = 0; field < 5; field++) {
        BlockIdentity other = identity;
        other.cluster += field == 0;
        other.table_id += field == 1;
        other.rowset_id += field == 2;
        other.column_id += field == 3;
        other.row_group += field == 4;
        Block block;
        Status status = block_open(bytes, encoded->byte_count, &other, types[0], budget, &block);
        ck_assert(status_sqlstate(status) == SQLSTATE_DATA_CORRUPTED);
        status_free(status);
    }
    free(bytes);
    free(encoded);
    sample_column_free(&column);
}
END_TEST

static void expect_encoding(Type type, Shape shape, EncodingId wanted)
{
    SampleColumn column = sample_column(type, shape, NULLS_NONE, 65536, 1);
    EncodingMemory memory = {0};
    EncodedBlock *encoded = malloc(sizeof *encoded);
    must(encode_block(&context, &column.chunk, &memory, ENCODING_AUTO, &identity, encoded));
    ck_assert_msg(encoded->encoding == wanted, "shape %d: %s instead of %s", (int)shape,
                  encoding_ops(encoded->encoding)->name, encoding_ops(wanted)->name);
    free(encoded);
    encoding_memory_deinit(&memory);
    sample_column_free(&column);
}

START_TEST(chooses_the_fitting_encoding)
{
    expect_encoding(types[0], SHAPE_CONSTANT, ENCODING_CONSTANT);
    expect_encoding(types[0], SHAPE_SMALL, ENCODING_BIT_PACKED);
    expect_encoding(types[0], SHAPE_OUTLIERS, ENCODING_BIT_PACKED);
    expect_encoding(types[0], SHAPE_RUNS, ENCODING_RUN_LENGTH);
    expect_encoding(types[0], SHAPE_FEW_WIDE, ENCODING_DICTIONARY);
    expect_encoding(types[0], SHAPE_DOMINANT, ENCODING_DOMINANT);
    expect_encoding(types[2], SHAPE_DOMINANT, ENCODING_DOMINANT);
    expect_encoding(types[5], SHAPE_RANDOM, ENCODING_RAW);
    expect_encoding(types[7], SHAPE_FEW_WIDE, ENCODING_DICTIONARY);
    expect_encoding(types[7], SHAPE_SORTED, ENCODING_PHRASES);
    expect_encoding(types[7], SHAPE_EXTREME, ENCODING_PHRASES);
}
END_TEST

static EncodingId encoded_by_word(Type type, Shape shape, uint32_t word)
{
    SampleColumn column = sample_column(type, shape, NULLS_SOME, 5000, 1);
    EncodingMemory memory = {0};
    EncodedBlock *encoded = malloc(sizeof *encoded);
    must(encode_block(&context, &column.chunk, &memory, encodings_of_word(word, column.chunk.lane),
                      &identity, encoded));
    const EncodingId found = encoded->encoding;
    free(encoded);
    encoding_memory_deinit(&memory);
    sample_column_free(&column);
    return found;
}

START_TEST(words_restrict_the_choice)
{
    enum { BIGINT = 0, DOUBLE = 5, VARCHAR = 7 }; // of `types`
    static const struct {
        int type;
        Shape shape;
        EncodeWord word;
        EncodingId wanted;
    } cases[] = {
        {BIGINT, SHAPE_RUNS, ENCODE_WORD_AUTO, ENCODING_RUN_LENGTH},
        {BIGINT, SHAPE_RUNS, ENCODE_WORD_RAW, ENCODING_RAW},
        {BIGINT, SHAPE_CONSTANT, ENCODE_WORD_RAW, ENCODING_RAW},
        {BIGINT, SHAPE_RUNS, ENCODE_WORD_DELTA, ENCODING_DELTA},
        {BIGINT, SHAPE_RUNS, ENCODE_WORD_MOSTLY32, ENCODING_BIT_PACKED},
        {BIGINT, SHAPE_SMALL, ENCODE_WORD_BYTEDICT, ENCODING_DICTIONARY},
        {BIGINT, SHAPE_FEW_WIDE, ENCODE_WORD_AZ64, ENCODING_BIT_PACKED},
        {BIGINT, SHAPE_RANDOM, ENCODE_WORD_DELTA, ENCODING_RAW}, // delta cannot
        {BIGINT, SHAPE_SMALL, ENCODE_WORD_ZSTD, ENCODING_BIT_PACKED},
        {DOUBLE, SHAPE_SMALL, ENCODE_WORD_AUTO, ENCODING_ALP},
        {DOUBLE, SHAPE_SMALL, ENCODE_WORD_NONE, ENCODING_RAW},
        {VARCHAR, SHAPE_SORTED, ENCODE_WORD_RAW, ENCODING_RAW_TEXT},
        {VARCHAR, SHAPE_CONSTANT, ENCODE_WORD_RAW, ENCODING_RAW_TEXT},
        {VARCHAR, SHAPE_SORTED, ENCODE_WORD_LZO, ENCODING_LZ4_BYTES},
        {VARCHAR, SHAPE_FEW_WIDE, ENCODE_WORD_ZSTD, ENCODING_PHRASES},
        {VARCHAR, SHAPE_RUNS, ENCODE_WORD_TEXT255, ENCODING_DICTIONARY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const EncodingId found =
            encoded_by_word(types[cases[i].type], cases[i].shape, cases[i].word);
        ck_assert_msg(found == cases[i].wanted, "case %zu, %s: %s", i,
                      encode_word_name(cases[i].word), encoding_ops(found)->name);
    }
    ck_assert_int_eq(encoded_by_word(types[0], SHAPE_SMALL, ENCODE_WORD_ONE + ENCODING_RAW),
                     ENCODING_RAW);
    ck_assert_int_eq(encoded_by_word(types[0], SHAPE_SMALL, UINT16_MAX), ENCODING_BIT_PACKED);
}
END_TEST

/* Whole units of an amount in hundredths, and the same with one that is not. */
START_TEST(takes_common_steps_out)
{
    for (int is_odd = 0; is_odd < 2; is_odd++) {
        SampleColumn column = sample_column(types[2], SHAPE_SMALL, NULLS_SOME, 5000, 1);
        int64_t *values = column.values;
        for (uint32_t i = 0; i < 5000; i++) {
            values[i] *= 100;
        }
        values[4999] += is_odd;
        validity_set(column.validity, 4999);
        EncodingMemory memory = {0};
        EncodedBlock *encoded = malloc(sizeof *encoded);
        must(encode_block(&context, &column.chunk, &memory, ENCODING_AUTO, &identity, encoded));
        ck_assert_int_eq(encoded->encoding == ENCODING_MULTIPLE, is_odd == 0);
        free(encoded);
        sample_column_free(&column);
    }
}
END_TEST

/* A step under a right checksum that leads beyond the block's bounds. */
START_TEST(refuses_multiples_beyond_the_bounds)
{
    SampleColumn column = sample_column(types[0], SHAPE_SMALL, NULLS_NONE, 2000, 1);
    int64_t *values = column.values;
    for (uint32_t i = 0; i < 2000; i++) {
        values[i] *= 1000;
    }
    EncodingMemory memory = {0};
    EncodedBlock *encoded = malloc(sizeof *encoded);
    must(encode_block(&context, &column.chunk, &memory, encoding_set(ENCODING_MULTIPLE), &identity,
                      encoded));
    ck_assert_int_eq(encoded->encoding, ENCODING_MULTIPLE);
    uint8_t *bytes = aligned_copy(encoded);
    BlockHeader *header = (BlockHeader *)(void *)bytes;
    BlockNode *node = (BlockNode *)(void *)(bytes + sizeof *header);
    static const uint64_t steps[] = {0, 1001, UINT64_C(1) << 40, UINT64_MAX};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        Block block;
        node->parameter = steps[i];
        header->checksum = block_checksum(bytes, encoded->byte_count, &identity);
        Status status = block_open(bytes, encoded->byte_count, &identity, types[0], budget, &block);
        ck_assert(status_sqlstate(status) == SQLSTATE_DATA_CORRUPTED);
        status_free(status);
    }
    free(bytes);
    free(encoded);
    sample_column_free(&column);
}
END_TEST

START_TEST(levels_multiply_alike)
{
    _Alignas(64) static uint64_t lanes[VECTOR_ROWS], first[VECTOR_ROWS];
    for (Lane lane = LANE_U8; lane <= LANE_I64; lane++) {
        for (int level = 0; level < KERNEL_LEVEL_COUNT; level++) {
            if (!kernel_level_is_supported((KernelLevel)level)) {
                continue;
            }
            for (uint64_t i = 0; i < VECTOR_ROWS; i++) {
                lanes[i] = hash_mix(i);
            }
            pack_kernels_by_level[level]->multiply(lanes, lane, UINT64_C(0x123456789));
            if (level == 0) {
                memcpy(first, lanes, sizeof first);
            }
            ck_assert_mem_eq(first, lanes, sizeof first);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("encoding");
    TCase *tests = tcase_create("round_trip");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup_types, teardown);
    tcase_add_loop_test(tests, returns_what_it_was_given, 0,
                        TYPE_SAMPLES * ENCODING_ID_COUNT * NULLS_COUNT);
    tcase_add_test(tests, detects_every_flipped_bit);
    tcase_add_test(tests, refuses_a_block_from_another_place);
    tcase_add_test(tests, chooses_the_fitting_encoding);
    tcase_add_test(tests, words_restrict_the_choice);
    tcase_add_test(tests, takes_common_steps_out);
    tcase_add_test(tests, refuses_multiples_beyond_the_bounds);
    tcase_add_test(tests, levels_multiply_alike);
    return run_suite(suite, tests);
}
