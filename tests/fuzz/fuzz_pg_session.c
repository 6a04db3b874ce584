/*
 * fuzz_pg_session.c — any bytes as what a client sends from its first byte on: the conversation at
 * the start, the login, then messages and COPY data.
 *
 *   head u8      bits 0, 1: plain, TLS offered, TLS required; bit 2: a password is asked for;
 *                bits 3 to 7: how many bytes arrive at a time, 0: all
 *   then what the client sends
 *
 * The answers go nowhere. Nothing is ever waited for: the client is gone when its bytes are.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/pgwire/startup.h"
#include "tests/fuzz/fuzz.h"

typedef struct Client {
    const uint8_t *data;
    size_t bytes, piece_bytes;
} Client;

static int64_t client_read(void *self, void *data, size_t bytes)
{
    Client *client = self;
    size_t taken = client->bytes < bytes ? client->bytes : bytes;
    if (client->piece_bytes > 0 && taken > client->piece_bytes) {
        taken = client->piece_bytes;
    }
    memcpy(data, client->data, taken);
    client->data += taken;
    client->bytes -= taken;
    return (int64_t)taken;
}

static int64_t client_write(void *self, const void *data, size_t bytes)
{
    (void)self;
    (void)data;
    return (int64_t)bytes;
}

static bool client_has_input(void *self)
{
    (void)self;
    return false;
}

static void client_close(void *self)
{
    (void)self;
}

static Status tls_start(void *self, PgConnection *connection, int64_t deadline_us)
{
    (void)self;
    (void)connection;
    (void)deadline_us;
    return STATUS_OK;
}

static Status log_in(PgReader *reader, Arena *arena, uint8_t head, StartupRequest *request)
{
    StartupTls tls = {.start = tls_start, .is_required = (head & 3) == 2};
    TRY(startup_receive(reader, (head & 3) == 0 ? NULL : &tls, arena, PG_NO_DEADLINE, request));
    if (request->kind != STARTUP_SESSION) {
        return STATUS_OK;
    }
    require(request->user != NULL && request->user[0] != '\0' && request->database != NULL);
    require((head & 3) != 2 || request->is_encrypted);
    for (uint32_t i = 0; i < request->setting_count; i++) {
        require(request->settings[i].name != NULL && request->settings[i].value != NULL);
    }
    if ((head & 4) != 0) {
        ScramVerifier verifier;
        scram_verifier_fake(&verifier, (const uint8_t *)"secret", 6, request->user);
        return startup_authenticate(reader, &verifier, request->user, arena, PG_NO_DEADLINE);
    }
    startup_trust(reader);
    return STATUS_OK;
}

/* Messages; behind each Query one COPY, as a session would read them. */
static Status read_messages(PgReader *reader)
{
    PgMessage message;
    uint32_t messages = 0;
    bool is_closed = false;
    for (;;) {
        (void)pg_reader_has_message(reader);
        TRY(pg_reader_next(reader, PG_NO_DEADLINE, &message, &is_closed));
        if (is_closed) {
            return STATUS_OK;
        }
        PgCopyKind kind = message.type == PG_FRONTEND_QUERY ? PG_COPY_BYTES : PG_COPY_DONE;
        bool has_bytes = false;
        messages++;
        while (kind == PG_COPY_BYTES) {
            const uint8_t *body;
            size_t bytes;
            TRY(pg_reader_copy(reader, PG_NO_DEADLINE, &kind, &body, &bytes));
            require(kind != PG_COPY_BYTES || bytes > 0);
            has_bytes = has_bytes || kind == PG_COPY_BYTES;
            plant(kind == PG_COPY_DONE && !has_bytes && messages == 1);
        }
        if (kind == PG_COPY_CLOSED) {
            return STATUS_OK;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const PgTransportOps ops = {.read = client_read,
                                       .write = client_write,
                                       .has_input = client_has_input,
                                       .close = client_close};
    static Arena *arena;
    if (bytes == 0) {
        return 0;
    }
    if (arena == NULL) {
        arena = arena_create(NULL, "fuzz");
    }
    uint8_t head = data[0];
    Client client = {.data = data + 1, .bytes = bytes - 1, .piece_bytes = head >> 3};
    PgConnection *connection = NULL;
    StartupRequest request = {.kind = STARTUP_CLOSED};
    PgReader reader;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    require(fd >= 0 && pg_connection_open(fd, &connection) == STATUS_OK);
    pg_connection_set_transport(connection, &ops, &client);
    pg_reader_init(&reader, connection);
    Status status = log_in(&reader, arena, head, &request);
    require(status == STATUS_OK || client.bytes < bytes);
    if (status == STATUS_OK && request.kind == STARTUP_SESSION) {
        status = read_messages(&reader);
    }
    status_free(status);
    pg_connection_close(connection);
    arena_reset(arena);
    return 0;
}
