/* function.c — finds functions by id, and checks what they store. */
#include "compute/functions/function.h"

#include <math.h>

#include "base/types/decimal.h"

static const FunctionEntry *const function_lists[] = {
    math_functions, text_functions, text_edit_functions, datetime_functions, format_functions,
    regex_functions, catalog_functions,
};

const FunctionEntry *function_find(FunctionId id)
{
    for (size_t i = 0; i < sizeof function_lists / sizeof *function_lists; i++) {
        for (const FunctionEntry *entry = function_lists[i]; entry->call != NULL; entry++) {
            if (entry->id == id) {
                return entry;
            }
        }
    }
    return NULL;
}

Status function_text_space(FunctionFrame *frame, size_t bytes, char **out)
{
    if (bytes > VARCHAR_BYTES_MAX) {
        return status_error(SQLSTATE_STRING_DATA_RIGHT_TRUNCATION,
                            "value too long for type character varying(%d)", VARCHAR_BYTES_MAX);
    }
    *out = arena_alloc(frame->arena, bytes);
    return STATUS_OK;
}

Status function_set_decimal(FunctionFrame *frame, Int128 value, uint32_t scale, Slot *result)
{
    Type type = frame->type;
    if (type_is_float(type)) {
        result->f64 = decimal_to_double(value, scale);
        return STATUS_OK;
    }
    Int128 rescaled;
    bool is_integer = type_is_integer(type);
    TRY(decimal_rescale(value, scale, is_integer ? type_decimal(DECIMAL_PRECISION_MAX, 0) : type,
                        &rescaled));
    if (!is_integer) {
        result->i128 = rescaled;
        return STATUS_OK;
    }
    if (rescaled > type_int64_max(type) || rescaled < type_int64_min(type)) {
        return status_error(SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE, "%s out of range",
                            type_name(type));
    }
    result->i64 = (int64_t)rescaled;
    return STATUS_OK;
}

Status function_set_float(FunctionFrame *frame, double value, bool is_infinite_allowed,
                          Slot *result)
{
    if (frame->type.id == TYPE_REAL) {
        value = (double)(float)value;
    }
    if (isinf(value) && !is_infinite_allowed) {
        return status_error(SQLSTATE_NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow");
    }
    result->f64 = value;
    return STATUS_OK;
}
