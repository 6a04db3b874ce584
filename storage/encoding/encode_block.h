/* encode_block.h — from a chunk of rows to the bytes of its block and its zone map. */
#pragma once
#include "storage/zone_map.h"

#define ENCODE_LANES_BYTES (VECTOR_ROWS * sizeof(int64_t) + 64)
#define ENCODE_RESIDUALS_BYTES (FORMAT_ROW_GROUP_ROWS * sizeof(int64_t) + 64)

typedef struct EncodedBlock {
    const uint8_t *bytes; /* the context's, until its next block */
    size_t byte_count;
    EncodingId encoding;
    ZoneRecord zone;
    ColumnProfile profile;
} EncodedBlock;

/* Profiles, chooses among the set `encodings`, encodes. `memory` is the column's; 53200. */
Status encode_block(EncodeContext *context, const ColumnChunk *chunk, EncodingMemory *memory,
                    uint32_t encodings, const BlockIdentity *identity, EncodedBlock *out) CHECKED;
