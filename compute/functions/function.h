/*
 * function.h — SQL's scalar functions, one row at a time.
 *
 * A function sees values, not vectors: the loop over rows, nulls, selection and lanes is in
 * compute/expression. Functions that deserve better have kernels there. All functions here are
 * strict: they are not called for rows with a NULL argument.
 */
#pragma once
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "planner/plan/expr.h"

/* One value: integers, booleans, dates and timestamps in `i64`; decimals of any precision in
 * `i128`; floats in `f64`. */
typedef union Slot {
    int64_t i64;
    Int128 i128;
    double f64;
    TextView text;
    Interval interval;
} Slot;

typedef struct FunctionFrame {
    Arena *arena;         /* for text results; they live until the next batch */
    const void *prepared; /* what FunctionPrepare has made, or null */
    Type type;            /* of the result */
    const Type *arg_types;
    uint32_t arg_count;
    Random random;       /* of this call and worker */
    Arena *worker_arena; /* what the call keeps between rows, and `state`, its own: starts null */
    void *state;
    bool is_null; /* set by the function: the result is NULL */
} FunctionFrame;

typedef Status (*ScalarFunction)(FunctionFrame *frame, const Slot *args, Slot *result);
/* Takes constant arguments apart once, when the expression is compiled; `constants[i]` is null for
 * an argument that is not constant. May refuse (0A000, 22023). */
typedef Status (*FunctionPrepare)(const Expr *call, const Value *const *constants, Arena *arena,
                                  const void **prepared);

typedef struct FunctionEntry {
    FunctionId id;
    ScalarFunction call;
    FunctionPrepare prepare; /* may be null */
    bool can_fail;           /* for some non-null arguments; else safe on rows nobody asked for */
} FunctionEntry;

/* Null for functions that are not evaluated row by row. */
const FunctionEntry *function_find(FunctionId id);

/* The functions of each file, ended by an entry without `call`. */
extern const FunctionEntry math_functions[], text_functions[], text_edit_functions[],
    datetime_functions[], format_functions[], regex_functions[], catalog_functions[];

/* Text results are limited to what a VARCHAR holds: 22001. */
Status function_text_space(FunctionFrame *frame, size_t bytes, char **out) CHECKED;
/* A view of at most 12 bytes, without a call to memcpy. */
static inline TextView function_short_view(const char *text, size_t bytes)
{
    uint64_t low = 0;
    uint32_t first, last = 0, high = 0;
    if (bytes >= 4) { // two loads that overlap
        memcpy(&first, text, 4);
        memcpy(&last, text + bytes - 4, 4);
        if (bytes >= 8) {
            memcpy(&low, text, 8);
            high = bytes == 8 ? 0 : last >> 8 * (12 - bytes);
        } else {
            low = first | (uint64_t)last << 8 * (bytes - 4);
        }
    } else if (bytes > 0) {
        low = (uint64_t)(uint8_t)text[0] | (uint64_t)(uint8_t)text[bytes / 2] << 8 * (bytes / 2) |
              (uint64_t)(uint8_t)text[bytes - 1] << 8 * (bytes - 1);
    }
    TextView view = {.length = (uint32_t)bytes};
    memcpy((char *)&view + 4, &low, 8);
    memcpy((char *)&view + 12, &high, 4);
    return view;
}
/* A result of `bytes` bytes at `text`, which must live until the next batch when longer than a
 * view holds. */
static inline void function_set_text(Slot *result, const char *text, size_t bytes)
{
    result->text =
        bytes <= TEXT_INLINE_MAX ? function_short_view(text, bytes) : text_view_make(text, bytes);
}
/* Stores a decimal of `scale` in a result of the frame's type (decimal, integer or float). */
Status function_set_decimal(FunctionFrame *frame, Int128 value, uint32_t scale,
                            Slot *result) CHECKED;
/* A float result: 22003 when it has become infinite although no argument was. */
Status function_set_float(FunctionFrame *frame, double value, bool is_infinite_allowed,
                          Slot *result) CHECKED;
