/* encode_word.h — the words of ENCODE: which there are, and which types they fit. */
#pragma once
#include "base/types/type.h"

typedef enum EncodeWord {
#define ENCODE_WORD(ID, word, types) ENCODE_WORD_##ID,
#include "planner/plan/encode_words.def"
#undef ENCODE_WORD
    ENCODE_WORD_COUNT
} EncodeWord;

/* Where a word stands, for measurements: this and the id of the one encoding wanted. */
#define ENCODE_WORD_ONE 256u

/* By name, in lower case; null is AUTO. ENCODE_WORD_COUNT: there is no such word. */
EncodeWord encode_word_find(const char *name);
const char *encode_word_name(EncodeWord word);
bool encode_word_fits(EncodeWord word, Type type);
