/* column_cases.c — see column_cases.h. */
#include "tests/support/column_cases.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vector/kernel_level.h"
#include "tests/support/check_status.h"

typedef struct Kind {
    const char *name;
    Type type;
    Lane lane;      /* of flat columns */
    int64_t lo, hi; /* scaled integers and narrow wide decimals */
} Kind;

typedef enum Nulls { NULLS_NONE, NULLS_SOME, NULLS_ALL, NULLS_COUNT } Nulls;
typedef enum Form { FORM_FLAT, FORM_CONSTANT, FORM_FEW_ENTRIES, FORM_MANY_ENTRIES, FORM_COUNT } Form;

static const uint32_t row_counts[] = {0, 1, 63, 64, 65, VECTOR_ROWS};
#define ROW_COUNTS (sizeof row_counts / sizeof row_counts[0])

static const Kind kinds[] = {
    {"boolean", {.id = TYPE_BOOLEAN}, LANE_U8, 0, 1},
    {"smallint around zero", {.id = TYPE_SMALLINT}, LANE_U8, -100, 100},
    {"integer of two bytes", {.id = TYPE_INTEGER}, LANE_U16, -1000, 60000},
    {"any integer", {.id = TYPE_INTEGER}, LANE_U32, INT32_MIN, INT32_MAX},
    {"any bigint", {.id = TYPE_BIGINT}, LANE_I64, INT64_MIN, INT64_MAX},
    {"lowest bigints", {.id = TYPE_BIGINT}, LANE_U8, INT64_MIN, INT64_MIN + 200},
    {"highest bigints", {.id = TYPE_BIGINT}, LANE_U16, INT64_MAX - 5000, INT64_MAX},
    {"decimal(12,2)", {.id = TYPE_DECIMAL, .precision = 12, .scale = 2}, LANE_U32, 0, 9999999},
    {"decimal(38,4)", {.id = TYPE_DECIMAL, .precision = 38, .scale = 4}, LANE_I128, 0, 0},
    {"narrow decimal(38,4)", {.id = TYPE_DECIMAL, .precision = 38, .scale = 4}, LANE_U16, -9, 999},
    {"real", {.id = TYPE_REAL}, LANE_F32, 0, 0},
    {"double", {.id = TYPE_DOUBLE}, LANE_F64, 0, 0},
    {"char(8)", {.id = TYPE_CHAR, .length = 8}, LANE_TEXT, 0, 0},
    {"varchar(40)", {.id = TYPE_VARCHAR, .length = 40}, LANE_TEXT, 0, 0},
    {"date", {.id = TYPE_DATE}, LANE_U16, 8000, 12000},
    {"timestamp", {.id = TYPE_TIMESTAMP}, LANE_I64, 0, INT64_C(4000000000000000)},
    {"interval", {.id = TYPE_INTERVAL}, LANE_I128, 0, 0},
};
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

uint64_t test_random(uint64_t *state)
{
    *state += UINT64_C(0x9E3779B97F4A7C15); // splitmix64
    uint64_t value = *state;
    value = (value ^ value >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ value >> 27) * UINT64_C(0x94D049BB133111EB);
    return value ^ value >> 31;
}

bool kernel_levels_next(uint32_t *index)
{
    static const char *const names[] = {"portable", "v2", "v3", "v4"};
    while (*index < 4) {
        if (kernel_level_select(names[(*index)++])) {
            return true;
        }
    }
    kernel_level_select("auto");
    return false;
}

TestMemory test_memory_create(size_t limit_bytes)
{
    TestMemory memory;
    ck_assert_ok(page_pool_create(&memory.pool, (size_t)64 << 20));
    memory.budget = memory_budget_create(memory.pool, NULL, "test", limit_bytes);
    ck_assert_ptr_nonnull(memory.budget);
    return memory;
}

void test_memory_destroy(TestMemory *memory)
{
    ck_assert_uint_eq(memory_budget_used_bytes(memory->budget), 0);
    memory_budget_destroy(memory->budget);
    page_pool_destroy(memory->pool);
}

/* --- values --- */

static void *alloc_exact(Arena *arena, size_t bytes)
{
    void *block = malloc(bytes + MEMORY_READABLE_BYTES);
    ck_assert_ptr_nonnull(block);
    memset(block, 0xA5, bytes + MEMORY_READABLE_BYTES);
    arena_on_reset(arena, free, block);
    return block;
}

static double random_double(uint64_t *state)
{
    static const double specials[] = {0.0, -0.0, 1.5, -2.25, 1e300, -1e300, 3.0};
    uint64_t draw = test_random(state) % 12;
    if (draw < 7) {
        return specials[draw];
    }
    if (draw == 7) {
        return (double)NAN;
    }
    if (draw == 8) {
        return test_random(state) % 2 == 0 ? INFINITY : -INFINITY;
    }
    return (double)(int64_t)test_random(state) / 1024.0;
}

static TextView random_text(uint64_t *state, Type type, Arena *arena)
{
    size_t bytes_max = type.id == TYPE_CHAR ? 8 : 40;
    size_t bytes = test_random(state) % 3 == 0 ? test_random(state) % (bytes_max + 1)
                                               : test_random(state) % 6;
    char short_text[TEXT_INLINE_MAX];
    char *text = bytes > TEXT_INLINE_MAX ? alloc_exact(arena, bytes) : short_text;
    for (size_t i = 0; i < bytes; i++) {
        text[i] = (char)("ab z"[test_random(state) % 4]);
    }
    if (type.id == TYPE_CHAR) {
        bytes = text_trimmed_length(text, (uint32_t)bytes);
    }
    return text_view_make(text, bytes);
}

static int64_t random_int64(uint64_t *state, int64_t lo, int64_t hi)
{
    uint64_t span = (uint64_t)hi - (uint64_t)lo, draw = test_random(state);
    switch (draw % 8) {
    case 0:
        return lo;
    case 1:
        return hi;
    default:
        draw = test_random(state);
        return (int64_t)((uint64_t)lo + (span == UINT64_MAX ? draw : draw % (span + 1)));
    }
}

static Value random_value(const Kind *kind, uint64_t *state, Arena *arena)
{
    Value value = {.type = kind->type};
    switch (type_widest_lane(kind->type)) {
    case LANE_TEXT:
        value.text = random_text(state, kind->type, arena);
        break;
    case LANE_F32:
        value.f64 = (double)(float)random_double(state);
        break;
    case LANE_F64:
        value.f64 = random_double(state);
        break;
    case LANE_I128:
        if (kind->type.id == TYPE_INTERVAL) {
            value.interval = (Interval){.months = (int32_t)(test_random(state) % 25) - 12,
                                        .days = (int32_t)(test_random(state) % 61) - 30,
                                        .us = (int64_t)(test_random(state) % 3) * 86400000000};
        } else if (kind->lane != LANE_I128) {
            value.i128 = random_int64(state, kind->lo, kind->hi);
        } else {
            value.i128 = (Int128)(int64_t)test_random(state) *
                         (test_random(state) % 2 == 0 ? 1 : INT64_C(1000000000000000000));
        }
        break;
    default:
        value.i64 = random_int64(state, kind->lo, kind->hi);
        break;
    }
    return value;
}

/* --- vectors --- */

static void store_lane(const Kind *kind, Lane lane, const Value *value, void *lanes, uint32_t row)
{
    uint64_t offset = (uint64_t)value->i64 - (lane == LANE_I64 ? 0 : (uint64_t)kind->lo);
    switch (lane) {
    case LANE_U8:
        ((uint8_t *)lanes)[row] = (uint8_t)offset;
        break;
    case LANE_U16:
        ((uint16_t *)lanes)[row] = (uint16_t)offset;
        break;
    case LANE_U32:
        ((uint32_t *)lanes)[row] = (uint32_t)offset;
        break;
    case LANE_F32:
        ((float *)lanes)[row] = (float)value->f64;
        break;
    case LANE_I64:
    case LANE_F64:
        memcpy((char *)lanes + row * 8, &value->i64, 8);
        break;
    default:
        memcpy((char *)lanes + row * 16, &value->i128, 16);
        break;
    }
}

static bool ends_in_blank(const Value *value)
{
    return value->text.length > 0 &&
           text_view_data(&value->text)[value->text.length - 1] == ' ';
}

static void *make_lanes(const Kind *kind, Lane lane, const Value *values, uint32_t count,
                        Arena *arena)
{
    void *lanes = alloc_exact(arena, count * lane_bytes(lane));
    for (uint32_t i = 0; i < count; i++) {
        Value value = values[i];
        if (value.is_null) { // any readable value of the lane
            value = (Value){.type = kind->type};
            value.i64 = kind->lo;
        }
        store_lane(kind, lane, &value, lanes, i);
    }
    return lanes;
}

static void set_validity(ColumnCase *out, Arena *arena)
{
    uint64_t *validity = alloc_exact(arena, VALIDITY_WORDS * sizeof(uint64_t));
    for (uint32_t i = 0; i < out->row_count; i++) {
        (out->values[i].is_null ? validity_clear : validity_set)(validity, i);
    }
    out->vector.validity = validity;
}

static void make_dictionary(const Kind *kind, uint32_t entry_count, uint64_t *state, Arena *arena,
                            ColumnCase *out)
{
    Value *entries = ARENA_ARRAY(arena, Value, entry_count);
    for (uint32_t i = 0; i < entry_count; i++) {
        entries[i] = random_value(kind, state, arena);
        out->vector.has_trailing_blanks |= type_is_text(kind->type) && ends_in_blank(&entries[i]);
    }
    // insertion sort: entries are few
    bool is_sorted = test_random(state) % 2 == 0;
    for (uint32_t i = 1; i < entry_count && is_sorted; i++) {
        Value moved = entries[i];
        uint32_t at = i;
        for (; at > 0 && value_compare(&entries[at - 1], &moved) > 0; at--) {
            entries[at] = entries[at - 1];
        }
        entries[at] = moved;
    }
    Dictionary *dictionary = ARENA_NEW(arena, Dictionary);
    dictionary->lane = type_is_text(kind->type) ? LANE_TEXT : LANE_I64;
    dictionary->entry_count = entry_count;
    dictionary->entries = make_lanes(kind, dictionary->lane, entries, entry_count, arena);
    dictionary->is_sorted = is_sorted;
    Lane lane = entry_count <= 256 ? LANE_U8 : LANE_U16;
    void *codes = alloc_exact(arena, out->row_count * lane_bytes(lane));
    Kind code_kind = {.lane = lane};
    for (uint32_t i = 0; i < out->row_count; i++) {
        Value code = {.i64 = (int64_t)(test_random(state) % entry_count)};
        store_lane(&code_kind, lane, &code, codes, i);
        if (!out->values[i].is_null) {
            out->values[i] = entries[code.i64];
        }
    }
    out->vector.form = VECTOR_DICTIONARY;
    out->vector.lane = (uint8_t)lane;
    out->vector.data = codes;
    out->vector.dictionary = dictionary;
}

static void make_column(const Kind *kind, Form form, Nulls nulls, uint64_t seed, Arena *arena,
                        ColumnCase *out)
{
    static const char *const form_names[] = {"flat", "constant", "few entries", "many entries"};
    static const char *const null_names[] = {"no nulls", "some nulls", "all nulls"};
    snprintf(out->name, sizeof out->name, "%s, %s, %s, %u rows, seed %llu", kind->name,
             form_names[form], null_names[nulls], out->row_count, (unsigned long long)seed);
    uint64_t state = seed;
    for (uint32_t i = 0; i < out->row_count; i++) {
        bool is_null = nulls == NULLS_ALL || (nulls == NULLS_SOME && test_random(&state) % 3 == 0);
        out->values[i] = is_null ? value_null(kind->type) : random_value(kind, &state, arena);
    }
    out->vector = (Vector){.type = kind->type, .lane = (uint8_t)kind->lane, .lo = kind->lo,
                           .hi = kind->hi};
    if (form == FORM_CONSTANT) {
        Value value = nulls == NULLS_NONE ? random_value(kind, &state, arena)
                                          : value_null(kind->type);
        vector_set_constant(&out->vector, &value, alloc_exact(arena, 16));
        for (uint32_t i = 0; i < out->row_count; i++) {
            out->values[i] = value;
        }
        return;
    }
    if (form == FORM_FLAT) {
        out->vector.data = make_lanes(kind, kind->lane, out->values, out->row_count, arena);
        out->vector.base = kind->lane <= LANE_U32 ? kind->lo : 0;
        for (uint32_t i = 0; i < out->row_count && type_is_text(kind->type); i++) {
            out->vector.has_trailing_blanks |=
                !out->values[i].is_null && ends_in_blank(&out->values[i]);
        }
    } else {
        make_dictionary(kind, form == FORM_FEW_ENTRIES ? 7 : 500, &state, arena, out);
    }
    if (nulls != NULLS_NONE) {
        set_validity(out, arena);
    }
}

uint32_t column_case_count(void)
{
    return (uint32_t)(KIND_COUNT * FORM_COUNT * NULLS_COUNT * ROW_COUNTS);
}

void column_case_make_rows(uint32_t index, uint32_t row_count, uint64_t seed, Arena *arena,
                           ColumnCase *out)
{
    const Kind *kind = &kinds[index % KIND_COUNT];
    Form form = (Form)(index / KIND_COUNT % FORM_COUNT);
    Nulls nulls = (Nulls)(index / KIND_COUNT / FORM_COUNT % NULLS_COUNT);
    bool can_be_dictionary = type_is_text(kind->type) || type_is_scaled_integer(kind->type);
    out->row_count = row_count;
    make_column(kind, form >= FORM_FEW_ENTRIES && !can_be_dictionary ? FORM_FLAT : form, nulls,
                seed, arena, out);
}

void column_case_make(uint32_t index, uint64_t seed, Arena *arena, ColumnCase *out)
{
    uint32_t row_count = row_counts[index / (KIND_COUNT * FORM_COUNT * NULLS_COUNT) % ROW_COUNTS];
    column_case_make_rows(index, row_count, seed, arena, out);
}

void assert_column(const Vector *actual, const ColumnCase *expected, const uint16_t *rows,
                   uint32_t count)
{
    // ck_assert writes a mark to a file each time, hence the plain conditions
    if (!type_equal(actual->type, expected->vector.type)) {
        ck_abort_msg("%s: type", expected->name);
    }
    for (uint32_t i = 0; i < count; i++) {
        Value value = vector_value(actual, i);
        const Value *wanted = &expected->values[rows == NULL ? i : rows[i]];
        if (!value_equal(&value, wanted)) {
            ck_abort_msg("%s: row %u differs", expected->name, i);
        }
        if (!value.is_null && type_is_scaled_integer(value.type) &&
            (value.i64 < actual->lo || value.i64 > actual->hi)) {
            ck_abort_msg("%s: row %u is out of bounds", expected->name, i);
        }
    }
}
