/* zone_map.c — see zone_map.h. */
#include "storage/zone_map.h"

#include <math.h>
#include <string.h>
#include "base/types/text_format.h"
#include "storage/text_order.h"

#define PREFIX_BYTES 16u

static void put_text(uint8_t prefix[PREFIX_BYTES], uint8_t *bytes, const TextView *view,
                     uint16_t exact_flag, uint16_t *flags)
{
    // Trailing blanks do not count in comparisons, so they need not be kept.
    const uint32_t length = text_trimmed_length(text_view_data(view), view->length);
    const uint32_t kept = length < PREFIX_BYTES ? length : PREFIX_BYTES;
    memcpy(prefix, text_view_data(view), kept);
    *bytes = (uint8_t)kept;
    if (length <= PREFIX_BYTES) {
        *flags |= exact_flag;
    }
}

static uint16_t profile_flags(const ColumnProfile *profile)
{
    return (uint16_t)((profile->is_ascending ? BLOCK_FLAG_ASCENDING : 0) |
                      (profile->is_descending ? BLOCK_FLAG_DESCENDING : 0) |
                      (profile->is_constant ? BLOCK_FLAG_CONSTANT : 0) |
                      (profile->has_trailing_blanks ? BLOCK_FLAG_TRAILING_BLANKS : 0) |
                      (profile->is_ascii ? BLOCK_FLAG_ASCII : 0) |
                      (profile->has_sum ? BLOCK_FLAG_HAS_SUM : 0));
}

void zone_record_build(ZoneRecord *record, const ColumnChunk *chunk, const ColumnProfile *profile)
{
    *record = (ZoneRecord){.row_count = chunk->row_count,
                           .null_count = chunk->null_count,
                           .flags = profile_flags(profile)};
    if (profile->has_sum) {
        memcpy(record->sum, &profile->sum, sizeof record->sum);
    }
    if (chunk->null_count == chunk->row_count) {
        return;
    }
    if (chunk->lane == LANE_TEXT) {
        put_text(record->min, &record->min_bytes, &profile->text_min, BLOCK_FLAG_MIN_EXACT,
                 &record->flags);
        put_text(record->max, &record->max_bytes, &profile->text_max, BLOCK_FLAG_MAX_EXACT,
                 &record->flags);
    } else if (chunk->lane == LANE_F32 || chunk->lane == LANE_F64) {
        memcpy(record->min, &profile->float_min, sizeof(double));
        memcpy(record->max, &profile->float_max, sizeof(double));
    } else if (chunk->type.id != TYPE_INTERVAL) {
        memcpy(record->min, &profile->min, sizeof record->min);
        memcpy(record->max, &profile->max, sizeof record->max);
    } else {
        return;
    }
    record->flags |= BLOCK_FLAG_HAS_RANGE;
}

bool zone_record_int64(const ZoneRecord *record, int64_t *min, int64_t *max)
{
    Int128 low, high;
    memcpy(&low, record->min, sizeof low);
    memcpy(&high, record->max, sizeof high);
    if ((record->flags & BLOCK_FLAG_HAS_RANGE) == 0 || low < INT64_MIN || high > INT64_MAX) {
        return false;
    }
    *min = (int64_t)low;
    *max = (int64_t)high;
    return true;
}

/* Whether a bound of the predicate lies below (-1), at (0) or above (1) a text prefix that may have
 * been cut; at a cut prefix the answer is 0 when the bound starts with it. */
static int compare_to_prefix(const Value *bound, const uint8_t *prefix, uint32_t prefix_bytes,
                             bool is_exact)
{
    const char *text = text_view_data(&bound->text);
    const uint32_t length = text_trimmed_length(text, bound->text.length);
    const uint32_t common = length < prefix_bytes ? length : prefix_bytes;
    const int order = memcmp(text, prefix, common);
    if (order != 0) {
        return order < 0 ? -1 : 1;
    }
    if (length < prefix_bytes) {
        return -1;
    }
    if (length > prefix_bytes) {
        return is_exact ? 1 : 0;
    }
    return is_exact ? 0 : -1; // values longer than the prefix are greater than it
}

/* Bound against min (is_max false) or max in the column's order; sign as compare. */
static int compare_bound(const ZoneRecord *record, const Value *bound, bool is_max)
{
    const uint8_t *side = is_max ? record->max : record->min;
    if (type_is_text(bound->type)) {
        const uint16_t exact = is_max ? BLOCK_FLAG_MAX_EXACT : BLOCK_FLAG_MIN_EXACT;
        return compare_to_prefix(bound, side, is_max ? record->max_bytes : record->min_bytes,
                                 (record->flags & exact) != 0);
    }
    if (type_is_float(bound->type)) {
        double value;
        memcpy(&value, side, sizeof value);
        if (isnan(bound->f64) || isnan(value)) {
            return isnan(bound->f64) == isnan(value) ? 0 : isnan(bound->f64) ? 1 : -1;
        }
        return bound->f64 < value ? -1 : bound->f64 > value;
    }
    Int128 value;
    memcpy(&value, side, sizeof value);
    const Int128 other = type_is_scaled_integer(bound->type) ? bound->i64 : bound->i128;
    return other < value ? -1 : other > value;
}

static PredicateVerdict check_range(const ZoneRecord *record, const Predicate *predicate)
{
    // Below the smallest value, or above the largest, nothing passes.
    if (predicate->has_hi) {
        const int order = compare_bound(record, &predicate->hi, false);
        if (order < 0 ||
            (order == 0 && predicate->is_hi_open &&
             (record->flags & BLOCK_FLAG_MIN_EXACT || !type_is_text(predicate->type)))) {
            return PREDICATE_NONE;
        }
    }
    if (predicate->has_lo) {
        const int order = compare_bound(record, &predicate->lo, true);
        if (order > 0 ||
            (order == 0 && predicate->is_lo_open &&
             (record->flags & BLOCK_FLAG_MAX_EXACT || !type_is_text(predicate->type)))) {
            return PREDICATE_NONE;
        }
    }
    if (record->null_count > 0 || type_is_text(predicate->type)) {
        return PREDICATE_SOME;
    }
    bool is_all = true;
    if (predicate->has_lo) {
        const int order = compare_bound(record, &predicate->lo, false);
        is_all = order < 0 || (order == 0 && !predicate->is_lo_open);
    }
    if (predicate->has_hi) {
        const int order = compare_bound(record, &predicate->hi, true);
        is_all = is_all && (order > 0 || (order == 0 && !predicate->is_hi_open));
    }
    return is_all ? PREDICATE_ALL : PREDICATE_SOME;
}

static PredicateVerdict check_in(const ZoneRecord *record, const Predicate *predicate)
{
    for (uint32_t i = 0; i < predicate->value_count; i++) {
        if (compare_bound(record, &predicate->values[i], false) >= 0 &&
            compare_bound(record, &predicate->values[i], true) <= 0) {
            return PREDICATE_SOME;
        }
    }
    return PREDICATE_NONE;
}

PredicateVerdict zone_record_check(const ZoneRecord *record, Type type, const Predicate *predicate)
{
    const bool has_nulls = record->null_count > 0;
    const bool is_null = record->null_count == record->row_count;
    int64_t min, max;
    switch (predicate->kind) {
    case PREDICATE_IS_NULL:
        return is_null ? PREDICATE_ALL : has_nulls ? PREDICATE_SOME : PREDICATE_NONE;
    case PREDICATE_IS_NOT_NULL:
        return is_null ? PREDICATE_NONE : has_nulls ? PREDICATE_SOME : PREDICATE_ALL;
    default:
        break;
    }
    if (is_null) {
        return PREDICATE_NONE;
    }
    if ((record->flags & BLOCK_FLAG_HAS_RANGE) == 0 ||
        type_is_text(type) != type_is_text(predicate->type)) {
        return PREDICATE_SOME;
    }
    if (type_is_scaled_integer(type) && zone_record_int64(record, &min, &max)) {
        return predicate_check_bounds(predicate, min, max, has_nulls);
    }
    if (predicate->kind == PREDICATE_RANGE) {
        return check_range(record, predicate);
    }
    return predicate->kind == PREDICATE_IN ? check_in(record, predicate) : PREDICATE_SOME;
}

Status zone_record_verify(const ZoneRecord *record, Type type)
{
    const char *what = NULL;
    int64_t min, max;
    if (record->null_count > record->row_count || record->row_count == 0 ||
        record->row_count > FORMAT_ROW_GROUP_ROWS) {
        what = "counts";
    } else if (record->min_bytes > PREFIX_BYTES || record->max_bytes > PREFIX_BYTES) {
        what = "text bounds";
    } else if ((record->flags & BLOCK_FLAG_HAS_RANGE) != 0 && type_is_scaled_integer(type) &&
               (!zone_record_int64(record, &min, &max) || min > max || min < type_int64_min(type) ||
                max > type_int64_max(type))) {
        what = "range";
    }
    return what == NULL
               ? STATUS_OK
               : status_error(SQLSTATE_DATA_CORRUPTED, "impossible %s in a zone map", what);
}

Value zone_record_bound(const ZoneRecord *record, Type type, bool is_max)
{
    const uint8_t *side = is_max ? record->max : record->min;
    Value value = {.type = type};
    if (type_is_text(type)) {
        value.text =
            text_view_make((const char *)side, is_max ? record->max_bytes : record->min_bytes);
        value.type = type_varchar(0);
    } else if (type_is_float(type)) {
        memcpy(&value.f64, side, sizeof value.f64);
    } else if (type_is_scaled_integer(type)) {
        memcpy(&value.i64, side, sizeof value.i64);
    } else {
        memcpy(&value.i128, side, sizeof value.i128);
    }
    return value;
}

void zone_record_print(const ZoneRecord *record, Type type, ByteBuffer *target)
{
    if ((record->flags & BLOCK_FLAG_HAS_RANGE) == 0) {
        byte_buffer_printf(target, "no range");
        return;
    }
    const char *quote = type_is_text(type) ? "'" : "";
    for (int side = 0; side < 2; side++) {
        const Value value = zone_record_bound(record, type, side == 1);
        const uint16_t exact = side == 1 ? BLOCK_FLAG_MAX_EXACT : BLOCK_FLAG_MIN_EXACT;
        byte_buffer_printf(target, "%s%s", side == 1 ? " .. " : "", quote);
        value_print(&value, target);
        byte_buffer_printf(target, "%s%s", quote,
                           type_is_text(type) && (record->flags & exact) == 0 ? "…" : "");
    }
}
