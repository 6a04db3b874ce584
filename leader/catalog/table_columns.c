/*
 * table_columns.c — columns come and go: what is known of a table's rows follows them.
 *
 * Sketches and samples are told apart by column id: those of a writer that began before an ALTER
 * fit too. A column they lack has its missing value in every row.
 */
#include "leader/catalog/catalog_version.h"

/* The statistics of `rows` rows that were written before the column was added. */
static void sketch_missing(ColumnSketch *sketch, const CatalogColumn *column, uint64_t rows)
{
    const Value *value = &column->missing_value;
    bool is_null = value->type.id == TYPE_UNKNOWN || value->is_null;
    column_sketch_init(sketch, column->type);
    if (!is_null && rows > 0) {
        column_sketch_add_bounds(sketch, value, value);
        column_sketch_add_value(sketch, value);
        sketch->text_bytes = type_is_text(column->type) ? rows * value->text.length : 0;
    }
    sketch->row_count = rows;
    sketch->null_count = is_null ? rows : 0;
}

static int32_t find_part(const ColumnParts *parts, uint32_t column_id)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        if (parts->column_ids[i] == column_id) {
            return (int32_t)i;
        }
    }
    return -1;
}

static Status merge_sample(TableEntry *entry, const ColumnParts *parts)
{
    const CatalogTable *table = &entry->table;
    Type *types = ARENA_ARRAY(entry->arena, Type, table->column_count + 1);
    int32_t *sources = ARENA_ARRAY(entry->arena, int32_t, table->column_count + 1);
    Value *missing = ARENA_ARRAY(entry->arena, Value, table->column_count + 1);
    for (uint32_t i = 0; i < table->column_count; i++) {
        const CatalogColumn *column = &table->columns[i];
        types[i] = column->type;
        sources[i] = find_part(parts, column->column_id);
        missing[i] = column->missing_value.type.id == TYPE_UNKNOWN ? value_null(column->type)
                                                                   : column->missing_value;
    }
    RowSample *sample = NULL;
    TRY(row_sample_with_columns(parts->sample, types, table->column_count, sources, missing,
                                &sample));
    if (entry->sample == NULL) {
        entry->sample =
            row_sample_create(types, table->column_count, SAMPLE_ROWS_MAX, table->table_id);
    }
    Status status = entry->sample != NULL
                        ? row_sample_merge(entry->sample, sample)
                        : status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a sample of rows");
    row_sample_destroy(sample);
    return status;
}

Status table_entry_merge(TableEntry *entry, const ColumnParts *parts)
{
    for (uint32_t i = 0; i < entry->table.column_count; i++) {
        const CatalogColumn *column = &entry->table.columns[i];
        int32_t part = find_part(parts, column->column_id);
        ColumnSketch missing;
        if (part < 0) {
            sketch_missing(&missing, column, parts->row_count);
        }
        column_sketch_merge(&entry->sketches[i], part < 0 ? &missing : &parts->sketches[part]);
    }
    entry->row_count += parts->row_count;
    return parts->sample == NULL ? STATUS_OK : merge_sample(entry, parts);
}

Status table_entry_altered(const TableEntry *old, const CatalogTable *table, TableEntry **out)
{
    TableEntry *entry = table_entry_create(table, old->owner);
    table_entry_follow(entry, old->previous, old->replaced_at);
    Status status = STATUS_OK;
    if (table->kind == CATALOG_TABLE) {
        uint32_t *ids = ARENA_ARRAY(entry->arena, uint32_t, old->table.column_count + 1);
        for (uint32_t i = 0; i < old->table.column_count; i++) {
            ids[i] = old->table.columns[i].column_id;
        }
        ColumnParts parts = {.count = old->table.column_count,
                             .column_ids = ids,
                             .sketches = old->sketches,
                             .row_count = old->row_count,
                             .sample = old->sample};
        status = table_entry_merge(entry, &parts);
    }
    if (status == STATUS_OK) {
        status = table_entry_derive(entry);
    }
    if (status != STATUS_OK) {
        table_entry_unpin(entry);
        return status;
    }
    *out = entry;
    return STATUS_OK;
}
