/* test_text_pattern.c — LIKE against the plainest possible matcher, on random texts and patterns.
 */
#include "tests/unit/compute/kernels/kernel_fixture.h"

#include <stdlib.h>

#include "compute/kernels/text_match_kernels.h"

static bool matches(const char *text, size_t bytes, const char *pattern, size_t pattern_bytes)
{
    if (pattern_bytes == 0) {
        return bytes == 0;
    }
    if (*pattern == '%') {
        return matches(text, bytes, pattern + 1, pattern_bytes - 1) ||
               (bytes > 0 && matches(text + 1, bytes - 1, pattern, pattern_bytes));
    }
    return bytes > 0 && (*pattern == '_' || *pattern == *text) &&
           matches(text + 1, bytes - 1, pattern + 1, pattern_bytes - 1);
}

static size_t random_text(char *text, uint32_t bytes_max, const char *letters)
{
    size_t bytes = random_below(&test_random, bytes_max + 1), letter_count = strlen(letters);
    for (size_t i = 0; i < bytes; i++) {
        text[i] = letters[random_below(&test_random, letter_count)];
    }
    return bytes;
}

START_TEST(random_patterns)
{
    if (!fixture_level(_i)) {
        return;
    }
    for (int round = 0; round < 3000; round++) {
        Arena *arena = arena_create(NULL, "test");
        bool has_any_character = round % 3 == 0;
        char pattern_text[12];
        size_t pattern_bytes = random_text(pattern_text, 9, has_any_character ? "aab%_" : "aabb%");
        TextPattern pattern;
        ck_assert(text_pattern_compile(pattern_text, pattern_bytes, "\\", 1, arena, &pattern));
        TextView views[70];
        char *texts[70];
        uint64_t words[2] = {random_next(&test_random), UINT64_MAX}, before[2];
        bool is_inverted = round % 2 == 1;
        for (uint32_t row = 0; row < 70; row++) {
            char text[200];
            size_t bytes = random_text(text, row % 4 == 0 ? 150 : 14, row % 2 ? "ab" : "aaaaaab");
            // a copy of its own size: what reads behind it is found out
            texts[row] = malloc(bytes > 0 ? bytes : 1);
            memcpy(texts[row], text, bytes);
            views[row] = text_view_make(texts[row], bytes);
            if (!(words[row / 64] >> row % 64 & 1)) {
                views[row] = (TextView){.length = 4000000000u}; // must not be looked at
            }
        }
        memcpy(before, words, sizeof words);
        if (!has_any_character) {
            KERNELS(text_match_kernels)->match(views, 70, &pattern, is_inverted, words);
        }
        for (uint32_t row = 0; row < 70; row++) {
            if (!(before[row / 64] >> row % 64 & 1)) {
                ck_assert(has_any_character || !(words[row / 64] >> row % 64 & 1));
                free(texts[row]);
                continue;
            }
            const char *text = text_view_data(&views[row]);
            bool is_match = matches(text, views[row].length, pattern_text, pattern_bytes);
            ck_assert_msg(text_pattern_matches(&pattern, text, views[row].length) == is_match,
                          "'%.*s' like '%.*s'", (int)views[row].length, text, (int)pattern_bytes,
                          pattern_text);
            ck_assert(has_any_character ||
                      (words[row / 64] >> row % 64 & 1) == (is_match != is_inverted));
            free(texts[row]);
        }
        arena_destroy(arena);
    }
}
END_TEST

START_TEST(finding)
{
    if (!fixture_level(_i)) {
        return;
    }
    for (int round = 0; round < 20000; round++) {
        char text[300], needle[80];
        size_t bytes = random_text(text, 280, round % 2 ? "ab" : "aaab");
        size_t needle_bytes = random_text(needle, round % 10 == 0 ? 70 : 6, "ab");
        if (needle_bytes == 0) {
            continue;
        }
        Arena *arena = arena_create(NULL, "test");
        TextPattern pattern;
        char *exact = malloc(bytes + 1), like[90];
        memcpy(exact, text, bytes);
        like[0] = '%';
        memcpy(like + 1, needle, needle_bytes);
        like[needle_bytes + 1] = '%';
        ck_assert(text_pattern_compile(like, needle_bytes + 2, "", 0, arena, &pattern));
        const char *found = KERNELS(text_match_kernels)->find(exact, bytes, &pattern.segments[0]);
        ck_assert_ptr_eq(found, memmem(exact, bytes, needle, needle_bytes));
        free(exact);
        arena_destroy(arena);
    }
}
END_TEST

START_TEST(prefixes)
{
    Arena *arena = arena_create(NULL, "test");
    TextPattern pattern;
    const char *prefix;
    size_t bytes;
    ck_assert(text_pattern_compile("abc%", 4, "\\", 1, arena, &pattern));
    ck_assert(text_pattern_is_prefix(&pattern, &prefix, &bytes));
    ck_assert(bytes == 3 && memcmp(prefix, "abc", 3) == 0);
    ck_assert(text_pattern_compile("abc%d", 5, "\\", 1, arena, &pattern));
    ck_assert(!text_pattern_is_prefix(&pattern, &prefix, &bytes));
    ck_assert_uint_eq(text_pattern_prefix(&pattern, &prefix), 3);
    ck_assert(text_pattern_compile("a\\%%", 4, "\\", 1, arena, &pattern));
    ck_assert_uint_eq(text_pattern_prefix(&pattern, &prefix), 2);
    ck_assert(!text_pattern_compile("a\\", 2, "\\", 1, arena, &pattern));
    arena_destroy(arena);
}
END_TEST

int main(void)
{
    TCase *patterns = tcase_create("patterns");
    tcase_set_timeout(patterns, 60);
    tcase_add_loop_test(patterns, random_patterns, 0, KERNEL_LEVELS);
    tcase_add_loop_test(patterns, finding, 0, KERNEL_LEVELS);
    tcase_add_test(patterns, prefixes);
    return fixture_run("text_pattern", patterns);
}
