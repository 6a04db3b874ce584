/* delete_codec.c — see delete_codec.h. */
#include "storage/delete_codec.h"

#include <string.h>
#include "base/byte_reader.h"
#include "base/hash.h"

static uint64_t checksum_of(const DeleteHeader *header, const uint8_t *bytes, size_t byte_count)
{
    DeleteHeader copy = *header;
    copy.checksum = 0;
    const uint64_t seed = hash_bytes(&copy, sizeof copy, 0);
    return hash_bytes(bytes + sizeof copy, byte_count - sizeof copy, seed);
}

Status delete_mask_encode(const DeleteMask *mask, const DeleteIdentity *identity,
                          ByteBuffer *target)
{
    DeleteHeader header = {.magic = DELETE_MAGIC,
                           .version = DELETE_VERSION,
                           .cluster = identity->cluster,
                           .table_id = identity->table_id,
                           .rowset_id = identity->rowset_id,
                           .txn_id = identity->txn_id,
                           .statement = identity->statement,
                           .row_count = mask->row_count};
    byte_buffer_add(target, &header, sizeof header);
    for (uint32_t i = 0; i < mask->group_count; i++) {
        const DeletedRows *rows = mask->groups[i];
        if (rows == NULL) {
            continue;
        }
        const DeleteGroup group = {.row_group = (uint16_t)i,
                                   .form = (uint16_t)rows->form,
                                   .item_count = rows->item_count,
                                   .row_count = rows->row_count,
                                   .row_end = rows->row_end};
        byte_buffer_add(target, &group, sizeof group);
        byte_buffer_add(target, rows->items, rows->item_count * delete_form_item_bytes(rows->form));
        byte_buffer_align(target, 8);
        header.group_count++;
    }
    TRY(byte_buffer_status(target));
    header.checksum = checksum_of(&header, target->data, target->bytes);
    memcpy(target->data, &header, sizeof header);
    return STATUS_OK;
}

static Status damaged(const DeleteIdentity *identity, const char *what)
{
    return status_error(SQLSTATE_DATA_CORRUPTED, "%s in deletes of table %llu, rowset %llu", what,
                        (unsigned long long)identity->table_id,
                        (unsigned long long)identity->rowset_id);
}

static Status check_header(const uint8_t *bytes, size_t byte_count, const DeleteIdentity *identity,
                           DeleteHeader *header)
{
    if (byte_count < sizeof *header) {
        return damaged(identity, "too few bytes");
    }
    memcpy(header, bytes, sizeof *header);
    if (header->magic != DELETE_MAGIC) {
        return damaged(identity, "no mask");
    }
    if (header->version == 0 || header->version > DELETE_VERSION) {
        return damaged(identity, "unknown version");
    }
    if (header->checksum != checksum_of(header, bytes, byte_count)) {
        return damaged(identity, "wrong checksum");
    }
    if (header->cluster != identity->cluster || header->table_id != identity->table_id ||
        header->rowset_id != identity->rowset_id || header->txn_id != identity->txn_id ||
        header->statement != identity->statement) {
        return damaged(identity, "mask of something else");
    }
    return header->flags == 0 ? STATUS_OK : damaged(identity, "unknown flags");
}

/* Zeroes up to the next multiple of 8. */
static bool skip_padding(ByteReader *reader)
{
    while (reader->offset % 8 != 0 && byte_reader_is_ok(reader)) {
        if (byte_reader_u8(reader) != 0) {
            return false;
        }
    }
    return byte_reader_is_ok(reader);
}

/* One row group into `groups`, which `*end` of are used. */
static Status decode_group(ByteReader *reader, const DeleteIdentity *identity, MemoryBudget *budget,
                           DeletedRows **groups, uint32_t *end)
{
    DeleteGroup group = {0};
    const uint8_t *view = byte_reader_view(reader, sizeof group);
    if (view != NULL) {
        memcpy(&group, view, sizeof group);
    }
    if (view == NULL || group.row_group < *end || group.row_group >= FORMAT_ROWSET_ROW_GROUPS ||
        group.form < DELETE_FORM_LIST || group.form > DELETE_FORM_BITMAP ||
        group.item_count > FORMAT_ROW_GROUP_ROWS) {
        return damaged(identity, "impossible row group");
    }
    const DeleteForm form = (DeleteForm)group.form;
    const uint8_t *items =
        byte_reader_view(reader, group.item_count * delete_form_item_bytes(form));
    if (items == NULL || !skip_padding(reader)) {
        return damaged(identity, "impossible row group");
    }
    DeletedRows *rows = NULL;
    TRY(deleted_rows_from_items(form, items, group.item_count, budget, &rows));
    if (rows == NULL || rows->row_count != group.row_count || rows->row_end != group.row_end) {
        deleted_rows_unpin(rows);
        return damaged(identity, "impossible rows");
    }
    groups[group.row_group] = rows;
    *end = group.row_group + 1u;
    return STATUS_OK;
}

Status delete_mask_decode(const void *bytes, size_t byte_count, const DeleteIdentity *identity,
                          MemoryBudget *budget, DeleteMask **out)
{
    DeleteHeader header;
    DeletedRows *groups[FORMAT_ROWSET_ROW_GROUPS] = {NULL};
    DeleteMask *mask = NULL;
    ByteReader reader;
    uint32_t end = 0;
    TRY(check_header(bytes, byte_count, identity, &header));
    byte_reader_init(&reader, bytes, byte_count);
    byte_reader_skip(&reader, sizeof header);
    Status status = header.group_count > 0 ? STATUS_OK : damaged(identity, "no row group");
    for (uint32_t i = 0; i < header.group_count && status == STATUS_OK; i++) {
        status = decode_group(&reader, identity, budget, groups, &end);
    }
    if (status == STATUS_OK && byte_reader_remaining(&reader) > 0) {
        status = damaged(identity, "bytes too many");
    }
    if (status != STATUS_OK) {
        for (uint32_t i = 0; i < end; i++) {
            deleted_rows_unpin(groups[i]);
        }
        return status;
    }
    TRY(delete_mask_create(groups, end, &mask));
    if (mask->row_count != header.row_count) {
        delete_mask_unpin(mask);
        return damaged(identity, "impossible rows");
    }
    *out = mask;
    return STATUS_OK;
}
