/* Suite of base/vector/row_sample.c: what an encoded sample of long rows keeps. */
#include <string.h>

#include "base/vector/column_sketch.h"
#include "base/vector/value_batch.h"
#include "tests/support/check_status.h"

enum { ROWS = 4000, TEXT_BYTES = 6000, ENCODED_BYTES_MAX = 4 << 20 };

static Arena *arena;

static void setup(void)
{
    arena = arena_create(NULL, "test");
}

static void teardown(void)
{
    arena_destroy(arena);
}

/* The decoded copy of an encoded sample of ROWS rows with texts of so many bytes. */
static RowSample *round_trip(size_t text_bytes)
{
    const Type types[] = {type_varchar(TEXT_BYTES)};
    char *text = arena_alloc(arena, text_bytes + 1);
    Value *cells = ARENA_ARRAY(arena, Value, ROWS);
    Batch *batches = NULL;
    uint32_t batch_count = 0;
    memset(text, 'x', text_bytes + 1);
    for (uint32_t i = 0; i < ROWS; i++) {
        cells[i] = (Value){.type = types[0], .text = text_view_make(text, text_bytes)};
    }
    value_batches(arena, types, 1, cells, ROWS, &batches, &batch_count);
    RowSample *sample = row_sample_create(types, 1, ROWS, 1), *copy = NULL;
    for (uint32_t i = 0; i < batch_count; i++) {
        ck_assert_ok(row_sample_add(sample, &batches[i]));
    }
    ByteBuffer bytes;
    ByteReader reader;
    byte_buffer_init(&bytes, ENCODED_BYTES_MAX);
    row_sample_encode(sample, &bytes);
    ck_assert_ok(byte_buffer_status(&bytes));
    byte_reader_init(&reader, bytes.data, bytes.bytes);
    ck_assert_ok(row_sample_decode(&reader, types, 1, &copy));
    ck_assert_uint_eq(row_sample_seen(copy), ROWS);
    byte_buffer_deinit(&bytes);
    row_sample_destroy(sample);
    return copy;
}

START_TEST(short_rows_are_all_kept)
{
    RowSample *sample = round_trip(20);
    ck_assert_uint_eq(row_sample_count(sample), ROWS);
    row_sample_destroy(sample);
}
END_TEST

START_TEST(long_rows_make_a_smaller_sample)
{
    RowSample *sample = round_trip(TEXT_BYTES), *other = round_trip(TEXT_BYTES);
    ck_assert_uint_gt(row_sample_count(sample), 100);
    ck_assert_uint_lt(row_sample_count(sample), ROWS / 4);
    ck_assert_ok(row_sample_merge(sample, other));
    ck_assert_uint_eq(row_sample_seen(sample), 2 * ROWS);
    row_sample_destroy(sample);
    row_sample_destroy(other);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("row_sample");
    TCase *tests = tcase_create("encoded");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, short_rows_are_all_kept);
    tcase_add_test(tests, long_rows_make_a_smaller_sample);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
