/*
 * tpch_gen.c — the program: options to jobs, jobs to files.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "bench/tpch/generator/fatal.h"
#include "bench/tpch/generator/options.h"
#include "bench/tpch/generator/produce.h"

static void make_directories(const char *directory);
static void open_output(TableJob *job, const Options *options, char path[PATH_MAX]);

int main(int argument_count, char **arguments)
{
    Options options;
    options_parse(&options, argument_count, arguments);
    static DataSet data_set;
    data_set_init(&data_set, options.scale, options.seed);
    data_set.key_style = options.key_style;
    data_set.has_trailing_pipe = options.has_trailing_pipe;
    if (!options.is_stdout) {
        make_directories(options.directory);
    }

    static TableJob jobs[TABLE_COUNT];
    static char paths[TABLE_COUNT][PATH_MAX];
    for (size_t i = 0; i < options.table_count; i++) {
        const Table *table = options.tables[i];
        uint64_t count = table->unit_count(&data_set);
        jobs[i].table = table;
        jobs[i].first_unit = count * options.part_index / options.part_count;
        jobs[i].end_unit = count * (options.part_index + 1) / options.part_count;
        open_output(&jobs[i], &options, paths[i]);
    }
    produce(&data_set, jobs, options.table_count, options.worker_count);
    for (size_t i = 0; i < options.table_count; i++) {
        output_file_close(&jobs[i].output);
    }
    data_set_deinit(&data_set);
    return EXIT_SUCCESS;
}

/* Makes the directory and those above it that are missing. */
static void make_directories(const char *directory)
{
    char path[PATH_MAX];
    size_t length = strlen(directory);
    if (length >= sizeof(path)) {
        fatal("the path of the directory is too long");
    }
    for (size_t i = 1; i <= length; i++) {
        if (directory[i] == '/' || directory[i] == '\0') {
            memcpy(path, directory, i);
            path[i] = '\0';
            if (mkdir(path, 0755) != 0 && errno != EEXIST) {
                fatal("cannot make directory \"%s\": %s", path, strerror(errno));
            }
        }
    }
}

/* `path` receives the name of the file and must live as long as the job. */
static void open_output(TableJob *job, const Options *options, char path[PATH_MAX])
{
    if (options->is_stdout) {
        output_file_open_stdout(&job->output);
        return;
    }
    int length = options->part_count == 1
                     ? snprintf(path, PATH_MAX, "%s/%s.tbl", options->directory, job->table->name)
                     : snprintf(path, PATH_MAX, "%s/%s.tbl.%llu", options->directory,
                                job->table->name, (unsigned long long)options->part_index + 1);
    if (length >= PATH_MAX) {
        fatal("the path of %s.tbl is too long", job->table->name);
    }
    output_file_open(&job->output, path);
}
