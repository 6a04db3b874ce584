/* scan_base.c — columns that others are stored as differences from: the request's own decoded
 * vector where it has the column, else one decoded here, once for all who need it. */
#include "storage/scan_internal.h"

static Status read_base(BaseReader *reader, const Block *block, uint32_t column_id, uint32_t vector,
                        const Vector **out);

void scan_bases_init(ScanBases *self, TableScanLocal *local)
{
    self->reader.read = read_base;
    self->local = local;
    self->bases = ARENA_ARRAY(local->arena, ScanBase, local->scan->request.column_count + 1);
}

void scan_bases_release(ScanBases *self)
{
    for (uint32_t i = 0; i < self->count; i++) {
        block_cache_unpin(self->bases[i].entry);
        self->bases[i].entry = NULL;
        self->bases[i].is_decoded = false;
    }
    self->count = 0;
}

void scan_bases_deinit(ScanBases *self)
{
    scan_bases_release(self);
    for (uint32_t i = 0; i < self->local->scan->request.column_count; i++) {
        if (self->bases[i].has_buffer) {
            decode_buffer_deinit(&self->bases[i].buffer);
        }
    }
}

/* The base pinned for this unit; its block is of the same rows and stands alone. */
static Status pin_base(ScanBases *self, const Block *block, uint32_t column, ScanBase **out)
{
    TableScanLocal *local = self->local;
    for (uint32_t i = 0; i < self->count; i++) {
        if (self->bases[i].column == column) {
            *out = &self->bases[i];
            return STATUS_OK;
        }
    }
    if (self->count == local->scan->request.column_count) {
        return block_damaged(block, "more bases than columns");
    }
    ScanBase *base = &self->bases[self->count];
    uint64_t bytes = 0;
    if (!base->has_buffer) {
        TRY(decode_buffer_init(&base->buffer, local->scan->request.budget));
        base->has_buffer = true;
    }
    TRY(block_cache_pin(local->source->rows->cache, local->source->rows->rowset, column,
                        local->unit->row_group, &bytes, &base->entry));
    self->count++;
    base->column = column;
    base->is_decoded = false;
    local->counted.blocks_read +=
        local->unit->is_block_counted == NULL || local->unit->first_vector == 0;
    local->counted.blocks_from_disk += bytes > 0;
    local->counted.bytes_read += bytes;
    *out = base;
    return STATUS_OK;
}

static Status check_base(const Block *block, const Block *base)
{
    return block_can_be_base(base, block)
               ? STATUS_OK
               : block_damaged(block, "differences from a column that cannot be a base");
}

static Status read_requested(ScanColumn *column, const Block *block, const Vector **out)
{
    const Block *base;
    TRY(scan_column_block(column, &base));
    TRY(check_base(block, base));
    return scan_column_whole(column, out);
}

static Status read_base(BaseReader *reader, const Block *block, uint32_t column_id, uint32_t vector,
                        const Vector **out)
{
    ScanBases *self = (ScanBases *)reader;
    TableScanLocal *local = self->local;
    const int32_t column = rowset_footer_column(local->source->footer, column_id);
    ScanBase *base = NULL;
    if (column < 0) {
        return block_damaged(block, "differences from a column that is not there");
    }
    for (uint32_t i = 0; i < local->scan->request.column_count; i++) {
        if (local->source->columns[i] == column) {
            return read_requested(&local->columns[i], block, out);
        }
    }
    TRY(pin_base(self, block, (uint32_t)column, &base));
    TRY(check_base(block, &base->entry->block));
    if (!base->is_decoded || base->decoded_vector != vector) {
        const Block *source = &base->entry->block;
        base->is_decoded = false;
        TRY(source->encoding->decode(source, vector, NULL, 0, &base->buffer, &base->vector));
        base->decoded_vector = vector;
        base->is_decoded = true;
    }
    *out = &base->vector;
    return STATUS_OK;
}
