/* Suite of base/vector/batch_encode.c and batch_decode.c: round trips, damage, the frozen bytes. */
#include <string.h>

#include "base/vector/batch_codec.h"
#include "base/vector/strip_kernels.h"
#include "tests/support/check_status.h"
#include "tests/support/column_cases.h"


static Arena *arena;
static TestMemory memory;
static ByteBuffer bytes;

static void setup(void)
{
    arena = arena_create(NULL, "test");
    memory = test_memory_create(0);
    byte_buffer_init(&bytes, 1 << 20);
}

static void teardown(void)
{
    byte_buffer_deinit(&bytes);
    test_memory_destroy(&memory);
    arena_destroy(arena);
}

static SharedBatch *decode(const Type *types, uint32_t column_count)
{
    SharedBatch *shared = NULL;
    ByteReader reader;
    byte_reader_init(&reader, bytes.data, bytes.bytes);
    ck_assert_ok(batch_decode(&reader, types, column_count, memory.budget, &shared));
    ck_assert_uint_eq(byte_reader_remaining(&reader), 0);
    return shared;
}

START_TEST(every_column_comes_back)
{
    ColumnCase column;
    for (uint32_t level = 0; kernel_levels_next(&level);) {
        for (uint32_t i = 0; i < column_case_count(); i++) {
            column_case_make(i, i + level, arena, &column);
            Batch batch = {.row_count = column.row_count, .selected_count = column.row_count,
                           .column_count = 1, .columns = &column.vector};
            byte_buffer_clear(&bytes);
            batch_encode(&batch, &bytes);
            SharedBatch *shared = decode(&column.vector.type, 1);
            ck_assert_uint_eq(shared->batch.row_count, column.row_count);
            assert_column(&shared->batch.columns[0], &column, NULL, column.row_count);
            shared_batch_unpin(shared);
            arena_reset(arena);
        }
    }
}
END_TEST

START_TEST(selected_rows_of_several_columns_come_back)
{
    enum { COLUMNS = 17 };
    static ColumnCase columns[COLUMNS];
    Vector vectors[COLUMNS];
    Type types[COLUMNS];
    uint64_t state = 9;
    for (uint32_t round = 0; round < 60; round++) {
        uint32_t row_count = 1 + (uint32_t)(test_random(&state) % VECTOR_ROWS), count = 0;
        uint16_t rows[VECTOR_ROWS];
        for (uint32_t row = 0; row < row_count; row++) {
            rows[count] = (uint16_t)row;
            count += test_random(&state) % (1 + round % 5) == 0;
        }
        for (uint32_t i = 0; i < COLUMNS; i++) {
            uint32_t form_and_nulls = (uint32_t)(test_random(&state) % 12);
            column_case_make_rows(i + COLUMNS * form_and_nulls, row_count, test_random(&state),
                                  arena, &columns[i]);
            vectors[i] = columns[i].vector;
            types[i] = vectors[i].type;
        }
        Batch batch = {.row_count = row_count, .selected_count = count, .selection = rows,
                       .column_count = COLUMNS, .columns = vectors};
        byte_buffer_clear(&bytes);
        batch_encode(&batch, &bytes);
        SharedBatch *shared = decode(types, COLUMNS);
        for (uint32_t i = 0; i < COLUMNS; i++) {
            assert_column(&shared->batch.columns[i], &columns[i], rows, count);
        }
        shared_batch_unpin(shared);
        arena_reset(arena);
    }
}
END_TEST

/* Decodes bytes that may be damaged; whatever decodes must be readable. */
static bool decode_damaged(const uint8_t *data, size_t data_bytes, Type type)
{
    SharedBatch *shared = NULL;
    ByteReader reader;
    byte_reader_init(&reader, data, data_bytes);
    Status status = batch_decode(&reader, &type, 1, memory.budget, &shared);
    if (status != STATUS_OK) {
        ck_assert_int_eq(status_sqlstate(status), SQLSTATE_DATA_CORRUPTED);
        status_free(status);
        return false;
    }
    uint64_t sum = 0;
    for (uint32_t row = 0; row < shared->batch.row_count; row++) {
        Value value = vector_value(&shared->batch.columns[0], row);
        if (!value.is_null && type_is_text(type)) {
            const char *text = text_view_data(&value.text);
            for (uint32_t i = 0; i < value.text.length; i++) {
                sum += (unsigned char)text[i];
            }
        } else if (!value.is_null && type_is_scaled_integer(type)) {
            ck_assert(value.i64 >= type_int64_min(type) && value.i64 <= type_int64_max(type));
        }
    }
    shared_batch_unpin(shared);
    return sum != 1;
}

START_TEST(damage_is_refused_or_harmless)
{
    ColumnCase column;
    uint64_t state = 4;
    for (uint32_t i = 0; i < column_case_count(); i += 3) {
        column_case_make(i, i, arena, &column);
        if (column.row_count > 100) {
            continue;
        }
        Batch batch = {.row_count = column.row_count, .selected_count = column.row_count,
                       .column_count = 1, .columns = &column.vector};
        byte_buffer_clear(&bytes);
        batch_encode(&batch, &bytes);
        uint8_t *copy = arena_memdup(arena, bytes.data, bytes.bytes);
        for (size_t cut = 0; cut < bytes.bytes; cut++) {
            uint8_t *exact = arena_memdup(arena, copy, cut + 1); // the sanitizer sees its end
            if (decode_damaged(exact, cut, column.vector.type)) {
                ck_abort_msg("%s: cut at %zu decodes", column.name, cut);
            }
        }
        for (uint32_t flip = 0; flip < 200; flip++) {
            size_t at = test_random(&state) % bytes.bytes;
            uint8_t before = copy[at];
            copy[at] = flip % 2 == 0 ? (uint8_t)test_random(&state)
                                     : (uint8_t)(before ^ 1u << test_random(&state) % 8);
            decode_damaged(copy, bytes.bytes, column.vector.type);
            copy[at] = before;
        }
        arena_reset(arena);
    }
}
END_TEST

START_TEST(another_shape_than_planned_is_refused)
{
    ColumnCase column;
    column_case_make_rows(2, 10, 1, arena, &column);
    Batch batch = {.row_count = 10, .selected_count = 10, .column_count = 1,
                   .columns = &column.vector};
    batch_encode(&batch, &bytes);
    ck_assert(!decode_damaged(bytes.data, bytes.bytes, type_of(TYPE_BIGINT)));
    SharedBatch *shared;
    ByteReader reader;
    Type types[2] = {column.vector.type, column.vector.type};
    byte_reader_init(&reader, bytes.data, bytes.bytes);
    ck_assert_state(batch_decode(&reader, types, 2, memory.budget, &shared),
                    SQLSTATE_DATA_CORRUPTED);
    bytes.data[0]++; // another version
    ck_assert(!decode_damaged(bytes.data, bytes.bytes, column.vector.type));
}
END_TEST

START_TEST(refused_memory_is_told)
{
    ColumnCase column;
    MemoryBudget *budget = memory_budget_create(memory.pool, memory.budget, "small", 2048);
    for (uint32_t kind = 0; kind < 17; kind++) {
        column_case_make_rows(kind, VECTOR_ROWS, 1, arena, &column);
        Batch batch = {.row_count = VECTOR_ROWS, .selected_count = VECTOR_ROWS, .column_count = 1,
                       .columns = &column.vector};
        byte_buffer_clear(&bytes);
        batch_encode(&batch, &bytes);
        SharedBatch *shared = NULL;
        ByteReader reader;
        byte_reader_init(&reader, bytes.data, bytes.bytes);
        Status status = batch_decode(&reader, &column.vector.type, 1, budget, &shared);
        if (status != STATUS_OK) {
            ck_assert_int_eq(status_sqlstate(status), SQLSTATE_OUT_OF_MEMORY);
        }
        status_free(status);
        shared_batch_unpin(shared);
        ck_assert_uint_eq(memory_budget_used_bytes(budget), 0);
    }
    memory_budget_destroy(budget);
}
END_TEST

/* Two rows and a null of an integer and a text column: version 1 for good. */
START_TEST(version_1_is_frozen)
{
    static const uint8_t golden[] = {
        0x01, 0x03, 0x02,                               // version, rows, columns
        0x03, 0x00, 0x00, 0x00, 0x00, 0x01, 0x05,       // integer, flat, has nulls; rows 0 and 2
        0xe8, 0x03, 0, 0, 0, 0, 0, 0, 0x09,             // base 1000, 9 bits
        0x00, 0x00, 0x00, 0x00, 0x2c, 0x01,             // 1000, (1000), 1300
        0x09, 0x00, 0x00, 0x14, 0x00, 0x00,             // varchar(20), flat
        0x00, 0, 0, 0, 0, 0, 0, 0, 0x04,                // lengths from 0, 4 bits
        0x01, 0x00, 0x0d,                               // 1, 0, 13
        'x', 'n', 'o', 't', ' ', 's', 'o', ' ', 's', 'h', 'o', 'r', 't', '!',
    };
    static const uint64_t present[VALIDITY_WORDS] = {5};
    uint16_t lanes[3 + 32] = {0, 77, 300};
    TextView texts[3 + 4] = {text_view_make("x", 1), text_view_make("", 0),
                             text_view_make("not so short!", 13)};
    Vector columns[2] = {
        {.type = type_of(TYPE_INTEGER), .lane = LANE_U16, .base = 1000, .lo = 0, .hi = 9999,
         .validity = present, .data = lanes},
        {.type = type_varchar(20), .lane = LANE_TEXT, .data = texts},
    };
    Batch batch = {.row_count = 3, .selected_count = 3, .column_count = 2, .columns = columns};
    batch_encode(&batch, &bytes);
    ck_assert_uint_eq(bytes.bytes, sizeof golden);
    ck_assert_mem_eq(bytes.data, golden, sizeof golden);
    Type types[2] = {columns[0].type, columns[1].type};
    SharedBatch *shared = decode(types, 2);
    ck_assert_int_eq(vector_int64(&shared->batch.columns[0], 2), 1300);
    ck_assert(vector_is_null(&shared->batch.columns[0], 1));
    shared_batch_unpin(shared);
}
END_TEST

START_TEST(lanes_below_nothing_but_nulls_may_hold_anything)
{
    static const Lane lanes[] = {LANE_U8, LANE_U16, LANE_U32, LANE_I64};
    static const TypeId types[] = {TYPE_BOOLEAN, TYPE_SMALLINT, TYPE_INTEGER, TYPE_DATE,
                                   TYPE_BIGINT};
    _Alignas(64) uint8_t garbage[VECTOR_ROWS * 8 + 64];
    uint64_t validity[VALIDITY_WORDS] = {0};
    memset(garbage, 0xA5, sizeof(garbage));
    for (uint32_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        for (uint32_t k = 0; k < sizeof(lanes) / sizeof(lanes[0]); k++) {
            Vector vector = {.type = type_of(types[i]), .form = VECTOR_FLAT,
                             .lane = (uint8_t)lanes[k], .validity = validity, .data = garbage};
            Batch batch = {.row_count = 40, .selected_count = 40, .column_count = 1,
                           .columns = &vector};
            byte_buffer_clear(&bytes);
            batch_encode(&batch, &bytes);
            SharedBatch *shared = decode(&vector.type, 1);
            for (uint32_t row = 0; row < 40; row++) {
                ck_assert(vector_is_null(&shared->batch.columns[0], row));
            }
            shared_batch_unpin(shared);
        }
    }
}
END_TEST

START_TEST(strips_hold_any_width_and_count)
{
    uint64_t state = 2;
    for (uint32_t level = 0; kernel_levels_next(&level);) {
        const StripKernels *kernels = KERNELS(strip_kernels);
        for (uint32_t width = 1; width <= 64; width++) {
            for (uint32_t count = 1; count <= VECTOR_ROWS; count += 1 + count / 7) {
                uint64_t wide[VECTOR_ROWS + 16] = {0}, wide_back[VECTOR_ROWS + 16];
                uint32_t narrow[VECTOR_ROWS + 16] = {0}, narrow_back[VECTOR_ROWS + 16];
                for (uint32_t i = 0; i < count; i++) {
                    wide[i] = test_random(&state) >> (64 - width);
                    narrow[i] = (uint32_t)wide[i];
                }
                uint8_t strip[VECTOR_ROWS * 8 + 64];
                size_t strip_size = strip_bytes(count, width);
                memset(strip, 0xEE, sizeof strip);
                if (width <= 32) {
                    kernels->pack32(narrow, count, width, strip);
                    kernels->unpack32(strip, count, width, narrow_back);
                    ck_assert_mem_eq(narrow, narrow_back, count * sizeof(uint32_t));
                } else {
                    kernels->pack64(wide, count, width, strip);
                    kernels->unpack64(strip, count, width, wide_back);
                    ck_assert_mem_eq(wide, wide_back, count * sizeof(uint64_t));
                }
                ck_assert_uint_eq(strip[strip_size], 0xEE);
                // value i stands in lane i mod 16 (8), behind its row's predecessors
                uint32_t lanes = width <= 32 ? 16 : 8, word_bytes = 64 / lanes, i = count - 1;
                uint64_t bit = (uint64_t)(i / lanes) * width, found = 0;
                for (uint32_t b = 0; b < width; b++, bit++) {
                    uint64_t at = bit / (8 * word_bytes) * 64 + i % lanes * word_bytes +
                                  bit / 8 % word_bytes;
                    found |= (uint64_t)(strip[at] >> bit % 8 & 1) << b;
                }
                ck_assert_uint_eq(found, wide[i]);
            }
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("batch_codec");
    TCase *codec = tcase_create("codec");
    tcase_add_checked_fixture(codec, setup, teardown);
    tcase_set_timeout(codec, 120);
    tcase_add_test(codec, every_column_comes_back);
    tcase_add_test(codec, selected_rows_of_several_columns_come_back);
    tcase_add_test(codec, damage_is_refused_or_harmless);
    tcase_add_test(codec, another_shape_than_planned_is_refused);
    tcase_add_test(codec, refused_memory_is_told);
    tcase_add_test(codec, version_1_is_frozen);
    tcase_add_test(codec, lanes_below_nothing_but_nulls_may_hold_anything);
    tcase_add_test(codec, strips_hold_any_width_and_count);
    suite_add_tcase(suite, codec);
    return suite_main(suite);
}
