/*
 * text_pool.c — draws sentences until the pool is full.
 *
 * Each kind of word is laid out as a wheel: a word of weight 8 stands on it 8 times, so that a draw
 * is one look-up. A sentence is drawn by walking its shape: "NVT" -> noun phrase, verb phrase,
 * terminator; noun phrase "djn" -> "slyly bold ideas ".
 */
#include "bench/tpch/generator/text_pool.h"

#include <stdlib.h>

#include "bench/tpch/generator/fatal.h"

enum {
    WHEEL_SLOT_COUNT_MAX = 1024,
    SENTENCE_BYTES_MAX = 512,       /* the longest has 16 words of at most 14 letters */
};

typedef enum GrammarKind {
    SENTENCE,
    NOUN_PHRASE,
    VERB_PHRASE,
    NOUN,
    VERB,
    ADJECTIVE,
    ADVERB,
    PREPOSITION,
    AUXILIARY,
    TERMINATOR,
    GRAMMAR_KIND_COUNT,
} GrammarKind;

typedef struct GrammarEntry {
    GrammarKind kind;
    uint32_t weight;
    const char *text;
} GrammarEntry;

static const GrammarEntry grammar_entries[] = {
#define GRAMMAR_ENTRY(kind, text, weight) {kind, weight, text},
#include "bench/tpch/generator/grammar.def"
#undef GRAMMAR_ENTRY
};

typedef struct Wheel {
    const char *slots[WHEEL_SLOT_COUNT_MAX];
    uint32_t slot_count;
} Wheel;

/* The draws of one text, in order: 0, 1, 2, … */
typedef struct TextWriter {
    Wheel wheels[GRAMMAR_KIND_COUNT];
    RandomRow random;
    uint32_t draw_count;
} TextWriter;

static void text_writer_init(TextWriter *writer, RandomRow random);
static char *write_sentence(TextWriter *writer, char *cursor);
static char *write_phrase(TextWriter *writer, char *cursor, const char *shape);
static const char *draw(TextWriter *writer, GrammarKind kind);

void text_pool_init(TextPool *pool, uint64_t seed)
{
    pool->bytes = malloc(TEXT_POOL_BYTES + SENTENCE_BYTES_MAX + FORMAT_SLACK_BYTES);
    TextWriter *writer = malloc(sizeof(*writer));
    if (pool->bytes == NULL || writer == NULL) {
        fatal("out of memory for the text of the comments");
    }
    text_writer_init(writer, (RandomRow){random_mix(seed)});
    char *cursor = pool->bytes;
    while (cursor < pool->bytes + TEXT_POOL_BYTES) {
        cursor = write_sentence(writer, cursor);
    }
    free(writer);
}

void text_pool_deinit(TextPool *pool)
{
    free(pool->bytes);
    pool->bytes = NULL;
}

static void text_writer_init(TextWriter *writer, RandomRow random)
{
    *writer = (TextWriter){.random = random};
    for (size_t i = 0; i < sizeof(grammar_entries) / sizeof(grammar_entries[0]); i++) {
        Wheel *wheel = &writer->wheels[grammar_entries[i].kind];
        if (wheel->slot_count + grammar_entries[i].weight > WHEEL_SLOT_COUNT_MAX) {
            fatal("the weights of one kind in grammar.def pass %d", WHEEL_SLOT_COUNT_MAX);
        }
        for (uint32_t turn = 0; turn < grammar_entries[i].weight; turn++) {
            wheel->slots[wheel->slot_count++] = grammar_entries[i].text;
        }
    }
}

/* Every word is written with a blank behind it; a terminator takes the blank's place. */
static char *write_sentence(TextWriter *writer, char *cursor)
{
    for (const char *shape = draw(writer, SENTENCE); *shape != '\0'; shape++) {
        switch (*shape) {
        case 'N':
            cursor = write_phrase(writer, cursor, draw(writer, NOUN_PHRASE));
            break;
        case 'V':
            cursor = write_phrase(writer, cursor, draw(writer, VERB_PHRASE));
            break;
        case 'P':
            cursor = write_phrase(writer, cursor, "pt");
            cursor = write_phrase(writer, cursor, draw(writer, NOUN_PHRASE));
            break;
        default:
            cursor = write_phrase(writer, cursor - 1, "T");
            break;
        }
    }
    return cursor;
}

static char *write_phrase(TextWriter *writer, char *cursor, const char *shape)
{
    for (; *shape != '\0'; shape++) {
        const char *text = *shape == 'n'   ? draw(writer, NOUN)
                           : *shape == 'v' ? draw(writer, VERB)
                           : *shape == 'j' ? draw(writer, ADJECTIVE)
                           : *shape == 'd' ? draw(writer, ADVERB)
                           : *shape == 'x' ? draw(writer, AUXILIARY)
                           : *shape == 'p' ? draw(writer, PREPOSITION)
                           : *shape == 't' ? "the"
                           : *shape == 'T' ? draw(writer, TERMINATOR)
                                           : ",";
        if (*shape == ',') {
            cursor--;
        }
        cursor = format_bytes(cursor, text, strlen(text));
        *cursor++ = ' ';
    }
    return cursor;
}

static const char *draw(TextWriter *writer, GrammarKind kind)
{
    const Wheel *wheel = &writer->wheels[kind];
    return wheel->slots[random_below(writer->random, writer->draw_count++, wheel->slot_count)];
}
