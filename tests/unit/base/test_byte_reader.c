/* Suite of base/byte_reader.c. */
#include <stdlib.h>
#include <string.h>

#include "base/byte_buffer.h"
#include "base/byte_reader.h"
#include "base/clock.h"
#include "tests/support/check_status.h"

START_TEST(reads_back_what_was_written)
{
    ByteBuffer buffer;
    Arena *arena = arena_create(NULL, "test");
    byte_buffer_init(&buffer, 0);
    byte_buffer_add_u8(&buffer, 1);
    byte_buffer_add_u16(&buffer, 2);
    byte_buffer_add_u32(&buffer, 3);
    byte_buffer_add_u64(&buffer, UINT64_MAX);
    byte_buffer_add_be16(&buffer, 5);
    byte_buffer_add_be32(&buffer, 6);
    byte_buffer_add_be64(&buffer, 7);
    byte_buffer_add_string(&buffer, "text");
    byte_buffer_add(&buffer, "cstring", 8);
    byte_buffer_add_blob(&buffer, "a\0b", 3);
    byte_buffer_add_varint(&buffer, 2);
    byte_buffer_add(&buffer, "12345678", 8);
    ByteReader reader;
    byte_reader_init(&reader, buffer.data, buffer.bytes);
    ck_assert_uint_eq(byte_reader_u8(&reader), 1);
    ck_assert_uint_eq(byte_reader_u16(&reader), 2);
    ck_assert_uint_eq(byte_reader_u32(&reader), 3);
    ck_assert_uint_eq(byte_reader_u64(&reader), UINT64_MAX);
    ck_assert_uint_eq(byte_reader_be16(&reader), 5);
    ck_assert_uint_eq(byte_reader_be32(&reader), 6);
    ck_assert_uint_eq(byte_reader_be64(&reader), 7);
    ck_assert_str_eq(byte_reader_string(&reader, arena), "text");
    ck_assert_str_eq(byte_reader_cstring(&reader), "cstring");
    size_t bytes = 0;
    ck_assert_mem_eq(byte_reader_blob(&reader, &bytes), "a\0b", 3);
    ck_assert_uint_eq(bytes, 3);
    ck_assert_uint_eq(byte_reader_count(&reader, 4), 2);
    ck_assert_uint_eq(byte_reader_remaining(&reader), 8);
    byte_reader_skip(&reader, 8);
    ck_assert(byte_reader_is_ok(&reader));
    ck_assert_uint_eq(byte_reader_remaining(&reader), 0);
    byte_buffer_deinit(&buffer);
    arena_destroy(arena);
}
END_TEST

START_TEST(varints_of_every_length)
{
    ByteBuffer buffer;
    byte_buffer_init(&buffer, 0);
    for (unsigned shift = 0; shift < 64; shift++) {
        byte_buffer_clear(&buffer);
        byte_buffer_add_varint(&buffer, (UINT64_C(1) << shift) - 1);
        byte_buffer_add_varint(&buffer, UINT64_MAX >> shift);
        ByteReader reader;
        byte_reader_init(&reader, buffer.data, buffer.bytes);
        ck_assert_uint_eq(byte_reader_varint(&reader), (UINT64_C(1) << shift) - 1);
        ck_assert_uint_eq(byte_reader_varint(&reader), UINT64_MAX >> shift);
        ck_assert(byte_reader_is_ok(&reader) && byte_reader_remaining(&reader) == 0);
    }
    byte_buffer_deinit(&buffer);
}
END_TEST

START_TEST(refuses_varints_beyond_64_bits)
{
    static const uint8_t too_large[] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 2};
    static const uint8_t too_long[] = {128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 0};
    ByteReader reader;
    byte_reader_init(&reader, too_large, sizeof too_large);
    ck_assert_uint_eq(byte_reader_varint(&reader), 0);
    ck_assert(!byte_reader_is_ok(&reader));
    byte_reader_init(&reader, too_long, sizeof too_long);
    ck_assert_uint_eq(byte_reader_varint(&reader), 0);
    ck_assert(!byte_reader_is_ok(&reader));
}
END_TEST

START_TEST(gives_zeroes_once_failed)
{
    static const uint8_t input[] = {1, 2, 3};
    Arena *arena = arena_create(NULL, "test");
    ByteReader reader;
    size_t bytes = 9;
    byte_reader_init(&reader, input, sizeof input);
    ck_assert_uint_eq(byte_reader_u32(&reader), 0);
    ck_assert(!byte_reader_is_ok(&reader));
    ck_assert_uint_eq(byte_reader_u8(&reader), 0);
    ck_assert_uint_eq(byte_reader_remaining(&reader), 0);
    ck_assert_str_eq(byte_reader_string(&reader, arena), "");
    ck_assert_str_eq(byte_reader_cstring(&reader), "");
    ck_assert_ptr_null(byte_reader_blob(&reader, &bytes));
    ck_assert_uint_eq(bytes, 0);
    ck_assert_ptr_null(byte_reader_view(&reader, 0));
    byte_reader_init(&reader, NULL, 0);
    ck_assert_ptr_nonnull(byte_reader_view(&reader, 0));
    ck_assert(byte_reader_is_ok(&reader));
    arena_destroy(arena);
}
END_TEST

START_TEST(distrusts_counts_and_strings)
{
    Arena *arena = arena_create(NULL, "test");
    ByteReader reader;
    byte_reader_init(&reader, "\x05zzzz", 5);
    ck_assert_uint_eq(byte_reader_count(&reader, 1), 0); // five items, four bytes
    ck_assert(!byte_reader_is_ok(&reader));
    byte_reader_init(&reader, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 10);
    ck_assert_uint_eq(byte_reader_count(&reader, 1), 0);
    ck_assert(!byte_reader_is_ok(&reader));
    byte_reader_init(&reader,
                     "\x03"
                     "a\0b",
                     4);
    ck_assert_str_eq(byte_reader_string(&reader, arena), "");
    ck_assert(!byte_reader_is_ok(&reader));
    byte_reader_init(&reader, "abc", 3);
    ck_assert_str_eq(byte_reader_cstring(&reader), ""); // never ends
    ck_assert(!byte_reader_is_ok(&reader));
    arena_destroy(arena);
}
END_TEST

// Random bytes through random calls: nothing is read beyond the end (the sanitizers watch).
START_TEST(survives_noise)
{
    Random random;
    random_seed(&random, 42);
    Arena *arena = arena_create(NULL, "test");
    for (int round = 0; round < 3000; round++) {
        size_t bytes = random_below(&random, 40);
        uint8_t *input = malloc(bytes + 1); // its own, so that the end is watched
        for (size_t i = 0; i < bytes; i++) {
            input[i] = (uint8_t)random_next(&random);
        }
        ByteReader reader;
        byte_reader_init(&reader, input, bytes);
        for (int call = 0; call < 20; call++) {
            size_t got;
            switch (random_below(&random, 8)) {
            case 0:
                byte_reader_u8(&reader);
                break;
            case 1:
                byte_reader_u64(&reader);
                break;
            case 2:
                byte_reader_be32(&reader);
                break;
            case 3:
                byte_reader_varint(&reader);
                break;
            case 4:
                byte_reader_blob(&reader, &got);
                break;
            case 5:
                byte_reader_string(&reader, arena);
                break;
            case 6:
                byte_reader_cstring(&reader);
                break;
            default:
                byte_reader_count(&reader, 3);
                break;
            }
        }
        free(input);
    }
    arena_destroy(arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base.byte_reader");
    suite_add_case(suite, "round_trip", reads_back_what_was_written);
    suite_add_case(suite, "varint", varints_of_every_length);
    suite_add_case(suite, "varint_bounds", refuses_varints_beyond_64_bits);
    suite_add_case(suite, "failed", gives_zeroes_once_failed);
    suite_add_case(suite, "distrust", distrusts_counts_and_strings);
    suite_add_case(suite, "noise", survives_noise);
    return suite_main(suite);
}
