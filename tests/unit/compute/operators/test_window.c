/* Window functions against their definitions, written out row by row. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/engine/engine_run.h"
#include "tests/support/engine/made_rows.h"

static Arena *arena;

static void set_up(void)
{
    arena = arena_create(NULL, "test");
}

static void tear_down(void)
{
    arena_destroy(arena);
}

enum { COLUMNS = 5, CALLS_MAX = 32 };
/* partition, order, value, text, number (1..4) */
static const MadeType made[COLUMNS] = {MADE_TEXT, MADE_INTEGER, MADE_DECIMAL, MADE_TEXT, MADE_BIGINT};

typedef struct WindowCase {
    uint32_t partition_count, order_count, row_count, distinct, null_every;
    bool is_rows, ignores_nulls;
    FrameBound start, end;
    int64_t start_rows, end_rows;
    EngineOptions options;
    uint64_t seed;
} WindowCase;

static int compare_first(const Value *left, const Value *right, uint32_t column)
{
    const Value *a = &left[column];
    const Value *b = &right[column];
    if (a->is_null || b->is_null) {
        return a->is_null && b->is_null ? 0 : a->is_null ? 1 : -1; // NULLs last
    }
    return value_compare(a, b);
}

static const WindowCase *sorting;

static int compare_rows(const void *left, const void *right)
{
    const Value *a = *(Value *const *)left;
    const Value *b = *(Value *const *)right;
    int order = 0;
    for (uint32_t k = 0; order == 0 && k < sorting->partition_count; k++) {
        order = compare_first(a, b, 0);
    }
    for (uint32_t k = 0; order == 0 && k < sorting->order_count; k++) {
        order = compare_first(a, b, 1);
    }
    return order;
}

/* One partition of the reference. */
typedef struct Reference {
    const WindowCase *test;
    Value **rows;
    uint32_t count;
} Reference;

static bool are_peers(const Reference *self, uint32_t left, uint32_t right)
{
    return self->test->order_count == 0 ||
           compare_first(self->rows[left], self->rows[right], 1) == 0;
}

static bool in_frame(const Reference *self, uint32_t row, uint32_t other)
{
    const WindowCase *test = self->test;
    int64_t distance = (int64_t)other - row;
    bool is_peer = are_peers(self, row, other);
    bool after_start = true;
    bool before_end = true;
    if (test->start == FRAME_PRECEDING) {
        after_start = distance >= -test->start_rows;
    } else if (test->start == FRAME_FOLLOWING) {
        after_start = distance >= test->start_rows;
    } else if (test->start == FRAME_CURRENT_ROW) {
        after_start = distance >= 0 || (!test->is_rows && is_peer);
    }
    if (test->end == FRAME_PRECEDING) {
        before_end = distance <= -test->end_rows;
    } else if (test->end == FRAME_FOLLOWING) {
        before_end = distance <= test->end_rows;
    } else if (test->end == FRAME_CURRENT_ROW) {
        before_end = distance <= 0 || (!test->is_rows && is_peer);
    }
    return after_start && before_end;
}

static Value number(Type type, int64_t value)
{
    return value_int64(type, value);
}

static Value reference_rank(const Reference *self, WindowFunctionId id, Type type, uint32_t row)
{
    uint32_t before = 0;
    uint32_t up_to = 0;
    uint32_t distinct = 1;
    for (uint32_t i = 0; i < self->count; i++) {
        before += i < row && !are_peers(self, i, row);
        up_to += i <= row || are_peers(self, i, row);
        distinct += i > 0 && i <= row && !are_peers(self, i - 1, i);
    }
    Value value = {.type = type};
    switch (id) {
    case WINDOW_ROW_NUMBER:
        return number(type, row + 1);
    case WINDOW_RANK:
        return number(type, before + 1);
    case WINDOW_DENSE_RANK:
        return number(type, distinct);
    case WINDOW_PERCENT_RANK:
        value.f64 = self->count > 1 ? (double)before / (double)(self->count - 1) : 0;
        return value;
    case WINDOW_CUME_DIST:
        value.f64 = (double)up_to / (double)self->count;
        return value;
    default: { // NTILE(3): the first buckets are one larger
        uint32_t small = self->count / 3;
        uint32_t large = self->count % 3;
        uint32_t bucket = 0;
        for (uint32_t end = 0; end <= row; bucket++) {
            end += small + (bucket < large);
        }
        return number(type, bucket);
    }
    }
}

static Value reference_value(const Reference *self, const WindowCall *call, uint32_t row)
{
    uint32_t column = call->args[0]->column;
    int64_t n = call->arg_count > 1 ? self->rows[row][4].i64 : 1;
    bool is_number_null = call->arg_count > 1 && self->rows[row][4].is_null;
    bool is_neighbour = call->id == WINDOW_LAG || call->id == WINDOW_LEAD;
    int64_t found = 0;
    Value last = value_null(call->type);
    if (is_number_null) {
        return call->arg_count > 2 ? self->rows[row][2] : last;
    }
    for (uint32_t step = 0; step < self->count; step++) {
        uint32_t i = step;
        if (call->id == WINDOW_LAG) {
            if (step >= row) {
                break;
            }
            i = row - 1 - step;
        } else if (call->id == WINDOW_LEAD) {
            i = row + 1 + step;
            if (i >= self->count) {
                break;
            }
        } else if (!in_frame(self, row, i)) {
            continue;
        }
        const Value *value = &self->rows[i][column];
        if (call->is_ignore_nulls && value->is_null) {
            continue;
        }
        found++;
        if (call->id == WINDOW_LAST_VALUE) {
            last = *value;
        } else if (found == (call->id == WINDOW_FIRST_VALUE ? 1 : n)) {
            return *value;
        }
    }
    if (is_neighbour && call->arg_count > 2) {
        return self->rows[row][2];
    }
    return last;
}

static Value reference_aggregate(const Reference *self, const WindowCall *call, uint32_t row)
{
    int64_t count = 0;
    Value result = value_null(call->type);
    Int128 sum = 0;
    for (uint32_t i = 0; i < self->count; i++) {
        if (!in_frame(self, row, i)) {
            continue;
        }
        const Value *value = call->arg_count == 0 ? NULL : &self->rows[i][call->args[0]->column];
        if (value != NULL && value->is_null) {
            continue;
        }
        count++;
        if (call->aggregate == AGGREGATE_SUM) {
            sum += value->i64;
        }
        bool is_min = call->aggregate == AGGREGATE_MIN;
        if ((is_min || call->aggregate == AGGREGATE_MAX) &&
            (result.is_null || (value_compare(value, &result) < 0) == is_min)) {
            result = *value;
        }
    }
    if (call->aggregate == AGGREGATE_COUNT || call->aggregate == AGGREGATE_COUNT_STAR) {
        return number(call->type, count);
    }
    if (call->aggregate == AGGREGATE_SUM && count > 0) {
        result.is_null = false;
        result.i128 = sum;
    }
    return result;
}

static WindowCall make_call(const WindowCase *test, WindowFunctionId id, Type type)
{
    return (WindowCall){.id = id, .type = type, .is_rows = test->is_rows, .start = test->start,
                        .end = test->end, .start_rows = test->start_rows,
                        .end_rows = test->end_rows,
                        .is_ignore_nulls = test->ignores_nulls && id >= WINDOW_LAG &&
                                           id <= WINDOW_NTH_VALUE};
}

static uint32_t make_calls(const WindowCase *test, PlanMake *make, const PlanNode *child,
                           WindowCall *calls)
{
    static const WindowFunctionId ranks[] = {WINDOW_ROW_NUMBER, WINDOW_RANK, WINDOW_DENSE_RANK,
                                             WINDOW_PERCENT_RANK, WINDOW_CUME_DIST, WINDOW_NTILE};
    static const WindowFunctionId values[] = {WINDOW_LAG, WINDOW_LEAD, WINDOW_FIRST_VALUE,
                                              WINDOW_LAST_VALUE, WINDOW_NTH_VALUE};
    static const AggregateId aggregates[] = {AGGREGATE_COUNT, AGGREGATE_SUM, AGGREGATE_MIN,
                                             AGGREGATE_MAX};
    uint32_t count = 0;
    for (uint32_t i = 0; i < 6; i++) {
        bool is_double = ranks[i] == WINDOW_PERCENT_RANK || ranks[i] == WINDOW_CUME_DIST;
        calls[count] = make_call(test, ranks[i], type_of(is_double ? TYPE_DOUBLE : TYPE_BIGINT));
        if (ranks[i] == WINDOW_NTILE) {
            calls[count].args = ARENA_ARRAY(arena, Expr *, 1);
            calls[count].args[0] = expr_int64(arena, TYPE_BIGINT, 3);
            calls[count].arg_count = 1;
        }
        // Row numbers among peers are nobody's business.
        count += !(ranks[i] == WINDOW_ROW_NUMBER || ranks[i] == WINDOW_NTILE) ||
                 test->distinct > 5000;
    }
    for (uint32_t i = 0; i < 5 && test->distinct > 5000; i++) {
        uint32_t column = i % 2 == 0 ? 3 : 2; // texts, or the type of the default
        calls[count] = make_call(test, values[i], child->output_types[column]);
        calls[count].args = ARENA_ARRAY(arena, Expr *, 3);
        calls[count].args[0] = make_column(make, child, column);
        bool has_number = values[i] <= WINDOW_LEAD || values[i] == WINDOW_NTH_VALUE;
        calls[count].args[1] = make_column(make, child, 4);
        calls[count].args[2] = make_column(make, child, 2);
        calls[count].arg_count = has_number ? 2 : 1;
        if (values[i] == WINDOW_LEAD) {
            calls[count].arg_count = 3; // with a default
        }
        count++;
    }
    // Frames over rows depend on the order of peers too.
    bool is_determined = !test->is_rows || test->distinct > 5000;
    for (uint32_t i = 0; i < 4 && is_determined; i++) {
        Expr *argument = make_column(make, child, aggregates[i] >= AGGREGATE_MIN ? 3 : 2);
        Type type = aggregates[i] == AGGREGATE_COUNT ? type_of(TYPE_BIGINT)
                    : aggregates[i] == AGGREGATE_SUM ? type_decimal(38, 2)
                                                     : argument->type;
        calls[count] = make_call(test, WINDOW_AGGREGATE, type);
        calls[count].aggregate = aggregates[i];
        calls[count].args = ARENA_ARRAY(arena, Expr *, 1);
        calls[count].args[0] = argument;
        calls[count++].arg_count = 1;
    }
    return count;
}

static Rows *reference_rows(const WindowCase *test, const Rows *input, const PlanWindow *window)
{
    Rows *out = rows_create(arena, window->node.output_count);
    Value **rows = ARENA_ARRAY(arena, Value *, input->count);
    for (uint32_t i = 0; i < input->count; i++) {
        rows[i] = input->items[i];
    }
    sorting = test;
    qsort(rows, input->count, sizeof *rows, compare_rows);
    for (uint32_t first = 0; first < input->count;) {
        uint32_t end = first + 1;
        while (end < input->count && (test->partition_count == 0 ||
                                      compare_first(rows[first], rows[end], 0) == 0)) {
            end++;
        }
        Reference self = {.test = test, .rows = rows + first, .count = end - first};
        for (uint32_t i = 0; i < self.count; i++) {
            Value *row = rows_add(out);
            memcpy(row, self.rows[i], COLUMNS * sizeof *row);
            for (uint32_t c = 0; c < window->call_count; c++) {
                const WindowCall *call = &window->calls[c];
                row[COLUMNS + c] = call->id == WINDOW_AGGREGATE ? reference_aggregate(&self, call, i)
                                   : call->id >= WINDOW_LAG
                                       ? reference_value(&self, call, i)
                                       : reference_rank(&self, call->id, call->type, i);
            }
        }
        first = end;
    }
    return out;
}

static void check_case(const WindowCase *test)
{
    uint64_t random = test->seed;
    MadeTables tables = {0};
    PlanMake make = {.arena = arena};
    Type types[COLUMNS];
    for (uint32_t c = 0; c < COLUMNS; c++) {
        types[c] = made_type(made[c]);
    }
    MadeTable *table = made_table_add(&tables, arena, types, COLUMNS);
    made_rows_add(table, made, test->row_count, test->distinct, test->null_every, &random);
    for (uint32_t i = 0; i < test->row_count; i++) {
        Value *row = table->rows->items[i];
        row[0] = made_value(arena, MADE_TEXT, 5, 6, &random);
        row[4].i64 = 1 + (int64_t)(i % 4);
        if (test->distinct > 5000) {
            row[1] = value_int64(types[1], (int64_t)((i * 7919) % 10007)); // no peers
        }
    }
    PlanWindow *window = arena_alloc(arena, sizeof *window);
    PlanNode *scan = make_scan(&make, table);
    window->child = scan;
    window->partition_count = test->partition_count;
    window->partition = ARENA_ARRAY(arena, uint32_t, 1);
    window->order_count = test->order_count;
    window->order = ARENA_ARRAY(arena, PlanSortKey, 1);
    window->order[0] = (PlanSortKey){.column = 1};
    window->calls = ARENA_ARRAY(arena, WindowCall, CALLS_MAX);
    window->call_count = make_calls(test, &make, scan, window->calls);
    window->node = (PlanNode){.kind = PLAN_WINDOW, .id = ++make.node_count,
                              .output_count = COLUMNS + window->call_count, .label = "",
                              .detail = ""};
    window->node.output_types = ARENA_ARRAY(arena, Type, window->node.output_count);
    memcpy(window->node.output_types, types, sizeof types);
    for (uint32_t c = 0; c < window->call_count; c++) {
        window->node.output_types[COLUMNS + c] = window->calls[c].type;
    }
    Rows *expected = reference_rows(test, table->rows, window);
    Plan *plan = make_plan(&make, &window->node, NULL, 0);
    EngineOptions options = test->options;
    options.seed = test->seed;
    EngineResult result = engine_run(plan, &tables.rows, &options, arena);
    ck_assert_msg(result.failure == NULL, "%s", result.failure);
    rows_canonical(expected);
    rows_canonical(result.rows);
    const char *difference = lines_difference(arena, rows_print(expected, false),
                                              rows_print(result.rows, false));
    ck_assert_msg(difference[0] == '\0', "seed %llu: %s", (unsigned long long)test->seed,
                  difference);
    if (test->options.force_spill) {
        ck_assert_uint_gt(result.spilled_bytes, 0);
    }
}

static const struct {
    bool is_rows;
    FrameBound start, end;
    int64_t start_rows, end_rows;
} frames[] = {
    {false, FRAME_UNBOUNDED_PRECEDING, FRAME_CURRENT_ROW, 0, 0},
    {false, FRAME_UNBOUNDED_PRECEDING, FRAME_UNBOUNDED_FOLLOWING, 0, 0},
    {false, FRAME_CURRENT_ROW, FRAME_UNBOUNDED_FOLLOWING, 0, 0},
    {false, FRAME_CURRENT_ROW, FRAME_CURRENT_ROW, 0, 0},
    {true, FRAME_UNBOUNDED_PRECEDING, FRAME_CURRENT_ROW, 0, 0},
    {true, FRAME_PRECEDING, FRAME_FOLLOWING, 2, 1},
    {true, FRAME_PRECEDING, FRAME_PRECEDING, 3, 1},
    {true, FRAME_FOLLOWING, FRAME_FOLLOWING, 1, 4},
    {true, FRAME_UNBOUNDED_PRECEDING, FRAME_FOLLOWING, 0, 2},
    {true, FRAME_CURRENT_ROW, FRAME_CURRENT_ROW, 0, 0},
    {true, FRAME_FOLLOWING, FRAME_UNBOUNDED_FOLLOWING, 2, 0},
};
enum { FRAME_COUNT = sizeof frames / sizeof *frames };

static WindowCase frame_case(int index)
{
    return (WindowCase){
        .partition_count = 1,
        .order_count = 1,
        .row_count = 150,
        .distinct = 9000,
        .null_every = 5,
        .is_rows = frames[index].is_rows,
        .start = frames[index].start,
        .end = frames[index].end,
        .start_rows = frames[index].start_rows,
        .end_rows = frames[index].end_rows,
        .seed = (uint64_t)index + 1,
    };
}

START_TEST(computes_every_function_over_every_frame)
{
    WindowCase test = frame_case(_i);
    check_case(&test);
    test.ignores_nulls = true;
    check_case(&test);
    test.partition_count = 0;
    test.options.batch_rows = 7;
    check_case(&test);
}
END_TEST

START_TEST(knows_peers)
{
    WindowCase test = frame_case(_i);
    test.distinct = 12;
    test.options.worker_count = 3;
    check_case(&test);
    test.order_count = 0;
    if (!test.is_rows) {
        check_case(&test);
    }
}
END_TEST

START_TEST(spills_and_agrees)
{
    WindowCase test = frame_case(_i);
    test.row_count = 900;
    test.options.force_spill = true;
    check_case(&test);
    test.partition_count = 0;
    test.row_count = 400;
    check_case(&test);
}
END_TEST

START_TEST(gives_nothing_for_no_rows)
{
    WindowCase test = frame_case(0);
    test.row_count = 0;
    check_case(&test);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("window");
    TCase *tcase = tcase_create("window");
    tcase_set_timeout(tcase, 300);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, computes_every_function_over_every_frame, 0, FRAME_COUNT);
    tcase_add_loop_test(tcase, knows_peers, 0, FRAME_COUNT);
    tcase_add_loop_test(tcase, spills_and_agrees, 0, FRAME_COUNT);
    tcase_add_test(tcase, gives_nothing_for_no_rows);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
