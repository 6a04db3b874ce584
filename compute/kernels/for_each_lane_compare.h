/*
 * for_each_lane_compare.h — includes TEMPLATE for every pair of integer lanes, with
 * LEFT, RIGHT              the unsigned C types
 * LEFT_LANE, RIGHT_LANE    their places among the integer lanes
 * COMPARE_NAME(stem)       stem_<left>_<right>
 */
#define COMPARE_JOIN_(stem, left, right) stem##_##left##_##right
#define COMPARE_JOIN(stem, left, right) COMPARE_JOIN_(stem, left, right)
#define COMPARE_NAME(stem) COMPARE_JOIN(stem, LEFT_NAME, RIGHT_NAME)
#define LEFT_STEP "compute/kernels/for_each_right_lane.h"
#define OUT_LANE 3 /* no bound from a target */
#include "compute/kernels/for_each_left_lane.h"
#undef OUT_LANE
#undef LEFT_STEP
#undef COMPARE_NAME
#undef COMPARE_JOIN
#undef COMPARE_JOIN_
#undef TEMPLATE
