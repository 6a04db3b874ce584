/*
 * field_value.h — one field as a value, by all the rules of the format: the slow road, and the
 * meaning that the kernels must agree with.
 *
 * raw bytes -> (style: NULL? quotes, escapes) -> text -> (blanks, UTF-8, length | number, date)
 */
#pragma once
#include "base/arena.h"
#include "base/types/type.h"
#include "protocol/copy/copy_options.h"
#include "protocol/copy/date_pattern.h"

/* A field as the style leaves it. */
typedef struct FieldText {
    const char *data;
    size_t bytes;
    bool is_null;
    bool was_quoted;
} FieldText;

/* What differs between delimited text and CSV. */
typedef struct FieldStyleOps {
    /* Takes quotes and escapes off the raw bytes between two delimiters and recognises NULL. The
     * result points into `raw` or into `batch_arena`. 22P04 for quotes that do not close. */
    Status (*clean)(const CopyFormat *format, const char *raw, size_t bytes, Arena *batch_arena,
                    FieldText *out);
} FieldStyleOps;
extern const FieldStyleOps text_style_ops; /* text_reader.c */
extern const FieldStyleOps csv_style_ops;  /* csv_reader.c */

typedef struct FieldRules {
    const CopyFormat *format;
    const FieldStyleOps *style;
    bool has_date_pattern, has_time_pattern;
    int64_t epoch_unit_us; /* TIMEFORMAT 'epochsecs', 'epochmillisecs'; 0: neither */
    DatePattern date_pattern, time_pattern;
} FieldRules;

/* 22023 for patterns that are not understood. `format` must outlive the rules. */
Status field_rules_init(FieldRules *rules, const CopyFormat *format) CHECKED;

/* 22P02, 22003, 22007, 22008, 22001, 22021, 22P04. Text points into `raw` or `batch_arena`. */
Status field_value_read(const FieldRules *rules, const char *raw, size_t bytes, Type type,
                        Arena *batch_arena, Value *out) CHECKED;

/* What a column gets that a short row does not have (FILLRECORD). */
Value field_value_missing(const FieldRules *rules, Type type);
