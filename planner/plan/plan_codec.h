/* plan_codec.h — plans as bytes. Decoding trusts nothing: depth, counts, kinds, column indexes and
 * types are checked (XX001), so that a decoded plan is as safe as one from the planner. */
#pragma once
#include "planner/plan/plan.h"

#define PLAN_DEPTH_MAX 500
#define PLAN_CODEC_VERSION 7
void plan_encode(const Plan *plan, ByteBuffer *target);
Status plan_decode(ByteReader *reader, Arena *arena, Plan **out) CHECKED;
void expr_encode(const Expr *expr, ByteBuffer *target);
Status expr_decode(ByteReader *reader, Arena *arena, Expr **out) CHECKED;
void value_encode(const Value *value, ByteBuffer *target);
Status value_decode(ByteReader *reader, Arena *arena, Value *out) CHECKED;
void type_encode(Type type, ByteBuffer *target);
Status type_decode(ByteReader *reader, Type *out) CHECKED;
