/* phrase_table.c — coding and decoding; see phrase_table.h and, for learning, phrase_training.c. */
#include <stdlib.h>
#include "base/heap.h"
#include "storage/encoding/phrase_table_internal.h"

void phrase_decoder_init(PhraseDecoder *decoder)
{
    memset(decoder, 0, sizeof *decoder);
    for (uint32_t code = 0; code < 256; code++) {
        decoder->bytes[code][0] = (uint8_t)code;
        decoder->lengths[code] = 1;
    }
    decoder->code_count = 256;
}

/* A phrase of four bytes or more on its way into the table. */
typedef struct LongPhrase {
    uint64_t prefix; /* the first eight bytes, or four */
    bool is_eight;
    PhraseRest rest;
} LongPhrase;

static int compare_long(const void *left, const void *right)
{
    const LongPhrase *a = left, *b = right;
    if (a->is_eight != b->is_eight) {
        return a->is_eight ? -1 : 1;
    }
    if (a->prefix != b->prefix) {
        return a->prefix < b->prefix ? -1 : 1;
    }
    return (int)b->rest.length - (int)a->rest.length;
}

/* Slots of phrases first .. end - 1, which start alike. */
static void add_prefix(PhraseTable *table, const LongPhrase *phrase, uint32_t first, uint32_t end)
{
    const uint16_t count = (uint16_t)(end - first);
    if (!phrase->is_eight) {
        table->fours[phrase_slot(table->fours, (uint32_t)phrase->prefix)] = (PhraseFour){
            .bytes = (uint32_t)phrase->prefix, .first = (uint16_t)first, .count = count};
        return;
    }
    const uint32_t bit = phrase_hash(phrase->prefix, PHRASE_FILTER_BITS);
    table->filter[bit / 64] |= UINT64_C(1) << (bit % 64);
    uint32_t i = phrase_hash(phrase->prefix, PHRASE_SLOTS);
    while (table->eights[i % PHRASE_SLOTS].count != 0) {
        i++;
    }
    table->eights[i % PHRASE_SLOTS] =
        (PhraseEight){.bytes = phrase->prefix, .first = (uint16_t)first, .count = count};
}

static void index_long(PhraseTable *table, LongPhrase *phrases, uint32_t count)
{
    qsort(phrases, count, sizeof *phrases, compare_long);
    for (uint32_t first = 0, end; first < count; first = end) {
        for (end = first; end < count && phrases[end].prefix == phrases[first].prefix &&
                          phrases[end].is_eight == phrases[first].is_eight;
             end++) {
            table->rests[end] = phrases[end].rest;
        }
        add_prefix(table, &phrases[first], first, end);
    }
}

static LongPhrase long_phrase(const PhraseDecoder *decoder, uint32_t code)
{
    const uint32_t length = decoder->lengths[code], start = length > 8 ? 8 : 3;
    const uint64_t word = phrase_word(decoder->bytes[code]);
    return (LongPhrase){
        .prefix = length > 8 ? word : (uint32_t)word,
        .is_eight = length > 8,
        .rest = {.bytes = length > 8 ? phrase_word(decoder->bytes[code] + 8) : word >> 24,
                 .code = (uint16_t)code,
                 .length = (uint8_t)length,
                 // That of a four starts a byte early: there is no shift by 64.
                 .shift = (uint8_t)(64 - 8 * (length - start))}};
}

void phrase_table_index(PhraseTable *table)
{
    static_assert(PHRASES_MAX < PHRASE_SLOTS, "probing ends at a free slot");
    const PhraseDecoder *decoder = &table->decoder;
    LongPhrase phrases[PHRASES_MAX];
    uint32_t long_count = 0;
    memset((char *)table + sizeof *decoder, 0, sizeof *table - sizeof *decoder);
    for (uint32_t i = 0; i < 65536; i++) {
        table->shorts[i] = (uint16_t)(i & 0xff);
    }
    for (uint32_t code = 256; code < decoder->code_count; code++) {
        const uint64_t word = phrase_word(decoder->bytes[code]);
        const uint32_t length = decoder->lengths[code];
        if (length == 2) {
            table->shorts[word & 0xffff] = (uint16_t)code;
        } else if (length == 3) {
            const uint32_t bytes = (uint32_t)(word & 0xffffff);
            table->threes[phrase_slot(table->threes, bytes)] =
                (PhraseFour){.bytes = bytes, .first = (uint16_t)code, .count = 1};
        } else {
            phrases[long_count++] = long_phrase(decoder, code);
        }
    }
    index_long(table, phrases, long_count);
}

void phrase_table_destroy(PhraseTable *table)
{
    heap_free(table);
}

const PhraseDecoder *phrase_table_decoder(const PhraseTable *table)
{
    return &table->decoder;
}

size_t phrase_table_encode(const PhraseTable *table, const char *text, size_t bytes,
                           uint8_t *target)
{
    const uint8_t *lengths = table->decoder.lengths;
    const char *end = text + bytes;
    uint8_t *out = target;
    while (text < end) {
        const uint32_t first = phrase_match(table, text, (size_t)(end - text));
        uint32_t second = 0; // the filler behind an odd number of codes
        text += lengths[first];
        if (text < end) {
            second = phrase_match(table, text, (size_t)(end - text));
            text += lengths[second];
        }
        const uint32_t pair = first | second << 12;
        memcpy(out, &pair, sizeof pair);
        out += 3;
    }
    return (size_t)(out - target);
}

static inline char *put_phrase(const PhraseDecoder *decoder, uint64_t code, char *text)
{
    memcpy(text, decoder->bytes[code], PHRASE_BYTES_MAX);
    return text + decoder->lengths[code];
}

bool phrase_decode(const PhraseDecoder *decoder, const uint8_t *codes, size_t code_bytes,
                   char *text, size_t text_bytes)
{
    const uint8_t *end = codes + code_bytes;
    const char *text_end = text + text_bytes;
    uint64_t word = 0, last = 0;
    // Four codes at a time while there is room for the longest.
    while (end - codes > 6 && text_end - text >= 4 * (ptrdiff_t)PHRASE_BYTES_MAX) {
        memcpy(&word, codes, sizeof word);
        text = put_phrase(decoder, word & 0xfff, text);
        text = put_phrase(decoder, word >> 12 & 0xfff, text);
        text = put_phrase(decoder, word >> 24 & 0xfff, text);
        text = put_phrase(decoder, word >> 36 & 0xfff, text);
        codes += 6;
    }
    while (codes < end && text <= text_end) {
        memcpy(&word, codes, sizeof word);
        last = word >> 12 & 0xfff;
        text = put_phrase(decoder, word & 0xfff, text);
        text = put_phrase(decoder, last, text);
        codes += 3;
    }
    // The filler, a zero byte, may stand behind the text.
    return codes == end && (text == text_end || (text == text_end + 1 && last == 0));
}
