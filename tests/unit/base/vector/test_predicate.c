/* Suite of base/vector/predicate*.c: every kind on every type and form, against the plain rules. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vector/distribution_hash.h"
#include "base/vector/predicate.h"
#include "tests/support/check_status.h"
#include "tests/support/column_cases.h"

enum { LISTED_MAX = 60, BITMAP_BITS = 5000 };

static Arena *arena;
static uint64_t state;

static void setup(void)
{
    arena = arena_create(NULL, "test");
    state = 17;
}

static void teardown(void)
{
    arena_destroy(arena);
}

/* What SQL says, written once more and differently. */
static bool passes(const Predicate *predicate, const Value *value)
{
    if (value->is_null) {
        return predicate->kind == PREDICATE_IS_NULL;
    }
    switch (predicate->kind) {
    case PREDICATE_IS_NULL:
        return false;
    case PREDICATE_IS_NOT_NULL:
        return true;
    case PREDICATE_RANGE: {
        int lo = predicate->has_lo ? value_compare(value, &predicate->lo) : 1;
        int hi = predicate->has_hi ? value_compare(value, &predicate->hi) : -1;
        return lo >= predicate->is_lo_open && hi <= -predicate->is_hi_open;
    }
    case PREDICATE_NOT_EQUAL:
        return value_compare(value, &predicate->lo) != 0;
    case PREDICATE_IN:
        for (uint32_t i = 0; i < predicate->value_count; i++) {
            if (value_compare(value, &predicate->values[i]) == 0) {
                return true;
            }
        }
        return false;
    case PREDICATE_BITMAP: {
        Int128 bit = ((Int128)value->i64 - predicate->bitmap_base) >> predicate->bitmap_shift;
        return bit >= 0 && bit < (Int128)predicate->bitmap_bits &&
               (predicate->bitmap[(uint64_t)bit / 64] >> ((uint64_t)bit % 64) & 1) != 0;
    }
    default:
        return bloom_filter_contains(predicate->bloom, row_hash_value(value));
    }
}

/* A present value of the column, or a neighbour of one; null when all are null. */
static const Value *pick(const ColumnCase *column)
{
    for (uint32_t tries = 0; tries < 50 && column->row_count > 0; tries++) {
        const Value *value = &column->values[test_random(&state) % column->row_count];
        if (!value->is_null) {
            return value;
        }
    }
    return NULL;
}

static Value bound_near(const ColumnCase *column, const ColumnCase *other)
{
    const Value *found = pick(test_random(&state) % 2 == 0 ? column : other);
    Value value = found != NULL ? *found : value_int64(column->vector.type, 0);
    if (found == NULL && type_is_text(value.type)) {
        value.text = text_view_make("a", 1);
    }
    if (found == NULL && type_is_float(value.type)) {
        value.f64 = 1.0;
    }
    if (type_is_scaled_integer(value.type) && test_random(&state) % 4 == 0) {
        int64_t step = test_random(&state) % 2 == 0 ? 1 : -1;
        __builtin_add_overflow(value.i64, step, &value.i64);
    }
    return value;
}

static int order_values(const void *left, const void *right)
{
    return value_compare(left, right);
}

static void draw_range(Predicate *predicate, const ColumnCase *column, const ColumnCase *other)
{
    uint64_t draw = test_random(&state);
    predicate->has_lo = draw % 4 != 0;
    predicate->has_hi = draw % 3 != 0;
    predicate->lo = bound_near(column, other);
    predicate->hi = draw % 5 == 0 ? predicate->lo : bound_near(column, other);
    bool can_be_open = !type_is_scaled_integer(column->vector.type);
    predicate->is_lo_open = can_be_open && draw / 64 % 2 == 0;
    predicate->is_hi_open = can_be_open && draw / 128 % 2 == 0;
}

/* Fills in a random predicate; `other` is a column of the same type. */
static void draw_predicate(PredicateKind kind, const ColumnCase *column, const ColumnCase *other,
                           Predicate *predicate)
{
    *predicate = (Predicate){.kind = kind, .type = column->vector.type};
    if (kind == PREDICATE_RANGE) {
        draw_range(predicate, column, other);
    } else if (kind == PREDICATE_NOT_EQUAL) {
        predicate->lo = bound_near(column, other);
    } else if (kind == PREDICATE_IN) {
        static Value values[LISTED_MAX];
        predicate->value_count = (uint32_t)(test_random(&state) % LISTED_MAX);
        for (uint32_t i = 0; i < predicate->value_count; i++) {
            values[i] = bound_near(column, other);
        }
        qsort(values, predicate->value_count, sizeof(Value), order_values);
        predicate->values = values;
    } else if (kind == PREDICATE_BITMAP) {
        static uint64_t bitmap[BITMAP_BITS / 64 + 1];
        for (uint32_t i = 0; i < BITMAP_BITS / 64 + 1; i++) {
            bitmap[i] = test_random(&state);
        }
        predicate->bitmap = bitmap;
        predicate->bitmap_bits = test_random(&state) % BITMAP_BITS;
        predicate->bitmap_shift = (uint32_t)(test_random(&state) % 5);
        predicate->bitmap_base = bound_near(column, other).i64;
        __builtin_sub_overflow(predicate->bitmap_base, (int64_t)(test_random(&state) % 3000),
                               &predicate->bitmap_base);
    } else if (kind == PREDICATE_BLOOM) {
        static uint32_t blocks[64];
        static BloomFilter bloom = {.blocks = blocks, .block_mask = 63};
        memset(blocks, 0, sizeof blocks);
        for (uint32_t i = 0; i < 40; i++) {
            Value value = bound_near(column, other);
            bloom_filter_add(&bloom, row_hash_value(&value));
        }
        predicate->bloom = &bloom;
    }
}

static void check(const Predicate *predicate, const ColumnCase *column)
{
    RowMask mask;
    uint32_t row_count = column->row_count;
    row_mask_set_first(&mask, row_count);
    if (test_random(&state) % 2 == 0) {
        for (uint32_t i = 0; i < VALIDITY_WORDS; i++) { // some rows are dead already
            mask.words[i] &= test_random(&state) % 4 == 0 ? 0 : test_random(&state);
        }
    }
    RowMask before = mask;
    predicate_apply(predicate, &column->vector, row_count, &mask);
    bool has_nulls = false, has_passed = false, has_failed = false;
    for (uint32_t row = 0; row < row_count; row++) {
        const Value *value = &column->values[row];
        bool wanted = passes(predicate, value);
        if (predicate_accepts(predicate, value) != wanted) {
            ck_abort_msg("%s: kind %d refuses or accepts a value", column->name, predicate->kind);
        }
        if (validity_get(mask.words, row) != (wanted && validity_get(before.words, row))) {
            ck_abort_msg("%s: kind %d, row %u should be %d", column->name, predicate->kind, row,
                         wanted);
        }
        has_nulls |= value->is_null;
        has_passed |= wanted;
        has_failed |= !wanted;
    }
    if (type_is_scaled_integer(column->vector.type)) {
        PredicateVerdict verdict = predicate_check_bounds(predicate, column->vector.lo,
                                                          column->vector.hi, has_nulls);
        if ((verdict == PREDICATE_NONE && has_passed) ||
            (verdict == PREDICATE_ALL && has_failed)) {
            ck_abort_msg("%s: kind %d, verdict %d", column->name, predicate->kind, verdict);
        }
    }
}

START_TEST(every_kind_on_every_column)
{
    static ColumnCase column, other;
    for (uint32_t level = 0; kernel_levels_next(&level);) {
        for (uint32_t i = 0; i < column_case_count(); i++) {
            column_case_make(i, i + 1000 * level, arena, &column);
            column_case_make(i, i + 1000 * level + 77777, arena, &other);
            for (int kind = PREDICATE_IS_NULL; kind <= PREDICATE_BLOOM; kind++) {
                if (kind == PREDICATE_BITMAP &&
                    !type_is_scaled_integer(column.vector.type)) {
                    continue;
                }
                for (uint32_t round = 0; round < 4; round++) {
                    Predicate predicate;
                    draw_predicate((PredicateKind)kind, &column, &other, &predicate);
                    check(&predicate, &column);
                }
            }
            arena_reset(arena);
        }
    }
}
END_TEST

/* Lanes at both ends of every width, and bounds around and beyond them. */
START_TEST(ranges_at_the_ends_of_lanes)
{
    const int64_t bases[] = {INT64_MIN, -70000, -1, 0, 5, INT64_MAX - 70000};
    for (uint32_t level = 0; kernel_levels_next(&level);) {
        for (size_t b = 0; b < sizeof bases / sizeof bases[0]; b++) {
            uint16_t lanes[256 + 32];
            for (uint32_t i = 0; i < 256; i++) {
                lanes[i] = (uint16_t)(i * 257);
            }
            Vector vector = {.type = type_of(TYPE_BIGINT), .lane = LANE_U16, .base = bases[b],
                             .lo = bases[b], .hi = bases[b] + 65535, .data = lanes};
            const int64_t offsets[] = {-3, -1, 0, 1, 256, 257, 65534, 65535, 65536, 66000};
            for (size_t l = 0; l < 10; l++) {
                for (size_t h = 0; h < 10; h++) {
                    Predicate predicate = {.kind = PREDICATE_RANGE, .type = vector.type,
                                           .has_lo = true, .has_hi = true};
                    int64_t lo, hi;
                    if (__builtin_add_overflow(bases[b], offsets[l], &lo) ||
                        __builtin_add_overflow(bases[b], offsets[h], &hi)) {
                        continue;
                    }
                    predicate.lo = value_int64(vector.type, lo);
                    predicate.hi = value_int64(vector.type, hi);
                    RowMask mask;
                    row_mask_set_first(&mask, 256);
                    predicate_apply(&predicate, &vector, 256, &mask);
                    for (uint32_t row = 0; row < 256; row++) {
                        int64_t value = bases[b] + lanes[row];
                        if (validity_get(mask.words, row) != (value >= lo && value <= hi)) {
                            ck_abort_msg("base %zu, offsets %zu %zu, row %u", b, l, h, row);
                        }
                    }
                }
            }
        }
    }
}
END_TEST

START_TEST(nan_is_above_everything)
{
    const double numbers[] = {(double)NAN, INFINITY, 1.0, 0.0, -0.0, -INFINITY};
    enum { COUNT = 6 };
    double lanes[COUNT + 8];
    memcpy(lanes, numbers, sizeof numbers);
    Vector vector = {.type = type_of(TYPE_DOUBLE), .lane = LANE_F64, .data = lanes};
    for (uint32_t level = 0; kernel_levels_next(&level);) {
        for (uint32_t shape = 0; shape < 16; shape++) {
            for (uint32_t l = 0; l < COUNT; l++) {
                for (uint32_t h = 0; h < COUNT; h++) {
                    Predicate predicate = {.kind = PREDICATE_RANGE,
                                           .type = vector.type,
                                           .has_lo = shape & 1,
                                           .has_hi = shape & 2,
                                           .is_lo_open = shape & 4,
                                           .is_hi_open = shape & 8,
                                           .lo = {.type = vector.type, .f64 = numbers[l]},
                                           .hi = {.type = vector.type, .f64 = numbers[h]}};
                    RowMask mask;
                    row_mask_set_first(&mask, COUNT);
                    predicate_apply(&predicate, &vector, COUNT, &mask);
                    for (uint32_t row = 0; row < COUNT; row++) {
                        Value value = {.type = vector.type, .f64 = numbers[row]};
                        if (validity_get(mask.words, row) != passes(&predicate, &value)) {
                            ck_abort_msg("shape %u, lo %u, hi %u, row %u", shape, l, h, row);
                        }
                    }
                }
            }
        }
    }
}
END_TEST

START_TEST(a_full_bloom_filter_admits_what_was_added)
{
    uint32_t blocks[1024] = {0};
    BloomFilter bloom = {.blocks = blocks, .block_mask = 1023};
    for (int64_t key = 0; key < 2000; key++) {
        Value value = value_int64(type_of(TYPE_INTEGER), key * 3);
        bloom_filter_add(&bloom, row_hash_value(&value));
    }
    uint32_t false_count = 0;
    for (int64_t key = 0; key < 6000; key++) {
        Value value = value_int64(type_of(TYPE_INTEGER), key);
        bool is_found = bloom_filter_contains(&bloom, row_hash_value(&value));
        ck_assert(is_found || key % 3 != 0);
        false_count += is_found && key % 3 != 0;
    }
    ck_assert_uint_lt(false_count, 4000 / 20); // 16 bits a key: about two in a hundred
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("predicate");
    TCase *rows = tcase_create("rows");
    tcase_add_checked_fixture(rows, setup, teardown);
    tcase_set_timeout(rows, 120);
    tcase_add_test(rows, every_kind_on_every_column);
    tcase_add_test(rows, ranges_at_the_ends_of_lanes);
    tcase_add_test(rows, nan_is_above_everything);
    tcase_add_test(rows, a_full_bloom_filter_admits_what_was_added);
    suite_add_tcase(suite, rows);
    return suite_main(suite);
}
