/* test_row_splitter.c — blocks hold whole rows, however the bytes arrive. */
#include "protocol/copy/row_splitter.h"
#include "tests/support/check_status.h"
#include "tests/unit/protocol/copy/random_text.h"

static PagePool *pool;
static MemoryBudget *budget;
static Random generator;

static void setup(void)
{
    ck_assert_ok(page_pool_create(&pool, (size_t)1 << 30));
    budget = memory_budget_create(pool, NULL, "test", 0);
    seed_random(&generator);
}

static void teardown(void)
{
    ck_assert_uint_eq(memory_budget_used_bytes(budget), 0);
    memory_budget_destroy(budget);
    page_pool_destroy(pool);
}

/* Everything the blocks held, and how many they were. */
typedef struct Gathered {
    char *data;
    size_t bytes;
    uint32_t block_count;
    const CopyFormat *format;
    uint64_t lines_before; /* dropped at the start */
} Gathered;

/* A block ends with a row end, outside of quotes; its line number counts the newlines before. */
static void gather(Gathered *gathered, RowBlock *block, bool is_last)
{
    if (block->data == NULL) {
        return;
    }
    const CopyFormat *format = gathered->format;
    bool is_quoted = false;
    for (size_t i = 0; i < block->bytes && format->style == COPY_STYLE_CSV; i++) {
        char byte = (char)block->data[i], next = (char)block->data[i + 1];
        if (is_quoted && byte == format->quote_escape && format->quote_escape != format->quote &&
            (next == format->quote || next == format->quote_escape)) {
            i++;
        } else {
            is_quoted ^= byte == format->quote;
        }
    }
    if (!is_last) {
        ck_assert(!is_quoted);
        ck_assert_int_eq(block->data[block->bytes - 1], '\n');
    }
    uint64_t lines = gathered->lines_before;
    for (size_t i = 0; i < gathered->bytes; i++) {
        lines += gathered->data[i] == '\n';
    }
    ck_assert_uint_eq(block->first_line, lines + 1);
    gathered->data = realloc(gathered->data, gathered->bytes + block->bytes + 1);
    memcpy(gathered->data + gathered->bytes, block->data, block->bytes);
    gathered->bytes += block->bytes;
    gathered->data[gathered->bytes] = '\0';
    gathered->block_count++;
    row_block_free(budget, block);
}

/* Sends the text through a splitter in pieces of `piece` bytes (0: of random length). */
static Gathered split(const CopyFormat *format, const void *text, size_t bytes, size_t piece,
                      size_t block_bytes, uint64_t lines_before)
{
    RowSplitter *splitter;
    RowBlock block;
    Gathered gathered = {.format = format, .lines_before = lines_before};
    ck_assert_ok(row_splitter_create(format, budget, block_bytes, &splitter));
    for (size_t at = 0; at < bytes;) {
        size_t count = piece == 0 ? 1 + random_below(&generator, 40) : piece;
        size_t taken;
        count = count < bytes - at ? count : bytes - at;
        ck_assert_ok(row_splitter_add(splitter, (const char *)text + at, count, &taken, &block));
        ck_assert_uint_gt(taken, 0);
        at += taken;
        gather(&gathered, &block, false);
    }
    ck_assert_ok(row_splitter_finish(splitter, &block));
    gather(&gathered, &block, true);
    row_splitter_destroy(splitter);
    return gathered;
}

static void check_split(const CopyFormat *format, const char *text, const char *expected,
                        uint64_t lines_before)
{
    for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
        for (size_t block_bytes = 4; block_bytes <= 64; block_bytes *= 2) {
            Gathered got = split(format, text, strlen(text), piece, block_bytes, lines_before);
            ck_assert_str_eq(got.data == NULL ? "" : got.data, expected);
            free(got.data);
        }
    }
}

START_TEST(whole_rows)
{
    CopyFormat format = copy_format_redshift_text();
    check_split(&format, "", "", 0);
    check_split(&format, "a|b\nc|d\n", "a|b\nc|d\n", 0);
    check_split(&format, "a|b\nc|d", "a|b\nc|d\n", 0);
    check_split(&format, "a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n", 0);
    check_split(&format, "\n\n\n", "\n\n\n", 0);
    format = copy_format_postgres_csv();
    check_split(&format, "a,\"b\nc\"\n\"\n\n\"\n", "a,\"b\nc\"\n\"\n\n\"\n", 0);
    check_split(&format, "a,\"b\n", "a,\"b\n", 0); // the reader will complain
    format.quote_escape = '\\';
    check_split(&format, "\"a\\\"\n\",b\n\"\\\\\"\n\"\\x\"\n", "\"a\\\"\n\",b\n\"\\\\\"\n\"\\x\"\n",
                0);
    format = copy_format_postgres_text();
    check_split(&format, "a\\\nb\nc\\\\\nd\n", "a\\\nb\nc\\\\\nd\n", 0);
}
END_TEST

START_TEST(header_rows)
{
    CopyFormat format = copy_format_postgres_csv();
    format.header_rows = 2;
    check_split(&format, "x,\"y\nz\"\nsecond\na,b\nc,d\n", "a,b\nc,d\n", 3);
    check_split(&format, "", "", 0);
    check_split(&format, "x\ny", "", 1);
    check_split(&format, "x\ny\n", "", 2);
}
END_TEST

START_TEST(byte_order_mark)
{
    CopyFormat format = copy_format_redshift_text();
    check_split(&format,
                "\xef\xbb\xbf"
                "a|b\n",
                "a|b\n", 0);
    check_split(&format, "\xef\xbb", "\xef\xbb\n", 0);
    check_split(&format, "\xef\xbb\xbf", "", 0);
    format.header_rows = 1;
    check_split(&format, "\xef\xbb\xbfheader\na|b\n", "a|b\n", 1);
}
END_TEST

START_TEST(lone_carriage_returns)
{
    CopyFormat format = copy_format_redshift_text();
    check_split(&format, "a|b\rc|d\re", "a|b\nc|d\ne\n", 0);
    check_split(&format, "a\r", "a\n", 0);
    format.header_rows = 1;
    check_split(&format, "h\ra\r", "a\n", 1);
    format = copy_format_postgres_csv();
    check_split(&format, "a,\"x\ry\"\rb\r", "a,\"x\ry\"\nb\n", 0);
    format.quote_escape = '\\';
    check_split(&format, "a\r\"x\\\"\ry\"\rb\r", "a\n\"x\\\"\ry\"\nb\n", 0);
    check_split(&format, "\"a\rb\"\nc\rd\n", "\"a\rb\"\nc\rd\n", 0); // newlines decide
}
END_TEST

/* Random text at random and at every split point: the blocks joined are the input. */
START_TEST(any_pieces)
{
    CopyFormat formats[] = {copy_format_redshift_text(), copy_format_postgres_text(),
                            copy_format_postgres_csv(), copy_format_postgres_csv()};
    formats[3].quote_escape = '\\';
    const CopyFormat *format = &formats[_i];
    for (int round = 0; round < 300; round++) {
        size_t bytes = 1 + random_below(&generator, 400);
        uint8_t *text = random_text(&generator, "abc,\t\"\n\\", bytes);
        text[0] = '\n'; // newlines end rows, not carriage returns
        size_t block_bytes = 4 + random_below(&generator, 100);
        size_t piece = round < 20 ? 1 + (size_t)round : 0;
        Gathered got = split(format, text, bytes, piece, block_bytes, 0);
        ck_assert_uint_ge(got.bytes, bytes);
        ck_assert_uint_le(got.bytes, bytes + 1);
        ck_assert_mem_eq(got.data, text, bytes);
        free(got.data);
        free(text);
    }
}
END_TEST

START_TEST(every_split_point)
{
    CopyFormat format = copy_format_postgres_csv();
    for (int round = 0; round < 20; round++) {
        size_t bytes = 120;
        uint8_t *text = random_text(&generator, "ab,\"\"\n\r", bytes);
        text[0] = '\n';
        for (size_t cut = 1; cut < bytes; cut++) {
            RowSplitter *splitter;
            RowBlock block;
            size_t taken;
            Gathered got = {.format = &format};
            ck_assert_ok(row_splitter_create(&format, budget, 512, &splitter));
            ck_assert_ok(row_splitter_add(splitter, text, cut, &taken, &block));
            ck_assert_uint_eq(taken, cut);
            ck_assert_ok(row_splitter_add(splitter, text + cut, bytes - cut, &taken, &block));
            ck_assert_uint_eq(taken, bytes - cut);
            ck_assert_ok(row_splitter_finish(splitter, &block));
            gather(&got, &block, true);
            ck_assert_mem_eq(got.data, text, bytes);
            free(got.data);
            row_splitter_destroy(splitter);
        }
        free(text);
    }
}
END_TEST

START_TEST(several_files)
{
    CopyFormat format = copy_format_redshift_text();
    format.header_rows = 1;
    RowSplitter *splitter;
    RowBlock block;
    ck_assert_ok(row_splitter_create(&format, budget, 64, &splitter));
    for (int file = 0; file < 3; file++) {
        size_t taken;
        ck_assert_ok(row_splitter_add(splitter, "h\na\n", 4, &taken, &block));
        ck_assert_ok(row_splitter_finish(splitter, &block));
        ck_assert_uint_eq(block.bytes, 2);
        ck_assert_mem_eq(block.data, "a\n", 2);
        ck_assert_uint_eq(block.first_line, 2);
        row_block_free(budget, &block);
    }
    row_splitter_destroy(splitter);
}
END_TEST

START_TEST(refuses_endless_rows)
{
    CopyFormat format = copy_format_redshift_text();
    RowSplitter *splitter;
    RowBlock block;
    static char piece[1 << 20];
    memset(piece, 'x', sizeof(piece));
    ck_assert_ok(row_splitter_create(&format, budget, ROW_BLOCK_BYTES, &splitter));
    Status status = STATUS_OK;
    size_t total = 0;
    while (status == STATUS_OK && total < (size_t)2 * COPY_ROW_BYTES_MAX) {
        size_t taken;
        status = row_splitter_add(splitter, piece, sizeof(piece), &taken, &block);
        ck_assert_ptr_null(block.data);
        total += taken;
    }
    assert_fails(status, "54000", "row at line 1");
    row_splitter_destroy(splitter);
}
END_TEST

START_TEST(memory_is_refused)
{
    MemoryBudget *small = memory_budget_create(pool, budget, "small", 1024);
    CopyFormat format = copy_format_redshift_text();
    RowSplitter *splitter;
    RowBlock block;
    size_t taken;
    ck_assert_ok(row_splitter_create(&format, small, ROW_BLOCK_BYTES, &splitter));
    assert_fails(row_splitter_add(splitter, "a\n", 2, &taken, &block), "53200", "");
    row_splitter_destroy(splitter);
    memory_budget_destroy(small);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("row_splitter");
    TCase *tcase = tcase_create("blocks");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, whole_rows);
    tcase_add_test(tcase, header_rows);
    tcase_add_test(tcase, byte_order_mark);
    tcase_add_test(tcase, lone_carriage_returns);
    tcase_add_loop_test(tcase, any_pieces, 0, 4);
    tcase_add_test(tcase, every_split_point);
    tcase_add_test(tcase, several_files);
    tcase_add_test(tcase, refuses_endless_rows);
    tcase_add_test(tcase, memory_is_refused);
    suite_add_tcase(suite, tcase);
    return suite_main(suite);
}
