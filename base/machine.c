/*
 * machine.c — cores and memory as the scheduler's mask, the physical memory and the cgroups tell.
 *
 * A cgroup limits its whole subtree, so each ancestor's file counts, the smallest wins. Inside a
 * container the path of /proc/self/cgroup may not exist below the mount; then the root's is ours.
 */
#include "base/machine.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_BYTES_MAX = 4096, MEMORY_BYTES_MIN = 64 << 20 };

// These are kernel tables, not files of ours: they do not go through the file table.
static bool read_text(const char *path, char text[TEXT_BYTES_MAX])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t bytes = read(fd, text, TEXT_BYTES_MAX - 1);
    close(fd);
    text[bytes > 0 ? bytes : 0] = '\0';
    return bytes > 0;
}

// The path of this process in the hierarchy of `controller` ("" for cgroup v2): the rest of a line
// "id:controllers:path". False when there is none.
static bool cgroup_path(const char *controller, char path[TEXT_BYTES_MAX])
{
    char text[TEXT_BYTES_MAX];
    if (!read_text("/proc/self/cgroup", text)) {
        return false;
    }
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        char *names = strchr(line, ':');
        char *end = names != NULL ? strchr(names + 1, ':') : NULL;
        if (end == NULL) {
            continue;
        }
        *end = '\0';
        names++;
        bool is_wanted = names[0] == '\0' && controller[0] == '\0';
        for (char *name = strsep(&names, ","); name != NULL; name = strsep(&names, ",")) {
            is_wanted = is_wanted || (name[0] != '\0' && strcmp(name, controller) == 0);
        }
        if (is_wanted) {
            memmove(path, end + 1, strlen(end + 1) + 1);
            return true;
        }
    }
    return false;
}

// Calls `visit` with the text of `<mount><path>/<file>` for the path and each of its ancestors.
static void visit_cgroups(const char *mount, const char *controller, const char *file,
                          void (*visit)(void *object, const char *text), void *object)
{
    char path[TEXT_BYTES_MAX];
    char full[3 * TEXT_BYTES_MAX];
    char text[TEXT_BYTES_MAX];
    if (!cgroup_path(controller, path)) {
        return;
    }
    size_t bytes = strlen(path);
    while (bytes > 0 && path[bytes - 1] == '/') {
        bytes--;
    }
    for (;;) {
        path[bytes] = '\0';
        snprintf(full, sizeof full, "%s%s/%s", mount, path, file);
        if (read_text(full, text)) {
            visit(object, text);
        }
        if (bytes == 0) {
            return;
        }
        while (bytes > 0 && path[bytes - 1] != '/') {
            bytes--;
        }
        bytes -= bytes > 0;
    }
}

static void take_smaller(void *object, const char *text)
{
    uint64_t *smallest = object;
    char *end;
    unsigned long long value = strtoull(text, &end, 10); // "max" has no digits
    if (end != text && value < *smallest) {
        *smallest = value;
    }
}

// "quota period" in microseconds; "max period" is no limit.
static void take_fewer_cores(void *object, const char *text)
{
    double *fewest = object;
    double quota, period;
    if (sscanf(text, "%lf %lf", &quota, &period) == 2 && quota > 0 && period > 0 &&
        quota / period < *fewest) {
        *fewest = quota / period;
    }
}

uint32_t machine_core_count(void)
{
    cpu_set_t cpus;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    double cores = online > 0 ? (double)online : 1;
    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0 && CPU_COUNT(&cpus) > 0) {
        cores = CPU_COUNT(&cpus);
    }
    visit_cgroups("/sys/fs/cgroup", "", "cpu.max", take_fewer_cores, &cores);
    uint64_t quota_us = UINT64_MAX, period_us = UINT64_MAX;
    visit_cgroups("/sys/fs/cgroup/cpu", "cpu", "cpu.cfs_quota_us", take_smaller, &quota_us);
    visit_cgroups("/sys/fs/cgroup/cpu", "cpu", "cpu.cfs_period_us", take_smaller, &period_us);
    // Version 1 says -1 for no limit, which reads as a huge number.
    if (quota_us < (uint64_t)1 << 60 && period_us > 0 && period_us < (uint64_t)1 << 60 &&
        (double)quota_us / (double)period_us < cores) {
        cores = (double)quota_us / (double)period_us;
    }
    uint32_t whole = (uint32_t)cores;
    whole += (double)whole < cores; // half a core still runs one worker
    return whole > 0 ? whole : 1;
}

uint64_t machine_memory_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_bytes = sysconf(_SC_PAGESIZE);
    uint64_t bytes = pages > 0 && page_bytes > 0 ? (uint64_t)pages * (uint64_t)page_bytes : 0;
    visit_cgroups("/sys/fs/cgroup", "", "memory.max", take_smaller, &bytes);
    visit_cgroups("/sys/fs/cgroup/memory", "memory", "memory.limit_in_bytes", take_smaller, &bytes);
    return bytes > MEMORY_BYTES_MIN ? bytes : MEMORY_BYTES_MIN;
}
