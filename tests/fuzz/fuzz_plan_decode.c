/*
 * fuzz_plan_decode.c — any bytes as a plan from the leader, one of its parts, or measured figures.
 *
 * The first byte chooses. What is accepted must print, and must come back the same when it is
 * encoded and decoded again.
 */
#include <string.h>

#include "planner/plan/plan_check.h"
#include "planner/plan/plan_codec.h"
#include "planner/plan/plan_statistics.h"
#include "tests/fuzz/fuzz.h"

enum { ENCODED_BYTES_MAX = 64 << 20 };

static Arena *arena;

static void require_refusal(Status owned_status)
{
    require(status_sqlstate(owned_status) == SQLSTATE_DATA_CORRUPTED);
    status_free(owned_status);
}

static void require_equal(ByteBuffer *owned_left, ByteBuffer *owned_right)
{
    require(owned_left->bytes == owned_right->bytes &&
            memcmp(owned_left->data, owned_right->data, owned_left->bytes) == 0);
    byte_buffer_deinit(owned_left);
    byte_buffer_deinit(owned_right);
}

static bool is_deep(const Plan *plan)
{
    for (uint32_t i = 0; i < plan->fragment_count; i++) {
        const PlanNode *node = plan->fragments[i].root;
        while (plan_node_child_count(node) == 1) {
            node = plan_node_child(node, 0);
            if (node->kind == PLAN_LIMIT && ((const PlanLimit *)node)->limit > UINT32_MAX) {
                return true;
            }
        }
    }
    return false;
}

static void check_plan(const uint8_t *data, size_t bytes)
{
    Plan *plan, *again;
    ByteReader reader;
    byte_reader_init(&reader, data, bytes);
    Status status = plan_decode(&reader, arena, &plan);
    if (status != STATUS_OK) {
        require_refusal(status);
        return;
    }
    ByteBuffer text, first, second;
    byte_buffer_init(&text, ENCODED_BYTES_MAX);
    require(!plan_is_too_deep(plan));
    plan_print(plan, NULL, 0, true, &text);
    byte_buffer_deinit(&text);
    byte_buffer_init(&first, ENCODED_BYTES_MAX);
    byte_buffer_init(&second, ENCODED_BYTES_MAX);
    plan_encode(plan, &first);
    byte_reader_init(&reader, first.data, first.bytes);
    require(plan_decode(&reader, arena, &again) == STATUS_OK);
    require(byte_reader_remaining(&reader) == 0);
    plan_encode(again, &second);
    require_equal(&first, &second);
    plant(is_deep(plan));
}

static const char *column_name(void *object, uint32_t column)
{
    (void)object;
    return column % 2 == 0 ? "even" : "odd";
}

static void check_expr(const uint8_t *data, size_t bytes)
{
    static const Type columns[] = {
        {.id = TYPE_BIGINT},  {.id = TYPE_VARCHAR, .length = 9},
        {.id = TYPE_BOOLEAN}, {.id = TYPE_INTEGER},
        {.id = TYPE_DATE},    {.id = TYPE_DECIMAL, .precision = 9},
    };
    Expr *expr, *again;
    ByteReader reader;
    byte_reader_init(&reader, data, bytes);
    Status status = expr_decode(&reader, arena, &expr);
    if (status == STATUS_OK) {
        status = expr_check(expr, columns, sizeof(columns) / sizeof(columns[0]));
    }
    if (status != STATUS_OK) {
        require_refusal(status);
        return;
    }
    ByteBuffer first, second;
    byte_buffer_init(&first, ENCODED_BYTES_MAX);
    byte_buffer_init(&second, ENCODED_BYTES_MAX);
    expr_encode(expr, &first);
    byte_reader_init(&reader, first.data, first.bytes);
    require(expr_decode(&reader, arena, &again) == STATUS_OK);
    require(expr_print(arena, again, column_name, NULL) != NULL);
    require(expr_equal(expr, again) || expr_is_volatile(expr));
    require(expr_is_volatile(expr) || expr_hash(expr) == expr_hash(again));
    expr_encode(again, &second);
    require_equal(&first, &second);
}

static void check_statistics(const uint8_t *data, size_t bytes)
{
    PlanNodeStatistics *statistics, *again;
    uint32_t count, count_again;
    Status status = plan_statistics_decode(data, bytes, arena, &statistics, &count);
    if (status != STATUS_OK) {
        require_refusal(status);
        return;
    }
    ByteBuffer first, second;
    byte_buffer_init(&first, ENCODED_BYTES_MAX);
    byte_buffer_init(&second, ENCODED_BYTES_MAX);
    plan_statistics_encode(statistics, count, &first);
    require(plan_statistics_decode(first.data, first.bytes, arena, &again, &count_again) ==
            STATUS_OK);
    plan_statistics_encode(again, count_again, &second);
    require(count == count_again);
    require_equal(&first, &second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes == 0) {
        return 0;
    }
    if (arena == NULL) {
        arena = arena_create(NULL, "fuzz");
    }
    switch (data[0] % 4) {
    case 0:
        check_expr(data + 1, bytes - 1);
        break;
    case 1:
        check_statistics(data + 1, bytes - 1);
        break;
    default:
        check_plan(data + 1, bytes - 1);
        break;
    }
    arena_reset(arena);
    return 0;
}
