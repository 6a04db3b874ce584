/*
 * predicate_text.c — predicates on TEXT lanes.
 *
 * Texts of at most 12 bytes are equal when their 16 bytes are; longer ones usually differ in length
 * or in the four bytes beside it. Order is decided by those four bytes in most cases.
 */
#include <string.h>

#include "base/vector/predicate_internal.h"
#include "base/vector/predicate_kernels.h"

static TextView trimmed_view(const TextView *view)
{
    const char *data = text_view_data(view);
    return text_view_make(data, text_trimmed_length(data, view->length));
}

static uint64_t head_of(const TextView *view) /* length and the first four bytes */
{
    uint64_t head;
    memcpy(&head, view, sizeof head);
    return head;
}

/* Both trimmed. */
static bool texts_are_equal(const TextView *left, const TextView *right)
{
    return head_of(left) == head_of(right) &&
           memcmp(text_view_data(left), text_view_data(right), left->length) == 0;
}

/* The first four bytes as a number that orders like them; trimmed texts. */
static uint32_t prefix_key(const TextView *view)
{
    uint32_t prefix;
    memcpy(&prefix, view->prefix, sizeof prefix);
    return __builtin_bswap32(prefix);
}

static int compare_trimmed(const TextView *left, const TextView *right)
{
    uint32_t left_key = prefix_key(left), right_key = prefix_key(right);
    if (left_key != right_key) {
        return left_key < right_key ? -1 : 1;
    }
    uint32_t bytes = left->length < right->length ? left->length : right->length;
    int order = memcmp(text_view_data(left), text_view_data(right), bytes);
    if (order != 0) {
        return order;
    }
    return (left->length > right->length) - (left->length < right->length);
}

static void keep_equal(const Vector *vector, uint32_t row_count, const TextView *bound,
                       bool is_inverted, RowMask *mask)
{
    const TextView *views = vector->data;
    if (bound->length <= TEXT_INLINE_MAX && !vector->has_trailing_blanks) {
        uint64_t words[2];
        memcpy(words, bound, sizeof words);
        KERNELS(predicate_kernels)->equal16(views, row_count, words, is_inverted, mask->words);
        return;
    }
    for (MaskCursor cursor = mask_cursor(mask, row_count); mask_next(&cursor);) {
        TextView view = views[cursor.row];
        if (vector->has_trailing_blanks) {
            view = trimmed_view(&view);
        }
        mask_keep(&cursor, texts_are_equal(&view, bound) != is_inverted);
    }
}

static void keep_range(const Predicate *predicate, const Vector *vector, uint32_t row_count,
                       RowMask *mask)
{
    const TextView *views = vector->data;
    TextView lo = {0}, hi = {0};
    if (predicate->has_lo) {
        lo = trimmed_view(&predicate->lo.text);
    }
    if (predicate->has_hi) {
        hi = trimmed_view(&predicate->hi.text);
    }
    bool is_closed = !predicate->is_lo_open && !predicate->is_hi_open;
    if (predicate->has_lo && predicate->has_hi && is_closed && texts_are_equal(&lo, &hi)) {
        keep_equal(vector, row_count, &lo, false, mask);
        return;
    }
    for (MaskCursor cursor = mask_cursor(mask, row_count); mask_next(&cursor);) {
        TextView view = views[cursor.row];
        if (vector->has_trailing_blanks) {
            view = trimmed_view(&view);
        }
        bool is_kept = true;
        if (predicate->has_lo) {
            int order = compare_trimmed(&view, &lo);
            is_kept = order > 0 || (order == 0 && !predicate->is_lo_open);
        }
        if (is_kept && predicate->has_hi) {
            int order = compare_trimmed(&view, &hi);
            is_kept = order < 0 || (order == 0 && !predicate->is_hi_open);
        }
        mask_keep(&cursor, is_kept);
    }
}

static bool is_among(const Predicate *predicate, const TextView *view)
{
    uint32_t first = 0, count = predicate->value_count;
    while (count > 0) {
        uint32_t half = count / 2;
        int order = text_view_compare(&predicate->values[first + half].text, view);
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            first += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return false;
}

#define IN_COMPARES_MAX 4u

static void keep_in(const Predicate *predicate, const Vector *vector, uint32_t row_count,
                    RowMask *mask)
{
    if (predicate->value_count > IN_COMPARES_MAX) {
        const TextView *views = vector->data;
        for (MaskCursor cursor = mask_cursor(mask, row_count); mask_next(&cursor);) {
            mask_keep(&cursor, is_among(predicate, &views[cursor.row]));
        }
        return;
    }
    RowMask found = {{0}};
    for (uint32_t i = 0; i < predicate->value_count; i++) {
        RowMask equal = *mask;
        TextView bound = trimmed_view(&predicate->values[i].text);
        keep_equal(vector, row_count, &bound, false, &equal);
        for (uint32_t word = 0; word < VALIDITY_WORDS; word++) {
            found.words[word] |= equal.words[word];
        }
    }
    *mask = found;
}

void predicate_apply_text(const Predicate *predicate, const Vector *vector, uint32_t row_count,
                          RowMask *mask)
{
    switch (predicate->kind) {
    case PREDICATE_RANGE:
        keep_range(predicate, vector, row_count, mask);
        return;
    case PREDICATE_NOT_EQUAL: {
        TextView bound = trimmed_view(&predicate->lo.text);
        keep_equal(vector, row_count, &bound, true, mask);
        return;
    }
    case PREDICATE_IN:
        keep_in(predicate, vector, row_count, mask);
        return;
    default:
        memset(mask, 0, sizeof *mask); // a bitmap has no bit for a text
        return;
    }
}
