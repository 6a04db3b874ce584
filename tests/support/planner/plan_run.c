/* plan_run.c — an interpreter of plan nodes: whole row sets, one node after the other. */
#include "tests/support/planner/plan_run.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/vector/distribution_hash.h"

#define SITES_MAX 9 /* 8 nodes and the leader */

typedef struct Site { /* one endpoint: what has arrived, what is kept */
    Rows **received;  /* by exchange id - 1 */
    Rows **stored;    /* by store id - 1 */
    Rows **filters;   /* by runtime filter id - 1: values of the build side */
} Site;

typedef struct Cluster {
    const Plan *plan;
    const TableRows *tables;
    Arena *arena;
    uint32_t node_count;
    Site sites[SITES_MAX]; /* the leader last */
    uint32_t site;         /* being run */
    Evaluator evaluator;
    const Value *row; /* what EXPR_COLUMN reads */
    uint32_t round_robin;
    PlanRunResult result;
} Cluster;

static Rows *run(Cluster *self, const PlanNode *node);

static Value row_column(void *object, uint32_t column)
{
    return ((Cluster *)object)->row[column];
}

static Value no_subquery(void *object, const Expr *expr)
{
    ((Cluster *)object)->evaluator.failure = "a subquery in a plan";
    return value_null(expr->type);
}

static Value value_of(Cluster *self, const Expr *expr, const Value *row)
{
    self->row = row;
    return evaluate(&self->evaluator, expr);
}

static bool holds(Cluster *self, const Expr *condition, const Value *row)
{
    self->row = row;
    return evaluate_condition(&self->evaluator, condition);
}

static bool passes_runtime_filters(Cluster *self, const PlanScan *scan, const Value *row)
{
    for (uint32_t i = 0; i < scan->runtime_filter_count; i++) {
        const PlanRuntimeFilterUse *use = &scan->runtime_filters[i];
        const Rows *values = self->sites[self->site].filters[use->filter_id - 1];
        bool is_found = values == NULL;
        for (uint32_t k = 0; values != NULL && k < values->count && !is_found; k++) {
            is_found = !row[use->column].is_null && !values->items[k][0].is_null &&
                       value_compare(&row[use->column], values->items[k]) == 0;
        }
        if (!is_found) {
            return false;
        }
    }
    return true;
}

static Rows *run_scan(Cluster *self, const PlanScan *scan)
{
    const Rows *table = self->tables->find(self->tables->self, scan->table->table_id);
    Rows *out = rows_create(self->arena, scan->node.output_count);
    Value *read = ARENA_ARRAY(self->arena, Value, scan->column_count + 2);
    for (uint32_t i = 0; i < table->count; i++) {
        int owner = row_node(scan->table->style, scan->table->distribution_column, table->items[i],
                             i, self->node_count);
        if (owner >= 0 && (uint32_t)owner != self->site) {
            continue;
        }
        for (uint32_t k = 0; k < scan->column_count; k++) {
            read[k] = table->items[i][scan->columns[k]];
        }
        read[scan->column_count] = value_int64(type_of(TYPE_BIGINT), table_row_id(i, self->site));
        read[scan->column_count + 1] = value_int64(type_of(TYPE_INTEGER), self->site + 1);
        bool is_kept = passes_runtime_filters(self, scan, read);
        for (uint32_t k = 0; k < scan->filter_count && is_kept; k++) {
            is_kept = holds(self, scan->filters[k], read);
        }
        if (is_kept) {
            Value *row = rows_add(out);
            for (uint32_t k = 0; k < scan->node.output_count; k++) {
                row[k] = read[scan->outputs[k]];
            }
        }
    }
    return out;
}

static Rows *run_virtual_scan(Cluster *self, const PlanVirtualScan *scan)
{
    Rows *out = rows_create(self->arena, scan->node.output_count);
    for (int i = 0; i < 3; i++) {
        Value *row = rows_add(out);
        for (uint32_t k = 0; k < scan->node.output_count; k++) {
            row[k] = value_null(scan->node.output_types[k]);
        }
    }
    if (self->site != self->node_count) {
        self->evaluator.failure = "a virtual table away from the leader";
    }
    return out;
}

/* A join of either kind: keys (none for a nested loop), then a residual. */
typedef struct JoinRun {
    const PlanNode *node;
    JoinKind join;
    uint32_t key_count;
    Expr *const *probe_keys, *const *build_keys;
    const bool *is_null_equal;
    const Expr *residual;
    const uint32_t *outputs;
    uint32_t probe_width, build_width;
    Value *row; /* probe ++ build ++ mark */
} JoinRun;

static Value pair_matches(Cluster *self, const JoinRun *join)
{
    bool has_unknown = false;
    for (uint32_t i = 0; i < join->key_count; i++) {
        Value probe = value_of(self, join->probe_keys[i], join->row);
        Value build = value_of(self, join->build_keys[i], join->row + join->probe_width);
        Value equal = evaluate_comparison(
            join->is_null_equal[i] ? FUNCTION_IS_NOT_DISTINCT : FUNCTION_EQUAL, &probe, &build);
        if (!equal.is_null && equal.i64 == 0) {
            return equal;
        }
        has_unknown |= equal.is_null;
    }
    Value result = value_int64(type_of(TYPE_BOOLEAN), 1);
    if (join->residual != NULL) {
        result = value_of(self, join->residual, join->row);
    }
    if (has_unknown && (result.is_null || result.i64 != 0)) {
        return value_null(result.type);
    }
    return result;
}

static void give(const JoinRun *join, Rows *out)
{
    Value *row = rows_add(out);
    for (uint32_t i = 0; i < join->node->output_count; i++) {
        row[i] = join->row[join->outputs[i]];
    }
}

static void set_nulls(Value *row, const PlanNode *side)
{
    for (uint32_t i = 0; i < side->output_count; i++) {
        row[i] = value_null(side->output_types[i]);
    }
}

static bool keeps_unmatched_probe(JoinKind join, bool has_unknown)
{
    return join == JOIN_LEFT || join == JOIN_FULL || join == JOIN_ANTI || join == JOIN_SINGLE ||
           (join == JOIN_ANTI_NULL && !has_unknown);
}

static Rows *join_rows(Cluster *self, JoinRun *join, const PlanNode *probe_node,
                       const PlanNode *build_node, const Rows *probe, const Rows *build)
{
    Rows *out = rows_create(self->arena, join->node->output_count);
    bool *is_matched = ARENA_ARRAY(self->arena, bool, build->count + 1);
    bool gives_pairs = join->join <= JOIN_FULL || join->join == JOIN_SINGLE;
    for (uint32_t i = 0; i < probe->count; i++) {
        memcpy(join->row, probe->items[i], join->probe_width * sizeof(Value));
        uint32_t matches = 0;
        bool has_unknown = false;
        for (uint32_t k = 0; k < build->count; k++) {
            memcpy(join->row + join->probe_width, build->items[k],
                   join->build_width * sizeof(Value));
            Value found = pair_matches(self, join);
            has_unknown |= found.is_null;
            if (!found.is_null && found.i64 != 0) {
                matches++;
                is_matched[k] = true;
                if (gives_pairs) {
                    give(join, out);
                }
            }
        }
        if (join->join == JOIN_SINGLE && matches > 1) {
            self->evaluator.failure = "more than one row returned by a subquery";
        }
        if (join->join == JOIN_SEMI && matches > 0) {
            give(join, out);
        } else if (join->join == JOIN_MARK) {
            Value *mark = &join->row[join->probe_width + join->build_width];
            *mark = value_int64(type_of(TYPE_BOOLEAN), matches > 0 ? 1 : 0);
            mark->is_null = matches == 0 && has_unknown;
            give(join, out);
        } else if (matches == 0 && keeps_unmatched_probe(join->join, has_unknown)) {
            set_nulls(join->row + join->probe_width, build_node);
            give(join, out);
        }
    }
    for (uint32_t k = 0; k < build->count; k++) {
        bool is_given =
            join->join == JOIN_RIGHT_SEMI
                ? is_matched[k]
                : !is_matched[k] && (join->join == JOIN_RIGHT || join->join == JOIN_FULL ||
                                     join->join == JOIN_RIGHT_ANTI);
        if (is_given) {
            set_nulls(join->row, probe_node);
            memcpy(join->row + join->probe_width, build->items[k],
                   join->build_width * sizeof(Value));
            give(join, out);
        }
    }
    return out;
}

static void publish_filters(Cluster *self, const PlanHashJoin *join, const Rows *build)
{
    for (uint32_t i = 0; i < join->key_count; i++) {
        if (join->runtime_filter_ids[i] == 0) {
            continue;
        }
        Rows *values = rows_create(self->arena, 1);
        for (uint32_t k = 0; k < build->count; k++) {
            Value key = value_of(self, join->build_keys[i], build->items[k]);
            rows_add_copy(values, &key);
        }
        self->sites[self->site].filters[join->runtime_filter_ids[i] - 1] = values;
    }
}

static Rows *run_join(Cluster *self, const PlanNode *node)
{
    const PlanNode *probe_node = plan_node_child(node, 0), *build_node = plan_node_child(node, 1);
    JoinRun run_state = {.node = node,
                         .probe_width = probe_node->output_count,
                         .build_width = build_node->output_count};
    if (node->kind == PLAN_HASH_JOIN) {
        const PlanHashJoin *join = (const PlanHashJoin *)node;
        run_state.join = join->join;
        run_state.key_count = join->key_count;
        run_state.probe_keys = join->probe_keys;
        run_state.build_keys = join->build_keys;
        run_state.is_null_equal = join->is_null_equal;
        run_state.residual = join->residual;
        run_state.outputs = join->outputs;
    } else {
        const PlanNestedLoopJoin *join = (const PlanNestedLoopJoin *)node;
        run_state.join = join->join;
        run_state.residual = join->condition;
        run_state.outputs = join->outputs;
    }
    run_state.row =
        ARENA_ARRAY(self->arena, Value, run_state.probe_width + run_state.build_width + 1);
    Rows *build = run(self, build_node);
    if (node->kind == PLAN_HASH_JOIN) {
        publish_filters(self, (const PlanHashJoin *)node, build);
    }
    Rows *probe = run(self, probe_node);
    return join_rows(self, &run_state, probe_node, build_node, probe, build);
}

static bool keys_equal(const Value *left, const Value *right, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!value_equal(&left[i], &right[i])) {
            return false;
        }
    }
    return true;
}

static Rows *run_aggregate(Cluster *self, const PlanAggregate *aggregate)
{
    Rows *child = run(self, aggregate->child);
    Rows *keys = rows_create(self->arena, aggregate->key_count);
    uint32_t calls = aggregate->aggregate_count;
    Accumulator *states =
        ARENA_ARRAY(self->arena, Accumulator, (size_t)(child->count + 1) * (calls + 1));
    Value *key = ARENA_ARRAY(self->arena, Value, aggregate->key_count + 1);
    if (aggregate->key_count == 0 && (child->count > 0 || !aggregate->is_partial)) {
        rows_add_copy(keys, key);
    }
    for (uint32_t i = 0; i < child->count; i++) {
        for (uint32_t k = 0; k < aggregate->key_count; k++) {
            key[k] = value_of(self, aggregate->keys[k], child->items[i]);
        }
        uint32_t group = 0;
        while (group < keys->count && !keys_equal(keys->items[group], key, aggregate->key_count)) {
            group++;
        }
        if (group == keys->count) {
            rows_add_copy(keys, key);
        }
        self->row = child->items[i];
        for (uint32_t k = 0; k < calls; k++) {
            states[(size_t)group * calls + k].call = &aggregate->aggregates[k];
            accumulator_add(&states[(size_t)group * calls + k], &self->evaluator);
        }
    }
    Rows *out = rows_create(self->arena, aggregate->node.output_count);
    for (uint32_t i = 0; i < keys->count; i++) {
        Value *row = rows_add(out);
        memcpy(row, keys->items[i], aggregate->key_count * sizeof(*row));
        for (uint32_t k = 0; k < calls; k++) {
            Accumulator *state = &states[(size_t)i * calls + k];
            state->call = &aggregate->aggregates[k];
            row[aggregate->key_count + k] = accumulator_result(state, &self->evaluator);
        }
    }
    return out;
}

typedef struct SortContext {
    const PlanSortKey *keys;
    uint32_t key_count;
} SortContext;

static int compare_rows(const void *left_item, const void *right_item, void *object)
{
    const SortContext *context = object;
    const Value *left = *(const Value *const *)left_item,
                *right = *(const Value *const *)right_item;
    for (uint32_t i = 0; i < context->key_count; i++) {
        const PlanSortKey *key = &context->keys[i];
        const Value *a = &left[key->column], *b = &right[key->column];
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
    return 0;
}

static void sort_rows(Rows *rows, const PlanSortKey *keys, uint32_t key_count)
{
    SortContext context = {keys, key_count};
    if (rows->count > 0) {
        qsort_r(rows->items, rows->count, sizeof(*rows->items), compare_rows, &context);
    }
}

static Rows *cut(Cluster *self, const Rows *rows, uint64_t limit, uint64_t offset)
{
    Rows *out = rows_create(self->arena, rows->column_count);
    for (uint64_t i = offset; i < rows->count && i - offset < limit; i++) {
        rows_add_copy(out, rows->items[i]);
    }
    return out;
}

/* One window function's value for the row at `index` of a partition sorted by the window's order.
 */
static Value window_value(Cluster *self, const PlanWindow *window, const WindowCall *call,
                          const Rows *partition, uint32_t index)
{
    SortContext context = {window->order, window->order_count};
    uint32_t first_peer = index, peers_end = index + 1;
    while (first_peer > 0 && compare_rows(&partition->items[first_peer - 1],
                                          &partition->items[index], &context) == 0) {
        first_peer--;
    }
    while (peers_end < partition->count &&
           compare_rows(&partition->items[peers_end], &partition->items[index], &context) == 0) {
        peers_end++;
    }
    if (call->id != WINDOW_AGGREGATE) {
        return value_int64(call->type, 1 + (call->id == WINDOW_ROW_NUMBER ? index : first_peer));
    }
    uint32_t end = window->order_count == 0 ? partition->count : peers_end;
    AggregateCall aggregate = {.id = call->aggregate,
                               .type = call->type,
                               .argument = call->arg_count > 0 ? call->args[0] : NULL};
    Accumulator state = {.call = &aggregate};
    for (uint32_t i = 0; i < end; i++) {
        self->row = partition->items[i];
        accumulator_add(&state, &self->evaluator);
    }
    return accumulator_result(&state, &self->evaluator);
}

static Rows *run_window(Cluster *self, const PlanWindow *window)
{
    Rows *child = run(self, window->child);
    Rows *out = rows_create(self->arena, window->node.output_count);
    bool *is_done = ARENA_ARRAY(self->arena, bool, child->count + 1);
    for (uint32_t i = 0; i < child->count; i++) {
        if (is_done[i]) {
            continue;
        }
        Rows *partition = rows_create(self->arena, child->column_count);
        for (uint32_t k = i; k < child->count; k++) {
            bool is_same = true;
            for (uint32_t c = 0; c < window->partition_count; c++) {
                is_same = is_same && value_equal(&child->items[i][window->partition[c]],
                                                 &child->items[k][window->partition[c]]);
            }
            if (is_same) {
                is_done[k] = true;
                rows_add_copy(partition, child->items[k]);
            }
        }
        sort_rows(partition, window->order, window->order_count);
        for (uint32_t k = 0; k < partition->count; k++) {
            Value *row = rows_add(out);
            memcpy(row, partition->items[k], child->column_count * sizeof(*row));
            for (uint32_t c = 0; c < window->call_count; c++) {
                row[child->column_count + c] =
                    window_value(self, window, &window->calls[c], partition, k);
            }
        }
    }
    return out;
}

static Rows *run_receive(Cluster *self, const PlanReceive *receive)
{
    Rows *rows = self->sites[self->site].received[receive->exchange_id - 1];
    rows = rows == NULL ? rows_create(self->arena, receive->node.output_count) : rows;
    if (receive->merge_key_count > 0) {
        sort_rows(rows, receive->merge_keys, receive->merge_key_count);
    }
    if (self->site == self->node_count) {
        self->result.leader_rows += rows->count;
    }
    return rows;
}

static TableChange *change_of(Cluster *self, const PlanTable *table)
{
    return table_changes_of(&self->result.changes, table,
                            self->tables->find(self->tables->self, table->table_id));
}

static Rows *run_delete(Cluster *self, const PlanTableDelete *deletion)
{
    Rows *child = run(self, deletion->child);
    TableChange *change = change_of(self, deletion->table);
    int64_t count = 0;
    for (uint32_t i = 0; i < child->count; i++) {
        bool is_new = false;
        if (child->items[i][0].is_null ||
            !table_change_delete(change, child->items[i][0].i64, self->site, &is_new)) {
            self->evaluator.failure = "a row id that is not of this node";
        }
        count += is_new;
    }
    Rows *out = rows_create(self->arena, 1);
    *rows_add(out) = value_int64(type_of(TYPE_BIGINT), count);
    return out;
}

static Rows *run_write(Cluster *self, const PlanTableWrite *write)
{
    Rows *child = run(self, write->child);
    Rows *inserted = change_of(self, write->table)->inserted[self->site];
    for (uint32_t i = 0; i < child->count; i++) {
        rows_add_copy(inserted, child->items[i]);
    }
    Rows *out = rows_create(self->arena, 1);
    *rows_add(out) = value_int64(type_of(TYPE_BIGINT), child->count);
    self->result.written_rows += child->count;
    for (uint32_t i = 0; i < child->count && write->table->style == DISTRIBUTION_STYLE_KEY; i++) {
        int owner = row_node(write->table->style, write->table->distribution_column,
                             child->items[i], i, self->node_count);
        self->result.has_misplaced_write |= (uint32_t)owner != self->site;
    }
    return out;
}

static Rows *run_exprs(Cluster *self, const PlanNode *node, Expr *const *exprs, const Rows *child)
{
    Rows *out = rows_create(self->arena, node->output_count);
    for (uint32_t i = 0; i < child->count; i++) {
        Value *row = rows_add(out);
        for (uint32_t k = 0; k < node->output_count; k++) {
            row[k] = value_of(self, exprs[k], child->items[i]);
        }
    }
    return out;
}

static Rows *run_filter(Cluster *self, const PlanFilter *filter)
{
    Rows *child = run(self, filter->child);
    Rows *out = rows_create(self->arena, child->column_count);
    for (uint32_t i = 0; i < child->count; i++) {
        bool is_kept = true;
        for (uint32_t k = 0; k < filter->filter_count && is_kept; k++) {
            is_kept = holds(self, filter->filters[k], child->items[i]);
        }
        if (is_kept) {
            rows_add_copy(out, child->items[i]);
        }
    }
    return out;
}

static Rows *run_values(Cluster *self, const PlanValues *values)
{
    Rows *out = rows_create(self->arena, values->node.output_count);
    for (uint32_t i = 0; i < values->row_count; i++) {
        Value *row = rows_add(out);
        for (uint32_t k = 0; k < values->node.output_count; k++) {
            row[k] = value_of(self, values->cells[i * values->node.output_count + k], NULL);
        }
    }
    return out;
}

static Rows *run_union(Cluster *self, const PlanUnionAll *append)
{
    Rows *out = rows_create(self->arena, append->node.output_count);
    for (uint32_t i = 0; i < append->child_count; i++) {
        Rows *child = run(self, append->children[i]);
        for (uint32_t k = 0; k < child->count; k++) {
            rows_add_copy(out, child->items[k]);
        }
    }
    return out;
}

static Rows *run(Cluster *self, const PlanNode *node)
{
    switch (node->kind) {
    case PLAN_SCAN:
        return run_scan(self, (const PlanScan *)node);
    case PLAN_VIRTUAL_SCAN:
        return run_virtual_scan(self, (const PlanVirtualScan *)node);
    case PLAN_VALUES:
        return run_values(self, (const PlanValues *)node);
    case PLAN_FILTER:
        return run_filter(self, (const PlanFilter *)node);
    case PLAN_PROJECT:
        return run_exprs(self, node, ((const PlanProject *)node)->exprs,
                         run(self, plan_node_child(node, 0)));
    case PLAN_HASH_JOIN:
    case PLAN_NESTED_LOOP_JOIN:
        return run_join(self, node);
    case PLAN_AGGREGATE:
        return run_aggregate(self, (const PlanAggregate *)node);
    case PLAN_SORT: {
        const PlanSort *sort = (const PlanSort *)node;
        Rows *child = run(self, sort->child);
        sort_rows(child, sort->keys, sort->key_count);
        return cut(self, child, sort->limit, sort->offset);
    }
    case PLAN_LIMIT:
        return cut(self, run(self, plan_node_child(node, 0)), ((const PlanLimit *)node)->limit,
                   ((const PlanLimit *)node)->offset);
    case PLAN_UNION_ALL:
        return run_union(self, (const PlanUnionAll *)node);
    case PLAN_WINDOW:
        return run_window(self, (const PlanWindow *)node);
    case PLAN_RECEIVE:
        return run_receive(self, (const PlanReceive *)node);
    case PLAN_STORED:
        return self->sites[self->site].stored[((const PlanStored *)node)->store_id - 1];
    case PLAN_TABLE_WRITE:
        return run_write(self, (const PlanTableWrite *)node);
    case PLAN_TABLE_DELETE:
        return run_delete(self, (const PlanTableDelete *)node);
    default:
        self->evaluator.failure = "a plan node that is not run";
        return rows_create(self->arena, node->output_count);
    }
}

static void deliver(Cluster *self, uint32_t site, const PlanSend *send, const Value *row)
{
    Rows **inbox = &self->sites[site].received[send->exchange_id - 1];
    if (*inbox == NULL) {
        *inbox = rows_create(self->arena, send->node.output_count);
    }
    rows_add_copy(*inbox, row);
    self->result.exchanged_rows += site != self->site;
}

static void send_row(Cluster *self, const PlanSend *send, const Value *row)
{
    PlanSite target = self->plan->exchanges[send->exchange_id - 1].target_site;
    uint64_t hash = 0;
    switch (send->exchange) {
    case EXCHANGE_GATHER:
        deliver(self, target == PLAN_SITE_LEADER ? self->node_count : 0, send, row);
        break;
    case EXCHANGE_HASH:
        hash = distribution_hash_value(&row[send->keys[0]]);
        for (uint32_t i = 1; i < send->key_count; i++) {
            hash = hash_combine(hash, distribution_hash_value(&row[send->keys[i]]));
        }
        deliver(self, (uint32_t)((uint64_t)bucket_of_hash(hash) * self->node_count / BUCKET_COUNT),
                send, row);
        break;
    case EXCHANGE_BROADCAST:
        for (uint32_t i = 0; i < self->node_count; i++) {
            deliver(self, i, send, row);
        }
        break;
    case EXCHANGE_NODE:
        deliver(self, (uint32_t)row[send->keys[0]].i64 - 1, send, row);
        break;
    case EXCHANGE_ROUND_ROBIN:
        deliver(self, self->round_robin++ % self->node_count, send, row);
        break;
    }
}

static void run_fragment(Cluster *self, const PlanFragment *fragment)
{
    uint32_t first = fragment->site == PLAN_SITE_LEADER ? self->node_count : 0;
    uint32_t end = fragment->site == PLAN_SITE_LEADER  ? self->node_count + 1
                   : fragment->site == PLAN_SITE_NODES ? self->node_count
                                                       : 1;
    for (self->site = first; self->site < end; self->site++) {
        Rows *rows = run(self, plan_node_child(fragment->root, 0));
        if (fragment->root->kind == PLAN_RESULT) {
            self->result.rows = rows;
        } else if (fragment->root->kind == PLAN_STORE) {
            uint32_t store_id = ((const PlanStore *)fragment->root)->store_id;
            self->sites[self->site].stored[store_id - 1] = rows;
        } else {
            for (uint32_t i = 0; i < rows->count; i++) {
                send_row(self, (const PlanSend *)fragment->root, rows->items[i]);
            }
        }
    }
}

PlanRunResult plan_run(const Plan *plan, const TableRows *tables, uint32_t node_count, Arena *arena)
{
    Cluster self = {.plan = plan, .tables = tables, .arena = arena, .node_count = node_count};
    self.result.changes = (TableChanges){.arena = arena, .node_count = node_count};
    self.evaluator =
        (Evaluator){.arena = arena, .column = row_column, .subquery = no_subquery, .object = &self};
    for (uint32_t i = 0; i <= node_count; i++) {
        self.sites[i].received = ARENA_ARRAY(arena, Rows *, plan->exchange_count + 1);
        self.sites[i].stored = ARENA_ARRAY(arena, Rows *, plan->fragment_count + 1);
        self.sites[i].filters = ARENA_ARRAY(arena, Rows *, plan->runtime_filter_count + 1);
    }
    for (uint32_t i = 0; i < plan->fragment_count; i++) {
        run_fragment(&self, &plan->fragments[i]);
    }
    self.result.failure = self.evaluator.failure;
    return self.result;
}
