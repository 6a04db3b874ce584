/* Suite of base/hash.c. */
#include <string.h>

#include "base/hash.h"
#include "tests/support/check_status.h"
#include "tests/support/failing_heap.h"

// Frozen: blocks on disk and the placement of rows depend on these values (XXH3-64, xxHash 0.8).
START_TEST(values_are_frozen)
{
    ck_assert_uint_eq(hash_bytes("", 0, 0), 0x2D06800538D394C2u);
    ck_assert_uint_eq(hash_bytes(NULL, 0, 0), 0x2D06800538D394C2u);
    ck_assert_uint_eq(hash_bytes("a", 1, 0), 0xE6C632B61E964E1Fu);
    ck_assert_uint_eq(hash_bytes("abc", 3, 0), 0x78AF5F94892F3950u);
    ck_assert_uint_ne(hash_bytes("abc", 3, 1), hash_bytes("abc", 3, 0));
    ck_assert_uint_eq(hash_mix(0), hash_mix(0));
    ck_assert_uint_ne(hash_mix(1), hash_mix(2));
    ck_assert_uint_ne(hash_combine(1, 2), hash_combine(2, 1));
}
END_TEST

START_TEST(pieces_hash_like_the_whole)
{
    static uint8_t data[5000];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 31);
    }
    static const size_t steps[] = {1, 7, 64, 255, 1024, 4999};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        HashStream *stream = hash_stream_create(9);
        for (size_t done = 0; done < sizeof data; done += steps[i]) {
            size_t left = sizeof data - done;
            hash_stream_add(stream, data + done, left < steps[i] ? left : steps[i]);
            hash_stream_add(stream, NULL, 0);
        }
        ck_assert_uint_eq(hash_stream_digest(stream), hash_bytes(data, sizeof data, 9));
        hash_stream_destroy(stream);
    }
}
END_TEST

START_TEST(a_refused_heap_is_a_null)
{
    failing_heap_start(1, false);
    ck_assert_ptr_null(hash_stream_create(0));
    failing_heap_stop();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base.hash");
    suite_add_case(suite, "values", values_are_frozen);
    suite_add_case(suite, "stream", pieces_hash_like_the_whole);
    suite_add_case(suite, "heap", a_refused_heap_is_a_null);
    return suite_main(suite);
}
