/*
 * simulated_files.h — a file table in memory that loses power, fills up and fails at a wish.
 *
 * It keeps what is durable apart from what the process sees. What was not synced survives a power
 * cut in any subset of 512-byte sectors; names that were not synced with their directory survive up
 * to a point in the order they were made. One thread at a time.
 */
#pragma once
#include "base/clock.h"
#include "base/io/file.h"

typedef struct SimulatedFiles SimulatedFiles;

SimulatedFiles *simulated_files_create(void);
void simulated_files_destroy(SimulatedFiles *files);
FileSystem *simulated_files_system(SimulatedFiles *files);

/* All open files fail from here on; what survives is drawn from `random`. */
void simulated_files_cut_power(SimulatedFiles *files, Random *random);
/* The process dies, the machine does not: everything written is there. Open files fail from here.
 */
void simulated_files_kill(SimulatedFiles *files);
/* Calls of the table since creation, and the call that fails (from 1; 0: none) with `error`. */
uint64_t simulated_files_calls(const SimulatedFiles *files);
void simulated_files_fail_at(SimulatedFiles *files, uint64_t call, int error, bool is_for_good);
/* Bytes all files together may hold; UINT64_MAX: any. */
void simulated_files_set_capacity(SimulatedFiles *files, uint64_t bytes);
/* Flips one bit of a file's durable and visible bytes; false when it is shorter. */
bool simulated_files_flip(SimulatedFiles *files, const char *path, uint64_t bit);
/* Length of a file, or -1. */
int64_t simulated_files_length(SimulatedFiles *files, const char *path);
