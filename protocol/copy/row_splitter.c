/* row_splitter.c — blocks of whole rows; see row_splitter.h. */
#include "protocol/copy/row_splitter.h"

#include <string.h>

#include "base/heap.h"
#include "protocol/copy/structure_scan.h"

typedef enum LineEnd {
    LINE_END_UNKNOWN, /* no row end has been seen */
    LINE_END_LF,      /* or CRLF: the newline decides */
    LINE_END_CR
} LineEnd;

struct RowSplitter {
    MemoryBudget *budget;
    const ScanKernels *kernels;
    ScanRules rules;
    uint64_t header_rows; /* of every file */
    size_t block_bytes;
    uint8_t *data; /* capacity + 1 bytes: a last newline always fits */
    size_t bytes, capacity;
    size_t scanned; /* bytes that `scan` has seen */
    RowScan scan;
    uint64_t lines_before; /* newlines of the file before data[0] */
    uint64_t header_rows_left;
    LineEnd line_end;
    size_t looked; /* bytes searched for the first row end, and the state there */
    ScanState looked_state;
    bool is_past_mark; /* the byte order mark has been looked for */
};

static Status make_room(RowSplitter *splitter);
static void prepare(RowSplitter *splitter, bool is_end);
static void drop_mark(RowSplitter *splitter, bool is_end);
static bool find_line_end(RowSplitter *splitter, bool is_end);
static void drop_header(RowSplitter *splitter);
static Status cut(RowSplitter *splitter, RowBlock *out);
static void restart(RowSplitter *splitter);

void row_block_free(MemoryBudget *budget, RowBlock *block)
{
    memory_free(budget, block->data, block->capacity);
    *block = (RowBlock){.data = NULL};
}

Status row_splitter_create(const CopyFormat *format, MemoryBudget *budget, size_t block_bytes,
                           RowSplitter **out)
{
    RowSplitter *splitter = heap_alloc_zeroed(sizeof(*splitter));
    if (splitter == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a row splitter");
    }
    ASSERT(block_bytes >= 4);
    splitter->budget = budget;
    splitter->block_bytes = block_bytes;
    splitter->header_rows = format->header_rows;
    scan_rules_init_rows(&splitter->rules, format);
    splitter->kernels = scan_kernels_choose(&splitter->rules);
    restart(splitter);
    *out = splitter;
    return STATUS_OK;
}

void row_splitter_destroy(RowSplitter *splitter)
{
    if (splitter == NULL) {
        return;
    }
    if (splitter->data != NULL) {
        memory_free(splitter->budget, splitter->data, splitter->capacity + 1);
    }
    heap_free(splitter);
}

Status row_splitter_add(RowSplitter *splitter, const void *data, size_t bytes, size_t *taken,
                        RowBlock *out)
{
    *out = (RowBlock){.data = NULL};
    *taken = 0;
    TRY(make_room(splitter));
    size_t room = splitter->capacity - splitter->bytes;
    *taken = bytes < room ? bytes : room;
    memcpy(splitter->data + splitter->bytes, data, *taken);
    splitter->bytes += *taken;
    prepare(splitter, false);
    if (splitter->bytes < splitter->capacity || splitter->scan.last_end == 0) {
        return STATUS_OK;
    }
    return cut(splitter, out);
}

Status row_splitter_finish(RowSplitter *splitter, RowBlock *out)
{
    *out = (RowBlock){.data = NULL};
    prepare(splitter, true);
    if (splitter->bytes > 0 && splitter->header_rows_left == 0) {
        // A row without its newline; one that ends inside quotes stays as it is, for the reader
        // to complain about.
        if (splitter->data[splitter->bytes - 1] != '\n' && splitter->scan.state.quoted == 0) {
            splitter->data[splitter->bytes++] = '\n';
        }
        *out = (RowBlock){
            .data = splitter->data,
            .bytes = splitter->bytes,
            .capacity = splitter->capacity + 1,
            .first_line = splitter->lines_before + 1,
        };
        splitter->data = NULL;
        splitter->capacity = 0;
    }
    restart(splitter);
    return STATUS_OK;
}

static void restart(RowSplitter *splitter)
{
    splitter->bytes = 0;
    splitter->scanned = 0;
    splitter->scan = (RowScan){.last_end = 0};
    splitter->lines_before = 0;
    splitter->header_rows_left = splitter->header_rows;
    splitter->line_end = LINE_END_UNKNOWN;
    splitter->looked = 0;
    splitter->looked_state = (ScanState){.quoted = 0};
    splitter->is_past_mark = false;
}

/* Room for at least one more byte. A buffer that is full without a row end doubles. */
static Status make_room(RowSplitter *splitter)
{
    if (splitter->bytes < splitter->capacity) {
        return STATUS_OK;
    }
    size_t capacity =
        splitter->capacity == 0 ? splitter->block_bytes - 1 : splitter->capacity * 2 + 1;
    if (splitter->capacity >= COPY_ROW_BYTES_MAX) {
        return status_error(SQLSTATE_PROGRAM_LIMIT_EXCEEDED,
                            "row at line %llu of COPY is longer than %u bytes",
                            (unsigned long long)splitter->lines_before + 1, COPY_ROW_BYTES_MAX);
    }
    uint8_t *data = memory_alloc(splitter->budget, capacity + 1);
    if (data == NULL) {
        return memory_refused(splitter->budget, capacity + 1, "a block of COPY rows");
    }
    if (splitter->data != NULL) {
        memcpy(data, splitter->data, splitter->bytes);
        memory_free(splitter->budget, splitter->data, splitter->capacity + 1);
    }
    splitter->data = data;
    splitter->capacity = capacity;
    return STATUS_OK;
}

/* Removes the first `bytes` of the buffer. */
static void drop(RowSplitter *splitter, size_t bytes)
{
    if (bytes == 0) {
        return;
    }
    splitter->bytes -= bytes;
    memmove(splitter->data, splitter->data + bytes, splitter->bytes);
}

/* Lone carriage returns outside of quotes become newlines, from `scanned` on. */
static void rewrite_line_ends(RowSplitter *splitter)
{
    ScanState state = splitter->scan.state;
    for (size_t i = splitter->scanned; i < splitter->bytes; i++) {
        uint8_t *byte = &splitter->data[i];
        if (scan_step(&state, &splitter->rules, *byte) && *byte == '\r') {
            *byte = '\n';
        }
    }
}

/* Brings everything that is known about the buffered bytes up to date. */
static void prepare(RowSplitter *splitter, bool is_end)
{
    drop_mark(splitter, is_end);
    if (!splitter->is_past_mark || !find_line_end(splitter, is_end)) {
        return;
    }
    if (splitter->line_end == LINE_END_CR) {
        rewrite_line_ends(splitter);
    }
    if (splitter->header_rows_left > 0) {
        drop_header(splitter);
    }
    if (splitter->bytes > splitter->scanned) {
        splitter->kernels->rows(&splitter->scan, &splitter->rules, splitter->data,
                                splitter->scanned, splitter->bytes, splitter->bytes);
        splitter->scanned = splitter->bytes;
    }
}

/* The byte order mark of UTF-8, at the very start. */
static void drop_mark(RowSplitter *splitter, bool is_end)
{
    static const uint8_t mark[3] = {0xEF, 0xBB, 0xBF};
    if (splitter->is_past_mark) {
        return;
    }
    size_t known = splitter->bytes < sizeof(mark) ? splitter->bytes : sizeof(mark);
    if (memcmp(splitter->data == NULL ? mark : splitter->data, mark, known) != 0) {
        splitter->is_past_mark = true;
    } else if (known == sizeof(mark)) {
        drop(splitter, sizeof(mark));
        splitter->is_past_mark = true;
    } else {
        splitter->is_past_mark = is_end;
    }
}

/* Looks at the first row end of the file; true when scanning may go on. */
static bool find_line_end(RowSplitter *splitter, bool is_end)
{
    if (splitter->line_end != LINE_END_UNKNOWN) {
        return true;
    }
    for (; splitter->looked < splitter->bytes; splitter->looked++) {
        size_t at = splitter->looked;
        uint8_t byte = splitter->data[at];
        bool is_last = at + 1 == splitter->bytes;
        if (byte == '\r' && is_last && !is_end) {
            return false; // the next byte decides
        }
        bool counts = scan_step(&splitter->looked_state, &splitter->rules, byte);
        if (counts && (byte == '\n' || byte == '\r')) {
            bool is_lone = byte == '\r' && (is_last || splitter->data[at + 1] != '\n');
            splitter->line_end = is_lone ? LINE_END_CR : LINE_END_LF;
            return true;
        }
    }
    return is_end;
}

/* Drops header rows as far as they have arrived. */
static void drop_header(RowSplitter *splitter)
{
    RowScan *scan = &splitter->scan;
    while (splitter->header_rows_left > 0 && splitter->scanned < splitter->bytes) {
        // One byte at a time: each row end counts.
        size_t end_before = scan->last_end;
        size_t at = splitter->scanned++;
        scan_kernels_bytewise.rows(scan, &splitter->rules, splitter->data, at, at + 1,
                                   splitter->bytes);
        splitter->header_rows_left -= scan->last_end != end_before;
    }
    splitter->lines_before += scan->last_end_lines;
    drop(splitter, scan->last_end);
    splitter->scanned -= scan->last_end;
    scan->line_count -= scan->last_end_lines;
    scan->last_end = 0;
    scan->last_end_lines = 0;
}

/* Hands out the whole rows and goes on with the rest in a buffer of its own. */
static Status cut(RowSplitter *splitter, RowBlock *out)
{
    size_t end = splitter->scan.last_end;
    size_t rest = splitter->bytes - end;
    size_t capacity = splitter->block_bytes - 1;
    while (capacity <= rest) {
        capacity = capacity * 2 + 1;
    }
    uint8_t *data = memory_alloc(splitter->budget, capacity + 1);
    if (data == NULL) {
        return memory_refused(splitter->budget, capacity + 1, "a block of COPY rows");
    }
    memcpy(data, splitter->data + end, rest);
    *out = (RowBlock){
        .data = splitter->data,
        .bytes = end,
        .capacity = splitter->capacity + 1,
        .first_line = splitter->lines_before + 1,
    };
    splitter->data = data;
    splitter->capacity = capacity;
    splitter->bytes = rest;
    splitter->scanned = rest;
    splitter->lines_before += splitter->scan.last_end_lines;
    splitter->scan.line_count -= splitter->scan.last_end_lines;
    splitter->scan.last_end = 0;
    splitter->scan.last_end_lines = 0;
    return STATUS_OK;
}
