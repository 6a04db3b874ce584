/*
 * delete_mask.h — which rows of one rowset are deleted: a set of row numbers per row group.
 *
 * A mask is one transaction's delta, or the union of several. Masks and their groups are counted
 * and immutable: a union shares the groups that only one side has.
 *
 * Scans want bitmaps. A group with many rows keeps one beside its items from the first scan on: a
 * bit a row of its memory's budget, instead of a nanosecond and a half per deleted row and scan.
 *
 * Example: rows 3, 4, 5 and 900 of row group 0: a list {3, 4, 5, 900} of 8 bytes, two runs
 * {3..5, 900..900} of 8 bytes, or 15 words of a bitmap; the smallest one is kept.
 *
 * Invariants: (1) a group has at least one row, a mask at least one group; (2) lists and runs
 * ascend, runs neither touch nor overlap, the last word of a bitmap is not zero; (3) row_count and
 * row_end are exact.
 */
#pragma once
#include "base/memory_budget.h"
#include "base/vector/batch.h"
#include "storage/format.h"

#define DELETE_GROUP_WORDS (FORMAT_ROW_GROUP_ROWS / 64) /* of a whole bitmap */

typedef enum DeleteForm {
    DELETE_FORM_LIST = 1,  /* on disk: never renumber. u16 row numbers */
    DELETE_FORM_RUNS = 2,  /* RowRun */
    DELETE_FORM_BITMAP = 3 /* u64 words, up to the last one with a row */
} DeleteForm;

typedef struct RowRun {
    uint16_t first, last; /* both are deleted */
} RowRun;

/* Deleted rows of one row group. */
typedef struct DeletedRows {
    _Atomic uint32_t reference_count;
    DeleteForm form;
    uint32_t item_count; /* rows, runs or words */
    uint32_t row_count;  /* deleted rows */
    uint32_t row_end;    /* the last one + 1 */
    MemoryBudget *budget;
    const void *items;
    _Atomic(uint64_t *) words; /* DELETE_GROUP_WORDS; null: no scan asked yet */
} DeletedRows;

typedef struct DeleteMask {
    _Atomic uint32_t reference_count;
    uint32_t group_count;  /* room in `groups`: the last row group with a row + 1 */
    uint64_t row_count;    /* deleted rows */
    DeletedRows *groups[]; /* null: no row of that group */
} DeleteMask;

static inline size_t delete_form_item_bytes(DeleteForm form)
{
    return form == DELETE_FORM_LIST   ? sizeof(uint16_t)
           : form == DELETE_FORM_RUNS ? sizeof(RowRun)
                                      : sizeof(uint64_t);
}

/* The smallest form of a bitmap of DELETE_GROUP_WORDS words with at least one row; 53200. */
Status deleted_rows_from_bitmap(const uint64_t *words, MemoryBudget *budget,
                                DeletedRows **out) CHECKED;
/* From items that keep invariant 2, else null in `*out`: what a disk says is checked here. */
Status deleted_rows_from_items(DeleteForm form, const void *items, uint32_t item_count,
                               MemoryBudget *budget, DeletedRows **out) CHECKED;
DeletedRows *deleted_rows_pin(DeletedRows *rows);
void deleted_rows_unpin(DeletedRows *rows); /* null is allowed */
/* Sets the rows' bits in DELETE_GROUP_WORDS words. */
void deleted_rows_add_to(const DeletedRows *rows, uint64_t *words);
/* The rows as DELETE_GROUP_WORDS words: the group's own, or `scratch` when it has few rows or its
 * budget is used up. Both live as long as the group at least. */
const uint64_t *deleted_rows_words(DeletedRows *rows, uint64_t *scratch);
bool deleted_rows_has(const DeletedRows *rows, uint32_t row);
/* Clears the bits of deleted rows in the mask of rows first .. of the group; `first` is a multiple
 * of 64. */
void deleted_rows_clear(const DeletedRows *rows, uint32_t first, RowMask *mask);

/* Takes `group_count` groups over (null: none there), also on failure; at least one is there. */
Status delete_mask_create(DeletedRows *const *owned_groups, uint32_t group_count,
                          DeleteMask **out) CHECKED;
DeleteMask *delete_mask_pin(DeleteMask *mask); /* null is allowed */
void delete_mask_unpin(DeleteMask *mask);      /* null is allowed */
/* Rows of either; one of the two may be null. 53200. */
Status delete_mask_union(DeleteMask *left, DeleteMask *right, MemoryBudget *budget,
                         DeleteMask **out) CHECKED;
bool delete_mask_intersects(const DeleteMask *left, const DeleteMask *right);
static inline DeletedRows *delete_mask_group(const DeleteMask *mask, uint32_t group)
{
    return mask == NULL || group >= mask->group_count ? NULL : mask->groups[group];
}
static inline uint64_t delete_mask_row_count(const DeleteMask *mask)
{
    return mask == NULL ? 0 : mask->row_count;
}
