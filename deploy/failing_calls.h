/*
 * failing_calls.h — a heap and a file table whose n-th call fails, once or from then on.
 *
 * Only in builds with BASALT_FAULTS. Calls are counted over all threads of the process: which of
 * them meets the failure is chance when several run.
 */
#pragma once
#include "base/heap.h"
#include "base/io/file.h"

typedef enum FailingCall {
#define FAILING_CALL(NAME, name, changes, needs_space) FAILING_CALL_##NAME,
#include "deploy/failing_calls.def"
#undef FAILING_CALL
    FAILING_CALL_COUNT
} FailingCall;

typedef enum FailingError {
    FAILING_ERROR_REFUSED, /* of an allocation: null */
    FAILING_ERROR_EIO,     /* nothing was done; of a write about half */
    FAILING_ERROR_LATE,    /* EIO of a change, though it was done */
    FAILING_ERROR_FULL,    /* ENOSPC of what needs space; as EIO otherwise */
    FAILING_ERROR_COUNT
} FailingError;

typedef struct FailingPlan {
    FailingCall call;
    uint64_t path;   /* only calls of this path (deploy/call_paths.h); 0: all */
    uint64_t number; /* the first of them that fails, from 1; 0: none */
    bool goes_on;    /* from there every allocation, or every file call, that can fail so */
    FailingError error;
    bool notes_paths; /* every call's path is noted */
} FailingPlan;

/* Counts anew and from here on lets calls fail as the plan says. */
void failing_calls_set(FailingPlan plan);
/* Calls of that name since then. */
uint64_t failing_calls_count(FailingCall call);
/* Failures since then; `*first` is the call of the first one. */
uint64_t failing_calls_failures(FailingCall *first);
const char *failing_call_name(FailingCall call);
/* Whether a call of that name can fail so. */
bool failing_call_can(FailingCall call, FailingError error);

extern const HeapOps failing_heap;
/* The operating system's files behind such a table. */
FileSystem *failing_files(void);
