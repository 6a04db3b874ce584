/*
 * operator.h — the three tables every operator is made of: source, transform, sink.
 *
 * A pipeline is source -> transforms -> sink; all loops that move batches live in pipeline.c. A
 * hash join is a sink (build) and a transform (probe); aggregate and sort are a sink and a source;
 * an exchange is a sink on one node and a source on another. State shared by all workers is the
 * object itself (`self`); state of one worker is `local`, zeroed memory of `local_bytes` that the
 * pipeline makes per worker. `worker_arena` lives until the worker's local_close. Plans are
 * read-only.
 *
 * Batches are views: what `produce` or `apply` gives lives until the next call with that `local`.
 */
#pragma once
#include "base/vector/batch.h"
#include "compute/exec/query_context.h"

typedef enum Flow {
    FLOW_MORE,   /* next input, please */
    FLOW_AGAIN,  /* same input again: the output batch was full (transforms) */
    FLOW_DONE,   /* nothing more is needed or will come: stop the pipeline early */
    FLOW_BLOCKED /* source or sink at the network: park me until woken */
} Flow;

typedef struct Source Source;
typedef struct Transform Transform;
typedef struct Sink Sink;
struct Pipeline;

typedef struct SourceOps {
    const char *name; /* as EXPLAIN prints it */
    size_t local_bytes;
    Status (*open)(Source *self, QueryContext *query); /* once, before any worker */
    Status (*local_open)(Source *self, void *local,
                         Arena *worker_arena); /* once per worker; may be null */
    /* A batch (FLOW_MORE), or FLOW_DONE with the last rows or none, or FLOW_BLOCKED. */
    Status (*produce)(Source *self, void *local, Batch *out, Flow *flow);
    void (*local_close)(Source *self, void *local); /* may be null */
    /* Once, when all workers have ended, with or without the last row: who makes rows for it must
     * not wait for somebody to take them. May be null. */
    void (*stop)(Source *self);
    void (*close)(Source *self); /* once, last, also on error */
    /* How many workers can be of use, asked when the pipeline starts (0: unknown). May be null. */
    uint32_t (*parallelism)(Source *self);
    /* Asked when the pipeline starts: true when there is nothing to give. May be null. */
    bool (*is_done)(Source *self);
} SourceOps;

typedef struct TransformOps {
    const char *name;
    size_t local_bytes;
    Status (*open)(Transform *self, QueryContext *query);
    Status (*local_open)(Transform *self, void *local, Arena *worker_arena);
    /* `in` is the same batch again after FLOW_AGAIN. An empty `out` is skipped. */
    Status (*apply)(Transform *self, void *local, Batch *in, Batch *out, Flow *flow);
    /* After the source has ended: rows still held back by this worker; FLOW_AGAIN for more,
     * FLOW_DONE at the end. May be null. */
    Status (*flush)(Transform *self, void *local, Batch *out, Flow *flow);
    void (*local_close)(Transform *self, void *local);
    void (*close)(Transform *self);
    /* Asked when the pipeline starts: true when nothing can come out whatever goes in (an inner
     * join with no build rows): the pipeline then ends without running its source. May be null. */
    bool (*is_done)(Transform *self);
} TransformOps;

typedef struct SinkOps {
    const char *name;
    size_t local_bytes;
    Status (*open)(Sink *self, QueryContext *query);
    Status (*local_open)(Sink *self, void *local, Arena *worker_arena);
    /* FLOW_BLOCKED: nothing of `in` was taken that must not be offered again: the same batch comes
     * again after the wake. */
    Status (*consume)(Sink *self, void *local, Batch *in, Flow *flow);
    /* Once per worker after its last batch; may be called by several workers at once.
     * FLOW_BLOCKED: call again after the wake. */
    Status (*merge)(Sink *self, void *local, Flow *flow);
    /* Once, after all merges; FLOW_BLOCKED: call again after the wake. */
    Status (*finish)(Sink *self, Flow *flow);
    /* Null, or appends what was done to a table: its id, how many rows were deleted (both u64), and
     * a blob as table_writer_statistics makes it, empty for a deletion. After the run has
     * succeeded. */
    void (*add_write)(const Sink *self, ByteBuffer *target);
    void (*local_close)(Sink *self, void *local);
    void (*close)(Sink *self);
    bool takes_masks; /* `in` may have its rows in the mask alone (batch_is_masked) */
} SinkOps;

/* What EXPLAIN ANALYZE shows of an operator; the pipeline counts rows and time by itself. */
typedef struct OperatorStatistics {
    uint64_t rows, time_ns; /* atomic, added once per worker */
    /* Set by the operator at close: */
    uint64_t bytes, blocks_read, blocks_skipped, blocks_from_disk, row_groups_from_zone_maps;
    uint64_t spilled_bytes;
    char variant[48];
} OperatorStatistics;

/* The common heads; every operator struct begins with one of them. */
struct Source {
    const SourceOps *ops;
    uint32_t plan_node_id;
    uint32_t output_count;
    const Type *output_types;
    struct Pipeline *pipeline; /* set by the builder: for wakers */
    OperatorStatistics statistics;
};
struct Transform {
    const TransformOps *ops;
    uint32_t plan_node_id;
    uint32_t output_count;
    const Type *output_types;
    OperatorStatistics statistics;
};
struct Sink {
    const SinkOps *ops;
    uint32_t plan_node_id;
    struct SinkGroup *group; /* set by the builder: for wakers */
    OperatorStatistics statistics;
};

static inline void source_init(Source *source, const SourceOps *ops, const PlanNode *node)
{
    *source = (Source){.ops = ops,
                       .plan_node_id = node->id,
                       .output_count = node->output_count,
                       .output_types = node->output_types};
}
static inline void transform_init(Transform *transform, const TransformOps *ops,
                                  const PlanNode *node)
{
    *transform = (Transform){.ops = ops,
                             .plan_node_id = node->id,
                             .output_count = node->output_count,
                             .output_types = node->output_types};
}
static inline void sink_init(Sink *sink, const SinkOps *ops, const PlanNode *node)
{
    *sink = (Sink){.ops = ops, .plan_node_id = node->id};
}

/* What open() hands to the network: wakes the parked workers of this source or sink. */
Waker source_waker(Source *source);
Waker sink_waker(Sink *sink);
/* Whether the source's batches go to a sink that takes masks, and to nobody else. */
bool source_may_mask(const Source *source);
