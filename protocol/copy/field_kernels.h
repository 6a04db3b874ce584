/*
 * field_kernels.h — the usual shapes of fields into lanes, a column of some rows at a time.
 *
 * A kernel reads what nearly every field looks like (digits, digits with a point, YYYY-MM-DD, text
 * to be taken as it is) eight and more bytes at once. Everything else it marks as odd, and the
 * slow road (field_value.h) decides whether that is NULL, an unusual spelling or an error. A kernel
 * never misreads: what it accepts is exactly what the slow road would give.
 */
#pragma once
#include "base/types/type.h"
#include "base/vector/kernel_level.h"

#define FIELD_GROUP_ROWS 256 /* rows of a column at once; their bytes stay in the first cache */
#define FIELD_MASK_WORDS (FIELD_GROUP_ROWS / 64)

/* What makes a text odd beside its length and NULL; combined as bits. */
enum {
    TEXT_CHECK_BACKSLASH = 1,
    TEXT_CHECK_QUOTE = 2,   /* contains the quote */
    TEXT_CHECK_WRAPPED = 4, /* starts with ' or " */
    TEXT_CHECK_ZERO = 8,
    TEXT_CHECK_UTF8 = 16,
    TEXT_CHECK_FIRST_BLANK = 32, /* starts with a blank */
    TEXT_CHECK_LAST_BLANK = 64,  /* ends with one */
    TEXT_CHECK_EMPTY = 128
};

typedef struct FieldColumn { /* what a kernel knows of its column */
    Type type;
    int64_t value_min, value_max; /* scaled integers */
    uint32_t text_bytes_max;
    uint32_t text_checks;
    uint8_t quote;
    uint8_t null_bytes; /* fields of this length may be NULL */
    const char *null_as;
    bool has_trailing_blanks; /* out: a text that was not odd ends in a blank */
} FieldColumn;

typedef struct FieldSpans { /* fields of one column; 64 bytes behind the data are readable */
    const uint8_t *data;
    uint32_t row_count; /* at most FIELD_GROUP_ROWS */
    uint32_t first[FIELD_GROUP_ROWS], length[FIELD_GROUP_ROWS];
} FieldSpans;

/* Writes `row_count` lanes and sets the bits of odd rows, whose lanes are zero (an empty text). */
typedef void (*FieldKernel)(FieldColumn *column, const FieldSpans *spans, void *lanes,
                            uint64_t odd[FIELD_MASK_WORDS]);

typedef struct FieldKernels {
    FieldKernel booleans, integers, decimals64, decimals128, reals, doubles, dates, timestamps,
        texts;
} FieldKernels;
KERNEL_TABLE(FieldKernels, field_kernels);

/* The kernel for a type and the processor; its lanes are those of type_widest_lane(). */
FieldKernel field_kernel_choose(Type type);
/* Every row odd: for columns whose format the kernels do not know. */
void field_kernel_none(FieldColumn *column, const FieldSpans *spans, void *lanes,
                       uint64_t odd[FIELD_MASK_WORDS]);
