/* snapshot.h — what a reader sees: every fragment carries one. */
#pragma once
#include <stdint.h>

/* Commits at or before `position`, and the transaction's own earlier statements. */
typedef struct Snapshot {
    uint64_t position;
    uint64_t txn_id;    /* 0: none */
    uint32_t statement; /* sees own statements below this */
} Snapshot;
