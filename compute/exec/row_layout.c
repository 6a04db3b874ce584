/* row_layout.c — how rows are packed, and the pages they are kept in; filled a field at a time. */
#include "compute/exec/row_layout.h"

#include <string.h>

#include "base/heap.h"
#include "compute/kernels/lanes.h"

enum {
    PAGE_BYTES = 256 << 10,
    PAGE_SHIFT_MIN = 6,
    PAGE_SHIFT_MAX = 16,
    FIRST_PAGE_ROWS = 64,        /* the first page of a store starts small and doubles */
    PAGES_MIN = 8,
};

static void choose_lane(RowField *field)
{
    switch (field->type.id) {
    case TYPE_BOOLEAN:
        field->lane = LANE_U8;
        break;
    case TYPE_SMALLINT:
        field->lane = LANE_U16;
        field->base = INT16_MIN;
        break;
    case TYPE_INTEGER:
    case TYPE_DATE:
        field->lane = LANE_U32;
        field->base = INT32_MIN;
        break;
    default:
        field->lane = (uint8_t)type_widest_lane(field->type);
        break;
    }
}

void row_layout_init(RowLayout *layout, Arena *arena, const Type *types, uint32_t field_count,
                     uint32_t header_bytes)
{
    *layout = (RowLayout){.header_bytes = header_bytes, .field_count = field_count};
    layout->fields = ARENA_ARRAY(arena, RowField, field_count);
    uint32_t offset = header_bytes;
    for (uint32_t i = 0; i < field_count; i++) {
        layout->fields[i].type = types[i];
        choose_lane(&layout->fields[i]);
    }
    for (uint32_t bytes = 16; bytes > 0; bytes /= 2) {
        for (uint32_t i = 0; i < field_count; i++) {
            if (lane_bytes(layout->fields[i].lane) == bytes) {
                layout->fields[i].offset = offset;
                offset += bytes;
            }
        }
    }
    layout->null_offset = offset;
    offset += (field_count + 7) / 8;
    layout->row_bytes = (offset + 7) & ~7u;
}

void row_store_init(RowStore *store, const RowLayout *layout, MemoryBudget *budget, Arena *arena)
{
    *store = (RowStore){.layout = layout, .budget = budget, .page_shift = PAGE_SHIFT_MIN};
    uint32_t row_bytes = layout->row_bytes > 0 ? layout->row_bytes : 1;
    while (store->page_shift < PAGE_SHIFT_MAX &&
           ((size_t)row_bytes << (store->page_shift + 1)) <= PAGE_BYTES) {
        store->page_shift++;
    }
    store->bounds = ARENA_ARRAY(arena, RowFieldBounds, layout->field_count);
    text_heap_init(&store->text, budget);
    row_store_clear(store);
}

void row_store_clear(RowStore *store)
{
    size_t row_bytes = store->layout->row_bytes;
    for (uint32_t i = 0; i < store->page_count; i++) {
        memory_free(store->budget, store->pages[i].rows, store->pages[i].row_capacity * row_bytes);
    }
    text_heap_clear(&store->text);
    heap_free(store->pages);
    store->pages = NULL;
    store->page_count = store->page_capacity = 0;
    store->row_count = 0;
    store->bytes = 0;
    for (uint32_t i = 0; i < store->layout->field_count; i++) {
        store->bounds[i] = (RowFieldBounds){.lo = INT64_MAX, .hi = INT64_MIN};
    }
}

void row_store_drop_page(RowStore *store, uint32_t page)
{
    RowPage *dropped = &store->pages[page];
    const size_t bytes = dropped->row_capacity * (size_t)store->layout->row_bytes;
    memory_free(store->budget, dropped->rows, bytes);
    store->bytes -= bytes;
    store->row_count -= dropped->row_count;
    *dropped = (RowPage){0};
}

void row_store_deinit(RowStore *store)
{
    if (store->layout != NULL) {
        row_store_clear(store);
    }
}

static Status pages_reserve(RowStore *store, uint32_t extra)
{
    if (store->page_count + extra <= store->page_capacity) {
        return STATUS_OK;
    }
    uint32_t capacity = store->page_capacity > 0 ? store->page_capacity * 2 : PAGES_MIN;
    while (capacity < store->page_count + extra) {
        capacity *= 2;
    }
    RowPage *pages = heap_realloc(store->pages, capacity * sizeof *pages);
    if (pages == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a list of row pages");
    }
    store->pages = pages;
    store->page_capacity = capacity;
    return STATUS_OK;
}

// Room in the newest page for `row_count` more rows, or as many as a page holds.
static Status page_grow(RowStore *store, RowPage *page, uint32_t row_count)
{
    uint32_t full = 1u << store->page_shift;
    size_t row_bytes = store->layout->row_bytes;
    uint32_t wanted = page->row_count + row_count < full ? page->row_count + row_count : full;
    if (wanted <= page->row_capacity) {
        return STATUS_OK;
    }
    uint32_t capacity = store->page_count > 1         ? full
                        : page->row_capacity > 0 ? page->row_capacity
                                                 : FIRST_PAGE_ROWS;
    while (capacity < wanted) {
        capacity *= 2;
    }
    uint8_t *rows = memory_realloc(store->budget, page->rows, page->row_capacity * row_bytes,
                                   capacity * row_bytes);
    if (rows == NULL) {
        return memory_refused(store->budget, capacity * row_bytes, "rows");
    }
    store->bytes += (capacity - page->row_capacity) * row_bytes;
    page->rows = rows;
    page->row_capacity = capacity;
    return STATUS_OK;
}

// Takes back everything behind row `row_count` of page `page_count - 1`.
static void rows_truncate(RowStore *store, uint32_t page_count, uint32_t row_count)
{
    size_t row_bytes = store->layout->row_bytes;
    while (store->page_count > page_count) {
        RowPage *page = &store->pages[--store->page_count];
        store->row_count -= page->row_count;
        store->bytes -= page->row_capacity * row_bytes;
        memory_free(store->budget, page->rows, page->row_capacity * row_bytes);
    }
    if (page_count > 0) {
        RowPage *page = &store->pages[page_count - 1];
        store->row_count -= page->row_count - row_count;
        page->row_count = row_count;
    }
}

// Adds rows without content.
static Status rows_add(RowStore *store, uint32_t row_count, uint8_t **row_pointers)
{
    uint32_t full = 1u << store->page_shift;
    size_t row_bytes = store->layout->row_bytes;
    uint32_t done = 0;
    while (done < row_count) {
        if (store->page_count == 0 || store->pages[store->page_count - 1].row_count == full) {
            TRY(pages_reserve(store, 1));
            store->pages[store->page_count++] = (RowPage){0};
        }
        RowPage *page = &store->pages[store->page_count - 1];
        TRY(page_grow(store, page, row_count - done));
        uint32_t room = page->row_capacity - page->row_count;
        uint32_t count = room < row_count - done ? room : row_count - done;
        uint8_t *row = page->rows + page->row_count * row_bytes;
        for (uint32_t i = 0; i < count; i++, row += row_bytes) {
            row_pointers[done + i] = row;
        }
        page->row_count += count;
        store->row_count += count;
        done += count;
    }
    return STATUS_OK;
}

static Status store_text(RowStore *store, uint32_t field_index, const Vector *vector,
                         const uint16_t *rows, uint32_t row_count, uint8_t **row_pointers)
{
    TextView views[VECTOR_ROWS];
    uint32_t offset = store->layout->fields[field_index].offset;
    lanes_read_text(vector, rows, row_count, views);
    if (vector->validity != NULL) {
        for (uint32_t i = 0; i < row_count; i++) {
            if (vector_is_null(vector, rows == NULL ? i : rows[i])) {
                views[i] = (TextView){0};
            }
        }
    }
    size_t bytes = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        bytes += views[i].length > TEXT_INLINE_MAX ? views[i].length : 0;
    }
    char *text = bytes == 0 ? NULL : text_heap_reserve(&store->text, bytes);
    if (bytes > 0 && text == NULL) {
        return memory_refused(store->budget, bytes, "text of rows");
    }
    for (uint32_t i = 0; i < row_count; i++) {
        if (views[i].length > TEXT_INLINE_MAX) {
            memcpy(text, views[i].data, views[i].length);
            views[i].data = text;
            text += views[i].length;
        }
        memcpy(row_pointers[i] + offset, &views[i], sizeof views[i]);
    }
    store->bounds[field_index].has_trailing_blanks |= vector->has_trailing_blanks;
    return STATUS_OK;
}

static void store_int64(RowStore *store, uint32_t field_index, const Vector *vector,
                        const uint16_t *rows, uint32_t row_count, uint8_t **row_pointers)
{
    const RowField *field = &store->layout->fields[field_index];
    RowFieldBounds *bounds = &store->bounds[field_index];
    int64_t values[VECTOR_ROWS];
    uint32_t offset = field->offset;
    lanes_read_int64(vector, rows, row_count, values);
    bounds->lo = vector->lo < bounds->lo ? vector->lo : bounds->lo;
    bounds->hi = vector->hi > bounds->hi ? vector->hi : bounds->hi;
    if (field->lane == LANE_I64) {
        for (uint32_t i = 0; i < row_count; i++) {
            memcpy(row_pointers[i] + offset, &values[i], sizeof values[i]);
        }
    } else if (field->lane == LANE_U32) {
        for (uint32_t i = 0; i < row_count; i++) {
            uint32_t stored = (uint32_t)(values[i] - field->base);
            memcpy(row_pointers[i] + offset, &stored, sizeof stored);
        }
    } else if (field->lane == LANE_U16) {
        for (uint32_t i = 0; i < row_count; i++) {
            uint16_t stored = (uint16_t)(values[i] - field->base);
            memcpy(row_pointers[i] + offset, &stored, sizeof stored);
        }
    } else {
        for (uint32_t i = 0; i < row_count; i++) {
            row_pointers[i][offset] = (uint8_t)values[i];
        }
    }
}

static void store_wide(const RowField *field, const Vector *vector, const uint16_t *rows,
                       uint32_t row_count, uint8_t **row_pointers)
{
    if (field->lane == LANE_I128) {
        Int128 values[VECTOR_ROWS];
        lanes_read_int128(vector, rows, row_count, values);
        for (uint32_t i = 0; i < row_count; i++) {
            memcpy(row_pointers[i] + field->offset, &values[i], sizeof values[i]);
        }
        return;
    }
    double values[VECTOR_ROWS];
    lanes_read_double(vector, rows, row_count, values);
    for (uint32_t i = 0; i < row_count; i++) {
        if (field->lane == LANE_F64) {
            memcpy(row_pointers[i] + field->offset, &values[i], sizeof values[i]);
        } else {
            float narrow = (float)values[i];
            memcpy(row_pointers[i] + field->offset, &narrow, sizeof narrow);
        }
    }
}

static void store_nulls(RowStore *store, uint32_t field_index, const Vector *vector,
                        const uint16_t *rows, uint32_t row_count, uint8_t **row_pointers)
{
    uint8_t nulls[VECTOR_ROWS];
    if (!lanes_read_nulls(vector, rows, row_count, nulls)) {
        return;
    }
    uint32_t offset = store->layout->null_offset + (field_index >> 3);
    for (uint32_t i = 0; i < row_count; i++) {
        row_pointers[i][offset] |= (uint8_t)(nulls[i] << (field_index & 7));
    }
    store->bounds[field_index].has_nulls = true;
}

Status row_store_append(RowStore *store, const Vector *const *vectors, const uint16_t *rows,
                        uint32_t row_count, uint8_t **row_pointers)
{
    const RowLayout *layout = store->layout;
    uint32_t page_count = store->page_count;
    uint32_t page_rows = page_count == 0 ? 0 : store->pages[page_count - 1].row_count;
    Status status;
    TRY_OR(refused, rows_add(store, row_count, row_pointers));
    uint32_t null_bytes = (layout->field_count + 7) / 8;
    for (uint32_t b = 0; b < null_bytes; b++) {
        for (uint32_t i = 0; i < row_count; i++) {
            row_pointers[i][layout->null_offset + b] = 0;
        }
    }
    for (uint32_t f = 0; f < layout->field_count; f++) {
        const RowField *field = &layout->fields[f];
        if (field->lane == LANE_TEXT) {
            TRY_OR(refused, store_text(store, f, vectors[f], rows, row_count, row_pointers));
        } else if (type_is_scaled_integer(field->type)) {
            store_int64(store, f, vectors[f], rows, row_count, row_pointers);
        } else {
            store_wide(field, vectors[f], rows, row_count, row_pointers);
        }
        store_nulls(store, f, vectors[f], rows, row_count, row_pointers);
    }
    return STATUS_OK;

refused:
    rows_truncate(store, page_count, page_rows);
    return status;
}

// Copies the long texts of one field; the rows have been copied whole.
static Status copy_text(RowStore *store, uint32_t offset, uint8_t *const *row_pointers,
                        uint32_t row_count)
{
    size_t bytes = 0;
    TextView view;
    for (uint32_t i = 0; i < row_count; i++) {
        memcpy(&view, row_pointers[i] + offset, sizeof view);
        bytes += view.length > TEXT_INLINE_MAX ? view.length : 0;
    }
    char *text = bytes == 0 ? NULL : text_heap_reserve(&store->text, bytes);
    if (bytes > 0 && text == NULL) {
        return memory_refused(store->budget, bytes, "text of rows");
    }
    for (uint32_t i = 0; i < row_count && bytes > 0; i++) {
        memcpy(&view, row_pointers[i] + offset, sizeof view);
        if (view.length > TEXT_INLINE_MAX) {
            memcpy(text, view.data, view.length);
            view.data = text;
            memcpy(row_pointers[i] + offset, &view, sizeof view);
            text += view.length;
        }
    }
    return STATUS_OK;
}

Status row_store_copy(RowStore *target, const RowStore *source, const uint8_t *const *rows,
                      uint32_t row_count)
{
    const RowLayout *layout = target->layout;
    uint32_t page_count = target->page_count;
    uint32_t page_rows = page_count == 0 ? 0 : target->pages[page_count - 1].row_count;
    uint8_t *row_pointers[VECTOR_ROWS];
    Status status;
    TRY_OR(refused, rows_add(target, row_count, row_pointers));
    for (uint32_t i = 0; i < row_count; i++) {
        memcpy(row_pointers[i], rows[i], layout->row_bytes);
    }
    for (uint32_t f = 0; f < layout->field_count; f++) {
        if (layout->fields[f].lane == LANE_TEXT) {
            TRY_OR(refused,
                   copy_text(target, layout->fields[f].offset, row_pointers, row_count));
        }
        row_bounds_merge(&target->bounds[f], &source->bounds[f]);
    }
    return STATUS_OK;

refused:
    rows_truncate(target, page_count, page_rows);
    return status;
}

Status row_store_join(RowStore *target, RowStore *source)
{
    TRY(pages_reserve(target, source->page_count));
    for (uint32_t i = 0; i < source->page_count; i++) {
        target->pages[target->page_count++] = source->pages[i];
    }
    source->page_count = 0;
    text_heap_join(&target->text, &source->text);
    target->row_count += source->row_count;
    target->bytes += source->bytes;
    for (uint32_t i = 0; i < target->layout->field_count; i++) {
        row_bounds_merge(&target->bounds[i], &source->bounds[i]);
    }
    row_store_clear(source);
    return STATUS_OK;
}
