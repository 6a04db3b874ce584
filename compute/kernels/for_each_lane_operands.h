/*
 * for_each_lane_operands.h — includes TEMPLATE for every left, right and target lane where the
 * target is at least as wide as both, with
 * LEFT, RIGHT, OUT               the unsigned C types
 * LEFT_LANE, RIGHT_LANE, OUT_LANE their places among the integer lanes
 * PAIR_NAME(stem)                stem_<left>_<right>_<out>
 *
 * The three steps below it fix the target, then the left side, then the right one.
 */
#define OPERANDS_JOIN_(stem, left, right, out) stem##_##left##_##right##_##out
#define OPERANDS_JOIN(stem, left, right, out) OPERANDS_JOIN_(stem, left, right, out)
#define PAIR_NAME(stem) OPERANDS_JOIN(stem, LEFT_NAME, RIGHT_NAME, OUT_NAME)
#define LEFT_STEP "compute/kernels/for_each_right_lane.h"

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
#undef PAIR_NAME
#undef OPERANDS_JOIN
#undef OPERANDS_JOIN_
#undef TEMPLATE
