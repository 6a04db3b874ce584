/*
 * zone_map.h — the smallest and largest value of one block and a few facts more, kept in the footer
 * so that scans can skip the block and count without it.
 *
 * Invariants: (1) min <= max in the column's order; (2) an all-null block has no range; (3) text
 * bounds are prefixes of 16 bytes; a cut max stands for everything that starts with it: a zone map
 * may admit too much, never too little.
 */
#pragma once
#include "base/byte_buffer.h"
#include "base/vector/predicate.h"
#include "storage/encoding/encoding.h"
#include "storage/format.h"

/* The record of a chunk. */
void zone_record_build(ZoneRecord *record, const ColumnChunk *chunk, const ColumnProfile *profile);

/* What the zone map says of the block's rows: NONE passes, SOME may pass, ALL pass (nulls counted
 * as failing). */
PredicateVerdict zone_record_check(const ZoneRecord *record, Type type, const Predicate *predicate);

/* Bounds of a column of integers; false when there is no range or it exceeds int64. */
bool zone_record_int64(const ZoneRecord *record, int64_t *min, int64_t *max);
/* The record's smallest or largest value; text: the prefix, a view into the record. Only with a
 * range. */
Value zone_record_bound(const ZoneRecord *record, Type type, bool is_max);
/* XX001 when the record contradicts itself or the type. */
Status zone_record_verify(const ZoneRecord *record, Type type) CHECKED;
/* "min .. max" for people; text in quotes, cut values end in an ellipsis. */
void zone_record_print(const ZoneRecord *record, Type type, ByteBuffer *target);
