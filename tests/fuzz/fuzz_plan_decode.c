/*
 * fuzz_plan_decode.c — any bytes as a plan from the leader. What decodes must pass the check again,
 * print, and come back equal when it is encoded and decoded again.
 */
#include <stdlib.h>
#include <string.h>

#include "planner/plan/plan_check.h"
#include "planner/plan/plan_codec.h"
#include "planner/plan/plan_print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void must_be_equal(const ByteBuffer *left, const ByteBuffer *right)
{
    if (left->bytes != right->bytes || memcmp(left->data, right->data, left->bytes) != 0) {
        abort();
    }
}

static void try_again(const Plan *plan, Arena *arena)
{
    ByteBuffer first, second, text;
    byte_buffer_init(&first, 1u << 26);
    byte_buffer_init(&second, 1u << 26);
    byte_buffer_init(&text, 1u << 26);
    plan_encode(plan, &first);
    ByteReader reader;
    byte_reader_init(&reader, first.data, first.bytes);
    Plan *again = NULL;
    if (plan_decode(&reader, arena, &again) != STATUS_OK) {
        abort();
    }
    plan_encode(again, &second);
    must_be_equal(&first, &second);
    plan_print(again, NULL, 0, true, &text);
    byte_buffer_deinit(&first);
    byte_buffer_deinit(&second);
    byte_buffer_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    Arena *arena = arena_create(NULL, "fuzz");
    ByteReader reader;
    byte_reader_init(&reader, data, bytes);
    Plan *plan = NULL;
    Status status = plan_decode(&reader, arena, &plan);
    if (status == STATUS_OK) {
        try_again(plan, arena);
    }
    status_free(status);
    arena_destroy(arena);
    return 0;
}
