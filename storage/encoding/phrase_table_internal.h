/* phrase_table_internal.h — the table as its two files see it: phrase_table.c (coding) and
 * phrase_training.c (learning). */
#pragma once
#include <string.h>
#include "storage/encoding/phrase_table.h"

#define PHRASE_SLOTS 8192u
#define PHRASE_FILTER_BITS 65536u

/* What follows the first eight bytes of a phrase, or of a shorter one the first three. */
typedef struct PhraseRest {
    uint64_t bytes;
    uint16_t code;
    uint8_t length; /* of the whole phrase */
    uint8_t shift;  /* 64 - bits of the rest */
} PhraseRest;

/* Phrases that start with the same bytes: rests first .. first + count - 1, the longest first;
 * count 0: a free slot. */
typedef struct PhraseFour {
    uint32_t bytes;
    uint16_t first, count;
} PhraseFour;
typedef struct PhraseEight {
    uint64_t bytes;
    uint16_t first, count;
} PhraseEight;

/* The longest match looks up the next eight bytes for phrases of nine and more, where a bit of a
 * filter says that there are any, then the next four for those of four to eight, then three, then
 * two. */
struct PhraseTable {
    PhraseDecoder decoder;
    uint64_t filter[PHRASE_FILTER_BITS / 64];
    PhraseEight eights[PHRASE_SLOTS];
    PhraseFour fours[PHRASE_SLOTS];
    PhraseFour threes[PHRASE_SLOTS]; /* `first` is the code */
    PhraseRest rests[PHRASES_MAX];
    uint16_t shorts[65536]; /* code by the next two bytes: a phrase of two, or the first byte */
};

/* Makes the look-ups of the decoder's phrases, no two of which are equal. */
void phrase_table_index(PhraseTable *table);

static inline uint64_t phrase_word(const void *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
    return word;
}

static inline uint32_t phrase_hash(uint64_t word, uint32_t slots)
{
    return (uint32_t)((word * UINT64_C(0x9e3779b97f4a7c15)) >> 40) % slots;
}

/* The code of the first of some rests that matches; 0 when none does. */
static inline uint32_t phrase_find_rest(const PhraseRest *rest, uint32_t count, uint64_t word,
                                        size_t left)
{
    for (const PhraseRest *end = rest + count; rest < end; rest++) {
        if (((rest->bytes ^ word) << rest->shift) == 0 && rest->length <= left) {
            return rest->code;
        }
    }
    return 0;
}

static inline uint32_t phrase_find_eight(const PhraseTable *table, uint64_t word, uint64_t next,
                                         size_t left)
{
    const PhraseEight *slot;
    for (uint32_t i = phrase_hash(word, PHRASE_SLOTS);
         (slot = &table->eights[i % PHRASE_SLOTS])->count != 0; i++) {
        if (slot->bytes == word) {
            return phrase_find_rest(&table->rests[slot->first], slot->count, next, left);
        }
    }
    return 0;
}

/* The slot of some bytes, or a free one. */
static inline uint32_t phrase_slot(const PhraseFour *slots, uint32_t bytes)
{
    uint32_t i = phrase_hash(bytes, PHRASE_SLOTS);
    while (slots[i % PHRASE_SLOTS].count != 0 && slots[i % PHRASE_SLOTS].bytes != bytes) {
        i++;
    }
    return i % PHRASE_SLOTS;
}

/* The code of the longest phrase at the start of a text of `left` > 0 bytes. */
static inline uint32_t phrase_match(const PhraseTable *table, const char *text, size_t left)
{
    const uint64_t word = phrase_word(text);
    const uint32_t bit = phrase_hash(word, PHRASE_FILTER_BITS);
    uint32_t code = 0;
    if ((table->filter[bit / 64] >> (bit % 64) & 1) != 0 && left > 8) {
        code = phrase_find_eight(table, word, phrase_word(text + 8), left);
        if (code != 0) {
            return code;
        }
    }
    const PhraseFour *four = &table->fours[phrase_slot(table->fours, (uint32_t)word)];
    code = phrase_find_rest(&table->rests[four->first], four->count, word >> 24, left);
    if (code != 0) {
        return code;
    }
    const PhraseFour *three =
        &table->threes[phrase_slot(table->threes, (uint32_t)(word & 0xffffff))];
    if (three->count != 0 && left >= 3) {
        return three->first;
    }
    return left >= 2 ? table->shorts[word & 0xffff] : word & 0xff;
}
