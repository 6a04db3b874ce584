/*
 * last_writes.h — at which position the rows of each table changed last, since the leader started.
 *
 * Who has read a whole table and means to put something in its place asks whether it is still what
 * it was. The control thread's.
 */
#pragma once
#include "leader/catalog/catalog.h"

typedef struct LastWrites LastWrites;

LastWrites *last_writes_create(void); /* null when memory is refused */
void last_writes_destroy(LastWrites *writes);
/* The commit at `position` made these changes, or tried to. */
void last_writes_note(LastWrites *writes, const CatalogChangeList *changes, uint64_t position);
/* 40001 when a table that is to be replaced has changed since it was read. */
Status last_writes_check(const LastWrites *writes, const CatalogChangeList *changes) CHECKED;
