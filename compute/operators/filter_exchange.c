/*
 * filter_exchange.c — runtime filters as bytes, and their union.
 *
 *   knowledge u8
 *   KEYS: has_range u8 [lo i64, hi i64]
 *         shape u8: 0 none
 *                   1 bitmap: base i64, bits u64, words
 *                   2 bloom: word count u32 (a power of two), words
 *
 * Bitmaps of different bases are united over the range of all; bloom filters of different sizes are
 * folded to the smallest: a word's index is the low bits of a hash.
 */
#include "compute/operators/filter_exchange.h"

#include <stdlib.h>
#include <string.h>

#include "base/byte_reader.h"
#include "compute/operators/runtime_filter.h"
#include "protocol/cluster/stream.h"

#define FILTER_BYTES_MAX (3u << 20) /* one message of a stream */
#define UNITED_BITS_MAX (UINT64_C(1) << 26)

typedef enum FilterShape { SHAPE_NONE, SHAPE_BITMAP, SHAPE_BLOOM } FilterShape;

/* What one node has told. */
typedef struct FilterPart {
    FilterKnowledge knowledge;
    bool has_range;
    int64_t lo, hi;
    FilterShape shape;
    int64_t base;
    uint64_t bits;        /* BITMAP */
    uint32_t word_count;  /* BLOOM */
    const uint8_t *words; /* in `bytes`, not aligned */
    uint8_t *bytes;       /* malloc'ed */
} FilterPart;

typedef struct FilterSource {
    Source source;
    QueryContext *query;
    uint32_t filter_id, exchange_id;
    uint32_t *nodes; /* 1 .. query->node_count */
    StreamReceiver *receiver;
    FilterPart *parts; /* one per node */
    uint32_t part_count;
    BloomFilter bloom;
    Predicate predicates[RUNTIME_FILTER_PREDICATES];
    void *memory; /* of the bitmap or the bloom filter */
    size_t memory_bytes;
} FilterSource;

static const SourceOps filter_source_ops;
static const SinkOps filter_sink_ops;

/* --- telling --- */

static void encode_bitmap(const Predicate *predicate, ByteBuffer *target)
{
    byte_buffer_add_u8(target, SHAPE_BITMAP);
    byte_buffer_add_u64(target, (uint64_t)predicate->bitmap_base);
    byte_buffer_add_u64(target, predicate->bitmap_bits);
    byte_buffer_add(target, predicate->bitmap, (predicate->bitmap_bits + 63) / 64 * 8);
}

static void encode_bloom(const Predicate *predicate, ByteBuffer *target)
{
    uint32_t word_count = predicate->bloom->block_mask + 1;
    byte_buffer_add_u8(target, SHAPE_BLOOM);
    byte_buffer_add_u32(target, word_count);
    byte_buffer_add(target, predicate->bloom->blocks, word_count * sizeof(uint32_t));
}

static void encode_keys(const Predicate *predicates, uint32_t count, ByteBuffer *target)
{
    const Predicate *range = NULL, *set = NULL;
    for (uint32_t i = 0; i < count; i++) {
        bool is_range = predicates[i].kind == PREDICATE_RANGE;
        range = is_range ? &predicates[i] : range;
        set = is_range ? set : &predicates[i];
    }
    byte_buffer_add_u8(target, FILTER_KEYS);
    byte_buffer_add_u8(target, range != NULL);
    if (range != NULL) {
        byte_buffer_add_u64(target, (uint64_t)range->lo.i64);
        byte_buffer_add_u64(target, (uint64_t)range->hi.i64);
    }
    bool is_bitmap = set != NULL && set->kind == PREDICATE_BITMAP &&
                     set->bitmap_bits / 8 + 64 <= FILTER_BYTES_MAX;
    bool is_bloom = set != NULL && set->kind == PREDICATE_BLOOM &&
                    set->bloom->block_mask < FILTER_BYTES_MAX / sizeof(uint32_t) - 16;
    if (is_bitmap) {
        encode_bitmap(set, target);
    } else if (is_bloom) {
        encode_bloom(set, target);
    } else {
        byte_buffer_add_u8(target, SHAPE_NONE);
    }
}

static void wake_nobody(void *object)
{
    (void)object;
}

static Status tell_node(QueryContext *query, uint32_t exchange_id, uint32_t node,
                        const ByteBuffer *told)
{
    StreamKey key = {.query_id = query->query_id,
                     .exchange_id = exchange_id,
                     .source = query->endpoint,
                     .target = node};
    StreamSender *sender = NULL;
    TRY(stream_sender_open(query->hub, &key, true, query->budget, (Waker){.wake = wake_nobody},
                           &sender));
    Status status = stream_sender_send_bytes(sender, told->data, told->bytes);
    if (status == STATUS_OK) {
        status = stream_sender_finish(sender);
    }
    stream_sender_close(sender);
    return status;
}

Status filter_exchange_tell(QueryContext *query, uint32_t exchange_id, FilterKnowledge knowledge,
                            const Predicate *predicates, uint32_t predicate_count)
{
    ByteBuffer told;
    byte_buffer_init(&told, FILTER_BYTES_MAX);
    if (knowledge == FILTER_KEYS) {
        encode_keys(predicates, predicate_count, &told);
    } else {
        byte_buffer_add_u8(&told, (uint8_t)knowledge);
    }
    Status status = byte_buffer_status(&told);
    for (uint32_t node = 1; status == STATUS_OK && node <= query->node_count; node++) {
        status = tell_node(query, exchange_id, node, &told);
    }
    byte_buffer_deinit(&told);
    return status;
}

/* --- hearing --- */

void filter_exchange_create(QueryContext *query, uint32_t filter_id, uint32_t exchange_id,
                            Source **source, Sink **sink)
{
    FilterSource *filter = ARENA_NEW(query->arena, FilterSource);
    *filter = (FilterSource){.source = {.ops = &filter_source_ops},
                             .query = query,
                             .filter_id = filter_id,
                             .exchange_id = exchange_id,
                             .nodes = ARENA_ARRAY(query->arena, uint32_t, query->node_count),
                             .parts = ARENA_ARRAY(query->arena, FilterPart, query->node_count)};
    for (uint32_t i = 0; i < query->node_count; i++) {
        filter->nodes[i] = i + 1;
    }
    Sink *end = ARENA_NEW(query->arena, Sink);
    *end = (Sink){.ops = &filter_sink_ops};
    *source = &filter->source;
    *sink = end;
}

static Status filter_source_open(Source *self, QueryContext *query)
{
    FilterSource *filter = (FilterSource *)self;
    return stream_receiver_open(query->hub, query->query_id, filter->exchange_id, filter->nodes,
                                query->node_count, NULL, 0, query->budget, source_waker(self),
                                &filter->receiver);
}

static Status decode_part(FilterPart *part, size_t bytes)
{
    ByteReader reader;
    byte_reader_init(&reader, part->bytes, bytes);
    uint8_t knowledge = byte_reader_u8(&reader);
    part->knowledge = (FilterKnowledge)knowledge;
    if (knowledge == FILTER_KEYS) {
        part->has_range = byte_reader_u8(&reader) != 0;
        if (part->has_range) {
            part->lo = (int64_t)byte_reader_u64(&reader);
            part->hi = (int64_t)byte_reader_u64(&reader);
        }
        uint8_t shape = byte_reader_u8(&reader);
        part->shape = (FilterShape)shape;
        if (shape == SHAPE_BITMAP) {
            part->base = (int64_t)byte_reader_u64(&reader);
            part->bits = byte_reader_u64(&reader);
            part->words = byte_reader_view(
                &reader, part->bits <= UNITED_BITS_MAX ? (part->bits + 63) / 64 * 8 : SIZE_MAX);
        } else if (shape == SHAPE_BLOOM) {
            part->word_count = byte_reader_u32(&reader);
            bool is_power =
                part->word_count > 0 && (part->word_count & (part->word_count - 1)) == 0;
            part->words =
                byte_reader_view(&reader, is_power ? (size_t)part->word_count * 4 : SIZE_MAX);
        } else if (shape != SHAPE_NONE) {
            byte_reader_fail(&reader);
        }
    } else if (knowledge > FILTER_KEYS) {
        byte_reader_fail(&reader);
    }
    if (!byte_reader_is_ok(&reader) || byte_reader_remaining(&reader) != 0) {
        return status_error(SQLSTATE_PROTOCOL_VIOLATION, "malformed runtime filter");
    }
    return STATUS_OK;
}

/* What all parts with keys have in common; false when nothing can be said. */
static bool find_common(const FilterSource *filter, FilterPart *common)
{
    bool is_first = true;
    *common = (FilterPart){.knowledge = FILTER_NO_KEYS};
    for (uint32_t i = 0; i < filter->part_count; i++) {
        const FilterPart *part = &filter->parts[i];
        if (part->knowledge == FILTER_UNKNOWN) {
            return false;
        }
        if (part->knowledge == FILTER_NO_KEYS) {
            continue;
        }
        if (is_first) {
            *common = *part;
            is_first = false;
            continue;
        }
        common->has_range = common->has_range && part->has_range;
        common->lo = part->lo < common->lo ? part->lo : common->lo;
        common->hi = part->hi > common->hi ? part->hi : common->hi;
        common->shape = common->shape == part->shape ? part->shape : SHAPE_NONE;
        common->word_count =
            part->word_count < common->word_count ? part->word_count : common->word_count;
    }
    return !is_first; // without a key anywhere the join has no build rows, and needs no filter
}

static void *take_memory(FilterSource *filter, size_t bytes)
{
    filter->memory = memory_alloc_zeroed(filter->query->budget, bytes);
    filter->memory_bytes = filter->memory == NULL ? 0 : bytes;
    return filter->memory;
}

static uint64_t word_at(const FilterPart *part, uint64_t index)
{
    uint64_t word;
    memcpy(&word, part->words + index * sizeof word, sizeof word);
    return word;
}

/* ORs a part's bits in, from bit `shift` of `target` on. */
static void unite_bits(const FilterPart *part, uint64_t shift, uint64_t *target)
{
    uint64_t words = (part->bits + 63) / 64;
    uint64_t *to = target + shift / 64;
    uint32_t offset = (uint32_t)(shift % 64);
    for (uint64_t i = 0; i < words; i++) {
        uint64_t word = word_at(part, i);
        to[i] |= word << offset;
        if (offset != 0) {
            to[i + 1] |= word >> (64 - offset);
        }
    }
}

static bool unite_bitmaps(FilterSource *filter, Predicate *predicate)
{
    bool is_first = true;
    int64_t base = 0, end = 0;
    for (uint32_t i = 0; i < filter->part_count; i++) {
        const FilterPart *part = &filter->parts[i];
        int64_t part_end;
        if (part->knowledge != FILTER_KEYS) {
            continue;
        }
        if (__builtin_add_overflow(part->base, (int64_t)part->bits, &part_end)) {
            return false;
        }
        base = is_first || part->base < base ? part->base : base;
        end = is_first || part_end > end ? part_end : end;
        is_first = false;
    }
    uint64_t bits = (uint64_t)end - (uint64_t)base;
    if (bits > UNITED_BITS_MAX) {
        return false;
    }
    uint64_t *bitmap = take_memory(filter, (bits / 64 + 3) * sizeof *bitmap);
    if (bitmap == NULL) {
        return false; // a filter is never necessary
    }
    for (uint32_t i = 0; i < filter->part_count; i++) {
        const FilterPart *part = &filter->parts[i];
        if (part->knowledge == FILTER_KEYS) {
            unite_bits(part, (uint64_t)part->base - (uint64_t)base, bitmap);
        }
    }
    *predicate = (Predicate){
        .kind = PREDICATE_BITMAP, .bitmap = bitmap, .bitmap_base = base, .bitmap_bits = bits};
    return true;
}

static bool unite_blooms(FilterSource *filter, uint32_t word_count, Predicate *predicate)
{
    uint32_t *blocks = take_memory(filter, word_count * sizeof *blocks);
    if (blocks == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < filter->part_count; i++) {
        const FilterPart *part = &filter->parts[i];
        for (uint32_t w = 0; part->knowledge == FILTER_KEYS && w < part->word_count; w++) {
            uint32_t word;
            memcpy(&word, part->words + (size_t)w * sizeof word, sizeof word);
            blocks[w & (word_count - 1)] |= word;
        }
    }
    filter->bloom = (BloomFilter){.blocks = blocks, .block_mask = word_count - 1};
    *predicate = (Predicate){.kind = PREDICATE_BLOOM, .bloom = &filter->bloom};
    return true;
}

/* Scans read the predicates' types from their own columns: a key has its column's type. */
static void publish_union(FilterSource *filter)
{
    FilterPart common;
    uint32_t count = 0;
    if (!find_common(filter, &common)) {
        return;
    }
    Type type = runtime_filters_type(filter->query->runtime_filters, filter->filter_id);
    if (common.has_range) {
        filter->predicates[count++] = (Predicate){.kind = PREDICATE_RANGE,
                                                  .has_lo = true,
                                                  .has_hi = true,
                                                  .lo = {.type = type, .i64 = common.lo},
                                                  .hi = {.type = type, .i64 = common.hi}};
    }
    if (common.shape == SHAPE_BITMAP) {
        count += unite_bitmaps(filter, &filter->predicates[count]);
    } else if (common.shape == SHAPE_BLOOM) {
        count += unite_blooms(filter, common.word_count, &filter->predicates[count]);
    }
    for (uint32_t i = 0; i < count; i++) {
        filter->predicates[i].type = type;
    }
    runtime_filters_publish(filter->query->runtime_filters, filter->filter_id, filter->predicates,
                            count);
}

static Status filter_source_produce(Source *self, void *local, Batch *out, Flow *flow)
{
    (void)local;
    (void)out;
    FilterSource *filter = (FilterSource *)self;
    for (;;) {
        uint8_t *bytes = NULL;
        size_t byte_count = 0;
        ReceiveResult result;
        TRY(stream_receiver_next_bytes(filter->receiver, &bytes, &byte_count, &result));
        if (result == RECEIVE_EMPTY) {
            *flow = FLOW_BLOCKED;
            return STATUS_OK;
        }
        if (result == RECEIVE_END) {
            break;
        }
        if (filter->part_count == filter->query->node_count) {
            free(bytes);
            return status_error(SQLSTATE_PROTOCOL_VIOLATION, "a node told a runtime filter twice");
        }
        FilterPart *part = &filter->parts[filter->part_count++];
        part->bytes = bytes;
        TRY(decode_part(part, byte_count));
    }
    if (filter->part_count == filter->query->node_count) {
        publish_union(filter);
    }
    *flow = FLOW_DONE;
    return STATUS_OK;
}

static void filter_source_close(Source *self)
{
    FilterSource *filter = (FilterSource *)self;
    if (filter->receiver != NULL) {
        stream_receiver_stop(filter->receiver);
        stream_receiver_close(filter->receiver);
        filter->receiver = NULL;
    }
    for (uint32_t i = 0; i < filter->part_count; i++) {
        free(filter->parts[i].bytes);
    }
    filter->part_count = 0;
    if (filter->memory != NULL) {
        memory_free(filter->query->budget, filter->memory, filter->memory_bytes);
        filter->memory = NULL;
    }
}

static uint32_t filter_source_parallelism(Source *self)
{
    (void)self;
    return 1;
}

static Status filter_sink_consume(Sink *self, void *local, Batch *in, Flow *flow)
{
    (void)self;
    (void)local;
    (void)in;
    *flow = FLOW_MORE;
    return STATUS_OK;
}

static const SourceOps filter_source_ops = {
    .name = "Runtime Filter",
    .open = filter_source_open,
    .produce = filter_source_produce,
    .close = filter_source_close,
    .parallelism = filter_source_parallelism,
};

static const SinkOps filter_sink_ops = {
    .name = "Runtime Filter",
    .consume = filter_sink_consume,
};
