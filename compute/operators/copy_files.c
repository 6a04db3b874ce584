/* copy_files.c — finding the files, cutting them into pieces, reading a piece. */
#include "compute/operators/copy_files.h"

#include <stdlib.h>
#include <string.h>

#include "base/compress.h"
#include "base/heap.h"

enum {
    RANGE_BYTES = 16 << 20,  /* of a plain text file */
    READ_BYTES = 1 << 20,
    SEEK_BYTES = 64 << 10,   /* looking for the row end before a range */
    FILES_MAX = 1000000,
};

typedef struct CopyFile {
    const char *path;
    uint64_t bytes;
    bool is_gzip, is_whole;
} CopyFile;

typedef struct Range {
    uint32_t file;
    uint64_t first, end;
} Range;

struct CopyFiles {
    QueryContext *query;
    CopyFormat format, rest_format; /* of a file's beginning, and of ranges behind it */
    bool is_splittable;
    Arena *arena;
    CopyFile *files;
    uint32_t file_count, file_capacity;
    Range *ranges;            /* of this node */
    uint32_t range_count, range_capacity;
    uint32_t next_range;      /* atomic */
};

struct CopyPiece {
    CopyFiles *files;
    const CopyFile *file;     /* null: none is open */
    File *handle;
    uint64_t next, end;       /* bytes of the file still to be read */
    RowSplitter *splitter;
    GunzipStream *gunzip;
    uint8_t *bytes, *expanded;   /* READ_BYTES each, from the heap */
    const uint8_t *pending;   /* read but not yet split */
    size_t pending_bytes;
    const uint8_t *packed;    /* read but not yet expanded */
    size_t packed_bytes;
    bool is_packed_end, is_finished;
};

// Only absolute paths below a root, without ways out.
static Status check_root(const QueryContext *query, const char *path)
{
    const char *roots = query->copy_roots == NULL ? "" : query->copy_roots;
    bool is_plain = path[0] == '/' && strstr(path, "/../") == NULL && strstr(path, "//") == NULL;
    size_t length = strlen(path);
    is_plain = is_plain && !(length >= 3 && strcmp(path + length - 3, "/..") == 0);
    while (is_plain && *roots != '\0') {
        size_t bytes = strcspn(roots, ":");
        size_t root = bytes;
        while (root > 1 && roots[root - 1] == '/') {
            root--;
        }
        if (root > 0 && strncmp(path, roots, root) == 0 && (path[root] == '/' || root == 1)) {
            return STATUS_OK;
        }
        roots += bytes + (roots[bytes] == ':');
    }
    return status_with_hint(
        status_error(SQLSTATE_INSUFFICIENT_PRIVILEGE, "file \"%s\" may not be read by COPY", path),
        "the setting copy_roots lists the directories that may be read");
}

static Status add_file(CopyFiles *files, const char *path)
{
    if (files->file_count == FILES_MAX) {
        return status_error(SQLSTATE_PROGRAM_LIMIT_EXCEEDED, "COPY from more than %d files",
                            FILES_MAX);
    }
    if (files->file_count == files->file_capacity) {
        uint32_t capacity = files->file_capacity > 0 ? files->file_capacity * 2 : 16;
        CopyFile *list = ARENA_ARRAY(files->arena, CopyFile, capacity);
        if (files->file_count > 0) {
            memcpy(list, files->files, files->file_count * sizeof *list);
        }
        files->files = list;
        files->file_capacity = capacity;
    }
    files->files[files->file_count++] = (CopyFile){.path = arena_strdup(files->arena, path)};
    return STATUS_OK;
}

typedef struct Listing {
    CopyFiles *files;
    const char *directory, *prefix;
} Listing;

static Status visit_entry(void *object, const char *name, bool is_directory)
{
    Listing *listing = object;
    if (is_directory || strncmp(name, listing->prefix, strlen(listing->prefix)) != 0) {
        return STATUS_OK;
    }
    return add_file(listing->files,
                    arena_printf(listing->files->arena, "%s/%s", listing->directory, name));
}

static int compare_paths(const void *left, const void *right)
{
    return strcmp(((const CopyFile *)left)->path, ((const CopyFile *)right)->path);
}

// A file, all files of a directory, or all files whose names begin so; sorted, as all nodes must
// number them alike.
static Status add_path(CopyFiles *files, const char *path)
{
    FileSystem *system = files->query->host->files;
    uint32_t before = files->file_count;
    char *directory = arena_strdup(files->arena, path);
    size_t length = strlen(directory);
    while (length > 1 && directory[length - 1] == '/') {
        directory[--length] = '\0';
    }
    Listing listing = {.files = files, .directory = directory, .prefix = ""};
    Status status = file_list(system, directory, visit_entry, &listing);
    if (status != STATUS_OK) {
        status_ignore(status, "it is no directory");
        files->file_count = before;
        bool exists = false;
        TRY(file_exists(system, path, &exists));
        if (exists) {
            return add_file(files, path);
        }
        char *slash = strrchr(directory, '/');
        *slash = '\0';
        listing.prefix = slash + 1;
        listing.directory = directory;
        status = file_list(system, directory[0] == '\0' ? "/" : directory, visit_entry, &listing);
        status_ignore(status, "then no file has this prefix");
    }
    if (files->file_count == before) {
        return status_error(SQLSTATE_UNDEFINED_FILE, "file \"%s\" does not exist", path);
    }
    qsort(files->files + before, files->file_count - before, sizeof *files->files, compare_paths);
    return STATUS_OK;
}

// Size, and whether it is gzip by its first bytes.
static Status look_at_file(CopyFiles *files, CopyFile *file)
{
    File *handle;
    uint8_t magic[2] = {0};
    size_t read_bytes = 0;
    TRY(file_open(files->query->host->files, file->path, FILE_READ, &handle));
    Status status = file_size(handle, &file->bytes);
    if (status == STATUS_OK) {
        status = file_read(handle, magic, sizeof magic, 0, &read_bytes);
    }
    file_close(handle);
    file->is_gzip = read_bytes == 2 && magic[0] == 0x1F && magic[1] == 0x8B;
    file->is_whole = file->is_gzip || !files->is_splittable;
    return status;
}

static void add_range(CopyFiles *files, const Range *range, uint64_t number)
{
    const QueryContext *query = files->query;
    uint32_t nodes = query->node_count > 0 ? query->node_count : 1;
    if (number % nodes + 1 != query->endpoint && query->endpoint != 0) {
        return;
    }
    if (files->range_count == files->range_capacity) {
        uint32_t capacity = files->range_capacity > 0 ? files->range_capacity * 2 : 64;
        Range *list = ARENA_ARRAY(files->arena, Range, capacity);
        if (files->range_count > 0) {
            memcpy(list, files->ranges, files->range_count * sizeof *list);
        }
        files->ranges = list;
        files->range_capacity = capacity;
    }
    files->ranges[files->range_count++] = *range;
}

static Status cut_files(CopyFiles *files)
{
    uint64_t number = 0;
    for (uint32_t f = 0; f < files->file_count; f++) {
        CopyFile *file = &files->files[f];
        TRY(look_at_file(files, file));
        uint64_t step = file->is_whole ? UINT64_MAX : RANGE_BYTES;
        uint64_t first = 0;
        do {
            uint64_t end = file->bytes - first > step ? first + step : file->bytes;
            Range range = {.file = f, .first = first, .end = end};
            add_range(files, &range, number++);
            first = end;
        } while (first < file->bytes);
    }
    return STATUS_OK;
}

Status copy_files_open(QueryContext *query, const CopyFormat *format, const char *const *paths,
                       uint32_t path_count, Arena *query_arena, CopyFiles **out)
{
    CopyFiles *files = ARENA_NEW(query_arena, CopyFiles);
    files->query = query;
    files->arena = query_arena;
    files->format = files->rest_format = *format;
    files->rest_format.header_rows = 0;
    files->is_splittable = format->style == COPY_STYLE_TEXT &&
                           format->escape_kind == COPY_ESCAPE_NONE && !format->removes_quotes;
    for (uint32_t i = 0; i < path_count; i++) {
        TRY(check_root(query, paths[i]));
        TRY(add_path(files, paths[i]));
    }
    TRY(cut_files(files));
    *out = files;
    return STATUS_OK;
}

uint32_t copy_files_piece_count(const CopyFiles *files)
{
    return files->range_count;
}

CopyPiece *copy_piece_create(CopyFiles *files, Arena *worker_arena)
{
    CopyPiece *piece = ARENA_NEW(worker_arena, CopyPiece);
    piece->files = files;
    return piece;
}

const char *copy_piece_path(const CopyPiece *piece)
{
    return piece->file == NULL ? "" : piece->file->path;
}

static void close_piece(CopyPiece *piece)
{
    file_close(piece->handle);
    row_splitter_destroy(piece->splitter);
    gunzip_stream_destroy(piece->gunzip);
    piece->handle = NULL;
    piece->splitter = NULL;
    piece->gunzip = NULL;
    piece->pending_bytes = piece->packed_bytes = 0;
    piece->is_finished = piece->is_packed_end = false;
}

void copy_piece_close(CopyPiece *piece)
{
    close_piece(piece);
    heap_free(piece->bytes);
    heap_free(piece->expanded);
}

// The first byte of the first row that begins at `position` or later.
static Status find_row_start(CopyPiece *piece, uint64_t position, uint64_t *start)
{
    uint64_t at = position - (position > 0);
    *start = position == 0 ? 0 : piece->file->bytes;
    while (position > 0 && at < piece->file->bytes) {
        size_t read_bytes = 0;
        TRY(file_read(piece->handle, piece->bytes, SEEK_BYTES, at, &read_bytes));
        const uint8_t *end = memchr(piece->bytes, '\n', read_bytes);
        if (end != NULL) {
            *start = at + (uint64_t)(end - piece->bytes) + 1;
            break;
        }
        if (read_bytes == 0) {
            break;
        }
        at += read_bytes;
    }
    return STATUS_OK;
}

static Status open_piece(CopyPiece *piece, const Range *range)
{
    CopyFiles *files = piece->files;
    QueryContext *query = files->query;
    piece->file = &files->files[range->file];
    if (piece->bytes == NULL) {
        piece->bytes = heap_alloc(READ_BYTES);
        if (piece->bytes == NULL) {
            return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory to read a file");
        }
    }
    TRY(file_open(query->host->files, piece->file->path, FILE_READ, &piece->handle));
    piece->next = range->first;
    piece->end = range->end;
    if (!piece->file->is_whole) {
        TRY(find_row_start(piece, range->first, &piece->next));
        TRY(find_row_start(piece, range->end, &piece->end));
    }
    if (piece->file->is_gzip) {
        if (piece->expanded == NULL) {
            piece->expanded = heap_alloc(READ_BYTES);
        }
        if (piece->expanded == NULL) {
            return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory to read a file");
        }
        TRY(gunzip_stream_create(&piece->gunzip));
    }
    return row_splitter_create(range->first == 0 ? &files->format : &files->rest_format,
                               query->budget, ROW_BLOCK_BYTES, &piece->splitter);
}

static Status read_file(CopyPiece *piece, const uint8_t **data, size_t *bytes)
{
    uint64_t left = piece->end > piece->next ? piece->end - piece->next : 0;
    size_t wanted = left < READ_BYTES ? (size_t)left : READ_BYTES;
    *data = piece->bytes;
    *bytes = 0;
    if (wanted > 0) {
        TRY(file_read(piece->handle, piece->bytes, wanted, piece->next, bytes));
        piece->next = *bytes == 0 ? piece->end : piece->next + *bytes;
    }
    return STATUS_OK;
}

// The next bytes of text: of the file, or expanded from it. None at the end.
static Status fetch(CopyPiece *piece)
{
    if (piece->gunzip == NULL) {
        return read_file(piece, &piece->pending, &piece->pending_bytes);
    }
    for (;;) {
        if (piece->packed_bytes == 0) {
            TRY(read_file(piece, &piece->packed, &piece->packed_bytes));
        }
        if (piece->packed_bytes == 0) {
            return piece->is_packed_end
                       ? STATUS_OK
                       : status_error(SQLSTATE_BAD_COPY_FILE_FORMAT,
                                      "file \"%s\" ends in the middle of its gzip data",
                                      piece->file->path);
        }
        uint8_t *target = piece->expanded;
        size_t room = READ_BYTES;
        TRY(gunzip_stream_run(piece->gunzip, &piece->packed, &piece->packed_bytes, &target, &room,
                              &piece->is_packed_end));
        if (room < READ_BYTES) {
            piece->pending = piece->expanded;
            piece->pending_bytes = READ_BYTES - room;
            return STATUS_OK;
        }
    }
}

Status copy_piece_next(CopyPiece *piece, RowBlock *out)
{
    CopyFiles *files = piece->files;
    *out = (RowBlock){0};
    while (out->data == NULL) {
        if (piece->splitter == NULL) {
            uint32_t index = __atomic_fetch_add(&files->next_range, 1, __ATOMIC_RELAXED);
            if (index >= files->range_count) {
                return STATUS_OK;
            }
            TRY(open_piece(piece, &files->ranges[index]));
        }
        if (piece->pending_bytes == 0) {
            TRY(fetch(piece));
        }
        if (piece->pending_bytes > 0) {
            size_t taken = 0;
            TRY(row_splitter_add(piece->splitter, piece->pending, piece->pending_bytes, &taken,
                                 out));
            piece->pending += taken;
            piece->pending_bytes -= taken;
        } else {
            TRY(row_splitter_finish(piece->splitter, out));
            close_piece(piece);
        }
    }
    return STATUS_OK;
}
