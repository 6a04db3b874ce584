/*
 * fault.h — named fault points: places where a test may make the world go wrong.
 *
 * TRY(FAULT("commit.before_record")) does nothing in builds without BASALT_FAULTS (release).
 * With it, each use emits a record into the linker section `basalt_faults`; a test demands that
 * the section equals fault_points.def. Armed by BASALT_FAULT="name=action[:hit];…" or fault_arm.
 */
#pragma once
#include "base/status.h"

typedef enum FaultAction {
    FAULT_ACTION_NONE,
    FAULT_ACTION_ERROR,   /* returns 58030 */
    FAULT_ACTION_NOSPACE, /* returns 53100 */
    FAULT_ACTION_NOMEM,   /* returns 53200 */
    FAULT_ACTION_CRASH,   /* kills the process with SIGKILL */
    FAULT_ACTION_HANG,    /* sleeps until disarmed, at most 60 s */
    FAULT_ACTION_SLEEP    /* 200 ms */
} FaultAction;

#ifdef BASALT_FAULTS
typedef struct FaultPoint {
    const char *name;
    uint64_t hits;
    FaultAction action;
    uint64_t hit_wanted; /* acts at this hit (from 1); 0: at every one */
} FaultPoint;
Status fault_hit(FaultPoint *point);
#define FAULT(point_name)                                                                          \
    __extension__({                                                                                \
        static FaultPoint fault_point_                                                             \
            __attribute__((section("basalt_faults"), used)) = {.name = (point_name)};              \
        fault_hit(&fault_point_);                                                                  \
    })
/* Negative control of tests: true when BASALT_BREAK is `name`; the program is then wrong. */
bool fault_breaks(const char *name);
#define FAULT_BREAKS(name) fault_breaks(name)
Status fault_arm(const char *specification) CHECKED; /* 22023 for an unknown name */
void fault_disarm_all(void);
void fault_visit(void (*visit)(void *object, const FaultPoint *point), void *object);
bool fault_is_listed(const char *name); /* in fault_points.def */
/* XX000 unless the points linked into this binary are exactly those of fault_points.def. */
Status fault_check_list(void) CHECKED;
#else
#define FAULT(point_name) STATUS_OK
#define FAULT_BREAKS(name) false
#endif
