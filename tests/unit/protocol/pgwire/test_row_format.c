/* test_row_format.c — DataRow bytes: every type in text and binary form, nulls, forms of vectors,
 * selections, pieces. */
#include <math.h>

#include "base/types/datetime.h"
#include "base/types/text_format.h"
#include "protocol/pgwire/pg_parameter.h"
#include "protocol/pgwire/row_format.h"
#include "tests/support/check_status.h"

static Arena *arena;
static ByteBuffer out;
static const RowFormatOptions shortest = {.extra_float_digits = 1};

static void setup(void)
{
    arena = arena_create(NULL, "test");
    byte_buffer_init(&out, 1 << 20);
}

static void teardown(void)
{
    byte_buffer_deinit(&out);
    arena_destroy(arena);
}

static Batch batch_of(Vector *vectors, uint32_t column_count, uint32_t row_count)
{
    return (Batch){.row_count = row_count,
                   .selected_count = row_count,
                   .column_count = column_count,
                   .columns = vectors};
}

/* One value as a batch of one row. */
static Batch batch_of_value(const Value *value)
{
    Vector *vector = ARENA_NEW(arena, Vector);
    vector_set_constant(vector, value, arena_alloc(arena, 16));
    return batch_of(vector, 1, 1);
}

/* The only field of the only DataRow in `out`. */
static const uint8_t *only_field(size_t *bytes)
{
    ck_assert_uint_ge(out.bytes, 11);
    ck_assert_int_eq(out.data[0], 'D');
    ck_assert_uint_eq((size_t)out.data[3] << 8 | out.data[4], out.bytes - 1);
    ck_assert_mem_eq(out.data + 5, "\0\1", 2);
    *bytes = (size_t)out.data[9] << 8 | out.data[10];
    ck_assert_uint_eq(*bytes, out.bytes - 11);
    return out.data + 11;
}

static void write_value(const Value *value, uint16_t format, RowFormatOptions options)
{
    Batch batch = batch_of_value(value);
    RowFormat *rows = row_format_create(arena, &value->type, 1, &format, 1, options);
    uint32_t next;
    byte_buffer_clear(&out);
    ck_assert_ok(row_format_write(rows, &batch, 0, SIZE_MAX, &out, &next));
    ck_assert_uint_eq(next, 1);
}

static void check_text(const Value *value, const char *expected)
{
    size_t bytes;
    write_value(value, PG_FORMAT_TEXT, shortest);
    const uint8_t *field = only_field(&bytes);
    ck_assert_msg(bytes == strlen(expected) && memcmp(field, expected, bytes) == 0,
                  "\"%.*s\", expected \"%s\"", (int)bytes, (const char *)field, expected);
}

static Value parse(const char *text, Type type)
{
    Value value;
    ck_assert_ok(value_parse(text, strlen(text), type, arena, &value));
    return value;
}

START_TEST(text_form)
{
    static const struct {
        TypeId id;
        const char *text;
    } same[] = {
        {TYPE_BOOLEAN, "t"},
        {TYPE_BOOLEAN, "f"},
        {TYPE_SMALLINT, "-32768"},
        {TYPE_INTEGER, "2147483647"},
        {TYPE_BIGINT, "-9223372036854775808"},
        {TYPE_REAL, "0.1"},
        {TYPE_DOUBLE, "0.1"},
        {TYPE_DOUBLE, "1e+300"},
        {TYPE_DOUBLE, "NaN"},
        {TYPE_DOUBLE, "-Infinity"},
        {TYPE_DATE, "1996-02-29"},
        {TYPE_DATE, "infinity"},
        {TYPE_TIMESTAMP, "2001-02-03 04:05:06.7"},
        {TYPE_INTERVAL, "1 year 2 mons 3 days 04:05:06"},
        {TYPE_VARCHAR, "short"},
        {TYPE_VARCHAR, "a text of more than twelve bytes"},
    };
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        Value value = parse(same[i].text, type_of(same[i].id));
        check_text(&value, same[i].text);
    }
    Value value = parse("-17954.5", type_decimal(12, 2));
    check_text(&value, "-17954.50");
    value = parse("12345678901234567890.123", type_decimal(30, 4));
    check_text(&value, "12345678901234567890.1230");
    value = parse("ab", type_char(5));
    check_text(&value, "ab   ");
}
END_TEST

START_TEST(fewer_float_digits)
{
    Value value = parse("0.1234567890123456", type_of(TYPE_DOUBLE));
    size_t bytes;
    write_value(&value, PG_FORMAT_TEXT, (RowFormatOptions){.extra_float_digits = 0});
    const uint8_t *field = only_field(&bytes);
    ck_assert_uint_eq(bytes, 17);
    ck_assert_mem_eq(field, "0.123456789012346", bytes);
    value = parse("0.1234567", type_of(TYPE_REAL));
    write_value(&value, PG_FORMAT_TEXT, (RowFormatOptions){.extra_float_digits = -15});
    field = only_field(&bytes);
    ck_assert_uint_eq(bytes, 3);
    ck_assert_mem_eq(field, "0.1", bytes);
}
END_TEST

/* What goes out in binary form comes back through the parameters' reader. */
START_TEST(binary_form)
{
    static const struct {
        Type type;
        const char *text;
    } values[] = {
        {{.id = TYPE_BOOLEAN}, "t"},
        {{.id = TYPE_SMALLINT}, "-32768"},
        {{.id = TYPE_INTEGER}, "-5"},
        {{.id = TYPE_BIGINT}, "9223372036854775807"},
        {{.id = TYPE_REAL}, "-1.5"},
        {{.id = TYPE_DOUBLE}, "3.141592653589793"},
        {{.id = TYPE_DATE}, "1999-12-31"},
        {{.id = TYPE_DATE}, "-infinity"},
        {{.id = TYPE_TIMESTAMP}, "1969-12-31 23:59:59.999999"},
        {{.id = TYPE_TIMESTAMP}, "infinity"},
        {{.id = TYPE_INTERVAL}, "-1 mons 3 days -04:05:06"},
        {{.id = TYPE_VARCHAR}, "h\xc3\xa9llo"},
        {{.id = TYPE_DECIMAL, .precision = 12, .scale = 2}, "-17954.55"},
        {{.id = TYPE_DECIMAL, .precision = 38, .scale = 10},
         "1234567890123456789012345678.0123456789"},
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        Value value = parse(values[i].text, values[i].type), back;
        write_value(&value, PG_FORMAT_BINARY, shortest);
        PgParameter parameter = {.format = PG_FORMAT_BINARY, .number = 1};
        parameter.bytes.data = only_field(&parameter.bytes.bytes);
        ck_assert_ok(pg_parameter_read(&parameter, values[i].type, arena, &back));
        ck_assert_msg(value_equal(&value, &back), "%s", values[i].text);
    }
    Value value = parse("2000-01-02", type_of(TYPE_DATE));
    size_t bytes;
    write_value(&value, PG_FORMAT_BINARY, shortest);
    ck_assert_mem_eq(only_field(&bytes), "\0\0\0\1", 4);
}
END_TEST

START_TEST(rows_of_several_forms)
{
    static const uint16_t narrow[] = {0, 5, 300, 65535};
    static const uint8_t codes[] = {1, 0, 1, 1};
    TextView entries[] = {text_view_make("no", 2), text_view_make("yes, of course", 14)};
    Dictionary dictionary = {.lane = LANE_TEXT, .entry_count = 2, .entries = entries};
    uint64_t validity = 0xB; // the third row is null
    Value seven = value_int64(type_decimal(5, 1), 7);
    uint64_t lane[2];
    Vector vectors[3] = {
        {.type = type_of(TYPE_DATE),
         .lane = LANE_U16,
         .base = 10,
         .lo = 10,
         .hi = 65545,
         .data = narrow},
        {.type = type_varchar(20),
         .lane = LANE_U8,
         .form = VECTOR_DICTIONARY,
         .validity = &validity,
         .data = codes,
         .dictionary = &dictionary},
    };
    // Kernels read 64 bytes behind the last lane.
    vectors[0].data = memcpy(arena_alloc(arena, 1024), narrow, sizeof(narrow));
    vectors[1].data = memcpy(arena_alloc(arena, 1024), codes, sizeof(codes));
    vector_set_constant(&vectors[2], &seven, lane);
    Type types[] = {vectors[0].type, vectors[1].type, seven.type};
    Batch batch = batch_of(vectors, 3, 4);
    RowFormat *rows = row_format_create(arena, types, 3, NULL, 0, shortest);
    uint32_t next;
    ck_assert_ok(row_format_write(rows, &batch, 0, SIZE_MAX, &out, &next));
    static const char expected[] = "D\0\0\0\x2d\0\3\0\0\0\12"
                                   "1970-01-11\0\0\0\16yes, of course\0\0\0\0030.7"
                                   "D\0\0\0\x21\0\3\0\0\0\12"
                                   "1970-01-16\0\0\0\2no\0\0\0\0030.7"
                                   "D\0\0\0\x1f\0\3\0\0\0\12"
                                   "1970-11-07\xff\xff\xff\xff\0\0\0\0030.7"
                                   "D\0\0\0\x2d\0\3\0\0\0\12"
                                   "2149-06-16\0\0\0\16yes, of course\0\0\0\0030.7";
    ck_assert_uint_eq(next, 4);
    ck_assert_uint_eq(out.bytes, sizeof(expected) - 1);
    ck_assert_mem_eq(out.data, expected, out.bytes);
    // Two of the rows, one at a time.
    static const uint16_t selection[] = {1, 3};
    batch.selection = selection;
    batch.selected_count = 2;
    byte_buffer_clear(&out);
    ck_assert_ok(row_format_write(rows, &batch, 0, 1, &out, &next));
    ck_assert_uint_eq(next, 1);
    ck_assert_mem_eq(out.data, expected + 46, out.bytes);
    ck_assert_ok(row_format_write(rows, &batch, 1, 1, &out, &next));
    ck_assert_uint_eq(next, 2);
    ck_assert_uint_eq(out.bytes, 34 + 46);
}
END_TEST

START_TEST(formats_per_column)
{
    Value values[2] = {value_int64(type_of(TYPE_INTEGER), 5),
                       value_int64(type_of(TYPE_INTEGER), 6)};
    Vector vectors[2];
    uint64_t lanes[2][2];
    for (int i = 0; i < 2; i++) {
        vector_set_constant(&vectors[i], &values[i], lanes[i]);
    }
    Type types[] = {values[0].type, values[1].type};
    static const uint16_t formats[] = {PG_FORMAT_TEXT, PG_FORMAT_BINARY};
    Batch batch = batch_of(vectors, 2, 1);
    RowFormat *rows = row_format_create(arena, types, 2, formats, 2, shortest);
    uint32_t next;
    ck_assert_ok(row_format_write(rows, &batch, 0, SIZE_MAX, &out, &next));
    ck_assert_uint_eq(out.bytes, 20);
    ck_assert_mem_eq(out.data, "D\0\0\0\x13\0\2\0\0\0\0015\0\0\0\4\0\0\0\6", 20);
}
END_TEST

START_TEST(full_buffer)
{
    Value value = parse("a text of more than twelve bytes", type_varchar(0));
    Batch batch = batch_of_value(&value);
    RowFormat *rows = row_format_create(arena, &value.type, 1, NULL, 0, shortest);
    uint32_t next;
    byte_buffer_deinit(&out);
    byte_buffer_init(&out, 20);
    assert_fails(row_format_write(rows, &batch, 0, SIZE_MAX, &out, &next), "54000", "");
    ck_assert_ok(byte_buffer_status(&out)); // an error message can still be written
    ck_assert_uint_eq(out.bytes, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("row_format");
    TCase *tcase = tcase_create("rows");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, text_form);
    tcase_add_test(tcase, fewer_float_digits);
    tcase_add_test(tcase, binary_form);
    tcase_add_test(tcase, rows_of_several_forms);
    tcase_add_test(tcase, formats_per_column);
    tcase_add_test(tcase, full_buffer);
    suite_add_tcase(suite, tcase);
    return suite_main(suite);
}
