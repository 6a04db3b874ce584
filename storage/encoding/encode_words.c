/*
 * encode_words.c — what the words of ENCODE mean here: which encodings a chunk may get.
 *
 * A word restricts the choice; where none of its encodings can take a chunk, and where it names
 * nothing that we have for the type, the choice is free.
 */
#include "planner/plan/encode_word.h"
#include "storage/encoding/encode_block.h"

#define ONE(name) (1u << ENCODING_##name)

#define PLAIN_INTEGERS                                                                             \
    (ONE(CONSTANT) | ONE(BIT_PACKED) | ONE(RUN_LENGTH) | ONE(DELTA) | ONE(DIFFERENCE) |            \
     ONE(MULTIPLE) | ONE(DOMINANT))
#define CODED_TEXTS (ONE(CONSTANT) | ONE(FSST) | ONE(PHRASES))

static const struct {
    uint32_t integers, floats, texts;
} meanings[ENCODE_WORD_COUNT] = {
    [ENCODE_WORD_AZ64] = {.integers = PLAIN_INTEGERS},
    [ENCODE_WORD_BYTEDICT] = {ONE(DICTIONARY), ONE(FLOAT_DICTIONARY), ONE(DICTIONARY)},
    [ENCODE_WORD_DELTA] = {.integers = ONE(DELTA)},
    [ENCODE_WORD_DELTA32K] = {.integers = ONE(DELTA)},
    [ENCODE_WORD_LZ4] = {.texts = ONE(CONSTANT) | ONE(LZ4_BYTES)},
    [ENCODE_WORD_LZO] = {.texts = ONE(CONSTANT) | ONE(LZ4_BYTES)},
    [ENCODE_WORD_MOSTLY8] = {.integers = ONE(BIT_PACKED)},
    [ENCODE_WORD_MOSTLY16] = {.integers = ONE(BIT_PACKED)},
    [ENCODE_WORD_MOSTLY32] = {.integers = ONE(BIT_PACKED)},
    [ENCODE_WORD_NONE] = {ONE(RAW), ONE(RAW), ONE(RAW_TEXT)},
    [ENCODE_WORD_RAW] = {ONE(RAW), ONE(RAW), ONE(RAW_TEXT)},
    [ENCODE_WORD_RUNLENGTH] = {.integers = ONE(CONSTANT) | ONE(RUN_LENGTH),
                               .floats = ONE(CONSTANT),
                               .texts = ONE(CONSTANT)},
    [ENCODE_WORD_TEXT255] = {.texts = ONE(DICTIONARY)},
    [ENCODE_WORD_TEXT32K] = {.texts = ONE(DICTIONARY)},
    [ENCODE_WORD_ZSTD] = {.texts = CODED_TEXTS},
};

uint32_t encodings_of_word(uint32_t word, Lane lane)
{
    if (word >= ENCODE_WORD_ONE && word - ENCODE_WORD_ONE < ENCODING_ID_COUNT) {
        return encoding_set((EncodingId)(word - ENCODE_WORD_ONE));
    }
    if (word >= ENCODE_WORD_COUNT) {
        return 0;
    }
    switch (lane) {
    case LANE_TEXT:
        return meanings[word].texts;
    case LANE_F32:
    case LANE_F64:
        return meanings[word].floats;
    default:
        return meanings[word].integers;
    }
}
