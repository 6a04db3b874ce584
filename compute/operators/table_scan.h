/* table_scan.h — PLAN_SCAN: a table's rows on this node. */
#pragma once
#include "compute/exec/operator.h"
#include "storage/scan.h"

/* What an aggregate without keys asks of the scan that is its input. */
typedef struct ScanSummaries {
    uint8_t *wanted;    /* by column that the scan reads: SCAN_SUMMARY_* */
    uint64_t row_count; /* of row groups that need not be read; once the scan is open */
    const ScanSummary *columns;
} ScanSummaries;

/* `summaries` may be null; it is filled when the scan opens, and read until it closes.
 * `is_one_node`: the fragment runs on one node only, so a replicated table is read there alone. */
Status scan_source_create(QueryContext *query, const PlanScan *plan, bool is_one_node,
                          ScanSummaries *summaries, Source **out) CHECKED;
/* Whether every row group of such a scan may be answered by its zone maps: nothing but predicates
 * stands between the rows and who reads them. */
bool scan_source_can_summarize(const PlanScan *plan);
