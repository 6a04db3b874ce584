/* test_field_kernels.c — whatever a kernel accepts is what the slow road reads, bit for bit; and
 * the shapes it is made for are accepted. */
#include "protocol/copy/field_kernels.h"
#include "protocol/copy/field_value.h"
#include "tests/support/check_status.h"
#include "tests/unit/protocol/copy/random_text.h"

static Arena *arena;
static Random generator;

static void setup(void)
{
    arena = arena_create(NULL, "test");
    seed_random(&generator);
}

static void teardown(void)
{
    arena_destroy(arena);
}

static Type types[16];
enum { TYPE_CASES = 14 };

static void make_types(void)
{
    types[0] = type_of(TYPE_BOOLEAN);
    types[1] = type_of(TYPE_SMALLINT);
    types[2] = type_of(TYPE_INTEGER);
    types[3] = type_of(TYPE_BIGINT);
    types[4] = type_decimal(12, 2);
    types[5] = type_decimal(18, 9);
    types[6] = type_decimal(5, 0);
    types[7] = type_decimal(38, 4);
    types[8] = type_of(TYPE_REAL);
    types[9] = type_of(TYPE_DOUBLE);
    types[10] = type_of(TYPE_DATE);
    types[11] = type_of(TYPE_TIMESTAMP);
    types[12] = type_varchar(10);
    types[13] = type_char(20);
}

/* A field that looks like the type more often than not. */
static void random_field(Type type, char *target)
{
    char number[32];
    uint64_t digits = random_next(&generator) >> random_below(&generator, 64);
    snprintf(number, sizeof(number), "%llu", (unsigned long long)digits);
    const char *sign = random_below(&generator, 3) == 0 ? "-" : "";
    size_t cut = random_below(&generator, strlen(number) + 1);
    switch (type.id) {
    case TYPE_DATE:
        sprintf(target, "%04u-%02u-%02u", (unsigned)random_below(&generator, 10000),
                (unsigned)random_below(&generator, 14), (unsigned)random_below(&generator, 33));
        break;
    case TYPE_TIMESTAMP:
        sprintf(target, "%04u-%02u-%02u%c%02u:%02u:%02u", (unsigned)random_below(&generator, 3000),
                (unsigned)random_below(&generator, 14), (unsigned)random_below(&generator, 33),
                random_below(&generator, 2) == 0 ? 'T' : ' ',
                (unsigned)random_below(&generator, 26), (unsigned)random_below(&generator, 62),
                (unsigned)random_below(&generator, 62));
        if (random_below(&generator, 2) == 0) {
            sprintf(target + 19, ".%.*s", (int)random_below(&generator, 9), number);
        }
        break;
    default:
        if (random_below(&generator, 2) == 0) {
            sprintf(target, "%s%s", sign, number);
        } else {
            sprintf(target, "%s%.*s.%s", sign, (int)cut, number, number + cut);
        }
        break;
    }
    size_t bytes = strlen(target);
    if (random_below(&generator, 4) == 0) { // and something else every now and then
        static const char others[] = " -+.eE:/0129tfxN\\\"\xc3\xa9";
        uint64_t changes = random_below(&generator, 3);
        for (uint64_t i = 0; i < changes && bytes > 0; i++) {
            target[random_below(&generator, bytes)] =
                others[random_below(&generator, sizeof(others) - 1)];
        }
        if (random_below(&generator, 2) == 0) {
            target[random_below(&generator, bytes + 1)] = '\0';
        }
    }
}

/* One row of text per field, one behind the other, with the spans that a reader would make. */
typedef struct Sample {
    uint8_t data[FIELD_GROUP_ROWS * 64 + 64];
    FieldSpans spans;
} Sample;

static void make_sample(Sample *sample, Type type)
{
    size_t at = 0;
    *sample = (Sample){.spans.row_count = FIELD_GROUP_ROWS};
    for (uint32_t row = 0; row < FIELD_GROUP_ROWS; row++) {
        char field[64] = {0};
        random_field(type, field);
        sample->spans.first[row] = (uint32_t)at;
        sample->spans.length[row] = (uint32_t)strlen(field);
        memcpy(sample->data + at, field, strlen(field));
        at += strlen(field);
        sample->data[at++] = '|';
    }
    sample->spans.data = sample->data;
}

static bool lane_equals(Type type, const void *lanes, uint32_t row, const Value *value)
{
    switch (type_widest_lane(type)) {
    case LANE_U8:
        return ((const uint8_t *)lanes)[row] == value->i64;
    case LANE_I64:
        return ((const int64_t *)lanes)[row] == value->i64;
    case LANE_I128:
        return ((const Int128 *)lanes)[row] == value->i128;
    case LANE_F32: {
        float expected = (float)value->f64;
        return memcmp((const float *)lanes + row, &expected, sizeof(expected)) == 0;
    }
    case LANE_F64:
        return memcmp((const double *)lanes + row, &value->f64, sizeof(double)) == 0;
    default: {
        const TextView *view = (const TextView *)lanes + row;
        TextView expected = text_view_make(text_view_data(&value->text), value->text.length);
        bool is_inline = view->length <= TEXT_INLINE_MAX;
        return view->length == value->text.length &&
               memcmp(text_view_data(view), text_view_data(&expected), view->length) == 0 &&
               (!is_inline || memcmp(view, &expected, sizeof(expected)) == 0);
    }
    }
}

static FieldColumn make_column(Type type, const CopyFormat *format)
{
    FieldColumn column = {
        .type = type,
        .text_bytes_max = type.length > 0 ? (uint32_t)type.length : UINT32_MAX,
        .text_checks = TEXT_CHECK_UTF8 | (type.id == TYPE_CHAR ? TEXT_CHECK_LAST_BLANK : 0),
        .null_bytes = format->null_bytes,
        .null_as = format->null_as,
    };
    if (type_is_scaled_integer(type)) {
        column.value_min = type_int64_min(type);
        column.value_max = type_int64_max(type);
    }
    return column;
}

/* Loop: level and type. */
START_TEST(agrees_with_the_slow_road)
{
    int level = _i / TYPE_CASES;
    if (!kernel_level_is_supported((KernelLevel)level)) {
        return;
    }
    static const char *const names[] = {"portable", "v2", "v3", "v4"};
    ck_assert(kernel_level_select(names[level]));
    make_types();
    Type type = types[_i % TYPE_CASES];
    CopyFormat format = copy_format_redshift_text();
    FieldRules rules;
    ck_assert_ok(field_rules_init(&rules, &format));
    static Sample sample;
    static uint8_t lanes[FIELD_GROUP_ROWS * 16] __attribute__((aligned(64)));
    uint32_t accepted = 0;
    for (int round = 0; round < 60; round++) {
        make_sample(&sample, type);
        uint64_t odd[FIELD_MASK_WORDS] = {0};
        FieldColumn column = make_column(type, &format);
        field_kernel_choose(type)(&column, &sample.spans, lanes, odd);
        for (uint32_t row = 0; row < FIELD_GROUP_ROWS; row++) {
            if ((odd[row / 64] >> (row % 64) & 1) != 0) {
                continue;
            }
            const char *raw = (const char *)sample.data + sample.spans.first[row];
            Value value;
            Status status =
                field_value_read(&rules, raw, sample.spans.length[row], type, arena, &value);
            ck_assert_msg(status == STATUS_OK && !value.is_null, "\"%.*s\" was accepted",
                          (int)sample.spans.length[row], raw);
            ck_assert_msg(lane_equals(type, lanes, row, &value), "\"%.*s\" was misread",
                          (int)sample.spans.length[row], raw);
            accepted++;
        }
        arena_reset(arena);
    }
    // Enough of them were compared for this test to mean something.
    ck_assert_uint_gt(accepted, 100);
}
END_TEST

static void check_accepted(Type type, const char *const *fields, size_t count)
{
    static Sample sample;
    static uint8_t lanes[FIELD_GROUP_ROWS * 16] __attribute__((aligned(64)));
    CopyFormat format = copy_format_redshift_text();
    sample = (Sample){.spans.row_count = (uint32_t)count, .spans.data = sample.data};
    size_t at = 0;
    for (uint32_t row = 0; row < count; row++) {
        sample.spans.first[row] = (uint32_t)at;
        sample.spans.length[row] = (uint32_t)strlen(fields[row]);
        memcpy(sample.data + at, fields[row], strlen(fields[row]));
        at += strlen(fields[row]) + 1;
    }
    uint64_t odd[FIELD_MASK_WORDS] = {0};
    FieldColumn column = make_column(type, &format);
    field_kernel_choose(type)(&column, &sample.spans, lanes, odd);
    for (uint32_t row = 0; row < count; row++) {
        ck_assert_msg((odd[row / 64] >> (row % 64) & 1) == 0, "\"%s\" was found odd", fields[row]);
    }
}

START_TEST(accepts_usual_shapes)
{
    static const char *const integers[] = {"0",        "-1",        "1234567",
                                           "12345678", "123456789", "-1234567890123456"};
    static const char *const decimals[] = {"0.04", "17", "-17954.55",    "104949.50",
                                           ".5",   "5.", "1234567890.12"};
    static const char *const doubles[] = {"0.1", "-3.141592653589793", "1234567.5", "0"};
    static const char *const dates[] = {"1992-01-02", "2000-02-29", "0001-01-01", "9999-12-31"};
    static const char *const timestamps[] = {"1992-01-02 03:04:05", "1992-01-02T03:04:05.5",
                                             "1992-01-02 23:59:59.999999", "1992-01-02"};
    static const char *const texts[] = {"", "a", "twelve bytes", "thirteen byte", "\xc3\xa9"};
    check_accepted(type_of(TYPE_BIGINT), integers, 6);
    check_accepted(type_decimal(12, 2), decimals, 7);
    check_accepted(type_of(TYPE_DOUBLE), doubles, 4);
    check_accepted(type_of(TYPE_DATE), dates, 4);
    check_accepted(type_of(TYPE_TIMESTAMP), timestamps, 4);
    check_accepted(type_varchar(44), texts, 5);
}
END_TEST

/* Every day of five centuries. */
START_TEST(every_date)
{
    CopyFormat format = copy_format_redshift_text();
    FieldColumn column = make_column(type_of(TYPE_DATE), &format);
    FieldKernel kernel = field_kernel_choose(type_of(TYPE_DATE));
    FieldRules rules;
    ck_assert_ok(field_rules_init(&rules, &format));
    for (int year = 1700; year < 2200; year++) {
        static Sample sample;
        static int64_t lanes[FIELD_GROUP_ROWS];
        for (int half = 0; half < 2; half++) {
            sample.spans.row_count = 31 * 6;
            sample.spans.data = sample.data;
            for (uint32_t row = 0; row < 31 * 6; row++) {
                char *at = (char *)sample.data + row * 11;
                sprintf(at, "%04d-%02d-%02d", year, half * 6 + (int)row / 31 + 1,
                        (int)row % 31 + 1);
                sample.spans.first[row] = row * 11;
                sample.spans.length[row] = 10;
            }
            uint64_t odd[FIELD_MASK_WORDS] = {0};
            kernel(&column, &sample.spans, lanes, odd);
            for (uint32_t row = 0; row < 31 * 6; row++) {
                Value value;
                Status status = field_value_read(&rules, (char *)sample.data + row * 11, 10,
                                                 type_of(TYPE_DATE), arena, &value);
                bool is_odd = (odd[row / 64] >> (row % 64) & 1) != 0;
                ck_assert_int_eq(status != STATUS_OK, is_odd);
                ck_assert(is_odd || value.i64 == lanes[row]);
                status_free(status);
            }
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("field_kernels");
    TCase *tcase = tcase_create("kernels");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, agrees_with_the_slow_road, 0, KERNEL_LEVEL_COUNT * TYPE_CASES);
    tcase_add_test(tcase, accepts_usual_shapes);
    tcase_add_test(tcase, every_date);
    suite_add_tcase(suite, tcase);
    return suite_main(suite);
}
