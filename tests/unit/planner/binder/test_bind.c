/*
 * test_bind.c — names, types and trees: what statements become, and how they are refused.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/types/datetime.h"
#include "base/types/text_format.h"
#include "planner/parser/parse.h"
#include "protocol/copy/copy_options.h"
#include "tests/support/planner/fake_catalog.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static Arena *arena;
static FakeCatalog catalog;

static void must(Status status, const char *text)
{
    ck_assert_msg(status == STATUS_OK, "%s\n  %s %s at %d", text, status_sqlstate_code(status),
                  status_message(status), status_position(status));
}

static void setup(void)
{
    arena = arena_create(NULL, "test");
    fake_catalog_init(&catalog, arena);
    must(fake_catalog_add_tpch(&catalog), "TPC-H");
    must(fake_catalog_add_samples(&catalog), "samples");
}

static void teardown(void)
{
    arena_destroy(arena);
}

static Status try_bind(const char *text, BindParameters *parameters, BoundStatement **out)
{
    AstStatementList list = {0};
    TRY(parse_statements(text, strlen(text), arena, &list));
    ck_assert_uint_eq(list.count, 1);
    PlannerContext context = fake_catalog_context(&catalog, arena);
    return bind_statement(&context, list.items[0], parameters, out);
}

static BoundStatement *bind(const char *text)
{
    BoundStatement *bound = NULL;
    Type types[8];
    BindParameters parameters = {.types = types, .capacity = 8};
    must(try_bind(text, &parameters, &bound), text);
    const LogicalNode *root = bound->inner != NULL ? bound->inner->root : bound->root;
    if (root != NULL) {
        must(logical_verify(root, "binder"), text);
    }
    return bound;
}

static const char *print(const LogicalNode *root)
{
    ByteBuffer buffer;
    byte_buffer_init(&buffer, 1 << 20);
    logical_print(root, &buffer);
    const char *text = arena_strndup(arena, (const char *)buffer.data, buffer.bytes);
    byte_buffer_deinit(&buffer);
    return text;
}

// The constant that a query of one constant column selects.
static const Value *constant_of(const char *text)
{
    const LogicalProject *project = (const LogicalProject *)bind(text)->root;
    const Value *value = NULL;
    ck_assert_int_eq(project->node.kind, LOGICAL_PROJECT);
    ck_assert_msg(expr_is_constant(project->exprs[0], &value), "no constant: %s", text);
    return value;
}

static const char *text_of(const char *text)
{
    const Value *value = constant_of(text);
    if (value->is_null) {
        return "null";
    }
    ByteBuffer buffer;
    byte_buffer_init(&buffer, 1 << 20);
    value_print(value, &buffer);
    const char *printed = arena_strndup(arena, (const char *)buffer.data, buffer.bytes);
    byte_buffer_deinit(&buffer);
    return printed;
}

/* ---- TPC-H ---- */

START_TEST(binds_tpch)
{
    char path[400];
    static char text[20000];
    snprintf(path, sizeof(path), "%s/bench/tpch/queries/q%02d.sql", BASALT_SOURCE_DIR, _i);
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "cannot open %s", path);
    size_t bytes = fread(text, 1, sizeof(text) - 1, file);
    text[bytes] = '\0';
    fclose(file);
    ck_assert_uint_gt(bind(text)->result_count, 0);
}
END_TEST

/* ---- tables of cases ---- */

typedef struct Case {
    const char *text, *expected;
} Case;

static const Case results[] = {
#define RESULT(text, columns) {text, columns},
#include "tests/unit/planner/binder/results.def"
#undef RESULT
};

START_TEST(gives_result_columns)
{
    const BoundStatement *bound = bind(results[_i].text);
    const char *columns = "";
    for (uint32_t i = 0; i < bound->result_count; i++) {
        char type[TYPE_TEXT_BYTES];
        columns = arena_printf(arena, "%s%s%s %s", columns, i == 0 ? "" : ", ",
                               bound->results[i].name, type_print(bound->results[i].type, type));
    }
    ck_assert_str_eq(columns, results[_i].expected);
}
END_TEST

static const Case trees[] = {
#define TREE(text, tree) {text, tree},
#include "tests/unit/planner/binder/trees.def"
#undef TREE
};

START_TEST(builds_trees)
{
    ck_assert_str_eq(print(bind(trees[_i].text)->root), trees[_i].expected);
}
END_TEST

typedef struct Refused {
    const char *text, *code;
    int position;
    const char *message;
} Refused;

static const Refused refused[] = {
#define REFUSED(text, code, position, message) {text, code, position, message},
#include "tests/unit/planner/binder/refused.def"
#undef REFUSED
};

START_TEST(refuses)
{
    const Refused *r = &refused[_i];
    BoundStatement *bound = NULL;
    Type types[8];
    BindParameters parameters = {.types = types, .capacity = 8};
    Status status = try_bind(r->text, &parameters, &bound);
    ck_assert_msg(status != STATUS_OK, "accepted: %s", r->text);
    ck_assert_str_eq(status_message(status), r->message);
    ck_assert_str_eq(status_sqlstate_code(status), r->code);
    ck_assert_msg(status_position(status) == r->position, "%s: position %d", r->text,
                  status_position(status));
    status_free(status);
}
END_TEST

/* ---- constants ---- */

static const Case constants[] = {
    {"select date '2024-01-31' + interval '1 month'", "2024-02-29 00:00:00"},
    {"select date '2024-03-01' - 1", "2024-02-29"},
    {"select timestamp '2024-01-01 10:00' - interval '1' day", "2023-12-31 10:00:00"},
    {"select interval '1' year + interval '2 days'", "1 year 2 days"},
    {"select interval '1 month' * 0.5", "15 days"},
    {"select interval '3 days' / 2", "1 day 12:00:00"},
    {"select interval '4:05' minute to second", "00:04:05"},
    {"select interval '1-2' year to month", "1 year 2 mons"},
    {"select - interval '1 day'", "-1 days"},
    {"select '1 day' + interval '1 hour'", "1 day 01:00:00"},
    {"select current_date", "2024-02-29"},
    {"select now()", "2024-02-29 12:34:56"},
    {"select 'tomorrow'::date", "2024-03-01"},
    {"select current_user", "tester"},
    {"select current_setting('search_path')", "public"},
    {"select current_setting('nosuch', true)", "null"},
    {"select pg_backend_pid()", "4711"},
    {"select 1.005::decimal(5,2)", "1.01"},
    {"select 'abcdef'::varchar(3)", "abc"},
    {"select '12'::int", "12"},
    {"select - 5", "-5"},
    {"select -9223372036854775808", "-9223372036854775808"},
    {"select 'x'", "x"},
    {"select null", "null"},
    {"select E'a\\tb'", "a\tb"},
};

START_TEST(folds_constants)
{
    ck_assert_str_eq(text_of(constants[_i].text), constants[_i].expected);
}
END_TEST

/* ---- parameters ---- */

static const Case parameter_types[] = {
    {"select $1", "character varying"},
    {"select a from t where a = $1", "integer"},
    {"select a from t where c > $1", "numeric(38,10)"},
    {"select a from t where e like $1 and d < $2", "character varying, date"},
    {"select $1::int + $2::date - d from t", "integer, date"},
    {"select a from t where a in ($1, $2)", "integer, integer"},
    {"select a from t where $1 in (a, 1)", "integer"},
    {"select a from t where a between $1 and $2 limit $3 offset $4",
     "integer, integer, bigint, bigint"},
    {"select coalesce($1, b) from t", "bigint"},
    {"select case when $1 then $2 else d end from t", "boolean, date"},
    {"select upper($1), sqrt($2), dateadd(day, $3, d) from t",
     "character varying, double precision, integer"},
    {"select d + $1, h - $2, c * $3 from t",
     "integer, timestamp without time zone, numeric(38,10)"},
    {"insert into t (a, e, c) values ($1, $2, $3)", "integer, character varying, numeric(38,10)"},
    {"insert into t (a, d) select $1, $2", "integer, date"},
    {"select $2 = $1, $1::int", "character varying, character varying"},
    {"select a from t where exists (select 1 from u where u.x = $1) and $2", "integer, boolean"},
    {"select $1 || e, $2 from t union select $3, 1 from t",
     "character varying, integer, character varying"},
};

START_TEST(infers_parameter_types)
{
    BoundStatement *bound = NULL;
    Type types[8];
    BindParameters parameters = {.types = types, .capacity = 8};
    const char *text = "";
    must(try_bind(parameter_types[_i].text, &parameters, &bound), parameter_types[_i].text);
    must(logical_verify(bound->root, "binder"), parameter_types[_i].text);
    for (uint32_t i = 0; i < parameters.count; i++) {
        char type[TYPE_TEXT_BYTES];
        text = arena_printf(arena, "%s%s%s", text, i == 0 ? "" : ", ", type_print(types[i], type));
    }
    ck_assert_str_eq(text, parameter_types[_i].expected);
}
END_TEST

START_TEST(puts_values_for_parameters)
{
    BoundStatement *bound = NULL;
    Type types[] = {type_of(TYPE_INTEGER), type_decimal(38, 10), type_of(TYPE_BIGINT)};
    Value values[] = {value_int64(types[0], 7), {.type = types[1]}, value_int64(types[2], 3)};
    values[1].i128 = 25000000000; // 2.5
    BindParameters parameters = {.count = 3, .types = types, .capacity = 3, .values = values};
    const char *text = "select a from t where a = $1 and c < $2 limit $3";
    must(try_bind(text, &parameters, &bound), text);
    ck_assert_ptr_nonnull(strstr(print(bound->root), "LIMIT 3"));
    ck_assert_ptr_nonnull(strstr(print(bound->root), "((a#1 = 7) AND (c#3 < 2.50))"));
}
END_TEST

START_TEST(keeps_declared_parameter_types)
{
    BoundStatement *bound = NULL;
    Type types[] = {type_of(TYPE_BIGINT)};
    BindParameters parameters = {.count = 1, .types = types, .capacity = 1};
    const char *text = "select a from t where a = $1";
    must(try_bind(text, &parameters, &bound), text);
    ck_assert_uint_eq(types[0].id, TYPE_BIGINT);
    ck_assert_ptr_nonnull(strstr(print(bound->root), "((a#1)::bigint = $1)"));
}
END_TEST

START_TEST(refuses_parameters_nobody_has_given)
{
    BoundStatement *bound = NULL;
    Type types[1];
    BindParameters parameters = {.types = types, .capacity = 1};
    Status status = try_bind("select $2", &parameters, &bound);
    ck_assert_str_eq(status_sqlstate_code(status), "42P02");
    ck_assert_int_eq(status_position(status), 7);
    status_free(status);
}
END_TEST

/* ---- statements ---- */

START_TEST(makes_tables)
{
    const BoundStatement *bound =
        bind("create table if not exists other.z (k bigint not null encode az64, s varchar default "
             "'x' || 'y', n numeric(9,3), primary key (k)) distkey (k) compound sortkey (n, k)");
    const CatalogTable *table = bound->create;
    ck_assert_int_eq(bound->kind, BOUND_CREATE_TABLE);
    ck_assert(!bound->is_temporary);
    ck_assert_str_eq(table->schema_name, "other");
    ck_assert_uint_eq(table->column_count, 3);
    ck_assert_str_eq(table->columns[0].encoding_text, "az64");
    ck_assert(table->columns[0].is_not_null);
    ck_assert_int_eq(table->columns[1].type.length, 256);
    ck_assert_str_eq(table->columns[1].default_text, "'x' || 'y'");
    ck_assert_int_eq(table->style, DISTRIBUTION_STYLE_KEY);
    ck_assert(!table->is_auto_style);
    ck_assert_int_eq(table->distribution_column, 0);
    ck_assert_uint_eq(table->sort_key_count, 2);
    ck_assert_uint_eq(table->sort_keys[0], 2);
}
END_TEST

START_TEST(makes_tables_like_others)
{
    const CatalogTable *table =
        bind("create table z (p int, like other.w including defaults, q date)")->create;
    ck_assert_uint_eq(table->column_count, 5);
    ck_assert_str_eq(table->columns[1].name, "m");
    ck_assert_str_eq(table->columns[3].default_text, "1 + 1");
    ck_assert_str_eq(table->columns[4].name, "q");
    table = bind("create table z (like lineitem)")->create;
    ck_assert_int_eq(table->distribution_column, 0);
    ck_assert_uint_eq(table->sort_keys[0], 10);
    ck_assert_ptr_null(bind("create table z (like other.w)")->create->columns[2].default_text);
}
END_TEST

START_TEST(makes_tables_of_queries)
{
    const BoundStatement *bound =
        bind("create temp table z (p, q) distkey (p) as select a, e || d, 'lit' from t");
    const CatalogTable *table = bound->create;
    ck_assert(bound->is_temporary);
    ck_assert_str_eq(table->columns[0].name, "p");
    ck_assert_int_eq(table->columns[1].type.length, VARCHAR_BYTES_MAX); // no limit is the largest
    ck_assert_str_eq(table->columns[2].name, "?column?");
    ck_assert_int_eq(table->columns[2].type.length, 3);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert(type_equal(bound->root->columns[i].type, table->columns[i].type));
    }
    ck_assert_int_eq(bind("select a into #z from t")->kind, BOUND_CREATE_TABLE);
    ck_assert(bind("select a into #z from t")->is_temporary);
}
END_TEST

START_TEST(qualifies_names_in_views)
{
    const CatalogTable *view =
        bind("create view z (p, q) as select t.a, (select max(x) from u) from t, other.w where "
             "exists (select 1 from \"u\" zz)")->create;
    ck_assert_str_eq(view->view_text,
                     "select t.a, (select max(x) from public.u) from public.t, other.w where "
                     "exists (select 1 from public.\"u\" zz)");
    ck_assert_str_eq(view->columns[1].name, "q");
    view = bind("create view z as with t as (select 1 a) select a from t")->create;
    ck_assert_str_eq(view->view_text, "with t as (select 1 a) select a from t");
    view = bind("create view z as select a from nowhere with no schema binding")->create;
    ck_assert_str_eq(view->view_text, "select a from nowhere");
    ck_assert_uint_eq(view->column_count, 0);
}
END_TEST

START_TEST(names_the_view_in_errors_inside_it)
{
    CatalogTable *view = ARENA_NEW(arena, CatalogTable);
    BoundStatement *bound = NULL;
    *view = (CatalogTable){.table_id = 7, .schema_name = "public", .name = "broken",
                           .kind = CATALOG_VIEW, .view_text = "select nosuch from t"};
    pointer_list_add(arena, &catalog.tables, view);
    Status status = try_bind("select * from broken", NULL, &bound);
    ck_assert_str_eq(status_sqlstate_code(status), "42703");
    ck_assert_str_eq(status_context(status), "view \"broken\"");
    ck_assert_int_eq(status_position(status), 14);
    status_free(status);
    view->view_text = "select * from broken";
    status = try_bind("select * from broken", NULL, &bound);
    ck_assert_str_eq(status_sqlstate_code(status), "54001");
    status_free(status);
}
END_TEST

// The only cell of a query that is one row of one constant.
static const char *shown(const char *text)
{
    const LogicalValues *values = (const LogicalValues *)bind(text)->root;
    ck_assert_int_eq(values->node.kind, LOGICAL_VALUES);
    const TextView *view = &values->cells[0]->constant.text;
    return arena_strndup(arena, text_view_data(view), view->length);
}

START_TEST(shows_statements_that_make_the_same_again)
{
    static const char *const statements[] = {
        ("create table zz (a int not null default 1 + 1 encode az64, \"B c\" varchar(7), "
         "\"select\" numeric(9,3)) diststyle key distkey (\"B c\") sortkey (a, \"select\")"),
        "create table zz (a char(3), d double precision, t timestamp, i interval) diststyle all",
        "create table other.zz (a real) diststyle even",
        "create table zz (a boolean)",
    };
    for (int i = 0; i < COUNT(statements); i++) {
        teardown();
        setup();
        must(fake_catalog_add(&catalog, statements[i]), statements[i]);
        const char *name = i == 2 ? "show table other.zz" : "show table zz";
        char *first = strdup(shown(name));
        teardown();
        setup();
        must(fake_catalog_add(&catalog, first), first);
        ck_assert_str_eq(shown(name), first);
        free(first);
    }
    ck_assert_str_eq(shown("show view v"), "CREATE VIEW public.v (a, bb) AS select a, b + 1 as bb "
                                           "from public.t where c > 1;");
}
END_TEST

START_TEST(fills_in_defaults)
{
    const LogicalInsert *insert =
        (const LogicalInsert *)bind("insert into other.w (m) values (1), (2)")->root;
    const LogicalValues *values = (const LogicalValues *)insert->child;
    ck_assert_int_eq(values->node.kind, LOGICAL_VALUES);
    ck_assert_uint_eq(values->row_count, 2);
    for (uint32_t i = 0; i < 6; i++) {
        ck_assert(type_equal(values->cells[i]->type, insert->table->columns[i % 3].type));
    }
    ck_assert_uint_eq(values->cells[1]->constant.text.length, 4); // 'none'
    bind("insert into other.w default values");
    bind("insert into other.w values (1, default, default)");
}
END_TEST

static CopyFormat copy_format_of(const void *data, size_t bytes)
{
    ByteReader reader;
    CopyFormat format;
    byte_reader_init(&reader, data, bytes);
    must(copy_format_decode(&reader, &format), "format");
    return format;
}

START_TEST(binds_copy)
{
    const BoundStatement *bound = bind("copy t (c, a) from stdin csv");
    ck_assert_int_eq(bound->kind, BOUND_COPY_FROM);
    ck_assert(bound->is_copy_stdin);
    ck_assert_uint_eq(bound->copy_field_count, 2);
    ck_assert_uint_eq(bound->copy->fields[0], 2);
    ck_assert_uint_eq(bound->copy->node.column_count, 11);
    ck_assert_int_eq(copy_format_of(bound->copy->format, bound->copy->format_bytes).style,
                     COPY_STYLE_CSV);
    bound = bind("copy t from '/data/x' delimiter ';' gzip compupdate off");
    ck_assert(!bound->is_copy_stdin && bound->is_copy_gzip);
    ck_assert_str_eq(bound->copy->paths[0], "/data/x");
    CopyFormat format = copy_format_of(bound->copy->format, bound->copy->format_bytes);
    ck_assert_int_eq(format.dialect, COPY_DIALECT_REDSHIFT);
    ck_assert_int_eq(format.delimiter[0], ';');
    bound = bind("copy u (y, a) to stdout");
    ck_assert_int_eq(bound->kind, BOUND_COPY_TO);
    ck_assert_str_eq(bound->results[0].name, "y");
    ck_assert_int_eq(copy_format_of(bound->format, bound->format_bytes).dialect,
                     COPY_DIALECT_POSTGRES);
    ck_assert_int_eq(bind("copy (select 1) to stdout")->kind, BOUND_COPY_TO);
}
END_TEST

START_TEST(binds_drop)
{
    const BoundDrop *drop = bind("drop table if exists nosuch, t, other.w cascade")->drop;
    ck_assert_uint_eq(drop->count, 2);
    ck_assert(drop->is_cascade);
    ck_assert_str_eq(drop->items[1].schema, "other");
    ck_assert_uint_eq(drop->notice_count, 1);
    ck_assert_str_eq(drop->notices[0], "table \"nosuch\" does not exist, skipping");
    ck_assert_uint_eq(bind("drop schema other")->drop->count, 1);
}
END_TEST

START_TEST(passes_utilities_on)
{
    static const struct {
        const char *text;
        BoundKind kind;
    } utilities[] = {
        {"begin", BOUND_TRANSACTION}, {"set x to 1", BOUND_SET}, {"show x", BOUND_SHOW},
        {"reset all", BOUND_SET}, {"prepare p as select 1", BOUND_PREPARE},
        {"execute p", BOUND_EXECUTE}, {"deallocate p", BOUND_DEALLOCATE},
        {"declare c cursor for select 1", BOUND_DECLARE_CURSOR}, {"fetch c", BOUND_FETCH},
        {"close c", BOUND_CLOSE}, {"discard all", BOUND_DISCARD}, {"analyze", BOUND_ANALYZE},
        {"vacuum t", BOUND_VACUUM}, {"create user x password 'y'", BOUND_USER},
        {"truncate t", BOUND_TRUNCATE}, {"create schema new", BOUND_CREATE_SCHEMA},
        {"explain analyze select 1", BOUND_EXPLAIN},
    };
    for (int i = 0; i < COUNT(utilities); i++) {
        ck_assert_int_eq(bind(utilities[i].text)->kind, utilities[i].kind);
    }
    ck_assert(bind("explain analyze select 1")->is_analyze);
}
END_TEST

START_TEST(binds_execute_arguments)
{
    AstStatementList list = {0};
    Value *values = NULL;
    const Type types[] = {type_of(TYPE_DATE), type_of(TYPE_UNKNOWN), type_of(TYPE_BIGINT)};
    const char *text = "execute p ('2024-01-01', 'x', 5)";
    must(parse_statements(text, strlen(text), arena, &list), text);
    PlannerContext context = fake_catalog_context(&catalog, arena);
    must(bind_arguments(&context, list.items[0]->execute, 3, types, &values), text);
    ck_assert_int_eq(values[0].i64, days_from_civil(2024, 1, 1));
    ck_assert_uint_eq(values[1].type.id, TYPE_VARCHAR);
    ck_assert_uint_eq(values[2].type.id, TYPE_BIGINT);
    Status status = bind_arguments(&context, list.items[0]->execute, 2, types, &values);
    ck_assert_str_eq(status_sqlstate_code(status), "42601");
    status_free(status);
}
END_TEST

/* ---- size and depth ---- */

static const char *repeat(const char *head, const char *unit, size_t count, const char *tail)
{
    size_t bytes = strlen(unit);
    char *text = arena_alloc(arena, strlen(head) + bytes * count + strlen(tail) + 1);
    char *end = stpcpy(text, head);
    for (size_t i = 0; i < count; i++) {
        end = stpcpy(end, unit);
    }
    strcpy(end, tail);
    return text;
}

START_TEST(binds_large_statements)
{
    static const char *const shapes[][3] = {
        {"select a from t where a in (1", ",1", ")"},
        {"select a from t where a = 1", " or a = 2", ""},
        {"select 1", " union all select 1", ""},
        {"select 1", " union select 1", ""},
        {"insert into u values (1,2,'x')", ",(1,2,'x')", ""},
        {"values (1)", ",(2)", ""},
    };
    const char *const *shape = shapes[_i];
    bind(repeat(shape[0], shape[1], 5000, shape[2]));
}
END_TEST

START_TEST(refuses_what_grows_beyond_bounds)
{
    static const char *const shapes[][3] = {
        {"select 1", "+1", ""},
        {"select a", "::int", " from t"},
        {"select ", "abs(", "1"},
        {"select (select (", "1", "))"},
    };
    BoundStatement *bound = NULL;
    const char *text = repeat(shapes[_i][0], shapes[_i][1], 1000, shapes[_i][2]);
    if (_i == 2) {
        text = arena_printf(arena, "%s%s", text, repeat("", ")", 1000, ""));
    } else if (_i == 3) {
        text = arena_printf(arena, "%s%s", repeat("", "select (", 100, "select 1"),
                            repeat("", ")", 100, ""));
    }
    Status status = try_bind(text, NULL, &bound);
    ck_assert_ptr_nonnull(status);
    ck_assert_str_eq(status_sqlstate_code(status), "54001");
    status_free(status);
}
END_TEST

START_TEST(refuses_doubling)
{
    // each alias names the one before twice: 2^40 nodes if nobody counted
    const char *text = "select 1 + a as x0";
    BoundStatement *bound = NULL;
    for (int i = 1; i < 40; i++) {
        text = arena_printf(arena, "%s, x%d + x%d as x%d", text, i - 1, i - 1, i);
    }
    Status status = try_bind(arena_printf(arena, "%s from t", text), NULL, &bound);
    ck_assert_str_eq(status_sqlstate_code(status), "54001");
    status_free(status);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("planner.binder.bind");
    TCase *c = tcase_create("bind");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_loop_test(c, binds_tpch, 1, 23);
    tcase_add_loop_test(c, gives_result_columns, 0, COUNT(results));
    tcase_add_loop_test(c, builds_trees, 0, COUNT(trees));
    tcase_add_loop_test(c, refuses, 0, COUNT(refused));
    tcase_add_loop_test(c, folds_constants, 0, COUNT(constants));
    tcase_add_loop_test(c, infers_parameter_types, 0, COUNT(parameter_types));
    tcase_add_test(c, puts_values_for_parameters);
    tcase_add_test(c, keeps_declared_parameter_types);
    tcase_add_test(c, refuses_parameters_nobody_has_given);
    tcase_add_test(c, makes_tables);
    tcase_add_test(c, makes_tables_like_others);
    tcase_add_test(c, makes_tables_of_queries);
    tcase_add_test(c, qualifies_names_in_views);
    tcase_add_test(c, names_the_view_in_errors_inside_it);
    tcase_add_test(c, shows_statements_that_make_the_same_again);
    tcase_add_test(c, fills_in_defaults);
    tcase_add_test(c, binds_copy);
    tcase_add_test(c, binds_drop);
    tcase_add_test(c, passes_utilities_on);
    tcase_add_test(c, binds_execute_arguments);
    tcase_add_loop_test(c, binds_large_statements, 0, 6);
    tcase_add_loop_test(c, refuses_what_grows_beyond_bounds, 0, 4);
    tcase_add_test(c, refuses_doubling);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
