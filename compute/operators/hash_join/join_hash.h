/* join_hash.h — the HASH index of a join table: insertion and lookup. Internal to hash_join. */
#pragma once
#include "compute/operators/hash_join/join_table.h"

void join_hash_insert_page(JoinTable *table, uint32_t page, bool is_shared);
/* As join_table_lookup. */
uint32_t join_hash_lookup(const JoinTable *table, const JoinProbe *probe);
