/*
 * table_locks.h — which transactions use a table, and who waits for one that holds it alone.
 *
 * Statements take a table they name SHARED, whether they read or change it: rows are guarded by
 * snapshots and votes, not here. LOCK takes it EXCLUSIVE. Both last until the transaction ends, or
 * goes back to before the statement that took them. Nobody overtakes those who wait, but a
 * transaction that has the table already: it may only wait for its present holders.
 *
 * A wait that would close a circle of transactions, each waiting for the next, fails with 40P01:
 *
 *   A holds t, waits for u <- B holds u, asks for t: B is told so, and its locks are released
 *
 * Thread-safe.
 */
#pragma once
#include "base/arena.h"
#include "base/status.h"

typedef struct TableLocks TableLocks;

typedef enum LockMode { LOCK_SHARED, LOCK_EXCLUSIVE } LockMode;

/* A transaction, as long as it holds or waits for a lock. */
typedef struct LockOwner {
    uint32_t process_id;
    struct LockGrant *grants;
    const struct LockWait *wait; /* null: it does not wait */
    uint64_t search;             /* the last search for a circle that came by */
} LockOwner;

#define LOCK_NAME_BYTES 272

typedef struct LockRequest {
    uint64_t table_id; /* 0: none */
    LockMode mode;
    uint32_t statement;         /* of the owner's transaction */
    char name[LOCK_NAME_BYTES]; /* for messages */
} LockRequest;

TableLocks *table_locks_create(void); /* null when memory is refused */
void table_locks_destroy(TableLocks *locks);
/* `*is_granted` false: one would have to wait. 53200. */
Status table_locks_try(TableLocks *locks, LockOwner *owner, const LockRequest *request,
                       bool *is_granted) CHECKED;
/* Waits; `check` is asked several times a second whether to go on. 40P01, 53200. */
Status table_locks_wait(TableLocks *locks, LockOwner *owner, const LockRequest *request,
                        Status (*check)(void *object), void *object) CHECKED;
/* Those taken by statements from `first_statement` on; 0: all. */
void table_locks_release(TableLocks *locks, LockOwner *owner, uint32_t first_statement);

typedef struct LockInfo {
    uint64_t table_id;
    uint32_t process_id;
    LockMode mode;
    bool is_granted;
} LockInfo;
/* All locks held and waited for, for system tables. */
uint32_t table_locks_list(TableLocks *locks, Arena *arena, LockInfo **out);
/* As PostgreSQL calls it. */
const char *lock_mode_name(LockMode mode);
