/* table_changes.c — tables of make-believe nodes after writes and deletions. */
#include "tests/support/planner/table_changes.h"

TableChange *table_changes_of(TableChanges *self, const PlanTable *table, const Rows *before)
{
    for (uint32_t i = 0; i < self->count; i++) {
        if (self->items[i].table->table_id == table->table_id) {
            return &self->items[i];
        }
    }
    ASSERT(self->count < sizeof(self->items) / sizeof(self->items[0]));
    ASSERT(self->node_count <= CHANGE_NODES_MAX);
    TableChange *change = &self->items[self->count++];
    *change = (TableChange){.table = table, .before = before, .node_count = self->node_count};
    for (uint32_t i = 0; i < self->node_count; i++) {
        change->inserted[i] = rows_create(self->arena, table->column_count);
        change->is_deleted[i] = ARENA_ARRAY(self->arena, bool, before->count + 1);
    }
    return change;
}

int64_t table_row_id(uint32_t row, uint32_t node)
{
    return (int64_t)row + node;
}

static int owner_of(const TableChange *self, uint32_t row)
{
    return row_node(self->table->style, self->table->distribution_column, self->before->items[row],
                    row, self->node_count);
}

bool table_change_delete(TableChange *self, int64_t row_id, uint32_t node, bool *is_new)
{
    int64_t row = row_id - node;
    if (row < 0 || row >= self->before->count) {
        return false;
    }
    int owner = owner_of(self, (uint32_t)row);
    if (owner >= 0 && (uint32_t)owner != node) {
        return false;
    }
    *is_new = !self->is_deleted[node][row];
    self->is_deleted[node][row] = true;
    self->deleted_rows += *is_new;
    return true;
}

static void add_all(Rows *target, const Rows *source)
{
    for (uint32_t i = 0; i < source->count; i++) {
        rows_add_copy(target, source->items[i]);
    }
}

Rows *table_change_result(const TableChange *self, uint32_t node, Arena *arena)
{
    bool is_all = self->table->style == DISTRIBUTION_STYLE_ALL;
    Rows *rows = rows_create(arena, self->table->column_count);
    for (uint32_t i = 0; i < self->before->count; i++) {
        int owner = owner_of(self, i);
        if (!self->is_deleted[owner < 0 ? node : (uint32_t)owner][i]) {
            rows_add_copy(rows, self->before->items[i]);
        }
    }
    for (uint32_t i = 0; i < self->node_count; i++) {
        if (!is_all || i == node) {
            add_all(rows, self->inserted[i]);
        }
    }
    return rows;
}
