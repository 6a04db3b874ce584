/*
 * place.h — from a logical node to the steps that compute it, one per distribution worth keeping.
 *
 * Inside the distributor only. `needed` says which of the node's columns its user reads.
 */
#pragma once
#include "planner/distributor/step.h"

/* `is_ordered`: the node's order reaches the client, so a sort must end at the leader. */
Status place_node(Placer *placer, LogicalNode *node, const ColumnSet *needed, bool is_ordered,
                  StepList *out) CHECKED;
Status place_join(Placer *placer, LogicalJoin *join, const ColumnSet *needed,
                  StepList *out) CHECKED;
Status place_aggregate(Placer *placer, LogicalAggregate *aggregate, const ColumnSet *needed,
                       StepList *out) CHECKED;
Status place_sort(Placer *placer, LogicalSort *sort, uint64_t limit, uint64_t offset,
                  const ColumnSet *needed, bool is_ordered, StepList *out) CHECKED;
Status place_limit(Placer *placer, LogicalLimit *limit, const ColumnSet *needed, bool is_ordered,
                   StepList *out) CHECKED;
Status place_window(Placer *placer, LogicalWindow *window, const ColumnSet *needed,
                    StepList *out) CHECKED;
Status place_insert(Placer *placer, LogicalInsert *insert, StepList *out) CHECKED;
Status place_delete(Placer *placer, LogicalDelete *deletion, StepList *out) CHECKED;
Status place_change(Placer *placer, LogicalChange *change, StepList *out) CHECKED;
Status place_copy(Placer *placer, LogicalCopy *copy, StepList *out) CHECKED;
Status place_vacuum(Placer *placer, LogicalVacuum *vacuum, StepList *out) CHECKED;
/* The distribution a table's rows have, or new rows must get, over these column numbers. */
Distribution placer_table_distribution(const Placer *placer, const CatalogTable *table,
                                       ColumnNumber distribution_column);
/* By which of these columns rows may move so that equal ones meet: all of them, each alone, all but
 * one. Fewer than all must have values enough; what is above may want just those. */
enum { PLACES_ALONE_MAX = 8, PLACES_BY_COLUMNS_MAX = 1 + PLACES_ALONE_MAX + DISTRIBUTION_KEYS_MAX };
uint32_t placer_by_columns(const Placer *placer, const ColumnNumber *columns, uint32_t count,
                           Distribution places[PLACES_BY_COLUMNS_MAX]);
/* Fewest nodes' worth of parallelism: SINGLE with one node, else `kind`. */
Distribution placer_spread(const Placer *placer, DistributionKind kind);
