/* phrase_table_internal.h — the table as its two files see it: phrase_table.c (coding) and
 * phrase_training.c (learning). */
#pragma once
#include <string.h>
#include "storage/encoding/phrase_table.h"

#define PHRASE_HEADS 8192u
#define PHRASE_SLOTS 8192u
#define PHRASE_PREFIX_SLOTS 4096u
#define PHRASE_MEMOS 4096u

/* A phrase of 3 .. 8 bytes; length 0: a free slot. */
typedef struct PhraseSlot {
    uint64_t bytes;
    uint16_t code;
    uint8_t length;
} PhraseSlot;

/* What follows the first eight bytes of a long phrase. */
typedef struct PhraseRest {
    uint64_t bytes;
    uint16_t code;
    uint8_t length; /* of the whole phrase */
    uint8_t shift;  /* 64 - bits of the rest */
} PhraseRest;

/* Long phrases that start alike: rests first .. first + count - 1, the longest first; count 0: a
 * free slot. */
typedef struct PhrasePrefix {
    uint64_t bytes;
    uint16_t first, count;
} PhrasePrefix;

/* What was found for the next eight bytes before: they repeat. Eight zeroes find their first byte
 * without ever having been looked up. */
typedef struct PhraseMemo {
    uint64_t word;
    uint16_t code;         /* of the longest phrase of up to eight bytes */
    uint16_t first, count; /* rests of longer ones */
} PhraseMemo;

/* The longest match asks the memo; else which lengths occur behind the next six and the next three
 * bytes (by hash: a length too much costs a look-up, nothing else), and looks those up. */
struct PhraseTable {
    PhraseDecoder decoder;
    uint16_t heads_six[PHRASE_HEADS];   /* bits 6 .. 8 */
    uint16_t heads_three[PHRASE_HEADS]; /* bits 3 .. 5 */
    PhraseSlot slots[PHRASE_SLOTS];
    PhrasePrefix prefixes[PHRASE_PREFIX_SLOTS];
    PhraseRest rests[PHRASES_MAX];
    PhraseMemo memos[PHRASE_MEMOS];
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

static inline uint64_t phrase_mask(uint32_t bytes)
{
    return bytes >= 8 ? UINT64_MAX : (UINT64_C(1) << (8 * bytes)) - 1;
}

static inline uint32_t phrase_hash(uint64_t word, uint32_t slots)
{
    return (uint32_t)((word * UINT64_C(0x9e3779b97f4a7c15)) >> 40) % slots;
}

static inline uint32_t phrase_slot_of(uint64_t bytes, uint32_t length)
{
    return phrase_hash(bytes + length, PHRASE_SLOTS);
}

/* The code of a phrase of the lengths in `mask` (3 .. 8) at the start of `word`, longest first;
 * 0 when there is none. */
static inline uint32_t phrase_find(const PhraseTable *table, uint64_t word, uint32_t mask)
{
    while (mask != 0) {
        const uint32_t length = 31u - (uint32_t)__builtin_clz(mask);
        const uint64_t bytes = word & phrase_mask(length);
        const PhraseSlot *slot;
        for (uint32_t i = phrase_slot_of(bytes, length);
             (slot = &table->slots[i % PHRASE_SLOTS])->length != 0; i++) {
            if (slot->bytes == bytes && slot->length == length) {
                return slot->code;
            }
        }
        mask &= ~(1u << length);
    }
    return 0;
}

/* The prefix of long phrases that start with `word`; null when there are none. */
static inline const PhrasePrefix *phrase_find_prefix(const PhraseTable *table, uint64_t word)
{
    const PhrasePrefix *prefix;
    for (uint32_t i = phrase_hash(word, PHRASE_PREFIX_SLOTS);
         (prefix = &table->prefixes[i % PHRASE_PREFIX_SLOTS])->count != 0; i++) {
        if (prefix->bytes == word) {
            return prefix;
        }
    }
    return NULL;
}

/* The code of the longest phrase of up to eight bytes at the start of `word`, of whose bytes `left`
 * > 0 are text. */
static inline uint32_t phrase_find_short(const PhraseTable *table, uint64_t word, size_t left)
{
    const uint32_t allowed = left >= 8 ? 0x1f8 : ((2u << left) - 1) & 0x1f8; // 3 .. 8 bytes
    const uint32_t six = table->heads_six[phrase_hash(word << 16, PHRASE_HEADS)];
    const uint32_t three = table->heads_three[phrase_hash(word << 40, PHRASE_HEADS)];
    const uint32_t code = phrase_find(table, word, (six | three) & allowed);
    if (code != 0) {
        return code;
    }
    return left >= 2 ? table->shorts[word & 0xffff] : word & 0xff;
}

/* The code of the longest phrase at the start of a text of `left` > 0 bytes. */
static inline uint32_t phrase_match(PhraseTable *table, const char *text, size_t left)
{
    const uint64_t word = phrase_word(text), next = phrase_word(text + 8);
    if (left < 8) {
        return phrase_find_short(table, word, left);
    }
    PhraseMemo *memo = &table->memos[phrase_hash(word, PHRASE_MEMOS)];
    if (memo->word != word) {
        const PhrasePrefix *prefix = phrase_find_prefix(table, word);
        *memo = (PhraseMemo){.word = word,
                             .code = (uint16_t)phrase_find_short(table, word, 8),
                             .first = prefix == NULL ? 0 : prefix->first,
                             .count = prefix == NULL ? 0 : prefix->count};
    }
    const PhraseRest *rest = &table->rests[memo->first];
    for (const PhraseRest *end = rest + memo->count; rest < end; rest++) {
        if (((rest->bytes ^ next) << rest->shift) == 0 && rest->length <= left) {
            return rest->code;
        }
    }
    return memo->code;
}
