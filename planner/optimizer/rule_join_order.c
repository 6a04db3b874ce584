#include "planner/optimizer/rules.h"
Status rule_join_order(PlannerContext *context, LogicalNode **root)
{
    (void)context;
    (void)root;
    return STATUS_OK;
}
