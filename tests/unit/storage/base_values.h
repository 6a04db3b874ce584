/* base_values.h — a base column of any values, for tests of differences. */
#pragma once
#include "storage/encoding/encoding.h"

typedef struct BaseValues {
    BaseReader reader; /* set DecodeBuffer.bases to it */
    const int64_t *values;
    uint32_t column_id, read_count;
    Vector vector;
} BaseValues;

static inline Status base_values_read(BaseReader *reader, const Block *block, uint32_t column_id,
                                      uint32_t vector, const Vector **out)
{
    BaseValues *self = (BaseValues *)reader;
    if (column_id != self->column_id) {
        return block_damaged(block, "another base was asked for");
    }
    self->read_count++;
    self->vector = (Vector){.type = block->type,
                            .lane = LANE_I64,
                            .form = VECTOR_FLAT,
                            .lo = INT64_MIN,
                            .hi = INT64_MAX,
                            .data = self->values + (size_t)vector * VECTOR_ROWS};
    *out = &self->vector;
    return STATUS_OK;
}

static inline BaseValues base_values(const int64_t *values, uint32_t column_id)
{
    return (BaseValues){.reader.read = base_values_read, .values = values, .column_id = column_id};
}
