/* delete_mask.c — see delete_mask.h. Whatever a group's form is, sets are combined as bitmaps of
 * 8 KiB on the stack: a microsecond, and one road for nine pairs of forms. */
#include "storage/delete_mask.h"

#include <stdatomic.h>
#include <string.h>
#include "base/heap.h"

#define WORDS_BYTES (DELETE_GROUP_WORDS * sizeof(uint64_t))
#define WORTH_KEEPING 64u /* items: below it spreading them costs less than the memory is worth */

/* Groups. */

static size_t group_bytes(DeleteForm form, uint32_t item_count)
{
    return sizeof(DeletedRows) + item_count * delete_form_item_bytes(form);
}

static DeletedRows *group_alloc(DeleteForm form, uint32_t item_count, MemoryBudget *budget,
                                void **items)
{
    const size_t bytes = group_bytes(form, item_count);
    if (!memory_budget_reserve(budget, bytes)) {
        return NULL;
    }
    DeletedRows *rows = heap_alloc(bytes);
    if (rows == NULL) {
        memory_budget_release(budget, bytes);
        return NULL;
    }
    *rows = (DeletedRows){.form = form, .item_count = item_count, .budget = budget};
    atomic_init(&rows->reference_count, 1);
    *items = (char *)rows + sizeof *rows;
    rows->items = *items;
    return rows;
}

DeletedRows *deleted_rows_pin(DeletedRows *rows)
{
    atomic_fetch_add_explicit(&rows->reference_count, 1, memory_order_relaxed);
    return rows;
}

void deleted_rows_unpin(DeletedRows *rows)
{
    // Release our uses, acquire those of all others before freeing.
    if (rows == NULL ||
        atomic_fetch_sub_explicit(&rows->reference_count, 1, memory_order_acq_rel) != 1) {
        return;
    }
    uint64_t *words = atomic_load_explicit(&rows->words, memory_order_relaxed);
    if (words != NULL) {
        memory_free(rows->budget, words, WORDS_BYTES);
    }
    memory_budget_release(rows->budget, group_bytes(rows->form, rows->item_count));
    heap_free(rows);
}

typedef struct BitmapShape {
    uint32_t rows, runs, words, row_end;
} BitmapShape;

static BitmapShape shape_of(const uint64_t *words)
{
    BitmapShape shape = {0};
    uint64_t carry = 0;
    for (uint32_t i = 0; i < DELETE_GROUP_WORDS; i++) {
        const uint64_t word = words[i];
        shape.rows += (uint32_t)__builtin_popcountll(word);
        shape.runs += (uint32_t)__builtin_popcountll(word & ~(word << 1 | carry));
        carry = word >> 63;
        if (word != 0) {
            shape.words = i + 1;
            shape.row_end = i * 64 + 64 - (uint32_t)__builtin_clzll(word);
        }
    }
    return shape;
}

/* The first row at or after `row` whose bit is `wanted`; 65,536 when there is none. */
static uint32_t next_row(const uint64_t *words, uint32_t row, bool wanted)
{
    while (row < FORMAT_ROW_GROUP_ROWS) {
        const uint64_t word = (wanted ? words[row / 64] : ~words[row / 64]) >> (row % 64);
        if (word != 0) {
            return row + (uint32_t)__builtin_ctzll(word);
        }
        row = (row / 64 + 1) * 64;
    }
    return row;
}

static void list_rows(const uint64_t *words, uint16_t *rows)
{
    for (uint32_t i = 0; i < DELETE_GROUP_WORDS; i++) {
        for (uint64_t word = words[i]; word != 0; word &= word - 1) {
            *rows++ = (uint16_t)(i * 64 + (uint32_t)__builtin_ctzll(word));
        }
    }
}

static void list_runs(const uint64_t *words, RowRun *runs)
{
    uint32_t row = next_row(words, 0, true);
    while (row < FORMAT_ROW_GROUP_ROWS) {
        const uint32_t end = next_row(words, row, false);
        *runs++ = (RowRun){.first = (uint16_t)row, .last = (uint16_t)(end - 1)};
        row = next_row(words, end, true);
    }
}

Status deleted_rows_from_bitmap(const uint64_t *words, MemoryBudget *budget, DeletedRows **out)
{
    const BitmapShape shape = shape_of(words);
    const size_t list_bytes = shape.rows * sizeof(uint16_t),
                 run_bytes = shape.runs * sizeof(RowRun);
    const size_t bitmap_bytes = shape.words * sizeof *words;
    DeleteForm form = DELETE_FORM_BITMAP;
    uint32_t items = shape.words;
    void *target = NULL;
    DEBUG_ASSERT(shape.rows > 0);
    if (run_bytes < list_bytes && run_bytes < bitmap_bytes) {
        form = DELETE_FORM_RUNS;
        items = shape.runs;
    } else if (list_bytes <= bitmap_bytes) {
        form = DELETE_FORM_LIST;
        items = shape.rows;
    }
    DeletedRows *rows = group_alloc(form, items, budget, &target);
    if (rows == NULL) {
        return memory_refused(budget, group_bytes(form, items), "deleted rows");
    }
    if (form == DELETE_FORM_LIST) {
        list_rows(words, target);
    } else if (form == DELETE_FORM_RUNS) {
        list_runs(words, target);
    } else {
        memcpy(target, words, bitmap_bytes);
    }
    rows->row_count = shape.rows;
    rows->row_end = shape.row_end;
    *out = rows;
    return STATUS_OK;
}

/* Counts the rows of items; false unless they keep invariant 2. */
static bool check_items(DeletedRows *rows)
{
    const uint16_t *list = rows->items;
    const RowRun *runs = rows->items;
    const uint64_t *words = rows->items;
    const uint32_t count = rows->item_count;
    uint32_t end = 0; // of what came before, and one more for runs: they do not touch
    bool is_sound = count > 0;
    for (uint32_t i = 0; i < count && is_sound; i++) {
        switch (rows->form) {
        case DELETE_FORM_LIST:
            is_sound = list[i] >= end;
            rows->row_count++;
            end = rows->row_end = list[i] + 1u;
            break;
        case DELETE_FORM_RUNS:
            is_sound = runs[i].first >= end && runs[i].last >= runs[i].first;
            rows->row_count += runs[i].last - runs[i].first + 1u;
            rows->row_end = runs[i].last + 1u;
            end = rows->row_end + 1;
            break;
        default:
            rows->row_count += (uint32_t)__builtin_popcountll(words[i]);
            is_sound = i + 1 < count || words[i] != 0;
            break;
        }
    }
    if (rows->form == DELETE_FORM_BITMAP && is_sound) {
        rows->row_end = count * 64 - (uint32_t)__builtin_clzll(words[count - 1]);
    }
    return is_sound;
}

Status deleted_rows_from_items(DeleteForm form, const void *items, uint32_t item_count,
                               MemoryBudget *budget, DeletedRows **out)
{
    void *target = NULL;
    *out = NULL;
    if (item_count == 0 || item_count * delete_form_item_bytes(form) > FORMAT_ROW_GROUP_ROWS / 8) {
        return STATUS_OK; // a bitmap would have been smaller
    }
    DeletedRows *rows = group_alloc(form, item_count, budget, &target);
    if (rows == NULL) {
        return memory_refused(budget, group_bytes(form, item_count), "deleted rows");
    }
    memcpy(target, items, item_count * delete_form_item_bytes(form));
    if (check_items(rows)) {
        *out = rows;
    } else {
        deleted_rows_unpin(rows);
    }
    return STATUS_OK;
}

/* Index of the first item that ends at or after `row`; item_count when none does. */
static uint32_t search_items(const DeletedRows *rows, uint32_t row)
{
    const uint16_t *list = rows->items;
    const RowRun *runs = rows->items;
    uint32_t low = 0, high = rows->item_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const uint32_t last = rows->form == DELETE_FORM_LIST ? list[middle] : runs[middle].last;
        if (last < row) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool deleted_rows_has(const DeletedRows *rows, uint32_t row)
{
    if (row >= rows->row_end) {
        return false;
    }
    if (rows->form == DELETE_FORM_BITMAP) {
        return validity_get(rows->items, row);
    }
    const uint32_t index = search_items(rows, row);
    return rows->form == DELETE_FORM_LIST ? ((const uint16_t *)rows->items)[index] == row
                                          : ((const RowRun *)rows->items)[index].first <= row;
}

/* The bits of rows first .. last within word `index`. */
static uint64_t range_bits(uint32_t index, uint32_t first, uint32_t last)
{
    const uint64_t from = first > index * 64 ? ~UINT64_C(0) << (first - index * 64) : ~UINT64_C(0);
    const uint32_t end = last - index * 64;
    return end < 63 ? from & ((UINT64_C(1) << (end + 1)) - 1) : from;
}

// By bytes (little endian): neighbours in the list seldom wait for each other.
static void add_list(const uint16_t *restrict list, uint32_t count, uint64_t *restrict words)
{
    uint8_t *bytes = (uint8_t *)words;
    for (uint32_t i = 0; i < count; i++) {
        bytes[list[i] / 8] |= (uint8_t)(1u << (list[i] % 8));
    }
}

static void add_run(const RowRun *run, uint64_t *words)
{
    for (uint32_t w = run->first / 64; w <= run->last / 64u; w++) {
        words[w] |= range_bits(w, run->first, run->last);
    }
}

void deleted_rows_add_to(const DeletedRows *rows, uint64_t *words)
{
    if (rows->form == DELETE_FORM_LIST) {
        add_list(rows->items, rows->item_count, words);
        return;
    }
    for (uint32_t i = 0; i < rows->item_count; i++) {
        if (rows->form == DELETE_FORM_RUNS) {
            add_run((const RowRun *)rows->items + i, words);
        } else {
            words[i] |= ((const uint64_t *)rows->items)[i];
        }
    }
}

/* Keeps the group's words unless another scan came first. */
static const uint64_t *publish_words(DeletedRows *rows, uint64_t *words)
{
    uint64_t *first = NULL;
    if (!atomic_compare_exchange_strong_explicit(&rows->words, &first, words, memory_order_acq_rel,
                                                 memory_order_acquire)) {
        memory_free(rows->budget, words, WORDS_BYTES);
        return first;
    }
    return words;
}

const uint64_t *deleted_rows_words(DeletedRows *rows, uint64_t *scratch)
{
    if (rows->form == DELETE_FORM_BITMAP && rows->item_count == DELETE_GROUP_WORDS) {
        return rows->items;
    }
    uint64_t *words = atomic_load_explicit(&rows->words, memory_order_acquire);
    if (words != NULL) {
        return words;
    }
    if (rows->item_count >= WORTH_KEEPING) {
        words = memory_alloc(rows->budget, WORDS_BYTES);
    }
    uint64_t *target = words == NULL ? scratch : words;
    memset(target, 0, WORDS_BYTES);
    deleted_rows_add_to(rows, target);
    return words == NULL ? scratch : publish_words(rows, words);
}

static void clear_runs(const DeletedRows *rows, uint32_t first, RowMask *mask)
{
    const RowRun *runs = rows->items;
    const uint32_t end = first + VECTOR_ROWS;
    for (uint32_t i = search_items(rows, first); i < rows->item_count && runs[i].first < end; i++) {
        const uint32_t from = runs[i].first > first ? runs[i].first - first : 0;
        const uint32_t to = runs[i].last < end ? runs[i].last - first : VECTOR_ROWS - 1;
        for (uint32_t w = from / 64; w <= to / 64; w++) {
            mask->words[w] &= ~range_bits(w, from, to);
        }
    }
}

void deleted_rows_clear(const DeletedRows *rows, uint32_t first, RowMask *mask)
{
    if (first >= rows->row_end) {
        return;
    }
    if (rows->form == DELETE_FORM_RUNS) {
        clear_runs(rows, first, mask);
        return;
    }
    if (rows->form == DELETE_FORM_LIST) {
        const uint16_t *list = rows->items;
        for (uint32_t i = search_items(rows, first);
             i < rows->item_count && list[i] < first + VECTOR_ROWS; i++) {
            validity_clear(mask->words, list[i] - first);
        }
        return;
    }
    const uint64_t *words = (const uint64_t *)rows->items + first / 64;
    const uint32_t left = rows->item_count - first / 64;
    for (uint32_t i = 0; i < VALIDITY_WORDS && i < left; i++) {
        mask->words[i] &= ~words[i];
    }
}

static Status union_groups(DeletedRows *left, DeletedRows *right, MemoryBudget *budget,
                           DeletedRows **out)
{
    uint64_t words[DELETE_GROUP_WORDS] = {0};
    if (left == NULL || right == NULL) {
        DeletedRows *one = left == NULL ? right : left;
        *out = one == NULL ? NULL : deleted_rows_pin(one);
        return STATUS_OK;
    }
    deleted_rows_add_to(left, words);
    deleted_rows_add_to(right, words);
    return deleted_rows_from_bitmap(words, budget, out);
}

static bool groups_intersect(const DeletedRows *left, const DeletedRows *right)
{
    if (right->form == DELETE_FORM_LIST) {
        const DeletedRows *list = right;
        right = left;
        left = list;
    }
    if (left->form == DELETE_FORM_LIST) {
        for (uint32_t i = 0; i < left->item_count; i++) {
            if (deleted_rows_has(right, ((const uint16_t *)left->items)[i])) {
                return true;
            }
        }
        return false;
    }
    uint64_t left_words[DELETE_GROUP_WORDS] = {0}, right_words[DELETE_GROUP_WORDS] = {0};
    uint64_t both = 0;
    deleted_rows_add_to(left, left_words);
    deleted_rows_add_to(right, right_words);
    for (uint32_t i = 0; i < DELETE_GROUP_WORDS; i++) {
        both |= left_words[i] & right_words[i];
    }
    return both != 0;
}

/* Masks. */

Status delete_mask_create(DeletedRows *const *owned_groups, uint32_t group_count, DeleteMask **out)
{
    DeleteMask *mask = heap_alloc(sizeof *mask + group_count * sizeof(DeletedRows *));
    if (mask == NULL) {
        for (uint32_t i = 0; i < group_count; i++) {
            deleted_rows_unpin(owned_groups[i]);
        }
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for deleted rows");
    }
    *mask = (DeleteMask){.group_count = group_count};
    atomic_init(&mask->reference_count, 1);
    for (uint32_t i = 0; i < group_count; i++) {
        mask->groups[i] = owned_groups[i];
        mask->row_count += owned_groups[i] == NULL ? 0 : owned_groups[i]->row_count;
    }
    *out = mask;
    return STATUS_OK;
}

DeleteMask *delete_mask_pin(DeleteMask *mask)
{
    if (mask != NULL) {
        atomic_fetch_add_explicit(&mask->reference_count, 1, memory_order_relaxed);
    }
    return mask;
}

void delete_mask_unpin(DeleteMask *mask)
{
    if (mask == NULL ||
        atomic_fetch_sub_explicit(&mask->reference_count, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (uint32_t i = 0; i < mask->group_count; i++) {
        deleted_rows_unpin(mask->groups[i]);
    }
    heap_free(mask);
}

Status delete_mask_union(DeleteMask *left, DeleteMask *right, MemoryBudget *budget,
                         DeleteMask **out)
{
    DeletedRows *groups[FORMAT_ROWSET_ROW_GROUPS];
    if (left == NULL || right == NULL) {
        *out = delete_mask_pin(left == NULL ? right : left);
        return STATUS_OK;
    }
    const uint32_t count =
        left->group_count > right->group_count ? left->group_count : right->group_count;
    for (uint32_t i = 0; i < count; i++) {
        Status status = union_groups(delete_mask_group(left, i), delete_mask_group(right, i),
                                     budget, &groups[i]);
        if (status != STATUS_OK) {
            while (i > 0) {
                deleted_rows_unpin(groups[--i]);
            }
            return status;
        }
    }
    return delete_mask_create(groups, count, out);
}

bool delete_mask_intersects(const DeleteMask *left, const DeleteMask *right)
{
    for (uint32_t i = 0; i < left->group_count; i++) {
        const DeletedRows *a = left->groups[i], *b = delete_mask_group(right, i);
        if (a != NULL && b != NULL && groups_intersect(a, b)) {
            return true;
        }
    }
    return false;
}
