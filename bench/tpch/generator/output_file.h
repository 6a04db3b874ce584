/*
 * output_file.h — a file that several workers fill with chunks in a fixed order.
 *
 * The place of a chunk is known once all chunks before it have their length, so workers take turns
 * to reserve their places and then write side by side. A pipe has no places: there they take turns
 * to write.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct OutputFile {
    const char *path;              /* for messages; borrowed until output_file_close */
    int descriptor;
    bool is_pipe;                  /* takes bytes in order only */
    pthread_mutex_t mutex;
    pthread_cond_t turn_changed;
    uint64_t next_chunk_index;     /* whose turn it is; guarded by mutex */
    uint64_t length_bytes;         /* reserved so far; guarded by mutex */
} OutputFile;

/* Creates or empties the file. */
void output_file_open(OutputFile *file, const char *path);
/* Writes to standard output instead, in order. */
void output_file_open_stdout(OutputFile *file);
void output_file_close(OutputFile *file);

/* Writes chunk `chunk_index` (from 0, each exactly once). Waits until all earlier chunks have come
 * this far, so a caller who holds chunk n must not wait for a later one. */
void output_file_write(OutputFile *file, uint64_t chunk_index, const char *bytes, size_t length);
