/*
 * group_words.c — keys as machine words.
 *
 * A text of at most 8 bytes is the number its bytes spell, most significant first, without its
 * trailing blanks: 'AB' is 0x4142. No text contains a zero byte, so that is unique.
 */
#include <string.h>

#include "base/hash.h"
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

void group_read_words(const GroupShape *shape, GroupSpace *space, const Vector *const *keys,
                      const uint16_t *rows, uint32_t row_count)
{
    uint64_t *null_bits = space->words[shape->key_count];
    space->has_nulls = false;
    for (uint32_t k = 0; k < shape->key_count; k++) {
        uint64_t *words = space->words[k];
        if (type_is_text(shape->key_types[k])) {
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
}

void group_copy_words(const GroupTable *source, GroupSpace *space, const uint32_t *groups,
                      uint32_t count)
{
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

void group_gather_words(const GroupTable *table, uint32_t key, const uint32_t *groups,
                        uint32_t count, VectorBuffer *buffer, Vector *out)
{
    const GroupShape *shape = table->shape;
    uint32_t word_count = shape->word_count;
    Type type = shape->key_types[key];
    bool is_text = type_is_text(type);
    bool is_byte = type.id == TYPE_BOOLEAN;
    int64_t lo = INT64_MAX;
    int64_t hi = INT64_MIN;
    bool has_nulls = false;
    memset(buffer->validity, 0xFF, VALIDITY_WORDS * sizeof *buffer->validity);
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t *words = table->words + (size_t)groups[i] * word_count;
        uint64_t word = words[key];
        bool is_null = (words[word_count - 1] >> (key & 63) & 1) != 0;
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
    size_t group_bytes = table->shape->word_count * sizeof *table->words;
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
