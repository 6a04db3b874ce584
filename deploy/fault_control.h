/*
 * fault_control.h — a door for tests into a running process: arms fault points, counts their hits,
 * refuses allocations.
 *
 * Only in builds with BASALT_FAULTS, and there only when BASALT_FAULT_CONTROL names a path: a Unix
 * socket that serves one line per connection. The answer ends with the connection:
 *
 *   arm SPECIFICATION   as in BASALT_FAULT; counts the named points from here   ok
 *   disarm              all points, and the heap refuses nothing                ok
 *   hits                                                                        NAME HITS per point
 *   heap CALL once|on   refuses that allocation from here, or all from it on    ok
 *   heap                allocations since then, how many were refused           CALLS REFUSED
 */
#pragma once
#include "base/status.h"

/* Before any thread allocates. Does nothing where there is no such door. */
Status fault_control_open(void) CHECKED;
void fault_control_close(void);
/* Prints the name of each linked fault point; false in a build without them. */
bool fault_control_print_points(void);
