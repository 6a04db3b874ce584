/*
 * table.h — the eight tables as a list: what the workers need to know to make any of them.
 */
#pragma once

#include "bench/tpch/generator/data_set.h"

typedef struct Table {
    const char *name;
    uint32_t unit_bytes_max;    /* upper bound of what format_unit prints, slack included */
    uint32_t chunk_units;       /* units a worker makes at a time: about 1 MiB of text */
    /* Units of the table. A unit is what one call prints: a row of most tables, the four rows of a
     * part in partsupp, the one to seven rows of an order in lineitem. */
    uint64_t (*unit_count)(const DataSet *data_set);
    /* Prints unit number `unit` (from 0) at `cursor` and returns the cursor behind it. */
    char *(*format_unit)(const DataSet *data_set, uint64_t unit, char *cursor);
} Table;

enum { TABLE_COUNT = 8 };

extern const Table *const tables[TABLE_COUNT];

extern const Table region_table, nation_table, supplier_table, part_table, partsupp_table,
    customer_table, orders_table, lineitem_table;

/* NULL when there is no table of this name. */
const Table *table_find(const char *name, size_t name_length);
