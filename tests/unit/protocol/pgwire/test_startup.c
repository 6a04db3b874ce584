/* test_startup.c — encryption requests, settings, versions, and a login played through. */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "protocol/pgwire/pg_writer.h"
#include "protocol/pgwire/startup.h"
#include "tests/support/check_status.h"

static Arena *arena;
static int client;
static PgConnection *connection;
static PgReader reader;
static ByteBuffer packet;

static void setup(void)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    client = pair[0];
    ck_assert_ok(pg_connection_open(pair[1], &connection));
    pg_reader_init(&reader, connection);
    arena = arena_create(NULL, "test");
    byte_buffer_init(&packet, 1 << 20);
}

static void teardown(void)
{
    byte_buffer_deinit(&packet);
    arena_destroy(arena);
    close(client);
    pg_connection_close(connection);
}

static int64_t soon(void)
{
    return clock_monotonic_us() + 5000000;
}

/* Pairs of names and values, ended by null. */
static void send_startup(uint32_t version, const char *const *texts)
{
    byte_buffer_clear(&packet);
    byte_buffer_add_be32(&packet, 0);
    byte_buffer_add_be32(&packet, version);
    for (; *texts != NULL; texts++) {
        pg_writer_cstring(&packet, *texts);
    }
    byte_buffer_add_u8(&packet, 0);
    uint32_t length = __builtin_bswap32((uint32_t)packet.bytes);
    memcpy(packet.data, &length, 4);
    ck_assert_int_eq(send(client, packet.data, packet.bytes, 0), (ssize_t)packet.bytes);
}
#define SEND_STARTUP(version, ...) send_startup(version, (const char *const[]){__VA_ARGS__, NULL})

static void send_code(uint32_t code)
{
    uint32_t words[2] = {__builtin_bswap32(8), __builtin_bswap32(code)};
    ck_assert_int_eq(send(client, words, 8, 0), 8);
}
enum { CODE_SSL = 80877103, CODE_GSSENC = 80877104, V3 = 3 << 16 };

static Status receive(StartupRequest *request)
{
    return startup_receive(&reader, NULL, arena, soon(), request);
}

START_TEST(user_and_settings)
{
    StartupRequest request;
    SEND_STARTUP(V3, "user", "ada", "database", "lab", "application_name", "psql", "options",
                 "-c search_path=a,b  --statement-timeout=5s -cdatestyle=ISO\\ x", "replication",
                 "false", "_pq_.compression", "lz4", "driver_version", "2.2");
    ck_assert_ok(receive(&request));
    ck_assert_int_eq(request.kind, STARTUP_SESSION);
    ck_assert_str_eq(request.user, "ada");
    ck_assert_str_eq(request.database, "lab");
    ck_assert_uint_eq(request.minor, 0);
    ck_assert_uint_eq(request.setting_count, 5);
    static const char *const names[] = {"search_path", "statement_timeout", "datestyle",
                                        "application_name", "driver_version"};
    static const char *const values[] = {"a,b", "5s", "ISO x", "psql", "2.2"};
    for (uint32_t i = 0; i < 5; i++) {
        ck_assert_str_eq(request.settings[i].name, names[i]);
        ck_assert_str_eq(request.settings[i].value, values[i]);
        ck_assert_int_eq(request.settings[i].is_from_options, i < 3);
    }
    ck_assert_uint_eq(pg_connection_output(connection)->bytes, 0); // nothing to negotiate
    ck_assert_int_eq(reader.phase, PG_PHASE_SESSION);
}
END_TEST

START_TEST(database_defaults_to_user)
{
    StartupRequest request;
    SEND_STARTUP(V3, "user", "ada");
    ck_assert_ok(receive(&request));
    ck_assert_str_eq(request.database, "ada");
}
END_TEST

START_TEST(refusals)
{
    static const struct {
        uint32_t version;
        const char *texts[5];
        const char *code, *part;
    } wrong[] = {
        {V3, {"database", "x"}, "28000", "no user name"},
        {V3, {"user", ""}, "28000", "no user name"},
        {V3, {"user", "a", "replication", "database"}, "0A000", "replication"},
        {V3, {"user", "a", "options", "-x 5"}, "42601", "-x"},
        {V3, {"user", "a", "options", "-c"}, "42601", "-c"},
        {V3, {"user", "a", "options", "-c name"}, "42601", "-c"},
        {V3, {"user", "a", "options", "--=5"}, "42601", "--"},
        {2 << 16, {"user", "a"}, "0A000", "2.0"},
        {4 << 16, {"user", "a"}, "0A000", "4.0"},
    };
    StartupRequest request;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        send_startup(wrong[i].version, wrong[i].texts);
        assert_fails(receive(&request), wrong[i].code, wrong[i].part);
        pg_reader_release(&reader);
    }
}
END_TEST

START_TEST(newer_minor_and_unknown_options_are_negotiated)
{
    StartupRequest request;
    SEND_STARTUP(V3 + 9, "user", "ada", "_pq_.shiny", "1");
    ck_assert_ok(receive(&request));
    ck_assert_uint_eq(request.minor, 2);
    ByteBuffer *output = pg_connection_output(connection);
    ck_assert_uint_eq(output->bytes, 24);
    ck_assert_mem_eq(output->data, "v\0\0\0\27\0\3\0\2\0\0\0\1_pq_.shiny\0", 24);
}
END_TEST

static void expect_bytes(const char *bytes)
{
    char got[16] = {0};
    ck_assert_int_eq(recv(client, got, strlen(bytes), MSG_WAITALL), (ssize_t)strlen(bytes));
    ck_assert_str_eq(got, bytes);
}

START_TEST(encryption_is_declined)
{
    StartupRequest request;
    send_code(CODE_GSSENC);
    send_code(CODE_SSL);
    SEND_STARTUP(V3, "user", "ada");
    ck_assert_ok(receive(&request));
    ck_assert_int_eq(request.kind, STARTUP_SESSION);
    ck_assert(!request.is_encrypted);
    expect_bytes("NN");
}
END_TEST

START_TEST(encryption_is_asked_once)
{
    StartupRequest request;
    for (int i = 0; i < 3; i++) {
        send_code(CODE_SSL);
    }
    assert_fails(receive(&request), "08P01", "more than once");
}
END_TEST

static uint32_t tls_starts;

static Status start_tls(void *self, PgConnection *owner, int64_t deadline_us)
{
    (void)self;
    (void)owner;
    (void)deadline_us;
    tls_starts++;
    return STATUS_OK;
}

START_TEST(encryption_is_started)
{
    StartupTls tls = {.start = start_tls, .is_required = true};
    StartupRequest request;
    send_code(CODE_SSL);
    // Bytes behind the request that came in the clear must not be believed.
    SEND_STARTUP(V3, "user", "mallory");
    assert_fails(startup_receive(&reader, &tls, arena, soon(), &request), "08P01",
                 "unencrypted data");
    ck_assert_uint_eq(tls_starts, 0);
    expect_bytes("S");
}
END_TEST

START_TEST(encryption_may_be_required)
{
    StartupTls tls = {.start = start_tls, .is_required = true};
    StartupRequest request;
    SEND_STARTUP(V3, "user", "ada");
    assert_fails(startup_receive(&reader, &tls, arena, soon(), &request), "28000", "encrypted");
}
END_TEST

START_TEST(cancel_request)
{
    StartupRequest request;
    ck_assert_int_eq(send(client, "\0\0\0\24\x04\xd2\x16\x2e\0\0\0\7longkey!", 20, 0), 20);
    ck_assert_ok(receive(&request));
    ck_assert_int_eq(request.kind, STARTUP_CANCEL);
    ck_assert_uint_eq(request.process_id, 7);
    ck_assert_uint_eq(request.cancel_key_bytes, 8);
    ck_assert_mem_eq(request.cancel_key, "longkey!", 8);
}
END_TEST

START_TEST(port_probe)
{
    StartupRequest request;
    shutdown(client, SHUT_WR);
    ck_assert_ok(receive(&request));
    ck_assert_int_eq(request.kind, STARTUP_CLOSED);
}
END_TEST

/* ---- a client that logs in ---- */

typedef struct Login {
    const char *password;
    bool sends_mechanism_alone;
    bool has_succeeded; /* the server proved itself and said OK */
} Login;

static size_t receive_message(char *body)
{
    uint8_t header[5];
    if (recv(client, header, 5, MSG_WAITALL) != 5) {
        return 0;
    }
    size_t bytes = ((size_t)header[3] << 8 | header[4]) - 4;
    if (bytes > 0 && recv(client, body, bytes, MSG_WAITALL) != (ssize_t)bytes) {
        return 0;
    }
    body[bytes] = '\0';
    return bytes;
}

static void send_password(const char *mechanism, const char *data)
{
    ByteBuffer out;
    byte_buffer_init(&out, 0);
    byte_buffer_add_u8(&out, 'p');
    byte_buffer_add_be32(&out, 0);
    if (mechanism != NULL) {
        pg_writer_cstring(&out, mechanism);
        byte_buffer_add_be32(&out, data == NULL ? UINT32_MAX : (uint32_t)strlen(data));
    }
    if (data != NULL) {
        byte_buffer_add(&out, data, strlen(data));
    }
    pg_writer_end(&out, 1);
    ssize_t sent = send(client, out.data, out.bytes, MSG_NOSIGNAL);
    (void)sent;
    byte_buffer_deinit(&out);
}

static void hmac_text(const uint8_t key[32], const char *text, uint8_t digest[32])
{
    crypto_hmac_sha256(key, 32, text, strlen(text), digest);
}

static void log_in(void *object)
{
    Login *login = object;
    char body[1024], nonce[200], salt_text[100], text[2048], proof_text[64], expected[64];
    unsigned iterations;
    receive_message(body); // AuthenticationSASL
    if (login->sends_mechanism_alone) {
        send_password("SCRAM-SHA-256", NULL);
        receive_message(body);
        send_password(NULL, "n,,n=,r=clientnonce");
    } else {
        send_password("SCRAM-SHA-256", "n,,n=,r=clientnonce");
    }
    receive_message(body);
    if (sscanf(body + 4, "r=%199[^,],s=%99[^,],i=%u", nonce, salt_text, &iterations) != 3) {
        return;
    }
    uint8_t salt[80], salted[32], client_key[32], stored_key[32], server_key[32], digest[32];
    int64_t salt_bytes = crypto_base64_decode(salt_text, strlen(salt_text), salt);
    crypto_pbkdf2_sha256(login->password, strlen(login->password), salt, (size_t)salt_bytes,
                         iterations, salted);
    hmac_text(salted, "Client Key", client_key);
    hmac_text(salted, "Server Key", server_key);
    crypto_sha256(client_key, 32, stored_key);
    snprintf(text, sizeof(text), "n=,r=clientnonce,%s,c=biws,r=%s", body + 4, nonce);
    hmac_text(stored_key, text, digest);
    for (int i = 0; i < 32; i++) {
        client_key[i] ^= digest[i];
    }
    hmac_text(server_key, text, digest);
    crypto_base64_encode(digest, 32, expected);
    crypto_base64_encode(client_key, 32, proof_text);
    snprintf(text, sizeof(text), "c=biws,r=%s,p=%s", nonce, proof_text);
    send_password(NULL, text);
    bool is_proven = receive_message(body) > 6 && strcmp(body + 6, expected) == 0;
    login->has_succeeded =
        is_proven && receive_message(body) == 4 && memcmp(body, "\0\0\0\0", 4) == 0;
}

static Status authenticate(const ScramVerifier *verifier, Login *login)
{
    Thread thread = {.is_running = false};
    ck_assert_ok(thread_start(&thread, "client", -1, log_in, login));
    Status status = startup_authenticate(&reader, verifier, "ada", arena, soon());
    if (status == STATUS_OK) {
        ck_assert_ok(pg_connection_flush(connection, soon()));
    } else {
        shutdown(pg_connection_fd(connection), SHUT_RDWR);
    }
    thread_join(&thread);
    return status;
}

START_TEST(login)
{
    ScramVerifier verifier;
    ck_assert_ok(scram_verifier_create(&verifier, "open sesame"));
    Login good = {.password = "open sesame", .sends_mechanism_alone = _i == 1};
    ck_assert_ok(authenticate(&verifier, &good));
    ck_assert(good.has_succeeded);
    ck_assert_int_eq(reader.phase, PG_PHASE_SESSION);
}
END_TEST

START_TEST(login_fails)
{
    ScramVerifier verifier;
    if (_i == 0) {
        ck_assert_ok(scram_verifier_create(&verifier, "open sesame"));
    } else {
        scram_verifier_fake(&verifier, (const uint8_t *)"s", 1, "ada");
    }
    Login bad = {.password = "open says me"};
    assert_fails(authenticate(&verifier, &bad), "28P01", "authentication failed for user \"ada\"");
    ck_assert(!bad.has_succeeded);
    ck_assert_int_eq(reader.phase, PG_PHASE_AUTHENTICATION);
}
END_TEST

START_TEST(login_is_not_skipped)
{
    static const struct {
        const char *bytes;
        size_t count;
        const char *code, *part;
    } wrong[] = {
        {"Q\0\0\0\15select 1\0", 14, "08P01", "unexpected Query"},
        {"X\0\0\0\4", 5, "08006", "closed"},
        {"p\0\0\0\14SCRAM\0\0", 13, "08P01", "too short"},
        {"p\0\0\0\22PLAIN\0\0\0\0\4abcd", 19, "08P01", "invalid SASL"},
    };
    ScramVerifier verifier;
    ck_assert_ok(scram_verifier_create(&verifier, "x"));
    ck_assert_int_eq(send(client, wrong[_i].bytes, wrong[_i].count, 0), (ssize_t)wrong[_i].count);
    shutdown(client, SHUT_WR);
    assert_fails(startup_authenticate(&reader, &verifier, "ada", arena, soon()), wrong[_i].code,
                 wrong[_i].part);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("startup");
    TCase *tcase = tcase_create("packets");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, user_and_settings);
    tcase_add_test(tcase, database_defaults_to_user);
    tcase_add_test(tcase, refusals);
    tcase_add_test(tcase, newer_minor_and_unknown_options_are_negotiated);
    tcase_add_test(tcase, encryption_is_declined);
    tcase_add_test(tcase, encryption_is_asked_once);
    tcase_add_test(tcase, encryption_is_started);
    tcase_add_test(tcase, encryption_may_be_required);
    tcase_add_test(tcase, cancel_request);
    tcase_add_test(tcase, port_probe);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("login");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, login, 0, 2);
    tcase_add_loop_test(tcase, login_fails, 0, 2);
    tcase_add_loop_test(tcase, login_is_not_skipped, 0, 4);
    suite_add_tcase(suite, tcase);
    return suite_main(suite);
}
