/*
 * for_each_lane_pair.h — includes TEMPLATE for every pair of integer lanes, with
 * IN, OUT             unsigned C types of the lanes
 * NAME(stem)          stem_<in>_<out>
 *
 * lane_pairs.def lists the same pairs for tables.
 */
#define IN uint8_t
#define OUT uint8_t
#define NAME(stem) stem##_u8_u8
#include TEMPLATE
#undef IN
#undef OUT
#undef NAME
#define IN uint8_t
#define OUT uint16_t
#define NAME(stem) stem##_u8_u16
#include TEMPLATE
#undef IN
#undef OUT
#undef NAME
#define IN uint8_t
#define OUT uint32_t
#define NAME(stem) stem##_u8_u32
#include TEMPLATE
#undef IN
#undef OUT
#undef NAME
#define IN uint8_t
#define OUT uint64_t
#define NAME(stem) stem##_u8_i64
#include TEMPLATE
#undef IN
#undef OUT
#undef NAME
#define IN uint16_t
#define OUT uint8_t
#define NAME(stem) stem##_u16_u8
#include TEMPLATE
#undef IN
#undef OUT
#undef NAME
#define IN uint16_t
#define OUT uint16_t
#define NAME(stem) stem##_u16_u16
#include TEMPLATE
#undef IN
#undef OUT
#undef NAME
#define IN uint16_t
#define OUT uint32_t
#define NAME(stem) stem##_u16_u32
#include TEMPLATE
#undef IN
#undef OUT
#undef NAME
#define IN uint16_t
#define OUT uint64_t
#define NAME(stem) stem##_u16_i64
#include TEMPLATE
#undef IN
#undef OUT
#undef NAME
#define IN uint32_t
#define OUT uint8_t
#define NAME(stem) stem##_u32_u8
#include TEMPLATE
#undef IN
#undef OUT
#undef NAME
#define IN uint32_t
#define OUT uint16_t
#define NAME(stem) stem##_u32_u16
#include TEMPLATE
#undef IN
#undef OUT
#undef NAME
#define IN uint32_t
#define OUT uint32_t
#define NAME(stem) stem##_u32_u32
#include TEMPLATE
#undef IN
#undef OUT
#undef NAME
#define IN uint32_t
#define OUT uint64_t
#define NAME(stem) stem##_u32_i64
#include TEMPLATE
#undef IN
#undef OUT
#undef NAME
#define IN uint64_t
#define OUT uint8_t
#define NAME(stem) stem##_i64_u8
#include TEMPLATE
#undef IN
#undef OUT
#undef NAME
#define IN uint64_t
#define OUT uint16_t
#define NAME(stem) stem##_i64_u16
#include TEMPLATE
#undef IN
#undef OUT
#undef NAME
#define IN uint64_t
#define OUT uint32_t
#define NAME(stem) stem##_i64_u32
#include TEMPLATE
#undef IN
#undef OUT
#undef NAME
#define IN uint64_t
#define OUT uint64_t
#define NAME(stem) stem##_i64_i64
#include TEMPLATE
#undef IN
#undef OUT
#undef NAME
#undef TEMPLATE
