/*
 * row_layout.h — rows packed side by side, for what is looked up at random: the build side of
 * joins, rows to be sorted, keys of groups.
 *
 * Row:  [header bytes of the user][fields, widest first][null bits, one per field][padding to 8]
 * Scaled integers take the bytes of their SQL type as unsigned offsets from its smallest value
 * (INTEGER: 4 bytes, base -2^31), so that a gathered column is a narrow vector without conversion.
 * Text is a TextView whose bytes live in the store's own pages.
 *
 * A RowStore is filled by one worker; several are joined by moving pages. A row's number is
 * (page << page_shift) | slot; pages need not be full, so numbers may have gaps.
 *
 * Invariants: (1) rows of a store's only page move when it grows, others never; (2) text bytes
 * never move.
 */
#pragma once
#include "base/vector/batch.h"
#include "compute/exec/text_heap.h"

typedef struct RowField {
    Type type;
    uint8_t lane; /* Lane it is stored as */
    int64_t base; /* of scaled integers: value = base + stored */
    uint32_t offset;
} RowField;

typedef struct RowLayout {
    uint32_t header_bytes;
    uint32_t field_count;
    RowField *fields;
    uint32_t null_offset;
    uint32_t row_bytes;
} RowLayout;

void row_layout_init(RowLayout *layout, Arena *arena, const Type *types, uint32_t field_count,
                     uint32_t header_bytes);
static inline bool row_is_null(const RowLayout *layout, const uint8_t *row, uint32_t field)
{
    return (row[layout->null_offset + (field >> 3)] >> (field & 7)) & 1;
}

/* What is known of all values of a field. */
typedef struct RowFieldBounds {
    int64_t lo, hi; /* scaled integers; lo > hi: no value yet */
    bool has_nulls, has_trailing_blanks;
} RowFieldBounds;

static inline void row_bounds_merge(RowFieldBounds *target, const RowFieldBounds *added)
{
    target->lo = added->lo < target->lo ? added->lo : target->lo;
    target->hi = added->hi > target->hi ? added->hi : target->hi;
    target->has_nulls |= added->has_nulls;
    target->has_trailing_blanks |= added->has_trailing_blanks;
}

typedef struct RowPage {
    uint8_t *rows;
    uint32_t row_count, row_capacity;
} RowPage;

typedef struct RowStore {
    const RowLayout *layout;
    MemoryBudget *budget;
    uint32_t page_shift; /* of a full page: 1 << page_shift rows */
    RowPage *pages;
    uint32_t page_count, page_capacity;
    uint64_t row_count;
    size_t bytes; /* held by rows */
    TextHeap text;
    RowFieldBounds *bounds;
} RowStore;

/* `arena`: for the bounds, as long as the store. */
void row_store_init(RowStore *store, const RowLayout *layout, MemoryBudget *budget, Arena *arena);
void row_store_deinit(RowStore *store);
/* Forgets all rows; memory goes back to the budget. */
void row_store_clear(RowStore *store);
/* Gives the rows of one page back; its number stays. Texts stay until the store is cleared. */
void row_store_drop_page(RowStore *store, uint32_t page);
/* Appends rows[0..row_count) of a batch (null: the first row_count): vectors[f] is field f, loaded.
 * `row_pointers` receive where the rows lie, headers unset, valid until the next append.
 * 53200: nothing was added. */
Status row_store_append(RowStore *store, const Vector *const *vectors, const uint16_t *rows,
                        uint32_t row_count, uint8_t **row_pointers) CHECKED;
/* Appends copies of rows of `source` (at most VECTOR_ROWS), headers too; the layouts are the same.
 * 53200: nothing was added. */
Status row_store_copy(RowStore *target, const RowStore *source, const uint8_t *const *rows,
                      uint32_t row_count) CHECKED;
/* Moves all pages of `source` behind those of `target`, which have the same layout. 53200. */
Status row_store_join(RowStore *target, RowStore *source) CHECKED;
static inline uint8_t *row_store_row(const RowStore *store, uint64_t number)
{
    uint64_t slot = number & ((UINT64_C(1) << store->page_shift) - 1);
    return store->pages[number >> store->page_shift].rows + slot * store->layout->row_bytes;
}

/* Reads field `field` of `row_count` rows into `out`: the value of rows[i] goes to position
 * positions[i], or i when `positions` is null; other positions are unspecified. A null row pointer
 * (allowed with `has_null_rows`) gives NULL. Text stays in the store. */
void row_store_gather(const RowStore *store, uint32_t field, const uint8_t *const *rows,
                      const uint16_t *positions, uint32_t row_count, bool has_null_rows,
                      VectorBuffer *buffer, Vector *out);
/* The value as SQL sees it; text is borrowed from the store. */
Value row_value(const RowLayout *layout, const uint8_t *row, uint32_t field);

/* Whether two rows agree in fields [0, field_count), NULLs alike. */
bool row_equals_row(const RowLayout *layout, uint32_t field_count, const uint8_t *left,
                    const uint8_t *right);
/* Of the candidates (batch row rows[i], packed row packed[i]), keeps those that agree in field
 * `field` with `vector`: writes the indexes i that do to `kept` (may be `candidates`), those that
 * do not to `rejected` when it is not null; returns how many were kept. NULL agrees with NULL. */
uint32_t row_match_field(const RowLayout *layout, uint32_t field, const Vector *vector,
                         const uint16_t *rows, const uint8_t *const *packed,
                         const uint16_t *candidates, uint32_t candidate_count, uint16_t *kept,
                         uint16_t *rejected, uint32_t *rejected_count);
