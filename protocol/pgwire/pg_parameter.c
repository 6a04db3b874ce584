/* pg_parameter.c — the parameters of Bind as values; see pg_parameter.h. */
#include "protocol/pgwire/pg_parameter.h"

#include <string.h>

#include "base/byte_reader.h"
#include "base/types/datetime.h"
#include "base/types/text_format.h"
#include "protocol/pgwire/numeric_wire.h"

enum { OID_TEXT = 25, OID_NAME = 19, OID_OID = 26, OID_NUMERIC = 1700 };

static Status read_value(const PgParameter *parameter, Type target, Arena *arena, Value *out);
static Status read_binary(const PgParameter *parameter, Type target, Arena *arena, Value *out);
static Status read_fixed(Type type, const uint8_t *data, size_t bytes, Value *out);
static Status read_text(const uint8_t *data, size_t bytes, Arena *arena, Value *out);

bool pg_parameter_type(uint32_t oid, Type *out)
{
    static const struct {
        uint32_t oid;
        TypeId id;
    } known[] = {
#define SQL_TYPE(type_id, number, name, type_oid, wire_bytes) {type_oid, TYPE_##type_id},
#include "base/types/types.def"
#undef SQL_TYPE
        {OID_TEXT, TYPE_VARCHAR},
        {OID_NAME, TYPE_VARCHAR},
        {OID_OID, TYPE_BIGINT},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].oid != oid) {
            continue;
        }
        switch (known[i].id) {
        case TYPE_DECIMAL:
            *out = type_of(TYPE_UNKNOWN);
            break;
        case TYPE_CHAR:
            *out = type_varchar(0);
            break;
        default:
            *out = type_of(known[i].id);
            break;
        }
        return true;
    }
    return false;
}

Status pg_parameter_read(const PgParameter *parameter, Type target, Arena *txn_arena, Value *out)
{
    if (parameter->bytes.data == NULL) {
        *out = value_null(target);
        return STATUS_OK;
    }
    Status status = read_value(parameter, target, txn_arena, out);
    if (status != STATUS_OK) {
        return status_with_context(status, "parameter $%u", parameter->number);
    }
    return STATUS_OK;
}

static Status read_value(const PgParameter *parameter, Type target, Arena *arena, Value *out)
{
    const PgParameterBytes *bytes = &parameter->bytes;
    if (parameter->format == PG_FORMAT_BINARY) {
        return read_binary(parameter, target, arena, out);
    }
    // Checked before any parser sees it, so that messages quoting the text stay valid UTF-8.
    Value text;
    TRY(read_text(bytes->data, bytes->bytes, arena, &text));
    return value_parse((const char *)bytes->data, bytes->bytes, target, arena, out);
}

/* The bytes are of the declared type; what the statement needs may be another. */
static Status read_binary(const PgParameter *parameter, Type target, Arena *arena, Value *out)
{
    const PgParameterBytes *bytes = &parameter->bytes;
    uint32_t oid = parameter->declared_oid == 0 ? type_oid(target) : parameter->declared_oid;
    Type source;
    Value value;
    if (oid == OID_NUMERIC) {
        if (target.id == TYPE_DECIMAL) {
            Int128 number;
            TRY(numeric_wire_read(bytes->data, bytes->bytes, target, &number));
            *out = (Value){.type = target};
            if (type_is_scaled_integer(target)) {
                out->i64 = (int64_t)number;
            } else {
                out->i128 = number;
            }
            return STATUS_OK;
        }
        TRY(numeric_wire_read_exact(bytes->data, bytes->bytes, &value));
    } else if (!pg_parameter_type(oid, &source)) {
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                            "binary parameters of type oid %u are not supported", oid);
    } else if (type_is_text(source)) {
        TRY(read_text(bytes->data, bytes->bytes, arena, &value));
    } else if (oid == OID_OID) {
        TRY(read_fixed(type_of(TYPE_INTEGER), bytes->data, bytes->bytes, &value));
        value = value_int64(type_of(TYPE_BIGINT), (int64_t)(uint32_t)value.i64);
    } else {
        TRY(read_fixed(source, bytes->data, bytes->bytes, &value));
    }
    if (type_equal(value.type, target)) {
        *out = value;
        return STATUS_OK;
    }
    return value_cast(&value, target, false, arena, out);
}

/* Every type of a fixed width. */
static Status read_fixed(Type type, const uint8_t *data, size_t bytes, Value *out)
{
    ByteReader reader;
    byte_reader_init(&reader, data, bytes);
    Value value = {.type = type};
    switch (type.id) {
    case TYPE_BOOLEAN:
        value.i64 = byte_reader_u8(&reader) != 0;
        break;
    case TYPE_SMALLINT:
        value.i64 = (int16_t)byte_reader_be16(&reader);
        break;
    case TYPE_INTEGER:
        value.i64 = (int32_t)byte_reader_be32(&reader);
        break;
    case TYPE_BIGINT:
        value.i64 = (int64_t)byte_reader_be64(&reader);
        break;
    case TYPE_REAL: {
        uint32_t bits = byte_reader_be32(&reader);
        float number;
        memcpy(&number, &bits, sizeof(number));
        value.f64 = number;
        break;
    }
    case TYPE_DOUBLE: {
        uint64_t bits = byte_reader_be64(&reader);
        memcpy(&value.f64, &bits, sizeof(bits));
        break;
    }
    case TYPE_DATE:
        value.i64 = (int32_t)byte_reader_be32(&reader);
        if (value.i64 != DATE_INFINITY && value.i64 != DATE_MINUS_INFINITY) {
            value.i64 += POSTGRES_EPOCH_DAYS;
        }
        break;
    case TYPE_TIMESTAMP:
        value.i64 = (int64_t)byte_reader_be64(&reader);
        if (value.i64 != TIMESTAMP_INFINITY && value.i64 != TIMESTAMP_MINUS_INFINITY &&
            __builtin_add_overflow(value.i64, POSTGRES_EPOCH_DAYS * US_PER_DAY, &value.i64)) {
            return status_error(SQLSTATE_DATETIME_FIELD_OVERFLOW, "timestamp out of range");
        }
        break;
    case TYPE_INTERVAL:
        value.interval.us = (int64_t)byte_reader_be64(&reader);
        value.interval.days = (int32_t)byte_reader_be32(&reader);
        value.interval.months = (int32_t)byte_reader_be32(&reader);
        break;
    default:
        byte_reader_fail(&reader);
        break;
    }
    if (!byte_reader_is_ok(&reader) || byte_reader_remaining(&reader) != 0) {
        return status_error(SQLSTATE_INVALID_BINARY_REPRESENTATION,
                            "incorrect binary data format: %zu bytes for type %s", bytes,
                            type_name(type));
    }
    *out = value;
    return STATUS_OK;
}

static Status read_text(const uint8_t *data, size_t bytes, Arena *arena, Value *out)
{
    if (memchr(data, '\0', bytes) != NULL || !utf8_is_valid((const char *)data, bytes)) {
        return status_error(SQLSTATE_CHARACTER_NOT_IN_REPERTOIRE,
                            "invalid byte sequence for encoding \"UTF8\"");
    }
    const char *copy = arena_memdup(arena, data, bytes);
    *out = (Value){.type = type_varchar(0), .text = text_view_make(copy, bytes)};
    return STATUS_OK;
}
