/*
 * build_query.c — the grammar's actions for queries and table references.
 */
#include "planner/parser/parser_internal.h"

AstQuery *parser_query(Parser *parser, AstQueryKind kind, AstLocation location)
{
    AstQuery *query = ARENA_NEW(parser->arena, AstQuery);
    query->kind = kind;
    query->position = location.start;
    query->limit_position = query->offset_position = POSITION_NONE;
    return query;
}

// SELECT * FROM table
static AstQuery *query_all(Parser *parser, AstLocation location, AstTable *table)
{
    AstQuery *query = parser_query(parser, AST_QUERY_SELECT, location);
    query->select = ARENA_NEW(parser->arena, AstSelect);
    AstSelectItem star = {.expr = ast_expr(parser->arena, AST_STAR, location.start)};
    AST_LIST_ADD(parser->arena, &query->select->items, star);
    AST_LIST_ADD(parser->arena, &query->select->from, table);
    return query;
}

AstQuery *parser_table_query(Parser *parser, AstLocation location, AstObjectName *name)
{
    AstTable *table = parser_table(parser, location, AST_TABLE_NAME, &(TableAlias){0});
    table->position = name->position;
    table->name = name;
    return query_all(parser, location, table);
}

AstQuery *parser_set(Parser *parser, AstLocation location, AstSetKind set, bool is_all,
                     AstQuery *left, AstQuery *right)
{
    AstQuery *query = parser_query(parser, AST_QUERY_SET, location);
    query->set = set;
    query->is_all = is_all;
    query->left = left;
    query->right = right;
    return query;
}

AstQuery *parser_finish_query(Parser *parser, AstQuery *query, AstWith *with,
                              const AstSortList *order, const QueryLimits *limits)
{
    if (query->with != NULL || query->order.count > 0 || query->limit != NULL ||
        query->offset != NULL) {
        AstLocation location = {.start = query->position};
        AstTable *table = parser_table(parser, location, AST_TABLE_SUBQUERY, &(TableAlias){0});
        table->query = query;
        query = query_all(parser, location, table);
    }
    query->with = with;
    if (order != NULL) {
        query->order = *order;
    }
    if (limits != NULL) {
        query->limit = limits->limit;
        query->offset = limits->offset;
        query->limit_position = limits->limit_position;
        query->offset_position = limits->offset_position;
    }
    return query;
}

AstTable *parser_table(Parser *parser, AstLocation location, AstTableKind kind,
                       const TableAlias *alias)
{
    AstTable *table = ARENA_NEW(parser->arena, AstTable);
    table->kind = kind;
    table->position = location.start;
    table->alias = alias->name;
    table->column_aliases = alias->columns;
    return table;
}

AstTable *parser_join(Parser *parser, AstLocation location, int kind, AstTable *left,
                      AstTable *right)
{
    AstTable *join = parser_table(parser, location, AST_TABLE_JOIN, &(TableAlias){0});
    join->join = (AstJoinKind)kind;
    join->left = left;
    join->right = right;
    return join;
}

AstTable *parser_alias_join(Parser *parser, AstTable *join, const TableAlias *alias)
{
    (void)parser;
    join->alias = alias->name;
    join->column_aliases = alias->columns;
    return join;
}
