/* seed_plans.c — small plans in which every kind of node, expression and value occurs once. */
#include <string.h>

#include "planner/plan/plan_codec.h"
#include "planner/plan/plan_statistics.h"
#include "tests/fuzz/seeds.h"

enum { PLAN_BYTES_MAX = 1 << 20, CHOICE_EXPR = 0, CHOICE_STATISTICS = 1, CHOICE_PLAN = 2 };

static Arena *arena;
static ByteBuffer buffer;
static uint32_t node_count;
static Type row_types[] = {{.id = TYPE_BIGINT}, {.id = TYPE_VARCHAR, .length = 9}};
static uint32_t both[] = {0, 1};

#define ROW_COLUMNS 2u
#define NODE(Struct, kind_id) ((Struct *)make_node(sizeof(Struct), kind_id, ROW_COLUMNS, row_types))

static PlanNode *make_node(size_t bytes, PlanNodeKind kind, uint32_t count, Type *types)
{
    PlanNode *node = arena_alloc(arena, bytes);
    *node = (PlanNode){.kind = kind,
                       .id = ++node_count,
                       .output_count = count,
                       .output_types = types,
                       .estimated_rows = 10,
                       .label = "",
                       .detail = ""};
    return node;
}

static Expr *column(uint32_t index)
{
    return expr_column(arena, index, row_types[index]);
}

static Expr *number(int64_t value)
{
    return expr_int64(arena, TYPE_BIGINT, value);
}

static Expr *condition(void)
{
    return expr_call2(arena, FUNCTION_GREATER, type_of(TYPE_BOOLEAN), column(0), number(3));
}

static Expr **list(Expr *first, Expr *second)
{
    Expr **exprs = ARENA_ARRAY(arena, Expr *, 2);
    exprs[0] = first;
    exprs[1] = second;
    return exprs;
}

static PlanTable *table(void)
{
    PlanTable *made = ARENA_NEW(arena, PlanTable);
    made->table_id = 4;
    made->name = "public.t";
    made->style = DISTRIBUTION_STYLE_KEY;
    made->column_count = ROW_COLUMNS;
    made->columns = arena_array(arena, ROW_COLUMNS, sizeof(*made->columns));
    for (uint32_t i = 0; i < ROW_COLUMNS; i++) {
        made->columns[i].column_id = i + 1;
        made->columns[i].name = i == 0 ? "k" : "v";
        made->columns[i].type = row_types[i];
        made->columns[i].default_value = value_null(row_types[i]);
    }
    made->sort_key_count = 1;
    made->sort_keys = both;
    return made;
}

static PlanNode *scan(void)
{
    PlanScan *node = NODE(PlanScan, PLAN_SCAN);
    node->table = table();
    node->column_count = ROW_COLUMNS;
    node->columns = both;
    node->filter_count = 1;
    node->filters = list(condition(), NULL);
    node->outputs = both;
    return &node->node;
}

static PlanNode *values(void)
{
    PlanValues *node = NODE(PlanValues, PLAN_VALUES);
    Value text = value_null(row_types[1]);
    node->row_count = 1;
    node->cells = list(number(1), expr_constant(arena, &text));
    return &node->node;
}

static PlanNode *hash_join(PlanNode *probe, PlanNode *build)
{
    PlanHashJoin *node = NODE(PlanHashJoin, PLAN_HASH_JOIN);
    static uint32_t outputs[] = {0, 3}, filter_ids[] = {1};
    static bool is_null_equal[] = {false};
    node->probe = probe;
    node->build = build;
    node->key_count = 1;
    node->probe_keys = list(column(0), NULL);
    node->build_keys = list(column(0), NULL);
    node->is_null_equal = is_null_equal;
    node->residual = condition();
    node->outputs = outputs;
    node->runtime_filter_ids = filter_ids;
    node->local_key = 1;
    return &node->node;
}

static PlanNode *nested_loop(PlanNode *probe, PlanNode *build)
{
    PlanNestedLoopJoin *node = NODE(PlanNestedLoopJoin, PLAN_NESTED_LOOP_JOIN);
    node->join = JOIN_LEFT;
    node->probe = probe;
    node->build = build;
    node->condition = condition();
    node->outputs = both;
    return &node->node;
}

static PlanNode *aggregate(PlanNode *child)
{
    static Type types[] = {{.id = TYPE_BIGINT}, {.id = TYPE_BIGINT}};
    PlanAggregate *node =
        (PlanAggregate *)make_node(sizeof(PlanAggregate), PLAN_AGGREGATE, 2, types);
    node->child = child;
    node->key_count = 1;
    node->keys = list(column(0), NULL);
    node->has_key_bounds = true;
    node->key_min = -1;
    node->key_max = 99;
    node->is_key_local = true;
    node->aggregate_count = 1;
    node->aggregates = ARENA_NEW(arena, AggregateCall);
    *node->aggregates = (AggregateCall){
        .id = AGGREGATE_COUNT, .argument = column(1), .filter = condition(), .type = types[1]};
    return &node->node;
}

static PlanNode *window(PlanNode *child)
{
    static Type types[] = {
        {.id = TYPE_BIGINT}, {.id = TYPE_VARCHAR, .length = 9}, {.id = TYPE_BIGINT}};
    static PlanSortKey order = {.column = 0, .is_descending = true};
    PlanWindow *node = (PlanWindow *)make_node(sizeof(PlanWindow), PLAN_WINDOW, 3, types);
    node->child = child;
    node->partition_count = 1;
    node->partition = both;
    node->order_count = 1;
    node->order = &order;
    node->call_count = 1;
    node->calls = ARENA_NEW(arena, WindowCall);
    *node->calls = (WindowCall){.id = WINDOW_AGGREGATE,
                                .aggregate = AGGREGATE_SUM,
                                .arg_count = 1,
                                .args = list(column(0), NULL),
                                .end = FRAME_CURRENT_ROW,
                                .type = types[2]};
    return &node->node;
}

static PlanNode *filter(PlanNode *child)
{
    PlanFilter *node = NODE(PlanFilter, PLAN_FILTER);
    node->child = child;
    node->filter_count = 1;
    node->filters = list(condition(), NULL);
    return &node->node;
}

static PlanNode *project(PlanNode *child)
{
    PlanProject *node = NODE(PlanProject, PLAN_PROJECT);
    node->child = child;
    node->exprs = list(column(0), column(1));
    return &node->node;
}

static PlanNode *sort(PlanNode *child)
{
    static PlanSortKey keys[] = {{.column = 1}, {.column = 0, .is_nulls_first = true}};
    PlanSort *node = NODE(PlanSort, PLAN_SORT);
    node->child = child;
    node->key_count = 2;
    node->keys = keys;
    node->limit = 5;
    return &node->node;
}

static PlanNode *limit(PlanNode *child)
{
    PlanLimit *node = NODE(PlanLimit, PLAN_LIMIT);
    node->child = child;
    node->limit = 10;
    return &node->node;
}

static PlanNode *append(PlanNode *first, PlanNode *second)
{
    PlanUnionAll *node = NODE(PlanUnionAll, PLAN_UNION_ALL);
    node->child_count = 2;
    node->children = ARENA_ARRAY(arena, PlanNode *, 2);
    node->children[0] = first;
    node->children[1] = second;
    return &node->node;
}

static PlanNode *result(PlanNode *child)
{
    PlanResult *node = (PlanResult *)make_node(sizeof(PlanResult), PLAN_RESULT, child->output_count,
                                               child->output_types);
    node->child = child;
    return &node->node;
}

static PlanNode *store(PlanNode *child)
{
    PlanStore *node = NODE(PlanStore, PLAN_STORE);
    node->child = child;
    node->store_id = 1;
    return &node->node;
}

static PlanNode *stored(void)
{
    PlanStored *node = NODE(PlanStored, PLAN_STORED);
    node->store_id = 1;
    return &node->node;
}

static PlanNode *virtual_scan(void)
{
    PlanVirtualScan *node = NODE(PlanVirtualScan, PLAN_VIRTUAL_SCAN);
    node->table_name = "pg_catalog.pg_class";
    node->columns = both;
    return &node->node;
}

static PlanNode *send(PlanNode *child, ExchangeKind kind)
{
    PlanSend *node = NODE(PlanSend, PLAN_SEND);
    node->child = child;
    node->exchange_id = 1;
    node->exchange = kind;
    node->key_count = kind == EXCHANGE_HASH ? 1 : 0;
    node->keys = both;
    return &node->node;
}

static PlanNode *receive(bool is_merged)
{
    static PlanSortKey keys[] = {{.column = 0}};
    PlanReceive *node = NODE(PlanReceive, PLAN_RECEIVE);
    node->exchange_id = 1;
    node->merge_key_count = is_merged ? 1 : 0;
    node->merge_keys = keys;
    return &node->node;
}

static PlanNode *copy_read(void)
{
    static const char *paths[] = {"/data/a.csv"};
    PlanCopyRead *node = NODE(PlanCopyRead, PLAN_COPY_READ);
    node->table = table();
    node->path_count = 1;
    node->paths = paths;
    node->column_count = ROW_COLUMNS;
    node->columns = both;
    node->format_bytes = 3;
    node->format = "csv";
    return &node->node;
}

static PlanNode *table_write(PlanNode *child)
{
    static Type count[] = {{.id = TYPE_BIGINT}};
    PlanTableWrite *node =
        (PlanTableWrite *)make_node(sizeof(PlanTableWrite), PLAN_TABLE_WRITE, 1, count);
    node->child = child;
    node->table = table();
    return &node->node;
}

/* Row ids of a scan, deleted on the nodes that keep the rows. */
static PlanNode *table_delete(void)
{
    static Type ids[] = {{.id = TYPE_BIGINT}};
    static uint32_t row_id[] = {ROW_COLUMNS};
    PlanScan *child = (PlanScan *)scan();
    child->has_row_ids = true;
    child->node.output_count = 1;
    child->node.output_types = ids;
    child->outputs = row_id;
    PlanTableDelete *node =
        (PlanTableDelete *)make_node(sizeof(PlanTableDelete), PLAN_TABLE_DELETE, 1, ids);
    node->child = &child->node;
    node->table = table();
    return &node->node;
}

static PlanNode *table_vacuum(void)
{
    static Type rows[] = {{.id = TYPE_BIGINT}};
    PlanTableVacuum *node =
        (PlanTableVacuum *)make_node(sizeof(PlanTableVacuum), PLAN_TABLE_VACUUM, 1, rows);
    node->table = table();
    node->mode = VACUUM_SORT_ONLY;
    node->percent = 95;
    return &node->node;
}

/* A plan of one fragment at the leader, or of one behind `first` at the nodes. The runtime filter
 * of a join right below `first` goes to all nodes. */
static void write_plan(const char *name, PlanNode *first, ExchangeKind kind, PlanNode *last)
{
    PlanFragment fragments[2];
    uint32_t count = 0;
    if (first != NULL) {
        fragments[count++] = (PlanFragment){.id = 1, .site = PLAN_SITE_NODES, .root = first};
    }
    fragments[count] = (PlanFragment){.id = count + 1, .site = PLAN_SITE_LEADER, .root = last};
    bool has_exchange = first != NULL && first->kind == PLAN_SEND;
    if (first != NULL && !has_exchange) {
        fragments[0].site = PLAN_SITE_LEADER;
    }
    bool has_filter = has_exchange && plan_node_child(first, 0)->kind == PLAN_HASH_JOIN;
    PlanExchange exchanges[] = {{.id = 1,
                                 .kind = kind,
                                 .target_site = PLAN_SITE_LEADER,
                                 .column_count = ROW_COLUMNS,
                                 .types = row_types},
                                {.id = 2, .kind = EXCHANGE_BROADCAST}};
    uint32_t filter_exchanges[] = {has_filter ? 2 : 0};
    PlanResultColumn columns[3] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
    for (uint32_t i = 0; i < last->output_count; i++) {
        columns[i].type = last->output_types[i];
    }
    Plan plan = {.fragment_count = count + 1,
                 .fragments = fragments,
                 .exchange_count = (has_exchange ? 1u : 0u) + (has_filter ? 1u : 0u),
                 .exchanges = exchanges,
                 .result_count = last->output_count,
                 .results = columns,
                 .node_count = node_count,
                 .runtime_filter_count = 1,
                 .runtime_filter_exchanges = filter_exchanges};
    plan_encode(&plan, &buffer);
    seed_write_buffer("plan_decode", name, CHOICE_PLAN, &buffer);
    node_count = 0;
}

static Value text_value(const char *text)
{
    Value value = value_null(type_varchar(40));
    value.is_null = false;
    value.text = text_view_make(text, strlen(text));
    return value;
}

static void write_expr(const char *name, const Expr *expr)
{
    expr_encode(expr, &buffer);
    seed_write_buffer("plan_decode", name, CHOICE_EXPR, &buffer);
}

static void seed_exprs(void)
{
    Type boolean = type_of(TYPE_BOOLEAN);
    Value text = text_value("a text of more than twelve bytes");
    Value wide = {.type = type_decimal(38, 2), .i128 = 12345};
    Value span = {.type = type_of(TYPE_INTERVAL), .interval = {.months = 1, .days = 2, .us = 3}};
    Value real = {.type = type_of(TYPE_DOUBLE), .f64 = 1.5};
    Value listed[] = {value_int64(type_of(TYPE_BIGINT), 3), value_int64(type_of(TYPE_BIGINT), 5)};
    Expr *in = ARENA_NEW(arena, Expr);
    *in = (Expr){.kind = EXPR_IN, .type = boolean, .arg_count = 1, .args = list(column(0), NULL)};
    in->in.values = listed;
    in->in.value_count = 2;
    in->in.has_null_value = true;
    Expr *parts[] = {condition(), column(0), number(0)};
    Expr *choice = ARENA_NEW(arena, Expr);
    *choice = (Expr){.kind = EXPR_CASE, .type = row_types[0], .arg_count = 3, .args = parts};
    write_expr("expr_in", expr_and2(arena, in, expr_not(arena, condition())));
    write_expr("expr_case", choice);
    write_expr("expr_text", expr_constant(arena, &text));
    write_expr("expr_wide", expr_cast(arena, expr_constant(arena, &wide), row_types[0], true));
    write_expr("expr_interval", expr_is_null(arena, expr_constant(arena, &span)));
    write_expr("expr_double", expr_is_not_null(arena, expr_constant(arena, &real)));
    write_expr("expr_like",
               expr_call2(arena, FUNCTION_LIKE, boolean, column(1), expr_constant(arena, &text)));
    Expr *either[] = {condition(), in};
    write_expr("expr_or", expr_or(arena, 2, either));
}

void seed_plans(void)
{
    arena = arena_create(NULL, "seeds");
    byte_buffer_init(&buffer, PLAN_BYTES_MAX);
    write_plan("values", NULL, EXCHANGE_GATHER, result(limit(project(filter(values())))));
    write_plan("gather", send(sort(scan()), EXCHANGE_GATHER), EXCHANGE_GATHER,
               result(receive(true)));
    write_plan("hash", send(scan(), EXCHANGE_HASH), EXCHANGE_HASH,
               result(aggregate(receive(false))));
    write_plan("joins", send(hash_join(scan(), append(values(), values())), EXCHANGE_BROADCAST),
               EXCHANGE_BROADCAST, result(nested_loop(receive(false), values())));
    write_plan("stored", store(virtual_scan()), EXCHANGE_GATHER, result(window(stored())));
    write_plan("write", NULL, EXCHANGE_GATHER, result(table_write(copy_read())));
    write_plan("delete", NULL, EXCHANGE_GATHER, result(table_delete()));
    write_plan("vacuum", NULL, EXCHANGE_GATHER, result(table_vacuum()));
    seed_exprs();
    PlanNodeStatistics statistics[] = {{.plan_node_id = 1, .rows = 10, .variant = "dense"},
                                       {.site = 2, .plan_node_id = 2, .time_ns = 1000000}};
    plan_statistics_encode(statistics, 2, &buffer);
    seed_write_buffer("plan_decode", "statistics", CHOICE_STATISTICS, &buffer);
    byte_buffer_deinit(&buffer);
    arena_destroy(arena);
}
