/*
 * expr_internal.h — the compiled program and a worker's registers, for the sources of this folder.
 *
 * A program is a list of nodes in which every node comes behind its arguments; equal expressions
 * are one node. A state has a register per node. Registers are filled when somebody asks, for the
 * rows that are current then: CASE, AND and their like make narrower sets of rows current while
 * they ask for their later parts.
 *
 * Invariants: (1) a register is filled for the rows named by its `rows_id` and may be used under
 * these rows or narrower ones; (2) lanes and words are never changed once a register shows them,
 * until expr_begin: filling a register again takes fresh memory; (3) a set bit in the truth
 * words of a boolean register means known true, so it is set in the validity as well; bits of rows
 * that nobody asked for mean nothing, and every user of words cuts them to its own rows.
 */
#pragma once
#include "compute/expression/expr_eval.h"
#include "compute/functions/function.h"

typedef struct ExprNode ExprNode;
typedef struct Register Register;
struct EntryCache;

/* Fills `out` for state->rows. Arguments of strict nodes are filled already, none of them is a null
 * constant and not all are constants. */
typedef Status (*NodeOp)(ExprState *state, const ExprNode *node, Register *out);

#define COLUMN_NONE UINT32_MAX       /* depends on no column */
#define COLUMN_MANY (UINT32_MAX - 1) /* on several */

struct ExprNode {
    NodeOp op;
    const Expr *expr; /* the call's constants, messages */
    Type type;
    uint32_t index; /* of its register */
    uint32_t arg_count;
    const uint32_t *args; /* indexes of earlier nodes */
    uint32_t column;      /* the only one it depends on, or COLUMN_ */
    bool is_constant;     /* a literal: `constant` */
    bool is_strict;       /* NULL in any argument gives NULL */
    bool is_volatile;
    bool can_fail;         /* some row might raise an error, in it or in an argument */
    bool is_costly;        /* more than a kernel over narrow lanes */
    bool is_null_for_null; /* NULL whenever its only column is NULL */
    bool is_per_entry;     /* worth computing once per dictionary entry */
    Value constant;
    const void *prepared; /* what the node's compiler has made */
};

struct ExprProgram {
    ExprNode **nodes;
    uint32_t node_count;
    uint32_t root_count;
    const uint32_t *roots; /* nodes of the expressions */
    uint32_t input_count;
    const Type *input_types;
    uint64_t serial; /* tells programs apart in the identities of derived dictionaries */
};

/* Rows that are being computed: a subset of the batch's selected rows. */
typedef struct ExprRows {
    struct ExprRows *outer; /* a superset; null: the batch's own */
    uint64_t id;
    uint32_t row_count; /* lanes to run dense loops over */
    uint32_t count;
    bool is_all; /* count == row_count */
    bool has_mask;
    const uint16_t *list; /* null until asked for */
    RowMask mask;         /* when has_mask */
} ExprRows;

struct Register {
    uint64_t rows_id; /* 0: empty */
    bool has_vector, has_truth;
    Vector vector;
    const uint64_t *truth;    /* BOOLEAN */
    const uint64_t *validity; /* BOOLEAN with has_truth: null when no row is NULL */
};

typedef struct FilterTerm FilterTerm;

struct ExprState {
    const ExprProgram *program;
    Arena *arena;        /* lives as long as the state */
    Arena *text_arena;   /* bytes of text results; emptied by expr_begin */
    Register *registers; /* node_count */
    ExprRows *rows;      /* current */
    ExprRows batch_rows;
    uint64_t last_rows_id;
    Batch *input;
    PointerList buffers, masks; /* VectorBuffer, RowMask: taken in order, given back together */
    uint32_t buffers_used, masks_used;
    bool has_text;                    /* text_arena was used */
    FunctionFrame *frames;            /* node_count, made when a program has scalar functions */
    struct EntryCache **entry_caches; /* node_count: results on dictionary entries */
    ExprState *entry_state;           /* runs nodes on dictionary entries */
    FilterTerm *filter_terms;
    uint32_t *filter_order;
    uint64_t filter_batches;
    ExprRows *filter_rows; /* a set per term */
    uint16_t every_row[VECTOR_ROWS];
};

/* --- registers (expr_eval.c) --- */

Status expr_register(ExprState *state, uint32_t index, Register **out) CHECKED;
/* The register as a vector; a boolean's words become lanes. */
Status expr_vector(ExprState *state, uint32_t index, const Vector **out) CHECKED;
/* A boolean register with truth words. */
Status expr_truth(ExprState *state, uint32_t index, const Register **out) CHECKED;
/* Argument `i` of a strict node, filled already. */
const Vector *expr_arg(ExprState *state, const ExprNode *node, uint32_t i);

VectorBuffer *expr_take_buffer(ExprState *state);
RowMask *expr_take_mask(ExprState *state); /* not cleared */
Arena *expr_text_arena(ExprState *state);

/* --- rows --- */

const RowMask *expr_rows_mask(ExprRows *rows);
const uint16_t *expr_rows_list(ExprState *state, ExprRows *rows);
/* Makes `mask`, a subset of the current rows, current; `inner` must live until expr_rows_pop. */
void expr_rows_push(ExprState *state, ExprRows *inner, const RowMask *mask);
void expr_rows_pop(ExprState *state);
/* Current rows that `validity` (null: all) declares present. */
const uint16_t *expr_active_rows(ExprState *state, const uint64_t *validity, uint32_t *count);
static inline uint32_t expr_row_count(const ExprState *state)
{
    return state->rows->row_count;
}
static inline uint32_t expr_word_count(const ExprState *state)
{
    return (state->rows->row_count + 63) / 64;
}

/* --- results --- */

void expr_set_null(ExprState *state, const ExprNode *node, Register *out);
/* `truth` and `validity` as invariant 3 wants them. */
void expr_set_truth(Register *out, const uint64_t *truth, const uint64_t *validity);
void expr_set_vector(Register *out, const Vector *vector);
/* Rows where all vectors have values; null: all rows. Constants count as present. */
const uint64_t *expr_combine_validity(ExprState *state, const Vector *const *vectors,
                                      uint32_t count);
const uint64_t *expr_node_validity(ExprState *state, const ExprNode *node);
/* A flat vector: dictionaries and constants spread, for the current rows. */
void expr_flatten(ExprState *state, const Vector *vector, Vector *out);
/* The same as int64, 128-bit, float or text lanes. */
void expr_widen(ExprState *state, const Vector *vector, Vector *out);

/* --- integers (expr_integers.c) --- */

/* Lanes of scaled integers; a constant has lo == hi and no lanes. */
typedef struct IntView {
    const void *lanes;
    Lane lane;
    bool is_constant;
    int64_t base;
    int64_t lo, hi;
} IntView;
/* False when the vector's values are 128 bits wide (then nothing is written). */
bool expr_int_view(ExprState *state, const Vector *vector, IntView *out);
/* Narrows lo and hi to what the lanes hold. */
void expr_tighten(ExprState *state, IntView *view);
Lane lane_for_span(uint64_t span);
/* A value of an integer or decimal vector that is not null. */
Int128 expr_int128_at(const Vector *vector, uint32_t row);
/* Checks the lanes of `vector` against the type, on active rows; 22003. Bounds are tightened. */
Status expr_check_range(ExprState *state, Vector *vector, Type type) CHECKED;
Status expr_out_of_range(Type type) CHECKED;
/* Stores 128-bit results as the type wants them. */
typedef struct IntWriter {
    VectorBuffer *buffer;
    Type type;
    bool is_wide;   /* 128-bit lanes */
    int64_t lo, hi; /* of what was written, when not wide */
    Int128 limit_lo, limit_hi;
} IntWriter;
void int_writer_init(IntWriter *writer, ExprState *state, Type type);
static inline bool int_writer_fits(const IntWriter *writer, Int128 value)
{
    return value >= writer->limit_lo && value <= writer->limit_hi;
}
static inline void int_writer_set(IntWriter *writer, uint32_t row, Int128 value)
{
    if (writer->is_wide) {
        ((Int128 *)writer->buffer->lanes)[row] = value;
        return;
    }
    int64_t narrow = (int64_t)value;
    ((int64_t *)writer->buffer->lanes)[row] = narrow;
    writer->lo = narrow < writer->lo ? narrow : writer->lo;
    writer->hi = narrow > writer->hi ? narrow : writer->hi;
}
void int_writer_finish(const IntWriter *writer, const uint64_t *validity, Register *out);

/* --- what the nodes do --- */

Status op_column(ExprState *state, const ExprNode *node, Register *out);
Status op_constant(ExprState *state, const ExprNode *node, Register *out);
Status op_add(ExprState *state, const ExprNode *node, Register *out);
Status op_subtract(ExprState *state, const ExprNode *node, Register *out);
Status op_multiply(ExprState *state, const ExprNode *node, Register *out);
Status op_divide(ExprState *state, const ExprNode *node, Register *out);
Status op_modulo(ExprState *state, const ExprNode *node, Register *out);
Status op_negate(ExprState *state, const ExprNode *node, Register *out);
Status op_avg_final(ExprState *state, const ExprNode *node, Register *out);
Status op_float(ExprState *state, const ExprNode *node, Register *out);
Status op_compare(ExprState *state, const ExprNode *node, Register *out);
Status op_is_not_distinct(ExprState *state, const ExprNode *node, Register *out);
Status op_in(ExprState *state, const ExprNode *node, Register *out);
Status op_and(ExprState *state, const ExprNode *node, Register *out);
Status op_or(ExprState *state, const ExprNode *node, Register *out);
Status op_not(ExprState *state, const ExprNode *node, Register *out);
Status op_is_null(ExprState *state, const ExprNode *node, Register *out);
Status op_case(ExprState *state, const ExprNode *node, Register *out);
Status op_coalesce(ExprState *state, const ExprNode *node, Register *out);
Status op_extreme(ExprState *state, const ExprNode *node, Register *out);
Status op_like(ExprState *state, const ExprNode *node, Register *out);
Status op_cast(ExprState *state, const ExprNode *node, Register *out);
Status op_function(ExprState *state, const ExprNode *node, Register *out);
Status op_substring(ExprState *state, const ExprNode *node, Register *out);
Status op_extract(ExprState *state, const ExprNode *node, Register *out);
Status op_date_days(ExprState *state, const ExprNode *node, Register *out);
Status op_bucket(ExprState *state, const ExprNode *node, Register *out);

/* --- shared by several of them --- */

/* left <op> right on the rows of `mask`, both without null constants: clears the bits of rows where
 * it does not hold. Null rows give any answer. */
Status expr_compare_vectors(ExprState *state, FunctionId op, const Vector *left,
                            const Vector *right, RowMask *mask) CHECKED;
/* A part of a result that is put together: CASE, COALESCE. */
typedef struct BlendPart {
    Vector vector;
    RowMask mask;
} BlendPart;
/* Rows in no part are NULL; parts do not overlap. */
Status expr_blend(ExprState *state, Type type, const BlendPart *parts, uint32_t part_count,
                  Register *out) CHECKED;
/* Can the texts of `source` be texts of `target` as they are? */
bool expr_text_fits(Type source, Type target);
/* Adds, subtracts or multiplies as SQL types want it; the node's own arguments are not looked at.
 */
Status expr_arithmetic(ExprState *state, FunctionId op, Type type, uint32_t drop_digits,
                       const Vector *left, const Vector *right, Register *out) CHECKED;

/* --- dictionaries (expr_dictionary.c) --- */

/* Fills the register from results on the entries of its column's dictionary; *is_done is false
 * when that is not possible or not worth it. */
Status expr_per_entry(ExprState *state, const ExprNode *node, Register *out, bool *is_done) CHECKED;
/* A state for another batch, over the same program. */
ExprState *expr_state_create_inner(const ExprProgram *program, Arena *arena);

/* --- compile time --- */

typedef struct Compiler {
    Arena *arena;
    PointerList nodes;
    uint32_t *buckets; /* node index + 1, by hash: equal nodes are found here */
    uint32_t bucket_count;
    const Type *input_types;
    uint32_t input_count;
} Compiler;
/* Sets op and properties of a node whose expr, type and args are known (expr_compile_node.c). */
Status expr_compile_node(Compiler *compiler, ExprNode *node) CHECKED;
const ExprNode *compiler_arg(const Compiler *compiler, const ExprNode *node, uint32_t i);
