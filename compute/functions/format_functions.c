/* format_functions.c — TO_CHAR and TO_DATE; see datetime_format.h and number_format.h. */
#include <math.h>
#include <string.h>

#include "base/types/decimal.h"
#include "compute/functions/datetime_format.h"
#include "compute/functions/function.h"
#include "compute/functions/number_format.h"

static bool is_datetime(Type type)
{
    return type.id == TYPE_DATE || type.id == TYPE_TIMESTAMP;
}

static Status prepare_to_char(const Expr *call, const Value *const *constants, Arena *arena,
                              const void **prepared)
{
    Type type = call->args[0]->type;
    if (!is_datetime(type) && !type_is_numeric(type)) {
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED, "to_char of %s is not supported",
                            type_name(type));
    }
    const Value *format = constants[1];
    if (format == NULL || format->is_null) {
        return STATUS_OK;
    }
    const char *text = text_view_data(&format->text);
    if (is_datetime(type)) {
        DateFormat *dates = ARENA_NEW(arena, DateFormat);
        TRY(date_format_parse(text, format->text.length, arena, dates));
        *prepared = dates;
    } else {
        NumberFormat *numbers = ARENA_NEW(arena, NumberFormat);
        TRY(number_format_parse(text, format->text.length, arena, numbers));
        *prepared = numbers;
    }
    return STATUS_OK;
}

static Status date_to_char(FunctionFrame *frame, const Slot *args, Slot *result)
{
    DateFormat own;
    const DateFormat *format = frame->prepared;
    int64_t us = args[0].i64;
    if (frame->arg_types[0].id == TYPE_DATE) {
        TRY(timestamp_from_date(args[0].i64, &us));
    }
    if (timestamp_is_infinite(us) || args[1].text.length == 0) {
        frame->is_null = true;
        return STATUS_OK;
    }
    if (format == NULL) {
        TRY(date_format_parse(text_view_data(&args[1].text), args[1].text.length, frame->arena,
                              &own));
        format = &own;
    }
    char *text;
    TRY(function_text_space(frame, format->bytes_max, &text));
    function_set_text(result, text, date_format_print(format, us, text));
    return STATUS_OK;
}

/* The number rounded to the format's digits; *is_overflow when it has too many. */
static void round_number(const FunctionFrame *frame, const Slot *arg, uint32_t fraction_digits,
                         Int128 *out, bool *is_overflow)
{
    Type type = frame->arg_types[0], target = type_decimal(DECIMAL_PRECISION_MAX, fraction_digits);
    Status status;
    if (type_is_float(type)) {
        status = decimal_from_float_digits(arg->f64, type.id == TYPE_REAL ? 6 : 15, target, out);
    } else {
        bool is_decimal = type.id == TYPE_DECIMAL;
        status = decimal_rescale(is_decimal ? arg->i128 : arg->i64, is_decimal ? type.scale : 0,
                                 target, out);
    }
    *is_overflow = status != STATUS_OK;
    if (*is_overflow) {
        *out = type_is_float(type) && arg->f64 < 0 ? -1 : 1;
        status_ignore(status, "printed as ###");
    }
}

static Status number_to_char(FunctionFrame *frame, const Slot *args, Slot *result)
{
    NumberFormat own;
    const NumberFormat *format = frame->prepared;
    if (format == NULL) {
        TRY(number_format_parse(text_view_data(&args[1].text), args[1].text.length, frame->arena,
                                &own));
        format = &own;
    }
    Int128 value;
    bool is_overflow;
    char *text;
    round_number(frame, &args[0], format->fraction_digits, &value, &is_overflow);
    TRY(function_text_space(frame, number_format_bytes_max(format), &text));
    function_set_text(result, text, number_format_print(format, value, is_overflow, text));
    return STATUS_OK;
}

static Status call_to_char(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return is_datetime(frame->arg_types[0]) ? date_to_char(frame, args, result)
                                            : number_to_char(frame, args, result);
}

static Status prepare_to_date(const Expr *call, const Value *const *constants, Arena *arena,
                              const void **prepared)
{
    (void)call;
    const Value *text = constants[1];
    if (text == NULL || text->is_null) {
        return STATUS_OK;
    }
    DateFormat *format = ARENA_NEW(arena, DateFormat);
    TRY(date_format_parse(text_view_data(&text->text), text->text.length, arena, format));
    *prepared = format;
    return STATUS_OK;
}

static Status call_to_date(FunctionFrame *frame, const Slot *args, Slot *result)
{
    DateFormat own;
    const DateFormat *format = frame->prepared;
    if (format == NULL) {
        TRY(date_format_parse(text_view_data(&args[1].text), args[1].text.length, frame->arena,
                              &own));
        format = &own;
    }
    int64_t us;
    TRY(date_format_read(format, text_view_data(&args[0].text), args[0].text.length, &us));
    result->i64 = frame->type.id == TYPE_DATE ? date_from_timestamp(us) : us;
    return STATUS_OK;
}

const FunctionEntry format_functions[] = {
    {FUNCTION_TO_CHAR, call_to_char, prepare_to_char, true},
    {FUNCTION_TO_DATE, call_to_date, prepare_to_date, true},
    {0},
};
