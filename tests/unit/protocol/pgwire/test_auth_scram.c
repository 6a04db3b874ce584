/* test_auth_scram.c — SCRAM-SHA-256: the vector of RFC 7677, verifiers, and everything malformed.
 */
#include <stdio.h>

#include "protocol/pgwire/auth_scram.h"
#include "tests/support/check_status.h"

static Arena *arena;
static ScramVerifier verifier;

#define CLIENT_FIRST "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
#define SERVER_NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define JOINED_NONCE "rOprNGfwEbeRWgbNEkqO" SERVER_NONCE
#define SERVER_FIRST "r=" JOINED_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define PROOF "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define CLIENT_FINAL "c=biws,r=" JOINED_NONCE ",p=" PROOF
#define SERVER_FINAL "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

static void setup(void)
{
    arena = arena_create(NULL, "test");
    uint8_t salt[24];
    ck_assert_int_eq(crypto_base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==", 24, salt), 16);
    ck_assert_ok(scram_verifier_build(&verifier, "pencil", salt, 16, 4096));
}

static void teardown(void)
{
    arena_destroy(arena);
}

static Status first(ScramExchange *exchange, const char *message, const char **response)
{
    ck_assert_ok(scram_exchange_init(exchange, arena, &verifier, SERVER_NONCE));
    return scram_exchange_first(exchange, (const uint8_t *)message, strlen(message), response);
}

static Status final(const char *message, const char **response, bool *is_authenticated)
{
    ScramExchange exchange;
    const char *ignored;
    ck_assert_ok(first(&exchange, CLIENT_FIRST, &ignored));
    return scram_exchange_final(&exchange, (const uint8_t *)message, strlen(message), response,
                                is_authenticated);
}

START_TEST(vector_of_rfc_7677)
{
    ScramExchange exchange;
    const char *response;
    bool is_authenticated = false;
    ck_assert_ok(first(&exchange, CLIENT_FIRST, &response));
    ck_assert_str_eq(response, SERVER_FIRST);
    ck_assert_ok(scram_exchange_final(&exchange, (const uint8_t *)CLIENT_FINAL,
                                      strlen(CLIENT_FINAL), &response, &is_authenticated));
    ck_assert(is_authenticated);
    ck_assert_str_eq(response, SERVER_FINAL);
}
END_TEST

START_TEST(wrong_proof)
{
    const char *response;
    bool is_authenticated = true;
    ck_assert_ok(final("c=biws,r=" JOINED_NONCE ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVA=",
                       &response, &is_authenticated));
    ck_assert(!is_authenticated);
}
END_TEST

START_TEST(malformed_first)
{
    static const struct {
        const char *message, *code;
    } wrong[] = {
        {"", "08P01"},
        {"n", "08P01"},
        {"x,,n=,r=abc", "08P01"},
        {"p=tls-unique,,n=,r=abc", "0A000"},
        {"n,a=admin,n=,r=abc", "0A000"},
        {"n,b,n=,r=abc", "08P01"},
        {"n,,m=ext,n=,r=abc", "0A000"},
        {"n,,n=user", "08P01"},
        {"n,,r=abc", "08P01"},
        {"n,,n=user,r=", "08P01"},
        {"n,,n=user,r=a c", "08P01"},
        {"n,,n=user,r=\x01", "08P01"},
        {"n,,n", "08P01"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ScramExchange exchange;
        const char *response;
        assert_fails(first(&exchange, wrong[i].message, &response), wrong[i].code, "");
    }
    ScramExchange exchange;
    const char *response;
    ck_assert_ok(scram_exchange_init(&exchange, arena, &verifier, NULL));
    assert_fails(scram_exchange_first(&exchange, (const uint8_t *)"n,,n=\0,r=abc", 12, &response),
                 "08P01", "malformed SCRAM message");
}
END_TEST

START_TEST(malformed_final)
{
    static const char *const wrong[] = {
        "",
        "c=biws",
        "c=biws,r=" JOINED_NONCE,
        "c=biws,r=" JOINED_NONCE ",p=",
        "c=biws,r=" JOINED_NONCE ",p=AAAA",
        "c=biws,r=" JOINED_NONCE ",p=!HzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "c=eSws,r=" JOINED_NONCE ",p=" PROOF,
        "c=biws,r=" JOINED_NONCE "x,p=" PROOF,
        "r=" JOINED_NONCE ",c=biws,p=" PROOF,
        "c=biws,p=" PROOF,
        CLIENT_FINAL ",x=1",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const char *response;
        bool is_authenticated;
        assert_fails(final(wrong[i], &response, &is_authenticated), "08P01", "malformed SCRAM");
    }
}
END_TEST

START_TEST(verifier_as_text)
{
    char text[SCRAM_VERIFIER_TEXT_BYTES];
    ScramVerifier back;
    scram_verifier_print(&verifier, text);
    ck_assert_int_eq(strncmp(text, "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$", 44), 0);
    ck_assert(scram_verifier_parse(text, &back));
    ck_assert_mem_eq(back.stored_key, verifier.stored_key, 32);
    ck_assert_mem_eq(back.server_key, verifier.server_key, 32);
    ck_assert(scram_verifier_matches(&back, "pencil"));
    ck_assert(!scram_verifier_matches(&back, "pencils"));
    for (size_t bytes = 0; bytes < strlen(text); bytes++) {
        char *cut = arena_strndup(arena, text, bytes);
        ck_assert(!scram_verifier_parse(cut, &back));
    }
    ck_assert(!scram_verifier_parse("SCRAM-SHA-256$0:AAAA$x:y", &back));
    ck_assert(!scram_verifier_parse("SCRAM-SHA-256$99999999999:AAAA$x:y", &back));
    ck_assert(!scram_verifier_parse("md5d41d8cd98f00b204e9800998ecf8427e", &back));
}
END_TEST

START_TEST(each_verifier_has_its_salt)
{
    ScramVerifier one, two;
    ck_assert_ok(scram_verifier_create(&one, "secret"));
    ck_assert_ok(scram_verifier_create(&two, "secret"));
    ck_assert_mem_ne(one.salt, two.salt, SCRAM_SALT_BYTES);
    ck_assert(scram_verifier_matches(&one, "secret") && scram_verifier_matches(&two, "secret"));
}
END_TEST

START_TEST(unknown_users_look_known)
{
    ScramVerifier one, again, other, elsewhere;
    scram_verifier_fake(&one, (const uint8_t *)"secret", 6, "nobody");
    scram_verifier_fake(&again, (const uint8_t *)"secret", 6, "nobody");
    scram_verifier_fake(&other, (const uint8_t *)"secret", 6, "noone");
    scram_verifier_fake(&elsewhere, (const uint8_t *)"Secret", 6, "nobody");
    ck_assert_mem_eq(one.salt, again.salt, SCRAM_SALT_BYTES);
    ck_assert_mem_ne(one.salt, other.salt, SCRAM_SALT_BYTES);
    ck_assert_mem_ne(one.salt, elsewhere.salt, SCRAM_SALT_BYTES);
    ck_assert_uint_eq(one.iterations, SCRAM_ITERATIONS);
    ck_assert(!scram_verifier_matches(&one, ""));
    // Even the right proof for its keys is refused.
    verifier.is_fake = true;
    const char *response;
    bool is_authenticated = true;
    ck_assert_ok(final(CLIENT_FINAL, &response, &is_authenticated));
    ck_assert(!is_authenticated);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("auth_scram");
    TCase *tcase = tcase_create("exchange");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, vector_of_rfc_7677);
    tcase_add_test(tcase, wrong_proof);
    tcase_add_test(tcase, malformed_first);
    tcase_add_test(tcase, malformed_final);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("verifier");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, verifier_as_text);
    tcase_add_test(tcase, each_verifier_has_its_salt);
    tcase_add_test(tcase, unknown_users_look_known);
    suite_add_tcase(suite, tcase);
    return suite_main(suite);
}
