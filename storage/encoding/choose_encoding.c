/*
 * choose_encoding.c — the list of encodings, and which one a chunk gets.
 *
 * The winner has the least bytes + worth of a nanosecond * rows * nanoseconds. Sizes of integer
 * encodings are exact, from one pass of statistics; those of text are predicted from a sample.
 */
#include <string.h>
#include "storage/encoding/encode_block.h"
#include "storage/encoding/dictionary_builder.h"
#include "storage/encoding/phrase_table.h"
#include "storage/encoding/symbol_table.h"
#include "storage/lookup_filter.h"

/* What a nanosecond per row is worth in bytes. Warm scans read several bytes in that time; text is
 * seldom decoded for all rows. */
#define DECODE_NS_BYTES 4.0
#define DECODE_NS_BYTES_TEXT 0.5

static const EncodingOps *const ops_by_id[ENCODING_ID_COUNT] = {
    [ENCODING_CONSTANT] = &constant_ops,     [ENCODING_BIT_PACKED] = &bit_packed_ops,
    [ENCODING_RUN_LENGTH] = &run_length_ops, [ENCODING_DICTIONARY] = &dictionary_ops,
    [ENCODING_LZ4_BYTES] = &lz4_bytes_ops,   [ENCODING_RAW] = &raw_ops,
    [ENCODING_DELTA] = &delta_ops,           [ENCODING_FSST] = &fsst_ops,
    [ENCODING_PHRASES] = &phrases_ops,       [ENCODING_DIFFERENCE] = &difference_ops,
    [ENCODING_MULTIPLE] = &multiple_ops,     [ENCODING_ALP] = &alp_ops,
    [ENCODING_ALP_RD] = &alp_rd_ops,         [ENCODING_DOMINANT] = &dominant_ops,
    [ENCODING_RAW_TEXT] = &raw_text_ops,     [ENCODING_FLOAT_DICTIONARY] = &float_dictionary_ops,
};

const EncodingOps *encoding_ops(uint32_t id)
{
    return id < ENCODING_ID_COUNT ? ops_by_id[id] : NULL;
}

EncodingId encoding_by_name(const char *name)
{
    for (uint32_t id = 1; id < ENCODING_ID_COUNT; id++) {
        if (ops_by_id[id] != NULL && strcmp(ops_by_id[id]->name, name) == 0) {
            return (EncodingId)id;
        }
    }
    return ENCODING_AUTO;
}

static double cost_of(const EncodeEstimate *estimate, const ColumnChunk *chunk)
{
    const double worth = chunk->lane == LANE_TEXT ? DECODE_NS_BYTES_TEXT : DECODE_NS_BYTES;
    return (double)estimate->bytes + worth * estimate->decode_ns * chunk->row_count;
}

/* A few distinct integers may still be worth numbering when packing needs many bits; the order of
 * the list settles ties. Null when none of `encodings` can. */
static const EncodingOps *cheapest(const EncodeJob *job, uint32_t encodings)
{
    static const EncodingOps *const order[] = {
        &bit_packed_ops, &run_length_ops, &delta_ops,  &difference_ops, &multiple_ops,
        &dominant_ops,   &alp_ops,        &alp_rd_ops, &dictionary_ops, &phrases_ops,
        &fsst_ops,       &lz4_bytes_ops,  &raw_ops,    &raw_text_ops,   &float_dictionary_ops};
    const EncodingOps *best = NULL;
    double best_cost = 0;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (encodings != 0 && (encodings & encoding_set(order[i]->id)) == 0) {
            continue;
        }
        const EncodeEstimate estimate = order[i]->estimate(job);
        if (estimate.bytes == SIZE_MAX) {
            continue;
        }
        const double cost = cost_of(&estimate, job->chunk);
        if (best == NULL || cost < best_cost) {
            best = order[i];
            best_cost = cost;
        }
        // A dictionary of text this small is never beaten: spare the look at the text itself.
        if (best == &dictionary_ops && estimate.bytes < job->profile->text_bytes / 8) {
            break;
        }
    }
    return best;
}

const EncodingOps *choose_encoding(const EncodeJob *job)
{
    const uint32_t encodings = job->encodings;
    const bool is_null = job->chunk->null_count == job->chunk->row_count;
    if (job->profile->is_constant &&
        (is_null || encodings == 0 || (encodings & encoding_set(ENCODING_CONSTANT)) != 0)) {
        return &constant_ops;
    }
    const EncodingOps *best = cheapest(job, encodings);
    if (best == NULL) {
        best = job->profile->is_constant ? &constant_ops : cheapest(job, 0);
    }
    ASSERT(best != NULL); // raw takes all but text, lz4_bytes takes text
    return best;
}

Status encode_context_init(EncodeContext *context, MemoryBudget *budget)
{
    *context = (EncodeContext){.budget = budget, .kernels = KERNELS(pack_kernels)};
    block_builder_init(&context->builder, budget);
    context->lanes = memory_alloc(budget, ENCODE_LANES_BYTES);
    context->values = memory_alloc(budget, ENCODE_LANES_BYTES);
    context->residuals = memory_alloc(budget, ENCODE_RESIDUALS_BYTES);
    if (context->lanes == NULL || context->values == NULL || context->residuals == NULL) {
        encode_context_deinit(context);
        return memory_refused(budget, ENCODE_RESIDUALS_BYTES, "encoding");
    }
    return STATUS_OK;
}

void encode_context_deinit(EncodeContext *context)
{
    if (context->budget == NULL) {
        return;
    }
    block_builder_deinit(&context->builder);
    memory_free(context->budget, context->lanes, ENCODE_LANES_BYTES);
    memory_free(context->budget, context->values, ENCODE_LANES_BYTES);
    memory_free(context->budget, context->residuals, ENCODE_RESIDUALS_BYTES);
    dictionary_builder_destroy(context->dictionary);
    *context = (EncodeContext){0};
}

void encoding_memory_deinit(EncodingMemory *memory)
{
    symbol_table_destroy(memory->symbols);
    phrase_table_destroy(memory->phrases);
    *memory = (EncodingMemory){0};
}

/* Bases are what decodes to flat lanes, and alone; amounts of money seldom follow each other. */
void encode_context_add_base(EncodeContext *context, uint32_t column_id, const ColumnChunk *chunk,
                             EncodingId encoding)
{
    if (chunk->lane == LANE_I64 && chunk->type.id != TYPE_DECIMAL &&
        chunk->type.id != TYPE_BOOLEAN && context->base_count < ENCODE_BASES_MAX &&
        (encoding == ENCODING_BIT_PACKED || encoding == ENCODING_DELTA)) {
        context->bases[context->base_count++] =
            (BaseColumn){.column_id = column_id, .chunk = *chunk};
    }
}

static void encode_validity(const ColumnChunk *chunk, uint32_t vector_count, BlockBuilder *builder)
{
    if (chunk->null_count == 0 || chunk->null_count == chunk->row_count) {
        return;
    }
    const size_t bytes = (size_t)vector_count * VALIDITY_WORDS * sizeof(uint64_t);
    uint8_t *target = block_builder_stream(builder, STREAM_VALIDITY, 0, bytes);
    if (target != NULL) {
        memcpy(target, chunk->validity, bytes);
    }
    block_builder_close(builder, bytes);
}

/* A dictionary's bounds are its first and last entry. */
static void find_text_bounds(const EncodingOps *encoding, const EncodeJob *job,
                             ColumnProfile *profile)
{
    const DictionaryBuilder *dictionary = job->context->dictionary;
    if (encoding == &dictionary_ops) {
        profile->text_min = dictionary->texts[0];
        profile->text_max = dictionary->texts[dictionary->entry_count - 1];
    } else {
        column_profile_texts(job->chunk, profile);
    }
}

Status encode_block(EncodeContext *context, const ColumnChunk *chunk, EncodingMemory *memory,
                    uint32_t encodings, const BlockIdentity *identity, EncodedBlock *out)
{
    column_profile(chunk, context, &out->profile);
    const EncodeJob job = {.chunk = chunk,
                           .profile = &out->profile,
                           .memory = memory,
                           .context = context,
                           .encodings = encodings};
    const EncodingOps *encoding = choose_encoding(&job);
    if (chunk->lane == LANE_TEXT) {
        find_text_bounds(encoding, &job, &out->profile);
    }
    zone_record_build(&out->zone, chunk, &out->profile);
    block_builder_begin(&context->builder);
    TRY(encoding->encode(&job));
    if (encoding == &dictionary_ops) {
        out->zone.distinct_count = context->dictionary->entry_count;
    }
    encode_validity(chunk, out->profile.vector_count, &context->builder);
    if (chunk->is_looked_up && chunk->lane == LANE_TEXT && encoding != &dictionary_ops &&
        encoding != &constant_ops) {
        lookup_filter_write(chunk, &context->builder);
    }
    const BlockHeader header = {.row_count = chunk->row_count,
                                .null_count = chunk->null_count,
                                .flags = out->zone.flags,
                                .lane = (uint8_t)chunk->lane};
    out->encoding = encoding->id;
    return block_builder_finish(&context->builder, identity, &header, &out->bytes,
                                &out->byte_count);
}
