/*
 * customer.c — customers.
 */
#include "bench/tpch/generator/person_fields.h"
#include "bench/tpch/generator/table.h"
#include "bench/tpch/generator/word_list.h"

enum {
    CUSTOMER_ADDRESS,
    CUSTOMER_NATION,
    CUSTOMER_PHONE,
    CUSTOMER_BALANCE,
    CUSTOMER_SEGMENT,
    CUSTOMER_COMMENT,
};

static uint64_t customer_count(const DataSet *data_set)
{
    return data_set->customer_count;
}

static char *format_customer(const DataSet *data_set, uint64_t unit, char *cursor)
{
    RandomRow row = random_row(data_set->seed, RANDOM_CUSTOMER, unit);
    uint64_t key = unit + 1;
    uint64_t nation = random_below(row, CUSTOMER_NATION, NATION_COUNT);

    cursor = key_format(cursor, data_set->key_style, KEY_CUSTOMER, key);
    *cursor++ = '|';
    cursor = format_bytes(cursor, "Customer#", 9);
    cursor = format_zero_padded(cursor, key, 9);
    *cursor++ = '|';
    cursor = format_address(cursor, row, CUSTOMER_ADDRESS);
    *cursor++ = '|';
    cursor = key_format(cursor, data_set->key_style, KEY_NATION, nation);
    *cursor++ = '|';
    cursor = format_phone(cursor, row, CUSTOMER_PHONE, nation);
    *cursor++ = '|';
    cursor = format_balance(cursor, row, CUSTOMER_BALANCE);
    *cursor++ = '|';
    cursor = word_list_format(cursor, &word_list_segments,
                              random_below(row, CUSTOMER_SEGMENT, word_list_segments.count));
    *cursor++ = '|';
    cursor = text_pool_format(cursor, &data_set->text, row, CUSTOMER_COMMENT, 29, 116);
    *cursor++ = '|';
    return format_row_end(cursor, data_set);
}

const Table customer_table = {
    .name = "customer",
    .unit_bytes_max = 512,
    .chunk_units = 5000,
    .unit_count = customer_count,
    .format_unit = format_customer,
};
