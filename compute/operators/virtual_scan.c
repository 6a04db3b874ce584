/* virtual_scan.c — the leader computes the whole table at the first call; one worker gives it out.
 */
#include "compute/operators/virtual_scan.h"

typedef struct VirtualScan {
    Source source;
    const PlanVirtualScan *plan;
    const VirtualTables *tables;
    Arena *arena;
    Batch *batches;
    uint32_t batch_count, next_batch;
    bool is_read;
} VirtualScan;

static const SourceOps virtual_scan_ops;

Status virtual_scan_create(QueryContext *query, const PlanVirtualScan *plan, Source **out)
{
    if (query->virtual_tables == NULL) {
        return status_error(SQLSTATE_INTERNAL_ERROR, "view \"%s\" cannot be read here",
                            plan->table_name);
    }
    VirtualScan *scan = ARENA_NEW(query->arena, VirtualScan);
    source_init(&scan->source, &virtual_scan_ops, &plan->node);
    scan->plan = plan;
    scan->tables = query->virtual_tables;
    *out = &scan->source;
    return STATUS_OK;
}

static Status virtual_scan_open(Source *self, QueryContext *query)
{
    ((VirtualScan *)self)->arena = arena_create(query->arena, "virtual scan");
    return STATUS_OK;
}

static Status virtual_scan_produce(Source *self, void *local, Batch *out, Flow *flow)
{
    VirtualScan *scan = (VirtualScan *)self;
    (void)local;
    if (!scan->is_read) {
        TRY(scan->tables->scan(scan->tables->self, scan->plan->table_name, scan->plan->columns,
                               self->output_count, scan->arena, &scan->batches,
                               &scan->batch_count));
        scan->is_read = true;
    }
    if (scan->next_batch == scan->batch_count) {
        *flow = FLOW_DONE;
        return STATUS_OK;
    }
    batch_set_view(out, &scan->batches[scan->next_batch++]);
    *flow = FLOW_MORE;
    return STATUS_OK;
}

static void virtual_scan_close(Source *self)
{
    arena_destroy(((VirtualScan *)self)->arena);
    ((VirtualScan *)self)->arena = NULL;
}

static uint32_t virtual_scan_parallelism(Source *self)
{
    (void)self;
    return 1;
}

static const SourceOps virtual_scan_ops = {
    .name = "Virtual Scan",
    .open = virtual_scan_open,
    .produce = virtual_scan_produce,
    .close = virtual_scan_close,
    .parallelism = virtual_scan_parallelism,
};
