/* pg_message.c — the table of frontend messages and the reading of frame headers. */
#include "protocol/pgwire/pg_message.h"

typedef struct FrontendRule {
    const char *title;
    uint32_t bytes_min, bytes_max;
    uint8_t type;
} FrontendRule;

static const FrontendRule frontend_rules[PG_FRONTEND_COUNT] = {
#define PG_FRONTEND(name, type, bytes_min, bytes_max, title)                                       \
    [PG_FRONTEND_##name] = {title, bytes_min, bytes_max, type},
#include "protocol/pgwire/pg_messages.def"
#undef PG_FRONTEND
};

static Status read_startup_header(uint32_t length, PgFrame *frame);
static Status find_type(PgPhase phase, uint8_t type, PgFrontend *out);

Status pg_frame_read(PgPhase phase, const uint8_t *data, size_t bytes, PgFrame *frame,
                     bool *is_whole)
{
    size_t type_bytes = phase == PG_PHASE_STARTUP ? 0 : 1;
    *is_whole = false;
    if (bytes < type_bytes) {
        return STATUS_OK;
    }
    PgFrontend type = PG_FRONTEND_COUNT;
    if (type_bytes == 1 && bytes >= 1) {
        // The type is judged before the length arrives: garbage is refused at its first byte.
        TRY(find_type(phase, data[0], &type));
    }
    if (bytes < type_bytes + 4) {
        return STATUS_OK;
    }
    const uint8_t *at = data + type_bytes;
    uint32_t length = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    *is_whole = true;
    if (phase == PG_PHASE_STARTUP) {
        return read_startup_header(length, frame);
    }
    const FrontendRule *rule = &frontend_rules[type];
    uint32_t bytes_max = rule->bytes_max;
    if (phase == PG_PHASE_AUTHENTICATION && bytes_max > PG_UNAUTHENTICATED_BYTES_MAX) {
        bytes_max = PG_UNAUTHENTICATED_BYTES_MAX;
    }
    if (length < 4 || length - 4 < rule->bytes_min || length - 4 > bytes_max) {
        return status_error(SQLSTATE_PROTOCOL_VIOLATION, "invalid length %u of a %s message",
                            length, rule->title);
    }
    *frame = (PgFrame){.type = type, .header_bytes = 5, .body_bytes = length - 4};
    return STATUS_OK;
}

const char *pg_frontend_title(PgFrontend type)
{
    return type < PG_FRONTEND_COUNT ? frontend_rules[type].title : "unknown";
}

static Status read_startup_header(uint32_t length, PgFrame *frame)
{
    if (length < 8 || length > PG_STARTUP_BYTES_MAX) {
        return status_error(SQLSTATE_PROTOCOL_VIOLATION, "invalid length %u of a startup packet",
                            length);
    }
    *frame = (PgFrame){.type = PG_FRONTEND_COUNT, .header_bytes = 4, .body_bytes = length - 4};
    return STATUS_OK;
}

static Status find_type(PgPhase phase, uint8_t type, PgFrontend *out)
{
    for (PgFrontend i = 0; i < PG_FRONTEND_COUNT; i++) {
        if (frontend_rules[i].type != type) {
            continue;
        }
        bool is_login = i == PG_FRONTEND_PASSWORD;
        bool is_fitting =
            phase == PG_PHASE_AUTHENTICATION ? is_login || i == PG_FRONTEND_TERMINATE : !is_login;
        if (!is_fitting) {
            return status_error(SQLSTATE_PROTOCOL_VIOLATION, "unexpected %s message %s",
                                frontend_rules[i].title,
                                is_login ? "after the login" : "before the login");
        }
        *out = i;
        return STATUS_OK;
    }
    return status_error(SQLSTATE_PROTOCOL_VIOLATION, "invalid frontend message type %d", type);
}
