/* Suite of base/heap.c. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_status.h"
#include "tests/support/failing_heap.h"

START_TEST(gives_objects_for_every_size)
{
    static const size_t sizes[] = {0, 1, 63, 64, 4096, 1 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *zeroed = heap_alloc_zeroed(sizes[i]);
        void *aligned = heap_alloc_aligned(256, sizes[i]);
        void *grown = heap_realloc(NULL, sizes[i]);
        ck_assert(zeroed != NULL && aligned != NULL && grown != NULL);
        ck_assert(sizes[i] == 0 || (zeroed[0] == 0 && zeroed[sizes[i] - 1] == 0));
        ck_assert_uint_eq((uintptr_t)aligned % 256, 0);
        heap_free(zeroed);
        heap_free(aligned);
        heap_free(grown);
    }
    heap_free(NULL);
    char *copy = heap_strdup("abc");
    ck_assert_str_eq(copy, "abc");
    free(copy); // keeps the header's invariant
}
END_TEST

START_TEST(refuses_at_a_wish)
{
    failing_heap_start(2, false);
    void *first = heap_alloc(1);
    void *second = heap_alloc(1);
    void *third = heap_alloc(1);
    ck_assert(failing_heap_stop());
    ck_assert(first != NULL && second == NULL && third != NULL);
    heap_free(first);
    heap_free(third);
    failing_heap_start(1, true);
    ck_assert_ptr_null(heap_alloc(1));
    ck_assert_ptr_null(heap_strdup("x"));
    ck_assert_uint_eq(failing_heap_count(), 2);
    ck_assert(failing_heap_stop());
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base.heap");
    suite_add_case(suite, "sizes", gives_objects_for_every_size);
    suite_add_case(suite, "refusal", refuses_at_a_wish);
    return suite_main(suite);
}
