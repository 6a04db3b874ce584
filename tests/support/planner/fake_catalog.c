/*
 * fake_catalog.c — answers the planner's questions from a list of tables.
 */
#include "tests/support/planner/fake_catalog.h"

#include <string.h>
#include "base/types/datetime.h"
#include "planner/parser/parse.h"

static const char *const tpch_schema =
    "create table region (r_regionkey integer not null, r_name char(25) not null,"
    "  r_comment varchar(152)) diststyle all;"
    "create table nation (n_nationkey integer not null, n_name char(25) not null,"
    "  n_regionkey integer not null, n_comment varchar(152)) diststyle all;"
    "create table supplier (s_suppkey integer not null, s_name char(25) not null,"
    "  s_address varchar(40) not null, s_nationkey integer not null, s_phone char(15) not null,"
    "  s_acctbal decimal(15,2) not null, s_comment varchar(101) not null) distkey (s_suppkey);"
    "create table customer (c_custkey integer not null, c_name varchar(25) not null,"
    "  c_address varchar(40) not null, c_nationkey integer not null, c_phone char(15) not null,"
    "  c_acctbal decimal(15,2) not null, c_mktsegment char(10) not null,"
    "  c_comment varchar(117) not null) distkey (c_custkey);"
    "create table part (p_partkey integer not null, p_name varchar(55) not null,"
    "  p_mfgr char(25) not null, p_brand char(10) not null, p_type varchar(25) not null,"
    "  p_size integer not null, p_container char(10) not null,"
    "  p_retailprice decimal(15,2) not null, p_comment varchar(23) not null)"
    "  distkey (p_partkey);"
    "create table partsupp (ps_partkey integer not null, ps_suppkey integer not null,"
    "  ps_availqty integer not null, ps_supplycost decimal(15,2) not null,"
    "  ps_comment varchar(199) not null) distkey (ps_partkey);"
    "create table orders (o_orderkey integer not null, o_custkey integer not null,"
    "  o_orderstatus char(1) not null, o_totalprice decimal(15,2) not null,"
    "  o_orderdate date not null, o_orderpriority char(15) not null, o_clerk char(15) not null,"
    "  o_shippriority integer not null, o_comment varchar(79) not null)"
    "  distkey (o_orderkey) sortkey (o_orderdate);"
    "create table lineitem (l_orderkey integer not null, l_partkey integer not null,"
    "  l_suppkey integer not null, l_linenumber integer not null,"
    "  l_quantity decimal(15,2) not null, l_extendedprice decimal(15,2) not null,"
    "  l_discount decimal(15,2) not null, l_tax decimal(15,2) not null,"
    "  l_returnflag char(1) not null, l_linestatus char(1) not null, l_shipdate date not null,"
    "  l_commitdate date not null, l_receiptdate date not null, l_shipinstruct char(25) not null,"
    "  l_shipmode char(10) not null, l_comment varchar(44) not null)"
    "  distkey (l_orderkey) sortkey (l_shipdate)";

static const char *const sample_schema =
    "create table t (a int, b bigint, c decimal(12,2), d date, e varchar(20), f double precision,"
    "  g boolean, h timestamp, i smallint, j char(5), k real);"
    "create table u (a int, x int, y varchar(10));"
    "create table other.w (m int not null, n varchar(5) default 'none', o int default 1 + 1);"
    "create view v as select a, b + 1 as bb from t where c > 1";

static bool schema_exists(void *self, const char *schema)
{
    (void)self;
    return strcmp(schema, "public") == 0 || strcmp(schema, "other") == 0 ||
           strcmp(schema, "pg_catalog") == 0;
}

static const CatalogTable *find_in(const FakeCatalog *catalog, const char *schema,
                                   const char *name)
{
    for (uint32_t i = 0; i < catalog->tables.count; i++) {
        const CatalogTable *table = catalog->tables.items[i];
        if (strcmp(table->schema_name, schema) == 0 && strcmp(table->name, name) == 0) {
            return table;
        }
    }
    return NULL;
}

static Status find_table(void *self, const char *schema, const char *name, Arena *arena,
                         const CatalogTable **out)
{
    const FakeCatalog *catalog = self;
    (void)arena;
    *out = find_in(catalog, schema == NULL ? "public" : schema, name);
    if (*out == NULL && schema == NULL) {
        *out = find_in(catalog, "pg_catalog", name);
    }
    return STATUS_OK;
}

static const char *current_schema(void *self)
{
    (void)self;
    return "public";
}

static const char *current_user(void *self)
{
    (void)self;
    return "tester";
}

static const char *current_database(void *self)
{
    (void)self;
    return "dev";
}

static int64_t statement_time_us(void *self)
{
    (void)self;
    return days_from_civil(2024, 2, 29) * US_PER_DAY + INT64_C(45296000000);
}

static const char *setting(void *self, const char *name)
{
    (void)self;
    return strcmp(name, "search_path") == 0      ? "public"
           : strcmp(name, "pg_backend_pid") == 0 ? "4711"
                                                 : NULL;
}

static double sample_selectivity(void *self, const CatalogTable *table, const Expr *filter)
{
    (void)self;
    (void)table;
    (void)filter;
    return -1;
}

void fake_catalog_init(FakeCatalog *catalog, Arena *arena)
{
    *catalog = (FakeCatalog){.arena = arena, .next_table_id = 1000};
    catalog->view = (CatalogView){.self = catalog,
                                  .find_table = find_table,
                                  .schema_exists = schema_exists,
                                  .current_schema = current_schema,
                                  .current_user = current_user,
                                  .current_database = current_database,
                                  .statement_time_us = statement_time_us,
                                  .setting = setting,
                                  .sample_selectivity = sample_selectivity};
}

PlannerContext fake_catalog_context(FakeCatalog *catalog, Arena *query_arena)
{
    return (PlannerContext){.arena = query_arena,
                            .catalog = &catalog->view,
                            .next_column = 1,
                            .next_cte = 1,
                            .node_count = 2};
}

Status fake_catalog_add(FakeCatalog *catalog, const char *text)
{
    AstStatementList list = {0};
    TRY(parse_statements(text, strlen(text), catalog->arena, &list));
    for (uint32_t i = 0; i < list.count; i++) {
        PlannerContext context = fake_catalog_context(catalog, catalog->arena);
        BoundStatement *bound = NULL;
        TRY(bind_statement(&context, list.items[i], NULL, &bound));
        CatalogTable *table =
            arena_memdup(catalog->arena, bound->create, sizeof(*bound->create));
        table->table_id = catalog->next_table_id++;
        table->row_count = 1000;
        table->statistics =
            ARENA_ARRAY(catalog->arena, ColumnStatistics, table->column_count + 1);
        pointer_list_add(catalog->arena, &catalog->tables, table);
    }
    return STATUS_OK;
}

Status fake_catalog_add_tpch(FakeCatalog *catalog)
{
    return fake_catalog_add(catalog, tpch_schema);
}

Status fake_catalog_add_samples(FakeCatalog *catalog)
{
    return fake_catalog_add(catalog, sample_schema);
}
