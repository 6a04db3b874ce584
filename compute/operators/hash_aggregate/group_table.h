/*
 * group_table.h — numbers the distinct keys it is shown: 0, 1, 2, … in the order they come.
 *
 * Keys that fit a machine word each (integers, dates, booleans, decimals of at most 18 digits,
 * texts of at most 8 bytes, codes of longer texts while there are few) are kept as words, others as
 * packed rows. The index from keys to numbers is:
 *
 *   DENSE  an array over all possible key words   while the product of their ranges is small
 *   PACKED open addressing over the words of several keys packed into one
 *   WORDS  open addressing over the words
 *   ROWS   open addressing over packed rows
 *
 * Example, GROUP BY returnflag, linestatus: 'A','N','R' and 'F','O' give words 65..82 and 70..79,
 * so the position of ('N','O') is (78 - 65) + (79 - 70) * 18, and the array there says group 2.
 *
 * NULL is a key value like any other.
 */
#pragma once
#include "compute/exec/operator.h"
#include "compute/exec/row_layout.h"
#include "compute/exec/text_codes.h"

#define GROUP_NONE UINT32_MAX

typedef enum GroupIndex {
    GROUP_INDEX_DENSE,
    GROUP_INDEX_PACKED,
    GROUP_INDEX_WORDS,
    GROUP_INDEX_ROWS
} GroupIndex;

/* What all tables of one operator share. */
typedef struct GroupShape {
    MemoryBudget *budget;
    uint32_t key_count;
    const Type *key_types;
    bool has_word_keys; /* tables begin with words … */
    TextCodes **codes; /* … some of them codes of texts, per key (else null): when those are full,
                        * tables turn to rows; null: words for good, or never */
    uint32_t word_count; /* key_count and one for the NULL bits */
    double estimated_groups;
    uint32_t key_shift; /* low bits of the only key that the others determine, here */
    int64_t key_min;    /* of the only key, as far as is known */
    uint64_t key_range; /* its words lie in key_min .. key_min + key_range - 1; 0: not known */
    RowLayout layout;   /* ROWS: header is the hash */
} GroupShape;
void group_shape_init(GroupShape *shape, Arena *arena, MemoryBudget *budget, const Type *key_types,
                      uint32_t key_count, double estimated_groups);

void group_shape_deinit(GroupShape *shape);

/* The only key is an integer whose `known_bits` lowest bits the others determine: no two keys here
 * differ in them alone. Before the next. */
void group_shape_know_bits(GroupShape *shape, uint32_t known_bits);
/* The words of the only key are expected in min..max; others may come all the same. */
void group_shape_expect_key(GroupShape *shape, int64_t min, int64_t max);

typedef struct GroupKeyRange {
    int64_t min;
    uint64_t range;  /* words min .. min + range - 1; DENSE: both multiples of 2^key_shift */
    uint64_t stride; /* PACKED: its bits begin at this one */
} GroupKeyRange;

/* What the codes of a batch's dictionary add to a position, kept from batch to batch. */
typedef struct GroupCodes {
    uint64_t identity; /* of the dictionary; 0: nothing is kept */
    uint32_t entry_count, capacity;
    uint32_t *offsets;
    bool fits; /* every entry lies in the key's range */
} GroupCodes;

typedef struct GroupSpace GroupSpace; /* scratch of one worker */
GroupSpace *group_space_create(const GroupShape *shape, Arena *worker_arena);

typedef struct GroupTable {
    const GroupShape *shape;
    GroupIndex index;
    uint32_t group_count, group_capacity;
    uint32_t word_stride; /* words per group: the shape's word_count, PACKED: 1 */
    uint64_t *words;
    RowStore rows;         /* ROWS: number = group */
    GroupKeyRange *ranges; /* DENSE, PACKED; range 0: nothing seen yet */
    GroupCodes *codes;     /* DENSE: per key */
    uint64_t position_count;
    uint32_t *map; /* DENSE: group + 1 by position */
    size_t map_bytes;
    uint64_t *slots; /* all others: upper half of the hash, group + 1 */
    uint64_t slot_mask;
    uint32_t null_group; /* WORDS with one key: the group of NULL, or GROUP_NONE */
} GroupTable;

void group_table_init(GroupTable *table, const GroupShape *shape, Arena *arena);
void group_table_deinit(GroupTable *table);
/* The groups of `row_count` rows (physical rows `rows`, null for all): groups[i]. New keys get new
 * numbers; with `is_closed` they get GROUP_NONE. 53200: some new groups may have been made, the
 * call may be repeated. */
Status group_table_find(GroupTable *table, GroupSpace *space, const Vector *const *keys,
                        const uint16_t *rows, uint32_t row_count, bool is_closed,
                        uint32_t *groups) CHECKED;
/* The same for groups of another table of the same shape. */
Status group_table_find_groups(GroupTable *table, GroupSpace *space, const GroupTable *source,
                               const uint32_t *source_groups, uint32_t count,
                               uint32_t *groups) CHECKED;
/* A hash per group, the same in all tables of the shape, whatever they keep keys as. */
void group_table_hashes(const GroupTable *table, GroupSpace *space, const uint32_t *groups,
                        uint32_t count, uint64_t *hashes);
/* The same for rows not yet in a table. */
void group_hash_rows(const GroupShape *shape, GroupSpace *space, const Vector *const *keys,
                     const uint16_t *rows, uint32_t row_count, uint64_t *hashes);
/* Key `key` of the given groups as a vector. */
void group_table_gather(const GroupTable *table, uint32_t key, const uint32_t *groups,
                        uint32_t count, VectorBuffer *buffer, Vector *out);
/* The range of the one key of a DENSE table; false for any other. An empty table has no range. */
bool group_table_key_range(const GroupTable *table, int64_t *min, uint64_t *range);
/* Groups with keys in [first, first + range) (both multiples of 2^key_shift) and, with `has_null`,
 * that of NULL: lists at most VECTOR_ROWS of them from *cursor on (0 at first), and moves it;
 * returns how many, 0 at the end. */
uint32_t group_table_range_groups(const GroupTable *table, int64_t first, uint64_t range,
                                  bool has_null, uint64_t *cursor, uint32_t *groups);
/* An empty table of one key learns that its keys will lie in this range (multiples again). */
void group_table_expect_range(GroupTable *table, int64_t first, uint64_t range);
size_t group_table_bytes(const GroupTable *table);
const char *group_table_describe(const GroupTable *table);
