/*
 * region_nation.c — region and nation: fixed rows, only the comments are random.
 */
#include "bench/tpch/generator/table.h"
#include "bench/tpch/generator/word_list.h"

enum { REGION_COMMENT };
enum { NATION_COMMENT };

static uint64_t region_count(const DataSet *data_set)
{
    (void)data_set;
    return REGION_COUNT;
}

static char *format_region(const DataSet *data_set, uint64_t unit, char *cursor)
{
    RandomRow row = random_row(data_set->seed, RANDOM_REGION, unit);
    cursor = key_format(cursor, data_set->key_style, KEY_REGION, unit);
    *cursor++ = '|';
    cursor = word_list_format(cursor, &word_list_regions, unit);
    *cursor++ = '|';
    cursor = text_pool_format(cursor, &data_set->text, row, REGION_COMMENT, 31, 115);
    *cursor++ = '|';
    return format_row_end(cursor, data_set);
}

const Table region_table = {
    .name = "region",
    .unit_bytes_max = 512,
    .chunk_units = REGION_COUNT,
    .unit_count = region_count,
    .format_unit = format_region,
};

static uint64_t nation_count(const DataSet *data_set)
{
    (void)data_set;
    return NATION_COUNT;
}

static char *format_nation(const DataSet *data_set, uint64_t unit, char *cursor)
{
    RandomRow row = random_row(data_set->seed, RANDOM_NATION, unit);
    cursor = key_format(cursor, data_set->key_style, KEY_NATION, unit);
    *cursor++ = '|';
    cursor = word_list_format(cursor, &word_list_nations, unit);
    *cursor++ = '|';
    cursor = key_format(cursor, data_set->key_style, KEY_REGION, word_list_nation_regions[unit]);
    *cursor++ = '|';
    cursor = text_pool_format(cursor, &data_set->text, row, NATION_COMMENT, 31, 114);
    *cursor++ = '|';
    return format_row_end(cursor, data_set);
}

const Table nation_table = {
    .name = "nation",
    .unit_bytes_max = 512,
    .chunk_units = NATION_COUNT,
    .unit_count = nation_count,
    .format_unit = format_nation,
};
