/*
 * catalog_view.h — the questions the planner asks about tables; the leader answers them.
 *
 * Answers are immutable and live as long as the query's arena. The planner knows no other catalog.
 */
#pragma once
#include "base/arena.h"
#include "base/types/type.h"
#include "base/vector/batch.h"
#include "planner/plan/plan.h"

typedef struct CatalogColumn {
    uint32_t column_id;
    const char *name;
    Type type;
    bool is_not_null;
    const char *default_text;    /* SQL expression as written, or null */
    const char *encoding_text;   /* ENCODE word as written, or null */
    uint32_t attribute_number;   /* pg_attribute.attnum */
    const char *source_name;     /* views: what their query calls it; null: not known */
    bool is_identity, is_identity_by_default;
    int64_t identity_seed, identity_step;
    Value missing_value;         /* what rows have that were written before it was added */
} CatalogColumn;

/* Statistics of a column, gathered at load. */
typedef struct ColumnStatistics {
    bool is_known;
    double distinct_count;       /* HyperLogLog estimate, exact where known */
    double null_fraction;
    bool has_bounds;
    Value min, max;
    double average_bytes;        /* text */
} ColumnStatistics;

typedef enum CatalogTableKind {
    CATALOG_TABLE, CATALOG_VIEW, CATALOG_VIRTUAL /* system tables computed on the leader */
} CatalogTableKind;

typedef struct CatalogTable {
    uint64_t table_id;
    const char *schema_name, *name;
    CatalogTableKind kind;
    uint32_t generation;         /* how often it was altered */
    uint64_t identity_next;      /* number of the next row's identity, from 0; at least */
    uint32_t next_column_id;     /* ids of dropped columns are not given again */
    uint32_t column_count;
    CatalogColumn *columns;
    DistributionStyle style;     /* AUTO already resolved */
    bool is_auto_style;
    int32_t distribution_column; /* index into columns; -1 */
    uint32_t sort_key_count;
    uint32_t *sort_keys;         /* indexes into columns */
    bool is_interleaved;         /* the sort keys */
    bool is_auto_sorted;         /* SORTKEY AUTO: the keys, if any, were chosen by what was asked */
    const char *view_text;       /* CATALOG_VIEW: its SELECT */
    double row_count;            /* exact as of the snapshot; virtual tables: a guess */
    ColumnStatistics *statistics; /* per column */
    const Batch *sample;         /* up to 10,000 rows in batches, or null */
    uint32_t sample_batch_count;
} CatalogTable;

typedef struct CatalogView {
    void *self;
    /* `schema` null: search the search path. `*out` null when there is no such table. */
    Status (*find_table)(void *self, const char *schema, const char *name, Arena *arena,
                         const CatalogTable **out);
    bool (*schema_exists)(void *self, const char *schema);
    const char *(*current_schema)(void *self);
    const char *(*temporary_schema)(void *self); /* of CREATE TEMP TABLE; need not exist yet */
    const char *(*current_user)(void *self);
    const char *(*current_database)(void *self);
    int64_t (*statement_time_us)(void *self); /* now(), current_date; constant in a transaction */
    const char *(*setting)(void *self, const char *name); /* current_setting(); null: unknown */
    /* The first of `count` free numbers of the table's identity column, which this statement takes;
     * 0: as many as it will need, it tells at its end. May be null: there are none but from 0. */
    Status (*identity_numbers)(void *self, const CatalogTable *table, uint32_t count,
                               int64_t *first);
    /* Fraction of the table's sample that satisfies `filter` (over the sample's columns by table
     * column index); < 0 when there is no sample. Evaluated by the engine. */
    double (*sample_selectivity)(void *self, const CatalogTable *table, const Expr *filter);
    /* The value of an expression without columns, by the engine's own kernels; text in `arena`.
     * May be null: then only the commonest functions are folded. */
    Status (*evaluate_constant)(void *self, const Expr *expr, Arena *arena, Value *out);
} CatalogView;
