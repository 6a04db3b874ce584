/* session_internal.h — the session's state, shared by its files. */
#pragma once
#include "leader/catalog/catalog.h"
#include "leader/leader_internal.h"
#include "leader/session.h"
#include "leader/txn/txn.h"
#include "planner/binder/bind.h"
#include "planner/parser/parse.h"
#include "protocol/pgwire/pg_decode.h"
#include "protocol/pgwire/pg_parameter.h"
#include "protocol/pgwire/pg_reader.h"
#include "protocol/pgwire/pg_writer.h"

#define SESSION_NAMED_MAX 10000u /* prepared statements, and portals */
#define CANCEL_KEY_BYTES 4       /* protocol 3.0 */
#define CLIENT_WRITE_TIMEOUT_US INT64_C(600000000)
#define CLIENT_MESSAGE_TIMEOUT_US INT64_C(600000000) /* the rest of a message that has begun */
#define LOGIN_TIMEOUT_US INT64_C(10000000)
#define PARAMETERS_MAX 65535u

/* A parsed statement with what Describe tells; counted: portals outlive a Close. */
typedef struct Prepared {
    struct Prepared *next;
    uint32_t reference_count;
    Arena *arena;
    const char *name; /* "" : the unnamed one */
    const char *text;
    const AstStatement *ast; /* null: an empty statement */
    uint32_t parameter_count;
    Type *parameter_types;
    uint32_t *parameter_oids; /* as declared by Parse */
    uint32_t result_count;
    PlanResultColumn *results;
    bool has_results;  /* it returns rows */
    bool is_described; /* its results are known; else from its first run on */
} Prepared;

typedef struct Portal {
    struct Portal *next;
    Arena *arena;
    const char *name;
    Prepared *prepared;
    Prepared *named; /* EXECUTE: what it runs; else null */
    uint32_t format_count;
    uint16_t *formats;
    BindParameters parameters;
    bool is_cursor; /* DECLAREd: FETCH reads it, Execute does not */
    uint32_t statement; /* a cursor's: of the transaction, when it was declared */
    /* Once started: */
    bool is_started, is_ended;
    BoundStatement *bound;
    CatalogVersion *catalog;
    DistributedQuery *query;
    ResultQueue *results;
    ResultChunk *chunk; /* being sent */
    size_t chunk_offset;
    uint64_t row_count; /* sent so far */
} Portal;

struct Session {
    Session *next; /* the server's list */
    Leader *leader;
    PgConnection *connection;
    PgReader reader;
    Arena *arena; /* from login to logout */
    uint32_t process_id;
    uint8_t cancel_key[CANCEL_KEY_BYTES];
    bool is_full, is_logged_in;
    bool is_skipping;       /* after an error, until Sync */
    bool is_only_statement; /* the transaction ends behind the one that runs */
    const char *database;
    SettingSet *settings, *defaults;
    Txn txn;
    TxnIsolation default_isolation;
    bool is_default_read_only;
    Prepared *prepared;
    Portal *portals;
    uint32_t prepared_count, portal_count;
    char last_tag[64];             /* of the last statement: a ROLLBACK drops its own portal */
    int64_t statement_deadline_us; /* monotonic; INT64_MAX: none */

    bool is_describing; /* what is bound will not run */
    LockMode lock_mode; /* of the tables that are bound */
    LockRequest wanted; /* a lock the binder had to do without; table_id 0: none */
    bool holds_identity; /* others wait for the end of this statement */
    uint64_t identity_table, identity_next; /* whose numbers this statement takes; 0: none */
    bool is_superuser;
    char temporary_schema[48]; /* of its temporary tables, whether there are any or not */

    Mutex mutex; /* guards what other threads look at */
    DistributedQuery *running;
    const char *user; /* null until the login; set once, its own thread reads freely */
    char query_text[256];
    bool is_running, is_in_transaction;
    int64_t statement_start_us;

    int64_t parked_until_us; /* the server's */
    bool is_idle_too_long;
};

ByteBuffer *session_output(Session *session);
Status session_flush(Session *session) CHECKED;
/* Reports an error to the client and takes it; `text` is what its position refers to. */
void session_report(Session *session, Status owned_status, const char *text);
void session_notice(Session *session, PgSeverity severity, const char *format, ...)
    PRINTF_LIKE(3, 4);
void session_send_parameter(Session *session, SettingId id); /* ParameterStatus, when reported */

/* session_query.c: the simple protocol. session_extended.c: Parse … Sync. */
void session_simple_query(Session *session, const char *text, size_t bytes);
/* RowDescription of a statement that returns rows; formats as the portal wants them. */
void session_describe_rows(Session *session, const Prepared *prepared, const Portal *portal);
Status session_parse(Session *session, const PgMessage *message) CHECKED;
Status session_bind(Session *session, const PgMessage *message) CHECKED;
Status session_describe(Session *session, const PgMessage *message) CHECKED;
Status session_execute(Session *session, const PgMessage *message) CHECKED;
Status session_close(Session *session, const PgMessage *message) CHECKED;

/* portal.c; `is_run_at_once`: a query that describes itself when it runs. */
Status prepared_create(Session *session, const char *name, const char *text,
                       const AstStatement *ast, Arena *owned_arena, const uint32_t *oids,
                       uint32_t oid_count, bool is_run_at_once, Prepared **out) CHECKED;
Prepared *prepared_find(Session *session, const char *name);
void prepared_drop(Session *session, const char *name); /* null name: all */
void prepared_unpin(Prepared *prepared);
Status portal_create(Session *session, const char *name, Prepared *prepared,
                     Portal **out) CHECKED; /* takes its own reference; replaces the unnamed one */
Portal *portal_find(Session *session, const char *name);
/* Ends the portal's query, if any, and forgets its results: it may be run once more. */
void portal_end_query(Session *session, Portal *portal);
void portal_drop(Session *session, Portal *portal);
void portal_drop_all(Session *session);
/* Cursors declared by this statement of the transaction or a later one. */
void portal_drop_cursors(Session *session, uint32_t first_statement);

/* statement.c: runs a portal. `rows_max` 0: all. The tag is sent by the caller when it ended. */
Status statement_execute(Session *session, Portal *portal, uint64_t rows_max,
                         bool *is_suspended) CHECKED;
/* What a statement returns, without running it. */
Status statement_describe(Session *session, Prepared *prepared) CHECKED;
void statement_begin(Session *session, const char *text); /* clock, cancel flags, system views */
void statement_end(Session *session);
/* Takes the table for the transaction, or notes that one has to wait for it: 55P03 then, and the
 * statement begins anew after the wait. */
Status statement_lock_table(Session *session, const CatalogTable *table) CHECKED;
/* statement_bind.c: binds the portal's statement at a snapshot, once the tables that it names are
 * there for it. */
Status statement_bind(Session *session, Portal *portal, PlannerContext *planner,
                      Snapshot *snapshot) CHECKED;
/* Waits for the end of the portal's query, minding cancel, timeout and a client gone. */
Status statement_wait(Session *session, DistributedQuery *query) CHECKED;
/* transaction_modes.c: BEGIN's modes over the session's; SET TRANSACTION (25001 when too late) and
 * SET SESSION CHARACTERISTICS; what SHOW says (null: not about transactions). */
void transaction_take_modes(Session *session, const AstTransactionModes *modes);
Status transaction_set_modes(Session *session, const AstTransactionModes *modes) CHECKED;
void transaction_set_defaults(Session *session, const AstTransactionModes *modes);
const char *transaction_show(const Session *session, const char *name);
/* What SERIALIZABLE needs to know of a statement: tables read and changed. */
void transaction_note_plan(Session *session, const Plan *plan);
void statement_fill_planner(Session *session, PlannerContext *planner, Arena *arena,
                            const CatalogVersion *catalog);
/* Runs what changes rows; the transaction stays open. */
Status statement_run_change(Session *session, Portal *portal, PlannerContext *planner,
                            const Snapshot *snapshot, LogicalNode *root, int64_t *rows) CHECKED;
/* statement_insert.c: the portal's change; a small INSERT may have been committed on return. */
Status statement_insert(Session *session, Portal *portal, PlannerContext *planner,
                        const Snapshot *snapshot, int64_t *rows) CHECKED;
Status statement_check(Session *session, DistributedQuery *query); /* cancels it when it must end */
Status statement_check_session(void *session) CHECKED;             /* the same without a query */
Status statement_run_lock(Session *session) CHECKED;
Status statement_send_rows(Session *session, Portal *portal, uint64_t rows_max,
                           bool *is_suspended) CHECKED;
/* Plans `root` and starts it with the given encoder (null: count only). */
Status statement_start_query(Session *session, Portal *portal, PlannerContext *planner,
                             const Snapshot *snapshot, LogicalNode *root, uint32_t result_count,
                             const PlanResultColumn *results, const ResultEncoder *encoder,
                             bool has_statistics, bool is_writing, const Plan **plan) CHECKED;
/* 53100 when the plan adds rows and the leader's disk has no room for what comes with them. */
Status statement_check_room(const QueryServices *services, const Plan *plan) CHECKED;
/* After the end of a writing query: participants and statistics into the transaction. */
Status statement_collect_writes(Txn *txn, DistributedQuery *query, const Plan *plan) CHECKED;
Status statement_send_values(Session *session, Portal *portal, const PlanResultColumn *columns,
                             uint32_t column_count, const Value *cells, uint32_t row_count) CHECKED;

/* identity.c: numbers of the table's identity column, for the statement that is bound (bind.h); how
 * many rows it made; its end. */
Status session_take_identity(Session *session, const CatalogTable *table, uint32_t count,
                             int64_t *first) CHECKED;
void session_note_identity(Session *session, uint64_t row_count);
void session_release_identity(Session *session);

/* Rooms of the leader that run one kind of statement each. */
Status ddl_run(Session *session, Portal *portal, PlannerContext *planner,
               const Snapshot *snapshot) CHECKED;
Status vacuum_run(Session *session, Portal *portal) CHECKED;
/* ddl/temporary.c: drops the session's temporary tables, within its transaction, and what sessions
 * of an earlier run of the leader have left. */
Status ddl_drop_temporary(Session *session, const CatalogVersion *catalog,
                          const Snapshot *snapshot) CHECKED;
/* The same as a transaction of its own, at the session's end. */
void ddl_end_temporary(Session *session);
/* The schema of the session's temporary tables, made at first need. */
Status ddl_need_temporary(Session *session, const CatalogVersion *catalog) CHECKED;
Status ddl_drop_schema(Session *session, const CatalogVersion *catalog, const Snapshot *snapshot,
                       const char *schema, bool is_cascade) CHECKED;
Status setting_run(Session *session, Portal *portal, const Snapshot *snapshot) CHECKED;
Status analyze_run(Session *session, Portal *portal, PlannerContext *planner,
                   const Snapshot *snapshot) CHECKED;
Status analyze_compression_run(Session *session, Portal *portal, PlannerContext *planner,
                               const Snapshot *snapshot) CHECKED;
/* Without a table: all of them but other sessions' temporary ones. */
bool analyze_is_meant(const Session *session, const CatalogTable *table);
Status explain_run(Session *session, Portal *portal, PlannerContext *planner,
                   const Snapshot *snapshot) CHECKED;
Status copy_in_run(Session *session, Portal *portal, PlannerContext *planner,
                   const Snapshot *snapshot) CHECKED;
Status copy_out_run(Session *session, Portal *portal, PlannerContext *planner,
                    const Snapshot *snapshot) CHECKED;
Status cursor_run(Session *session, Portal *portal) CHECKED;
/* The relation an unqualified name means, by the search path; null when there is none. */
const CatalogTable *session_find_table(const Session *session, const CatalogVersion *version,
                                       const char *name);
const CatalogView *session_catalog_view(Session *session, const CatalogVersion *version,
                                        Arena *arena);
const VirtualTables *session_virtual_tables(Session *session, const CatalogVersion *version,
                                            Arena *arena);
