/* build_plan_node.h — one step, its inputs built already, as a plan node. Inside the room only. */
#pragma once
#include "planner/distributor/explain_detail.h"

typedef struct PlanBuilder {
    Placer *placer;
    Arena *arena;
    ColumnNames *names;
    PointerList fragments; /* PlanFragment */
    PointerList exchanges; /* PlanExchange */
    PointerList tables;    /* BuiltTable: one PlanTable per catalog table */
    PlanSite site;         /* of the fragment being built */
} PlanBuilder;

/* A node of `bytes` with the common head filled in from the step. */
void *plan_builder_node(PlanBuilder *builder, PlanNodeKind kind, size_t bytes, const Step *step);
/* Any step but an exchange. */
PlanNode *build_plan_node(PlanBuilder *builder, const Step *step, PlanNode *const *children);
/* Index of a column among a step's outputs; it must be there. */
uint32_t step_column_index(const Step *step, ColumnNumber number);
PlanSortKey *build_sort_keys(PlanBuilder *builder, const Step *input, uint32_t count,
                             const StepSortKey *keys);
uint32_t plan_builder_add_exchange(PlanBuilder *builder, ExchangeKind kind, PlanSite source,
                                   PlanSite target, uint32_t column_count, Type *types);
