/*
 * copy_format.c — the options of COPY as an encoded CopyFormat (protocol/copy).
 *
 * A file is read as Redshift reads it, a stream as PostgreSQL does: COPY t FROM '/data/x' has the
 * delimiter | and COPY t FROM STDIN a tab.
 */
#include "planner/binder/binder_internal.h"

#include <string.h>
#include "protocol/copy/copy_options.h"

#define FORMAT_BYTES_MAX 4096

/* Options that say nothing about the bytes, and nothing to us: credentials of stores that are not
 * read, hints about statistics that are always kept. */
static const char *const ignored_options[] = {
    "compupdate", "statupdate", "comprows", "iam_role", "access_key_id", "secret_access_key",
    "session_token", "credentials", "region",
};

static bool is_ignored(const AstOption *option)
{
    for (size_t i = 0; i < sizeof(ignored_options) / sizeof(ignored_options[0]); i++) {
        if (strcmp(ignored_options[i], option->name) == 0) {
            return true;
        }
    }
    return false;
}

static Status not_yet(const AstOption *option, const char *word)
{
    return status_at(option->position, SQLSTATE_FEATURE_NOT_SUPPORTED,
                     "COPY option %s is not supported yet", word);
}

static bool is_value(const AstOption *option, const char *name, const char *value)
{
    return strcmp(option->name, name) == 0 && option->value != NULL &&
           strcmp(option->value, value) == 0;
}

static Status set_option(CopyFormat *format, const AstOption *option, bool *is_gzip)
{
    bool is_known = false;
    const char *value = option->value;
    if (is_value(option, "compression", "gzip")) {
        *is_gzip = true;
        return STATUS_OK;
    }
    if (strcmp(option->name, "compression") == 0 || is_value(option, "format", "parquet") ||
        is_value(option, "format", "orc")) {
        return not_yet(option, value);
    }
    if (option->columns != NULL && option->columns->count == 0) {
        value = "*"; // FORCE_QUOTE *
    }
    Status status = copy_format_set(format, option->name, value, &is_known);
    if (status != STATUS_OK) {
        return status_with_position(status, option->position);
    }
    return is_known || is_ignored(option) ? STATUS_OK : not_yet(option, option->name);
}

Status bind_copy_format(Binder *binder, const AstCopy *copy, size_t *bytes, const void **out,
                        bool *is_gzip)
{
    CopyFormat format;
    *is_gzip = false;
    copy_format_init(&format, copy->is_standard_stream ? COPY_DIALECT_POSTGRES
                                                       : COPY_DIALECT_REDSHIFT);
    for (uint32_t i = 0; i < copy->options.count; i++) {
        TRY(set_option(&format, &copy->options.items[i], is_gzip));
    }
    Status finished = copy_format_finish(&format);
    if (finished != STATUS_OK) { // defaults always go together: some option is to blame
        return status_with_position(finished, copy->options.items[0].position);
    }
    ByteBuffer buffer;
    byte_buffer_init(&buffer, FORMAT_BYTES_MAX);
    copy_format_encode(&format, &buffer);
    Status status = byte_buffer_status(&buffer);
    if (status == STATUS_OK) {
        *bytes = buffer.bytes;
        *out = arena_memdup(binder->arena, buffer.data, buffer.bytes);
    }
    byte_buffer_deinit(&buffer);
    return status;
}
