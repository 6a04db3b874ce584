/*
 * data_set.c — counts of rows, and the suppliers of a part.
 */
#include "bench/tpch/generator/data_set.h"

#include <math.h>

enum { SUPPLIER_COUNT_SPREAD = 256 };    /* from here on the rule of clause 4.2.3 never repeats */

static uint64_t scaled_count(double scale, double count_at_scale_1);

void data_set_init(DataSet *data_set, double scale, uint64_t seed)
{
    *data_set = (DataSet){
        .supplier_count = scaled_count(scale, 10000),
        .part_count = scaled_count(scale, 200000),
        .customer_count = scaled_count(scale, 150000),
        .order_count = scaled_count(scale, 1500000),
        .clerk_count = scaled_count(scale, 1000),
        .seed = seed,
    };
    calendar_init(&data_set->calendar);
    text_pool_init(&data_set->text, seed);
}

void data_set_deinit(DataSet *data_set)
{
    text_pool_deinit(&data_set->text);
}

/* With S suppliers: (part + i * (S / 4 + (part - 1) / S)) mod S + 1. Among few suppliers the step
 * can be a half or a third of S, and a part would meet one supplier twice; it then grows by one. */
uint64_t data_set_part_supplier(const DataSet *data_set, uint64_t part_key, uint64_t index)
{
    uint64_t suppliers = data_set->supplier_count;
    uint64_t step = suppliers / 4 + (part_key - 1) / suppliers;
    while (suppliers < SUPPLIER_COUNT_SPREAD &&
           (step % suppliers == 0 || 2 * step % suppliers == 0 || 3 * step % suppliers == 0)) {
        step++;
    }
    return (part_key + index * step) % suppliers + 1;
}

static uint64_t scaled_count(double scale, double count_at_scale_1)
{
    double count = round(scale * count_at_scale_1);
    return count < 1 ? 1 : (uint64_t)count;
}
