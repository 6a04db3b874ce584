/*
 * write_buffer.c — rows of one slice on their way into rowsets, by one worker.
 *
 *   batches -> RowBuffer (65,536 rows) -> encoded row group -> RowsetWriter (64 of them, or as many
 *   as memory allows) -> [sorted by the sort key] -> rowset file, known to the manifest as pending
 *
 * Only encoded row groups are kept, so a full rowset takes a few tens of bytes per row; when memory
 * is refused, the rowset is sealed with what it has.
 */
#include <string.h>
#include "base/heap.h"
#include "base/log.h"
#include "storage/table_writer_internal.h"

Status write_buffer_init(WriteBuffer *buffer, TableWriter *writer, uint32_t slice_index,
                         ColumnSketch *sketches)
{
    const uint32_t column_count = writer->table->column_count;
    *buffer = (WriteBuffer){.writer = writer,
                            .sketches = sketches,
                            .slice = writer->slices[slice_index].slice,
                            .first_bucket = writer->slices[slice_index].first_bucket,
                            .last_bucket = writer->slices[slice_index].last_bucket};
    buffer->memories = heap_alloc_zeroed(column_count * sizeof *buffer->memories);
    if (buffer->memories == NULL) {
        return memory_refused(writer->budget, column_count * sizeof *buffer->memories,
                              "rows being written");
    }
    return row_buffer_create(writer->types, column_count, writer->budget, &buffer->rows);
}

void write_buffer_deinit(WriteBuffer *buffer)
{
    for (uint32_t i = 0; buffer->memories != NULL && i < buffer->writer->table->column_count; i++) {
        encoding_memory_deinit(&buffer->memories[i]);
    }
    heap_free(buffer->memories);
    row_buffer_destroy(buffer->rows);
    rowset_writer_destroy(buffer->rowset);
    *buffer = (WriteBuffer){0};
}

static Status make_place(WriteBuffer *buffer, RowsetPlace *place)
{
    const TableWriter *writer = buffer->writer;
    *place = (RowsetPlace){.system = writer->store->system,
                           .cluster = writer->store->cluster,
                           .table_id = writer->table->table_id,
                           .txn_id = writer->txn_id,
                           .slice = buffer->slice,
                           .first_bucket = buffer->first_bucket,
                           .last_bucket = buffer->last_bucket};
    TRY(rowset_lease_take(&writer->store->lease, &place->rowset_id));
    if (writer->table->style == DISTRIBUTION_STYLE_EVEN) { // one bucket: it moves as a whole
        const uint32_t buckets = (uint32_t)buffer->last_bucket - buffer->first_bucket + 1;
        place->first_bucket = place->last_bucket =
            (uint16_t)(buffer->first_bucket + place->rowset_id % buckets);
    }
    return STATUS_OK;
}

/* The file, then the pending entry that owns it. */
static Status seal_rowset(WriteBuffer *buffer, RowsetWriter *rowset)
{
    const TableWriter *writer = buffer->writer;
    Store *store = writer->store;
    const uint64_t rowset_id = rowset_writer_place(rowset)->rowset_id;
    char path[MANIFEST_PATH_BYTES];
    SealedRowset sealed;
    StoredRows *rows;
    TRY(store_check_room(store));
    TRY(manifest_rowset_path(store->manifest, writer->table->table_id, buffer->slice, rowset_id,
                             path));
    TRY(manifest_make_directory(store->manifest, writer->table->table_id, buffer->slice));
    Status status = rowset_writer_seal(rowset, path, &sealed);
    if (status != STATUS_OK) {
        manifest_note_leftover(store->manifest);
        return status;
    }
    const StoredRows facts = {.kind = ROWS_FILE,
                              .rowset_id = rowset_id,
                              .table_id = writer->table->table_id,
                              .slice = buffer->slice,
                              .first_bucket = rowset_writer_place(rowset)->first_bucket,
                              .last_bucket = rowset_writer_place(rowset)->last_bucket,
                              .row_count = rowset_writer_row_count(rowset),
                              .byte_count = sealed.byte_count,
                              .footer_checksum = sealed.footer_checksum,
                              .budget = store->budget,
                              .cache = store->cache};
    status = stored_rows_create(&facts, NULL, store->system, path, store->cluster, &rows);
    if (status != STATUS_OK) {
        heap_free(sealed.footer);
        file_close(sealed.file);
        status_ignore(file_remove(store->system, path), "the rowset is given up");
        return status;
    }
    status = rowset_take_footer(rows->rowset, sealed.footer, sealed.footer_bytes);
    if (status != STATUS_OK) {
        file_close(sealed.file);
        stored_rows_doom(rows);
        stored_rows_unpin(rows);
        return status;
    }
    log_debug("rowset_sealed", "table=%llu slice=%u rowset=%llu rows=%llu bytes=%llu",
              (unsigned long long)facts.table_id, facts.slice, (unsigned long long)rowset_id,
              (unsigned long long)facts.row_count, (unsigned long long)facts.byte_count);
    return manifest_add(store->manifest, writer->txn_id, writer->statement, rows, sealed.file);
}

/* Sorts when the table has a sort key and seals; the buffer then starts a new rowset. */
static Status seal_current(WriteBuffer *buffer, EncodeContext *context)
{
    TableWriter *writer = buffer->writer;
    RowsetWriter *rowset = buffer->rowset;
    buffer->rowset = NULL;
    Status status = STATUS_OK;
    const PlanTable *table = writer->table;
    if (writer->is_in_order) {
        rowset_writer_set_sort_keys(rowset, table->sort_keys, table->sort_key_count);
    } else if (table->sort_key_count > 0) {
        RowsetPlace place;
        RowsetWriter *sorted = NULL;
        status = make_place(buffer, &place);
        if (status == STATUS_OK) {
            status = row_sort_rowset(rowset, writer, context, buffer->memories, &place, &sorted);
        }
        rowset_writer_destroy(rowset);
        rowset = sorted;
    }
    if (status == STATUS_OK) {
        status = seal_rowset(buffer, rowset);
    }
    rowset_writer_destroy(rowset);
    return status;
}

static Status encode_columns(WriteBuffer *buffer, EncodeContext *context)
{
    const PlanTable *table = buffer->writer->table;
    const uint32_t row_group = rowset_writer_row_group_count(buffer->rowset);
    EncodedBlock *block = heap_alloc(sizeof *block);
    Status status = block == NULL ? memory_refused(buffer->writer->budget, sizeof *block,
                                                   "a block being encoded")
                                  : STATUS_OK;
    const bool is_sorted_later = table->sort_key_count > 0 && !buffer->writer->is_in_order;
    context->base_count = 0;
    for (uint32_t i = 0; i < table->column_count && status == STATUS_OK; i++) {
        ColumnChunk chunk;
        row_buffer_chunk(buffer->rows, i, &chunk);
        chunk.is_looked_up = !is_sorted_later && buffer->writer->columns[i].is_looked_up;
        const BlockIdentity identity = rowset_writer_identity(buffer->rowset, i, row_group);
        status = encode_block(context, &chunk, &buffer->memories[i],
                              encodings_of_word(table->columns[i].encode_word, chunk.lane),
                              &identity, block);
        if (status == STATUS_OK) {
            status = rowset_writer_add(buffer->rowset, i, row_group, block);
        }
        if (status == STATUS_OK && table->sort_key_count == 0) { // sorting takes columns apart
            encode_context_add_base(context, buffer->writer->columns[i].column_id, &chunk,
                                    block->encoding);
        }
        if (status == STATUS_OK && buffer->sketches != NULL &&
            i == buffer->sketched_count) { // once, though encoded twice
            write_sketch_add(&buffer->sketches[i], &chunk, block, context);
            buffer->sketched_count++;
        }
    }
    context->base_count = 0; // the chunks are the buffer's
    heap_free(block);
    return status;
}

static Status start_rowset(WriteBuffer *buffer)
{
    const TableWriter *writer = buffer->writer;
    RowsetPlace place;
    if (buffer->rowset != NULL) {
        return STATUS_OK;
    }
    TRY(make_place(buffer, &place));
    return rowset_writer_create(&place, writer->columns, writer->table->column_count,
                                writer->budget, &buffer->rowset);
}

/* Encodes the waiting rows as the rowset's next row group. When memory is refused the rowset is
 * sealed first, which frees most of it. */
static Status encode_rows(WriteBuffer *buffer, EncodeContext *context)
{
    const TableWriter *writer = buffer->writer;
    if (writer->is_canceled != NULL && __atomic_load_n(writer->is_canceled, __ATOMIC_RELAXED)) {
        return status_error(SQLSTATE_QUERY_CANCELED, "canceling statement due to user request");
    }
    TRY(start_rowset(buffer));
    Status status = encode_columns(buffer, context);
    if (status != STATUS_OK && status_sqlstate(status) == SQLSTATE_OUT_OF_MEMORY &&
        rowset_writer_row_group_count(buffer->rowset) > 0) {
        status_ignore(status, "sealing the rowset frees memory");
        TRY(seal_current(buffer, context));
        TRY(start_rowset(buffer));
        status = encode_columns(buffer, context);
    }
    TRY(status);
    rowset_writer_end_row_group(buffer->rowset, buffer->rows->row_count);
    row_buffer_clear(buffer->rows);
    buffer->sketched_count = 0;
    const uint32_t row_groups = rowset_writer_row_group_count(buffer->rowset);
    const bool is_sorted_here = writer->table->sort_key_count > 0 && !writer->is_in_order;
    const bool is_full = row_groups == FORMAT_ROWSET_ROW_GROUPS ||
                         (is_sorted_here && row_groups == table_run_row_groups(writer->table));
    return is_full ? seal_current(buffer, context) : STATUS_OK;
}

Status write_buffer_append(WriteBuffer *buffer, EncodeContext *context, const Batch *batch,
                           const uint16_t *rows, uint32_t row_count)
{
    const uint32_t row_group_rows = buffer->writer->row_group_rows;
    uint16_t all_rows[VECTOR_ROWS];
    uint32_t done = 0;
    while (done < row_count) {
        const uint32_t room = row_group_rows - buffer->rows->row_count;
        const uint32_t taken = row_count - done < room ? row_count - done : room;
        if (rows == NULL && done > 0) { // only a batch that is cut needs row numbers
            for (uint32_t i = 0; i < row_count; i++) {
                all_rows[i] = (uint16_t)i;
            }
            rows = all_rows;
        }
        TRY(row_buffer_append(buffer->rows, batch, rows == NULL ? NULL : rows + done, taken));
        done += taken;
        if (buffer->rows->row_count == row_group_rows) {
            TRY(encode_rows(buffer, context));
        }
    }
    return STATUS_OK;
}

Status write_buffer_flush(WriteBuffer *buffer, EncodeContext *context)
{
    if (buffer->rows->row_count > 0) {
        TRY(encode_rows(buffer, context));
    }
    return buffer->rowset != NULL ? seal_current(buffer, context) : STATUS_OK;
}
