/*
 * type_resolve.c — type names as written to types.
 *
 * A column's VARCHAR without a length is VARCHAR(256), as Redshift makes it; in a cast it has no
 * limit, because cutting a value silently is never what was asked for.
 */
#include "planner/binder/binder_internal.h"

#include <stdlib.h>
#include <string.h>

#define FLOAT_BITS_REAL 24
#define FLOAT_BITS_MAX 53
#define DECIMAL_PRECISION_DEFAULT 18

typedef struct TypeName {
    const char *word;
    TypeId id;
} TypeName;

static const TypeName type_names[] = {
#define TYPE_NAME(word, ID) {word, TYPE_##ID},
#define TYPE_UNSUPPORTED(word)
#include "planner/binder/type_names.def"
#undef TYPE_NAME
#undef TYPE_UNSUPPORTED
};
static const char *const unsupported_types[] = {
#define TYPE_NAME(word, ID)
#define TYPE_UNSUPPORTED(word) word,
#include "planner/binder/type_names.def"
#undef TYPE_NAME
#undef TYPE_UNSUPPORTED
};

static Status find_type(const AstTypeName *name, TypeId *id)
{
    for (size_t i = 0; i < sizeof(unsupported_types) / sizeof(unsupported_types[0]); i++) {
        if (strcmp(unsupported_types[i], name->name) == 0) {
            return status_at(name->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                             "type %s is not supported yet", name->name);
        }
    }
    for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++) {
        if (strcmp(type_names[i].word, name->name) == 0) {
            *id = type_names[i].id;
            return STATUS_OK;
        }
    }
    return status_at(name->position, SQLSTATE_UNDEFINED_OBJECT, "type \"%s\" does not exist",
                     name->name);
}

// Modifier `index` as an integer; `max` stands for the word MAX.
static Status read_modifier(const AstTypeName *name, uint32_t index, int32_t max, int64_t *out)
{
    const AstExpr *modifier = name->modifiers.items[index];
    if (modifier->kind == AST_COLUMN && modifier->name_count == 1 && max > 0 &&
        strcmp(modifier->names[0], "max") == 0) {
        *out = max;
        return STATUS_OK;
    }
    char *end = NULL;
    long long value = modifier->kind == AST_NUMBER ? strtoll(modifier->text, &end, 10) : 0;
    if (modifier->kind != AST_NUMBER || *end != '\0') {
        return status_at(modifier->position, SQLSTATE_INVALID_PARAMETER_VALUE,
                         "type modifiers must be integers");
    }
    *out = value;
    return STATUS_OK;
}

static Status expect_modifiers(const AstTypeName *name, uint32_t count_max)
{
    if (name->modifiers.count <= count_max) {
        return STATUS_OK;
    }
    if (count_max == 0) {
        return status_at(name->position, SQLSTATE_SYNTAX_ERROR,
                         "type modifier is not allowed for type \"%s\"", name->name);
    }
    return status_at(name->position, SQLSTATE_INVALID_PARAMETER_VALUE,
                     "invalid type modifier of type %s", name->name);
}

static Status resolve_decimal(const AstTypeName *name, Type *out)
{
    TRY(expect_modifiers(name, 2));
    int64_t precision = DECIMAL_PRECISION_DEFAULT, scale = 0;
    if (name->modifiers.count > 0) {
        TRY(read_modifier(name, 0, 0, &precision));
    }
    if (name->modifiers.count > 1) {
        TRY(read_modifier(name, 1, 0, &scale));
    }
    if (precision < 1 || precision > DECIMAL_PRECISION_MAX) {
        return status_at(name->position, SQLSTATE_INVALID_PARAMETER_VALUE,
                         "NUMERIC precision %lld must be between 1 and %d", (long long)precision,
                         DECIMAL_PRECISION_MAX);
    }
    if (scale < 0 || scale > precision || scale > DECIMAL_PRECISION_MAX - 1) {
        return status_at(name->position, SQLSTATE_INVALID_PARAMETER_VALUE,
                         "NUMERIC scale %lld must be between 0 and precision %lld",
                         (long long)scale, (long long)precision);
    }
    *out = type_decimal((uint32_t)precision, (uint32_t)scale);
    return STATUS_OK;
}

static Status resolve_text(const AstTypeName *name, TypeId id, bool is_column, Type *out)
{
    TRY(expect_modifiers(name, 1));
    bool is_char = id == TYPE_CHAR;
    int32_t length_max = is_char ? CHAR_BYTES_MAX : VARCHAR_BYTES_MAX;
    int64_t length = is_column ? VARCHAR_BYTES_DEFAULT : 0;
    if (is_char && strcmp(name->name, "bpchar") != 0) {
        length = 1;
    }
    if (name->modifiers.count == 1) {
        TRY(read_modifier(name, 0, length_max, &length));
        if (length < 1) {
            return status_at(name->position, SQLSTATE_INVALID_PARAMETER_VALUE,
                             "length for type %s must be at least 1", name->name);
        }
        if (length > length_max) {
            return status_at(name->position, SQLSTATE_INVALID_PARAMETER_VALUE,
                             "length for type %s cannot exceed %d", name->name, length_max);
        }
    }
    *out = is_char ? type_char((int32_t)length) : type_varchar((int32_t)length);
    return STATUS_OK;
}

static Status resolve_float(const AstTypeName *name, TypeId id, Type *out)
{
    bool takes_bits = strcmp(name->name, "float") == 0;
    TRY(expect_modifiers(name, takes_bits ? 1 : 0));
    *out = type_of(id);
    if (name->modifiers.count == 1) {
        int64_t bits;
        TRY(read_modifier(name, 0, 0, &bits));
        if (bits < 1 || bits > FLOAT_BITS_MAX) {
            return status_at(name->position, SQLSTATE_INVALID_PARAMETER_VALUE,
                             "precision for type float must be between 1 and %d bits",
                             FLOAT_BITS_MAX);
        }
        *out = type_of(bits <= FLOAT_BITS_REAL ? TYPE_REAL : TYPE_DOUBLE);
    }
    return STATUS_OK;
}

Status type_resolve(Binder *binder, const AstTypeName *name, bool is_column, Type *out)
{
    (void)binder;
    bool is_system = name->schema == NULL || strcmp(name->schema, "pg_catalog") == 0;
    if (!is_system) {
        return status_at(name->position, SQLSTATE_UNDEFINED_OBJECT,
                         "type \"%s.%s\" does not exist", name->schema, name->name);
    }
    if (name->is_array) {
        return status_at(name->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "array types are not supported");
    }
    if (name->has_time_zone) {
        return status_at(name->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "type %s with time zone is not supported yet", name->name);
    }
    TypeId id = TYPE_UNKNOWN;
    TRY(find_type(name, &id));
    switch (id) {
    case TYPE_DECIMAL:
        return resolve_decimal(name, out);
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        return resolve_text(name, id, is_column, out);
    case TYPE_REAL:
    case TYPE_DOUBLE:
        return resolve_float(name, id, out);
    case TYPE_INTERVAL:
        TRY(expect_modifiers(name, 1)); // a precision of fractions, which is not kept
        break;
    default:
        TRY(expect_modifiers(name, 0));
        break;
    }
    *out = type_of(id);
    return STATUS_OK;
}
