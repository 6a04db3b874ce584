/* test_structure_scan.c — every kernel level finds the marks that a plain reading finds. */
#include "protocol/copy/structure_scan.h"
#include "tests/support/check_status.h"
#include "tests/unit/protocol/copy/random_text.h"

static Random generator;

typedef struct Marks {
    uint32_t marks[4096 + 64], row_marks[4096 + 64];
    FieldScan scan;
} Marks;

static void marks_init(Marks *marks)
{
    marks->scan = (FieldScan){.marks = marks->marks, .row_marks = marks->row_marks};
}

/* What the scan must find, one byte after the other, by the book. */
static void read_plainly(const ScanRules *rules, const uint8_t *data, size_t bytes, Marks *out)
{
    bool is_quoted = false, is_escaped = false;
    FieldScan *scan = &out->scan;
    marks_init(out);
    for (size_t i = 0; i < bytes; i++) {
        bool is_plain = is_escaped || is_quoted;
        bool was_escaped = is_escaped;
        is_escaped = rules->has_backslashes && !was_escaped && data[i] == '\\';
        if (rules->has_quotes && data[i] == rules->quote) {
            is_quoted = !is_quoted;
            continue;
        }
        if (is_plain || is_escaped) {
            continue;
        }
        if (data[i] == '\n') {
            scan->row_marks[scan->row_count++] = scan->mark_count;
        }
        if (data[i] == '\n' || data[i] == rules->delimiter[0]) {
            scan->marks[scan->mark_count++] = (uint32_t)i;
        }
    }
    scan->state.quoted = is_quoted ? UINT64_MAX : 0;
    scan->state.escaped = is_escaped;
}

static void check_equal(const Marks *left, const Marks *right)
{
    ck_assert_uint_eq(left->scan.mark_count, right->scan.mark_count);
    ck_assert_uint_eq(left->scan.row_count, right->scan.row_count);
    ck_assert_mem_eq(left->marks, right->marks, left->scan.mark_count * sizeof(uint32_t));
    ck_assert_mem_eq(left->row_marks, right->row_marks, left->scan.row_count * sizeof(uint32_t));
    ck_assert_uint_eq(left->scan.state.quoted, right->scan.state.quoted);
    ck_assert_uint_eq(left->scan.state.escaped, right->scan.state.escaped);
}

static const ScanKernels *kernels_of(int index)
{
    if (index == KERNEL_LEVEL_COUNT) {
        return &scan_kernels_bytewise;
    }
    return kernel_level_is_supported((KernelLevel)index) ? scan_kernels_by_level[index] : NULL;
}

static ScanRules rules_of(int style)
{
    CopyFormat format = style == 0   ? copy_format_redshift_text()
                        : style == 1 ? copy_format_postgres_text()
                                     : copy_format_postgres_csv();
    format.delimiter[0] = '|';
    ScanRules rules;
    scan_rules_init(&rules, &format);
    return rules;
}

/* Loop: level and style. */
START_TEST(finds_what_is_there)
{
    const ScanKernels *kernels = kernels_of(_i / 3);
    ScanRules rules = rules_of(_i % 3);
    static Marks expected, found;
    for (int round = 0; round < 400 && kernels != NULL; round++) {
        size_t bytes = random_below(&generator, round < 200 ? 200 : 4096);
        const char *alphabet = round % 2 == 0 ? "ab|\n\"\\" : "abcdefghijklmnopqrstuv||\n\"\\\xc3";
        uint8_t *data = random_text(&generator, alphabet, bytes);
        memset(data + bytes, '|', 64); // beyond the end nothing counts
        read_plainly(&rules, data, bytes, &expected);
        // In pieces of any length, as windows and sockets give them.
        marks_init(&found);
        for (size_t at = 0; at < bytes;) {
            size_t piece = 1 + random_below(&generator, 150);
            size_t last = at + piece < bytes ? at + piece : bytes;
            kernels->fields(&found.scan, &rules, data, at, last, bytes);
            at = last;
        }
        check_equal(&expected, &found);
        free(data);
    }
}
END_TEST

START_TEST(counts_rows_and_lines)
{
    const ScanKernels *kernels = kernels_of(_i / 3);
    ScanRules rules = rules_of(_i % 3);
    static Marks expected;
    for (int round = 0; round < 400 && kernels != NULL; round++) {
        size_t bytes = random_below(&generator, 2000);
        uint8_t *data = random_text(&generator, "abcdefgh|\n\"\\", bytes);
        read_plainly(&rules, data, bytes, &expected);
        RowScan rows = {.last_end = 0};
        for (size_t at = 0; at < bytes;) {
            size_t piece = 1 + random_below(&generator, 150);
            size_t last = at + piece < bytes ? at + piece : bytes;
            kernels->rows(&rows, &rules, data, at, last, bytes);
            at = last;
        }
        size_t last_end = 0;
        uint64_t lines = 0, last_end_lines = 0;
        if (expected.scan.row_count > 0) {
            last_end = expected.marks[expected.row_marks[expected.scan.row_count - 1]] + 1;
        }
        for (size_t i = 0; i < bytes; i++) {
            lines += data[i] == '\n';
            last_end_lines += data[i] == '\n' && i < last_end;
        }
        ck_assert_uint_eq(rows.last_end, last_end);
        ck_assert_uint_eq(rows.line_count, lines);
        ck_assert_uint_eq(rows.last_end_lines, last_end_lines);
        free(data);
    }
}
END_TEST

START_TEST(notes_unusual_bytes)
{
    const ScanKernels *kernels = kernels_of(_i);
    if (kernels == NULL) {
        return;
    }
    ScanRules rules = rules_of(0);
    static Marks marks;
    uint8_t data[200 + 64];
    for (size_t at = 0; at < 200; at++) {
        memset(data, 'a', sizeof(data));
        data[at] = 0xC3;
        marks_init(&marks);
        kernels->fields(&marks.scan, &rules, data, 0, 200, 200);
        ck_assert(marks.scan.high_bits != 0 && !marks.scan.has_zeroes);
        data[at] = 0;
        marks_init(&marks);
        kernels->fields(&marks.scan, &rules, data, 0, 200, 200);
        ck_assert(marks.scan.high_bits == 0 && marks.scan.has_zeroes);
        data[at] = 'a';
        data[200] = 0; // behind the end
        data[201] = 0xFF;
        marks_init(&marks);
        kernels->fields(&marks.scan, &rules, data, 0, 200, 200);
        ck_assert(marks.scan.high_bits == 0 && !marks.scan.has_zeroes);
    }
}
END_TEST

static void check_bytewise(const ScanRules *rules, const char *data, const char *expected)
{
    // `expected` has a mark under each end: ^ a delimiter, $ a row end.
    static Marks marks;
    size_t bytes = strlen(data);
    char found[64] = {0};
    ck_assert(rules->needs_bytewise);
    ck_assert_ptr_eq(scan_kernels_choose(rules), &scan_kernels_bytewise);
    marks_init(&marks);
    scan_kernels_bytewise.fields(&marks.scan, rules, (const uint8_t *)data, 0, bytes, bytes);
    memset(found, ' ', bytes);
    for (uint32_t i = 0; i < marks.scan.mark_count; i++) {
        found[marks.marks[i]] = '^';
    }
    for (uint32_t i = 0; i < marks.scan.row_count; i++) {
        found[marks.marks[marks.row_marks[i]]] = '$';
    }
    ck_assert_str_eq(found, expected);
}

START_TEST(long_delimiters)
{
    CopyFormat format = copy_format_redshift_text();
    memcpy(format.delimiter, "|~|", 3);
    format.delimiter_bytes = 3;
    ScanRules rules;
    scan_rules_init(&rules, &format);
    check_bytewise(&rules, "a|~|b|~c|~|\n|~", " ^      ^  $  ");
}
END_TEST

START_TEST(escapes_inside_quotes)
{
    CopyFormat format = copy_format_postgres_csv();
    format.quote_escape = '\\';
    ScanRules rules;
    scan_rules_init(&rules, &format);
    check_bytewise(&rules, "\"a\\\",\",b\n\"\\\\\",c\\,\n", "      ^ $    ^  ^$");
}
END_TEST

START_TEST(wrapped_fields)
{
    CopyFormat format = copy_format_redshift_text();
    format.removes_quotes = true;
    ScanRules rules;
    scan_rules_init(&rules, &format);
    check_bytewise(&rules, "'a|b'|c'd|\"e'|f\"\n\"open|\nx|y\n", "     ^   ^      $      $ ^ $");
}
END_TEST

static void setup(void)
{
    seed_random(&generator);
}

int main(void)
{
    Suite *suite = suite_create("structure_scan");
    TCase *tcase = tcase_create("kernels");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_loop_test(tcase, finds_what_is_there, 0, (KERNEL_LEVEL_COUNT + 1) * 3);
    tcase_add_loop_test(tcase, counts_rows_and_lines, 0, (KERNEL_LEVEL_COUNT + 1) * 3);
    tcase_add_loop_test(tcase, notes_unusual_bytes, 0, KERNEL_LEVEL_COUNT + 1);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("bytewise");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, long_delimiters);
    tcase_add_test(tcase, escapes_inside_quotes);
    tcase_add_test(tcase, wrapped_fields);
    suite_add_tcase(suite, tcase);
    return suite_main(suite);
}
