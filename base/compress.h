/* compress.h — the only door to LZ4, zstd, gzip. Decoders trust nothing: output size is given. */
#pragma once
#include "base/status.h"

size_t compress_lz4_bound(size_t bytes);
/* Bytes written, 0 when `target` is too small. */
size_t compress_lz4(void *target, size_t target_bytes, const void *source, size_t source_bytes);
/* XX001 unless `source` expands to exactly `target_bytes`. */
Status decompress_lz4(void *target, size_t target_bytes, const void *source,
                      size_t source_bytes) CHECKED;
size_t compress_zstd_bound(size_t bytes);
size_t compress_zstd(void *target, size_t target_bytes, const void *source, size_t source_bytes,
                     int level);
Status decompress_zstd(void *target, size_t target_bytes, const void *source,
                       size_t source_bytes) CHECKED;

/* Streaming gunzip (concatenated members allowed), for COPY … GZIP. */
typedef struct GunzipStream GunzipStream;
Status gunzip_stream_create(GunzipStream **out) CHECKED;
/* Consumes from `*source`, fills `target`; both pairs are advanced. `*is_end`: every member so far
 * is closed and nothing is left, so input may end here; input that ends while it is false was cut
 * off. 22P04 on damaged input. */
Status gunzip_stream_run(GunzipStream *stream, const uint8_t **source, size_t *source_bytes,
                         uint8_t **target, size_t *target_bytes, bool *is_end) CHECKED;
void gunzip_stream_destroy(GunzipStream *stream);
