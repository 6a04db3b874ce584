/*
 * place_write.c — INSERT and COPY: rows go to the nodes that own them, are written there, and the
 * leader adds up how many there were.
 *
 *   KEY   hash of the distribution key -> write          EVEN  stay, or batches in turn -> write
 *   ALL   broadcast -> write on every node
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

static Step *write_step(Placer *placer, const LogicalInsert *insert, Step *input)
{
    double rows = cost_rows_per_site(&placer->cost, &input->distribution, input->rows);
    Step *write = step_new(placer, STEP_WRITE, &insert->node, 1, &input, rows * COST_WRITE_ROW);
    write->rows = placer->cost.node_count;
    LogicalColumn *column = ARENA_NEW(placer->arena, LogicalColumn);
    *column = (LogicalColumn){.number = planner_new_column(placer->context),
                              .name = "rows",
                              .type = type_of(TYPE_BIGINT)};
    step_set_columns(placer, write, 1, column);
    return write;
}

/* The nodes' counts as one: their sum, or any of them when every node wrote all rows. */
static Step *count_step(Placer *placer, const LogicalInsert *insert, Step *write)
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
    step_set_columns(placer, total, 1, insert->node.columns);
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

Status place_insert(Placer *placer, LogicalInsert *insert, StepList *out)
{
    ColumnSet all = column_set_of_node(insert->child, placer->arena);
    Distribution target = write_target(placer, insert->table, insert->child);
    StepList inputs = {0};
    TRY(place_node(placer, insert->child, &all, false, &inputs));
    for (uint32_t i = 0; i < inputs.count; i++) {
        Step *moved = step_move(placer, inputs.steps[i], &target, &all);
        moved = in_table_order(placer, moved, insert->child);
        step_list_add(out, count_step(placer, insert, write_step(placer, insert, moved)));
    }
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
