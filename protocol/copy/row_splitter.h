/*
 * row_splitter.h — cuts a stream of COPY bytes into blocks of whole rows; parses nothing.
 *
 * Header rows and a byte order mark are dropped; where rows end in a lone carriage return those
 * become newlines, so that readers know two row ends only: LF and CRLF. The last row gets a newline
 * when it has none.
 * Invariants: (1) every block but the last ends with a row end, (2) no row is in two blocks,
 * (3) the blocks joined are the input, but for the changes above.
 */
#pragma once
#include "base/memory_budget.h"
#include "protocol/copy/copy_options.h"

#define ROW_BLOCK_BYTES (1u << 20)      /* the usual size of a block */
#define COPY_ROW_BYTES_MAX (128u << 20) /* of one row: 1,600 columns of 65,535 bytes */

/* A run of whole rows; 64 bytes behind it are readable. Whoever gets it frees it. */
typedef struct RowBlock {
    uint8_t *data; /* null: no block */
    size_t bytes;
    size_t capacity;     /* as allocated from the budget */
    uint64_t first_line; /* of the input, from 1 */
} RowBlock;
void row_block_free(MemoryBudget *budget, RowBlock *block);

typedef struct RowSplitter RowSplitter;

/* Blocks of `block_bytes`, their memory's size; longer rows make longer blocks. 53200 when memory
 * is refused. */
Status row_splitter_create(const CopyFormat *format, MemoryBudget *budget, size_t block_bytes,
                           RowSplitter **out) CHECKED;
void row_splitter_destroy(RowSplitter *splitter); /* null is allowed */

/*
 * Takes bytes of the input: `*taken` of them, at least one when there is any. `*out` is a block
 * that became full, or has null data. 54000 for a row longer than COPY_ROW_BYTES_MAX.
 */
Status row_splitter_add(RowSplitter *splitter, const void *data, size_t bytes, size_t *taken,
                        RowBlock *out) CHECKED;
/* The rest, at the end of the input; the splitter is then ready for another file. */
Status row_splitter_finish(RowSplitter *splitter, RowBlock *out) CHECKED;
