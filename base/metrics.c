/* metrics.c — the values, and their text for Prometheus. */
#include "base/metrics.h"

#include <stdatomic.h>

typedef struct MetricValue {
    _Alignas(64) _Atomic int64_t value; /* a line of its own: neighbours do not slow each other */
} MetricValue;

static MetricValue metric_values[METRIC_COUNT];

static const MetricInfo metric_infos[METRIC_COUNT] = {
#define METRIC(id, name_text, kind_word, unit_text, help_text)                                     \
    [METRIC_##id] = {.name = (name_text),                                                          \
                     .kind = METRIC_KIND_##kind_word,                                              \
                     .unit = (unit_text),                                                          \
                     .help = (help_text)},
#include "base/metrics.def"
#undef METRIC
};

void metric_add(MetricId id, int64_t amount)
{
    DEBUG_ASSERT(amount >= 0 || metric_infos[id].kind == METRIC_KIND_GAUGE);
    atomic_fetch_add_explicit(&metric_values[id].value, amount, memory_order_relaxed);
}

void metric_set(MetricId id, int64_t value)
{
    DEBUG_ASSERT(metric_infos[id].kind == METRIC_KIND_GAUGE);
    atomic_store_explicit(&metric_values[id].value, value, memory_order_relaxed);
}

int64_t metric_value(MetricId id)
{
    return atomic_load_explicit(&metric_values[id].value, memory_order_relaxed);
}

const MetricInfo *metric_info(MetricId id)
{
    return &metric_infos[id];
}

void metrics_print(ByteBuffer *buffer)
{
    static const char *const kind_names[] = {"counter", "gauge"};
    for (int i = 0; i < METRIC_COUNT; i++) {
        const MetricInfo *info = &metric_infos[i];
        byte_buffer_printf(buffer, "# HELP %s %s\n# TYPE %s %s\n%s %ld\n", info->name, info->help,
                           info->name, kind_names[info->kind], info->name,
                           metric_value((MetricId)i));
    }
}
