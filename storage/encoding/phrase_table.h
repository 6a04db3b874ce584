/*
 * phrase_table.h — text as codes of twelve bits for strings of up to sixteen bytes.
 *
 * A relative of FSST (Boncz, Neumann, Leis, VLDB 2020) with a larger table and longer strings, as
 * in Gargiulo, Venturini, "OnPair: Short Strings Compression for Fast Random Access", 2025. Codes
 * 0 .. 255 are the bytes themselves, so nothing needs an escape; the others are phrases learned
 * from a sample in rounds: code the sample with the table so far, count codes and pairs of
 * neighbours, keep those codes and joined pairs that cover most text. Two codes take three bytes.
 *
 * Example: with phrases "carefully ", "final deposit" the text "carefully final deposits" takes
 * three codes, filled up to six bytes.
 */
#pragma once
#include "base/types/type.h"

#define PHRASE_CODES 4096u
#define PHRASES_MAX (PHRASE_CODES - 256u)
#define PHRASE_BYTES_MAX 16u
#define PHRASE_SAMPLE_BYTES ((size_t)256 << 10)

/* What decoding needs: zero lengths behind the last phrase. */
typedef struct PhraseDecoder {
    uint8_t bytes[PHRASE_CODES][PHRASE_BYTES_MAX];
    uint8_t lengths[PHRASE_CODES];
    uint32_t code_count; /* 256 and the phrases */
} PhraseDecoder;

/* The 256 codes that every table has. */
void phrase_decoder_init(PhraseDecoder *decoder);

typedef struct PhraseTable PhraseTable;

/* Learns from `bytes` of text (PHRASE_SAMPLE_BYTES are enough), followed by 32 readable bytes.
 * A phrase occurs at least `count_min` times. Null when memory is refused. */
PhraseTable *phrase_table_train(const char *text, size_t bytes, uint32_t count_min);
void phrase_table_destroy(PhraseTable *table); /* null is allowed */
const PhraseDecoder *phrase_table_decoder(const PhraseTable *table);

/* Codes of one text, filled up to a multiple of two; `target` has room for
 * phrase_code_bytes_max(bytes). `text` is followed by 32 readable bytes. Returns the bytes. */
size_t phrase_table_encode(const PhraseTable *table, const char *text, size_t bytes,
                           uint8_t *target);
static inline size_t phrase_code_bytes_max(size_t bytes)
{
    return (bytes + 1) / 2 * 3 + 8;
}

/* Expands codes into exactly `text_bytes` bytes; false when they make another number. `code_bytes`
 * is a multiple of 3; 8 bytes behind the codes are read, 64 behind the text overwritten. */
bool phrase_decode(const PhraseDecoder *decoder, const uint8_t *codes, size_t code_bytes,
                   char *text, size_t text_bytes);
