/*
 * bind_delete.c — DELETE: the rows of the target for which the condition holds, with USING the rows
 * that meet it beside some rows of the other tables:
 *
 *   DELETE FROM t USING u WHERE t.a = u.a  ->  DELETE of t where EXISTS (u where t.a = u.a)
 */
#include "planner/binder/binder_internal.h"

Status bind_delete(Binder *binder, const AstStatement *ast, BoundStatement *bound)
{
    const AstDelete *statement = ast->delete_from;
    CteBinding *ctes = NULL;
    ChangeTarget target = {0};
    ChangeRows rows = {0};
    TRY(bind_with(binder, NULL, statement->with, &ctes));
    TRY(bind_change_target(binder, statement->table, statement->alias, "delete from", &target));
    TRY(bind_change_rows(binder, ctes, &target, &statement->using_tables, statement->where, &rows));
    LogicalNode *root =
        delete_make(binder, target.table, change_rows_once(binder, &target, &rows), target.ids);
    bound->kind = BOUND_DELETE;
    bound->target = target.table;
    bound->root = wrap_ctes(binder, ctes, NULL, root);
    return STATUS_OK;
}
