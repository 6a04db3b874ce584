/*
 * statement.c — runs one statement: bind, plan, start, send rows, finish.
 *
 *   portal_create -> statement_execute --rows_max reached--> suspended -> statement_execute …
 *                          |
 *                          +--> ended: session->last_tag is its CommandComplete
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "base/vector/value_batch.h"
#include "leader/session_internal.h"
#include "planner/distributor/distribute.h"
#include "protocol/pgwire/row_format.h"

#define TAKE_WAIT_US 20000
#define NODES_WAIT_US INT64_C(5000000) /* for a node that is just coming back */
#define RUN_AGAIN_MAX 2

void statement_begin(Session *session, const char *text)
{
    int64_t timeout_ms = setting_integer(session->settings, SETTING_STATEMENT_TIMEOUT);
    session->statement_deadline_us =
        timeout_ms > 0 ? clock_monotonic_us() + timeout_ms * 1000 : INT64_MAX;
    mutex_lock(&session->mutex);
    snprintf(session->query_text, sizeof(session->query_text), "%s", text);
    session->statement_start_us = clock_wall_us();
    session->is_running = true;
    mutex_unlock(&session->mutex);
}

void statement_end(Session *session)
{
    mutex_lock(&session->mutex);
    session->is_running = false;
    session->is_in_transaction = session->txn.state != TXN_IDLE;
    mutex_unlock(&session->mutex);
}

static void set_running(Session *session, DistributedQuery *query)
{
    mutex_lock(&session->mutex);
    session->running = query;
    mutex_unlock(&session->mutex);
}

/* ---- waiting ---- */

Status statement_check(Session *session, DistributedQuery *query)
{
    Status status = pg_connection_interrupt_status(session->connection);
    if (status == STATUS_OK && clock_monotonic_us() > session->statement_deadline_us) {
        status =
            status_error(SQLSTATE_QUERY_CANCELED, "canceling statement due to statement timeout");
    }
    if (status == STATUS_OK && pg_connection_has_hung_up(session->connection)) {
        status = status_error(SQLSTATE_CONNECTION_FAILURE, "the client went away");
    }
    if (status != STATUS_OK && query != NULL) {
        distributed_query_cancel(query, status_copy(status));
    }
    return status;
}

Status statement_check_session(void *session)
{
    return statement_check(session, NULL);
}

Status statement_wait(Session *session, DistributedQuery *query)
{
    while (!distributed_query_wait(query, TAKE_WAIT_US)) {
        status_ignore(statement_check(session, query), "the query ends with this reason");
    }
    return distributed_query_status(query);
}

/* ---- starting a query ---- */

static Status wait_for_nodes(Session *session)
{
    Nodes *nodes = session->leader->nodes;
    int64_t deadline = clock_monotonic_us() + NODES_WAIT_US;
    Status status = nodes_check_ready(nodes);
    while (status != STATUS_OK && clock_monotonic_us() < deadline) {
        status_free(status);
        clock_sleep_us(20000);
        TRY(statement_check(session, NULL));
        status = nodes_check_ready(nodes);
    }
    return status;
}

static bool needs_nodes(const Plan *plan)
{
    bool needs = false;
    for (uint32_t i = 0; i < plan->fragment_count; i++) {
        needs = needs || plan->fragments[i].site != PLAN_SITE_LEADER;
    }
    return needs;
}

/* How a planned query starts; a reading one may start again. */
typedef struct QueryStart {
    const Plan *plan;
    Snapshot snapshot;
    const ResultEncoder *encoder;
    bool has_statistics, is_writing;
} QueryStart;

static Status start_planned(Session *session, Portal *portal, const QueryStart *start)
{
    if (needs_nodes(start->plan)) {
        TRY(wait_for_nodes(session));
    }
    portal->results = result_queue_create(start->encoder);
    DistributedQueryOptions options = {
        .services = &session->leader->services,
        .plan = start->plan,
        .settings = session->settings,
        .snapshot = start->snapshot,
        .results = portal->results,
        .virtual_tables = session_virtual_tables(session, portal->catalog, portal->arena),
        .has_statistics = start->has_statistics,
        .is_writing = start->is_writing,
        .is_voting = start->is_writing && session->txn.is_single,
    };
    TRY(distributed_query_start(&options, &portal->query));
    set_running(session, portal->query);
    return STATUS_OK;
}

Status statement_start_query(Session *session, Portal *portal, PlannerContext *planner,
                             const Snapshot *snapshot, LogicalNode *root, uint32_t result_count,
                             const PlanResultColumn *results, const ResultEncoder *encoder,
                             bool has_statistics, bool is_writing, const Plan **plan)
{
    Plan *made = NULL;
    TRY(plan_query(planner, root, results, result_count, &made));
    QueryStart start = {.plan = made,
                        .snapshot = *snapshot,
                        .encoder = encoder,
                        .has_statistics = has_statistics,
                        .is_writing = is_writing};
    if (plan != NULL) {
        *plan = made;
    }
    transaction_note_plan(session, made);
    sort_advice_note(session->leader->sort_advice, portal->catalog, made);
    if (is_writing) {
        TRY(statement_check_room(&session->leader->services, made));
    }
    TRY(start_planned(session, portal, &start));
    return is_writing ? distributed_query_enlist(portal->query, &session->txn) : STATUS_OK;
}

static RowFormat *row_format_of(Session *session, Portal *portal, uint32_t count,
                                const PlanResultColumn *results)
{
    Type *types = ARENA_ARRAY(portal->arena, Type, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        types[i] = results[i].type;
    }
    RowFormatOptions options = {.extra_float_digits = (int32_t)setting_integer(
                                    session->settings, SETTING_EXTRA_FLOAT_DIGITS)};
    return row_format_create(portal->arena, types, count, portal->formats, portal->format_count,
                             options);
}

static Status encode_rows(void *self, Batch *batch, uint32_t first, size_t bytes_wanted,
                          ByteBuffer *out, uint32_t *next)
{
    return row_format_write(self, batch, first, bytes_wanted, out, next);
}

/* ---- sending rows ---- */

/* Appends at most `rows_max` whole DataRow messages of the portal's chunk. */
static uint64_t send_part(Session *session, Portal *portal, uint64_t rows_max)
{
    ResultChunk *chunk = portal->chunk;
    const uint8_t *data = chunk->bytes.data;
    size_t offset = portal->chunk_offset;
    uint64_t rows = 0;
    if (chunk->row_count <= rows_max) {
        rows = chunk->row_count;
        offset = chunk->bytes.bytes;
    }
    while (offset < chunk->bytes.bytes && rows < rows_max) {
        uint32_t length = 0;
        memcpy(&length, data + offset + 1, sizeof(length));
        offset += 1 + __builtin_bswap32(length);
        rows++;
    }
    byte_buffer_add(session_output(session), data + portal->chunk_offset,
                    offset - portal->chunk_offset);
    portal->chunk_offset = offset;
    chunk->row_count -= rows;
    if (offset == chunk->bytes.bytes) {
        result_chunk_free(chunk);
        portal->chunk = NULL;
        portal->chunk_offset = 0;
    }
    return rows;
}

Status statement_send_rows(Session *session, Portal *portal, uint64_t rows_max, bool *is_suspended)
{
    uint64_t sent = 0, wanted = rows_max == 0 ? UINT64_MAX : rows_max;
    *is_suspended = false;
    while (!portal->is_ended && sent < wanted) {
        if (portal->chunk == NULL) {
            bool is_end = false;
            portal->chunk = result_queue_take(portal->results, TAKE_WAIT_US, &is_end);
            portal->is_ended = is_end;
            if (portal->chunk == NULL) {
                if (!is_end) {
                    status_ignore(statement_check(session, portal->query),
                                  "the query ends with this reason");
                    distributed_query_wait(portal->query, 0); // sends lost cancels again
                }
                continue;
            }
        }
        sent += send_part(session, portal, wanted - sent);
        Status status = pg_connection_flush_if_full(session->connection,
                                                    clock_monotonic_us() + CLIENT_WRITE_TIMEOUT_US);
        if (status != STATUS_OK) {
            distributed_query_cancel(portal->query, status_copy(status));
            return status;
        }
    }
    portal->row_count += sent;
    *is_suspended = !portal->is_ended;
    if (portal->is_ended) {
        set_running(session, NULL);
        TRY(statement_wait(session, portal->query));
    }
    snprintf(session->last_tag, sizeof(session->last_tag), "SELECT %lu", (unsigned long)sent);
    return STATUS_OK;
}

Status statement_send_values(Session *session, Portal *portal, const PlanResultColumn *columns,
                             uint32_t column_count, const Value *cells, uint32_t row_count)
{
    Type *types = ARENA_ARRAY(portal->arena, Type, column_count + 1);
    for (uint32_t i = 0; i < column_count; i++) {
        types[i] = columns[i].type;
    }
    Batch *batches = NULL;
    uint32_t batch_count = 0;
    value_batches(portal->arena, types, column_count, cells, row_count, &batches, &batch_count);
    RowFormat *format = row_format_of(session, portal, column_count, columns);
    for (uint32_t i = 0; i < batch_count; i++) {
        uint32_t next = 0;
        TRY(row_format_write(format, &batches[i], 0, SIZE_MAX, session_output(session), &next));
    }
    portal->is_ended = true;
    return STATUS_OK;
}

/* ---- statements that change rows, and SELECT ---- */

static const char *change_tag(BoundKind kind)
{
    return kind == BOUND_UPDATE   ? "UPDATE"
           : kind == BOUND_DELETE ? "DELETE"
           : kind == BOUND_MERGE  ? "MERGE"
                                  : "INSERT 0";
}

Status statement_run_change(Session *session, Portal *portal, PlannerContext *planner,
                            const Snapshot *snapshot, LogicalNode *root, int64_t *rows)
{
    Snapshot writing = *snapshot;
    const Plan *plan = NULL;
    TRY(txn_begin_write(&session->txn, &writing));
    TRY(statement_start_query(session, portal, planner, &writing, root, 1,
                              &(PlanResultColumn){.name = "rows", .type = type_of(TYPE_BIGINT)},
                              NULL, false, true, &plan));
    TRY(statement_wait(session, portal->query));
    set_running(session, NULL);
    TRY(statement_collect_writes(&session->txn, portal->query, plan));
    *rows = result_queue_first_value(portal->results);
    return STATUS_OK;
}

static Status run_change(Session *session, Portal *portal, PlannerContext *planner,
                         const Snapshot *snapshot)
{
    int64_t rows = 0;
    TRY(statement_insert(session, portal, planner, snapshot, &rows));
    session_note_identity(session, (uint64_t)rows);
    snprintf(session->last_tag, sizeof(session->last_tag), "%s %ld",
             change_tag(portal->bound->kind), (long)rows);
    portal->is_ended = true;
    return STATUS_OK;
}

/* A node was lost under a query that only reads, and the client has seen no row of it. */
static bool can_run_again(Session *session, const Portal *portal, Status failure)
{
    SqlState state = status_sqlstate(failure);
    bool is_loss = status_node(failure) != 0 &&
                   (state == SQLSTATE_CONNECTION_FAILURE || state == SQLSTATE_CANNOT_CONNECT_NOW ||
                    state == SQLSTATE_ADMIN_SHUTDOWN);
    if (!is_loss || portal->row_count > 0 || session->txn.txn_id != 0) {
        return false;
    }
    Status status = statement_check(session, NULL);
    bool is_wanted = status == STATUS_OK;
    status_ignore(status, "the statement ends with its first failure");
    return is_wanted;
}

static void copy_results(Prepared *prepared, uint32_t count, const PlanResultColumn *results)
{
    prepared->has_results = true;
    prepared->result_count = count;
    prepared->results = ARENA_ARRAY(prepared->arena, PlanResultColumn, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        prepared->results[i] = results[i];
        prepared->results[i].name = arena_strdup(prepared->arena, results[i].name);
    }
}

static Status run_query(Session *session, Portal *portal, PlannerContext *planner,
                        const Snapshot *snapshot, uint64_t rows_max, bool *is_suspended)
{
    BoundStatement *bound = portal->bound;
    ResultEncoder encoder = {
        .self = row_format_of(session, portal, bound->result_count, bound->results),
        .encode = encode_rows};
    const Plan *plan = NULL;
    Status status =
        statement_start_query(session, portal, planner, snapshot, bound->root, bound->result_count,
                              bound->results, &encoder, false, false, &plan);
    if (status == STATUS_OK && !portal->prepared->is_described) {
        copy_results(portal->prepared, bound->result_count, bound->results);
        portal->prepared->is_described = true;
        session_describe_rows(session, portal->prepared, portal);
    }
    if (status == STATUS_OK) {
        status = statement_send_rows(session, portal, rows_max, is_suspended);
    }
    for (uint32_t i = 0; i < RUN_AGAIN_MAX && status != STATUS_OK && plan != NULL &&
                         can_run_again(session, portal, status);
         i++) {
        log_status(LOG_WARN, "query_runs_again", status);
        status_free(status);
        QueryStart start = {.plan = plan, .snapshot = *snapshot, .encoder = &encoder};
        portal_end_query(session, portal);
        status = start_planned(session, portal, &start);
        if (status == STATUS_OK) {
            status = statement_send_rows(session, portal, rows_max, is_suspended);
        }
    }
    return status;
}

/* ---- transaction control ---- */

static const char *const begin_tags[] = {"BEGIN", "START TRANSACTION"};

static bool can_end_failure(AstTransactionKind kind)
{
    return kind == AST_TRANSACTION_COMMIT || kind == AST_TRANSACTION_ROLLBACK ||
           kind == AST_TRANSACTION_ROLLBACK_TO;
}

/* Cursors declared after the savepoint are gone, too: they may show what was taken back. */
static Status rollback_to(Session *session, const char *savepoint)
{
    TRY(txn_rollback_to(&session->txn, savepoint));
    portal_drop_cursors(session, session->txn.savepoints->statement);
    return STATUS_OK;
}

static Status run_transaction(Session *session, const AstTransaction *ast)
{
    Txn *txn = &session->txn;
    const char *tag = "";
    Status status = STATUS_OK;
    bool is_block = txn->is_explicit && txn->state != TXN_IDLE;
    if (txn->state == TXN_FAILED && !can_end_failure(ast->kind)) {
        return status_error(SQLSTATE_IN_FAILED_SQL_TRANSACTION,
                            "current transaction is aborted, commands ignored until end of "
                            "transaction block");
    }
    switch (ast->kind) {
    case AST_TRANSACTION_BEGIN:
        tag = begin_tags[ast->is_start];
        if (is_block) {
            session_notice(session, PG_SEVERITY_WARNING,
                           "there is already a transaction in progress");
        }
        txn_begin(txn, true);
        if (!is_block) {
            transaction_take_modes(session, &ast->modes);
        }
        break;
    case AST_TRANSACTION_COMMIT:
        tag = txn->state == TXN_FAILED ? "ROLLBACK" : "COMMIT";
        if (!is_block) {
            session_notice(session, PG_SEVERITY_WARNING, "there is no transaction in progress");
        }
        status = txn_commit(txn);
        break;
    case AST_TRANSACTION_ROLLBACK:
        tag = "ROLLBACK";
        if (!is_block) {
            session_notice(session, PG_SEVERITY_WARNING, "there is no transaction in progress");
        }
        txn_rollback(txn);
        break;
    case AST_TRANSACTION_SAVEPOINT:
    case AST_TRANSACTION_RELEASE:
    case AST_TRANSACTION_ROLLBACK_TO:
        if (!is_block) {
            return status_error(SQLSTATE_NO_ACTIVE_SQL_TRANSACTION,
                                "savepoints can only be used in transaction blocks");
        }
        tag = ast->kind == AST_TRANSACTION_SAVEPOINT ? "SAVEPOINT"
              : ast->kind == AST_TRANSACTION_RELEASE ? "RELEASE"
                                                     : "ROLLBACK";
        status = ast->kind == AST_TRANSACTION_SAVEPOINT ? txn_savepoint(txn, ast->savepoint)
                 : ast->kind == AST_TRANSACTION_RELEASE ? txn_release(txn, ast->savepoint)
                                                        : rollback_to(session, ast->savepoint);
        break;
    case AST_TRANSACTION_SET:
        tag = "SET";
        status = transaction_set_modes(session, &ast->modes);
        break;
    case AST_TRANSACTION_SET_SESSION:
        tag = "SET";
        transaction_set_defaults(session, &ast->modes);
        break;
    }
    snprintf(session->last_tag, sizeof(session->last_tag), "%s", tag);
    return status;
}

/* ---- one statement ---- */

void statement_fill_planner(Session *session, PlannerContext *planner, Arena *arena,
                            const CatalogVersion *catalog)
{
    *planner = (PlannerContext){
        .arena = arena,
        .catalog = session_catalog_view(session, catalog, arena),
        .next_column = 1,
        .next_cte = 1,
        .node_count = commit_log_node_count(session->leader->log),
    };
}

static Status run_bound(Session *session, Portal *portal, PlannerContext *planner,
                        const Snapshot *snapshot, uint64_t rows_max, bool *is_suspended)
{
    const BoundStatement *bound = portal->bound;
    if (bound->notice != NULL) {
        session_notice(session, PG_SEVERITY_NOTICE, "%s", bound->notice);
    }
    switch (bound->kind) {
    case BOUND_QUERY:
        return run_query(session, portal, planner, snapshot, rows_max, is_suspended);
    case BOUND_INSERT:
    case BOUND_UPDATE:
    case BOUND_DELETE:
    case BOUND_MERGE:
        return run_change(session, portal, planner, snapshot);
    case BOUND_COPY_FROM:
        return copy_in_run(session, portal, planner, snapshot);
    case BOUND_COPY_TO:
        return copy_out_run(session, portal, planner, snapshot);
    case BOUND_EXPLAIN:
        return explain_run(session, portal, planner, snapshot);
    case BOUND_CREATE_TABLE:
    case BOUND_CREATE_VIEW:
    case BOUND_CREATE_SCHEMA:
    case BOUND_ALTER_TABLE:
    case BOUND_APPEND:
    case BOUND_DROP:
    case BOUND_TRUNCATE:
    case BOUND_USER:
        return ddl_run(session, portal, planner, snapshot);
    case BOUND_SET:
    case BOUND_SHOW:
    case BOUND_DISCARD:
        return setting_run(session, portal, snapshot);
    case BOUND_PREPARE:
    case BOUND_EXECUTE:
    case BOUND_DEALLOCATE:
    case BOUND_DECLARE_CURSOR:
    case BOUND_FETCH:
    case BOUND_CLOSE:
        return cursor_run(session, portal);
    case BOUND_ANALYZE:
        return bound->compression != NULL
                   ? analyze_compression_run(session, portal, planner, snapshot)
                   : analyze_run(session, portal, planner, snapshot);
    case BOUND_VACUUM:
        return vacuum_run(session, portal);
    case BOUND_LOCK:
        return statement_run_lock(session);
    case BOUND_NOTHING:
        snprintf(session->last_tag, sizeof(session->last_tag), "OK");
        return STATUS_OK;
    case BOUND_TRANSACTION:
        return run_transaction(session, bound->ast->transaction);
    }
    return status_error(SQLSTATE_INTERNAL_ERROR, "unknown statement kind %d", (int)bound->kind);
}

/* Whether the transaction of this statement may delete rows that its snapshot sees. */
static bool may_delete(const Session *session, const AstStatement *ast)
{
    switch (ast->kind) {
    case AST_STATEMENT_UPDATE:
    case AST_STATEMENT_DELETE:
    case AST_STATEMENT_MERGE:
    case AST_STATEMENT_TRUNCATE:
    case AST_STATEMENT_EXECUTE:
        return true;
    default:
        return session->txn.is_explicit && !session->txn.is_read_only;
    }
}

/* A client that was told of some columns must not be sent others. */
static Status check_results(const Prepared *prepared, const BoundStatement *bound)
{
    bool is_same = bound->result_count == prepared->result_count;
    for (uint32_t i = 0; is_same && i < bound->result_count; i++) {
        is_same = type_oid(bound->results[i].type) == type_oid(prepared->results[i].type);
    }
    return is_same || bound->kind != BOUND_QUERY
               ? STATUS_OK
               : status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                              "cached plan must not change result type");
}

static Status start_statement(Session *session, Portal *portal, uint64_t rows_max,
                              bool *is_suspended)
{
    const AstStatement *ast = portal->prepared->ast;
    Snapshot snapshot;
    PlannerContext planner;
    bool is_first = session->txn.state == TXN_IDLE;
    txn_begin(&session->txn, false);
    session->txn.is_single = is_first && session->is_only_statement;
    if (is_first) {
        transaction_take_modes(session, &(AstTransactionModes){0});
    }
    if (may_delete(session, ast)) {
        TRY(txn_enter_gate(&session->txn, statement_check_session, session));
    }
    TRY(statement_bind(session, portal, &planner, &snapshot));
    if (portal->prepared->is_described) {
        TRY(check_results(portal->prepared, portal->bound));
    }
    portal->is_started = true;
    Status status = run_bound(session, portal, &planner, &snapshot, rows_max, is_suspended);
    return portal->named == NULL ? status : status_without_position(status);
}

Status statement_execute(Session *session, Portal *portal, uint64_t rows_max, bool *is_suspended)
{
    *is_suspended = false;
    if (portal->is_started) {
        return statement_send_rows(session, portal, rows_max, is_suspended);
    }
    const AstStatement *ast = portal->prepared->ast;
    if (ast->kind == AST_STATEMENT_TRANSACTION) { // the one kind a failed transaction takes
        return run_transaction(session, ast->transaction);
    }
    Status status = start_statement(session, portal, rows_max, is_suspended);
    session_release_identity(session);
    return status;
}

/* ---- Describe ---- */

static void describe_text_column(Prepared *prepared, const char *name)
{
    prepared->has_results = true;
    prepared->result_count = 1;
    prepared->results = ARENA_ARRAY(prepared->arena, PlanResultColumn, 1);
    prepared->results[0] =
        (PlanResultColumn){.name = arena_strdup(prepared->arena, name), .type = type_varchar(0)};
}

/* SHOW ALL has three columns, SHOW x one; FETCH those of its cursor. */
static Status describe_utility(Session *session, Prepared *prepared, const BoundStatement *bound)
{
    static const PlanResultColumn all[] = {
        {.name = "name", .type = {.id = TYPE_VARCHAR}},
        {.name = "setting", .type = {.id = TYPE_VARCHAR}},
        {.name = "description", .type = {.id = TYPE_VARCHAR}},
    };
    if (bound->kind == BOUND_EXPLAIN) {
        describe_text_column(prepared, "QUERY PLAN");
    } else if (bound->kind == BOUND_SHOW && bound->ast->show->name == NULL) {
        copy_results(prepared, 3, all);
    } else if (bound->kind == BOUND_SHOW) {
        describe_text_column(prepared, bound->ast->show->name);
    } else if (bound->kind == BOUND_ANALYZE && bound->compression != NULL) {
        copy_results(prepared, bound->result_count, bound->results);
    } else if (bound->kind == BOUND_FETCH) {
        const Portal *cursor = portal_find(session, bound->ast->fetch->name);
        if (cursor == NULL || !cursor->is_cursor) {
            return status_error(SQLSTATE_INVALID_CURSOR_NAME, "cursor \"%s\" does not exist",
                                bound->ast->fetch->name);
        }
        copy_results(prepared, cursor->prepared->result_count, cursor->prepared->results);
    } else if (bound->kind == BOUND_EXECUTE) {
        const Prepared *named = prepared_find(session, bound->ast->execute->name);
        if (named != NULL && named->has_results) {
            copy_results(prepared, named->result_count, named->results);
        }
    }
    return STATUS_OK;
}

Status statement_describe(Session *session, Prepared *prepared)
{
    if (prepared->ast->kind == AST_STATEMENT_TRANSACTION) {
        return STATUS_OK;
    }
    if (session->txn.state == TXN_FAILED) {
        return status_error(SQLSTATE_IN_FAILED_SQL_TRANSACTION,
                            "current transaction is aborted, commands ignored until end of "
                            "transaction block");
    }
    uint64_t position = 0;
    CatalogVersion *committed = commit_log_snapshot(session->leader->log, &position);
    CatalogVersion *catalog = NULL;
    Status status = catalog_version_apply(committed, &session->txn.changes, &catalog);
    catalog_version_unpin(committed);
    TRY(status);
    Arena *arena = arena_create(NULL, "describe");
    PlannerContext planner;
    statement_fill_planner(session, &planner, arena, catalog);
    BindParameters parameters = {.count = prepared->parameter_count,
                                 .types = prepared->parameter_types,
                                 .capacity = prepared->parameter_count};
    BoundStatement *bound = NULL;
    session->is_describing = true;
    status = bind_statement(&planner, prepared->ast, &parameters, &bound);
    session->is_describing = false;
    if (status == STATUS_OK && bound->kind == BOUND_QUERY) {
        copy_results(prepared, bound->result_count, bound->results);
    } else if (status == STATUS_OK) {
        status = describe_utility(session, prepared, bound);
    }
    arena_destroy(arena);
    catalog_version_unpin(catalog);
    return status;
}
