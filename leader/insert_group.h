/*
 * insert_group.h — small INSERTs of many sessions, written together.
 *
 * While one session writes into a table, others that want to insert a few rows of constants wait;
 * the first of them then writes all that have gathered, in one transaction. Before that it waits a
 * moment for those whose rows the last group has carried: they have just been answered and mostly
 * come again. Each session hears of its own rows; when the common transaction fails, everyone tries
 * again alone and gets the answer that is due. Example: of 8 sessions that insert all the time, a
 * commit carries 8 rows.
 *
 *   join ----> WAITING ----> LEADING: gather, write the members' rows
 *                 |              | finish
 *                 +---> TAKEN ---+--> DONE; ALONE: the group failed; UNKNOWN: that is unclear
 *
 * Thread-safe.
 */
#pragma once
#include "base/mutex.h"
#include "planner/logical/logical_plan.h"

typedef struct InsertGroups InsertGroups;

typedef enum InsertState {
    INSERT_WAITING,
    INSERT_TAKEN, /* somebody writes its rows now */
    INSERT_LEADING,
    INSERT_DONE,
    INSERT_ALONE,
    INSERT_UNKNOWN
} InsertState;

/* One session's INSERT, on its stack until it has left. */
typedef struct InsertMember {
    const CatalogTable *table;
    const LogicalValues *values;
    InsertState state;
    struct InsertMember *next; /* among those who wait, or those of one group */
    uint32_t line;
    Condition gathered; /* of one that leads and gathers */
    Mutex turn_mutex;   /* guards what follows: who is woken does not queue up for the groups */
    Condition turn;
    bool is_turn; /* the state says what to do */
} InsertMember;

InsertGroups *insert_groups_create(void);
void insert_groups_destroy(InsertGroups *groups);

/* Joins those who insert into the same table. */
void insert_group_join(InsertGroups *groups, InsertMember *member);
/* Waits until the state is neither WAITING nor TAKEN, or `timeout_us` have passed. */
InsertState insert_group_wait(InsertGroups *groups, InsertMember *member, int64_t timeout_us);
/* Gives up waiting; false when it is too late for that: the rows are being written. */
bool insert_group_leave(InsertGroups *groups, InsertMember *member);
/* Of the leading member: who waits goes along (`next`), after at most `timeout_us`. */
void insert_group_gather(InsertGroups *groups, InsertMember *leading, int64_t timeout_us);
/* Of the leading member: the others are DONE, ALONE or UNKNOWN; the next one leads. */
void insert_group_finish(InsertGroups *groups, InsertMember *leading, InsertState others);
