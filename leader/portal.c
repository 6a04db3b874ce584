/* portal.c — prepared statements and portals by name, and how long they live. */
#include <string.h>

#include "leader/session_internal.h"

static Status too_many(const char *what)
{
    return status_error(SQLSTATE_PROGRAM_LIMIT_EXCEEDED, "a session holds at most %u %s",
                        SESSION_NAMED_MAX, what);
}

Prepared *prepared_find(Session *session, const char *name)
{
    Prepared *prepared = session->prepared;
    while (prepared != NULL && strcmp(prepared->name, name) != 0) {
        prepared = prepared->next;
    }
    return prepared;
}

void prepared_unpin(Prepared *prepared)
{
    if (prepared != NULL && --prepared->reference_count == 0) {
        arena_destroy(prepared->arena); // it lives in it
    }
}

void prepared_drop(Session *session, const char *name)
{
    Prepared **slot = &session->prepared;
    while (*slot != NULL) {
        Prepared *prepared = *slot;
        if (name != NULL && strcmp(prepared->name, name) != 0) {
            slot = &prepared->next;
            continue;
        }
        *slot = prepared->next;
        session->prepared_count--;
        prepared_unpin(prepared);
    }
}

static Status declare_types(Prepared *prepared, const uint32_t *oids, uint32_t oid_count)
{
    uint32_t wanted = prepared->ast == NULL ? 0 : prepared->ast->parameter_count;
    prepared->parameter_count = wanted > oid_count ? wanted : oid_count;
    if (prepared->parameter_count > PARAMETERS_MAX) {
        return status_error(SQLSTATE_PROGRAM_LIMIT_EXCEEDED, "too many parameters");
    }
    prepared->parameter_types = ARENA_ARRAY(prepared->arena, Type, prepared->parameter_count + 1);
    prepared->parameter_oids =
        ARENA_ARRAY(prepared->arena, uint32_t, prepared->parameter_count + 1);
    for (uint32_t i = 0; i < oid_count; i++) {
        prepared->parameter_oids[i] = oids[i];
        if (oids[i] != 0 && !pg_parameter_type(oids[i], &prepared->parameter_types[i])) {
            return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                                "parameter $%u has the unknown type with OID %u", i + 1, oids[i]);
        }
    }
    return STATUS_OK;
}

Status prepared_create(Session *session, const char *name, const char *text,
                       const AstStatement *ast, Arena *owned_arena, const uint32_t *oids,
                       uint32_t oid_count, bool is_run_at_once, Prepared **out)
{
    Prepared *prepared = ARENA_NEW(owned_arena, Prepared);
    prepared->arena = owned_arena;
    prepared->reference_count = 1;
    prepared->name = arena_strdup(owned_arena, name);
    prepared->text = text;
    prepared->ast = ast;
    Status status = declare_types(prepared, oids, oid_count);
    prepared->is_described = !is_run_at_once;
    if (status == STATUS_OK && ast != NULL && prepared->is_described) {
        status = statement_describe(session, prepared);
    }
    if (status == STATUS_OK && session->prepared_count >= SESSION_NAMED_MAX) {
        status = too_many("prepared statements");
    }
    if (status != STATUS_OK) {
        prepared_unpin(prepared);
        return status;
    }
    prepared->next = session->prepared;
    session->prepared = prepared;
    session->prepared_count++;
    *out = prepared;
    return STATUS_OK;
}

Portal *portal_find(Session *session, const char *name)
{
    Portal *portal = session->portals;
    while (portal != NULL && strcmp(portal->name, name) != 0) {
        portal = portal->next;
    }
    return portal;
}

Status portal_create(Session *session, const char *name, Prepared *prepared, Portal **out)
{
    Portal *old = portal_find(session, name);
    if (old != NULL && name[0] != '\0') {
        return status_error(SQLSTATE_DUPLICATE_CURSOR, "cursor \"%s\" already exists", name);
    }
    if (old != NULL) {
        portal_drop(session, old);
    }
    if (session->portal_count >= SESSION_NAMED_MAX) {
        return too_many("portals");
    }
    Arena *arena = arena_create(NULL, "portal");
    Portal *portal = ARENA_NEW(arena, Portal);
    portal->arena = arena;
    portal->name = arena_strdup(arena, name);
    portal->prepared = prepared;
    prepared->reference_count++;
    portal->next = session->portals;
    session->portals = portal;
    session->portal_count++;
    *out = portal;
    return STATUS_OK;
}

void portal_end_query(Session *session, Portal *portal)
{
    mutex_lock(&session->mutex);
    if (session->running == portal->query) {
        session->running = NULL;
    }
    mutex_unlock(&session->mutex);
    if (portal->results != NULL) {
        result_queue_stop(portal->results);
    }
    distributed_query_destroy(portal->query);
    result_chunk_free(portal->chunk);
    result_queue_destroy(portal->results);
    portal->query = NULL;
    portal->chunk = NULL;
    portal->chunk_offset = 0;
    portal->results = NULL;
    portal->is_ended = false;
}

void portal_drop(Session *session, Portal *portal)
{
    Portal **slot = &session->portals;
    while (*slot != portal) {
        slot = &(*slot)->next;
    }
    *slot = portal->next;
    session->portal_count--;
    portal_end_query(session, portal);
    catalog_version_unpin(portal->catalog);
    prepared_unpin(portal->named);
    prepared_unpin(portal->prepared);
    arena_destroy(portal->arena);
}

void portal_drop_all(Session *session)
{
    while (session->portals != NULL) {
        portal_drop(session, session->portals);
    }
}

void portal_drop_cursors(Session *session, uint32_t first_statement)
{
    for (Portal *portal = session->portals; portal != NULL;) {
        Portal *next = portal->next;
        if (portal->is_cursor && portal->statement >= first_statement) {
            portal_drop(session, portal);
        }
        portal = next;
    }
}
