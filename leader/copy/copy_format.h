/* copy_format.h — the options of a COPY statement as a format of bytes. */
#pragma once
#include "planner/binder/bind.h"
#include "protocol/copy/copy_options.h"

/*
 * Server files are read in Redshift's dialect, the client's stream in PostgreSQL's unless an option
 * that only Redshift knows stands among them. `*is_gzip`: the bytes are compressed. 42601 for
 * unknown options, 22023 for bad values, 0A000 for what is not built; all with the option's place.
 */
Status copy_format_of_statement(const AstCopy *copy, CopyFormat *out, bool *is_gzip) CHECKED;
