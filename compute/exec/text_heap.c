/* text_heap.c — pages of 64 KiB, the first one small, longer texts in pages of their own. */
#include "compute/exec/text_heap.h"

#include <string.h>

enum { PAGE_BYTES = 64 << 10, FIRST_PAGE_BYTES = 2 << 10 };

typedef struct TextPage {
    struct TextPage *next;
    size_t bytes, used; /* of the allocation, this header included */
} TextPage;

void text_heap_init(TextHeap *heap, MemoryBudget *budget)
{
    *heap = (TextHeap){.budget = budget};
}

void text_heap_clear(TextHeap *heap)
{
    while (heap->pages != NULL) {
        TextPage *page = heap->pages;
        heap->pages = page->next;
        memory_free(heap->budget, page, page->bytes);
    }
    heap->bytes = 0;
}

char *text_heap_reserve(TextHeap *heap, size_t bytes)
{
    TextPage *page = heap->pages;
    if (page == NULL || page->bytes - page->used < bytes) {
        size_t wanted = page == NULL ? FIRST_PAGE_BYTES : PAGE_BYTES;
        wanted = bytes + sizeof *page > wanted ? bytes + sizeof *page : wanted;
        page = memory_alloc(heap->budget, wanted);
        if (page == NULL) {
            return NULL;
        }
        *page = (TextPage){.next = heap->pages, .bytes = wanted, .used = sizeof *page};
        heap->pages = page;
        heap->bytes += wanted;
    }
    char *text = (char *)page + page->used;
    page->used += bytes;
    return text;
}

bool text_heap_own(TextHeap *heap, TextView *view)
{
    if (view->length <= TEXT_INLINE_MAX) {
        return true;
    }
    char *text = text_heap_reserve(heap, view->length);
    if (text == NULL) {
        return false;
    }
    memcpy(text, view->data, view->length);
    view->data = text;
    return true;
}

void text_heap_join(TextHeap *target, TextHeap *source)
{
    TextPage **last = &target->pages;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = source->pages;
    target->bytes += source->bytes;
    source->pages = NULL;
    source->bytes = 0;
}
