/*
 * metrics.h — counters and gauges of the process, one line each in metrics.def.
 *
 * Any thread changes any metric at any time; each is one relaxed atomic on a cache line of its own,
 * so a reader sees numbers that were true, not a snapshot of all.
 */
#pragma once
#include "base/byte_buffer.h"

typedef enum MetricId {
#define METRIC(id, name, kind, unit, help) METRIC_##id,
#include "base/metrics.def"
#undef METRIC
    METRIC_COUNT
} MetricId;

typedef enum MetricKind { METRIC_KIND_COUNTER, METRIC_KIND_GAUGE } MetricKind;

typedef struct MetricInfo {
    const char *name; /* as Prometheus has it */
    MetricKind kind;
    const char *unit; /* "" for a count */
    const char *help;
} MetricInfo;

void metric_add(MetricId id, int64_t amount); /* a counter's amount is not negative */
void metric_set(MetricId id, int64_t value);  /* gauges only */
int64_t metric_value(MetricId id);
const MetricInfo *metric_info(MetricId id);
/* All of them in Prometheus' text format 0.0.4. */
void metrics_print(ByteBuffer *buffer);
