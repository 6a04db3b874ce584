/* join_index.h — the indexes a join table may have, one file each. Internal to hash_join. */
#pragma once
#include "compute/operators/hash_join/join_table.h"

/* --- join_table.c --- */
void join_bitmap_insert_page(JoinTable *table, const RowPage *page, bool is_shared);

/* --- join_columns.c --- */
/* Whether the payload by position is not much larger than the rows. */
bool join_columns_fit(const JoinTable *table);
size_t join_columns_bytes(const JoinTable *table);
void join_columns_init(JoinTable *table); /* over table->memory */
void join_columns_insert_page(JoinTable *table, const RowPage *page);
void join_columns_gather(const JoinTable *table, uint32_t column, const JoinRow *rows,
                         const uint16_t *targets, uint32_t row_count, bool has_null_rows,
                         VectorBuffer *buffer, Vector *out);

/* --- join_keys.c --- */
bool join_keys_fit(const JoinTable *table); /* some number is no key */
size_t join_keys_bytes(JoinTable *table);
void join_keys_init(JoinTable *table);
void join_keys_insert_page(JoinTable *table, uint32_t page, bool is_shared);
uint32_t join_keys_lookup(const JoinTable *table, const JoinProbe *probe);

/* --- join_hash.c --- */
void join_hash_insert_page(JoinTable *table, uint32_t page, bool is_shared);
uint32_t join_hash_lookup(const JoinTable *table, const JoinProbe *probe);
