/*
 * table.c — the list of tables, small ones first: the last worker then ends on a small chunk of a
 * large table, not on a whole small one.
 */
#include "bench/tpch/generator/table.h"

const Table *const tables[TABLE_COUNT] = {
    &region_table,   &nation_table,   &supplier_table, &customer_table,
    &part_table,     &partsupp_table, &orders_table,   &lineitem_table,
};

const Table *table_find(const char *name, size_t name_length)
{
    for (int i = 0; i < TABLE_COUNT; i++) {
        if (strlen(tables[i]->name) == name_length &&
            memcmp(tables[i]->name, name, name_length) == 0) {
            return tables[i];
        }
    }
    return NULL;
}
