/* test_csv_writer.c — batches as text and CSV, and back through the reader. */
#include "base/types/text_format.h"
#include "protocol/copy/copy_reader.h"
#include "protocol/copy/csv_writer.h"
#include "tests/support/check_status.h"
#include "tests/unit/protocol/copy/random_text.h"

static Arena *arena;
static Random generator;
static ByteBuffer out;

static void setup(void)
{
    arena = arena_create(NULL, "test");
    seed_random(&generator);
    byte_buffer_init(&out, 64 << 20);
}

static void teardown(void)
{
    byte_buffer_deinit(&out);
    arena_destroy(arena);
}

/* A batch of one text column and one integer column; a null text is NULL. */
static Batch make_batch(const char *const *texts, uint32_t row_count)
{
    Batch batch = {.row_count = row_count, .selected_count = row_count, .column_count = 2};
    VectorBuffer text, number;
    vector_buffer_init(&text, arena);
    vector_buffer_init(&number, arena);
    memset(text.validity, 0xFF, VALIDITY_WORDS * sizeof(uint64_t));
    for (uint32_t row = 0; row < row_count; row++) {
        const char *value = texts[row] == NULL ? "" : texts[row];
        ((TextView *)text.lanes)[row] = text_view_make(value, strlen(value));
        ((int64_t *)number.lanes)[row] = (int64_t)row * 10;
        if (texts[row] == NULL) {
            validity_clear(text.validity, row);
        }
    }
    batch.columns = ARENA_ARRAY(arena, Vector, 2);
    batch.columns[0] = (Vector){.type = type_varchar(0),
                                .lane = LANE_TEXT,
                                .has_trailing_blanks = true,
                                .validity = text.validity,
                                .data = text.lanes};
    batch.columns[1] =
        (Vector){.type = type_of(TYPE_BIGINT), .lane = LANE_I64, .hi = 10240, .data = number.lanes};
    return batch;
}

static const Type types[] = {{.id = TYPE_VARCHAR}, {.id = TYPE_BIGINT}};

static void check_write(const CopyFormat *format, const char *const *texts, uint32_t count,
                        const char *expected)
{
    Batch batch = make_batch(texts, count);
    CopyWriter *writer = copy_writer_create(format, types, 2, 0, arena);
    static const char *const names[] = {"a,b", "n"};
    uint32_t next;
    byte_buffer_clear(&out);
    copy_writer_header(writer, names, &out);
    ck_assert_ok(copy_writer_batch(writer, &batch, 0, SIZE_MAX, &out, &next));
    ck_assert_uint_eq(next, count);
    byte_buffer_add_u8(&out, 0);
    ck_assert_str_eq((const char *)out.data, expected);
}

static const char *const samples[] = {
    "plain", "", NULL, "a,b", "say \"hi\"", "tab\tline\nend\r", "back\\slash", "\\N", "pipe|"};
enum { SAMPLE_COUNT = sizeof(samples) / sizeof(samples[0]) };

START_TEST(postgres_text)
{
    CopyFormat format = copy_format_postgres_text();
    check_write(&format, samples, SAMPLE_COUNT,
                "plain\t0\n\t10\n\\N\t20\na,b\t30\nsay \"hi\"\t40\ntab\\tline\\nend\\r\t50\n"
                "back\\\\slash\t60\n\\\\N\t70\npipe|\t80\n");
}
END_TEST

START_TEST(postgres_csv)
{
    CopyFormat format = copy_format_postgres_csv();
    format.has_header = true;
    check_write(&format, samples, SAMPLE_COUNT,
                "\"a,b\",n\nplain,0\n\"\",10\n,20\n\"a,b\",30\n\"say \"\"hi\"\"\",40\n"
                "\"tab\tline\nend\r\",50\nback\\slash,60\n\\N,70\npipe|,80\n");
    format.has_header = false;
    format.forces_quotes = true;
    check_write(&format, samples, 3, "\"plain\",\"0\"\n\"\",\"10\"\n,\"20\"\n");
    format.quote_escape = '\\';
    check_write(&format, samples + 4, 1, "\"say \\\"hi\\\"\",\"0\"\n");
}
END_TEST

START_TEST(redshift_text)
{
    CopyFormat format = copy_format_redshift_text();
    check_write(&format, samples + 8, 1, "pipe||0\n"); // without ESCAPE nothing is protected
    format.escape_kind = COPY_ESCAPE_PLAIN;
    check_write(&format, samples + 5, 4,
                "tab\tline\\\nend\\\r|0\nback\\\\slash|10\n\\\\N|20\npipe\\||30\n");
}
END_TEST

START_TEST(delimiters_inside_numbers)
{
    CopyFormat format = copy_format_postgres_csv();
    format.delimiter[0] = '0';
    check_write(&format, samples, 3, "plain0\"0\"\n\"\"0\"10\"\n0\"20\"\n");
}
END_TEST

START_TEST(frames_and_pieces)
{
    CopyFormat format = copy_format_postgres_text();
    Batch batch = make_batch(samples, 3);
    CopyWriter *writer = copy_writer_create(&format, types, 2, 'd', arena);
    uint32_t next = 0;
    for (uint32_t piece = 1; piece <= 3; piece++) {
        ck_assert_ok(copy_writer_batch(writer, &batch, next, 1, &out, &next));
        ck_assert_uint_eq(next, piece);
    }
    static const char expected[] = "d\0\0\0\14plain\t0\nd\0\0\0\10\t10\nd\0\0\0\12\\N\t20\n";
    ck_assert_uint_eq(out.bytes, sizeof(expected) - 1);
    ck_assert_mem_eq(out.data, expected, out.bytes);
}
END_TEST

START_TEST(selected_rows)
{
    CopyFormat format = copy_format_postgres_text();
    Batch batch = make_batch(samples, 5);
    static const uint16_t rows[] = {1, 4};
    batch.selection = rows;
    batch.selected_count = 2;
    CopyWriter *writer = copy_writer_create(&format, types, 2, 0, arena);
    uint32_t next;
    ck_assert_ok(copy_writer_batch(writer, &batch, 0, SIZE_MAX, &out, &next));
    ck_assert_uint_eq(out.bytes, 16);
    ck_assert_mem_eq(out.data, "\t10\nsay \"hi\"\t40\n", 16);
}
END_TEST

START_TEST(full_buffer)
{
    CopyFormat format = copy_format_postgres_text();
    Batch batch = make_batch(samples, 5);
    CopyWriter *writer = copy_writer_create(&format, types, 2, 0, arena);
    uint32_t next;
    byte_buffer_deinit(&out);
    byte_buffer_init(&out, 230); // room for some of the rows
    assert_fails(copy_writer_batch(writer, &batch, 0, SIZE_MAX, &out, &next), "54000", "");
    ck_assert_ok(byte_buffer_status(&out)); // usable: it ends with a whole row
}
END_TEST

/* Random texts through writer and reader, in every style. */
START_TEST(round_trip)
{
    CopyFormat formats[] = {copy_format_postgres_text(), copy_format_postgres_csv(),
                            copy_format_redshift_text()};
    formats[2].escape_kind = COPY_ESCAPE_PLAIN;
    const CopyFormat *format = &formats[_i];
    CopyColumn columns[] = {{.name = "a", .type = types[0]}, {.name = "n", .type = types[1]}};
    for (int round = 0; round < 30; round++) {
        const char *texts[200];
        for (int i = 0; i < 200; i++) {
            uint8_t *text =
                random_text(&generator, "ab,|\t\n\r\"\\N.'\b", random_below(&generator, 12));
            texts[i] = random_below(&generator, 5) == 0 ? NULL : arena_strdup(arena, (char *)text);
            free(text);
        }
        Batch batch = make_batch(texts, 200);
        CopyWriter *writer = copy_writer_create(format, types, 2, 0, arena);
        uint32_t next;
        byte_buffer_clear(&out);
        ck_assert_ok(copy_writer_batch(writer, &batch, 0, SIZE_MAX, &out, &next));
        byte_buffer_add(&out, (uint8_t[64]){0}, 64);
        CopyReader *reader;
        ck_assert_ok(copy_reader_create(format, columns, 2, &(CopyReaderOptions){.table_name = "t"},
                                        arena, &reader));
        copy_reader_block(reader, out.data, out.bytes - 64, 1);
        Batch back;
        bool is_done;
        ck_assert_ok(copy_reader_next(reader, &back, &is_done));
        ck_assert_uint_eq(back.row_count, 200);
        for (uint32_t row = 0; row < 200; row++) {
            Value value = vector_value(&back.columns[0], row);
            ck_assert_int_eq(value.is_null, texts[row] == NULL);
            if (!value.is_null) {
                ck_assert_uint_eq(value.text.length, strlen(texts[row]));
                ck_assert_mem_eq(text_view_data(&value.text), texts[row], value.text.length);
            }
            ck_assert_int_eq(vector_int64(&back.columns[1], row), (int64_t)row * 10);
        }
        arena_reset(arena);
    }
}
END_TEST

START_TEST(padded_char)
{
    CopyFormat format = copy_format_postgres_csv();
    Batch batch = make_batch((const char *const[]){"ab", "a,b", NULL}, 3);
    Type padded[] = {type_char(4), type_of(TYPE_BIGINT)};
    batch.columns[0].type = padded[0];
    CopyWriter *writer = copy_writer_create(&format, padded, 2, 0, arena);
    uint32_t next;
    ck_assert_ok(copy_writer_batch(writer, &batch, 0, SIZE_MAX, &out, &next));
    byte_buffer_add_u8(&out, 0);
    ck_assert_str_eq((const char *)out.data, "ab  ,0\n\"a,b \",10\n,20\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("csv_writer");
    TCase *tcase = tcase_create("rows");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, postgres_text);
    tcase_add_test(tcase, postgres_csv);
    tcase_add_test(tcase, redshift_text);
    tcase_add_test(tcase, delimiters_inside_numbers);
    tcase_add_test(tcase, frames_and_pieces);
    tcase_add_test(tcase, selected_rows);
    tcase_add_test(tcase, full_buffer);
    tcase_add_loop_test(tcase, round_trip, 0, 3);
    tcase_add_test(tcase, padded_char);
    suite_add_tcase(suite, tcase);
    return suite_main(suite);
}
