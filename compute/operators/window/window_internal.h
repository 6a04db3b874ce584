/*
 * window_internal.h — what a window keeps, and the parts of its work.
 *
 *   window.c      plan -> columns to be computed; the sink: sorted rows by bucket of partition
 *   partition.c   the source: a bucket's partitions one after the other, and their output
 *   rank.c        numbers of rows, ranks, and values of other rows
 *   frame.c       frames, and aggregates over them
 */
#pragma once
#include "compute/exec/memory_share.h"
#include "compute/expression/expr_eval.h"
#include "compute/operators/expr_columns.h"
#include "compute/operators/sort_runs.h"
#include "compute/operators/window.h"

#define WINDOW_BUCKETS 16u
#define WINDOW_NO_FIELD UINT32_MAX

typedef enum WindowColumnKind {
    WINDOW_COLUMN_RANK,      /* a number from the row's place */
    WINDOW_COLUMN_REFERENCE, /* a value of another row */
    WINDOW_COLUMN_AGGREGATE
} WindowColumnKind;

typedef enum WindowOp { WINDOW_OP_COUNT, WINDOW_OP_SUM, WINDOW_OP_MIN, WINDOW_OP_MAX } WindowOp;

/* One column to be computed; a call has one of them, or several (an average: sum and count). */
typedef struct WindowColumn {
    WindowColumnKind kind;
    const WindowCall *call;
    Type type;              /* of the result */
    uint32_t field;         /* of the sorted rows: the argument, or WINDOW_NO_FIELD */
    uint32_t number_field;  /* LAG, LEAD, NTH_VALUE, NTILE: how many */
    uint32_t default_field; /* LAG, LEAD */
    WindowOp op;            /* AGGREGATE */
} WindowColumn;

typedef union WindowValue {
    int64_t i64;
    Int128 i128;
    double f64;
    TextView text; /* bytes belong to the sorted rows */
    Interval interval;
} WindowValue;

/* The results of one column for the rows of the current partition. */
typedef struct WindowResult {
    WindowValue *values; /* RANK, AGGREGATE */
    uint8_t *nulls;
    const uint8_t **rows; /* REFERENCE: the row whose value it is, or null */
} WindowResult;

typedef struct Window {
    Sink sink;
    Source source;
    QueryContext *query;
    const PlanWindow *plan;
    uint32_t child_count; /* columns of the child */
    uint32_t field_count; /* and of the sorted rows: those, then computed arguments */
    Type *field_types;
    ExprColumns arguments; /* the computed ones */
    SortShape shape;
    MemoryShare *share;
    uint32_t bucket_count;
    SortRuns *buckets;
    uint32_t column_count;
    WindowColumn *columns;
    ExprColumns outputs;  /* per call, over the columns */
    uint32_t next_bucket; /* atomic */
} Window;

static inline Window *window_of_source(Source *self)
{
    return (Window *)((char *)self - offsetof(Window, source));
}
extern const SourceOps window_source_ops;

/* The current partition of a worker. */
typedef struct WindowPartition {
    const Window *window;
    const uint8_t **rows; /* in order */
    uint32_t row_count, row_capacity;
    uint32_t *first_peer, *peers_end; /* per row: its peers are [first_peer, peers_end) */
    WindowResult *results;            /* per column */
    size_t memory_bytes;              /* of one allocation that holds all arrays */
    void *memory;
} WindowPartition;

static inline WindowValue window_read(const Window *window, const uint8_t *row, uint32_t field,
                                      bool *is_null)
{
    Value value = row_value(&window->shape.layout, row, field);
    *is_null = value.is_null;
    return (WindowValue){.i128 = value.i128}; // the union's 16 bytes, whatever they are
}

/* Rows [*first, *end) of a row's frame, clipped to the partition. */
void window_frame(const WindowPartition *partition, const WindowCall *call, uint32_t row,
                  uint32_t *first, uint32_t *end);
Status window_aggregate(WindowPartition *partition, uint32_t column) CHECKED;
Status window_rank(WindowPartition *partition, uint32_t column) CHECKED;
Status window_reference(WindowPartition *partition, uint32_t column) CHECKED;
