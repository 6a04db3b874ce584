/* leader.c — puts the leader together and takes it apart. */
#include "leader/insert_group.h"
#include "leader/leader_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/vector/distribution_hash.h"
#include "compute/exec/spill.h"
#include "leader/vacuum/idle_merge.h"
#include "protocol/pgwire/auth_scram.h"

/* Calls to the node and streams with it have ended with 08006 by themselves. */
static void node_lost(void *object, uint32_t node, Status reason)
{
    (void)object;
    (void)node; // the reason names it
    log_status(LOG_WARN, "statements_fail", reason);
}

static void fill_bucket_nodes(Leader *leader, uint32_t *bucket_nodes)
{
    uint32_t count = 0;
    const MessageSlice *slices = commit_log_slices(leader->log, &count);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t b = slices[i].first_bucket; b <= slices[i].last_bucket; b++) {
            bucket_nodes[b] = slices[i].node;
        }
    }
}

static Status start(Leader *leader, const LeaderOptions *options)
{
    ScramVerifier verifier;
    char verifier_text[SCRAM_VERIFIER_TEXT_BYTES];
    TRY(scram_verifier_create(&verifier, options->admin_password));
    scram_verifier_print(&verifier, verifier_text);
    CommitLogOptions log_options = {
        .files = options->host->files,
        .directory = options->directory,
        .node_count = options->node_count,
        .slice_count = options->slice_count,
        .admin_name = options->admin_name,
        .admin_verifier = verifier_text,
        .metadata_log_bytes =
            (uint64_t)setting_integer(options->host->settings, SETTING_METADATA_LOG_BYTES),
    };
    TRY(commit_log_open(&log_options, &leader->log));
    TRY(stream_hub_create(options->port, 0, &leader->hub));
    if (!options->is_local) {
        cluster_port_set_epoch(options->port, commit_log_epoch(leader->log));
    }
    uint32_t *bucket_nodes = ARENA_ARRAY(leader->arena, uint32_t, BUCKET_COUNT);
    fill_bucket_nodes(leader, bucket_nodes);
    const char *spill = arena_printf(leader->arena, "%s/spill", options->directory);
    TRY(spill_directory_open(options->host->files, spill));
    NodesOptions nodes_options = {
        .transport = options->transport,
        .port = options->port,
        .log = leader->log,
        .address = arena_strdup(leader->arena, options->address),
        .is_local = options->is_local,
        .lost = node_lost,
        .object = leader,
    };
    TRY(nodes_create(&nodes_options, &leader->nodes));
    leader->services = (QueryServices){
        .host = options->host,
        .nodes = leader->nodes,
        .log = leader->log,
        .hub = leader->hub,
        .budget = leader->budget,
        .bucket_nodes = bucket_nodes,
        .spill_directory = spill,
    };
    leader->identities = identity_numbers_create();
    if (leader->identities == NULL) {
        return status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for the leader");
    }
    ServerOptions server_options = {
        .leader = leader,
        .address = options->listen_address,
        .port = options->listen_port,
        .session_threads =
            (uint32_t)setting_integer(options->host->settings, SETTING_SESSION_THREADS),
        .connections_max =
            (uint32_t)setting_integer(options->host->settings, SETTING_MAX_CONNECTIONS),
    };
    TRY(server_create(&server_options, &leader->server));
    TRY(server_start(leader->server));
    return idle_merge_start(leader);
}

Status leader_create(const LeaderOptions *options, Leader **out)
{
    Arena *arena = arena_create(NULL, "leader");
    Leader *leader = ARENA_NEW(arena, Leader);
    leader->arena = arena;
    leader->host = options->host;
    merge_gate_init(&leader->merge_gate);
    change_gate_init(&leader->change_gate);
    leader->database = arena_strdup(arena, options->database);
    leader->start_us = clock_wall_us();
    leader->budget = memory_budget_create(NULL, options->host->budget, "leader", 0);
    leader->insert_groups = insert_groups_create();
    leader->table_locks = table_locks_create();
    leader->sort_advice = sort_advice_create();
    Status status =
        leader->budget == NULL || leader->insert_groups == NULL || leader->table_locks == NULL ||
                leader->sort_advice == NULL
            ? status_error(SQLSTATE_OUT_OF_MEMORY, "no memory for a leader")
            : start(leader, options);
    if (status != STATUS_OK) {
        leader_destroy(leader);
        return status;
    }
    log_info("leader_ready", "port=%u epoch=%lu nodes=%u", server_port(leader->server),
             (unsigned long)commit_log_epoch(leader->log), commit_log_node_count(leader->log));
    *out = leader;
    return STATUS_OK;
}

void leader_destroy(Leader *leader)
{
    if (leader == NULL) {
        return;
    }
    idle_merge_stop(leader);
    server_destroy(leader->server);
    identity_numbers_destroy(leader->identities);
    nodes_destroy(leader->nodes);
    stream_hub_destroy(leader->hub);
    commit_log_close(leader->log);
    insert_groups_destroy(leader->insert_groups);
    sort_advice_destroy(leader->sort_advice);
    table_locks_destroy(leader->table_locks);
    memory_budget_destroy(leader->budget);
    change_gate_deinit(&leader->change_gate);
    merge_gate_deinit(&leader->merge_gate);
    arena_destroy(leader->arena);
}

uint16_t leader_client_port(const Leader *leader)
{
    return server_port(leader->server);
}

bool leader_is_ready(const Leader *leader)
{
    return nodes_are_ready(leader->nodes);
}
