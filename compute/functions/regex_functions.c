/*
 * regex_functions.c — the operators ~ and ~*: POSIX regular expressions, by PCRE2 (its only door).
 *
 * As in PostgreSQL `.` takes a line feed, `^` and `$` mean the ends of the text, and a match
 * anywhere is a match. A constant pattern is compiled once, with PCRE2's machine code where the
 * processor has it; one that comes from a column is compiled when it differs from the last row's.
 * Matching is bounded: a pattern that goes back and forth without end fails with 54001.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "compute/functions/function.h"

#define MATCH_STEPS_MAX 1000000u /* per text */
#define MATCH_HEAP_KIB_MAX 1024u /* of the interpreter */

/* What one call keeps between rows: its worker's own. */
typedef struct RegexState {
    pcre2_match_data *match;
    pcre2_match_context *context;
    pcre2_code *last_code;      /* of a pattern that is no constant */
    char *last_text;
    size_t last_bytes, last_capacity;
} RegexState;

static Status compile(const char *pattern, size_t bytes, bool is_case_ignored, pcre2_code **out)
{
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY |
                       PCRE2_NEVER_BACKSLASH_C | (is_case_ignored ? PCRE2_CASELESS : 0);
    int error = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, bytes, options, &error, &offset, NULL);
    if (code == NULL) {
        char message[128] = "";
        pcre2_get_error_message(error, (PCRE2_UCHAR *)message, sizeof message);
        return status_error(SQLSTATE_INVALID_REGULAR_EXPRESSION,
                            "invalid regular expression: %s", message);
    }
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); // without it the interpreter matches
    *out = code;
    return STATUS_OK;
}

static void free_code(void *code)
{
    pcre2_code_free(code);
}

static Status prepare_regex(const Expr *call, const Value *const *constants, Arena *arena,
                            const void **prepared)
{
    pcre2_code *code = NULL;
    if (constants[1] == NULL || constants[1]->is_null) {
        return STATUS_OK;
    }
    TRY(compile(text_view_data(&constants[1]->text), constants[1]->text.length,
                call->function == FUNCTION_REGEX_MATCH_NO_CASE, &code));
    arena_on_reset(arena, free_code, code);
    *prepared = code;
    return STATUS_OK;
}

static void free_state(void *object)
{
    RegexState *state = object;
    pcre2_match_data_free(state->match);
    pcre2_match_context_free(state->context);
    pcre2_code_free(state->last_code);
}

static Status state_of(FunctionFrame *frame, RegexState **out)
{
    if (frame->state == NULL) {
        RegexState *state = ARENA_NEW(frame->worker_arena, RegexState);
        state->match = pcre2_match_data_create(1, NULL);
        state->context = pcre2_match_context_create(NULL);
        arena_on_reset(frame->worker_arena, free_state, state);
        if (state->match == NULL || state->context == NULL) {
            return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a regular expression");
        }
        pcre2_set_match_limit(state->context, MATCH_STEPS_MAX);
        pcre2_set_heap_limit(state->context, MATCH_HEAP_KIB_MAX);
        frame->state = state;
    }
    *out = frame->state;
    return STATUS_OK;
}

/* The code of a row's own pattern, kept until another one comes. */
static Status row_code(FunctionFrame *frame, RegexState *state, const TextView *pattern,
                       bool is_case_ignored, const pcre2_code **out)
{
    const char *text = text_view_data(pattern);
    size_t bytes = pattern->length;
    bool is_same = state->last_code != NULL && state->last_bytes == bytes &&
                   (bytes == 0 || memcmp(state->last_text, text, bytes) == 0);
    if (!is_same) {
        pcre2_code *code = NULL;
        TRY(compile(text, bytes, is_case_ignored, &code));
        pcre2_code_free(state->last_code);
        state->last_code = code;
        if (bytes > state->last_capacity) { // doubled: the arena keeps the old ones
            state->last_capacity = 2 * bytes;
            state->last_text = arena_alloc(frame->worker_arena, state->last_capacity);
        }
        if (bytes > 0) {
            memcpy(state->last_text, text, bytes);
        }
        state->last_bytes = bytes;
    }
    *out = state->last_code;
    return STATUS_OK;
}

static Status match(FunctionFrame *frame, const Slot *args, bool is_case_ignored, Slot *result)
{
    RegexState *state = NULL;
    const pcre2_code *code = frame->prepared;
    TRY(state_of(frame, &state));
    if (code == NULL) {
        TRY(row_code(frame, state, &args[1].text, is_case_ignored, &code));
    }
    PCRE2_SPTR text = (PCRE2_SPTR)text_view_data(&args[0].text);
    size_t bytes = args[0].text.length;
    int answer = pcre2_match(code, text, bytes, 0, 0, state->match, state->context);
    if (answer == PCRE2_ERROR_JIT_STACKLIMIT) { // the interpreter keeps its stack on the heap
        answer = pcre2_match(code, text, bytes, 0, PCRE2_NO_JIT, state->match, state->context);
    }
    if (answer < 0 && answer != PCRE2_ERROR_NOMATCH) {
        char message[128] = "";
        pcre2_get_error_message(answer, (PCRE2_UCHAR *)message, sizeof message);
        return status_error(SQLSTATE_STATEMENT_TOO_COMPLEX, "regular expression failed: %s",
                            message);
    }
    result->i64 = answer != PCRE2_ERROR_NOMATCH;
    return STATUS_OK;
}

static Status call_regex_match(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return match(frame, args, false, result);
}

static Status call_regex_match_no_case(FunctionFrame *frame, const Slot *args, Slot *result)
{
    return match(frame, args, true, result);
}

const FunctionEntry regex_functions[] = {
    {FUNCTION_REGEX_MATCH, call_regex_match, prepare_regex, true},
    {FUNCTION_REGEX_MATCH_NO_CASE, call_regex_match_no_case, prepare_regex, true},
    {0},
};
