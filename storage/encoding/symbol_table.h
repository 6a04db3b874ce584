/*
 * symbol_table.h — FSST: text as one-byte codes for strings of up to eight bytes.
 *
 * After Boncz, Neumann, Leis, "FSST: Fast Random Access String Compression", VLDB 2020. A table of
 * at most 255 symbols is learned from a sample in five rounds: compress the sample with the table
 * so far, count symbols and pairs of neighbours, keep those (and concatenations of pairs) that save
 * most. Code 255 escapes one literal byte.
 *
 * Example: with symbols "ly ", "regular", "final" the text "finally regular" takes three codes.
 */
#pragma once
#include "base/types/type.h"

#define SYMBOLS_MAX 255u
#define SYMBOL_ESCAPE 255u
#define SYMBOL_BYTES_MAX 8u

/* What decoding needs; also, without the padding, what blocks hold. */
typedef struct SymbolDecoder {
    uint32_t count;
    uint64_t symbols[SYMBOLS_MAX + 1]; /* bytes of the symbol, lowest first */
    uint8_t lengths[SYMBOLS_MAX + 1];  /* 1 .. 8; 0 behind the last */
} SymbolDecoder;

typedef struct SymbolTable SymbolTable;

/* Learns from `count` texts (the caller's choice of a sample, some tens of KiB at most). Null when
 * memory is refused. */
SymbolTable *symbol_table_train(const TextView *texts, uint32_t count);
void symbol_table_destroy(SymbolTable *table); /* null is allowed */
const SymbolDecoder *symbol_table_decoder(const SymbolTable *table);

/* Codes of one text; `target` has room for 2 * bytes + 8. `text` is followed by 8 readable bytes.
 * Returns the bytes written. */
size_t symbol_table_encode(const SymbolTable *table, const char *text, size_t bytes,
                           uint8_t *target);

/* Codes of pieces of one text, piece i from starts[i] to starts[i + 1]. The pieces are cut into
 * SYMBOL_STRANDS parts; the codes of part s go to targets[s] (room as above for all of its pieces),
 * ends[i] is where those of piece i end there. `text` is followed by 8 readable bytes. */
#define SYMBOL_STRANDS 4u
static inline uint32_t symbol_strand_start(uint32_t piece_count, uint32_t strand)
{
    return piece_count * strand / SYMBOL_STRANDS;
}
void symbol_table_encode_pieces(const SymbolTable *table, const char *text, const uint32_t *starts,
                                uint32_t piece_count, uint8_t *const targets[SYMBOL_STRANDS],
                                uint32_t *ends);

/* Expands `code_bytes` codes into exactly `text_bytes` bytes; false when they make another number.
 * Up to SYMBOL_BYTES_MAX bytes behind the text are overwritten. */
bool symbol_decode(const SymbolDecoder *decoder, const uint8_t *codes, size_t code_bytes,
                   char *text, size_t text_bytes);
