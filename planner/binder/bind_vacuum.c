/*
 * bind_vacuum.c — VACUUM: what is to be written anew, and when it is good enough.
 */
#include "planner/binder/binder_internal.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_PERCENT 95u

static const AstOption *find_option(const AstMaintenance *ast, const char *name)
{
    for (uint32_t i = 0; i < ast->options.count; i++) {
        if (strcmp(ast->options.items[i].name, name) == 0) {
            return &ast->options.items[i];
        }
    }
    return NULL;
}

// TO n PERCENT: 22023 beyond 0 .. 100.
static Status bind_threshold(const AstMaintenance *ast, uint32_t *percent)
{
    const AstOption *option = find_option(ast, "to");
    *percent = DEFAULT_PERCENT;
    if (option == NULL) {
        return STATUS_OK;
    }
    char *end = NULL;
    const long value = strtol(option->value, &end, 10);
    if (*end != 0 || value < 0 || value > 100) {
        return status_at(option->position, SQLSTATE_INVALID_PARAMETER_VALUE,
                         "threshold %s is not between 0 and 100 percent", option->value);
    }
    if (find_option(ast, "reindex") != NULL || find_option(ast, "recluster") != NULL) {
        return status_at(option->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "TO threshold PERCENT cannot be used with VACUUM %s",
                         find_option(ast, "reindex") != NULL ? "REINDEX" : "RECLUSTER");
    }
    *percent = (uint32_t)value;
    return STATUS_OK;
}

// REINDEX begins with a new look at the values of interleaved sort keys, which every rowset takes
// when it is written: what remains of it is FULL. RECLUSTER sorts what is out of order whatever its
// share.
static Status bind_mode(const AstMaintenance *ast, BoundVacuum *vacuum)
{
    const AstOption *recluster = find_option(ast, "recluster");
    vacuum->mode = recluster != NULL || find_option(ast, "sort") != NULL ? VACUUM_SORT_ONLY
                   : find_option(ast, "delete") != NULL                  ? VACUUM_DELETE_ONLY
                                                                         : VACUUM_FULL;
    if (recluster == NULL) {
        return STATUS_OK;
    }
    vacuum->percent = 100;
    if (vacuum->table == NULL) {
        return status_at(recluster->position, SQLSTATE_SYNTAX_ERROR,
                         "VACUUM RECLUSTER needs a table");
    }
    return vacuum->table->style != DISTRIBUTION_STYLE_ALL
               ? STATUS_OK
               : status_at(recluster->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                           "VACUUM RECLUSTER cannot be used with table \"%s\", which has "
                           "DISTSTYLE ALL",
                           vacuum->table->name);
}

Status bind_vacuum(Binder *binder, const AstStatement *statement, BoundStatement *bound)
{
    const AstMaintenance *ast = statement->maintenance;
    BoundVacuum *vacuum = ARENA_NEW(binder->arena, BoundVacuum);
    if (ast->table != NULL) {
        TRY(bind_writable_table(binder, ast->table, "vacuum", &vacuum->table));
    }
    TRY(bind_threshold(ast, &vacuum->percent));
    TRY(bind_mode(ast, vacuum));
    bound->kind = BOUND_VACUUM;
    bound->vacuum = vacuum;
    return STATUS_OK;
}
