/* Suite of base/page_pool.c: through memory_budget.h and the pool's own header. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory_budget.h"
#include "base/page_pool_internal.h"
#include "base/sanitizer.h"
#include "base/thread.h"
#include "tests/support/check_status.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

#ifdef SANITIZER_ADDRESS
enum { CHURN_STEPS = 2000 }; /* each allocation is one of the heap, with its shadow */
#else
enum { CHURN_STEPS = 30000 };
#endif

static size_t resident_bytes(void)
{
    long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%ld %ld", &total, &resident), 2);
    fclose(file);
    return (size_t)resident * 4096;
}

static void *take(PagePool *pool, size_t bytes)
{
    void *memory = page_pool_alloc(pool, page_pool_rounded_bytes(bytes));
    ck_assert_ptr_nonnull(memory);
    return memory;
}

START_TEST(rounds_to_size_classes)
{
    static const size_t cases[][2] = {
        {0, 64},
        {1, 64},
        {65, 128},
        {4096, 4096},
        {4097, 8192},
        {32 * KIB, 32 * KIB},
        {33 * KIB, 64 * KIB},
        {64 * KIB, 64 * KIB},
        {65 * KIB, 128 * KIB},
        {200 * KIB, 256 * KIB},
        {MIB, MIB},
        {MIB + 1, MIB + 128 * KIB},
        {5 * MIB, 5 * MIB},
        {64 * MIB, 64 * MIB},
        {64 * MIB + 1, 72 * MIB},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_uint_eq(page_pool_rounded_bytes(cases[i][0]), cases[i][1]);
    }
    ck_assert_uint_eq(page_pool_rounded_bytes(SIZE_MAX), 0);
    for (size_t bytes = 1; bytes < 200 * MIB; bytes = bytes * 9 / 8 + 1) {
        size_t rounded = page_pool_rounded_bytes(bytes);
        ck_assert_uint_ge(rounded, bytes);
        ck_assert_uint_eq(page_pool_rounded_bytes(rounded) >= rounded, 1);
    }
}
END_TEST

START_TEST(gives_aligned_memory_with_a_readable_tail)
{
    PagePool *pool = NULL;
    ck_assert_ok(page_pool_create(&pool, 1024 * MIB));
    static const size_t sizes[] = {1,         100,     4096,     32 * KIB, 64 * KIB,
                                   100 * KIB, MIB + 1, 63 * MIB, 64 * MIB, 65 * MIB};
    enum { COUNT = sizeof sizes / sizeof *sizes };
    char *memory[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        size_t rounded = page_pool_rounded_bytes(sizes[i]);
        memory[i] = take(pool, sizes[i]);
        ck_assert_uint_eq((uintptr_t)memory[i] % 64, 0);
        memset(memory[i], (int)i + 1, rounded);
        volatile char sum = 0;
        for (size_t j = 0; j < 64; j++) {
            sum = (char)(sum + memory[i][rounded + j]);
        }
    }
    for (size_t i = 0; i < COUNT; i++) {
        ck_assert_int_eq(memory[i][0], (char)(i + 1));
        ck_assert_int_eq(memory[i][sizes[i] - 1], (char)(i + 1));
        page_pool_free(pool, memory[i], page_pool_rounded_bytes(sizes[i]));
    }
    ck_assert_uint_eq(page_pool_used_bytes(pool), 0);
    page_pool_destroy(pool);
}
END_TEST

START_TEST(refuses_above_its_limit)
{
    PagePool *pool = NULL;
    ck_assert_ok(page_pool_create(&pool, 2 * MIB));
    void *first = page_pool_alloc(pool, MIB);
    ck_assert_ptr_null(page_pool_alloc(pool, MIB + 128 * KIB));
    void *second = page_pool_alloc(pool, MIB);
    ck_assert(first != NULL && second != NULL);
    ck_assert_ptr_null(page_pool_alloc(pool, 64));
    ck_assert_uint_eq(page_pool_used_bytes(pool), 2 * MIB);
    page_pool_free(pool, first, MIB);
    page_pool_free(pool, second, MIB);
    page_pool_destroy(pool);
}
END_TEST

/* An allocation, filled with its own mark at both ends. */
typedef struct Holding {
    uint64_t *memory;
    size_t bytes; /* rounded */
    uint64_t mark;
} Holding;

static void holding_check(const Holding *holding)
{
    ASSERT(holding->memory[0] == holding->mark);
    ASSERT(holding->memory[holding->bytes / 8 - 1] == holding->mark);
}

// Takes, shrinks and gives back at random; no allocation may overlap another.
static void churn(PagePool *pool, uint64_t seed, int steps, size_t bytes_max)
{
    enum { COUNT = 48 };
    Holding holdings[COUNT] = {0};
    Random random;
    random_seed(&random, seed);
    for (int step = 0; step < steps; step++) {
        Holding *holding = &holdings[random_below(&random, COUNT)];
        if (holding->memory == NULL) {
            size_t bytes = (size_t)1
                           << random_below(&random, 63 - (uint64_t)__builtin_clzl(bytes_max));
            holding->bytes = page_pool_rounded_bytes(bytes + random_below(&random, bytes));
            holding->memory = page_pool_alloc(pool, holding->bytes);
            if (holding->memory != NULL) {
                holding->mark = random_next(&random);
                holding->memory[0] = holding->memory[holding->bytes / 8 - 1] = holding->mark;
            }
            continue;
        }
        holding_check(holding);
        size_t smaller = page_pool_rounded_bytes(holding->bytes / 3);
        if (random_below(&random, 4) == 0 &&
            page_pool_shrink(pool, holding->memory, holding->bytes, smaller)) {
            holding->bytes = smaller;
            holding->memory[smaller / 8 - 1] = holding->mark;
            continue;
        }
        page_pool_free(pool, holding->memory, holding->bytes);
        holding->memory = NULL;
    }
    for (size_t i = 0; i < COUNT; i++) {
        if (holdings[i].memory != NULL) {
            holding_check(&holdings[i]);
            page_pool_free(pool, holdings[i].memory, holdings[i].bytes);
        }
    }
}

START_TEST(allocations_never_overlap)
{
    PagePool *pool = NULL;
    ck_assert_ok(page_pool_create(&pool, 512 * MIB));
    churn(pool, (uint64_t)_i + 1, CHURN_STEPS, _i % 2 == 0 ? 100 * MIB : 128 * KIB);
    ck_assert_uint_eq(page_pool_used_bytes(pool), 0);
    // Everything came together again: the largest blocks are there.
    void *blocks[7];
    for (size_t i = 0; i < 7; i++) {
        blocks[i] = take(pool, 64 * MIB);
    }
    for (size_t i = 0; i < 7; i++) {
        page_pool_free(pool, blocks[i], 64 * MIB);
    }
    page_pool_destroy(pool);
}
END_TEST

typedef struct Churner {
    Thread thread;
    PagePool *pool;
    uint64_t seed;
} Churner;

static void churner_run(void *object)
{
    Churner *churner = object;
    churn(churner->pool, churner->seed, CHURN_STEPS, 4 * MIB);
}

START_TEST(threads_share_it)
{
    PagePool *pool = NULL;
    Churner churners[4];
    ck_assert_ok(page_pool_create(&pool, 256 * MIB));
    for (size_t i = 0; i < 4; i++) {
        churners[i] = (Churner){.pool = pool, .seed = i};
        ck_assert_ok(thread_start(&churners[i].thread, "churn", -1, churner_run, &churners[i]));
    }
    for (size_t i = 0; i < 4; i++) {
        thread_join(&churners[i].thread);
    }
    ck_assert_uint_eq(page_pool_used_bytes(pool), 0);
    page_pool_destroy(pool);
}
END_TEST

#if !defined(SANITIZER_ADDRESS) && !defined(SANITIZER_THREAD)
START_TEST(is_small_when_idle)
{
    size_t before = resident_bytes();
    PagePool *pool = NULL;
    ck_assert_ok(page_pool_create(&pool, 16384 * MIB));
    page_pool_free(pool, take(pool, 64 * KIB), 64 * KIB);
    ck_assert_uint_le(resident_bytes() - before, 4 * MIB);
    page_pool_destroy(pool);
}
END_TEST

// First many small blocks, half of them kept so that nothing joins, then large ones: the memory of
// the free small ones cannot serve, and must go back as far as whole frames are free.
START_TEST(stays_near_its_limit)
{
    enum { SMALL = 2000, LARGE = 40 };
    PagePool *pool = NULL;
    static void *small[SMALL];
    void *large[LARGE];
    size_t limit = 256 * MIB, before = resident_bytes();
    ck_assert_ok(page_pool_create(&pool, limit));
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < SMALL; i++) {
            small[i] = take(pool, 100 * KIB);
            memset(small[i], 1, 100 * KIB);
        }
        for (size_t i = 0; i < SMALL; i++) {
            page_pool_free(pool, small[i], 128 * KIB);
        }
        size_t taken = 0;
        for (; taken < LARGE; taken++) {
            large[taken] = page_pool_alloc(pool, 68 * MIB); // mappings of their own
            if (large[taken] == NULL) {
                break;
            }
            memset(large[taken], 1, 68 * MIB);
        }
        ck_assert_uint_eq(taken, 3);
        ck_assert_uint_le(resident_bytes() - before, limit + 48 * MIB);
        while (taken > 0) {
            page_pool_free(pool, large[--taken], 68 * MIB);
        }
    }
    page_pool_destroy(pool);
}
END_TEST
#endif

int main(void)
{
    Suite *suite = suite_create("base.page_pool");
    suite_add_case(suite, "classes", rounds_to_size_classes);
    suite_add_case(suite, "memory", gives_aligned_memory_with_a_readable_tail);
    suite_add_case(suite, "limit", refuses_above_its_limit);
    TCase *overlap = tcase_create("overlap");
    tcase_add_loop_test(overlap, allocations_never_overlap, 0, 6);
    tcase_set_timeout(overlap, 60);
    suite_add_tcase(suite, overlap);
    suite_add_case(suite, "threads", threads_share_it);
#if !defined(SANITIZER_ADDRESS) && !defined(SANITIZER_THREAD)
    suite_add_case(suite, "idle", is_small_when_idle);
    suite_add_case(suite, "resident", stays_near_its_limit);
#else
    (void)resident_bytes;
#endif
    return suite_main(suite);
}
