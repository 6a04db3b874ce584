/*
 * copy_options.h — what the bytes of a COPY look like: every option that reader and writer know.
 *
 * A CopyFormat starts from a dialect's defaults, takes options one by one in any order, and is
 * finished once: defaults that depend on other options are filled in and conflicts refused. The
 * leader does that; nodes get the encoded result.
 *
 *   dialect    delimiter  NULL     backslash escapes  decimals  empty numbers
 *   REDSHIFT   |          \N       only with ESCAPE   cut       NULL
 *     CSV      ,          \N       -                  cut       NULL
 *   POSTGRES   tab        \N       yes, \n \t \x41    rounded   an error
 *     csv      ,          (empty)  -                  rounded   an error unless NULL matches
 */
#pragma once
#include "base/byte_buffer.h"
#include "base/byte_reader.h"

typedef enum CopyDialect {
    COPY_DIALECT_REDSHIFT, /* COPY t FROM 's3://…' DELIMITER '|' … */
    COPY_DIALECT_POSTGRES  /* COPY t FROM STDIN WITH (FORMAT csv, …), COPY … TO STDOUT */
} CopyDialect;

typedef enum CopyStyle {
    COPY_STYLE_TEXT, /* fields between delimiters, rows between line ends */
    COPY_STYLE_CSV   /* RFC 4180: quoted fields may contain both */
} CopyStyle;

typedef enum CopyEscape {
    COPY_ESCAPE_NONE,
    COPY_ESCAPE_PLAIN,  /* TEXT: a backslash protects the next character (Redshift's ESCAPE) */
    COPY_ESCAPE_CONTROL /* TEXT: and \b \f \n \r \t \v, \101, \x41 stand for bytes (PostgreSQL) */
} CopyEscape;

#define COPY_DELIMITER_BYTES_MAX 8
#define COPY_NULL_BYTES_MAX 64
#define COPY_PATTERN_BYTES_MAX 64
#define COPY_ERRORS_MAX 100000u

typedef struct CopyFormat {
    uint8_t dialect;         /* CopyDialect */
    uint8_t style;           /* CopyStyle */
    uint8_t escape_kind;     /* CopyEscape */
    uint8_t delimiter_bytes; /* 1..COPY_DELIMITER_BYTES_MAX */
    char delimiter[COPY_DELIMITER_BYTES_MAX];
    char quote, quote_escape; /* CSV; equal: a quote is doubled inside quotes */
    char invalid_replacement; /* ACCEPTINVCHARS; 0: invalid UTF-8 is an error */
    uint8_t null_bytes;
    char null_as[COPY_NULL_BYTES_MAX];
    /* Patterns of dates and timestamps; "" and "auto": whatever date_parse takes; for timestamps
     * also "epochsecs" and "epochmillisecs". See date_pattern.h. */
    char date_pattern[COPY_PATTERN_BYTES_MAX], time_pattern[COPY_PATTERN_BYTES_MAX];
    uint64_t header_rows;      /* rows at the start that are no data */
    uint32_t errors_max;       /* bad rows that are passed over; the next one fails the statement */
    bool is_empty_null;        /* EMPTYASNULL: empty texts are NULL */
    bool is_empty_number_null; /* empty fields of other types are NULL whatever NULL AS says */
    bool is_blank_null;        /* BLANKSASNULL: texts of blanks only are NULL */
    bool trims_blanks;         /* TRIMBLANKS: VARCHAR loses trailing blanks */
    bool cuts_columns;         /* TRUNCATECOLUMNS: too long texts are cut */
    bool fills_record;         /* FILLRECORD: missing columns at the end are NULL or empty */
    bool removes_quotes;       /* REMOVEQUOTES */
    bool skips_blank_lines;    /* IGNOREBLANKLINES */
    bool accepts_any_date;     /* ACCEPTANYDATE: a wrong date is NULL */
    bool rounds_decimals;      /* ROUNDEC, and always in PostgreSQL's dialect */
    bool has_explicit_ids;     /* EXPLICIT_IDS, for the binder */
    bool has_header;           /* writing: the column names come first */
    bool forces_quotes;        /* writing CSV: every field but NULL is quoted */
    bool allows_last_delimiter; /* one more delimiter may end a row, as dbgen writes it */
    /* What has been set, so that finishing knows. */
    bool has_delimiter, has_null, has_quote, has_quote_escape;
} CopyFormat;

void copy_format_init(CopyFormat *format, CopyDialect dialect);

/*
 * Sets an option by its name in SQL, in either dialect's spelling and any case: DELIMITER, CSV,
 * QUOTE, ESCAPE, NULL, IGNOREHEADER, HEADER, DATEFORMAT, TIMEFORMAT, MAXERROR, IGNOREALLERRORS,
 * ACCEPTANYDATE, ACCEPTINVCHARS, BLANKSASNULL, EMPTYASNULL, EXPLICIT_IDS, FILLRECORD,
 * IGNOREBLANKLINES, REMOVEQUOTES, ROUNDEC, TRIMBLANKS, TRUNCATECOLUMNS, ENCODING, FORMAT,
 * FORCE_QUOTE, ON_ERROR, FREEZE. `value` null: the bare word. `*is_known` false: not an option of
 * the byte format (COMPUPDATE, GZIP, REGION, …): the caller's business. 22023 for bad values,
 * 0A000 for what is not supported.
 */
Status copy_format_set(CopyFormat *format, const char *name, const char *value,
                       bool *is_known) CHECKED;

/* Fills in dependent defaults and checks that the options go together: 42601, 22023, 0A000. */
Status copy_format_finish(CopyFormat *format) CHECKED;

/* Finished formats: COPY … TO STDOUT and FROM STDIN without options; the same WITH CSV. */
CopyFormat copy_format_postgres_text(void);
CopyFormat copy_format_postgres_csv(void);
CopyFormat copy_format_redshift_text(void);

void copy_format_encode(const CopyFormat *format, ByteBuffer *target);
/* XX001 for bytes that no encoder wrote. */
Status copy_format_decode(ByteReader *reader, CopyFormat *out) CHECKED;
