/* made_rows.c — see made_rows.h. */
#include "tests/support/engine/made_rows.h"

#include "base/hash.h"

#include <stdio.h>
#include <string.h>

static uint64_t draw(uint64_t *state, uint64_t limit)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return limit == 0 ? 0 : (*state >> 33) % limit;
}

Type made_type(MadeType made)
{
    switch (made) {
    case MADE_INTEGER:
        return type_of(TYPE_INTEGER);
    case MADE_SMALLINT:
        return type_of(TYPE_SMALLINT);
    case MADE_BOOLEAN:
        return type_of(TYPE_BOOLEAN);
    case MADE_DATE:
        return type_of(TYPE_DATE);
    case MADE_DECIMAL:
        return type_decimal(12, 2);
    case MADE_WIDE_DECIMAL:
        return type_decimal(38, 4);
    case MADE_DOUBLE:
        return type_of(TYPE_DOUBLE);
    case MADE_REAL:
        return type_of(TYPE_REAL);
    case MADE_TIMESTAMP:
        return type_of(TYPE_TIMESTAMP);
    case MADE_SHORT_TEXT:
        return type_char(6);
    case MADE_TEXT:
        return type_varchar(60);
    case MADE_INTERVAL:
        return type_of(TYPE_INTERVAL);
    default:
        return type_of(TYPE_BIGINT);
    }
}

static TextView made_text(Arena *arena, uint64_t number, uint32_t length_max, uint64_t *random)
{
    char text[80];
    // Blanks at the end do not count; long texts share a long prefix.
    const char *prefix = length_max > 20 && number % 3 == 0 ? "a prefix beyond sixteen " : "";
    int length = snprintf(text, sizeof text, "%s%llx", prefix, (unsigned long long)number);
    if (number % 7 == 0) {
        length = 0;
    }
    for (uint32_t blanks = (uint32_t)draw(random, 3); blanks > 0 && (uint32_t)length < length_max;
         blanks--) {
        text[length++] = ' ';
    }
    return text_view_make(arena_memdup(arena, text, (size_t)length + 1), (size_t)length);
}

Value made_value(Arena *arena, MadeType made, uint32_t distinct, uint32_t null_every,
                 uint64_t *random)
{
    Type type = made_type(made);
    if (null_every > 0 && draw(random, null_every) == 0) {
        return value_null(type);
    }
    int64_t number = (int64_t)draw(random, distinct);
    int64_t centred = number - (int64_t)distinct / 3;
    Value value = {.type = type};
    switch (made) {
    case MADE_BOOLEAN:
        value.i64 = number & 1;
        break;
    case MADE_WIDE_DECIMAL:
        value.i128 = (Int128)centred * (number % 2 == 0 ? 1 : INT64_C(1) << 60) * 1000;
        break;
    case MADE_DOUBLE:
    case MADE_REAL:
        value.f64 = number % 11 == 5 ? -0.0 : number % 13 == 7 ? __builtin_nan("") : (double)centred / 4;
        break;
    case MADE_TIMESTAMP:
        value.i64 = centred * INT64_C(86400000000) + number;
        break;
    case MADE_SHORT_TEXT:
        value.text = made_text(arena, (uint64_t)number, 6, random);
        break;
    case MADE_TEXT:
        value.text = made_text(arena, (uint64_t)number, 40, random);
        break;
    case MADE_SPARSE_BIGINT:
        value.i64 = centred * INT64_C(1000000007) * 4099;
        break;
    case MADE_INTERVAL:
        // 30 days equal a month.
        value.interval = (Interval){.months = (int32_t)(number & 1),
                                    .days = (int32_t)(number / 2 % 2) * 30,
                                    .us = number / 4};
        break;
    default:
        value.i64 = centred;
        break;
    }
    return value;
}

void made_rows_add(MadeTable *table, const MadeType *types, uint32_t row_count, uint32_t distinct,
                   uint32_t null_every, uint64_t *random)
{
    for (uint32_t i = 0; i < row_count; i++) {
        Value *row = rows_add(table->rows);
        for (uint32_t c = 0; c < table->rows->column_count; c++) {
            row[c] = made_value(table->rows->arena, types[c], distinct, null_every, random);
        }
    }
}

void made_rows_fix_low_bits(MadeTable *table, uint32_t column, uint32_t bits)
{
    for (uint32_t i = 0; i < table->rows->count; i++) {
        Value *value = &table->rows->items[i][column];
        const uint64_t low = hash_mix((uint64_t)value->i64) & ((UINT64_C(1) << bits) - 1);
        value->i64 = value->is_null ? value->i64 : (int64_t)((uint64_t)value->i64 << bits | low);
    }
}

static uint32_t count_lines(const char *text)
{
    uint32_t lines = 0;
    for (; *text != '\0'; text++) {
        lines += *text == '\n';
    }
    return lines;
}

const char *lines_difference(Arena *arena, const char *expected, const char *actual)
{
    if (strcmp(expected, actual) == 0) {
        return "";
    }
    uint32_t line = 1;
    const char *left = expected;
    const char *right = actual;
    while (*left != '\0' && *right != '\0') {
        size_t left_bytes = strcspn(left, "\n");
        size_t right_bytes = strcspn(right, "\n");
        if (left_bytes != right_bytes || memcmp(left, right, left_bytes) != 0) {
            break;
        }
        left += left_bytes + (left[left_bytes] == '\n');
        right += right_bytes + (right[right_bytes] == '\n');
        line++;
    }
    return arena_printf(arena, "%u lines expected, %u given, line %u:\n  want %.*s\n  got  %.*s",
                        count_lines(expected), count_lines(actual), line,
                        (int)strcspn(left, "\n"), left, (int)strcspn(right, "\n"), right);
}

void rows_canonical(Rows *rows)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        for (uint32_t c = 0; c < rows->column_count; c++) {
            Value *value = &rows->items[i][c];
            if (value->is_null) {
                continue;
            }
            if (type_is_text(value->type)) {
                const char *data = text_view_data(&value->text);
                uint32_t bytes = text_trimmed_length(data, value->text.length);
                value->text = text_view_make(arena_strndup(rows->arena, data, bytes), bytes);
            } else if (type_is_float(value->type) && value->f64 == 0.0) {
                value->f64 = 0.0;
            } else if (value->type.id == TYPE_INTERVAL) {
                value->interval.days += value->interval.months * 30;
                value->interval.months = 0;
            }
        }
    }
}
