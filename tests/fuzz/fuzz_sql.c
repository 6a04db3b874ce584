/*
 * fuzz_sql.c — any bytes as SQL text: the parser answers with statements or with one error whose
 * position lies inside the text. The same bytes as an expression, and, quoted, as a name.
 */
#include <string.h>

#include "planner/parser/parse.h"
#include "tests/fuzz/fuzz.h"

static void require_inside(Status owned_status, size_t bytes)
{
    require(status_position(owned_status) >= POSITION_NONE);
    require(status_position(owned_status) <= (int32_t)bytes);
    require(status_sqlstate(owned_status) != SQLSTATE_INTERNAL_ERROR);
    status_free(owned_status);
}

static void check_statements(const char *text, size_t bytes, Arena *arena)
{
    AstStatementList list = {0};
    Status status = parse_statements(text, bytes, arena, &list);
    if (status != STATUS_OK) {
        require_inside(status, bytes);
        return;
    }
    int32_t end = 0;
    for (uint32_t i = 0; i < list.count; i++) {
        require(list.items[i]->start >= end && list.items[i]->end > list.items[i]->start);
        end = list.items[i]->end;
        require(end <= (int32_t)bytes);
    }
}

static void check_expression(const char *text, size_t bytes, Arena *arena)
{
    AstExpr *expr = NULL;
    Status status = parse_expression(text, bytes, arena, &expr);
    if (status != STATUS_OK) {
        require_inside(status, bytes);
    } else {
        require(expr != NULL);
    }
}

static uint32_t count_quotes(const char *text)
{
    uint32_t count = 0;
    for (; *text != '\0'; text++) {
        count += *text == '"';
    }
    return count;
}

/* A quoted name is read as that name. */
static void check_name(const char *text, size_t bytes, Arena *arena)
{
    AstExpr *expr = NULL;
    const char *name = arena_strndup(arena, text, bytes);
    if (bytes == 0 || bytes > IDENTIFIER_BYTES_MAX || strlen(name) != bytes) {
        return;
    }
    const char *quoted = quote_identifier(arena, name);
    Status status = parse_expression(quoted, strlen(quoted), arena, &expr);
    if (status != STATUS_OK) {
        require(status_sqlstate(status) == SQLSTATE_CHARACTER_NOT_IN_REPERTOIRE);
        status_free(status);
        return;
    }
    require(expr->kind == AST_COLUMN && expr->name_count == 1);
    require(strcmp(expr->names[0], name) == 0);
    plant(count_quotes(name) > 15);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    Arena *arena = arena_create(NULL, "fuzz");
    const char *text = (const char *)data;
    check_statements(text, bytes, arena);
    check_expression(text, bytes, arena);
    check_name(text, bytes, arena);
    arena_destroy(arena);
    return 0;
}
