/*
 * expr_codec.c — types, values and expressions as bytes, little endian.
 *
 *   type   id u8, precision u8, scale u8, length u32
 *   value  type, is_null u8, then by lane: 8 bytes, 16 bytes, or a varint length and bytes
 *   expr   kind u8, type, position u32, args varint, args, then what the kind needs
 */
#include "planner/plan/plan_codec.h"

#include <string.h>

#define CORRUPT(...) status_error(SQLSTATE_DATA_CORRUPTED, __VA_ARGS__)

void type_encode(Type type, ByteBuffer *target)
{
    byte_buffer_add_u8(target, type.id);
    byte_buffer_add_u8(target, type.precision);
    byte_buffer_add_u8(target, type.scale);
    byte_buffer_add_u32(target, (uint32_t)type.length);
}

Status type_decode(ByteReader *reader, Type *out)
{
    Type type = {0};
    type.id = byte_reader_u8(reader);
    type.precision = byte_reader_u8(reader);
    type.scale = byte_reader_u8(reader);
    type.length = (int32_t)byte_reader_u32(reader);
    if (!byte_reader_is_ok(reader) || !type_is_valid(type)) {
        return CORRUPT("plan holds an invalid type");
    }
    *out = type;
    return STATUS_OK;
}

void value_encode(const Value *value, ByteBuffer *target)
{
    type_encode(value->type, target);
    byte_buffer_add_u8(target, value->is_null ? 1 : 0);
    if (value->is_null) {
        return;
    }
    switch (type_widest_lane(value->type)) {
    case LANE_TEXT:
        byte_buffer_add_blob(target, text_view_data(&value->text), value->text.length);
        break;
    case LANE_I128: {
        uint64_t words[2];
        static_assert(sizeof(Interval) == sizeof(words), "an interval is two words");
        if (value->type.id == TYPE_INTERVAL) {
            memcpy(words, &value->interval, sizeof(words));
        } else {
            words[0] = (uint64_t)value->i128;
            words[1] = (uint64_t)((UInt128)value->i128 >> 64);
        }
        byte_buffer_add_u64(target, words[0]);
        byte_buffer_add_u64(target, words[1]);
        break;
    }
    case LANE_F32:
    case LANE_F64: {
        uint64_t bits;
        memcpy(&bits, &value->f64, sizeof(bits));
        byte_buffer_add_u64(target, bits);
        break;
    }
    default:
        byte_buffer_add_u64(target, (uint64_t)value->i64);
        break;
    }
}

static Status scaled_integer_decode(ByteReader *reader, Value *value)
{
    value->i64 = (int64_t)byte_reader_u64(reader);
    if (value->i64 < type_int64_min(value->type) || value->i64 > type_int64_max(value->type)) {
        return CORRUPT("plan holds a value that its type cannot hold");
    }
    return STATUS_OK;
}

Status value_decode(ByteReader *reader, Arena *arena, Value *out)
{
    Value value = {0};
    TRY(type_decode(reader, &value.type));
    uint8_t is_null = byte_reader_u8(reader);
    value.is_null = is_null != 0;
    if (is_null > 1) {
        return CORRUPT("plan holds an invalid value");
    }
    if (!value.is_null) {
        switch (type_widest_lane(value.type)) {
        case LANE_TEXT: {
            size_t bytes = 0;
            const uint8_t *data = byte_reader_blob(reader, &bytes);
            if (data == NULL || bytes > VARCHAR_BYTES_MAX * 16u) {
                return CORRUPT("plan holds an invalid text");
            }
            const char *copy = arena_strndup(arena, (const char *)data, bytes);
            value.text = text_view_make(copy, bytes);
            break;
        }
        case LANE_I128: {
            uint64_t words[2] = {byte_reader_u64(reader), 0};
            words[1] = byte_reader_u64(reader);
            if (value.type.id == TYPE_INTERVAL) {
                memcpy(&value.interval, words, sizeof(words));
            } else {
                value.i128 = (Int128)(((UInt128)words[1] << 64) | words[0]);
            }
            break;
        }
        case LANE_F32:
        case LANE_F64: {
            uint64_t bits = byte_reader_u64(reader);
            memcpy(&value.f64, &bits, sizeof(bits));
            break;
        }
        default:
            TRY(scaled_integer_decode(reader, &value));
            break;
        }
    }
    if (!byte_reader_is_ok(reader)) {
        return CORRUPT("plan ends inside a value");
    }
    *out = value;
    return STATUS_OK;
}

void expr_encode(const Expr *expr, ByteBuffer *target)
{
    byte_buffer_add_u8(target, (uint8_t)expr->kind);
    type_encode(expr->type, target);
    byte_buffer_add_u32(target, (uint32_t)expr->position);
    byte_buffer_add_varint(target, expr->arg_count);
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        expr_encode(expr->args[i], target);
    }
    switch (expr->kind) {
    case EXPR_COLUMN:
        byte_buffer_add_varint(target, expr->column);
        break;
    case EXPR_CONSTANT:
        value_encode(&expr->constant, target);
        break;
    case EXPR_CALL:
        byte_buffer_add_varint(target, expr->function);
        break;
    case EXPR_CAST:
        byte_buffer_add_u8(target, expr->is_explicit ? 1 : 0);
        break;
    case EXPR_IN:
        byte_buffer_add_u8(
            target, (uint8_t)((expr->in.is_negated ? 1 : 0) | (expr->in.has_null_value ? 2 : 0)));
        byte_buffer_add_varint(target, expr->in.value_count);
        for (uint32_t i = 0; i < expr->in.value_count; i++) {
            value_encode(&expr->in.values[i], target);
        }
        break;
    default:
        break; // AND, OR, NOT, CASE, IS …: the args say all; others never reach a node
    }
}

static Status in_list_decode(ByteReader *reader, Arena *arena, Expr *expr)
{
    uint8_t flags = byte_reader_u8(reader);
    uint32_t count = byte_reader_count(reader, 8);
    if (!byte_reader_is_ok(reader) || flags > 3) {
        return CORRUPT("plan holds an invalid list of values");
    }
    Value *values = ARENA_ARRAY(arena, Value, count);
    for (uint32_t i = 0; i < count; i++) {
        TRY(value_decode(reader, arena, &values[i]));
    }
    expr->in.values = values;
    expr->in.value_count = count;
    expr->in.is_negated = (flags & 1) != 0;
    expr->in.has_null_value = (flags & 2) != 0;
    return STATUS_OK;
}

static Status payload_decode(ByteReader *reader, Arena *arena, Expr *expr)
{
    switch (expr->kind) {
    case EXPR_COLUMN:
        expr->column = (uint32_t)byte_reader_varint(reader);
        return STATUS_OK;
    case EXPR_CONSTANT:
        return value_decode(reader, arena, &expr->constant);
    case EXPR_CALL: {
        uint64_t number = byte_reader_varint(reader);
        if (number > FUNCTION_ID_MAX || !function_is_known((uint32_t)number)) {
            return CORRUPT("plan calls an unknown function");
        }
        expr->function = (FunctionId)number;
        return STATUS_OK;
    }
    case EXPR_CAST:
        expr->is_explicit = byte_reader_u8(reader) != 0;
        return STATUS_OK;
    case EXPR_IN:
        return in_list_decode(reader, arena, expr);
    default:
        return STATUS_OK;
    }
}

#define EXPR_BYTES_MIN 13 /* kind, type, position, args */

static Status expr_decode_at(ByteReader *reader, Arena *arena, uint32_t depth, Expr **out)
{
    if (depth > PLAN_DEPTH_MAX) {
        return CORRUPT("plan holds an expression deeper than %d", PLAN_DEPTH_MAX);
    }
    Expr *expr = ARENA_NEW(arena, Expr);
    uint8_t kind = byte_reader_u8(reader);
    if (kind > EXPR_IN) {
        return CORRUPT("plan holds an expression of unknown kind %u", kind);
    }
    expr->kind = (ExprKind)kind;
    TRY(type_decode(reader, &expr->type));
    expr->position = (int32_t)byte_reader_u32(reader);
    expr->arg_count = byte_reader_count(reader, EXPR_BYTES_MIN);
    if (!byte_reader_is_ok(reader)) {
        return CORRUPT("plan ends inside an expression");
    }
    if (expr->arg_count > 0) {
        expr->args = ARENA_ARRAY(arena, Expr *, expr->arg_count);
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        TRY(expr_decode_at(reader, arena, depth + 1, &expr->args[i]));
    }
    TRY(payload_decode(reader, arena, expr));
    if (!byte_reader_is_ok(reader)) {
        return CORRUPT("plan ends inside an expression");
    }
    *out = expr;
    return STATUS_OK;
}

Status expr_decode(ByteReader *reader, Arena *arena, Expr **out)
{
    return expr_decode_at(reader, arena, 0, out);
}
