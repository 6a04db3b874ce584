/*
 * fuzz_delete_mask.c — any bytes as the deleted rows that a node's database keeps.
 *
 * Magic, version, identity and checksum are made right: a fuzzer cannot guess them. So are the
 * counts of rows, unless bit 0 of the first byte is set.
 *
 * Promised of what is accepted: it encodes to the same bytes; its counts are those of its rows; it
 * meets itself, and united with itself it has the same rows.
 */
#include <string.h>

#include "base/hash.h"
#include "storage/delete_codec.h"
#include "tests/fuzz/fuzz.h"

static const DeleteIdentity identity = {
    .cluster = 1, .table_id = 2, .rowset_id = 3, .txn_id = 4, .statement = 5};
#define BYTES_MAX ((size_t)64 << 10)

static MemoryBudget *budget;

/* Counts the rows of one group's items. */
static void count_rows(DeleteGroup *group, const uint8_t *items)
{
    group->row_count = group->row_end = 0;
    for (uint32_t i = 0; i < group->item_count; i++) {
        uint16_t rows[4] = {0};
        uint64_t word;
        const size_t bytes = delete_form_item_bytes((DeleteForm)group->form);
        memcpy(rows, items + i * bytes, bytes);
        memcpy(&word, rows, sizeof word);
        if (group->form == DELETE_FORM_LIST) {
            group->row_count++;
            group->row_end = rows[0] + 1u;
        } else if (group->form == DELETE_FORM_RUNS) {
            group->row_count += rows[1] - rows[0] + 1u;
            group->row_end = rows[1] + 1u;
        } else {
            group->row_count += (uint32_t)__builtin_popcountll(word);
            group->row_end =
                word == 0 ? group->row_end : i * 64 + 64 - (uint32_t)__builtin_clzll(word);
        }
    }
}

/* Counts the rows of all groups as far as they can be read. */
static void count_groups(uint8_t *bytes, size_t byte_count, DeleteHeader *header)
{
    size_t offset = sizeof *header;
    header->row_count = 0;
    for (uint32_t i = 0; i < header->group_count; i++) {
        DeleteGroup group;
        if (byte_count - offset < sizeof group) {
            return;
        }
        memcpy(&group, bytes + offset, sizeof group);
        const size_t item_bytes = delete_form_item_bytes((DeleteForm)group.form);
        const size_t left = byte_count - offset - sizeof group;
        if (group.item_count > left / item_bytes) {
            return;
        }
        count_rows(&group, bytes + offset + sizeof group);
        memcpy(bytes + offset, &group, sizeof group);
        header->row_count += group.row_count;
        offset += sizeof group + (group.item_count * item_bytes + 7) / 8 * 8;
        if (offset > byte_count) {
            return;
        }
    }
}

static void make_right(uint8_t *bytes, size_t byte_count)
{
    DeleteHeader header;
    memcpy(&header, bytes, sizeof header);
    if ((bytes[0] & 1) == 0) {
        count_groups(bytes, byte_count, &header);
    }
    header.magic = DELETE_MAGIC;
    header.version = DELETE_VERSION;
    header.checksum = 0;
    header.cluster = identity.cluster;
    header.table_id = identity.table_id;
    header.rowset_id = identity.rowset_id;
    header.txn_id = identity.txn_id;
    header.statement = identity.statement;
    header.checksum = hash_bytes(bytes + sizeof header, byte_count - sizeof header,
                                 hash_bytes(&header, sizeof header, 0));
    memcpy(bytes, &header, sizeof header);
}

static void check_group(const DeletedRows *rows)
{
    uint64_t words[DELETE_GROUP_WORDS] = {0};
    uint32_t count = 0;
    deleted_rows_add_to(rows, words);
    for (uint32_t i = 0; i < DELETE_GROUP_WORDS; i++) {
        count += (uint32_t)__builtin_popcountll(words[i]);
    }
    require(count == rows->row_count && count > 0);
    require(rows->row_end > 0 && rows->row_end <= FORMAT_ROW_GROUP_ROWS);
    require(deleted_rows_has(rows, rows->row_end - 1));
    require(rows->row_end == FORMAT_ROW_GROUP_ROWS || !deleted_rows_has(rows, rows->row_end));
    for (uint32_t first = 0; first < FORMAT_ROW_GROUP_ROWS; first += VECTOR_ROWS) {
        RowMask mask;
        row_mask_set_first(&mask, VECTOR_ROWS);
        deleted_rows_clear(rows, first, &mask);
        for (uint32_t i = 0; i < VALIDITY_WORDS; i++) {
            require(mask.words[i] == ~words[first / 64 + i]);
        }
    }
    plant(rows->form == DELETE_FORM_LIST && rows->item_count == 2);
}

static void check_mask(DeleteMask *mask, const uint8_t *bytes, size_t byte_count)
{
    uint64_t count = 0;
    ByteBuffer again;
    DeleteMask *both;
    for (uint32_t i = 0; i < mask->group_count; i++) {
        if (mask->groups[i] != NULL) {
            check_group(mask->groups[i]);
            count += mask->groups[i]->row_count;
        }
    }
    require(count == mask->row_count);
    byte_buffer_init(&again, 0);
    require(delete_mask_encode(mask, &identity, &again) == STATUS_OK);
    require(again.bytes == byte_count && memcmp(again.data, bytes, byte_count) == 0);
    byte_buffer_deinit(&again);
    require(delete_mask_intersects(mask, mask));
    require(delete_mask_union(mask, mask, budget, &both) == STATUS_OK);
    require(both->row_count == mask->row_count && both->group_count == mask->group_count);
    delete_mask_unpin(both);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static PagePool *pool;
    DeleteMask *mask;
    if (pool == NULL) {
        status_ignore(page_pool_create(&pool, (size_t)64 << 20), "checked below");
        require(pool != NULL);
        budget = memory_budget_create(pool, NULL, "fuzz", 0);
    }
    if (bytes > BYTES_MAX || bytes == 0) {
        return 0;
    }
    uint8_t *copy = malloc(bytes); // nothing is readable behind it
    require(copy != NULL);
    memcpy(copy, data, bytes);
    if (bytes >= sizeof(DeleteHeader)) {
        make_right(copy, bytes);
    }
    Status status = delete_mask_decode(copy, bytes, &identity, budget, &mask);
    if (status == STATUS_OK) {
        check_mask(mask, copy, bytes);
        delete_mask_unpin(mask);
    } else {
        require(status_sqlstate(status) == SQLSTATE_DATA_CORRUPTED);
        status_free(status);
    }
    free(copy);
    require(memory_budget_used_bytes(budget) == 0);
    return 0;
}
