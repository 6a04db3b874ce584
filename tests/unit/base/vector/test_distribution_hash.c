/* Suite of base/vector/distribution_hash.c and row_hash.c: frozen values, one hash per value. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/types/text_format.h"
#include "base/vector/distribution_hash.h"
#include "tests/support/check_status.h"
#include "tests/support/column_cases.h"

static Value text_value(const char *text)
{
    return (Value){.type = type_varchar(100), .text = text_view_make(text, strlen(text))};
}

static Value double_value(double number)
{
    return (Value){.type = type_of(TYPE_DOUBLE), .f64 = number};
}

static Value wide_value(uint32_t scale, Int128 number)
{
    return (Value){.type = type_decimal(38, scale), .i128 = number};
}

static uint64_t hash_of(Value value)
{
    return distribution_hash_value(&value);
}

/* The table of base/vector/README.md. Rows on disk lie where these say: never change one. */
START_TEST(frozen_values)
{
    const Type integer = type_of(TYPE_INTEGER);
    const struct {
        Value value;
        uint64_t hash;
    } golden[] = {
        {value_null(integer), 0},
        {value_int64(integer, 0), UINT64_C(0xC77B3ABB6F87ACD9)},
        {value_int64(integer, 1), UINT64_C(0x477B3ABB6F87ACD9)},
        {value_int64(integer, -1), UINT64_C(0x3C4023DC94FCC794)},
        {value_int64(type_of(TYPE_BIGINT), INT64_MAX), UINT64_C(0xBA9100E8063BE33F)},
        {value_int64(type_decimal(12, 2), 1250), UINT64_C(0x31671E58D6B596AF)},
        {wide_value(0, (Int128)INT64_MAX + 1), UINT64_C(0x597D8D53443C6129)},
        {double_value(0.5), UINT64_C(0x8344FECD622BFA94)},
        {double_value((double)NAN), UINT64_C(0xF6C5F9FDCCA45DAD)},
        {text_value(""), UINT64_C(0x2D06800538D394C2)},
        {text_value("a"), UINT64_C(0xE6C632B61E964E1F)},
        {text_value("distribution"), UINT64_C(0xDB9DBBF353E80C0C)},
        {text_value("a text of more than sixteen bytes"), UINT64_C(0x9B35623127F32CF6)},
        {value_int64(type_of(TYPE_DATE), 8766), UINT64_C(0x8B84B6862C66E3DE)},
        {value_int64(type_of(TYPE_TIMESTAMP), INT64_C(757382400000000)), UINT64_C(0x77C557C1C94312C9)},
    };
    for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
        ck_assert_uint_eq(hash_of(golden[i].value), golden[i].hash);
    }
    ck_assert_uint_eq(distribution_hash_combine(UINT64_C(0x477B3ABB6F87ACD9), UINT64_C(0xE6C632B61E964E1F)), UINT64_C(0xFCF6CCB74F7BE713));
    ck_assert_uint_eq(bucket_of_hash(UINT64_MAX), BUCKET_COUNT - 1);
    ck_assert_uint_eq(bucket_of_hash(UINT64_C(0x477B3ABB6F87ACD9)), UINT64_C(0x477B3ABB6F87ACD9) >> 50);
}
END_TEST

START_TEST(equals_the_general_hash)
{
    uint64_t state = 1;
    for (uint32_t i = 0; i < 1000; i++) {
        int64_t number = (int64_t)(test_random(&state) >> i % 64);
        uint64_t pair[2] = {test_random(&state), test_random(&state)};
        const uint64_t above = (uint64_t)number >> 4;
        uint64_t turned = 0;
        for (uint32_t bit = 0; bit < 4; bit++) {
            turned |= ((uint64_t)number >> bit & 1) << (63 - bit);
        }
        ck_assert_uint_eq(hash_of(value_int64(type_of(TYPE_BIGINT), number)),
                          hash_bytes(&above, sizeof above, 0) ^ turned);
        ck_assert_uint_eq(distribution_hash_combine(pair[0], pair[1]),
                          hash_bytes(pair, sizeof pair, 0));
    }
}
END_TEST

static uint32_t bucket_of(int64_t number)
{
    return bucket_of_hash(hash_of(value_int64(type_of(TYPE_BIGINT), number)));
}

/* Of each 16 neighbours one lies in each sixteenth of the buckets. */
START_TEST(neighbours_are_dealt_out)
{
    uint64_t state = 2;
    for (uint32_t round = 0; round < 1000; round++) {
        const int64_t first = (int64_t)(test_random(&state) << 4);
        uint32_t seen = 0;
        for (int64_t i = 0; i < 16; i++) {
            seen |= 1u << (bucket_of(first + i) * 16 / BUCKET_COUNT);
        }
        ck_assert_uint_eq(seen, 0xFFFF);
    }
}
END_TEST

/* Keys with gaps are no worse off than a few times the spread of chance. */
START_TEST(strides_spread)
{
    static const uint32_t node_counts[] = {2, 3, 4, 5, 7, 8, 16, 64};
    enum { KEYS = 10000, NODE_COUNTS = sizeof node_counts / sizeof node_counts[0] };
    for (int64_t stride = 1; stride <= 1024; stride = stride < 20 ? stride + 1 : stride * 2) {
        uint32_t rows[NODE_COUNTS][64] = {{0}};
        for (int64_t i = 0; i < KEYS; i++) {
            const uint32_t bucket = bucket_of(i * stride);
            for (size_t n = 0; n < NODE_COUNTS; n++) {
                rows[n][bucket * node_counts[n] / BUCKET_COUNT]++;
            }
        }
        for (size_t n = 0; n < NODE_COUNTS; n++) {
            const double mean = (double)KEYS / node_counts[n];
            for (uint32_t node = 0; node < node_counts[n]; node++) {
                ck_assert_msg(fabs(rows[n][node] - mean) < 12 * sqrt(mean),
                              "stride %ld: %u of %f rows", stride, rows[n][node], mean);
            }
        }
    }
}
END_TEST

/* What a node knows of its keys: no two of them are equal above the known bits. */
START_TEST(nodes_know_low_bits)
{
    static const struct {
        uint32_t node_count, known[3]; /* by node 1, 2, 3 */
    } cases[] = {{1, {0}}, {2, {1, 1}}, {3, {1, 0, 1}}, {4, {2, 2, 2}}, {64, {4, 4, 4}}};
    static uint32_t map[BUCKET_COUNT];
    static int64_t seen[1 << 13];
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        const uint32_t node_count = cases[c].node_count;
        for (uint32_t b = 0; b < BUCKET_COUNT; b++) {
            map[b] = 1 + b * node_count / BUCKET_COUNT;
        }
        for (uint32_t node = 1; node <= node_count && node <= 3; node++) {
            const uint32_t known = bucket_map_known_bits(map, node);
            ck_assert_uint_eq(known, cases[c].known[node - 1]);
            memset(seen, 0, sizeof seen);
            for (int64_t key = 1; key < 1 << 13; key++) {
                if (map[bucket_of(key)] == node) {
                    ck_assert_int_eq(seen[key >> known], 0);
                    seen[key >> known] = key;
                }
            }
        }
        ck_assert_uint_eq(bucket_map_known_bits(map, node_count + 1), 0);
    }
}
END_TEST

START_TEST(equal_numbers_of_any_type_hash_alike)
{
    const uint64_t wanted = hash_of(value_int64(type_of(TYPE_SMALLINT), 120));
    ck_assert_uint_eq(hash_of(value_int64(type_of(TYPE_BIGINT), 120)), wanted);
    ck_assert_uint_eq(hash_of(value_int64(type_decimal(5, 0), 120)), wanted);
    ck_assert_uint_eq(hash_of(value_int64(type_decimal(12, 2), 12000)), wanted);
    ck_assert_uint_eq(hash_of(wide_value(20, (Int128)120 * INT64_C(10000000000) *
                                                 INT64_C(10000000000))),
                      wanted);
    ck_assert_uint_eq(hash_of(double_value(120.0)), wanted);
    ck_assert_uint_eq(hash_of(double_value(-0.0)), hash_of(double_value(0.0)));
    ck_assert_uint_eq(hash_of(value_int64(type_decimal(12, 2), 1250)),
                      hash_of(value_int64(type_decimal(12, 1), 125)));
    ck_assert_uint_eq(hash_of(value_int64(type_decimal(12, 2), 0)),
                      hash_of(value_int64(type_of(TYPE_BIGINT), 0)));
    ck_assert_uint_eq(hash_of(wide_value(1, ((Int128)INT64_MAX + 1) * 10)),
                      hash_of(wide_value(0, (Int128)INT64_MAX + 1)));
    ck_assert_uint_eq(hash_of(text_value("abc  ")), hash_of(text_value("abc")));
    ck_assert_uint_ne(hash_of(text_value(" abc")), hash_of(text_value("abc")));
    ck_assert_uint_eq(hash_of(text_value("   ")), hash_of(text_value("")));
}
END_TEST

typedef void (*HashColumn)(const Vector *vector, const Batch *batch, bool is_combined,
                           uint64_t *hashes);

static void check_columns(HashColumn hash_column, uint64_t (*hash_value)(const Value *),
                          uint64_t (*combine)(uint64_t, uint64_t))
{
    static ColumnCase column;
    Arena *arena = arena_create(NULL, "test");
    uint64_t state = 8, hashes[VECTOR_ROWS], before[VECTOR_ROWS];
    for (uint32_t level = 0; kernel_levels_next(&level);) {
        for (uint32_t i = 0; i < column_case_count(); i++) {
            column_case_make(i, i, arena, &column);
            uint16_t rows[VECTOR_ROWS];
            uint32_t count = 0;
            for (uint32_t row = 0; row < column.row_count; row++) {
                rows[count] = (uint16_t)row;
                count += i % 2 == 0 || test_random(&state) % 3 != 0;
            }
            Batch batch = {.row_count = column.row_count,
                           .selected_count = count,
                           .selection = count == column.row_count ? NULL : rows};
            for (uint32_t k = 0; k < count; k++) {
                before[k] = hashes[k] = test_random(&state);
            }
            bool is_combined = i % 3 == 0;
            hash_column(&column.vector, &batch, is_combined, hashes);
            for (uint32_t k = 0; k < count; k++) {
                uint64_t wanted = hash_value(&column.values[rows[k]]);
                if (hashes[k] != (is_combined ? combine(before[k], wanted) : wanted)) {
                    ck_abort_msg("%s: row %u", column.name, rows[k]);
                }
            }
            arena_reset(arena);
        }
    }
    arena_destroy(arena);
}

START_TEST(columns_hash_as_their_values)
{
    check_columns(distribution_hash_column, distribution_hash_value, distribution_hash_combine);
}
END_TEST

START_TEST(row_hash_of_columns_is_that_of_values)
{
    check_columns(row_hash_column, row_hash_value, hash_combine);
}
END_TEST

START_TEST(row_hash_finds_equal_what_sql_does)
{
    static ColumnCase column;
    Arena *arena = arena_create(NULL, "test");
    for (uint32_t kind = 0; kind < 17; kind++) { // flat columns
        column_case_make_rows(kind, 300, 2, arena, &column);
        for (uint32_t i = 0; i < 300; i++) {
            for (uint32_t j = 0; j < i; j++) {
                bool is_equal = value_equal(&column.values[i], &column.values[j]);
                bool is_same = row_hash_value(&column.values[i]) ==
                               row_hash_value(&column.values[j]);
                if (is_equal != is_same) {
                    ck_abort_msg("%s: rows %u and %u", column.name, i, j);
                }
            }
        }
    }
    arena_destroy(arena);
}
END_TEST

/* Numbered texts and runs of integers are what keys look like: full hashes must not collide, and
 * any 16 bits of them must spread. */
START_TEST(row_hash_spreads_regular_keys)
{
    enum { KEYS = 1 << 16 };
    static uint32_t places[2][65536];
    static uint64_t hashes[KEYS];
    for (int style = 0; style < 4; style++) {
        memset(places, 0, sizeof places);
        for (uint32_t i = 0; i < KEYS; i++) {
            char text[32];
            Value value = value_int64(type_of(TYPE_BIGINT), style == 0 ? i : (int64_t)i << 32);
            if (style >= 2) {
                snprintf(text, sizeof text, style == 2 ? "%012u" : "Customer#%09u", i);
                value = text_value(text);
            }
            hashes[i] = row_hash_value(&value);
            places[0][hashes[i] & 65535]++;
            places[1][hashes[i] >> 48]++;
        }
        for (int end = 0; end < 2; end++) {
            uint32_t used = 0;
            for (uint32_t i = 0; i < 65536; i++) {
                used += places[end][i] > 0;
            }
            // random placement fills 1 - 1/e of the places: 41,427
            ck_assert_msg(used > 40500, "style %d, end %d: %u places", style, end, used);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("distribution_hash");
    suite_add_case(suite, "frozen", frozen_values);
    suite_add_case(suite, "general", equals_the_general_hash);
    suite_add_case(suite, "neighbours", neighbours_are_dealt_out);
    suite_add_case(suite, "strides", strides_spread);
    suite_add_case(suite, "known bits", nodes_know_low_bits);
    suite_add_case(suite, "canonical", equal_numbers_of_any_type_hash_alike);
    suite_add_case(suite, "columns", columns_hash_as_their_values);
    suite_add_case(suite, "row columns", row_hash_of_columns_is_that_of_values);
    suite_add_case(suite, "row equality", row_hash_finds_equal_what_sql_does);
    suite_add_case(suite, "row spread", row_hash_spreads_regular_keys);
    return suite_main(suite);
}
