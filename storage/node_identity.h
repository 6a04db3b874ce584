/*
 * node_identity.h — whose directory this is: a node of a cluster, in `<directory>/node.json`.
 *
 *   {"cluster": "<32 hex digits>", "node": 2, "sum": "<16 hex digits>"}
 *
 * Invariants: (1) the file is written once, whole; (2) the sum covers what stands before it, so
 * that a damaged file is never another node's; (3) where the file is, the node's database is.
 */
#pragma once
#include "storage/store.h"

typedef struct NodeIdentity {
    uint8_t cluster_id[CLUSTER_ID_BYTES];
    uint32_t node; /* from 1; 0: none yet */
} NodeIdentity;

#define NODE_IDENTITY_NAME "node.json"
/* A directory without the file has node 0. XX001 when the file does not check. */
Status node_identity_read(FileSystem *system, const char *directory, NodeIdentity *out) CHECKED;
Status node_identity_write(FileSystem *system, const char *directory,
                           const NodeIdentity *identity) CHECKED;
