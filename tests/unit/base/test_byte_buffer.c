/* Suite of base/byte_buffer.c. */
#include <stdio.h>
#include <string.h>

#include "base/byte_buffer.h"
#include "tests/support/check_status.h"
#include "tests/support/failing_heap.h"

START_TEST(writes_each_shape)
{
    ByteBuffer buffer;
    byte_buffer_init(&buffer, 0);
    byte_buffer_add_u8(&buffer, 0x01);
    byte_buffer_add_u16(&buffer, 0x0203);
    byte_buffer_add_u32(&buffer, 0x04050607);
    byte_buffer_add_u64(&buffer, 0x08090A0B0C0D0E0Fu);
    byte_buffer_add_be16(&buffer, 0x0203);
    byte_buffer_add_be32(&buffer, 0x04050607);
    byte_buffer_add_be64(&buffer, 0x08090A0B0C0D0E0Fu);
    byte_buffer_add_varint(&buffer, 300);
    byte_buffer_add_string(&buffer, "ab");
    byte_buffer_add_blob(&buffer, NULL, 0);
    byte_buffer_align(&buffer, 8);
    static const uint8_t expected[] = {0x01, 0x03, 0x02, 0x07, 0x06, 0x05, 0x04, 0x0F, 0x0E, 0x0D,
                                       0x0C, 0x0B, 0x0A, 0x09, 0x08, 0x02, 0x03, 0x04, 0x05, 0x06,
                                       0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0xAC,
                                       0x02, 0x02, 'a',  'b',  0x00, 0,    0,    0,    0,    0};
    ck_assert_uint_eq(buffer.bytes, sizeof expected);
    ck_assert_mem_eq(buffer.data, expected, sizeof expected);
    ck_assert_ok(byte_buffer_status(&buffer));
    byte_buffer_align(&buffer, 8); // aligned already
    ck_assert_uint_eq(buffer.bytes, sizeof expected);
    byte_buffer_deinit(&buffer);
}
END_TEST

START_TEST(formats_texts_of_any_length)
{
    ByteBuffer buffer;
    byte_buffer_init(&buffer, 0);
    byte_buffer_printf(&buffer, "%s", "");
    for (int i = 0; i < 300; i++) {
        byte_buffer_printf(&buffer, "%d;%*s;", i, i * 7, "x");
    }
    size_t offset = 0;
    for (int i = 0; i < 300; i++) {
        char expected[4096];
        int length = snprintf(expected, sizeof expected, "%d;%*s;", i, i * 7, "x");
        ck_assert_mem_eq(buffer.data + offset, expected, (size_t)length);
        offset += (size_t)length;
    }
    ck_assert_uint_eq(buffer.bytes, offset);
    byte_buffer_deinit(&buffer);
}
END_TEST

START_TEST(stops_at_its_limit)
{
    ByteBuffer buffer;
    byte_buffer_init(&buffer, 1000);
    for (int i = 0; i < 1000; i++) {
        byte_buffer_add_u8(&buffer, (uint8_t)i);
    }
    ck_assert_ok(byte_buffer_status(&buffer));
    byte_buffer_add_u8(&buffer, 1);
    ck_assert(buffer.is_failed);
    ck_assert_uint_eq(buffer.bytes, 1000);
    ck_assert_ptr_null(byte_buffer_reserve(&buffer, 0));
    byte_buffer_printf(&buffer, "dropped");
    ck_assert_state(byte_buffer_status(&buffer), SQLSTATE_PROGRAM_LIMIT_EXCEEDED);
    byte_buffer_clear(&buffer);
    byte_buffer_add(&buffer, "abc", 3);
    ck_assert_ok(byte_buffer_status(&buffer));
    ck_assert_ptr_null(byte_buffer_reserve(&buffer, SIZE_MAX)); // no overflow of the sum
    byte_buffer_deinit(&buffer);
}
END_TEST

START_TEST(reserves_and_commits)
{
    ByteBuffer buffer;
    byte_buffer_init(&buffer, 0);
    uint8_t *target = byte_buffer_reserve(&buffer, 5000);
    memset(target, 7, 5000);
    byte_buffer_commit(&buffer, 4000);
    ck_assert_uint_eq(buffer.bytes, 4000);
    ck_assert_uint_eq(buffer.data[3999], 7);
    byte_buffer_deinit(&buffer);
}
END_TEST

START_TEST(tells_refused_memory_once)
{
    ByteBuffer buffer;
    byte_buffer_init(&buffer, 0);
    failing_heap_start(2, false);
    for (int i = 0; i < 1000; i++) {
        byte_buffer_add_u64(&buffer, 1);
    }
    ck_assert(failing_heap_stop());
    ck_assert_state(byte_buffer_status(&buffer), SQLSTATE_OUT_OF_MEMORY);
    ck_assert_uint_eq(buffer.bytes, 256);
    byte_buffer_deinit(&buffer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base.byte_buffer");
    suite_add_case(suite, "shapes", writes_each_shape);
    suite_add_case(suite, "printf", formats_texts_of_any_length);
    suite_add_case(suite, "limit", stops_at_its_limit);
    suite_add_case(suite, "reserve", reserves_and_commits);
    suite_add_case(suite, "memory", tells_refused_memory_once);
    return suite_main(suite);
}
