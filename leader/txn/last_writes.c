/* last_writes.c — see last_writes.h. A hash table; what does not fit counts as changed. */
#include "leader/txn/last_writes.h"

#include <stdlib.h>

#include "base/hash.h"

#define CAPACITY_FIRST 64u

typedef struct LastWrite {
    uint64_t table_id; /* 0: free */
    uint64_t position;
} LastWrite;

struct LastWrites {
    LastWrite *slots;
    uint32_t capacity, count; /* a power of two; at most half are used */
    uint64_t forgotten;       /* some table changed at this position: memory was refused */
};

static LastWrite *find(const LastWrites *writes, uint64_t table_id)
{
    uint32_t slot = (uint32_t)hash_mix(table_id) & (writes->capacity - 1);
    while (writes->slots[slot].table_id != 0 && writes->slots[slot].table_id != table_id) {
        slot = (slot + 1) & (writes->capacity - 1);
    }
    return &writes->slots[slot];
}

LastWrites *last_writes_create(void)
{
    LastWrites *writes = calloc(1, sizeof(*writes));
    LastWrite *slots = calloc(CAPACITY_FIRST, sizeof(*slots));
    if (writes == NULL || slots == NULL) {
        free(writes);
        free(slots);
        return NULL;
    }
    writes->slots = slots;
    writes->capacity = CAPACITY_FIRST;
    return writes;
}

void last_writes_destroy(LastWrites *writes)
{
    if (writes != NULL) {
        free(writes->slots);
        free(writes);
    }
}

static bool grow(LastWrites *writes)
{
    LastWrites larger = *writes;
    larger.capacity = 2 * writes->capacity;
    larger.slots = calloc(larger.capacity, sizeof(*larger.slots));
    if (larger.slots == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < writes->capacity; i++) {
        if (writes->slots[i].table_id != 0) {
            *find(&larger, writes->slots[i].table_id) = writes->slots[i];
        }
    }
    free(writes->slots);
    *writes = larger;
    return true;
}

static void note(LastWrites *writes, uint64_t table_id, uint64_t position)
{
    LastWrite *write = find(writes, table_id);
    if (write->table_id == 0) {
        if (2 * writes->count >= writes->capacity) {
            if (!grow(writes)) {
                writes->forgotten = position;
                return;
            }
            write = find(writes, table_id);
        }
        write->table_id = table_id;
        writes->count++;
    }
    write->position = position;
}

static bool changes_rows(const CatalogChange *change)
{
    return !change->is_analysis &&
           (change->kind == CATALOG_ADD_STATISTICS || change->kind == CATALOG_REMOVE_ROWS ||
            change->kind == CATALOG_CLEAR_STATISTICS);
}

void last_writes_note(LastWrites *writes, const CatalogChangeList *changes, uint64_t position)
{
    for (const CatalogChange *change = changes->first; change != NULL; change = change->next) {
        if (changes_rows(change)) {
            note(writes, change->table_id, position);
        }
    }
}

Status last_writes_check(const LastWrites *writes, const CatalogChangeList *changes)
{
    for (const CatalogChange *change = changes->first; change != NULL; change = change->next) {
        const bool is_replaced = change->kind == CATALOG_REPLACE_TABLE;
        if (is_replaced && (find(writes, change->table_id)->position > change->snapshot ||
                            writes->forgotten > change->snapshot)) {
            return status_with_hint(
                status_error(SQLSTATE_SERIALIZATION_FAILURE,
                             "rows of table \"%s\" were changed while they were written anew",
                             change->table->name),
                "try again when fewer sessions write into the table, or LOCK it before");
        }
    }
    return STATUS_OK;
}
