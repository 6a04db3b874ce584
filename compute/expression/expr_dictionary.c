/*
 * expr_dictionary.c — one column, few distinct values: computed once per value instead of per row.
 *
 * Example: l_shipmode in ('AIR', 'MAIL') over a dictionary of seven entries. The node runs on the
 * entries once and leaves a bitmap of seven bits; a batch then maps its codes through the bitmap.
 * substring(c_phone, 1, 2) leaves a dictionary of its own that shares the column's codes.
 *
 * Results are kept as long as batches bring the same dictionary (its identity). Building costs an
 * evaluation per entry, so it waits until as many rows have passed as there are entries: at worst
 * the work is done twice. An entry that fails (no row need use it) or becomes NULL ends the attempt
 * for this dictionary, and rows are computed one by one.
 */
#include <string.h>

#include "base/hash.h"
#include "base/vector/predicate_kernels.h"
#include "compute/expression/expr_internal.h"

#define ENTRIES_MAX (1u << 20)

typedef struct EntryCache {
    Arena *arena;       /* of everything below; emptied for another dictionary */
    uint64_t identity;  /* of the dictionary; 0: none yet */
    uint64_t rows_seen; /* computed row by row so far */
    bool is_ready, is_refused;
    uint64_t *truth; /* BOOLEAN: a bit per entry */
    bool is_range;   /* its codes that pass, or that fail, are neighbours: */
    bool is_inverted;
    uint32_t first, last;
    uint64_t *validity; /* null: no entry gives NULL */
    Dictionary derived; /* other types */
    bool has_trailing_blanks;
    int64_t lo, hi;
} EntryCache;

static EntryCache *cache_of(ExprState *state, const ExprNode *node)
{
    EntryCache *cache = state->entry_caches[node->index];
    if (cache == NULL) {
        cache = ARENA_NEW(state->arena, EntryCache);
        cache->arena = arena_create(state->arena, "dictionary results");
        state->entry_caches[node->index] = cache;
    }
    return cache;
}

/* --- building --- */

/* Entries [first, first + count) as the only column of a batch. */
static void set_entry_batch(ExprState *inner, const ExprNode *node, const Vector *column,
                            uint32_t first, uint32_t count, Batch *batch)
{
    const Dictionary *dictionary = column->dictionary;
    batch->row_count = batch->selected_count = count;
    batch->columns[node->column] = (Vector){
        .type = column->type,
        .lane = (uint8_t)dictionary->lane,
        .form = VECTOR_FLAT,
        .has_trailing_blanks = column->has_trailing_blanks,
        .lo = column->lo,
        .hi = column->hi,
        .data = (const char *)dictionary->entries + first * lane_bytes(dictionary->lane),
    };
    expr_begin(inner, batch);
}

static Status store_truth(ExprState *inner, const ExprNode *node, uint32_t first, uint32_t count,
                          EntryCache *cache)
{
    const Register *reg;
    RowMask every;
    TRY(expr_truth(inner, node->index, &reg));
    row_mask_set_first(&every, count);
    for (uint32_t i = 0; i < (count + 63) / 64; i++) {
        uint64_t present = reg->validity == NULL ? UINT64_MAX : reg->validity[i];
        cache->truth[first / 64 + i] = reg->truth[i] & every.words[i];
        cache->validity[first / 64 + i] = present | ~every.words[i];
    }
    return STATUS_OK;
}

static bool has_nulls(const Vector *vector, uint32_t count)
{
    if (vector->form == VECTOR_CONSTANT) {
        return vector_is_null(vector, 0);
    }
    for (uint32_t i = 0; vector->validity != NULL && i < count; i++) {
        if (!validity_get(vector->validity, i)) {
            return true;
        }
    }
    return false;
}

static Status store_values(ExprState *inner, const ExprNode *node, uint32_t first, uint32_t count,
                           EntryCache *cache)
{
    const Vector *vector;
    Vector flat;
    TRY(expr_vector(inner, node->index, &vector));
    if (has_nulls(vector, count)) {
        cache->is_refused = true;
        return STATUS_OK;
    }
    vector_widen(vector, count, NULL, 0, expr_take_buffer(inner), &flat);
    cache->lo = first == 0 || flat.lo < cache->lo ? flat.lo : cache->lo;
    cache->hi = first == 0 || flat.hi > cache->hi ? flat.hi : cache->hi;
    cache->has_trailing_blanks |= flat.has_trailing_blanks;
    if (flat.lane == LANE_I64) {
        memcpy((int64_t *)(uintptr_t)cache->derived.entries + first, flat.data,
               count * sizeof(int64_t));
        return STATUS_OK;
    }
    if (flat.lane != LANE_TEXT) { // 128 bits
        cache->is_refused = true;
        return STATUS_OK;
    }
    TextView *views = (TextView *)(uintptr_t)cache->derived.entries + first;
    for (uint32_t i = 0; i < count; i++) {
        views[i] = ((const TextView *)flat.data)[i];
        if (views[i].length > TEXT_INLINE_MAX) { // its bytes may go with this batch
            views[i].data = arena_memdup(cache->arena, views[i].data, views[i].length);
        }
    }
    return STATUS_OK;
}

/* Equality passes one code, inequality fails one: a comparison of codes is faster than a bitmap. */
static void find_range(EntryCache *cache, uint32_t entry_count)
{
    uint32_t changes = 0;
    cache->is_inverted = (cache->truth[0] & 1) != 0;
    bool is_last = cache->is_inverted;
    for (uint32_t i = 0; i < entry_count; i++) {
        bool is_passed = (cache->truth[i / 64] >> (i % 64) & 1) != 0;
        if (is_passed != is_last) {
            *(changes == 0 ? &cache->first : &cache->last) = changes == 0 ? i : i - 1;
            changes++;
            is_last = is_passed;
        }
    }
    if (changes == 1) { // up to the last entry
        cache->last = entry_count - 1;
    }
    cache->is_range = changes == 1 || changes == 2;
}

static Status build(ExprState *state, const ExprNode *node, const Vector *column, EntryCache *cache)
{
    uint32_t entry_count = column->dictionary->entry_count;
    bool is_boolean = node->type.id == TYPE_BOOLEAN;
    uint32_t words = (entry_count + 63) / 64 + 1; // the bitmap kernel reads 32-bit words
    Batch batch = {0};
    if (state->entry_state == NULL) {
        state->entry_state = expr_state_create_inner(state->program, state->arena);
    }
    ExprState *inner = state->entry_state;
    if (is_boolean) {
        cache->truth = ARENA_ARRAY(cache->arena, uint64_t, words);
        cache->validity = ARENA_ARRAY(cache->arena, uint64_t, words);
    } else {
        bool is_text = type_is_text(node->type);
        size_t bytes = is_text ? sizeof(TextView) : sizeof(int64_t);
        cache->derived = (Dictionary){
            .lane = is_text ? LANE_TEXT : LANE_I64,
            .entry_count = entry_count,
            .entries = arena_alloc_aligned(cache->arena, entry_count * bytes + 64, 64),
            .identity = cache->identity == 0
                            ? 0
                            : hash_combine(hash_combine(cache->identity, state->program->serial),
                                           node->index) |
                                  1,
        };
    }
    batch.columns = ARENA_ARRAY(cache->arena, Vector, state->program->input_count);
    batch.column_count = state->program->input_count;
    for (uint32_t first = 0; first < entry_count && !cache->is_refused; first += VECTOR_ROWS) {
        uint32_t left = entry_count - first, count = left < VECTOR_ROWS ? left : VECTOR_ROWS;
        set_entry_batch(inner, node, column, first, count, &batch);
        TRY(is_boolean ? store_truth(inner, node, first, count, cache)
                       : store_values(inner, node, first, count, cache));
    }
    if (is_boolean) {
        uint64_t missing = 0;
        for (uint32_t i = 0; i + 1 < words; i++) {
            missing |= ~cache->validity[i];
        }
        cache->validity = missing == 0 ? NULL : cache->validity;
        find_range(cache, entry_count);
    }
    return STATUS_OK;
}

/* --- using --- */

/* Clears the rows whose code's bit is not set. */
static void map_codes(ExprState *state, const Vector *column, const uint64_t *bits, RowMask *mask)
{
    KERNELS(predicate_kernels)
        ->bitmap[column->lane](column->data, expr_row_count(state), 0, bits,
                               column->dictionary->entry_count - 1, 0, mask->words);
}

static void use_truth(ExprState *state, const Vector *column, const EntryCache *cache,
                      Register *out)
{
    RowMask *mask = expr_take_mask(state);
    const uint64_t *validity = column->validity;
    *mask = *expr_rows_mask(state->rows);
    for (uint32_t i = 0; validity != NULL && i < expr_word_count(state); i++) {
        mask->words[i] &= validity[i];
    }
    if (cache->validity != NULL) {
        RowMask *present = expr_take_mask(state);
        *present = *mask;
        map_codes(state, column, cache->validity, present);
        validity = present->words;
        *mask = *present;
    }
    if (cache->is_range) {
        KERNELS(predicate_kernels)
            ->range[column->lane](column->data, expr_row_count(state), cache->first,
                                  cache->last - cache->first, cache->is_inverted, mask->words);
    } else {
        map_codes(state, column, cache->truth, mask);
    }
    expr_set_truth(out, mask->words, validity);
}

static void use_values(const ExprNode *node, const Vector *column, const EntryCache *cache,
                       Register *out)
{
    Vector vector = *column;
    vector.type = node->type;
    vector.dictionary = &cache->derived;
    vector.is_ascending = false;
    vector.has_trailing_blanks = cache->has_trailing_blanks;
    vector.lo = cache->lo;
    vector.hi = cache->hi;
    expr_set_vector(out, &vector);
}

/* The node's results for this dictionary so far; another dictionary starts anew. */
static EntryCache *find_cache(ExprState *state, const ExprNode *node, const Dictionary *dictionary)
{
    if (dictionary->identity == 0) { // another one next time: results live for this batch only
        EntryCache *passing = ARENA_NEW(expr_text_arena(state), EntryCache);
        passing->arena = expr_text_arena(state);
        return passing;
    }
    EntryCache *cache = cache_of(state, node);
    if (cache->identity != dictionary->identity) {
        Arena *arena = cache->arena;
        arena_reset(arena);
        *cache = (EntryCache){.arena = arena, .identity = dictionary->identity};
    }
    return cache;
}

Status expr_per_entry(ExprState *state, const ExprNode *node, Register *out, bool *is_done)
{
    const Vector *column;
    TRY(batch_column(state->input, node->column, &column));
    const Dictionary *dictionary = column->dictionary;
    if (column->form != VECTOR_DICTIONARY || dictionary->entry_count == 0 ||
        dictionary->entry_count > ENTRIES_MAX) {
        return STATUS_OK;
    }
    EntryCache *cache = find_cache(state, node, dictionary);
    if (!cache->is_ready && !cache->is_refused) {
        cache->rows_seen += state->rows->count;
        if (dictionary->entry_count > cache->rows_seen) {
            return STATUS_OK;
        }
        Status status = build(state, node, column, cache);
        cache->is_refused |= status != STATUS_OK;
        status_ignore(status, "rows are computed one by one, which finds out whether it matters");
        cache->is_ready = !cache->is_refused;
    }
    *is_done = cache->is_ready;
    if (cache->is_ready && node->type.id == TYPE_BOOLEAN) {
        use_truth(state, column, cache, out);
    } else if (cache->is_ready) {
        use_values(node, column, cache, out);
    }
    return STATUS_OK;
}
