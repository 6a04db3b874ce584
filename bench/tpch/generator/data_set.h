/*
 * data_set.h — what one data set is: its size, seed, form of keys and text. Read-only once made,
 * so every worker shares it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bench/tpch/generator/calendar.h"
#include "bench/tpch/generator/key_format.h"
#include "bench/tpch/generator/text_pool.h"

/* Names the random numbers of a table; part of their address, so never renumbered. */
typedef enum RandomTable {
    RANDOM_REGION,
    RANDOM_NATION,
    RANDOM_SUPPLIER,
    RANDOM_PART,
    RANDOM_PARTSUPP,
    RANDOM_CUSTOMER,
    RANDOM_ORDERS,
    RANDOM_LINEITEM,
} RandomTable;

enum {
    REGION_COUNT = 5,
    NATION_COUNT = 25,
    PARTSUPP_PER_PART = 4,
    ORDER_LINES_MAX = 7,
};

typedef struct DataSet {
    /* Rows by clause 4.2.5, scaled and rounded. */
    uint64_t supplier_count, part_count, customer_count, order_count, clerk_count;
    uint64_t seed;
    KeyStyle key_style;
    bool has_trailing_pipe;    /* "1|2|\n" instead of "1|2\n" */
    Calendar calendar;
    TextPool text;
} DataSet;

/* `scale` 1 is 1 GB; at least 0.001. Stops the program when memory is refused. */
void data_set_init(DataSet *data_set, double scale, uint64_t seed);
void data_set_deinit(DataSet *data_set);

/* The key of the supplier number `index` (0 .. 3) of a part: the rule that spreads the suppliers of
 * a part over the whole table (clause 4.2.3). */
uint64_t data_set_part_supplier(const DataSet *data_set, uint64_t part_key, uint64_t index);

/* p_retailprice in cents. */
static inline int64_t part_retail_price_cents(uint64_t part_key)
{
    return (int64_t)(90000 + part_key / 10 % 20001 + 100 * (part_key % 1000));
}

/* Ends a row whose fields all have their pipe behind them. */
static inline char *format_row_end(char *cursor, const DataSet *data_set)
{
    if (!data_set->has_trailing_pipe) {
        cursor--;
    }
    *cursor++ = '\n';
    return cursor;
}
