/* logical_run.c — an interpreter of the logical algebra: nested loops throughout. */
#include "tests/support/planner/logical_run.h"

#include <stdlib.h>
#include <string.h>

#include "planner/logical/logical_tree.h"

#define BINDINGS_MAX 65536
#define CTES_MAX 256

typedef struct Runner {
    Arena *arena;
    const TableRows *tables;
    Value *bindings; /* by column number: the row at hand, of every open node */
    const LogicalNode *ctes[CTES_MAX];
    Evaluator evaluator;
} Runner;

static Rows *run(Runner *self, const LogicalNode *node);

static Value bound_column(void *object, uint32_t column)
{
    return ((Runner *)object)->bindings[column];
}

static void bind(Runner *self, const LogicalNode *node, const Value *row)
{
    for (uint32_t i = 0; i < node->column_count; i++) {
        self->bindings[node->columns[i].number] = row[i];
    }
}

static void bind_nulls(Runner *self, const LogicalNode *node)
{
    for (uint32_t i = 0; i < node->column_count; i++) {
        self->bindings[node->columns[i].number] = value_null(node->columns[i].type);
    }
}

static void add_bound(Runner *self, Rows *rows, const LogicalNode *node)
{
    Value *row = rows_add(rows);
    for (uint32_t i = 0; i < node->column_count; i++) {
        row[i] = self->bindings[node->columns[i].number];
    }
}

/* ANY and ALL over the subquery's rows, three-valued. */
static Value quantified(Runner *self, const Expr *expr, const Rows *rows, const Value *args)
{
    bool is_all = expr->subquery.kind == SUBQUERY_ALL;
    bool has_unknown = false, is_decided = false;
    for (uint32_t i = 0; i < rows->count && !is_decided; i++) {
        bool is_unknown = false, is_true = true;
        for (uint32_t k = 0; k < expr->arg_count; k++) {
            Value one =
                evaluate_comparison(expr->subquery.comparison, &args[k], &rows->items[i][k]);
            if (one.is_null) {
                is_unknown = true;
            } else if (one.i64 == 0) {
                is_true = false;
            }
        }
        if (!is_true) {
            is_decided = is_all;
        } else if (is_unknown) {
            has_unknown = true;
        } else {
            is_decided = !is_all;
        }
    }
    if (!is_decided && has_unknown) {
        return value_null(expr->type);
    }
    bool result = is_decided != is_all;
    (void)self;
    return value_int64(expr->type, result != expr->subquery.is_negated ? 1 : 0);
}

static Value run_subquery(void *object, const Expr *expr)
{
    Runner *self = object;
    Value args[16];
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        args[i] = evaluate(&self->evaluator, expr->args[i]);
    }
    Rows *rows = run(self, expr->subquery.plan);
    switch (expr->subquery.kind) {
    case SUBQUERY_EXISTS:
        return value_int64(expr->type, (rows->count > 0) != expr->subquery.is_negated ? 1 : 0);
    case SUBQUERY_SCALAR:
        if (rows->count > 1 && self->evaluator.failure == NULL) {
            self->evaluator.failure = "more than one row returned by a subquery";
        }
        return rows->count == 0 ? value_null(expr->type) : rows->items[0][0];
    default:
        return quantified(self, expr, rows, args);
    }
}

static Rows *run_get(Runner *self, const LogicalGet *get)
{
    const Rows *table = self->tables->find(self->tables->self, get->table->table_id);
    Rows *rows = rows_create(self->arena, get->node.column_count);
    for (uint32_t i = 0; i < table->count; i++) {
        for (uint32_t k = 0; k < get->node.column_count; k++) {
            uint32_t column = get->table_columns[k];
            self->bindings[get->node.columns[k].number] =
                column < get->table->column_count ? table->items[i][column]
                                                  : value_int64(get->node.columns[k].type, i);
        }
        bool is_kept = true;
        for (uint32_t k = 0; k < get->filter_count; k++) {
            is_kept = is_kept && evaluate_condition(&self->evaluator, get->filters[k]);
        }
        if (is_kept) {
            add_bound(self, rows, &get->node);
        }
    }
    return rows;
}

/* What a left row found on the right. */
typedef struct Matches {
    uint32_t count;
    bool has_unknown;
} Matches;

static Matches match_left_row(Runner *self, const LogicalJoin *join, const Rows *right,
                              bool *is_right_matched, Rows *out)
{
    bool gives_pairs = join->join == JOIN_INNER || join->join == JOIN_LEFT ||
                       join->join == JOIN_RIGHT || join->join == JOIN_FULL ||
                       join->join == JOIN_SINGLE;
    Matches matches = {0};
    for (uint32_t k = 0; k < right->count; k++) {
        bind(self, join->right, right->items[k]);
        Value value = join->condition == NULL ? value_int64(type_of(TYPE_BOOLEAN), 1)
                                              : evaluate(&self->evaluator, join->condition);
        matches.has_unknown |= value.is_null;
        if (value.is_null || value.i64 == 0) {
            continue;
        }
        matches.count++;
        is_right_matched[k] = true;
        if (gives_pairs) {
            add_bound(self, out, &join->node);
        }
    }
    return matches;
}

static void finish_left_row(Runner *self, const LogicalJoin *join, Matches matches, Rows *out)
{
    bool is_kept = false;
    switch (join->join) {
    case JOIN_SINGLE:
        if (matches.count > 1 && self->evaluator.failure == NULL) {
            self->evaluator.failure = "more than one row returned by a subquery";
        }
        is_kept = matches.count == 0;
        break;
    case JOIN_LEFT:
    case JOIN_FULL:
    case JOIN_ANTI:
        is_kept = matches.count == 0;
        break;
    case JOIN_SEMI:
        is_kept = matches.count > 0;
        break;
    case JOIN_ANTI_NULL:
        is_kept = matches.count == 0 && !matches.has_unknown;
        break;
    case JOIN_MARK: {
        Value mark = value_int64(type_of(TYPE_BOOLEAN), matches.count > 0 ? 1 : 0);
        mark.is_null = matches.count == 0 && matches.has_unknown;
        self->bindings[join->node.columns[join->node.column_count - 1].number] = mark;
        add_bound(self, out, &join->node);
        return;
    }
    default:
        break;
    }
    if (is_kept) {
        bind_nulls(self, join->right);
        add_bound(self, out, &join->node);
    }
}

static Rows *run_join(Runner *self, const LogicalJoin *join)
{
    Rows *left = run(self, join->left);
    Rows *right = join->is_lateral ? NULL : run(self, join->right);
    Rows *out = rows_create(self->arena, join->node.column_count);
    bool *is_right_matched = ARENA_ARRAY(self->arena, bool, right == NULL ? 1 : right->count);
    for (uint32_t i = 0; i < left->count; i++) {
        bind(self, join->left, left->items[i]);
        if (join->is_lateral) {
            right = run(self, join->right);
            bind(self, join->left, left->items[i]);
            is_right_matched = ARENA_ARRAY(self->arena, bool, right->count);
        }
        Matches matches = match_left_row(self, join, right, is_right_matched, out);
        finish_left_row(self, join, matches, out);
    }
    bool keeps_right = join->join == JOIN_RIGHT || join->join == JOIN_FULL;
    for (uint32_t k = 0; keeps_right && k < right->count; k++) {
        if (!is_right_matched[k]) {
            bind_nulls(self, join->left);
            bind(self, join->right, right->items[k]);
            add_bound(self, out, &join->node);
        }
    }
    return out;
}

static bool rows_equal(const Value *left, const Value *right, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!value_equal(&left[i], &right[i])) {
            return false;
        }
    }
    return true;
}

static uint32_t find_group(Rows *keys, const Value *row)
{
    for (uint32_t i = 0; i < keys->count; i++) {
        if (rows_equal(keys->items[i], row, keys->column_count)) {
            return i;
        }
    }
    rows_add_copy(keys, row);
    return keys->count - 1;
}

static Rows *run_aggregate(Runner *self, const LogicalAggregate *aggregate)
{
    Rows *child = run(self, aggregate->child);
    Rows *keys = rows_create(self->arena, aggregate->key_count);
    Value *key = ARENA_ARRAY(self->arena, Value, aggregate->key_count + 1);
    uint32_t call_count = aggregate->aggregate_count;
    Accumulator *states =
        ARENA_ARRAY(self->arena, Accumulator, (size_t)(child->count + 1) * (call_count + 1));
    if (aggregate->key_count == 0) {
        rows_add_copy(keys, key);
    }
    for (uint32_t i = 0; i < child->count; i++) {
        bind(self, aggregate->child, child->items[i]);
        for (uint32_t k = 0; k < aggregate->key_count; k++) {
            key[k] = evaluate(&self->evaluator, aggregate->keys[k]);
        }
        uint32_t group = find_group(keys, key);
        for (uint32_t k = 0; k < call_count; k++) {
            Accumulator *state = &states[(size_t)group * call_count + k];
            state->call = &aggregate->aggregates[k];
            accumulator_add(state, &self->evaluator);
        }
    }
    Rows *out = rows_create(self->arena, aggregate->node.column_count);
    for (uint32_t i = 0; i < keys->count; i++) {
        Value *row = rows_add(out);
        memcpy(row, keys->items[i], aggregate->key_count * sizeof(*row));
        for (uint32_t k = 0; k < call_count; k++) {
            Accumulator *state = &states[(size_t)i * call_count + k];
            state->call = &aggregate->aggregates[k];
            row[aggregate->key_count + k] = accumulator_result(state, &self->evaluator);
        }
    }
    return out;
}

typedef struct SortItem {
    const Value *row;
    Value *keys;
    const LogicalSort *sort;
    uint32_t index;
} SortItem;

static int compare_items(const void *left_item, const void *right_item)
{
    const SortItem *left = left_item, *right = right_item;
    for (uint32_t i = 0; i < left->sort->key_count; i++) {
        const LogicalSortKey *key = &left->sort->keys[i];
        const Value *a = &left->keys[i], *b = &right->keys[i];
        int order;
        if (a->is_null || b->is_null) {
            order = a->is_null == b->is_null ? 0 : a->is_null == key->is_nulls_first ? -1 : 1;
        } else {
            order = value_compare(a, b) * (key->is_descending ? -1 : 1);
        }
        if (order != 0) {
            return order;
        }
    }
    return left->index < right->index ? -1 : 1;
}

static Rows *run_sort(Runner *self, const LogicalSort *sort)
{
    Rows *child = run(self, sort->child);
    SortItem *items = ARENA_ARRAY(self->arena, SortItem, child->count + 1);
    for (uint32_t i = 0; i < child->count; i++) {
        bind(self, sort->child, child->items[i]);
        items[i] =
            (SortItem){child->items[i], ARENA_ARRAY(self->arena, Value, sort->key_count), sort, i};
        for (uint32_t k = 0; k < sort->key_count; k++) {
            items[i].keys[k] = evaluate(&self->evaluator, sort->keys[k].expr);
        }
    }
    qsort(items, child->count, sizeof(*items), compare_items);
    Rows *out = rows_create(self->arena, child->column_count);
    for (uint32_t i = 0; i < child->count; i++) {
        rows_add_copy(out, items[i].row);
    }
    return out;
}

static Rows *run_limit(Runner *self, const LogicalLimit *limit)
{
    Rows *child = run(self, limit->child);
    Rows *out = rows_create(self->arena, child->column_count);
    for (uint64_t i = limit->offset; i < child->count && i - limit->offset < limit->limit; i++) {
        rows_add_copy(out, child->items[i]);
    }
    return out;
}

static bool contains(const Rows *rows, const Value *row)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        if (rows_equal(rows->items[i], row, rows->column_count)) {
            return true;
        }
    }
    return false;
}

static Rows *run_set(Runner *self, const LogicalSet *set)
{
    Rows *left = run(self, set->left), *right = run(self, set->right);
    Rows *out = rows_create(self->arena, set->node.column_count);
    for (uint32_t i = 0; i < left->count; i++) {
        bool is_there = contains(right, left->items[i]);
        bool is_wanted = set->set == SET_INTERSECT ? is_there
                         : set->set == SET_EXCEPT  ? !is_there
                                                   : true;
        if (is_wanted && (set->set == SET_UNION_ALL || !contains(out, left->items[i]))) {
            rows_add_copy(out, left->items[i]);
        }
    }
    for (uint32_t i = 0; i < right->count; i++) {
        if (set->set == SET_UNION_ALL ||
            (set->set == SET_UNION && !contains(out, right->items[i]))) {
            rows_add_copy(out, right->items[i]);
        }
    }
    return out;
}

/* Rows of the partition that come before row `index` in the window's order, or are its peers. */
static void window_rows(Runner *self, const LogicalWindow *window, const WindowCall *call,
                        const Rows *child, uint32_t index, uint32_t *before, PointerList *partition,
                        PointerList *frame)
{
    LogicalSort sort = {.key_count = call->order_count, .keys = call->order};
    SortItem own = {.keys = ARENA_ARRAY(self->arena, Value, call->order_count), .sort = &sort};
    Value *own_partition = ARENA_ARRAY(self->arena, Value, call->partition_count);
    bind(self, window->child, child->items[index]);
    for (uint32_t k = 0; k < call->order_count; k++) {
        own.keys[k] = evaluate(&self->evaluator, call->order[k].expr);
    }
    for (uint32_t k = 0; k < call->partition_count; k++) {
        own_partition[k] = evaluate(&self->evaluator, call->partition[k]);
    }
    for (uint32_t i = 0; i < child->count; i++) {
        bind(self, window->child, child->items[i]);
        bool is_same = true;
        for (uint32_t k = 0; k < call->partition_count; k++) {
            Value value = evaluate(&self->evaluator, call->partition[k]);
            is_same = is_same && value_equal(&value, &own_partition[k]);
        }
        if (!is_same) {
            continue;
        }
        SortItem item = {
            .keys = ARENA_ARRAY(self->arena, Value, call->order_count), .sort = &sort, .index = 1};
        for (uint32_t k = 0; k < call->order_count; k++) {
            item.keys[k] = evaluate(&self->evaluator, call->order[k].expr);
        }
        // Equal keys compare by index: own has 0, so a peer is neither smaller nor counted before.
        bool is_before = compare_items(&item, &own) < 0;
        SortItem peer = item;
        peer.index = 0;
        own.index = 1;
        bool is_peer_or_before = compare_items(&peer, &own) < 0;
        own.index = 0;
        *before += is_before || (call->id == WINDOW_ROW_NUMBER && is_peer_or_before && i < index);
        pointer_list_add(self->arena, partition, child->items[i]);
        if (call->order_count == 0 || is_peer_or_before) {
            pointer_list_add(self->arena, frame, child->items[i]);
        }
    }
}

static Rows *run_window(Runner *self, const LogicalWindow *window)
{
    Rows *child = run(self, window->child);
    Rows *out = rows_create(self->arena, window->node.column_count);
    for (uint32_t i = 0; i < child->count; i++) {
        Value *row = rows_add(out);
        memcpy(row, child->items[i], child->column_count * sizeof(*row));
        for (uint32_t c = 0; c < window->call_count; c++) {
            const WindowCall *call = &window->calls[c];
            uint32_t before = 0;
            PointerList partition = {0}, frame = {0};
            window_rows(self, window, call, child, i, &before, &partition, &frame);
            if (call->id != WINDOW_AGGREGATE) {
                row[child->column_count + c] = value_int64(call->type, before + 1);
                continue;
            }
            AggregateCall aggregate = {.id = call->aggregate,
                                       .type = call->type,
                                       .argument = call->arg_count > 0 ? call->args[0] : NULL};
            Accumulator state = {.call = &aggregate};
            for (uint32_t k = 0; k < frame.count; k++) {
                bind(self, window->child, frame.items[k]);
                accumulator_add(&state, &self->evaluator);
            }
            row[child->column_count + c] = accumulator_result(&state, &self->evaluator);
        }
    }
    return out;
}

static Rows *run_project(Runner *self, const LogicalProject *project)
{
    Rows *child = run(self, project->child);
    Rows *out = rows_create(self->arena, project->node.column_count);
    for (uint32_t i = 0; i < child->count; i++) {
        bind(self, project->child, child->items[i]);
        Value *row = rows_add(out);
        for (uint32_t k = 0; k < project->node.column_count; k++) {
            row[k] = evaluate(&self->evaluator, project->exprs[k]);
        }
    }
    return out;
}

static Rows *run_filter(Runner *self, const LogicalFilter *filter)
{
    Rows *child = run(self, filter->child);
    Rows *out = rows_create(self->arena, child->column_count);
    for (uint32_t i = 0; i < child->count; i++) {
        bind(self, filter->child, child->items[i]);
        if (evaluate_condition(&self->evaluator, filter->condition)) {
            rows_add_copy(out, child->items[i]);
        }
    }
    return out;
}

static Rows *run_values(Runner *self, const LogicalValues *values)
{
    Rows *out = rows_create(self->arena, values->node.column_count);
    for (uint32_t i = 0; i < values->row_count; i++) {
        Value *row = rows_add(out);
        for (uint32_t k = 0; k < values->node.column_count; k++) {
            row[k] = evaluate(&self->evaluator, values->cells[i * values->node.column_count + k]);
        }
    }
    return out;
}

static Rows *run_distinct(Runner *self, const LogicalDistinct *distinct)
{
    Rows *child = run(self, distinct->child);
    Rows *out = rows_create(self->arena, child->column_count);
    for (uint32_t i = 0; i < child->count; i++) {
        if (!contains(out, child->items[i])) {
            rows_add_copy(out, child->items[i]);
        }
    }
    return out;
}

static Rows *run(Runner *self, const LogicalNode *node)
{
    switch (node->kind) {
    case LOGICAL_GET:
        return run_get(self, (const LogicalGet *)node);
    case LOGICAL_VALUES:
        return run_values(self, (const LogicalValues *)node);
    case LOGICAL_FILTER:
        return run_filter(self, (const LogicalFilter *)node);
    case LOGICAL_PROJECT:
        return run_project(self, (const LogicalProject *)node);
    case LOGICAL_JOIN:
        return run_join(self, (const LogicalJoin *)node);
    case LOGICAL_AGGREGATE:
        return run_aggregate(self, (const LogicalAggregate *)node);
    case LOGICAL_SORT:
        return run_sort(self, (const LogicalSort *)node);
    case LOGICAL_LIMIT:
        return run_limit(self, (const LogicalLimit *)node);
    case LOGICAL_DISTINCT:
        return run_distinct(self, (const LogicalDistinct *)node);
    case LOGICAL_SET:
        return run_set(self, (const LogicalSet *)node);
    case LOGICAL_WINDOW:
        return run_window(self, (const LogicalWindow *)node);
    case LOGICAL_CTE:
        self->ctes[((const LogicalCte *)node)->cte_id] = ((const LogicalCte *)node)->definition;
        return run(self, ((const LogicalCte *)node)->child);
    case LOGICAL_CTE_REFERENCE:
        return run(self, self->ctes[((const LogicalCteReference *)node)->cte_id]);
    case LOGICAL_INSERT: {
        Rows *child = run(self, ((const LogicalInsert *)node)->child);
        Rows *out = rows_create(self->arena, 1);
        *rows_add(out) = value_int64(type_of(TYPE_BIGINT), child->count);
        return out;
    }
    case LOGICAL_DELETE: {
        Rows *child = run(self, ((const LogicalDelete *)node)->child);
        Rows *deleted = rows_create(self->arena, child->column_count);
        for (uint32_t i = 0; i < child->count; i++) {
            uint32_t count = deleted->count;
            find_group(deleted, child->items[i]);
            if (deleted->count == count && ((const LogicalDelete *)node)->is_each_once) {
                self->evaluator.failure = "more than one source row for a row";
            }
        }
        Rows *out = rows_create(self->arena, 1);
        *rows_add(out) = value_int64(type_of(TYPE_BIGINT), deleted->count);
        return out;
    }
    case LOGICAL_CHANGE: {
        const LogicalChange *change = (const LogicalChange *)node;
        int64_t deleted = run(self, change->deletion)->items[0][0].i64;
        int64_t inserted = run(self, change->insertion)->items[0][0].i64;
        Rows *out = rows_create(self->arena, 1);
        *rows_add(out) =
            value_int64(type_of(TYPE_BIGINT), (change->counts_deleted ? deleted : 0) +
                                                  (change->counts_inserted ? inserted : 0));
        return out;
    }
    default:
        self->evaluator.failure = "a node that is not run";
        return rows_create(self->arena, node->column_count);
    }
}

Rows *logical_run(const LogicalNode *root, const TableRows *tables, Arena *arena,
                  const char **failure)
{
    Runner self = {.arena = arena, .tables = tables};
    self.bindings = ARENA_ARRAY(arena, Value, BINDINGS_MAX);
    self.evaluator = (Evaluator){
        .arena = arena, .column = bound_column, .subquery = run_subquery, .object = &self};
    Rows *rows = run(&self, root);
    *failure = self.evaluator.failure;
    return rows;
}
