/*
 * part.c — parts, and who supplies them at what cost (partsupp).
 */
#include "bench/tpch/generator/table.h"
#include "bench/tpch/generator/word_list.h"

enum {
    PART_NAME,
    PART_BRAND,
    PART_TYPE,
    PART_SIZE,
    PART_CONTAINER,
    PART_COMMENT,
};

enum {
    PARTSUPP_AVAILABLE,
    PARTSUPP_COST,
    PARTSUPP_COMMENT,
};

enum { NAME_WORD_COUNT = 5 };

static char *format_part_name(char *cursor, RandomRow row);

static uint64_t part_count(const DataSet *data_set)
{
    return data_set->part_count;
}

static char *format_part(const DataSet *data_set, uint64_t unit, char *cursor)
{
    RandomRow row = random_row(data_set->seed, RANDOM_PART, unit);
    uint64_t key = unit + 1;

    cursor = key_format(cursor, data_set->key_style, KEY_PART, key);
    *cursor++ = '|';
    cursor = format_part_name(cursor, row);
    *cursor++ = '|';
    uint64_t brand = random_bits(row, PART_BRAND);
    char maker_digit = (char)('1' + random_digit(&brand, 5));
    cursor = format_bytes(cursor, "Manufacturer#", 13);
    *cursor++ = maker_digit;
    *cursor++ = '|';
    cursor = format_bytes(cursor, "Brand#", 6);
    *cursor++ = maker_digit;
    *cursor++ = (char)('1' + random_digit(&brand, 5));
    *cursor++ = '|';
    uint64_t type = random_bits(row, PART_TYPE);
    cursor = word_list_format(cursor, &word_list_type_sizes, random_digit(&type, 6));
    *cursor++ = ' ';
    cursor = word_list_format(cursor, &word_list_type_finishes, random_digit(&type, 5));
    *cursor++ = ' ';
    cursor = word_list_format(cursor, &word_list_type_metals, random_digit(&type, 5));
    *cursor++ = '|';
    cursor = format_unsigned(cursor, 1 + random_below(row, PART_SIZE, 50));
    *cursor++ = '|';
    uint64_t container = random_bits(row, PART_CONTAINER);
    cursor = word_list_format(cursor, &word_list_container_sizes, random_digit(&container, 5));
    *cursor++ = ' ';
    cursor = word_list_format(cursor, &word_list_container_kinds, random_digit(&container, 8));
    *cursor++ = '|';
    cursor = format_hundredths(cursor, part_retail_price_cents(key));
    *cursor++ = '|';
    cursor = text_pool_format(cursor, &data_set->text, row, PART_COMMENT, 5, 22);
    *cursor++ = '|';
    return format_row_end(cursor, data_set);
}

/* Five different colours in random order. A draw counts the colours not yet taken: with 3 and 7
 * taken, draw 3 means colour 4 and draw 6 means colour 8. */
static char *format_part_name(char *cursor, RandomRow row)
{
    uint64_t fraction = random_bits(row, PART_NAME);
    uint64_t taken[NAME_WORD_COUNT];    // ascending
    for (uint64_t count = 0; count < NAME_WORD_COUNT; count++) {
        uint64_t colour = random_digit(&fraction, word_list_colours.count - count);
        uint64_t place = 0;
        while (place < count && taken[place] <= colour) {
            colour++;
            place++;
        }
        memmove(&taken[place + 1], &taken[place], (count - place) * sizeof(taken[0]));
        taken[place] = colour;
        if (count > 0) {
            *cursor++ = ' ';
        }
        cursor = word_list_format(cursor, &word_list_colours, colour);
    }
    return cursor;
}

const Table part_table = {
    .name = "part",
    .unit_bytes_max = 512,
    .chunk_units = 8000,
    .unit_count = part_count,
    .format_unit = format_part,
};

/* The four rows of one part. */
static char *format_partsupp(const DataSet *data_set, uint64_t unit, char *cursor)
{
    uint64_t part_key = unit + 1;
    for (uint64_t index = 0; index < PARTSUPP_PER_PART; index++) {
        RandomRow row =
            random_row(data_set->seed, RANDOM_PARTSUPP, unit * PARTSUPP_PER_PART + index);
        cursor = key_format(cursor, data_set->key_style, KEY_PART, part_key);
        *cursor++ = '|';
        cursor = key_format(cursor, data_set->key_style, KEY_SUPPLIER,
                            data_set_part_supplier(data_set, part_key, index));
        *cursor++ = '|';
        cursor = format_unsigned(cursor, 1 + random_below(row, PARTSUPP_AVAILABLE, 9999));
        *cursor++ = '|';
        cursor = format_hundredths(cursor, random_between(row, PARTSUPP_COST, 100, 100000));
        *cursor++ = '|';
        cursor = text_pool_format(cursor, &data_set->text, row, PARTSUPP_COMMENT, 49, 198);
        *cursor++ = '|';
        cursor = format_row_end(cursor, data_set);
    }
    return cursor;
}

const Table partsupp_table = {
    .name = "partsupp",
    .unit_bytes_max = PARTSUPP_PER_PART * 384 + FORMAT_SLACK_BYTES,
    .chunk_units = 2000,
    .unit_count = part_count,
    .format_unit = format_partsupp,
};
