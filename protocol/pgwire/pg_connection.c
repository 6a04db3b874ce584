/* pg_connection.c — buffers over a non-blocking transport; see pg_connection.h. */
#include "protocol/pgwire/pg_connection.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/heap.h"

enum {
    INPUT_FIRST_BYTES = 4 << 10, /* grows with what has arrived */
    INPUT_READ_BYTES = 64 << 10, /* the buffer grows to this by itself, further only for a frame */
    WAIT_MS_MAX = 60000          /* a wait without a deadline still wakes up now and then */
};

typedef struct InputBuffer {
    uint8_t *data;
    size_t first, last, capacity; /* unread input: [first, last) */
} InputBuffer;

struct PgConnection {
    int fd;
    int wake_fd;
    const PgTransportOps *ops;
    void *transport;
    InputBuffer input;
    ByteBuffer output;
    size_t output_sent; /* bytes of `output` that have left */
    _Atomic uint32_t interrupts;
};

static int64_t plain_read(void *self, void *data, size_t bytes);
static int64_t plain_write(void *self, const void *data, size_t bytes);
static bool plain_has_input(void *self);
static void plain_close(void *self);
static Status input_make_room(InputBuffer *input, size_t bytes);
static Status wait_for(PgConnection *connection, int64_t io, int64_t deadline_us);
static Status broken(int error);

static const PgTransportOps plain_ops = {
    .read = plain_read,
    .write = plain_write,
    .has_input = plain_has_input,
    .close = plain_close,
};

Status pg_connection_open(int owned_fd, PgConnection **out)
{
    int flags = fcntl(owned_fd, F_GETFL);
    int wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    PgConnection *connection = heap_alloc_zeroed(sizeof(*connection));
    if (flags < 0 || fcntl(owned_fd, F_SETFL, flags | O_NONBLOCK) < 0 || wake_fd < 0 ||
        connection == NULL) {
        Status status = status_from_errno(errno, "could not set up a client connection");
        heap_free(connection);
        if (wake_fd >= 0) {
            close(wake_fd);
        }
        close(owned_fd);
        return status;
    }
    connection->fd = owned_fd;
    connection->wake_fd = wake_fd;
    connection->ops = &plain_ops;
    connection->transport = connection;
    byte_buffer_init(&connection->output, PG_OUTPUT_BYTES_MAX);
    atomic_init(&connection->interrupts, 0);
    *out = connection;
    return STATUS_OK;
}

void pg_connection_close(PgConnection *connection)
{
    if (connection == NULL) {
        return;
    }
    connection->ops->close(connection->transport);
    close(connection->fd);
    close(connection->wake_fd);
    heap_free(connection->input.data);
    byte_buffer_deinit(&connection->output);
    heap_free(connection);
}

int pg_connection_fd(const PgConnection *connection)
{
    return connection->fd;
}

void pg_connection_set_transport(PgConnection *connection, const PgTransportOps *ops, void *self)
{
    connection->ops->close(connection->transport);
    connection->ops = ops;
    connection->transport = self;
}

Status pg_connection_fill(PgConnection *connection, size_t bytes, int64_t deadline_us,
                          bool *is_closed)
{
    InputBuffer *input = &connection->input;
    *is_closed = false;
    while (input->last - input->first < bytes) {
        TRY(input_make_room(input, bytes));
        int64_t moved = connection->ops->read(connection->transport, input->data + input->last,
                                              input->capacity - input->last);
        if (moved > 0) {
            input->last += (size_t)moved;
        } else if (moved == 0) {
            *is_closed = true;
            return STATUS_OK;
        } else if (moved == PG_IO_FAILED) {
            return broken(errno);
        } else {
            TRY(wait_for(connection, moved, deadline_us));
        }
    }
    return STATUS_OK;
}

const uint8_t *pg_connection_input(const PgConnection *connection, size_t *bytes)
{
    *bytes = connection->input.last - connection->input.first;
    return *bytes == 0 ? (const uint8_t *)"" : connection->input.data + connection->input.first;
}

void pg_connection_consume(PgConnection *connection, size_t bytes)
{
    InputBuffer *input = &connection->input;
    ASSERT(bytes <= input->last - input->first);
    input->first += bytes;
    if (input->first == input->last) {
        input->first = 0;
        input->last = 0;
    }
}

bool pg_connection_has_input(const PgConnection *connection)
{
    return connection->input.last > connection->input.first ||
           connection->ops->has_input(connection->transport);
}

ByteBuffer *pg_connection_output(PgConnection *connection)
{
    return &connection->output;
}

Status pg_connection_flush(PgConnection *connection, int64_t deadline_us)
{
    ByteBuffer *output = &connection->output;
    TRY(byte_buffer_status(output));
    while (connection->output_sent < output->bytes) {
        int64_t moved =
            connection->ops->write(connection->transport, output->data + connection->output_sent,
                                   output->bytes - connection->output_sent);
        if (moved >= 0) {
            connection->output_sent += (size_t)moved;
        } else if (moved == PG_IO_FAILED) {
            return broken(errno);
        } else {
            // Unsent bytes stay where they are (invariant 3): an error message can follow them.
            TRY(wait_for(connection, moved, deadline_us));
        }
    }
    connection->output_sent = 0;
    byte_buffer_clear(output);
    return STATUS_OK;
}

Status pg_connection_flush_if_full(PgConnection *connection, int64_t deadline_us)
{
    if (connection->output.bytes - connection->output_sent < PG_OUTPUT_FLUSH_BYTES) {
        return byte_buffer_status(&connection->output);
    }
    return pg_connection_flush(connection, deadline_us);
}

void pg_connection_trim(PgConnection *connection)
{
    InputBuffer *input = &connection->input;
    if (input->first == input->last) {
        heap_free(input->data);
        *input = (InputBuffer){.data = NULL};
    }
    if (connection->output.bytes == 0) {
        byte_buffer_deinit(&connection->output);
        byte_buffer_init(&connection->output, PG_OUTPUT_BYTES_MAX);
    }
}

bool pg_connection_has_hung_up(const PgConnection *connection)
{
    struct pollfd item = {.fd = connection->fd, .events = POLLRDHUP};
    return poll(&item, 1, 0) > 0 && (item.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

void pg_connection_interrupt(PgConnection *connection, PgInterrupt interrupt)
{
    // Release: what the caller did before interrupting is visible to the thread that sees the bit.
    atomic_fetch_or_explicit(&connection->interrupts, (uint32_t)interrupt, memory_order_release);
    uint64_t one = 1;
    ssize_t written = write(connection->wake_fd, &one, sizeof(one));
    (void)written; // A full counter is already a wake-up.
}

uint32_t pg_connection_interrupts(const PgConnection *connection)
{
    return atomic_load_explicit(&connection->interrupts, memory_order_acquire);
}

void pg_connection_clear_interrupts(PgConnection *connection, uint32_t interrupts)
{
    uint64_t count;
    ssize_t got = read(connection->wake_fd, &count, sizeof(count));
    (void)got; // Nothing to read is the usual case.
    atomic_fetch_and_explicit(&connection->interrupts, ~interrupts, memory_order_acq_rel);
}

Status pg_connection_interrupt_status(const PgConnection *connection)
{
    uint32_t interrupts = pg_connection_interrupts(connection);
    if ((interrupts & PG_INTERRUPT_SHUTDOWN) != 0) {
        return status_error(SQLSTATE_ADMIN_SHUTDOWN,
                            "terminating connection due to administrator command");
    }
    if ((interrupts & PG_INTERRUPT_CANCEL) != 0) {
        return status_error(SQLSTATE_QUERY_CANCELED, "canceling statement due to user request");
    }
    if ((interrupts & PG_INTERRUPT_TIMEOUT) != 0) {
        return status_error(SQLSTATE_QUERY_CANCELED,
                            "canceling statement due to statement timeout");
    }
    return STATUS_OK;
}

/* Room for at least one more byte, on the way to `bytes` of unread input. */
static Status input_make_room(InputBuffer *input, size_t bytes)
{
    size_t unread = input->last - input->first;
    if (input->first > 0 && (input->last == input->capacity || unread == 0)) {
        memmove(input->data, input->data + input->first, unread);
        input->first = 0;
        input->last = unread;
    }
    if (input->last < input->capacity) {
        return STATUS_OK;
    }
    // Doubling follows what has arrived (invariant 4); only a frame larger than a read makes the
    // buffer larger than INPUT_READ_BYTES.
    size_t capacity = input->capacity == 0 ? INPUT_FIRST_BYTES : input->capacity * 2;
    if (capacity > INPUT_READ_BYTES && bytes <= INPUT_READ_BYTES) {
        capacity = INPUT_READ_BYTES;
    }
    uint8_t *data = heap_realloc(input->data, capacity);
    if (data == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a client message of %zu bytes",
                            bytes);
    }
    input->data = data;
    input->capacity = capacity;
    return STATUS_OK;
}

/* Waits until the socket can do what `io` asks for, an interrupt comes, or the deadline passes. */
static Status wait_for(PgConnection *connection, int64_t io, int64_t deadline_us)
{
    TRY(pg_connection_interrupt_status(connection));
    int64_t timeout_ms = WAIT_MS_MAX;
    if (deadline_us != PG_NO_DEADLINE) {
        int64_t left_us = deadline_us - clock_monotonic_us();
        if (left_us <= 0) {
            return status_error(SQLSTATE_CONNECTION_FAILURE, "the client took too long to %s",
                                io == PG_IO_NEEDS_READ ? "send" : "receive");
        }
        timeout_ms = left_us / 1000 + 1;
    }
    struct pollfd items[2] = {
        {.fd = connection->fd, .events = io == PG_IO_NEEDS_READ ? POLLIN : POLLOUT},
        {.fd = connection->wake_fd, .events = POLLIN},
    };
    int ready = poll(items, 2, (int)(timeout_ms < WAIT_MS_MAX ? timeout_ms : WAIT_MS_MAX));
    if (ready < 0 && errno != EINTR) {
        return broken(errno);
    }
    if (ready > 0 && items[1].revents != 0) {
        uint64_t count;
        ssize_t got = read(connection->wake_fd, &count, sizeof(count));
        (void)got; // The bits tell; the counter only wakes.
    }
    return pg_connection_interrupt_status(connection);
}

static Status broken(int error)
{
    return status_error(SQLSTATE_CONNECTION_FAILURE, "the connection to the client broke: %s",
                        strerror(error));
}

static int64_t plain_answer(ssize_t moved, int io)
{
    if (moved >= 0) {
        return moved;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
        return io;
    }
    return PG_IO_FAILED;
}

static int64_t plain_read(void *self, void *data, size_t bytes)
{
    PgConnection *connection = self;
    return plain_answer(recv(connection->fd, data, bytes, 0), PG_IO_NEEDS_READ);
}

static int64_t plain_write(void *self, const void *data, size_t bytes)
{
    PgConnection *connection = self;
    return plain_answer(send(connection->fd, data, bytes, MSG_NOSIGNAL), PG_IO_NEEDS_WRITE);
}

static bool plain_has_input(void *self)
{
    (void)self;
    return false;
}

static void plain_close(void *self)
{
    (void)self;
}
