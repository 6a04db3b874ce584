/* crypto.c — OpenSSL's digests and randomness, libidn's SASLprep, and base64. */
#include "base/crypto.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <stringprep.h>

#include "base/heap.h"

void crypto_sha256(const void *data, size_t bytes, uint8_t digest[CRYPTO_SHA256_BYTES])
{
    SHA256(data, bytes, digest);
}

void crypto_hmac_sha256(const void *key, size_t key_bytes, const void *data, size_t bytes,
                        uint8_t digest[CRYPTO_SHA256_BYTES])
{
    ASSERT(key_bytes <= INT_MAX);
    // OpenSSL takes a null key for "the former one".
    const void *used_key = key_bytes > 0 ? key : "";
    unsigned length = CRYPTO_SHA256_BYTES;
    uint8_t *result = HMAC(EVP_sha256(), used_key, (int)key_bytes, data, bytes, digest, &length);
    ASSERT(result != NULL && length == CRYPTO_SHA256_BYTES);
}

void crypto_pbkdf2_sha256(const char *password, size_t password_bytes, const uint8_t *salt,
                          size_t salt_bytes, uint32_t iterations, uint8_t key[CRYPTO_SHA256_BYTES])
{
    ASSERT(password_bytes <= INT_MAX && salt_bytes <= INT_MAX);
    ASSERT(iterations > 0 && iterations <= INT_MAX);
    int result = PKCS5_PBKDF2_HMAC(password, (int)password_bytes, salt, (int)salt_bytes,
                                   (int)iterations, EVP_sha256(), CRYPTO_SHA256_BYTES, key);
    ASSERT(result == 1);
}

Status crypto_random(void *data, size_t bytes)
{
    if (bytes > INT_MAX || RAND_bytes(data, (int)bytes) != 1) {
        return status_error(SQLSTATE_SYSTEM_ERROR, "could not draw %zu random bytes", bytes);
    }
    return STATUS_OK;
}

bool crypto_equal(const void *left, const void *right, size_t bytes)
{
    return CRYPTO_memcmp(left, right, bytes) == 0;
}

static const char base64_digits[65] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void crypto_base64_encode(const void *data, size_t bytes, char *target)
{
    const uint8_t *source = data;
    size_t i = 0;
    for (; bytes - i >= 3; i += 3) {
        uint32_t group = (uint32_t)source[i] << 16 | (uint32_t)source[i + 1] << 8 | source[i + 2];
        *target++ = base64_digits[group >> 18];
        *target++ = base64_digits[group >> 12 & 63];
        *target++ = base64_digits[group >> 6 & 63];
        *target++ = base64_digits[group & 63];
    }
    if (i < bytes) {
        bool has_two = bytes - i == 2;
        uint32_t group = (uint32_t)source[i] << 16 | (has_two ? (uint32_t)source[i + 1] << 8 : 0);
        *target++ = base64_digits[group >> 18];
        *target++ = base64_digits[group >> 12 & 63];
        *target++ = has_two ? base64_digits[group >> 6 & 63] : '=';
        *target++ = '=';
    }
    *target = '\0';
}

static int32_t base64_value(char digit)
{
    if (digit >= 'A' && digit <= 'Z') {
        return digit - 'A';
    }
    if (digit >= 'a' && digit <= 'z') {
        return digit - 'a' + 26;
    }
    if (digit >= '0' && digit <= '9') {
        return digit - '0' + 52;
    }
    return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

// Strict (RFC 4648): whole groups, padding only at the end, unused bits zero, nothing skipped.
int64_t crypto_base64_decode(const char *text, size_t bytes, uint8_t *target)
{
    if (bytes % 4 != 0) {
        return -1;
    }
    int64_t decoded = 0;
    for (size_t i = 0; i < bytes; i += 4) {
        size_t padding = 0;
        if (i + 4 == bytes && text[i + 3] == '=') {
            padding = text[i + 2] == '=' ? 2 : 1;
        }
        uint32_t group = 0;
        for (size_t j = 0; j < 4; j++) {
            int32_t value = j >= 4 - padding ? 0 : base64_value(text[i + j]);
            if (value < 0) {
                return -1;
            }
            group = group << 6 | (uint32_t)value;
        }
        if ((padding == 1 && (group & 0xFFu) != 0) || (padding == 2 && (group & 0xFFFFu) != 0)) {
            return -1;
        }
        for (size_t j = 0; j < 3 - padding; j++) {
            target[decoded++] = (uint8_t)(group >> (16 - 8 * j));
        }
    }
    return decoded;
}

// As PostgreSQL does, unassigned code points count as "cannot be prepared", and so does text of
// which nothing would remain.
char *crypto_saslprep(const char *text)
{
    char *prepared = NULL;
    int result = stringprep_profile(text, &prepared, "SASLprep", STRINGPREP_NO_UNASSIGNED);
    const char *chosen = result == STRINGPREP_OK && prepared[0] != '\0' ? prepared : text;
    char *copy = heap_strdup(chosen);
    if (result == STRINGPREP_OK) {
        OPENSSL_cleanse(prepared, strlen(prepared));
        free(prepared); // libidn's own
    }
    return copy;
}
