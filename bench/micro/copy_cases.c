/* copy_cases.c — COPY of a file of text as TPC-H's lineitem has it: read, split, parsed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/micro/operator_case.h"
#include "compute/operators/copy_read.h"
#include "protocol/copy/copy_options.h"

enum { ROWS = 256 << 10, COLUMNS = 16, LINE_BYTES_MAX = 400 };

static char path[4200];
static double text_bytes;

static int put_date(char *target)
{
    return sprintf(target, "199%u-%02u-%02u|", (unsigned)draw(9), 1 + (unsigned)draw(12),
                   1 + (unsigned)draw(28));
}

static int put_line(char *line, uint32_t row)
{
    static const char *const hows[] = {"DELIVER IN PERSON", "COLLECT COD", "NONE",
                                       "TAKE BACK RETURN"};
    static const char *const modes[] = {"AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"};
    int bytes =
        sprintf(line, "%u|%u|%u|%u|%u|%u.%02u|0.%02u|0.%02u|%c|%c|", row,
                1 + (unsigned)draw(200000), 1 + (unsigned)draw(10000), 1 + (unsigned)draw(7),
                1 + (unsigned)draw(50), 900 + (unsigned)draw(100000), (unsigned)draw(100),
                (unsigned)draw(11), (unsigned)draw(9), "ANR"[draw(3)], "FO"[draw(2)]);
    for (int i = 0; i < 3; i++) {
        bytes += put_date(line + bytes);
    }
    bytes += sprintf(line + bytes, "%s|%s|", hows[draw(4)], modes[draw(7)]);
    char comment[MADE_TEXT_BYTES_MAX];
    const size_t length = made_comment(row, 0, comment);
    const size_t kept = length > 43 ? 43 : length;
    memcpy(line + bytes, comment, kept);
    line[bytes + (int)kept] = '\n';
    return bytes + (int)kept + 1;
}

static void write_file(void)
{
    snprintf(path, sizeof path, "%s/lineitem", engine_world.directory);
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    for (uint32_t row = 0; row < ROWS; row++) {
        char line[LINE_BYTES_MAX];
        const int bytes = put_line(line, row);
        fwrite(line, 1, (size_t)bytes, file);
        text_bytes += bytes;
    }
    if (fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

void copy_cases_close(void)
{
    if (text_bytes > 0) {
        remove(path);
    }
}

static Type type_of_field(uint32_t field)
{
    static const char letters[COLUMNS + 1] = "iiiippppccdddvvv";
    return made_type(letters[field]);
}

static double run_copy(OperatorCase *self)
{
    static struct PlanTableColumn columns[COLUMNS];
    static uint32_t targets[COLUMNS];
    PlanTable table = {
        .name = "lineitem", .column_count = COLUMNS, .columns = columns, .distribution_column = -1};
    const char *paths[1] = {path};
    if (text_bytes == 0) {
        write_file();
    }
    QueryContext *query = bench_query_begin();
    Type *types = ARENA_ARRAY(query->arena, Type, COLUMNS);
    for (uint32_t c = 0; c < COLUMNS; c++) {
        types[c] = type_of_field(c);
        targets[c] = c;
        columns[c] = (struct PlanTableColumn){.column_id = c + 1,
                                              .name = "column",
                                              .type = types[c],
                                              .default_value = value_null(types[c])};
    }
    const CopyFormat format = copy_format_redshift_text();
    ByteBuffer encoded;
    byte_buffer_init(&encoded, 1 << 16);
    copy_format_encode(&format, &encoded);
    const PlanCopyRead plan = {
        .node = {.kind = PLAN_COPY_READ, .id = 1, .output_count = COLUMNS, .output_types = types},
        .table = &table,
        .path_count = 1,
        .paths = paths,
        .column_count = COLUMNS,
        .columns = targets,
        .format_bytes = encoded.bytes,
        .format = encoded.data};
    Source *source;
    must(copy_read_create(query, &plan, &source));
    void *local = source_start(source);
    const double start = cpu_ns();
    const uint64_t rows = source_drain(source, local, COLUMNS);
    const double ns = cpu_ns() - start;
    ASSERT(rows == ROWS);
    source_close(source, local);
    byte_buffer_deinit(&encoded);
    bench_query_end();
    snprintf(self->note, sizeof self->note, "%.0f bytes per row, 16 fields; gate 0.5 GB/s",
             text_bytes / ROWS);
    return ns / text_bytes;
}

static OperatorCase copy_case = {
    .name = "COPY of text", .unit = "byte", .gate_ns = 2, .run = run_copy};

void copy_cases_add(void)
{
    operator_case_add(&copy_case);
}
