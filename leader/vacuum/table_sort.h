/*
 * table_sort.h — a table's rows written anew in another order, by nobody's command: what ALTER
 * SORTKEY does, as a transaction of its own that waits for nobody and disturbs nobody.
 *
 * At its end it holds the table alone while it commits, some milliseconds, so that no writer finds
 * its table replaced; when somebody uses the table for longer, or has changed it, it is given up.
 */
#pragma once
#include "leader/vacuum/table_merge.h"

/* `*rows`: how many have the new order; 0: the table is gone, or wants none any more. 57014 when
 * the work made way, 40001 when the table changed meanwhile: it may be tried again. */
Status table_sort_run(const TableMerge *merge, uint32_t column, uint64_t *rows) CHECKED;
