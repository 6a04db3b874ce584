/*
 * format.h — every byte storage puts into a rowset file.
 *
 *   RowsetHeader  64 B
 *   column runs   for each column: block of row group 0, block of row group 1, …
 *   footer        FooterHeader, then tagged fields (FieldHeader + body padded to 8 bytes)
 *   zeroes        so that the file is a multiple of 4 KiB
 *   RowsetTrailer 64 B, the last bytes of the file
 *
 *   block         BlockHeader 64 B, BlockNode × node_count, BlockStream × stream_count, zeroes to
 *                 64, then the streams: each 64-byte aligned, 64 zero bytes behind the last one,
 *                 so that 64 bytes behind any stream are readable
 *
 * Everything is little endian, fixed width, without implicit padding. Invariants: (1) every byte of
 * the file is covered by exactly one checksum: the header's own, a block's, or the trailer's
 * (footer, zeroes and trailer); (2) a block's checksum is seeded by its identity, so that a block
 * read from the wrong place never passes; the footer repeats the sums of the blocks, the manifest
 * that of the footer; (3) every struct names its version; readers refuse a higher one; unknown
 * footer fields are skipped unless FIELD_CRITICAL is set; (4) value i of a bit-packed vector lies
 * in lane i mod L, L = 1024 / (bits of the lane), row i div L; (5) ids in this file are never
 * reused.
 */
#pragma once
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the rowset format is little endian and is read in place"
#endif

#define FORMAT_VERSION 1u
#define FORMAT_VECTOR_ROWS 1024u
#define FORMAT_ROW_GROUP_ROWS 65536u
#define FORMAT_ROW_GROUP_VECTORS 64u
#define FORMAT_ROWSET_ROW_GROUPS 64u
#define FORMAT_ALIGNMENT 64u /* of every section, and readable bytes after each stream */
#define FORMAT_FILE_ALIGNMENT 4096u
#define FORMAT_ROWSET_ID_BITS 42u
#define FORMAT_ROW_BITS 22u /* row id = rowset id << 22 | row group << 16 | row */
#define FORMAT_COLUMN_ID_MAX 65535u
#define FORMAT_COLUMNS_MAX 4096u

#define ROWSET_MAGIC UINT64_C(0x5453574f524c5342)  /* "BSLROWST" */
#define TRAILER_MAGIC UINT64_C(0x4c494152544c5342) /* "BSLTRAIL" */
#define BLOCK_MAGIC UINT32_C(0x4b4c4242)           /* "BBLK" */

/* How the cluster's 16-byte id appears in identities: XXH3-64 of it, seed 0. */
typedef struct RowsetHeader {
    uint64_t magic;          /* 0-7 */
    uint32_t version;        /* 8-11 */
    uint32_t flags;          /* 12-15 zero */
    uint64_t checksum;       /* 16-23 XXH3-64, seed 0, of this header with the field zero */
    uint64_t cluster;        /* 24-31 */
    uint64_t table_id;       /* 32-39 */
    uint64_t rowset_id;      /* 40-47 */
    uint32_t vector_rows;    /* 48-51 1,024 */
    uint32_t row_group_rows; /* 52-55 65,536: the stride of row ids */
    uint64_t reserved;       /* 56-63 zero */
} RowsetHeader;
static_assert(sizeof(RowsetHeader) == 64, "rowset header");

typedef struct BlockHeader {
    uint32_t magic;       /* 0-3 */
    uint16_t version;     /* 4-5 */
    uint16_t encryption;  /* 6-7 slot: number of the key record in the footer; 0 = plain */
    uint64_t checksum;    /* 8-15 XXH3-64 of what follows the header, seeded by that of the header
                           * (this field zero), seeded by that of the identity */
    uint64_t cluster;     /* 16-23 identity … */
    uint64_t table_id;    /* 24-31 */
    uint64_t rowset_id;   /* 32-39 */
    uint32_t column_id;   /* 40-43 */
    uint16_t row_group;   /* 44-45 … identity */
    uint8_t node_count;   /* 46 */
    uint8_t stream_count; /* 47 */
    uint32_t block_bytes; /* 48-51 header, streams and padding: a multiple of 64 */
    uint32_t row_count;   /* 52-55 1 .. 65,536 */
    uint32_t null_count;  /* 56-59 */
    uint16_t flags;       /* 60-61 BLOCK_FLAG_* */
    uint8_t lane;         /* 62 Lane of the values as encoded: I64, I128, F32, F64, TEXT */
    uint8_t reserved;     /* 63 zero */
} BlockHeader;
static_assert(sizeof(BlockHeader) == 64, "block header");
static_assert(offsetof(BlockHeader, block_bytes) == 48, "block header");

enum {                           /* BlockHeader.flags and ZoneRecord.flags */
       BLOCK_FLAG_ASCENDING = 1, /* rows in ascending order, no nulls */
       BLOCK_FLAG_DESCENDING = 2,
       BLOCK_FLAG_CONSTANT = 4,        /* one value, or all null */
       BLOCK_FLAG_TRAILING_BLANKS = 8, /* some text ends in a blank */
       BLOCK_FLAG_ASCII = 16,          /* text: every byte below 128 */
       BLOCK_FLAG_HAS_RANGE = 32,      /* min and max are set */
       BLOCK_FLAG_MIN_EXACT = 64,      /* text: min is the whole value, not a prefix */
       BLOCK_FLAG_MAX_EXACT = 128,
       BLOCK_FLAG_HAS_SUM = 256
};

/* The encoding tree in preorder; node 0 is the root. */
typedef struct BlockNode {
    uint16_t encoding;   /* 0-1 EncodingId */
    uint16_t flags;      /* 2-3 zero */
    uint32_t count;      /* 4-7 dictionary entries, symbols, … */
    uint64_t parameter;  /* 8-15 the encoding's own: id of the base column, … */
    uint64_t value_low;  /* 16-23 128-bit value: constant, base */
    uint64_t value_high; /* 24-31 */
} BlockNode;
static_assert(sizeof(BlockNode) == 32, "block node");
#define BLOCK_NODES_MAX 4u

typedef enum StreamKind {
    STREAM_VALIDITY = 1, /* a 64-bit word per 64 rows, 16 words per vector; bit set: present */
    STREAM_VECTORS = 2,  /* VectorEntry per vector */
    STREAM_DATA = 3,     /* what the vector entries point into */
    STREAM_ENTRIES = 4,  /* dictionary values, or the constant's text */
    STREAM_OFFSETS = 5,  /* u32 ends of the dictionary's texts */
    STREAM_SYMBOLS = 6,  /* symbol table, phrases */
    STREAM_LOOKUP = 7    /* u32 words, a power of two of them: a bloom filter of the block's texts
                          * (storage/lookup_filter.h); readers that do not know it skip it */
} StreamKind;

typedef struct BlockStream {
    uint16_t kind;   /* 0-1 StreamKind */
    uint16_t node;   /* 2-3 index of the encoding node it belongs to */
    uint32_t offset; /* 4-7 from the start of the block, in 64-byte units */
    uint64_t bytes;  /* 8-15 without padding */
} BlockStream;
static_assert(sizeof(BlockStream) == 16, "block stream");
#define BLOCK_STREAMS_MAX 16u

/* One per vector; for integers both the packing's header and a zone map of 1,024 rows: every
 * present value lies in [base, base + 2^width - 1], or in the output lane when it has
 * exceptions. */
typedef struct VectorEntry {
    int64_t base;        /* 0-7 */
    uint32_t offset;     /* 8-11 into STREAM_DATA, in 16-byte units */
    uint8_t width;       /* 12 bits per packed value, 0 .. 64 */
    uint8_t flags;       /* 13 VECTOR_FLAG_* */
    uint16_t exceptions; /* 14-15 patches, runs, … as the encoding says */
} VectorEntry;
static_assert(sizeof(VectorEntry) == 16, "vector entry");

enum {                             /* VectorEntry.flags */
       VECTOR_FLAG_NULLS = 1,      /* some row is null: the validity words matter */
       VECTOR_FLAG_ASCENDING = 2,  /* no nulls, values ascend */
       VECTOR_FLAG_PLAIN = 4,      /* text: the bytes are not compressed */
       VECTOR_FLAG_LANE_SHIFT = 4, /* bits 4-5: output Lane U8, U16, U32 or I64 */
       VECTOR_FLAG_LANE_MASK = 3
};

/* Zone map of one block, in the footer. Integers are 128-bit two's complement, floats the bits of
 * a double in the first 8 bytes, text a prefix of at most 16 bytes. */
typedef struct ZoneRecord {
    uint32_t row_count;      /* 0-3 */
    uint32_t null_count;     /* 4-7 */
    uint16_t flags;          /* 8-9 BLOCK_FLAG_* */
    uint8_t min_bytes;       /* 10 text: bytes of the prefix */
    uint8_t max_bytes;       /* 11 */
    uint32_t distinct_count; /* 12-15 exact; 0: unknown */
    uint8_t min[16];         /* 16-31 */
    uint8_t max[16];         /* 32-47 text not exact: every value starts with it or is less */
    uint8_t sum[16];         /* 48-63 integers: exact 128-bit sum of the present values */
} ZoneRecord;
static_assert(sizeof(ZoneRecord) == 64, "zone record");

/* Where a block is, beside its sum. */
typedef struct BlockLocation {
    uint64_t offset;   /* 0-7 from the start of the file */
    uint64_t checksum; /* 8-15 the block's */
    uint32_t bytes;    /* 16-19 */
    uint32_t reserved; /* 20-23 zero */
} BlockLocation;
static_assert(sizeof(BlockLocation) == 24, "block location");

typedef struct FooterHeader {
    uint32_t version;         /* 0-3 */
    uint32_t field_count;     /* 4-7 */
    uint64_t table_id;        /* 8-15 */
    uint64_t rowset_id;       /* 16-23 */
    uint64_t row_count;       /* 24-31 */
    uint32_t column_count;    /* 32-35 */
    uint32_t row_group_count; /* 36-39 */
    uint16_t first_bucket;    /* 40-41 buckets the rows are from */
    uint16_t last_bucket;     /* 42-43 */
    uint32_t slice;           /* 44-47 that wrote it */
    uint64_t txn_id;          /* 48-55 that wrote it */
    uint64_t reserved;        /* 56-63 zero */
} FooterHeader;
static_assert(sizeof(FooterHeader) == 64, "footer header");

/* Tags of footer fields. A reader that does not know a tag skips the field, unless critical. */
typedef enum FieldTag {
    FIELD_COLUMNS = 1,    /* ColumnRecord × column_count */
    FIELD_ROW_GROUPS = 2, /* u32 rows × row_group_count */
    FIELD_LOCATIONS = 3,  /* BlockLocation × column_count × row_group_count, column by column */
    FIELD_ZONES = 4,      /* ZoneRecord, likewise */
    FIELD_SORT_KEY = 5,   /* u32 column ids: the rows of the rowset ascend by them */
    FIELD_ENCRYPTION = 6, /* slot: key records; critical when present */
    FIELD_LOOKUPS = 7,    /* u32 column ids: their blocks have filters where those help */
    FIELD_SKETCHES = 8    /* slot: column sketches of the rowset */
} FieldTag;
#define FIELD_CRITICAL 0x8000u

typedef struct FieldHeader {
    uint16_t tag;     /* 0-1 FieldTag, FIELD_CRITICAL */
    uint16_t version; /* 2-3 */
    uint32_t bytes;   /* 4-7 of the body, without its padding to 8 */
} FieldHeader;
static_assert(sizeof(FieldHeader) == 8, "field header");

typedef struct ColumnRecord {
    uint32_t column_id; /* 0-3 */
    uint8_t type_id;    /* 4 */
    uint8_t precision;  /* 5 */
    uint8_t scale;      /* 6 */
    uint8_t collation;  /* 7 zero: bytes without trailing blanks */
    int32_t length;     /* 8-11 */
    uint32_t flags;     /* 12-15 zero */
} ColumnRecord;
static_assert(sizeof(ColumnRecord) == 16, "column record");

typedef struct RowsetTrailer {
    uint64_t footer_offset; /* 0-7 */
    uint64_t footer_bytes;  /* 8-15 */
    uint64_t file_bytes;    /* 16-23 */
    uint64_t cluster;       /* 24-31 */
    uint64_t rowset_id;     /* 32-39 */
    uint32_t version;       /* 40-43 */
    uint32_t flags;         /* 44-47 zero */
    uint64_t checksum;      /* 48-55 XXH3-64 seeded by cluster ^ rowset id, of everything from the
                             * footer to the end of the file with the field zero */
    uint64_t magic;         /* 56-63 */
} RowsetTrailer;
static_assert(sizeof(RowsetTrailer) == 64, "rowset trailer");
