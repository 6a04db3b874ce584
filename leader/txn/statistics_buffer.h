/*
 * statistics_buffer.h — what small writes tell about their tables, gathered until it is worth a
 * version of the catalog.
 *
 * Merging a table's sample and sketches costs some 0.2 ms and writes 40 KiB: fine for a COPY, too
 * much for each of 5,000 INSERTs a second. A table of at least 256 rows gets its statistics once
 * they are a 64th of its rows; estimates are behind by that much at most. A crash loses what waits
 * here: statistics, never rows.
 */
#pragma once
#include "leader/catalog/catalog.h"

typedef struct StatisticsBuffer StatisticsBuffer;

StatisticsBuffer *statistics_buffer_create(void);
void statistics_buffer_destroy(StatisticsBuffer *buffer);
/* `*out` is what to apply now instead of `changes`, in `arena`: the same less the statistics that
 * wait, and with those whose time has come. XX001, 53200. */
Status statistics_buffer_filter(StatisticsBuffer *buffer, const CatalogVersion *version,
                                const CatalogChangeList *changes, Arena *arena,
                                CatalogChangeList *out) CHECKED;
