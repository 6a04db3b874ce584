/*
 * for_each_lane_widening.h — includes TEMPLATE for every lane and target at least as wide, with
 * LEFT, OUT                the unsigned C types
 * LEFT_LANE, OUT_LANE      their places among the integer lanes
 * SCALE_NAME(stem)         stem_<left>_<out>
 */
#define WIDENING_JOIN_(stem, left, out) stem##_##left##_##out
#define WIDENING_JOIN(stem, left, out) WIDENING_JOIN_(stem, left, out)
#define SCALE_NAME(stem) WIDENING_JOIN(stem, LEFT_NAME, OUT_NAME)
#define LEFT_STEP TEMPLATE

#define OUT uint8_t
#define OUT_NAME u8
#define OUT_LANE 0
#include "compute/kernels/for_each_left_lane.h"
#undef OUT
#undef OUT_NAME
#undef OUT_LANE
#define OUT uint16_t
#define OUT_NAME u16
#define OUT_LANE 1
#include "compute/kernels/for_each_left_lane.h"
#undef OUT
#undef OUT_NAME
#undef OUT_LANE
#define OUT uint32_t
#define OUT_NAME u32
#define OUT_LANE 2
#include "compute/kernels/for_each_left_lane.h"
#undef OUT
#undef OUT_NAME
#undef OUT_LANE
#define OUT uint64_t
#define OUT_NAME i64
#define OUT_LANE 3
#include "compute/kernels/for_each_left_lane.h"
#undef OUT
#undef OUT_NAME
#undef OUT_LANE

#undef LEFT_STEP
#undef SCALE_NAME
#undef WIDENING_JOIN
#undef WIDENING_JOIN_
#undef TEMPLATE
