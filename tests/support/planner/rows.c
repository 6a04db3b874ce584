/* rows.c — lists of rows, their text, and where a table's rows lie. */
#include "tests/support/planner/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/types/text_format.h"
#include "base/vector/distribution_hash.h"

Rows *rows_create(Arena *arena, uint32_t column_count)
{
    Rows *rows = ARENA_NEW(arena, Rows);
    rows->arena = arena;
    rows->column_count = column_count;
    return rows;
}

Value *rows_add(Rows *rows)
{
    if (rows->count == rows->capacity) {
        Value **old = rows->items;
        rows->capacity = rows->capacity * 2 + 8;
        rows->items = ARENA_ARRAY(rows->arena, Value *, rows->capacity);
        if (rows->count > 0) {
            memcpy(rows->items, old, rows->count * sizeof(*old));
        }
    }
    Value *values = ARENA_ARRAY(rows->arena, Value, rows->column_count);
    rows->items[rows->count++] = values;
    return values;
}

void rows_add_copy(Rows *rows, const Value *values)
{
    Value *copy = rows_add(rows);
    if (rows->column_count > 0) {
        memcpy(copy, values, rows->column_count * sizeof(*copy));
    }
}

static int compare_lines(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

const char *rows_print(const Rows *rows, bool is_ordered)
{
    const char **lines = ARENA_ARRAY(rows->arena, const char *, rows->count);
    ByteBuffer buffer;
    byte_buffer_init(&buffer, 1u << 26);
    for (uint32_t i = 0; i < rows->count; i++) {
        byte_buffer_clear(&buffer);
        for (uint32_t k = 0; k < rows->column_count; k++) {
            byte_buffer_printf(&buffer, "%s", k == 0 ? "" : "|");
            const Value *value = &rows->items[i][k];
            if (value->is_null) {
                byte_buffer_printf(&buffer, "NULL");
            } else {
                value_print(value, &buffer);
            }
        }
        lines[i] = arena_strndup(rows->arena, (const char *)buffer.data, buffer.bytes);
    }
    if (!is_ordered && rows->count > 0) {
        qsort(lines, rows->count, sizeof(*lines), compare_lines);
    }
    byte_buffer_clear(&buffer);
    for (uint32_t i = 0; i < rows->count; i++) {
        byte_buffer_printf(&buffer, "%s\n", lines[i]);
    }
    const char *text = arena_strndup(rows->arena, (const char *)buffer.data, buffer.bytes);
    byte_buffer_deinit(&buffer);
    return text;
}

int row_node(DistributionStyle style, int32_t distribution_column, const Value *row,
             uint32_t row_index, uint32_t node_count)
{
    if (style == DISTRIBUTION_STYLE_ALL) {
        return -1;
    }
    if (style == DISTRIBUTION_STYLE_EVEN || distribution_column < 0) {
        return (int)(row_index % node_count);
    }
    uint64_t hash = distribution_hash_value(&row[distribution_column]);
    return (int)((uint64_t)bucket_of_hash(hash) * node_count / BUCKET_COUNT);
}
