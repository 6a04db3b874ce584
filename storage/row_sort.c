/*
 * row_sort.c — see row_sort.h.
 *
 * A key becomes an unsigned number that orders like it, less the smallest one; key and row number
 * share a 64-bit word, which is radix sorted by 11 bits at a time, least significant first. Keys of
 * more than 42 bits take two rounds, low bits first. Text is sorted by its first 8 bytes, then runs
 * of equal beginnings by a stable merge sort on the whole.
 *
 * Example: dates within 7 years need 12 bits: two passes over 8 bytes per row.
 */
#include "storage/row_sort.h"

#include <string.h>
#include "base/vector/vector.h"
#include "storage/text_order.h"

#define ROW_BITS 22u
#define ROW_MASK ((UINT64_C(1) << ROW_BITS) - 1)
#define KEY_BITS (64u - ROW_BITS)
#define DIGIT_BITS 11u
#define DIGIT_COUNT (1u << DIGIT_BITS)

/* Numbers that compare like the values. */

static uint64_t key_of_double(double value)
{
    uint64_t bits;
    if (value != value) {
        return UINT64_MAX - 1; // NaN is the largest
    }
    value = value == 0 ? 0 : value;
    memcpy(&bits, &value, sizeof bits);
    return (bits >> 63) != 0 ? ~bits : bits | (UINT64_C(1) << 63);
}

static uint64_t key_of_text(const TextView *view)
{
    uint64_t word = 0;
    const char *text = text_view_data(view);
    const uint32_t bytes = text_trimmed_length(text, view->length);
    memcpy(&word, text, bytes < sizeof word ? bytes : sizeof word);
    return __builtin_bswap64(word);
}

/* The high or low half of a key; only 128-bit values have a low half. */
static uint64_t key_of_row(const SortColumn *column, uint32_t row, bool is_low)
{
    switch (column->lane) {
    case LANE_I64:
        return (uint64_t)((const int64_t *)column->values)[row] ^ (UINT64_C(1) << 63);
    case LANE_I128: {
        const UInt128 value = (UInt128)((const Int128 *)column->values)[row];
        return is_low ? (uint64_t)value : (uint64_t)(value >> 64) ^ (UINT64_C(1) << 63);
    }
    case LANE_F32:
        return key_of_double((double)((const float *)column->values)[row]);
    case LANE_F64:
        return key_of_double(((const double *)column->values)[row]);
    default:
        return key_of_text(&((const TextView *)column->values)[row]);
    }
}

/* One pass per digit over words of key << 22 | row; the result is in `words` again. */
static void radix_sort(uint64_t *words, uint64_t *spare, uint32_t count, uint32_t key_bits)
{
    uint64_t *source = words, *target = spare;
    for (uint32_t bit = 0; bit < key_bits; bit += DIGIT_BITS) {
        uint32_t starts[DIGIT_COUNT] = {0};
        const uint32_t shift = ROW_BITS + bit;
        for (uint32_t i = 0; i < count; i++) {
            starts[(source[i] >> shift) & (DIGIT_COUNT - 1)]++;
        }
        uint32_t sum = 0;
        for (uint32_t digit = 0; digit < DIGIT_COUNT; digit++) {
            const uint32_t rows = starts[digit];
            starts[digit] = sum;
            sum += rows;
        }
        for (uint32_t i = 0; i < count; i++) {
            target[starts[(source[i] >> shift) & (DIGIT_COUNT - 1)]++] = source[i];
        }
        uint64_t *other = source;
        source = target;
        target = other;
    }
    if (source != words) {
        memcpy(words, source, count * sizeof *words);
    }
}

typedef struct SortMemory {
    MemoryBudget *budget;
    uint64_t *words, *spare;
    size_t bytes;
} SortMemory;

static Status open_memory(SortMemory *memory, MemoryBudget *budget, uint32_t count)
{
    *memory = (SortMemory){.budget = budget, .bytes = ((size_t)count + 1) * sizeof(uint64_t)};
    memory->words = memory_alloc(budget, memory->bytes);
    memory->spare = memory_alloc(budget, memory->bytes);
    return memory->words != NULL && memory->spare != NULL
               ? STATUS_OK
               : memory_refused(budget, 2 * memory->bytes, "sorting rows");
}

static void close_memory(SortMemory *memory)
{
    memory_free(memory->budget, memory->words, memory->bytes);
    memory_free(memory->budget, memory->spare, memory->bytes);
}

/* Sorts by `bits` bits of the keys from `first_bit` on. */
static void sort_round(const SortMemory *memory, const SortColumn *column, bool is_low,
                       uint64_t min, uint32_t first_bit, uint32_t bits, uint32_t count,
                       uint32_t *order)
{
    const uint64_t mask = bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t key = key_of_row(column, order[i], is_low) - min;
        memory->words[i] = ((key >> first_bit) & mask) << ROW_BITS | order[i];
    }
    radix_sort(memory->words, memory->spare, count, bits);
    for (uint32_t i = 0; i < count; i++) {
        order[i] = (uint32_t)(memory->words[i] & ROW_MASK);
    }
}

/* By one 64-bit key, in one or two rounds. */
static void sort_by_key(const SortMemory *memory, const SortColumn *column, bool is_low,
                        uint32_t count, uint32_t *order)
{
    uint64_t min = UINT64_MAX, max = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t key = key_of_row(column, order[i], is_low);
        min = key < min ? key : min;
        max = key > max ? key : max;
    }
    const uint32_t bits = max == min ? 0 : 64u - (uint32_t)__builtin_clzll(max - min);
    if (bits == 0) {
        return;
    }
    const uint32_t low_bits = bits < KEY_BITS ? bits : KEY_BITS;
    sort_round(memory, column, is_low, min, 0, low_bits, count, order);
    if (bits > KEY_BITS) {
        sort_round(memory, column, is_low, min, KEY_BITS, bits - KEY_BITS, count, order);
    }
}

/* Bottom-up merge sort of rows by whole texts; `spare` has room for `count`. */
static void merge_sort_texts(const TextView *texts, uint32_t *rows, uint32_t *spare, uint32_t count)
{
    for (uint32_t width = 1; width < count; width *= 2) {
        for (uint32_t start = 0; start < count; start += 2 * width) {
            const uint32_t middle = start + width < count ? start + width : count;
            const uint32_t end = start + 2 * width < count ? start + 2 * width : count;
            uint32_t left = start, right = middle;
            for (uint32_t k = start; k < end; k++) {
                const bool takes_left =
                    left < middle && (right >= end || text_view_compare(&texts[rows[left]],
                                                                        &texts[rows[right]]) <= 0);
                spare[k] = takes_left ? rows[left++] : rows[right++];
            }
        }
        memcpy(rows, spare, count * sizeof *rows);
    }
}

/* Texts with equal first words, among which longer ones remain to be ordered. */
static void sort_ties(const SortMemory *memory, const SortColumn *column, uint32_t count,
                      uint32_t *order)
{
    const TextView *texts = column->values;
    uint32_t start = 0;
    while (start < count) {
        const uint64_t key = key_of_text(&texts[order[start]]);
        bool is_long = texts[order[start]].length > sizeof key;
        uint32_t end = start + 1;
        while (end < count && key_of_text(&texts[order[end]]) == key) {
            is_long |= texts[order[end]].length > sizeof key;
            end++;
        }
        if (is_long && end - start > 1) {
            merge_sort_texts(texts, order + start, (uint32_t *)(void *)memory->spare, end - start);
        }
        start = end;
    }
}

/* Nulls last, the order of the others kept. */
static void move_nulls(const SortMemory *memory, const SortColumn *column, uint32_t count,
                       uint32_t *order)
{
    uint32_t *nulls = (uint32_t *)(void *)memory->spare;
    uint32_t kept = 0, null_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (validity_get(column->validity, order[i])) {
            order[kept++] = order[i];
        } else {
            nulls[null_count++] = order[i];
        }
    }
    memcpy(order + kept, nulls, null_count * sizeof *nulls);
}

/* Null rows repeat present values: equal rows must not be ordered by those, so nulls are moved out
 * of the order they had before the column was sorted. */
Status row_sort_by(const SortColumn *column, uint32_t row_count, MemoryBudget *budget,
                   uint32_t *order)
{
    SortMemory memory;
    Status status = open_memory(&memory, budget, row_count);
    if (status == STATUS_OK) {
        uint32_t present = row_count;
        if (column->validity != NULL) {
            move_nulls(&memory, column, row_count, order);
            while (present > 0 && !validity_get(column->validity, order[present - 1])) {
                present--;
            }
        }
        if (column->lane == LANE_I128) {
            sort_by_key(&memory, column, true, present, order);
        }
        sort_by_key(&memory, column, false, present, order);
        if (column->lane == LANE_TEXT) {
            sort_ties(&memory, column, present, order);
        }
    }
    close_memory(&memory);
    return status;
}

Status row_sort_by_codes(const uint64_t *codes, uint32_t row_count, MemoryBudget *budget,
                         uint32_t *order)
{
    const SortColumn column = {.lane = LANE_I64, .values = codes};
    return row_sort_by(&column, row_count, budget, order);
}

bool row_sort_is_tie(const SortColumn *column, uint32_t left, uint32_t right)
{
    if (column->lane == LANE_TEXT) {
        const TextView *texts = column->values;
        return text_view_compare(&texts[left], &texts[right]) == 0;
    }
    return key_of_row(column, left, false) == key_of_row(column, right, false) &&
           (column->lane != LANE_I128 ||
            key_of_row(column, left, true) == key_of_row(column, right, true));
}
