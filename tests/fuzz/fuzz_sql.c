/*
 * fuzz_sql.c — any bytes as SQL text: the parser answers with statements or with one error whose
 * position lies inside the text.
 */
#include "planner/parser/parse.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    Arena *arena = arena_create(NULL, "fuzz");
    AstStatementList list = {0};
    Status status = parse_statements((const char *)data, bytes, arena, &list);
    if (status != STATUS_OK) {
        require(status_position(status) >= POSITION_NONE);
        require(status_position(status) <= (int32_t)bytes);
        require(status_sqlstate(status) != SQLSTATE_INTERNAL_ERROR);
        status_free(status);
    }
    int32_t end = 0;
    for (uint32_t i = 0; i < list.count; i++) {
        require(list.items[i]->start >= end && list.items[i]->end > list.items[i]->start);
        end = list.items[i]->end;
        require(end <= (int32_t)bytes);
    }
    arena_destroy(arena);
    return 0;
}
