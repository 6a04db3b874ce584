/*
 * pg_parameter.h — the parameters of Bind as values: text or binary bytes of any type.
 */
#pragma once
#include "base/arena.h"
#include "base/types/type.h"
#include "protocol/pgwire/pg_decode.h"

/*
 * The type a client names by OID in Parse. False for types we do not have. text (25), name (19)
 * and bpchar (1042) become VARCHAR without a limit, oid (26) BIGINT; numeric (1700), whose scale
 * nobody told, becomes UNKNOWN, so that the place where the parameter stands decides, as for a
 * literal.
 */
bool pg_parameter_type(uint32_t oid, Type *out);

typedef struct PgParameter {
    PgParameterBytes bytes;
    uint16_t format;       /* PG_FORMAT_TEXT or PG_FORMAT_BINARY */
    uint32_t declared_oid; /* what Parse said, 0: nothing; binary bytes are of this type */
    uint32_t number;       /* $1 is 1; for messages */
} PgParameter;

/*
 * Reads a parameter as a value of `target`; texts are copied into `txn_arena`. 22P03 for binary
 * bytes of a wrong length or content, 0A000 for binary bytes of a type we do not have, 22021 for
 * text that is not UTF-8 or contains a zero byte, otherwise the errors of value_parse and
 * value_cast; the context names the parameter.
 */
Status pg_parameter_read(const PgParameter *parameter, Type target, Arena *txn_arena,
                         Value *out) CHECKED;
