/* test_block_cache.c — a cache smaller than the table: what is pinned stays, what is warm outlives
 * a scan, threads share reads, and rows stay right. */
#include <pthread.h>
#include "storage/store_internal.h"
#include "store_fixture.h"

static StoreFixture fixture;
static TestTable table;
static VisibleRows *rows;
static uint32_t row_count;
#define ROWS 300000

static void setup(void)
{
    fixture_open(&fixture);
    test_table_init(&table, 10, DISTRIBUTION_STYLE_ALL);
    commit_rows(&fixture, &table, 1, 1, 0, ROWS);
    const Snapshot snapshot = {.position = 1};
    must(
        manifest_visible(fixture.store->manifest, 10, &snapshot, fixture.arena, &rows, &row_count));
    ck_assert_uint_eq(row_count, 1);
}

static void teardown(void)
{
    manifest_unpin_visible(rows, row_count);
    fixture_close(&fixture);
}

static BlockCache *make_cache(size_t bytes)
{
    BlockCache *cache;
    must(block_cache_create(fixture.budget, bytes, &cache));
    return cache;
}

START_TEST(hits_do_not_read)
{
    BlockCache *cache = make_cache((size_t)64 << 20);
    CacheEntry *first, *second;
    uint64_t bytes = 0;
    must(block_cache_pin(cache, rows[0].rows->rowset, 0, 0, &bytes, &first));
    ck_assert_uint_gt(bytes, 0);
    bytes = 0;
    must(block_cache_pin(cache, rows[0].rows->rowset, 0, 0, &bytes, &second));
    ck_assert_uint_eq(bytes, 0);
    ck_assert_ptr_eq(first, second);
    must(block_cache_pin(cache, rows[0].rows->rowset, 0, 1, &bytes, &second)); // read ahead
    ck_assert_uint_eq(bytes, 0);
    block_cache_unpin(first);
    block_cache_unpin(first);
    block_cache_unpin(second);
    block_cache_forget(cache, rows[0].rows->rowset);
    ck_assert_uint_eq(block_cache_bytes(cache), 0);
    block_cache_destroy(cache);
}
END_TEST

START_TEST(pinned_blocks_stay_and_others_go)
{
    BlockCache *cache = make_cache(600000);
    const uint32_t groups = (ROWS + 65535) / 65536;
    CacheEntry *pinned, *entry;
    uint64_t bytes = 0;
    must(block_cache_pin(cache, rows[0].rows->rowset, COLUMN_NOTE, 0, &bytes, &pinned));
    for (int round = 0; round < 3; round++) {
        for (uint32_t column = 0; column < COLUMN_COUNT; column++) {
            for (uint32_t group = 0; group < groups; group++) {
                must(block_cache_pin(cache, rows[0].rows->rowset, column, group, &bytes, &entry));
                ck_assert_uint_eq(entry->block.header->column_id, column + 1);
                ck_assert_uint_eq(entry->block.header->row_group, group);
                block_cache_unpin(entry);
            }
        }
    }
    bytes = 0;
    must(block_cache_pin(cache, rows[0].rows->rowset, COLUMN_NOTE, 0, &bytes, &entry));
    ck_assert_ptr_eq(entry, pinned);
    ck_assert_uint_eq(bytes, 0);
    block_cache_unpin(entry);
    block_cache_unpin(pinned);
    // One more miss lets the cache shrink to about its limit.
    must(block_cache_pin(cache, rows[0].rows->rowset, COLUMN_ID, 0, &bytes, &entry));
    block_cache_unpin(entry);
    ck_assert_uint_lt(block_cache_bytes(cache), 600000 + ((size_t)2 << 20));
    block_cache_destroy(cache);
}
END_TEST

START_TEST(warm_blocks_outlive_a_scan)
{
    BlockCache *cache = make_cache((size_t)3 << 20);
    const uint32_t groups = (ROWS + 65535) / 65536;
    CacheEntry *entry;
    uint64_t bytes = 0;
    for (int use = 0; use < 4; use++) {
        must(block_cache_pin(cache, rows[0].rows->rowset, COLUMN_DAY, 0, &bytes, &entry));
        block_cache_unpin(entry);
    }
    for (uint32_t group = 0; group < groups; group++) { // a scan of large blocks
        must(block_cache_pin(cache, rows[0].rows->rowset, COLUMN_RATIO, group, &bytes, &entry));
        block_cache_unpin(entry);
    }
    bytes = 0;
    must(block_cache_pin(cache, rows[0].rows->rowset, COLUMN_DAY, 0, &bytes, &entry));
    ck_assert_uint_eq(bytes, 0);
    block_cache_unpin(entry);
    block_cache_destroy(cache);
}
END_TEST

typedef struct Reader {
    pthread_t thread;
    BlockCache *cache;
    uint64_t seed;
} Reader;

static void *run_reader(void *object)
{
    Reader *reader = object;
    const uint32_t groups = (ROWS + 65535) / 65536;
    Random random;
    random_seed(&random, reader->seed);
    for (int i = 0; i < 2000; i++) {
        CacheEntry *entry;
        uint64_t bytes = 0;
        const uint32_t column = (uint32_t)random_below(&random, COLUMN_COUNT);
        const uint32_t group = (uint32_t)random_below(&random, groups);
        must(block_cache_pin(reader->cache, rows[0].rows->rowset, column, group, &bytes, &entry));
        EXPECT(entry->block.header->column_id == column + 1, "column");
        EXPECT(entry->block.header->row_group == group, "row group");
        block_cache_unpin(entry);
    }
    return NULL;
}

START_TEST(threads_share_it)
{
    Reader readers[4];
    BlockCache *cache = make_cache((size_t)1 << 20);
    for (uint64_t i = 0; i < 4; i++) {
        readers[i] = (Reader){.cache = cache, .seed = i};
        pthread_create(&readers[i].thread, NULL, run_reader, &readers[i]);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(readers[i].thread, NULL);
    }
    block_cache_destroy(cache);
}
END_TEST

START_TEST(failed_reads_are_told_and_forgotten)
{
    BlockCache *cache = make_cache((size_t)64 << 20);
    CacheEntry *entry;
    uint64_t bytes = 0;
    char good[600], bad[610];
    snprintf(good, sizeof good, "%s", rows[0].rows->rowset->path);
    snprintf(bad, sizeof bad, "%s.away", good);
    ck_assert_int_eq(rename(good, bad), 0);
    Status status = block_cache_pin(cache, rows[0].rows->rowset, 0, 0, &bytes, &entry);
    ck_assert(status != STATUS_OK);
    ck_assert_ptr_nonnull(strstr(status_message(status), ".rows"));
    status_free(status);
    ck_assert_uint_eq(block_cache_bytes(cache), 0);
    ck_assert_int_eq(rename(bad, good), 0);
    must(block_cache_pin(cache, rows[0].rows->rowset, 0, 0, &bytes, &entry));
    block_cache_unpin(entry);
    block_cache_destroy(cache);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("block_cache");
    TCase *tests = tcase_create("cache");
    tcase_set_timeout(tests, 120);
    tcase_set_tags(tests, "one_thread"); // a race detector has nothing to see in these
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, hits_do_not_read);
    tcase_add_test(tests, pinned_blocks_stay_and_others_go);
    tcase_add_test(tests, warm_blocks_outlive_a_scan);
    tcase_add_test(tests, failed_reads_are_told_and_forgotten);
    suite_add_tcase(suite, tests);
    TCase *threads = tcase_create("threads");
    tcase_set_timeout(threads, 120);
    tcase_add_checked_fixture(threads, setup, teardown);
    tcase_add_test(threads, threads_share_it);
    suite_add_tcase(suite, threads);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
