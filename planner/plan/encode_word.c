/* encode_word.c — see encode_word.h. */
#include "planner/plan/encode_word.h"

#include <string.h>

static const struct {
    const char *name, *types;
} words[ENCODE_WORD_COUNT] = {
#define ENCODE_WORD(ID, word, types) {word, types},
#include "planner/plan/encode_words.def"
#undef ENCODE_WORD
};

EncodeWord encode_word_find(const char *name)
{
    uint32_t word = 0;
    while (name != NULL && word < ENCODE_WORD_COUNT && strcmp(words[word].name, name) != 0) {
        word++;
    }
    return (EncodeWord)word;
}

const char *encode_word_name(EncodeWord word)
{
    return words[word].name;
}

static char letter_of(Type type)
{
    switch ((TypeId)type.id) {
    case TYPE_SMALLINT:
        return 's';
    case TYPE_INTEGER:
        return 'n';
    case TYPE_BIGINT:
        return 'l';
    case TYPE_DECIMAL:
        return 'p';
    case TYPE_REAL:
    case TYPE_DOUBLE:
        return 'f';
    case TYPE_BOOLEAN:
        return 'b';
    case TYPE_CHAR:
        return 'c';
    case TYPE_VARCHAR:
        return 'v';
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
        return 'd';
    default:
        return '?';
    }
}

bool encode_word_fits(EncodeWord word, Type type)
{
    return words[word].types[0] == '*' || strchr(words[word].types, letter_of(type)) != NULL;
}
