/* group_internal.h — shared by the group table's files. */
#pragma once
#include "compute/operators/hash_aggregate/group_table.h"

struct GroupSpace {
    Arena *arena;
    uint64_t **words;    /* per key, VECTOR_ROWS; the last: NULL bits */
    uint64_t *row_words; /* word_count per row, side by side */
    uint64_t *hashes, *positions;
    uint32_t *map_positions;
    uint16_t *pending, *candidates, *rejected;
    const uint8_t **packed;
    uint8_t **row_pointers;
    uint16_t *new_rows;
    bool has_nulls;            /* in the words last read */
    TextCodesReader **readers; /* per key with codes */
    VectorBuffer *buffers;     /* per key, of rows copied between tables */
    Vector *vectors;
    const Vector **vector_pointers;
};

static inline bool group_key_is_coded(const GroupShape *shape, uint32_t key)
{
    return shape->codes != NULL && shape->codes[key] != NULL;
}

/* --- group_words.c --- */
bool group_type_is_word(Type type);
/* Reads the words of all keys: space->words, and the NULL bits. With `is_closed` texts without a
 * code give TEXT_CODE_NONE, which no group has. False: the codes of some key are full. */
bool group_read_words(const GroupShape *shape, GroupSpace *space, const Vector *const *keys,
                      const uint16_t *rows, uint32_t row_count, bool is_closed);
/* From words as they lie in a table. */
void group_copy_words(const GroupTable *source, GroupSpace *space, const uint32_t *groups,
                      uint32_t count);
void group_hash_words(const GroupShape *shape, GroupSpace *space, uint32_t row_count);
void group_gather_words(const GroupTable *table, uint32_t key, const uint32_t *groups,
                        uint32_t count, VectorBuffer *buffer, Vector *out);
/* Room for `extra` more groups. */
Status group_words_reserve(GroupTable *table, uint32_t extra) CHECKED;

/* --- group_dense.c: over the words in `space` --- */
/* False: the ranges have become too large; nothing was found. */
Status group_dense_find(GroupTable *table, GroupSpace *space, uint32_t row_count, bool is_closed,
                        uint32_t *groups, bool *is_too_large) CHECKED;

/* Smallest and largest word of the rows whose key is not NULL; false when all are. */
bool group_word_bounds(const GroupSpace *space, uint32_t key, uint32_t null_index,
                       uint32_t row_count, int64_t *min, int64_t *max);

/* --- group_packed.c: over the words in `space` --- */
/* From a dense table's words to packed ones; false, and nothing done, when they do not fit. */
bool group_packed_init(GroupTable *table);
/* From packed words to a word per key. */
Status group_packed_leave(GroupTable *table) CHECKED;
/* `is_too_wide`: nothing was found, and nothing changed. */
Status group_packed_find(GroupTable *table, GroupSpace *space, uint32_t row_count, bool is_closed,
                         uint32_t *groups, bool *is_too_wide) CHECKED;
/* The words of all keys, and the NULL bits behind them. */
void group_unpack(const GroupKeyRange *ranges, uint32_t key_count, uint64_t packed,
                  uint64_t *words);

/* --- group_lanes.c --- */
/* Finds groups of the dense map straight from lanes and codes; false when that is not possible for
 * these vectors, or when some key is new. */
bool group_lanes_find(GroupTable *table, GroupSpace *space, const Vector *const *keys,
                      const uint16_t *rows, uint32_t row_count, uint32_t *groups);
void group_codes_forget(GroupTable *table); /* the ranges have changed */
void group_codes_deinit(GroupTable *table);
uint64_t group_text_word(const TextView *view);

/* --- group_hash.c --- */
Status group_hash_find_words(GroupTable *table, GroupSpace *space, uint32_t row_count,
                             bool is_closed, uint32_t *groups) CHECKED;
Status group_hash_find_rows(GroupTable *table, GroupSpace *space, const Vector *const *keys,
                            const uint16_t *rows, uint32_t row_count, bool is_closed,
                            uint32_t *groups) CHECKED;
/* Groups of packed words; `hashes` is scratch. */
Status group_hash_find_packed(GroupTable *table, const uint64_t *packed, uint64_t *hashes,
                              uint32_t row_count, uint32_t *groups) CHECKED;
uint32_t group_hash_seek_word(const GroupTable *table, uint64_t packed); /* or GROUP_NONE */
void group_slots_refill(GroupTable *table); /* the words of all groups have changed */
/* Slots for `group_count` groups: all groups are put into them again. */
Status group_slots_reserve(GroupTable *table, uint64_t group_count) CHECKED;
