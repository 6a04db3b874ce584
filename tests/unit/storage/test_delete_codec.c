/* test_delete_codec.c — masks as bytes: they come back, no flipped bit and no foreign bytes pass,
 * and bytes of every version stay readable. BASALT_GOLDEN_WRITE=1 writes a golden file that is
 * missing. */
#include "storage/delete_codec.h"
#include <stdio.h>
#include "base/hash.h"
#include "delete_sets.h"

static PagePool *pool;
static MemoryBudget *budget;
static Random random_state;
static const DeleteIdentity identity = {
    .cluster = 0x1122334455667788, .table_id = 10, .rowset_id = 77, .txn_id = 5, .statement = 3};

static void setup(void)
{
    must(page_pool_create(&pool, (size_t)256 << 20));
    budget = memory_budget_create(pool, NULL, "test", 0);
    random_state.state = 815;
}

static void teardown(void)
{
    ck_assert_uint_eq(memory_budget_used_bytes(budget), 0);
    memory_budget_destroy(budget);
    page_pool_destroy(pool);
}

static void expect_damage(const void *bytes, size_t byte_count, const DeleteIdentity *expected,
                          const char *part)
{
    DeleteMask *mask = NULL;
    Status status = delete_mask_decode(bytes, byte_count, expected, budget, &mask);
    EXPECT(status != STATUS_OK, "accepted");
    ck_assert_int_eq(status_sqlstate(status), SQLSTATE_DATA_CORRUPTED);
    EXPECT(strstr(status_message(status), part) != NULL, "%s", status_message(status));
    EXPECT(strstr(status_message(status), "table 10, rowset 7") != NULL, "%s",
           status_message(status));
    status_free(status);
}

static void expect_same(const DeleteMask *left, const DeleteMask *right)
{
    ck_assert_uint_eq(left->group_count, right->group_count);
    ck_assert_uint_eq(left->row_count, right->row_count);
    for (uint32_t g = 0; g < left->group_count; g++) {
        const DeletedRows *a = left->groups[g], *b = right->groups[g];
        ck_assert((a == NULL) == (b == NULL));
        if (a != NULL) {
            ck_assert_int_eq(a->form, b->form);
            ck_assert_uint_eq(a->item_count, b->item_count);
            ck_assert_uint_eq(a->row_end, b->row_end);
            ck_assert_uint_eq(a->row_count, b->row_count);
            ck_assert_int_eq(
                memcmp(a->items, b->items, a->item_count * delete_form_item_bytes(a->form)), 0);
        }
    }
}

START_TEST(masks_come_back)
{
    static const uint32_t sizes[] = {1, 2, 3, 14, 63, 64};
    DeleteMask *mask = make_mask(sizes[_i % 6], (uint32_t)_i, &random_state, budget);
    DeleteMask *back;
    ByteBuffer bytes;
    byte_buffer_init(&bytes, 0);
    must(delete_mask_encode(mask, &identity, &bytes));
    must(delete_mask_decode(bytes.data, bytes.bytes, &identity, budget, &back));
    expect_same(mask, back);
    byte_buffer_deinit(&bytes);
    delete_mask_unpin(mask);
    delete_mask_unpin(back);
}
END_TEST

START_TEST(every_flipped_bit_is_found)
{
    ByteBuffer bytes;
    DeletedRows *groups[3] = {NULL};
    DeleteMask *mask;
    Bitmap bitmap;
    byte_buffer_init(&bytes, 0);
    for (uint32_t i = 0; i < 3; i++) { // a list, runs, a short bitmap
        memset(&bitmap, 0, sizeof bitmap);
        for (uint32_t row = 0; row < 150; row += i == 0 ? 49 : i == 2 ? 1 + row % 3 : 1) {
            validity_set(bitmap.words, row);
        }
        groups[i] = rows_of(&bitmap, budget);
        ck_assert_int_eq(groups[i]->form, (int)i + 1);
    }
    must(delete_mask_create(groups, 3, &mask));
    must(delete_mask_encode(mask, &identity, &bytes));
    for (size_t bit = 0; bit < bytes.bytes * 8; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        expect_damage(bytes.data, bytes.bytes, &identity,
                      bit < 32 ? "no mask in deletes" : "in deletes of table 10, rowset 77");
        bytes.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    for (size_t cut = 0; cut < bytes.bytes; cut++) {
        uint8_t *copy = malloc(cut + 1); // nothing is readable behind it
        memcpy(copy, bytes.data, cut);
        expect_damage(copy, cut, &identity, "in deletes of table 10, rowset 77");
        free(copy);
    }
    byte_buffer_deinit(&bytes);
    delete_mask_unpin(mask);
}
END_TEST

START_TEST(foreign_bytes_are_found)
{
    DeleteMask *mask = make_mask(3, 4, &random_state, budget);
    DeleteIdentity others[5] = {identity, identity, identity, identity, identity};
    ByteBuffer bytes;
    byte_buffer_init(&bytes, 0);
    others[0].cluster++;
    others[1].table_id++;
    others[2].rowset_id--;
    others[3].txn_id++;
    others[4].statement++;
    for (int i = 0; i < 5; i++) {
        byte_buffer_clear(&bytes);
        must(delete_mask_encode(mask, &others[i], &bytes));
        expect_damage(bytes.data, bytes.bytes, &identity, "mask of something else");
    }
    byte_buffer_deinit(&bytes);
    delete_mask_unpin(mask);
}
END_TEST

/* One row group of three rows whose items are wrong in one way each, under a right checksum. */
typedef struct Crafted {
    DeleteHeader header;
    DeleteGroup group;
    uint16_t items[8];
} Crafted;

static void seal(Crafted *crafted, size_t bytes)
{
    DeleteHeader copy = crafted->header;
    copy.checksum = 0;
    crafted->header.checksum = hash_bytes((const uint8_t *)crafted + sizeof copy,
                                          bytes - sizeof copy, hash_bytes(&copy, sizeof copy, 0));
}

START_TEST(impossible_contents_are_refused)
{
    const Crafted sound = {
        .header = {DELETE_MAGIC, DELETE_VERSION, 0, 0, identity.cluster, 10, 77, 5, 3, 1, 3},
        .group = {5, DELETE_FORM_LIST, 3, 3, 9},
        .items = {2, 4, 8}};
    const size_t bytes = sizeof(DeleteHeader) + sizeof(DeleteGroup) + 8;
    DeleteMask *mask;
    for (int i = 0; i <= 15; i++) {
        Crafted bad = sound;
        size_t length = bytes;
        switch (i) {
        case 0:
            bad.items[1] = 2; // twice
            break;
        case 1:
            bad.items[1] = 9; // does not ascend
            break;
        case 2:
            bad.items[3] = 1; // padding
            break;
        case 3:
            bad.group.row_group = 64;
            break;
        case 4:
            bad.group.form = 4;
            break;
        case 5:
            bad.group.form = 0;
            break;
        case 6:
            bad.group.row_count = 2;
            break;
        case 7:
            bad.group.row_end = 10;
            break;
        case 8:
            bad.group.item_count = 0;
            break;
        case 9:
            bad.group.item_count = 0xffffffffu;
            break;
        case 10:
            bad.header.row_count = 4;
            break;
        case 11:
            bad.header.group_count = 2;
            break;
        case 12:
            bad.header.group_count = 0;
            break;
        case 13:
            length += 8; // bytes too many
            break;
        case 14:
            bad.header.flags = 1;
            break;
        default:
            bad.group.form = DELETE_FORM_RUNS; // 2..4, 8..0
            bad.group.item_count = 2;
            break;
        }
        seal(&bad, length);
        expect_damage(&bad, length, &identity, "in deletes of table 10, rowset 77");
    }
    Crafted good = sound;
    seal(&good, bytes);
    must(delete_mask_decode(&good, bytes, &identity, budget, &mask));
    ck_assert_uint_eq(mask->row_count, 3);
    ck_assert(deleted_rows_has(mask->groups[5], 8));
    delete_mask_unpin(mask);
    good.header.version = DELETE_VERSION + 1;
    seal(&good, bytes);
    expect_damage(&good, bytes, &identity, "unknown version");
}
END_TEST

START_TEST(golden_bytes_stay_readable)
{
    static const char path[] = GOLDEN_DIRECTORY "/delete_mask_v1.bin";
    static uint8_t data[(size_t)1 << 20];
    DeleteMask *mask = make_mask(SHAPES, 0, &random_state, budget), *back;
    FILE *file = fopen(path, "rb");
    if (file == NULL && getenv("BASALT_GOLDEN_WRITE") != NULL) {
        ByteBuffer bytes;
        byte_buffer_init(&bytes, 0);
        must(delete_mask_encode(mask, &identity, &bytes));
        file = fopen(path, "wb");
        ck_assert_ptr_nonnull(file);
        ck_assert_uint_eq(fwrite(bytes.data, 1, bytes.bytes, file), bytes.bytes);
        ck_assert_int_eq(fclose(file), 0);
        byte_buffer_deinit(&bytes);
        file = fopen(path, "rb");
    }
    ck_assert_ptr_nonnull(file);
    const size_t bytes = fread(data, 1, sizeof data, file);
    fclose(file);
    must(delete_mask_decode(data, bytes, &identity, budget, &back));
    expect_same(mask, back);
    delete_mask_unpin(mask);
    delete_mask_unpin(back);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("delete_codec");
    TCase *tests = tcase_create("bytes");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, masks_come_back, 0, 3 * SHAPES);
    tcase_add_test(tests, every_flipped_bit_is_found);
    tcase_add_test(tests, foreign_bytes_are_found);
    tcase_add_test(tests, impossible_contents_are_refused);
    tcase_add_test(tests, golden_bytes_stay_readable);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
