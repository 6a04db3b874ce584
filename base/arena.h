/*
 * arena.h — small memory by lifetime: allocate freely, release everything at once.
 *
 * Invariants: (1) one thread uses an arena at a time; (2) a child dies with its parent;
 * (3) arena_alloc never returns null: a refused chunk comes from the arena's reserve and marks the
 * arena and its ancestors exhausted, which the query reports as 53200 at the next batch; only an
 * empty reserve (64 KiB per root) stops the process.
 *
 * Sizes that come from outside are bounded by the caller first: a request larger than memory and
 * reserve together stops the process.
 */
#pragma once
#include "base/status.h"

typedef struct Arena Arena;

Arena *arena_create(Arena *parent, const char *name); /* parent may be null: a root */
void arena_destroy(Arena *arena);                     /* runs the hooks, newest first */
/* Like destroy, but it stays usable and keeps its newest chunk (at most 1 MiB) for the next use. */
void arena_reset(Arena *arena);

/* Zeroed memory, 16-byte aligned, until reset. `arena_alloc_aligned` for larger powers of two. */
void *arena_alloc(Arena *arena, size_t bytes);
void *arena_alloc_aligned(Arena *arena, size_t bytes, size_t alignment);
/* A zeroed array; a product that overflows is a request no reserve can meet: the process stops. */
void *arena_array(Arena *arena, size_t count, size_t item_bytes);
char *arena_strdup(Arena *arena, const char *text);
char *arena_strndup(Arena *arena, const char *text, size_t bytes);
void *arena_memdup(Arena *arena, const void *data, size_t bytes);
char *arena_printf(Arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

#define ARENA_NEW(arena, Type) ((Type *)arena_alloc((arena), sizeof(Type)))
#define ARENA_ARRAY(arena, Type, count) ((Type *)arena_array((arena), (count), sizeof(Type)))

/* Calls `hook(object)` when the arena is reset or destroyed. */
void arena_on_reset(Arena *arena, void (*hook)(void *object), void *object);
size_t arena_bytes(const Arena *arena); /* chunks held, children included */
bool arena_is_exhausted(const Arena *arena);

/* A growable list in an arena: `PointerList` keeps pointers, freed with the arena. */
typedef struct PointerList {
    void **items;
    uint32_t count, capacity;
} PointerList;
void pointer_list_add(Arena *arena, PointerList *list, void *item);
