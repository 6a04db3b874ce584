/* spill.c — streams of encoded batches, interleaved as extents of one file. */
#include "compute/exec/spill.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/heap.h"

#define SUFFIX ".spill"

enum {
    EXTENT_BYTES = 256 << 10, /* a stream is written when it has gathered this much … */
    PENDING_MIN = 256 << 10, /* … or when all have gathered their limit, which is at least this */
    ASIDE_PARTS = 8,         /* and at most this part of what the query has set aside */
    BLOCK_BYTES = 4 << 10,   /* what direct input and output align to */
    PATH_BYTES = 4096,
    EXTENTS_MIN = 8,
};

typedef struct SpillExtent {
    uint64_t offset, checksum;
    uint32_t bytes; /* used; on disk rounded up to a block */
} SpillExtent;

typedef struct SpillStream {
    ByteBuffer pending;
    SpillExtent *extents;
    uint32_t extent_count, extent_capacity;
    uint64_t row_count;
} SpillStream;

struct SpillFile {
    QueryContext *query;
    File *file;
    char *path;
    uint64_t end_offset;
    SpillStream *streams;
    uint32_t stream_count;
    size_t pending_bytes, pending_limit; /* of all streams */
    size_t charged_bytes;                /* for them */
};

typedef struct Leftovers {
    FileSystem *files;
    const char *directory;
} Leftovers;

static Status remove_leftover(void *object, const char *name, bool is_directory)
{
    const Leftovers *self = object;
    size_t length = strlen(name);
    char path[PATH_BYTES];
    if (is_directory || length < sizeof(SUFFIX) ||
        strcmp(name + length - (sizeof(SUFFIX) - 1), SUFFIX) != 0) {
        return STATUS_OK;
    }
    snprintf(path, sizeof path, "%s/%s", self->directory, name);
    return file_remove(self->files, path);
}

Status spill_directory_open(FileSystem *files, const char *directory)
{
    Leftovers leftovers = {.files = files, .directory = directory};
    TRY(file_make_directory(files, directory));
    return file_list(files, directory, remove_leftover, &leftovers);
}

// Memory for what streams gather, charged to the query: as much as extents of the full length need
// when there is plenty.
static void charge_pending(SpillFile *file)
{
    QueryContext *query = file->query;
    const uint32_t streams = file->stream_count > 0 ? file->stream_count : 1;
    size_t wanted = (size_t)streams * EXTENT_BYTES;
    if (query->aside_bytes > 0 && wanted > query->aside_bytes / ASIDE_PARTS) {
        wanted = query->aside_bytes / ASIDE_PARTS;
    }
    while (wanted > PENDING_MIN && !memory_budget_reserve_heap(query->budget, wanted)) {
        wanted /= 2;
    }
    file->charged_bytes = wanted > PENDING_MIN ? wanted : 0;
    file->pending_limit = wanted > PENDING_MIN ? wanted : PENDING_MIN;
}

static void release_pending(SpillFile *file)
{
    if (file->charged_bytes > 0) {
        memory_budget_release_heap(file->query->budget, file->charged_bytes);
    }
    file->charged_bytes = 0;
}

Status spill_file_create(QueryContext *query, uint32_t stream_count, SpillFile **out)
{
    if (query->spill_directory == NULL || query->spill_directory[0] == '\0') {
        return status_error(SQLSTATE_OUT_OF_MEMORY,
                            "the query needs more memory and there is no directory to spill to");
    }
    SpillFile *file = heap_alloc_zeroed(sizeof *file);
    char *path = heap_alloc(PATH_BYTES);
    SpillStream *streams = heap_alloc_zeroed((stream_count + 1) * sizeof *streams);
    if (file == NULL || path == NULL || streams == NULL) {
        heap_free(file);
        heap_free(path);
        heap_free(streams);
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a spill file");
    }
    snprintf(path, PATH_BYTES, "%s/%llu-%u-%llu" SUFFIX, query->spill_directory,
             (unsigned long long)query->query_id, query->endpoint,
             (unsigned long long)__atomic_fetch_add(&query->spill_file_count, 1, __ATOMIC_RELAXED));
    *file =
        (SpillFile){.query = query, .path = path, .streams = streams, .stream_count = stream_count};
    for (uint32_t i = 0; i < stream_count; i++) {
        byte_buffer_init(&streams[i].pending, 0);
    }
    charge_pending(file);
    Status status =
        file_open(query->host->files, path,
                  FILE_READ | FILE_WRITE | FILE_CREATE | FILE_EXCLUSIVE | FILE_DIRECT, &file->file);
    if (status != STATUS_OK) {
        spill_file_destroy(file);
        return status;
    }
    *out = file;
    return STATUS_OK;
}

void spill_file_destroy(SpillFile *file)
{
    if (file == NULL) {
        return;
    }
    if (file->file != NULL) {
        file_close(file->file);
        status_ignore(file_remove(file->query->host->files, file->path),
                      "what stays is removed when the directory is opened next");
    }
    release_pending(file);
    for (uint32_t i = 0; i < file->stream_count; i++) {
        byte_buffer_deinit(&file->streams[i].pending);
        heap_free(file->streams[i].extents);
    }
    heap_free(file->streams);
    heap_free(file->path);
    heap_free(file);
}

Status spill_file_add_stream(SpillFile *file, uint32_t *stream)
{
    SpillStream *streams = heap_realloc(file->streams, (file->stream_count + 1) * sizeof *streams);
    if (streams == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a spill file");
    }
    file->streams = streams;
    streams[file->stream_count] = (SpillStream){0};
    byte_buffer_init(&streams[file->stream_count].pending, 0);
    *stream = file->stream_count++;
    return STATUS_OK;
}

static Status extents_reserve(SpillStream *stream)
{
    if (stream->extent_count < stream->extent_capacity) {
        return STATUS_OK;
    }
    uint32_t capacity = stream->extent_capacity > 0 ? stream->extent_capacity * 2 : EXTENTS_MIN;
    SpillExtent *extents = heap_realloc(stream->extents, capacity * sizeof *extents);
    if (extents == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a spill file");
    }
    stream->extents = extents;
    stream->extent_capacity = capacity;
    return STATUS_OK;
}

// Writes what the stream has gathered as one extent.
static Status stream_write(SpillFile *file, SpillStream *stream)
{
    TRY(byte_buffer_status(&stream->pending));
    size_t bytes = stream->pending.bytes;
    if (bytes == 0) {
        return STATUS_OK;
    }
    TRY(extents_reserve(stream));
    size_t padded = (bytes + BLOCK_BYTES - 1) & ~(size_t)(BLOCK_BYTES - 1);
    uint8_t *block = heap_alloc_aligned(BLOCK_BYTES, padded);
    if (block == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a spill file");
    }
    memcpy(block, stream->pending.data, bytes);
    memset(block + bytes, 0, padded - bytes);
    Status status = file_write(file->file, block, padded, file->end_offset);
    heap_free(block);
    if (status != STATUS_OK) {
        return status;
    }
    stream->extents[stream->extent_count++] =
        (SpillExtent){.offset = file->end_offset,
                      .checksum = hash_bytes(stream->pending.data, bytes, file->end_offset),
                      .bytes = (uint32_t)bytes};
    file->end_offset += padded;
    file->pending_bytes -= bytes;
    if (file->pending_limit < (size_t)file->stream_count * EXTENT_BYTES) {
        byte_buffer_deinit(&stream->pending); // what it has grown to belongs to all
        byte_buffer_init(&stream->pending, 0);
    } else {
        byte_buffer_clear(&stream->pending);
    }
    return STATUS_OK;
}

static SpillStream *fullest_stream(SpillFile *file)
{
    SpillStream *fullest = &file->streams[0];
    for (uint32_t i = 1; i < file->stream_count; i++) {
        SpillStream *stream = &file->streams[i];
        fullest = stream->pending.bytes > fullest->pending.bytes ? stream : fullest;
    }
    return fullest;
}

Status spill_file_append(SpillFile *file, uint32_t stream_index, const Batch *batch)
{
    SpillStream *stream = &file->streams[stream_index];
    const size_t former_bytes = stream->pending.bytes;
    batch_encode(batch, &stream->pending);
    file->pending_bytes += stream->pending.bytes - former_bytes;
    stream->row_count += batch->selected_count;
    if (stream->pending.bytes >= EXTENT_BYTES || stream->pending.is_failed) {
        return stream_write(file, stream);
    }
    return file->pending_bytes > file->pending_limit ? stream_write(file, fullest_stream(file))
                                                     : STATUS_OK;
}

Status spill_file_flush(SpillFile *file)
{
    for (uint32_t i = 0; i < file->stream_count; i++) {
        TRY(stream_write(file, &file->streams[i]));
        byte_buffer_deinit(&file->streams[i].pending);
        byte_buffer_init(&file->streams[i].pending, 0);
    }
    release_pending(file);
    return STATUS_OK;
}

uint32_t spill_file_stream_count(const SpillFile *file)
{
    return file->stream_count;
}

uint64_t spill_file_rows(const SpillFile *file, uint32_t stream)
{
    return file->streams[stream].row_count;
}

uint64_t spill_file_bytes(const SpillFile *file)
{
    return file->end_offset;
}

void spill_reader_init(SpillReader *reader, SpillFile *file, uint32_t stream, const Type *types,
                       uint32_t column_count, MemoryBudget *budget)
{
    *reader = (SpillReader){.file = file,
                            .stream = stream,
                            .types = types,
                            .column_count = column_count,
                            .budget = budget};
}

static Status read_extent(SpillReader *reader, const SpillExtent *extent)
{
    size_t padded = (extent->bytes + BLOCK_BYTES - 1) & ~(size_t)(BLOCK_BYTES - 1);
    heap_free(reader->memory);
    reader->memory = heap_alloc_aligned(BLOCK_BYTES, padded);
    if (reader->memory == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a spill file");
    }
    TRY(file_read_exact(reader->file->file, reader->memory, padded, extent->offset));
    if (hash_bytes(reader->memory, extent->bytes, extent->offset) != extent->checksum) {
        return status_error(SQLSTATE_DATA_CORRUPTED, "spill file \"%s\" is damaged at byte %llu",
                            reader->file->path, (unsigned long long)extent->offset);
    }
    byte_reader_init(&reader->bytes, reader->memory, extent->bytes);
    return STATUS_OK;
}

Status spill_reader_next(SpillReader *reader, SharedBatch **out)
{
    *out = NULL;
    if (reader->memory == NULL || byte_reader_remaining(&reader->bytes) == 0) {
        const SpillStream *stream = &reader->file->streams[reader->stream];
        if (reader->next_extent == stream->extent_count) {
            return STATUS_OK;
        }
        TRY(read_extent(reader, &stream->extents[reader->next_extent++]));
    }
    return batch_decode(&reader->bytes, reader->types, reader->column_count, reader->budget, out);
}

void spill_reader_deinit(SpillReader *reader)
{
    heap_free(reader->memory);
    reader->memory = NULL;
}
