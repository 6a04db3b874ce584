/* Suite of leader/catalog/catalog.c and table_entry.c: versions, lookups, changes, bytes. */
#include "tests/unit/leader/leader_fixture.h"

static CatalogVersion *version;

static void start(void)
{
    set_up();
    version = catalog_version_create_empty();
}

static void stop(void)
{
    catalog_version_unpin(version);
    tear_down();
}

/* Applies one change to `version`, which becomes the next one when it applies. */
static Status apply(CatalogChange *change)
{
    CatalogChangeList list = {0};
    CatalogVersion *next = NULL;
    catalog_change_add(&list, change);
    TRY(catalog_version_apply(version, &list, &next));
    catalog_version_unpin(version);
    version = next;
    return STATUS_OK;
}

START_TEST(a_new_cluster_has_one_schema)
{
    ck_assert(catalog_version_has_schema(version, "public"));
    ck_assert_uint_eq(catalog_version_schema_count(version), 1);
    ck_assert_uint_eq(catalog_version_table_count(version), 0);
    ck_assert_ptr_null(catalog_version_table(version, "public", "t"));
}
END_TEST

START_TEST(finds_tables_by_name_and_id_in_order)
{
    char name[16];
    for (uint32_t i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "t%02u", i * 37 % 50);
        ck_assert_ok(apply(create_change(arena_strdup(arena, name), 1000 + i)));
    }
    ck_assert_uint_eq(catalog_version_table_count(version), 50);
    for (uint32_t i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "t%02u", i);
        ck_assert_str_eq(catalog_version_table_at(version, i)->table.name, name);
        TableEntry *entry = catalog_version_table(version, "public", name);
        ck_assert_ptr_eq(entry, catalog_version_table_by_id(version, entry->table.table_id));
    }
    ck_assert_ptr_null(catalog_version_table(version, "other", "t00"));
    ck_assert_ptr_null(catalog_version_table_by_id(version, 999));
}
END_TEST

START_TEST(versions_do_not_change)
{
    ck_assert_ok(apply(create_change("t", 1000)));
    CatalogVersion *old = catalog_version_pin(version);
    ck_assert_ok(apply(drop_change("t", 1000)));
    ck_assert_ok(apply(create_change("u", 1001)));
    ck_assert_ptr_nonnull(catalog_version_table(old, "public", "t"));
    ck_assert_ptr_null(catalog_version_table(old, "public", "u"));
    ck_assert_ptr_null(catalog_version_table(version, "public", "t"));
    catalog_version_unpin(old);
}
END_TEST

START_TEST(refuses_what_does_not_apply)
{
    ck_assert_ok(apply(create_change("t", 1000)));
    ck_assert_state(apply(create_change("t", 1001)), SQLSTATE_DUPLICATE_TABLE);
    ck_assert_state(apply(drop_change("u", 1000)), SQLSTATE_UNDEFINED_TABLE);
    ck_assert_state(apply(view_change("t", 1001, "select 2")), SQLSTATE_WRONG_OBJECT_TYPE);
    ck_assert_state(apply(schema_change(CATALOG_CREATE_SCHEMA, "public")),
                    SQLSTATE_DUPLICATE_SCHEMA);
    ck_assert_state(apply(schema_change(CATALOG_DROP_SCHEMA, "s")), SQLSTATE_INVALID_SCHEMA_NAME);
    ck_assert_state(apply(schema_change(CATALOG_DROP_SCHEMA, "public")),
                    SQLSTATE_DEPENDENT_OBJECTS_STILL_EXIST);
    CatalogChange *elsewhere = create_change("t", 1001);
    elsewhere->table->schema_name = "s";
    ck_assert_state(apply(elsewhere), SQLSTATE_INVALID_SCHEMA_NAME);
    CatalogChange *nobody = make_change(CATALOG_DROP_USER);
    nobody->name = "nobody";
    ck_assert_state(apply(nobody), SQLSTATE_UNDEFINED_OBJECT);
    CatalogChange *cleared = make_change(CATALOG_CLEAR_STATISTICS);
    cleared->table_id = 5;
    ck_assert_state(apply(cleared), SQLSTATE_UNDEFINED_TABLE);
    ck_assert_uint_eq(catalog_version_table_count(version), 1);
}
END_TEST

START_TEST(a_list_applies_whole_or_not_at_all)
{
    CatalogChangeList list = {0};
    CatalogVersion *next = NULL;
    catalog_change_add(&list, schema_change(CATALOG_CREATE_SCHEMA, "s"));
    catalog_change_add(&list, create_change("t", 1000));
    catalog_change_add(&list, drop_change("t", 1000));
    catalog_change_add(&list, create_change("t", 1001));
    ck_assert_ok(catalog_version_apply(version, &list, &next));
    ck_assert_uint_eq(catalog_version_table(next, "public", "t")->table.table_id, 1001);
    ck_assert(catalog_version_has_schema(next, "s"));
    catalog_version_unpin(next);
    catalog_change_add(&list, drop_change("u", 1002));
    ck_assert_state(catalog_version_apply(version, &list, &next), SQLSTATE_UNDEFINED_TABLE);
    ck_assert(!catalog_version_has_schema(version, "s"));
}
END_TEST

START_TEST(drops_the_table_that_was_seen)
{
    ck_assert_ok(apply(create_change("t", 1000)));
    CatalogChange *late = drop_change("t", 1000);
    ck_assert_ok(apply(drop_change("t", 1000)));
    ck_assert_ok(apply(create_change("t", 1001)));
    ck_assert_state(apply(late), SQLSTATE_SERIALIZATION_FAILURE);
    ck_assert_ptr_nonnull(catalog_version_table(version, "public", "t"));
}
END_TEST

START_TEST(a_replaced_view_keeps_its_id)
{
    ck_assert_ok(apply(view_change("v", 1000, "select 1")));
    ck_assert_ok(apply(view_change("v", 1001, "select 2")));
    const CatalogTable *view = &catalog_version_table(version, "public", "v")->table;
    ck_assert_uint_eq(view->table_id, 1000);
    ck_assert_str_eq(view->view_text, "select 2");
    ck_assert_uint_eq(catalog_version_table_count(version), 1);
}
END_TEST

START_TEST(users_come_change_and_go)
{
    ck_assert_ok(apply(user_change("ann", "one")));
    ck_assert_ok(apply(user_change("bob", "two")));
    ck_assert_ok(apply(user_change("ann", "three")));
    ck_assert_str_eq(catalog_version_user(version, "ann")->verifier, "three");
    ck_assert_uint_eq(catalog_version_user_count(version), 2);
    CatalogChange *drop = make_change(CATALOG_DROP_USER);
    drop->name = "ann";
    ck_assert_ok(apply(drop));
    ck_assert_ptr_null(catalog_version_user(version, "ann"));
    ck_assert_ptr_nonnull(catalog_version_user(version, "bob"));
}
END_TEST

START_TEST(definitions_survive_as_bytes)
{
    ByteBuffer bytes;
    TableEntry *copy = NULL;
    byte_buffer_init(&bytes, 1 << 20);
    ck_assert_ok(apply(create_change("t", 1000)));
    const TableEntry *entry = catalog_version_table(version, "public", "t");
    table_entry_encode(entry, &bytes);
    ck_assert_ok(table_entry_decode(bytes.data, bytes.bytes, &copy));
    const CatalogTable *a = &entry->table, *b = &copy->table;
    ck_assert_str_eq(a->name, b->name);
    ck_assert_uint_eq(a->table_id, b->table_id);
    ck_assert_uint_eq(a->column_count, b->column_count);
    ck_assert_int_eq(a->distribution_column, b->distribution_column);
    ck_assert_uint_eq(b->sort_keys[0], 1);
    ck_assert_str_eq(b->columns[1].default_text, "'none'");
    ck_assert_str_eq(copy->owner, "admin");
    ck_assert(b->columns[0].is_not_null && !b->columns[1].is_not_null);
    table_entry_unpin(copy);
    for (size_t cut = 0; cut < bytes.bytes; cut++) { // damaged bytes are refused, at worst read
        copy = NULL;
        Status status = table_entry_decode(bytes.data, cut, &copy);
        ck_assert_msg(status != STATUS_OK, "%zu of %zu bytes", cut, bytes.bytes);
        status_free(status);
    }
    for (size_t bit = 0; bit < bytes.bytes * 8; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        copy = NULL;
        Status status = table_entry_decode(bytes.data, bytes.bytes, &copy);
        if (status == STATUS_OK) {
            table_entry_unpin(copy);
        }
        status_ignore(status, "another definition, or none");
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    byte_buffer_deinit(&bytes);
}
END_TEST

/* ---- ALTER TABLE, statistics ---- */

/* What a writer of `rows` rows tells: the column of each id has the values 1 … rows. */
static CatalogChange *statistics_change(uint64_t table_id, const CatalogTable *table, int32_t rows)
{
    ByteBuffer bytes;
    byte_buffer_init(&bytes, 1 << 20);
    Type *types = ARENA_ARRAY(arena, Type, table->column_count);
    byte_buffer_add_varint(&bytes, table->column_count);
    for (uint32_t i = 0; i < table->column_count; i++) {
        ColumnSketch sketch;
        types[i] = table->columns[i].type;
        column_sketch_init(&sketch, types[i]);
        sketch.row_count = (uint64_t)rows;
        for (int64_t k = 1; !type_is_text(types[i]) && k <= rows; k++) {
            column_sketch_add_int64(&sketch, &k, 1);
        }
        byte_buffer_add_u32(&bytes, table->columns[i].column_id);
        column_sketch_encode(&sketch, &bytes);
    }
    RowSample *sample = row_sample_create(types, table->column_count, 10, 1);
    row_sample_encode(sample, &bytes);
    row_sample_destroy(sample);
    CatalogChange *change = make_change(CATALOG_ADD_STATISTICS);
    change->table_id = table_id;
    change->statistics_bytes = bytes.bytes;
    change->statistics = arena_memdup(arena, bytes.data, bytes.bytes);
    byte_buffer_deinit(&bytes);
    return change;
}

/* The table with one column more, which reads `missing`; named `name`. */
static CatalogChange *alter_change(const CatalogTable *old, const char *name, int64_t missing)
{
    CatalogTable *table = arena_memdup(arena, old, sizeof *old);
    table->columns = ARENA_ARRAY(arena, CatalogColumn, old->column_count + 1);
    memcpy(table->columns, old->columns, old->column_count * sizeof *old->columns);
    table->columns[table->column_count++] =
        (CatalogColumn){.column_id = table->next_column_id++,
                        .name = "added",
                        .type = type_of(TYPE_INTEGER),
                        .missing_value = value_int64(type_of(TYPE_INTEGER), missing)};
    table->name = name;
    table->generation++;
    CatalogChange *change = make_change(CATALOG_ALTER_TABLE);
    change->table = table;
    return change;
}

static const CatalogTable *find(const char *name)
{
    TableEntry *entry = catalog_version_table(version, "public", name);
    return entry == NULL ? NULL : &entry->table;
}

START_TEST(alters_one_generation_after_another)
{
    ck_assert_ok(apply(create_change("t", 1000)));
    ck_assert_ok(apply(create_change("z", 1001)));
    const CatalogTable first = *find("t");
    CatalogChange *late = alter_change(&first, "t", 8), *taken = alter_change(&first, "z", 8);
    ck_assert_state(apply(taken), SQLSTATE_DUPLICATE_TABLE);
    ck_assert_ok(apply(alter_change(&first, "zz", 7)));
    ck_assert_ptr_null(find("t"));
    ck_assert_uint_eq(find("zz")->table_id, 1000);
    ck_assert_uint_eq(find("zz")->generation, 1);
    ck_assert_str_eq(catalog_version_table_at(version, 1)->table.name, "zz"); // by name
    ck_assert_state(apply(late), SQLSTATE_SERIALIZATION_FAILURE);
    ck_assert_ok(apply(drop_change("zz", 1000)));
    ck_assert_state(apply(late), SQLSTATE_UNDEFINED_TABLE);
}
END_TEST

START_TEST(statistics_follow_the_columns)
{
    ck_assert_ok(apply(create_change("t", 1000)));
    const CatalogTable old = *find("t");
    CatalogChange *of_old = statistics_change(1000, &old, 100);
    ck_assert_ok(apply(of_old));
    ck_assert(find("t")->row_count == 100);
    ck_assert_ok(apply(alter_change(find("t"), "t", 7)));
    const CatalogTable *table = find("t");
    const ColumnStatistics *added = &table->statistics[table->column_count - 1];
    ck_assert(table->row_count == 100);
    ck_assert(added->null_fraction == 0 && added->has_bounds);
    ck_assert_int_eq(added->min.i64, 7);
    ck_assert_int_eq(added->max.i64, 7);
    ck_assert_ok(apply(of_old)); // of a writer that began before the ALTER
    ck_assert(find("t")->row_count == 200);
    CatalogChange *drop = alter_change(find("t"), "t", 0);
    drop->table->columns += 1; // the first column goes, another comes
    drop->table->column_count -= 1;
    drop->table->distribution_column = -1;
    drop->table->sort_key_count = 0;
    ck_assert_ok(apply(drop));
    ck_assert(find("t")->row_count == 200);
    ck_assert(find("t")->statistics[0].is_known);
    ck_assert_ok(apply(of_old));
    ck_assert(find("t")->row_count == 300);
}
END_TEST

START_TEST(row_counts_go_down)
{
    ck_assert_ok(apply(create_change("t", 1000)));
    ck_assert_ok(apply(statistics_change(1000, find("t"), 100)));
    CatalogChange *deletion = make_change(CATALOG_REMOVE_ROWS);
    deletion->table_id = 1000;
    deletion->row_count = 30;
    ck_assert_ok(apply(deletion));
    ck_assert(find("t")->row_count == 70 && find("t")->statistics[0].is_known);
    CatalogChange *renewal = make_change(CATALOG_RENEW_STATISTICS);
    renewal->table_id = 1000;
    renewal->row_count = 60; // ten came while the others were read
    ck_assert_ok(apply(renewal));
    ck_assert(find("t")->row_count == 10 && !find("t")->statistics[0].is_known);
    ck_assert_ok(apply(deletion));
    ck_assert(find("t")->row_count == 0);
    CatalogChange *advance = make_change(CATALOG_ADVANCE_IDENTITY);
    advance->table_id = 1000;
    advance->row_count = 12;
    ck_assert_ok(apply(advance));
    advance->row_count = 5;
    ck_assert_ok(apply(advance));
    ck_assert_uint_eq(find("t")->identity_next, 12);
}
END_TEST

static uint32_t count_former(const TableEntry *entry)
{
    uint32_t count = 0;
    for (; entry->previous != NULL; entry = entry->previous) {
        count++;
    }
    return count;
}

/* Table 1000 + i is seen by snapshots from 10 * i on; the oldest in use is `lag` replacements old.
 */
START_TEST(keeps_the_former_tables_that_snapshots_see)
{
    const uint32_t lag = (uint32_t)_i;
    ck_assert_ok(apply(create_change("t", 1000)));
    for (uint32_t i = 1; i <= 30; i++) {
        CatalogChange *change = make_change(CATALOG_REPLACE_TABLE);
        CatalogTable *table = ARENA_NEW(arena, CatalogTable);
        *table = catalog_version_table(version, "public", "t")->table;
        change->table_id = table->table_id;
        table->table_id = 1000 + i;
        table->generation++;
        change->table = table;
        change->position = 10 * i;
        change->horizon = i <= lag ? 0 : 10 * (i - lag) - 1;
        ck_assert_ok(apply(change));
        TableEntry *entry = catalog_version_table(version, "public", "t");
        for (uint64_t position = change->horizon; position < 10 * i + 10; position++) {
            ck_assert_uint_eq(table_entry_at(entry, position)->table.table_id,
                              1000 + position / 10);
        }
        ck_assert_uint_le(count_former(entry), lag + 1);
    }
}
END_TEST

START_TEST(an_analysis_needs_no_table)
{
    CatalogChange *renewed = make_change(CATALOG_RENEW_STATISTICS);
    renewed->table_id = 5;
    ck_assert_state(apply(renewed), SQLSTATE_UNDEFINED_TABLE);
    renewed->is_analysis = true;
    ck_assert_ok(apply(renewed));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("catalog");
    TCase *tests = tcase_create("versions");
    tcase_add_checked_fixture(tests, start, stop);
    tcase_add_test(tests, a_new_cluster_has_one_schema);
    tcase_add_test(tests, finds_tables_by_name_and_id_in_order);
    tcase_add_test(tests, versions_do_not_change);
    tcase_add_test(tests, refuses_what_does_not_apply);
    tcase_add_test(tests, a_list_applies_whole_or_not_at_all);
    tcase_add_test(tests, drops_the_table_that_was_seen);
    tcase_add_test(tests, a_replaced_view_keeps_its_id);
    tcase_add_test(tests, users_come_change_and_go);
    tcase_add_test(tests, definitions_survive_as_bytes);
    tcase_add_test(tests, alters_one_generation_after_another);
    tcase_add_test(tests, statistics_follow_the_columns);
    tcase_add_test(tests, row_counts_go_down);
    tcase_add_loop_test(tests, keeps_the_former_tables_that_snapshots_see, 1, 5);
    tcase_add_test(tests, an_analysis_needs_no_table);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
