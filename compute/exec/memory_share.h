/*
 * memory_share.h — how the operators of one query divide its grant.
 *
 * A part is set aside for taking rows to disk and reading them again: partitions being filled, one
 * partition's table. The rest is for tables (QueryContext.tables): who fills one takes what is
 * free, but for what is promised to those that are yet to begin: what the planner expects them to
 * need, at least a quarter of an equal share and at most that share. A refusal is a spill.
 *
 * Example, a grant of 128 MB, two joins and an aggregate: 32 MB are set aside; while the first
 * table is filled the other two are promised at most 32 MB each, so it may have 32 to 80 MB.
 */
#pragma once
#include "compute/exec/query_context.h"

typedef struct MemoryShare MemoryShare;
/* Of an operator that keeps rows, made with it; `expected_bytes` of its table on this endpoint. */
MemoryShare *memory_share_create(QueryContext *query, double expected_bytes);
/* The operator's first rows come: what it was promised is free for it, and for others. */
void memory_share_begin(QueryContext *query, MemoryShare *share);
/* Divides the grant, once all operators are made. */
void memory_shares_settle(QueryContext *query);
/* Little is left of what is set aside: a partition's table had better be cut. */
bool memory_is_short(const QueryContext *query);
