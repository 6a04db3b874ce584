/* Suite of base/memory_budget.c. */
#include <string.h>

#include "base/fault.h"
#include "base/memory_budget.h"
#include "base/sanitizer.h"
#include "base/thread.h"
#include "tests/support/check_status.h"
#include "tests/support/failing_heap.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static PagePool *pool;
static MemoryBudget *process, *node, *query;

static void setup(void)
{
    ck_assert_ok(page_pool_create(&pool, 64 * MIB));
    process = memory_budget_create(pool, NULL, "process", 0);
    node = memory_budget_create(pool, process, "node", 8 * MIB);
    query = memory_budget_create(pool, node, "query", 4 * MIB);
}

static void teardown(void)
{
    memory_budget_destroy(query);
    memory_budget_destroy(node);
    memory_budget_destroy(process);
    page_pool_destroy(pool);
}

START_TEST(counts_at_every_level)
{
    ck_assert(memory_budget_reserve(query, MIB));
    ck_assert_uint_eq(memory_budget_used_bytes(query), MIB);
    ck_assert_uint_eq(memory_budget_used_bytes(node), MIB);
    ck_assert_uint_eq(memory_budget_used_bytes(process), MIB);
    ck_assert_uint_eq(memory_budget_available_bytes(query), 3 * MIB);
    ck_assert_uint_eq(memory_budget_available_bytes(process), 63 * MIB);
    memory_budget_release(query, MIB);
    ck_assert_uint_eq(memory_budget_used_bytes(process), 0);
    ck_assert_uint_eq(memory_budget_peak_bytes(query), MIB);
}
END_TEST

// Tables below cannot have what is set aside; the budget itself can, and fills it up again.
START_TEST(sets_memory_aside)
{
    MemoryBudget *tables = memory_budget_create(NULL, query, "tables", 0);
    ck_assert(!memory_budget_set_aside(query, 5 * MIB));
    ck_assert_uint_eq(memory_budget_used_bytes(node), 0);
    ck_assert(memory_budget_set_aside(query, MIB));
    ck_assert_uint_eq(memory_budget_used_bytes(query), 0);
    ck_assert_uint_eq(memory_budget_used_bytes(node), MIB);
    ck_assert_uint_eq(memory_budget_available_bytes(query), 4 * MIB);
    ck_assert_uint_eq(memory_budget_available_bytes(tables), 3 * MIB);
    ck_assert(!memory_budget_reserve(tables, 3 * MIB + 1));
    ck_assert(memory_budget_reserve(tables, 3 * MIB));
    ck_assert(memory_budget_reserve(query, MIB));
    ck_assert(!memory_budget_reserve(query, 1));
    ck_assert_uint_eq(memory_budget_available_bytes(query), 0);
    memory_budget_release(query, MIB / 2);
    memory_budget_release(tables, MIB);
    ck_assert(!memory_budget_reserve(tables, MIB + 1)); // the half is aside again
    ck_assert_uint_eq(memory_budget_used_bytes(node), 3 * MIB);
    memory_budget_release(query, MIB / 2);
    memory_budget_release(tables, 2 * MIB);
    memory_budget_destroy(tables);
    ck_assert_uint_eq(memory_budget_used_bytes(node), MIB);
}
END_TEST

START_TEST(leaves_something_to_others)
{
    MemoryBudget *tables = memory_budget_create(NULL, query, "tables", 0);
    memory_budget_leave(tables, node, 5 * MIB, MIB);
    ck_assert_uint_eq(memory_budget_available_bytes(tables), 3 * MIB);
    ck_assert(!memory_budget_reserve(tables, 3 * MIB + 1));
    ck_assert(memory_budget_reserve(tables, 3 * MIB));
    ck_assert(!memory_budget_reserve(tables, 33 << 10));
    ck_assert(memory_budget_reserve(query, MIB));
    memory_budget_release(query, MIB);
    memory_budget_release(tables, 3 * MIB);
    ck_assert(memory_budget_reserve(node, 3 * MIB));
    ck_assert_uint_eq(memory_budget_available_bytes(tables), MIB); // the little that is its own
    ck_assert(memory_budget_reserve(tables, MIB));
    ck_assert(!memory_budget_reserve(tables, (32 << 10) + 1));
    ck_assert(memory_budget_reserve(tables, 32 << 10));
    memory_budget_release(tables, MIB + (32 << 10));
    memory_budget_release(node, 3 * MIB);
    memory_budget_destroy(tables);
}
END_TEST

START_TEST(limits_move)
{
    memory_budget_set_limit(query, MIB);
    ck_assert(!memory_budget_reserve(query, 2 * MIB));
    memory_budget_raise_limit(query, MIB);
    ck_assert(memory_budget_reserve(query, 2 * MIB));
    memory_budget_set_limit(query, MIB); // below what is used: nothing more comes in
    ck_assert_uint_eq(memory_budget_available_bytes(query), 0);
    ck_assert(!memory_budget_reserve(query, 1));
    memory_budget_release(query, 2 * MIB);
}
END_TEST

START_TEST(a_refusal_leaves_no_trace)
{
    MemoryBudget *other = memory_budget_create(pool, node, "other", 0);
    ck_assert_uint_eq(memory_budget_available_bytes(other), 8 * MIB); // the parent's
    ck_assert(memory_budget_reserve(other, 6 * MIB));
    ck_assert(!memory_budget_reserve(query, 3 * MIB)); // the node refuses
    ck_assert_uint_eq(memory_budget_used_bytes(query), 0);
    ck_assert_uint_eq(memory_budget_used_bytes(node), 6 * MIB);
    ck_assert(!memory_budget_reserve(query, SIZE_MAX));
    ck_assert(memory_budget_reserve(query, 2 * MIB));
    memory_budget_release(query, 2 * MIB);
    memory_budget_release(other, 6 * MIB);
    memory_budget_destroy(other);
}
END_TEST

START_TEST(charges_what_it_takes)
{
    void *memory = memory_alloc(query, 100 * KIB);
    ck_assert_ptr_nonnull(memory);
    ck_assert_uint_ge(memory_budget_used_bytes(query), 100 * KIB);
    ck_assert_uint_eq(memory_budget_used_bytes(query), page_pool_used_bytes(pool));
    ck_assert_ptr_null(memory_alloc(query, 4 * MIB));
    memory_free(query, memory, 100 * KIB);
    memory_free(query, NULL, 100 * KIB);
    ck_assert_uint_eq(memory_budget_used_bytes(query), 0);
    ck_assert_ptr_null(memory_alloc(query, SIZE_MAX));
}
END_TEST

START_TEST(moves_a_charge_and_back)
{
    MemoryBudget *cache = memory_budget_create(NULL, process, "cache", MIB);
    char *memory = memory_alloc(query, 70000);
    size_t bytes = memory_budget_used_bytes(query);
    ck_assert(memory_move(query, cache, 70000));
    ck_assert_uint_eq(memory_budget_used_bytes(query), 0);
    ck_assert_uint_eq(memory_budget_used_bytes(node), 0);
    ck_assert_uint_eq(memory_budget_used_bytes(cache), bytes);
    ck_assert_uint_eq(memory_budget_used_bytes(process), bytes);
    memory_move_back(cache, query, 70000);
    ck_assert_uint_eq(memory_budget_used_bytes(query), bytes);
    ck_assert(memory_budget_reserve(cache, MIB));
    ck_assert(!memory_move(query, cache, 70000));
    ck_assert_uint_eq(memory_budget_used_bytes(query), bytes);
    memory_budget_release(cache, MIB);
    memory_free(query, memory, 70000);
    memory_budget_destroy(cache);
    ck_assert_uint_eq(memory_budget_used_bytes(process), 0);
}
END_TEST

START_TEST(zeroes_recycled_memory)
{
    for (int i = 0; i < 3; i++) {
        uint8_t *memory = memory_alloc_zeroed(query, 70000);
        for (size_t j = 0; j < 70000; j += 7) {
            ck_assert_uint_eq(memory[j], 0);
        }
        memset(memory, 1, 70000);
        memory_free(query, memory, 70000);
    }
}
END_TEST

START_TEST(realloc_keeps_contents)
{
    static const size_t sizes[] = {100, 120, 5000, 70000, 70001, 900000, 200000, 3000000, 64, 1};
    uint8_t *memory = memory_realloc(query, NULL, 0, 50);
    memset(memory, 0, 50);
    size_t bytes = 50;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *moved = memory_realloc(query, memory, bytes, sizes[i]);
        ck_assert_ptr_nonnull(moved);
        size_t kept = bytes < sizes[i] ? bytes : sizes[i];
        for (size_t j = 0; j < kept; j += 1 + kept / 100) {
            ck_assert_uint_eq(moved[j], (uint8_t)i);
        }
        memory = moved;
        bytes = sizes[i];
        memset(memory, (int)i + 1, bytes);
    }
    ck_assert_ptr_null(memory_realloc(query, memory, bytes, 5 * MIB));
    ck_assert_uint_eq(memory[0], sizeof sizes / sizeof *sizes); // untouched by the refusal
    memory_free(query, memory, bytes);
    ck_assert_uint_eq(memory_budget_used_bytes(process), 0);
}
END_TEST

START_TEST(tells_who_wanted_what)
{
    Status status = memory_refused(query, 123, "a hash table");
    ck_assert_int_eq(status_sqlstate(status), SQLSTATE_OUT_OF_MEMORY);
    ck_assert_str_eq(status_message(status), "out of memory for a hash table: 123 bytes wanted");
    ck_assert_str_eq(status_detail(status), "budget \"query\" has used 0 of 4194304 bytes");
    status_free(status);
}
END_TEST

static void use_budget(void *object)
{
    for (size_t i = 0; i < 20000; i++) {
        size_t bytes = 1000 + i % 100 * 1000;
        void *memory = memory_alloc(object, bytes);
        if (memory != NULL) {
            memory_free(object, memory, bytes);
        }
    }
}

START_TEST(threads_share_it)
{
    Thread threads[4];
    for (size_t i = 0; i < 4; i++) {
        ck_assert_ok(thread_start(&threads[i], "budget", -1, use_budget, query));
    }
    for (size_t i = 0; i < 4; i++) {
        thread_join(&threads[i]);
    }
    ck_assert_uint_eq(memory_budget_used_bytes(process), 0);
    ck_assert_uint_le(memory_budget_peak_bytes(query), 4 * MIB);
}
END_TEST

START_TEST(a_refused_heap_is_a_null)
{
    failing_heap_start(2, false);
    ck_assert_ptr_null(memory_budget_create(pool, NULL, "x", 0));
    ck_assert(failing_heap_stop());
}
END_TEST

#ifdef BASALT_FAULTS
START_TEST(a_fault_refuses)
{
    ck_assert_ok(fault_arm("memory.alloc=nomem:2"));
    void *first = memory_alloc(query, 1);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(memory_alloc(query, 1));
    fault_disarm_all();
    memory_free(query, first, 1);
}
END_TEST
#endif

#ifdef SANITIZER_ADDRESS
START_TEST(poisons_the_rest_of_a_class)
{
    char *memory = memory_alloc(query, 70000);
    ck_assert(!__asan_address_is_poisoned(memory + 70000 + MEMORY_READABLE_BYTES - 1));
    ck_assert(__asan_address_is_poisoned(memory + 70000 + MEMORY_READABLE_BYTES + 7));
    memory_free(query, memory, 70000);
}
END_TEST
#endif

static TCase *add_case(Suite *suite, const char *name, const TTest *test)
{
    TCase *behaviour = tcase_create(name);
    tcase_add_checked_fixture(behaviour, setup, teardown);
    tcase_add_test(behaviour, test);
    tcase_set_timeout(behaviour, 60);
    suite_add_tcase(suite, behaviour);
    return behaviour;
}

int main(void)
{
    Suite *suite = suite_create("base.memory_budget");
    add_case(suite, "levels", counts_at_every_level);
    add_case(suite, "aside", sets_memory_aside);
    add_case(suite, "left", leaves_something_to_others);
    add_case(suite, "limits", limits_move);
    add_case(suite, "refusal", a_refusal_leaves_no_trace);
    add_case(suite, "charge", charges_what_it_takes);
    add_case(suite, "move", moves_a_charge_and_back);
    add_case(suite, "zeroed", zeroes_recycled_memory);
    add_case(suite, "realloc", realloc_keeps_contents);
    add_case(suite, "error", tells_who_wanted_what);
    add_case(suite, "threads", threads_share_it);
    add_case(suite, "heap", a_refused_heap_is_a_null);
#ifdef BASALT_FAULTS
    add_case(suite, "fault", a_fault_refuses);
#endif
#ifdef SANITIZER_ADDRESS
    add_case(suite, "poison", poisons_the_rest_of_a_class);
#endif
    return suite_main(suite);
}
