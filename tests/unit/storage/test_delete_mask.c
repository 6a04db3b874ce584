/* test_delete_mask.c — sets of deleted rows in all three forms against plain bitmaps; unions,
 * intersections, histories by position. */
#include "delete_sets.h"
#include "storage/delete_history.h"

static PagePool *pool;
static MemoryBudget *budget;
static Random random_state;

static void setup(void)
{
    must(page_pool_create(&pool, (size_t)256 << 20));
    budget = memory_budget_create(pool, NULL, "test", 0);
    random_state.state = 4711;
}

static void teardown(void)
{
    ck_assert_uint_eq(memory_budget_used_bytes(budget), 0);
    memory_budget_destroy(budget);
    page_pool_destroy(pool);
}

START_TEST(forms_keep_the_rows)
{
    Bitmap bitmap, back = {{0}};
    make_bitmap(&bitmap, (uint32_t)_i, &random_state);
    DeletedRows *rows = rows_of(&bitmap, budget);
    deleted_rows_add_to(rows, back.words);
    ck_assert_int_eq(memcmp(&bitmap, &back, sizeof back), 0);
    ck_assert_uint_eq(rows->row_count, bitmap_count(&bitmap));
    ck_assert(validity_get(bitmap.words, rows->row_end - 1));
    for (uint32_t row = 0; row < 65536; row++) {
        EXPECT(deleted_rows_has(rows, row) == validity_get(bitmap.words, row), "row %u", row);
        EXPECT(row < rows->row_end || !validity_get(bitmap.words, row), "end %u", rows->row_end);
    }
    deleted_rows_unpin(rows);
}
END_TEST

START_TEST(scans_get_bitmaps)
{
    Bitmap bitmap, scratch;
    make_bitmap(&bitmap, (uint32_t)_i, &random_state);
    DeletedRows *rows = rows_of(&bitmap, budget);
    const size_t before = memory_budget_used_bytes(budget);
    const uint64_t *words = deleted_rows_words(rows, scratch.words);
    ck_assert_int_eq(memcmp(&bitmap, words, sizeof bitmap), 0);
    const size_t kept = memory_budget_used_bytes(budget) - before;
    ck_assert_uint_eq(kept, words == scratch.words || words == rows->items ? 0 : sizeof bitmap);
    ck_assert(rows->item_count < 64 || words != scratch.words); // is worth keeping
    ck_assert_ptr_eq(deleted_rows_words(rows, scratch.words), words);
    ck_assert_uint_eq(memory_budget_used_bytes(budget), before + kept);
    deleted_rows_unpin(rows);
}
END_TEST

START_TEST(the_smallest_form_is_chosen)
{
    static const DeleteForm forms[SHAPES] = {
        DELETE_FORM_LIST, DELETE_FORM_LIST, DELETE_FORM_RUNS,   DELETE_FORM_RUNS,
        DELETE_FORM_RUNS, DELETE_FORM_RUNS, DELETE_FORM_BITMAP, DELETE_FORM_BITMAP,
        DELETE_FORM_RUNS, DELETE_FORM_RUNS, DELETE_FORM_LIST,   DELETE_FORM_LIST,
        DELETE_FORM_LIST, DELETE_FORM_LIST};
    Bitmap bitmap;
    make_bitmap(&bitmap, (uint32_t)_i, &random_state);
    DeletedRows *rows = rows_of(&bitmap, budget);
    ck_assert_int_eq(rows->form, forms[_i]);
    ck_assert_uint_le(rows->item_count * delete_form_item_bytes(rows->form), 8192);
    deleted_rows_unpin(rows);
}
END_TEST

START_TEST(vectors_lose_their_deleted_rows)
{
    Bitmap bitmap;
    make_bitmap(&bitmap, (uint32_t)_i, &random_state);
    DeletedRows *rows = rows_of(&bitmap, budget);
    for (uint32_t first = 0; first < 65536; first += _i % 2 == 0 ? 1024 : 64) {
        RowMask mask;
        memset(&mask, 0xff, sizeof mask);
        deleted_rows_clear(rows, first, &mask);
        for (uint32_t i = 0; i < 1024 && first + i < 65536; i++) {
            EXPECT(validity_get(mask.words, i) != validity_get(bitmap.words, first + i), "row %u",
                   first + i);
        }
    }
    deleted_rows_unpin(rows);
}
END_TEST

START_TEST(unions_and_intersections)
{
    const uint32_t left_groups = 1 + (uint32_t)_i % 7, right_groups = 1 + (uint32_t)_i % 5;
    DeleteMask *left = make_mask(left_groups, (uint32_t)_i, &random_state, budget);
    DeleteMask *right = make_mask(right_groups, (uint32_t)_i * 3 + 1, &random_state, budget);
    DeleteMask *both, *same;
    bool do_meet = false;
    uint64_t count = 0;
    must(delete_mask_union(left, right, budget, &both));
    for (uint32_t g = 0; g < FORMAT_ROWSET_ROW_GROUPS; g++) {
        Bitmap a, b, c;
        group_bitmap(left, g, &a);
        group_bitmap(right, g, &b);
        group_bitmap(both, g, &c);
        for (uint32_t i = 0; i < DELETE_GROUP_WORDS; i++) {
            EXPECT(c.words[i] == (a.words[i] | b.words[i]), "group %u word %u", g, i);
            do_meet |= (a.words[i] & b.words[i]) != 0;
        }
        count += bitmap_count(&c);
        const DeletedRows *one = delete_mask_group(left, g);
        EXPECT(one == NULL || delete_mask_group(right, g) != NULL ||
                   delete_mask_group(both, g) == one,
               "group %u is copied", g);
    }
    ck_assert_uint_eq(both->row_count, count);
    ck_assert(delete_mask_intersects(left, right) == do_meet);
    ck_assert(delete_mask_intersects(right, left) == do_meet);
    ck_assert(delete_mask_intersects(both, left));
    must(delete_mask_union(NULL, left, budget, &same));
    ck_assert_ptr_eq(same, left);
    delete_mask_unpin(same);
    delete_mask_unpin(left);
    delete_mask_unpin(right);
    delete_mask_unpin(both);
}
END_TEST

START_TEST(disjoint_sets_do_not_meet)
{
    Bitmap bitmap, other;
    for (uint32_t shape = 0; shape < SHAPES; shape++) {
        DeletedRows *one[1], *rest[1];
        DeleteMask *left, *right;
        make_bitmap(&bitmap, shape, &random_state);
        bool has_rest = false;
        for (uint32_t i = 0; i < DELETE_GROUP_WORDS; i++) {
            other.words[i] = ~bitmap.words[i];
            has_rest |= other.words[i] != 0;
        }
        if (!has_rest) {
            continue;
        }
        one[0] = rows_of(&bitmap, budget);
        rest[0] = rows_of(&other, budget);
        must(delete_mask_create(one, 1, &left));
        must(delete_mask_create(rest, 1, &right));
        EXPECT(!delete_mask_intersects(left, right), "shape %u", shape);
        EXPECT(!delete_mask_intersects(right, left), "shape %u", shape);
        delete_mask_unpin(left);
        delete_mask_unpin(right);
    }
}
END_TEST

static DeleteMask *mask_of_row(uint32_t row)
{
    Bitmap bitmap = {{0}};
    DeletedRows *rows[1];
    DeleteMask *mask;
    validity_set(bitmap.words, row);
    rows[0] = rows_of(&bitmap, budget);
    must(delete_mask_create(rows, 1, &mask));
    return mask;
}

/* Row p is deleted at position p; whatever the order, a reader sees rows up to its position. */
START_TEST(histories_take_any_order)
{
    uint64_t positions[40];
    DeleteHistory *history = NULL, *next;
    for (uint32_t i = 0; i < 40; i++) {
        positions[i] = 2 * i + 2;
    }
    for (uint32_t i = 39; i > 0 && _i > 0; i--) {
        const uint32_t k = random_below(&random_state, i + 1);
        const uint64_t kept = positions[i];
        positions[i] = positions[k];
        positions[k] = kept;
    }
    for (uint32_t i = 0; i < 40; i++) {
        for (uint32_t half = 0; half < 2; half++) { // two deltas at each position
            DeleteMask *delta = mask_of_row((uint32_t)positions[i] * 10 + half);
            must(delete_history_with(history, positions[i], delta, budget, &next));
            delete_mask_unpin(delta);
            delete_history_unpin(history);
            history = next;
        }
    }
    ck_assert_uint_eq(history->version_count, 40);
    for (uint64_t at = 0; at < 90; at++) {
        const uint64_t seen = delete_mask_row_count(delete_history_at(history, at));
        EXPECT(seen == (at / 2 > 40 ? 80 : at / 2 * 2), "%llu at %llu", (unsigned long long)seen,
               (unsigned long long)at);
    }
    ck_assert_uint_eq(delete_history_superseded(history, 1), 0);
    ck_assert_uint_eq(delete_history_superseded(history, 3), 0);
    ck_assert_uint_eq(delete_history_superseded(history, 4), 1);
    ck_assert_uint_eq(delete_history_superseded(history, 1000), 39);
    next = delete_history_since(history, 10);
    ck_assert_uint_eq(next->version_count, 30);
    ck_assert_uint_eq(next->versions[0].blob_count, 22);
    ck_assert_uint_eq(next->versions[1].blob_count, 2);
    for (uint64_t at = 22; at < 90; at++) {
        ck_assert_ptr_eq(delete_history_at(next, at), delete_history_at(history, at));
    }
    delete_history_unpin(next);
    delete_history_unpin(history);
}
END_TEST

START_TEST(refused_memory_is_an_error)
{
    MemoryBudget *small = memory_budget_create(pool, budget, "small", 20000);
    DeletedRows *rows[4];
    Bitmap bitmap;
    make_bitmap(&bitmap, 7, &random_state); // 8 KiB
    uint32_t count = 0;
    Status status = STATUS_OK;
    for (; count < 4 && status == STATUS_OK; count++) {
        status = deleted_rows_from_bitmap(bitmap.words, small, &rows[count]);
    }
    ck_assert_uint_eq(count, 3);
    ck_assert_int_eq(status_sqlstate(status), SQLSTATE_OUT_OF_MEMORY);
    status_free(status);
    deleted_rows_unpin(rows[0]);
    deleted_rows_unpin(rows[1]);
    memory_budget_destroy(small);
}
END_TEST

START_TEST(refused_bitmaps_go_to_scratch)
{
    MemoryBudget *small = memory_budget_create(pool, budget, "small", 4096);
    Bitmap bitmap = {{0}}, scratch;
    for (uint32_t row = 0; row < 200; row++) {
        validity_set(bitmap.words, row * 300);
    }
    DeletedRows *rows = rows_of(&bitmap, small);
    const size_t before = memory_budget_used_bytes(small);
    ck_assert_ptr_eq(deleted_rows_words(rows, scratch.words), scratch.words);
    ck_assert_int_eq(memcmp(&bitmap, &scratch, sizeof bitmap), 0);
    ck_assert_uint_eq(memory_budget_used_bytes(small), before);
    deleted_rows_unpin(rows);
    memory_budget_destroy(small);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("delete_mask");
    TCase *tests = tcase_create("sets");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, forms_keep_the_rows, 0, SHAPES);
    tcase_add_loop_test(tests, scans_get_bitmaps, 0, SHAPES);
    tcase_add_loop_test(tests, the_smallest_form_is_chosen, 0, SHAPES);
    tcase_add_loop_test(tests, vectors_lose_their_deleted_rows, 0, SHAPES);
    tcase_add_loop_test(tests, unions_and_intersections, 0, 2 * SHAPES);
    tcase_add_test(tests, disjoint_sets_do_not_meet);
    tcase_add_loop_test(tests, histories_take_any_order, 0, 4);
    tcase_add_test(tests, refused_memory_is_an_error);
    tcase_add_test(tests, refused_bitmaps_go_to_scratch);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
