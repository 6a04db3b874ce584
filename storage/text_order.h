/*
 * text_order.h — the order of text in dictionaries and zone maps: bytes without trailing blanks, as
 * SQL compares, then by length, so that values SQL finds equal stand side by side.
 */
#pragma once
#include <string.h>
#include "base/types/type.h"

/* The first four bytes, trailing blanks cut, as a number that compares like them. */
static inline uint32_t text_prefix_key(const TextView *view)
{
    uint32_t prefix;
    memcpy(&prefix, view->prefix, sizeof prefix);
    prefix = __builtin_bswap32(prefix);
    if (view->length > 0 && text_view_data(view)[view->length - 1] == ' ') {
        const uint32_t bytes = text_trimmed_length(text_view_data(view), view->length);
        prefix = bytes == 0 ? 0 : bytes >= 4 ? prefix : prefix & (UINT32_MAX << (32 - 8 * bytes));
    }
    return prefix;
}

static inline int text_view_order(const TextView *left, const TextView *right)
{
    const int order = text_view_compare(left, right);
    if (order != 0) {
        return order;
    }
    return left->length < right->length ? -1 : left->length > right->length;
}
