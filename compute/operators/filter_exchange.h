/*
 * filter_exchange.h — a runtime filter for scans behind an exchange: all nodes tell all nodes.
 *
 * A join whose probe side arrives over the network tells every node what the keys of its build side
 * are; each node unites what all have told, hands it to its scans, and only then starts them. So
 * rows that would find no partner are not sent at all. Example: customers without orders, the
 * orders distributed by another column: 14,000 customer keys go out, and one order in nine is sent
 * instead of all.
 *
 * A node always tells, also that it has no keys or cannot say: the scans wait for all.
 */
#pragma once
#include "base/vector/predicate.h"
#include "compute/exec/operator.h"

typedef enum FilterKnowledge {
    FILTER_UNKNOWN, /* any key may be there */
    FILTER_NO_KEYS,
    FILTER_KEYS /* the predicates hold for all keys */
} FilterKnowledge;

/* The receiving end on this node: a source that gives no rows and publishes at its end, and the
 * sink that finishes when it has. */
void filter_exchange_create(QueryContext *query, uint32_t filter_id, uint32_t exchange_id,
                            Source **source, Sink **sink);
/* Tells all nodes; once per node and filter. The predicates (a range, a bitmap or a bloom filter)
 * are copied. 08006, 53200, 57014. */
Status filter_exchange_tell(QueryContext *query, uint32_t exchange_id, FilterKnowledge knowledge,
                            const Predicate *predicates, uint32_t predicate_count) CHECKED;
