/*
 * bind_from.c — FROM: tables, views, subqueries, common table expressions and joins.
 *
 * Each item gives a tree, the relations it can be called by, and the items that * and plain names
 * see. A subquery sees the enclosing query but not its neighbours, unless it is LATERAL.
 */
#include "planner/binder/binder_internal.h"

#include <string.h>
#include "planner/parser/parse.h"

/* What stands left of an item, for LATERAL; innermost first. */
typedef struct LeftItems {
    const FromItem *item;
    const struct LeftItems *outer;
} LeftItems;

typedef struct From {
    Binder *binder;
    Scope *outer;
    CteBinding *ctes;
} From;

static Status bind_ref(From *from, const AstTable *ast, const LeftItems *left, FromItem *out,
                       bool *is_lateral);

// ---- nodes ----

LogicalNode *get_make(Binder *binder, const CatalogTable *table, const char *alias)
{
    LogicalGet *get = ARENA_NEW(binder->arena, LogicalGet);
    uint32_t count = table->column_count;
    get->node = (LogicalNode){.kind = LOGICAL_GET, .position = POSITION_NONE, .rows = -1};
    get->table = table;
    get->alias = alias;
    get->table_columns = ARENA_ARRAY(binder->arena, uint32_t, count + 1);
    get->node.column_count = count;
    get->node.columns = ARENA_ARRAY(binder->arena, LogicalColumn, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        const CatalogColumn *column = &table->columns[i];
        get->table_columns[i] = i;
        get->node.columns[i] = (LogicalColumn){.number = planner_new_column(binder->context),
                                               .name = column->name,
                                               .type = column->type,
                                               .is_nullable = !column->is_not_null,
                                               .table_id = table->table_id,
                                               .column_id = column->column_id};
    }
    return &get->node;
}

Status bind_table_name(Binder *binder, const AstObjectName *name, const CatalogTable **out)
{
    const CatalogView *catalog = binder->catalog;
    if (name->database != NULL &&
        strcmp(name->database, catalog->current_database(catalog->self)) != 0) {
        return status_at(name->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "cross-database references are not supported: \"%s.%s.%s\"",
                         name->database, name->schema, name->name);
    }
    const CatalogTable *table = NULL;
    Status status =
        catalog->find_table(catalog->self, name->schema, name->name, binder->arena, &table);
    if (status != STATUS_OK) {
        return status_with_position(status, name->position);
    }
    if (table == NULL) {
        return status_at(name->position, SQLSTATE_UNDEFINED_TABLE,
                         "relation \"%s%s%s\" does not exist",
                         name->schema == NULL ? "" : name->schema,
                         name->schema == NULL ? "" : ".", name->name);
    }
    *out = table;
    return STATUS_OK;
}

// ---- relations ----

static Status apply_column_aliases(const AstTable *ast, ScopeRelation *relation)
{
    const AstWordList *aliases = ast->column_aliases;
    if (aliases == NULL) {
        return STATUS_OK;
    }
    if (aliases->count > relation->column_count) {
        return status_at(ast->position, SQLSTATE_INVALID_COLUMN_REFERENCE,
                         "table \"%s\" has %u columns available but %u columns specified",
                         relation->name == NULL ? "unnamed" : relation->name,
                         relation->column_count, aliases->count);
    }
    for (uint32_t i = 0; i < aliases->count; i++) {
        relation->columns[i].name = aliases->items[i].text;
    }
    return STATUS_OK;
}

void from_item_init(FromItem *out, Binder *binder, LogicalNode *node, ScopeRelation *relation)
{
    *out = (FromItem){.node = node};
    AST_LIST_ADD(binder->arena, &out->relations, relation);
    for (uint32_t i = 0; i < relation->column_count; i++) {
        ScopeItem item = {.name = relation->columns[i].name,
                          .expr = relation->columns[i].expr,
                          .relation = relation};
        AST_LIST_ADD(binder->arena, &out->items, item);
    }
}

static Status finish_single(From *from, const AstTable *ast, LogicalNode *node, const char *name,
                            const char *schema, FromItem *out)
{
    node->position = ast->position;
    ScopeRelation *relation =
        scope_relation(from->binder, node, ast->alias != NULL ? ast->alias : name);
    relation->schema = ast->alias != NULL ? NULL : schema;
    relation->table_name = ast->alias != NULL ? name : NULL;
    relation->position = ast->position;
    TRY(apply_column_aliases(ast, relation));
    from_item_init(out, from->binder, node, relation);
    return STATUS_OK;
}

// ---- single items ----

static Status bind_cte_reference(From *from, const AstTable *ast, CteBinding *cte, FromItem *out)
{
    if (cte->definition == NULL) {
        return status_at(ast->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "WITH RECURSIVE is not supported yet");
    }
    cte->use_count++;
    LogicalNode *node =
        logical_cte_reference(from->binder->context, cte->cte_id, cte->definition);
    const AstWordList *names = cte->ast->columns;
    for (uint32_t i = 0; names != NULL && i < names->count; i++) {
        node->columns[i].name = names->items[i].text;
    }
    return finish_single(from, ast, node, cte->name, NULL, out);
}

static void remember_name(Binder *binder, const AstObjectName *name, const CatalogTable *table)
{
    if (binder->name_places != NULL && binder->view_depth == 0 && name->schema == NULL) {
        NamePlace place = {.position = name->position, .schema = table->schema_name};
        AST_LIST_ADD(binder->arena, binder->name_places, place);
    }
}

static Status bind_table(From *from, const AstTable *ast, FromItem *out)
{
    const AstObjectName *name = ast->name;
    for (CteBinding *cte = from->ctes; cte != NULL && name->schema == NULL; cte = cte->outer) {
        if (strcmp(cte->name, name->name) == 0) {
            return bind_cte_reference(from, ast, cte, out);
        }
    }
    const CatalogTable *table = NULL;
    LogicalNode *node = NULL;
    TRY(bind_table_name(from->binder, name, &table));
    remember_name(from->binder, name, table);
    if (table->kind == CATALOG_VIEW && table->table_id == from->binder->replaced_view_id) {
        return status_at(ast->position, SQLSTATE_INVALID_TABLE_DEFINITION,
                         "infinite recursion detected in rules for relation \"%s\"",
                         table->name);
    }
    if (table->kind == CATALOG_VIEW) {
        Status status = bind_view(from->binder, table, &node);
        if (status != STATUS_OK) {
            return status_with_position(status, ast->position);
        }
    } else {
        node = get_make(from->binder, table, ast->alias);
    }
    return finish_single(from, ast, node, table->name, table->schema_name, out);
}

// A scope of everything to the left, for LATERAL.
static void left_scope(From *from, const LeftItems *left, Scope *out)
{
    scope_init(out, from->outer, from->ctes, NULL);
    for (; left != NULL; left = left->outer) {
        for (uint32_t i = 0; i < left->item->relations.count; i++) {
            AST_LIST_ADD(from->binder->arena, &out->relations, left->item->relations.items[i]);
        }
        for (uint32_t i = 0; i < left->item->items.count; i++) {
            AST_LIST_ADD(from->binder->arena, &out->items, left->item->items.items[i]);
        }
    }
}

static Status bind_derived(From *from, const AstTable *ast, const LeftItems *left, FromItem *out,
                           bool *is_lateral)
{
    LogicalNode *node = NULL;
    if (!ast->is_lateral) {
        TRY(bind_query(from->binder, from->outer, from->ctes, ast->query, false, &node));
        return finish_single(from, ast, node, NULL, NULL, out);
    }
    Scope scope;
    left_scope(from, left, &scope);
    TRY(bind_query(from->binder, &scope, from->ctes, ast->query, false, &node));
    *is_lateral = scope.outer_uses.count > 0;
    return finish_single(from, ast, node, NULL, NULL, out);
}

// unnest(c.reloptions): the system tables have columns for arrays, all of them NULL: no rows.
static Status bind_unnest(From *from, const AstTable *ast, const LeftItems *left, FromItem *out)
{
    static const char *const arrays[] = {"attacl", "attoptions", "conkey", "datacl", "indkey",
                                         "nspacl", "proargtypes", "relacl", "reloptions",
                                         "rolconfig", "spcacl", "spcoptions", "typacl"};
    static const char no_rows[] = "select cast(null as varchar) from (select 1) l where false";
    const AstExpr *arg = ast->function->arg_count == 1 ? ast->function->args[0] : NULL;
    bool is_array = false;
    for (size_t i = 0; arg != NULL && arg->kind == AST_COLUMN &&
                       i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        is_array = is_array || strcmp(arg->names[arg->name_count - 1], arrays[i]) == 0;
    }
    if (!is_array) {
        return status_at(ast->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "arrays are not supported");
    }
    AstStatementList list = {0};
    bool is_lateral = false;
    AstTable table = *ast;
    TRY(parse_statements(no_rows, sizeof(no_rows) - 1, from->binder->arena, &list));
    table.kind = AST_TABLE_SUBQUERY;
    table.is_lateral = false;
    table.alias = ast->alias == NULL ? "unnest" : ast->alias;
    table.query = list.items[0]->query;
    table.query->select->items.items[0].alias = table.alias;
    return bind_derived(from, &table, left, out, &is_lateral);
}

// ---- joins ----

static Status check_names(const FromItem *left, const FromItem *right)
{
    for (uint32_t i = 0; i < left->relations.count; i++) {
        const ScopeRelation *a = left->relations.items[i];
        for (uint32_t j = 0; j < right->relations.count; j++) {
            const ScopeRelation *b = right->relations.items[j];
            bool is_same = a->name != NULL && b->name != NULL && strcmp(a->name, b->name) == 0;
            bool differ_by_schema = a->schema != NULL && b->schema != NULL &&
                                    strcmp(a->schema, b->schema) != 0;
            if (is_same && !differ_by_schema) {
                return status_at(b->position, SQLSTATE_DUPLICATE_ALIAS,
                                 "table name \"%s\" specified more than once", b->name);
            }
        }
    }
    return STATUS_OK;
}

static void concat_relations(Arena *arena, FromItem *out, const FromItem *source)
{
    for (uint32_t i = 0; i < source->relations.count; i++) {
        AST_LIST_ADD(arena, &out->relations, source->relations.items[i]);
    }
}

static void concat_items(Arena *arena, FromItem *out, const FromItem *source)
{
    for (uint32_t i = 0; i < source->items.count; i++) {
        AST_LIST_ADD(arena, &out->items, source->items.items[i]);
    }
}

static Status find_using(const FromItem *item, const AstWord *name, const char *side,
                         const ScopeItem **out)
{
    const ScopeItem *found = NULL;
    for (uint32_t i = 0; i < item->items.count; i++) {
        if (strcmp(item->items.items[i].name, name->text) != 0) {
            continue;
        }
        if (found != NULL) {
            return status_at(name->position, SQLSTATE_AMBIGUOUS_COLUMN,
                             "common column name \"%s\" appears more than once in %s table",
                             name->text, side);
        }
        found = &item->items.items[i];
    }
    if (found == NULL) {
        return status_at(name->position, SQLSTATE_UNDEFINED_COLUMN,
                         "column \"%s\" specified in USING clause does not exist in %s table",
                         name->text, side);
    }
    *out = found;
    return STATUS_OK;
}

static bool is_in_words(const AstWordList *words, const char *name)
{
    for (uint32_t i = 0; i < words->count; i++) {
        if (strcmp(words->items[i].text, name) == 0) {
            return true;
        }
    }
    return false;
}

// The columns that NATURAL joins by: those of the left side that the right has too.
static AstWordList *natural_columns(Binder *binder, const AstTable *ast, const FromItem *left,
                                    const FromItem *right)
{
    AstWordList *words = ARENA_NEW(binder->arena, AstWordList);
    for (uint32_t i = 0; i < left->items.count; i++) {
        const char *name = left->items.items[i].name;
        bool is_common = false;
        for (uint32_t j = 0; j < right->items.count; j++) {
            is_common = is_common || strcmp(right->items.items[j].name, name) == 0;
        }
        if (is_common) {
            AstWord word = {.text = name, .position = ast->position};
            AST_LIST_ADD(binder->arena, words, word);
        }
    }
    return words;
}

// The one column that USING makes of two: the side that is never missing, or whichever is there.
static Status merge_column(Binder *binder, AstJoinKind join, Expr *left, Expr *right, Expr **out)
{
    if (join == AST_JOIN_RIGHT) {
        *out = right;
        return STATUS_OK;
    }
    if (join != AST_JOIN_FULL) {
        *out = left;
        return STATUS_OK;
    }
    return bind_function(binder, FUNCTION_COALESCE, 2, (Expr *[]){left, right}, left->position,
                         out);
}

static Status bind_using(Binder *binder, const AstTable *ast, const AstWordList *words,
                         const FromItem *left, const FromItem *right, FromItem *out,
                         Expr **condition)
{
    Expr **parts = ARENA_ARRAY(binder->arena, Expr *, words->count + 1);
    for (uint32_t i = 0; i < words->count; i++) {
        const ScopeItem *a = NULL, *b = NULL;
        ScopeItem merged = {.name = words->items[i].text};
        TRY(find_using(left, &words->items[i], "left", &a));
        TRY(find_using(right, &words->items[i], "right", &b));
        TRY(bind_comparison(binder, FUNCTION_EQUAL, a->expr, b->expr, words->items[i].position,
                            &parts[i]));
        TRY(merge_column(binder, ast->join, a->expr, b->expr, &merged.expr));
        AST_LIST_ADD(binder->arena, &out->items, merged);
    }
    const FromItem *sides[2] = {left, right};
    for (int side = 0; side < 2; side++) {
        for (uint32_t i = 0; i < sides[side]->items.count; i++) {
            if (!is_in_words(words, sides[side]->items.items[i].name)) {
                AST_LIST_ADD(binder->arena, &out->items, sides[side]->items.items[i]);
            }
        }
    }
    *condition = words->count == 0 ? NULL : expr_and(binder->arena, words->count, parts);
    return STATUS_OK;
}

static JoinKind join_kind(AstJoinKind kind)
{
    switch (kind) {
    case AST_JOIN_LEFT:
        return JOIN_LEFT;
    case AST_JOIN_RIGHT:
        return JOIN_RIGHT;
    case AST_JOIN_FULL:
        return JOIN_FULL;
    default:
        return JOIN_INNER;
    }
}

static Status bind_on(From *from, const AstTable *ast, const FromItem *joined, Expr **condition)
{
    Scope scope;
    scope_init(&scope, from->outer, from->ctes, joined);
    return bind_condition(from->binder, &scope, ast->condition, CLAUSE_ON, condition);
}

// (a JOIN b) j: only j can be called from outside.
static Status alias_join(From *from, const AstTable *ast, FromItem *item)
{
    ScopeRelation *relation = ARENA_NEW(from->binder->arena, ScopeRelation);
    relation->name = ast->alias;
    relation->position = ast->position;
    relation->column_count = item->items.count;
    relation->columns = ARENA_ARRAY(from->binder->arena, ScopeColumn, item->items.count + 1);
    for (uint32_t i = 0; i < item->items.count; i++) {
        relation->columns[i].name = item->items.items[i].name;
        relation->columns[i].expr = item->items.items[i].expr;
    }
    TRY(apply_column_aliases(ast, relation));
    from_item_init(item, from->binder, item->node, relation);
    return STATUS_OK;
}

static Status bind_join(From *from, const AstTable *ast, const LeftItems *left_items,
                        FromItem *out, bool *is_lateral)
{
    Binder *binder = from->binder;
    FromItem left = {0}, right = {0};
    bool is_right_lateral = false;
    TRY(bind_ref(from, ast->left, left_items, &left, is_lateral));
    LeftItems own = {.item = &left, .outer = left_items};
    TRY(bind_ref(from, ast->right, &own, &right, &is_right_lateral));
    TRY(check_names(&left, &right));
    *out = (FromItem){0};
    concat_relations(binder->arena, out, &left);
    concat_relations(binder->arena, out, &right);
    Expr *condition = NULL;
    const AstWordList *words = ast->is_natural ? natural_columns(binder, ast, &left, &right)
                                               : ast->using_columns;
    if (words != NULL) {
        TRY(bind_using(binder, ast, words, &left, &right, out, &condition));
    } else {
        concat_items(binder->arena, out, &left);
        concat_items(binder->arena, out, &right);
    }
    if (ast->condition != NULL) {
        TRY(bind_on(from, ast, out, &condition));
    }
    out->node = logical_join(binder->arena, join_kind(ast->join), left.node, right.node, condition,
                             0);
    out->node->position = ast->position;
    ((LogicalJoin *)out->node)->is_lateral = is_right_lateral;
    *is_lateral = *is_lateral || is_right_lateral;
    return ast->alias == NULL ? STATUS_OK : alias_join(from, ast, out);
}

static Status bind_ref_kind(From *from, const AstTable *ast, const LeftItems *left, FromItem *out,
                            bool *is_lateral)
{
    switch (ast->kind) {
    case AST_TABLE_NAME:
        return bind_table(from, ast, out);
    case AST_TABLE_SUBQUERY:
        return bind_derived(from, ast, left, out, is_lateral);
    case AST_TABLE_JOIN:
        return bind_join(from, ast, left, out, is_lateral);
    case AST_TABLE_FUNCTION:
        if (strcmp(ast->function->call->name, "unnest") == 0) {
            return bind_unnest(from, ast, left, out);
        }
        break;
    }
    return status_at(ast->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                     "function %s in FROM is not supported yet", ast->function->call->name);
}

static Status bind_ref(From *from, const AstTable *ast, const LeftItems *left, FromItem *out,
                       bool *is_lateral)
{
    TRY(binder_enter(from->binder, 1, ast->position));
    Status status = bind_ref_kind(from, ast, left, out, is_lateral);
    binder_leave(from->binder, 1);
    return status;
}

Status from_item_add_names(FromItem *item, Binder *binder, const FromItem *other)
{
    TRY(check_names(item, other));
    concat_relations(binder->arena, item, other);
    concat_items(binder->arena, item, other);
    return STATUS_OK;
}

Status bind_from(Binder *binder, Scope *outer, CteBinding *ctes, const AstTableList *tables,
                 FromItem *out)
{
    From from = {.binder = binder, .outer = outer, .ctes = ctes};
    FromItem all = {0};
    for (uint32_t i = 0; i < tables->count; i++) {
        FromItem item = {0};
        bool is_lateral = false;
        LeftItems left = {.item = &all};
        TRY(bind_ref(&from, tables->items[i], i == 0 ? NULL : &left, &item, &is_lateral));
        if (i == 0) {
            all = item;
            continue;
        }
        LogicalNode *node =
            logical_join(binder->arena, JOIN_INNER, all.node, item.node, NULL, 0);
        node->position = tables->items[i]->position;
        ((LogicalJoin *)node)->is_lateral = is_lateral;
        all.node = node;
        TRY(from_item_add_names(&all, binder, &item));
    }
    *out = all;
    return STATUS_OK;
}
