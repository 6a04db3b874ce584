/*
 * word_list.h — the closed word lists of the specification (clause 4.2.2.13, 4.2.3): values of
 * columns such as p_type or l_shipmode.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bench/tpch/generator/field_format.h"

/* A word in a fixed place, so that it is copied without asking for its length first. */
typedef struct ListWord {
    char padded[32];
    uint8_t length;
} ListWord;

typedef struct WordList {
    const ListWord *words;
    size_t count;
} WordList;

extern const WordList word_list_colours;            /* p_name is made of five of these 92 */
extern const WordList word_list_type_sizes;         /* p_type: three syllables */
extern const WordList word_list_type_finishes;
extern const WordList word_list_type_metals;
extern const WordList word_list_container_sizes;    /* p_container: two syllables */
extern const WordList word_list_container_kinds;
extern const WordList word_list_segments;           /* c_mktsegment */
extern const WordList word_list_priorities;         /* o_orderpriority */
extern const WordList word_list_instructions;       /* l_shipinstruct */
extern const WordList word_list_modes;              /* l_shipmode */
extern const WordList word_list_regions;            /* r_name, by r_regionkey */
extern const WordList word_list_nations;            /* n_name, by n_nationkey */

/* n_regionkey by n_nationkey. */
extern const uint8_t word_list_nation_regions[25];

/* Prints word number `index`. */
static inline char *word_list_format(char *cursor, const WordList *list, uint64_t index)
{
    const ListWord *word = &list->words[index];
    return format_padded_word(cursor, word->padded, word->length);
}
