/* for_each_right_lane.h — a step of for_each_lane_operands.h: right lanes, up to the target's. */
#define RIGHT uint8_t
#define RIGHT_NAME u8
#define RIGHT_LANE 0
#include TEMPLATE
#undef RIGHT
#undef RIGHT_NAME
#undef RIGHT_LANE
#if OUT_LANE >= 1
#define RIGHT uint16_t
#define RIGHT_NAME u16
#define RIGHT_LANE 1
#include TEMPLATE
#undef RIGHT
#undef RIGHT_NAME
#undef RIGHT_LANE
#endif
#if OUT_LANE >= 2
#define RIGHT uint32_t
#define RIGHT_NAME u32
#define RIGHT_LANE 2
#include TEMPLATE
#undef RIGHT
#undef RIGHT_NAME
#undef RIGHT_LANE
#endif
#if OUT_LANE >= 3
#define RIGHT uint64_t
#define RIGHT_NAME i64
#define RIGHT_LANE 3
#include TEMPLATE
#undef RIGHT
#undef RIGHT_NAME
#undef RIGHT_LANE
#endif
