/*
 * encoding.h — what every encoding can do: predict its size, encode a column of a row group, check
 * a block, decode one vector, filter one vector in encoded form.
 *
 * Writing: column_profile() looks at the rows once; choose_encoding() asks each encoding for its
 * size (of texts: a prediction) and cost from that; the winner encodes. Reading: block_open() calls
 * `open`, after which `decode` may trust the structure; any vector decodes without its neighbours.
 */
#pragma once
#include "base/vector/predicate.h"
#include "storage/block_builder.h"
#include "storage/encoding/pack_kernels.h"

/* Stored in blocks: never renumber, never reuse. */
typedef enum EncodingId {
    ENCODING_AUTO = 0, /* never stored: leaves the choice open */
    ENCODING_CONSTANT = 1,
    ENCODING_BIT_PACKED = 2,
    ENCODING_RUN_LENGTH = 3,
    ENCODING_DICTIONARY = 4,
    ENCODING_LZ4_BYTES = 5,
    ENCODING_RAW = 6,
    ENCODING_DELTA = 7,
    ENCODING_FSST = 8,
    ENCODING_PHRASES = 9,
    ENCODING_DIFFERENCE = 10,
    ENCODING_MULTIPLE = 11,
    ENCODING_ALP = 12,
    ENCODING_ALP_RD = 13,
    ENCODING_DOMINANT = 14,
    ENCODING_RAW_TEXT = 15,
    ENCODING_FLOAT_DICTIONARY = 16,
    ENCODING_ID_COUNT
} EncodingId;

/* Sets of encodings: a bit for each id; 0 is all of them. */
static inline uint32_t encoding_set(EncodingId id)
{
    return id == ENCODING_AUTO ? 0 : UINT32_C(1) << id;
}
/* What a column may be stored as, by its PlanTable's encode_word. */
uint32_t encodings_of_word(uint32_t word, Lane lane);

/* Rows of one column that become one block. */
typedef struct ColumnChunk {
    Type type;
    Lane lane;          /* I64 (scaled integers), I128, F32, F64, TEXT */
    uint32_t row_count; /* 1 .. FORMAT_ROW_GROUP_ROWS */
    uint32_t null_count;
    const void *values;       /* lanes, readable up to the next multiple of 1,024 rows; null rows
                               * repeat a present value (zero or "" when there is none); 32 bytes
                               * behind every text are readable */
    const uint64_t *validity; /* null when null_count is 0; bits past the last row are zero */
    const struct TextFacts *facts; /* TEXT: when known already, else null */
    bool is_looked_up;             /* TEXT: a filter of single values is worth its bytes */
} ColumnChunk;

/* What is cheap to know of text while it is copied. Nulls count as empty. */
typedef struct TextFacts {
    uint64_t bytes;
    uint32_t length_min, length_max; /* no rows yet: UINT32_MAX, 0 */
    uint64_t high_bits;              /* any set bit 7 of a byte: not ASCII */
    bool has_trailing_blanks;
} TextFacts;
void text_facts_add(TextFacts *facts, const TextView *views, const uint64_t *validity,
                    uint32_t first_row, uint32_t row_count);

/* How a vector of integers is packed: values above base + 2^width - 1 are exceptions. */
typedef struct PackPlan {
    int64_t base;
    uint64_t span; /* largest value - base */
    uint32_t width;
    uint32_t exceptions;
} PackPlan;

/* What one pass over a chunk tells. */
typedef struct ColumnProfile {
    uint32_t vector_count;
    bool is_constant;                 /* all present values are equal, byte by byte */
    bool is_ascending, is_descending; /* never with nulls */
    bool has_sum;
    Int128 sum;                                      /* integers: of the present values */
    Int128 min, max;                                 /* integers */
    double float_min, float_max;                     /* floats; NaN is the largest */
    uint64_t change_count;                           /* rows unlike the row before */
    VectorProfile vectors[FORMAT_ROW_GROUP_VECTORS]; /* I64, and I128 that fits (see base128) */
    bool has_packs;                                  /* vectors[] and packs[] are set */
    Int128 base128; /* I128: what was subtracted to fit 64 bits; else 0 */
    PackPlan packs[FORMAT_ROW_GROUP_VECTORS];
    size_t packed_bytes; /* of all packs */
    uint64_t text_bytes; /* as stored: nulls are empty */
    uint32_t length_min, length_max;
    bool has_trailing_blanks, is_ascii;
    TextView text_min, text_max; /* borrowed; only after column_profile_texts */
} ColumnProfile;

/* What a writer remembers of a column from row group to row group. */
typedef struct EncodingMemory {
    struct SymbolTable *symbols;    /* FSST: reused while it compresses well */
    double symbol_ratio;            /* encoded / plain bytes when it was made */
    struct PhraseTable *phrases;    /* likewise */
    double phrase_ratio;            /* likewise */
    uint32_t phrase_skip_count;     /* row groups left before phrases are tried again */
    uint32_t dictionary_skip_count; /* row groups left before a dictionary is tried again */
    uint32_t dictionary_misses;
} EncodingMemory;

/* A column of the row group that was encoded before: others may be stored as what they differ from
 * it. */
#define ENCODE_BASES_MAX 16u
typedef struct BaseColumn {
    uint32_t column_id;
    ColumnChunk chunk;
} BaseColumn;

/* How a chunk's floats are cut or scaled; of the estimate made last. */
#define ALP_CHOICES_MAX 6u
typedef struct AlpChoice {
    uint8_t exponent, factor;
} AlpChoice;
typedef struct AlpChoices {
    uint32_t count;
    AlpChoice choices[ALP_CHOICES_MAX];
} AlpChoices;
typedef struct AlpSplit {
    uint32_t right_width, entry_count;
    uint16_t entries[8]; /* high parts */
} AlpSplit;

/* Everything encoders need besides the chunk; one per writing worker, reused. */
typedef struct EncodeContext {
    BlockBuilder builder;
    const PackKernels *kernels;
    MemoryBudget *budget;
    void *lanes;                          /* 1,024 64-bit lanes + padding */
    int64_t *values;                      /* the same: the last vector of a chunk, filled up */
    int64_t *residuals;                   /* FORMAT_ROW_GROUP_ROWS; I128 less its base, codes */
    struct DictionaryBuilder *dictionary; /* made when first used */
    uint32_t base_count;                  /* of the row group; 0: columns stand alone */
    BaseColumn bases[ENCODE_BASES_MAX];
    const BaseColumn *base; /* of the estimate made last */
    AlpChoices alp;         /* likewise */
    AlpSplit alp_split;     /* likewise */
    int64_t dominant;       /* likewise: the value of most rows */
} EncodeContext;

/* `context` lends scratch memory and kernels. */
void column_profile(const ColumnChunk *chunk, EncodeContext *context, ColumnProfile *out);

/* Bounds of text, which column_profile leaves out: dictionaries know theirs for nothing. */
void column_profile_texts(const ColumnChunk *chunk, ColumnProfile *profile);

typedef struct EncodeJob {
    const ColumnChunk *chunk;
    const ColumnProfile *profile;
    EncodingMemory *memory;
    EncodeContext *context;
    uint32_t encodings; /* the set to choose from, if one of them can encode the chunk */
} EncodeJob;

/* Bytes an encoding would take and what decoding costs; SIZE_MAX: it cannot. */
typedef struct EncodeEstimate {
    size_t bytes;
    double decode_ns; /* per row */
} EncodeEstimate;

/* Lends vectors of the columns that others are stored as differences from. */
typedef struct BaseReader {
    /* Vector `vector` of column `column_id` in the row group of `block`, whole; valid until the
     * next call. XX001 when the rowset has no such column of these rows. */
    Status (*read)(struct BaseReader *self, const Block *block, uint32_t column_id, uint32_t vector,
                   const Vector **out);
} BaseReader;

/* Memory a reading worker lends to `decode`, per column; reused for every vector. */
typedef struct DecodeBuffer {
    const PackKernels *kernels;
    void *lanes;   /* VECTOR_ROWS * 16 + 64 bytes, 64-byte aligned */
    void *scratch; /* VECTOR_ROWS * 8 + 64 bytes, 64-byte aligned */
    MemoryBudget *budget;
    char *text; /* decoded bytes; grows */
    size_t text_bytes;
    BaseReader *bases; /* set by the caller; null: no block may need another column */
} DecodeBuffer;
Status decode_buffer_init(DecodeBuffer *buffer, MemoryBudget *budget) CHECKED;
void decode_buffer_deinit(DecodeBuffer *buffer);
Status decode_buffer_reserve_text(DecodeBuffer *buffer, size_t bytes) CHECKED;

/* A predicate prepared for one block: whatever depends on the block alone is done once. */
typedef struct BlockFilter {
    PredicateVerdict verdict;   /* for present values of the whole block; nulls fail */
    const Predicate *predicate; /* as given */
    Predicate translated;       /* over dictionary codes, when `is_translated` */
    bool is_translated;
    uint64_t *bitmap; /* room for FORMAT_ROW_GROUP_ROWS bits: codes that pass */
} BlockFilter;

typedef struct EncodingOps {
    EncodingId id;
    const char *name;
    bool needs_base; /* decodes only with the buffer's `bases`: nodes[0].parameter is the column */
    EncodeEstimate (*estimate)(const EncodeJob *job);
    /* Adds nodes and streams to job->context->builder. Validity is written by the caller. */
    Status (*encode)(const EncodeJob *job);
    /* Checks nodes, streams and entries of a block whose checksum passed; makes `derived`. */
    Status (*open)(Block *block);
    /* Rows of vector `vector`; only rows of `selection` need be valid (null: all). The result
     * lives until the buffer is used again or the block closed. */
    Status (*decode)(const Block *block, uint32_t vector, const uint16_t *selection,
                     uint32_t selected_count, DecodeBuffer *buffer, Vector *out);
    /* Optional: clears the bits of present rows that fail, without decoding; false: cannot here.
     * Nulls are the caller's. */
    bool (*filter)(const Block *block, uint32_t vector, const BlockFilter *filter,
                   DecodeBuffer *buffer, RowMask *mask);
} EncodingOps;

/* Null for ids this program does not know. */
const EncodingOps *encoding_ops(uint32_t id);
EncodingId encoding_by_name(const char *name); /* ENCODING_AUTO when unknown */

extern const EncodingOps constant_ops, bit_packed_ops, run_length_ops, dictionary_ops;
extern const EncodingOps lz4_bytes_ops, raw_ops, delta_ops, fsst_ops, phrases_ops;
extern const EncodingOps difference_ops, multiple_ops, alp_ops, alp_rd_ops, dominant_ops;
extern const EncodingOps raw_text_ops, float_dictionary_ops;

Status encode_context_init(EncodeContext *context, MemoryBudget *budget) CHECKED;
void encode_context_deinit(EncodeContext *context);
void encoding_memory_deinit(EncodingMemory *memory);

/* The chunk may be a base of those that are encoded after it, if `encoding` allows. */
void encode_context_add_base(EncodeContext *context, uint32_t column_id, const ColumnChunk *chunk,
                             EncodingId encoding);

/* The encoding of least cost among job->encodings; among all when none of those can. */
const EncodingOps *choose_encoding(const EncodeJob *job);
