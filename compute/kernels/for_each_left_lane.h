/* for_each_left_lane.h — a step of for_each_lane_operands.h: left lanes, up to the target's. */
#define LEFT uint8_t
#define LEFT_NAME u8
#define LEFT_LANE 0
#include LEFT_STEP
#undef LEFT
#undef LEFT_NAME
#undef LEFT_LANE
#if OUT_LANE >= 1
#define LEFT uint16_t
#define LEFT_NAME u16
#define LEFT_LANE 1
#include LEFT_STEP
#undef LEFT
#undef LEFT_NAME
#undef LEFT_LANE
#endif
#if OUT_LANE >= 2
#define LEFT uint32_t
#define LEFT_NAME u32
#define LEFT_LANE 2
#include LEFT_STEP
#undef LEFT
#undef LEFT_NAME
#undef LEFT_LANE
#endif
#if OUT_LANE >= 3
#define LEFT uint64_t
#define LEFT_NAME i64
#define LEFT_LANE 3
#include LEFT_STEP
#undef LEFT
#undef LEFT_NAME
#undef LEFT_LANE
#endif
