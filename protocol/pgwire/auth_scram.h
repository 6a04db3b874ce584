/*
 * auth_scram.h — the server's half of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding.
 *
 * The server keeps a verifier, never a password:
 * "SCRAM-SHA-256$4096:<salt>$<StoredKey>:<ServerKey>", binary parts in base64, as PostgreSQL writes
 * it. A user who does not exist goes through the same steps with a verifier derived from the
 * server's secret: same salt every time, never a success.
 *
 *   client                                       server
 *   n,,n=user,r=ClientNonce                ->
 *                                          <-    r=ClientNonceServerNonce,s=salt,i=4096
 *   c=biws,r=ClientNonceServerNonce,p=Proof ->   scram_exchange_first made the line above
 *                                          <-    v=ServerSignature (scram_exchange_final)
 */
#pragma once
#include "base/arena.h"
#include "base/crypto.h"

#define SCRAM_ITERATIONS 4096u
#define SCRAM_ITERATIONS_MAX 10000000u
#define SCRAM_SALT_BYTES 16
#define SCRAM_SALT_BYTES_MAX 64
#define SCRAM_VERIFIER_TEXT_BYTES 256 /* room for any verifier of ours */

typedef struct ScramVerifier {
    uint32_t iterations;
    uint32_t salt_bytes;
    uint8_t salt[SCRAM_SALT_BYTES_MAX];
    uint8_t stored_key[CRYPTO_SHA256_BYTES];
    uint8_t server_key[CRYPTO_SHA256_BYTES];
    bool is_fake; /* stands for an unknown user: every proof is wrong */
} ScramVerifier;

/* Builds a verifier from a password (prepared with SASLprep) and a salt of 1 to
 * SCRAM_SALT_BYTES_MAX bytes. */
Status scram_verifier_build(ScramVerifier *verifier, const char *password, const uint8_t *salt,
                            size_t salt_bytes, uint32_t iterations) CHECKED;
/* The same with a random salt and the usual number of iterations. */
Status scram_verifier_create(ScramVerifier *verifier, const char *password) CHECKED;
void scram_verifier_print(const ScramVerifier *verifier, char text[SCRAM_VERIFIER_TEXT_BYTES]);
/* False when `text` is no verifier; CREATE USER tells a verifier from a password by it. */
bool scram_verifier_parse(const char *text, ScramVerifier *verifier);
/* The verifier of an unknown user: a function of the server's secret and the name. */
void scram_verifier_fake(ScramVerifier *verifier, const uint8_t *secret, size_t secret_bytes,
                         const char *user);
/* True when `password` is the one behind the verifier; false also when memory is refused. */
bool scram_verifier_matches(const ScramVerifier *verifier, const char *password);

typedef struct ScramExchange {
    Arena *arena;
    const ScramVerifier *verifier;
    const char *server_nonce;
    char binding_flag;             /* 'n' or 'y' */
    const char *nonce;             /* both nonces joined */
    const char *client_first_bare; /* the parts of the AuthMessage */
    const char *server_first;
} ScramExchange;

/* `verifier` must outlive the exchange. `server_nonce`: printable, no comma; null: a random one. */
Status scram_exchange_init(ScramExchange *exchange, Arena *arena, const ScramVerifier *verifier,
                           const char *server_nonce) CHECKED;
/* 08P01 for malformed messages, 0A000 for channel binding and authorisation identities. The
 * response is zero-terminated text in the arena. */
Status scram_exchange_first(ScramExchange *exchange, const uint8_t *message, size_t bytes,
                            const char **response) CHECKED;
Status scram_exchange_final(ScramExchange *exchange, const uint8_t *message, size_t bytes,
                            const char **response, bool *is_authenticated) CHECKED;
