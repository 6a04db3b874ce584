/*
 * cardinality.c — rows of every logical node, children first.
 *
 * A filter on a column scales that column's own distinct count; other columns keep theirs and are
 * only limited by the number of rows where it matters. So a join of a filtered dimension with a
 * fact keeps the share of the facts that the filter keeps of the dimension.
 */
#include "planner/optimizer/cardinality.h"

#include <math.h>
#include <string.h>

#include "planner/logical/logical_tree.h"
#include "planner/optimizer/selectivity.h"

#define VIRTUAL_ROWS 1000
#define UNKNOWN_ROWS 1000
#define SAMPLE_ROWS_MAX 10000

Estimator *estimator_create(PlannerContext *context)
{
    Estimator *estimator = ARENA_NEW(context->arena, Estimator);
    estimator->context = context;
    estimator->arena = context->arena;
    return estimator;
}

double type_width(Type type)
{
    switch (type.id) {
    case TYPE_BOOLEAN:
        return 1;
    case TYPE_SMALLINT:
        return 2;
    case TYPE_INTEGER:
    case TYPE_DATE:
    case TYPE_REAL:
        return 4;
    case TYPE_INTERVAL:
        return 16;
    case TYPE_DECIMAL:
        return type.precision <= DECIMAL_PRECISION_INT64 ? 8 : 16;
    case TYPE_CHAR:
    case TYPE_VARCHAR:
    case TYPE_UNKNOWN:
        return type.length > 0 && type.length < 32 ? (type.length + 1) / 2.0 + 1 : 16;
    default:
        return 8;
    }
}

static ColumnEstimate *column_slot(Estimator *self, ColumnNumber number)
{
    if (number >= self->column_capacity) {
        uint32_t capacity = number * 2 + 64;
        ColumnEstimate *columns = ARENA_ARRAY(self->arena, ColumnEstimate, capacity);
        if (self->column_capacity > 0) {
            memcpy(columns, self->columns, self->column_capacity * sizeof(*columns));
        }
        self->columns = columns;
        self->column_capacity = capacity;
    }
    ColumnEstimate *column = &self->columns[number];
    if (column->distinct < 1) {
        column->distinct = 1;
    }
    return column;
}

const ColumnEstimate *estimate_column(Estimator *estimator, ColumnNumber column)
{
    return column_slot(estimator, column);
}

void estimate_set_distinct(Estimator *estimator, ColumnNumber column, double distinct)
{
    column_slot(estimator, column)->distinct = fmax(1, distinct);
}

double estimate_width(Estimator *estimator, const LogicalColumn *columns, uint32_t count)
{
    double width = 0;
    for (uint32_t i = 0; i < count; i++) {
        const ColumnEstimate *column = estimate_column(estimator, columns[i].number);
        width += column->bytes > 0 ? column->bytes : type_width(columns[i].type);
    }
    return width < 1 ? 1 : width;
}

static void set_base_column(ColumnEstimate *column, const LogicalColumn *output,
                            const CatalogTable *table, uint32_t index)
{
    double rows = fmax(1, table->row_count);
    bool is_row_id = index == GET_ROW_ID(table);
    *column = (ColumnEstimate){.distinct = is_row_id ? rows : fmax(1, rows / 10),
                               .bytes = type_width(output->type),
                               .table_rows = rows,
                               .table_id = table->table_id,
                               .origin = output->number};
    const ColumnStatistics *statistics = table->statistics == NULL || index >= table->column_count
                                             ? NULL
                                             : &table->statistics[index];
    if (statistics == NULL || !statistics->is_known) {
        return;
    }
    column->is_known = true;
    column->distinct = fmin(rows, fmax(1, statistics->distinct_count));
    column->null_fraction = fmin(1, fmax(0, statistics->null_fraction));
    column->has_bounds = statistics->has_bounds && value_as_number(&statistics->min, &column->lo) &&
                         value_as_number(&statistics->max, &column->hi);
    if (type_is_text(output->type) && statistics->average_bytes > 0) {
        column->bytes = statistics->average_bytes + 1;
    }
}

typedef struct SampleMap {
    Arena *arena;
    const LogicalGet *get;
} SampleMap;

static Expr *map_to_table(void *object, const Expr *column)
{
    const SampleMap *self = object;
    for (uint32_t i = 0; i < self->get->node.column_count; i++) {
        if (self->get->node.columns[i].number == column->column) {
            return expr_column(self->arena, self->get->table_columns[i], column->type);
        }
    }
    return NULL;
}

/* A filter that was evaluated on a table's sample: every estimator of the statement asks again. */
typedef struct SampledFilter {
    struct SampledFilter *next;
    const CatalogTable *table;
    const Expr *filter;
    double selectivity;
} SampledFilter;

static double sampled_selectivity(PlannerContext *context, const CatalogTable *table,
                                  const Expr *filter)
{
    for (SampledFilter *known = context->sampled_filters; known != NULL; known = known->next) {
        if (known->table == table && expr_equal(known->filter, filter)) {
            return known->selectivity;
        }
    }
    SampledFilter *sampled = ARENA_NEW(context->arena, SampledFilter);
    *sampled = (SampledFilter){
        .next = context->sampled_filters,
        .table = table,
        .filter = filter,
        .selectivity = context->catalog->sample_selectivity(context->catalog->self, table, filter),
    };
    context->sampled_filters = sampled;
    return sampled->selectivity;
}

static double get_selectivity(Estimator *self, const LogicalGet *get)
{
    if (get->filter_count == 0) {
        return 1;
    }
    const CatalogView *catalog = self->context->catalog;
    if (catalog != NULL && catalog->sample_selectivity != NULL && get->table->sample != NULL) {
        SampleMap map = {self->arena, get};
        Expr *filter = expr_and(self->arena, get->filter_count, get->filters);
        filter = expr_replace_columns(self->arena, filter, map_to_table, &map);
        double sampled = sampled_selectivity(self->context, get->table, filter);
        if (sampled >= 0) {
            // Nothing found among so many sampled rows still leaves room for half a row of them.
            return fmax(sampled, 0.5 / SAMPLE_ROWS_MAX);
        }
    }
    return estimate_selectivity(self, get->filters, get->filter_count);
}

/* Narrows the distinct count of a column by the conjuncts on it alone. */
static void narrow_columns(Estimator *self, Expr *const *conjuncts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        ColumnSet used = {0};
        column_set_add_expr(&used, conjuncts[i], self->arena);
        ColumnNumber number = column_set_next(&used, 0);
        if (number == 0 || column_set_next(&used, number) != 0) {
            continue;
        }
        double kept = estimate_selectivity(self, &conjuncts[i], 1);
        ColumnEstimate *column = column_slot(self, number);
        ColumnComparison comparison;
        bool is_equal =
            match_column_comparison(conjuncts[i], &comparison) && comparison.op == FUNCTION_EQUAL;
        column->distinct = is_equal ? 1 : fmax(1, column->distinct * kept);
        column->null_fraction = conjuncts[i]->kind == EXPR_IS_NULL ? 1 : 0;
    }
}

static void estimate_get(Estimator *self, LogicalGet *get)
{
    for (uint32_t i = 0; i < get->node.column_count; i++) {
        set_base_column(column_slot(self, get->node.columns[i].number), &get->node.columns[i],
                        get->table, get->table_columns[i]);
    }
    bool is_virtual = get->table->kind == CATALOG_VIRTUAL;
    double rows = is_virtual && get->table->row_count <= 0 ? VIRTUAL_ROWS : get->table->row_count;
    get->node.rows = rows * get_selectivity(self, get);
    narrow_columns(self, get->filters, get->filter_count);
}

static void estimate_project(Estimator *self, LogicalProject *project)
{
    project->node.rows = project->child->rows;
    for (uint32_t i = 0; i < project->node.column_count; i++) {
        const Expr *expr = project->exprs[i];
        ColumnNumber number = project->node.columns[i].number;
        while (expr->kind == EXPR_CAST) {
            expr = expr->args[0];
        }
        if (expr->kind == EXPR_COLUMN) {
            ColumnEstimate copied = *estimate_column(self, expr->column);
            *column_slot(self, number) = copied;
            continue;
        }
        ColumnEstimate column = {.bytes = type_width(project->exprs[i]->type), .origin = number};
        Expr *key = project->exprs[i];
        column.distinct = estimate_groups(self, &key, 1, project->node.rows);
        *column_slot(self, number) = column;
    }
}

/* Distinct values of an expression. */
static double expr_distinct(Estimator *self, const Expr *expr)
{
    while (expr->kind == EXPR_CAST) {
        expr = expr->args[0];
    }
    if (expr->kind == EXPR_COLUMN) {
        return estimate_column(self, expr->column)->distinct;
    }
    if (expr->type.id == TYPE_BOOLEAN) {
        return 2;
    }
    ColumnSet used = {0};
    column_set_add_expr(&used, expr, self->arena);
    double distinct = 1;
    for (ColumnNumber number = 0; (number = column_set_next(&used, number)) != 0;) {
        const ColumnEstimate *column = estimate_column(self, number);
        double own = column->distinct;
        if (expr->kind == EXPR_CALL && expr->function == FUNCTION_EXTRACT) {
            // Years of a date column; other fields have few values as well.
            own = column->has_bounds && column->hi - column->lo > 365 && column->hi < 1e7
                      ? (column->hi - column->lo) / 365.25 + 1
                      : fmin(own, 31);
        }
        distinct *= own;
    }
    return distinct;
}

double estimate_groups(Estimator *estimator, Expr *const *keys, uint32_t count, double rows)
{
    // Columns of one table cannot have more combinations than the table has rows.
    double groups = 1;
    bool *is_done = ARENA_ARRAY(estimator->arena, bool, count);
    for (uint32_t i = 0; i < count; i++) {
        if (is_done[i]) {
            continue;
        }
        const Expr *key = keys[i];
        const ColumnEstimate *column =
            key->kind == EXPR_COLUMN ? estimate_column(estimator, key->column) : NULL;
        double own = expr_distinct(estimator, key);
        for (uint32_t k = i + 1; column != NULL && column->table_id != 0 && k < count; k++) {
            const ColumnEstimate *other =
                keys[k]->kind == EXPR_COLUMN ? estimate_column(estimator, keys[k]->column) : NULL;
            if (other != NULL && other->table_id == column->table_id) {
                own = fmin(own * other->distinct, column->table_rows);
                is_done[k] = true;
            }
        }
        groups *= own;
    }
    groups = fmin(groups, rows);
    return groups < 1 ? 1 : groups;
}

/* Results of an aggregate over groups of `mean_rows` rows: counts and sums lie between nothing and
 * some three times their mean, which is what HAVING is compared with. */
static void set_result_bounds(Estimator *self, const AggregateCall *call, double mean_rows,
                              ColumnEstimate *column)
{
    const Expr *argument = call->argument;
    while (argument != NULL && argument->kind == EXPR_CAST) {
        argument = argument->args[0];
    }
    const ColumnEstimate *base = argument != NULL && argument->kind == EXPR_COLUMN
                                     ? estimate_column(self, argument->column)
                                     : NULL;
    switch (call->id) {
    case AGGREGATE_COUNT_STAR:
    case AGGREGATE_COUNT:
    case AGGREGATE_SUM_COUNT:
        column->has_bounds = true;
        column->hi = 3 * mean_rows;
        column->distinct = fmin(column->distinct, 3 * mean_rows + 1);
        break;
    case AGGREGATE_SUM:
        column->has_bounds = base != NULL && base->has_bounds && base->lo >= 0;
        if (column->has_bounds) {
            column->hi = fmax(base->hi, 3 * mean_rows * (base->lo + base->hi) / 2);
        }
        break;
    case AGGREGATE_MIN:
    case AGGREGATE_MAX:
    case AGGREGATE_ANY_VALUE:
        if (base != NULL) {
            column->has_bounds = base->has_bounds;
            column->lo = base->lo;
            column->hi = base->hi;
            column->distinct = fmin(column->distinct, base->distinct);
        }
        break;
    default:
        break;
    }
}

static void estimate_aggregate(Estimator *self, LogicalAggregate *aggregate)
{
    aggregate->node.rows =
        aggregate->key_count == 0
            ? 1
            : estimate_groups(self, aggregate->keys, aggregate->key_count, aggregate->child->rows);
    for (uint32_t i = 0; i < aggregate->node.column_count; i++) {
        ColumnNumber number = aggregate->node.columns[i].number;
        ColumnEstimate column = {.bytes = type_width(aggregate->node.columns[i].type),
                                 .origin = number};
        column.distinct = aggregate->node.rows;
        if (i < aggregate->key_count) {
            const Expr *key = aggregate->keys[i];
            if (key->kind == EXPR_COLUMN) {
                column = *estimate_column(self, key->column);
            }
            column.distinct = fmin(expr_distinct(self, key), aggregate->node.rows);
        } else {
            set_result_bounds(self, &aggregate->aggregates[i - aggregate->key_count],
                              aggregate->child->rows / fmax(1, aggregate->node.rows), &column);
        }
        *column_slot(self, number) = column;
    }
}

static void estimate_set(Estimator *self, LogicalSet *set)
{
    double left = set->left->rows, right = set->right->rows;
    set->node.rows = set->set == SET_UNION_ALL || set->set == SET_UNION ? left + right : left;
    for (uint32_t i = 0; i < set->node.column_count; i++) {
        ColumnEstimate column = *estimate_column(self, set->left->columns[i].number);
        const ColumnEstimate *other = estimate_column(self, set->right->columns[i].number);
        column.distinct = fmax(column.distinct, other->distinct);
        column.has_bounds = column.has_bounds && other->has_bounds;
        column.lo = fmin(column.lo, other->lo);
        column.hi = fmax(column.hi, other->hi);
        column.table_rows = 0;
        column.table_id = 0;
        column.origin = set->node.columns[i].number;
        *column_slot(self, column.origin) = column;
    }
}

static void remember_cte(Estimator *self, const LogicalCte *cte)
{
    if (cte->cte_id >= self->cte_capacity) {
        uint32_t capacity = cte->cte_id * 2 + 8;
        const LogicalNode **definitions = ARENA_ARRAY(self->arena, const LogicalNode *, capacity);
        if (self->cte_capacity > 0) {
            memcpy(definitions, self->cte_definitions, self->cte_capacity * sizeof(*definitions));
        }
        self->cte_definitions = definitions;
        self->cte_capacity = capacity;
    }
    self->cte_definitions[cte->cte_id] = cte->definition;
}

static void estimate_reference(Estimator *self, LogicalCteReference *reference)
{
    const LogicalNode *definition =
        reference->cte_id < self->cte_capacity ? self->cte_definitions[reference->cte_id] : NULL;
    reference->node.rows = definition == NULL ? UNKNOWN_ROWS : definition->rows;
    for (uint32_t i = 0; definition != NULL && i < reference->node.column_count; i++) {
        ColumnEstimate column = *estimate_column(self, definition->columns[i].number);
        *column_slot(self, reference->node.columns[i].number) = column;
    }
}

static void estimate_filter(Estimator *self, LogicalFilter *filter)
{
    PointerList conjuncts = {0};
    conjuncts_add(self->arena, &conjuncts, filter->condition);
    filter->node.rows =
        filter->child->rows * estimate_selectivity(self, (Expr **)conjuncts.items, conjuncts.count);
    narrow_columns(self, (Expr **)conjuncts.items, conjuncts.count);
}

void estimate_node(Estimator *estimator, LogicalNode *node)
{
    switch (node->kind) {
    case LOGICAL_GET:
        estimate_get(estimator, (LogicalGet *)node);
        break;
    case LOGICAL_VALUES:
        node->rows = ((LogicalValues *)node)->row_count;
        for (uint32_t i = 0; i < node->column_count; i++) {
            column_slot(estimator, node->columns[i].number)->distinct = fmax(1, node->rows);
        }
        break;
    case LOGICAL_FILTER:
        estimate_filter(estimator, (LogicalFilter *)node);
        break;
    case LOGICAL_PROJECT:
        estimate_project(estimator, (LogicalProject *)node);
        break;
    case LOGICAL_JOIN:
        estimate_join_node(estimator, (LogicalJoin *)node);
        break;
    case LOGICAL_AGGREGATE:
        estimate_aggregate(estimator, (LogicalAggregate *)node);
        break;
    case LOGICAL_LIMIT: {
        double limit = (double)((LogicalLimit *)node)->limit;
        node->rows = fmin(limit, ((LogicalLimit *)node)->child->rows);
        break;
    }
    case LOGICAL_DISTINCT: {
        Expr **keys = ARENA_ARRAY(estimator->arena, Expr *, node->column_count);
        for (uint32_t i = 0; i < node->column_count; i++) {
            keys[i] = logical_column_expr(estimator->arena, &node->columns[i]);
        }
        node->rows = estimate_groups(estimator, keys, node->column_count,
                                     ((LogicalDistinct *)node)->child->rows);
        break;
    }
    case LOGICAL_SET:
        estimate_set(estimator, (LogicalSet *)node);
        break;
    case LOGICAL_CTE_REFERENCE:
        estimate_reference(estimator, (LogicalCteReference *)node);
        break;
    case LOGICAL_CTE:
        node->rows = ((LogicalCte *)node)->child->rows;
        break;
    case LOGICAL_INSERT:
    case LOGICAL_DELETE:
    case LOGICAL_CHANGE:
    case LOGICAL_VACUUM:
        node->rows = 1;
        break;
    case LOGICAL_COPY:
        node->rows = UNKNOWN_ROWS;
        break;
    default:
        node->rows =
            logical_get_child(node, 0) == NULL ? UNKNOWN_ROWS : logical_get_child(node, 0)->rows;
        break;
    }
    node->rows = node->rows < 1 ? 1 : node->rows;
}

void estimate_tree(Estimator *estimator, LogicalNode *root)
{
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(root, i)) != NULL; i++) {
        estimate_tree(estimator, child);
        if (root->kind == LOGICAL_CTE && i == 0) {
            remember_cte(estimator, (LogicalCte *)root);
        }
    }
    estimate_node(estimator, root);
}
