#include "planner/optimizer/rules.h"
Status rule_subquery_to_join(PlannerContext *context, LogicalNode **root)
{
    (void)context;
    (void)root;
    return STATUS_OK;
}
