/*
 * bind_delete.c — DELETE: the rows of the target for which the condition holds, with USING the rows
 * that meet it beside some rows of the other tables:
 *
 *   DELETE FROM t USING u WHERE t.a = u.a  ->  DELETE of t where EXISTS (u where t.a = u.a)
 */
#include "planner/binder/binder_internal.h"

/* The target's rows; `tables` are those of USING. */
static Status bind_rows(Binder *binder, CteBinding *ctes, const ChangeTarget *target,
                        const AstDelete *ast, LogicalNode **out)
{
    FromItem names = target->item, from = {0};
    Expr *condition = NULL;
    Scope scope;
    if (ast->using_tables.count > 0) {
        TRY(bind_from(binder, NULL, ctes, &ast->using_tables, &from));
        TRY(from_item_add_names(&names, binder, &from));
    }
    if (ast->where != NULL) {
        scope_init(&scope, NULL, ctes, &names);
        TRY(bind_condition(binder, &scope, ast->where, CLAUSE_WHERE, &condition));
    }
    if (from.node != NULL) {
        LogicalNode *partners = logical_filter(binder->arena, from.node, condition);
        condition = subquery_make(binder, SUBQUERY_EXISTS, partners, type_of(TYPE_BOOLEAN),
                                  ast->using_tables.items[0]->position);
    }
    *out = logical_filter(binder->arena, target->item.node, condition);
    return STATUS_OK;
}

Status bind_delete(Binder *binder, const AstStatement *ast, BoundStatement *bound)
{
    const AstDelete *statement = ast->delete_from;
    CteBinding *ctes = NULL;
    ChangeTarget target = {0};
    LogicalNode *rows = NULL;
    TRY(bind_with(binder, NULL, statement->with, &ctes));
    TRY(bind_change_target(binder, statement->table, statement->alias, "delete from", &target));
    TRY(bind_rows(binder, ctes, &target, statement, &rows));
    bound->kind = BOUND_DELETE;
    bound->target = target.table;
    bound->root = wrap_ctes(binder, ctes, NULL, delete_make(binder, &target, rows));
    return STATUS_OK;
}
