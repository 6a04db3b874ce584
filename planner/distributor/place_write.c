/*
 * place_write.c — INSERT, COPY and DELETE: rows go to the nodes that own them, are written or
 * deleted there, and the leader adds up how many there were. VACUUM: they stay where they are.
 *
 *   KEY   hash of the distribution key -> write          EVEN  stay, or batches in turn -> write
 *   ALL   broadcast -> write on every node
 *
 * UPDATE and MERGE do both, over rows that are computed once.
 *
 * A row is deleted where it is kept: row ids that have left their node go back to it. Of a table on
 * every node each node finds its own copies, so nothing that has their row ids is ever moved.
 */
#include "planner/distributor/place.h"

#include "planner/logical/logical_tree.h"

/* The distribution rows must have to be written; `columns` are the table's, in order. */
static Distribution write_target(const Placer *placer, const CatalogTable *table,
                                 const LogicalNode *rows)
{
    ColumnNumber key =
        table->distribution_column < 0 ? 0 : rows->columns[table->distribution_column].number;
    return placer_table_distribution(placer, table, key);
}

/* A step that changes a table by the input's rows, `row_cost` each, and gives each node's count. */
static Step *write_step(Placer *placer, StepKind kind, const LogicalNode *node, Step *input,
                        double row_cost)
{
    double rows = cost_rows_per_site(&placer->cost, &input->distribution, input->rows);
    Step *write = step_new(placer, kind, node, 1, &input, rows * row_cost);
    write->rows = placer->cost.node_count;
    write->home = 0;
    LogicalColumn *column = ARENA_NEW(placer->arena, LogicalColumn);
    *column = (LogicalColumn){.number = planner_new_column(placer->context),
                              .name = "rows",
                              .type = type_of(TYPE_BIGINT)};
    step_set_columns(placer, write, 1, column);
    return write;
}

/* The nodes' counts as one: their sum, or one of them when every node changed all rows. */
static Step *count_step(Placer *placer, const LogicalNode *node, Step *write)
{
    ColumnSet count = {0};
    column_set_add(&count, write->columns[0].number, placer->arena);
    Distribution nodes = write->distribution;
    if (nodes.kind == DISTRIBUTION_REPLICATED) {
        write->distribution = distribution_of(DISTRIBUTION_SCATTERED); // all of them must run
    }
    Distribution leader = distribution_of(DISTRIBUTION_LEADER);
    Step *gathered = step_move(placer, write, &leader, &count);
    Step *total = step_new(placer, STEP_AGGREGATE, NULL, 1, &gathered, 0);
    total->rows = 1;
    total->aggregate.aggregate_count = 1;
    total->aggregate.aggregates = ARENA_NEW(placer->arena, AggregateCall);
    *total->aggregate.aggregates = (AggregateCall){
        .id = nodes.kind == DISTRIBUTION_REPLICATED ? AGGREGATE_MAX : AGGREGATE_SUM_COUNT,
        .argument = logical_column_expr(placer->arena, &write->columns[0]),
        .type = type_of(TYPE_BIGINT)};
    step_set_columns(placer, total, 1, node->columns);
    return total;
}

/* A project that gives just the child's columns, in its order. */
static Step *in_table_order(Placer *placer, Step *step, const LogicalNode *child)
{
    Expr **exprs = ARENA_ARRAY(placer->arena, Expr *, child->column_count);
    bool is_same = step->column_count == child->column_count;
    for (uint32_t i = 0; i < child->column_count; i++) {
        exprs[i] = logical_column_expr(placer->arena, &child->columns[i]);
        is_same = is_same && step->columns[i].number == child->columns[i].number;
    }
    if (is_same) {
        return step;
    }
    Step *project = step_new(placer, STEP_PROJECT, NULL, 1, &step, 0);
    project->exprs = exprs;
    step_set_columns(placer, project, child->column_count, child->columns);
    return project;
}

/* The ways to write the rows, each giving every node's count. */
static Status place_writes(Placer *placer, const LogicalInsert *insert, StepList *out)
{
    ColumnSet all = column_set_of_node(insert->child, placer->arena);
    Distribution target = write_target(placer, insert->table, insert->child);
    StepList inputs = {0};
    TRY(place_node(placer, insert->child, &all, false, &inputs));
    for (uint32_t i = 0; i < inputs.count; i++) {
        Step *moved = target.kind == DISTRIBUTION_REPLICATED
                          ? step_replicate(placer, inputs.steps[i], &all)
                          : step_move(placer, inputs.steps[i], &target, &all);
        moved = in_table_order(placer, moved, insert->child);
        step_list_add(out, write_step(placer, STEP_WRITE, &insert->node, moved, COST_WRITE_ROW));
    }
    return STATUS_OK;
}

Status place_insert(Placer *placer, LogicalInsert *insert, StepList *out)
{
    StepList writes = {0};
    TRY(place_writes(placer, insert, &writes));
    step_list_add(out, count_step(placer, &insert->node, (Step *)step_list_cheapest(&writes)));
    return STATUS_OK;
}

/* Row ids and their nodes on the nodes where they mean these rows; null: cannot be brought there.
 */
static Step *ids_at_home(Placer *placer, const LogicalDelete *deletion, Step *ids,
                         const ColumnSet *all)
{
    ColumnNumber home = deletion->child->columns[1].number;
    Distribution target = placer_table_distribution(placer, deletion->table, 0);
    if (target.kind == DISTRIBUTION_REPLICATED) {
        return step_is_replica(ids) && ids->home == home ? ids : NULL;
    }
    if (target.kind == DISTRIBUTION_SINGLE) {
        return step_move(placer, ids, &target, all);
    }
    bool is_at_home = ids->home == home && distribution_is_partitioned(&ids->distribution);
    return is_at_home ? ids : step_move_home(placer, ids, home, all);
}

/* The ids once more, each at most once: 21000 for a second one. They are at home, where the id
 * alone tells rows apart. */
static Step *each_once(Placer *placer, const LogicalDelete *deletion, Step *ids)
{
    const LogicalColumn *row_id = &deletion->child->columns[0];
    double rows = cost_rows_per_site(&placer->cost, &ids->distribution, ids->rows);
    Step *check = step_new(placer, STEP_AGGREGATE, NULL, 1, &ids, cost_aggregate(rows, rows, 1));
    check->aggregate.key_count = 1;
    check->aggregate.keys = ARENA_NEW(placer->arena, Expr *);
    *check->aggregate.keys = logical_column_expr(placer->arena, row_id);
    check->aggregate.aggregate_count = 1;
    check->aggregate.aggregates = ARENA_NEW(placer->arena, AggregateCall);
    *check->aggregate.aggregates = (AggregateCall){
        .id = AGGREGATE_SINGLE_MATCH, .argument = *check->aggregate.keys, .type = row_id->type};
    LogicalColumn *columns = ARENA_ARRAY(placer->arena, LogicalColumn, 2);
    columns[0] = columns[1] = *row_id;
    columns[1].number = planner_new_column(placer->context);
    step_set_columns(placer, check, 2, columns);
    return check;
}

static Step *delete_step(Placer *placer, const LogicalDelete *deletion, Step *ids)
{
    ids = deletion->is_each_once ? each_once(placer, deletion, ids) : ids;
    const LogicalColumn *row_id = &deletion->child->columns[0];
    Expr *expr = logical_column_expr(placer->arena, row_id);
    for (uint32_t i = 0; ids->kind == STEP_PROJECT && i < ids->column_count; i++) {
        expr = ids->columns[i].number == row_id->number ? ids->exprs[i] : expr;
    }
    Step *input = ids->kind == STEP_PROJECT ? ids->inputs[0] : ids;
    Step *project = step_new(placer, STEP_PROJECT, NULL, 1, &input, 0);
    project->exprs = ARENA_NEW(placer->arena, Expr *);
    *project->exprs = expr;
    step_set_columns(placer, project, 1, row_id);
    return write_step(placer, STEP_DELETE, &deletion->node, project, COST_DELETE_ROW);
}

/* The ways to delete the rows, each giving every node's count. */
static Status place_deletions(Placer *placer, const LogicalDelete *deletion, StepList *out)
{
    ColumnSet all = column_set_of_node(deletion->child, placer->arena);
    StepList inputs = {0};
    TRY(place_node(placer, deletion->child, &all, false, &inputs));
    for (uint32_t i = 0; i < inputs.count; i++) {
        Step *ids = ids_at_home(placer, deletion, inputs.steps[i], &all);
        if (ids != NULL) {
            step_list_add(out, delete_step(placer, deletion, ids));
        }
    }
    // What is random chooses other rows on every node.
    return out->count > 0 ? STATUS_OK
                          : status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                                         "rows of table \"%s\", which has DISTSTYLE ALL, cannot "
                                         "be chosen by a volatile condition",
                                         deletion->table->name);
}

Status place_delete(Placer *placer, LogicalDelete *deletion, StepList *out)
{
    StepList writes = {0};
    TRY(place_deletions(placer, deletion, &writes));
    step_list_add(out, count_step(placer, &deletion->node, (Step *)step_list_cheapest(&writes)));
    return STATUS_OK;
}

/* The step's count, or 0 instead of it. */
static Step *counted(Placer *placer, const Step *write, bool is_counted)
{
    if (is_counted) {
        return (Step *)write;
    }
    Step *zero = step_new(placer, STEP_PROJECT, NULL, 1, (Step *const *)&write, 0);
    zero->exprs = ARENA_NEW(placer->arena, Expr *);
    *zero->exprs = expr_int64(placer->arena, TYPE_BIGINT, 0);
    LogicalColumn *column = arena_memdup(placer->arena, write->columns, sizeof(*column));
    column->number = planner_new_column(placer->context);
    step_set_columns(placer, zero, 1, column);
    return zero;
}

/* Deletes and inserts on every node; one row, or two, with what counts of it. */
static Step *change_step(Placer *placer, const LogicalChange *change, const Step *deletion,
                         const Step *insertion)
{
    const CatalogTable *table = ((const LogicalDelete *)change->deletion)->table;
    Step *inputs[2] = {counted(placer, deletion, change->counts_deleted),
                       counted(placer, insertion, change->counts_inserted)};
    Step *both = step_new(placer, STEP_UNION_ALL, &change->node, 2, inputs, 0);
    both->rows = inputs[0]->rows + inputs[1]->rows;
    LogicalColumn *column = arena_memdup(placer->arena, change->node.columns, sizeof(*column));
    column->number = planner_new_column(placer->context);
    step_set_columns(placer, both, 1, column);
    both->distribution = placer_table_distribution(placer, table, 0);
    if (both->distribution.kind != DISTRIBUTION_REPLICATED || !change->counts_deleted ||
        !change->counts_inserted) {
        return both;
    }
    // One node's count is taken: it must be one row.
    Step *sum = step_new(placer, STEP_AGGREGATE, NULL, 1, &both, 0);
    sum->rows = placer->cost.node_count;
    sum->aggregate.aggregate_count = 1;
    sum->aggregate.aggregates = ARENA_NEW(placer->arena, AggregateCall);
    *sum->aggregate.aggregates =
        (AggregateCall){.id = AGGREGATE_SUM_COUNT,
                        .argument = logical_column_expr(placer->arena, column),
                        .type = column->type};
    LogicalColumn *total = arena_memdup(placer->arena, column, sizeof(*total));
    total->number = planner_new_column(placer->context);
    step_set_columns(placer, sum, 1, total);
    return sum;
}

Status place_change(Placer *placer, LogicalChange *change, StepList *out)
{
    StepList deletions = {0}, insertions = {0};
    TRY(place_deletions(placer, (const LogicalDelete *)change->deletion, &deletions));
    TRY(place_writes(placer, (const LogicalInsert *)change->insertion, &insertions));
    Step *both = change_step(placer, change, step_list_cheapest(&deletions),
                             step_list_cheapest(&insertions));
    step_list_add(out, count_step(placer, &change->node, both));
    return STATUS_OK;
}

Status place_copy(Placer *placer, LogicalCopy *copy, StepList *out)
{
    Step *step = step_new(placer, STEP_COPY, &copy->node, 0, NULL, 0);
    step_set_columns(placer, step, copy->node.column_count, copy->node.columns);
    step->distribution = placer_spread(placer, DISTRIBUTION_SCATTERED);
    step_list_add(out, step);
    return STATUS_OK;
}

/* Every node for itself; no row leaves its slice. */
Status place_vacuum(Placer *placer, LogicalVacuum *vacuum, StepList *out)
{
    Step *step = step_new(placer, STEP_VACUUM, &vacuum->node, 0, NULL, 0);
    LogicalColumn *column = arena_memdup(placer->arena, vacuum->node.columns, sizeof(*column));
    column->number = planner_new_column(placer->context);
    step->rows = placer->cost.node_count;
    step_set_columns(placer, step, 1, column);
    step->distribution = placer_table_distribution(placer, vacuum->table, 0);
    step_list_add(out, count_step(placer, &vacuum->node, step));
    return STATUS_OK;
}
