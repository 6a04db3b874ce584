/*
 * alp.c — floats that are decimals: integers and two powers of ten, packed; the few that are not
 * are kept bit by bit.
 *
 * After Afroozeh, Kuffo, Boncz, "ALP: Adaptive Lossless Floating-Point Compression", SIGMOD 2024.
 * A vector has an exponent e and a factor f; value = number * 10^f * 10^-e in doubles, for REAL
 * then rounded to one. A number that does not bring back every bit of its value (NaN, infinities,
 * -0.0, long fractions) is an exception: its bits stand behind the packed numbers. Exponents are
 * tried on samples of some vectors of the chunk, those that won on all values of each vector.
 *
 * Bytes of one vector: AlpHead, numbers packed as in bit_packed.h, the u16 row of each exception
 * (filled up to 8 bytes), the bits of each exception; all filled up to 16 bytes.
 *
 * Example: 12.5 -3.25 7 with e 2, f 0 -> 1250 -325 700: eleven bits each.
 */
#include <string.h>
#include "storage/encoding/float_kernels.h"
#include "storage/encoding/vector_stream.h"

KERNEL_TABLE_DEFINE(FloatKernels, float_kernels);

typedef struct AlpHead {
    uint16_t exceptions; /* 0-1 */
    uint8_t exponent;    /* 2 e */
    uint8_t factor;      /* 3 f, at most e */
    uint32_t zero;       /* 4-7 */
    uint64_t reserved;   /* 8-15 zero */
} AlpHead;
static_assert(sizeof(AlpHead) == 16, "alp head");

#define SAMPLE_VECTORS 8u      /* of a chunk … */
#define SAMPLE_ROWS 64u        /* … rows of each of them */
#define EXCEPTION_SHARE_MAX 4u /* more than one value in four: no decimals */

/* A vector being encoded. */
typedef struct AlpVector {
    _Alignas(64) uint8_t values[VECTOR_ROWS * sizeof(double)]; /* of the chunk's lane */
    int64_t numbers[VECTOR_ROWS];
    uint16_t rows[VECTOR_ROWS]; /* of the exceptions */
    uint32_t exceptions;
    AlpChoice choice;
    PackPlan plan;
} AlpVector;

static size_t row_bytes(uint32_t exceptions)
{
    return ((size_t)exceptions * sizeof(uint16_t) + 7) & ~(size_t)7;
}

static size_t exception_bytes(uint32_t exceptions, Lane lane)
{
    const size_t bytes = row_bytes(exceptions) + exceptions * lane_bytes(lane);
    return (bytes + 15) & ~(size_t)15;
}

static uint32_t exponent_max(Lane lane)
{
    return lane == LANE_F32 ? ALP_EXPONENT_MAX_FLOAT : ALP_EXPONENT_MAX;
}

/* Rows spread over `row_count` of them; returns how many. */
static uint32_t take_sample(const uint8_t *values, Lane lane, uint32_t row_count, uint8_t *sample)
{
    const size_t bytes = lane_bytes(lane);
    const uint32_t step = row_count > SAMPLE_ROWS ? row_count / SAMPLE_ROWS : 1;
    const uint32_t count = row_count > SAMPLE_ROWS ? SAMPLE_ROWS : row_count;
    for (uint32_t i = 0; i < count; i++) {
        memcpy(sample + i * bytes, values + sample_row(i, step) * bytes, bytes);
    }
    return count;
}

/* Bits that some values, at most a vector, would take. */
static uint64_t choice_bits(const uint8_t *sample, Lane lane, uint32_t count, AlpChoice choice)
{
    int64_t numbers[VECTOR_ROWS], min = INT64_MAX, max = INT64_MIN;
    const uint32_t exceptions =
        KERNELS(float_kernels)
            ->alp_encode(sample, lane, count, choice.exponent, choice.factor, numbers);
    for (uint32_t i = 0; i < count; i++) {
        if (numbers[i] != ALP_INEXACT) {
            min = numbers[i] < min ? numbers[i] : min;
            max = numbers[i] > max ? numbers[i] : max;
        }
    }
    const uint32_t width = exceptions == count ? 0 : pack_width_of((uint64_t)max - (uint64_t)min);
    return (uint64_t)count * width + (uint64_t)exceptions * (16 + 8 * lane_bytes(lane));
}

/* The best choices for a sample: of equal ones that of the largest exponent, whose products round
 * least, and that of the smallest, which is exact for what has few binary digits. */
static void best_choices(const uint8_t *sample, Lane lane, uint32_t count, AlpChoice best[2])
{
    uint64_t best_bits = UINT64_MAX;
    for (uint32_t e = 0; e <= exponent_max(lane); e++) {
        for (uint32_t f = 0; f <= e; f++) {
            const AlpChoice choice = {.exponent = (uint8_t)e, .factor = (uint8_t)f};
            const uint64_t bits = choice_bits(sample, lane, count, choice);
            if (bits <= best_bits) {
                best[1] = choice;
            }
            if (bits < best_bits) {
                best[0] = choice;
                best_bits = bits;
            }
        }
    }
}

static void add_choice(AlpChoices *choices, AlpChoice choice)
{
    for (uint32_t i = 0; i < choices->count; i++) {
        if (choices->choices[i].exponent == choice.exponent &&
            choices->choices[i].factor == choice.factor) {
            return;
        }
    }
    if (choices->count < ALP_CHOICES_MAX) {
        choices->choices[choices->count++] = choice;
    }
}

/* Choices that win on samples of vectors spread over the chunk. */
static void find_choices(const EncodeJob *job, AlpChoices *choices)
{
    const ColumnChunk *chunk = job->chunk;
    const size_t bytes = lane_bytes(chunk->lane);
    const uint32_t vectors = job->profile->vector_count;
    const uint32_t step = vectors > SAMPLE_VECTORS ? vectors / SAMPLE_VECTORS : 1;
    *choices = (AlpChoices){0};
    for (uint32_t v = 0, taken = 0; v < vectors && taken < SAMPLE_VECTORS; v += step, taken++) {
        uint8_t sample[SAMPLE_ROWS * sizeof(double)];
        AlpChoice best[2] = {0};
        const uint32_t count =
            take_sample((const uint8_t *)chunk->values + (size_t)v * VECTOR_ROWS * bytes,
                        chunk->lane, chunk_vector_rows(chunk, v), sample);
        best_choices(sample, chunk->lane, count, best);
        add_choice(choices, best[0]);
        add_choice(choices, best[1]);
    }
}

/* Of few choices, by all values: a sample sees too few exceptions. */
static AlpChoice choose_for_vector(const AlpChoices *choices, const uint8_t *values, Lane lane)
{
    AlpChoice best = choices->choices[0];
    uint64_t best_bits = UINT64_MAX;
    for (uint32_t i = 0; i < choices->count && choices->count > 1; i++) {
        const uint64_t bits = choice_bits(values, lane, VECTOR_ROWS, choices->choices[i]);
        if (bits < best_bits) {
            best_bits = bits;
            best = choices->choices[i];
        }
    }
    return best;
}

/* The rows without a number take one of their neighbours'. */
static void take_exceptions_out(AlpVector *vector)
{
    int64_t number = 0;
    for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
        if (vector->numbers[i] != ALP_INEXACT) {
            number = vector->numbers[i];
            break;
        }
    }
    vector->exceptions = 0;
    for (uint32_t i = 0; i < VECTOR_ROWS; i++) {
        if (vector->numbers[i] == ALP_INEXACT) {
            vector->rows[vector->exceptions++] = (uint16_t)i;
            vector->numbers[i] = number;
        } else {
            number = vector->numbers[i];
        }
    }
}

/* Numbers, exceptions and plan of a vector; returns its bytes. */
static size_t plan_vector(const EncodeJob *job, uint32_t v, AlpVector *vector)
{
    const ColumnChunk *chunk = job->chunk;
    const size_t bytes = lane_bytes(chunk->lane);
    const uint32_t rows = chunk_vector_rows(chunk, v);
    const uint8_t *source = (const uint8_t *)chunk->values + (size_t)v * VECTOR_ROWS * bytes;
    memcpy(vector->values, source, rows * bytes);
    for (uint32_t i = rows; i < VECTOR_ROWS; i++) {
        memcpy(vector->values + i * bytes, source + (rows - 1) * bytes, bytes);
    }
    vector->choice = choose_for_vector(&job->context->alp, vector->values, chunk->lane);
    vector->exceptions =
        KERNELS(float_kernels)
            ->alp_encode(vector->values, chunk->lane, VECTOR_ROWS, vector->choice.exponent,
                         vector->choice.factor, vector->numbers);
    if (vector->exceptions > 0) {
        take_exceptions_out(vector);
    }
    VectorProfile profile;
    job->context->kernels->profile(vector->numbers, VECTOR_ROWS, &profile);
    vector->plan = pack_plan(job->context->kernels, vector->numbers, &profile, VECTOR_ROWS);
    return sizeof(AlpHead) + pack_plan_bytes(&vector->plan) +
           exception_bytes(vector->exceptions, chunk->lane);
}

static EncodeEstimate alp_estimate(const EncodeJob *job)
{
    const ColumnProfile *profile = job->profile;
    const Lane lane = job->chunk->lane;
    uint64_t exceptions = 0;
    if (lane != LANE_F32 && lane != LANE_F64) {
        return (EncodeEstimate){.bytes = SIZE_MAX};
    }
    find_choices(job, &job->context->alp);
    size_t bytes = profile->vector_count * sizeof(VectorEntry);
    for (uint32_t v = 0; v < profile->vector_count; v++) {
        AlpVector vector;
        bytes += plan_vector(job, v, &vector);
        exceptions += vector.exceptions;
        if (exceptions > (uint64_t)(v + 1) * VECTOR_ROWS / EXCEPTION_SHARE_MAX &&
            exceptions > VECTOR_ROWS) {
            return (EncodeEstimate){.bytes = SIZE_MAX};
        }
    }
    return (EncodeEstimate){.bytes = bytes,
                            .decode_ns = 0.15 + (double)exceptions / job->chunk->row_count};
}

static size_t write_numbers(const EncodeJob *job, uint32_t v, VectorEntry *entry, uint8_t *target,
                            void *state)
{
    (void)state;
    const size_t lane = lane_bytes(job->chunk->lane);
    AlpVector vector;
    plan_vector(job, v, &vector);
    const AlpHead head = {.exceptions = (uint16_t)vector.exceptions,
                          .exponent = vector.choice.exponent,
                          .factor = vector.choice.factor};
    memcpy(target, &head, sizeof head);
    const size_t start =
        sizeof head + pack_vector(job->context->kernels, vector.numbers, &vector.plan,
                                  job->context->lanes, entry, target + sizeof head);
    const size_t bytes = exception_bytes(vector.exceptions, job->chunk->lane);
    memset(target + start, 0, bytes);
    memcpy(target + start, vector.rows, vector.exceptions * sizeof(uint16_t));
    uint8_t *bits = target + start + row_bytes(vector.exceptions);
    for (uint32_t i = 0; i < vector.exceptions; i++) {
        memcpy(bits + i * lane, vector.values + vector.rows[i] * lane, lane);
    }
    return start + bytes;
}

static Status alp_encode(const EncodeJob *job)
{
    const size_t vector_max =
        sizeof(AlpHead) + pack_bytes(64) + 16 + exception_bytes(VECTOR_ROWS, job->chunk->lane);
    block_builder_node(&job->context->builder, ENCODING_ALP);
    block_builder_node(&job->context->builder, ENCODING_BIT_PACKED);
    vector_stream_write(job, job->profile->vector_count * vector_max, write_numbers, NULL);
    return STATUS_OK;
}

static const AlpHead *alp_head(const Block *block, uint32_t vector)
{
    return (const AlpHead *)(const void *)(block->data +
                                           (size_t)block->vectors[vector].offset * 16);
}

/* Rows of the exceptions; their bits stand behind. */
static const uint16_t *exception_rows(const Block *block, uint32_t vector)
{
    return (const uint16_t *)(const void *)((const uint8_t *)alp_head(block, vector) +
                                            sizeof(AlpHead) +
                                            pack_entry_bytes(&block->vectors[vector]));
}

static const uint8_t *exception_values(const Block *block, uint32_t vector)
{
    return (const uint8_t *)exception_rows(block, vector) +
           row_bytes(alp_head(block, vector)->exceptions);
}

static Status check_vector(const Block *block, uint32_t vector)
{
    const Lane lane = (Lane)block->header->lane;
    const VectorEntry *entry = &block->vectors[vector];
    size_t packed;
    if (!pack_entry_is_sound(block, entry, sizeof(AlpHead), &packed)) {
        return block_damaged(block, "packed decimals out of bounds");
    }
    const AlpHead *head = alp_head(block, vector);
    const size_t room = block->data_bytes - (size_t)entry->offset * 16 - sizeof *head - packed;
    const uint64_t span = pack_entry_span(entry, (const uint8_t *)head + sizeof *head);
    if (head->exponent > exponent_max(lane) || head->factor > head->exponent ||
        head->exceptions > VECTOR_ROWS || exception_bytes(head->exceptions, lane) > room ||
        entry->base <= -ALP_LIMIT || entry->base >= ALP_LIMIT ||
        span >= (uint64_t)(2 * ALP_LIMIT)) {
        return block_damaged(block, "impossible decimals");
    }
    const uint16_t *rows = exception_rows(block, vector);
    for (uint32_t i = 0; i < head->exceptions; i++) {
        if (rows[i] >= VECTOR_ROWS) {
            return block_damaged(block, "impossible decimals");
        }
    }
    return STATUS_OK;
}

static Status alp_open(Block *block)
{
    if ((block->header->lane != LANE_F32 && block->header->lane != LANE_F64) ||
        block->vectors == NULL || block->data == NULL) {
        return block_damaged(block, "missing decimals");
    }
    for (uint32_t v = 0; v < block->vector_count; v++) {
        TRY(check_vector(block, v));
    }
    return STATUS_OK;
}

static Status alp_decode(const Block *block, uint32_t vector, const uint16_t *selection,
                         uint32_t selected_count, DecodeBuffer *buffer, Vector *out)
{
    (void)selection, (void)selected_count;
    const VectorEntry *entry = &block->vectors[vector];
    const AlpHead *head = alp_head(block, vector);
    const Lane lane = (Lane)block->header->lane;
    const size_t bytes = lane_bytes(lane);
    // The second half of the lanes is room for what is unpacked before it is widened.
    uint8_t *lanes = buffer->lanes;
    unpack_vector(buffer->kernels, entry, (const uint8_t *)head + sizeof *head,
                  lanes + VECTOR_ROWS * sizeof(double), buffer->scratch);
    KERNELS(float_kernels)
        ->alp_decode(buffer->scratch, pack_entry_lane(entry), entry->base, head->exponent,
                     head->factor, lane, lanes);
    const uint16_t *rows = exception_rows(block, vector);
    const uint8_t *values = exception_values(block, vector);
    for (uint32_t i = 0; i < head->exceptions; i++) {
        memcpy(lanes + rows[i] * bytes, values + i * bytes, bytes);
    }
    *out = (Vector){.type = block->type,
                    .lane = block->header->lane,
                    .form = VECTOR_FLAT,
                    .is_ascending = (block->header->flags & BLOCK_FLAG_ASCENDING) != 0,
                    .validity = block_vector_validity(block, vector),
                    .data = lanes};
    return STATUS_OK;
}

static int order_of(const Block *block, const AlpHead *head, int64_t number, const Value *bound)
{
    const Value value = {
        .type = block->type,
        .f64 = alp_number_value(number, head->exponent, head->factor, (Lane)block->header->lane)};
    return value_compare(&value, bound);
}

/* The first number of [low, end) whose value is above `bound`, or at it unless `is_after`: values
 * grow with their numbers. */
static int64_t search_number(const Block *block, const AlpHead *head, int64_t low, int64_t end,
                             const Value *bound, bool is_after)
{
    while (low < end) {
        const int64_t middle = low + (end - low) / 2;
        const int order = order_of(block, head, middle, bound);
        if (order < 0 || (order == 0 && is_after)) {
            low = middle + 1;
        } else {
            end = middle;
        }
    }
    return low;
}

/* Rows whose number lies in [first, end), of all from `low` to `high`. */
static void filter_numbers(const Block *block, uint32_t vector, int64_t first, int64_t end,
                           DecodeBuffer *buffer, RowMask *mask)
{
    const VectorEntry *entry = &block->vectors[vector];
    const uint8_t *packed = (const uint8_t *)alp_head(block, vector) + sizeof(AlpHead);
    const uint64_t span = pack_entry_span(entry, packed);
    const int64_t high = entry->base + (int64_t)span;
    if (first >= end) {
        memset(mask, 0, sizeof *mask);
        return;
    }
    if (first <= entry->base && end > high) {
        return;
    }
    const Type type = type_of(TYPE_BIGINT);
    const Predicate predicate = {.kind = PREDICATE_RANGE,
                                 .type = type,
                                 .has_lo = true,
                                 .has_hi = true,
                                 .lo = value_int64(type, first),
                                 .hi = value_int64(type, end - 1)};
    Vector numbers = {.type = type,
                      .lane = (uint8_t)pack_entry_lane(entry),
                      .form = VECTOR_FLAT,
                      .base = entry->base,
                      .lo = entry->base,
                      .hi = high,
                      .data = buffer->scratch};
    unpack_vector(buffer->kernels, entry, packed, buffer->lanes, buffer->scratch);
    if (numbers.lane == LANE_I64) {
        buffer->kernels->add_base(buffer->scratch, entry->base);
        numbers.base = 0;
    }
    predicate_apply(&predicate, &numbers, block_vector_rows(block, vector), mask);
}

static Value exception_value(const Block *block, const uint8_t *values, uint32_t index)
{
    Value value = {.type = block->type};
    if (block->header->lane == LANE_F32) {
        float number;
        memcpy(&number, values + index * sizeof number, sizeof number);
        value.f64 = (double)number;
    } else {
        memcpy(&value.f64, values + index * sizeof value.f64, sizeof value.f64);
    }
    return value;
}

/* A range of values is a range of numbers; exceptions are looked at one by one. */
static bool alp_filter(const Block *block, uint32_t vector, const BlockFilter *filter,
                       DecodeBuffer *buffer, RowMask *mask)
{
    const Predicate *predicate = filter->predicate;
    const VectorEntry *entry = &block->vectors[vector];
    const AlpHead *head = alp_head(block, vector);
    const RowMask before = *mask;
    if (predicate->kind != PREDICATE_RANGE) {
        return false;
    }
    const uint64_t span = pack_entry_span(entry, (const uint8_t *)head + sizeof *head);
    const int64_t low = entry->base, end = low + (int64_t)span + 1;
    const int64_t first = predicate->has_lo ? search_number(block, head, low, end, &predicate->lo,
                                                            predicate->is_lo_open)
                                            : low;
    const int64_t last = predicate->has_hi ? search_number(block, head, low, end, &predicate->hi,
                                                           !predicate->is_hi_open)
                                           : end;
    filter_numbers(block, vector, first, last, buffer, mask);
    const uint16_t *rows = exception_rows(block, vector);
    const uint8_t *values = exception_values(block, vector);
    for (uint32_t i = 0; i < head->exceptions; i++) {
        const Value value = exception_value(block, values, i);
        validity_clear(mask->words, rows[i]);
        if (validity_get(before.words, rows[i]) && predicate_accepts(predicate, &value)) {
            validity_set(mask->words, rows[i]);
        }
    }
    return true;
}

const EncodingOps alp_ops = {
    .id = ENCODING_ALP,
    .name = "alp",
    .estimate = alp_estimate,
    .encode = alp_encode,
    .open = alp_open,
    .decode = alp_decode,
    .filter = alp_filter,
};
