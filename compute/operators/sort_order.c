/*
 * sort_order.c — radix sort on the words of the key strings, comparisons for what is left.
 *
 * Entries are sorted by their first word, a byte at a time from the lowest (LSD), skipping bytes in
 * which all agree. Runs of equal words go on with the next word. Text prefixes end that: behind
 * them a merge sort compares whole keys. Short inputs are merge-sorted at once.
 */
#include "compute/operators/sort_order.h"

#include <string.h>

enum {
    RADIX_ROWS_MIN = 512,
    INSERTION_ROWS_MAX = 16,
    DIGITS = 8,
    DIGIT_VALUES = 256,
    LONG_ROWS_MIN = 1 << 14, /* from here on a sort lasts long enough to be stopped */
};

typedef struct SortRange {
    const SortShape *shape;
    uint32_t word;        /* index of the word the prefixes hold */
    uint32_t radix_words; /* words that may be sorted byte by byte */
} SortRange;

// A canceled query needs no order: all entries stay, in whatever order they have.
static bool is_over(const SortShape *shape, uint64_t count)
{
    return count >= LONG_ROWS_MIN && query_context_is_canceled(shape->query);
}

static int compare_entries(const SortRange *range, const SortEntry *left, const SortEntry *right)
{
    if (left->prefix != right->prefix) {
        return left->prefix < right->prefix ? -1 : 1;
    }
    return sort_keys_compare_rows(&range->shape->keys, &range->shape->layout, left->row,
                                  right->row);
}

static void insertion_sort(const SortRange *range, SortEntry *entries, uint64_t count)
{
    for (uint64_t i = 1; i < count; i++) {
        SortEntry moved = entries[i];
        uint64_t j = i;
        while (j > 0 && compare_entries(range, &moved, &entries[j - 1]) < 0) {
            entries[j] = entries[j - 1];
            j--;
        }
        entries[j] = moved;
    }
}

static void merge_sort(const SortRange *range, SortEntry *entries, SortEntry *scratch,
                       uint64_t count)
{
    if (count <= INSERTION_ROWS_MAX) {
        insertion_sort(range, entries, count);
        return;
    }
    if (is_over(range->shape, count)) {
        return;
    }
    uint64_t half = count / 2;
    merge_sort(range, entries, scratch, half);
    merge_sort(range, entries + half, scratch, count - half);
    memcpy(scratch, entries, half * sizeof *entries);
    uint64_t left = 0;
    uint64_t right = half;
    for (uint64_t out = 0; left < half; out++) {
        if (right < count && compare_entries(range, &entries[right], &scratch[left]) < 0) {
            entries[out] = entries[right++];
        } else {
            entries[out] = scratch[left++];
        }
    }
}

// One pass per byte in which entries differ; the result is in `entries`.
static void radix_sort(const SortShape *shape, SortEntry *entries, SortEntry *scratch,
                       uint64_t count)
{
    uint32_t counts[DIGITS][DIGIT_VALUES];
    memset(counts, 0, sizeof counts);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t prefix = entries[i].prefix;
        for (uint32_t digit = 0; digit < DIGITS; digit++) {
            counts[digit][(prefix >> (8 * digit)) & 0xFF]++;
        }
    }
    SortEntry *source = entries;
    SortEntry *target = scratch;
    for (uint32_t digit = 0; digit < DIGITS && !is_over(shape, count); digit++) {
        uint32_t *digit_counts = counts[digit];
        if (digit_counts[(entries[0].prefix >> (8 * digit)) & 0xFF] == count) {
            continue;
        }
        uint64_t offsets[DIGIT_VALUES];
        uint64_t offset = 0;
        for (uint32_t value = 0; value < DIGIT_VALUES; value++) {
            offsets[value] = offset;
            offset += digit_counts[value];
        }
        for (uint64_t i = 0; i < count; i++) {
            target[offsets[(source[i].prefix >> (8 * digit)) & 0xFF]++] = source[i];
        }
        SortEntry *swap = source;
        source = target;
        target = swap;
    }
    if (source != entries) {
        memcpy(entries, source, count * sizeof *entries);
    }
}

static void sort_range(const SortRange *range, SortEntry *entries, SortEntry *scratch,
                       uint64_t count);

// Entries that agree in this word: the next word decides, or whole keys.
static void sort_ties(const SortRange *range, SortEntry *entries, SortEntry *scratch,
                      uint64_t count)
{
    uint32_t next_word = range->word + 1;
    if (range->shape->keys.is_complete && next_word * 8 >= range->shape->keys.bytes) {
        return; // equal keys
    }
    if (count < RADIX_ROWS_MIN || next_word >= range->radix_words) {
        merge_sort(range, entries, scratch, count);
        return;
    }
    SortRange next = *range;
    next.word = next_word;
    for (uint64_t i = 0; i < count; i++) {
        entries[i].prefix = sort_key_prefix(entries[i].row + (size_t)next_word * 8);
    }
    sort_range(&next, entries, scratch, count);
    for (uint64_t i = 0; i < count; i++) {
        entries[i].prefix = sort_key_prefix(entries[i].row + (size_t)range->word * 8);
    }
}

static void sort_range(const SortRange *range, SortEntry *entries, SortEntry *scratch,
                       uint64_t count)
{
    if (count < RADIX_ROWS_MIN) {
        merge_sort(range, entries, scratch, count);
        return;
    }
    radix_sort(range->shape, entries, scratch, count);
    for (uint64_t first = 0; first < count && !is_over(range->shape, count);) {
        uint64_t end = first + 1;
        while (end < count && entries[end].prefix == entries[first].prefix) {
            end++;
        }
        if (end - first > 1) {
            sort_ties(range, entries + first, scratch, end - first);
        }
        first = end;
    }
}

void sort_entries(const SortShape *shape, SortEntry *entries, SortEntry *scratch, uint64_t count)
{
    const SortKeys *keys = &shape->keys;
    uint32_t radix_bytes = keys->bytes;
    for (uint32_t k = 0; k < keys->count; k++) {
        if (keys->keys[k].is_prefix) {
            radix_bytes = keys->keys[k].offset + 1 + keys->keys[k].bytes;
            break;
        }
    }
    SortRange range = {.shape = shape, .word = 0, .radix_words = radix_bytes / 8};
    sort_range(&range, entries, scratch, count);
}
