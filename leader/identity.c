/*
 * identity.c — which numbers of IDENTITY columns are free, over all sessions.
 *
 * A statement that knows how many rows it makes takes that many numbers. One that does not know
 * holds the table's numbers until it ends; others wait for it. Numbers of a statement that failed
 * may be given again, those of a transaction that was rolled back are lost.
 */
#include "leader/identity.h"

#include <stdlib.h>

#include "leader/session_internal.h"

#define HOLD_WAIT_US 20000

typedef struct IdentityTable {
    struct IdentityTable *next;
    uint64_t table_id;
    uint64_t next_number;
    bool is_held;
} IdentityTable;

struct IdentityNumbers {
    Mutex mutex; /* guards the list */
    Condition released;
    IdentityTable *tables;
};

IdentityNumbers *identity_numbers_create(void)
{
    IdentityNumbers *numbers = calloc(1, sizeof(*numbers));
    if (numbers != NULL) {
        mutex_init(&numbers->mutex, MUTEX_RANK_CATALOG);
        condition_init(&numbers->released);
    }
    return numbers;
}

void identity_numbers_destroy(IdentityNumbers *numbers)
{
    if (numbers == NULL) {
        return;
    }
    while (numbers->tables != NULL) {
        IdentityTable *table = numbers->tables;
        numbers->tables = table->next;
        free(table);
    }
    condition_deinit(&numbers->released);
    mutex_deinit(&numbers->mutex);
    free(numbers);
}

/* The mutex is held. Null: no memory. */
static IdentityTable *find_table(IdentityNumbers *numbers, uint64_t table_id)
{
    IdentityTable *table = numbers->tables;
    while (table != NULL && table->table_id != table_id) {
        table = table->next;
    }
    if (table == NULL && (table = calloc(1, sizeof(*table))) != NULL) {
        table->table_id = table_id;
        table->next = numbers->tables;
        numbers->tables = table;
    }
    return table;
}

/* One try; `*is_taken` false: another statement holds the numbers. */
static Status try_take(IdentityNumbers *numbers, const CatalogTable *catalog_table, uint32_t count,
                       bool *is_taken, uint64_t *first)
{
    Status status = STATUS_OK;
    mutex_lock(&numbers->mutex);
    IdentityTable *table = find_table(numbers, catalog_table->table_id);
    if (table != NULL && table->is_held) {
        condition_wait(&numbers->released, &numbers->mutex, HOLD_WAIT_US);
    }
    if (table == NULL) {
        status = status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for identity numbers");
    } else if (!table->is_held) {
        if (table->next_number < catalog_table->identity_next) {
            table->next_number = catalog_table->identity_next;
        }
        *first = table->next_number;
        table->next_number += count;
        table->is_held = count == 0;
        *is_taken = true;
    }
    mutex_unlock(&numbers->mutex);
    return status;
}

Status session_take_identity(Session *session, const CatalogTable *table, uint32_t count,
                             int64_t *first)
{
    bool is_taken = false;
    uint64_t number = 0;
    if (session->is_describing) {
        return STATUS_OK;
    }
    while (!is_taken) {
        TRY(try_take(session->leader->identities, table, count, &is_taken, &number));
        if (!is_taken) {
            TRY(statement_check(session, NULL));
        }
    }
    session->identity_table = table->table_id;
    session->identity_next = number + count;
    session->holds_identity = count == 0;
    *first = (int64_t)number;
    return STATUS_OK;
}

void session_note_identity(Session *session, uint64_t row_count)
{
    Txn *txn = &session->txn;
    if (session->identity_table == 0) {
        return;
    }
    session->identity_next += session->holds_identity ? row_count : 0;
    CatalogChange *change = txn_new_change(txn, CATALOG_ADVANCE_IDENTITY);
    change->table_id = session->identity_table;
    change->row_count = session->identity_next;
    catalog_change_add(&txn->changes, change);
}

void session_release_identity(Session *session)
{
    IdentityNumbers *numbers = session->leader->identities;
    if (session->holds_identity) {
        mutex_lock(&numbers->mutex);
        IdentityTable *table = find_table(numbers, session->identity_table);
        table->next_number = session->identity_next;
        table->is_held = false;
        condition_broadcast(&numbers->released);
        mutex_unlock(&numbers->mutex);
    }
    session->identity_table = 0;
    session->holds_identity = false;
}
