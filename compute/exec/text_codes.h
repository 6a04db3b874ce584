/*
 * text_codes.h — numbers the distinct texts of a column: 0, 1, 2, … in the order they come, the
 * same for all workers of an operator.
 *
 * Example, GROUP BY p_type: 'PROMO BRUSHED TIN' is 0, 'SMALL PLATED COPPER' is 1; from then on the
 * column is a number that fits a byte, and a result is a dictionary vector over the same codes.
 *
 * Each worker reads through a reader of its own that keeps what it has seen, so only texts new to
 * it take the lock. A dictionary is translated once, entry by entry. Texts that differ in trailing
 * blanks alone are one; the one that came first is kept.
 *
 * Invariants: (1) codes and entries never change; (2) the number of texts and their bytes are
 * bounded: what is full stays full, and its user keeps texts some other way.
 */
#pragma once
#include "base/mutex.h"
#include "base/vector/vector.h"
#include "compute/exec/text_heap.h"

#define TEXT_CODE_NONE UINT32_MAX

typedef struct TextCodes TextCodes;
/* `arena`: as long as the operator, used now only. */
TextCodes *text_codes_create(Arena *arena, MemoryBudget *budget);
void text_codes_deinit(TextCodes *codes);
bool text_codes_are_full(const TextCodes *codes);
uint32_t text_codes_count(TextCodes *codes);
/* The texts so far, by code; alive until text_codes_deinit. */
const Dictionary *text_codes_dictionary(TextCodes *codes, bool *has_trailing_blanks);

typedef struct TextCodesReader TextCodesReader;
TextCodesReader *text_codes_reader_create(TextCodes *codes, Arena *worker_arena);
/* out[i]: the code of row rows[i] (null: i); any code, or 0, for a row that is NULL. New texts get
 * codes with `may_add`, else TEXT_CODE_NONE. False: some text has no code because all is full. */
bool text_codes_read(TextCodesReader *reader, const Vector *vector, const uint16_t *rows,
                     uint32_t row_count, bool may_add, uint64_t *out);
/* The codes of all entries of a dictionary of texts that came with so many rows; null when all is
 * full, or when finding them is not worth it. */
const uint32_t *text_codes_of_dictionary(TextCodesReader *reader, const Dictionary *dictionary,
                                         uint32_t row_count);
