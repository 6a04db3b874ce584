/*
 * fuzz_wal_guard.c — any bytes as a database's write-ahead log and its mark.
 *
 * A log of real frames is large and full of checksums, so the input is a description of one:
 *
 *   head u8      bit 0: big-endian sums; bit 1: no database; bit 2: no log; bit 3: no mark;
 *                bit 4: the mark does not check; bit 5: it is of another generation
 *   promised u8  frames that the mark names
 *   then frames  u8: bit 0: a commit; bit 1: its sum is wrong; bit 2: of a former generation;
 *                bit 3: page 0; bit 4: cut short; bits 5 to 7 and the next u8: what fills the page
 *   or, when bit 7 of head is set, the log's bytes as they are.
 *
 * Promised: a log that lacks a synced commit is refused with XX001; of one that is accepted the
 * guard knows each page that SQLite will read, and it accepts the log again after one more commit.
 */
#include <string.h>

#include "base/byte_buffer.h"
#include "base/byte_reader.h"
#include "base/hash.h"
#include "base/io/wal_guard.h"
#include "base/log.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/simulated_files.h"

enum { FRAMES_MAX = 7, FRAME_PAGE_AT = WAL_FRAME_HEADER_BYTES };

typedef struct Log {
    ByteBuffer bytes;
    bool is_big_endian;
    uint32_t sums[2];
    uint32_t frame_count;
    uint32_t sound_count,
        commit_count; /* frames up to the first bad one; to the last commit there */
    uint32_t frame_sums[FRAMES_MAX + 1][2]; /* and one more is written */
    uint8_t fills[FRAMES_MAX + 1];
} Log;

static void put_be32(uint8_t *target, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(target, &value, 4);
}

static void add_sums(Log *log, const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 8) {
        uint32_t words[2];
        memcpy(words, data + i, 8);
        log->sums[0] +=
            (log->is_big_endian ? __builtin_bswap32(words[0]) : words[0]) + log->sums[1];
        log->sums[1] +=
            (log->is_big_endian ? __builtin_bswap32(words[1]) : words[1]) + log->sums[0];
    }
}

static void add_header(Log *log)
{
    uint8_t header[WAL_HEADER_BYTES];
    put_be32(header, 0x377F0682u | log->is_big_endian);
    put_be32(header + 4, 3007000);
    put_be32(header + 8, SQLITE_PAGE_BYTES);
    put_be32(header + 12, 1);
    put_be32(header + 16, 7); // the salts
    put_be32(header + 20, 8);
    add_sums(log, header, 24);
    put_be32(header + 24, log->sums[0]);
    put_be32(header + 28, log->sums[1]);
    byte_buffer_add(&log->bytes, header, sizeof(header));
}

/* False when the frame is the last one, cut short. */
static bool add_frame(Log *log, uint8_t flags, uint8_t fill)
{
    uint8_t frame[WAL_FRAME_BYTES];
    bool is_sound = (flags & (2 | 4 | 8 | 16)) == 0 && log->sound_count == log->frame_count;
    put_be32(frame, (flags & 8) != 0 ? 0 : 1u + flags / 32);
    put_be32(frame + 4, (flags & 1) != 0 ? 9 : 0);
    put_be32(frame + 8, (flags & 4) != 0 ? 5 : 7);
    put_be32(frame + 12, 8);
    memset(frame + FRAME_PAGE_AT, fill, SQLITE_PAGE_BYTES);
    add_sums(log, frame, 8);
    add_sums(log, frame + FRAME_PAGE_AT, SQLITE_PAGE_BYTES);
    log->sums[0] += (flags & 2) != 0;
    put_be32(frame + 16, log->sums[0]);
    put_be32(frame + 20, log->sums[1]);
    memcpy(log->frame_sums[log->frame_count], log->sums, 8);
    log->fills[log->frame_count++] = fill;
    if (is_sound) {
        log->sound_count = log->frame_count;
        log->commit_count = (flags & 1) != 0 ? log->frame_count : log->commit_count;
    }
    byte_buffer_add(&log->bytes, frame, (flags & 16) != 0 ? fill : sizeof(frame));
    return (flags & 16) == 0;
}

static void describe_log(Log *log, ByteReader *input)
{
    bool is_whole = true;
    add_header(log);
    while (is_whole && log->frame_count < FRAMES_MAX && byte_reader_remaining(input) >= 2) {
        uint8_t flags = byte_reader_u8(input);
        is_whole = add_frame(log, flags, byte_reader_u8(input));
    }
}

static void write_mark(FileSystem *system, const Log *log, uint8_t head, uint32_t promised)
{
    uint32_t words[10] = {0x4C415742u, 0x4B52414Du, 1, promised, 7, 8, 0, 0, 0, 0};
    words[4] += (head & 32) != 0;
    if (promised > 0 && promised <= log->frame_count) {
        memcpy(words + 6, log->frame_sums[promised - 1], 8);
    }
    uint64_t hash = hash_bytes(words, 32, 1) + ((head & 16) != 0);
    memcpy(words + 8, &hash, 8);
    require(file_write_whole(system, "d/db-mark", words, sizeof(words)) == STATUS_OK);
}

static void write_file(FileSystem *system, const char *path, const void *data, size_t bytes)
{
    static const uint8_t nothing[1];
    require(file_write_whole(system, path, bytes > 0 ? data : nothing, bytes) == STATUS_OK);
}

/* Each page that SQLite will read is known, and no other is taken for it. */
static void check_pages(const WalGuard *guard, const Log *log)
{
    uint8_t page[SQLITE_PAGE_BYTES];
    for (uint32_t i = 0; i < log->sound_count; i++) {
        uint64_t offset = WAL_HEADER_BYTES + (uint64_t)i * WAL_FRAME_BYTES + FRAME_PAGE_AT;
        memset(page, log->fills[i], sizeof(page));
        require(wal_guard_check(guard, page, sizeof(page), offset) == STATUS_OK);
        page[i] ^= 1;
        Status status = wal_guard_check(guard, page, sizeof(page), offset);
        require(status != STATUS_OK && status_sqlstate(status) == SQLSTATE_DATA_CORRUPTED);
        status_free(status);
    }
}

/* Writes a commit where SQLite would and opens the log again, then empties it. */
static WalGuard *check_commit(FileSystem *system, WalGuard *owned_guard, Log *log)
{
    uint64_t offset = WAL_HEADER_BYTES + (uint64_t)log->commit_count * WAL_FRAME_BYTES;
    File *file;
    WalGuard *guard = owned_guard;
    log->frame_count = log->sound_count = log->commit_count;
    memcpy(log->sums, log->frame_sums[log->commit_count - 1], 8);
    byte_buffer_clear(&log->bytes);
    add_frame(log, 1, 'z');
    const uint8_t *frame = log->bytes.data;
    require(file_open(system, "d/db-wal", FILE_WRITE, &file) == STATUS_OK);
    require(file_write(file, frame, WAL_FRAME_BYTES, offset) == STATUS_OK);
    require(wal_guard_wrote(guard, frame, FRAME_PAGE_AT, offset) == STATUS_OK);
    require(wal_guard_wrote(guard, frame + FRAME_PAGE_AT, SQLITE_PAGE_BYTES,
                            offset + FRAME_PAGE_AT) == STATUS_OK);
    wal_guard_synced(guard);
    check_pages(guard, log);
    wal_guard_close(guard);
    require(wal_guard_open(system, "d/db", false, &guard) == STATUS_OK);
    check_pages(guard, log);
    require(wal_guard_forget(guard) == STATUS_OK);
    require(file_truncate(file, 0) == STATUS_OK);
    file_close(file);
    wal_guard_close(guard);
    require(wal_guard_open(system, "d/db", false, &guard) == STATUS_OK);
    return guard;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    ByteReader input;
    byte_reader_init(&input, data, bytes);
    uint8_t head = byte_reader_u8(&input);
    uint32_t promised = byte_reader_u8(&input);
    bool is_described = (head & 128) == 0;
    Log log = {.is_big_endian = (head & 1) != 0};
    log_set_level(LOG_ERROR);
    byte_buffer_init(&log.bytes, 0);
    if (is_described) {
        describe_log(&log, &input);
    } else {
        byte_buffer_add(&log.bytes, input.data + input.offset, byte_reader_remaining(&input));
    }
    SimulatedFiles *files = simulated_files_create();
    FileSystem *system = simulated_files_system(files);
    require(file_make_directory(system, "d") == STATUS_OK);
    if ((head & 2) == 0) {
        write_file(system, "d/db", "database", 8);
    }
    if ((head & 4) == 0) {
        write_file(system, "d/db-wal", log.bytes.data, log.bytes.bytes);
    }
    if ((head & 8) == 0) {
        write_mark(system, &log, head, promised);
    }
    WalGuard *guard = NULL;
    Status status = wal_guard_open(system, "d/db", false, &guard);
    require(status == STATUS_OK || status_sqlstate(status) == SQLSTATE_DATA_CORRUPTED);
    if (is_described && (head & 6) == 0) {
        bool is_promise = (head & (8 | 16 | 32)) == 0 && promised > log.commit_count;
        require(!is_promise || status != STATUS_OK);
        if (status == STATUS_OK) {
            plant(log.frame_count > log.sound_count + 2 && log.commit_count > 3);
            check_pages(guard, &log);
        }
        if (status == STATUS_OK && log.commit_count > 0) {
            guard = check_commit(system, guard, &log);
        }
    }
    status_free(status);
    wal_guard_close(guard);
    simulated_files_destroy(files);
    byte_buffer_deinit(&log.bytes);
    return 0;
}
