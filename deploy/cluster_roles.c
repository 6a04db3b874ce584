/* cluster_roles.c — the roles `leader` and `compute`: one process each, joined over tcp. */
#include <stdio.h>
#include <stdlib.h>

#include "compute/node/node.h"
#include "deploy/role.h"
#include "deploy/server_host.h"
#include "leader/leader.h"

static Status open_port(Host *host, ClusterPort **port)
{
    const char *address = setting_text(host->settings, SETTING_CLUSTER_LISTEN);
    TRY(cluster_address_check(address, setting_bool(host->settings, SETTING_CLUSTER_INSECURE)));
    return cluster_port_create(transport_nng(), address, host->budget, port);
}

static Status open_leader(Host *host, ClusterPort *port, const char *password, Leader **leader)
{
    const SettingSet *settings = host->settings;
    uint32_t nodes = (uint32_t)setting_integer(settings, SETTING_CLUSTER_NODES);
    uint32_t slices = (uint32_t)setting_integer(settings, SETTING_CLUSTER_SLICES);
    LeaderOptions options = {
        .host = host,
        .transport = transport_nng(),
        .port = port,
        .directory = setting_text(settings, SETTING_DATA),
        .address = setting_text(settings, SETTING_CLUSTER_LISTEN),
        .listen_address = setting_text(settings, SETTING_LISTEN),
        .listen_port = (uint16_t)setting_integer(settings, SETTING_PORT),
        .node_count = nodes,
        .slice_count = slices == 0 ? 2 * nodes : slices,
        .admin_name = "admin",
        .admin_password = password,
        .database = "dev",
    };
    return leader_create(&options, leader);
}

static Status start_leader(SettingSet *owned_settings, Host **host, ClusterPort **port,
                           Leader **leader)
{
    char *password = NULL;
    bool is_new = false;
    TRY(server_host_create(owned_settings, host));
    FileSystem *files = (*host)->files;
    const char *data = setting_text((*host)->settings, SETTING_DATA);
    TRY(role_lock_directory(files, data));
    TRY(role_admin_password(files, data, &password, &is_new));
    Status status = open_port(*host, port);
    if (status == STATUS_OK) {
        status = open_leader(*host, *port, password, leader);
    }
    if (status == STATUS_OK && is_new) {
        printf("The password of \"admin\" is %s (kept in %s/admin.pgpass).\n", password, data);
    }
    free(password);
    return status;
}

int role_leader(SettingSet *owned_settings)
{
    Host *host = NULL;
    ClusterPort *port = NULL;
    Leader *leader = NULL;
    int code = EXIT_OK;
    role_block_signals();
    Status status = start_leader(owned_settings, &host, &port, &leader);
    if (status != STATUS_OK) {
        code = role_fail(status);
    } else {
        printf("Basalt's leader listens on port %u.\n", (unsigned)leader_client_port(leader));
        fflush(stdout);
        role_wait("serving");
    }
    leader_destroy(leader);
    cluster_port_destroy(port);
    server_host_destroy(host);
    return code;
}

static Status start_compute(SettingSet *owned_settings, Host **host, ClusterPort **port,
                            Node **node)
{
    TRY(server_host_create(owned_settings, host));
    const SettingSet *settings = (*host)->settings;
    TRY(role_lock_directory((*host)->files, setting_text(settings, SETTING_DATA)));
    TRY(open_port(*host, port));
    NodeOptions options = {
        .host = *host,
        .transport = transport_nng(),
        .port = *port,
        .directory = setting_text(settings, SETTING_DATA),
        .address = setting_text(settings, SETTING_CLUSTER_LISTEN),
        .leader_address = setting_text(settings, SETTING_CLUSTER_LEADER),
        .cache_bytes = host_cache_bytes(*host),
    };
    return node_create(&options, node);
}

int role_compute(SettingSet *owned_settings)
{
    Host *host = NULL;
    ClusterPort *port = NULL;
    Node *node = NULL;
    int code = EXIT_OK;
    role_block_signals();
    Status status = start_compute(owned_settings, &host, &port, &node);
    if (status != STATUS_OK) {
        code = role_fail(status);
    } else {
        printf("Basalt's compute node is up.\n");
        fflush(stdout);
        role_wait("serving");
    }
    node_destroy(node);
    cluster_port_destroy(port);
    server_host_destroy(host);
    return code;
}
