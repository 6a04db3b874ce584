/*
 * batch_builder_text.c — texts of a batch being gathered.
 *
 * Rows that come as codes of a dictionary stay codes, of a dictionary of the batch's own that holds
 * the entries in use; once those do not fit a byte, or rows come without codes, all become texts.
 */
#include <string.h>

#include "base/heap.h"
#include "base/vector/batch_builder_internal.h"
#include "base/vector/vector_internal.h"
#include "base/vector/vector_kernels.h"

#define TEXT_BLOCK_BYTES ((size_t)16 << 10)

/* Room for `bytes` bytes of text, next to those before when they fit. */
static char *reserve_text(BatchBuilder *builder, size_t bytes)
{
    if (bytes > builder->text_left_bytes) {
        size_t block_bytes = bytes > TEXT_BLOCK_BYTES ? bytes : TEXT_BLOCK_BYTES;
        builder->text_left_bytes = 0;
        builder->text_cursor = batch_memory_alloc(&builder->memory, block_bytes, 0);
        if (builder->text_cursor == NULL) {
            return NULL;
        }
        builder->text_left_bytes = block_bytes;
    }
    char *text = builder->text_cursor;
    builder->text_cursor += bytes;
    builder->text_left_bytes -= bytes;
    return text;
}

/* Points long views at copies of their bytes. */
static bool own_texts(BatchBuilder *builder, TextView *views, uint32_t count)
{
    size_t long_bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        long_bytes += views[i].length > TEXT_INLINE_MAX ? views[i].length : 0;
    }
    if (long_bytes == 0) {
        return true;
    }
    char *cursor = reserve_text(builder, long_bytes);
    if (cursor == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (views[i].length > TEXT_INLINE_MAX) {
            memcpy(cursor, views[i].data, views[i].length);
            views[i].data = cursor;
            cursor += views[i].length;
        }
    }
    return true;
}

/* Rows of a small dictionary: each entry in use is copied once. */
static bool append_entries(BatchBuilder *builder, const Source *source, TextView *target)
{
    const Vector *vector = source->vector;
    const TextView *entries = vector->dictionary->entries;
    TextView used[VECTOR_ROWS];
    uint16_t place[VECTOR_ROWS] = {0}; // of an entry among those used, counted from 1
    uint16_t order[VECTOR_ROWS];
    uint32_t used_count = 0;
    for (uint32_t i = 0; i < source->count; i++) {
        uint64_t code = vector_code(vector, source->rows[i]);
        if (place[code] == 0) {
            used[used_count++] = entries[code];
            place[code] = (uint16_t)used_count;
        }
        order[i] = (uint16_t)(place[code] - 1);
    }
    if (!own_texts(builder, used, used_count)) {
        return false;
    }
    KERNELS(vector_kernels)->gather16(used, order, source->count, target);
    return true;
}

static bool append_flat(BatchBuilder *builder, BuilderColumn *column, const Source *source)
{
    const Vector *vector = source->vector;
    if (column->lanes == NULL) {
        column->lane = LANE_TEXT;
        column->lanes = builder_alloc_lanes(builder, LANE_TEXT);
        if (column->lanes == NULL) {
            return false;
        }
    }
    TextView *target = builder_next_lane(builder, column);
    column->has_trailing_blanks |= vector->has_trailing_blanks;
    if (vector->form == VECTOR_CONSTANT) {
        TextView view = vector_text(vector, 0);
        if (!own_texts(builder, &view, 1)) {
            return false;
        }
        for (uint32_t i = 0; i < source->count; i++) {
            target[i] = view;
        }
        return true;
    }
    if (vector->form == VECTOR_DICTIONARY && vector->dictionary->entry_count <= source->count &&
        vector->dictionary->entry_count > 0) {
        return append_entries(builder, source, target);
    }
    vector_read_text(vector, source->rows, source->count, target);
    if (vector->validity != NULL) {
        for (uint32_t i = 0; i < source->count; i++) { // nobody needs the bytes of null rows
            if (!validity_get(vector->validity, source->rows[i])) {
                target[i] = (TextView){0};
            }
        }
    }
    return own_texts(builder, target, source->count);
}

/* --- codes --- */

/* What fits a byte, and is few enough for a batch to be smaller with codes. */
enum { CODED_ENTRIES_MAX = 256, MAP_ENTRIES_MAX = 4096 };

static bool is_coded(const BuilderColumn *column)
{
    return column->dictionary != NULL;
}

/* An empty column may begin with codes, one with codes goes on. */
static bool may_code(const BatchBuilder *builder, const BuilderColumn *column, const Vector *vector)
{
    const bool is_dictionary = vector->form == VECTOR_DICTIONARY &&
                               vector->dictionary->entry_count > 0 &&
                               vector->dictionary->entry_count <= MAP_ENTRIES_MAX;
    return is_dictionary && (is_coded(column) || builder->row_count == 0);
}

static bool begin_codes(BatchBuilder *builder, BuilderColumn *column, const Dictionary *source)
{
    Dictionary *dictionary = batch_memory_alloc(&builder->memory, sizeof *dictionary, 0);
    TextView *entries = batch_memory_alloc(&builder->memory, CODED_ENTRIES_MAX * sizeof *entries,
                                           LANES_BLOCK_BYTES);
    column->lane = LANE_U8;
    column->lanes = builder_alloc_lanes(builder, LANE_U8);
    if (column->map == NULL) {
        column->map = heap_alloc(MAP_ENTRIES_MAX * sizeof *column->map);
    }
    if (dictionary == NULL || entries == NULL || column->lanes == NULL || column->map == NULL) {
        column->lanes = NULL;
        return false;
    }
    *dictionary =
        (Dictionary){.lane = LANE_TEXT, .entries = entries, .is_unique = source->is_unique};
    column->dictionary = dictionary;
    column->map_identity = 0;
    return true;
}

/* Codes become texts: the entries' bytes stay where they are. */
static bool spread_codes(BatchBuilder *builder, BuilderColumn *column)
{
    const uint8_t *codes = column->lanes;
    const TextView *entries = column->dictionary->entries;
    TextView *texts = builder_alloc_lanes(builder, LANE_TEXT);
    if (texts == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < builder->row_count; i++) {
        texts[i] = entries[codes[i]];
    }
    column->lanes = texts;
    column->lane = LANE_TEXT;
    column->dictionary = NULL;
    return true;
}

/* False: there are too many entries, the rows are not in. */
static bool append_codes(BatchBuilder *builder, BuilderColumn *column, const Source *source,
                         bool *is_refused)
{
    const Vector *vector = source->vector;
    const Dictionary *from = vector->dictionary;
    Dictionary *dictionary = column->dictionary;
    TextView *entries = (TextView *)(uintptr_t)dictionary->entries;
    uint8_t *target = builder_next_lane(builder, column);
    const bool is_same = from->identity != 0 && from->identity == column->map_identity;
    if (!is_same) {
        memset(column->map, 0, from->entry_count * sizeof *column->map);
        dictionary->is_unique &= dictionary->entry_count == 0;
        column->map_identity = from->identity;
    }
    uint32_t entry_count = dictionary->entry_count;
    for (uint32_t i = 0; i < source->count; i++) {
        const uint64_t code = vector_code(vector, source->rows[i]);
        if (column->map[code] == 0) {
            if (entry_count == CODED_ENTRIES_MAX) {
                return false;
            }
            entries[entry_count] = ((const TextView *)from->entries)[code];
            column->map[code] = (uint16_t)++entry_count;
        }
        target[i] = (uint8_t)(column->map[code] - 1);
    }
    *is_refused = !own_texts(builder, entries + dictionary->entry_count,
                             entry_count - dictionary->entry_count);
    if (*is_refused) {
        column->map_identity = 0; // the new entries are not there
        return true;
    }
    dictionary->entry_count = entry_count;
    column->has_trailing_blanks |= vector->has_trailing_blanks;
    return true;
}

bool builder_append_texts(BatchBuilder *builder, BuilderColumn *column, const Source *source)
{
    const Vector *vector = source->vector;
    bool is_refused = false;
    if (may_code(builder, column, vector)) {
        if (!is_coded(column) && !begin_codes(builder, column, vector->dictionary)) {
            return false;
        }
        if (append_codes(builder, column, source, &is_refused)) {
            return !is_refused;
        }
    }
    if (is_coded(column) && !spread_codes(builder, column)) {
        return false;
    }
    return append_flat(builder, column, source);
}
