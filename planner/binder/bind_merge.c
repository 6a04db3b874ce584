/*
 * bind_merge.c — MERGE: source rows change the target's rows they match, the others are inserted.
 *
 *   MERGE INTO t USING s ON t.k = s.k WHEN MATCHED THEN UPDATE SET a = s.a
 *                                     WHEN NOT MATCHED THEN INSERT VALUES (s.k, s.a)
 *   ->  matches := s left join t on t.k = s.k
 *       DELETE of the row ids among them, each at most once
 *       INSERT of CASE WHEN there is a row id THEN new values ELSE inserted values END
 *
 *   MERGE INTO t USING s ON t.k = s.k REMOVE DUPLICATES
 *   ->  DELETE of t where EXISTS (s where t.k = s.k), INSERT of distinct s
 */
#include "planner/binder/binder_internal.h"

typedef struct Merge {
    Binder *binder;
    const AstMerge *ast;
    CteBinding *ctes;
    ChangeTarget target;
    FromItem source;
    Expr *condition;
    Expr **updated, **inserted; /* by column of the target; updated null: stays */
} Merge;

// ---- source and condition ----

static Status bind_source(Merge *merge)
{
    Binder *binder = merge->binder;
    AstTableList tables = {0};
    AST_LIST_ADD(binder->arena, &tables, merge->ast->source);
    TRY(bind_from(binder, NULL, merge->ctes, &tables, &merge->source));
    const LogicalGet *get = (const LogicalGet *)merge->source.node;
    if (get->node.kind == LOGICAL_GET && get->table->table_id == merge->target.table->table_id) {
        return status_at(merge->ast->source->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "the source of MERGE must not be its target");
    }
    return STATUS_OK;
}

static Status bind_match(Merge *merge)
{
    Scope scope;
    FromItem names = merge->target.item;
    TRY(from_item_add_names(&names, merge->binder, &merge->source));
    scope_init(&scope, NULL, merge->ctes, &names);
    TRY(bind_condition(merge->binder, &scope, merge->ast->condition, CLAUSE_ON, &merge->condition));
    if (merge->ast->removes_duplicates || merge->ast->is_deleting) {
        return STATUS_OK;
    }
    return bind_set(merge->binder, merge->target.table, &scope, &merge->ast->assignments,
                    &merge->updated);
}

// What is inserted has no row of the target beside it.
static Status bind_inserted(Merge *merge)
{
    Scope scope;
    scope_init(&scope, NULL, merge->ctes, &merge->source);
    scope.clause = CLAUSE_VALUES;
    return bind_new_row(merge->binder, merge->target.table, &scope, merge->ast->columns,
                        &merge->ast->values, &merge->inserted);
}

// ---- WHEN MATCHED, WHEN NOT MATCHED ----

/* Equal values of these types are the same value. */
static bool is_equal_same(Type type)
{
    return type_is_integer(type) || type.id == TYPE_DECIMAL || type.id == TYPE_DATE ||
           type.id == TYPE_TIMESTAMP;
}

/* Does every match have this source column's value in the target's column? */
static bool is_joined_by(const Merge *merge, const LogicalColumn *column, const Expr *value)
{
    PointerList conjuncts = {0};
    conjuncts_add(merge->binder->arena, &conjuncts, merge->condition);
    bool is_joined = false;
    for (uint32_t i = 0; i < conjuncts.count; i++) {
        const Expr *conjunct = conjuncts.items[i];
        for (int side = 0;
             conjunct->kind == EXPR_CALL && conjunct->function == FUNCTION_EQUAL && side < 2;
             side++) {
            const Expr *own = conjunct->args[side];
            is_joined |= own->kind == EXPR_COLUMN && own->column == column->number &&
                         expr_equal(conjunct->args[1 - side], value);
        }
    }
    return is_joined && value->kind == EXPR_COLUMN && type_equal(value->type, column->type) &&
           is_equal_same(column->type);
}

/* A column of the rows that come in: one expression where matched and other rows have the same, so
 * that rows stay distributed by it. */
static Expr *new_value(Merge *merge, const SharedRows *shared, const LogicalNode *rows,
                       Expr *is_matched, uint32_t index)
{
    Binder *binder = merge->binder;
    const LogicalColumn *column = &merge->target.item.node->columns[index];
    Expr *inserted = merge->inserted[index];
    Expr *updated = merge->updated[index] != NULL ? merge->updated[index]
                                                  : logical_column_expr(binder->arena, column);
    bool is_same = merge->updated[index] == NULL ? is_joined_by(merge, column, inserted)
                                                 : expr_equal(updated, inserted);
    const Value *constant;
    if (merge->updated[index] == NULL && expr_is_constant(inserted, &constant) &&
        constant->is_null) {
        return shared_rows_expr(binder, shared, rows, updated); // NULL where nothing matched
    }
    inserted = shared_rows_expr(binder, shared, rows, inserted);
    if (is_same) {
        return inserted;
    }
    Expr *parts[] = {is_matched, shared_rows_expr(binder, shared, rows, updated), inserted};
    return case_make(binder, 3, arena_memdup(binder->arena, parts, sizeof(parts)), column->type,
                     POSITION_NONE);
}

static Status make_insertion(Merge *merge, const SharedRows *shared, LogicalNode *rows,
                             Expr *is_matched, LogicalNode **out)
{
    Binder *binder = merge->binder;
    const CatalogTable *table = merge->target.table;
    int32_t identity = identity_column(table);
    if (merge->ast->is_deleting) {
        rows = logical_filter(binder->arena, rows, expr_not(binder->arena, is_matched));
    }
    if (identity >= 0 && merge->inserted[identity] == NULL) {
        TRY(identity_of_rows(binder, table, &rows, &merge->inserted[identity]));
    }
    Expr **exprs = ARENA_ARRAY(binder->arena, Expr *, table->column_count + 1);
    for (uint32_t i = 0; i < table->column_count; i++) {
        exprs[i] = merge->ast->is_deleting
                       ? shared_rows_expr(binder, shared, rows, merge->inserted[i])
                       : new_value(merge, shared, rows, is_matched, i);
    }
    *out = insert_make(binder, table, rows, exprs);
    return STATUS_OK;
}

static Status make_change(Merge *merge, LogicalNode **out)
{
    Binder *binder = merge->binder;
    Arena *arena = binder->arena;
    const CatalogTable *table = merge->target.table;
    LogicalNode *pairs = logical_join(arena, JOIN_LEFT, merge->source.node, merge->target.item.node,
                                      merge->condition, 0);
    SharedRows shared = shared_rows_make(binder, "matches", pairs);
    LogicalNode *old = shared_rows_reference(binder, &shared);
    LogicalNode *new = shared_rows_reference(binder, &shared);
    // the target's columns follow the source's, its row ids follow them
    uint32_t first_id = merge->source.node->column_count + table->column_count;
    const LogicalColumn *ids = &old->columns[first_id];
    Expr *has_id = expr_is_not_null(arena, logical_column_expr(arena, ids));
    Expr *is_matched = expr_is_not_null(arena, logical_column_expr(arena, &new->columns[first_id]));
    LogicalNode *deletion = delete_make(binder, table, logical_filter(arena, old, has_id), ids);
    ((LogicalDelete *)deletion)->is_each_once = true;
    LogicalNode *insertion = NULL;
    TRY(make_insertion(merge, &shared, new, is_matched, &insertion));
    LogicalChange change = {.deletion = deletion,
                            .insertion = insertion,
                            .counts_deleted = merge->ast->is_deleting,
                            .counts_inserted = true,
                            .name = "Merge"};
    *out = change_make(binder, &shared, &change);
    return STATUS_OK;
}

// ---- REMOVE DUPLICATES ----

/* The source's columns as those of the target, by position. */
static Status bind_replacement(Merge *merge, LogicalNode *rows, const SharedRows *shared,
                               Expr ***out)
{
    Binder *binder = merge->binder;
    const CatalogTable *table = merge->target.table;
    const ItemList *items = &merge->source.items;
    int32_t position = merge->ast->source->position;
    if (items->count != table->column_count) {
        return status_at(position, SQLSTATE_SYNTAX_ERROR,
                         "MERGE with REMOVE DUPLICATES needs as many source columns as target "
                         "columns: %u, not %u",
                         table->column_count, items->count);
    }
    Expr **exprs = ARENA_ARRAY(binder->arena, Expr *, items->count + 1);
    for (uint32_t i = 0; i < items->count; i++) {
        Expr *expr = shared_rows_expr(binder, shared, rows, items->items[i].expr);
        TRY(identity_check_assigned(&table->columns[i], position));
        TRY(bind_assignment(binder, &table->columns[i],
                            expr_at(expr_copy(binder->arena, expr), position), &exprs[i]));
    }
    *out = exprs;
    return STATUS_OK;
}

static Status make_replacement(Merge *merge, LogicalNode **out)
{
    Binder *binder = merge->binder;
    SharedRows shared = shared_rows_make(binder, "source", merge->source.node);
    LogicalNode *partners = shared_rows_reference(binder, &shared);
    LogicalNode *new = logical_distinct(binder->arena, shared_rows_reference(binder, &shared));
    Expr **exprs = NULL;
    TRY(bind_replacement(merge, new, &shared, &exprs));
    ChangeRows rows = {.others = {.node = partners},
                       .condition = shared_rows_expr(binder, &shared, partners, merge->condition)};
    LogicalNode *old = change_rows_once(binder, &merge->target, &rows);
    LogicalChange change = {.deletion =
                                delete_make(binder, merge->target.table, old, merge->target.ids),
                            .insertion = insert_make(binder, merge->target.table, new, exprs),
                            .counts_inserted = true,
                            .name = "Merge"};
    *out = change_make(binder, &shared, &change);
    return STATUS_OK;
}

// ---- the statement ----

Status bind_merge(Binder *binder, const AstStatement *ast, BoundStatement *bound)
{
    Merge merge = {.binder = binder, .ast = ast->merge};
    LogicalNode *root = NULL;
    TRY(bind_with(binder, NULL, merge.ast->with, &merge.ctes));
    TRY(bind_change_target(binder, merge.ast->table, merge.ast->alias, "merge into",
                           &merge.target));
    TRY(bind_source(&merge));
    TRY(bind_match(&merge));
    if (merge.ast->removes_duplicates) {
        TRY(make_replacement(&merge, &root));
    } else {
        TRY(bind_inserted(&merge));
        TRY(make_change(&merge, &root));
    }
    bound->kind = BOUND_MERGE;
    bound->target = merge.target.table;
    bound->root = wrap_ctes(binder, merge.ctes, NULL, root);
    return STATUS_OK;
}
