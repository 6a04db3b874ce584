/* copy_format.c — from the options as written to a CopyFormat. */
#include "leader/copy/copy_format.h"

#include <string.h>

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strcmp(name, *names) == 0) {
            return true;
        }
    }
    return false;
}

static const char *const redshift_only[] = {
    "ignoreheader",   "maxerror",    "emptyasnull",     "blanksasnull",     "removequotes",
    "acceptinvchars", "fillrecord",  "truncatecolumns", "ignoreblanklines", "dateformat",
    "timeformat",     "trimblanks",  "roundec",         "acceptanydate",    "explicit_ids",
    "compupdate",     "statupdate",  "gzip",            NULL};

/* Options about loading that change nothing here: statistics and encodings are always chosen. */
static const char *const without_effect[] = {"compupdate", "statupdate", "comprows", NULL};

static const char *const not_built[] = {"iam_role",   "access_key_id", "secret_access_key",
                                        "credentials", "session_token", "region",
                                        "manifest",   "bzip2",         "lzop",
                                        "zstd",       "parquet",       "orc",
                                        "avro",       "json",          "fixedwidth",
                                        "encrypted",  "ssh",           "noload",
                                        "readratio",  NULL};

static CopyDialect choose_dialect(const AstCopy *copy)
{
    if (copy->is_from && !copy->is_standard_stream) {
        return COPY_DIALECT_REDSHIFT;
    }
    for (uint32_t i = 0; i < copy->options.count; i++) {
        if (is_one_of(copy->options.items[i].name, redshift_only)) {
            return COPY_DIALECT_REDSHIFT;
        }
    }
    return COPY_DIALECT_POSTGRES;
}

static Status set_option(CopyFormat *format, const AstOption *option, bool *is_gzip)
{
    if (strcmp(option->name, "gzip") == 0) {
        *is_gzip = true;
        return STATUS_OK;
    }
    if (is_one_of(option->name, without_effect)) {
        return STATUS_OK;
    }
    if (is_one_of(option->name, not_built)) {
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED, "COPY option %s is not built yet",
                            option->name);
    }
    bool is_known = false;
    TRY(copy_format_set(format, option->name, option->value, &is_known));
    return is_known ? STATUS_OK
                    : status_error(SQLSTATE_SYNTAX_ERROR, "option \"%s\" not recognized",
                                   option->name);
}

Status copy_format_of_statement(const AstCopy *copy, CopyFormat *out, bool *is_gzip)
{
    CopyFormat format;
    *is_gzip = false;
    copy_format_init(&format, choose_dialect(copy));
    for (uint32_t i = 0; i < copy->options.count; i++) {
        const AstOption *option = &copy->options.items[i];
        Status status = set_option(&format, option, is_gzip);
        if (status != STATUS_OK) {
            return status_with_position(status, option->position);
        }
    }
    TRY(copy_format_finish(&format));
    *out = format;
    return STATUS_OK;
}
