/*
 * structure_scan.h — where fields and rows end in delimited text, found 64 bytes at a step.
 *
 * Each step turns 64 bytes into masks (delimiters, newlines, quotes, backslashes), clears what lies
 * inside quotes or behind a backslash, and keeps the positions of the rest:
 *
 *   a,"b,c",d⏎     delimiters 01001001..  quotes 00100010..  inside 00111100..  ends 01000001..1
 *
 * Rules that need more than one byte of look-ahead (long delimiters, an escape that is not the
 * quote, REMOVEQUOTES) take a byte-by-byte road through the same interface.
 */
#pragma once
#include "base/vector/kernel_level.h"
#include "protocol/copy/copy_options.h"

typedef struct ScanRules {
    uint8_t delimiter[COPY_DELIMITER_BYTES_MAX];
    uint32_t delimiter_bytes;
    uint8_t quote, quote_escape; /* meaningless without has_quotes */
    bool has_quotes;             /* CSV */
    bool has_backslashes;        /* TEXT with escapes */
    bool removes_quotes;         /* fields may be wrapped in ' or " as a whole */
    bool needs_bytewise;
} ScanRules;

void scan_rules_init(ScanRules *rules, const CopyFormat *format);
/* The rules as far as row ends depend on them: neither on delimiters nor on wrapping quotes. */
void scan_rules_init_rows(ScanRules *rules, const CopyFormat *format);

/* What one byte leaves behind for the next; zero at the start of a row. */
typedef struct ScanState {
    uint64_t quoted;  /* all ones inside quotes */
    uint64_t escaped; /* 1: the next byte is protected; 2: if it is a quote or an escape */
    uint8_t opener;   /* REMOVEQUOTES: the quote of the current field; 0: none */
    bool is_inside;   /* REMOVEQUOTES: past the first byte of a field */
} ScanState;

/* Steps over one byte; true when it counts: outside of quotes, no quote itself, not protected. */
bool scan_step(ScanState *state, const ScanRules *rules, uint8_t byte);

/* Row ends of data scanned piece by piece. */
typedef struct RowScan {
    ScanState state;
    size_t last_end;         /* offset behind the last row end; 0: none yet */
    uint64_t line_count;     /* newlines of any kind */
    uint64_t last_end_lines; /* of those up to last_end */
} RowScan;

/* Field and row ends of data scanned piece by piece. */
typedef struct FieldScan {
    ScanState state;
    uint32_t *marks; /* offsets of delimiters and newlines; room for every byte and 16 more */
    uint32_t mark_count;
    uint32_t *row_marks; /* indexes into marks of the newlines; room likewise */
    uint32_t row_count;
    uint64_t high_bits;                           /* nonzero: bytes above 127 were seen */
    bool has_zeroes, has_quotes, has_backslashes; /* seen, outside or inside of anything */
} FieldScan;

/* Scan data[first .. last); the data ends at data[end], last <= end; 64 bytes behind `last` are
 * readable. Offsets are from `data` and fit 32 bits. */
typedef struct ScanKernels {
    void (*rows)(RowScan *scan, const ScanRules *rules, const uint8_t *data, size_t first,
                 size_t last, size_t end);
    void (*fields)(FieldScan *scan, const ScanRules *rules, const uint8_t *data, size_t first,
                   size_t last, size_t end);
} ScanKernels;

/* The kernels for rules and processor. */
const ScanKernels *scan_kernels_choose(const ScanRules *rules);

extern const ScanKernels scan_kernels_bytewise; /* any rules, slowly */
KERNEL_TABLE(ScanKernels, scan_kernels);        /* rules without needs_bytewise */
