/*
 * group_words.c — keys as machine words.
 *
 * A text of at most 8 bytes is the number its bytes spell, most significant first, without its
 * trailing blanks: 'AB' is 0x4142. No text contains a zero byte, so that is unique. Of a longer one
 * the word is its code.
 */
#include <string.h>

#include "base/hash.h"
#include "compute/kernels/group_kernels.h"
#include "compute/kernels/lanes.h"
#include "compute/operators/hash_aggregate/group_internal.h"

enum { WORD_TEXT_BYTES = 8, GROUPS_MIN = 256 };

bool group_type_is_word(Type type)
{
    if (type_is_text(type)) {
        return type.length > 0 && type.length <= WORD_TEXT_BYTES;
    }
    return type_is_scaled_integer(type);
}

uint64_t group_text_word(const TextView *view)
{
    uint64_t word;
    uint32_t length = view->length < WORD_TEXT_BYTES ? view->length : WORD_TEXT_BYTES;
    if (length == 0) {
        return 0;
    }
    memcpy(&word, (const char *)view + 4, sizeof word); // short texts lie in the view
    word = __builtin_bswap64(word) >> (8 * (WORD_TEXT_BYTES - length));
    while ((word & 0xFF) == ' ') {
        word >>= 8;
    }
    return word;
}

static TextView word_text(uint64_t word)
{
    if (word == 0) {
        return (TextView){0};
    }
    uint32_t length = WORD_TEXT_BYTES - (uint32_t)__builtin_clzll(word) / 8;
    uint64_t swapped = __builtin_bswap64(word << (8 * (WORD_TEXT_BYTES - length)));
    return text_view_make((const char *)&swapped, length);
}

static void read_texts(const Vector *vector, const uint16_t *rows, uint32_t row_count,
                       uint64_t *words)
{
    if (vector->form == VECTOR_DICTIONARY && vector->dictionary->entry_count <= row_count) {
        uint64_t entry_words[VECTOR_ROWS];
        const TextView *entries = vector->dictionary->entries;
        for (uint32_t e = 0; e < vector->dictionary->entry_count; e++) {
            entry_words[e] = group_text_word(&entries[e]);
        }
        Vector codes = {.type = type_of(TYPE_BIGINT),
                        .lane = vector->lane,
                        .form = VECTOR_FLAT,
                        .data = vector->data};
        lanes_read_int64(&codes, rows, row_count, (int64_t *)words);
        bool is_empty = vector->dictionary->entry_count == 0; // nulls only
        for (uint32_t i = 0; i < row_count; i++) {
            words[i] = is_empty ? 0 : entry_words[words[i]];
        }
        return;
    }
    TextView views[VECTOR_ROWS];
    lanes_read_text(vector, rows, row_count, views);
    for (uint32_t i = 0; i < row_count; i++) {
        words[i] = group_text_word(&views[i]);
    }
}

bool group_read_words(const GroupShape *shape, GroupSpace *space, const Vector *const *keys,
                      const uint16_t *rows, uint32_t row_count, bool is_closed)
{
    uint64_t *null_bits = space->words[shape->key_count];
    space->has_nulls = false;
    for (uint32_t k = 0; k < shape->key_count; k++) {
        uint64_t *words = space->words[k];
        if (group_key_is_coded(shape, k)) {
            if (!text_codes_read(space->readers[k], keys[k], rows, row_count, !is_closed, words)) {
                return false;
            }
        } else if (type_is_text(shape->key_types[k])) {
            read_texts(keys[k], rows, row_count, words);
        } else {
            lanes_read_int64(keys[k], rows, row_count, (int64_t *)words);
        }
        uint8_t nulls[VECTOR_ROWS];
        if (!lanes_read_nulls(keys[k], rows, row_count, nulls)) {
            continue;
        }
        if (!space->has_nulls) {
            memset(null_bits, 0, row_count * sizeof *null_bits);
            space->has_nulls = true;
        }
        for (uint32_t i = 0; i < row_count; i++) {
            words[i] = nulls[i] != 0 ? 0 : words[i];
            null_bits[i] |= (uint64_t)nulls[i] << (k & 63);
        }
    }
    return true;
}

bool group_word_bounds(const GroupSpace *space, uint32_t key, uint32_t null_index,
                       uint32_t row_count, int64_t *min, int64_t *max)
{
    const int64_t *words = (const int64_t *)space->words[key];
    const uint64_t *null_bits = space->words[null_index];
    if (!space->has_nulls) {
        KERNELS(group_kernels)->bounds(words, row_count, min, max);
        return true;
    }
    *min = INT64_MAX;
    *max = INT64_MIN;
    for (uint32_t i = 0; i < row_count; i++) {
        if ((null_bits[i] >> (key & 63) & 1) == 0) {
            *min = words[i] < *min ? words[i] : *min;
            *max = words[i] > *max ? words[i] : *max;
        }
    }
    return *min <= *max;
}

// Of packed words the bits of one key, and whether they stand for NULL.
static uint64_t packed_word(const GroupTable *table, uint32_t key, uint32_t group, bool *is_null)
{
    const GroupKeyRange *range = &table->ranges[key];
    const uint64_t offset = table->words[group] >> range->stride & range->range;
    *is_null = offset == range->range;
    return *is_null ? 0 : offset + (uint64_t)range->min;
}

static uint64_t word_of(const GroupTable *table, uint32_t key, uint32_t group, bool *is_null)
{
    if (table->index == GROUP_INDEX_PACKED) {
        return packed_word(table, key, group, is_null);
    }
    const uint32_t word_count = table->shape->word_count;
    const uint64_t *words = table->words + (size_t)group * word_count;
    *is_null = (words[word_count - 1] >> (key & 63) & 1) != 0;
    return words[key];
}

static void copy_packed(const GroupTable *source, GroupSpace *space, const uint32_t *groups,
                        uint32_t count)
{
    const uint32_t key_count = source->shape->key_count;
    uint64_t *null_bits = space->words[key_count], any_nulls = 0;
    memset(null_bits, 0, count * sizeof *null_bits);
    for (uint32_t k = 0; k < key_count; k++) {
        uint64_t *words = space->words[k];
        for (uint32_t i = 0; i < count; i++) {
            bool is_null;
            words[i] = packed_word(source, k, groups[i], &is_null);
            null_bits[i] |= (uint64_t)is_null << k;
            any_nulls |= is_null;
        }
    }
    space->has_nulls = any_nulls != 0;
}

void group_copy_words(const GroupTable *source, GroupSpace *space, const uint32_t *groups,
                      uint32_t count)
{
    if (source->index == GROUP_INDEX_PACKED) {
        copy_packed(source, space, groups, count);
        return;
    }
    uint32_t word_count = source->shape->word_count;
    uint64_t any_nulls = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t *words = source->words + (size_t)groups[i] * word_count;
        for (uint32_t w = 0; w < word_count; w++) {
            space->words[w][i] = words[w];
        }
        any_nulls |= words[word_count - 1];
    }
    space->has_nulls = any_nulls != 0;
}

void group_hash_words(const GroupShape *shape, GroupSpace *space, uint32_t row_count)
{
    uint64_t *hashes = space->hashes;
    const uint64_t *words = space->words[0];
    for (uint32_t i = 0; i < row_count; i++) {
        hashes[i] = hash_mix(words[i]);
    }
    for (uint32_t k = 1; k < shape->key_count; k++) {
        words = space->words[k];
        for (uint32_t i = 0; i < row_count; i++) {
            hashes[i] = hash_combine(hashes[i], hash_mix(words[i]));
        }
    }
    const uint64_t *null_bits = space->words[shape->key_count];
    for (uint32_t i = 0; space->has_nulls && i < row_count; i++) {
        hashes[i] = null_bits[i] == 0 ? hashes[i] : hash_combine(hashes[i], null_bits[i]);
    }
}

// Codes as they are, over the texts of all codes so far.
static void gather_codes(const GroupTable *table, uint32_t key, const uint32_t *groups,
                         uint32_t count, VectorBuffer *buffer, Vector *out)
{
    uint32_t *codes = buffer->lanes;
    bool has_nulls = false;
    memset(buffer->validity, 0xFF, VALIDITY_WORDS * sizeof *buffer->validity);
    for (uint32_t i = 0; i < count; i++) {
        bool is_null;
        codes[i] = (uint32_t)word_of(table, key, groups[i], &is_null);
        if (is_null) {
            validity_clear(buffer->validity, i);
            has_nulls = true;
        }
    }
    *out = (Vector){
        .type = table->shape->key_types[key],
        .lane = LANE_U32,
        .form = VECTOR_DICTIONARY,
        .validity = has_nulls ? buffer->validity : NULL,
        .data = codes,
    };
    out->dictionary = text_codes_dictionary(table->shape->codes[key], &out->has_trailing_blanks);
}

void group_gather_words(const GroupTable *table, uint32_t key, const uint32_t *groups,
                        uint32_t count, VectorBuffer *buffer, Vector *out)
{
    const GroupShape *shape = table->shape;
    Type type = shape->key_types[key];
    if (group_key_is_coded(shape, key)) {
        gather_codes(table, key, groups, count, buffer, out);
        return;
    }
    bool is_text = type_is_text(type);
    bool is_byte = type.id == TYPE_BOOLEAN;
    int64_t lo = INT64_MAX;
    int64_t hi = INT64_MIN;
    bool has_nulls = false;
    memset(buffer->validity, 0xFF, VALIDITY_WORDS * sizeof *buffer->validity);
    for (uint32_t i = 0; i < count; i++) {
        bool is_null;
        uint64_t word = word_of(table, key, groups[i], &is_null);
        if (is_text) {
            ((TextView *)buffer->lanes)[i] = word_text(word);
        } else if (is_byte) {
            ((uint8_t *)buffer->lanes)[i] = (uint8_t)word;
        } else {
            ((uint64_t *)buffer->lanes)[i] = word;
        }
        if (is_null) {
            validity_clear(buffer->validity, i);
            has_nulls = true;
        } else if (!is_text) {
            lo = (int64_t)word < lo ? (int64_t)word : lo;
            hi = (int64_t)word > hi ? (int64_t)word : hi;
        }
    }
    *out = (Vector){
        .type = type,
        .lane = is_text   ? LANE_TEXT
                : is_byte ? LANE_U8
                          : LANE_I64,
        .form = VECTOR_FLAT,
        .lo = lo <= hi ? lo : 0,
        .hi = lo <= hi ? hi : 0,
        .validity = has_nulls ? buffer->validity : NULL,
        .data = buffer->lanes,
    };
}

Status group_words_reserve(GroupTable *table, uint32_t extra)
{
    uint64_t wanted = (uint64_t)table->group_count + extra;
    if (wanted <= table->group_capacity) {
        return STATUS_OK;
    }
    size_t group_bytes = table->word_stride * sizeof *table->words;
    uint64_t capacity =
        table->group_capacity > 0 ? table->group_capacity * UINT64_C(2) : GROUPS_MIN;
    capacity = capacity < wanted ? wanted : capacity;
    uint64_t *words = NULL;
    if (capacity < GROUP_NONE) {
        words = memory_realloc(table->shape->budget, table->words,
                               table->group_capacity * group_bytes, capacity * group_bytes);
    }
    if (words == NULL) {
        return memory_refused(table->shape->budget, capacity * group_bytes, "groups");
    }
    table->words = words;
    table->group_capacity = (uint32_t)capacity;
    return STATUS_OK;
}
