/* expr_slots.h — lanes to single values and back, for functions that work row by row. */
#pragma once
#include "compute/expression/expr_internal.h"

typedef struct SlotReader {
    const void *lanes;
    int64_t base;
    Lane lane;
    bool is_constant, is_decimal;
} SlotReader;
void slot_reader_init(SlotReader *reader, ExprState *state, const Vector *vector, Type type);
void slot_read(const SlotReader *reader, uint32_t row, Slot *slot);

typedef struct SlotWriter {
    Type type;
    Lane lane;
    VectorBuffer *buffer;
    int64_t lo, hi;
} SlotWriter;
void slot_writer_init(SlotWriter *writer, ExprState *state, Type type);
void slot_write(SlotWriter *writer, uint32_t row, const Slot *slot);
void slot_writer_finish(const SlotWriter *writer, uint32_t row_count, const uint64_t *validity,
                        Register *out);

/* What op_function's nodes have prepared. */
typedef struct ScalarCall {
    ScalarFunction function;
    const void *prepared;
} ScalarCall;
