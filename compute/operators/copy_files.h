/*
 * copy_files.h — the files of a COPY as blocks of whole rows, claimed by workers.
 *
 * Work is cut into pieces that every node numbers alike: piece i belongs to node i % node_count. A
 * piece is a range of a plain text file, or a whole file where row ends cannot be told from the
 * middle (CSV, escapes, gzip). A row belongs to the range it begins in.
 */
#pragma once
#include "base/io/file.h"
#include "compute/exec/query_context.h"
#include "protocol/copy/row_splitter.h"

typedef struct CopyFiles CopyFiles;

/* All memory is the arena's. `paths` are files, directories, or prefixes of file names. 42501
 * outside of the roots, 58P01 when there is none. */
Status copy_files_open(QueryContext *query, const CopyFormat *format, const char *const *paths,
                       uint32_t path_count, Arena *query_arena, CopyFiles **out) CHECKED;
uint32_t copy_files_piece_count(const CopyFiles *files); /* of this node */

/* One worker's piece. */
typedef struct CopyPiece CopyPiece;
CopyPiece *copy_piece_create(CopyFiles *files, Arena *worker_arena);
/* The next block, claiming pieces as needed; null data when there are none left. */
Status copy_piece_next(CopyPiece *piece, RowBlock *out) CHECKED;
const char *copy_piece_path(const CopyPiece *piece); /* of the last block */
void copy_piece_close(CopyPiece *piece);
