/*
 * expr_fixture.h — for suites about expressions: types and values from short texts, vectors of
 * every form and lane, and tables of calls with their expected results.
 */
#pragma once
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/types/datetime.h"
#include "base/types/decimal.h"
#include "base/types/text_format.h"
#include "compute/expression/expr_eval.h"

#define UNUSED __attribute__((unused))

/* "i2 i4 i8 b f4 f8 date ts iv t", "d12.2", "v10", "c10" */
UNUSED static Type fixture_type(const char *spec)
{
    unsigned precision, scale;
    if (sscanf(spec, "d%u.%u", &precision, &scale) == 2) {
        return type_decimal(precision, scale);
    }
    switch (spec[0]) {
    case 'i':
        return type_of(spec[1] == '2'   ? TYPE_SMALLINT
                       : spec[1] == '4' ? TYPE_INTEGER
                       : spec[1] == '8' ? TYPE_BIGINT
                                        : TYPE_INTERVAL);
    case 'b':
        return type_of(TYPE_BOOLEAN);
    case 'f':
        return type_of(spec[1] == '4' ? TYPE_REAL : TYPE_DOUBLE);
    case 'd':
        return type_of(TYPE_DATE);
    case 't':
        return spec[1] == 's' ? type_of(TYPE_TIMESTAMP) : type_varchar(0);
    case 'v':
        return type_varchar(atoi(spec + 1));
    case 'c':
        return type_char(atoi(spec + 1));
    default:
        ck_abort_msg("type %s", spec);
        return type_of(TYPE_UNKNOWN);
    }
}

/* "NULL" is NULL. */
UNUSED static Value fixture_value(Arena *arena, Type type, const char *text)
{
    Value value = value_null(type);
    if (strcmp(text, "NULL") == 0) {
        return value;
    }
    if (type_is_text(type)) {
        value.is_null = false;
        value.text = text_view_make(arena_strdup(arena, text), strlen(text));
        return value;
    }
    Status status = value_parse(text, strlen(text), type, arena, &value);
    if (status != STATUS_OK) {
        ck_abort_msg("%s: %s", text, status_message(status));
    }
    return value;
}

UNUSED static const char *fixture_print(Arena *arena, const Value *value)
{
    if (value->is_null) {
        return "NULL";
    }
    ByteBuffer buffer;
    byte_buffer_init(&buffer, 0);
    if (type_is_text(value->type)) {
        byte_buffer_add(&buffer, text_view_data(&value->text), value->text.length);
    } else {
        value_print(value, &buffer);
    }
    const char *text = arena_strndup(arena, (const char *)buffer.data, buffer.bytes);
    byte_buffer_deinit(&buffer);
    return text;
}

typedef enum FixtureForm {
    FORM_NARROW,     /* FLAT, narrowest lane over a base */
    FORM_WIDE,       /* FLAT, type_widest_lane */
    FORM_INT64,      /* FLAT; decimals above 18 digits in int64 lanes where they fit */
    FORM_DICTIONARY, /* texts and scaled integers */
    FORM_COUNT
} FixtureForm;

static void fixture_store(const Value *value, Lane lane, int64_t base, uint32_t row, void *lanes)
{
    Int128 number = 0;
    if (lane <= LANE_I128 && value->type.id != TYPE_INTERVAL && !value->is_null) {
        number = value_int128(value);
    }
    uint64_t offset = value->is_null ? (uint64_t)row * 77 : (uint64_t)number - (uint64_t)base;
    switch (lane) {
    case LANE_U8:
        ((uint8_t *)lanes)[row] = (uint8_t)offset;
        break;
    case LANE_U16:
        ((uint16_t *)lanes)[row] = (uint16_t)offset;
        break;
    case LANE_U32:
        ((uint32_t *)lanes)[row] = (uint32_t)offset;
        break;
    case LANE_I64:
        ((int64_t *)lanes)[row] = (int64_t)offset;
        break;
    case LANE_F32:
        ((float *)lanes)[row] = value->is_null ? 0 : (float)value->f64;
        break;
    case LANE_F64:
        ((double *)lanes)[row] = value->is_null ? 0 : value->f64;
        break;
    case LANE_TEXT:
        if (!value->is_null) {
            ((TextView *)lanes)[row] = value->text;
        }
        break;
    default:
        if (!value->is_null) {
            memcpy((char *)lanes + row * 16, &value->i128, 16);
        }
        break;
    }
}

/* Lanes of null rows hold garbage where the contract allows it. */
UNUSED static Vector fixture_vector(Arena *arena, Type type, const Value *values, uint32_t count,
                                    FixtureForm form)
{
    static uint64_t last_identity = 1000;
    Vector vector = {.type = type, .form = VECTOR_FLAT, .lane = (uint8_t)type_widest_lane(type)};
    bool is_text = type_is_text(type), fits = true, is_first = true, has_null = false;
    bool is_exact = type_is_scaled_integer(type) || type.id == TYPE_DECIMAL;
    for (uint32_t i = 0; i < count; i++) {
        const Value *value = &values[i];
        has_null |= value->is_null;
        if (value->is_null) {
            continue;
        }
        if (is_text) {
            const char *text = text_view_data(&value->text);
            vector.has_trailing_blanks |=
                value->text.length > 0 && text[value->text.length - 1] == ' ';
        } else if (is_exact) {
            Int128 number = value_int128(value);
            fits &= number == (int64_t)number;
            vector.lo = is_first || number < vector.lo ? (int64_t)number : vector.lo;
            vector.hi = is_first || number > vector.hi ? (int64_t)number : vector.hi;
            is_first = false;
        }
    }
    if (has_null) {
        uint64_t *validity = ARENA_ARRAY(arena, uint64_t, VALIDITY_WORDS);
        for (uint32_t i = 0; i < count; i++) {
            if (!values[i].is_null) {
                validity_set(validity, i);
            }
        }
        vector.validity = validity;
    }
    if (is_exact && fits && form != FORM_WIDE) {
        uint64_t span = (uint64_t)vector.hi - (uint64_t)vector.lo;
        vector.lane = LANE_I64;
        if (form == FORM_NARROW && span <= UINT32_MAX && vector.lo < INT64_MAX - UINT32_MAX) {
            vector.lane = span <= UINT8_MAX ? LANE_U8 : span <= UINT16_MAX ? LANE_U16 : LANE_U32;
            vector.base = vector.lo;
        }
    }
    if (form == FORM_DICTIONARY && (is_text || (type_is_scaled_integer(type) && fits))) {
        Lane lane = is_text ? LANE_TEXT : LANE_I64;
        void *entries = arena_alloc_aligned(arena, (count + 1) * lane_bytes(lane) + 64, 64);
        uint16_t *codes = arena_alloc_aligned(arena, (count + 1) * 2 + 64, 64);
        for (uint32_t i = 0; i < count; i++) { // entries in reverse: unsorted
            fixture_store(&values[i], lane, 0, count - 1 - i, entries);
            if (values[i].is_null && lane == LANE_I64) {
                ((int64_t *)entries)[count - 1 - i] = vector.lo;
            }
            codes[i] = (uint16_t)(count - 1 - i);
        }
        Dictionary *dictionary = ARENA_NEW(arena, Dictionary);
        *dictionary = (Dictionary){.lane = lane,
                                   .entry_count = count,
                                   .entries = entries,
                                   .identity = count % 2 == 0 ? ++last_identity : 0};
        vector.form = VECTOR_DICTIONARY;
        vector.lane = LANE_U16;
        vector.base = 0;
        vector.data = codes;
        vector.dictionary = dictionary;
        return vector;
    }
    void *lanes = arena_alloc_aligned(arena, (count + 1) * lane_bytes((Lane)vector.lane) + 64, 64);
    for (uint32_t i = 0; i < count; i++) {
        fixture_store(&values[i], (Lane)vector.lane, vector.base, i, lanes);
    }
    vector.data = lanes;
    return vector;
}

UNUSED static Batch fixture_batch(Vector *columns, uint32_t column_count, uint32_t row_count)
{
    return (Batch){.row_count = row_count,
                   .selected_count = row_count,
                   .columns = columns,
                   .column_count = column_count};
}

/* --- tables of calls --- */

#define CASE_ARGS_MAX 4
typedef struct CallCase {
    FunctionId function;             /* 0: an explicit CAST to `type` */
    const char *type;                /* of the result */
    const char *expected;            /* text; "!22003" an error */
    const char *args[CASE_ARGS_MAX]; /* "i4:12" */
} CallCase;

typedef struct CaseArgs {
    uint32_t count;
    Type types[CASE_ARGS_MAX];
    Value values[CASE_ARGS_MAX];
} CaseArgs;

static CaseArgs fixture_args(Arena *arena, const CallCase *one)
{
    CaseArgs args = {0};
    for (; args.count < CASE_ARGS_MAX && one->args[args.count] != NULL; args.count++) {
        const char *text = strchr(one->args[args.count], ':');
        ck_assert_ptr_nonnull(text);
        args.types[args.count] = fixture_type(
            arena_strndup(arena, one->args[args.count], (size_t)(text - one->args[args.count])));
        args.values[args.count] = fixture_value(arena, args.types[args.count], text + 1);
    }
    return args;
}

static Expr *fixture_call(Arena *arena, const CallCase *one, uint32_t arg_count, Expr **args)
{
    Type type = fixture_type(one->type);
    return one->function == 0 ? expr_cast(arena, args[0], type, true)
                              : expr_call(arena, one->function, type, arg_count, args);
}

static bool fixture_matches(const char *expected, const char *got)
{
    return strcmp(expected, got) == 0;
}

/* One outcome against the expectation; frees the status. */
static void fixture_check(Arena *arena, const CallCase *one, uint32_t number, const char *how,
                          Status status, const Value *value)
{
    char got[256];
    if (status != STATUS_OK) {
        snprintf(got, sizeof got, "!%s", status_sqlstate_code(status));
    } else {
        snprintf(got, sizeof got, "%s", fixture_print(arena, value));
    }
    ck_assert_msg(fixture_matches(one->expected, got),
                  "case %u, function %s(%s, %s), %s: expected %s, got %s (%s)", number,
                  one->function == 0 ? one->type : function_name(one->function),
                  one->args[0] ? one->args[0] : "", one->args[1] ? one->args[1] : "", how,
                  one->expected, got, status == STATUS_OK ? "" : status_message(status));
    status_free(status);
}

#define CASE_ROWS 70
/* Even rows hold the case's arguments, odd rows NULL in the first one. Column forms differ by
 * round; `constant_from`: arguments from this one on are constants. `is_failing_hidden`: only the
 * odd rows are selected. */
static void fixture_run_columns(Arena *arena, const CallCase *one, uint32_t number,
                                FixtureForm form, uint32_t constant_from, bool is_failing_hidden)
{
    CaseArgs args = fixture_args(arena, one);
    Vector columns[CASE_ARGS_MAX];
    Expr **exprs = ARENA_ARRAY(arena, Expr *, CASE_ARGS_MAX);
    for (uint32_t i = 0; i < args.count; i++) {
        Value *values = ARENA_ARRAY(arena, Value, CASE_ROWS);
        for (uint32_t row = 0; row < CASE_ROWS; row++) {
            values[row] = row % 2 == 1 && i == 0 ? value_null(args.types[i]) : args.values[i];
        }
        columns[i] = fixture_vector(arena, args.types[i], values, CASE_ROWS, form);
        exprs[i] = i < constant_from ? expr_column(arena, i, args.types[i])
                                     : expr_constant(arena, &args.values[i]);
    }
    Expr *call = fixture_call(arena, one, args.count, exprs);
    ExprProgram *program;
    Status status = expr_compile(arena, &call, 1, args.types, args.count, &program);
    if (status != STATUS_OK) {
        fixture_check(arena, one, number, "compiling", status, NULL);
        return;
    }
    uint16_t odd[CASE_ROWS];
    Batch batch = fixture_batch(columns, args.count, CASE_ROWS);
    if (is_failing_hidden) {
        batch.selected_count = 0;
        for (uint16_t row = 1; row < CASE_ROWS; row += 2) {
            odd[batch.selected_count++] = row;
        }
        batch.selection = odd;
    }
    ExprState *state = expr_state_create(program, arena);
    const Vector *vector;
    expr_begin(state, &batch);
    status = expr_evaluate(state, 0, &vector);
    if (is_failing_hidden) {
        ck_assert_msg(status == STATUS_OK, "case %u: %s surfaces from a hidden row", number,
                      status == STATUS_OK ? "" : status_message(status));
        for (uint32_t i = 0; i < batch.selected_count; i++) {
            ck_assert(vector_is_null(vector, odd[i]));
        }
        return;
    }
    if (status != STATUS_OK) {
        fixture_check(arena, one, number, "columns", status, NULL);
        return;
    }
    for (uint32_t row = 0; row < CASE_ROWS; row += 2) {
        char how[64];
        snprintf(how, sizeof how, "form %d, constants from %u, row %u", (int)form, constant_from,
                 row);
        Value value = vector_value(vector, row);
        fixture_check(arena, one, number, how, STATUS_OK, &value);
    }
}

/* Every case as constants, as columns of every form, and with some arguments constant. */
UNUSED static void fixture_run_cases(const CallCase *cases, uint32_t count, bool is_strict)
{
    for (uint32_t number = 0; number < count; number++) {
        const CallCase *one = &cases[number];
        Arena *arena = arena_create(NULL, "case");
        CaseArgs args = fixture_args(arena, one);
        Expr **exprs = ARENA_ARRAY(arena, Expr *, CASE_ARGS_MAX);
        for (uint32_t i = 0; i < args.count; i++) {
            exprs[i] = expr_constant(arena, &args.values[i]);
        }
        Expr *call = fixture_call(arena, one, args.count, exprs);
        Value value;
        Status status = expr_evaluate_constant(call, arena, &value);
        fixture_check(arena, one, number, "constant", status, &value);
        for (int form = 0; form < FORM_COUNT && is_strict && args.count > 0; form++) {
            for (uint32_t from = 1; from <= args.count; from++) {
                fixture_run_columns(arena, one, number, (FixtureForm)form, from, false);
                if (one->expected[0] == '!' && one->expected[1] != '0') {
                    fixture_run_columns(arena, one, number, (FixtureForm)form, from, true);
                }
            }
        }
        arena_destroy(arena);
    }
}

UNUSED static int fixture_run_suite(const char *name, TCase *const *tcases, uint32_t count)
{
    Suite *suite = suite_create(name);
    for (uint32_t i = 0; i < count; i++) {
        suite_add_tcase(suite, tcases[i]);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
