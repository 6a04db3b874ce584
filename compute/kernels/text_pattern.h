/*
 * text_pattern.h — a LIKE pattern, taken apart once: literals between its percent signs.
 *
 * Example: 'a%b_c%d' is anchored at both ends: segments "a", "b_c", "d". Patterns without '_' are
 * matched by searching their segments one behind the other; those with '_' step through the
 * characters (UTF-8) and go back to the latest percent sign when they fail.
 */
#pragma once
#include "base/arena.h"
#include "base/types/type.h"

typedef struct TextSegment {
    const char *bytes;
    uint32_t length; /* at least 1 but in an empty pattern */
    uint32_t first,
        second; /* places of its two rarest bytes, first <= second: what is looked for */
} TextSegment;

typedef struct TextPattern {
    bool is_start_anchored; /* the first segment stands at the start */
    bool is_end_anchored;   /* the last one at the end; with one segment and both: equality */
    bool has_any_character; /* '_' somewhere: `codes` decides */
    bool is_case_ignored; /* the pattern was folded; texts must be folded before they are matched */
    uint32_t segment_count;
    TextSegment *segments;
    uint32_t bytes_min;    /* shorter texts do not match */
    const uint16_t *codes; /* the pattern as bytes and the two codes below */
    uint32_t code_count;
} TextPattern;
#define PATTERN_ANY_CHARACTER 256 /* '_' */
#define PATTERN_ANY_TEXT 257      /* '%' */

/* `escape`: one character in `escape_bytes` bytes, none when that is 0. False when the pattern ends
 * in the escape character. The pattern's parts are copied into `arena`. */
bool text_pattern_compile(const char *text, size_t bytes, const char *escape, size_t escape_bytes,
                          Arena *arena, TextPattern *out);
bool text_pattern_matches(const TextPattern *pattern, const char *text, size_t bytes);
/* The texts that match are exactly those that start with `*prefix` (of *bytes bytes). */
bool text_pattern_is_prefix(const TextPattern *pattern, const char **prefix, size_t *bytes);
/* What every matching text starts with; 0 bytes when nothing is known. */
size_t text_pattern_prefix(const TextPattern *pattern, const char **prefix);
