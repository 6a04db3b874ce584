/*
 * hash_method.h — how a column is hashed, for the two hashes of this folder.
 *
 * hash_column reads the selected rows of any form into plain arrays and calls one loop of the
 * method per vector; a dictionary smaller than the rows is hashed entry by entry.
 */
#pragma once
#include "base/vector/batch.h"

typedef struct HashMethod {
    uint64_t null_hash;
    /* Scaled integers of `type`, hashed in place. */
    void (*integers)(Type type, uint64_t *values, uint32_t count);
    /* 16-byte values: decimals above 18 digits or intervals. */
    void (*wides)(Type type, const Int128 *values, uint32_t count, uint64_t *hashes);
    void (*doubles)(const double *values, uint32_t count, uint64_t *hashes);
    /* Texts; `is_trimmed`: none ends in a blank. */
    void (*texts)(const TextView *values, uint32_t count, bool is_trimmed, uint64_t *hashes);
    /* hashes[i] becomes the hash of (hashes[i], next[i]). */
    void (*combine)(const uint64_t *next, uint32_t count, uint64_t *hashes);
} HashMethod;

void hash_column(const HashMethod *method, const Vector *vector, const Batch *batch,
                 bool is_combined, uint64_t *hashes);
uint64_t hash_single_value(const HashMethod *method, const Value *value);
