/*
 * delete_codec.h — a delete mask as the bytes that the node's database keeps.
 *
 *   DeleteHeader 64 B, then per row group: DeleteGroup 16 B and its items, padded to 8 bytes
 *
 * Little endian; the checksum covers everything and the identity is part of what it covers, so that
 * neither a flipped bit nor the bytes of another rowset or transaction pass.
 */
#pragma once
#include "base/byte_buffer.h"
#include "storage/delete_mask.h"

#define DELETE_VERSION 1u
#define DELETE_MAGIC UINT32_C(0x4c454442) /* "BDEL" */

typedef struct DeleteHeader {
    uint32_t magic;       /* 0-3 */
    uint16_t version;     /* 4-5 */
    uint16_t flags;       /* 6-7 zero */
    uint64_t checksum;    /* 8-15 XXH3-64, seed 0, of all bytes with this field zero */
    uint64_t cluster;     /* 16-23 identity … */
    uint64_t table_id;    /* 24-31 */
    uint64_t rowset_id;   /* 32-39 */
    uint64_t txn_id;      /* 40-47 */
    uint32_t statement;   /* 48-51 … identity */
    uint32_t group_count; /* 52-55 DeleteGroups that follow: at least one */
    uint64_t row_count;   /* 56-63 deleted rows */
} DeleteHeader;
static_assert(sizeof(DeleteHeader) == 64, "delete header");

typedef struct DeleteGroup {
    uint16_t row_group;  /* 0-1 ascending */
    uint16_t form;       /* 2-3 DeleteForm */
    uint32_t item_count; /* 4-7 */
    uint32_t row_count;  /* 8-11 deleted rows */
    uint32_t row_end;    /* 12-15 the last one + 1 */
} DeleteGroup;
static_assert(sizeof(DeleteGroup) == 16, "delete group");

/* Whose deletes they are. Deltas of several transactions folded into one have txn_id 0. */
typedef struct DeleteIdentity {
    uint64_t cluster, table_id, rowset_id, txn_id;
    uint32_t statement;
} DeleteIdentity;

/* Appends to an empty buffer. */
Status delete_mask_encode(const DeleteMask *mask, const DeleteIdentity *identity,
                          ByteBuffer *target) CHECKED;
/* XX001 names table and rowset and what is wrong; 53200. */
Status delete_mask_decode(const void *bytes, size_t byte_count, const DeleteIdentity *identity,
                          MemoryBudget *budget, DeleteMask **out) CHECKED;
