/* optimize.c — the ordered list of rules. */
#include "planner/optimizer/optimize.h"

#include "planner/optimizer/rules.h"

typedef struct Rule {
    const char *name;
    Status (*apply)(PlannerContext *context, LogicalNode **root);
} Rule;

static const Rule rules[] = {
    {"fix_order", rule_fix_order},
    {"cte_inline", rule_cte_inline},
    {"constant_fold", rule_constant_fold},
    {"subquery_to_join", rule_subquery_to_join},
    {"set_operation", rule_set_operation},
    {"filter_pushdown", rule_filter_pushdown},
    {"row_number", rule_row_number},
    {"aggregate_split", rule_aggregate_split},
    {"sort_simplify", rule_sort_simplify},
    {"column_prune", rule_column_prune},
    {"rename", rule_rename},
    {"join_order", rule_join_order},
    {"key_columns", rule_key_columns},
    {"column_prune", rule_column_prune},
};

Status optimize_traced(PlannerContext *context, LogicalNode **root, OptimizeTrace trace,
                       void *object)
{
#ifndef NDEBUG
    TRY(logical_verify(*root, "bind"));
#endif
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        TRY(rules[i].apply(context, root));
        if (trace != NULL) {
            trace(object, rules[i].name, *root);
        }
#ifndef NDEBUG
        TRY(logical_verify(*root, rules[i].name));
#endif
    }
    return STATUS_OK;
}

Status optimize(PlannerContext *context, LogicalNode **root)
{
    return optimize_traced(context, root, NULL, NULL);
}
