/* Suite of base/compress.c. */
#include <stdlib.h>
#include <string.h>

#include "base/byte_buffer.h"
#include "base/clock.h"
#include "base/compress.h"
#include "base/thread.h"
#include "tests/support/check_status.h"
#include "tests/support/failing_heap.h"

typedef size_t (*Bound)(size_t bytes);
typedef Status (*Decompress)(void *target, size_t target_bytes, const void *source,
                             size_t source_bytes);

static size_t zstd_level_3(void *target, size_t target_bytes, const void *source,
                           size_t source_bytes)
{
    return compress_zstd(target, target_bytes, source, source_bytes, 3);
}

static const struct {
    Bound bound;
    size_t (*compress)(void *target, size_t target_bytes, const void *source, size_t source_bytes);
    Decompress decompress;
} codecs[] = {
    {compress_lz4_bound, compress_lz4, decompress_lz4},
    {compress_zstd_bound, zstd_level_3, decompress_zstd},
};

static void fill(uint8_t *data, size_t bytes, uint64_t seed)
{
    Random random;
    random_seed(&random, seed);
    for (size_t i = 0; i < bytes; i++) {
        data[i] = (uint8_t)(random_below(&random, 100) < 70 ? 'a' + i % 5 : random_next(&random));
    }
}

START_TEST(round_trips)
{
    static const size_t sizes[] = {0, 1, 13, 1000, 65536, 300000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *data = malloc(sizes[i] + 1), *back = malloc(sizes[i] + 1);
        fill(data, sizes[i], i);
        size_t bound = codecs[_i].bound(sizes[i]);
        uint8_t *packed = malloc(bound);
        size_t bytes = codecs[_i].compress(packed, bound, data, sizes[i]);
        ck_assert_uint_gt(bytes, 0);
        ck_assert_ok(codecs[_i].decompress(back, sizes[i], packed, bytes));
        ck_assert_mem_eq(back, data, sizes[i]);
        // Not exactly what was asked for: damage.
        ck_assert_state(codecs[_i].decompress(back, sizes[i] + 1, packed, bytes),
                        SQLSTATE_DATA_CORRUPTED);
        if (sizes[i] > 0) {
            ck_assert_state(codecs[_i].decompress(back, sizes[i] - 1, packed, bytes),
                            SQLSTATE_DATA_CORRUPTED);
            ck_assert_state(codecs[_i].decompress(back, sizes[i], packed, bytes - 1),
                            SQLSTATE_DATA_CORRUPTED);
        }
        if (sizes[i] > 13) {
            ck_assert_uint_eq(codecs[_i].compress(packed, bytes / 2, data, sizes[i]), 0);
        }
        free(data);
        free(back);
        free(packed);
    }
}
END_TEST

// Damaged input gives an error or other bytes, never an overrun (the sanitizers watch).
START_TEST(survives_damage)
{
    enum { BYTES = 3000 };
    uint8_t data[BYTES], packed[2 * BYTES];
    fill(data, BYTES, 5);
    size_t bytes = codecs[_i].compress(packed, sizeof packed, data, BYTES);
    Random random;
    random_seed(&random, 9);
    for (int round = 0; round < 3000; round++) {
        uint8_t *damaged = malloc(bytes), *back = malloc(BYTES);
        memcpy(damaged, packed, bytes);
        for (uint64_t flips = random_below(&random, 4) + 1; flips > 0; flips--) {
            damaged[random_below(&random, bytes)] ^= (uint8_t)(1u << random_below(&random, 8));
        }
        status_free(codecs[_i].decompress(back, BYTES, damaged, bytes));
        free(damaged);
        free(back);
    }
}
END_TEST

static void round_trip_zstd(void *object)
{
    (void)object;
    uint8_t data[1000] = {0}, packed[2000], back[1000];
    for (int i = 0; i < 50; i++) {
        size_t bytes = compress_zstd(packed, sizeof packed, data, sizeof data, 1);
        ASSERT(bytes > 0);
        Status status = decompress_zstd(back, sizeof back, packed, bytes);
        ASSERT(status == STATUS_OK);
    }
}

START_TEST(each_thread_has_its_contexts)
{
    Thread threads[4];
    for (size_t i = 0; i < 4; i++) {
        ck_assert_ok(thread_start(&threads[i], "zstd", -1, round_trip_zstd, NULL));
    }
    for (size_t i = 0; i < 4; i++) {
        thread_join(&threads[i]);
    }
}
END_TEST

START_TEST(refused_memory_is_no_damage)
{
    uint8_t data[1000] = {0}, packed[2000], back[1000];
    bool was_reached = true;
    for (uint64_t n = 1; was_reached; n++) {
        failing_heap_start(n, true);
        size_t bytes = compress_zstd(packed, sizeof packed, data, sizeof data, 1);
        was_reached = failing_heap_stop();
        ck_assert(bytes > 0 || was_reached);
    }
    size_t bytes = compress_zstd(packed, sizeof packed, data, sizeof data, 1);
    failing_heap_start(1, true);
    Status status = decompress_zstd(back, sizeof back, packed, bytes);
    failing_heap_stop();
    ck_assert(status == STATUS_OK || status_sqlstate(status) == SQLSTATE_OUT_OF_MEMORY);
    status_free(status);
}
END_TEST

/* gzip -n of "hello, world\n". */
static const uint8_t hello_gz[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                   0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xd7, 0x51, 0x28,
                                   0xcf, 0x2f, 0xca, 0x49, 0xe1, 0x02, 0x00, 0x53, 0x74,
                                   0x24, 0xf4, 0x0d, 0x00, 0x00, 0x00};

static Status gunzip(const uint8_t *input, size_t bytes, size_t in_step, size_t out_step,
                     ByteBuffer *output, bool *is_end)
{
    GunzipStream *stream = NULL;
    *is_end = false;
    TRY(gunzip_stream_create(&stream));
    Status status = STATUS_OK;
    size_t given = 0;
    const uint8_t *source = input;
    size_t source_bytes = 0;
    for (;;) {
        if (source_bytes == 0) {
            source_bytes = bytes - given < in_step ? bytes - given : in_step;
            given += source_bytes;
        }
        uint8_t *start = byte_buffer_reserve(output, out_step), *target = start;
        size_t target_bytes = out_step, before = source_bytes;
        status = gunzip_stream_run(stream, &source, &source_bytes, &target, &target_bytes, is_end);
        if (status != STATUS_OK) {
            break;
        }
        byte_buffer_commit(output, (size_t)(target - start));
        if (given == bytes && before == source_bytes && target == start) {
            break;
        }
    }
    gunzip_stream_destroy(stream);
    return status;
}

START_TEST(gunzips_in_any_steps_over_members)
{
    static const size_t steps[] = {1, 2, 3, 10, 1000};
    uint8_t input[3 * sizeof hello_gz];
    for (size_t i = 0; i < 3; i++) {
        memcpy(input + i * sizeof hello_gz, hello_gz, sizeof hello_gz);
    }
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < 5; j++) {
            ByteBuffer output;
            bool is_end;
            byte_buffer_init(&output, 0);
            ck_assert_ok(gunzip(input, sizeof input, steps[i], steps[j], &output, &is_end));
            ck_assert(is_end);
            ck_assert_uint_eq(output.bytes, 39);
            ck_assert_mem_eq(output.data, "hello, world\nhello, world\nhello, world\n", 39);
            byte_buffer_deinit(&output);
        }
    }
}
END_TEST

START_TEST(a_cut_gzip_has_no_end)
{
    for (size_t bytes = 0; bytes < sizeof hello_gz; bytes++) {
        ByteBuffer output;
        bool is_end;
        byte_buffer_init(&output, 0);
        ck_assert_ok(gunzip(hello_gz, bytes, 1000, 1000, &output, &is_end));
        ck_assert(!is_end);
        byte_buffer_deinit(&output);
    }
}
END_TEST

// Each bit: found, unless it is one of the header's that mean nothing (time, flags of the maker).
START_TEST(finds_damaged_gzip)
{
    for (size_t bit = 0; bit < sizeof hello_gz * 8; bit++) {
        uint8_t input[sizeof hello_gz];
        ByteBuffer output;
        bool is_end;
        memcpy(input, hello_gz, sizeof input);
        input[bit / 8] ^= (uint8_t)(1u << bit % 8);
        byte_buffer_init(&output, 0);
        Status status = gunzip(input, sizeof input, 1000, 1000, &output, &is_end);
        if (status == STATUS_OK && is_end) {
            ck_assert_msg(output.bytes == 13 && memcmp(output.data, "hello, world\n", 13) == 0,
                          "bit %zu changed the text", bit);
        } else if (status != STATUS_OK) {
            ck_assert_int_eq(status_sqlstate(status), SQLSTATE_BAD_COPY_FILE_FORMAT);
        }
        status_free(status);
        byte_buffer_deinit(&output);
    }
    uint8_t garbage[sizeof hello_gz + 10];
    memcpy(garbage, hello_gz, sizeof hello_gz);
    memcpy(garbage + sizeof hello_gz, "junkbehind", 10);
    ByteBuffer output;
    bool is_end;
    byte_buffer_init(&output, 0);
    ck_assert_state(gunzip(garbage, sizeof garbage, 1000, 1000, &output, &is_end),
                    SQLSTATE_BAD_COPY_FILE_FORMAT);
    byte_buffer_deinit(&output);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base.compress");
    TCase *blocks = tcase_create("blocks");
    tcase_add_loop_test(blocks, round_trips, 0, 2);
    tcase_add_loop_test(blocks, survives_damage, 0, 2);
    suite_add_tcase(suite, blocks);
    suite_add_case(suite, "threads", each_thread_has_its_contexts);
    suite_add_case(suite, "memory", refused_memory_is_no_damage);
    TCase *gzip = tcase_create("gzip");
    tcase_add_test(gzip, gunzips_in_any_steps_over_members);
    tcase_add_test(gzip, a_cut_gzip_has_no_end);
    tcase_add_test(gzip, finds_damaged_gzip);
    suite_add_tcase(suite, gzip);
    return suite_main(suite);
}
