/* explain_detail.c — conditions, keys and labels as EXPLAIN words them. */
#include "planner/distributor/explain_detail.h"

#include <string.h>

#include "base/hash.h"
#include "planner/logical/logical_tree.h"

static void grow(ColumnNames *self, ColumnNumber number)
{
    if (number < self->count) {
        return;
    }
    uint32_t count = number * 2 + 64;
    const char **names = ARENA_ARRAY(self->arena, const char *, count);
    if (self->count > 0) {
        memcpy(names, self->names, self->count * sizeof(*names));
    }
    self->names = names;
    self->count = count;
}

void column_names_add(ColumnNames *names, const LogicalColumn *columns, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        grow(names, columns[i].number);
        if (names->names[columns[i].number] == NULL) {
            names->names[columns[i].number] =
                columns[i].name == NULL ? "?column?" : columns[i].name;
        }
    }
}

const char *column_names_get(const ColumnNames *names, ColumnNumber number)
{
    const char *name = number < names->count ? names->names[number] : NULL;
    return name == NULL ? "?column?" : name;
}

static void collect_gets(Arena *arena, const LogicalNode *node, PointerList *gets)
{
    if (node->kind == LOGICAL_GET) {
        pointer_list_add(arena, gets, (void *)node);
    }
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        collect_gets(arena, child, gets);
    }
}

/* Names of all columns read, with the table that has them: open addressing, by the name's hash. */
typedef struct NameTable {
    const LogicalGet **owners; /* null: free */
    const char **names;
    bool *is_shared;
    size_t mask;
} NameTable;

static size_t name_slot(const NameTable *table, const char *name)
{
    size_t slot = (size_t)hash_bytes(name, strlen(name), 0) & table->mask;
    while (table->owners[slot] != NULL && strcmp(table->names[slot], name) != 0) {
        slot = (slot + 1) & table->mask;
    }
    return slot;
}

static NameTable name_table(Arena *arena, const PointerList *gets)
{
    size_t count = 1;
    for (uint32_t i = 0; i < gets->count; i++) {
        count += ((const LogicalGet *)gets->items[i])->node.column_count;
    }
    size_t capacity = 16;
    while (capacity < count * 2) {
        capacity *= 2;
    }
    NameTable table = {.owners = ARENA_ARRAY(arena, const LogicalGet *, capacity),
                       .names = ARENA_ARRAY(arena, const char *, capacity),
                       .is_shared = ARENA_ARRAY(arena, bool, capacity),
                       .mask = capacity - 1};
    for (uint32_t i = 0; i < gets->count; i++) {
        const LogicalGet *get = gets->items[i];
        for (uint32_t k = 0; k < get->node.column_count; k++) {
            size_t slot = name_slot(&table, get->node.columns[k].name);
            table.is_shared[slot] |= table.owners[slot] != NULL && table.owners[slot] != get;
            table.owners[slot] = get;
            table.names[slot] = get->node.columns[k].name;
        }
    }
    return table;
}

static void add_tree(ColumnNames *self, const LogicalNode *node)
{
    column_names_add(self, node->columns, node->column_count);
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        add_tree(self, child);
    }
}

ColumnNames *column_names_create(Arena *arena, const LogicalNode *root)
{
    ColumnNames *self = ARENA_NEW(arena, ColumnNames);
    self->arena = arena;
    PointerList gets = {0};
    collect_gets(arena, root, &gets);
    NameTable table = name_table(arena, &gets);
    for (uint32_t i = 0; i < gets.count; i++) {
        const LogicalGet *get = gets.items[i];
        const char *alias = get->alias == NULL ? get->table->name : get->alias;
        for (uint32_t k = 0; k < get->node.column_count; k++) {
            LogicalColumn column = get->node.columns[k];
            if (table.is_shared[name_slot(&table, column.name)]) {
                column.name = arena_printf(arena, "%s.%s", alias, column.name);
            }
            column_names_add(self, &column, 1);
        }
    }
    add_tree(self, root);
    return self;
}

static const char *name_of(void *object, uint32_t number)
{
    return column_names_get(object, number);
}

const char *explain_expr(const ColumnNames *names, const Expr *expr)
{
    return expr_print(names->arena, expr, name_of, (void *)names);
}

const char *explain_filters(const ColumnNames *names, Expr *const *filters, uint32_t count)
{
    if (count == 0) {
        return "";
    }
    const Expr *all = expr_and(names->arena, count, (Expr **)filters);
    return arena_printf(names->arena, "Filter: %s", explain_expr(names, all));
}

const char *explain_join(const ColumnNames *names, const StepJoin *join)
{
    Arena *arena = names->arena;
    const char *condition = "";
    for (uint32_t i = 0; i < join->key_count; i++) {
        const Expr *probe = join->builds_left ? join->right_keys[i] : join->left_keys[i];
        const Expr *build = join->builds_left ? join->left_keys[i] : join->right_keys[i];
        condition = arena_printf(
            arena, "%s%s(%s %s %s)", condition, i == 0 ? "" : " AND ", explain_expr(names, probe),
            join->is_null_equal[i] ? "IS NOT DISTINCT FROM" : "=", explain_expr(names, build));
    }
    if (join->key_count > 0) {
        condition = arena_printf(arena, join->key_count == 1 ? "Hash Cond: %s" : "Hash Cond: (%s)",
                                 condition);
    }
    if (join->residual != NULL) {
        condition =
            arena_printf(arena, "%s%sJoin Filter: %s", condition, join->key_count > 0 ? "\n" : "",
                         explain_expr(names, join->residual));
    }
    return condition;
}

const char *explain_join_label(const Step *step)
{
    const StepJoin *join = step->join;
    JoinMove build = join->builds_left ? join->left_move : join->right_move;
    JoinMove probe = join->builds_left ? join->right_move : join->left_move;
    if (build == JOIN_MOVE_NONE && probe == JOIN_MOVE_NONE) {
        bool is_replicated = false;
        for (uint32_t i = 0; i < 2; i++) {
            is_replicated |= step->inputs[i]->distribution.kind == DISTRIBUTION_REPLICATED;
        }
        return is_replicated ? "DS_DIST_ALL_NONE" : "DS_DIST_NONE";
    }
    if (build == JOIN_MOVE_BROADCAST) {
        return "DS_BCAST_INNER";
    }
    if (probe == JOIN_MOVE_BROADCAST) {
        return "DS_BCAST_OUTER";
    }
    if (probe == JOIN_MOVE_NONE) {
        return build == JOIN_MOVE_HASH ? "DS_DIST_INNER" : "DS_DIST_ALL_INNER";
    }
    return build == JOIN_MOVE_NONE ? "DS_DIST_OUTER" : "DS_DIST_BOTH";
}

const char *explain_aggregate(const ColumnNames *names, const Step *aggregate)
{
    const char *text = "";
    for (uint32_t i = 0; i < aggregate->aggregate.key_count; i++) {
        text = arena_printf(names->arena, "%s%s%s", text, i == 0 ? "Group Key: " : ", ",
                            explain_expr(names, aggregate->aggregate.keys[i]));
    }
    return text;
}

const char *explain_sort_keys(const ColumnNames *names, const char *title, uint32_t count,
                              const StepSortKey *keys)
{
    const char *text = title;
    for (uint32_t i = 0; i < count; i++) {
        // Ascending order has NULLs last by default, descending first: only the other is worded.
        bool is_usual = keys[i].is_nulls_first == keys[i].is_descending;
        text = arena_printf(names->arena, "%s%s%s%s%s", text, i == 0 ? ": " : ", ",
                            column_names_get(names, keys[i].column),
                            keys[i].is_descending ? " DESC" : "",
                            is_usual                 ? ""
                            : keys[i].is_nulls_first ? " NULLS FIRST"
                                                     : " NULLS LAST");
    }
    return text;
}

const char *explain_window(const ColumnNames *names, const Step *window)
{
    const char *text = "";
    for (uint32_t i = 0; i < window->window.partition_count; i++) {
        text = arena_printf(names->arena, "%s%s%s", text, i == 0 ? "Partition: " : ", ",
                            column_names_get(names, window->window.partition[i]));
    }
    if (window->window.order_count > 0) {
        const char *order =
            explain_sort_keys(names, "Order", window->window.order_count, window->window.order);
        text = arena_printf(names->arena, "%s%s%s", text, text[0] == '\0' ? "" : "\n", order);
    }
    return text;
}
