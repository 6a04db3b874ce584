/*
 * column_sketch.h — what loading learns of a column: rows, nulls, bounds, distinct count, a sample.
 *
 * Nodes make sketches while they write and send them with the answer to the RUN; the leader merges
 * them into the catalog's statistics. Merging is commutative and associative. Distinct counts:
 * HyperLogLog (Flajolet et al. 2007, with Heule's bias-free linear counting below 2.5 m), m =
 * 1,024.
 */
#pragma once
#include "base/byte_buffer.h"
#include "base/byte_reader.h"
#include "base/vector/batch.h"

#define SKETCH_REGISTERS 1024
#define SKETCH_TEXT_BYTES 64 /* bounds of text are prefixes */

typedef struct ColumnSketch {
    Type type;
    uint64_t row_count, null_count;
    bool has_bounds;
    Value min, max; /* text points into the buffers below */
    char min_text[SKETCH_TEXT_BYTES], max_text[SKETCH_TEXT_BYTES];
    uint64_t text_bytes; /* sum of lengths */
    uint8_t registers[SKETCH_REGISTERS];
} ColumnSketch;

void column_sketch_init(ColumnSketch *sketch, Type type);
/* Adds the selected rows of one column. */
void column_sketch_add(ColumnSketch *sketch, const Vector *vector, const Batch *batch);
/* The parts of it, for writers that know counts and bounds already. Only distinct values matter to
 * the registers: dictionaries are added once per entry, runs once per run. */
void column_sketch_add_bounds(ColumnSketch *sketch, const Value *min, const Value *max);
void column_sketch_add_int64(ColumnSketch *sketch, const int64_t *values, uint32_t count);
void column_sketch_add_texts(ColumnSketch *sketch, const TextView *texts, uint32_t count);
void column_sketch_add_value(ColumnSketch *sketch, const Value *value);
void column_sketch_merge(ColumnSketch *target, const ColumnSketch *source);
double column_sketch_distinct(const ColumnSketch *sketch);
void column_sketch_encode(const ColumnSketch *sketch, ByteBuffer *target);
Status column_sketch_decode(ByteReader *reader, ColumnSketch *out) CHECKED;

/* A uniform sample of rows (Vitter's algorithm R), at most `rows_max`, kept as values. */
typedef struct RowSample RowSample;
RowSample *row_sample_create(const Type *types, uint32_t column_count, uint32_t rows_max,
                             uint64_t seed);
void row_sample_destroy(RowSample *sample);
Status row_sample_add(RowSample *sample, Batch *batch) CHECKED;
/* Merges by weight: each side stands for the rows it has seen. */
Status row_sample_merge(RowSample *target, const RowSample *source) CHECKED;
/* The same rows with other columns: `sources[i]` is the column of `source` that becomes column i,
 * or negative: then it is `missing[i]` in every row. */
Status row_sample_with_columns(const RowSample *source, const Type *types, uint32_t column_count,
                               const int32_t *sources, const Value *missing,
                               RowSample **out) CHECKED;
uint64_t row_sample_seen(const RowSample *sample);
uint32_t row_sample_count(const RowSample *sample);
void row_sample_encode(const RowSample *sample, ByteBuffer *target);
Status row_sample_decode(ByteReader *reader, const Type *types, uint32_t column_count,
                         RowSample **out) CHECKED;
/* The sampled rows as batches in `arena`. */
Status row_sample_batches(const RowSample *sample, Arena *arena, Batch **out,
                          uint32_t *count) CHECKED;
