/*
 * leader.h — the leader: what clients connect to; catalog, transactions, membership, sessions.
 */
#pragma once
#include "base/host.h"
#include "protocol/cluster/cluster_port.h"

typedef struct Leader Leader;

typedef struct LeaderOptions {
    Host *host;
    Transport *transport;
    ClusterPort *port; /* of the process */
    const char *directory;
    const char *address;              /* base address for nodes */
    const char *listen_address;       /* for clients */
    uint16_t listen_port;             /* 0: any; leader_client_port tells */
    uint32_t node_count, slice_count; /* of a new cluster */
    const char *admin_name;
    const char *admin_password; /* of a new cluster */
    const char *database;       /* its one database: "dev" */
    bool is_local;
} LeaderOptions;

Status leader_create(const LeaderOptions *options, Leader **out) CHECKED;
/* Ends sessions with 57P01, waits for their statements, closes. */
void leader_destroy(Leader *leader);
uint16_t leader_client_port(const Leader *leader);
bool leader_is_ready(const Leader *leader); /* every node has joined */
