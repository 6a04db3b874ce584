/*
 * redo.h — what a node needs to write a small INSERT once more: its batches as bytes.
 *
 *   redo   varint count, then each: u64 rowset id, u64 table id, u32 slice, u16 first and last
 * bucket, u32 statement, u64 rows, varint length and bytes of the batch; u64 XXH3 of all before it
 *
 * A transaction that has only added few bytes votes without a sync: its redo stands in the leader's
 * commit record, which is synced, and comes with the outcome until the node has it durably. The
 * record stays the one commit point (Gray and Reuter, Transaction Processing, 10: logical logging
 * of a branch with its root).
 */
#pragma once
#include "storage/manifest_store.h"

#define REDO_BYTES_MAX 8192u /* of one transaction on one node */
#define REDO_CHECKSUM_SEED 0x6f646572u

/* Whether all of them are batches and fit. */
bool redo_fits(const PendingRows *rows, uint32_t row_count);
void redo_encode(const PendingRows *rows, uint32_t row_count, ByteBuffer *target);
/* Visits the batches in order; `facts` and `bytes` are views. XX001. */
Status redo_decode(const uint8_t *data, size_t bytes, void *object,
                   Status (*visit)(void *object, const StoredRows *facts, const uint8_t *bytes,
                                   uint32_t statement)) CHECKED;
