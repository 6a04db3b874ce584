/* text_pattern.c — takes LIKE patterns apart, and matches single texts. */
#include "compute/kernels/text_pattern.h"

#include <string.h>

#include "base/types/text_format.h"

/* The pattern as codes; false when nothing follows the last escape character. */
static bool read_codes(const char *text, size_t bytes, const char *escape, size_t escape_bytes,
                       uint16_t *codes, uint32_t *code_count)
{
    uint32_t count = 0;
    for (size_t i = 0; i < bytes; i++) {
        bool is_escape = escape_bytes > 0 && bytes - i >= escape_bytes &&
                         memcmp(text + i, escape, escape_bytes) == 0;
        if (is_escape) {
            i += escape_bytes;
            if (i == bytes) {
                return false;
            }
            codes[count++] = (uint8_t)text[i];
        } else if (text[i] == '%') {
            if (count == 0 || codes[count - 1] != PATTERN_ANY_TEXT) {
                codes[count++] = PATTERN_ANY_TEXT;
            }
        } else {
            codes[count++] = text[i] == '_' ? PATTERN_ANY_CHARACTER : (uint8_t)text[i];
        }
    }
    *code_count = count;
    return true;
}

/* How seldom a byte is in texts of English words: a table by letters, everything else is rare. */
static uint32_t rarity(char byte)
{
    static const char common_first[] = " etaoinsrhldcumfpgwybvkxjqz";
    const char *place = byte == '\0' ? NULL : strchr(common_first, byte | 0x20);
    return place == NULL || byte == '\0' ? 100 : (uint32_t)(place - common_first);
}

static void choose_anchors(TextSegment *segment)
{
    uint32_t best = 0, next = segment->length > 1 ? 1 : 0;
    for (uint32_t i = 0; i < segment->length; i++) {
        if (rarity(segment->bytes[i]) > rarity(segment->bytes[best])) {
            next = best;
            best = i;
        } else if (i != best &&
                   (next == best || rarity(segment->bytes[i]) > rarity(segment->bytes[next]))) {
            next = i;
        }
    }
    segment->first = best < next ? best : next;
    segment->second = best < next ? next : best;
}

/* The runs of literal bytes between percent signs. */
static void cut_segments(Arena *arena, TextPattern *pattern)
{
    const uint16_t *codes = pattern->codes;
    uint32_t count = pattern->code_count;
    char *bytes = arena_alloc(arena, count + 1);
    pattern->segments = ARENA_ARRAY(arena, TextSegment, count + 1);
    for (uint32_t i = 0; i < count;) {
        uint32_t first = i;
        while (i < count && codes[i] != PATTERN_ANY_TEXT) {
            bytes[i] = (char)codes[i];
            i++;
        }
        if (i > first) {
            TextSegment *segment = &pattern->segments[pattern->segment_count++];
            *segment = (TextSegment){.bytes = bytes + first, .length = i - first};
            choose_anchors(segment);
            pattern->bytes_min += i - first;
        }
        i += i < count;
    }
}

bool text_pattern_compile(const char *text, size_t bytes, const char *escape, size_t escape_bytes,
                          Arena *arena, TextPattern *out)
{
    uint16_t *codes = ARENA_ARRAY(arena, uint16_t, bytes + 1);
    TextPattern pattern = {.codes = codes};
    if (!read_codes(text, bytes, escape, escape_bytes, codes, &pattern.code_count)) {
        return false;
    }
    uint32_t count = pattern.code_count;
    pattern.is_start_anchored = count == 0 || codes[0] != PATTERN_ANY_TEXT;
    pattern.is_end_anchored = count == 0 || codes[count - 1] != PATTERN_ANY_TEXT;
    for (uint32_t i = 0; i < count; i++) {
        pattern.has_any_character |= codes[i] == PATTERN_ANY_CHARACTER;
    }
    if (pattern.has_any_character) {
        for (uint32_t i = 0; i < count; i++) { // '_' takes at least one byte
            pattern.bytes_min += codes[i] != PATTERN_ANY_TEXT;
        }
    } else {
        cut_segments(arena, &pattern);
    }
    *out = pattern;
    return true;
}

/* Bytes of the character at `text`, at most `bytes`. */
static size_t character_bytes(const char *text, size_t bytes)
{
    size_t length = 1;
    while (length < bytes && ((uint8_t)text[length] & 0xc0) == 0x80) {
        length++;
    }
    return length;
}

static bool match_codes(const TextPattern *pattern, const char *text, size_t bytes)
{
    const uint16_t *codes = pattern->codes;
    uint32_t code = 0, count = pattern->code_count;
    uint32_t retry_code = UINT32_MAX; // behind the latest percent sign
    size_t at = 0, retry_at = 0;
    while (at < bytes || code < count) {
        if (code < count && codes[code] == PATTERN_ANY_TEXT) {
            retry_code = ++code;
            retry_at = at;
            if (code == count) {
                return true;
            }
            continue;
        }
        if (code < count && at < bytes) {
            if (codes[code] == PATTERN_ANY_CHARACTER) {
                at += character_bytes(text + at, bytes - at);
                code++;
                continue;
            }
            if (codes[code] == (uint8_t)text[at]) {
                at++;
                code++;
                continue;
            }
        }
        if (retry_code == UINT32_MAX || retry_at >= bytes) {
            return false;
        }
        retry_at += character_bytes(text + retry_at, bytes - retry_at); // takes one more
        at = retry_at;
        code = retry_code;
    }
    return true;
}

static bool match_segments(const TextPattern *pattern, const char *text, size_t bytes)
{
    if (bytes < pattern->bytes_min) {
        return false;
    }
    uint32_t first = 0, last = pattern->segment_count;
    const TextSegment *segments = pattern->segments;
    if (last == 0) {
        return bytes == 0 || !pattern->is_start_anchored;
    }
    if (pattern->is_start_anchored) {
        if (memcmp(text, segments[0].bytes, segments[0].length) != 0) {
            return false;
        }
        if (last == 1 && pattern->is_end_anchored) {
            return bytes == segments[0].length;
        }
        text += segments[0].length;
        bytes -= segments[0].length;
        first = 1;
    }
    if (pattern->is_end_anchored) {
        last--;
        bytes -= segments[last].length;
        if (memcmp(text + bytes, segments[last].bytes, segments[last].length) != 0) {
            return false;
        }
    }
    for (; first < last; first++) {
        const char *found = memmem(text, bytes, segments[first].bytes, segments[first].length);
        if (found == NULL) {
            return false;
        }
        bytes -= (size_t)(found + segments[first].length - text);
        text = found + segments[first].length;
    }
    return true;
}

bool text_pattern_matches(const TextPattern *pattern, const char *text, size_t bytes)
{
    return pattern->has_any_character ? match_codes(pattern, text, bytes)
                                      : match_segments(pattern, text, bytes);
}

bool text_pattern_is_prefix(const TextPattern *pattern, const char **prefix, size_t *bytes)
{
    if (pattern->has_any_character || pattern->is_case_ignored || !pattern->is_start_anchored ||
        pattern->is_end_anchored || pattern->segment_count != 1) {
        return false;
    }
    *prefix = pattern->segments[0].bytes;
    *bytes = pattern->segments[0].length;
    return true;
}

size_t text_pattern_prefix(const TextPattern *pattern, const char **prefix)
{
    *prefix = "";
    if (pattern->has_any_character || pattern->is_case_ignored || !pattern->is_start_anchored ||
        pattern->segment_count == 0) {
        return 0;
    }
    *prefix = pattern->segments[0].bytes;
    return pattern->segments[0].length;
}
