/* scan_internal.h — what the files of a scan share: scan.c (what to read), scan_local.c (one
 * worker's loop), scan_column.c (one column of it), scan_base.c (columns that others need),
 * scan_batch.c (rows still kept as INSERT batches), scan_row_ids.c (where rows are),
 * scan_summary.c (what is answered by zone maps). */
#pragma once
#include <stdatomic.h>
#include "storage/block_filter.h"
#include "storage/insert_batch.h"
#include "storage/scan.h"
#include "storage/store_internal.h"
#include "storage/zone_map.h"

#define SCAN_RUNTIME_PREDICATES_MAX 64u
#define SCAN_TAIL_PARTS 4u /* a row group at the tail is split into so many units */

/* A column of the request. */
typedef struct ScanColumnInfo {
    uint32_t column_id;
    Type type;
    const Value *default_value;
} ScanColumnInfo;

/* A rowset or INSERT batch that the snapshot sees. */
typedef struct ScanSource {
    StoredRows *rows;
    const DeleteMask *deleted;  /* null: none */
    const RowsetFooter *footer; /* FILE */
    int32_t *columns;           /* per request column: the rowset's, or -1 */
} ScanSource;

/* What one worker claims: some vectors of a row group, or a whole INSERT batch. */
typedef struct ScanUnit {
    uint32_t source;
    uint16_t row_group;
    uint16_t first_vector, vector_count;
    uint32_t row_count;
    _Atomic(uint8_t) *is_block_counted; /* per column of the request, shared by the parts of a row
                                         * group; null: it is whole */
} ScanUnit;

typedef struct RuntimePredicate {
    ScanPredicate predicate;
    struct RuntimePredicate *next;
} RuntimePredicate;

/* Counters of all workers; added to at the end of each unit, relaxed: they order nothing. */
typedef struct ScanCounters {
    _Atomic uint64_t rows_seen, rows_out, row_groups_read, row_groups_skipped;
    _Atomic uint64_t row_groups_summarized, blocks_read, blocks_from_disk, bytes_read;
} ScanCounters;

struct TableScan {
    ScanRequest request;
    Arena *arena;
    ScanColumnInfo *columns;
    uint32_t source_count;
    ScanSource *sources;
    VisibleRows *visible; /* pins what the sources read */
    uint32_t unit_count;
    ScanUnit *units;
    uint64_t row_estimate;
    uint64_t block_count; /* of requested columns in all row groups */
    uint64_t summarized_rows;
    ScanSummary *summaries;     /* per column; of row groups answered by zone maps */
    _Atomic uint32_t next_unit; /* workers share one counter: units are claimed in storage order */
    _Atomic(RuntimePredicate *) runtime_predicates;
    ScanCounters counters;
};

/* Of one rowset or INSERT batch only, in the order in which its rows are stored (by one local). */
Status table_scan_open_rows(const ScanRequest *request, const VisibleRows *rows, Arena *arena,
                            TableScan **out) CHECKED;
/* What the zone maps of a row group say to a predicate. */
PredicateVerdict scan_check_zone(const TableScan *scan, const ScanSource *source,
                                 uint32_t row_group, const ScanPredicate *predicate);

/* scan_summary.c — takes the row group into the summaries; false when it has to be read. */
bool scan_summarize_group(TableScan *scan, const ScanSource *source, uint32_t row_group,
                          uint64_t alive);

/* Files know ids, people know names: tells an error of reading which table and column (a request's;
 * -1: none in particular) it met. */
Status scan_name_damage(const TableScan *scan, int32_t column, Status owned_status) CHECKED;

/* One column in one worker's hands. */
typedef struct ScanColumn {
    VectorLoader loader; /* first: LAZY vectors come back with it */
    struct TableScanLocal *local;
    uint32_t index;    /* in the request */
    CacheEntry *entry; /* pinned; null when not needed yet */
    DecodeBuffer buffer;
    Vector vector; /* what was decoded of `decoded_vector` */
    uint32_t decoded_vector;
    bool is_decoded;
    uint64_t *window_validity; /* VALIDITY_WORDS, for batches smaller than vectors */
    uint64_t default_lane[2];  /* a constant vector's lane */
} ScanColumn;

/* A column that is not in the request but is the base of one that is. */
typedef struct ScanBase {
    uint32_t column;   /* the rowset's */
    CacheEntry *entry; /* pinned for the unit */
    bool has_buffer;
    DecodeBuffer buffer;
    Vector vector; /* number `decoded_vector` */
    uint32_t decoded_vector;
    bool is_decoded;
} ScanBase;

/* Hands the base columns of a unit to decoders. */
typedef struct ScanBases {
    BaseReader reader;
    TableScanLocal *local;
    uint32_t count;
    ScanBase *bases; /* as many as the request has columns */
} ScanBases;

/* A predicate in one worker's hands, prepared for the unit's block. */
typedef struct ScanFilter {
    ScanPredicate predicate;
    BlockFilter filter;
    uint32_t rank; /* cheaper ones first */
} ScanFilter;

struct TableScanLocal {
    TableScan *scan;
    ScanEvaluator *evaluator;
    Arena *arena;
    bool is_counting; /* batches say how many rows, and nothing of them */
    bool may_mask;
    ScanColumn *columns;
    ScanBases bases;
    Vector *vectors; /* of the batch that is out; the row id's and the node's are the last ones */
    uint32_t vector_count;
    uint32_t filter_count, filter_capacity;
    ScanFilter *filters;
    uint16_t *selection; /* VECTOR_ROWS */
    /* The unit being read. */
    const ScanUnit *unit; /* null: claim the next */
    const ScanSource *source;
    DeletedRows *deleted;          /* of the unit's row group; null: none */
    const uint64_t *deleted_words; /* FILE: the same as DELETE_GROUP_WORDS, when there are some */
    uint64_t *deleted_scratch;     /* of DELETE_GROUP_WORDS; null: not needed yet */
    uint32_t vector, vector_end;   /* next vector, and where the unit ends */
    uint32_t first_row;            /* row group << 16 | row of the vector's first row */
    RowMask mask;                  /* rows of the vector being handed out that passed */
    uint32_t vector_rows, window_start;
    bool is_in_vector;
    uint64_t node_lane[2]; /* the node's number, a constant vector's lane */
    /* INSERT batches. */
    ByteReader reader;
    InsertBatchHead head;
    uint32_t batches_left;
    SharedBatch *shared;
    Arena *unit_arena;
    ScanStatistics counted; /* since the last unit ended */
};

/* scan_column.c */
Status scan_column_init(ScanColumn *column, TableScanLocal *local, uint32_t index) CHECKED;
void scan_column_deinit(ScanColumn *column);
/* Ends a unit: unpins. */
void scan_column_release(ScanColumn *column);
/* The column's block in the present row group; null for columns the rowset lacks. */
Status scan_column_block(ScanColumn *column, const Block **out) CHECKED;
/* The vector as it goes out, for rows window_start .. + row_count: decoded, constant or LAZY. */
void scan_column_put(ScanColumn *column, uint32_t row_count, Vector *out);
/* When nearly all rows are wanted it is cheaper to decode the others, too. */
bool scan_column_is_sparse(uint32_t row_count, uint32_t selected_count);
/* The present vector whole, decoded if it is not. */
Status scan_column_whole(ScanColumn *column, const Vector **out) CHECKED;
void scan_default_vector(const ScanColumnInfo *info, uint64_t lane[2], Vector *out);

/* scan_base.c */
void scan_bases_init(ScanBases *self, TableScanLocal *local);
void scan_bases_deinit(ScanBases *self);
/* Ends a unit: unpins. */
void scan_bases_release(ScanBases *self);

/* scan_row_ids.c — for rows window_start .. + row_count. */
void scan_row_ids_put(TableScanLocal *local, uint32_t row_count, Vector *row_id, Vector *node);

/* scan_batch.c */
Status scan_batch_open(TableScanLocal *local) CHECKED;
/* The next batch of the unit, filtered into `mask`; `*is_done` at the end. */
Status scan_batch_next(TableScanLocal *local, bool *is_done) CHECKED;
void scan_batch_close(TableScanLocal *local);
void scan_batch_put(TableScanLocal *local, uint32_t index, uint32_t row_count, Vector *out);
