/* Suite of storage/node_identity.c: what was written is read, and no flipped bit is another node.
 */
#include "storage/node_identity.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_status.h"
#include "tests/support/simulated_files.h"

static const NodeIdentity identity = {.cluster_id = {0, 1, 0x9a, 0xff, [15] = 7}, .node = 12};

START_TEST(reads_what_was_written)
{
    SimulatedFiles *files = simulated_files_create();
    FileSystem *system = simulated_files_system(files);
    NodeIdentity found = {.node = 5};
    ck_assert_ok(file_make_directory(system, "d"));
    ck_assert_ok(node_identity_read(system, "d", &found));
    ck_assert_uint_eq(found.node, 0);
    ck_assert_ok(node_identity_write(system, "d", &identity));
    ck_assert_ok(node_identity_read(system, "d", &found));
    ck_assert_mem_eq(&found, &identity, sizeof found);
    simulated_files_destroy(files);
}
END_TEST

START_TEST(refuses_every_flipped_bit_and_every_cut)
{
    SimulatedFiles *files = simulated_files_create();
    FileSystem *system = simulated_files_system(files);
    NodeIdentity found;
    uint8_t *text = NULL;
    size_t bytes = 0;
    ck_assert_ok(file_make_directory(system, "d"));
    ck_assert_ok(node_identity_write(system, "d", &identity));
    ck_assert_ok(file_read_whole(system, "d/node.json", 4096, &text, &bytes));
    for (size_t bit = 0; bit < bytes * 8; bit++) {
        text[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_ok(file_write_whole(system, "d/node.json", text, bytes));
        ck_assert_state(node_identity_read(system, "d", &found), SQLSTATE_DATA_CORRUPTED);
        text[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t cut = 0; cut < bytes; cut++) {
        ck_assert_ok(file_write_whole(system, "d/node.json", text, cut));
        ck_assert_state(node_identity_read(system, "d", &found), SQLSTATE_DATA_CORRUPTED);
    }
    free(text);
    simulated_files_destroy(files);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("node_identity");
    TCase *file = tcase_create("file");
    tcase_add_test(file, reads_what_was_written);
    tcase_add_test(file, refuses_every_flipped_bit_and_every_cut);
    suite_add_tcase(suite, file);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
