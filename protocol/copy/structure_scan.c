/* structure_scan.c — the rules of a format, and the scan that knows them all, byte by byte. */
#include "protocol/copy/structure_scan.h"

#include <string.h>

void scan_rules_init(ScanRules *rules, const CopyFormat *format)
{
    *rules = (ScanRules){.delimiter_bytes = format->delimiter_bytes};
    memcpy(rules->delimiter, format->delimiter, format->delimiter_bytes);
    rules->has_quotes = format->style == COPY_STYLE_CSV;
    rules->quote = (uint8_t)format->quote;
    rules->quote_escape = (uint8_t)format->quote_escape;
    rules->has_backslashes = format->escape_kind != COPY_ESCAPE_NONE;
    rules->removes_quotes = format->removes_quotes;
    rules->needs_bytewise = format->delimiter_bytes > 1 || format->removes_quotes ||
                            (rules->has_quotes && rules->quote != rules->quote_escape);
}

void scan_rules_init_rows(ScanRules *rules, const CopyFormat *format)
{
    scan_rules_init(rules, format);
    rules->delimiter_bytes = 1;
    rules->removes_quotes = false;
    rules->needs_bytewise = rules->has_quotes && rules->quote != rules->quote_escape;
}

KERNEL_TABLE_DEFINE(ScanKernels, scan_kernels);

const ScanKernels *scan_kernels_choose(const ScanRules *rules)
{
    return rules->needs_bytewise ? &scan_kernels_bytewise : KERNELS(scan_kernels);
}

typedef enum ByteRole { BYTE_PLAIN, BYTE_DELIMITER, BYTE_ROW_END } ByteRole;

/* A field wrapped in ' or ": the wrap hides delimiters, never a line end, which closes the row. */
static ByteRole role_in_wrapped(ScanState *state, uint8_t byte)
{
    if (state->opener == 0 && !state->is_inside && (byte == '"' || byte == '\'')) {
        state->opener = byte;
        state->is_inside = true;
        return BYTE_PLAIN;
    }
    if (state->opener != 0 && byte != '\n') {
        state->opener = byte == state->opener ? 0 : state->opener;
        return BYTE_PLAIN;
    }
    state->is_inside = true;
    return BYTE_DELIMITER; // it may be one
}

bool scan_step(ScanState *state, const ScanRules *rules, uint8_t byte)
{
    if (state->escaped != 0) {
        bool is_sure = state->escaped == 1;
        state->escaped = 0;
        state->is_inside = true;
        if (is_sure || byte == rules->quote || byte == rules->quote_escape) {
            return false;
        }
    }
    if (rules->has_backslashes && byte == '\\') {
        state->escaped = 1;
        return false;
    }
    if (rules->has_quotes) {
        if (state->quoted != 0 && byte == rules->quote_escape &&
            rules->quote_escape != rules->quote) {
            state->escaped = 2; // it escapes quotes and itself only
            return false;
        }
        if (byte == rules->quote) {
            state->quoted = ~state->quoted;
            return false;
        }
        return state->quoted == 0;
    }
    return !rules->removes_quotes || role_in_wrapped(state, byte) != BYTE_PLAIN;
}

static ByteRole byte_role(ScanState *state, const ScanRules *rules, const uint8_t *data, size_t at,
                          size_t end)
{
    if (!scan_step(state, rules, data[at])) {
        return BYTE_PLAIN;
    }
    ByteRole role = BYTE_PLAIN;
    if (data[at] == '\n') {
        role = BYTE_ROW_END;
    } else if (data[at] == rules->delimiter[0] && end - at >= rules->delimiter_bytes &&
               memcmp(data + at, rules->delimiter, rules->delimiter_bytes) == 0) {
        role = BYTE_DELIMITER;
    }
    if (role != BYTE_PLAIN) {
        state->opener = 0;
        state->is_inside = false;
    }
    return role;
}

static void scan_rows_bytewise(RowScan *scan, const ScanRules *rules, const uint8_t *data,
                               size_t first, size_t last, size_t end)
{
    for (size_t at = first; at < last; at++) {
        ByteRole role = byte_role(&scan->state, rules, data, at, end);
        scan->line_count += data[at] == '\n';
        if (role == BYTE_ROW_END) {
            scan->last_end = at + 1;
            scan->last_end_lines = scan->line_count;
        }
    }
}

static void scan_fields_bytewise(FieldScan *scan, const ScanRules *rules, const uint8_t *data,
                                 size_t first, size_t last, size_t end)
{
    for (size_t at = first; at < last; at++) {
        // A mark inside a long delimiter that has just been passed would be no delimiter.
        uint32_t passed = scan->mark_count == 0 ? 0 : scan->marks[scan->mark_count - 1];
        if (scan->mark_count > 0 && at > passed && data[passed] != '\n' &&
            at < passed + rules->delimiter_bytes) {
            continue;
        }
        ByteRole role = byte_role(&scan->state, rules, data, at, end);
        scan->high_bits |= data[at] & 0x80;
        scan->has_zeroes |= data[at] == 0;
        scan->has_backslashes |= data[at] == '\\';
        scan->has_quotes |= data[at] == '"' || data[at] == '\'' || data[at] == rules->quote;
        if (role == BYTE_ROW_END) {
            scan->row_marks[scan->row_count++] = scan->mark_count;
        }
        if (role != BYTE_PLAIN) {
            scan->marks[scan->mark_count++] = (uint32_t)at;
        }
    }
}

const ScanKernels scan_kernels_bytewise = {.rows = scan_rows_bytewise,
                                           .fields = scan_fields_bytewise};
