/* explain.c — EXPLAIN: the plan as text; EXPLAIN ANALYZE: run it and say what each operator did. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "leader/session_internal.h"
#include "planner/distributor/distribute.h"

#define EXPLAIN_BYTES_MAX (16u << 20)

/* Each line of the text is one row. */
static Status send_lines(Session *session, Portal *portal, const ByteBuffer *text)
{
    static const PlanResultColumn column = {.name = "QUERY PLAN", .type = {.id = TYPE_VARCHAR}};
    uint32_t line_count = 0;
    for (size_t i = 0; i < text->bytes; i++) {
        line_count += text->data[i] == '\n';
    }
    Value *lines = ARENA_ARRAY(portal->arena, Value, line_count + 1);
    uint32_t line = 0;
    size_t start = 0;
    for (size_t i = 0; i < text->bytes; i++) {
        if (text->data[i] == '\n') {
            lines[line] = (Value){.type = column.type};
            lines[line++].text = text_view_make((const char *)text->data + start, i - start);
            start = i + 1;
        }
    }
    return statement_send_values(session, portal, &column, 1, lines, line);
}

static Status drop_rows(void *self, Batch *batch, uint32_t first, size_t bytes_wanted,
                        ByteBuffer *out, uint32_t *next)
{
    (void)self, (void)first, (void)bytes_wanted, (void)out;
    *next = batch->selected_count;
    return STATUS_OK;
}

static Status analyze(Session *session, Portal *portal, PlannerContext *planner,
                      const Snapshot *snapshot, ByteBuffer *text)
{
    const BoundStatement *inner = portal->bound->inner;
    bool is_writing = inner->target != NULL;
    Snapshot own = *snapshot;
    if (is_writing) {
        TRY(txn_begin_write(&session->txn, &own));
    }
    ResultEncoder encoder = {.encode = drop_rows};
    static const PlanResultColumn rows = {.name = "rows", .type = {.id = TYPE_BIGINT}};
    const Plan *plan = NULL;
    int64_t start_us = clock_monotonic_us();
    TRY(statement_start_query(session, portal, planner, &own, inner->root,
                              is_writing ? 1 : inner->result_count,
                              is_writing ? &rows : inner->results,
                              is_writing ? NULL : &encoder, true, is_writing, &plan));
    bool is_end = is_writing; // its one row is a count
    while (!is_end) {
        result_chunk_free(result_queue_take(portal->results, 20000, &is_end));
        status_ignore(statement_check(session, portal->query), "the query ends with this reason");
    }
    TRY(statement_wait(session, portal->query));
    int64_t end_us = clock_monotonic_us();
    if (is_writing) {
        TRY(statement_collect_writes(&session->txn, portal->query, plan));
        session_note_identity(session, (uint64_t)result_queue_first_value(portal->results));
    }
    PlanNodeStatistics *statistics = NULL;
    uint32_t count = 0;
    TRY(distributed_query_statistics(portal->query, portal->arena, &statistics, &count));
    plan_print(plan, statistics, count, portal->bound->is_verbose, text);
    byte_buffer_printf(text, "Leader received %lu rows; result %lu rows\n",
                       (unsigned long)distributed_query_leader_rows(portal->query),
                       (unsigned long)result_queue_row_count(portal->results));
    byte_buffer_printf(text, "Execution time: %.3f ms\n", (double)(end_us - start_us) / 1000.0);
    return STATUS_OK;
}

Status explain_run(Session *session, Portal *portal, PlannerContext *planner,
                   const Snapshot *snapshot)
{
    const BoundStatement *inner = portal->bound->inner;
    ByteBuffer text;
    byte_buffer_init(&text, EXPLAIN_BYTES_MAX);
    Status status = STATUS_OK;
    static const PlanResultColumn rows = {.name = "rows", .type = {.id = TYPE_BIGINT}};
    if (inner->root == NULL) {
        status =
            status_error(SQLSTATE_FEATURE_NOT_SUPPORTED, "EXPLAIN of a statement without a plan");
    } else if (portal->bound->is_analyze) {
        status = analyze(session, portal, planner, snapshot, &text);
    } else {
        Plan *plan = NULL;
        bool has_rows = inner->kind == BOUND_QUERY;
        status = plan_query(planner, inner->root, has_rows ? inner->results : &rows,
                            has_rows ? inner->result_count : 1, &plan);
        if (status == STATUS_OK) {
            plan_print(plan, NULL, 0, portal->bound->is_verbose, &text);
        }
    }
    if (status == STATUS_OK) {
        status = byte_buffer_status(&text);
    }
    if (status == STATUS_OK) {
        status = send_lines(session, portal, &text);
    }
    byte_buffer_deinit(&text);
    snprintf(session->last_tag, sizeof(session->last_tag), "EXPLAIN");
    return status;
}
