/* Suite of base/metrics.c. */
#include <string.h>

#include "base/metrics.h"
#include "base/thread.h"
#include "tests/support/check_status.h"

static void count(void *object)
{
    (void)object;
    for (int i = 0; i < 10000; i++) {
        metric_add(METRIC_FILE_READS, 1);
    }
}

START_TEST(counts_over_threads)
{
    Thread threads[4];
    for (size_t i = 0; i < 4; i++) {
        ck_assert_ok(thread_start(&threads[i], "counter", -1, count, NULL));
    }
    for (size_t i = 0; i < 4; i++) {
        thread_join(&threads[i]);
    }
    ck_assert_int_eq(metric_value(METRIC_FILE_READS), 40000);
    metric_set(METRIC_THREADS, 5);
    metric_add(METRIC_THREADS, -2);
    ck_assert_int_eq(metric_value(METRIC_THREADS), 3);
}
END_TEST

START_TEST(prints_for_prometheus)
{
    ByteBuffer buffer;
    byte_buffer_init(&buffer, 0);
    metric_add(METRIC_FILE_READ_BYTES, 77);
    metrics_print(&buffer);
    byte_buffer_add_u8(&buffer, 0);
    ck_assert_ok(byte_buffer_status(&buffer));
    ck_assert_ptr_nonnull(strstr(
        (char *)buffer.data, "# HELP basalt_file_read_bytes_total bytes read from files of ours\n"
                             "# TYPE basalt_file_read_bytes_total counter\n"
                             "basalt_file_read_bytes_total 77\n"));
    ck_assert_ptr_nonnull(strstr((char *)buffer.data, "# TYPE basalt_threads gauge\n"));
    byte_buffer_deinit(&buffer);
}
END_TEST

START_TEST(names_keep_their_form)
{
    for (int i = 0; i < METRIC_COUNT; i++) {
        const MetricInfo *info = metric_info((MetricId)i);
        ck_assert_int_eq(strncmp(info->name, "basalt_", 7), 0);
        bool is_total =
            strlen(info->name) > 6 && strcmp(info->name + strlen(info->name) - 6, "_total") == 0;
        ck_assert_int_eq(is_total, info->kind == METRIC_KIND_COUNTER);
        ck_assert_ptr_nonnull(strstr(info->name, info->unit));
        ck_assert_str_ne(info->help, "");
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base.metrics");
    suite_add_case(suite, "count", counts_over_threads);
    suite_add_case(suite, "print", prints_for_prometheus);
    suite_add_case(suite, "names", names_keep_their_form);
    return suite_main(suite);
}
