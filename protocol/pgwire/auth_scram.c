/* auth_scram.c — SCRAM-SHA-256, the server's half; see auth_scram.h. */
#include "protocol/pgwire/auth_scram.h"

#include <stdio.h>
#include <string.h>

#include "base/heap.h"

#define KEY_BYTES CRYPTO_SHA256_BYTES
#define KEY_BASE64_BYTES 44
#define NONCE_BYTES 18 /* 24 characters of base64 */
#define NONCE_TEXT_MAX 1024

static const char verifier_scheme[] = "SCRAM-SHA-256$";

static Status malformed(const char *detail);
static Status read_header(ScramExchange *exchange, const char **at);
static Status read_attribute(const char **at, char name, char **value, Arena *arena);
static bool is_proof_right(const ScramVerifier *verifier, const char *auth_message,
                           const uint8_t proof[KEY_BYTES]);
static bool decode_key(const char *text, size_t bytes, uint8_t key[KEY_BYTES]);

Status scram_verifier_build(ScramVerifier *verifier, const char *password, const uint8_t *salt,
                            size_t salt_bytes, uint32_t iterations)
{
    ASSERT(salt_bytes > 0 && salt_bytes <= SCRAM_SALT_BYTES_MAX && iterations > 0);
    uint8_t salted[KEY_BYTES], client_key[KEY_BYTES];
    char *prepared = crypto_saslprep(password);
    if (prepared == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory to prepare a password");
    }
    crypto_pbkdf2_sha256(prepared, strlen(prepared), salt, salt_bytes, iterations, salted);
    explicit_bzero(prepared, strlen(prepared));
    heap_free(prepared);
    *verifier = (ScramVerifier){.iterations = iterations, .salt_bytes = (uint32_t)salt_bytes};
    memcpy(verifier->salt, salt, salt_bytes);
    crypto_hmac_sha256(salted, KEY_BYTES, "Client Key", 10, client_key);
    crypto_sha256(client_key, KEY_BYTES, verifier->stored_key);
    crypto_hmac_sha256(salted, KEY_BYTES, "Server Key", 10, verifier->server_key);
    explicit_bzero(salted, sizeof(salted));
    explicit_bzero(client_key, sizeof(client_key));
    return STATUS_OK;
}

Status scram_verifier_create(ScramVerifier *verifier, const char *password)
{
    uint8_t salt[SCRAM_SALT_BYTES];
    TRY(crypto_random(salt, sizeof(salt)));
    return scram_verifier_build(verifier, password, salt, sizeof(salt), SCRAM_ITERATIONS);
}

void scram_verifier_print(const ScramVerifier *verifier, char text[SCRAM_VERIFIER_TEXT_BYTES])
{
    char salt[SCRAM_SALT_BYTES_MAX * 2], stored[KEY_BASE64_BYTES + 1], server[KEY_BASE64_BYTES + 1];
    crypto_base64_encode(verifier->salt, verifier->salt_bytes, salt);
    crypto_base64_encode(verifier->stored_key, KEY_BYTES, stored);
    crypto_base64_encode(verifier->server_key, KEY_BYTES, server);
    snprintf(text, SCRAM_VERIFIER_TEXT_BYTES, "%s%u:%s$%s:%s", verifier_scheme,
             verifier->iterations, salt, stored, server);
}

bool scram_verifier_parse(const char *text, ScramVerifier *verifier)
{
    size_t scheme_bytes = strlen(verifier_scheme);
    if (strncmp(text, verifier_scheme, scheme_bytes) != 0) {
        return false;
    }
    const char *at = text + scheme_bytes;
    uint64_t iterations = 0;
    for (; *at >= '0' && *at <= '9' && iterations <= SCRAM_ITERATIONS_MAX; at++) {
        iterations = iterations * 10 + (uint64_t)(*at - '0');
    }
    if (*at != ':' || iterations == 0 || iterations > SCRAM_ITERATIONS_MAX) {
        return false;
    }
    const char *salt = at + 1;
    const char *stored = strchr(salt, '$');
    const char *server = stored == NULL ? NULL : strchr(stored, ':');
    if (server == NULL) {
        return false;
    }
    ScramVerifier parsed = {.iterations = (uint32_t)iterations};
    size_t salt_text_bytes = (size_t)(stored - salt);
    if (salt_text_bytes > SCRAM_SALT_BYTES_MAX / 3 * 4) {
        return false;
    }
    int64_t salt_bytes = crypto_base64_decode(salt, salt_text_bytes, parsed.salt);
    if (salt_bytes <= 0 ||
        !decode_key(stored + 1, (size_t)(server - stored - 1), parsed.stored_key) ||
        !decode_key(server + 1, strlen(server + 1), parsed.server_key)) {
        return false;
    }
    parsed.salt_bytes = (uint32_t)salt_bytes;
    *verifier = parsed;
    return true;
}

void scram_verifier_fake(ScramVerifier *verifier, const uint8_t *secret, size_t secret_bytes,
                         const char *user)
{
    *verifier = (ScramVerifier){
        .iterations = SCRAM_ITERATIONS, .salt_bytes = SCRAM_SALT_BYTES, .is_fake = true};
    uint8_t digest[KEY_BYTES];
    crypto_hmac_sha256(secret, secret_bytes, user, strlen(user), digest);
    memcpy(verifier->salt, digest, SCRAM_SALT_BYTES);
    // Keys that belong to no password; unlike zeroes they make every step take its usual time.
    crypto_hmac_sha256(digest, KEY_BYTES, "stored", 6, verifier->stored_key);
    crypto_hmac_sha256(digest, KEY_BYTES, "server", 6, verifier->server_key);
}

bool scram_verifier_matches(const ScramVerifier *verifier, const char *password)
{
    ScramVerifier built;
    Status status = scram_verifier_build(&built, password, verifier->salt, verifier->salt_bytes,
                                         verifier->iterations);
    if (status != STATUS_OK) {
        status_ignore(status, "a password that cannot be checked does not match");
        return false;
    }
    bool is_equal = crypto_equal(built.stored_key, verifier->stored_key, KEY_BYTES);
    return is_equal && !verifier->is_fake;
}

Status scram_exchange_init(ScramExchange *exchange, Arena *arena, const ScramVerifier *verifier,
                           const char *server_nonce)
{
    *exchange = (ScramExchange){.arena = arena, .verifier = verifier};
    if (server_nonce != NULL) {
        exchange->server_nonce = server_nonce;
        return STATUS_OK;
    }
    uint8_t random[NONCE_BYTES];
    TRY(crypto_random(random, sizeof(random)));
    char *text = arena_alloc(arena, NONCE_BYTES / 3 * 4 + 1);
    crypto_base64_encode(random, sizeof(random), text);
    exchange->server_nonce = text;
    return STATUS_OK;
}

Status scram_exchange_first(ScramExchange *exchange, const uint8_t *message, size_t bytes,
                            const char **response)
{
    Arena *arena = exchange->arena;
    if (memchr(message, '\0', bytes) != NULL) {
        return malformed("the message contains a zero byte");
    }
    const char *at = arena_strndup(arena, (const char *)message, bytes);
    TRY(read_header(exchange, &at));
    exchange->client_first_bare = at;
    if (*at == 'm') {
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                            "client requires an unsupported SCRAM extension");
    }
    char *user, *client_nonce = NULL;
    // The name of the startup packet counts; libpq sends an empty one here.
    TRY(read_attribute(&at, 'n', &user, arena));
    TRY(read_attribute(&at, 'r', &client_nonce, arena));
    if (client_nonce[0] == '\0' || strlen(client_nonce) > NONCE_TEXT_MAX) {
        return malformed("the nonce has a wrong length");
    }
    for (const char *c = client_nonce; *c != '\0'; c++) {
        if (*c < 0x21 || *c > 0x7e) {
            return malformed("the nonce has a character that is not printable");
        }
    }
    char salt[SCRAM_SALT_BYTES_MAX * 2];
    crypto_base64_encode(exchange->verifier->salt, exchange->verifier->salt_bytes, salt);
    exchange->nonce = arena_printf(arena, "%s%s", client_nonce, exchange->server_nonce);
    exchange->server_first = arena_printf(arena, "r=%s,s=%s,i=%u", exchange->nonce, salt,
                                          exchange->verifier->iterations);
    *response = exchange->server_first;
    return STATUS_OK;
}

Status scram_exchange_final(ScramExchange *exchange, const uint8_t *message, size_t bytes,
                            const char **response, bool *is_authenticated)
{
    Arena *arena = exchange->arena;
    ASSERT(exchange->server_first != NULL);
    if (memchr(message, '\0', bytes) != NULL) {
        return malformed("the message contains a zero byte");
    }
    char *text = arena_strndup(arena, (const char *)message, bytes);
    char *proof_text = NULL;
    for (char *comma = strchr(text, ','); comma != NULL; comma = strchr(comma + 1, ',')) {
        proof_text = comma; // The proof is the last attribute; extensions may stand before it.
    }
    uint8_t proof[KEY_BYTES];
    if (proof_text == NULL || strncmp(proof_text, ",p=", 3) != 0 ||
        !decode_key(proof_text + 3, strlen(proof_text + 3), proof)) {
        return malformed("the proof is missing or has a wrong length");
    }
    *proof_text = '\0';
    const char *at = text;
    char *binding = NULL, *nonce = NULL;
    TRY(read_attribute(&at, 'c', &binding, arena));
    TRY(read_attribute(&at, 'r', &nonce, arena));
    // base64 of the first message's header "n,," or "y,,".
    if (strcmp(binding, exchange->binding_flag == 'n' ? "biws" : "eSws") != 0) {
        return malformed("the channel binding differs from the first message's");
    }
    if (strcmp(nonce, exchange->nonce) != 0) {
        return malformed("the nonce differs from the server's");
    }
    const char *auth_message =
        arena_printf(arena, "%s,%s,%s", exchange->client_first_bare, exchange->server_first, text);
    uint8_t signature[KEY_BYTES];
    char signature_text[KEY_BASE64_BYTES + 1];
    *is_authenticated = is_proof_right(exchange->verifier, auth_message, proof);
    crypto_hmac_sha256(exchange->verifier->server_key, KEY_BYTES, auth_message,
                       strlen(auth_message), signature);
    crypto_base64_encode(signature, KEY_BYTES, signature_text);
    *response = arena_printf(arena, "v=%s", signature_text);
    return STATUS_OK;
}

static Status malformed(const char *detail)
{
    return status_with_detail(status_error(SQLSTATE_PROTOCOL_VIOLATION, "malformed SCRAM message"),
                              "%s", detail);
}

/* gs2-header: "n,," or "y,,". */
static Status read_header(ScramExchange *exchange, const char **at)
{
    const char *text = *at;
    if (text[0] == 'p') {
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                            "client requires SCRAM channel binding, but it is not supported");
    }
    if ((text[0] != 'n' && text[0] != 'y') || text[1] != ',') {
        return malformed("unknown channel binding flag");
    }
    if (text[2] == 'a') {
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                            "client uses an authorization identity, but it is not supported");
    }
    if (text[2] != ',') {
        return malformed("unexpected attribute in the header");
    }
    exchange->binding_flag = text[0];
    *at = text + 3;
    return STATUS_OK;
}

/* Reads "x=value" up to a comma or the end, and steps over the comma. */
static Status read_attribute(const char **at, char name, char **value, Arena *arena)
{
    const char *text = *at;
    if (text[0] != name || text[1] != '=') {
        return status_with_detail(
            status_error(SQLSTATE_PROTOCOL_VIOLATION, "malformed SCRAM message"),
            "attribute \"%c\" is expected", name);
    }
    size_t bytes = strcspn(text + 2, ",");
    *value = arena_strndup(arena, text + 2, bytes);
    *at = text + 2 + bytes + (text[2 + bytes] == ',');
    return STATUS_OK;
}

/* ClientKey = proof XOR HMAC(StoredKey, AuthMessage); right when its hash is StoredKey. */
static bool is_proof_right(const ScramVerifier *verifier, const char *auth_message,
                           const uint8_t proof[KEY_BYTES])
{
    uint8_t client_key[KEY_BYTES], digest[KEY_BYTES];
    crypto_hmac_sha256(verifier->stored_key, KEY_BYTES, auth_message, strlen(auth_message),
                       client_key);
    for (size_t i = 0; i < KEY_BYTES; i++) {
        client_key[i] ^= proof[i];
    }
    crypto_sha256(client_key, KEY_BYTES, digest);
    bool is_equal = crypto_equal(digest, verifier->stored_key, KEY_BYTES);
    explicit_bzero(client_key, sizeof(client_key));
    return is_equal & !verifier->is_fake; // no short cut: unknown users take the same time
}

static bool decode_key(const char *text, size_t bytes, uint8_t key[KEY_BYTES])
{
    uint8_t decoded[KEY_BASE64_BYTES];
    if (bytes != KEY_BASE64_BYTES || crypto_base64_decode(text, bytes, decoded) != KEY_BYTES) {
        return false;
    }
    memcpy(key, decoded, KEY_BYTES);
    return true;
}
