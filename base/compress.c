/*
 * compress.c — LZ4, zstd and gzip (ISA-L).
 *
 * zstd contexts are costly to make, so each thread keeps one of each direction until it ends.
 */
#include "base/compress.h"

#include <isa-l/igzip_lib.h>
#include <limits.h>
#include <lz4.h>
#include <pthread.h>
#define ZSTD_STATIC_LINKING_ONLY /* contexts with an allocator of ours */
#include <zstd.h>
#include <zstd_errors.h>

#include "base/heap.h"

typedef struct ZstdContexts {
    ZSTD_CCtx *compress;
    ZSTD_DCtx *decompress;
} ZstdContexts;

struct GunzipStream {
    struct inflate_state state;
    bool is_between_members; /* at the start, or after a member's trailer */
    bool has_member;
};

static ZstdContexts *zstd_contexts(void);

static Status damaged(const char *codec)
{
    return status_error(SQLSTATE_DATA_CORRUPTED, "%s data is damaged", codec);
}

size_t compress_lz4_bound(size_t bytes)
{
    return bytes > LZ4_MAX_INPUT_SIZE ? 0 : (size_t)LZ4_compressBound((int)bytes);
}

size_t compress_lz4(void *target, size_t target_bytes, const void *source, size_t source_bytes)
{
    if (source_bytes > LZ4_MAX_INPUT_SIZE) {
        return 0;
    }
    int capacity = target_bytes > INT_MAX ? INT_MAX : (int)target_bytes;
    int written = LZ4_compress_default(source, target, (int)source_bytes, capacity);
    return written > 0 ? (size_t)written : 0;
}

Status decompress_lz4(void *target, size_t target_bytes, const void *source, size_t source_bytes)
{
    if (target_bytes > INT_MAX || source_bytes > INT_MAX) {
        return damaged("lz4");
    }
    int written = LZ4_decompress_safe(source, target, (int)source_bytes, (int)target_bytes);
    return written >= 0 && (size_t)written == target_bytes ? STATUS_OK : damaged("lz4");
}

size_t compress_zstd_bound(size_t bytes)
{
    size_t bound = ZSTD_compressBound(bytes);
    return ZSTD_isError(bound) ? 0 : bound;
}

size_t compress_zstd(void *target, size_t target_bytes, const void *source, size_t source_bytes,
                     int level)
{
    ZstdContexts *contexts = zstd_contexts();
    if (contexts == NULL || contexts->compress == NULL) {
        return 0;
    }
    size_t written =
        ZSTD_compressCCtx(contexts->compress, target, target_bytes, source, source_bytes, level);
    return ZSTD_isError(written) ? 0 : written;
}

Status decompress_zstd(void *target, size_t target_bytes, const void *source, size_t source_bytes)
{
    ZstdContexts *contexts = zstd_contexts();
    if (contexts == NULL || contexts->decompress == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a zstd context");
    }
    size_t written =
        ZSTD_decompressDCtx(contexts->decompress, target, target_bytes, source, source_bytes);
    if (ZSTD_isError(written) && ZSTD_getErrorCode(written) == ZSTD_error_memory_allocation) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a zstd window");
    }
    return !ZSTD_isError(written) && written == target_bytes ? STATUS_OK : damaged("zstd");
}

static pthread_key_t zstd_key;
static bool has_zstd_key;
static pthread_once_t zstd_once = PTHREAD_ONCE_INIT;

static void zstd_contexts_free(void *object)
{
    ZstdContexts *contexts = object;
    ZSTD_freeCCtx(contexts->compress);
    ZSTD_freeDCtx(contexts->decompress);
    heap_free(contexts);
}

static void zstd_key_create(void)
{
    has_zstd_key = pthread_key_create(&zstd_key, zstd_contexts_free) == 0;
}

static void *zstd_alloc(void *opaque, size_t bytes)
{
    (void)opaque;
    return heap_alloc(bytes);
}

static void zstd_free(void *opaque, void *memory)
{
    (void)opaque;
    heap_free(memory);
}

// The calling thread's contexts, made at first use; a context that was refused is tried again.
static ZstdContexts *zstd_contexts(void)
{
    pthread_once(&zstd_once, zstd_key_create);
    ZstdContexts *contexts = has_zstd_key ? pthread_getspecific(zstd_key) : NULL;
    if (contexts == NULL && has_zstd_key) {
        contexts = heap_alloc_zeroed(sizeof *contexts);
        if (contexts != NULL && pthread_setspecific(zstd_key, contexts) != 0) {
            heap_free(contexts);
            contexts = NULL;
        }
    }
    if (contexts == NULL) {
        return NULL;
    }
    ZSTD_customMem memory = {.customAlloc = zstd_alloc, .customFree = zstd_free};
    if (contexts->compress == NULL) {
        contexts->compress = ZSTD_createCCtx_advanced(memory);
    }
    if (contexts->decompress == NULL) {
        contexts->decompress = ZSTD_createDCtx_advanced(memory);
    }
    return contexts;
}

static void member_begin(GunzipStream *stream)
{
    isal_inflate_reset(&stream->state);
    stream->state.crc_flag = ISAL_GZIP;
}

Status gunzip_stream_create(GunzipStream **out)
{
    GunzipStream *stream = heap_alloc_zeroed(sizeof *stream);
    if (stream == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "out of memory for a gzip stream");
    }
    isal_inflate_init(&stream->state);
    stream->state.crc_flag = ISAL_GZIP;
    stream->is_between_members = true;
    *out = stream;
    return STATUS_OK;
}

// One call runs until the source is used up or the target is full. The members of a file follow
// each other without a mark, so an end is only ever "so far": a member closed and nothing behind.
Status gunzip_stream_run(GunzipStream *stream, const uint8_t **source, size_t *source_bytes,
                         uint8_t **target, size_t *target_bytes, bool *is_end)
{
    struct inflate_state *state = &stream->state;
    for (;;) {
        if (stream->is_between_members) {
            if (*source_bytes == 0) {
                break;
            }
            member_begin(stream);
            stream->is_between_members = false;
            stream->has_member = true;
        }
        uint32_t in = *source_bytes > INT32_MAX ? INT32_MAX : (uint32_t)*source_bytes;
        uint32_t out = *target_bytes > INT32_MAX ? INT32_MAX : (uint32_t)*target_bytes;
        state->next_in = (uint8_t *)(uintptr_t)*source; // only read, but not declared so
        state->avail_in = in;
        state->next_out = *target;
        state->avail_out = out;
        int result = isal_inflate(state);
        size_t consumed = in - state->avail_in;
        size_t produced = out - state->avail_out;
        *source += consumed;
        *source_bytes -= consumed;
        *target += produced;
        *target_bytes -= produced;
        if (result < 0 || result == ISAL_NEED_DICT) {
            return status_error(SQLSTATE_BAD_COPY_FILE_FORMAT, "gzip data is damaged");
        }
        if (state->block_state == ISAL_BLOCK_FINISH) {
            stream->is_between_members = true;
        } else if (consumed == 0 && produced == 0) {
            break;
        }
    }
    *is_end = stream->has_member && stream->is_between_members && *source_bytes == 0;
    return STATUS_OK;
}

void gunzip_stream_destroy(GunzipStream *stream)
{
    heap_free(stream);
}
