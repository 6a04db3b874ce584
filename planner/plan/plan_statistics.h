/* plan_statistics.h — what nodes measured per plan node, as bytes for the way to the leader. */
#pragma once
#include "planner/plan/plan_print.h"

void plan_statistics_encode(const PlanNodeStatistics *statistics, uint32_t count,
                            ByteBuffer *target);
/* XX001 on malformed bytes. */
Status plan_statistics_decode(const uint8_t *data, size_t bytes, Arena *arena,
                              PlanNodeStatistics **out, uint32_t *count) CHECKED;
