/* catalog_functions.c — functions by which clients read the system tables: FORMAT_TYPE. */
#include <stdio.h>
#include <string.h>

#include "compute/functions/function.h"

#define MODIFIER_HEADER_BYTES 4 /* PostgreSQL counts a length word into every modifier */
#define OID_CHAR 1042
#define OID_VARCHAR 1043
#define OID_NUMERIC 1700

/* Types that only clients and the system tables know, beside those of types.def. */
static const struct {
    int64_t oid;
    const char *name;
} oid_names[] = {
    {0, "-"},    {18, "\"char\""},
    {19, "name"}, {25, "text"},
    {26, "oid"},
#define SQL_TYPE(id, number, name, oid, wire_bytes) {oid, name},
#include "base/types/types.def"
#undef SQL_TYPE
};

static const char *name_of(int64_t oid)
{
    for (size_t i = 0; i < sizeof oid_names / sizeof *oid_names; i++) {
        if (oid_names[i].oid == oid) {
            return oid_names[i].name;
        }
    }
    return "???";
}

/* 1043, 24 -> character varying(20); 1700, 655366 -> numeric(10,2); a modifier below 4 is none. */
static Status call_format_type(FunctionFrame *frame, const Slot *args, Slot *result)
{
    const char *name = name_of(args[0].i64);
    int64_t modifier = args[1].i64 - MODIFIER_HEADER_BYTES;
    size_t bytes = strlen(name) + 32;
    char *text = NULL;
    TRY(function_text_space(frame, bytes, &text));
    int length;
    if (args[0].i64 == OID_NUMERIC && modifier >= 0) {
        length = snprintf(text, bytes, "%s(%ld,%ld)", name, (long)(modifier >> 16 & 0xFFFF),
                          (long)(modifier & 0xFFFF));
    } else if ((args[0].i64 == OID_CHAR || args[0].i64 == OID_VARCHAR) && modifier >= 0) {
        length = snprintf(text, bytes, "%s(%ld)", name, (long)modifier);
    } else {
        length = snprintf(text, bytes, "%s", name);
    }
    function_set_text(result, text, (size_t)length);
    return STATUS_OK;
}

const FunctionEntry catalog_functions[] = {
    {FUNCTION_FORMAT_TYPE, call_format_type, NULL, false},
    {0},
};
