/* leader_internal.h — the leader's parts, shared by its rooms. */
#pragma once
#include "leader/identity.h"
#include "leader/leader.h"
#include "leader/query/distributed_query.h"
#include "leader/server.h"
#include "leader/txn/change_gate.h"
#include "leader/txn/table_locks.h"
#include "leader/vacuum/merge_gate.h"
#include "leader/vacuum/sort_advice.h"

typedef struct IdleMerge IdleMerge;

struct Leader {
    Host *host;
    Arena *arena;
    StreamHub *hub;
    MemoryBudget *budget;
    CommitLog *log;
    Nodes *nodes;
    struct InsertGroups *insert_groups;
    Server *server;
    IdentityNumbers *identities;
    QueryServices services;
    MergeGate merge_gate;
    ChangeGate change_gate;
    TableLocks *table_locks;
    SortAdvice *sort_advice;
    IdleMerge *idle_merge; /* null: switched off */
    const char *database;
    int64_t start_us; /* wall clock */
};
