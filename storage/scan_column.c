/* scan_column.c — one column of a worker's unit: its block pinned when first needed, its vectors
 * decoded when asked for, cut into windows when batches are smaller than vectors. */
#include <string.h>
#include "storage/scan_internal.h"

static Status load_lazy(VectorLoader *self, Vector *vector, uint32_t row_count,
                        const uint16_t *selection, uint32_t selected_count);

Status scan_column_init(ScanColumn *column, TableScanLocal *local, uint32_t index)
{
    column->loader.load = load_lazy;
    column->local = local;
    column->index = index;
    column->window_validity = ARENA_ARRAY(local->arena, uint64_t, VALIDITY_WORDS);
    TRY(decode_buffer_init(&column->buffer, local->scan->request.budget));
    column->buffer.bases = &local->bases.reader;
    return STATUS_OK;
}

void scan_column_deinit(ScanColumn *column)
{
    scan_column_release(column);
    decode_buffer_deinit(&column->buffer);
}

void scan_column_release(ScanColumn *column)
{
    block_cache_unpin(column->entry);
    column->entry = NULL;
    column->is_decoded = false;
}

/* A row group that is read in parts counts once; `disk_bytes` 0: it was in the cache. */
static void count_block(TableScanLocal *local, uint32_t index, uint64_t disk_bytes)
{
    _Atomic(uint8_t) *is_counted = local->unit->is_block_counted;
    const bool is_first = is_counted == NULL || atomic_exchange_explicit(&is_counted[index], 1,
                                                                         memory_order_relaxed) == 0;
    local->counted.blocks_read += is_first;
    local->counted.blocks_from_disk += disk_bytes > 0;
    local->counted.bytes_read += disk_bytes;
}

Status scan_column_block(ScanColumn *column, const Block **out)
{
    TableScanLocal *local = column->local;
    const int32_t stored = local->source->columns[column->index];
    *out = NULL;
    if (stored < 0) {
        return STATUS_OK;
    }
    if (column->entry == NULL) {
        uint64_t bytes = 0;
        Status status =
            block_cache_pin(local->source->rows->cache, local->source->rows->rowset,
                            (uint32_t)stored, local->unit->row_group, &bytes, &column->entry);
        TRY(scan_name_damage(local->scan, (int32_t)column->index, status));
        count_block(local, column->index, bytes);
    }
    *out = &column->entry->block;
    return STATUS_OK;
}

void scan_default_vector(const ScanColumnInfo *info, uint64_t lane[2], Vector *out)
{
    vector_set_constant(out, info->default_value, lane);
    out->type = info->type;
}

/* Rows start .. of a vector; validity words are shifted into `words`. */
static void cut_window(Vector *vector, uint32_t start, uint32_t row_count, uint64_t *words)
{
    if (vector->form == VECTOR_CONSTANT || start == 0) {
        return;
    }
    vector->data = (const uint8_t *)vector->data + start * lane_bytes((Lane)vector->lane);
    if (vector->validity == NULL) {
        return;
    }
    for (uint32_t i = 0; i < (row_count + 63) / 64; i++) {
        const uint32_t word = (start + i * 64) / 64, shift = start % 64;
        words[i] = vector->validity[word] >> shift;
        if (shift > 0 && word + 1 < VALIDITY_WORDS) {
            words[i] |= vector->validity[word + 1] << (64 - shift);
        }
    }
    vector->validity = words;
}

/* The present vector, whole; `selection` null unless the whole vector is the batch. */
static Status decode(ScanColumn *column, const uint16_t *selection, uint32_t selected_count)
{
    const Block *block;
    TRY(scan_column_block(column, &block));
    Status status = block->encoding->decode(block, column->local->vector - 1, selection,
                                            selected_count, &column->buffer, &column->vector);
    TRY(scan_name_damage(column->local->scan, (int32_t)column->index, status));
    column->vector.type = column->local->scan->columns[column->index].type;
    column->is_decoded = true;
    return STATUS_OK;
}

Status scan_column_whole(ScanColumn *column, const Vector **out)
{
    if (!column->is_decoded) {
        TRY(decode(column, NULL, 0));
    }
    *out = &column->vector;
    return STATUS_OK;
}

bool scan_column_is_sparse(uint32_t row_count, uint32_t selected_count)
{
    return selected_count < row_count - row_count / 16;
}

static Status load_lazy(VectorLoader *self, Vector *vector, uint32_t row_count,
                        const uint16_t *selection, uint32_t selected_count)
{
    ScanColumn *column = (ScanColumn *)self;
    const TableScanLocal *local = column->local;
    if (!scan_column_is_sparse(row_count, selected_count)) {
        selection = NULL;
    }
    const bool is_whole = local->window_start == 0 && row_count == local->vector_rows;
    if (!column->is_decoded) {
        TRY(decode(column, is_whole ? selection : NULL, is_whole ? selected_count : 0));
        // Some rows only: another window of the same vector must not take it for complete.
        column->is_decoded = !is_whole || selection == NULL;
    }
    *vector = column->vector;
    cut_window(vector, local->window_start, row_count, column->window_validity);
    return STATUS_OK;
}

void scan_column_put(ScanColumn *column, uint32_t row_count, Vector *out)
{
    const TableScanLocal *local = column->local;
    const ScanColumnInfo *info = &local->scan->columns[column->index];
    if (local->source->columns[column->index] < 0) {
        scan_default_vector(info, column->default_lane, out);
    } else if (column->is_decoded) {
        *out = column->vector;
        cut_window(out, local->window_start, row_count, column->window_validity);
    } else {
        *out = (Vector){.type = info->type, .form = VECTOR_LAZY, .loader = &column->loader};
    }
}
