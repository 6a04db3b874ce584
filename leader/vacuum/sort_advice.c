/*
 * sort_advice.c — counts by table and column in sets of WAYS places each; the least used one gives
 * way.
 */
#include "leader/vacuum/sort_advice.h"

#include "base/hash.h"
#include "base/heap.h"
#include "base/mutex.h"
#include "compute/expression/expr_eval.h"

enum { SETS = 256, WAYS = 4, COLUMNS = 16, USES_MAX = 1 << 20, SEEN_MAX = 32 };

typedef struct ColumnUses {
    uint32_t column_id, uses; /* uses 0: free */
} ColumnUses;

typedef struct TableUses {
    uint64_t table_id; /* 0: free */
    uint32_t uses;
    ColumnUses columns[COLUMNS];
} TableUses;

struct SortAdvice {
    Mutex mutex;
    TableUses tables[SETS][WAYS];
};

/* One plan on its way through the counts. An UPDATE scans its table twice: that is one use. */
typedef struct PlanReader {
    SortAdvice *advice;
    const CatalogVersion *catalog;
    Arena *arena; /* null until it is needed */
    uint32_t seen_count;
    struct {
        uint64_t table_id;
        uint32_t column_id;
    } seen[SEEN_MAX]; /* more are counted as often as they come */
} PlanReader;

SortAdvice *sort_advice_create(void)
{
    SortAdvice *advice = heap_alloc_zeroed(sizeof *advice);
    if (advice != NULL) {
        mutex_init(&advice->mutex, MUTEX_RANK_CATALOG);
    }
    return advice;
}

void sort_advice_destroy(SortAdvice *advice)
{
    if (advice != NULL) {
        mutex_deinit(&advice->mutex);
        heap_free(advice);
    }
}

static TableUses *set_of(SortAdvice *advice, uint64_t table_id)
{
    return advice->tables[hash_mix(table_id) % SETS];
}

static TableUses *find_table(SortAdvice *advice, uint64_t table_id)
{
    TableUses *set = set_of(advice, table_id);
    for (int i = 0; i < WAYS; i++) {
        if (set[i].table_id == table_id) {
            return &set[i];
        }
    }
    return NULL;
}

static TableUses *find_or_make_table(SortAdvice *advice, uint64_t table_id)
{
    TableUses *found = find_table(advice, table_id);
    if (found != NULL) {
        return found;
    }
    TableUses *set = set_of(advice, table_id), *least = set;
    for (int i = 1; i < WAYS; i++) {
        least = set[i].uses < least->uses ? &set[i] : least;
    }
    *least = (TableUses){.table_id = table_id};
    return least;
}

/* What was long ago counts less than what is asked today. */
static void age(TableUses *table)
{
    table->uses /= 2;
    for (int i = 0; i < COLUMNS; i++) {
        table->columns[i].uses /= 2;
    }
}

static void count_use(TableUses *table, uint32_t column_id)
{
    ColumnUses *least = table->columns;
    for (int i = 0; i < COLUMNS; i++) {
        ColumnUses *column = &table->columns[i];
        if (column->uses > 0 && column->column_id == column_id) {
            column->uses++;
            return;
        }
        least = column->uses < least->uses ? column : least;
    }
    *least = (ColumnUses){.column_id = column_id, .uses = 1};
}

/* Whether sorted rows would be found by it. */
static bool narrows(const Predicate *predicate)
{
    return predicate->kind == PREDICATE_RANGE || predicate->kind == PREDICATE_IN;
}

/* True the first time. */
static bool note_column(PlanReader *reader, uint64_t table_id, uint32_t column_id)
{
    for (uint32_t i = 0; i < reader->seen_count; i++) {
        if (reader->seen[i].table_id == table_id && reader->seen[i].column_id == column_id) {
            return false;
        }
    }
    if (reader->seen_count < SEEN_MAX) {
        reader->seen[reader->seen_count].table_id = table_id;
        reader->seen[reader->seen_count++].column_id = column_id;
    }
    return true;
}

/* The ids of columns that the scan's conjuncts narrow and that no former scan did. */
static uint32_t find_columns(PlanReader *reader, const PlanScan *scan, uint32_t *ids)
{
    uint32_t count = 0;
    reader->arena = reader->arena == NULL ? arena_create(NULL, "sort_advice") : reader->arena;
    for (uint32_t i = 0; i < scan->filter_count && count < COLUMNS; i++) {
        Predicate predicate;
        uint32_t column = 0;
        bool is_exact;
        if (!expr_to_predicate(scan->filters[i], reader->arena, &column, &predicate, &is_exact) ||
            !narrows(&predicate) || column >= scan->column_count) {
            continue;
        }
        const uint32_t id = scan->table->columns[scan->columns[column]].column_id;
        if (note_column(reader, scan->table->table_id, id)) {
            ids[count++] = id;
        }
    }
    return count;
}

static void note_scan(PlanReader *reader, const PlanScan *scan)
{
    const TableEntry *entry = catalog_version_table_by_id(reader->catalog, scan->table->table_id);
    uint32_t ids[COLUMNS];
    if (entry == NULL || !entry->table.is_auto_sorted ||
        scan->node.estimated_rows > entry->table.row_count / 2) {
        return;
    }
    const uint32_t count = find_columns(reader, scan, ids);
    if (count == 0) {
        return;
    }
    mutex_lock(&reader->advice->mutex);
    TableUses *table = find_or_make_table(reader->advice, scan->table->table_id);
    for (uint32_t i = 0; i < count; i++) {
        count_use(table, ids[i]);
    }
    if (++table->uses >= USES_MAX) {
        age(table);
    }
    mutex_unlock(&reader->advice->mutex);
}

static void note_node(void *object, PlanNode *node)
{
    if (node->kind == PLAN_SCAN && ((const PlanScan *)node)->filter_count > 0) {
        note_scan(object, (const PlanScan *)node);
    }
    plan_node_children(node, note_node, object);
}

void sort_advice_note(SortAdvice *advice, const CatalogVersion *catalog, const Plan *plan)
{
    PlanReader reader = {.advice = advice, .catalog = catalog};
    for (uint32_t i = 0; i < plan->fragment_count; i++) {
        note_node(&reader, plan->fragments[i].root);
    }
    arena_destroy(reader.arena);
}

static uint32_t uses_of(const TableUses *uses, uint32_t column_id)
{
    for (int i = 0; i < COLUMNS; i++) {
        if (uses->columns[i].uses > 0 && uses->columns[i].column_id == column_id) {
            return uses->columns[i].uses;
        }
    }
    return 0;
}

int32_t sort_advice_choose(SortAdvice *advice, const CatalogTable *table)
{
    int32_t best = -1;
    uint32_t best_uses = SORT_ADVICE_USES_MIN - 1;
    if (!table->is_auto_sorted) {
        return -1;
    }
    mutex_lock(&advice->mutex);
    const TableUses *uses = find_table(advice, table->table_id);
    if (uses != NULL && table->sort_key_count > 0) {
        const uint32_t now = uses_of(uses, table->columns[table->sort_keys[0]].column_id);
        best_uses = 2 * now > best_uses + 1 ? 2 * now - 1 : best_uses;
    }
    for (uint32_t i = 0; uses != NULL && i < table->column_count; i++) {
        const uint32_t column = uses_of(uses, table->columns[i].column_id);
        const bool is_key = table->sort_key_count > 0 && table->sort_keys[0] == i;
        if (!is_key && column > best_uses) {
            best_uses = column;
            best = (int32_t)i;
        }
    }
    mutex_unlock(&advice->mutex);
    return best;
}
