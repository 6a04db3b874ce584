/*
 * arena.c — small memory by lifetime.
 *
 * An arena is a chain of heap chunks with a bump pointer in the newest. Chunks double from 8 KiB to
 * 1 MiB; a request of more than half a chunk gets one of its own, so that the tail of the current
 * chunk is not lost. Each root carries a reserve of 64 KiB in the same allocation as its header:
 * untouched it costs address space only. Its whole tree draws on it, and it is refilled when the
 * root is reset. A root that the heap refuses is taken from a small static store, born exhausted.
 *
 * Threads: each arena is used by one thread at a time, but the arenas of one tree by several, so
 * the links between parent and children are guarded by the root's mutex and the counters that rise
 * to the ancestors are atomic.
 */
#include "base/arena.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/heap.h"
#include "base/mutex.h"
#include "base/sanitizer.h"

enum {
    CHUNK_BYTES_MIN = 8 << 10,
    CHUNK_BYTES_MAX = 1 << 20,
    RESERVE_BYTES = 64 << 10,
    EMERGENCY_ROOT_COUNT = 16,
    ALLOC_ALIGNMENT = 16,
#ifdef SANITIZER_ADDRESS
    REDZONE_BYTES = 16, /* poisoned bytes after each allocation */
#else
    REDZONE_BYTES = 0,
#endif
};

typedef struct Chunk {
    struct Chunk *next;
    size_t bytes; /* of data, after this header */
} Chunk;

typedef struct Hook {
    struct Hook *next;
    void (*call)(void *object);
    void *object;
} Hook;

struct Arena {
    Arena *parent, *root;
    Arena *first_child, *next_sibling, *previous_sibling; /* guarded by root->links */
    char *name;
    Hook *hooks;
    Chunk *chunks;      /* the newest bump chunk first */
    Chunk *large;       /* chunks of one allocation each */
    char *cursor, *end; /* in chunks */
    size_t next_chunk_bytes;
    atomic_size_t bytes;      /* chunks held here and in children */
    atomic_bool is_exhausted; /* here or in children */
    bool is_from_reserve;     /* a child whose header the reserve gave */
};

typedef struct Root {
    Arena arena;
    Mutex links;
    atomic_size_t reserve_used;
    int32_t emergency_index; /* in emergency_roots, or -1 */
    _Alignas(ALLOC_ALIGNMENT) char reserve[RESERVE_BYTES];
} Root;

static_assert(sizeof(Chunk) % ALLOC_ALIGNMENT == 0, "data behind a chunk's header is aligned");

static Root emergency_roots[EMERGENCY_ROOT_COUNT]; /* pages nobody touches until they are needed */
static atomic_bool emergency_is_used[EMERGENCY_ROOT_COUNT];

static Root *root_create(void);
static void root_free(Root *root);
static void arena_link(Arena *arena, Arena *parent);
static void arena_unlink(Arena *arena);
static void arena_release(Arena *arena, bool keeps_chunk);
static void *arena_alloc_slow(Arena *arena, size_t bytes, size_t alignment);
static void *reserve_alloc(Arena *arena, size_t bytes);
static void bytes_changed(Arena *arena, size_t added, size_t removed);
static void mark_exhausted(Arena *arena);

static size_t round_up(size_t bytes, size_t alignment)
{
    return (bytes + alignment - 1) & ~(alignment - 1);
}

Arena *arena_create(Arena *parent, const char *name)
{
    Arena *arena;
    if (parent == NULL) {
        Root *root = root_create();
        arena = &root->arena;
        arena->root = arena;
    } else {
        arena = heap_alloc_zeroed(sizeof *arena);
        bool is_refused = arena == NULL;
        if (is_refused) {
            arena = reserve_alloc(parent, sizeof *arena);
        }
        arena->is_from_reserve = is_refused;
        arena->root = parent->root;
        arena_link(arena, parent);
    }
    arena->next_chunk_bytes = CHUNK_BYTES_MIN;
    arena->name = heap_strdup(name); // only shown: a refusal costs the name
    return arena;
}

void arena_destroy(Arena *arena)
{
    if (arena == NULL) {
        return;
    }
    arena_release(arena, false);
    heap_free(arena->name);
    if (arena->parent == NULL) {
        root_free((Root *)arena);
        return;
    }
    arena_unlink(arena);
    if (!arena->is_from_reserve) {
        heap_free(arena);
    }
}

void arena_reset(Arena *arena)
{
    arena_release(arena, true);
    if (arena->parent == NULL) {
        atomic_store_explicit(&((Root *)arena)->reserve_used, 0, memory_order_relaxed);
    }
    atomic_store_explicit(&arena->is_exhausted, false, memory_order_relaxed);
}

void *arena_alloc(Arena *arena, size_t bytes)
{
    bytes = bytes > 0 ? bytes : 1; // an object of its own, never null
    size_t room = (size_t)(arena->end - arena->cursor);
    size_t taken = round_up(bytes, ALLOC_ALIGNMENT) + REDZONE_BYTES;
    if (bytes <= CHUNK_BYTES_MAX && taken <= room) {
        char *memory = arena->cursor;
        arena->cursor += taken;
        MEMORY_UNPOISON(memory, bytes);
        return memset(memory, 0, bytes);
    }
    return arena_alloc_slow(arena, bytes, ALLOC_ALIGNMENT);
}

void *arena_alloc_aligned(Arena *arena, size_t bytes, size_t alignment)
{
    ASSERT(alignment > 0 && (alignment & (alignment - 1)) == 0);
    bytes = bytes > 0 ? bytes : 1;
    if (alignment <= ALLOC_ALIGNMENT) {
        return arena_alloc(arena, bytes);
    }
    size_t skipped = (size_t)(-(uintptr_t)arena->cursor & (alignment - 1));
    size_t room = (size_t)(arena->end - arena->cursor);
    size_t taken = round_up(bytes, ALLOC_ALIGNMENT) + REDZONE_BYTES;
    if (bytes <= CHUNK_BYTES_MAX && skipped <= room && taken <= room - skipped) {
        char *memory = arena->cursor + skipped;
        arena->cursor += skipped + taken;
        MEMORY_UNPOISON(memory, bytes);
        return memset(memory, 0, bytes);
    }
    return arena_alloc_slow(arena, bytes, alignment);
}

void *arena_array(Arena *arena, size_t count, size_t item_bytes)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, item_bytes, &bytes)) {
        bytes = SIZE_MAX; // more than any reserve holds: arena_alloc_slow stops the process
    }
    return arena_alloc(arena, bytes);
}

char *arena_strdup(Arena *arena, const char *text)
{
    return arena_memdup(arena, text, strlen(text) + 1);
}

char *arena_strndup(Arena *arena, const char *text, size_t bytes)
{
    char *copy = arena_alloc(arena, bytes + 1);
    if (bytes > 0) {
        memcpy(copy, text, bytes);
    }
    return copy;
}

void *arena_memdup(Arena *arena, const void *data, size_t bytes)
{
    void *copy = arena_alloc(arena, bytes);
    return bytes > 0 ? memcpy(copy, data, bytes) : copy;
}

char *arena_printf(Arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    size_t bytes = length < 0 ? 0 : (size_t)length;
    char *text = arena_alloc(arena, bytes + 1);
    va_start(arguments, format);
    vsnprintf(text, bytes + 1, format, arguments);
    va_end(arguments);
    return text;
}

void arena_on_reset(Arena *arena, void (*hook)(void *object), void *object)
{
    Hook *entry = ARENA_NEW(arena, Hook);
    *entry = (Hook){.next = arena->hooks, .call = hook, .object = object};
    arena->hooks = entry;
}

size_t arena_bytes(const Arena *arena)
{
    return atomic_load_explicit(&arena->bytes, memory_order_relaxed);
}

bool arena_is_exhausted(const Arena *arena)
{
    return atomic_load_explicit(&arena->is_exhausted, memory_order_relaxed);
}

void pointer_list_add(Arena *arena, PointerList *list, void *item)
{
    if (list->count == list->capacity) {
        ASSERT(list->capacity <= UINT32_MAX / 2);
        uint32_t capacity = list->capacity > 0 ? list->capacity * 2 : 8;
        void **items = ARENA_ARRAY(arena, void *, capacity);
        if (list->count > 0) {
            memcpy(items, list->items, list->count * sizeof *items);
        }
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
}

static Root *root_create(void)
{
    Root *root = heap_alloc(sizeof *root);
    int32_t emergency_index = -1;
    for (int32_t i = 0; root == NULL && i < EMERGENCY_ROOT_COUNT; i++) {
        // acquire/release: the next user of the slot sees the former one's last writes.
        if (!atomic_exchange_explicit(&emergency_is_used[i], true, memory_order_acquire)) {
            root = &emergency_roots[i];
            emergency_index = i;
        }
    }
    if (root == NULL) {
        assert_failed(__FILE__, __LINE__, "no memory and no emergency arena left");
    }
    memset(&root->arena, 0, sizeof root->arena);
    mutex_init(&root->links, MUTEX_RANK_MEMORY);
    atomic_init(&root->reserve_used, 0);
    atomic_init(&root->arena.is_exhausted, emergency_index >= 0);
    root->emergency_index = emergency_index;
    return root;
}

static void root_free(Root *root)
{
    mutex_deinit(&root->links);
    if (root->emergency_index < 0) {
        heap_free(root);
    } else {
        atomic_store_explicit(&emergency_is_used[root->emergency_index], false,
                              memory_order_release);
    }
}

static void arena_link(Arena *arena, Arena *parent)
{
    Mutex *links = &((Root *)parent->root)->links;
    mutex_lock(links);
    arena->parent = parent;
    arena->next_sibling = parent->first_child;
    if (parent->first_child != NULL) {
        parent->first_child->previous_sibling = arena;
    }
    parent->first_child = arena;
    mutex_unlock(links);
}

static void arena_unlink(Arena *arena)
{
    Mutex *links = &((Root *)arena->root)->links;
    mutex_lock(links);
    if (arena->previous_sibling != NULL) {
        arena->previous_sibling->next_sibling = arena->next_sibling;
    } else {
        arena->parent->first_child = arena->next_sibling;
    }
    if (arena->next_sibling != NULL) {
        arena->next_sibling->previous_sibling = arena->previous_sibling;
    }
    mutex_unlock(links);
}

static void chunk_free(Arena *arena, Chunk *chunk)
{
    bytes_changed(arena, 0, chunk->bytes + sizeof *chunk);
    MEMORY_UNPOISON(chunk + 1, chunk->bytes);
    heap_free(chunk);
}

// Children first (they may use the parent's memory), then the hooks, newest first, then the chunks.
// Hooks may still allocate here, and may add hooks.
static void arena_release(Arena *arena, bool keeps_chunk)
{
    while (arena->first_child != NULL) {
        arena_destroy(arena->first_child);
    }
    while (arena->hooks != NULL) {
        Hook *hook = arena->hooks;
        arena->hooks = hook->next;
        hook->call(hook->object);
    }
    while (arena->large != NULL) {
        Chunk *chunk = arena->large;
        arena->large = chunk->next;
        chunk_free(arena, chunk);
    }
    Chunk *kept = keeps_chunk ? arena->chunks : NULL; // the newest is the largest
    Chunk *chunk = kept != NULL ? kept->next : arena->chunks;
    while (chunk != NULL) {
        Chunk *next = chunk->next;
        chunk_free(arena, chunk);
        chunk = next;
    }
    arena->chunks = kept;
    arena->cursor = arena->end = NULL;
    if (kept != NULL) {
        kept->next = NULL;
        arena->cursor = (char *)(kept + 1);
        arena->end = arena->cursor + kept->bytes;
        MEMORY_POISON(arena->cursor, kept->bytes);
    }
}

static Chunk *chunk_create(Arena *arena, size_t bytes, bool is_zeroed)
{
    size_t total = bytes + sizeof(Chunk);
    Chunk *chunk = is_zeroed ? heap_alloc_zeroed(total) : heap_alloc(total);
    if (chunk != NULL) {
        chunk->bytes = bytes;
        bytes_changed(arena, total, 0);
    }
    return chunk;
}

// The current chunk has no room: a chunk for this allocation alone, the next bump chunk, or, when
// the heap refuses, the reserve.
static void *arena_alloc_slow(Arena *arena, size_t bytes, size_t alignment)
{
    size_t slack = alignment > ALLOC_ALIGNMENT ? alignment : 0;
    if (bytes > SIZE_MAX / 2 || alignment > CHUNK_BYTES_MAX) {
        return reserve_alloc(arena, SIZE_MAX / 2);
    }
    size_t needed = round_up(bytes, ALLOC_ALIGNMENT) + REDZONE_BYTES + slack;
    if (needed > arena->next_chunk_bytes / 2) {
        Chunk *chunk = chunk_create(arena, needed, true);
        if (chunk != NULL) {
            chunk->next = arena->large;
            arena->large = chunk;
            char *data = (char *)(chunk + 1);
            data += (size_t)(-(uintptr_t)data & (alignment - 1));
            MEMORY_POISON(data + bytes, (size_t)((char *)(chunk + 1) + needed - (data + bytes)));
            return data;
        }
    } else {
        Chunk *chunk = chunk_create(arena, arena->next_chunk_bytes - sizeof(Chunk), false);
        if (chunk != NULL) {
            if (arena->next_chunk_bytes < CHUNK_BYTES_MAX) {
                arena->next_chunk_bytes *= 2;
            }
            chunk->next = arena->chunks;
            arena->chunks = chunk;
            arena->cursor = (char *)(chunk + 1);
            arena->end = arena->cursor + chunk->bytes;
            MEMORY_POISON(arena->cursor, chunk->bytes);
            return arena_alloc_aligned(arena, bytes, alignment);
        }
    }
    char *memory = reserve_alloc(arena, bytes + slack);
    return memory + (size_t)(-(uintptr_t)memory & (alignment - 1));
}

// Keeps invariant 3. What the reserve cannot hold stops the process: an address that is too short
// for what its caller will write would be worse.
static void *reserve_alloc(Arena *arena, size_t bytes)
{
    mark_exhausted(arena);
    Root *root = (Root *)arena->root;
    if (bytes <= RESERVE_BYTES) {
        size_t taken = round_up(bytes, ALLOC_ALIGNMENT);
        // relaxed: the counter alone decides who owns which bytes.
        size_t offset = atomic_fetch_add_explicit(&root->reserve_used, taken, memory_order_relaxed);
        if (offset <= RESERVE_BYTES && taken <= RESERVE_BYTES - offset) {
            return memset(root->reserve + offset, 0, bytes);
        }
    }
    assert_failed(__FILE__, __LINE__, "out of memory, and the arena's reserve is empty");
}

static void bytes_changed(Arena *arena, size_t added, size_t removed)
{
    for (; arena != NULL; arena = arena->parent) {
        atomic_fetch_add_explicit(&arena->bytes, added - removed, memory_order_relaxed);
    }
}

static void mark_exhausted(Arena *arena)
{
    for (; arena != NULL; arena = arena->parent) {
        atomic_store_explicit(&arena->is_exhausted, true, memory_order_relaxed);
    }
}
