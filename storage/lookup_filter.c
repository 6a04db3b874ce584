/* lookup_filter.c — see lookup_filter.h. */
#include "storage/lookup_filter.h"

#include <string.h>
#include "base/hash.h"
#include "base/vector/bloom.h"

#define LISTED_MAX 64u       /* values of an IN that are looked up one by one */
#define BITS_PER_VALUE 12u   /* at least; words are a power of two */
#define WORDS_MIN 16u        /* a cache line */
#define WORDS_MAX (1u << 16) /* more than a row group's values need */

bool predicate_is_lookup(const Predicate *predicate)
{
    if (!type_is_text(predicate->type)) {
        return false;
    }
    if (predicate->kind == PREDICATE_IN) {
        return predicate->value_count <= LISTED_MAX;
    }
    return predicate->kind == PREDICATE_RANGE && predicate->has_lo && predicate->has_hi &&
           !predicate->is_lo_open && !predicate->is_hi_open &&
           value_compare(&predicate->lo, &predicate->hi) == 0;
}

static uint64_t hash_text(const TextView *text)
{
    const char *data = text_view_data(text);
    return hash_bytes(data, text_trimmed_length(data, text->length), FORMAT_VERSION);
}

void lookup_filter_write(const ColumnChunk *chunk, BlockBuilder *builder)
{
    const TextView *texts = chunk->values;
    const uint32_t values = chunk->row_count - chunk->null_count;
    uint32_t words = WORDS_MIN;
    while (words * 32 < values * BITS_PER_VALUE) {
        words *= 2;
    }
    const size_t bytes = words * sizeof(uint32_t);
    uint8_t *target = block_builder_stream(builder, STREAM_LOOKUP, 0, bytes);
    if (target != NULL) {
        const BloomFilter filter = {.blocks = (uint32_t *)(void *)target, .block_mask = words - 1};
        memset(target, 0, bytes);
        for (uint32_t i = 0; i < chunk->row_count; i++) {
            if (chunk->null_count == 0 || validity_get(chunk->validity, i)) {
                const uint64_t hash = hash_text(&texts[i]);
                filter.blocks[bloom_block(hash, filter.block_mask)] |= bloom_bits(hash);
            }
        }
    }
    block_builder_close(builder, bytes);
}

bool lookup_filter_is_sound(const BlockStream *stream)
{
    const uint64_t words = stream->bytes / sizeof(uint32_t);
    return words >= WORDS_MIN && words <= WORDS_MAX && (words & (words - 1)) == 0 &&
           stream->bytes % sizeof(uint32_t) == 0;
}

static bool contains(const uint32_t *words, uint32_t mask, const Value *value)
{
    const uint64_t hash = hash_text(&value->text);
    const uint32_t bits = bloom_bits(hash);
    return (words[bloom_block(hash, mask)] & bits) == bits;
}

bool lookup_filter_excludes(const Block *block, const Predicate *predicate)
{
    const BlockStream *stream = block_stream(block, STREAM_LOOKUP, 0);
    if (stream == NULL || !predicate_is_lookup(predicate)) {
        return false;
    }
    const uint32_t *words = (const void *)block_stream_data(block, stream);
    const uint32_t mask = (uint32_t)(stream->bytes / sizeof(uint32_t)) - 1;
    bool may_be_there = predicate->kind == PREDICATE_RANGE && contains(words, mask, &predicate->lo);
    for (uint32_t i = 0;
         predicate->kind == PREDICATE_IN && i < predicate->value_count && !may_be_there; i++) {
        may_be_there = contains(words, mask, &predicate->values[i]);
    }
    return !may_be_there;
}
