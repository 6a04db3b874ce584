/* Suite of base/crypto.c, with the vectors of the standards. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "tests/support/check_status.h"
#include "tests/support/failing_heap.h"

static const char *hex(const uint8_t digest[CRYPTO_SHA256_BYTES])
{
    static char text[2 * CRYPTO_SHA256_BYTES + 1];
    for (size_t i = 0; i < CRYPTO_SHA256_BYTES; i++) {
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }
    return text;
}

START_TEST(digests_match_their_standards)
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    crypto_sha256("abc", 3, digest); // FIPS 180-4
    ck_assert_str_eq(hex(digest),
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    crypto_sha256("", 0, digest);
    ck_assert_str_eq(hex(digest),
                     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    crypto_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, digest); // RFC 4231
    ck_assert_str_eq(hex(digest),
                     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    crypto_hmac_sha256(NULL, 0, "", 0, digest);
    ck_assert_str_eq(hex(digest),
                     "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    crypto_pbkdf2_sha256("password", 8, (const uint8_t *)"salt", 4, 4096, digest); // RFC 7914 kin
    ck_assert_str_eq(hex(digest),
                     "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a");
}
END_TEST

START_TEST(base64_goes_both_ways)
{
    static const char *const pairs[][2] = {
        // RFC 4648, chapter 10
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char text[16];
        uint8_t back[16];
        crypto_base64_encode(pairs[i][0], strlen(pairs[i][0]), text);
        ck_assert_str_eq(text, pairs[i][1]);
        int64_t bytes = crypto_base64_decode(text, strlen(text), back);
        ck_assert_int_eq(bytes, (int64_t)strlen(pairs[i][0]));
        ck_assert_mem_eq(back, pairs[i][0], (size_t)bytes);
    }
    uint8_t all[256], back[256];
    char text[345];
    for (size_t i = 0; i < 256; i++) {
        all[i] = (uint8_t)i;
    }
    crypto_base64_encode(all, 256, text);
    ck_assert_int_eq(crypto_base64_decode(text, 344, back), 256);
    ck_assert_mem_eq(back, all, 256);
}
END_TEST

START_TEST(base64_is_strict)
{
    static const char *const malformed[] = {
        "Z",    "Zg",   "Zg=",  "Z===",     "====", "Zg==Zg==", "Zm9\n",
        "Zh==", "Zm9=", "Zm 9", "Zm9v====", "=m9v", "Zm\xC3v"};
    uint8_t target[16];
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        ck_assert_msg(crypto_base64_decode(malformed[i], strlen(malformed[i]), target) == -1,
                      "\"%s\" was taken", malformed[i]);
    }
}
END_TEST

static void assert_prepared(const char *text, const char *wanted)
{
    char *prepared = crypto_saslprep(text);
    ck_assert_str_eq(prepared, wanted);
    free(prepared);
}

START_TEST(saslprep_follows_its_rfc)
{
    assert_prepared("user", "user");
    assert_prepared("USER", "USER");
    assert_prepared("I\xC2\xADX", "IX");   // a soft hyphen goes
    assert_prepared("\xC2\xAA", "a");      // NFKC
    assert_prepared("\xE2\x85\xA8", "IX"); // NFKC
    assert_prepared("a\xC2\xA0"
                    "b",
                    "a b"); // other blanks become blanks
    // What cannot be prepared stays as it is.
    assert_prepared("\x07", "\x07"); // a control character
    assert_prepared("\xD8\xA7"
                    "1",
                    "\xD8\xA7"
                    "1");                    // mixed directions
    assert_prepared("\xFF\xFE", "\xFF\xFE"); // not UTF-8
    assert_prepared("\xC2\xAD", "\xC2\xAD"); // nothing would remain
    assert_prepared("", "");
}
END_TEST

START_TEST(random_differs_and_equal_compares)
{
    uint8_t one[32], other[32];
    ck_assert_ok(crypto_random(one, sizeof one));
    ck_assert_ok(crypto_random(other, sizeof other));
    ck_assert(!crypto_equal(one, other, sizeof one));
    memcpy(other, one, sizeof one);
    ck_assert(crypto_equal(one, other, sizeof one));
    ck_assert(crypto_equal(one, other, 0));
    other[31] ^= 1;
    ck_assert(!crypto_equal(one, other, sizeof one));
    failing_heap_start(1, false);
    ck_assert_ptr_null(crypto_saslprep("x"));
    failing_heap_stop();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base.crypto");
    suite_add_case(suite, "digests", digests_match_their_standards);
    suite_add_case(suite, "base64", base64_goes_both_ways);
    suite_add_case(suite, "base64_strict", base64_is_strict);
    suite_add_case(suite, "saslprep", saslprep_follows_its_rfc);
    suite_add_case(suite, "random", random_differs_and_equal_compares);
    return suite_main(suite);
}
