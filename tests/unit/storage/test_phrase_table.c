/* test_phrase_table.c — phrases: any text comes back, at any length and with any bytes; codes that
 * make another text than promised are refused; learning is repeatable. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "storage/encoding/phrase_table.h"

#define TEXT_BYTES 40000u
#define SEED 77u

static char text[TEXT_BYTES + 64], back[TEXT_BYTES + 64];
static uint8_t codes[TEXT_BYTES * 2];

/* Words of a small language, or bytes of any kind. */
static void make_text(Random *random, bool is_language)
{
    static const char *const words[] = {"carefully ", "final ",   "deposits ", "sleep ",
                                        "slyly ",     "regular ", "ideas. ",   "across\0 "};
    memset(text, 0, sizeof text);
    for (size_t i = 0; i < TEXT_BYTES;) {
        const char *word = words[random_below(random, 8)];
        const size_t bytes = is_language ? 6 : 1;
        const char any = (char)random_next(random);
        const size_t left = TEXT_BYTES - i, taken = bytes < left ? bytes : left;
        memcpy(text + i, is_language ? word : &any, taken);
        i += taken;
    }
}

static void check_pieces(PhraseTable *table, Random *random)
{
    for (size_t start = 0; start < TEXT_BYTES;) {
        const size_t left = TEXT_BYTES - start;
        size_t bytes =
            random_below(random, 8) == 0 ? random_below(random, 2000) : random_below(random, 40);
        bytes = bytes < left ? bytes : left;
        const size_t coded = phrase_table_encode(table, text + start, bytes, codes);
        ck_assert_uint_eq(coded % 3, 0);
        ck_assert_uint_le(coded, phrase_code_bytes_max(bytes));
        memset(back, 0x77, bytes + 64);
        if (!phrase_decode(phrase_table_decoder(table), codes, coded, back, bytes) ||
            memcmp(back, text + start, bytes) != 0) {
            ck_abort_msg("seed %u, %zu bytes at %zu", SEED, bytes, start);
        }
        start += bytes + (bytes == 0);
    }
}

START_TEST(returns_any_text)
{
    Random random;
    random_seed(&random, SEED + (unsigned)_i);
    make_text(&random, _i % 2 == 0);
    PhraseTable *table = phrase_table_train(text, TEXT_BYTES, 2);
    ck_assert_ptr_nonnull(table);
    check_pieces(table, &random);
    make_text(&random, _i % 3 == 0); // text the table has not seen
    check_pieces(table, &random);
    phrase_table_destroy(table);
}
END_TEST

START_TEST(finds_long_phrases)
{
    Random random;
    random_seed(&random, SEED);
    make_text(&random, true);
    PhraseTable *table = phrase_table_train(text, TEXT_BYTES, 2);
    const size_t coded = phrase_table_encode(table, text, TEXT_BYTES, codes);
    ck_assert_uint_lt(coded, TEXT_BYTES / 5);
    phrase_table_destroy(table);
}
END_TEST

START_TEST(learns_the_same_twice)
{
    Random random;
    random_seed(&random, SEED);
    make_text(&random, true);
    PhraseTable *first = phrase_table_train(text, TEXT_BYTES, 3);
    PhraseTable *second = phrase_table_train(text, TEXT_BYTES, 3);
    ck_assert_mem_eq(phrase_table_decoder(first), phrase_table_decoder(second),
                     sizeof(PhraseDecoder));
    phrase_table_destroy(first);
    phrase_table_destroy(second);
}
END_TEST

START_TEST(learns_from_nothing)
{
    PhraseTable *table = phrase_table_train(text, 0, 2);
    ck_assert_uint_eq(phrase_table_decoder(table)->code_count, 256);
    ck_assert_uint_eq(phrase_table_encode(table, text, 0, codes), 0);
    ck_assert(phrase_decode(phrase_table_decoder(table), codes, 0, back, 0));
    phrase_table_destroy(table);
}
END_TEST

/* The filler is a zero byte: it counts only behind the end. */
START_TEST(refuses_another_length)
{
    static PhraseDecoder decoder;
    const uint8_t pairs[16] = {'a', 0, 0, 'b', 0x10, 0x06}; // a + filler, b + 'a'
    phrase_decoder_init(&decoder);
    ck_assert(phrase_decode(&decoder, pairs, 3, back, 1));
    ck_assert_int_eq(back[0], 'a');
    ck_assert(phrase_decode(&decoder, pairs, 3, back, 2)); // the zero byte is text
    ck_assert(!phrase_decode(&decoder, pairs, 3, back, 0));
    ck_assert(!phrase_decode(&decoder, pairs, 3, back, 3));
    ck_assert(phrase_decode(&decoder, pairs + 3, 3, back, 2));
    ck_assert(!phrase_decode(&decoder, pairs + 3, 3, back, 1)); // no filler, but an 'a'
    const uint8_t unknown[16] = {0xff, 0xff, 0xff};             // codes without a phrase
    ck_assert(!phrase_decode(&decoder, unknown, 3, back, 2));
}
END_TEST

/* Any bytes as codes write nothing beyond what the header allows. */
START_TEST(survives_any_codes)
{
    Random random;
    random_seed(&random, SEED);
    make_text(&random, true);
    PhraseTable *table = phrase_table_train(text, TEXT_BYTES, 2);
    for (int round = 0; round < 2000; round++) {
        const size_t bytes = random_below(&random, 300), coded = random_below(&random, 100) * 3;
        char *target = malloc(bytes + 64);
        uint8_t *source = malloc(coded + 8);
        for (size_t i = 0; i < coded + 8; i++) {
            source[i] = (uint8_t)random_next(&random);
        }
        (void)phrase_decode(phrase_table_decoder(table), source, coded, target, bytes);
        free(source);
        free(target);
    }
    phrase_table_destroy(table);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("phrase_table");
    TCase *tests = tcase_create("phrase_table");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, returns_any_text, 0, 6);
    tcase_add_test(tests, finds_long_phrases);
    tcase_add_test(tests, learns_the_same_twice);
    tcase_add_test(tests, learns_from_nothing);
    tcase_add_test(tests, refuses_another_length);
    tcase_add_test(tests, survives_any_codes);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
