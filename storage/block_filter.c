/* block_filter.c — see block_filter.h. */
#include "storage/block_filter.h"

#include <string.h>
#include "storage/lookup_filter.h"

#define DICTIONARY_SEARCH_MIN 256u /* larger sorted dictionaries are searched, not evaluated */

static Value entry_value(const Block *block, uint32_t index)
{
    Value value = {.type = block->type};
    if (block->dictionary.lane == LANE_TEXT) {
        value.text = ((const TextView *)block->dictionary.entries)[index];
    } else {
        value.i64 = ((const int64_t *)block->dictionary.entries)[index];
    }
    return value;
}

/* The first code whose entry is above `bound`, or at it unless `is_after`. */
static uint32_t search_entries(const Block *block, const Value *bound, bool is_after)
{
    uint32_t low = 0, high = block->dictionary.entry_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const Value value = entry_value(block, middle);
        const int order = value_compare(&value, bound);
        if (order < 0 || (order == 0 && is_after)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Codes first .. end-1 pass. */
static void use_code_range(const Block *block, BlockFilter *filter, uint32_t first, uint32_t end)
{
    if (first >= end) {
        filter->verdict = PREDICATE_NONE;
        return;
    }
    if (first == 0 && end == block->dictionary.entry_count) {
        filter->verdict = PREDICATE_ALL;
        return;
    }
    filter->is_translated = true;
    filter->translated = (Predicate){.kind = PREDICATE_RANGE,
                                     .type = type_of(TYPE_INTEGER),
                                     .has_lo = true,
                                     .has_hi = true,
                                     .lo = value_int64(type_of(TYPE_INTEGER), first),
                                     .hi = value_int64(type_of(TYPE_INTEGER), end - 1)};
}

static void search_dictionary(const Block *block, const Predicate *predicate, BlockFilter *filter)
{
    const uint32_t first =
        predicate->has_lo ? search_entries(block, &predicate->lo, predicate->is_lo_open) : 0;
    const uint32_t end = predicate->has_hi
                             ? search_entries(block, &predicate->hi, !predicate->is_hi_open)
                             : block->dictionary.entry_count;
    use_code_range(block, filter, first, end);
}

/* Entries are a column like any other: 1,024 at a time through the predicate. */
static void evaluate_dictionary(const Block *block, const Predicate *predicate, BlockFilter *filter)
{
    const Dictionary *dictionary = &block->dictionary;
    const size_t lane = lane_bytes(dictionary->lane);
    uint32_t passing = 0, first = dictionary->entry_count, last = 0;
    for (uint32_t start = 0; start < dictionary->entry_count; start += VECTOR_ROWS) {
        const uint32_t left = dictionary->entry_count - start;
        const uint32_t rows = left < VECTOR_ROWS ? left : VECTOR_ROWS;
        const Vector entries = {.type = block->type,
                                .lane = (uint8_t)dictionary->lane,
                                .form = VECTOR_FLAT,
                                .has_trailing_blanks =
                                    (block->header->flags & BLOCK_FLAG_TRAILING_BLANKS) != 0,
                                .lo = block->lo,
                                .hi = block->hi,
                                .data = (const uint8_t *)dictionary->entries + start * lane};
        RowMask mask = {0};
        for (uint32_t i = 0; i < rows; i++) {
            validity_set(mask.words, i);
        }
        predicate_apply(predicate, &entries, rows, &mask);
        memcpy(filter->bitmap + start / 64, mask.words, sizeof mask.words);
        for (uint32_t i = 0; i < rows; i++) {
            if (validity_get(mask.words, i)) {
                first = start + i < first ? start + i : first;
                last = start + i;
                passing++;
            }
        }
    }
    if (passing == 0 || passing == last - first + 1) {
        use_code_range(block, filter, first, passing == 0 ? 0 : last + 1);
        return;
    }
    filter->is_translated = true;
    filter->translated = (Predicate){.kind = PREDICATE_BITMAP,
                                     .type = type_of(TYPE_INTEGER),
                                     .bitmap = filter->bitmap,
                                     .bitmap_base = 0,
                                     .bitmap_bits = dictionary->entry_count};
}

static Value constant_value(const Block *block)
{
    Value value = {.type = block->type};
    switch (block->header->lane) {
    case LANE_TEXT:
        value.text = *(const TextView *)block->derived;
        break;
    case LANE_I64:
        value.i64 = block->lo;
        break;
    case LANE_F32: {
        float number;
        memcpy(&number, &block->nodes[0].value_low, sizeof number);
        value.f64 = (double)number;
        break;
    }
    default: // a double or 16 bytes
        memcpy(&value.i128, &block->nodes[0].value_low, sizeof value.i128);
        break;
    }
    return value;
}

void block_filter_prepare(const Block *block, const Predicate *predicate, BlockFilter *filter)
{
    filter->predicate = predicate;
    filter->is_translated = false;
    filter->verdict = PREDICATE_SOME;
    if (predicate->kind == PREDICATE_IS_NULL || predicate->kind == PREDICATE_IS_NOT_NULL) {
        return;
    }
    if (block->header->null_count == block->row_count) {
        filter->verdict = PREDICATE_NONE;
    } else if (block->encoding->id == ENCODING_CONSTANT) {
        const Value value = constant_value(block);
        filter->verdict = predicate_accepts(predicate, &value) ? PREDICATE_ALL : PREDICATE_NONE;
    } else if (block->has_dictionary) {
        if (predicate->kind == PREDICATE_RANGE && block->dictionary.is_sorted &&
            block->dictionary.entry_count >= DICTIONARY_SEARCH_MIN) {
            search_dictionary(block, predicate, filter);
        } else {
            evaluate_dictionary(block, predicate, filter);
        }
    } else if (block->header->lane == LANE_I64) {
        filter->verdict = predicate_check_bounds(predicate, block->lo, block->hi, false);
    } else if (lookup_filter_excludes(block, predicate)) {
        filter->verdict = PREDICATE_NONE;
    }
}

static void keep_present(const uint64_t *validity, RowMask *mask)
{
    for (uint32_t i = 0; validity != NULL && i < VALIDITY_WORDS; i++) {
        mask->words[i] &= validity[i];
    }
}

/* Null-ness of a vector, for IS [NOT] NULL. */
static void filter_nulls(const Block *block, uint32_t vector, bool is_null, RowMask *mask)
{
    const uint64_t *validity = block_vector_validity(block, vector);
    const bool is_all_null = block->header->null_count == block->row_count;
    if (validity == NULL) {
        if (is_all_null != is_null) {
            memset(mask, 0, sizeof *mask);
        }
        return;
    }
    for (uint32_t i = 0; i < VALIDITY_WORDS; i++) {
        mask->words[i] &= is_null ? ~validity[i] : validity[i];
    }
}

static Status decode_for(const Block *block, uint32_t vector, const RowMask *mask,
                         DecodeBuffer *buffer, Vector *decoded)
{
    uint16_t selection[VECTOR_ROWS];
    if (block->header->lane != LANE_TEXT || block->has_dictionary) {
        return block->encoding->decode(block, vector, NULL, 0, buffer, decoded);
    }
    const uint32_t rows = block_vector_rows(block, vector);
    const uint32_t count = row_mask_to_selection(mask, rows, selection);
    return block->encoding->decode(block, vector, count == rows ? NULL : selection, count, buffer,
                                   decoded);
}

Status block_filter_apply(const Block *block, uint32_t vector, const BlockFilter *filter,
                          DecodeBuffer *buffer, Vector *decoded, bool *is_decoded, RowMask *mask)
{
    const PredicateKind kind = filter->predicate->kind;
    if (kind == PREDICATE_IS_NULL || kind == PREDICATE_IS_NOT_NULL) {
        filter_nulls(block, vector, kind == PREDICATE_IS_NULL, mask);
        return STATUS_OK;
    }
    if (filter->verdict == PREDICATE_NONE) {
        memset(mask, 0, sizeof *mask);
        return STATUS_OK;
    }
    keep_present(block_vector_validity(block, vector), mask);
    if (filter->verdict == PREDICATE_ALL) {
        return STATUS_OK;
    }
    // Filters may use the buffer that a decoded vector lies in.
    if (!*is_decoded && block->encoding->filter != NULL &&
        block->encoding->filter(block, vector, filter, buffer, mask)) {
        return STATUS_OK;
    }
    if (!*is_decoded) {
        TRY(decode_for(block, vector, mask, buffer, decoded));
        *is_decoded = true;
    }
    const uint32_t rows = block_vector_rows(block, vector);
    if (!filter->is_translated) {
        predicate_apply(filter->predicate, decoded, rows, mask);
        return STATUS_OK;
    }
    Vector codes = *decoded;
    codes.type = type_of(TYPE_INTEGER);
    codes.form = VECTOR_FLAT;
    codes.base = 0;
    codes.lo = 0;
    codes.hi = (int64_t)block->dictionary.entry_count - 1;
    codes.is_ascending = false;
    codes.validity = NULL; // null rows are cleared already
    predicate_apply(&filter->translated, &codes, rows, mask);
    return STATUS_OK;
}
