/*
 * analyze_compression.c — ANALYZE COMPRESSION: nodes encode some of their rows by each word of
 * ENCODE; the word of the fewest bytes is shown for each column, with what it would save.
 */
#include <stdio.h>
#include <string.h>

#include "leader/session_internal.h"
#include "planner/plan/encode_word.h"

#define COMPROWS_DEFAULT 100000u
#define NODE_ROWS_MIN 1000u

/* Bytes of each column by each word, of all nodes. */
typedef struct Measurement {
    const CatalogTable *table;
    uint64_t (*bytes)[ENCODE_WORD_COUNT]; /* per column of the table */
    Status status;
} Measurement;

typedef struct Advice {
    Value *cells; /* BOUND_COMPRESSION_COLUMNS per row */
    uint32_t row_count, capacity;
} Advice;

static void add_column(Measurement *measurement, uint32_t column_id, ByteReader *reader)
{
    for (uint32_t word = 0; word < ENCODE_WORD_COUNT; word++) {
        const uint64_t bytes = byte_reader_u64(reader);
        for (uint32_t i = 0; i < measurement->table->column_count; i++) {
            if (measurement->table->columns[i].column_id == column_id) {
                measurement->bytes[i][word] += bytes;
            }
        }
    }
}

static void add_measured(void *object, const uint8_t *data, size_t bytes)
{
    Measurement *measurement = object;
    ByteReader reader, columns;
    byte_reader_init(&reader, data, bytes);
    const uint32_t writes = byte_reader_count(&reader, 17);
    for (uint32_t i = 0; i < writes && byte_reader_is_ok(&reader); i++) {
        size_t blob_bytes = 0;
        (void)byte_reader_u64(&reader); // the table: there is one
        (void)byte_reader_u64(&reader); // its rows
        const uint8_t *blob = byte_reader_blob(&reader, &blob_bytes);
        byte_reader_init(&columns, blob, blob_bytes);
        while (byte_reader_is_ok(&columns) && byte_reader_remaining(&columns) > 0) {
            const uint32_t column_id = byte_reader_u32(&columns);
            add_column(measurement, column_id, &columns);
        }
    }
    if (!byte_reader_is_ok(&reader) && measurement->status == STATUS_OK) {
        measurement->status =
            status_error(SQLSTATE_PROTOCOL_VIOLATION, "malformed figures from a node");
    }
}

/* The word of the fewest bytes. The one in force stays when no other takes less; "auto" comes last
 * and gives way to a word that takes no more. Words of ours alone are not proposed. */
static EncodeWord best_word(const uint64_t *bytes, EncodeWord current)
{
    EncodeWord best = current;
    for (uint32_t word = ENCODE_WORD_AUTO + 1; word < ENCODE_WORD_COUNT; word++) {
        if (word == ENCODE_WORD_LZ4 || word == ENCODE_WORD_NONE || bytes[word] == 0) {
            continue;
        }
        if (bytes[word] < bytes[best] || (best == ENCODE_WORD_AUTO && bytes[word] == bytes[best])) {
            best = (EncodeWord)word;
        }
    }
    const uint64_t free_choice = bytes[ENCODE_WORD_AUTO];
    return free_choice != 0 && free_choice < bytes[best] ? ENCODE_WORD_AUTO : best;
}

static bool is_sort_key(const CatalogTable *table, uint32_t column)
{
    bool is_key = false;
    for (uint32_t i = 0; i < table->sort_key_count; i++) {
        is_key = is_key || table->sort_keys[i] == column;
    }
    return is_key;
}

static Value text_value(Arena *arena, const char *text)
{
    const char *copy = arena_strdup(arena, text);
    Value value = {.type = type_of(TYPE_VARCHAR)};
    value.text = text_view_make(copy, strlen(copy));
    return value;
}

/* Sort keys keep their word: a scan that skips blocks by them should find them as they are. */
static void advise(Arena *arena, const Measurement *measurement, uint32_t column, Value *cells)
{
    const CatalogTable *table = measurement->table;
    const uint64_t *bytes = measurement->bytes[column];
    const EncodeWord current = encode_word_find(table->columns[column].encoding_text);
    const EncodeWord best = is_sort_key(table, column) ? current : best_word(bytes, current);
    const double saved = bytes[current] == 0 ? 0 : 1 - (double)bytes[best] / (double)bytes[current];
    cells[0] = text_value(arena, table->name);
    cells[1] = text_value(arena, table->columns[column].name);
    cells[2] = text_value(arena, encode_word_name(best));
    cells[3] = value_int64(type_decimal(5, 2), (int64_t)(saved * 10000 + 0.5));
}

static bool is_wanted(const BoundCompression *bound, uint32_t column)
{
    bool is_named = bound->column_count == 0;
    for (uint32_t i = 0; i < bound->column_count; i++) {
        is_named = is_named || bound->columns[i] == column;
    }
    return is_named;
}

static Status measure_table(Session *session, Portal *portal, PlannerContext *planner,
                            const Snapshot *snapshot, Measurement *measurement)
{
    const uint64_t wanted = portal->bound->compression->row_count;
    const uint64_t rows = (wanted == 0 ? COMPROWS_DEFAULT : wanted) / planner->node_count;
    LogicalNode *root = logical_compression(planner, measurement->table,
                                            rows < NODE_ROWS_MIN ? NODE_ROWS_MIN : rows);
    TRY(statement_start_query(session, portal, planner, snapshot, root, 1,
                              &(PlanResultColumn){.name = "rows", .type = type_of(TYPE_BIGINT)},
                              NULL, false, false, NULL));
    TRY(statement_wait(session, portal->query));
    distributed_query_visit_writes(portal->query, add_measured, measurement);
    portal_end_query(session, portal);
    return measurement->status;
}

static Status advise_table(Session *session, Portal *portal, PlannerContext *planner,
                           const Snapshot *snapshot, const CatalogTable *table, Advice *advice)
{
    Arena *arena = portal->arena;
    Measurement measurement = {.table = table};
    measurement.bytes = arena_array(arena, table->column_count, sizeof *measurement.bytes);
    memset(measurement.bytes, 0, table->column_count * sizeof *measurement.bytes);
    TRY(measure_table(session, portal, planner, snapshot, &measurement));
    const uint32_t rows = advice->row_count + table->column_count;
    if (rows > advice->capacity) {
        Value *cells = ARENA_ARRAY(arena, Value, (size_t)rows * 2 * BOUND_COMPRESSION_COLUMNS);
        if (advice->row_count > 0) {
            memcpy(cells, advice->cells,
                   advice->row_count * BOUND_COMPRESSION_COLUMNS * sizeof *cells);
        }
        advice->cells = cells;
        advice->capacity = rows * 2;
    }
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (is_wanted(portal->bound->compression, i)) {
            advise(arena, &measurement, i,
                   advice->cells + (size_t)advice->row_count * BOUND_COMPRESSION_COLUMNS);
            advice->row_count++;
        }
    }
    return STATUS_OK;
}

Status analyze_compression_run(Session *session, Portal *portal, PlannerContext *planner,
                               const Snapshot *snapshot)
{
    const BoundStatement *bound = portal->bound;
    Advice advice = {0};
    snprintf(session->last_tag, sizeof(session->last_tag), "ANALYZE COMPRESSION");
    if (bound->target != NULL) {
        TRY(advise_table(session, portal, planner, snapshot, bound->target, &advice));
    }
    for (uint32_t i = 0; bound->target == NULL && i < catalog_version_table_count(portal->catalog);
         i++) {
        const CatalogTable *table = &catalog_version_table_at(portal->catalog, i)->table;
        if (analyze_is_meant(session, table)) {
            TRY(advise_table(session, portal, planner, snapshot, table, &advice));
        }
    }
    portal->is_ended = true;
    return statement_send_values(session, portal, bound->results, bound->result_count, advice.cells,
                                 advice.row_count);
}
