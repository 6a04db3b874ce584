/* text_codes.c — see text_codes.h. Open addressing, once for all and once per reader. */
#include "compute/exec/text_codes.h"

#include <stdatomic.h>
#include <string.h>

#include "base/hash.h"
#include "base/vector/distribution_hash.h"
#include "compute/kernels/lanes.h"

enum {
    CODES_MIN = 256,
    CODES_MAX = 32768,
    FLAT_CODES_MAX = 4096,    /* of texts that no dictionary brought: most such columns have many */
    FLAT_CODES_LIKELY = 1024, /* so many, and still one of NEW_PARTS is new: there will be more */
    NEW_PARTS = 4,
    GROWTHS_MAX = 8,
    READER_SLOTS_MIN = 512,
    MAP_ENTRIES_MAX = 65536,
    MAP_WHOLE_MAX = 256, /* entries that are translated whether rows use them or not */
};
#define TEXT_BYTES_MAX ((size_t)4 << 20)

struct TextCodes {
    MemoryBudget *budget;
    uint64_t serial;
    atomic_bool is_full;
    Mutex mutex; /* guards the rest */
    uint32_t count, capacity;
    TextView *entries;
    uint64_t *hashes;
    uint32_t *slots; /* 2 * capacity: code + 1 */
    bool has_trailing_blanks;
    TextHeap text;
    TextView *former_entries[GROWTHS_MAX]; /* readers and dictionaries may still look at them */
    uint32_t former_capacities[GROWTHS_MAX], former_count;
    Arena *arena;
    Dictionary *dictionary;
};

struct TextCodesReader {
    TextCodes *codes;
    Arena *arena;
    const TextView *entries; /* of the codes in the slots */
    uint64_t *slots;         /* upper half of the hash, code + 1 */
    uint32_t slot_count, used;
    uint64_t identity; /* of the dictionary that `map` translates; 0: none */
    uint32_t *map;     /* TEXT_CODE_NONE: not looked up yet */
    uint32_t map_count, map_capacity;
};

TextCodes *text_codes_create(Arena *arena, MemoryBudget *budget)
{
    static atomic_uint_fast64_t last_serial;
    TextCodes *codes = ARENA_NEW(arena, TextCodes);
    codes->budget = budget;
    codes->serial = atomic_fetch_add_explicit(&last_serial, 1, memory_order_relaxed);
    codes->arena = arena_create(arena, "text codes");
    mutex_init(&codes->mutex, MUTEX_RANK_OPERATOR);
    text_heap_init(&codes->text, budget);
    return codes;
}

void text_codes_deinit(TextCodes *codes)
{
    MemoryBudget *budget = codes->budget;
    for (uint32_t i = 0; i < codes->former_count; i++) {
        memory_free(budget, codes->former_entries[i],
                    codes->former_capacities[i] * sizeof(TextView));
    }
    if (codes->capacity > 0) {
        memory_free(budget, codes->entries, codes->capacity * sizeof *codes->entries);
        memory_free(budget, codes->hashes, codes->capacity * sizeof *codes->hashes);
        memory_free(budget, codes->slots, (size_t)2 * codes->capacity * sizeof *codes->slots);
    }
    text_heap_clear(&codes->text);
    arena_destroy(codes->arena);
    mutex_deinit(&codes->mutex);
}

bool text_codes_are_full(const TextCodes *codes)
{
    return atomic_load_explicit(&codes->is_full, memory_order_relaxed);
}

uint32_t text_codes_count(TextCodes *codes)
{
    mutex_lock(&codes->mutex);
    const uint32_t count = codes->count;
    mutex_unlock(&codes->mutex);
    return count;
}

const Dictionary *text_codes_dictionary(TextCodes *codes, bool *has_trailing_blanks)
{
    mutex_lock(&codes->mutex);
    if (codes->dictionary == NULL || codes->dictionary->entry_count != codes->count) {
        codes->dictionary = ARENA_NEW(codes->arena, Dictionary);
        *codes->dictionary = (Dictionary){
            .lane = LANE_TEXT,
            .entry_count = codes->count,
            .entries = codes->entries,
            .is_unique = true,
            .identity = hash_combine(hash_mix(codes->serial), codes->count) | 1,
        };
    }
    const Dictionary *dictionary = codes->dictionary;
    *has_trailing_blanks = codes->has_trailing_blanks;
    mutex_unlock(&codes->mutex);
    return dictionary;
}

static bool texts_equal(const TextView *left, const TextView *right)
{
    const char *left_data = text_view_data(left), *right_data = text_view_data(right);
    const uint32_t left_bytes = text_trimmed_length(left_data, left->length);
    const uint32_t right_bytes = text_trimmed_length(right_data, right->length);
    return left_bytes == right_bytes && memcmp(left_data, right_data, left_bytes) == 0;
}

/* --- what all workers share: with the mutex held --- */

static void insert_codes(const uint64_t *hashes, uint32_t count, uint32_t *slots, uint32_t mask)
{
    for (uint32_t code = 0; code < count; code++) {
        uint32_t s = (uint32_t)hashes[code] & mask;
        while (slots[s] != 0) {
            s = (s + 1) & mask;
        }
        slots[s] = code + 1;
    }
}

static bool codes_grow(TextCodes *codes)
{
    MemoryBudget *budget = codes->budget;
    const uint32_t former = codes->capacity;
    const uint32_t capacity = former == 0 ? CODES_MIN : 2 * former;
    if (capacity > CODES_MAX) {
        return false;
    }
    TextView *entries = memory_alloc(budget, capacity * sizeof *entries);
    uint64_t *hashes = memory_alloc(budget, capacity * sizeof *hashes);
    uint32_t *slots = memory_alloc_zeroed(budget, (size_t)2 * capacity * sizeof *slots);
    if (entries == NULL || hashes == NULL || slots == NULL) {
        memory_free(budget, entries, capacity * sizeof *entries);
        memory_free(budget, hashes, capacity * sizeof *hashes);
        memory_free(budget, slots, (size_t)2 * capacity * sizeof *slots);
        return false;
    }
    if (former > 0) {
        memcpy(entries, codes->entries, former * sizeof *entries);
        memcpy(hashes, codes->hashes, former * sizeof *hashes);
        codes->former_entries[codes->former_count] = codes->entries;
        codes->former_capacities[codes->former_count++] = former;
        memory_free(budget, codes->hashes, former * sizeof *hashes);
        memory_free(budget, codes->slots, (size_t)2 * former * sizeof *slots);
    }
    insert_codes(hashes, codes->count, slots, 2 * capacity - 1);
    codes->entries = entries;
    codes->hashes = hashes;
    codes->slots = slots;
    codes->capacity = capacity;
    return true;
}

static uint32_t codes_seek(const TextCodes *codes, const TextView *text, uint64_t hash)
{
    const uint32_t mask = 2 * codes->capacity - 1;
    if (codes->capacity == 0) {
        return TEXT_CODE_NONE;
    }
    for (uint32_t s = (uint32_t)hash & mask; codes->slots[s] != 0; s = (s + 1) & mask) {
        const uint32_t code = codes->slots[s] - 1;
        if (codes->hashes[code] == hash && texts_equal(&codes->entries[code], text)) {
            return code;
        }
    }
    return TEXT_CODE_NONE;
}

static uint32_t codes_add(TextCodes *codes, const TextView *text, uint64_t hash, uint32_t limit)
{
    TextView view = *text;
    const bool has_room =
        !text_codes_are_full(codes) && codes->count < limit && codes->text.bytes < TEXT_BYTES_MAX &&
        (codes->count < codes->capacity || codes_grow(codes)) && text_heap_own(&codes->text, &view);
    if (!has_room) {
        atomic_store_explicit(&codes->is_full, true, memory_order_relaxed);
        return TEXT_CODE_NONE;
    }
    const uint32_t code = codes->count++, mask = 2 * codes->capacity - 1;
    const char *data = text_view_data(&view);
    codes->entries[code] = view;
    codes->hashes[code] = hash;
    codes->has_trailing_blanks |= text_trimmed_length(data, view.length) < view.length;
    uint32_t s = (uint32_t)hash & mask;
    while (codes->slots[s] != 0) {
        s = (s + 1) & mask;
    }
    codes->slots[s] = code + 1;
    return code;
}

/* --- what one worker has seen --- */

TextCodesReader *text_codes_reader_create(TextCodes *codes, Arena *worker_arena)
{
    TextCodesReader *reader = ARENA_NEW(worker_arena, TextCodesReader);
    *reader = (TextCodesReader){.codes = codes, .arena = worker_arena};
    return reader;
}

static uint64_t slot_of(uint64_t hash, uint32_t code)
{
    return (hash & UINT64_C(0xFFFFFFFF00000000)) | (code + 1);
}

static void reader_put(uint64_t *slots, uint32_t mask, uint64_t hash, uint32_t code)
{
    uint32_t s = (uint32_t)(hash >> 32) & mask;
    while (slots[s] != 0) {
        s = (s + 1) & mask;
    }
    slots[s] = slot_of(hash, code);
}

static void reader_keep(TextCodesReader *reader, uint64_t hash, uint32_t code)
{
    if (2 * (reader->used + 1) > reader->slot_count) {
        const uint32_t count = reader->slot_count == 0 ? READER_SLOTS_MIN : 2 * reader->slot_count;
        uint64_t *slots = ARENA_ARRAY(reader->arena, uint64_t, count);
        for (uint32_t s = 0; s < reader->slot_count; s++) {
            if (reader->slots[s] != 0) {
                reader_put(slots, count - 1, reader->slots[s], (uint32_t)reader->slots[s] - 1);
            }
        }
        reader->slots = slots;
        reader->slot_count = count;
    }
    reader_put(reader->slots, reader->slot_count - 1, hash, code);
    reader->used++;
}

static uint32_t reader_find(TextCodesReader *reader, const TextView *text, uint64_t hash,
                            bool may_add, uint32_t limit)
{
    const uint32_t mask = reader->slot_count - 1;
    for (uint32_t s = (uint32_t)(hash >> 32) & mask;
         reader->slot_count > 0 && reader->slots[s] != 0; s = (s + 1) & mask) {
        const uint32_t code = (uint32_t)reader->slots[s] - 1;
        if (reader->slots[s] == slot_of(hash, code) && texts_equal(&reader->entries[code], text)) {
            return code;
        }
    }
    TextCodes *codes = reader->codes;
    mutex_lock(&codes->mutex);
    uint32_t code = codes_seek(codes, text, hash);
    if (code == TEXT_CODE_NONE && may_add) {
        code = codes_add(codes, text, hash, limit);
    }
    reader->entries = codes->entries;
    mutex_unlock(&codes->mutex);
    if (code != TEXT_CODE_NONE) {
        reader_keep(reader, hash, code);
    }
    return code;
}

static uint32_t entry_code(TextCodesReader *reader, const Dictionary *dictionary, uint32_t entry,
                           bool may_add)
{
    const Value value = {.type = type_of(TYPE_VARCHAR),
                         .text = ((const TextView *)dictionary->entries)[entry]};
    return reader_find(reader, &value.text, row_hash_value(&value), may_add, CODES_MAX);
}

static void map_begin(TextCodesReader *reader, const Dictionary *dictionary)
{
    const uint32_t count = dictionary->entry_count;
    if (dictionary->identity != 0 && dictionary->identity == reader->identity &&
        count == reader->map_count) {
        return;
    }
    if (reader->map_capacity < count) {
        reader->map_capacity = 2 * count;
        reader->map = ARENA_ARRAY(reader->arena, uint32_t, reader->map_capacity);
    }
    memset(reader->map, 0xFF, count * sizeof *reader->map);
    reader->map_count = count;
    reader->identity = dictionary->identity;
}

static bool map_is_worth_it(const Dictionary *dictionary, uint32_t row_count)
{
    return dictionary->entry_count > 0 && dictionary->entry_count <= MAP_ENTRIES_MAX &&
           (dictionary->identity != 0 || dictionary->entry_count <= row_count);
}

// Codes for all entries; false when all is full.
static bool map_complete(TextCodesReader *reader, const Dictionary *dictionary)
{
    for (uint32_t e = 0; e < dictionary->entry_count; e++) {
        if (reader->map[e] == TEXT_CODE_NONE) {
            reader->map[e] = entry_code(reader, dictionary, e, true);
            if (reader->map[e] == TEXT_CODE_NONE) {
                return false;
            }
        }
    }
    return true;
}

static bool map_takes_all(const Dictionary *dictionary, uint32_t row_count)
{
    return dictionary->entry_count <= MAP_WHOLE_MAX || dictionary->entry_count <= row_count;
}

const uint32_t *text_codes_of_dictionary(TextCodesReader *reader, const Dictionary *dictionary,
                                         uint32_t row_count)
{
    if (!map_is_worth_it(dictionary, row_count) || !map_takes_all(dictionary, row_count)) {
        return NULL;
    }
    map_begin(reader, dictionary);
    return map_complete(reader, dictionary) ? reader->map : NULL;
}

static bool read_dictionary(TextCodesReader *reader, const Vector *vector, const uint16_t *rows,
                            uint32_t row_count, bool may_add, uint64_t *out)
{
    const Vector codes = {.type = type_of(TYPE_BIGINT),
                          .lane = vector->lane,
                          .form = VECTOR_FLAT,
                          .data = vector->data};
    map_begin(reader, vector->dictionary);
    if (may_add && map_takes_all(vector->dictionary, row_count) &&
        !map_complete(reader, vector->dictionary)) {
        return false;
    }
    lanes_read_int64(&codes, rows, row_count, (int64_t *)out);
    for (uint32_t i = 0; i < row_count; i++) {
        uint32_t *code = &reader->map[out[i]];
        if (*code == TEXT_CODE_NONE) {
            *code = entry_code(reader, vector->dictionary, (uint32_t)out[i], may_add);
            if (*code == TEXT_CODE_NONE && may_add) {
                return false;
            }
        }
        out[i] = *code;
    }
    return true;
}

static bool views_alike(const TextView *left, const TextView *right)
{
    uint64_t a[2], b[2];
    memcpy(a, left, sizeof a);
    memcpy(b, right, sizeof b);
    return ((a[0] ^ b[0]) | (a[1] ^ b[1])) == 0;
}

static bool read_texts(TextCodesReader *reader, const Vector *vector, const uint16_t *rows,
                       uint32_t row_count, bool may_add, uint64_t *out)
{
    uint64_t hashes[VECTOR_ROWS];
    TextView views[VECTOR_ROWS];
    const Batch batch = {.row_count = VECTOR_ROWS, .selection = rows, .selected_count = row_count};
    const uint32_t former_used = reader->used;
    row_hash_column(vector, &batch, false, hashes);
    lanes_read_text(vector, rows, row_count, views);
    for (uint32_t i = 0; i < row_count; i++) {
        if (!validity_get(vector->validity, rows == NULL ? i : rows[i])) {
            out[i] = 0; // what lies below a NULL is nobody's text
            continue;
        }
        if (i > 0 && hashes[i] == hashes[i - 1] && views_alike(&views[i], &views[i - 1])) {
            out[i] = out[i - 1];
            continue;
        }
        out[i] = reader_find(reader, &views[i], hashes[i], may_add, FLAT_CODES_MAX);
        if (out[i] == TEXT_CODE_NONE && may_add) {
            return false;
        }
    }
    if (reader->used >= FLAT_CODES_LIKELY && reader->used - former_used > row_count / NEW_PARTS) {
        atomic_store_explicit(&reader->codes->is_full, true, memory_order_relaxed);
    }
    return true;
}

static bool read_constant(TextCodesReader *reader, const Vector *vector, uint32_t row_count,
                          bool may_add, uint64_t *out)
{
    const Value value = vector_value(vector, 0);
    uint32_t code = 0;
    if (!value.is_null) {
        code = reader_find(reader, &value.text, row_hash_value(&value), may_add, CODES_MAX);
    }
    for (uint32_t i = 0; i < row_count; i++) {
        out[i] = code;
    }
    return code != TEXT_CODE_NONE || !may_add;
}

bool text_codes_read(TextCodesReader *reader, const Vector *vector, const uint16_t *rows,
                     uint32_t row_count, bool may_add, uint64_t *out)
{
    if (vector->form == VECTOR_CONSTANT) {
        return read_constant(reader, vector, row_count, may_add, out);
    }
    if (vector->form == VECTOR_DICTIONARY && map_is_worth_it(vector->dictionary, row_count)) {
        return read_dictionary(reader, vector, rows, row_count, may_add, out);
    }
    return read_texts(reader, vector, rows, row_count, may_add, out);
}
