/*
 * table_change.h — what transactions do to whole tables, whoever asks: a session, or nobody.
 */
#pragma once
#include "leader/txn/txn.h"

/* A deep copy, such as a change needs: the bound statement dies with its portal. */
CatalogTable *ddl_copy_table(Arena *arena, const CatalogTable *source);
/* Every node drops the table's rows as the transaction sees them, or (is_drop) all that it has when
 * this commits. */
Status ddl_drop_rows(Txn *txn, const Snapshot *snapshot, uint64_t table_id, bool is_drop) CHECKED;
/* At the commit `definition`, with the rows that this transaction gives it, stands in the place of
 * table `old_id`: 40001 then when its rows have changed meanwhile. `*out`: it under its new id. */
Status ddl_replace_table(Txn *txn, uint64_t old_id, const CatalogTable *definition,
                         CatalogTable **out) CHECKED;
