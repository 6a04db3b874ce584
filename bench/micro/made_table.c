/* made_table.c — random rows, batch by batch. */
#include "bench/micro/made_table.h"

#include <stdio.h>
#include <string.h>

#include "bench/micro/bench.h"

static Arena *process_arena;

Type made_type(char letter)
{
    return letter == 'i'   ? type_of(TYPE_INTEGER)
           : letter == 'b' ? type_of(TYPE_BIGINT)
           : letter == 'd' ? type_of(TYPE_DATE)
           : letter == 'p' ? type_decimal(12, 2)
           : letter == 'c' ? type_char(1)
                           : type_varchar(MADE_TEXT_BYTES_MAX);
}

static Lane lane_of_span(uint64_t span)
{
    return span <= UINT8_MAX    ? LANE_U8
           : span <= UINT16_MAX ? LANE_U16
           : span <= UINT32_MAX ? LANE_U32
                                : LANE_I64;
}

// The narrowest lanes that hold the batch.
static void fill_values(const MadeColumn *column, Type type, uint64_t first_row, Vector *out)
{
    int64_t values[VECTOR_ROWS];
    int64_t lo = INT64_MAX, hi = INT64_MIN;
    for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
        values[i] = column->value(first_row + i, column->parameter);
        lo = values[i] < lo ? values[i] : lo;
        hi = values[i] > hi ? values[i] : hi;
    }
    const Lane lane = lane_of_span((uint64_t)(hi - lo));
    const int64_t base = lane == LANE_I64 ? 0 : lo;
    char *lanes = arena_alloc_aligned(process_arena, VECTOR_ROWS * lane_bytes(lane) + 64, 64);
    for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
        const int64_t offset = values[i] - base;
        memcpy(lanes + i * lane_bytes(lane), &offset, lane_bytes(lane));
    }
    *out = (Vector){.type = type,
                    .lane = (uint8_t)lane,
                    .form = VECTOR_FLAT,
                    .base = base,
                    .lo = lo,
                    .hi = hi,
                    .data = lanes};
}

static const Dictionary *make_dictionary(const MadeColumn *column)
{
    static uint64_t identity;
    TextView *entries = ARENA_ARRAY(process_arena, TextView, (size_t)column->parameter + 8);
    Dictionary *dictionary = ARENA_NEW(process_arena, Dictionary);
    for (int64_t i = 0; i < column->parameter; i++) {
        entries[i] = text_view_make(column->words[i], strlen(column->words[i]));
    }
    *dictionary = (Dictionary){.lane = LANE_TEXT,
                               .entry_count = (uint32_t)column->parameter,
                               .entries = entries,
                               .is_sorted = true,
                               .is_unique = true,
                               .identity = ++identity};
    return dictionary;
}

static void fill_codes(const Dictionary *dictionary, Type type, Vector *out)
{
    uint8_t *codes = arena_alloc_aligned(process_arena, VECTOR_ROWS + 64, 64);
    for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
        codes[i] = (uint8_t)draw(dictionary->entry_count);
    }
    *out = (Vector){.type = type,
                    .lane = LANE_U8,
                    .form = VECTOR_DICTIONARY,
                    .data = codes,
                    .dictionary = dictionary};
}

static void fill_texts(const MadeColumn *column, Type type, uint64_t first_row, Vector *out)
{
    TextView *views = arena_alloc_aligned(process_arena, VECTOR_ROWS * sizeof *views + 64, 64);
    for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
        char text[MADE_TEXT_BYTES_MAX];
        const size_t bytes = column->text(first_row + i, column->parameter, text);
        views[i] = text_view_make(arena_memdup(process_arena, text, bytes), bytes);
    }
    *out = (Vector){.type = type, .lane = LANE_TEXT, .form = VECTOR_FLAT, .data = views};
}

MadeTable *made_table(MadeTable *table)
{
    if (table->batches != NULL) {
        return table;
    }
    if (process_arena == NULL) {
        process_arena = arena_create(NULL, "made");
    }
    table->batches = ARENA_ARRAY(process_arena, Batch, table->batch_count);
    for (uint32_t b = 0; b < table->batch_count; b++) {
        batch_init(&table->batches[b], table->column_count, process_arena);
        table->batches[b].row_count = table->batches[b].selected_count = VECTOR_ROWS;
    }
    for (uint32_t c = 0; c < table->column_count; c++) {
        const MadeColumn *column = &table->columns[c];
        const Type type = table->types[c] = made_type(column->letter);
        const Dictionary *dictionary = column->words == NULL ? NULL : make_dictionary(column);
        for (uint32_t b = 0; b < table->batch_count; b++) {
            Vector *out = &table->batches[b].columns[c];
            const uint64_t first_row = (uint64_t)b * VECTOR_ROWS;
            if (dictionary != NULL) {
                fill_codes(dictionary, type, out);
            } else if (column->text != NULL) {
                fill_texts(column, type, first_row, out);
            } else {
                fill_values(column, type, first_row, out);
            }
        }
    }
    table->node = (PlanNode){.kind = PLAN_VALUES,
                             .output_count = table->column_count,
                             .output_types = table->types,
                             .estimated_rows = made_table_rows(table)};
    return table;
}

double made_table_rows(const MadeTable *table)
{
    return (double)table->batch_count * VECTOR_ROWS;
}

/* ---- values ---- */

#define SPREAD UINT64_C(0x9E3779B97F4A7C15)

int64_t made_any_below(uint64_t row, int64_t limit)
{
    (void)row;
    return (int64_t)draw((uint64_t)limit);
}

int64_t made_row_number(uint64_t row, int64_t step)
{
    return (int64_t)row * step;
}

int64_t made_any_of(uint64_t row, int64_t limit)
{
    (void)row;
    return (int64_t)draw((uint64_t)limit) * 4;
}

int64_t made_clustered(uint64_t row, int64_t per_key)
{
    return (int64_t)row / per_key * 4;
}

int64_t made_sparse_row(uint64_t row, int64_t unused)
{
    (void)unused;
    return (int64_t)(row * SPREAD >> 3);
}

int64_t made_sparse_again(uint64_t row, int64_t limit)
{
    return made_sparse_row(row % (uint64_t)limit, 0);
}

int64_t made_sparse(uint64_t row, int64_t limit)
{
    (void)row;
    return made_sparse_row(draw((uint64_t)limit), 0);
}

size_t made_name_row(uint64_t row, int64_t unused, char *target)
{
    (void)unused;
    return (size_t)snprintf(target, MADE_TEXT_BYTES_MAX, "Customer#%09u", (unsigned)row);
}

size_t made_name(uint64_t row, int64_t limit, char *target)
{
    (void)row;
    return made_name_row(draw((uint64_t)limit), 0, target);
}

size_t made_comment(uint64_t row, int64_t unused, char *target)
{
    static const char *const words[] = {"foxes",
                                        "ideas",
                                        "theodolites",
                                        "pinto beans",
                                        "instructions",
                                        "dependencies",
                                        "excuses",
                                        "platelets",
                                        "asymptotes",
                                        "courts",
                                        "dolphins",
                                        "multipliers",
                                        "deposits",
                                        "packages",
                                        "accounts",
                                        "requests",
                                        "sleep",
                                        "wake",
                                        "are",
                                        "cajole",
                                        "haggle",
                                        "nag",
                                        "use",
                                        "boost",
                                        "affix",
                                        "detect",
                                        "integrate",
                                        "furious",
                                        "sly",
                                        "careful",
                                        "blithe",
                                        "quick",
                                        "fluffy",
                                        "slow",
                                        "quiet",
                                        "ruthless",
                                        "thin",
                                        "close",
                                        "dogged",
                                        "daring",
                                        "special",
                                        "regular",
                                        "final",
                                        "express",
                                        "unusual",
                                        "pending",
                                        "ironic",
                                        "carefully",
                                        "slyly",
                                        "quickly",
                                        "furiously",
                                        "above the",
                                        "across the",
                                        "against the",
                                        "along the",
                                        "among the",
                                        "about the",
                                        "after the",
                                        "according to the"};
    char text[MADE_TEXT_BYTES_MAX + 20];
    const size_t wanted = 19 + draw(60);
    size_t bytes = 0;
    (void)row;
    (void)unused;
    while (bytes < wanted) {
        const char *word = words[draw(sizeof words / sizeof words[0])];
        bytes += (size_t)snprintf(text + bytes, sizeof text - bytes, "%s ", word);
    }
    memcpy(target, text, wanted);
    return wanted;
}
