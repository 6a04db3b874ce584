/* world.c — make-believe tables and hand-made trees. */
#include "tests/support/planner/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "planner/plan/plan_print.h"

static Status find_table(void *self, const char *schema, const char *name, Arena *arena,
                         const CatalogTable **out)
{
    World *world = self;
    (void)schema;
    (void)arena;
    *out = NULL;
    for (uint32_t i = 0; i < world->table_count; i++) {
        if (strcmp(world->tables[i].catalog.name, name) == 0) {
            *out = &world->tables[i].catalog;
        }
    }
    return STATUS_OK;
}

static bool schema_exists(void *self, const char *schema)
{
    (void)self;
    return strcmp(schema, "public") == 0;
}

static const char *public_schema(void *self)
{
    (void)self;
    return "public";
}

static int64_t fixed_time(void *self)
{
    (void)self;
    return 1700000000000000;
}

static const char *no_setting(void *self, const char *name)
{
    (void)self;
    (void)name;
    return NULL;
}

static const Rows *find_rows(void *self, uint64_t table_id)
{
    World *world = self;
    for (uint32_t i = 0; i < world->table_count; i++) {
        if (world->tables[i].catalog.table_id == table_id) {
            return world->tables[i].rows;
        }
    }
    return NULL;
}

World *world_create(uint32_t node_count)
{
    Arena *arena = arena_create(NULL, "world");
    World *world = ARENA_NEW(arena, World);
    world->arena = arena;
    world->view = (CatalogView){.self = world,
                                .find_table = find_table,
                                .schema_exists = schema_exists,
                                .current_schema = public_schema,
                                .current_user = public_schema,
                                .current_database = public_schema,
                                .statement_time_us = fixed_time,
                                .setting = no_setting};
    world->context = (PlannerContext){.arena = arena,
                                      .catalog = &world->view,
                                      .next_column = 1,
                                      .next_cte = 1,
                                      .node_count = node_count};
    world->table_rows = (TableRows){world, find_rows};
    return world;
}

void world_destroy(World *world)
{
    arena_destroy(world->arena);
}

static Type parse_type(const char *word)
{
    unsigned first = 0, second = 0;
    if (sscanf(word, "decimal(%u;%u)", &first, &second) == 2) {
        return type_decimal(first, second);
    }
    if (sscanf(word, "varchar(%u)", &first) == 1) {
        return type_varchar((int32_t)first);
    }
    if (sscanf(word, "char(%u)", &first) == 1) {
        return type_char((int32_t)first);
    }
    static const struct {
        const char *word;
        TypeId id;
    } words[] = {{"bigint", TYPE_BIGINT},       {"int", TYPE_INTEGER},
                 {"smallint", TYPE_SMALLINT},   {"date", TYPE_DATE},
                 {"timestamp", TYPE_TIMESTAMP}, {"double", TYPE_DOUBLE},
                 {"boolean", TYPE_BOOLEAN}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].word, word) == 0) {
            return type_of(words[i].id);
        }
    }
    ASSERT(word == NULL);
    return type_of(TYPE_UNKNOWN);
}

WorldTable *world_add_table(World *world, const char *name, const char *columns, const char *style)
{
    WorldTable *table = &world->tables[world->table_count++];
    CatalogTable *catalog = &table->catalog;
    catalog->table_id = 1000 + world->table_count;
    catalog->schema_name = "public";
    catalog->name = name;
    catalog->distribution_column = -1;
    catalog->columns = ARENA_ARRAY(world->arena, CatalogColumn, 64);
    char *text = arena_strdup(world->arena, columns), *state = NULL;
    for (char *part = strtok_r(text, ",", &state); part != NULL;
         part = strtok_r(NULL, ",", &state)) {
        char column[64], type[64];
        ASSERT(sscanf(part, " %63s %63s", column, type) == 2);
        CatalogColumn *target = &catalog->columns[catalog->column_count++];
        target->column_id = catalog->column_count;
        target->attribute_number = catalog->column_count;
        target->name = arena_strdup(world->arena, column);
        target->type = parse_type(type);
        target->is_not_null = strstr(part, "not null") != NULL;
        if (strcmp(style, column) == 0) {
            catalog->distribution_column = (int32_t)catalog->column_count - 1;
        }
    }
    catalog->style = strcmp(style, "even") == 0  ? DISTRIBUTION_STYLE_EVEN
                     : strcmp(style, "all") == 0 ? DISTRIBUTION_STYLE_ALL
                                                 : DISTRIBUTION_STYLE_KEY;
    catalog->statistics = ARENA_ARRAY(world->arena, ColumnStatistics, catalog->column_count);
    table->rows = rows_create(world->arena, catalog->column_count);
    return table;
}

WorldTable *world_table(World *world, const char *name)
{
    for (uint32_t i = 0; i < world->table_count; i++) {
        if (strcmp(world->tables[i].catalog.name, name) == 0) {
            return &world->tables[i];
        }
    }
    ASSERT(name == NULL);
    return NULL;
}

void world_set_statistics(WorldTable *table, const char *column, double distinct, int64_t min,
                          int64_t max)
{
    for (uint32_t i = 0; i < table->catalog.column_count; i++) {
        const CatalogColumn *target = &table->catalog.columns[i];
        if (strcmp(target->name, column) == 0) {
            ColumnStatistics *statistics = &table->catalog.statistics[i];
            *statistics = (ColumnStatistics){.is_known = true, .distinct_count = distinct};
            statistics->has_bounds = min <= max && type_is_scaled_integer(target->type);
            statistics->min = value_int64(target->type, min);
            statistics->max = value_int64(target->type, max);
        }
    }
}

void world_gather_statistics(WorldTable *table)
{
    CatalogTable *catalog = &table->catalog;
    catalog->row_count = table->rows->count;
    for (uint32_t i = 0; i < catalog->column_count; i++) {
        ColumnStatistics *statistics = &catalog->statistics[i];
        uint32_t nulls = 0, distinct = 0;
        for (uint32_t row = 0; row < table->rows->count; row++) {
            const Value *value = &table->rows->items[row][i];
            bool is_new = !value->is_null;
            for (uint32_t k = 0; k < row && is_new; k++) {
                is_new = !value_equal(&table->rows->items[k][i], value);
            }
            distinct += is_new;
            nulls += value->is_null;
            if (value->is_null) {
                continue;
            }
            if (!statistics->has_bounds || value_compare(value, &statistics->min) < 0) {
                statistics->min = *value;
            }
            if (!statistics->has_bounds || value_compare(value, &statistics->max) > 0) {
                statistics->max = *value;
            }
            statistics->has_bounds = true;
        }
        statistics->is_known = true;
        statistics->distinct_count = distinct;
        statistics->null_fraction =
            table->rows->count == 0 ? 0 : (double)nulls / table->rows->count;
    }
}

uint64_t world_random(uint64_t *state, uint64_t limit)
{
    *state += 0x9E3779B97F4A7C15u;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (z ^ (z >> 31)) % limit;
}

void world_add_random_tables(World *world, uint64_t seed, uint32_t rows_max)
{
    static const char *const names[] = {"r", "s", "u", "d"};
    static const char *const styles[] = {"k", "k", "even", "all"};
    for (int t = 0; t < 4; t++) {
        WorldTable *table = world_add_table(
            world, names[t], "k bigint, a bigint, b bigint, c bigint not null", styles[t]);
        uint64_t count = world_random(&seed, 6) == 0 ? 0 : 1 + world_random(&seed, rows_max);
        for (uint64_t i = 0; i < count; i++) {
            Value *row = rows_add(table->rows);
            for (uint32_t c = 0; c < 4; c++) {
                bool is_null = c < 3 && world_random(&seed, 5) == 0;
                row[c] = value_int64(type_of(TYPE_BIGINT), (int64_t)world_random(&seed, 4));
                if (is_null) {
                    row[c] = value_null(type_of(TYPE_BIGINT));
                }
            }
        }
        world_gather_statistics(table);
        // What the planner believes differs from what is there: other plans, the same rows.
        static const double factors[] = {1, 1, 1e3, 1e6};
        double factor = factors[world_random(&seed, 4)];
        table->catalog.row_count *= factor;
        for (uint32_t c = 0; c < table->catalog.column_count && factor > 1; c++) {
            double share = world_random(&seed, 2) == 0 ? 1 : factor;
            table->catalog.statistics[c].distinct_count *= share;
        }
    }
}

LogicalNode *world_get(World *world, const char *name)
{
    const CatalogTable *table = &world_table(world, name)->catalog;
    LogicalGet *get = ARENA_NEW(world->arena, LogicalGet);
    get->node.kind = LOGICAL_GET;
    get->node.rows = -1;
    get->node.column_count = table->column_count;
    get->node.columns = ARENA_ARRAY(world->arena, LogicalColumn, table->column_count);
    get->table_columns = ARENA_ARRAY(world->arena, uint32_t, table->column_count);
    get->table = table;
    get->alias = name;
    for (uint32_t i = 0; i < table->column_count; i++) {
        get->table_columns[i] = i;
        get->node.columns[i] = (LogicalColumn){.number = planner_new_column(&world->context),
                                               .name = table->columns[i].name,
                                               .type = table->columns[i].type,
                                               .is_nullable = !table->columns[i].is_not_null,
                                               .table_id = table->table_id,
                                               .column_id = table->columns[i].column_id};
    }
    return &get->node;
}

Expr *world_column(World *world, const LogicalNode *node, const char *name)
{
    for (uint32_t i = 0; i < node->column_count; i++) {
        if (strcmp(node->columns[i].name, name) == 0) {
            return logical_column_expr(world->arena, &node->columns[i]);
        }
    }
    ASSERT(name == NULL);
    return NULL;
}

Expr *world_call(World *world, FunctionId function, Expr *left, Expr *right)
{
    return expr_call2(world->arena, function, type_of(TYPE_BOOLEAN), left, right);
}

Expr *world_number(World *world, int64_t value)
{
    return expr_int64(world->arena, TYPE_BIGINT, value);
}

LogicalNode *world_project(World *world, LogicalNode *child, uint32_t count, Expr **exprs)
{
    LogicalColumn *columns = ARENA_ARRAY(world->arena, LogicalColumn, count);
    for (uint32_t i = 0; i < count; i++) {
        columns[i] = logical_column(planner_new_column(&world->context),
                                    arena_printf(world->arena, "c%u", i + 1), exprs[i], child);
    }
    return logical_project(world->arena, child, count,
                           arena_memdup(world->arena, exprs, count * sizeof(*exprs)), columns);
}

LogicalNode *world_aggregate(World *world, LogicalNode *child, uint32_t key_count, Expr **keys,
                             uint32_t call_count, AggregateCall *calls)
{
    LogicalColumn *columns = ARENA_ARRAY(world->arena, LogicalColumn, key_count + call_count);
    for (uint32_t i = 0; i < key_count + call_count; i++) {
        const char *name = arena_printf(world->arena, "c%u", i + 1);
        ColumnNumber number = planner_new_column(&world->context);
        if (i < key_count) {
            columns[i] = logical_column(number, name, keys[i], child);
        } else {
            bool is_count = calls[i - key_count].id == AGGREGATE_COUNT_STAR ||
                            calls[i - key_count].id == AGGREGATE_COUNT;
            columns[i] = (LogicalColumn){.number = number,
                                         .name = name,
                                         .type = calls[i - key_count].type,
                                         .is_nullable = !is_count};
        }
    }
    return logical_aggregate(
        world->arena, child, key_count, arena_memdup(world->arena, keys, key_count * sizeof(*keys)),
        call_count, arena_memdup(world->arena, calls, call_count * sizeof(*calls)), columns);
}

LogicalNode *world_sort(World *world, LogicalNode *child, Expr *key, bool is_descending)
{
    LogicalSort *sort = ARENA_NEW(world->arena, LogicalSort);
    sort->node.kind = LOGICAL_SORT;
    sort->node.rows = -1;
    sort->child = child;
    sort->key_count = 1;
    sort->keys = ARENA_NEW(world->arena, LogicalSortKey);
    *sort->keys = (LogicalSortKey){key, is_descending, is_descending};
    logical_refresh_columns(world->arena, &sort->node);
    return &sort->node;
}

LogicalNode *world_distinct(World *world, LogicalNode *child)
{
    LogicalDistinct *distinct = ARENA_NEW(world->arena, LogicalDistinct);
    distinct->node.kind = LOGICAL_DISTINCT;
    distinct->node.rows = -1;
    distinct->child = child;
    logical_refresh_columns(world->arena, &distinct->node);
    return &distinct->node;
}

LogicalNode *world_set(World *world, SetKind kind, LogicalNode *left, LogicalNode *right)
{
    LogicalColumn *columns =
        arena_memdup(world->arena, left->columns, left->column_count * sizeof(*columns));
    for (uint32_t i = 0; i < left->column_count; i++) {
        columns[i].number = planner_new_column(&world->context);
        columns[i].is_nullable |= right->columns[i].is_nullable;
    }
    return logical_set(world->arena, kind, left, right, columns);
}

Expr *world_subquery(World *world, SubqueryKind kind, LogicalNode *plan, Expr *arg,
                     FunctionId comparison, bool is_negated)
{
    Expr *expr = ARENA_NEW(world->arena, Expr);
    expr->kind = EXPR_SUBQUERY;
    expr->type = kind == SUBQUERY_SCALAR ? plan->columns[0].type : type_of(TYPE_BOOLEAN);
    expr->position = POSITION_NONE;
    if (arg != NULL) {
        expr->arg_count = 1;
        expr->args = ARENA_NEW(world->arena, Expr *);
        expr->args[0] = arg;
    }
    expr->subquery.kind = kind;
    expr->subquery.plan = plan;
    expr->subquery.is_negated = is_negated;
    expr->subquery.comparison = comparison;
    return expr;
}

AggregateCall world_call_of(AggregateId id, Expr *argument)
{
    Type type = id == AGGREGATE_COUNT_STAR || id == AGGREGATE_COUNT ? type_of(TYPE_BIGINT)
                : id == AGGREGATE_SUM || id == AGGREGATE_AVG ? aggregate_sum_type(argument->type)
                                                             : argument->type;
    return (AggregateCall){.id = id, .argument = argument, .type = type};
}

const char *world_print(World *world, const LogicalNode *node)
{
    ByteBuffer buffer;
    byte_buffer_init(&buffer, 1u << 24);
    logical_print(node, &buffer);
    const char *text = arena_strndup(world->arena, (const char *)buffer.data, buffer.bytes);
    byte_buffer_deinit(&buffer);
    return text;
}

const char *world_explain(World *world, const Plan *plan)
{
    ByteBuffer buffer;
    byte_buffer_init(&buffer, 1u << 24);
    plan_print(plan, NULL, 0, false, &buffer);
    const char *text = arena_strndup(world->arena, (const char *)buffer.data, buffer.bytes);
    byte_buffer_deinit(&buffer);
    return text;
}
