/* runtime_filter.c — a list of uses per filter; written while the run opens, only read later. */
#include "compute/operators/runtime_filter.h"

typedef struct FilterUse {
    struct FilterUse *next;
    TableScan *scan;
    uint32_t column;
    Type type;
    ScanPredicate predicates[RUNTIME_FILTER_PREDICATES];
} FilterUse;

struct RuntimeFilters {
    Arena *arena;
    const Plan *plan;
    uint32_t count;
    FilterUse **uses; /* by id - 1 */
};

RuntimeFilters *runtime_filters_create(Arena *query_arena, const Plan *plan)
{
    RuntimeFilters *filters = ARENA_NEW(query_arena, RuntimeFilters);
    filters->arena = query_arena;
    filters->plan = plan;
    filters->count = plan->runtime_filter_count;
    filters->uses = ARENA_ARRAY(query_arena, FilterUse *, filters->count);
    return filters;
}

void runtime_filters_destroy(RuntimeFilters *filters)
{
    if (filters != NULL) {
        filters->count = 0; // the rest is the arena's
    }
}

void runtime_filters_use(RuntimeFilters *filters, uint32_t filter_id, TableScan *scan,
                         uint32_t column, Type type)
{
    if (filter_id == 0 || filter_id > filters->count) {
        return;
    }
    FilterUse *use = ARENA_NEW(filters->arena, FilterUse);
    *use = (FilterUse){
        .next = filters->uses[filter_id - 1], .scan = scan, .column = column, .type = type};
    filters->uses[filter_id - 1] = use;
}

bool runtime_filters_is_used(const RuntimeFilters *filters, uint32_t filter_id)
{
    bool is_known = filter_id > 0 && filter_id <= filters->count;
    return is_known && (filters->uses[filter_id - 1] != NULL ||
                        runtime_filters_exchange(filters, filter_id) != 0);
}

uint32_t runtime_filters_exchange(const RuntimeFilters *filters, uint32_t filter_id)
{
    return filter_id <= filters->count ? plan_runtime_filter_exchange(filters->plan, filter_id) : 0;
}

Type runtime_filters_type(const RuntimeFilters *filters, uint32_t filter_id)
{
    const FilterUse *use = filters->uses[filter_id - 1];
    return use == NULL ? type_of(TYPE_BIGINT) : use->type;
}

void runtime_filters_publish(RuntimeFilters *filters, uint32_t filter_id,
                             const Predicate *predicates, uint32_t predicate_count)
{
    ASSERT(predicate_count <= RUNTIME_FILTER_PREDICATES);
    if (!runtime_filters_is_used(filters, filter_id)) {
        return;
    }
    for (FilterUse *use = filters->uses[filter_id - 1]; use != NULL; use = use->next) {
        for (uint32_t i = 0; i < predicate_count; i++) {
            use->predicates[i] =
                (ScanPredicate){.column = use->column, .predicate = &predicates[i]};
            table_scan_add_predicate(use->scan, &use->predicates[i]);
        }
    }
}
