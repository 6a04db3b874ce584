/* block_fixture.h — what suites need that encode single blocks: memory, an EncodeContext, a block's
 * identity, its bytes as a reader gets them. */
#pragma once
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "storage/block_filter.h"
#include "storage/encoding/encode_block.h"

/* Check writes a message for every ck_assert: too slow for loops over values. */
#define EXPECT(condition, ...)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ck_abort_msg(__VA_ARGS__);                                                             \
        }                                                                                          \
    } while (0)

static PagePool *pool;
static MemoryBudget *budget;
static EncodeContext context;
static const BlockIdentity identity = {
    .cluster = 77, .table_id = 5, .rowset_id = 123456, .column_id = 3, .row_group = 9};

static inline void must(Status status)
{
    if (status != STATUS_OK) {
        ck_abort_msg("%s %s", status_sqlstate_code(status), status_message(status));
    }
}

static inline void setup(void)
{
    must(page_pool_create(&pool, (size_t)1 << 30));
    budget = memory_budget_create(pool, NULL, "test", 0);
    must(encode_context_init(&context, budget));
}

static inline void teardown(void)
{
    encode_context_deinit(&context);
    ck_assert_uint_eq(memory_budget_used_bytes(budget), 0);
    memory_budget_destroy(budget);
    page_pool_destroy(pool);
}

/* Bytes as a reader gets them: aligned, with readable bytes behind. */
static inline uint8_t *aligned_copy(const EncodedBlock *encoded)
{
    uint8_t *copy = aligned_alloc(64, encoded->byte_count + 64);
    memcpy(copy, encoded->bytes, encoded->byte_count);
    memset(copy + encoded->byte_count, 0xee, 64);
    return copy;
}

/* A suite of one test case, run. */
static inline int run_suite(Suite *suite, TCase *tests)
{
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
