/*
 * bind_update.c — UPDATE: the rows that change are deleted and come back with their new values.
 *
 *   UPDATE t SET a = b + 1 WHERE c = 2
 *   ->  changed rows := t where c = 2
 *       DELETE of their row ids, INSERT of (b + 1, b, c) over them
 *
 * With FROM a row of the target may meet several rows of the other tables. It matters which one
 * only if the new values use them; then it is the first in the order of the columns that are used,
 * so that every run and every node takes the same.
 */
#include "planner/binder/binder_internal.h"
#include "planner/logical/column_set.h"

typedef struct Update {
    Binder *binder;
    ChangeTarget target;
    ChangeRows rows;
    Expr **values; /* per column of the target; null: stays */
} Update;

// ---- one match per row ----

// The columns of the other tables that the new values use.
static ColumnSet used_of_others(const Update *update)
{
    Arena *arena = update->binder->arena;
    ColumnSet used = {0}, both = {0};
    const LogicalNode *others = update->rows.others.node;
    for (uint32_t i = 0; i < update->target.table->column_count; i++) {
        if (update->values[i] != NULL) {
            column_set_add_expr(&used, update->values[i], arena);
        }
    }
    for (uint32_t i = 0; others != NULL && i < others->column_count; i++) {
        if (column_set_has(&used, others->columns[i].number)) {
            column_set_add(&both, others->columns[i].number, arena);
        }
    }
    return both;
}

// Texts that differ in trailing blanks only are equal: their lengths tell them apart.
static void add_order(Binder *binder, WindowCall *call, const LogicalColumn *column)
{
    Expr *expr = logical_column_expr(binder->arena, column);
    call->order[call->order_count++] = (LogicalSortKey){.expr = expr};
    if (type_is_text(column->type)) {
        expr = expr_call(binder->arena, FUNCTION_OCTET_LENGTH, type_of(TYPE_INTEGER), 1,
                         arena_memdup(binder->arena, &expr, sizeof(Expr *)));
        call->order[call->order_count++] = (LogicalSortKey){.expr = expr};
    }
}

// row_number() over (partition by the target's row order by what is used of the others) = 1
static LogicalNode *first_match(const Update *update, LogicalNode *matches, const ColumnSet *used)
{
    Binder *binder = update->binder;
    const LogicalNode *others = update->rows.others.node;
    LogicalColumn *number = ARENA_NEW(binder->arena, LogicalColumn);
    *number = (LogicalColumn){.number = planner_new_column(binder->context),
                              .name = "match",
                              .type = type_of(TYPE_BIGINT)};
    WindowCall *call = ARENA_NEW(binder->arena, WindowCall);
    *call = (WindowCall){.id = WINDOW_ROW_NUMBER,
                         .type = number->type,
                         .start = FRAME_UNBOUNDED_PRECEDING,
                         .end = FRAME_CURRENT_ROW,
                         .partition_count = 2};
    call->partition = ARENA_ARRAY(binder->arena, Expr *, 2);
    call->order = ARENA_ARRAY(binder->arena, LogicalSortKey, 2 * others->column_count);
    for (uint32_t i = 0; i < 2; i++) {
        call->partition[i] = logical_column_expr(binder->arena, &update->target.ids[i]);
    }
    for (uint32_t i = 0; i < others->column_count; i++) {
        if (column_set_has(used, others->columns[i].number)) {
            add_order(binder, call, &others->columns[i]);
        }
    }
    LogicalNode *window = logical_window(binder->arena, matches, 1, call, number);
    Expr *is_first = expr_call2(binder->arena, FUNCTION_EQUAL, type_of(TYPE_BOOLEAN),
                                logical_column_expr(binder->arena, number),
                                expr_int64(binder->arena, TYPE_BIGINT, 1));
    return logical_filter(binder->arena, window, is_first);
}

static LogicalNode *changed_rows(const Update *update)
{
    ColumnSet used = used_of_others(update);
    if (column_set_is_empty(&used)) {
        return change_rows_once(update->binder, &update->target, &update->rows);
    }
    Arena *arena = update->binder->arena;
    LogicalNode *pairs = logical_join(arena, JOIN_INNER, update->target.item.node,
                                      update->rows.others.node, NULL, 0);
    return first_match(update, logical_filter(arena, pairs, update->rows.condition), &used);
}

// ---- the statement ----

static LogicalNode *make_change(const Update *update)
{
    Binder *binder = update->binder;
    const CatalogTable *table = update->target.table;
    SharedRows shared = shared_rows_make(binder, "changed rows", changed_rows(update));
    LogicalNode *old = shared_rows_reference(binder, &shared);
    LogicalNode *new = shared_rows_reference(binder, &shared);
    Expr **exprs = ARENA_ARRAY(binder->arena, Expr *, table->column_count + 1);
    for (uint32_t i = 0; i < table->column_count; i++) {
        const LogicalColumn *own = &update->target.item.node->columns[i];
        Expr *value =
            update->values[i] == NULL ? logical_column_expr(binder->arena, own) : update->values[i];
        exprs[i] = shared_rows_expr(binder, &shared, new, value);
    }
    // the target is the first input of what is shared: its row ids follow its columns
    const LogicalColumn *ids = &old->columns[table->column_count];
    LogicalChange change = {.deletion = delete_make(binder, table, old, ids),
                            .insertion = insert_make(binder, table, new, exprs),
                            .counts_deleted = true,
                            .name = "Update"};
    return change_make(binder, &shared, &change);
}

Status bind_update(Binder *binder, const AstStatement *ast, BoundStatement *bound)
{
    const AstUpdate *statement = ast->update;
    CteBinding *ctes = NULL;
    Update update = {.binder = binder};
    TRY(bind_with(binder, NULL, statement->with, &ctes));
    TRY(bind_change_target(binder, statement->table, statement->alias, "update", &update.target));
    TRY(bind_change_rows(binder, ctes, &update.target, &statement->from, statement->where,
                         &update.rows));
    TRY(bind_set(binder, update.target.table, &update.rows.scope, &statement->assignments,
                 &update.values));
    bound->kind = BOUND_UPDATE;
    bound->target = update.target.table;
    bound->root = wrap_ctes(binder, ctes, NULL, make_change(&update));
    return STATUS_OK;
}
