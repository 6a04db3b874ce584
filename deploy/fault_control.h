/*
 * fault_control.h — a door for tests into a running process: arms fault points, counts their hits,
 * lets allocations and file calls fail.
 *
 * Only in builds with BASALT_FAULTS, and there only when BASALT_FAULT_CONTROL names a path: a Unix
 * socket that serves one line per connection. The answer ends with the connection:
 *
 *   arm SPECIFICATION  as in BASALT_FAULT; counts the named points from here    ok
 *   disarm             all points; no call fails any more                       ok
 *   hits                                                                        NAME HITS, each
 *   fail CALL[@PATH] NUMBER once|on refused|eio|late|full                       ok
 *                      as failing_calls.h says
 *   fail none          only counts from here, and notes paths                   ok
 *   calls              since then; every way in which each can fail             CALL ERROR COUNT
 *   paths              since then (deploy/call_paths.h)                         CALL@PATH COUNT
 *   failures           since then, and the first call that failed               COUNT CALL
 *
 * BASALT_FAULT_CALLS holds what follows `fail`, from the start of the process on.
 */
#pragma once
#include "base/io/file.h"
#include "base/status.h"

/* Before any thread allocates. Does nothing where there is no such door. */
Status fault_control_open(void) CHECKED;
/* The file table through which calls can fail; null without that door: the system's own. */
FileSystem *fault_control_files(void);
void fault_control_close(void);
/* Prints the name of each linked fault point; false in a build without them. */
bool fault_control_print_points(void);
