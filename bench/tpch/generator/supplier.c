/*
 * supplier.c — suppliers, some of whom customers complain about or recommend.
 */
#include "bench/tpch/generator/person_fields.h"
#include "bench/tpch/generator/table.h"

enum {
    SUPPLIER_ADDRESS,
    SUPPLIER_NATION,
    SUPPLIER_PHONE,
    SUPPLIER_BALANCE,
    SUPPLIER_COMMENT,
    SUPPLIER_VERDICT_PLACES,
    SUPPLIER_VERDICT_ROWS,
};

enum {
    /* 5 of 10,000 comments hold "Customer…Complaints" and 5 "Customer…Recommends": one of each in
     * every 2,000 suppliers, so the counts are exact and a small table has them too. */
    VERDICT_BLOCK_ROWS = 2000,
    VERDICT_SUBJECT_BYTES = 8,
    VERDICT_BYTES = 10,
    COMMENT_BYTES_MIN = 25,
    COMMENT_BYTES_MAX = 100,
};

static void write_verdict(const DataSet *data_set, uint64_t unit, RandomRow row, char *comment,
                          size_t comment_bytes);

static uint64_t supplier_count(const DataSet *data_set)
{
    return data_set->supplier_count;
}

static char *format_supplier(const DataSet *data_set, uint64_t unit, char *cursor)
{
    RandomRow row = random_row(data_set->seed, RANDOM_SUPPLIER, unit);
    uint64_t key = unit + 1;
    uint64_t nation = random_below(row, SUPPLIER_NATION, NATION_COUNT);

    cursor = key_format(cursor, data_set->key_style, KEY_SUPPLIER, key);
    *cursor++ = '|';
    cursor = format_bytes(cursor, "Supplier#", 9);
    cursor = format_zero_padded(cursor, key, 9);
    *cursor++ = '|';
    cursor = format_address(cursor, row, SUPPLIER_ADDRESS);
    *cursor++ = '|';
    cursor = key_format(cursor, data_set->key_style, KEY_NATION, nation);
    *cursor++ = '|';
    cursor = format_phone(cursor, row, SUPPLIER_PHONE, nation);
    *cursor++ = '|';
    cursor = format_balance(cursor, row, SUPPLIER_BALANCE);
    *cursor++ = '|';
    char *comment = cursor;
    cursor = text_pool_format(cursor, &data_set->text, row, SUPPLIER_COMMENT, COMMENT_BYTES_MIN,
                              COMMENT_BYTES_MAX);
    write_verdict(data_set, unit, row, comment, (size_t)(cursor - comment));
    *cursor++ = '|';
    return format_row_end(cursor, data_set);
}

/* When this row is one of the two chosen in its block, overwrites parts of its comment:
 * "sly ideas wake bold foxes. even" -> "sly iCustomerold Complaints even". */
static void write_verdict(const DataSet *data_set, uint64_t unit, RandomRow row, char *comment,
                          size_t comment_bytes)
{
    uint64_t block_first = unit - unit % VERDICT_BLOCK_ROWS;
    uint64_t block_rows = data_set->supplier_count - block_first;
    if (block_rows > VERDICT_BLOCK_ROWS) {
        block_rows = VERDICT_BLOCK_ROWS;
    }
    RandomRow block = random_row(data_set->seed, RANDOM_SUPPLIER, block_first);
    uint64_t fraction = random_bits(block, SUPPLIER_VERDICT_ROWS);
    uint64_t complaint = block_first + random_digit(&fraction, block_rows);
    uint64_t distance = 1 + random_digit(&fraction, block_rows - 1);
    uint64_t recommendation = block_first + (complaint - block_first + distance) % block_rows;
    if (unit != complaint && unit != recommendation) {
        return;
    }
    uint64_t places = random_bits(row, SUPPLIER_VERDICT_PLACES);
    size_t spare = comment_bytes - VERDICT_SUBJECT_BYTES - VERDICT_BYTES;
    size_t gap = random_digit(&places, spare + 1);
    size_t start = random_digit(&places, spare - gap + 1);
    memcpy(comment + start, "Customer", VERDICT_SUBJECT_BYTES);
    memcpy(comment + start + VERDICT_SUBJECT_BYTES + gap,
           unit == complaint ? "Complaints" : "Recommends", VERDICT_BYTES);
}

const Table supplier_table = {
    .name = "supplier",
    .unit_bytes_max = 512,
    .chunk_units = 5000,
    .unit_count = supplier_count,
    .format_unit = format_supplier,
};
