/* scan.c — what a scan will read: the rows its snapshot sees, less the row groups whose zone maps
 * exclude a predicate and those wholly deleted, cut into units for workers. */
#include <string.h>
#include "base/heap.h"
#include "storage/lookup_filter.h"
#include "storage/scan_internal.h"

static uint32_t unit_vectors(const ScanSource *source, uint32_t row_group)
{
    return (source->footer->row_group_rows[row_group] + VECTOR_ROWS - 1) / VECTOR_ROWS;
}

/* A column the rowset lacks is a constant: its default. */
static PredicateVerdict check_default(const ScanColumnInfo *info, const Predicate *predicate)
{
    return predicate_accepts(predicate, info->default_value) ? PREDICATE_ALL : PREDICATE_NONE;
}

PredicateVerdict scan_check_zone(const TableScan *scan, const ScanSource *source,
                                 uint32_t row_group, const ScanPredicate *predicate)
{
    const ScanColumnInfo *info = &scan->columns[predicate->column];
    const int32_t column = source->columns[predicate->column];
    if (column < 0) {
        return check_default(info, predicate->predicate);
    }
    return zone_record_check(
        &source->footer->zones[rowset_footer_block(source->footer, (uint32_t)column, row_group)],
        info->type, predicate->predicate);
}

static bool row_group_is_excluded(const TableScan *scan, const ScanSource *source,
                                  uint32_t row_group)
{
    for (uint32_t i = 0; i < scan->request.predicate_count; i++) {
        if (scan_check_zone(scan, source, row_group, &scan->request.predicates[i]) ==
            PREDICATE_NONE) {
            return true;
        }
    }
    return false;
}

/* Finds the request's columns by id; a type of another family is damage or a catalog error. */
static Status map_columns(const TableScan *scan, ScanSource *source)
{
    source->columns = ARENA_ARRAY(scan->arena, int32_t, scan->request.column_count + 1);
    for (uint32_t i = 0; i < scan->request.column_count; i++) {
        const ScanColumnInfo *info = &scan->columns[i];
        source->columns[i] = rowset_footer_column(source->footer, info->column_id);
        if (source->columns[i] < 0) {
            continue;
        }
        const Type stored = rowset_footer_type(source->footer, (uint32_t)source->columns[i]);
        if (type_is_text(stored) != type_is_text(info->type) ||
            type_is_scaled_integer(stored) != type_is_scaled_integer(info->type) ||
            stored.scale != info->type.scale) {
            return status_error(SQLSTATE_DATA_CORRUPTED,
                                "column %u of table \"%s\" has another type in rowset %llu",
                                info->column_id, scan->request.table->name,
                                (unsigned long long)source->rows->rowset_id);
        }
    }
    return STATUS_OK;
}

Status scan_name_damage(const TableScan *scan, int32_t column, Status owned_status)
{
    const PlanTable *table = scan->request.table;
    if (owned_status == STATUS_OK || (status_sqlstate(owned_status) != SQLSTATE_DATA_CORRUPTED &&
                                      status_sqlstate(owned_status) != SQLSTATE_IO_ERROR &&
                                      status_sqlstate(owned_status) != SQLSTATE_UNDEFINED_FILE)) {
        return owned_status;
    }
    if (column < 0) {
        return status_with_context(owned_status, "reading table \"%s\"", table->name);
    }
    return status_with_context(owned_status, "reading table \"%s\", column \"%s\"", table->name,
                               table->columns[scan->request.columns[column]].name);
}

/* Rows that are there; row group 0 of an INSERT batch is all of it. */
static uint64_t group_rows(const ScanSource *source, uint32_t row_group)
{
    if (source->rows->kind == ROWS_BATCH) {
        return row_group == 0 ? source->rows->row_count : 0;
    }
    return row_group < source->footer->header->row_group_count
               ? source->footer->row_group_rows[row_group]
               : 0;
}

static uint64_t group_deleted(const ScanSource *source, uint32_t row_group)
{
    const DeletedRows *rows = delete_mask_group(source->deleted, row_group);
    return rows == NULL ? 0 : rows->row_count;
}

/* Rows that the rowset has not cannot be deleted. */
static Status check_deleted(const ScanSource *source)
{
    for (uint32_t i = 0; source->deleted != NULL && i < source->deleted->group_count; i++) {
        const DeletedRows *rows = source->deleted->groups[i];
        if (rows != NULL && rows->row_end > group_rows(source, i)) {
            return status_error(SQLSTATE_DATA_CORRUPTED,
                                "deletes of table %llu, rowset %llu are of rows that it has not",
                                (unsigned long long)source->rows->table_id,
                                (unsigned long long)source->rows->rowset_id);
        }
    }
    return STATUS_OK;
}

static Status open_source(const TableScan *scan, ScanSource *source)
{
    if (source->rows->kind == ROWS_BATCH) {
        return check_deleted(source);
    }
    TRY(rowset_footer(source->rows->rowset, &source->footer));
    TRY(check_deleted(source));
    return map_columns(scan, source);
}

static uint32_t count_stored_columns(const TableScan *scan, const ScanSource *source)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < scan->request.column_count; i++) {
        count += source->columns[i] >= 0;
    }
    return count;
}

/* Row groups that remain, in storage order; `units` has room for all. */
static void list_units(TableScan *scan, ScanUnit *units)
{
    for (uint32_t s = 0; s < scan->source_count; s++) {
        const ScanSource *source = &scan->sources[s];
        if (source->rows->kind == ROWS_BATCH) {
            const uint64_t alive = group_rows(source, 0) - group_deleted(source, 0);
            units[scan->unit_count] =
                (ScanUnit){.source = s, .row_count = (uint32_t)source->rows->row_count};
            scan->unit_count += alive > 0;
            scan->row_estimate += alive;
            continue;
        }
        for (uint32_t group = 0; group < source->footer->header->row_group_count; group++) {
            const uint64_t alive = group_rows(source, group) - group_deleted(source, group);
            scan->block_count += count_stored_columns(scan, source);
            if (alive == 0 || row_group_is_excluded(scan, source, group)) {
                scan->counters.row_groups_skipped++;
                continue;
            }
            if (scan_summarize_group(scan, source, group, alive)) {
                continue;
            }
            units[scan->unit_count++] =
                (ScanUnit){.source = s,
                           .row_group = (uint16_t)group,
                           .vector_count = (uint16_t)unit_vectors(source, group),
                           .row_count = source->footer->row_group_rows[group]};
            scan->row_estimate += alive;
        }
    }
}

/* The last row groups are cut into parts, so that all workers end at about the same time and small
 * tables occupy more than one. */
static void split_tail(TableScan *scan)
{
    const uint32_t workers = scan->request.store->host->worker_count;
    const uint32_t tail = 2 * (workers > 0 ? workers : 1);
    const uint32_t first = scan->unit_count > tail ? scan->unit_count - tail : 0;
    ScanUnit *units =
        ARENA_ARRAY(scan->arena, ScanUnit, scan->unit_count + tail * SCAN_TAIL_PARTS + 1);
    uint32_t count = first;
    memcpy(units, scan->units, first * sizeof *units);
    for (uint32_t i = first; i < scan->unit_count; i++) {
        const ScanUnit *unit = &scan->units[i];
        const uint32_t step = (unit->vector_count + SCAN_TAIL_PARTS - 1) / SCAN_TAIL_PARTS;
        if (unit->vector_count < 2 * SCAN_TAIL_PARTS) { // too small to share
            units[count++] = *unit;
            continue;
        }
        _Atomic(uint8_t) *is_block_counted =
            ARENA_ARRAY(scan->arena, _Atomic(uint8_t), scan->request.column_count + 1);
        for (uint32_t vector = 0; vector < unit->vector_count; vector += step) {
            const uint32_t left = unit->vector_count - vector;
            ScanUnit part = *unit;
            part.first_vector = (uint16_t)vector;
            part.vector_count = (uint16_t)(left < step ? left : step);
            part.is_block_counted = is_block_counted;
            units[count++] = part;
        }
    }
    scan->units = units;
    scan->unit_count = count;
}

/* What is to be read is in `visible`. */
static Status open_sources(TableScan *scan)
{
    scan->sources = ARENA_ARRAY(scan->arena, ScanSource, scan->source_count + 1);
    for (uint32_t i = 0; i < scan->source_count; i++) {
        scan->sources[i].rows = scan->visible[i].rows;
        scan->sources[i].deleted = scan->visible[i].deleted;
    }
    size_t units = 0;
    for (uint32_t i = 0; i < scan->source_count; i++) {
        ScanSource *source = &scan->sources[i];
        TRY(scan_name_damage(scan, -1, open_source(scan, source)));
        units += source->footer == NULL ? 1 : source->footer->header->row_group_count;
    }
    scan->units = ARENA_ARRAY(scan->arena, ScanUnit, units + 1);
    list_units(scan, scan->units);
    split_tail(scan);
    return STATUS_OK;
}

static TableScan *create_scan(const ScanRequest *request, Arena *arena)
{
    TableScan *scan = ARENA_NEW(arena, TableScan);
    scan->request = *request;
    scan->arena = arena;
    if (scan->request.batch_rows == 0 || scan->request.batch_rows > VECTOR_ROWS) {
        scan->request.batch_rows = VECTOR_ROWS;
    }
    scan->columns = ARENA_ARRAY(arena, ScanColumnInfo, request->column_count + 1);
    scan->summaries = ARENA_ARRAY(arena, ScanSummary, request->column_count + 1);
    for (uint32_t i = 0; i < request->column_count; i++) {
        const struct PlanTableColumn *column = &request->table->columns[request->columns[i]];
        scan->columns[i] = (ScanColumnInfo){.column_id = column->column_id,
                                            .type = column->type,
                                            .default_value = &column->default_value};
    }
    return scan;
}

static Status finish_open(TableScan *scan, Status owned_status, TableScan **out)
{
    if (owned_status == STATUS_OK) {
        owned_status = open_sources(scan);
    }
    if (owned_status != STATUS_OK) {
        table_scan_close(scan);
        return owned_status;
    }
    *out = scan;
    return STATUS_OK;
}

static void note_lookups(const ScanRequest *request)
{
    for (uint32_t i = 0; i < request->predicate_count; i++) {
        const ScanPredicate *predicate = &request->predicates[i];
        if (predicate_is_lookup(predicate->predicate)) {
            const uint32_t column = request->columns[predicate->column];
            lookup_counts_add(&request->store->lookups, request->table->table_id,
                              request->table->columns[column].column_id);
        }
    }
}

Status table_scan_open(const ScanRequest *request, Arena *arena, TableScan **out)
{
    note_lookups(request);
    TableScan *scan = create_scan(request, arena);
    Status status =
        manifest_visible(request->store->manifest, request->table->table_id, &request->snapshot,
                         arena, &scan->visible, &scan->source_count);
    return finish_open(scan, status, out);
}

Status table_scan_open_rows(const ScanRequest *request, const VisibleRows *rows, Arena *arena,
                            TableScan **out)
{
    TableScan *scan = create_scan(request, arena);
    scan->visible = ARENA_NEW(arena, VisibleRows);
    *scan->visible = (VisibleRows){.rows = stored_rows_pin(rows->rows),
                                   .deleted = delete_mask_pin(rows->deleted)};
    scan->source_count = 1;
    return finish_open(scan, STATUS_OK, out);
}

void table_scan_close(TableScan *scan)
{
    if (scan == NULL) {
        return;
    }
    manifest_unpin_visible(scan->visible, scan->source_count);
    scan->source_count = 0;
    RuntimePredicate *node = atomic_exchange(&scan->runtime_predicates, NULL);
    while (node != NULL) {
        RuntimePredicate *next = node->next;
        heap_free(node);
        node = next;
    }
}

void table_scan_add_predicate(TableScan *scan, const ScanPredicate *predicate)
{
    RuntimePredicate *node = heap_alloc(sizeof *node);
    if (node == NULL) {
        return; // a runtime filter only saves work
    }
    node->predicate = *predicate;
    node->next = atomic_load(&scan->runtime_predicates);
    while (!atomic_compare_exchange_weak(&scan->runtime_predicates, &node->next, node)) {
    }
}

uint64_t table_scan_row_estimate(const TableScan *scan)
{
    return scan->row_estimate;
}

uint32_t table_scan_morsel_count(const TableScan *scan)
{
    return scan->unit_count;
}

void table_scan_statistics(const TableScan *scan, ScanStatistics *out)
{
    const ScanCounters *counters = &scan->counters;
    *out = (ScanStatistics){.rows_seen = counters->rows_seen,
                            .rows_out = counters->rows_out,
                            .row_groups_read = counters->row_groups_read,
                            .row_groups_skipped = counters->row_groups_skipped,
                            .row_groups_summarized = counters->row_groups_summarized,
                            .blocks_read = counters->blocks_read,
                            .blocks_from_disk = counters->blocks_from_disk,
                            .bytes_read = counters->bytes_read};
    // Bases that nobody asked for are read, too.
    out->blocks_skipped =
        scan->block_count > out->blocks_read ? scan->block_count - out->blocks_read : 0;
}
