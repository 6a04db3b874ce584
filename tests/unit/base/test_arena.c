/* Suite of base/arena.c. */
#include <signal.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/sanitizer.h"
#include "base/thread.h"
#include "tests/support/check_status.h"
#include "tests/support/failing_heap.h"

START_TEST(gives_zeroed_aligned_memory)
{
    Arena *arena = arena_create(NULL, "test");
    Random random;
    random_seed(&random, 1);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 3000; i++) {
            size_t bytes = random_below(&random, i % 100 == 0 ? 300000 : 300);
            size_t alignment = (size_t)1 << random_below(&random, 13);
            uint8_t *memory = arena_alloc_aligned(arena, bytes, alignment);
            ck_assert_ptr_nonnull(memory);
            ck_assert_uint_eq((uintptr_t)memory % (alignment > 16 ? alignment : 16), 0);
            uint8_t any = 0;
            for (size_t j = 0; j < bytes; j++) {
                any |= memory[j];
            }
            ck_assert_uint_eq(any, 0);
            memset(memory, 0xAB, bytes); // would show in a neighbour
        }
        arena_reset(arena);
    }
    ck_assert(!arena_is_exhausted(arena));
    arena_destroy(arena);
    arena_destroy(NULL);
}
END_TEST

START_TEST(copies_and_formats)
{
    Arena *arena = arena_create(NULL, "test");
    ck_assert_str_eq(arena_strdup(arena, "abc"), "abc");
    ck_assert_str_eq(arena_strndup(arena, "abcdef", 3), "abc");
    ck_assert_str_eq(arena_strndup(arena, NULL, 0), "");
    ck_assert_mem_eq(arena_memdup(arena, "a\0b", 3), "a\0b", 3);
    ck_assert_str_eq(arena_printf(arena, "%d-%s", 7, "x"), "7-x");
    ck_assert_ptr_nonnull(arena_alloc(arena, 0));
    ck_assert_ptr_ne(arena_alloc(arena, 0), arena_alloc(arena, 0));
    PointerList list = {0};
    for (uintptr_t i = 0; i < 1000; i++) {
        pointer_list_add(arena, &list, (void *)i);
    }
    ck_assert_uint_eq(list.count, 1000);
    for (uintptr_t i = 0; i < 1000; i++) {
        ck_assert_uint_eq((uintptr_t)list.items[i], i);
    }
    arena_destroy(arena);
}
END_TEST

static char hook_order[16];
static size_t hook_count;

static void note_hook(void *object)
{
    hook_order[hook_count++] = *(const char *)object;
}

START_TEST(runs_hooks_newest_first_and_children_before_parents)
{
    Arena *parent = arena_create(NULL, "parent");
    Arena *child = arena_create(parent, "child");
    arena_create(child, "grandchild");
    arena_on_reset(parent, note_hook, (void *)(uintptr_t) "a");
    arena_on_reset(parent, note_hook, (void *)(uintptr_t) "b");
    arena_on_reset(child, note_hook, (void *)(uintptr_t) "c");
    arena_reset(parent);
    ck_assert_str_eq(hook_order, "cba");
    arena_reset(parent); // each runs once
    ck_assert_uint_eq(hook_count, 3);
    arena_on_reset(parent, note_hook, (void *)(uintptr_t) "d");
    arena_destroy(parent);
    ck_assert_str_eq(hook_order, "cbad");
}
END_TEST

START_TEST(counts_its_chunks_with_those_of_children)
{
    Arena *parent = arena_create(NULL, "parent");
    Arena *child = arena_create(parent, "child");
    ck_assert_uint_eq(arena_bytes(parent), 0);
    arena_alloc(child, 100000);
    ck_assert_uint_ge(arena_bytes(child), 100000);
    ck_assert_uint_eq(arena_bytes(parent), arena_bytes(child));
    arena_destroy(child);
    ck_assert_uint_eq(arena_bytes(parent), 0);
    for (int i = 0; i < 100000; i++) {
        arena_alloc(parent, 100);
    }
    arena_reset(parent);
    ck_assert_uint_le(arena_bytes(parent), 1 << 20); // one chunk is kept
    arena_destroy(parent);
}
END_TEST

START_TEST(lives_on_its_reserve)
{
    Arena *parent = arena_create(NULL, "parent");
    Arena *child = arena_create(parent, "child");
    failing_heap_start(1, true);
    uint8_t *memory = arena_alloc(child, 30000);
    Arena *born_poor = arena_create(parent, "poor");
    uint8_t *more = arena_alloc_aligned(born_poor, 20000, 4096);
    failing_heap_stop();
    ck_assert(arena_is_exhausted(child));
    ck_assert(arena_is_exhausted(parent));
    ck_assert_uint_eq((uintptr_t)more % 4096, 0);
    memset(memory, 1, 30000);
    memset(more, 2, 20000);
    ck_assert_uint_eq(memory[29999], 1);
    arena_reset(parent);
    ck_assert(!arena_is_exhausted(parent));
    failing_heap_start(1, true);
    arena_alloc(parent, 60000); // the reserve is whole again
    failing_heap_stop();
    arena_destroy(parent);
}
END_TEST

START_TEST(roots_are_born_exhausted_without_memory)
{
    Arena *arenas[16];
    failing_heap_start(1, true);
    for (size_t i = 0; i < 16; i++) {
        arenas[i] = arena_create(NULL, "poor");
        memset(arena_alloc(arenas[i], 1000), 1, 1000);
    }
    failing_heap_stop();
    for (size_t i = 0; i < 16; i++) {
        ck_assert(arena_is_exhausted(arenas[i]));
        arena_destroy(arenas[i]);
    }
    failing_heap_start(1, true);
    Arena *again = arena_create(NULL, "poor");
    failing_heap_stop();
    arena_destroy(again);
}
END_TEST

START_TEST(an_empty_reserve_stops_the_process)
{
    Arena *arena = arena_create(NULL, "test");
    failing_heap_start(1, true);
    for (int i = 0; i < 8; i++) {
        arena_alloc(arena, 9000);
    }
}
END_TEST

START_TEST(an_array_that_overflows_stops_the_process)
{
    Arena *arena = arena_create(NULL, "test");
    arena_array(arena, SIZE_MAX / 8, 16);
}
END_TEST

static void use_child(void *object)
{
    Arena *parent = object;
    for (int i = 0; i < 200; i++) {
        Arena *child = arena_create(parent, "worker");
        for (size_t bytes = 1; bytes < 100000; bytes *= 3) {
            memset(arena_alloc(child, bytes), 1, bytes);
        }
        arena_destroy(child);
    }
}

START_TEST(threads_use_children_of_one_parent)
{
    Arena *parent = arena_create(NULL, "parent");
    Thread threads[4];
    for (size_t i = 0; i < 4; i++) {
        ck_assert_ok(thread_start(&threads[i], "arena", -1, use_child, parent));
    }
    for (size_t i = 0; i < 4; i++) {
        thread_join(&threads[i]);
    }
    ck_assert_uint_eq(arena_bytes(parent), 0);
    arena_destroy(parent);
}
END_TEST

#ifdef SANITIZER_ADDRESS
START_TEST(poisons_what_was_not_given)
{
    Arena *arena = arena_create(NULL, "test");
    char *memory = arena_alloc(arena, 24);
    ck_assert(!__asan_address_is_poisoned(memory + 23));
    ck_assert(__asan_address_is_poisoned(memory + 24));
    char *large = arena_alloc(arena, 100000);
    ck_assert(__asan_address_is_poisoned(large + 100000));
    arena_reset(arena);
    ck_assert(__asan_address_is_poisoned(memory));
    arena_destroy(arena);
}
END_TEST
#endif

int main(void)
{
    Suite *suite = suite_create("base.arena");
    suite_add_case(suite, "memory", gives_zeroed_aligned_memory);
    suite_add_case(suite, "copies", copies_and_formats);
    suite_add_case(suite, "hooks", runs_hooks_newest_first_and_children_before_parents);
    suite_add_case(suite, "bytes", counts_its_chunks_with_those_of_children);
    suite_add_case(suite, "reserve", lives_on_its_reserve);
    suite_add_case(suite, "emergency", roots_are_born_exhausted_without_memory);
    TCase *stops = tcase_create("stops");
    tcase_add_test_raise_signal(stops, an_empty_reserve_stops_the_process, SIGABRT);
    tcase_add_test_raise_signal(stops, an_array_that_overflows_stops_the_process, SIGABRT);
    suite_add_tcase(suite, stops);
    suite_add_case(suite, "threads", threads_use_children_of_one_parent);
#ifdef SANITIZER_ADDRESS
    suite_add_case(suite, "poison", poisons_what_was_not_given);
#endif
    return suite_main(suite);
}
