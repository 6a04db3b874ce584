/* test_inspect.c — a healthy directory has no faults; every flipped bit of a rowset file is one,
 * and is reported with table, column and row group. */
#include "storage/inspect.h"
#include "store_fixture.h"

static StoreFixture fixture;
static TestTable table;

static void setup(void)
{
    fixture_open(&fixture);
    test_table_init(&table, 10, DISTRIBUTION_STYLE_ALL);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

static void inspect(const char *path, InspectReport *report, ByteBuffer *text)
{
    byte_buffer_init(text, (size_t)16 << 20);
    must(inspect_path(file_system_os(), path, false, text, report));
    byte_buffer_add_u8(text, 0);
}

START_TEST(healthy_directories_have_no_faults)
{
    InspectReport report;
    ByteBuffer text;
    commit_rows(&fixture, &table, 1, 1, 0, 70000);
    commit_rows(&fixture, &table, 2, 2, 70000, 10);
    store_close(fixture.store);
    fixture.store = NULL;
    inspect(fixture.directory, &report, &text);
    EXPECT(report.faults == 0, "%s", (char *)text.data);
    ck_assert_uint_eq(report.files, 3); // a rowset, the database and the mark of its log
    ck_assert_uint_eq(report.rows, 70010);
    byte_buffer_deinit(&text);
    byte_buffer_init(&text, (size_t)16 << 20);
    must(inspect_path(file_system_os(), fixture.directory, true, &text, &report));
    byte_buffer_add_u8(&text, 0);
    ck_assert_ptr_nonnull(strstr((char *)text.data, "column 4 row group 0: dictionary"));
    ck_assert_ptr_nonnull(strstr((char *)text.data, "'A' .. 'R'"));
    byte_buffer_deinit(&text);
}
END_TEST

/* The path of the only rowset file. */
static void find_rowset(char *path, size_t bytes)
{
    char command[256];
    snprintf(command, sizeof command, "find '%s' -name '*.rows'", fixture.directory);
    FILE *pipe = popen(command, "r");
    ck_assert_ptr_nonnull(fgets(path, (int)bytes, pipe));
    pclose(pipe);
    path[strcspn(path, "\n")] = 0;
}

START_TEST(missing_files_are_faults)
{
    InspectReport report;
    ByteBuffer text;
    char path[256];
    commit_rows(&fixture, &table, 1, 1, 0, 20000);
    store_close(fixture.store);
    fixture.store = NULL;
    find_rowset(path, sizeof path);
    ck_assert_int_eq(unlink(path), 0);
    inspect(fixture.directory, &report, &text);
    ck_assert_uint_eq(report.faults, 1);
    ck_assert_ptr_nonnull(strstr((char *)text.data, "whose file is missing"));
    byte_buffer_deinit(&text);
}
END_TEST

/* A file of two row groups of few rows. */
static uint8_t *write_small_file(char *path, size_t path_bytes, size_t *bytes)
{
    const TableWriteOptions options = {.store = fixture.store,
                                       .table = &table.table,
                                       .txn_id = 1,
                                       .statement = 1,
                                       .row_group_rows = 20,
                                       .budget = fixture.budget};
    TableWriter *writer;
    TableWriterLocal *local;
    must(table_writer_create(&options, &writer));
    must(table_writer_local_create(writer, &local));
    append_rows(local, &table, 0, 40);
    must(table_writer_local_finish(local));
    must(table_writer_finish(writer));
    table_writer_destroy(writer);
    must(store_prepare(fixture.store, 1));
    must(store_commit(fixture.store, 1, 1));
    find_rowset(path, path_bytes);
    uint8_t *data;
    must(file_read_whole(file_system_os(), path, (size_t)1 << 24, &data, bytes));
    return data;
}

static void write_file(const char *path, const uint8_t *data, size_t bytes)
{
    FILE *file = fopen(path, "wb");
    ck_assert_uint_eq(fwrite(data, 1, bytes, file), bytes);
    ck_assert_int_eq(fclose(file), 0);
}

/* One file in memory: a disk would make a hundred thousand inspections take an hour. */
typedef struct MemoryFiles {
    FileSystem system;
    const uint8_t *data;
    size_t bytes;
} MemoryFiles;

static Status memory_open(FileSystem *self, const char *path, uint32_t flags, File **out)
{
    (void)path, (void)flags;
    *out = calloc(1, sizeof **out);
    (*out)->system = self;
    return STATUS_OK;
}

static void memory_close(File *file)
{
    free(file);
}

static Status memory_read(File *file, void *data, size_t bytes, uint64_t offset, size_t *read_bytes)
{
    const MemoryFiles *files = (const MemoryFiles *)file->system;
    const size_t left = offset < files->bytes ? files->bytes - (size_t)offset : 0;
    *read_bytes = bytes < left ? bytes : left;
    memcpy(data, files->data + (left > 0 ? offset : 0), *read_bytes);
    return STATUS_OK;
}

static Status memory_size(File *file, uint64_t *bytes)
{
    *bytes = ((const MemoryFiles *)file->system)->bytes;
    return STATUS_OK;
}

static const FileOps memory_ops = {
    .open = memory_open, .close = memory_close, .read = memory_read, .size = memory_size};

#define PARTS 8
START_TEST(every_flipped_bit_is_found)
{
    char path[256];
    size_t bytes;
    table.table.column_count = 5; // one of each family, and a file that is soon walked through
    uint8_t *data = write_small_file(path, sizeof path, &bytes);
    MemoryFiles files = {.system = {.ops = &memory_ops}, .data = data, .bytes = bytes};
    InspectReport report;
    ByteBuffer text;
    byte_buffer_init(&text, (size_t)1 << 20);
    must(inspect_path(&files.system, "7.rows", false, &text, &report));
    ck_assert_uint_eq(report.faults, 1); // the name is another rowset's
    for (size_t byte = 0; byte < bytes; byte++) {
        byte_buffer_clear(&text);
        data[byte] ^= (uint8_t)(1 << _i);
        must(inspect_path(&files.system, "copy", false, &text, &report));
        EXPECT(report.faults > 0, "byte %zu of %zu", byte, bytes);
        EXPECT(memcmp(text.data, "copy: ", 6) == 0, "byte %zu: %.80s", byte, (char *)text.data);
        data[byte] ^= (uint8_t)(1 << _i);
    }
    byte_buffer_deinit(&text);
    free(data);
}
END_TEST

START_TEST(faults_name_their_block)
{
    char path[256];
    size_t bytes;
    InspectReport report;
    ByteBuffer text;
    uint8_t *data = write_small_file(path, sizeof path, &bytes);
    data[64 + 70] ^= 1; // the first block: column 1 of row group 0
    write_file(path, data, bytes);
    inspect(path, &report, &text);
    ck_assert_uint_eq(report.faults, 1);
    ck_assert_ptr_nonnull(
        strstr((char *)text.data, "wrong checksum in block of table 10, column 1"));
    ck_assert_ptr_nonnull(strstr((char *)text.data, "row group 0"));
    byte_buffer_deinit(&text);
    // A scan of that column says the same; other columns stay readable.
    for (uint32_t column = 0; column < 2; column++) {
        const ScanRequest request = {.store = fixture.store,
                                     .table = &table.table,
                                     .snapshot = {.position = 1},
                                     .column_count = 1,
                                     .columns = &column,
                                     .budget = fixture.budget};
        TableScan *scan;
        TableScanLocal *local;
        Batch batch;
        bool is_done;
        must(table_scan_open(&request, fixture.arena, &scan));
        must(table_scan_local_create(scan, NULL, fixture.arena, &local));
        must(table_scan_next(local, &batch, &is_done));
        Status status = batch_load_all(&batch);
        if (column == 0) {
            ck_assert(status != STATUS_OK);
            ck_assert_int_eq(status_sqlstate(status), SQLSTATE_DATA_CORRUPTED);
            ck_assert_ptr_nonnull(strstr(status_message(status), "table 10, column 1"));
            status_free(status);
        } else {
            must(status);
        }
        table_scan_local_destroy(local);
        table_scan_close(scan);
    }
    free(data);
}
END_TEST

START_TEST(cut_files_are_found)
{
    char path[256];
    size_t bytes;
    InspectReport report;
    ByteBuffer text;
    uint8_t *data = write_small_file(path, sizeof path, &bytes);
    for (size_t cut = 0; cut < bytes; cut += 997) {
        const MemoryFiles files = {.system = {.ops = &memory_ops}, .data = data, .bytes = cut};
        byte_buffer_init(&text, (size_t)1 << 20);
        must(inspect_path((FileSystem *)&files.system, "copy", false, &text, &report));
        EXPECT(report.faults > 0, "%zu bytes of %zu", cut, bytes);
        byte_buffer_deinit(&text);
    }
    free(data);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inspect");
    TCase *tests = tcase_create("faults");
    tcase_set_timeout(tests, 240);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, healthy_directories_have_no_faults);
    tcase_add_test(tests, missing_files_are_faults);
    tcase_add_loop_test(tests, every_flipped_bit_is_found, 0, PARTS);
    tcase_add_test(tests, faults_name_their_block);
    tcase_add_test(tests, cut_files_are_found);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
