/*
 * text_heap.h — bytes of long texts in pool pages: only added to, freed together, never moved.
 */
#pragma once
#include "base/memory_budget.h"
#include "base/types/type.h"

typedef struct TextHeap {
    MemoryBudget *budget;
    struct TextPage *pages; /* the newest first */
    size_t bytes;           /* held */
} TextHeap;

void text_heap_init(TextHeap *heap, MemoryBudget *budget);
void text_heap_clear(TextHeap *heap);
/* Room for `bytes` bytes; null when the budget refuses. */
char *text_heap_reserve(TextHeap *heap, size_t bytes);
/* Points a long view at a copy of its bytes. False when the budget refuses. */
bool text_heap_own(TextHeap *heap, TextView *view);
/* Moves all pages of `source` to `target`, which has the same budget. */
void text_heap_join(TextHeap *target, TextHeap *source);
