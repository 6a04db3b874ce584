/*
 * output_file.c — turns, places and complete writes.
 */
#include "bench/tpch/generator/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "bench/tpch/generator/fatal.h"

static void write_all(const OutputFile *file, const char *bytes, size_t length, off_t offset);

static void init(OutputFile *file, const char *path, int descriptor, bool is_pipe)
{
    *file = (OutputFile){.path = path, .descriptor = descriptor, .is_pipe = is_pipe};
    pthread_mutex_init(&file->mutex, NULL);
    pthread_cond_init(&file->turn_changed, NULL);
}

void output_file_open(OutputFile *file, const char *path)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (descriptor < 0) {
        fatal("cannot create \"%s\": %s", path, strerror(errno));
    }
    init(file, path, descriptor, lseek(descriptor, 0, SEEK_CUR) < 0);
}

void output_file_open_stdout(OutputFile *file)
{
    init(file, "standard output", STDOUT_FILENO, true);    // also when redirected with >>
}

void output_file_close(OutputFile *file)
{
    if (file->descriptor != STDOUT_FILENO && close(file->descriptor) != 0) {
        fatal("cannot write \"%s\": %s", file->path, strerror(errno));
    }
    pthread_cond_destroy(&file->turn_changed);
    pthread_mutex_destroy(&file->mutex);
}

void output_file_write(OutputFile *file, uint64_t chunk_index, const char *bytes, size_t length)
{
    pthread_mutex_lock(&file->mutex);
    while (file->next_chunk_index != chunk_index) {
        pthread_cond_wait(&file->turn_changed, &file->mutex);
    }
    off_t offset = (off_t)file->length_bytes;
    file->length_bytes += length;
    if (file->is_pipe) {
        write_all(file, bytes, length, 0);    // the lock is the turn
    }
    file->next_chunk_index++;
    pthread_cond_broadcast(&file->turn_changed);
    pthread_mutex_unlock(&file->mutex);
    if (!file->is_pipe) {
        write_all(file, bytes, length, offset);
    }
}

static void write_all(const OutputFile *file, const char *bytes, size_t length, off_t offset)
{
    while (length > 0) {
        ssize_t written = file->is_pipe ? write(file->descriptor, bytes, length)
                                        : pwrite(file->descriptor, bytes, length, offset);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            fatal("cannot write \"%s\": %s", file->path, strerror(errno));
        }
        bytes += written;
        offset += written;
        length -= (size_t)written;
    }
}
