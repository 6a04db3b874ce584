/*
 * function_signatures.c — the functions of functions.def: how arguments are coerced, and what type
 * comes out.
 *
 * Most signatures are a row of letters, one per argument, the last one optional where fewer are
 * allowed:  t text  i INTEGER  f DOUBLE  m date or timestamp  a anything
 * and a result:  b BOOLEAN  i INTEGER  l BIGINT  f DOUBLE  d DATE  m TIMESTAMP  t VARCHAR
 *                1 VARCHAR as long as the first argument
 * The others have a function of their own below.
 */
#include "planner/binder/binder_internal.h"

#include <string.h>
#include "base/types/datetime.h"
#include "base/types/decimal.h"

#define ARGUMENTS_MAX UINT32_MAX

typedef enum Signature {
    SIGNATURE_ARITHMETIC, SIGNATURE_SAME_NUMERIC, SIGNATURE_COMPARISON, SIGNATURE_LIKE,
    SIGNATURE_CONCAT, SIGNATURE_DATE_INTEGER, SIGNATURE_DATE_DATE, SIGNATURE_TIMESTAMP_INTERVAL,
    SIGNATURE_TIMESTAMP_TIMESTAMP, SIGNATURE_INTERVAL_INTERVAL, SIGNATURE_DATE_FIELD,
    SIGNATURE_DATE_TRUNC, SIGNATURE_DATEADD, SIGNATURE_DATEDIFF, SIGNATURE_ADD_MONTHS,
    SIGNATURE_LAST_DAY, SIGNATURE_TO_CHAR, SIGNATURE_TO_DATE, SIGNATURE_TEXT_TO_INTEGER,
    SIGNATURE_TEXT_TO_TEXT, SIGNATURE_SUBSTRING, SIGNATURE_TEXT_INTEGER, SIGNATURE_TRIM,
    SIGNATURE_TEXT_TEXT_TO_INTEGER, SIGNATURE_REPLACE, SIGNATURE_PAD, SIGNATURE_INTEGER_TO_TEXT,
    SIGNATURE_SPLIT_PART, SIGNATURE_REGEX, SIGNATURE_FORMAT_TYPE, SIGNATURE_ROUNDING,
    SIGNATURE_ROUND_DIGITS, SIGNATURE_DOUBLE_0, SIGNATURE_DOUBLE_1, SIGNATURE_DOUBLE_2,
    SIGNATURE_COMMON_TYPE, SIGNATURE_NULLIF, SIGNATURE_AVG_FINAL, SIGNATURE_VARIANCE_FINAL,
    SIGNATURE_BUCKET, SIGNATURE_COUNT
} Signature;

typedef struct FunctionLine {
    FunctionId id;
    const char *name;
    Signature signature;
} FunctionLine;

static const FunctionLine function_lines[] = {
#define FUNCTION(id, number, name, signature, is_strict)                                       \
    {FUNCTION_##id, name, SIGNATURE_##signature},
#include "planner/plan/functions.def"
#undef FUNCTION
};
#define FUNCTION_LINE_COUNT (sizeof(function_lines) / sizeof(function_lines[0]))

static const struct {
    const char *alias, *name;
} function_aliases[] = {
#define FUNCTION_ALIAS(alias, name) {alias, name},
#define FUNCTION_UNSUPPORTED(name)
#include "planner/binder/function_aliases.def"
#undef FUNCTION_ALIAS
#undef FUNCTION_UNSUPPORTED
};

/* A call while its arguments are being coerced. */
typedef struct Call {
    Binder *binder;
    const FunctionLine *line;
    uint32_t count;
    Expr **args;
    int32_t position;
} Call;

typedef struct SignatureRule {
    uint32_t count_min, count_max;
    const char *letters;  /* null: `bind` does it */
    char result;
    Status (*bind)(Call *call, Expr **out);
} SignatureRule;

bool function_by_name(const char *name, FunctionId *out)
{
    for (size_t i = 0; i < sizeof(function_aliases) / sizeof(function_aliases[0]); i++) {
        if (strcmp(function_aliases[i].alias, name) == 0) {
            name = function_aliases[i].name;
            break;
        }
    }
    for (size_t i = 0; i < FUNCTION_LINE_COUNT; i++) {
        if (name[0] != '\0' && strcmp(function_lines[i].name, name) == 0) {
            *out = function_lines[i].id;
            return true;
        }
    }
    return false;
}

static const FunctionLine *find_line(FunctionId function)
{
    size_t i = 0;
    while (i + 1 < FUNCTION_LINE_COUNT && function_lines[i].id != function) {
        i++;
    }
    ASSERT(function_lines[i].id == function);
    return &function_lines[i];
}

static Status missing(const Call *call)
{
    return function_missing(call->binder, call->line->name, call->count, call->args,
                            call->position);
}

static Expr *make(const Call *call, Type type)
{
    return expr_at(expr_call(call->binder->arena, call->line->id, type, call->count, call->args),
                   call->position);
}

// ---- arguments ----

static Status arg_text(Call *call, uint32_t index)
{
    Expr **arg = &call->args[index];
    TRY(coerce_unknown(call->binder, *arg, arg));
    if (type_is_text((*arg)->type)) {
        return STATUS_OK;
    }
    // Redshift turns numbers and dates to text where text is wanted
    bool is_printable = type_is_numeric((*arg)->type) || (*arg)->type.id == TYPE_DATE ||
                        (*arg)->type.id == TYPE_TIMESTAMP;
    return is_printable ? coerce(call->binder, *arg, type_varchar(0), CAST_ASSIGNMENT, arg)
                        : missing(call);
}

static Status arg_integer(Call *call, uint32_t index)
{
    Expr **arg = &call->args[index];
    if (!is_unknown(*arg) && !type_is_integer((*arg)->type)) {
        return missing(call);
    }
    return coerce(call->binder, *arg, type_of(TYPE_INTEGER), CAST_ASSIGNMENT, arg);
}

static Status arg_double(Call *call, uint32_t index)
{
    Expr **arg = &call->args[index];
    if (!is_unknown(*arg) && !type_is_numeric((*arg)->type)) {
        return missing(call);
    }
    return coerce(call->binder, *arg, type_of(TYPE_DOUBLE), CAST_IMPLICIT, arg);
}

static Status arg_moment(Call *call, uint32_t index)
{
    Expr **arg = &call->args[index];
    if (is_unknown(*arg)) {
        return coerce(call->binder, *arg, type_of(TYPE_TIMESTAMP), CAST_IMPLICIT, arg);
    }
    return (*arg)->type.id == TYPE_DATE || (*arg)->type.id == TYPE_TIMESTAMP ? STATUS_OK
                                                                             : missing(call);
}

static Status arg_timestamp(Call *call, uint32_t index)
{
    TRY(arg_moment(call, index));
    return coerce(call->binder, call->args[index], type_of(TYPE_TIMESTAMP), CAST_IMPLICIT,
                  &call->args[index]);
}

static Status arg_numeric(Call *call, uint32_t index)
{
    Expr **arg = &call->args[index];
    if (is_unknown(*arg)) {
        return coerce(call->binder, *arg, type_of(TYPE_DOUBLE), CAST_IMPLICIT, arg);
    }
    return type_is_numeric((*arg)->type) ? STATUS_OK : missing(call);
}

// The field name of a date function as the kernels know it.
static Status arg_field(Call *call, DateField last, DateField *field)
{
    Expr **arg = &call->args[0];
    bool is_name = (*arg)->kind == EXPR_CONSTANT && type_is_text((*arg)->type) &&
                   !(*arg)->constant.is_null;
    if (!is_name) {
        return status_at((*arg)->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "the field of function %s must be a constant", call->line->name);
    }
    const TextView *text = &(*arg)->constant.text;
    if (!date_field_parse(text_view_data(text), text->length, field) || *field > last) {
        return status_at((*arg)->position, SQLSTATE_INVALID_PARAMETER_VALUE,
                         "date field \"%.*s\" is not recognized", (int)text->length,
                         text_view_data(text));
    }
    const char *name = date_field_name(*field);
    *arg = expr_at(constant_text(call->binder, name, type_varchar((int32_t)strlen(name))),
                   (*arg)->position);
    return STATUS_OK;
}

// ---- signatures of their own ----

static Status bind_arithmetic_call(Call *call, Expr **out)
{
    FunctionId id = call->line->id == FUNCTION_MOD ? FUNCTION_MODULO : call->line->id;
    return bind_arithmetic(call->binder, id, call->args[0], call->args[1], call->position, out);
}

static Status bind_comparison_call(Call *call, Expr **out)
{
    return bind_comparison(call->binder, call->line->id, call->args[0], call->args[1],
                           call->position, out);
}

static Status bind_concat_call(Call *call, Expr **out)
{
    TRY(arg_text(call, 0));
    TRY(arg_text(call, 1));
    return bind_concat(call->binder, call->args[0], call->args[1], call->position, out);
}

static Status bind_same_numeric(Call *call, Expr **out)
{
    TRY(arg_numeric(call, 0));
    *out = make(call, call->args[0]->type);
    return STATUS_OK;
}

static uint32_t capped_precision(uint32_t precision)
{
    precision = precision < 1 ? 1 : precision;
    return precision > DECIMAL_PRECISION_MAX ? DECIMAL_PRECISION_MAX : precision;
}

// CEIL and FLOOR of a decimal have no fraction and perhaps one digit more before the point.
static Status bind_rounding(Call *call, Expr **out)
{
    TRY(arg_numeric(call, 0));
    Type type = call->args[0]->type;
    if (type.id == TYPE_DECIMAL) {
        type = type_decimal(capped_precision((uint32_t)(type.precision - type.scale) + 1), 0);
    }
    *out = make(call, type);
    return STATUS_OK;
}

// ROUND(x, 2) of a decimal has scale 2; digits that are not constant leave the scale alone.
static Status bind_round_digits(Call *call, Expr **out)
{
    bool is_moment = call->args[0]->type.id == TYPE_DATE ||
                     call->args[0]->type.id == TYPE_TIMESTAMP;
    if (is_moment && call->count == 1 && call->line->id == FUNCTION_TRUNC) {
        return coerce(call->binder, call->args[0], type_of(TYPE_DATE), CAST_EXPLICIT, out);
    }
    TRY(arg_numeric(call, 0));
    Type type = call->args[0]->type;
    uint32_t scale = 0;
    if (call->count == 2) {
        TRY(arg_integer(call, 1));
        const Expr *digits = call->args[1];
        scale = type.scale;
        if (is_constant(digits) && !digits->constant.is_null && digits->constant.i64 < scale) {
            scale = digits->constant.i64 < 0 ? 0 : (uint32_t)digits->constant.i64;
        }
    }
    if (type.id == TYPE_DECIMAL) {
        uint32_t whole = (uint32_t)(type.precision - type.scale) + 1;
        type = type_decimal(capped_precision(whole + scale), scale);
    }
    *out = make(call, type);
    return STATUS_OK;
}

static Status bind_common(Call *call, Expr **out)
{
    Type type;
    const char *name = call->line->id == FUNCTION_COALESCE   ? "COALESCE"
                       : call->line->id == FUNCTION_GREATEST ? "GREATEST"
                                                             : "LEAST";
    TRY(coerce_common(call->binder, call->count, call->args, name, &type));
    *out = make(call, type);
    return STATUS_OK;
}

// The result has the first argument's type. For two types: CASE WHEN a = b THEN NULL ELSE a END.
static Status bind_nullif(Call *call, Expr **out)
{
    Binder *binder = call->binder;
    Expr *again = NULL, *equal = NULL;
    TRY(comparison_resolve(binder, &call->args[0], call->args[1]));
    TRY(comparison_resolve(binder, &call->args[1], call->args[0]));
    Type type = call->args[0]->type;
    if (type_equal(type, call->args[1]->type)) {
        *out = make(call, type);
        return STATUS_OK;
    }
    TRY(bind_repeat(binder, call->args[0], &again));
    TRY(bind_comparison(binder, FUNCTION_EQUAL, again, call->args[1], call->position, &equal));
    Expr **parts = ARENA_ARRAY(binder->arena, Expr *, 3);
    parts[0] = equal;
    parts[1] = constant_null(binder, type);
    parts[2] = call->args[0];
    *out = case_make(binder, 3, parts, type, call->position);
    return STATUS_OK;
}

static bool is_field_of_day(DateField field)
{
    return field >= DATE_FIELD_DAY && field != DATE_FIELD_EPOCH;
}

static Status bind_extract(Call *call, Expr **out)
{
    DateField field;
    TRY(arg_field(call, DATE_FIELD_EPOCH, &field));
    if (call->args[1]->type.id == TYPE_INTERVAL) {
        return status_at(call->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "fields of intervals are not supported yet");
    }
    TRY(arg_moment(call, 1));
    if (!is_field_of_day(field)) {
        TRY(arg_timestamp(call, 1));
    }
    bool is_double = field == DATE_FIELD_EPOCH || field == DATE_FIELD_SECOND;
    *out = make(call, type_of(is_double ? TYPE_DOUBLE : TYPE_INTEGER));
    return STATUS_OK;
}

static Status bind_date_trunc(Call *call, Expr **out)
{
    DateField field;
    TRY(arg_field(call, DATE_FIELD_MILLENNIUM, &field));
    TRY(arg_timestamp(call, 1));
    *out = make(call, type_of(TYPE_TIMESTAMP));
    return STATUS_OK;
}

static Status bind_dateadd(Call *call, Expr **out)
{
    DateField field;
    TRY(arg_field(call, DATE_FIELD_MILLENNIUM, &field));
    TRY(arg_integer(call, 1));
    TRY(arg_moment(call, 2));
    *out = make(call, type_of(TYPE_TIMESTAMP));
    return STATUS_OK;
}

static Status bind_datediff(Call *call, Expr **out)
{
    DateField field;
    TRY(arg_field(call, DATE_FIELD_MILLENNIUM, &field));
    TRY(arg_moment(call, 1));
    TRY(arg_moment(call, 2));
    if (call->args[1]->type.id != call->args[2]->type.id) {
        TRY(arg_timestamp(call, 1));
        TRY(arg_timestamp(call, 2));
    }
    *out = make(call, type_of(TYPE_BIGINT));
    return STATUS_OK;
}

static Status bind_to_char(Call *call, Expr **out)
{
    const Expr *arg = call->args[0];
    bool is_formattable = type_is_numeric(arg->type) || arg->type.id == TYPE_DATE ||
                          arg->type.id == TYPE_TIMESTAMP || arg->type.id == TYPE_INTERVAL;
    if (!is_formattable) {
        return missing(call);
    }
    TRY(arg_text(call, 1));
    *out = make(call, type_varchar(0));
    return STATUS_OK;
}

static Status check_escape(const Call *call)
{
    const Expr *escape = call->count == 3 ? call->args[2] : NULL;
    if (escape == NULL || !is_constant(escape) || escape->constant.is_null) {
        return STATUS_OK;
    }
    const TextView *text = &escape->constant.text;
    uint32_t characters = 0;
    for (uint32_t i = 0; i < text->length; i++) {
        characters += ((unsigned char)text_view_data(text)[i] & 0xC0) != 0x80 ? 1 : 0;
    }
    if (characters > 1) {
        Status status = status_at(escape->position, SQLSTATE_INVALID_ESCAPE_SEQUENCE,
                                  "invalid escape string");
        return status_with_hint(status, "Escape string must be empty or one character.");
    }
    return STATUS_OK;
}

static Status bind_like_call(Call *call, Expr **out)
{
    for (uint32_t i = 0; i < call->count; i++) {
        TRY(coerce_unknown(call->binder, call->args[i], &call->args[i]));
        if (!type_is_text(call->args[i]->type)) {
            return operator_missing(call->line->name, call->args[0]->type, call->args[1]->type,
                                    call->position);
        }
    }
    TRY(check_escape(call));
    *out = make(call, type_of(TYPE_BOOLEAN));
    return STATUS_OK;
}

// A modifier that is NULL means none, which is -1.
static Status bind_format_type(Call *call, Expr **out)
{
    Expr *none = expr_int64(call->binder->arena, TYPE_BIGINT, -1);
    for (uint32_t i = 0; i < call->count; i++) {
        TRY(coerce(call->binder, call->args[i], type_of(TYPE_BIGINT), CAST_IMPLICIT,
                   &call->args[i]));
    }
    TRY(bind_function(call->binder, FUNCTION_COALESCE, 2, (Expr *[]){call->args[1], none},
                      call->position, &call->args[1]));
    *out = make(call, type_varchar(0));
    return STATUS_OK;
}

static Status bind_internal(Call *call, Expr **out)
{
    (void)out;
    return missing(call); // made by the planner, never called by name
}

static const SignatureRule signature_rules[SIGNATURE_COUNT] = {
    [SIGNATURE_ARITHMETIC] = {2, 2, NULL, 0, bind_arithmetic_call},
    [SIGNATURE_SAME_NUMERIC] = {1, 1, NULL, 0, bind_same_numeric},
    [SIGNATURE_COMPARISON] = {2, 2, NULL, 0, bind_comparison_call},
    [SIGNATURE_LIKE] = {2, 3, NULL, 0, bind_like_call},
    [SIGNATURE_CONCAT] = {2, 2, NULL, 0, bind_concat_call},
    [SIGNATURE_DATE_INTEGER] = {2, 2, NULL, 0, bind_internal},
    [SIGNATURE_DATE_DATE] = {2, 2, NULL, 0, bind_internal},
    [SIGNATURE_TIMESTAMP_INTERVAL] = {2, 2, NULL, 0, bind_internal},
    [SIGNATURE_TIMESTAMP_TIMESTAMP] = {2, 2, NULL, 0, bind_internal},
    [SIGNATURE_INTERVAL_INTERVAL] = {2, 2, NULL, 0, bind_internal},
    [SIGNATURE_DATE_FIELD] = {2, 2, NULL, 0, bind_extract},
    [SIGNATURE_DATE_TRUNC] = {2, 2, NULL, 0, bind_date_trunc},
    [SIGNATURE_DATEADD] = {3, 3, NULL, 0, bind_dateadd},
    [SIGNATURE_DATEDIFF] = {3, 3, NULL, 0, bind_datediff},
    [SIGNATURE_ADD_MONTHS] = {2, 2, "mi", 'm', NULL},
    [SIGNATURE_LAST_DAY] = {1, 1, "m", 'd', NULL},
    [SIGNATURE_TO_CHAR] = {2, 2, NULL, 0, bind_to_char},
    [SIGNATURE_TO_DATE] = {2, 2, "tt", 'd', NULL},
    [SIGNATURE_TEXT_TO_INTEGER] = {1, 1, "t", 'i', NULL},
    [SIGNATURE_TEXT_TO_TEXT] = {1, 1, "t", '1', NULL},
    [SIGNATURE_SUBSTRING] = {2, 3, "tii", '1', NULL},
    [SIGNATURE_TEXT_INTEGER] = {2, 2, "ti", '1', NULL},
    [SIGNATURE_TRIM] = {1, 2, "tt", '1', NULL},
    [SIGNATURE_TEXT_TEXT_TO_INTEGER] = {2, 2, "tt", 'i', NULL},
    [SIGNATURE_REPLACE] = {3, 3, "ttt", 't', NULL},
    [SIGNATURE_PAD] = {2, 3, "tit", 't', NULL},
    [SIGNATURE_INTEGER_TO_TEXT] = {1, 1, "i", 't', NULL},
    [SIGNATURE_SPLIT_PART] = {3, 3, "tti", '1', NULL},
    [SIGNATURE_REGEX] = {2, 2, NULL, 0, bind_like_call},
    [SIGNATURE_FORMAT_TYPE] = {2, 2, NULL, 0, bind_format_type},
    [SIGNATURE_ROUNDING] = {1, 1, NULL, 0, bind_rounding},
    [SIGNATURE_ROUND_DIGITS] = {1, 2, NULL, 0, bind_round_digits},
    [SIGNATURE_DOUBLE_0] = {0, 0, "", 'f', NULL},
    [SIGNATURE_DOUBLE_1] = {1, 1, "f", 'f', NULL},
    [SIGNATURE_DOUBLE_2] = {2, 2, "ff", 'f', NULL},
    [SIGNATURE_COMMON_TYPE] = {1, ARGUMENTS_MAX, NULL, 0, bind_common},
    [SIGNATURE_NULLIF] = {2, 2, NULL, 0, bind_nullif},
    [SIGNATURE_AVG_FINAL] = {0, ARGUMENTS_MAX, NULL, 0, bind_internal},
    [SIGNATURE_VARIANCE_FINAL] = {0, ARGUMENTS_MAX, NULL, 0, bind_internal},
    [SIGNATURE_BUCKET] = {0, ARGUMENTS_MAX, NULL, 0, bind_internal},
};

static Status bind_letters(Call *call, const SignatureRule *rule, Expr **out)
{
    for (uint32_t i = 0; i < call->count; i++) {
        switch (rule->letters[i]) {
        case 't':
            TRY(arg_text(call, i));
            break;
        case 'i':
            TRY(arg_integer(call, i));
            break;
        case 'm':
            TRY(arg_moment(call, i));
            break;
        default:
            TRY(arg_double(call, i));
            break;
        }
    }
    Type type = type_varchar(0);
    switch (rule->result) {
    case 'i':
        type = type_of(TYPE_INTEGER);
        break;
    case 'f':
        type = type_of(TYPE_DOUBLE);
        break;
    case 'd':
        type = type_of(TYPE_DATE);
        break;
    case 'm':
        type = type_of(TYPE_TIMESTAMP);
        break;
    case '1':
        type = type_varchar(call->line->id == FUNCTION_REPEAT || call->line->id == FUNCTION_MD5
                                ? 0
                                : call->args[0]->type.length);
        break;
    default:
        break;
    }
    *out = make(call, type);
    return STATUS_OK;
}

Status bind_function(Binder *binder, FunctionId function, uint32_t count, Expr **args,
                     int32_t position, Expr **out)
{
    Call call = {.binder = binder, .line = find_line(function), .count = count,
                 .position = position};
    const SignatureRule *rule = &signature_rules[call.line->signature];
    call.args = ARENA_ARRAY(binder->arena, Expr *, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        call.args[i] = args[i];
    }
    if (count < rule->count_min || count > rule->count_max) {
        return missing(&call);
    }
    return rule->bind != NULL ? rule->bind(&call, out) : bind_letters(&call, rule, out);
}
