/*
 * expr_print.c — SQL text of expressions for EXPLAIN, and the names of functions and aggregates.
 *
 * Operators are always in parentheses, as PostgreSQL and Redshift deparse them:
 * ((l_shipdate >= '1994-01-01'::date) AND (l_quantity < 24)).
 */
#include "planner/plan/expr.h"

#include <string.h>

#include "base/types/text_format.h"
#include "planner/plan/plan.h"

typedef struct FunctionFacts {
    const char *name, *word; /* as SQL calls it, and the id in case there is no such name */
    bool is_known, is_strict;
} FunctionFacts;

static const FunctionFacts function_facts[FUNCTION_ID_MAX + 1] = {
#define FUNCTION(id, number, name, signature, is_strict) [number] = {name, #id, true, is_strict},
#include "planner/plan/functions.def"
#undef FUNCTION
};

static const char *const aggregate_names[AGGREGATE_ID_MAX + 1] = {
#define AGGREGATE(id, number, name, merge) [number] = name,
#include "planner/plan/aggregates.def"
#undef AGGREGATE
};

static const uint8_t aggregate_merges[AGGREGATE_ID_MAX + 1] = {
#define AGGREGATE(id, number, name, merge) [number] = AGGREGATE_##merge,
#include "planner/plan/aggregates.def"
#undef AGGREGATE
};

bool function_is_known(uint32_t number)
{
    return number <= FUNCTION_ID_MAX && function_facts[number].is_known;
}

const char *function_name(FunctionId function)
{
    return function_is_known(function) ? function_facts[function].name : "";
}

bool function_is_strict(FunctionId function)
{
    return function_is_known(function) && function_facts[function].is_strict;
}

bool function_is_volatile(FunctionId function)
{
    return function == FUNCTION_RANDOM;
}

bool aggregate_is_known(uint32_t number)
{
    return number <= AGGREGATE_ID_MAX && aggregate_names[number] != NULL;
}

const char *aggregate_name(AggregateId aggregate)
{
    return aggregate_is_known(aggregate) ? aggregate_names[aggregate] : "";
}

AggregateId aggregate_merged_by(AggregateId aggregate)
{
    return (AggregateId)aggregate_merges[aggregate];
}

Type aggregate_sum_type(Type argument)
{
    if (argument.id == TYPE_SMALLINT || argument.id == TYPE_INTEGER) {
        return type_of(TYPE_BIGINT);
    }
    if (argument.id == TYPE_BIGINT || argument.id == TYPE_DECIMAL) {
        return type_decimal(DECIMAL_PRECISION_MAX,
                            argument.id == TYPE_DECIMAL ? argument.scale : 0);
    }
    return argument.id == TYPE_INTERVAL ? argument : type_of(TYPE_DOUBLE);
}

typedef struct Printer {
    ByteBuffer text;
    const char *(*column_name)(void *object, uint32_t column);
    void *object;
} Printer;

static void print(Printer *self, const Expr *expr);

static void print_list(Printer *self, Expr *const *exprs, uint32_t count, const char *separator)
{
    for (uint32_t i = 0; i < count; i++) {
        byte_buffer_printf(&self->text, "%s", i == 0 ? "" : separator);
        print(self, exprs[i]);
    }
}

/* A constant as SQL would write it; quoted ones with their type when it is not a text. */
static void print_value(Printer *self, const Value *value)
{
    if (value->is_null) {
        byte_buffer_printf(&self->text, "NULL");
        return;
    }
    if (value->type.id == TYPE_BOOLEAN) {
        byte_buffer_printf(&self->text, "%s", value->i64 != 0 ? "true" : "false");
        return;
    }
    bool is_quoted = !type_is_numeric(value->type);
    byte_buffer_printf(&self->text, "%s", is_quoted ? "'" : "");
    if (type_is_text(value->type)) {
        const char *data = text_view_data(&value->text);
        for (uint32_t i = 0; i < value->text.length; i++) {
            byte_buffer_add(&self->text, "''", data[i] == '\'' ? 1 : 0);
            byte_buffer_add_u8(&self->text, (uint8_t)data[i]);
        }
    } else {
        value_print(value, &self->text);
    }
    byte_buffer_printf(&self->text, "%s", is_quoted ? "'" : "");
    if (is_quoted && !type_is_text(value->type)) {
        byte_buffer_printf(&self->text, "::%s", type_name(value->type));
    }
}

/* The symbol of a two-sided operator, or null for functions written name(args). */
static const char *operator_symbol(FunctionId function)
{
    switch (function) {
    case FUNCTION_DATE_ADD_DAYS:
    case FUNCTION_TIMESTAMP_ADD_INTERVAL:
    case FUNCTION_INTERVAL_ADD:
        return "+";
    case FUNCTION_DATE_SUBTRACT_DAYS:
    case FUNCTION_DATE_DIFFERENCE:
    case FUNCTION_TIMESTAMP_SUBTRACT_INTERVAL:
    case FUNCTION_TIMESTAMP_DIFFERENCE:
    case FUNCTION_INTERVAL_SUBTRACT:
        return "-";
    case FUNCTION_IS_NOT_DISTINCT:
        return "IS NOT DISTINCT FROM";
    default: {
        const char *name = function_name(function);
        return name[0] != '\0' && strchr("+-*/%=<>~|", name[0]) != NULL ? name : NULL;
    }
    }
}

static void print_call(Printer *self, const Expr *expr)
{
    const char *symbol = operator_symbol(expr->function);
    if (symbol != NULL && expr->arg_count == 2) {
        byte_buffer_printf(&self->text, "(");
        print(self, expr->args[0]);
        byte_buffer_printf(&self->text, " %s ", symbol);
        print(self, expr->args[1]);
        byte_buffer_printf(&self->text, ")");
        return;
    }
    if (expr->function == FUNCTION_NEGATE && expr->arg_count == 1) {
        byte_buffer_printf(&self->text, "(- ");
        print(self, expr->args[0]);
        byte_buffer_printf(&self->text, ")");
        return;
    }
    const char *name = function_name(expr->function);
    if (name[0] != '\0') {
        byte_buffer_printf(&self->text, "%s(", name);
    } else {
        const char *word =
            function_is_known(expr->function) ? function_facts[expr->function].word : "?";
        for (const char *c = word; *c != '\0'; c++) {
            byte_buffer_add_u8(&self->text, (uint8_t)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c));
        }
        byte_buffer_printf(&self->text, "(");
    }
    print_list(self, expr->args, expr->arg_count, ", ");
    byte_buffer_printf(&self->text, ")");
}

static void print_case(Printer *self, const Expr *expr)
{
    byte_buffer_printf(&self->text, "CASE");
    for (uint32_t i = 0; i + 1 < expr->arg_count; i += 2) {
        byte_buffer_printf(&self->text, " WHEN ");
        print(self, expr->args[i]);
        byte_buffer_printf(&self->text, " THEN ");
        print(self, expr->args[i + 1]);
    }
    byte_buffer_printf(&self->text, " ELSE ");
    print(self, expr->args[expr->arg_count - 1]);
    byte_buffer_printf(&self->text, " END");
}

static void print_in(Printer *self, const Expr *expr)
{
    byte_buffer_printf(&self->text, "(");
    print(self, expr->args[0]);
    byte_buffer_printf(&self->text, expr->in.is_negated ? " NOT IN (" : " IN (");
    for (uint32_t i = 0; i < expr->in.value_count; i++) {
        byte_buffer_printf(&self->text, "%s", i == 0 ? "" : ", ");
        print_value(self, &expr->in.values[i]);
    }
    if (expr->in.has_null_value) {
        byte_buffer_printf(&self->text, "%sNULL", expr->in.value_count == 0 ? "" : ", ");
    }
    byte_buffer_printf(&self->text, "))");
}

static void print_aggregate(Printer *self, const AggregateCall *call)
{
    static const struct {
        AggregateId id;
        const char *name;
    } made_by_planner[] = {{AGGREGATE_SUM_COUNT, "sum_count"},
                           {AGGREGATE_SINGLE_VALUE, "single_value"},
                           {AGGREGATE_SINGLE_MATCH, "single_match"}};
    const char *name = aggregate_name(call->id);
    for (size_t i = 0; i < sizeof(made_by_planner) / sizeof(made_by_planner[0]); i++) {
        name = made_by_planner[i].id == call->id ? made_by_planner[i].name : name;
    }
    byte_buffer_printf(&self->text, "%s(%s", name, call->is_distinct ? "DISTINCT " : "");
    if (call->argument == NULL) {
        byte_buffer_printf(&self->text, "*");
    } else {
        print(self, call->argument);
    }
    byte_buffer_printf(&self->text, ")");
    if (call->filter != NULL) {
        byte_buffer_printf(&self->text, " FILTER (WHERE ");
        print(self, call->filter);
        byte_buffer_printf(&self->text, ")");
    }
}

static const char *const window_names[] = {
    [WINDOW_ROW_NUMBER] = "row_number",
    [WINDOW_RANK] = "rank",
    [WINDOW_DENSE_RANK] = "dense_rank",
    [WINDOW_PERCENT_RANK] = "percent_rank",
    [WINDOW_CUME_DIST] = "cume_dist",
    [WINDOW_NTILE] = "ntile",
    [WINDOW_LAG] = "lag",
    [WINDOW_LEAD] = "lead",
    [WINDOW_FIRST_VALUE] = "first_value",
    [WINDOW_LAST_VALUE] = "last_value",
    [WINDOW_NTH_VALUE] = "nth_value",
    [WINDOW_AGGREGATE] = "",
};

static void print_window(Printer *self, const WindowCall *call)
{
    const char *name =
        call->id == WINDOW_AGGREGATE ? aggregate_name(call->aggregate) : window_names[call->id];
    byte_buffer_printf(&self->text, "%s(", name);
    print_list(self, call->args, call->arg_count, ", ");
    byte_buffer_printf(&self->text, ") OVER (");
    if (call->partition_count > 0) {
        byte_buffer_printf(&self->text, "PARTITION BY ");
        print_list(self, call->partition, call->partition_count, ", ");
    }
    for (uint32_t i = 0; i < call->order_count; i++) {
        byte_buffer_printf(&self->text, "%s",
                           i > 0                        ? ", "
                           : call->partition_count == 0 ? "ORDER BY "
                                                        : " ORDER BY ");
        print(self, call->order[i].expr);
        byte_buffer_printf(&self->text, "%s", call->order[i].is_descending ? " DESC" : "");
    }
    byte_buffer_printf(&self->text, ")");
}

static const char *const subquery_words[] = {
    [SUBQUERY_SCALAR] = "",
    [SUBQUERY_EXISTS] = "EXISTS ",
    [SUBQUERY_IN] = "ANY ",
    [SUBQUERY_ALL] = "ALL ",
};

static void print_subquery(Printer *self, const Expr *expr)
{
    byte_buffer_printf(&self->text, "%s(", expr->subquery.is_negated ? "NOT " : "");
    if (expr->arg_count > 0) {
        print_list(self, expr->args, expr->arg_count, ", ");
        byte_buffer_printf(&self->text, " %s ", function_name(expr->subquery.comparison));
    }
    byte_buffer_printf(&self->text, "%s(subquery))", subquery_words[expr->subquery.kind]);
}

static void print_suffixed(Printer *self, const Expr *arg, const char *suffix)
{
    byte_buffer_printf(&self->text, "(");
    print(self, arg);
    byte_buffer_printf(&self->text, "%s)", suffix);
}

static void print(Printer *self, const Expr *expr)
{
    char type_text[TYPE_TEXT_BYTES];
    switch (expr->kind) {
    case EXPR_COLUMN:
        byte_buffer_printf(&self->text, "%s", self->column_name(self->object, expr->column));
        break;
    case EXPR_CONSTANT:
        print_value(self, &expr->constant);
        break;
    case EXPR_CALL:
        print_call(self, expr);
        break;
    case EXPR_CAST:
        byte_buffer_printf(&self->text, "(");
        print(self, expr->args[0]);
        byte_buffer_printf(&self->text, ")::%s", type_print(expr->type, type_text));
        break;
    case EXPR_CASE:
        print_case(self, expr);
        break;
    case EXPR_AND:
    case EXPR_OR:
        byte_buffer_printf(&self->text, "(");
        print_list(self, expr->args, expr->arg_count, expr->kind == EXPR_AND ? " AND " : " OR ");
        byte_buffer_printf(&self->text, ")");
        break;
    case EXPR_NOT:
        byte_buffer_printf(&self->text, "(NOT ");
        print(self, expr->args[0]);
        byte_buffer_printf(&self->text, ")");
        break;
    case EXPR_IS_NULL:
    case EXPR_IS_NOT_NULL:
        print_suffixed(self, expr->args[0],
                       expr->kind == EXPR_IS_NULL ? " IS NULL" : " IS NOT NULL");
        break;
    case EXPR_IN:
        print_in(self, expr);
        break;
    case EXPR_PARAMETER:
        byte_buffer_printf(&self->text, "$%u", expr->parameter);
        break;
    case EXPR_AGGREGATE:
        print_aggregate(self, expr->aggregate);
        break;
    case EXPR_SUBQUERY:
        print_subquery(self, expr);
        break;
    case EXPR_WINDOW:
        print_window(self, expr->window);
        break;
    }
}

#define EXPR_TEXT_BYTES_MAX (1u << 20) /* longer ones are cut: they are for people */

static const char *printer_finish(Printer *self, Arena *arena)
{
    const char *text = arena_strndup(arena, self->text.bytes == 0 ? "" : (char *)self->text.data,
                                     self->text.bytes);
    byte_buffer_deinit(&self->text);
    return text;
}

const char *expr_print(Arena *arena, const Expr *expr,
                       const char *(*column_name)(void *object, uint32_t column), void *object)
{
    Printer self = {.column_name = column_name, .object = object};
    byte_buffer_init(&self.text, EXPR_TEXT_BYTES_MAX);
    print(&self, expr);
    return printer_finish(&self, arena);
}

const char *aggregate_call_print(Arena *arena, const AggregateCall *call,
                                 const char *(*column_name)(void *object, uint32_t column),
                                 void *object)
{
    Printer self = {.column_name = column_name, .object = object};
    byte_buffer_init(&self.text, EXPR_TEXT_BYTES_MAX);
    print_aggregate(&self, call);
    return printer_finish(&self, arena);
}

const char *window_call_print(Arena *arena, const WindowCall *call,
                              const char *(*column_name)(void *object, uint32_t column),
                              void *object)
{
    Printer self = {.column_name = column_name, .object = object};
    byte_buffer_init(&self.text, EXPR_TEXT_BYTES_MAX);
    print_window(&self, call);
    return printer_finish(&self, arena);
}
