/*
 * call_paths.h — where calls come from: the chain of callers within the program as one number.
 *
 * Only in builds with BASALT_FAULTS. A number stays the same over restarts of one build; callers in
 * libraries are left out of it.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* That of the caller, which is not inlined itself; never 0. */
uint64_t call_path_here(void);
/* Notes one call of kind `call` (below 2^16) that came this way. */
void call_paths_note(uint32_t call, uint64_t path);
/* Visits what was noted since `call_paths_forget`; false when there was more than is kept. */
bool call_paths_visit(void (*visit)(void *object, uint32_t call, uint64_t path, uint64_t count),
                      void *object);
/* Nobody may note or visit meanwhile: a call noted then may be counted before or after. */
void call_paths_forget(void);
