/* pipeline_build.h — the PlanNode tree of a fragment becomes pipelines that wait for each other. */
#pragma once
#include "compute/exec/query_run_internal.h"

/* Adds the pipelines that wait for runtime filters of all nodes; before any fragment. */
void pipeline_build_filters(QueryRun *run);
/* Adds the fragment's pipelines and operators to the run; nothing is opened yet. 0A000 for a node
 * that has no operator. */
Status pipeline_build_fragment(QueryRun *run, const PlanFragment *fragment) CHECKED;
