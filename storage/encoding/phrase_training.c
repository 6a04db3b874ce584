/*
 * phrase_training.c — learns the phrases of a text; the idea stands in phrase_table.h.
 *
 * Phrases double in length from round to round (1, 2, 4, 8, 16 bytes), so early rounds look at less
 * of the sample: their phrases are only steps towards longer ones.
 */
#include <stdlib.h>
#include "base/heap.h"
#include "storage/encoding/phrase_table_internal.h"

#define TRAIN_ROUNDS 6u
#define HOPE_ROUND 4u
#define PAIR_SLOTS 131072u
#define PAIRS_MAX (PAIR_SLOTS / 4 * 3)
#define CANDIDATES_MAX 32768u

typedef struct PairCount {
    uint32_t pair; /* first code << 16 | second */
    uint32_t count;
} PairCount;

typedef struct Candidate {
    uint64_t bytes[2];
    uint32_t length;
    uint32_t gain; /* bytes of the sample it covers */
} Candidate;

typedef struct Trainer {
    PhraseTable *table;
    uint32_t singles[PHRASE_CODES];
    uint64_t counted_bytes; /* what `singles` cover */
    PairCount pairs[PAIR_SLOTS];
    uint32_t pair_count;
    Candidate candidates[CANDIDATES_MAX];
    uint32_t candidate_count;
    uint16_t chosen[PHRASE_SLOTS]; /* candidate + 1 by its bytes: none is taken twice */
} Trainer;

static void count_pair(Trainer *trainer, uint32_t first, uint32_t second)
{
    const uint32_t pair = first << 16 | second;
    for (uint32_t i = phrase_hash(pair, PAIR_SLOTS);; i++) {
        PairCount *slot = &trainer->pairs[i % PAIR_SLOTS];
        if (slot->count == 0) {
            if (trainer->pair_count == PAIRS_MAX) {
                return;
            }
            trainer->pair_count++;
            slot->pair = pair;
        }
        if (slot->pair == pair) {
            slot->count++;
            return;
        }
    }
}

static void count_text(Trainer *trainer, const char *text, size_t bytes)
{
    const uint8_t *lengths = trainer->table->decoder.lengths;
    const char *end = text + bytes;
    uint32_t previous = PHRASE_CODES;
    memset(trainer->singles, 0, sizeof trainer->singles);
    memset(trainer->pairs, 0, sizeof trainer->pairs);
    trainer->pair_count = 0;
    trainer->counted_bytes = bytes;
    while (text < end) {
        const uint32_t code = phrase_match(trainer->table, text, (size_t)(end - text));
        trainer->singles[code]++;
        if (previous < PHRASE_CODES && lengths[previous] + lengths[code] <= PHRASE_BYTES_MAX) {
            count_pair(trainer, previous, code);
        }
        previous = code;
        text += lengths[code];
    }
}

/* The phrase of one code, or of two joined. */
static void add_candidate(Trainer *trainer, uint32_t first, uint32_t second, uint32_t count)
{
    const PhraseDecoder *decoder = &trainer->table->decoder;
    uint8_t bytes[2 * PHRASE_BYTES_MAX] = {0};
    uint32_t length = decoder->lengths[first];
    if (trainer->candidate_count == CANDIDATES_MAX) {
        return;
    }
    memcpy(bytes, decoder->bytes[first], PHRASE_BYTES_MAX);
    if (second < PHRASE_CODES) {
        memcpy(bytes + length, decoder->bytes[second], PHRASE_BYTES_MAX);
        length += decoder->lengths[second];
    }
    Candidate *candidate = &trainer->candidates[trainer->candidate_count++];
    memcpy(candidate->bytes, bytes, PHRASE_BYTES_MAX);
    candidate->length = length;
    candidate->gain = count * length;
}

static void collect_candidates(Trainer *trainer, uint32_t count_min, bool is_last)
{
    trainer->candidate_count = 0;
    for (uint32_t code = 256; code < trainer->table->decoder.code_count; code++) {
        if (trainer->singles[code] >= count_min) {
            add_candidate(trainer, code, PHRASE_CODES, trainer->singles[code]);
        }
    }
    for (uint32_t i = 0; i < PAIR_SLOTS && !is_last; i++) { // the last round only drops
        const PairCount *slot = &trainer->pairs[i];
        if (slot->count >= count_min) {
            add_candidate(trainer, slot->pair >> 16, slot->pair & 0xffff, slot->count);
        }
    }
}

static int compare_gain(const void *left, const void *right)
{
    const Candidate *a = left, *b = right;
    if (a->gain != b->gain) {
        return a->gain > b->gain ? -1 : 1;
    }
    if (a->length != b->length) {
        return a->length > b->length ? -1 : 1;
    }
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

/* False when an equal one was chosen before. */
static bool choose(Trainer *trainer, uint32_t index)
{
    const Candidate *candidate = &trainer->candidates[index];
    const uint64_t key = candidate->bytes[0] ^ candidate->bytes[1] * 31 ^ candidate->length;
    uint32_t i = phrase_hash(key, PHRASE_SLOTS);
    for (uint16_t taken; (taken = trainer->chosen[i % PHRASE_SLOTS]) != 0; i++) {
        const Candidate *other = &trainer->candidates[taken - 1];
        if (other->length == candidate->length &&
            memcmp(other->bytes, candidate->bytes, sizeof other->bytes) == 0) {
            return false;
        }
    }
    trainer->chosen[i % PHRASE_SLOTS] = (uint16_t)(index + 1);
    return true;
}

static void build_table(Trainer *trainer)
{
    PhraseDecoder *decoder = &trainer->table->decoder;
    qsort(trainer->candidates, trainer->candidate_count, sizeof *trainer->candidates, compare_gain);
    memset(trainer->chosen, 0, sizeof trainer->chosen);
    phrase_decoder_init(decoder);
    for (uint32_t i = 0; i < trainer->candidate_count && decoder->code_count < PHRASE_CODES; i++) {
        if (choose(trainer, i)) {
            const uint32_t code = decoder->code_count++;
            memcpy(decoder->bytes[code], trainer->candidates[i].bytes, PHRASE_BYTES_MAX);
            decoder->lengths[code] = (uint8_t)trainer->candidates[i].length;
        }
    }
    phrase_table_index(trainer->table);
}

/* The fourth round codes with phrases of up to eight bytes: text that still takes a code for every
 * other byte has none. */
static bool has_hope(const Trainer *trainer)
{
    uint64_t codes = 0;
    for (uint32_t code = 0; code < PHRASE_CODES; code++) {
        codes += trainer->singles[code];
    }
    return trainer->counted_bytes > 2 * codes;
}

PhraseTable *phrase_table_train(const char *text, size_t bytes, uint32_t count_min)
{
    PhraseTable *table = heap_alloc(sizeof *table);
    Trainer *trainer = heap_alloc(sizeof *trainer);
    if (table == NULL || trainer == NULL) {
        heap_free(table);
        heap_free(trainer);
        return NULL;
    }
    trainer->table = table;
    phrase_decoder_init(&table->decoder);
    phrase_table_index(table);
    for (uint32_t round = 1; round <= TRAIN_ROUNDS; round++) {
        const bool is_last = round == TRAIN_ROUNDS;
        count_text(trainer, text, round >= HOPE_ROUND ? bytes : bytes * round / TRAIN_ROUNDS);
        collect_candidates(trainer, count_min, is_last);
        build_table(trainer);
        if (round == HOPE_ROUND && !has_hope(trainer)) {
            break;
        }
    }
    heap_free(trainer);
    return table;
}
