/* inspect_role.c — the role `inspect`: dumps and verifies files that Basalt wrote. */
#include <stdio.h>
#include <string.h>

#include "deploy/fault_control.h"
#include "deploy/role.h"
#include "storage/inspect.h"

#define REPORT_BYTES_MAX (1u << 30)

static void help(void)
{
    printf("usage: basalt inspect [--verbose] PATH ...\n\n"
           "Verifies rowset files and databases, or every one below a directory. Each fault is\n"
           "one line naming file, table, column, row group and block.\n\n"
           "  --verbose        print headers, blocks and zone maps too\n"
           "  --fault-points   print the names of the fault points of this build\n"
           "  --help           show this\n\n"
           "exit code: 0 everything is whole, 1 a fault was found, 2 wrong usage\n");
}

static int list_fault_points(void)
{
    if (!fault_control_print_points()) {
        fprintf(stderr, "basalt inspect: this build has no fault points\n");
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

int role_inspect(int argument_count, char **arguments)
{
    bool is_verbose = false;
    int path_count = 0;
    InspectReport total = {0};
    ByteBuffer text;
    for (int i = 0; i < argument_count; i++) {
        if (strcmp(arguments[i], "--help") == 0) {
            help();
            return EXIT_OK;
        }
        if (strcmp(arguments[i], "--fault-points") == 0) {
            return list_fault_points();
        }
        is_verbose = is_verbose || strcmp(arguments[i], "--verbose") == 0;
    }
    for (int i = 0; i < argument_count; i++) {
        if (arguments[i][0] == '-') {
            if (strcmp(arguments[i], "--verbose") != 0) {
                fprintf(stderr, "basalt inspect: unknown option \"%s\"\n", arguments[i]);
                return EXIT_USAGE;
            }
            continue;
        }
        path_count++;
        byte_buffer_init(&text, REPORT_BYTES_MAX);
        Status status = inspect_path(file_system_os(), arguments[i], is_verbose, &text, &total);
        if (text.bytes > 0) {
            fwrite(text.data, 1, text.bytes, stdout);
        }
        byte_buffer_deinit(&text);
        if (status != STATUS_OK) {
            return role_fail(status);
        }
    }
    if (path_count == 0) {
        help();
        return EXIT_USAGE;
    }
    if (total.delete_masks > 0) {
        printf("%lu delete masks, %lu rows\n", (unsigned long)total.delete_masks,
               (unsigned long)total.deleted_rows);
    }
    printf("%lu files, %lu blocks, %lu rows, %lu bytes: %lu faults\n", (unsigned long)total.files,
           (unsigned long)total.blocks, (unsigned long)total.rows, (unsigned long)total.bytes,
           (unsigned long)total.faults);
    return total.faults == 0 ? EXIT_OK : EXIT_FAILED;
}
