/* Suite of base/vector/batch_builder.c and batch_memory.c: gathered rows, shared batches, refusals.
 */
#include <stdio.h>
#include <string.h>

#include "base/vector/batch.h"
#include "tests/support/check_status.h"
#include "tests/support/column_cases.h"

enum { KINDS = 17, APPENDS_MAX = 64 };

static Arena *arena;
static TestMemory memory;

static void setup(void)
{
    arena = arena_create(NULL, "test");
    memory = test_memory_create(0);
}

static void teardown(void)
{
    test_memory_destroy(&memory);
    arena_destroy(arena);
}

/* As ck_assert_ok, which writes a mark to a file each time: too slow for inner loops. */
static void must(Status status)
{
    if (status != STATUS_OK) {
        ck_abort_msg("%s", status_message(status));
    }
}

/* Appends random rows of columns of one kind in any form, and compares what comes out. */
static void check_kind(uint32_t kind, uint32_t rows_max, uint64_t seed)
{
    ColumnCase *column = ARENA_NEW(arena, ColumnCase), *gathered = ARENA_NEW(arena, ColumnCase);
    uint64_t state = seed;
    BatchBuilder *builder = NULL;
    gathered->row_count = 0;
    for (uint32_t append = 0; append < APPENDS_MAX; append++) {
        uint32_t form_and_nulls = (uint32_t)(test_random(&state) % 12);
        column_case_make_rows(kind + KINDS * form_and_nulls, 1 + test_random(&state) % 300,
                              test_random(&state), arena, column);
        if (builder == NULL) {
            memcpy(gathered->name, column->name, sizeof gathered->name);
            gathered->vector.type = column->vector.type;
            builder = batch_builder_create(memory.budget, &column->vector.type, 1, rows_max);
        }
        uint16_t rows[400];
        uint32_t count = (uint32_t)(test_random(&state) % 400);
        for (uint32_t i = 0; i < count; i++) {
            rows[i] = (uint16_t)(test_random(&state) % column->row_count);
        }
        Batch batch = {.row_count = column->row_count,
                       .selected_count = column->row_count,
                       .column_count = 1,
                       .columns = &column->vector};
        for (uint32_t done = 0, taken; done < count; done += taken) {
            must(batch_builder_append(builder, &batch, rows + done, count - done, &taken));
            for (uint32_t i = 0; i < taken; i++) {
                gathered->values[gathered->row_count++] = column->values[rows[done + i]];
            }
            if (batch_builder_row_count(builder) != gathered->row_count) {
                ck_abort_msg("%s: row count", gathered->name);
            }
            if (taken < count - done || append + 1 == APPENDS_MAX) {
                SharedBatch *shared = NULL;
                must(batch_builder_take(builder, &shared));
                if (shared->batch.row_count != gathered->row_count ||
                    shared->batch.selected_count != gathered->row_count) {
                    ck_abort_msg("%s: rows taken", gathered->name);
                }
                assert_column(&shared->batch.columns[0], gathered, NULL, gathered->row_count);
                gathered->row_count = 0;
                shared_batch_unpin(shared);
            }
        }
    }
    batch_builder_destroy(builder);
}

START_TEST(gathers_rows_of_every_type_and_form)
{
    uint64_t seed = 11;
    for (uint32_t level = 0; kernel_levels_next(&level);) {
        for (uint32_t kind = 0; kind < KINDS; kind++) {
            check_kind(kind, VECTOR_ROWS, ++seed);
            check_kind(kind, 100, ++seed);
            check_kind(kind, 1, ++seed);
            arena_reset(arena);
        }
    }
}
END_TEST

/* Codes of one dictionary and of another, too many entries, and rows without codes. */
START_TEST(keeps_texts_as_codes_while_they_are_few)
{
    enum { ENTRIES = 300 };
    static char texts[ENTRIES][32];
    TextView entries[ENTRIES + 4];
    uint16_t codes[VECTOR_ROWS + 32], rows[VECTOR_ROWS];
    for (uint32_t i = 0; i < ENTRIES; i++) {
        snprintf(texts[i], sizeof texts[i], "entry number %u of many", i);
        entries[i] = text_view_make(texts[i], strlen(texts[i]));
    }
    for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
        codes[i] = (uint16_t)(i * 7 % ENTRIES);
        rows[i] = (uint16_t)i;
    }
    Type type = type_varchar(40);
    Dictionary dictionary = {.lane = LANE_TEXT,
                             .entry_count = ENTRIES,
                             .entries = entries,
                             .is_unique = true,
                             .identity = 5};
    Dictionary other = dictionary;
    other.identity = 6;
    Vector vector = {.type = type,
                     .lane = LANE_U16,
                     .form = VECTOR_DICTIONARY,
                     .data = codes,
                     .dictionary = &dictionary};
    Batch batch = {.row_count = VECTOR_ROWS,
                   .selected_count = VECTOR_ROWS,
                   .column_count = 1,
                   .columns = &vector};
    BatchBuilder *builder = batch_builder_create(memory.budget, &type, 1, VECTOR_ROWS);
    for (uint32_t round = 0; round < 4; round++) {
        const uint32_t first = round == 2 ? 290 : 100, second = 60;
        SharedBatch *shared;
        uint32_t taken;
        vector.dictionary = &dictionary;
        ck_assert_ok(batch_builder_append(builder, &batch, rows, first, &taken));
        vector.dictionary = round == 1 ? &other : &dictionary;
        vector.form = round == 3 ? VECTOR_FLAT : VECTOR_DICTIONARY;
        vector.lane = round == 3 ? LANE_TEXT : LANE_U16;
        vector.data = round == 3 ? (const void *)entries : (const void *)codes;
        ck_assert_ok(batch_builder_append(builder, &batch, rows, second, &taken));
        ck_assert_ok(batch_builder_take(builder, &shared));
        const Vector *out = &shared->batch.columns[0];
        ck_assert_int_eq(out->form, round < 2 ? VECTOR_DICTIONARY : VECTOR_FLAT);
        for (uint32_t i = 0; i < first + second; i++) {
            const uint32_t row = i < first ? i : i - first;
            const bool is_flat = round == 3 && i >= first;
            const TextView view = vector_text(out, i);
            const char *expected = texts[is_flat ? row : codes[row]];
            ck_assert_uint_eq(view.length, strlen(expected));
            ck_assert_mem_eq(text_view_data(&view), expected, view.length);
        }
        if (round < 2) {
            ck_assert_int_eq(out->dictionary->is_unique, round == 0);
            ck_assert_uint_eq(out->dictionary->entry_count, round == 0 ? 100 : 160);
        }
        shared_batch_unpin(shared);
        vector = (Vector){.type = type,
                          .lane = LANE_U16,
                          .form = VECTOR_DICTIONARY,
                          .data = codes,
                          .dictionary = &dictionary};
    }
    batch_builder_destroy(builder);
}
END_TEST

START_TEST(keeps_integers_narrow_and_widens_when_needed)
{
    Type type = type_of(TYPE_BIGINT);
    uint8_t bytes[64 + 64] = {0};
    int64_t wide[64 + 64];
    uint16_t rows[64];
    for (uint32_t i = 0; i < 64; i++) {
        bytes[i] = (uint8_t)i;
        wide[i] = INT64_C(1) << i % 63;
        rows[i] = (uint16_t)i;
    }
    Vector narrow = {
        .type = type, .lane = LANE_U8, .base = 900, .lo = 900, .hi = 963, .data = bytes};
    Vector large = {.type = type, .lane = LANE_I64, .lo = 1, .hi = INT64_C(1) << 62, .data = wide};
    Batch batch = {.row_count = 64, .selected_count = 64, .column_count = 1, .columns = &narrow};
    BatchBuilder *builder = batch_builder_create(memory.budget, &type, 1, VECTOR_ROWS);
    SharedBatch *shared;
    uint32_t taken;
    ck_assert_ok(batch_builder_append(builder, &batch, rows, 64, &taken));
    ck_assert_ok(batch_builder_take(builder, &shared));
    ck_assert_int_eq(shared->batch.columns[0].lane, LANE_U8);
    ck_assert_int_eq(shared->batch.columns[0].lo, 900);
    ck_assert_int_eq(shared->batch.columns[0].hi, 963);
    shared_batch_unpin(shared);
    ck_assert_ok(batch_builder_append(builder, &batch, rows, 64, &taken));
    batch.columns = &large;
    ck_assert_ok(batch_builder_append(builder, &batch, rows, 64, &taken));
    ck_assert_ok(batch_builder_take(builder, &shared));
    const Vector *column = &shared->batch.columns[0];
    ck_assert_int_eq(column->lane, LANE_I64);
    for (uint32_t i = 0; i < 64; i++) {
        ck_assert_int_eq(vector_int64(column, i), 900 + i);
        ck_assert_int_eq(vector_int64(column, 64 + i), wide[i]);
    }
    shared_batch_unpin(shared);
    batch_builder_destroy(builder);
}
END_TEST

START_TEST(an_empty_builder_gives_nothing)
{
    Type type = type_of(TYPE_INTEGER);
    BatchBuilder *builder = batch_builder_create(memory.budget, &type, 1, 10);
    SharedBatch *shared = (SharedBatch *)1;
    ck_assert_ok(batch_builder_take(builder, &shared));
    ck_assert_ptr_null(shared);
    shared_batch_unpin(shared);
    batch_builder_destroy(builder);
}
END_TEST

START_TEST(a_pinned_batch_outlives_its_builder)
{
    ColumnCase column;
    column_case_make_rows(13, 200, 5, arena, &column); // flat texts
    uint16_t rows[200];
    for (uint32_t i = 0; i < 200; i++) {
        rows[i] = (uint16_t)i;
    }
    BatchBuilder *builder = batch_builder_create(memory.budget, &column.vector.type, 1, 200);
    Batch batch = {
        .row_count = 200, .selected_count = 200, .column_count = 1, .columns = &column.vector};
    uint32_t taken;
    SharedBatch *shared;
    ck_assert_ok(batch_builder_append(builder, &batch, rows, 200, &taken));
    ck_assert_ok(batch_builder_take(builder, &shared));
    batch_builder_destroy(builder);
    ck_assert_ptr_eq(shared_batch_pin(shared), shared);
    shared_batch_unpin(shared);
    assert_column(&shared->batch.columns[0], &column, NULL, 200);
    ck_assert_uint_ge(memory_budget_used_bytes(memory.budget), shared->bytes);
    shared_batch_unpin(shared);
    ck_assert_uint_eq(memory_budget_used_bytes(memory.budget), 0);
}
END_TEST

START_TEST(a_refusal_is_told_and_loses_no_memory)
{
    ColumnCase column;
    uint16_t rows[VECTOR_ROWS];
    for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
        rows[i] = (uint16_t)i;
    }
    for (size_t limit = 1024; limit <= (256 << 10); limit *= 2) {
        MemoryBudget *budget = memory_budget_create(memory.pool, memory.budget, "small", limit);
        for (uint32_t kind = 0; kind < KINDS; kind++) {
            column_case_make_rows(kind, VECTOR_ROWS, kind, arena, &column);
            BatchBuilder *builder =
                batch_builder_create(budget, &column.vector.type, 1, VECTOR_ROWS);
            Batch batch = {.row_count = VECTOR_ROWS,
                           .selected_count = VECTOR_ROWS,
                           .column_count = 1,
                           .columns = &column.vector};
            uint32_t taken;
            SharedBatch *shared = NULL;
            Status status = batch_builder_append(builder, &batch, rows, VECTOR_ROWS, &taken);
            if (status == STATUS_OK) {
                status = batch_builder_take(builder, &shared);
            }
            if (status != STATUS_OK) {
                ck_assert_int_eq(status_sqlstate(status), SQLSTATE_OUT_OF_MEMORY);
                status_free(status);
            } else {
                assert_column(&shared->batch.columns[0], &column, NULL, VECTOR_ROWS);
                shared_batch_unpin(shared);
            }
            batch_builder_destroy(builder);
            ck_assert_uint_eq(memory_budget_used_bytes(budget), 0);
        }
        memory_budget_destroy(budget);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("batch_builder");
    TCase *rows = tcase_create("rows");
    tcase_add_checked_fixture(rows, setup, teardown);
    tcase_set_timeout(rows, 60);
    tcase_add_test(rows, gathers_rows_of_every_type_and_form);
    tcase_add_test(rows, keeps_integers_narrow_and_widens_when_needed);
    tcase_add_test(rows, keeps_texts_as_codes_while_they_are_few);
    tcase_add_test(rows, an_empty_builder_gives_nothing);
    tcase_add_test(rows, a_pinned_batch_outlives_its_builder);
    tcase_add_test(rows, a_refusal_is_told_and_loses_no_memory);
    suite_add_tcase(suite, rows);
    return suite_main(suite);
}
