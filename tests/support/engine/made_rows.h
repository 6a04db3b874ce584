/* made_rows.h — random rows for the engine's suites: few distinct values, many NULLs, odd texts. */
#pragma once
#include "tests/support/engine/plan_make.h"

/* Types that suites go through; see made_type. */
typedef enum MadeType {
    MADE_INTEGER, MADE_BIGINT, MADE_SMALLINT, MADE_BOOLEAN, MADE_DATE, MADE_DECIMAL, MADE_WIDE_DECIMAL,
    MADE_DOUBLE, MADE_REAL, MADE_TIMESTAMP, MADE_SHORT_TEXT, MADE_TEXT, MADE_SPARSE_BIGINT,
    MADE_INTERVAL, MADE_TYPE_COUNT
} MadeType;
Type made_type(MadeType made);
/* One of about `distinct` values of the type; NULL once in `null_every` (0: never). */
Value made_value(Arena *arena, MadeType made, uint32_t distinct, uint32_t null_every,
                 uint64_t *random);
void made_rows_add(MadeTable *table, const MadeType *types, uint32_t row_count, uint32_t distinct,
                   uint32_t null_every, uint64_t *random);
/* Makes room for `bits` low bits in an integer column, and sets them by a hash of the others. */
void made_rows_fix_low_bits(MadeTable *table, uint32_t column, uint32_t bits);
/* Where two lists of lines differ first, in words; "" when they do not. */
const char *lines_difference(Arena *arena, const char *expected, const char *actual);
/* Makes values that SQL finds equal print alike: texts without trailing blanks, no negative zero. */
void rows_canonical(Rows *rows);
