/* table_entry.c — one table of the catalog: copies, bytes, statistics merged and derived. */
#include <stdlib.h>
#include <string.h>

#include "leader/catalog/catalog_version.h"
#include "planner/plan/plan_codec.h"

/* 1: nothing altered, no identities; 2: compound sort keys only; 3: none chosen by itself */
#define DEFINITION_VERSION 4u
#define STATISTICS_VERSION 1u
#define COLUMNS_MAX 1600u

TableEntry *table_entry_pin(TableEntry *entry)
{
    __atomic_add_fetch(&entry->reference_count, 1, __ATOMIC_RELAXED);
    return entry;
}

void table_entry_unpin(TableEntry *entry)
{
    if (entry == NULL || __atomic_sub_fetch(&entry->reference_count, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    TableEntry *previous = entry->previous;
    row_sample_destroy(entry->sample);
    arena_destroy(entry->arena);
    table_entry_unpin(previous);
}

TableEntry *table_entry_at(TableEntry *entry, uint64_t position)
{
    while (entry->previous != NULL && position < entry->replaced_at) {
        entry = entry->previous;
    }
    return entry;
}

void table_entry_follow(TableEntry *entry, TableEntry *previous, uint64_t position)
{
    entry->previous = previous == NULL ? NULL : table_entry_pin(previous);
    entry->replaced_at = position;
}

static const char *copy_text(Arena *arena, const char *text)
{
    return text == NULL ? NULL : arena_strdup(arena, text);
}

/* Copies the definition; statistics and sample stay empty. */
static void copy_definition(TableEntry *entry, const CatalogTable *table)
{
    Arena *arena = entry->arena;
    CatalogTable *copy = &entry->table;
    *copy = *table;
    copy->schema_name = arena_strdup(arena, table->schema_name);
    copy->name = arena_strdup(arena, table->name);
    copy->view_text = copy_text(arena, table->view_text);
    copy->columns = ARENA_ARRAY(arena, CatalogColumn, table->column_count + 1);
    for (uint32_t i = 0; i < table->column_count; i++) {
        copy->columns[i] = table->columns[i];
        copy->columns[i].name = arena_strdup(arena, table->columns[i].name);
        copy->columns[i].default_text = copy_text(arena, table->columns[i].default_text);
        copy->columns[i].encoding_text = copy_text(arena, table->columns[i].encoding_text);
        copy->columns[i].source_name = copy_text(arena, table->columns[i].source_name);
        copy->columns[i].missing_value = value_copy(arena, &table->columns[i].missing_value);
    }
    copy->sort_keys = ARENA_ARRAY(arena, uint32_t, table->sort_key_count + 1);
    for (uint32_t i = 0; i < table->sort_key_count; i++) {
        copy->sort_keys[i] = table->sort_keys[i];
    }
    copy->statistics = NULL;
    copy->sample = NULL;
    copy->sample_batch_count = 0;
}

static TableEntry *entry_create(const char *owner)
{
    Arena *arena = arena_create(NULL, "table entry");
    TableEntry *entry = ARENA_NEW(arena, TableEntry);
    entry->reference_count = 1;
    entry->arena = arena;
    entry->owner = arena_strdup(arena, owner);
    return entry;
}

static void init_sketches(TableEntry *entry)
{
    if (entry->table.kind != CATALOG_TABLE) {
        return;
    }
    entry->sketches = ARENA_ARRAY(entry->arena, ColumnSketch, entry->table.column_count + 1);
    for (uint32_t i = 0; i < entry->table.column_count; i++) {
        column_sketch_init(&entry->sketches[i], entry->table.columns[i].type);
    }
}

TableEntry *table_entry_create(const CatalogTable *table, const char *owner)
{
    TableEntry *entry = entry_create(owner);
    copy_definition(entry, table);
    init_sketches(entry);
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].column_id >= entry->table.next_column_id) {
            entry->table.next_column_id = table->columns[i].column_id + 1;
        }
    }
    status_ignore(table_entry_derive(entry), "an empty table has no sample to derive from");
    return entry;
}

static const Type *column_types(TableEntry *entry)
{
    Type *types = ARENA_ARRAY(entry->arena, Type, entry->table.column_count + 1);
    for (uint32_t i = 0; i < entry->table.column_count; i++) {
        types[i] = entry->table.columns[i].type;
    }
    return types;
}

Status table_entry_derive(TableEntry *entry)
{
    CatalogTable *table = &entry->table;
    if (table->kind != CATALOG_TABLE) {
        return STATUS_OK;
    }
    table->row_count = (double)entry->row_count;
    table->statistics = ARENA_ARRAY(entry->arena, ColumnStatistics, table->column_count + 1);
    for (uint32_t i = 0; i < table->column_count; i++) {
        const ColumnSketch *sketch = &entry->sketches[i];
        double rows = (double)sketch->row_count;
        table->statistics[i] = (ColumnStatistics){
            .is_known = sketch->row_count > 0,
            .distinct_count = column_sketch_distinct(sketch),
            .null_fraction = rows > 0 ? (double)sketch->null_count / rows : 0,
            .has_bounds = sketch->has_bounds,
            .min = sketch->min,
            .max = sketch->max,
            .average_bytes = rows > 0 ? (double)sketch->text_bytes / rows : 0,
        };
    }
    if (entry->sample != NULL) {
        Batch *batches = NULL;
        TRY(row_sample_batches(entry->sample, entry->arena, &batches, &table->sample_batch_count));
        table->sample = batches;
    }
    return STATUS_OK;
}

/* Statistics of a writer: per column its id and sketch, then the sample. */
static Status merge_statistics(TableEntry *entry, const uint8_t *data, size_t bytes)
{
    ByteReader reader;
    byte_reader_init(&reader, data, bytes);
    uint32_t column_count = byte_reader_count(&reader, 4);
    if (!byte_reader_is_ok(&reader) || column_count == 0 || column_count > COLUMNS_MAX) {
        return status_error(SQLSTATE_DATA_CORRUPTED, "malformed statistics of \"%s\"",
                            entry->table.name);
    }
    uint32_t *ids = ARENA_ARRAY(entry->arena, uint32_t, column_count);
    ColumnSketch *sketches = ARENA_ARRAY(entry->arena, ColumnSketch, column_count);
    Type *types = ARENA_ARRAY(entry->arena, Type, column_count);
    for (uint32_t i = 0; i < column_count; i++) {
        ids[i] = byte_reader_u32(&reader);
        TRY(column_sketch_decode(&reader, &sketches[i]));
        types[i] = sketches[i].type;
    }
    RowSample *sample = NULL;
    TRY(row_sample_decode(&reader, types, column_count, &sample));
    ColumnParts parts = {.count = column_count,
                         .column_ids = ids,
                         .sketches = sketches,
                         .row_count = sketches[0].row_count,
                         .sample = sample};
    Status status = table_entry_merge(entry, &parts);
    row_sample_destroy(sample);
    return status;
}

Status table_entry_with_statistics(const TableEntry *entry, bool keeps_old,
                                   const uint8_t *statistics, size_t bytes, TableEntry **out)
{
    TableEntry *copy = entry_create(entry->owner);
    copy_definition(copy, &entry->table);
    init_sketches(copy);
    table_entry_follow(copy, entry->previous, entry->replaced_at);
    Status status = STATUS_OK;
    if (keeps_old) {
        copy->row_count = entry->row_count;
        memcpy(copy->sketches, entry->sketches,
               entry->table.column_count * sizeof(*copy->sketches));
        for (uint32_t i = 0; i < entry->table.column_count; i++) {
            column_sketch_init(&copy->sketches[i], entry->table.columns[i].type);
            column_sketch_merge(&copy->sketches[i], &entry->sketches[i]); // text bounds move along
        }
        if (entry->sample != NULL) {
            copy->sample = row_sample_create(column_types(copy), copy->table.column_count,
                                             SAMPLE_ROWS_MAX, copy->table.table_id);
            status = copy->sample != NULL
                         ? row_sample_merge(copy->sample, entry->sample)
                         : status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a sample of rows");
        }
    }
    if (status == STATUS_OK && statistics != NULL) {
        status = merge_statistics(copy, statistics, bytes);
    }
    if (status == STATUS_OK) {
        status = table_entry_derive(copy);
    }
    if (status != STATUS_OK) {
        table_entry_unpin(copy);
        return status;
    }
    *out = copy;
    return STATUS_OK;
}

// Entries are shared and do not change, so that those in front of one that is let go are copied.
Status table_entry_from_horizon(TableEntry *entry, uint64_t horizon, TableEntry **out)
{
    TableEntry *previous = NULL, *copy = NULL;
    if (entry->previous != NULL && entry->replaced_at > horizon) {
        TRY(table_entry_from_horizon(entry->previous, horizon, &previous));
    }
    if (previous == entry->previous) {
        table_entry_unpin(previous);
        *out = table_entry_pin(entry);
        return STATUS_OK;
    }
    Status status = table_entry_with_statistics(entry, true, NULL, 0, &copy);
    if (status == STATUS_OK) {
        table_entry_unpin(copy->previous);
        table_entry_follow(copy, previous, entry->replaced_at);
        *out = copy;
    }
    table_entry_unpin(previous);
    return status;
}

// Sketches and the sample may stay as they are: they tell shares of rows, and nobody can take
// values out of them.
Status table_entry_without_rows(const TableEntry *entry, uint64_t row_count, bool keeps_sketches,
                                TableEntry **out)
{
    TableEntry *copy = NULL;
    TRY(table_entry_with_statistics(entry, keeps_sketches, NULL, 0, &copy));
    copy->row_count = entry->row_count > row_count ? entry->row_count - row_count : 0;
    copy->table.row_count = (double)copy->row_count;
    *out = copy;
    return STATUS_OK;
}

/* ---- bytes ---- */

static void encode_optional(ByteBuffer *target, const char *text)
{
    byte_buffer_add_u8(target, text != NULL);
    if (text != NULL) {
        byte_buffer_add_string(target, text);
    }
}

static const char *decode_optional(ByteReader *reader, Arena *arena)
{
    return byte_reader_u8(reader) != 0 ? byte_reader_string(reader, arena) : NULL;
}

void table_entry_encode(const TableEntry *entry, ByteBuffer *target)
{
    const CatalogTable *table = &entry->table;
    byte_buffer_add_u32(target, DEFINITION_VERSION);
    byte_buffer_add_u64(target, table->table_id);
    byte_buffer_add_string(target, table->schema_name);
    byte_buffer_add_string(target, table->name);
    byte_buffer_add_string(target, entry->owner);
    byte_buffer_add_u8(target, (uint8_t)table->kind);
    byte_buffer_add_u8(target, (uint8_t)table->style);
    byte_buffer_add_u8(target, table->is_auto_style);
    byte_buffer_add_u32(target, (uint32_t)table->distribution_column);
    byte_buffer_add_u32(target, table->next_column_id);
    byte_buffer_add_u32(target, table->generation);
    byte_buffer_add_u64(target, table->identity_next);
    encode_optional(target, table->view_text);
    byte_buffer_add_varint(target, table->column_count);
    for (uint32_t i = 0; i < table->column_count; i++) {
        const CatalogColumn *column = &table->columns[i];
        byte_buffer_add_u32(target, column->column_id);
        byte_buffer_add_string(target, column->name);
        byte_buffer_add_u8(target, column->type.id);
        byte_buffer_add_u8(target, column->type.precision);
        byte_buffer_add_u8(target, column->type.scale);
        byte_buffer_add_u32(target, (uint32_t)column->type.length);
        byte_buffer_add_u8(target, column->is_not_null);
        encode_optional(target, column->default_text);
        encode_optional(target, column->encoding_text);
        byte_buffer_add_u32(target, column->attribute_number);
        Value none = value_null(column->type);
        bool is_known = column->missing_value.type.id != TYPE_UNKNOWN;
        value_encode(is_known ? &column->missing_value : &none, target);
        encode_optional(target, column->source_name);
        byte_buffer_add_u8(target, column->is_identity);
        byte_buffer_add_u8(target, column->is_identity_by_default);
        byte_buffer_add_u64(target, (uint64_t)column->identity_seed);
        byte_buffer_add_u64(target, (uint64_t)column->identity_step);
    }
    byte_buffer_add_varint(target, table->sort_key_count);
    for (uint32_t i = 0; i < table->sort_key_count; i++) {
        byte_buffer_add_u32(target, table->sort_keys[i]);
    }
    byte_buffer_add_u8(target, table->is_interleaved);
    byte_buffer_add_u8(target, table->is_auto_sorted);
}

/* What version 1 did not have. */
static void decode_rest(ByteReader *reader, Arena *arena, CatalogColumn *column)
{
    Status status = value_decode(reader, arena, &column->missing_value);
    if (status != STATUS_OK) {
        status_ignore(status, "the definition as a whole is malformed");
        byte_reader_fail(reader);
    }
    column->source_name = decode_optional(reader, arena);
    column->is_identity = byte_reader_u8(reader) != 0;
    column->is_identity_by_default = byte_reader_u8(reader) != 0;
    column->identity_seed = (int64_t)byte_reader_u64(reader);
    column->identity_step = (int64_t)byte_reader_u64(reader);
}

static void decode_columns(ByteReader *reader, TableEntry *entry, uint32_t version)
{
    CatalogTable *table = &entry->table;
    table->column_count = byte_reader_count(reader, 16);
    if (table->column_count > COLUMNS_MAX) {
        byte_reader_fail(reader);
        return;
    }
    table->columns = ARENA_ARRAY(entry->arena, CatalogColumn, table->column_count + 1);
    for (uint32_t i = 0; i < table->column_count; i++) {
        CatalogColumn *column = &table->columns[i];
        column->column_id = byte_reader_u32(reader);
        column->name = byte_reader_string(reader, entry->arena);
        column->type.id = byte_reader_u8(reader);
        column->type.precision = byte_reader_u8(reader);
        column->type.scale = byte_reader_u8(reader);
        column->type.length = (int32_t)byte_reader_u32(reader);
        column->is_not_null = byte_reader_u8(reader) != 0;
        column->default_text = decode_optional(reader, entry->arena);
        column->encoding_text = decode_optional(reader, entry->arena);
        column->attribute_number = byte_reader_u32(reader);
        if (version > 1) {
            decode_rest(reader, entry->arena, column);
        }
        if (column->type.id >= TYPE_COUNT) {
            byte_reader_fail(reader);
            return;
        }
    }
    table->sort_key_count = byte_reader_count(reader, 4);
    table->sort_keys = ARENA_ARRAY(entry->arena, uint32_t, table->sort_key_count + 1);
    for (uint32_t i = 0; i < table->sort_key_count; i++) {
        table->sort_keys[i] = byte_reader_u32(reader);
        if (table->sort_keys[i] >= table->column_count) {
            byte_reader_fail(reader);
        }
    }
    table->is_interleaved = version > 2 && byte_reader_u8(reader) != 0;
    table->is_auto_sorted = version > 3 && byte_reader_u8(reader) != 0;
}

Status table_entry_decode(const uint8_t *data, size_t bytes, TableEntry **out)
{
    ByteReader reader;
    byte_reader_init(&reader, data, bytes);
    uint32_t version = byte_reader_u32(&reader);
    TableEntry *entry = entry_create("");
    CatalogTable *table = &entry->table;
    table->table_id = byte_reader_u64(&reader);
    table->schema_name = byte_reader_string(&reader, entry->arena);
    table->name = byte_reader_string(&reader, entry->arena);
    entry->owner = byte_reader_string(&reader, entry->arena);
    table->kind = (CatalogTableKind)byte_reader_u8(&reader);
    table->style = (DistributionStyle)byte_reader_u8(&reader);
    table->is_auto_style = byte_reader_u8(&reader) != 0;
    table->distribution_column = (int32_t)byte_reader_u32(&reader);
    table->next_column_id = byte_reader_u32(&reader);
    table->generation = version > 1 ? byte_reader_u32(&reader) : 0;
    table->identity_next = version > 1 ? byte_reader_u64(&reader) : 0;
    table->view_text = decode_optional(&reader, entry->arena);
    decode_columns(&reader, entry, version);
    if (!byte_reader_is_ok(&reader) || byte_reader_remaining(&reader) != 0 ||
        version == 0 || version > DEFINITION_VERSION || table->kind > CATALOG_VIEW ||
        table->style > DISTRIBUTION_STYLE_ALL ||
        table->distribution_column >= (int32_t)table->column_count) {
        table_entry_unpin(entry);
        return status_error(SQLSTATE_DATA_CORRUPTED, "malformed table definition in the catalog");
    }
    init_sketches(entry);
    *out = entry;
    return STATUS_OK;
}

void table_entry_encode_statistics(const TableEntry *entry, ByteBuffer *target)
{
    byte_buffer_add_u32(target, STATISTICS_VERSION);
    byte_buffer_add_u64(target, entry->row_count);
    byte_buffer_add_varint(target, entry->table.column_count);
    for (uint32_t i = 0; i < entry->table.column_count; i++) {
        column_sketch_encode(&entry->sketches[i], target);
    }
    byte_buffer_add_u8(target, entry->sample != NULL);
    if (entry->sample != NULL) {
        row_sample_encode(entry->sample, target);
    }
}

Status table_entry_decode_statistics(TableEntry *entry, const uint8_t *data, size_t bytes)
{
    ByteReader reader;
    byte_reader_init(&reader, data, bytes);
    uint32_t version = byte_reader_u32(&reader);
    uint64_t row_count = byte_reader_u64(&reader);
    uint32_t column_count = byte_reader_count(&reader, 1);
    if (!byte_reader_is_ok(&reader) || version != STATISTICS_VERSION ||
        column_count != entry->table.column_count) {
        return status_error(SQLSTATE_DATA_CORRUPTED, "malformed statistics of table \"%s\"",
                            entry->table.name);
    }
    entry->row_count = row_count;
    for (uint32_t i = 0; i < column_count; i++) {
        TRY(column_sketch_decode(&reader, &entry->sketches[i]));
    }
    if (byte_reader_u8(&reader) != 0) {
        TRY(row_sample_decode(&reader, column_types(entry), column_count, &entry->sample));
    }
    return table_entry_derive(entry);
}
