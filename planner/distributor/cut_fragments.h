/*
 * cut_fragments.h — the chosen steps become a Plan: fragments cut at exchanges and stores, columns
 * by index instead of by number.
 */
#pragma once
#include "planner/distributor/explain_detail.h"

/* `root` is at the leader and gives just the result's columns in their order. */
Status cut_fragments(Placer *placer, const Step *root, ColumnNames *names,
                     const PlanResultColumn *results, uint32_t result_count, Plan **out) CHECKED;
