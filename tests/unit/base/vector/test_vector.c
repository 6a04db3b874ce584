/* Suite of base/vector/vector.c and vector_convert.c: values in and out, flatten, widen, gather. */
#include <string.h>

#include "base/vector/vector.h"
#include "tests/support/check_status.h"
#include "tests/support/column_cases.h"

static Arena *arena, *buffer_arena;
static VectorBuffer buffer;

static void setup(void)
{
    arena = arena_create(NULL, "test");
    buffer_arena = arena_create(NULL, "buffers");
    vector_buffer_init(&buffer, buffer_arena);
}

static void teardown(void)
{
    arena_destroy(arena);
    arena_destroy(buffer_arena);
}

static void make_case(uint32_t index, ColumnCase *column)
{
    arena_reset(arena);
    column_case_make(index, index, arena, column);
}

/* Ascending rows, each with a chance of one in `one_in`. */
static uint32_t random_selection(uint32_t row_count, uint32_t one_in, uint64_t *state,
                                 uint16_t *rows)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        if (test_random(state) % one_in == 0) {
            rows[count++] = (uint16_t)i;
        }
    }
    return count;
}

START_TEST(reads_every_value)
{
    ColumnCase column;
    for (uint32_t i = 0; i < column_case_count(); i++) {
        make_case(i, &column);
        assert_column(&column.vector, &column, NULL, column.row_count);
        for (uint32_t row = 0; row < column.row_count; row++) {
            if (vector_is_null(&column.vector, row) != column.values[row].is_null) {
                ck_abort_msg("%s", column.name);
            }
        }
    }
}
END_TEST

START_TEST(flattens_and_widens)
{
    ColumnCase column;
    for (uint32_t level = 0; kernel_levels_next(&level);) {
        for (uint32_t i = 0; i < column_case_count(); i++) {
            make_case(i, &column);
            Vector out;
            vector_flatten(&column.vector, column.row_count, NULL, column.row_count, &buffer, &out);
            ck_assert_int_eq(out.form, VECTOR_FLAT);
            assert_column(&out, &column, NULL, column.row_count);
            vector_widen(&column.vector, column.row_count, NULL, column.row_count, &buffer, &out);
            assert_column(&out, &column, NULL, column.row_count);
            ck_assert_int_eq(out.form, VECTOR_FLAT);
            ck_assert_int_eq(out.base, 0);
            Lane wanted = type_is_scaled_integer(out.type) ? LANE_I64 : type_widest_lane(out.type);
            ck_assert_int_eq(out.lane, wanted);
        }
    }
}
END_TEST

START_TEST(flattens_and_widens_selected_rows_in_place)
{
    ColumnCase column;
    uint16_t rows[VECTOR_ROWS];
    uint64_t state = 7;
    for (uint32_t i = 0; i < column_case_count(); i++) {
        make_case(i, &column);
        for (uint32_t one_in = 2; one_in <= 40; one_in += 19) {
            uint32_t count = random_selection(column.row_count, one_in, &state, rows);
            Vector out = column.vector;
            vector_flatten(&out, column.row_count, rows, count, &buffer, &out);
            vector_widen(&out, column.row_count, rows, count, &buffer, &out);
            for (uint32_t row = 0; row < count; row++) {
                Value value = vector_value(&out, rows[row]);
                if (!value_equal(&value, &column.values[rows[row]])) {
                    ck_abort_msg("%s", column.name);
                }
            }
        }
    }
}
END_TEST

START_TEST(gathers_rows_in_any_order)
{
    ColumnCase column;
    uint16_t rows[VECTOR_ROWS];
    uint64_t state = 3;
    for (uint32_t level = 0; kernel_levels_next(&level);) {
        for (uint32_t i = 0; i < column_case_count(); i++) {
            make_case(i, &column);
            if (column.row_count == 0) {
                continue;
            }
            for (uint32_t row = 0; row < column.row_count; row++) {
                rows[row] = (uint16_t)(test_random(&state) % column.row_count);
            }
            Vector out, again;
            vector_gather(&column.vector, rows, column.row_count, &buffer, &out);
            ck_assert_int_eq(out.form, column.vector.form);
            assert_column(&out, &column, rows, column.row_count);
            // a second gather out of the same buffer
            uint16_t composed[VECTOR_ROWS];
            for (uint32_t row = 0; row < column.row_count; row++) {
                composed[row] = rows[rows[row]];
            }
            vector_gather(&out, rows, column.row_count, &buffer, &again);
            assert_column(&again, &column, composed, column.row_count);
        }
    }
}
END_TEST

START_TEST(closes_gaps)
{
    static const uint32_t gap_in[] = {1, 2, 9, 64, 100, 2000};
    ColumnCase column;
    RowMask mask;
    uint16_t rows[VECTOR_ROWS + 32];
    uint64_t state = 5;
    uint32_t closed_count = 0;
    for (uint32_t level = 0; kernel_levels_next(&level);) {
        for (uint32_t i = 0; i < column_case_count(); i++) {
            make_case(i, &column);
            for (size_t g = 0; g < sizeof gap_in / sizeof *gap_in; g++) {
                row_mask_set_first(&mask, column.row_count);
                for (uint32_t row = 0; row < column.row_count; row++) {
                    if (test_random(&state) % gap_in[g] == 0) {
                        validity_clear(mask.words, row);
                    }
                }
                uint32_t kept = row_mask_to_selection(&mask, column.row_count, rows);
                Vector out;
                const bool is_closed =
                    vector_close_gaps(&column.vector, mask.words, column.row_count, &buffer, &out);
                const bool is_wide = lane_bytes((Lane)column.vector.lane) > 8;
                ck_assert_int_eq(is_closed, column.vector.validity == NULL && !is_wide);
                if (is_closed) {
                    ck_assert_int_eq(out.form, column.vector.form);
                    assert_column(&out, &column, rows, kept);
                    closed_count++;
                }
            }
        }
    }
    ck_assert_uint_gt(closed_count, 0);
}
END_TEST

START_TEST(gathers_runs_and_keeps_the_order_known)
{
    ColumnCase column;
    uint16_t rows[VECTOR_ROWS];
    uint64_t state = 5;
    for (uint32_t i = 0; i < column_case_count(); i++) {
        make_case(i, &column);
        uint32_t count = random_selection(column.row_count, 2, &state, rows);
        Vector out, source = column.vector;
        source.is_ascending = true;
        if (count > 0) {
            vector_gather(&source, rows, count, &buffer, &out);
            assert_column(&out, &column, rows, count);
            ck_assert(out.is_ascending);
            rows[0] = (uint16_t)(column.row_count - 1);
            vector_gather(&source, rows, count, &buffer, &out);
            assert_column(&out, &column, rows, count);
            ck_assert_int_eq(out.is_ascending,
                             source.form == VECTOR_CONSTANT || count == 1 || rows[0] <= rows[1]);
        }
        for (uint32_t row = 0; row < column.row_count / 2; row++) {
            rows[row] = (uint16_t)(row + column.row_count / 3); // one run
        }
        vector_gather(&column.vector, rows, column.row_count / 2, &buffer, &out);
        assert_column(&out, &column, rows, column.row_count / 2);
    }
}
END_TEST

START_TEST(gather_then_flatten_in_one_buffer)
{
    ColumnCase column;
    uint16_t rows[VECTOR_ROWS];
    for (uint32_t i = 0; i < column_case_count(); i++) {
        make_case(i, &column);
        for (uint32_t row = 0; row < column.row_count; row++) {
            rows[row] = (uint16_t)(column.row_count - 1 - row);
        }
        Vector out;
        vector_gather(&column.vector, rows, column.row_count, &buffer, &out);
        vector_widen(&out, column.row_count, NULL, column.row_count, &buffer, &out);
        assert_column(&out, &column, rows, column.row_count);
    }
}
END_TEST

START_TEST(a_dictionary_without_entries_is_all_null)
{
    static const uint8_t codes[VECTOR_ROWS + 64] = {200, 3, 255};
    static const uint64_t validity[VALIDITY_WORDS];
    static const Dictionary dictionary = {.lane = LANE_TEXT};
    Vector vector = {.type = type_varchar(10),
                     .lane = LANE_U8,
                     .form = VECTOR_DICTIONARY,
                     .validity = validity,
                     .data = codes,
                     .dictionary = &dictionary};
    Vector out;
    vector_flatten(&vector, VECTOR_ROWS, NULL, VECTOR_ROWS, &buffer, &out);
    for (uint32_t row = 0; row < VECTOR_ROWS; row++) {
        ck_assert(vector_value(&out, row).is_null);
    }
}
END_TEST

START_TEST(lays_text_out_as_two_words)
{
    char text[40];
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)('a' + i % 26);
    }
    for (size_t bytes = 0; bytes <= sizeof text; bytes++) {
        TextView view = text_view_make(text, bytes);
        char wanted[16] = {0};
        uint32_t length = (uint32_t)bytes;
        const char *data = text;
        memcpy(wanted, &length, 4);
        memcpy(wanted + 4, text, bytes <= 12 ? bytes : 4);
        if (bytes > 12) {
            memcpy(wanted + 8, &data, 8);
        }
        ck_assert_mem_eq(&view, wanted, 16);
        ck_assert_mem_eq(text_view_data(&view), text, bytes);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        reads_every_value,
        flattens_and_widens,
        flattens_and_widens_selected_rows_in_place,
        gathers_rows_in_any_order,
        closes_gaps,
        gathers_runs_and_keeps_the_order_known,
        gather_then_flatten_in_one_buffer,
        a_dictionary_without_entries_is_all_null,
        lays_text_out_as_two_words,
    };
    Suite *suite = suite_create("vector");
    TCase *forms = tcase_create("forms");
    tcase_add_checked_fixture(forms, setup, teardown);
    tcase_set_timeout(forms, 60);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        tcase_add_test(forms, tests[i]);
    }
    suite_add_tcase(suite, forms);
    return suite_main(suite);
}
