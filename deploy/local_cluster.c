/*
 * local_cluster.c — the role `local`: a leader and N compute nodes in one process.
 *
 * The same code as the cluster with another transport: control over nng inproc, streams by pointer.
 */
#include <stdio.h>
#include <stdlib.h>

#include "compute/node/node.h"
#include "deploy/role.h"
#include "deploy/server_host.h"
#include "leader/leader.h"

#define READY_WAIT_US INT64_C(30000000)
#define LEADER_ADDRESS "inproc://basalt-leader" /* names within this process */

typedef struct LocalCluster {
    Host *host;
    ClusterPort *port;
    Leader *leader;
    uint32_t node_count;
    Node **nodes;
} LocalCluster;

static void close_cluster(LocalCluster *cluster)
{
    // Nodes outlive the leader: its sessions end first, their queries need the nodes to end.
    leader_destroy(cluster->leader);
    for (uint32_t i = 0; i < cluster->node_count; i++) {
        node_destroy(cluster->nodes[i]);
    }
    free(cluster->nodes);
    cluster_port_destroy(cluster->port);
    server_host_destroy(cluster->host);
}

/* A new leader would make a new cluster, which the nodes' data does not belong to. */
static Status check_leader_is_there(FileSystem *files, const char *data)
{
    char path[4096];
    bool has_node = false, has_leader = false;
    uint64_t bytes = 0;
    snprintf(path, sizeof(path), "%s/node1/node.json", data);
    TRY(file_exists(files, path, &has_node));
    snprintf(path, sizeof(path), "%s/leader/leader.db", data);
    TRY(file_exists(files, path, &has_leader));
    if (has_leader) {
        File *file = NULL;
        TRY(file_open(files, path, FILE_READ, &file));
        Status status = file_size(file, &bytes);
        file_close(file);
        TRY(status);
    }
    if (has_node && bytes == 0) {
        return status_with_hint(
            status_error(SQLSTATE_DATA_CORRUPTED,
                         "the leader has lost its database: \"%s\" is missing or empty", path),
            "restore the leader's directory from a copy; the nodes still have their rows");
    }
    return STATUS_OK;
}

static Status open_nodes(LocalCluster *cluster, uint32_t node_count, const char *data)
{
    Host *host = cluster->host;
    const size_t cache = host_cache_bytes(host);
    cluster->nodes = calloc(node_count, sizeof(*cluster->nodes));
    if (cluster->nodes == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for the nodes");
    }
    for (uint32_t i = 0; i < node_count; i++) {
        char directory[4096], address[64];
        snprintf(directory, sizeof(directory), "%s/node%u", data, i + 1);
        // The same at each start: the leader knows a node that has lost its name by it.
        snprintf(address, sizeof(address), "inproc://basalt-node%u", i + 1);
        NodeOptions options = {
            .host = host,
            .transport = transport_nng(),
            .port = cluster->port,
            .directory = directory,
            .address = address,
            .leader_address = LEADER_ADDRESS,
            .cache_bytes = cache / node_count,
            .is_local = true,
        };
        TRY(node_create(&options, &cluster->nodes[i]));
        cluster->node_count++;
    }
    return STATUS_OK;
}

static Status open_leader(LocalCluster *cluster, uint32_t node_count, const char *data,
                          const char *password)
{
    Host *host = cluster->host;
    char directory[4096];
    snprintf(directory, sizeof(directory), "%s/leader", data);
    uint32_t slices = (uint32_t)setting_integer(host->settings, SETTING_CLUSTER_SLICES);
    LeaderOptions options = {
        .host = host,
        .transport = transport_nng(),
        .port = cluster->port,
        .directory = directory,
        .address = LEADER_ADDRESS,
        .listen_address = setting_text(host->settings, SETTING_LISTEN),
        .listen_port = (uint16_t)setting_integer(host->settings, SETTING_PORT),
        .node_count = node_count,
        .slice_count = slices == 0 ? 2 * node_count : slices,
        .admin_name = "admin",
        .admin_password = password,
        .database = "dev",
        .is_local = true,
    };
    return leader_create(&options, &cluster->leader);
}

static Status wait_until_ready(LocalCluster *cluster)
{
    int64_t deadline = clock_monotonic_us() + READY_WAIT_US;
    while (!leader_is_ready(cluster->leader)) {
        if (clock_monotonic_us() > deadline) {
            return status_error(SQLSTATE_CANNOT_CONNECT_NOW, "the nodes did not join in 30 s");
        }
        clock_sleep_us(5000);
    }
    return STATUS_OK;
}

static Status open_cluster(LocalCluster *cluster, SettingSet *owned_settings, char **password,
                           bool *is_new)
{
    TRY(server_host_create(owned_settings, &cluster->host));
    const SettingSet *settings = cluster->host->settings;
    FileSystem *files = cluster->host->files;
    const char *data = setting_text(settings, SETTING_DATA);
    uint32_t node_count = (uint32_t)setting_integer(settings, SETTING_CLUSTER_NODES);
    TRY(role_lock_directory(files, data));
    TRY(role_admin_password(files, data, password, is_new));
    TRY(check_leader_is_there(files, data));
    TRY(cluster_port_create(transport_nng(), NULL, cluster->host->budget, &cluster->port));
    TRY(open_leader(cluster, node_count, data, *password)); // first: nodes beat at once
    TRY(open_nodes(cluster, node_count, data));
    return wait_until_ready(cluster);
}

int role_local(SettingSet *owned_settings)
{
    LocalCluster cluster = {0};
    char *password = NULL;
    bool is_new = false;
    role_block_signals();
    Status status = open_cluster(&cluster, owned_settings, &password, &is_new);
    int code = EXIT_OK;
    if (status != STATUS_OK) {
        code = role_fail(status);
    } else {
        const SettingSet *settings = cluster.host->settings;
        const char *data = setting_text(settings, SETTING_DATA);
        unsigned port = leader_client_port(cluster.leader);
        if (is_new) {
            printf("The password of \"admin\" is %s (kept in %s/admin.pgpass).\n", password, data);
        }
        printf("Basalt is ready: %u node%s, data in %s.\n"
               "  PGPASSFILE=%s/admin.pgpass psql -h localhost -p %u -U admin dev\n",
               cluster.node_count, cluster.node_count == 1 ? "" : "s", data, data, port);
        fflush(stdout);
        role_wait("serving");
    }
    free(password);
    close_cluster(&cluster);
    return code;
}
