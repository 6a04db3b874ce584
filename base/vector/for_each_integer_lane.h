/*
 * for_each_integer_lane.h — includes TEMPLATE for the lanes U8, U16, U32 and I64, with
 * T                   the lane's C type (int64_t for I64)
 * U                   the unsigned type of that width
 * NAME(stem)          stem_<lane>
 *
 * With CODE_LANES_ONLY defined, I64 is left out: codes of dictionaries have no such lane.
 */
#define T uint8_t
#define U uint8_t
#define NAME(stem) stem##_u8
#include TEMPLATE
#undef T
#undef U
#undef NAME
#define T uint16_t
#define U uint16_t
#define NAME(stem) stem##_u16
#include TEMPLATE
#undef T
#undef U
#undef NAME
#define T uint32_t
#define U uint32_t
#define NAME(stem) stem##_u32
#include TEMPLATE
#undef T
#undef U
#undef NAME
#ifndef CODE_LANES_ONLY
#define T int64_t
#define U uint64_t
#define NAME(stem) stem##_i64
#include TEMPLATE
#undef T
#undef U
#undef NAME
#endif
#undef TEMPLATE
