/* tpch_statistics.c — the figures of dbgen's data, as the specification gives them. */
#include "tests/support/planner/tpch_statistics.h"

#include <string.h>

#include "base/types/datetime.h"
#include "planner/parser/parse.h"

typedef struct ColumnFigures {
    const char *name;
    double distinct; /* at scale 1 */
    bool grows;      /* with the scale */
    double lo, hi;   /* lo > hi: no bounds */
    double bytes;    /* texts: average */
} ColumnFigures;

#define NO_BOUNDS 1, 0
static const ColumnFigures figures[] = {
    {"r_regionkey", 5, false, 0, 4, 0},
    {"r_name", 5, false, NO_BOUNDS, 7},
    {"n_nationkey", 25, false, 0, 24, 0},
    {"n_name", 25, false, NO_BOUNDS, 8},
    {"n_regionkey", 5, false, 0, 4, 0},
    {"s_suppkey", 1e4, true, 1, 1e4, 0},
    {"s_name", 1e4, true, NO_BOUNDS, 18},
    {"s_address", 1e4, true, NO_BOUNDS, 25},
    {"s_nationkey", 25, false, 0, 24, 0},
    {"s_phone", 1e4, true, NO_BOUNDS, 15},
    {"s_acctbal", 9955, true, -99998, 999932, 0},
    {"s_comment", 1e4, true, NO_BOUNDS, 62},
    {"c_custkey", 15e4, true, 1, 15e4, 0},
    {"c_name", 15e4, true, NO_BOUNDS, 18},
    {"c_address", 15e4, true, NO_BOUNDS, 25},
    {"c_nationkey", 25, false, 0, 24, 0},
    {"c_phone", 15e4, true, NO_BOUNDS, 15},
    {"c_acctbal", 14e4, true, -99999, 999999, 0},
    {"c_mktsegment", 5, false, NO_BOUNDS, 9},
    {"c_comment", 15e4, true, NO_BOUNDS, 73},
    {"p_partkey", 2e5, true, 1, 2e5, 0},
    {"p_name", 2e5, true, NO_BOUNDS, 33},
    {"p_mfgr", 5, false, NO_BOUNDS, 14},
    {"p_brand", 25, false, NO_BOUNDS, 8},
    {"p_type", 150, false, NO_BOUNDS, 21},
    {"p_size", 50, false, 1, 50, 0},
    {"p_container", 40, false, NO_BOUNDS, 8},
    {"p_retailprice", 2e4, false, 90100, 209899, 0},
    {"p_comment", 13e4, true, NO_BOUNDS, 14},
    {"ps_partkey", 2e5, true, 1, 2e5, 0},
    {"ps_suppkey", 1e4, true, 1, 1e4, 0},
    {"ps_availqty", 9999, false, 1, 9999, 0},
    {"ps_supplycost", 99865, false, 100, 100000, 0},
    {"ps_comment", 8e5, true, NO_BOUNDS, 124},
    {"o_orderkey", 15e5, true, 1, 6e6, 0},
    {"o_custkey", 1e5, true, 1, 15e4, 0},
    {"o_orderstatus", 3, false, NO_BOUNDS, 1},
    {"o_totalprice", 146e4, true, 85700, 55528500, 0},
    {"o_orderdate", 2406, false, 8035, 10440, 0},
    {"o_orderpriority", 5, false, NO_BOUNDS, 8},
    {"o_clerk", 1000, true, NO_BOUNDS, 15},
    {"o_shippriority", 1, false, 0, 0, 0},
    {"o_comment", 15e5, true, NO_BOUNDS, 49},
    {"l_orderkey", 15e5, true, 1, 6e6, 0},
    {"l_partkey", 2e5, true, 1, 2e5, 0},
    {"l_suppkey", 1e4, true, 1, 1e4, 0},
    {"l_linenumber", 7, false, 1, 7, 0},
    {"l_quantity", 50, false, 100, 5000, 0},
    {"l_extendedprice", 933900, true, 90100, 10494950, 0},
    {"l_discount", 11, false, 0, 10, 0},
    {"l_tax", 9, false, 0, 8, 0},
    {"l_returnflag", 3, false, NO_BOUNDS, 1},
    {"l_linestatus", 2, false, NO_BOUNDS, 1},
    {"l_shipdate", 2526, false, 8036, 10561, 0},
    {"l_commitdate", 2466, false, 8065, 10530, 0},
    {"l_receiptdate", 2554, false, 8037, 10591, 0},
    {"l_shipinstruct", 4, false, NO_BOUNDS, 12},
    {"l_shipmode", 7, false, NO_BOUNDS, 4},
    {"l_comment", 45e5, true, NO_BOUNDS, 27},
};

static double rows_at_one(const char *table)
{
    static const struct {
        const char *name;
        double rows;
    } tables[] = {{"supplier", 1e4}, {"customer", 15e4}, {"part", 2e5},
                  {"partsupp", 8e5}, {"orders", 15e5},   {"lineitem", 6001215}};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        if (strcmp(tables[i].name, table) == 0) {
            return tables[i].rows;
        }
    }
    return 0;
}

static void set_column(ColumnStatistics *statistics, const CatalogColumn *column, double scale)
{
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        const ColumnFigures *figure = &figures[i];
        if (strcmp(figure->name, column->name) != 0) {
            continue;
        }
        double growth = figure->grows ? scale : 1;
        *statistics = (ColumnStatistics){.is_known = true,
                                         .distinct_count = figure->distinct * growth,
                                         .average_bytes = figure->bytes};
        if (figure->lo <= figure->hi) {
            double hi = figure->lo == 1 ? figure->hi * growth : figure->hi;
            statistics->has_bounds = true;
            statistics->min = value_int64(column->type, (int64_t)figure->lo);
            statistics->max = value_int64(column->type, (int64_t)hi);
        }
    }
}

Status tpch_statistics_add(FakeCatalog *catalog, double scale)
{
    TRY(fake_catalog_add_tpch(catalog));
    for (uint32_t i = 0; i < catalog->tables.count; i++) {
        CatalogTable *table = catalog->tables.items[i];
        bool is_small = strcmp(table->name, "region") == 0 || strcmp(table->name, "nation") == 0;
        table->row_count = strcmp(table->name, "region") == 0   ? 5
                           : strcmp(table->name, "nation") == 0 ? 25
                                                                : rows_at_one(table->name) * scale;
        if (is_small) {
            table->style = DISTRIBUTION_STYLE_ALL;
            table->distribution_column = -1;
        }
        for (uint32_t c = 0; c < table->column_count; c++) {
            set_column(&table->statistics[c], &table->columns[c], scale);
        }
    }
    return STATUS_OK;
}

Status sql_bind(FakeCatalog *catalog, const char *text, uint32_t node_count, Arena *query_arena,
                PlannerContext *context, BoundStatement **out)
{
    AstStatementList list = {0};
    TRY(parse_statements(text, strlen(text), query_arena, &list));
    if (list.count != 1) {
        return status_error(SQLSTATE_SYNTAX_ERROR, "expected one statement");
    }
    *context = fake_catalog_context(catalog, query_arena);
    context->node_count = node_count;
    return bind_statement(context, list.items[0], NULL, out);
}
