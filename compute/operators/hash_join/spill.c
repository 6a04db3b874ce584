/*
 * spill.c — both sides of a join in partitions on disk.
 *
 * When a worker's build rows find no room, all workers write theirs to disk by the hash of the
 * keys, and the probe side is written the same way; a partition holds every row that may meet
 * another of it. spill_read.c joins the partitions. (DeWitt et al., "Implementation techniques for
 * main memory database systems", 1984: the grace join.)
 */
#include <string.h>

#include "base/heap.h"
#include "compute/operators/batch_collector.h"
#include "compute/operators/hash_join/hash_join_internal.h"

enum { FORCED_ROWS = 64, FORCED_DEPTHS = 2 };

void join_spill_plan(HashJoin *join, Arena *arena)
{
    const JoinShape *shape = &join->shape;
    const PlanHashJoin *plan = join->plan;
    JoinSpill *spill = &join->spill;
    Type *build_types = ARENA_ARRAY(arena, Type, shape->key_count + shape->payload_count);
    Type *probe_types = ARENA_ARRAY(arena, Type, shape->key_count + join->probe_count);
    uint32_t *probe_columns = ARENA_ARRAY(arena, uint32_t, join->probe_count);
    for (uint32_t k = 0; k < shape->key_count; k++) {
        build_types[k] = shape->key_types[k];
        probe_types[k] = plan->probe_keys[k]->type;
    }
    for (uint32_t c = 0; c < shape->payload_count; c++) {
        build_types[shape->key_count + c] = join->payload_types[c];
    }
    uint32_t probe_count = shape->key_count;
    for (uint32_t c = 0; c < join->probe_count; c++) {
        if (join->needed_probe[c]) {
            probe_columns[probe_count - shape->key_count] = c;
            probe_types[probe_count++] = plan->probe->output_types[c];
        }
    }
    *spill = (JoinSpill){
        .is_possible = !join->is_null_aware || shape->is_existence,
        .build_count = shape->key_count + shape->payload_count,
        .probe_count = probe_count,
        .build_types = build_types,
        .probe_types = probe_types,
        .probe_columns = probe_columns,
    };
}

bool join_spill_is_forced(const HashJoin *join, const JoinTable *table, uint32_t depth)
{
    return join->query->force_spill && join->spill.is_possible && depth < FORCED_DEPTHS &&
           table->rows.row_count >= FORCED_ROWS;
}

static Status make_partitions(HashJoin *join, const Type *types, uint32_t column_count,
                              uint32_t depth, SpillPartitions **partitions)
{
    if (*partitions != NULL) {
        return STATUS_OK;
    }
    return spill_partitions_create(join->query, types, column_count, depth, partitions);
}

// Keys and payload of packed rows as a batch.
static void gather_build(const HashJoin *join, const JoinTable *table, const JoinRow *rows,
                         uint32_t row_count, VectorBuffer *buffers, Batch *out)
{
    const JoinShape *shape = &join->shape;
    for (uint32_t k = 0; k < shape->key_count; k++) {
        if (!shape->has_integer_keys) {
            row_store_gather(&table->rows, k, rows, NULL, row_count, false, &buffers[k],
                             &out->columns[k]);
            continue;
        }
        int64_t *lanes = buffers[k].lanes;
        uint64_t *validity = buffers[k].validity;
        bool has_nulls = false;
        bool is_byte = shape->key_types[k].id == TYPE_BOOLEAN;
        memset(validity, 0xFF, VALIDITY_WORDS * sizeof *validity);
        for (uint32_t i = 0; i < row_count; i++) {
            int64_t word;
            memcpy(&word, rows[i] + k * sizeof word, sizeof word);
            if (is_byte) {
                ((uint8_t *)lanes)[i] = (uint8_t)word;
            } else {
                lanes[i] = word;
            }
            uint64_t link = shape->link_offset == JOIN_NO_LINK ? 0 : *join_row_link(shape, rows[i]);
            if ((link & JOIN_LINK_NULL_KEY) != 0 && (link >> (JOIN_LINK_NULL_SHIFT + k) & 1) != 0) {
                validity_clear(validity, i);
                has_nulls = true;
            }
        }
        out->columns[k] = (Vector){.type = shape->key_types[k],
                                   .lane = is_byte ? LANE_U8 : LANE_I64,
                                   .form = VECTOR_FLAT,
                                   .lo = type_int64_min(shape->key_types[k]),
                                   .hi = type_int64_max(shape->key_types[k]),
                                   .validity = has_nulls ? validity : NULL,
                                   .data = lanes};
    }
    for (uint32_t c = 0; c < shape->payload_count; c++) {
        uint32_t column = shape->key_count + c;
        row_store_gather(&table->rows, shape->first_payload + c, rows, NULL, row_count, false,
                         &buffers[column], &out->columns[column]);
    }
    out->column_count = shape->key_count + shape->payload_count;
    out->row_count = out->selected_count = row_count;
    out->selection = NULL;
}

static Status add_columns(HashJoin *join, const Batch *columns, const uint16_t *rows,
                          uint32_t row_count, SpillPartitions *partitions, uint64_t *hashes)
{
    const Vector *keys[JOIN_KEYS_MAX];
    for (uint32_t k = 0; k < join->shape.key_count; k++) {
        keys[k] = &columns->columns[k];
    }
    join_partition_hashes(&join->shape, keys, columns, rows, row_count, hashes);
    return spill_partitions_add(partitions, columns, rows, hashes, row_count);
}

Status join_spill_table(HashJoin *join, JoinTable *table, uint32_t depth,
                        SpillPartitions **partitions)
{
    const JoinSpill *spill = &join->spill;
    __atomic_store_n(&join->spill.is_active, true, __ATOMIC_RELAXED);
    TRY(make_partitions(join, spill->build_types, spill->build_count, depth, partitions));
    Arena *arena = arena_create(NULL, "join spill");
    VectorBuffer *buffers = ARENA_ARRAY(arena, VectorBuffer, spill->build_count);
    JoinRow *rows = ARENA_ARRAY(arena, JoinRow, VECTOR_ROWS);
    uint64_t *hashes = ARENA_ARRAY(arena, uint64_t, VECTOR_ROWS);
    Batch columns;
    batch_init(&columns, spill->build_count, arena);
    for (uint32_t c = 0; c < spill->build_count; c++) {
        vector_buffer_init(&buffers[c], arena);
    }
    size_t row_bytes = table->rows.layout->row_bytes;
    Status status = STATUS_OK;
    for (uint32_t p = 0; p < table->rows.page_count; p++) {
        const RowPage *page = &table->rows.pages[p];
        const uint32_t row_count = page->row_count;
        for (uint32_t first = 0; first < row_count && status == STATUS_OK; first += VECTOR_ROWS) {
            uint32_t count = row_count - first;
            count = count < VECTOR_ROWS ? count : VECTOR_ROWS;
            for (uint32_t i = 0; i < count; i++) {
                rows[i] = page->rows + (first + i) * row_bytes;
            }
            gather_build(join, table, rows, count, buffers, &columns);
            status = add_columns(join, &columns, batch_selected_rows(&columns), count, *partitions,
                                 hashes);
        }
        row_store_drop_page(&table->rows, p); // the next one needs room on its way out
    }
    arena_destroy(arena);
    row_store_clear(&table->rows);
    return status;
}

Status join_spill_build(HashJoin *join, JoinTable *table, const JoinInput *input,
                        JoinAppendSpace *space, SpillPartitions **partitions)
{
    const JoinShape *shape = &join->shape;
    uint32_t row_count = join_table_select_rows(table, input, space);
    Batch columns = *input->batch;
    columns.columns = space->spill_columns;
    columns.column_count = shape->key_count + shape->payload_count;
    for (uint32_t k = 0; k < shape->key_count; k++) {
        columns.columns[k] = *input->keys[k];
    }
    for (uint32_t c = 0; c < shape->payload_count; c++) {
        columns.columns[shape->key_count + c] = *input->payload[c];
    }
    return row_count == 0
               ? STATUS_OK
               : add_columns(join, &columns, space->rows, row_count, *partitions, space->hashes);
}

Status join_spill_probe(HashJoin *join, const Vector *const *keys, Batch *in,
                        SpillPartitions **partitions, Batch *columns, uint64_t *hashes)
{
    const JoinSpill *spill = &join->spill;
    uint32_t key_count = join->shape.key_count;
    TRY(make_partitions(join, spill->probe_types, spill->probe_count, 0, partitions));
    columns->row_count = in->row_count;
    columns->selection = in->selection;
    columns->selected_count = in->selected_count;
    columns->column_count = spill->probe_count;
    for (uint32_t k = 0; k < key_count; k++) {
        columns->columns[k] = *keys[k];
    }
    for (uint32_t c = key_count; c < spill->probe_count; c++) {
        const Vector *column;
        TRY(batch_column(in, spill->probe_columns[c - key_count], &column));
        columns->columns[c] = *column;
    }
    return add_columns(join, columns, batch_selected_rows(in), in->selected_count, *partitions,
                       hashes);
}

Status join_spill_add(HashJoin *join, JoinSpillList *list, SpillPartitions *owned)
{
    Status status = spill_partitions_finish(owned);
    mutex_lock(&join->mutex);
    SpillPartitions **items =
        status != STATUS_OK ? NULL : heap_realloc(list->items, (list->count + 1) * sizeof *items);
    if (items != NULL) {
        list->items = items;
        items[list->count++] = owned;
        join->spill.bytes += spill_file_bytes(owned->file);
    }
    mutex_unlock(&join->mutex);
    if (items == NULL) {
        spill_partitions_destroy(owned);
    }
    if (status == STATUS_OK && items == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for spilling");
    }
    return status;
}

static void destroy_list(JoinSpillList *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        spill_partitions_destroy(list->items[i]);
    }
    heap_free(list->items);
    *list = (JoinSpillList){0};
}

void join_spill_close(HashJoin *join)
{
    destroy_list(&join->spill.builds);
    destroy_list(&join->spill.probes);
}
