/*
 * spill_read.c — a worker's way through the partitions on disk.
 *
 * A partition's build rows become a table of their own, its probe rows then pass as any probe batch
 * does, and its unmatched build rows come last. A partition whose build rows do not fit is cut
 * again by further bits of the hash, both sides, and its parts are put on the worker's own list.
 */
#include "compute/operators/hash_join/hash_join_internal.h"

/* Streams that hold one partition. */
typedef struct JoinPart {
    struct JoinPart *next;
    SpillPartitions *const *builds, *const *probes;
    uint32_t build_count, probe_count;
    uint32_t stream, depth;
    SpillPartitions *owned[2]; /* of a part that was cut here: destroyed after its last stream */
    bool is_last;
} JoinPart;

typedef enum ReaderPhase { READER_NEXT_PART, READER_PROBE, READER_REST } ReaderPhase;

struct JoinSpillReader {
    HashJoin *join;
    Arena *arena, *part_arena;
    ReaderPhase phase;
    JoinPart *waiting, current;
    bool has_current;
    JoinTable table;
    JoinAppendSpace *space;
    const Vector **keys, **payload;
    ProbeState probe;
    uint32_t next_file; /* of the probe side */
    SpillReader file;
    bool has_file;
    SharedBatch *shared; /* the probe batch */
    Batch in;            /* its columns at the probe side's places */
    RestCursor cursor;
    JoinRow *rows;
    uint64_t *hashes;
};

JoinSpillReader *join_spill_reader_create(HashJoin *join, Arena *worker_arena)
{
    JoinSpillReader *reader = ARENA_NEW(worker_arena, JoinSpillReader);
    reader->join = join;
    reader->arena = worker_arena;
    reader->space = join_append_space_create(&join->shape, worker_arena);
    reader->keys = ARENA_ARRAY(worker_arena, const Vector *, join->shape.key_count);
    reader->payload = ARENA_ARRAY(worker_arena, const Vector *, join->shape.payload_count);
    reader->rows = ARENA_ARRAY(worker_arena, JoinRow, VECTOR_ROWS);
    reader->hashes = ARENA_ARRAY(worker_arena, uint64_t, VECTOR_ROWS);
    batch_init(&reader->in, join->probe_count, worker_arena);
    probe_state_init(&reader->probe, join, &reader->table, worker_arena);
    return reader;
}

static void drop_table(JoinSpillReader *reader)
{
    join_table_deinit(&reader->table);
    arena_destroy(reader->part_arena);
    reader->part_arena = NULL;
}

static void finish_part(JoinSpillReader *reader)
{
    drop_table(reader);
    if (reader->has_current && reader->current.is_last) {
        spill_partitions_destroy(reader->current.owned[0]);
        spill_partitions_destroy(reader->current.owned[1]);
    }
    reader->has_current = false;
}

void join_spill_reader_close(JoinSpillReader *reader)
{
    if (reader->has_file) {
        spill_reader_deinit(&reader->file);
    }
    shared_batch_unpin(reader->shared);
    finish_part(reader);
    for (JoinPart *part = reader->waiting; part != NULL; part = part->next) {
        if (part->is_last) {
            spill_partitions_destroy(part->owned[0]);
            spill_partitions_destroy(part->owned[1]);
        }
    }
}

// Calls `add` for every batch of the part's side.
static Status read_side(JoinSpillReader *reader, bool is_build,
                        Status (*add)(JoinSpillReader *reader, Batch *batch, void *object),
                        void *object)
{
    const JoinSpill *spill = &reader->join->spill;
    const JoinPart *part = &reader->current;
    uint32_t file_count = is_build ? part->build_count : part->probe_count;
    Status status = STATUS_OK;
    for (uint32_t f = 0; f < file_count && status == STATUS_OK; f++) {
        SpillReader file;
        SpillFile *source = (is_build ? part->builds : part->probes)[f]->file;
        spill_reader_init(
            &file, source, part->stream, is_build ? spill->build_types : spill->probe_types,
            is_build ? spill->build_count : spill->probe_count, reader->join->query->budget);
        for (;;) {
            SharedBatch *shared;
            status = spill_reader_next(&file, &shared);
            if (status != STATUS_OK || shared == NULL) {
                break;
            }
            status = add(reader, &shared->batch, object);
            shared_batch_unpin(shared);
            status = status == STATUS_OK ? query_context_check(reader->join->query) : status;
            if (status != STATUS_OK) {
                break;
            }
        }
        spill_reader_deinit(&file);
    }
    return status;
}

/* Where build rows go once they do not fit. */
typedef struct BuildTarget {
    SpillPartitions *cut; /* null while they fit */
    uint32_t depth;
} BuildTarget;

static Status add_build(JoinSpillReader *reader, Batch *batch, void *object)
{
    HashJoin *join = reader->join;
    BuildTarget *target = object;
    for (uint32_t k = 0; k < join->shape.key_count; k++) {
        reader->keys[k] = &batch->columns[k];
    }
    for (uint32_t c = 0; c < join->shape.payload_count; c++) {
        reader->payload[c] = &batch->columns[join->shape.key_count + c];
    }
    JoinInput input = {.keys = reader->keys, .payload = reader->payload, .batch = batch};
    bool may_cut = target->depth < SPILL_DEPTH_MAX;
    const bool is_short = memory_is_short(join->query) && reader->table.rows.row_count > 0;
    if (target->cut == NULL && may_cut &&
        (is_short || join_spill_is_forced(join, &reader->table, target->depth))) {
        TRY(join_spill_table(join, &reader->table, target->depth, &target->cut));
    }
    if (target->cut == NULL) {
        Status status = join_table_append(&reader->table, &input, reader->space);
        bool is_refused =
            status != STATUS_OK && may_cut && status_sqlstate(status) == SQLSTATE_OUT_OF_MEMORY;
        if (!is_refused) {
            return status;
        }
        status_ignore(status, "the partition is cut again");
        TRY(join_spill_table(join, &reader->table, target->depth, &target->cut));
    }
    return join_spill_build(join, &reader->table, &input, reader->space, &target->cut);
}

static Status add_probe(JoinSpillReader *reader, Batch *batch, void *object)
{
    HashJoin *join = reader->join;
    SpillPartitions *cut = object;
    const Vector *keys[JOIN_KEYS_MAX];
    for (uint32_t k = 0; k < join->shape.key_count; k++) {
        keys[k] = &batch->columns[k];
    }
    uint16_t rows[VECTOR_ROWS];
    for (uint32_t i = 0; i < batch->selected_count; i++) {
        rows[i] = (uint16_t)batch_row(batch, i);
    }
    join_partition_hashes(&join->shape, keys, batch, rows, batch->selected_count, reader->hashes);
    return spill_partitions_add(cut, batch, rows, reader->hashes, batch->selected_count);
}

// Both sides of the current part were, or are now, cut by the next bits of the hash.
static Status put_parts(JoinSpillReader *reader, SpillPartitions *builds)
{
    HashJoin *join = reader->join;
    const JoinSpill *spill = &join->spill;
    SpillPartitions *probes = NULL;
    Status status = spill_partitions_finish(builds);
    if (status == STATUS_OK) {
        status = spill_partitions_create(join->query, spill->probe_types, spill->probe_count,
                                         builds->depth, &probes);
    }
    if (status == STATUS_OK) {
        status = read_side(reader, false, add_probe, probes);
    }
    if (status == STATUS_OK) {
        status = spill_partitions_finish(probes);
    }
    if (status != STATUS_OK) {
        spill_partitions_destroy(builds);
        spill_partitions_destroy(probes);
        return status;
    }
    __atomic_fetch_add(&join->spill.bytes,
                       spill_file_bytes(builds->file) + spill_file_bytes(probes->file),
                       __ATOMIC_RELAXED);
    for (uint32_t p = 0; p < SPILL_PARTITIONS; p++) {
        JoinPart *part = ARENA_NEW(reader->arena, JoinPart);
        *part = (JoinPart){.next = reader->waiting,
                           .build_count = 1,
                           .probe_count = 1,
                           .stream = p,
                           .depth = builds->depth,
                           .owned = {builds, probes},
                           .is_last = p == 0};
        part->builds = &part->owned[0];
        part->probes = &part->owned[1];
        reader->waiting = part;
    }
    return STATUS_OK;
}

static Status index_table(JoinSpillReader *reader)
{
    JoinTable *table = &reader->table;
    bool is_settled = false;
    TRY(join_table_choose(table));
    while (!is_settled) {
        for (uint32_t p = 0; p < table->rows.page_count; p++) {
            join_table_insert_page(table, p, false);
        }
        TRY(join_table_settle(table, &is_settled));
    }
    // What NULLs mean is a matter of the whole build side.
    table->has_null_key = reader->join->table.has_null_key;
    table->seen_rows = reader->join->table.seen_rows;
    return STATUS_OK;
}

// Builds the table of the current part; a part that was cut leaves an empty phase.
static Status load_part(JoinSpillReader *reader)
{
    HashJoin *join = reader->join;
    reader->part_arena = arena_create(NULL, "join partition");
    join_table_init(&reader->table, &join->part_shape, reader->part_arena);
    BuildTarget target = {.depth = reader->current.depth + 1};
    Status status = read_side(reader, true, add_build, &target);
    if (status != STATUS_OK) {
        spill_partitions_destroy(target.cut);
        return status;
    }
    if (target.cut != NULL) {
        TRY(put_parts(reader, target.cut));
        finish_part(reader);
        return STATUS_OK;
    }
    TRY(index_table(reader));
    reader->phase = READER_PROBE;
    reader->next_file = 0;
    return STATUS_OK;
}

static Status next_part(JoinSpillReader *reader, Flow *flow)
{
    HashJoin *join = reader->join;
    if (reader->waiting != NULL) {
        reader->current = *reader->waiting;
        // The lists of a cut part are its own two files.
        reader->current.builds = &reader->current.owned[0];
        reader->current.probes = &reader->current.owned[1];
        reader->waiting = reader->waiting->next;
        reader->has_current = true;
        return load_part(reader);
    }
    uint32_t partition = __atomic_fetch_add(&join->spill.next_partition, 1, __ATOMIC_RELAXED);
    if (partition >= SPILL_PARTITIONS) {
        *flow = FLOW_DONE;
        return STATUS_OK;
    }
    reader->current = (JoinPart){.builds = join->spill.builds.items,
                                 .build_count = join->spill.builds.count,
                                 .probes = join->spill.probes.items,
                                 .probe_count = join->spill.probes.count,
                                 .stream = partition};
    reader->has_current = true;
    return load_part(reader);
}

// The next probe batch, its columns where the probe side has them; false at the end.
static Status next_batch(JoinSpillReader *reader, bool *has_batch)
{
    const JoinSpill *spill = &reader->join->spill;
    uint32_t key_count = reader->join->shape.key_count;
    shared_batch_unpin(reader->shared);
    reader->shared = NULL;
    while (reader->shared == NULL) {
        if (!reader->has_file) {
            if (reader->next_file == reader->current.probe_count) {
                *has_batch = false;
                return STATUS_OK;
            }
            spill_reader_init(&reader->file, reader->current.probes[reader->next_file++]->file,
                              reader->current.stream, spill->probe_types, spill->probe_count,
                              reader->join->query->budget);
            reader->has_file = true;
        }
        TRY(spill_reader_next(&reader->file, &reader->shared));
        if (reader->shared == NULL) {
            spill_reader_deinit(&reader->file);
            reader->has_file = false;
        }
    }
    const Batch *batch = &reader->shared->batch;
    for (uint32_t k = 0; k < key_count; k++) {
        reader->probe.keys[k] = &batch->columns[k];
    }
    for (uint32_t c = key_count; c < spill->probe_count; c++) {
        reader->in.columns[spill->probe_columns[c - key_count]] = batch->columns[c];
    }
    reader->in.column_count = reader->join->probe_count;
    reader->in.row_count = batch->row_count;
    reader->in.selection = batch->selection;
    reader->in.selected_count = batch->selected_count;
    *has_batch = true;
    return STATUS_OK;
}

static Status probe_part(JoinSpillReader *reader, Batch *out)
{
    if (reader->probe.phase == PROBE_START) {
        bool has_batch;
        TRY(next_batch(reader, &has_batch));
        if (!has_batch) {
            reader->cursor = (RestCursor){0};
            reader->phase = READER_REST;
            return STATUS_OK;
        }
    }
    Flow flow;
    return probe_apply(&reader->probe, &reader->in, out, &flow);
}

static void give_rest(JoinSpillReader *reader, Batch *out)
{
    HashJoin *join = reader->join;
    const RowStore *rows = &reader->table.rows;
    bool has_rows = join->emits_build_rest && reader->cursor.page < rows->page_count;
    if (!has_rows) {
        finish_part(reader);
        reader->phase = READER_NEXT_PART;
        return;
    }
    uint32_t count = join_rest_rows(join, &reader->table, &reader->cursor, reader->rows);
    if (reader->cursor.slot == rows->pages[reader->cursor.page].row_count) {
        reader->cursor = (RestCursor){.page = reader->cursor.page + 1};
    }
    if (count > 0) {
        emit_build_rows(join, &reader->table, reader->rows, count, reader->probe.payload_buffers,
                        out);
    }
}

Status join_spill_reader_next(JoinSpillReader *reader, Batch *out, Flow *flow)
{
    *flow = FLOW_MORE;
    while (out->selected_count == 0 && *flow == FLOW_MORE) {
        switch (reader->phase) {
        case READER_NEXT_PART:
            TRY(next_part(reader, flow));
            break;
        case READER_PROBE:
            TRY(probe_part(reader, out));
            break;
        case READER_REST:
            give_rest(reader, out);
            break;
        }
        TRY(query_context_check(reader->join->query));
    }
    return STATUS_OK;
}
