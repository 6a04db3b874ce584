/* scan_summary.c — row groups that need not be read because their zone maps tell all that is asked:
 * every row passes every predicate, none is deleted, and the columns' records are exact. */
#include <string.h>
#include "storage/scan_internal.h"

/* Whether the record knows the column's least or greatest value itself, not a bound of it. */
static bool has_exact_bound(const ZoneRecord *record, Type type, bool is_max)
{
    if ((record->flags & BLOCK_FLAG_HAS_RANGE) == 0) {
        return false;
    }
    // Values that differ in trailing blanks compare equal: which one is there only the rows know.
    return !type_is_text(type) ||
           ((record->flags & (is_max ? BLOCK_FLAG_MAX_EXACT : BLOCK_FLAG_MIN_EXACT)) != 0 &&
            (record->flags & BLOCK_FLAG_TRAILING_BLANKS) == 0);
}

static bool record_suffices(const ZoneRecord *record, Type type, uint8_t wanted)
{
    if (record->null_count == record->row_count) {
        return true;
    }
    return ((wanted & SCAN_SUMMARY_SUM) == 0 || (record->flags & BLOCK_FLAG_HAS_SUM) != 0) &&
           ((wanted & SCAN_SUMMARY_MIN) == 0 || has_exact_bound(record, type, false)) &&
           ((wanted & SCAN_SUMMARY_MAX) == 0 || has_exact_bound(record, type, true));
}

static const ZoneRecord *record_of(const ScanSource *source, uint32_t column, uint32_t row_group)
{
    const int32_t stored = source->columns[column];
    return stored < 0
               ? NULL
               : &source->footer
                      ->zones[rowset_footer_block(source->footer, (uint32_t)stored, row_group)];
}

static bool group_suffices(const TableScan *scan, const ScanSource *source, uint32_t row_group)
{
    const ScanRequest *request = &scan->request;
    for (uint32_t i = 0; i < request->predicate_count; i++) {
        if (scan_check_zone(scan, source, row_group, &request->predicates[i]) != PREDICATE_ALL) {
            return false;
        }
    }
    const bool is_whole = delete_mask_group(source->deleted, row_group) == NULL;
    for (uint32_t i = 0; i < request->column_count; i++) {
        const ZoneRecord *record = record_of(source, i, row_group);
        if (request->summaries[i] == 0) {
            continue;
        }
        if (!is_whole || (record != NULL &&
                          !record_suffices(record, scan->columns[i].type, request->summaries[i]))) {
            return false;
        }
    }
    return true;
}

static void add_range(ScanSummary *summary, const Value *min, const Value *max)
{
    if (!summary->has_range || value_compare(min, &summary->min) < 0) {
        summary->min = *min;
    }
    if (!summary->has_range || value_compare(max, &summary->max) > 0) {
        summary->max = *max;
    }
    summary->has_range = true;
}

/* Rows written before the column was added: all have its default. */
static void add_default(ScanSummary *summary, const ScanColumnInfo *info, uint64_t row_count)
{
    if (info->default_value->is_null) {
        return;
    }
    Value value = *info->default_value;
    value.type = info->type;
    summary->present_rows += row_count;
    if (type_is_scaled_integer(info->type)) {
        summary->sum += (Int128)value.i64 * (Int128)row_count;
    }
    add_range(summary, &value, &value);
}

static void add_record(ScanSummary *summary, const ZoneRecord *record, Type type)
{
    if (record->null_count == record->row_count) {
        return;
    }
    summary->present_rows += record->row_count - record->null_count;
    if ((record->flags & BLOCK_FLAG_HAS_SUM) != 0) {
        Int128 sum;
        memcpy(&sum, record->sum, sizeof sum);
        summary->sum += sum;
    }
    if ((record->flags & BLOCK_FLAG_HAS_RANGE) != 0) {
        const Value min = zone_record_bound(record, type, false);
        const Value max = zone_record_bound(record, type, true);
        add_range(summary, &min, &max);
    }
}

bool scan_summarize_group(TableScan *scan, const ScanSource *source, uint32_t row_group,
                          uint64_t alive)
{
    const ScanRequest *request = &scan->request;
    if (request->summaries == NULL || !group_suffices(scan, source, row_group)) {
        return false;
    }
    for (uint32_t i = 0; i < request->column_count; i++) {
        const ZoneRecord *record = record_of(source, i, row_group);
        if (request->summaries[i] == 0) {
            continue;
        }
        if (record == NULL) {
            add_default(&scan->summaries[i], &scan->columns[i], alive);
        } else {
            add_record(&scan->summaries[i], record, scan->columns[i].type);
        }
    }
    scan->summarized_rows += alive;
    scan->counters.row_groups_summarized++;
    return true;
}

uint64_t table_scan_summary(const TableScan *scan, const ScanSummary **columns)
{
    *columns = scan->summaries;
    return scan->summarized_rows;
}
