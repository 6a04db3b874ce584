/*
 * vector.h — one column of up to 1,024 rows in memory, as narrow as its values allow.
 *
 * Example: ship dates 1994-01-01..1994-12-31 of one vector: lane U16, base 8766, data 0..364,
 * lo 8766, hi 9130. A kernel compares u16 lanes with (bound - base); nothing is widened.
 *
 * Invariants: (1) value = base + lane for U8, U16, U32; base is 0 for every other lane;
 * (2) lo <= every non-null value <= hi for scaled integers, and hi - lo may be wider than needed;
 * (3) lanes of null rows hold any readable value of the lane (for TEXT a valid view, for codes a
 * code of the dictionary unless that has no entries);
 * (4) 64 bytes after the last lane are readable; (5) data, validity and dictionaries live until
 * the producer's next call, longer only where the producer says so.
 */
#pragma once
#include "base/arena.h"
#include "base/memory_budget.h"
#include "base/types/type.h"

#define VECTOR_ROWS 1024
#define VALIDITY_WORDS (VECTOR_ROWS / 64)

typedef enum VectorForm {
    VECTOR_FLAT,       /* a lane per row */
    VECTOR_CONSTANT,   /* lane 0 stands for every row; validity null or its bit 0 */
    VECTOR_DICTIONARY, /* data: codes (U8, U16 or U32 lanes, base 0) into dictionary->entries */
    VECTOR_LAZY        /* not decoded yet: batch_column() loads it */
} VectorForm;

struct VectorLoader;

/* The distinct values behind codes. Immutable; pinned by the batch's producer. */
typedef struct Dictionary {
    Lane lane; /* of entries: TEXT, or I64 lanes with base 0 */
    uint32_t entry_count;
    const void *entries; /* FLAT lanes */
    bool is_sorted;      /* codes compare like their entries */
    bool is_unique;      /* no two entries are equal (after trimming blanks) */
    uint64_t identity;   /* nonzero: equal identities are the same dictionary, for caches */
} Dictionary;

typedef struct Vector {
    Type type;
    uint8_t lane;             /* Lane; for DICTIONARY that of the codes */
    uint8_t form;             /* VectorForm */
    bool has_trailing_blanks; /* TEXT: some value may end in a blank; false is a promise */
    bool is_ascending;        /* rows are in ascending order, no nulls (a promise when true) */
    int64_t base;
    int64_t lo, hi;           /* bounds of scaled integers; else unspecified */
    const uint64_t *validity; /* bit set: present; null: no nulls */
    const void *data;
    const Dictionary *dictionary;
    struct VectorLoader *loader; /* LAZY only */
} Vector;

/* Decodes a lazy vector for the rows of `selection` (null: all `row_count`), in place. */
typedef struct VectorLoader {
    Status (*load)(struct VectorLoader *self, Vector *vector, uint32_t row_count,
                   const uint16_t *selection, uint32_t selected_count);
} VectorLoader;

static inline bool validity_get(const uint64_t *validity, uint32_t row)
{
    return validity == NULL || ((validity[row >> 6] >> (row & 63)) & 1) != 0;
}
static inline void validity_clear(uint64_t *validity, uint32_t row)
{
    validity[row >> 6] &= ~(UINT64_C(1) << (row & 63));
}
static inline void validity_set(uint64_t *validity, uint32_t row)
{
    validity[row >> 6] |= UINT64_C(1) << (row & 63);
}

/* A constant vector over `value`; text is borrowed from it. `storage` is one lane (16 bytes). */
void vector_set_constant(Vector *vector, const Value *value, void *storage);
/* The value at `row`; text is borrowed from the vector. Slow: for results, tests, messages. */
Value vector_value(const Vector *vector, uint32_t row);
bool vector_is_null(const Vector *vector, uint32_t row);

/* Reads a scaled integer at `row` (FLAT or CONSTANT or DICTIONARY with I64 entries). */
int64_t vector_int64(const Vector *vector, uint32_t row);
TextView vector_text(const Vector *vector, uint32_t row); /* FLAT, CONSTANT or DICTIONARY */

/* Lanes for one output column, owned by an operator and reused batch after batch. */
typedef struct VectorBuffer {
    void *lanes;        /* VECTOR_ROWS * 16 + 64 bytes, 64-byte aligned */
    uint64_t *validity; /* VALIDITY_WORDS */
} VectorBuffer;
void vector_buffer_init(VectorBuffer *buffer, Arena *arena);

/* Makes the form FLAT: a dictionary's entries or a constant's lane are spread into `buffer`, a flat
 * vector passes as a view; lanes may stay narrow. Rows outside the selection may be skipped.
 * `vector` may equal `out` and may lie in `buffer` already. */
void vector_flatten(const Vector *vector, uint32_t row_count, const uint16_t *selection,
                    uint32_t selected_count, VectorBuffer *buffer, Vector *out);
/* The same, and every scaled integer as int64 lanes with base 0 (booleans too), every decimal above
 * 18 digits as 128-bit lanes. */
void vector_widen(const Vector *vector, uint32_t row_count, const uint16_t *selection,
                  uint32_t selected_count, VectorBuffer *buffer, Vector *out);
/* Picks rows: out row i = vector row rows[i], in any order; lanes are copied into `buffer`, while
 * dictionaries and constants stay what they are. */
void vector_gather(const Vector *vector, const uint16_t *rows, uint32_t row_count,
                   VectorBuffer *buffer, Vector *out);
/* Moves the rows of the first `row_count` whose bits are set in `words` together; made for masks
 * with few gaps. False, and nothing done, for a vector with NULLs or lanes above 8 bytes. `vector`
 * may equal `out` but does not lie in `buffer`. */
bool vector_close_gaps(const Vector *vector, const uint64_t *words, uint32_t row_count,
                       VectorBuffer *buffer, Vector *out);
