/* Suite of base/vector/batch.c and kernel_level.c: views, lazy columns, masks and selections. */
#include <string.h>

#include "base/vector/batch.h"
#include "base/vector/kernel_level.h"
#include "tests/support/check_status.h"
#include "tests/support/column_cases.h"

static void random_mask(RowMask *mask, uint32_t density, uint64_t *state)
{
    for (uint32_t i = 0; i < VALIDITY_WORDS; i++) {
        uint64_t word = test_random(state);
        mask->words[i] = density == 0   ? 0
                         : density == 1 ? word & test_random(state) & test_random(state)
                         : density == 2 ? word
                                        : UINT64_MAX;
    }
}

START_TEST(mask_to_selection_and_back)
{
    uint64_t state = 1;
    for (uint32_t level = 0; kernel_levels_next(&level);) {
        for (uint32_t row_count = 0; row_count <= VECTOR_ROWS; row_count++) {
            RowMask mask, back, wanted;
            uint16_t selection[VECTOR_ROWS];
            random_mask(&mask, row_count % 4, &state);
            uint32_t count = row_mask_to_selection(&mask, row_count, selection);
            uint32_t next = 0;
            for (uint32_t row = 0; row < row_count; row++) {
                if (validity_get(mask.words, row)) {
                    if (next >= count || selection[next] != row) {
                        ck_abort_msg("row %u of %u", row, row_count);
                    }
                    next++;
                }
            }
            ck_assert_uint_eq(next, count);
            row_mask_from_selection(&back, selection, count);
            row_mask_set_first(&wanted, row_count);
            for (uint32_t i = 0; i < VALIDITY_WORDS; i++) {
                wanted.words[i] &= mask.words[i];
            }
            ck_assert_mem_eq(&back, &wanted, sizeof back);
            ck_assert_uint_eq(row_mask_count(&back), count);
        }
    }
}
END_TEST

START_TEST(kernel_levels_are_chosen_by_name)
{
    ck_assert(kernel_level_select("auto"));
    ck_assert(!kernel_level_select("v9"));
    const char *best = kernel_level_name();
    ck_assert(kernel_level_select("portable"));
    ck_assert_str_eq(kernel_level_name(), "portable");
    ck_assert(kernel_level_select(best));
    ck_assert_str_eq(kernel_level_name(), best);
}
END_TEST

typedef struct CountingLoader {
    VectorLoader loader;
    const ColumnCase *column;
    uint32_t load_count;
    bool is_failing;
} CountingLoader;

static Status load_column(VectorLoader *self, Vector *vector, uint32_t row_count,
                          const uint16_t *selection, uint32_t selected_count)
{
    CountingLoader *loader = (CountingLoader *)self;
    (void)selection;
    (void)selected_count;
    loader->load_count++;
    if (loader->is_failing) {
        return status_error(SQLSTATE_DATA_CORRUPTED, "bad block");
    }
    ck_assert_uint_eq(row_count, loader->column->row_count);
    *vector = loader->column->vector;
    return STATUS_OK;
}

START_TEST(loads_a_lazy_column_once)
{
    Arena *arena = arena_create(NULL, "test");
    ColumnCase column;
    column_case_make_rows(2, 100, 1, arena, &column);
    CountingLoader loader = {.loader = {.load = load_column}, .column = &column};
    Batch batch;
    batch_init(&batch, 2, arena);
    batch.row_count = batch.selected_count = 100;
    batch.columns[0] = column.vector;
    batch.columns[1] = (Vector){.type = column.vector.type,
                                .form = VECTOR_LAZY,
                                .loader = &loader.loader};
    const Vector *loaded;
    loader.is_failing = true;
    ck_assert_state(batch_column(&batch, 1, &loaded), SQLSTATE_DATA_CORRUPTED);
    loader.is_failing = false;
    ck_assert_ok(batch_column(&batch, 1, &loaded));
    assert_column(loaded, &column, NULL, 100);
    ck_assert_ok(batch_load_all(&batch));
    ck_assert_uint_eq(loader.load_count, 2);
    Batch view;
    batch_init(&view, 1, arena);
    batch_set_view(&view, &batch);
    ck_assert_uint_eq(view.row_count, 100);
    assert_column(&view.columns[0], &column, NULL, 100);
    arena_destroy(arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("batch");
    suite_add_case(suite, "masks", mask_to_selection_and_back);
    suite_add_case(suite, "levels", kernel_levels_are_chosen_by_name);
    suite_add_case(suite, "lazy", loads_a_lazy_column_once);
    return suite_main(suite);
}
