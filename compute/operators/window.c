/* window.c — not built yet: says so. */
#include "compute/operators/window.h"

Status window_create(QueryContext *query, const PlanWindow *plan, Sink **sink, Source **source)
{
    (void)query;
    (void)plan;
    (void)sink;
    (void)source;
    return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED, "window functions are not supported yet");
}
