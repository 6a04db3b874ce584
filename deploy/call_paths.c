/* call_paths.c — a hash table that only grows until it is forgotten; threads add without locks. */
#include "deploy/call_paths.h"

#ifdef BASALT_FAULTS

#include <execinfo.h>
#include <stdatomic.h>
#include "base/hash.h"

enum { FRAMES_MAX = 64, PATHS_MAX = 1 << 14 };

typedef struct CallPath {
    _Atomic uint64_t key; /* 0: free */
    _Atomic uint64_t path, count;
    _Atomic uint32_t call;
} CallPath;

static CallPath paths[PATHS_MAX];
static atomic_bool is_full;

extern const char __executable_start, etext; // of the linker

__attribute__((noinline)) uint64_t call_path_here(void)
{
    void *frames[FRAMES_MAX];
    const int count = backtrace(frames, FRAMES_MAX);
    uint64_t path = 1;
    int own = 2; // of the program's frames this function's is the first, the caller's the second
    for (int i = 0; i < count; i++) {
        const char *frame = frames[i];
        if (frame >= &__executable_start && frame < &etext && own-- <= 0) {
            path = hash_combine(path, (uint64_t)(frame - &__executable_start));
        }
    }
    return path | 1;
}

/* The key's entry or, when it is new, a free one that is its own from now on; null: all are taken.
 */
static CallPath *find_entry(uint64_t key)
{
    for (uint32_t i = 0; i < PATHS_MAX; i++) {
        CallPath *entry = &paths[(key + i) % PATHS_MAX];
        uint64_t found = 0;
        if (atomic_compare_exchange_strong(&entry->key, &found, key) || found == key) {
            return entry;
        }
    }
    return NULL;
}

void call_paths_note(uint32_t call, uint64_t path)
{
    CallPath *entry = find_entry(hash_combine(path, call) | 1);
    if (entry == NULL) {
        atomic_store(&is_full, true);
        return;
    }
    atomic_store(&entry->path, path);
    atomic_store(&entry->call, call);
    atomic_fetch_add(&entry->count, 1);
}

bool call_paths_visit(void (*visit)(void *object, uint32_t call, uint64_t path, uint64_t count),
                      void *object)
{
    for (uint32_t i = 0; i < PATHS_MAX; i++) {
        const uint64_t count = atomic_load(&paths[i].count);
        if (count > 0) {
            visit(object, atomic_load(&paths[i].call), atomic_load(&paths[i].path), count);
        }
    }
    return !atomic_load(&is_full);
}

void call_paths_forget(void)
{
    for (uint32_t i = 0; i < PATHS_MAX; i++) {
        atomic_store(&paths[i].count, 0);
        atomic_store(&paths[i].key, 0);
    }
    atomic_store(&is_full, false);
}

#else

// A translation unit needs a declaration; builds without faults have nothing else here.
typedef int CallPathsAreAbsent;

#endif
