/*
 * join_table.h — the build side of a hash join: packed rows, and an index from keys to rows.
 *
 * The index is chosen when all rows are there and their key ranges are known:
 *
 *   BITMAP   a bit per possible key             only whether a key is present matters
 *   COLUMNS  a bit and the payload itself per   integer keys of a small range, no key twice
 *            possible key
 *   DENSE    a row number per possible key      integer keys of a small range
 *   KEYS     open addressing, key and row       integer keys that fit one word together
 *            pointer per slot
 *   HASH     open addressing, 16-bit salt and   everything else
 *            48-bit row pointer per slot
 *
 * Several integer keys become one number: sum of ((key - first) >> shift) * stride, where `shift`
 * low bits of a key are determined by its others on this node. Rows with equal keys are
 * chained through their headers. Row header: [key words | hash][link]; the link is the next row of
 * the chain with flags in its low bits.
 *
 * What a lookup finds is a JoinRow: the packed row, or for COLUMNS the position; null is none.
 *
 * Invariants: (1) a chain holds rows of one key; (2) rows with a NULL in a key that NULL does not
 * match are in no index; (3) after join_table_choose rows do not move.
 */
#pragma once
#include "compute/exec/operator.h"
#include "compute/exec/row_layout.h"

#define JOIN_NO_LINK UINT32_MAX
#define JOIN_LINK_MATCHED UINT64_C(1)  /* some probe row has met this row */
#define JOIN_LINK_NULL_KEY UINT64_C(2) /* in no index; bits 8.. tell which keys are NULL */
#define JOIN_LINK_NULL_SHIFT 8
#define JOIN_LINK_FLAGS UINT64_C(7)
#define JOIN_KEYS_MAX 48

/* What all tables of one join share (the main one, and one per spilled partition). */
typedef struct JoinShape {
    QueryContext *query;
    MemoryBudget *budget; /* of rows and index */
    uint32_t key_count;
    const Type *key_types;
    const bool *is_null_equal;
    bool has_integer_keys;  /* header: key_count words; else the hash, and keys are fields */
    bool is_existence;      /* nothing but the presence of keys matters */
    bool may_be_columns;    /* build rows are only read, never marked or walked */
    bool keeps_null_keys;   /* rows that match nothing are kept for later */
    uint32_t local_key;     /* 1 + the key whose known_bits lowest bits the others determine, in */
    uint32_t known_bits;    /* the rows of both sides; 0: none */
    double probe_rows;      /* estimated */
    uint32_t link_offset;   /* in the header, or JOIN_NO_LINK */
    uint32_t first_payload; /* field of the first payload column */
    uint32_t payload_count;
    RowLayout layout;
} JoinShape;

typedef enum JoinIndex {
    JOIN_INDEX_NONE,
    JOIN_INDEX_BITMAP,
    JOIN_INDEX_COLUMNS,
    JOIN_INDEX_DENSE,
    JOIN_INDEX_KEYS,
    JOIN_INDEX_HASH
} JoinIndex;

typedef struct JoinKeyBounds {
    int64_t min, max;       /* min > max: no value */
    int64_t first;          /* min, its lowest `shift` bits cleared */
    uint64_t range, stride; /* first .. first + range - 1; where those of all keys fit a word */
    uint32_t shift;
} JoinKeyBounds;

typedef const uint8_t *JoinRow; /* a packed row, or a position as a number */

/* COLUMNS: one payload column by position; entry 0 is zero. */
typedef struct JoinColumn {
    uint8_t lane;
    int64_t base, lo, hi;
    void *lanes;
    uint64_t *nulls; /* bit set: NULL; null: none */
} JoinColumn;

typedef struct JoinSlot { /* KEYS */
    uint64_t key, row;
} JoinSlot;

typedef struct JoinTable {
    const JoinShape *shape;
    RowStore rows;
    JoinKeyBounds *bounds; /* per integer key */
    bool has_null_key;     /* a row with a NULL key has come, kept or not */
    uint64_t seen_rows;    /* that have come, kept or not */
    bool has_duplicates;   /* atomic while rows are inserted */

    JoinIndex index;
    uint64_t range;      /* positions 1 .. range; 0 is always empty */
    uint64_t *bitmap;    /* BITMAP, COLUMNS: by position */
    JoinColumn *columns; /* COLUMNS: per payload column */
    uint32_t *heads;     /* DENSE: row number + 1 by position; 0: none */
    JoinSlot *keys;      /* KEYS */
    uint64_t key_slots, empty_key;
    uint64_t *slots; /* HASH: salt and row pointer; 0: none */
    uint64_t slot_mask;
    void *memory; /* of whichever it is */
    size_t index_bytes;
} JoinTable;

void join_table_init(JoinTable *table, const JoinShape *shape, Arena *arena);
void join_table_deinit(JoinTable *table);
/* Adds rows: keys[k] and payload[c] are vectors of one batch, `rows` the selected physical rows.
 * The hashes are those of the rows when keys are no integers. 53200: nothing was added. */
typedef struct JoinInput {
    const Vector *const *keys;
    const Vector *const *payload;
    const Batch *batch; /* row count and selection */
} JoinInput;
typedef struct JoinAppendSpace { /* scratch of one worker */
    uint16_t rows[VECTOR_ROWS];
    uint64_t null_masks[VECTOR_ROWS];
    uint64_t hashes[VECTOR_ROWS];
    int64_t words[VECTOR_ROWS];
    uint8_t *row_pointers[VECTOR_ROWS];
    const Vector **vectors; /* layout.field_count */
    Vector *spill_columns;  /* key_count + payload_count */
} JoinAppendSpace;
JoinAppendSpace *join_append_space_create(const JoinShape *shape, Arena *worker_arena);
Status join_table_append(JoinTable *table, const JoinInput *input, JoinAppendSpace *space) CHECKED;
/* What append does first: lists the rows to be kept in space->rows and notes NULL keys. */
uint32_t join_table_select_rows(JoinTable *table, const JoinInput *input, JoinAppendSpace *space);
/* Hashes of keys for partitions on disk, the same on both sides of the join. */
void join_partition_hashes(const JoinShape *shape, const Vector *const *keys, const Batch *batch,
                           const uint16_t *rows, uint32_t row_count, uint64_t *hashes);
/* Moves the rows of a worker's table into the join's. */
Status join_table_merge(JoinTable *target, JoinTable *source) CHECKED;
/* Picks and allocates the index. 53200. */
Status join_table_choose(JoinTable *table) CHECKED;
/* Inserts the rows of one page; with `is_shared` other workers do the same meanwhile. */
void join_table_insert_page(JoinTable *table, uint32_t page, bool is_shared);
/* After all pages: false when keys that COLUMNS took for unique were not: the index is then another
 * one, and all pages are to be inserted once more. 53200. */
Status join_table_settle(JoinTable *table, bool *is_settled) CHECKED;
void join_table_describe(const JoinTable *table, char *target, size_t bytes);

static inline uint64_t *join_row_link(const JoinShape *shape, const uint8_t *row)
{
    return (uint64_t *)(row + shape->link_offset);
}
/* The next row of the chain, or null. */
static inline const uint8_t *join_row_next(const JoinShape *shape, const uint8_t *row)
{
    uint64_t link = __atomic_load_n(join_row_link(shape, row), __ATOMIC_RELAXED);
    return (const uint8_t *)(uintptr_t)(link & ~JOIN_LINK_FLAGS);
}

/* What is looked up, and scratch. Hits: their candidate numbers go to `hits` in order, what was
 * found to `found` beside them (not for BITMAP). */
typedef struct JoinProbe {
    uint32_t row_count;
    const uint16_t *rows; /* physical, null for 0 .. row_count - 1 */
    const Vector *const *keys;
    const Batch *batch;        /* the keys' */
    int64_t **words;           /* per key VECTOR_ROWS */
    uint64_t *hashes, *places; /* VECTOR_ROWS each */
    uint32_t *positions;
    uint16_t *scratch;   /* 2 * VECTOR_ROWS */
    JoinRow *candidates; /* VECTOR_ROWS */
    JoinRow *found;
    uint16_t *hits;
} JoinProbe;
uint32_t join_table_lookup(const JoinTable *table, const JoinProbe *probe);
/* The candidates whose key is not there (BITMAP only). */
uint32_t join_table_lookup_missing(const JoinTable *table, const JoinProbe *probe);
/* Payload column `column` of found rows: that of rows[i] goes to targets[i], or i when null. Null
 * rows (allowed with `has_null_rows`) give NULL. */
void join_table_gather(const JoinTable *table, uint32_t column, const JoinRow *rows,
                       const uint16_t *targets, uint32_t row_count, bool has_null_rows,
                       VectorBuffer *buffer, Vector *out);

/* --- shared by the index files --- */
/* The number of a row's integer keys. */
static inline uint64_t join_row_number(const JoinTable *table, const uint8_t *row)
{
    uint64_t number = 0;
    for (uint32_t k = 0; k < table->shape->key_count; k++) {
        uint64_t word;
        __builtin_memcpy(&word, row + k * sizeof word, sizeof word);
        const JoinKeyBounds *bounds = &table->bounds[k];
        number += ((word - (uint64_t)bounds->first) >> bounds->shift) * bounds->stride;
    }
    return number;
}
static inline bool join_row_is_indexed(const JoinShape *shape, const uint8_t *row)
{
    return shape->link_offset == JOIN_NO_LINK ||
           (*join_row_link(shape, row) & JOIN_LINK_NULL_KEY) == 0;
}
