/* crypto.h — the only door to OpenSSL: digests, key derivation, secure randomness, base64. */
#pragma once
#include "base/status.h"

#define CRYPTO_SHA256_BYTES 32
void crypto_sha256(const void *data, size_t bytes, uint8_t digest[CRYPTO_SHA256_BYTES]);
void crypto_hmac_sha256(const void *key, size_t key_bytes, const void *data, size_t bytes,
                        uint8_t digest[CRYPTO_SHA256_BYTES]);
void crypto_pbkdf2_sha256(const char *password, size_t password_bytes, const uint8_t *salt,
                          size_t salt_bytes, uint32_t iterations, uint8_t key[CRYPTO_SHA256_BYTES]);
Status crypto_random(void *data, size_t bytes) CHECKED;
bool crypto_equal(const void *left, const void *right, size_t bytes); /* constant time */
/* Zero-terminated base64 into `target` (4 * ceil(bytes / 3) + 1 bytes). */
void crypto_base64_encode(const void *data, size_t bytes, char *target);
/* Bytes decoded into `target` (capacity >= bytes / 4 * 3), or -1 on malformed input. */
int64_t crypto_base64_decode(const char *text, size_t bytes, uint8_t *target);
/* SASLprep (RFC 4013) of a UTF-8 password into malloc'ed text; text that cannot be prepared is
 * copied unchanged, as PostgreSQL does. Null when memory is refused. */
char *crypto_saslprep(const char *text);
