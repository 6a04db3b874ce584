/* group_table.c — choosing how keys are kept and looked up. */
#include "compute/operators/hash_aggregate/group_table.h"

#include <string.h>

#include "base/vector/distribution_hash.h"
#include "compute/operators/hash_aggregate/group_internal.h"

static bool is_coded_type(Type type)
{
    return type_is_text(type) && !group_type_is_word(type);
}

void group_shape_init(GroupShape *shape, Arena *arena, MemoryBudget *budget, const Type *key_types,
                      uint32_t key_count, double estimated_groups)
{
    *shape = (GroupShape){
        .budget = budget,
        .key_count = key_count,
        .key_types = key_types,
        .has_word_keys = key_count <= 64,
        .word_count = key_count + 1,
        .estimated_groups = estimated_groups,
    };
    bool has_texts = false;
    for (uint32_t k = 0; k < key_count; k++) {
        bool is_coded = is_coded_type(key_types[k]);
        has_texts |= is_coded;
        shape->has_word_keys &= is_coded || group_type_is_word(key_types[k]);
    }
    if (has_texts && shape->has_word_keys) {
        shape->codes = ARENA_ARRAY(arena, TextCodes *, key_count);
        for (uint32_t k = 0; k < key_count; k++) {
            shape->codes[k] = is_coded_type(key_types[k]) ? text_codes_create(arena, budget) : NULL;
        }
    }
    row_layout_init(&shape->layout, arena, key_types, key_count, (uint32_t)sizeof(uint64_t));
}

void group_shape_deinit(GroupShape *shape)
{
    for (uint32_t k = 0; shape->codes != NULL && k < shape->key_count; k++) {
        if (shape->codes[k] != NULL) {
            text_codes_deinit(shape->codes[k]);
        }
    }
    shape->codes = NULL;
}

static bool codes_are_full(const GroupShape *shape)
{
    for (uint32_t k = 0; shape->codes != NULL && k < shape->key_count; k++) {
        if (shape->codes[k] != NULL && text_codes_are_full(shape->codes[k])) {
            return true;
        }
    }
    return false;
}

void group_shape_know_bits(GroupShape *shape, uint32_t known_bits)
{
    shape->key_shift = known_bits;
}

void group_shape_expect_key(GroupShape *shape, int64_t min, int64_t max)
{
    const int64_t known = (INT64_C(1) << shape->key_shift) - 1;
    min &= ~known;
    max |= known;
    uint64_t span = (uint64_t)max - (uint64_t)min;
    shape->key_min = min;
    shape->key_range = span < UINT64_MAX ? span + 1 : 0;
}

GroupSpace *group_space_create(const GroupShape *shape, Arena *worker_arena)
{
    GroupSpace *space = ARENA_NEW(worker_arena, GroupSpace);
    uint32_t key_count = shape->key_count;
    space->arena = worker_arena;
    space->hashes = ARENA_ARRAY(worker_arena, uint64_t, VECTOR_ROWS);
    space->map_positions = ARENA_ARRAY(worker_arena, uint32_t, VECTOR_ROWS);
    space->positions = ARENA_ARRAY(worker_arena, uint64_t, VECTOR_ROWS);
    if (shape->has_word_keys) {
        space->words = ARENA_ARRAY(worker_arena, uint64_t *, shape->word_count);
        for (uint32_t w = 0; w < shape->word_count; w++) {
            space->words[w] = ARENA_ARRAY(worker_arena, uint64_t, VECTOR_ROWS);
        }
        space->row_words =
            ARENA_ARRAY(worker_arena, uint64_t, (size_t)shape->word_count * VECTOR_ROWS);
        if (shape->codes == NULL) {
            return space;
        }
        space->readers = ARENA_ARRAY(worker_arena, TextCodesReader *, key_count);
        for (uint32_t k = 0; k < key_count; k++) {
            space->readers[k] = shape->codes[k] == NULL
                                    ? NULL
                                    : text_codes_reader_create(shape->codes[k], worker_arena);
        }
    }
    space->pending = ARENA_ARRAY(worker_arena, uint16_t, VECTOR_ROWS);
    space->candidates = ARENA_ARRAY(worker_arena, uint16_t, VECTOR_ROWS);
    space->rejected = ARENA_ARRAY(worker_arena, uint16_t, VECTOR_ROWS);
    space->new_rows = ARENA_ARRAY(worker_arena, uint16_t, VECTOR_ROWS);
    space->packed = ARENA_ARRAY(worker_arena, const uint8_t *, VECTOR_ROWS);
    space->row_pointers = ARENA_ARRAY(worker_arena, uint8_t *, VECTOR_ROWS);
    space->buffers = ARENA_ARRAY(worker_arena, VectorBuffer, key_count);
    space->vectors = ARENA_ARRAY(worker_arena, Vector, key_count);
    space->vector_pointers = ARENA_ARRAY(worker_arena, const Vector *, key_count);
    return space;
}

void group_table_init(GroupTable *table, const GroupShape *shape, Arena *arena)
{
    *table = (GroupTable){.shape = shape};
    const bool has_words = shape->has_word_keys && !codes_are_full(shape);
    table->index = has_words ? GROUP_INDEX_DENSE : GROUP_INDEX_ROWS;
    table->null_group = GROUP_NONE;
    table->word_stride = shape->word_count;
    table->ranges = ARENA_ARRAY(arena, GroupKeyRange, shape->key_count);
    table->codes = ARENA_ARRAY(arena, GroupCodes, shape->key_count);
    row_store_init(&table->rows, &shape->layout, shape->budget, arena);
}

static void forget_words(GroupTable *table)
{
    MemoryBudget *budget = table->shape->budget;
    if (table->words != NULL) {
        memory_free(budget, table->words,
                    (size_t)table->group_capacity * table->word_stride * sizeof(uint64_t));
        table->words = NULL;
        table->group_capacity = 0;
    }
    if (table->map != NULL) {
        memory_free(budget, table->map, table->map_bytes);
        table->map = NULL;
    }
    group_codes_deinit(table);
}

void group_table_deinit(GroupTable *table)
{
    if (table->shape == NULL) {
        return;
    }
    forget_words(table);
    if (table->slots != NULL) {
        memory_free(table->shape->budget, table->slots,
                    (table->slot_mask + 1) * sizeof *table->slots);
    }
    row_store_deinit(&table->rows);
    table->shape = NULL;
}

static void gather_keys(const GroupTable *table, GroupSpace *space, const uint32_t *groups,
                        uint32_t count)
{
    for (uint32_t k = 0; k < table->shape->key_count; k++) {
        if (space->buffers[k].lanes == NULL) {
            vector_buffer_init(&space->buffers[k], space->arena);
        }
        group_table_gather(table, k, groups, count, &space->buffers[k], &space->vectors[k]);
        space->vector_pointers[k] = &space->vectors[k];
    }
}

static void hash_vectors(const GroupShape *shape, const Vector *const *keys, const uint16_t *rows,
                         uint32_t row_count, uint64_t *hashes)
{
    Batch batch = {.row_count = VECTOR_ROWS, .selected_count = row_count, .selection = rows};
    if (rows == NULL) {
        batch.row_count = row_count;
    }
    for (uint32_t k = 0; k < shape->key_count; k++) {
        row_hash_column(keys[k], &batch, k > 0, hashes);
    }
}

static Status pack_groups(GroupTable *table, GroupSpace *space)
{
    uint32_t groups[VECTOR_ROWS];
    for (uint32_t first = 0; first < table->group_count; first += VECTOR_ROWS) {
        uint32_t count = table->group_count - first;
        count = count < VECTOR_ROWS ? count : VECTOR_ROWS;
        for (uint32_t i = 0; i < count; i++) {
            groups[i] = first + i;
        }
        gather_keys(table, space, groups, count);
        TRY(row_store_append(&table->rows, space->vector_pointers, NULL, count,
                             space->row_pointers));
        hash_vectors(table->shape, space->vector_pointers, NULL, count, space->hashes);
        for (uint32_t i = 0; i < count; i++) {
            memcpy(space->row_pointers[i], &space->hashes[i], sizeof space->hashes[i]);
        }
    }
    return STATUS_OK;
}

// From words to packed rows, for good: the groups keep their numbers. On refusal nothing changes.
static Status turn_to_rows(GroupTable *table, GroupSpace *space)
{
    const GroupIndex former_index = table->index;
    const uint64_t former_mask = table->slot_mask;
    uint64_t *former_slots = table->slots;
    Status status = pack_groups(table, space);
    if (status == STATUS_OK) {
        table->index = GROUP_INDEX_ROWS;
        table->slots = NULL;
        status = group_slots_reserve(table, (uint64_t)table->group_count + VECTOR_ROWS);
    }
    if (status != STATUS_OK) {
        table->index = former_index;
        table->slots = former_slots;
        table->slot_mask = former_mask;
        row_store_clear(&table->rows);
        return status;
    }
    if (former_slots != NULL) {
        memory_free(table->shape->budget, former_slots, (former_mask + 1) * sizeof *former_slots);
    }
    forget_words(table);
    return STATUS_OK;
}

// From the dense array to hashing: the groups keep their numbers.
static Status turn_to_hashing(GroupTable *table)
{
    TRY(group_slots_reserve(table, (uint64_t)table->group_count + VECTOR_ROWS));
    if (table->map != NULL) {
        memory_free(table->shape->budget, table->map, table->map_bytes);
        table->map = NULL;
    }
    table->index = group_packed_init(table) ? GROUP_INDEX_PACKED : GROUP_INDEX_WORDS;
    if (table->index == GROUP_INDEX_PACKED) {
        group_slots_refill(table);
    }
    return STATUS_OK;
}

static Status turn_to_words(GroupTable *table)
{
    TRY(group_packed_leave(table));
    table->index = GROUP_INDEX_WORDS;
    group_slots_refill(table);
    return STATUS_OK;
}

// Over the words in `space`.
static Status find_words(GroupTable *table, GroupSpace *space, uint32_t row_count, bool is_closed,
                         uint32_t *groups)
{
    if (table->index == GROUP_INDEX_DENSE) {
        bool is_too_large;
        TRY(group_dense_find(table, space, row_count, is_closed, groups, &is_too_large));
        if (!is_too_large) {
            return STATUS_OK;
        }
        TRY(turn_to_hashing(table));
    }
    if (table->index == GROUP_INDEX_PACKED) {
        bool is_too_wide;
        TRY(group_packed_find(table, space, row_count, is_closed, groups, &is_too_wide));
        if (!is_too_wide) {
            return STATUS_OK;
        }
        TRY(turn_to_words(table));
    }
    return group_hash_find_words(table, space, row_count, is_closed, groups);
}

Status group_table_find(GroupTable *table, GroupSpace *space, const Vector *const *keys,
                        const uint16_t *rows, uint32_t row_count, bool is_closed, uint32_t *groups)
{
    if (table->index == GROUP_INDEX_ROWS) {
        return group_hash_find_rows(table, space, keys, rows, row_count, is_closed, groups);
    }
    if (table->index == GROUP_INDEX_DENSE &&
        group_lanes_find(table, space, keys, rows, row_count, groups)) {
        return STATUS_OK;
    }
    if (!group_read_words(table->shape, space, keys, rows, row_count, is_closed)) {
        TRY(turn_to_rows(table, space));
        return group_hash_find_rows(table, space, keys, rows, row_count, is_closed, groups);
    }
    return find_words(table, space, row_count, is_closed, groups);
}

Status group_table_find_groups(GroupTable *table, GroupSpace *space, const GroupTable *source,
                               const uint32_t *source_groups, uint32_t count, uint32_t *groups)
{
    if (table->index != GROUP_INDEX_ROWS && source->index == GROUP_INDEX_ROWS) {
        TRY(turn_to_rows(table, space));
    }
    if (table->index != GROUP_INDEX_ROWS) {
        group_copy_words(source, space, source_groups, count);
        return find_words(table, space, count, false, groups);
    }
    gather_keys(source, space, source_groups, count);
    return group_hash_find_rows(table, space, space->vector_pointers, NULL, count, false, groups);
}

void group_table_hashes(const GroupTable *table, GroupSpace *space, const uint32_t *groups,
                        uint32_t count, uint64_t *hashes)
{
    if (table->index == GROUP_INDEX_ROWS) {
        for (uint32_t i = 0; i < count; i++) {
            memcpy(&hashes[i], row_store_row(&table->rows, groups[i]), sizeof *hashes);
        }
    } else if (table->shape->codes != NULL) { // as if they were rows: other tables may be
        gather_keys(table, space, groups, count);
        hash_vectors(table->shape, space->vector_pointers, NULL, count, hashes);
    } else {
        group_copy_words(table, space, groups, count);
        group_hash_words(table->shape, space, count);
        memcpy(hashes, space->hashes, count * sizeof *hashes);
    }
}

void group_hash_rows(const GroupShape *shape, GroupSpace *space, const Vector *const *keys,
                     const uint16_t *rows, uint32_t row_count, uint64_t *hashes)
{
    if (!shape->has_word_keys || shape->codes != NULL) {
        hash_vectors(shape, keys, rows, row_count, hashes);
        return;
    }
    (void)group_read_words(shape, space, keys, rows, row_count, false); // no codes: never full
    group_hash_words(shape, space, row_count);
    if (hashes != space->hashes) {
        memcpy(hashes, space->hashes, row_count * sizeof *hashes);
    }
}

void group_table_gather(const GroupTable *table, uint32_t key, const uint32_t *groups,
                        uint32_t count, VectorBuffer *buffer, Vector *out)
{
    if (table->index != GROUP_INDEX_ROWS) {
        group_gather_words(table, key, groups, count, buffer, out);
        return;
    }
    const uint8_t *rows[VECTOR_ROWS];
    for (uint32_t i = 0; i < count; i++) {
        rows[i] = row_store_row(&table->rows, groups[i]);
    }
    row_store_gather(&table->rows, key, rows, NULL, count, false, buffer, out);
}

size_t group_table_bytes(const GroupTable *table)
{
    size_t bytes = (size_t)table->group_capacity * table->word_stride * sizeof(uint64_t);
    bytes += table->map == NULL ? 0 : table->map_bytes;
    bytes += table->slots == NULL ? 0 : (table->slot_mask + 1) * sizeof *table->slots;
    return bytes + table->rows.bytes + table->rows.text.bytes;
}

const char *group_table_describe(const GroupTable *table)
{
    static const char *const names[] = {"dense", "hash packed", "hash words", "hash rows"};
    return names[table->index];
}
