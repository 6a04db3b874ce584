/* fault.c — arming and hitting the fault points that the linker gathered. */
#include "base/fault.h"

#ifdef BASALT_FAULTS

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum { FAULT_HANG_US_MAX = 60000000, FAULT_POLL_US = 1000, FAULT_SLEEP_US = 200000 };

/* The linker's bounds of the section; null when a binary has no fault point at all. */
extern FaultPoint __start_basalt_faults[] __attribute__((weak));
extern FaultPoint __stop_basalt_faults[] __attribute__((weak));

static const char *const listed_points[] = {
#define FAULT_POINT(name, help) name,
#include "base/fault_points.def"
#undef FAULT_POINT
};

static const char *const action_names[] = {
    [FAULT_ACTION_NONE] = "none",       [FAULT_ACTION_ERROR] = "error",
    [FAULT_ACTION_NOSPACE] = "nospace", [FAULT_ACTION_NOMEM] = "nomem",
    [FAULT_ACTION_CRASH] = "crash",     [FAULT_ACTION_HANG] = "hang",
    [FAULT_ACTION_SLEEP] = "sleep",
};

// Points are hit by any thread and armed by another: relaxed atomics, since nothing else is
// published through them.
static FaultAction point_action(const FaultPoint *point)
{
    return __atomic_load_n(&point->action, __ATOMIC_RELAXED);
}

static Status fault_act(const FaultPoint *point, FaultAction action)
{
    switch (action) {
    case FAULT_ACTION_ERROR:
        return status_error(SQLSTATE_IO_ERROR, "fault \"%s\"", point->name);
    case FAULT_ACTION_NOSPACE:
        return status_error(SQLSTATE_DISK_FULL, "fault \"%s\"", point->name);
    case FAULT_ACTION_NOMEM:
        return status_error(SQLSTATE_OUT_OF_MEMORY, "fault \"%s\"", point->name);
    case FAULT_ACTION_CRASH:
        kill(getpid(), SIGKILL);
        break;
    case FAULT_ACTION_HANG:
        for (int64_t waited_us = 0;
             waited_us < FAULT_HANG_US_MAX && point_action(point) == FAULT_ACTION_HANG;
             waited_us += FAULT_POLL_US) {
            clock_sleep_us(FAULT_POLL_US);
        }
        break;
    case FAULT_ACTION_SLEEP:
        clock_sleep_us(FAULT_SLEEP_US);
        break;
    case FAULT_ACTION_NONE:
        break;
    }
    return STATUS_OK;
}

Status fault_hit(FaultPoint *point)
{
    uint64_t hit = __atomic_add_fetch(&point->hits, 1, __ATOMIC_RELAXED);
    FaultAction action = point_action(point);
    uint64_t wanted = __atomic_load_n(&point->hit_wanted, __ATOMIC_RELAXED);
    if (action == FAULT_ACTION_NONE || (wanted != 0 && wanted != hit)) {
        return STATUS_OK;
    }
    return fault_act(point, action);
}

bool fault_breaks(const char *name)
{
    const char *broken = getenv("BASALT_BREAK");
    return broken != NULL && strcmp(broken, name) == 0;
}

static bool text_equals(const char *text, size_t bytes, const char *wanted)
{
    return strlen(wanted) == bytes && memcmp(text, wanted, bytes) == 0;
}

static bool parse_action(const char *text, size_t bytes, FaultAction *action)
{
    for (size_t i = 0; i < sizeof action_names / sizeof *action_names; i++) {
        if (text_equals(text, bytes, action_names[i])) {
            *action = (FaultAction)i;
            return true;
        }
    }
    return false;
}

static Status arm_one(const char *entry, size_t bytes)
{
    const char *equals = memchr(entry, '=', bytes);
    if (equals == NULL) {
        return status_error(SQLSTATE_INVALID_PARAMETER_VALUE, "fault \"%.*s\" names no action",
                            (int)bytes, entry);
    }
    size_t name_bytes = (size_t)(equals - entry);
    const char *action_text = equals + 1;
    size_t action_bytes = bytes - name_bytes - 1;
    const char *colon = memchr(action_text, ':', action_bytes);
    uint64_t hit_wanted = 0;
    if (colon != NULL) {
        char *end;
        errno = 0;
        hit_wanted = strtoull(colon + 1, &end, 10);
        if (errno != 0 || end == colon + 1 || end != entry + bytes) {
            return status_error(SQLSTATE_INVALID_PARAMETER_VALUE, "fault \"%.*s\" has a bad hit",
                                (int)bytes, entry);
        }
        action_bytes = (size_t)(colon - action_text);
    }
    FaultAction action;
    if (!parse_action(action_text, action_bytes, &action)) {
        return status_error(SQLSTATE_INVALID_PARAMETER_VALUE,
                            "fault action \"%.*s\" does not exist", (int)action_bytes, action_text);
    }
    bool is_found = false;
    for (FaultPoint *point = __start_basalt_faults; point < __stop_basalt_faults; point++) {
        if (text_equals(entry, name_bytes, point->name)) {
            is_found = true;
            __atomic_store_n(&point->hits, 0, __ATOMIC_RELAXED);
            __atomic_store_n(&point->hit_wanted, hit_wanted, __ATOMIC_RELAXED);
            __atomic_store_n(&point->action, action, __ATOMIC_RELAXED);
        }
    }
    if (!is_found) {
        return status_error(SQLSTATE_INVALID_PARAMETER_VALUE, "fault point \"%.*s\" does not exist",
                            (int)name_bytes, entry);
    }
    log_info("fault_armed", "fault=%.*s", (int)bytes, entry);
    return STATUS_OK;
}

Status fault_arm(const char *specification)
{
    while (*specification != '\0') {
        size_t bytes = strcspn(specification, ";");
        if (bytes > 0) {
            TRY(arm_one(specification, bytes));
        }
        specification += bytes;
        specification += *specification == ';';
    }
    return STATUS_OK;
}

void fault_disarm_all(void)
{
    for (FaultPoint *point = __start_basalt_faults; point < __stop_basalt_faults; point++) {
        __atomic_store_n(&point->action, FAULT_ACTION_NONE, __ATOMIC_RELAXED);
    }
}

void fault_visit(void (*visit)(void *object, const FaultPoint *point), void *object)
{
    for (const FaultPoint *point = __start_basalt_faults; point < __stop_basalt_faults; point++) {
        visit(object, point);
    }
}

bool fault_is_listed(const char *name)
{
    for (size_t i = 0; i < sizeof listed_points / sizeof *listed_points; i++) {
        if (strcmp(listed_points[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_linked(const char *name)
{
    for (const FaultPoint *point = __start_basalt_faults; point < __stop_basalt_faults; point++) {
        if (strcmp(point->name, name) == 0) {
            return true;
        }
    }
    return false;
}

Status fault_check_list(void)
{
    for (const FaultPoint *point = __start_basalt_faults; point < __stop_basalt_faults; point++) {
        if (!fault_is_listed(point->name)) {
            return status_error(SQLSTATE_INTERNAL_ERROR,
                                "fault point \"%s\" is missing from fault_points.def", point->name);
        }
    }
    for (size_t i = 0; i < sizeof listed_points / sizeof *listed_points; i++) {
        if (!is_linked(listed_points[i])) {
            return status_error(SQLSTATE_INTERNAL_ERROR,
                                "fault point \"%s\" of fault_points.def is in no source",
                                listed_points[i]);
        }
    }
    return STATUS_OK;
}

#else

// A translation unit needs a declaration; builds without faults have nothing else here.
typedef int FaultsAreAbsent;

#endif
