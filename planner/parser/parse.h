/*
 * parse.h — text to syntax trees: the Redshift dialect of SQL.
 *
 * Errors speak PostgreSQL's words and carry the position of the offending token: 42601 for syntax,
 * 0A000 for statements of the dialect that Basalt does not know yet, 54001 for nesting beyond the
 * limit, 22021 for bytes that are no UTF-8. Cost is linear in the length of the text.
 */
#pragma once
#include "planner/parser/ast.h"

#define IDENTIFIER_BYTES_MAX 127 /* longer names are cut, as Redshift does */

/* Every statement of `text` (separated by semicolons; empty ones are dropped). Trees live in
 * `arena`; nothing points into `text`. */
Status parse_statements(const char *text, size_t bytes, Arena *arena,
                        AstStatementList *out) CHECKED;

/* One expression alone: a column default as the catalog keeps it. */
Status parse_expression(const char *text, size_t bytes, Arena *arena, AstExpr **out) CHECKED;

/* The word in double quotes when SQL text needs them: reserved words of Basalt and of Redshift,
 * upper case, other characters. Else the word itself. */
const char *quote_identifier(Arena *arena, const char *name);
