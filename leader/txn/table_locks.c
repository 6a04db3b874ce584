/* table_locks.c — see table_locks.h. Tables that nobody uses take no memory. */
#include "leader/txn/table_locks.h"

#include <stdlib.h>
#include <string.h>

#include "base/byte_buffer.h"
#include "base/clock.h"
#include "base/mutex.h"

#define BUCKETS 256u
#define WAIT_US 20000
#define SEARCH_US 500000 /* between two searches for a circle; the first is at once */
enum { CIRCLE_MAX = 4096, CIRCLE_SHOWN_MAX = 8 };

typedef struct LockGrant {
    struct LockGrant *next;       /* of the table */
    struct LockGrant *next_owned; /* of the owner */
    struct TableLock *lock;
    LockOwner *owner;
    LockMode mode;
    uint32_t statement;
} LockGrant;

typedef struct LockWait {
    struct LockWait *next; /* who came later */
    struct TableLock *lock;
    LockOwner *owner;
    LockMode mode;
} LockWait;

typedef struct TableLock {
    struct TableLock *next; /* in the bucket */
    uint64_t table_id;
    LockGrant *grants;
    LockWait *waits; /* oldest first */
    char name[LOCK_NAME_BYTES];
} TableLock;

struct TableLocks {
    Mutex mutex; /* guards all, owners too */
    Condition released;
    TableLock *buckets[BUCKETS];
    uint64_t search_count;
};

TableLocks *table_locks_create(void)
{
    TableLocks *locks = calloc(1, sizeof(*locks));
    if (locks != NULL) {
        mutex_init(&locks->mutex, MUTEX_RANK_TXN);
        condition_init(&locks->released);
    }
    return locks;
}

void table_locks_destroy(TableLocks *locks)
{
    if (locks != NULL) {
        condition_deinit(&locks->released);
        mutex_deinit(&locks->mutex);
        free(locks);
    }
}

const char *lock_mode_name(LockMode mode)
{
    return mode == LOCK_EXCLUSIVE ? "AccessExclusiveLock" : "AccessShareLock";
}

static Status no_memory(void)
{
    return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a lock");
}

/* ---- tables and grants; the mutex is held ---- */

static TableLock *make_lock(TableLocks *locks, const LockRequest *request)
{
    TableLock **bucket = &locks->buckets[request->table_id % BUCKETS];
    for (TableLock *lock = *bucket; lock != NULL; lock = lock->next) {
        if (lock->table_id == request->table_id) {
            return lock;
        }
    }
    TableLock *lock = calloc(1, sizeof(*lock));
    if (lock != NULL) {
        lock->table_id = request->table_id;
        memcpy(lock->name, request->name, sizeof(lock->name));
        lock->name[sizeof(lock->name) - 1] = '\0';
        lock->next = *bucket;
        *bucket = lock;
    }
    return lock;
}

static void drop_unused(TableLocks *locks, TableLock *lock)
{
    if (lock->grants != NULL || lock->waits != NULL) {
        return;
    }
    TableLock **link = &locks->buckets[lock->table_id % BUCKETS];
    while (*link != lock) {
        link = &(*link)->next;
    }
    *link = lock->next;
    free(lock);
}

static bool is_in_the_way(LockMode one, LockMode other)
{
    return one == LOCK_EXCLUSIVE || other == LOCK_EXCLUSIVE;
}

static bool holds(const LockOwner *owner, const TableLock *lock, LockMode least)
{
    for (const LockGrant *grant = owner->grants; grant != NULL; grant = grant->next_owned) {
        if (grant->lock == lock && grant->mode >= least) {
            return true;
        }
    }
    return false;
}

/* `end`: the first of those who wait that is not asked; null: all are. */
static bool can_have(const TableLock *lock, const LockOwner *owner, LockMode mode,
                     const LockWait *end)
{
    for (const LockGrant *grant = lock->grants; grant != NULL; grant = grant->next) {
        if (grant->owner != owner && is_in_the_way(grant->mode, mode)) {
            return false;
        }
    }
    if (holds(owner, lock, LOCK_SHARED)) {
        return true;
    }
    for (const LockWait *wait = lock->waits; wait != end; wait = wait->next) {
        if (is_in_the_way(wait->mode, mode)) {
            return false;
        }
    }
    return true;
}

static Status add_grant(TableLock *lock, LockOwner *owner, const LockRequest *request)
{
    LockGrant *grant = calloc(1, sizeof(*grant));
    if (grant == NULL) {
        return no_memory();
    }
    *grant = (LockGrant){.next = lock->grants,
                         .next_owned = owner->grants,
                         .lock = lock,
                         .owner = owner,
                         .mode = request->mode,
                         .statement = request->statement};
    lock->grants = owner->grants = grant;
    return STATUS_OK;
}

static void remove_grant(TableLocks *locks, LockGrant *grant)
{
    LockGrant **link = &grant->lock->grants;
    while (*link != grant) {
        link = &(*link)->next;
    }
    *link = grant->next;
    drop_unused(locks, grant->lock);
    free(grant);
}

/* ---- circles; the mutex is held ---- */

typedef struct Circle {
    const LockWait *waits[CIRCLE_MAX]; /* each waits for the owner of the next, the last for the
                                        * owner of the first */
    uint32_t count;
    const LockOwner *start;
    uint64_t search;
} Circle;

static bool follow(Circle *circle, LockOwner *owner);

static bool leads_back(Circle *circle, LockOwner *holder)
{
    return holder == circle->start || follow(circle, holder);
}

/* Whether somebody `owner` waits for, directly or not, is where the search began. */
static bool follow(Circle *circle, LockOwner *owner)
{
    const LockWait *wait = owner->wait;
    if (wait == NULL || owner->search == circle->search || circle->count == CIRCLE_MAX) {
        return false;
    }
    owner->search = circle->search;
    circle->waits[circle->count++] = wait;
    for (const LockGrant *grant = wait->lock->grants; grant != NULL; grant = grant->next) {
        if (grant->owner != owner && is_in_the_way(grant->mode, wait->mode) &&
            leads_back(circle, grant->owner)) {
            return true;
        }
    }
    const bool overtakes = holds(owner, wait->lock, LOCK_SHARED);
    for (const LockWait *earlier = wait->lock->waits; !overtakes && earlier != wait;
         earlier = earlier->next) {
        if (is_in_the_way(earlier->mode, wait->mode) && leads_back(circle, earlier->owner)) {
            return true;
        }
    }
    circle->count--;
    return false;
}

/* PostgreSQL's words. */
static Status deadlock(const Circle *circle)
{
    ByteBuffer text;
    byte_buffer_init(&text, 0);
    for (uint32_t i = 0; i < circle->count && i < CIRCLE_SHOWN_MAX; i++) {
        const LockWait *wait = circle->waits[i];
        const LockOwner *next = circle->waits[(i + 1) % circle->count]->owner;
        byte_buffer_printf(&text,
                           "%sProcess %u waits for %s on relation %lu (%s); blocked by process %u.",
                           i == 0 ? "" : "\n", wait->owner->process_id, lock_mode_name(wait->mode),
                           (unsigned long)wait->lock->table_id, wait->lock->name, next->process_id);
    }
    Status status = status_with_detail(
        status_error(SQLSTATE_DEADLOCK_DETECTED, "deadlock detected"), "%.*s", (int)text.bytes,
        (const char *)text.data);
    byte_buffer_deinit(&text);
    return status;
}

static Status check_circle(TableLocks *locks, const LockOwner *owner)
{
    Circle *circle = calloc(1, sizeof(*circle));
    if (circle == NULL) {
        return no_memory();
    }
    circle->start = owner;
    circle->search = ++locks->search_count;
    Status status = follow(circle, (LockOwner *)owner) ? deadlock(circle) : STATUS_OK;
    free(circle);
    return status;
}

/* ---- taking and releasing ---- */

Status table_locks_try(TableLocks *locks, LockOwner *owner, const LockRequest *request,
                       bool *is_granted)
{
    Status status = STATUS_OK;
    mutex_lock(&locks->mutex);
    TableLock *lock = make_lock(locks, request);
    if (lock == NULL) {
        status = no_memory();
    } else if (holds(owner, lock, request->mode)) {
        *is_granted = true;
    } else {
        *is_granted = can_have(lock, owner, request->mode, NULL);
        status = *is_granted ? add_grant(lock, owner, request) : STATUS_OK;
        drop_unused(locks, lock);
    }
    mutex_unlock(&locks->mutex);
    return status;
}

static void enqueue(LockWait *wait)
{
    LockWait **end = &wait->lock->waits;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = wait;
    wait->owner->wait = wait;
}

static void dequeue(TableLocks *locks, LockWait *wait)
{
    LockWait **link = &wait->lock->waits;
    while (*link != wait) {
        link = &(*link)->next;
    }
    *link = wait->next;
    wait->owner->wait = NULL;
    drop_unused(locks, wait->lock);
    condition_broadcast(&locks->released); // those behind it may go on
}

static Status wait_in_line(TableLocks *locks, const LockWait *wait, Status (*check)(void *object),
                           void *object)
{
    int64_t next_search = 0;
    while (!can_have(wait->lock, wait->owner, wait->mode, wait)) {
        if (clock_monotonic_us() >= next_search) {
            TRY(check_circle(locks, wait->owner));
            next_search = clock_monotonic_us() + SEARCH_US;
        }
        condition_wait(&locks->released, &locks->mutex, WAIT_US);
        mutex_unlock(&locks->mutex);
        Status status = check(object);
        mutex_lock(&locks->mutex);
        TRY(status);
    }
    return STATUS_OK;
}

Status table_locks_wait(TableLocks *locks, LockOwner *owner, const LockRequest *request,
                        Status (*check)(void *object), void *object)
{
    LockWait wait = {.owner = owner, .mode = request->mode};
    mutex_lock(&locks->mutex);
    wait.lock = make_lock(locks, request);
    Status status = wait.lock == NULL ? no_memory() : STATUS_OK;
    if (status == STATUS_OK) {
        enqueue(&wait);
        status = wait_in_line(locks, &wait, check, object);
        if (status == STATUS_OK) {
            status = add_grant(wait.lock, owner, request);
        }
        dequeue(locks, &wait);
    }
    mutex_unlock(&locks->mutex);
    return status;
}

void table_locks_release(TableLocks *locks, LockOwner *owner, uint32_t first_statement)
{
    mutex_lock(&locks->mutex);
    bool is_released = false;
    for (LockGrant **link = &owner->grants; *link != NULL;) {
        LockGrant *grant = *link;
        if (grant->statement < first_statement) {
            link = &grant->next_owned;
            continue;
        }
        *link = grant->next_owned;
        is_released = is_released || grant->lock->waits != NULL;
        remove_grant(locks, grant);
    }
    if (is_released) {
        condition_broadcast(&locks->released);
    }
    mutex_unlock(&locks->mutex);
}

/* ---- looking at them ---- */

/* Counts them all, and fills in as many as there is room for. */
static uint32_t collect(const TableLocks *locks, LockInfo *infos, uint32_t capacity)
{
    uint32_t count = 0;
    for (uint32_t b = 0; b < BUCKETS; b++) {
        for (const TableLock *lock = locks->buckets[b]; lock != NULL; lock = lock->next) {
            LockInfo info = {.table_id = lock->table_id, .is_granted = true};
            for (const LockGrant *grant = lock->grants; grant != NULL; grant = grant->next) {
                info.process_id = grant->owner->process_id;
                info.mode = grant->mode;
                if (count++ < capacity) {
                    infos[count - 1] = info;
                }
            }
            info.is_granted = false;
            for (const LockWait *wait = lock->waits; wait != NULL; wait = wait->next) {
                info.process_id = wait->owner->process_id;
                info.mode = wait->mode;
                if (count++ < capacity) {
                    infos[count - 1] = info;
                }
            }
        }
    }
    return count;
}

uint32_t table_locks_list(TableLocks *locks, Arena *arena, LockInfo **out)
{
    mutex_lock(&locks->mutex);
    const uint32_t count = collect(locks, NULL, 0);
    *out = ARENA_ARRAY(arena, LockInfo, count + 1);
    collect(locks, *out, count);
    mutex_unlock(&locks->mutex);
    return count;
}
