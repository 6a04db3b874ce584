/* node_identity.c — see node_identity.h. */
#include "storage/node_identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define LINE_BYTES_MAX 128
#define PATH_BYTES_MAX 4096
#define IDENTITY_SEED 0

static Status identity_path(const char *directory, char path[PATH_BYTES_MAX])
{
    int bytes = snprintf(path, PATH_BYTES_MAX, "%s/" NODE_IDENTITY_NAME, directory);
    return bytes < PATH_BYTES_MAX ? STATUS_OK
                                  : status_error(SQLSTATE_INVALID_NAME,
                                                 "directory name \"%s\" is too long", directory);
}

/* The one line that says this. */
static int print_line(const NodeIdentity *identity, char line[LINE_BYTES_MAX])
{
    char cluster[2 * CLUSTER_ID_BYTES + 1];
    for (uint32_t i = 0; i < CLUSTER_ID_BYTES; i++) {
        snprintf(cluster + 2 * i, 3, "%02x", identity->cluster_id[i]);
    }
    int bytes = snprintf(line, LINE_BYTES_MAX, "{\"cluster\": \"%s\", \"node\": %u", cluster,
                         identity->node);
    uint64_t sum = hash_bytes(line, (size_t)bytes, IDENTITY_SEED);
    return bytes + snprintf(line + bytes, (size_t)(LINE_BYTES_MAX - bytes),
                            ", \"sum\": \"%016lx\"}\n", (unsigned long)sum);
}

static bool parse_line(const char *line, NodeIdentity *identity)
{
    char cluster[2 * CLUSTER_ID_BYTES + 1] = "";
    if (sscanf(line, "{\"cluster\": \"%32[0-9a-f]\", \"node\": %9u", cluster, &identity->node) !=
            2 ||
        strlen(cluster) != 2 * CLUSTER_ID_BYTES || identity->node == 0) {
        return false;
    }
    for (uint32_t i = 0; i < CLUSTER_ID_BYTES; i++) {
        char digits[3] = {cluster[2 * i], cluster[2 * i + 1], '\0'};
        identity->cluster_id[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return true;
}

Status node_identity_read(FileSystem *system, const char *directory, NodeIdentity *out)
{
    char path[PATH_BYTES_MAX], expected[LINE_BYTES_MAX];
    bool exists = false;
    uint8_t *text = NULL;
    size_t bytes = 0;
    NodeIdentity identity = {.node = 0};
    TRY(identity_path(directory, path));
    TRY(file_exists(system, path, &exists));
    if (!exists) {
        *out = identity;
        return STATUS_OK;
    }
    TRY(file_read_whole(system, path, PATH_BYTES_MAX, &text, &bytes));
    char line[LINE_BYTES_MAX] = "";
    memcpy(line, text, bytes < sizeof line ? bytes : sizeof line - 1);
    bool is_sound = parse_line(line, &identity) &&
                    (size_t)print_line(&identity, expected) == bytes &&
                    memcmp(text, expected, bytes) == 0;
    free(text);
    if (!is_sound) {
        return status_error(SQLSTATE_DATA_CORRUPTED, "the node's identity in \"%s\" does not check",
                            path);
    }
    *out = identity;
    return STATUS_OK;
}

Status node_identity_write(FileSystem *system, const char *directory, const NodeIdentity *identity)
{
    char path[PATH_BYTES_MAX], line[LINE_BYTES_MAX];
    TRY(identity_path(directory, path));
    return file_write_whole(system, path, line, (size_t)print_line(identity, line));
}
