/* build_plan_node.c — the plan node of every kind of step. */
#include "planner/distributor/build_plan_node.h"

#include <math.h>
#include <string.h>

#include "planner/logical/logical_tree.h"
#include "planner/plan/encode_word.h"

#define KEY_BOUND_MAX 9007199254740992.0 /* 2^53: exact as a double */
#define NODE_NEW(builder, Struct, kind, step)                                                      \
    ((Struct *)plan_builder_node((builder), (kind), sizeof(Struct), (step)))

void *plan_builder_node(PlanBuilder *builder, PlanNodeKind kind, size_t bytes, const Step *step)
{
    PlanNode *node = arena_alloc(builder->arena, bytes);
    node->kind = kind;
    node->output_count = step->column_count;
    node->output_types = ARENA_ARRAY(builder->arena, Type, step->column_count);
    for (uint32_t i = 0; i < step->column_count; i++) {
        node->output_types[i] = step->columns[i].type;
    }
    node->estimated_rows = step->rows;
    node->estimated_cost = step->cost;
    node->estimated_width = (uint32_t)step->width;
    node->label = "";
    node->detail = "";
    column_names_add(builder->names, step->columns, step->column_count);
    return node;
}

uint32_t step_column_index(const Step *step, ColumnNumber number)
{
    uint32_t i = 0;
    while (i < step->column_count && step->columns[i].number != number) {
        i++;
    }
    ASSERT(i < step->column_count);
    return i;
}

/* Column numbers of one or two inputs, laid side by side, to indexes. */
typedef struct IndexMap {
    Arena *arena;
    const Step *first, *second;
} IndexMap;

static Expr *map_index(void *object, const Expr *column)
{
    const IndexMap *self = object;
    uint32_t index;
    if (self->second == NULL || step_find_column(self->first, column->column) != NULL) {
        index = step_column_index(self->first, column->column);
    } else {
        index = self->first->column_count + step_column_index(self->second, column->column);
    }
    return expr_column(self->arena, index, column->type);
}

static Expr *indexed(PlanBuilder *builder, const Expr *expr, const Step *first, const Step *second)
{
    IndexMap map = {builder->arena, first, second};
    return expr == NULL ? NULL : expr_replace_columns(builder->arena, expr, map_index, &map);
}

static Expr **indexed_list(PlanBuilder *builder, Expr *const *exprs, uint32_t count,
                           const Step *input)
{
    Expr **list = ARENA_ARRAY(builder->arena, Expr *, count);
    for (uint32_t i = 0; i < count; i++) {
        list[i] = indexed(builder, exprs[i], input, NULL);
    }
    return list;
}

typedef struct BuiltTable {
    const CatalogTable *catalog;
    PlanTable *table;
} BuiltTable;

static PlanTable *build_table(PlanBuilder *builder, const CatalogTable *catalog)
{
    for (uint32_t i = 0; i < builder->tables.count; i++) {
        const BuiltTable *built = builder->tables.items[i];
        if (built->catalog == catalog) {
            return built->table;
        }
    }
    PlanTable *table = ARENA_NEW(builder->arena, PlanTable);
    table->table_id = catalog->table_id;
    table->name =
        arena_printf(builder->arena, "%s.%s",
                     catalog->schema_name == NULL ? "public" : catalog->schema_name, catalog->name);
    table->style = catalog->style;
    table->distribution_column = catalog->distribution_column;
    table->sort_key_count = catalog->sort_key_count;
    table->sort_keys = catalog->sort_keys;
    table->is_interleaved = catalog->is_interleaved;
    table->column_count = catalog->column_count;
    table->columns = arena_array(builder->arena, catalog->column_count, sizeof(*table->columns));
    for (uint32_t i = 0; i < catalog->column_count; i++) {
        const CatalogColumn *column = &catalog->columns[i];
        table->columns[i].column_id = column->column_id;
        table->columns[i].name = column->name;
        table->columns[i].type = column->type;
        table->columns[i].is_not_null = column->is_not_null;
        table->columns[i].encode_word = (uint16_t)encode_word_find(column->encoding_text);
        table->columns[i].default_value = column->missing_value.type.id == TYPE_UNKNOWN
                                              ? value_null(column->type)
                                              : column->missing_value;
    }
    BuiltTable *built = ARENA_NEW(builder->arena, BuiltTable);
    *built = (BuiltTable){catalog, table};
    pointer_list_add(builder->arena, &builder->tables, built);
    return table;
}

static const char *scan_label(PlanBuilder *builder, const LogicalGet *get)
{
    bool has_alias = get->alias != NULL && strcmp(get->alias, get->table->name) != 0;
    return arena_printf(builder->arena, "on %s%s%s", get->table->name, has_alias ? " " : "",
                        has_alias ? get->alias : "");
}

/* The table's columns a scan reads: those it outputs and those its conditions use, in the table's
 * order. */
static Step scan_reading(PlanBuilder *builder, const Step *step, const LogicalGet *get,
                         uint32_t **table_columns)
{
    ColumnSet read = {0};
    for (uint32_t i = 0; i < step->column_count; i++) {
        column_set_add(&read, step->columns[i].number, builder->arena);
    }
    for (uint32_t i = 0; i < get->filter_count; i++) {
        column_set_add_expr(&read, get->filters[i], builder->arena);
    }
    Step reading = *step;
    LogicalColumn *columns = ARENA_ARRAY(builder->arena, LogicalColumn, get->node.column_count);
    *table_columns = ARENA_ARRAY(builder->arena, uint32_t, get->node.column_count);
    reading.column_count = 0;
    for (uint32_t i = 0; i < get->node.column_count; i++) {
        if (get->table_columns[i] < get->table->column_count &&
            column_set_has(&read, get->node.columns[i].number)) {
            (*table_columns)[reading.column_count] = get->table_columns[i];
            columns[reading.column_count++] = get->node.columns[i];
        }
    }
    reading.columns = columns;
    return reading;
}

/* Above a virtual table its conditions become a FILTER: the leader's views know none. */
static PlanNode *build_virtual_scan(PlanBuilder *builder, const Step *step, const LogicalGet *get)
{
    uint32_t *table_columns;
    Step reading = scan_reading(builder, step, get, &table_columns);
    PlanVirtualScan *scan = NODE_NEW(builder, PlanVirtualScan, PLAN_VIRTUAL_SCAN, &reading);
    scan->table_name =
        arena_printf(builder->arena, "%s.%s", get->table->schema_name, get->table->name);
    scan->columns = table_columns;
    scan->node.label = scan_label(builder, get);
    if (get->filter_count == 0) {
        return &scan->node;
    }
    PlanFilter *filter = NODE_NEW(builder, PlanFilter, PLAN_FILTER, &reading);
    filter->child = &scan->node;
    filter->filter_count = get->filter_count;
    filter->filters = indexed_list(builder, get->filters, get->filter_count, &reading);
    filter->node.detail = explain_filters(builder->names, get->filters, get->filter_count);
    if (reading.column_count == step->column_count) {
        return &filter->node;
    }
    PlanProject *project = NODE_NEW(builder, PlanProject, PLAN_PROJECT, step);
    project->child = &filter->node;
    project->exprs = ARENA_ARRAY(builder->arena, Expr *, step->column_count);
    for (uint32_t i = 0; i < step->column_count; i++) {
        uint32_t index = step_column_index(&reading, step->columns[i].number);
        project->exprs[i] = expr_column(builder->arena, index, step->columns[i].type);
    }
    return &project->node;
}

/* What a column of a GET is of its table. */
static uint32_t get_table_column(const LogicalGet *get, ColumnNumber number)
{
    uint32_t i = 0;
    while (get->node.columns[i].number != number) {
        i++;
    }
    return get->table_columns[i];
}

static PlanNode *build_scan(PlanBuilder *builder, const Step *step)
{
    const LogicalGet *get = (const LogicalGet *)step->node;
    if (get->table->kind == CATALOG_VIRTUAL) {
        return build_virtual_scan(builder, step, get);
    }
    PlanScan *scan = NODE_NEW(builder, PlanScan, PLAN_SCAN, step);
    Step reading = scan_reading(builder, step, get, &scan->columns);
    scan->column_count = reading.column_count;
    scan->table = build_table(builder, get->table);
    scan->filter_count = get->filter_count;
    scan->filters = indexed_list(builder, get->filters, get->filter_count, &reading);
    scan->outputs = ARENA_ARRAY(builder->arena, uint32_t, step->column_count);
    for (uint32_t i = 0; i < step->column_count; i++) {
        uint32_t column = get_table_column(get, step->columns[i].number);
        bool is_own = column < get->table->column_count;
        scan->outputs[i] = is_own ? step_column_index(&reading, step->columns[i].number)
                                  : scan->column_count + (column - GET_ROW_ID(get->table));
        scan->has_row_ids |= !is_own;
    }
    scan->node.label = scan_label(builder, get);
    scan->node.detail = explain_filters(builder->names, get->filters, get->filter_count);
    return &scan->node;
}

static PlanNode *build_values(PlanBuilder *builder, const Step *step)
{
    const LogicalValues *logical = (const LogicalValues *)step->node;
    PlanValues *values = NODE_NEW(builder, PlanValues, PLAN_VALUES, step);
    values->row_count = logical->row_count;
    values->cells = logical->cells;
    return &values->node;
}

static PlanNode *build_copy(PlanBuilder *builder, const Step *step)
{
    const LogicalCopy *logical = (const LogicalCopy *)step->node;
    PlanCopyRead *copy = NODE_NEW(builder, PlanCopyRead, PLAN_COPY_READ, step);
    copy->table = build_table(builder, logical->table);
    if (logical->is_stdin) {
        copy->exchange_id = plan_builder_add_exchange(builder, EXCHANGE_ROUND_ROBIN,
                                                      PLAN_SITE_LEADER, builder->site, 0, NULL);
    }
    copy->path_count = logical->path_count;
    copy->paths = logical->paths;
    copy->column_count = logical->field_count;
    copy->columns = logical->fields;
    copy->format_bytes = logical->format_bytes;
    copy->format = logical->format;
    copy->node.label = arena_printf(builder->arena, "%s", logical->table->name);
    return &copy->node;
}

static JoinKind physical_join(const StepJoin *join)
{
    if (!join->builds_left) {
        return join->join;
    }
    switch (join->join) {
    case JOIN_LEFT:
        return JOIN_RIGHT;
    case JOIN_RIGHT:
        return JOIN_LEFT;
    case JOIN_SEMI:
        return JOIN_RIGHT_SEMI;
    case JOIN_ANTI:
        return JOIN_RIGHT_ANTI;
    default:
        return join->join;
    }
}

/* Outputs as indexes into probe ++ build; the mark comes after them. */
static uint32_t *join_outputs(PlanBuilder *builder, const Step *step, const Step *probe,
                              const Step *build)
{
    uint32_t *outputs = ARENA_ARRAY(builder->arena, uint32_t, step->column_count);
    for (uint32_t i = 0; i < step->column_count; i++) {
        ColumnNumber number = step->columns[i].number;
        if (step->join->join == JOIN_MARK && number == step->join->mark) {
            outputs[i] = probe->column_count + build->column_count;
        } else if (step_find_column(probe, number) != NULL) {
            outputs[i] = step_column_index(probe, number);
        } else {
            outputs[i] = probe->column_count + step_column_index(build, number);
        }
    }
    return outputs;
}

static PlanNode *build_nested_loop(PlanBuilder *builder, const Step *step, const Step *probe,
                                   const Step *build, PlanNode *const *children)
{
    const StepJoin *join = step->join;
    PlanNestedLoopJoin *loop = NODE_NEW(builder, PlanNestedLoopJoin, PLAN_NESTED_LOOP_JOIN, step);
    loop->join = physical_join(join);
    loop->probe = children[join->builds_left ? 1 : 0];
    loop->build = children[join->builds_left ? 0 : 1];
    loop->condition = indexed(builder, join->residual, probe, build);
    loop->outputs = join_outputs(builder, step, probe, build);
    return &loop->node;
}

/* Whether rows lie on their nodes by the hash of this key alone, an integer as it is. */
static bool is_placed_by(const Distribution *distribution, const Expr *key)
{
    ColumnNumber column =
        plan_type_may_be_local_key(key->type) ? distribution_column_of(key) : 0;
    return column != 0 && distribution->kind == DISTRIBUTION_HASHED &&
           distribution->key_count == 1 && distribution_key_has(&distribution->keys[0], column);
}

static uint32_t find_local_key(const Step *step, const StepJoin *join)
{
    for (uint32_t k = 0; k < join->key_count; k++) {
        if (!join->is_null_equal[k] &&
            is_placed_by(&step->inputs[0]->distribution, join->left_keys[k]) &&
            is_placed_by(&step->inputs[1]->distribution, join->right_keys[k])) {
            return k + 1;
        }
    }
    return 0;
}

static PlanNode *build_join(PlanBuilder *builder, const Step *step, PlanNode *const *children)
{
    const StepJoin *join = step->join;
    const Step *probe = step->inputs[join->builds_left ? 1 : 0];
    const Step *build = step->inputs[join->builds_left ? 0 : 1];
    PlanNode *node;
    if (join->key_count == 0) {
        node = build_nested_loop(builder, step, probe, build, children);
    } else {
        PlanHashJoin *hash = NODE_NEW(builder, PlanHashJoin, PLAN_HASH_JOIN, step);
        hash->join = physical_join(join);
        hash->probe = children[join->builds_left ? 1 : 0];
        hash->build = children[join->builds_left ? 0 : 1];
        hash->key_count = join->key_count;
        hash->probe_keys =
            indexed_list(builder, join->builds_left ? join->right_keys : join->left_keys,
                         join->key_count, probe);
        hash->build_keys =
            indexed_list(builder, join->builds_left ? join->left_keys : join->right_keys,
                         join->key_count, build);
        hash->is_null_equal = join->is_null_equal;
        hash->residual = indexed(builder, join->residual, probe, build);
        hash->outputs = join_outputs(builder, step, probe, build);
        hash->runtime_filter_ids = ARENA_ARRAY(builder->arena, uint32_t, join->key_count);
        hash->is_build_unique = join->is_build_unique;
        hash->local_key = find_local_key(step, join);
        node = &hash->node;
    }
    node->label = explain_join_label(step);
    node->detail = explain_join(builder->names, join);
    return node;
}

/* A hint: statistics may be older than the rows. */
static void note_key_bounds(const PlanBuilder *builder, const Step *step, PlanAggregate *aggregate)
{
    const Expr *key = step->aggregate.key_count == 1 ? step->aggregate.keys[0] : NULL;
    if (key == NULL || key->kind != EXPR_COLUMN ||
        (!type_is_integer(key->type) && key->type.id != TYPE_DATE)) {
        return;
    }
    const ColumnEstimate *column = estimate_column(builder->placer->estimator, key->column);
    aggregate->has_key_bounds = column->has_bounds && column->lo <= column->hi &&
                                fabs(column->lo) < KEY_BOUND_MAX &&
                                fabs(column->hi) < KEY_BOUND_MAX;
    if (aggregate->has_key_bounds) {
        aggregate->key_min = (int64_t)column->lo;
        aggregate->key_max = (int64_t)column->hi;
    }
}

static PlanNode *build_aggregate(PlanBuilder *builder, const Step *step, PlanNode *child)
{
    const Step *input = step->inputs[0];
    PlanAggregate *aggregate = NODE_NEW(builder, PlanAggregate, PLAN_AGGREGATE, step);
    aggregate->child = child;
    aggregate->key_count = step->aggregate.key_count;
    aggregate->keys = indexed_list(builder, step->aggregate.keys, step->aggregate.key_count, input);
    aggregate->aggregate_count = step->aggregate.aggregate_count;
    aggregate->aggregates =
        ARENA_ARRAY(builder->arena, AggregateCall, step->aggregate.aggregate_count);
    for (uint32_t i = 0; i < step->aggregate.aggregate_count; i++) {
        aggregate->aggregates[i] = step->aggregate.aggregates[i];
        aggregate->aggregates[i].argument =
            indexed(builder, step->aggregate.aggregates[i].argument, input, NULL);
        aggregate->aggregates[i].filter =
            indexed(builder, step->aggregate.aggregates[i].filter, input, NULL);
    }
    aggregate->is_partial = step->aggregate.is_partial;
    aggregate->estimated_groups = step->rows;
    note_key_bounds(builder, step, aggregate);
    aggregate->is_key_local = step->aggregate.key_count == 1 &&
                              is_placed_by(&input->distribution, step->aggregate.keys[0]);
    aggregate->node.detail = explain_aggregate(builder->names, step);
    return &aggregate->node;
}

PlanSortKey *build_sort_keys(PlanBuilder *builder, const Step *input, uint32_t count,
                             const StepSortKey *keys)
{
    PlanSortKey *built = ARENA_ARRAY(builder->arena, PlanSortKey, count);
    for (uint32_t i = 0; i < count; i++) {
        built[i] = (PlanSortKey){step_column_index(input, keys[i].column), keys[i].is_descending,
                                 keys[i].is_nulls_first};
    }
    return built;
}

static PlanNode *build_sort(PlanBuilder *builder, const Step *step, PlanNode *child)
{
    PlanSort *sort = NODE_NEW(builder, PlanSort, PLAN_SORT, step);
    sort->child = child;
    sort->key_count = step->sort.key_count;
    sort->keys = build_sort_keys(builder, step->inputs[0], step->sort.key_count, step->sort.keys);
    sort->limit = step->sort.limit;
    sort->offset = step->sort.offset;
    sort->node.detail =
        explain_sort_keys(builder->names, "Sort Key", step->sort.key_count, step->sort.keys);
    return &sort->node;
}

static PlanNode *build_window(PlanBuilder *builder, const Step *step, PlanNode *child)
{
    const Step *input = step->inputs[0];
    PlanWindow *window = NODE_NEW(builder, PlanWindow, PLAN_WINDOW, step);
    window->child = child;
    window->partition_count = step->window.partition_count;
    window->partition = ARENA_ARRAY(builder->arena, uint32_t, window->partition_count);
    for (uint32_t i = 0; i < window->partition_count; i++) {
        window->partition[i] = step_column_index(input, step->window.partition[i]);
    }
    window->order_count = step->window.order_count;
    window->order = build_sort_keys(builder, input, step->window.order_count, step->window.order);
    window->call_count = step->window.call_count;
    window->calls = ARENA_ARRAY(builder->arena, WindowCall, window->call_count);
    for (uint32_t i = 0; i < window->call_count; i++) {
        WindowCall *call = &window->calls[i];
        *call = step->window.calls[i];
        call->args = indexed_list(builder, call->args, call->arg_count, input);
        call->partition = NULL; // the node's own columns say it
        call->order = NULL;
        call->partition_count = call->order_count = 0;
    }
    window->node.detail = explain_window(builder->names, step);
    return &window->node;
}

static PlanNode *build_filter(PlanBuilder *builder, const Step *step, PlanNode *child)
{
    PlanFilter *filter = NODE_NEW(builder, PlanFilter, PLAN_FILTER, step);
    PointerList conjuncts = {0};
    conjuncts_add(builder->arena, &conjuncts, step->condition);
    filter->child = child;
    filter->filter_count = conjuncts.count;
    filter->filters =
        indexed_list(builder, (Expr **)conjuncts.items, conjuncts.count, step->inputs[0]);
    filter->node.detail =
        explain_filters(builder->names, (Expr **)conjuncts.items, conjuncts.count);
    return &filter->node;
}

static PlanNode *build_stored(PlanBuilder *builder, const Step *step)
{
    PlanStored *stored = NODE_NEW(builder, PlanStored, PLAN_STORED, step);
    for (uint32_t i = 0; i < builder->placer->ctes.count; i++) {
        const SharedCte *cte = builder->placer->ctes.items[i];
        if (cte->cte_id == step->cte_id) {
            stored->store_id = i + 1;
            stored->node.label =
                arena_printf(builder->arena, "on %s", cte->name == NULL ? "subquery" : cte->name);
        }
    }
    return &stored->node;
}

/* A union of unions is one. */
static PlanNode *build_union(PlanBuilder *builder, const Step *step, PlanNode *const *children)
{
    PlanUnionAll *append = NODE_NEW(builder, PlanUnionAll, PLAN_UNION_ALL, step);
    PointerList all = {0};
    for (uint32_t i = 0; i < step->input_count; i++) {
        const PlanUnionAll *inner = (const PlanUnionAll *)children[i];
        if (children[i]->kind != PLAN_UNION_ALL) {
            pointer_list_add(builder->arena, &all, children[i]);
            continue;
        }
        for (uint32_t k = 0; k < inner->child_count; k++) {
            pointer_list_add(builder->arena, &all, inner->children[k]);
        }
    }
    if (step->node != NULL && step->node->kind == LOGICAL_CHANGE) {
        const LogicalChange *change = (const LogicalChange *)step->node;
        const CatalogTable *table = ((const LogicalDelete *)change->deletion)->table;
        append->node.label = arena_printf(builder->arena, "%s on %s", change->name, table->name);
    }
    append->children = (PlanNode **)all.items;
    append->child_count = all.count;
    return &append->node;
}

/* The places that say which columns a scan or join outputs; null for other nodes. */
static uint32_t **outputs_of(PlanNode *node)
{
    switch (node->kind) {
    case PLAN_SCAN:
        return &((PlanScan *)node)->outputs;
    case PLAN_HASH_JOIN:
        return &((PlanHashJoin *)node)->outputs;
    case PLAN_NESTED_LOOP_JOIN:
        return &((PlanNestedLoopJoin *)node)->outputs;
    default:
        return NULL;
    }
}

/* A project that computes nothing: its child itself, or giving other columns; null: needed. */
static PlanNode *fold_project(PlanBuilder *builder, const Step *step, PlanNode *child)
{
    bool is_same = step->column_count == child->output_count;
    uint32_t *picks = ARENA_ARRAY(builder->arena, uint32_t, step->column_count);
    for (uint32_t i = 0; i < step->column_count; i++) {
        if (step->exprs[i]->kind != EXPR_COLUMN) {
            return NULL;
        }
        picks[i] = step_column_index(step->inputs[0], step->exprs[i]->column);
        is_same = is_same && picks[i] == i;
    }
    if (is_same) {
        return child;
    }
    uint32_t **outputs = outputs_of(child);
    if (outputs == NULL) {
        return NULL;
    }
    Type *types = ARENA_ARRAY(builder->arena, Type, step->column_count);
    for (uint32_t i = 0; i < step->column_count; i++) {
        types[i] = child->output_types[picks[i]];
        picks[i] = (*outputs)[picks[i]];
    }
    *outputs = picks;
    child->output_types = types;
    child->output_count = step->column_count;
    child->estimated_width = (uint32_t)step->width;
    return child;
}

static PlanNode *build_project(PlanBuilder *builder, const Step *step, PlanNode *child)
{
    column_names_add(builder->names, step->columns, step->column_count);
    PlanNode *folded = fold_project(builder, step, child);
    if (folded != NULL) {
        return folded;
    }
    PlanProject *project = NODE_NEW(builder, PlanProject, PLAN_PROJECT, step);
    project->child = child;
    project->exprs = indexed_list(builder, step->exprs, step->column_count, step->inputs[0]);
    return &project->node;
}

PlanNode *build_plan_node(PlanBuilder *builder, const Step *step, PlanNode *const *children)
{
    switch (step->kind) {
    case STEP_SCAN:
        return build_scan(builder, step);
    case STEP_VALUES:
        return build_values(builder, step);
    case STEP_STORED:
        return build_stored(builder, step);
    case STEP_COPY:
        return build_copy(builder, step);
    case STEP_FILTER:
        return build_filter(builder, step, children[0]);
    case STEP_PROJECT:
        return build_project(builder, step, children[0]);
    case STEP_JOIN:
        return build_join(builder, step, children);
    case STEP_AGGREGATE:
        return build_aggregate(builder, step, children[0]);
    case STEP_SORT:
        return build_sort(builder, step, children[0]);
    case STEP_LIMIT: {
        PlanLimit *limit = NODE_NEW(builder, PlanLimit, PLAN_LIMIT, step);
        limit->child = children[0];
        limit->limit = step->sort.limit;
        limit->offset = step->sort.offset;
        return &limit->node;
    }
    case STEP_UNION_ALL:
        return build_union(builder, step, children);
    case STEP_WINDOW:
        return build_window(builder, step, children[0]);
    case STEP_WRITE: {
        PlanTableWrite *write = NODE_NEW(builder, PlanTableWrite, PLAN_TABLE_WRITE, step);
        write->child = children[0];
        write->table = build_table(builder, ((const LogicalInsert *)step->node)->table);
        write->is_analysis = ((const LogicalInsert *)step->node)->is_analysis;
        write->compression_rows = ((const LogicalInsert *)step->node)->compression_rows;
        write->node.label =
            arena_printf(builder->arena, "on %s", ((const LogicalInsert *)step->node)->table->name);
        return &write->node;
    }
    case STEP_DELETE: {
        PlanTableDelete *deletion = NODE_NEW(builder, PlanTableDelete, PLAN_TABLE_DELETE, step);
        deletion->child = children[0];
        deletion->table = build_table(builder, ((const LogicalDelete *)step->node)->table);
        deletion->node.label =
            arena_printf(builder->arena, "on %s", ((const LogicalDelete *)step->node)->table->name);
        return &deletion->node;
    }
    case STEP_VACUUM: {
        const LogicalVacuum *logical = (const LogicalVacuum *)step->node;
        PlanTableVacuum *vacuum = NODE_NEW(builder, PlanTableVacuum, PLAN_TABLE_VACUUM, step);
        vacuum->table = build_table(builder, logical->table);
        vacuum->mode = logical->mode;
        vacuum->percent = logical->percent;
        vacuum->node.label = arena_printf(builder->arena, "on %s", logical->table->name);
        return &vacuum->node;
    }
    case STEP_EXCHANGE:
        break;
    }
    return NULL; // an exchange is two plan nodes: cut_fragments.c
}
