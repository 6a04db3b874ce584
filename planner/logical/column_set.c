/* column_set.c — bit sets of column numbers, and what expressions and trees use. */
#include "planner/logical/column_set.h"

#include <string.h>

#include "planner/logical/logical_tree.h"

void column_set_add(ColumnSet *set, ColumnNumber column, Arena *arena)
{
    uint32_t word = column / 64;
    if (word >= set->word_count) {
        uint32_t word_count = (word + 4) & ~3u;
        uint64_t *words = ARENA_ARRAY(arena, uint64_t, word_count);
        if (set->word_count > 0) {
            memcpy(words, set->words, set->word_count * sizeof(*words));
        }
        set->words = words;
        set->word_count = word_count;
    }
    set->words[word] |= UINT64_C(1) << (column % 64);
}

void column_set_remove(ColumnSet *set, ColumnNumber column)
{
    if (column / 64 < set->word_count) {
        set->words[column / 64] &= ~(UINT64_C(1) << (column % 64));
    }
}

bool column_set_has(const ColumnSet *set, ColumnNumber column)
{
    return column / 64 < set->word_count && ((set->words[column / 64] >> (column % 64)) & 1) != 0;
}

void column_set_add_all(ColumnSet *set, const ColumnSet *other, Arena *arena)
{
    for (ColumnNumber column = 0; (column = column_set_next(other, column)) != 0;) {
        column_set_add(set, column, arena);
    }
}

void column_set_remove_all(ColumnSet *set, const ColumnSet *other)
{
    for (uint32_t i = 0; i < set->word_count && i < other->word_count; i++) {
        set->words[i] &= ~other->words[i];
    }
}

bool column_set_is_subset(const ColumnSet *set, const ColumnSet *of)
{
    for (uint32_t i = 0; i < set->word_count; i++) {
        uint64_t other = i < of->word_count ? of->words[i] : 0;
        if ((set->words[i] & ~other) != 0) {
            return false;
        }
    }
    return true;
}

bool column_set_intersects(const ColumnSet *set, const ColumnSet *other)
{
    for (uint32_t i = 0; i < set->word_count && i < other->word_count; i++) {
        if ((set->words[i] & other->words[i]) != 0) {
            return true;
        }
    }
    return false;
}

bool column_set_is_empty(const ColumnSet *set)
{
    return column_set_next(set, 0) == 0;
}

uint32_t column_set_count(const ColumnSet *set)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < set->word_count; i++) {
        count += (uint32_t)__builtin_popcountll(set->words[i]);
    }
    return count;
}

ColumnNumber column_set_next(const ColumnSet *set, ColumnNumber after)
{
    ColumnNumber first = after + 1;
    for (uint32_t word = first / 64; word < set->word_count; word++) {
        uint64_t bits = set->words[word];
        if (word == first / 64) {
            bits &= ~UINT64_C(0) << (first % 64);
        }
        if (bits != 0) {
            return word * 64 + (uint32_t)__builtin_ctzll(bits);
        }
    }
    return 0;
}

ColumnSet column_set_of_node(const LogicalNode *node, Arena *arena)
{
    ColumnSet set = {0};
    for (uint32_t i = 0; i < node->column_count; i++) {
        column_set_add(&set, node->columns[i].number, arena);
    }
    return set;
}

typedef struct Collector {
    ColumnSet *set;
    Arena *arena;
} Collector;

static bool collect_used(void *object, const Expr *expr)
{
    Collector *self = object;
    if (expr->kind == EXPR_COLUMN) {
        column_set_add(self->set, expr->column, self->arena);
    } else if (expr->kind == EXPR_SUBQUERY) {
        column_set_add_free(self->set, expr->subquery.plan, self->arena);
    }
    return true;
}

void column_set_add_expr(ColumnSet *set, const Expr *expr, Arena *arena)
{
    Collector self = {set, arena};
    expr_walk(expr, collect_used, &self);
}

bool column_set_covers_expr(const ColumnSet *set, const Expr *expr, Arena *arena)
{
    ColumnSet used = {0};
    column_set_add_expr(&used, expr, arena);
    return column_set_is_subset(&used, set);
}

static void collect_used_slot(void *object, Expr **slot)
{
    expr_walk(*slot, collect_used, object);
}

void column_set_add_used(ColumnSet *set, const LogicalNode *node, Arena *arena)
{
    Collector self = {set, arena};
    logical_each_expr((LogicalNode *)node, collect_used_slot, &self);
}

typedef struct TreeCollector {
    Collector used, given;
} TreeCollector;

static void collect_slot(void *object, Expr **slot)
{
    TreeCollector *self = object;
    if (*slot != NULL) {
        column_set_add_expr(self->used.set, *slot, self->used.arena);
    }
}

static void collect_tree(TreeCollector *self, const LogicalNode *node)
{
    for (uint32_t i = 0; i < node->column_count; i++) {
        column_set_add(self->given.set, node->columns[i].number, self->given.arena);
    }
    logical_each_expr((LogicalNode *)node, collect_slot, self);
    LogicalNode *child;
    for (uint32_t i = 0; (child = logical_get_child(node, i)) != NULL; i++) {
        collect_tree(self, child);
    }
}

void column_set_add_free(ColumnSet *set, const LogicalNode *root, Arena *arena)
{
    // Numbers are unique in the query: what the tree gives anywhere cannot be an outer column.
    ColumnSet used = {0}, given = {0};
    TreeCollector self = {.used = {&used, arena}, .given = {&given, arena}};
    collect_tree(&self, root);
    column_set_remove_all(&used, &given);
    column_set_add_all(set, &used, arena);
}

bool logical_is_correlated(const LogicalNode *root, Arena *arena)
{
    ColumnSet free = {0};
    column_set_add_free(&free, root, arena);
    return !column_set_is_empty(&free);
}
