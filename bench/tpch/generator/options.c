/*
 * options.c — reads and checks the command line.
 */
#include "bench/tpch/generator/options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/tpch/generator/fatal.h"

#define SCALE_MIN 0.001
#define SCALE_MAX 100000.0

enum {
    WORKER_COUNT_MAX = 256,
    SEED_DEFAULT = 6,    /* all 22 queries have an answer, even at scale 0.01 */
};

static const char help[] =
    "Usage: tpch_gen [option]...\n"
    "Makes the eight tables of TPC-H as pipe-delimited text files <table>.tbl.\n"
    "\n"
    "  -s, --scale N        scale factor, 0.001 or more; 1 is about 1 GB       [1]\n"
    "  -o, --out DIR        directory of the files, made when missing          [.]\n"
    "  -t, --tables A,B     only these tables                                  [all]\n"
    "  -j, --jobs N         worker threads; the bytes do not depend on it      [all cores]\n"
    "  -c, --chunk K/N      only part K of N of each table, into <table>.tbl.K\n"
    "      --stdout         one table (--tables) to standard output\n"
    "      --trailing-pipe  a pipe also behind the last field of a row\n"
    "      --keys STYLE     integer: as specified; random64: spread over 1 to 2^63-1;\n"
    "                       string36: 36 characters like a UUID                [integer]\n"
    "      --seed N         another data set of the same kind                  [6]\n"
    "  -h, --help           this text\n";

enum { OPTION_STDOUT = 256, OPTION_TRAILING_PIPE, OPTION_KEYS, OPTION_SEED };

static const struct option long_options[] = {
    {"scale", required_argument, NULL, 's'},
    {"out", required_argument, NULL, 'o'},
    {"tables", required_argument, NULL, 't'},
    {"jobs", required_argument, NULL, 'j'},
    {"chunk", required_argument, NULL, 'c'},
    {"stdout", no_argument, NULL, OPTION_STDOUT},
    {"trailing-pipe", no_argument, NULL, OPTION_TRAILING_PIPE},
    {"keys", required_argument, NULL, OPTION_KEYS},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void set_option(Options *options, int option, const char *value);
static void check_options(const Options *options);
static double parse_scale(const char *text);
static uint64_t parse_count(const char *name, const char *text, uint64_t first, uint64_t last);
static void parse_tables(Options *options, const char *text);
static void parse_chunk(Options *options, const char *text);
static KeyStyle parse_key_style(const char *text);

void options_parse(Options *options, int argument_count, char **arguments)
{
    long core_count = sysconf(_SC_NPROCESSORS_ONLN);
    *options = (Options){
        .scale = 1,
        .directory = ".",
        .worker_count = core_count < 1 ? 1 : (unsigned)core_count,
        .part_count = 1,
        .seed = SEED_DEFAULT,
    };
    if (options->worker_count > WORKER_COUNT_MAX) {
        options->worker_count = WORKER_COUNT_MAX;
    }
    int option;
    while ((option = getopt_long(argument_count, arguments, "s:o:t:j:c:h", long_options, NULL)) >=
           0) {
        set_option(options, option, optarg);
    }
    if (optind < argument_count) {
        fatal("unexpected argument \"%s\" (see --help)", arguments[optind]);
    }
    if (options->table_count == 0) {
        for (int i = 0; i < TABLE_COUNT; i++) {
            options->tables[options->table_count++] = tables[i];
        }
    }
    check_options(options);
}

static void set_option(Options *options, int option, const char *value)
{
    switch (option) {
    case 's':
        options->scale = parse_scale(value);
        break;
    case 'o':
        options->directory = value;
        break;
    case 't':
        parse_tables(options, value);
        break;
    case 'j':
        options->worker_count = (unsigned)parse_count("jobs", value, 1, WORKER_COUNT_MAX);
        break;
    case 'c':
        parse_chunk(options, value);
        break;
    case OPTION_STDOUT:
        options->is_stdout = true;
        break;
    case OPTION_TRAILING_PIPE:
        options->has_trailing_pipe = true;
        break;
    case OPTION_KEYS:
        options->key_style = parse_key_style(value);
        break;
    case OPTION_SEED:
        options->seed = parse_count("seed", value, 0, UINT64_MAX);
        break;
    case 'h':
        fputs(help, stdout);
        exit(EXIT_SUCCESS);
    default:
        fatal("see --help");
    }
}

static void check_options(const Options *options)
{
    if (options->is_stdout && options->table_count != 1) {
        fatal("--stdout takes one table: name it with --tables");
    }
}

static double parse_scale(const char *text)
{
    char *end;
    double scale = strtod(text, &end);
    if (end == text || *end != '\0' || !(scale >= SCALE_MIN && scale <= SCALE_MAX)) {
        fatal("--scale takes a number from %g to %.0f, not \"%s\"", SCALE_MIN, SCALE_MAX, text);
    }
    return scale;
}

static uint64_t parse_count(const char *name, const char *text, uint64_t first, uint64_t last)
{
    char *end;
    errno = 0;
    unsigned long long count = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || count < first ||
        count > last) {
        fatal("--%s takes a number from %llu to %llu, not \"%s\"", name,
              (unsigned long long)first, (unsigned long long)last, text);
    }
    return count;
}

static void parse_tables(Options *options, const char *text)
{
    options->table_count = 0;
    while (true) {
        size_t length = strcspn(text, ",");
        const Table *table = table_find(text, length);
        if (table == NULL) {
            fatal("there is no table \"%.*s\"", (int)length, text);
        }
        for (size_t i = 0; i < options->table_count; i++) {
            if (options->tables[i] == table) {
                fatal("table \"%s\" is named twice", table->name);
            }
        }
        options->tables[options->table_count++] = table;
        if (text[length] == '\0') {
            return;
        }
        text += length + 1;
    }
}

static void parse_chunk(Options *options, const char *text)
{
    unsigned long long part = 0;
    unsigned long long count = 0;
    int length = 0;
    if (sscanf(text, "%9llu/%9llu%n", &part, &count, &length) != 2 || text[length] != '\0' ||
        part < 1 || part > count) {
        fatal("--chunk takes K/N with 1 <= K <= N, not \"%s\"", text);
    }
    options->part_index = part - 1;
    options->part_count = count;
}

static KeyStyle parse_key_style(const char *text)
{
    if (strcmp(text, "integer") == 0) {
        return KEY_STYLE_INTEGER;
    }
    if (strcmp(text, "random64") == 0) {
        return KEY_STYLE_RANDOM64;
    }
    if (strcmp(text, "string36") == 0) {
        return KEY_STYLE_STRING36;
    }
    fatal("--keys takes integer, random64 or string36, not \"%s\"", text);
}
