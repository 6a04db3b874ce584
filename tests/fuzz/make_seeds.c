/*
 * make_seeds.c — the first inputs of the targets whose bytes no editor writes, made by our
 * encoders:
 *
 *   make_seeds tests/fuzz/corpus
 *
 * To be run again when a format changes; what it writes is kept in the corpus.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/setting.h"
#include "base/vector/batch_codec.h"
#include "base/vector/value_batch.h"
#include "protocol/cluster/frame.h"
#include "protocol/cluster/message.h"
#include "protocol/copy/copy_options.h"
#include "tests/fuzz/seeds.h"

enum { SEED_BYTES_MAX = 1 << 16 };

static const char *corpus;
static ByteBuffer buffer;

void seed_write(const char *target, const char *name, int choice, const void *data, size_t bytes)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s/%s", corpus, target, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || (choice >= 0 && fputc(choice, file) == EOF) ||
        fwrite(data, 1, bytes, file) != bytes || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

void seed_write_buffer(const char *target, const char *name, int choice, ByteBuffer *bytes)
{
    seed_write(target, name, choice, bytes->data, bytes->bytes);
    byte_buffer_clear(bytes);
}

/* ---- cluster: choice 0 requests, 1 replies, 2 and 3 frames ---- */

static void write_request(const char *name, Request *request)
{
    static Outcome outcomes[] = {{.txn_id = 7, .position = 3, .state = OUTCOME_COMMITTED}};
    request->epoch = 5;
    request->outcome_count = 1;
    request->outcomes = outcomes;
    request_encode(request, &buffer);
    seed_write_buffer("cluster", name, 0, &buffer);
}

static void seed_requests(void)
{
    MessageSlice slices[] = {{.node = 1, .last_bucket = 8191},
                             {.slice = 1, .node = 2, .first_bucket = 8192, .last_bucket = 16383}};
    MessagePeer peers[] = {{.endpoint = 2, .address = "tcp://127.0.0.1:1"}};
    write_request("hello", &(Request){.kind = MESSAGE_HELLO,
                                      .hello = {.node = 1,
                                                .node_count = 2,
                                                .slice_count = 2,
                                                .slices = slices,
                                                .peer_count = 1,
                                                .peers = peers}});
    write_request("run", &(Request){.kind = MESSAGE_RUN,
                                    .run = {.query_id = 11,
                                            .settings = (const uint8_t *)"set",
                                            .setting_bytes = 3,
                                            .plan = (const uint8_t *)"plan",
                                            .plan_bytes = 4}});
    write_request("cancel", &(Request){.kind = MESSAGE_CANCEL, .cancel = {.query_id = 11}});
    write_request("prepare", &(Request){.kind = MESSAGE_PREPARE, .prepare = {.txn_id = 12}});
    write_request("outcome", &(Request){.kind = MESSAGE_OUTCOME});
    write_request("truncate", &(Request){.kind = MESSAGE_TRUNCATE, .truncate = {.table_id = 4}});
    write_request("rollback", &(Request){.kind = MESSAGE_ROLLBACK, .rollback = {.txn_id = 12}});
    write_request("usage", &(Request){.kind = MESSAGE_USAGE, .usage = {.table_id = 4}});
    write_request("beat",
                  &(Request){.kind = MESSAGE_BEAT, .beat = {.node = 1, .address = "inproc://a"}});
}

static void write_reply(const char *name, const Reply *reply)
{
    reply_encode(reply, &buffer);
    seed_write_buffer("cluster", name, 1, &buffer);
}

static void seed_replies(void)
{
    uint64_t prepared[] = {7, 8};
    struct UsageRow rows[] = {{.slice = 1, .rows = 2, .bytes = 3}};
    Status status = status_error(SQLSTATE_DISK_FULL, "no room");
    status = status_with_hint(status_with_detail(status, "detail"), "hint");
    status = status_with_position(status_with_context(status, "context"), 3);
    status = status_with_node(status, 2);
    write_reply("reply_hello", &(Reply){.kind = MESSAGE_HELLO,
                                        .hello = {.prepared_count = 2, .prepared = prepared}});
    write_reply("reply_run",
                &(Reply){.kind = MESSAGE_RUN,
                         .run = {.statistics = (const uint8_t *)"sums", .statistics_bytes = 4}});
    write_reply("reply_usage",
                &(Reply){.kind = MESSAGE_USAGE, .usage = {.count = 1, .rows = rows}});
    write_reply("reply_error", &(Reply){.kind = MESSAGE_PREPARE, .status = status});
    status_free(status);
}

static void seed_frames(void)
{
    FrameHeader header = {.kind = FRAME_BATCHES, .query_id = 9, .exchange_id = 1, .target = 1};
    frame_seal(&header, "payload", 7);
    byte_buffer_add(&buffer, &header, sizeof(header));
    byte_buffer_add(&buffer, "payload", 7);
    seed_write("cluster", "frame", 2, buffer.data, buffer.bytes);
    seed_write_buffer("cluster", "frame_sealed", 3, &buffer);
}

static Value make_cell(Type type, uint32_t row, bool is_constant)
{
    Value value = {.type = type, .is_null = !is_constant && row % 4 == 3};
    row = is_constant ? 1 : row;
    if (value.is_null) {
        return value_null(type);
    }
    switch (type_widest_lane(type)) {
    case LANE_TEXT:
        value.text = text_view_make("a longer text", is_constant ? 0 : row % 3 == 1 ? 3 : 13);
        break;
    case LANE_F32:
    case LANE_F64:
        value.f64 = 1.5 * row;
        break;
    case LANE_I128:
        value.i128 = (Int128)row << 65;
        break;
    default:
        value.i64 = row % 2;
        break;
    }
    return value;
}

static void encode_rows(const Type *types, uint32_t column_count, uint32_t row_count,
                        bool is_constant, ByteBuffer *target)
{
    Arena *arena = arena_create(NULL, "seeds");
    Value *cells = ARENA_ARRAY(arena, Value, (size_t)row_count * column_count);
    for (uint32_t i = 0; i < row_count * column_count; i++) {
        cells[i] = make_cell(types[i % column_count], i / column_count, is_constant);
    }
    Batch *batches;
    uint32_t batch_count;
    value_batches(arena, types, column_count, cells, row_count, &batches, &batch_count);
    batch_encode(&batches[0], target);
    arena_destroy(arena);
}

/* ---- batch_decode: the count of columns, four types as fuzz_batch_decode.c numbers them ---- */

static void seed_batches(void)
{
    static const Type narrow[] = {{.id = TYPE_SMALLINT}, {.id = TYPE_BOOLEAN}, {.id = TYPE_DATE}};
    static const Type mixed[] = {
        {.id = TYPE_SMALLINT}, {.id = TYPE_CHAR, .length = 8}, {.id = TYPE_DOUBLE}};
    static const Type wide[] = {{.id = TYPE_DECIMAL, .precision = 38, .scale = 4},
                                {.id = TYPE_BOOLEAN},
                                {.id = TYPE_VARCHAR, .length = 40},
                                {.id = TYPE_REAL}};
    byte_buffer_add(&buffer, "\1\0\x0A", 4); // the fourth type is not used
    encode_rows(narrow, 3, 5, true, &buffer);
    seed_write_buffer("batch_decode", "three_constant", 3, &buffer);
    byte_buffer_add(&buffer, "\1\x08\7", 4);
    encode_rows(mixed, 3, 7, false, &buffer);
    seed_write_buffer("batch_decode", "three", 3, &buffer);
    byte_buffer_add(&buffer, "\5\0\x09\6", 4);
    encode_rows(wide, 4, 6, false, &buffer);
    seed_write_buffer("batch_decode", "four", 4, &buffer);
}

/* ---- streams: choice 0 rows, 1 bytes; then steps (fuzz_streams.c) ---- */

/* The length, then batches of as many rows; a batch of equal rows is decoded for any count. */
static void add_batches(uint32_t batch_count, uint32_t row_count, bool is_constant)
{
    static const Type types[] = {{.id = TYPE_BIGINT}, {.id = TYPE_VARCHAR, .length = 20}};
    ByteBuffer encoded;
    byte_buffer_init(&encoded, SEED_BYTES_MAX);
    for (uint32_t i = 0; i < batch_count; i++) {
        encode_rows(types, 2, row_count, is_constant, &encoded);
    }
    byte_buffer_add_u8(&buffer, (uint8_t)encoded.bytes);
    byte_buffer_add(&buffer, encoded.data, encoded.bytes);
    byte_buffer_deinit(&encoded);
}

static void add_rows(uint32_t row_count, bool is_constant)
{
    add_batches(1, row_count, is_constant);
}

static void add_bytes(const char *steps, size_t bytes)
{
    byte_buffer_add(&buffer, steps, bytes);
}

static void seed_streams(void)
{
    add_bytes("\x00", 1); // a batch from each source, both ends
    add_rows(2, true);
    add_bytes("\x10", 1);
    add_rows(3, false);
    add_bytes("\x04\x14\x09\x09\x09", 5);
    seed_write_buffer("streams", "rows", 0, &buffer);
    add_bytes("\x00", 1); // three batches in one frame
    add_batches(3, 2, true);
    add_bytes("\x09\x09\x04\x14\x09\x09", 6);
    seed_write_buffer("streams", "batches", 0, &buffer);
    add_bytes("\x40\x05", 2); // a batch in two pieces
    size_t start = buffer.bytes - 1;
    add_rows(4, false);
    size_t payload = buffer.data[start + 1];
    memmove(buffer.data + start + 1, buffer.data + start + 2, 5);
    buffer.data[start + 6] = 0;
    buffer.data[start + 7] = (uint8_t)(payload - 6);
    seed_write_buffer("streams", "pieces", 0, &buffer);
    static const char bytes[] = "\x00\x03"
                                "abc"
                                "\x40\x02"
                                "de"
                                "\x00\x01"
                                "f\x09\x09\x05\x06\x09\x04\x14\x09\x0F";
    seed_write("streams", "bytes", 1, bytes, sizeof(bytes) - 1);
    static const char troubles[] = "\x04\x24\x0E\x09\x0D\x80\x01x\x09\x07\x02\x00\x01\x01";
    seed_write("streams", "troubles", 1, troubles, sizeof(troubles) - 1);
}

/* ---- settings: choice 0 shipped, 1 a name and a value, 2 a file ---- */

static void seed_settings(void)
{
    SettingSet *set = setting_set_create(NULL);
    static const char *const pairs[][2] = {
        {"batch_rows", "3"},        {"force_spill", "on"},         {"query_memory", "64MB"},
        {"timezone", "Asia/Kabul"}, {"intervalstyle", "iso_8601"}, {"statement_timeout", "5min"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char name[32];
        status_ignore(setting_set_text(set, pairs[i][0], pairs[i][1], true), "seen in the bytes");
        byte_buffer_add(&buffer, pairs[i][0], strlen(pairs[i][0]) + 1);
        byte_buffer_add(&buffer, pairs[i][1], strlen(pairs[i][1]));
        snprintf(name, sizeof(name), "set_%s", pairs[i][0]);
        seed_write_buffer("settings", name, 1, &buffer);
    }
    setting_set_encode(set, &buffer);
    seed_write_buffer("settings", "shipped", 0, &buffer);
    setting_set_destroy(set);
    static const char file[] = "# comment\nport = 5440 // more\nlisten = \"127.0.0.1\"\n"
                               "/* and\nmore */ memory_limit = '2 GB'\nlog_level = warn\n";
    static const char bad_file[] = "port = 5439\nworkers = many\nnobody = 1\n";
    seed_write("settings", "file", 2, file, sizeof(file) - 1);
    seed_write("settings", "file_bad", 2, bad_file, sizeof(bad_file) - 1);
}

/* ---- copy_format: choice 0 encoded, 1 Redshift's options, 2 PostgreSQL's, 3 a pattern ---- */

static void write_text(const char *target, const char *name, int choice, const char *text)
{
    seed_write(target, name, choice, text, strlen(text));
}

static void seed_formats(void)
{
    CopyFormat text = copy_format_postgres_text(), csv = copy_format_postgres_csv();
    copy_format_encode(&text, &buffer);
    seed_write_buffer("copy_format", "encoded_text", 0, &buffer);
    copy_format_encode(&csv, &buffer);
    seed_write_buffer("copy_format", "encoded_csv", 0, &buffer);
    write_text("copy_format", "redshift", 1,
               "DELIMITER=\\t\nESCAPE\nNULL=\\000\nMAXERROR=3\nDATEFORMAT=DD.MM.YYYY\n"
               "TIMEFORMAT=epochsecs\nACCEPTINVCHARS=^\nREMOVEQUOTES\nENCODING=utf8");
    write_text("copy_format", "redshift_csv", 1,
               "CSV\nQUOTE='\nIGNOREHEADER=2\nIGNOREALLERRORS=on");
    write_text("copy_format", "postgres", 2,
               "FORMAT=csv\nHEADER=match\nFORCE_QUOTE=*\nON_ERROR=ignore\nQUOTE='\nESCAPE=\\");
    write_text("copy_format", "pattern_time", 3,
               "YYYY-MM-DDTHH24:MI:SS.US OF\n1999-05-07T03:04:05.25 +02:30");
    write_text("copy_format", "pattern_names", 3, "DD MONTH YY HH12:MI AM\n7 may 99 11:30 pm");
    write_text("copy_format", "pattern_day", 7, "YYYYDDD\n1999123 rest");
}

/* ---- wal_guard: see fuzz_wal_guard.c ---- */

static void seed_logs(void)
{
    static const char *const logs[] = {
        "\x00\x02\x01"
        "a\x01"
        "b", // two commits, both promised
        "\x01\x03\x00"
        "a\x20"
        "b\x01"
        "c\x02"
        "d\x01"
        "e\x00"
        "f", // a bad frame, a commit behind it
        "\x08\x01\x01"
        "a\x04"
        "b", // no mark, a former generation
        "\x10\x01\x09"
        "a", // a mark that does not check
        "\x06\x01\x11"
        "\x64", // no database, no log, one is promised
    };
    static const size_t bytes[] = {6, 14, 6, 4, 4};
    char name[32];
    for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
        snprintf(name, sizeof(name), "log_%zu", i);
        seed_write("wal_guard", name, -1, logs[i], bytes[i]);
    }
}

/* ---- pg_session: see fuzz_pg_session.c ---- */

static void add_message(char type, const char *body, size_t bytes)
{
    if (type != '\0') {
        byte_buffer_add_u8(&buffer, (uint8_t)type);
    }
    byte_buffer_add_be32(&buffer, (uint32_t)bytes + 4);
    byte_buffer_add(&buffer, body, bytes);
}

static void add_startup(void)
{
    static const char body[] = "\0\3\0\2user\0me\0database\0db\0options\0-c a=b --c=d\0"
                               "_pq_.x\0y\0replication\0off\0timezone\0UTC\0";
    add_message('\0', body, sizeof(body));
}

static void seed_sessions(void)
{
    static const char ssl[] = "\x04\xD2\x16\x2F", gss[] = "\x04\xD2\x16\x30";
    static const char cancel[] = "\x04\xD2\x16\x2E\0\0\0\1keys";
    add_startup();
    add_message('Q', "copy", 5);
    add_message('d', "1\t2\n", 4);
    add_message('H', "", 0);
    add_message('c', "", 0);
    add_message('Q', "copy", 5);
    add_message('f', "why", 4);
    add_message('X', "", 0);
    seed_write_buffer("pg_session", "copy", 0, &buffer);
    add_message('\0', gss, 4);
    add_message('\0', ssl, 4);
    add_startup();
    add_message('P', "s\0select 1\0\0\0", 13);
    add_message('S', "", 0);
    seed_write_buffer("pg_session", "encrypted", 2 | 3 << 3, &buffer);
    add_message('\0', cancel, 12);
    seed_write_buffer("pg_session", "cancel", 1, &buffer);
    add_startup();
    add_message('p', "SCRAM-SHA-256\0\0\0\0\x0Cn,,n=,r=abcd", 30);
    add_message('p', "c=biws,r=abcd,p=AAAA", 20);
    seed_write_buffer("pg_session", "password", 4, &buffer);
    add_startup();
    add_message('p', "SCRAM-SHA-256\0\xFF\xFF\xFF\xFF", 18);
    add_message('p', "n,,n=,r=abcd", 12);
    add_message('p', "c=biws,r=abcd,p=AAAA", 20);
    seed_write_buffer("pg_session", "password_later", 4, &buffer);
}

/* ---- pg_messages: choice 10 Bind, 13 a scale and a number, 14 the login's messages
 * (fuzz_pg_messages.c) */

static void seed_messages(void)
{
    static const char bind[] = "p\0s\0\0\2\0\0\0\1\0\3\0\0\0\2ab\0\0\0\4\0\0\0\7\0\0\0\0\0\1\0\1";
    static const char bind_null[] = "\0\0\0\1\0\1\0\2\xFF\xFF\xFF\xFF\0\0\0\1\7\0\0";
    seed_write("pg_messages", "bind_three", 10, bind, sizeof(bind) - 1);
    seed_write("pg_messages", "bind_null", 10, bind_null, sizeof(bind_null) - 1);

    static const char *const numbers[] = {
        "\0\3\0\1\0\0\0\3\0\1\x09\x29\x1A\x7C", // 12345.678
        "\0\1\xFF\xFF\x40\0\0\2\x04\xD2",       // -0.1234
        "\0\0\0\0\xC0\0\0\0",                   // NaN
        "\0\0\0\0\0\0\0\5",                     // 0.00000
    };
    static const size_t bytes[] = {14, 10, 8, 8};
    char name[32];
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        snprintf(name, sizeof(name), "number_%zu", i);
        byte_buffer_add_u8(&buffer, (uint8_t)(2 + i));
        byte_buffer_add(&buffer, numbers[i], bytes[i]);
        seed_write_buffer("pg_messages", name, 13, &buffer);
    }
    write_text("pg_messages", "scram_binding", 14, "p=tls-unique,,n=user,r=abc");
    write_text("pg_messages", "scram_identity", 14, "n,a=other,n=user,r=abc");
    write_text("pg_messages", "scram_final", 14, "y,,n=user,r=abc\nc=eSws,r=abcnonce,p=AAAA");
    write_text("pg_messages", "scram_cheap", 14,
               "SCRAM-SHA-256$3:YWJj$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
               "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: make_seeds CORPUS_FOLDER\n");
        return 2;
    }
    corpus = argv[1];
    byte_buffer_init(&buffer, SEED_BYTES_MAX);
    seed_requests();
    seed_replies();
    seed_frames();
    seed_batches();
    seed_streams();
    seed_settings();
    seed_formats();
    seed_logs();
    seed_sessions();
    seed_messages();
    seed_plans();
    seed_blocks();
    seed_deletes();
    seed_redos();
    byte_buffer_deinit(&buffer);
    return 0;
}
