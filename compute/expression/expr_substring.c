/*
 * expr_substring.c — SUBSTRING(text, start, length) and LEFT(text, length) with constant positions.
 *
 * As long as the bytes up to the part's end are ASCII, characters are bytes; a part within the
 * first four is cut out of the view itself, and the text is not even looked at: substring(c_phone,
 * 1, 2).
 */
#include <string.h>

#include "compute/expression/expr_internal.h"
#include "compute/expression/expr_slots.h"

#define ASCII_HIGH_BITS UINT64_C(0x8080808080808080)

/* Characters [first, last) to be cut out. */
typedef struct TextPart {
    uint32_t first, last;
} TextPart;

/* False when the positions are not constant, or not of the plain kind. */
static bool find_part(const ExprState *state, const ExprNode *node, TextPart *part)
{
    int64_t start = 1, length;
    const ExprNode *args[3] = {NULL};
    for (uint32_t i = 1; i < node->arg_count; i++) {
        args[i] = state->program->nodes[node->args[i]];
        if (!args[i]->is_constant || args[i]->constant.is_null) {
            return false;
        }
    }
    if (node->expr->function == FUNCTION_LEFT) {
        length = args[1]->constant.i64;
    } else {
        start = args[1]->constant.i64;
        length = node->arg_count > 2 ? args[2]->constant.i64 : VARCHAR_BYTES_MAX;
    }
    if (start < 1 || start > VARCHAR_BYTES_MAX || length < 0 || length > VARCHAR_BYTES_MAX) {
        return false;
    }
    *part = (TextPart){(uint32_t)(start - 1), (uint32_t)(start - 1 + length)};
    return true;
}

static bool is_ascii(const char *text, uint32_t bytes)
{
    uint64_t all = 0, word;
    uint32_t i = 0;
    for (; i + 8 <= bytes; i += 8) {
        memcpy(&word, text + i, 8);
        all |= word;
    }
    for (; i < bytes; i++) {
        all |= (uint8_t)text[i];
    }
    return (all & ASCII_HIGH_BITS) == 0;
}

/* False when some byte before the part's end is not ASCII. */
static inline bool cut_view(const TextView *view, TextPart part, TextView *out)
{
    uint32_t last = view->length < part.last ? view->length : part.last;
    if (last <= part.first) {
        *out = (TextView){0};
        return last == 0 || is_ascii(text_view_data(view), last);
    }
    uint32_t bytes = last - part.first;
    if (last <= 4) {
        uint32_t prefix;
        memcpy(&prefix, view->prefix, 4);
        prefix &= UINT32_MAX >> 8 * (4 - last);
        if ((prefix & (uint32_t)ASCII_HIGH_BITS) != 0) {
            return false;
        }
        prefix >>= 8 * part.first;
        uint64_t words[2] = {bytes | (uint64_t)prefix << 32, 0};
        memcpy(out, words, sizeof words);
        return true;
    }
    const char *text = text_view_data(view);
    if (!is_ascii(text, last)) {
        return false;
    }
    *out = bytes <= TEXT_INLINE_MAX ? function_short_view(text + part.first, bytes)
                                    : text_view_make(text + part.first, bytes);
    return true;
}

Status op_substring(ExprState *state, const ExprNode *node, Register *out)
{
    TextPart part;
    if (!find_part(state, node, &part)) {
        return op_function(state, node, out);
    }
    Vector flat;
    SlotWriter writer;
    uint32_t row_count;
    expr_flatten(state, expr_arg(state, node, 0), &flat);
    const uint16_t *rows = expr_active_rows(state, flat.validity, &row_count);
    slot_writer_init(&writer, state, node->type);
    const TextView *views = flat.data;
    TextView *target = writer.buffer->lanes;
    for (uint32_t i = 0; i < row_count; i++) {
        if (!cut_view(&views[rows[i]], part, &target[rows[i]])) {
            return op_function(state, node, out); // characters of several bytes
        }
    }
    slot_writer_finish(&writer, expr_row_count(state), flat.validity, out);
    return STATUS_OK;
}
